//! Objects of a live cluster, as texts that can be read like files.
//!
//! Nothing but GET is ever sent: [`Cluster`] has no way to write.

mod connect;
mod document;
mod fault;
mod proxy;
mod read;
mod resource;

pub use connect::{Access, Cluster};
pub use document::{Document, Keep};
pub use read::{Answer, Item, Kinds};
pub use resource::{
    CERTIFICATES, CONFIG_MAPS, DAEMON_SETS, DEPLOYMENTS, GATEWAY_KINDS, INGRESS_CLASSES, INGRESSES,
    NAMESPACES, Resource, SECRETS, SERVICES, SURVEY_KINDS,
};

//! What ingress-nginx does: intake, annotation registry, effective configuration, lowering.
//!
//! [`analyze`] reads documents as the controller v1.15.1 would and yields the routing model,
//! with an account of every annotation and field.

mod account;
mod analyze;
pub mod annotations;
mod certificates;
pub mod config_map;
mod effective;
mod flags;
mod ingress;
mod left_out;
mod legacy;
mod lower;
mod named;
pub mod nginx_conf;
mod objects;
mod overruled;
mod policies;
mod reading;
pub mod registry;
mod remarks;
mod select;
mod service;
mod stranger;
mod validate;

pub use analyze::{Analysis, Options, analyze};
pub use named::{Name, Named, Need, Told, Workload, named, workload};
pub use objects::Intake;
pub use reading::{IntakeOptions, Reader, Reading};
pub use select::Selection;

/// Of names from other people's files, in the order in which they came.
type IndexMap<K, V> = indexmap::IndexMap<K, V, foldhash::fast::RandomState>;
type IndexSet<T> = indexmap::IndexSet<T, foldhash::fast::RandomState>;

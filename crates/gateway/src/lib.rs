//! The routing model written as Gateway API and Envoy Gateway objects.
//!
//! What Gateway API v1.6 (standard channel) and Envoy Gateway v1.9 can say, and how they
//! order rules, is known here and nowhere else. It knows neither nginx nor annotations.

pub mod envoy;

mod backend;
mod certificate;
mod emit;
mod filter;
mod formatter;
mod idiom;
mod infra;
mod listeners;
mod name;
mod object;
mod order;
mod path;
mod policy;
mod redirect;
mod rule;
mod shards;
mod tags;

use gatewright_diagnostics::{Diagnostic, Outcome};
use gatewright_model::Origin;

pub use certificate::CertificateSpec;
pub use emit::emit;
pub use object::{Object, Part, SecretData, Shelf, Spec};

/// Of names from other people's files, in the order in which they came.
type IndexMap<K, V> = indexmap::IndexMap<K, V, foldhash::fast::RandomState>;
type IndexSet<T> = indexmap::IndexSet<T, foldhash::fast::RandomState>;

/// How to write.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Namespace and name of the Gateway.
    pub gateway: (String, String),
    /// The Gateway exists already: neither it nor what belongs to it is written.
    pub existing: bool,
    /// Name of a `GatewayClass` that exists; `None` writes one.
    pub class: Option<String>,
    /// Names of the listeners of a Gateway that exists, for HTTP and for HTTPS; by port where
    /// there is none.
    pub listeners: (Option<String>, Option<String>),
    /// Listeners stand in `ListenerSet`s beside the certificates, however few these are.
    pub sets: bool,
    /// The label that namespaces need for their routes and `ListenerSet`s; `None` lets in all.
    pub label: Option<(String, String)>,
    /// What a person would write, where it protects as much.
    pub idiomatic: bool,
}

/// What there is to say of the objects.
#[derive(Debug, Default)]
pub struct Emitted {
    /// Findings.
    pub diagnostics: Vec<Diagnostic>,
    /// What became of values that could not be written as they are.
    pub outcomes: Vec<(Origin, Outcome)>,
    /// Whether a `Backend` is among the objects (`extensionApis.enableBackend`).
    pub needs_backend: bool,
    /// Whether scripts are among the objects (`extensionApis.enableLua`).
    pub needs_lua: bool,
    /// Whether a `Certificate` of cert-manager is among the objects.
    pub needs_cert_manager: bool,
    /// Number of route rules.
    pub rules: usize,
}

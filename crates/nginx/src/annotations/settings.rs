//! What the annotations of one Ingress say, typed.

use super::{backend, canary, redirect, rewrite, server, ssl};

/// A Secret or ConfigMap that an annotation names. Whether it exists is asked later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Its namespace: that of the Ingress unless the annotation names one.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// What was accepted of the annotations of one Ingress. `None` is what was not written
/// or not accepted; accessors fill in the controller's defaults.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Rewrites, regex mode, redirects to HTTPS.
    pub rewrite: rewrite::Rewrite,
    /// Fixed redirects.
    pub redirect: redirect::Redirect,
    /// Other names of the host, the name told to the backend.
    pub server: server::Server,
    /// Set on canary Ingresses.
    pub canary: Option<canary::Canary>,
    /// Protocol and balancing of the backend.
    pub backend: backend::Backend,
    /// Passthrough and ciphers.
    pub ssl: ssl::Ssl,
}

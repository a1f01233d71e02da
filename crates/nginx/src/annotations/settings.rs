//! What the annotations of one Ingress say, typed.

use gatewright_source::Spanned;

use super::reference::Reference;
use super::{
    Keys, affinity, auth_basic, auth_external, auth_tls, backend, buffering, canary, cors, errors,
    fastcgi, ip_lists, limits, mirror, modsecurity, observability, proxy, proxy_ssl, redirect,
    replies, rewrite, server, snippets, ssl,
};

/// What was accepted of the annotations of one Ingress. `None` is what was not written
/// or not accepted; accessors of the parts fill in the controller's defaults.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Rewrites, regex mode, redirects to HTTPS.
    pub rewrite: rewrite::Rewrite,
    /// Fixed redirects.
    pub redirect: redirect::Redirect,
    /// Other names of the host, the name told to the backend.
    pub server: server::Server,
    /// Set on canary Ingresses.
    pub canary: Option<Box<canary::Canary>>,
    /// Protocol and balancing of the backend.
    pub backend: backend::Backend,
    /// Session cookie.
    pub affinity: Option<Box<affinity::Affinity>>,
    /// What a canary does with sessions; read on the canary.
    pub affinity_canary_behavior: Option<Spanned<affinity::CanaryBehavior>>,
    /// Timeouts, retries, connections.
    pub proxy: proxy::Proxy,
    /// Sizes and buffers.
    pub buffering: buffering::Buffering,
    /// Cookies and redirects of the backend.
    pub replies: replies::Replies,
    /// TLS to the backend.
    pub proxy_ssl: Option<Box<proxy_ssl::ProxySsl>>,
    /// Passthrough and ciphers.
    pub ssl: ssl::Ssl,
    /// Client certificates.
    pub auth_tls: Option<auth_tls::AuthTls>,
    /// Passwords.
    pub auth_basic: Option<Box<auth_basic::AuthBasic>>,
    /// The auth service of the Ingress itself.
    pub auth_external: Option<Box<auth_external::AuthExternal>>,
    /// The value that makes the controller leave an authentication out by mistake.
    pub auth_lost: Option<Spanned<&'static str>>,
    /// Whether the controller's own auth service is asked; yes unless set.
    pub enable_global_auth: Option<Spanned<bool>>,
    /// Allow and deny lists.
    pub ip_lists: ip_lists::IpLists,
    /// Whether one protection is enough.
    pub satisfy_any: bool,
    /// Where that is said; true is `any`.
    pub satisfy: Option<Spanned<bool>>,
    /// Rates, connections, bandwidth.
    pub limits: Option<Box<limits::Limits>>,
    /// CORS.
    pub cors: Option<Box<cors::Cors>>,
    /// The `ConfigMap` of response headers.
    pub custom_headers: Option<Spanned<Reference>>,
    /// Error pages and fallbacks.
    pub errors: errors::Errors,
    /// Shadow traffic.
    pub mirror: Option<Box<mirror::Mirror>>,
    /// Logs and traces.
    pub observability: observability::Observability,
    /// The web application firewall.
    pub modsecurity: Option<modsecurity::Modsecurity>,
    /// `FastCGI` backends.
    pub fastcgi: Option<fastcgi::Fastcgi>,
    /// Raw nginx configuration.
    pub snippets: snippets::Snippets,
}

impl Settings {
    /// Notes that a group which authenticates was dropped. An empty value asks for nothing.
    pub(crate) fn note_lost(&mut self, keys: &Keys<'_>, cause: &'static str) {
        if let Some(span) = keys.span_of(cause).filter(|_| keys.is_filled(cause)) {
            self.auth_lost.get_or_insert(Spanned::new(cause, span));
        }
    }

    /// Whether the controller's own auth service is asked.
    pub fn enable_global_auth(&self) -> bool {
        self.enable_global_auth.is_none_or(|flag| flag.value)
    }
}

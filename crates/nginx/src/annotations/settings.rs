//! What the annotations of one Ingress say, typed.

use std::ops::{Deref, DerefMut};
use std::sync::LazyLock;

use gatewright_source::Spanned;

use super::reference::Reference;
use super::{
    Keys, affinity, auth_basic, auth_external, auth_tls, backend, buffering, canary, cors, errors,
    fastcgi, ip_lists, limits, mirror, modsecurity, observability, proxy, proxy_ssl, redirect,
    replies, rewrite, server, snippets, ssl,
};

/// A group of settings, of which most Ingresses write none: those take the place of a pointer.
#[derive(Clone, Debug)]
pub struct Part<T>(Option<Box<T>>);

/// What a group of settings says when nobody wrote one of it.
pub trait Unwritten: Default + 'static {
    /// The group without a setting.
    fn unwritten() -> &'static Self;
}

impl<T> Default for Part<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Unwritten> Deref for Part<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_deref().unwrap_or_else(|| T::unwritten())
    }
}

impl<T: Unwritten> DerefMut for Part<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.get_or_insert_default()
    }
}

macro_rules! unwritten {
    ($($group:ty),* $(,)?) => {
        $(impl Unwritten for $group {
            fn unwritten() -> &'static Self {
                static UNWRITTEN: LazyLock<$group> = LazyLock::new(Default::default);
                &UNWRITTEN
            }
        })*
    };
}

unwritten!(
    rewrite::Rewrite,
    redirect::Redirect,
    server::Server,
    backend::Backend,
    proxy::Proxy,
    buffering::Buffering,
    replies::Replies,
    ssl::Ssl,
    ip_lists::IpLists,
    errors::Errors,
    observability::Observability,
    snippets::Snippets,
);

/// What was accepted of the annotations of one Ingress. `None` is what was not written
/// or not accepted; accessors of the parts fill in the controller's defaults.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Rewrites, regex mode, redirects to HTTPS.
    pub rewrite: Part<rewrite::Rewrite>,
    /// Fixed redirects.
    pub redirect: Part<redirect::Redirect>,
    /// Other names of the host, the name told to the backend.
    pub server: Part<server::Server>,
    /// Set on canary Ingresses.
    pub canary: Option<Box<canary::Canary>>,
    /// Protocol and balancing of the backend.
    pub backend: Part<backend::Backend>,
    /// Session cookie.
    pub affinity: Option<Box<affinity::Affinity>>,
    /// What a canary does with sessions; read on the canary.
    pub affinity_canary_behavior: Option<Spanned<affinity::CanaryBehavior>>,
    /// Timeouts, retries, connections.
    pub proxy: Part<proxy::Proxy>,
    /// Sizes and buffers.
    pub buffering: Part<buffering::Buffering>,
    /// Cookies and redirects of the backend.
    pub replies: Part<replies::Replies>,
    /// TLS to the backend.
    pub proxy_ssl: Option<Box<proxy_ssl::ProxySsl>>,
    /// Passthrough and ciphers.
    pub ssl: Part<ssl::Ssl>,
    /// Client certificates.
    pub auth_tls: Option<Box<auth_tls::AuthTls>>,
    /// Passwords.
    pub auth_basic: Option<Box<auth_basic::AuthBasic>>,
    /// The auth service of the Ingress itself.
    pub auth_external: Option<Box<auth_external::AuthExternal>>,
    /// The value that makes the controller leave an authentication out by mistake.
    pub auth_lost: Option<Spanned<&'static str>>,
    /// Whether the controller's own auth service is asked; yes unless set.
    pub enable_global_auth: Option<Spanned<bool>>,
    /// Allow and deny lists.
    pub ip_lists: Part<ip_lists::IpLists>,
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
    pub errors: Part<errors::Errors>,
    /// Shadow traffic.
    pub mirror: Option<Box<mirror::Mirror>>,
    /// Logs and traces.
    pub observability: Part<observability::Observability>,
    /// The web application firewall.
    pub modsecurity: Option<Box<modsecurity::Modsecurity>>,
    /// `FastCGI` backends.
    pub fastcgi: Option<Box<fastcgi::Fastcgi>>,
    /// Raw nginx configuration.
    pub snippets: Part<snippets::Snippets>,
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

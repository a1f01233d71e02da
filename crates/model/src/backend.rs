use std::sync::Arc;

use crate::{BackendTls, Balance, Origin};

/// Where a request goes: the primary backend, or the canary that takes some of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// Takes what the canary does not.
    pub primary: Backend,
    /// Takes a part, by header, cookie and weight in this order.
    pub canary: Option<Box<Canary>>,
}

/// A second backend for some of the requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canary {
    /// Where they go.
    pub backend: Backend,
    /// Decides first.
    pub header: Option<CanaryHeader>,
    /// Decides next: a cookie of this name (any case) says `always` or `never`.
    pub cookie: Option<String>,
    /// Requests out of `total` that go to the canary when nothing else decided.
    pub weight: u32,
    /// At least 100.
    pub total: u32,
    /// The object that declared it.
    pub origin: Origin,
}

/// A header that decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CanaryHeader {
    /// Its name, in any case.
    pub name: String,
    /// How its value decides.
    pub rule: HeaderRule,
    /// Where it was written.
    pub origin: Origin,
}

/// How the value of a header decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderRule {
    /// `always` is canary, `never` is primary, anything else decides nothing.
    AlwaysNever,
    /// This value is canary, anything else decides nothing.
    Value(String),
    /// A value in which this pattern is found (case-sensitive) is canary.
    Pattern(String),
}

/// A backend and how to speak to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    /// The namespace it is looked up in.
    pub namespace: Arc<str>,
    /// What it is.
    pub target: Target,
    /// How to speak to it.
    pub protocol: Protocol,
    /// TLS beyond the protocol.
    pub tls: Option<Box<BackendTls>>,
    /// How an endpoint is chosen; none is as [`crate::Globals`] have it.
    pub balance: Option<Box<Balance>>,
    /// Use the one address of the service instead of those of its endpoints.
    pub service_address: bool,
    /// Where it was written.
    pub origin: Origin,
}

/// What a backend is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A service of the cluster.
    Service {
        /// Its name.
        name: Arc<str>,
        /// Its port number.
        port: u16,
        /// Whether the object was seen.
        seen: bool,
        /// The port itself says that it speaks HTTP/2 in clear text.
        h2c: bool,
    },
    /// A service that stands for a DNS name.
    External {
        /// The name of the service.
        service: Arc<str>,
        /// The DNS name.
        hostname: Arc<str>,
        /// The port there.
        port: u16,
    },
    /// Nothing that could answer; requests get 503.
    Unavailable {
        /// What is missing.
        reason: Arc<str>,
    },
}

/// How to speak to a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// HTTP/1.1 in clear text.
    Http,
    /// HTTP/1.1 over TLS; the peer's certificate is not verified.
    Https,
    /// HTTP/2 in clear text with prior knowledge.
    Grpc,
    /// HTTP/2 over TLS; the peer's certificate is not verified.
    Grpcs,
    /// The scheme that the client used.
    SameAsClient,
}

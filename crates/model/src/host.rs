use std::fmt;
use std::sync::Arc;

use gatewright_source::Span;

use crate::{Backend, CertificateRequest, ClientCertificates, Globals, Route, Tag};

/// Whether it can be one part of a DNS name in lower case, whatever its length: Kubernetes
/// limits the whole name alone (`IsDNS1123Subdomain`).
pub fn is_dns_label(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    bytes.first().copied().is_some_and(plain)
        && bytes.last().copied().is_some_and(plain)
        && bytes.iter().all(|&b| plain(b) || b == b'-')
}

/// Whether it is a DNS name in lower case of at most 253 characters (`IsDNS1123Subdomain`).
pub fn is_dns_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_dns_label)
}

/// Everything that is to be served.
#[derive(Clone, Debug)]
pub struct Model {
    /// The objects that routes come from; an [`OwnerId`] is an index into it.
    pub owners: Vec<Owner>,
    /// Hosts in the order of their names.
    pub hosts: Vec<Host>,
    /// What holds for every host.
    pub globals: Globals,
    /// Certificates that are to be issued, in the order of their Secrets.
    pub certificates: Vec<CertificateRequest>,
}

impl Model {
    /// The owner of an id of this model.
    pub fn owner(&self, id: OwnerId) -> &Owner {
        &self.owners[id.0 as usize]
    }
}

/// Index into [`Model::owners`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnerId(pub u32);

/// An object that routes come from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    /// Its kind, such as `Ingress`.
    pub kind: Arc<str>,
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// Where its name stands.
    pub span: Span,
    /// What goes along with all that is written for it.
    pub tags: Vec<Tag>,
}

/// Where a value was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// In which object.
    pub owner: OwnerId,
    /// At which place.
    pub span: Span,
    /// Under which annotation (without prefix), if it is one.
    pub annotation: Option<&'static str>,
}

impl Origin {
    /// A field of an object.
    pub const fn field(owner: OwnerId, span: Span) -> Self {
        Self {
            owner,
            span,
            annotation: None,
        }
    }

    /// The value of an annotation.
    pub const fn annotation(owner: OwnerId, key: &'static str, span: Span) -> Self {
        Self {
            owner,
            span,
            annotation: Some(key),
        }
    }
}

/// Which authority a host answers to. Lower case, without port and trailing dot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HostName {
    /// Exactly this name.
    Exact(Arc<str>),
    /// One label (`[A-Za-z0-9_-]+`) before this parent domain.
    OneLabel(Arc<str>),
    /// One or more labels before this parent domain.
    Subdomains(Arc<str>),
    /// Whatever no other host answers to.
    Any,
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) => f.write_str(name),
            Self::OneLabel(parent) | Self::Subdomains(parent) => write!(f, "*.{parent}"),
            Self::Any => f.write_str("*"),
        }
    }
}

/// Cipher suites that a host is limited to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ciphers {
    /// Their names, as OpenSSL has them; not empty.
    pub suites: Vec<String>,
    /// What asked for them.
    pub origin: Origin,
}

/// A virtual host. There is no fall-through: a request for it reaches no other host.
#[derive(Clone, Debug)]
pub struct Host {
    /// Its name.
    pub name: HostName,
    /// The object that defined it first.
    pub first: OwnerId,
    /// Whether its paths are patterns (case-insensitive, first match wins).
    pub patterns: bool,
    /// Routes; the first that matches wins.
    pub routes: Vec<Route>,
    /// Its certificate, when one was asked for.
    pub certificate: Option<Certificate>,
    /// Set when TLS is passed through to a backend; plain HTTP is still routed.
    pub passthrough: Option<Box<Passthrough>>,
    /// Certificates that clients need over HTTPS.
    pub clients: Option<Box<ClientCertificates>>,
    /// Cipher suites up to TLS 1.2, by their OpenSSL names.
    pub ciphers: Option<Box<Ciphers>>,
}

impl Host {
    /// Every backend that requests for the host, copies of them or questions about them go to.
    pub fn backends(&self) -> impl Iterator<Item = &Backend> {
        let passed = self.passthrough.iter().map(|passed| &passed.backend);
        passed.chain(self.routes.iter().flat_map(Route::backends))
    }
}

/// The certificates of a host. None of them may be there: then the default one serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The TLS Secrets that may hold it.
    pub secrets: Vec<SecretRef>,
    /// Where TLS was asked for.
    pub origin: Origin,
}

/// A Secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretRef {
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
}

/// TLS that is not terminated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passthrough {
    /// Where the bytes go.
    pub backend: Backend,
    /// Where it was asked for.
    pub origin: Origin,
}

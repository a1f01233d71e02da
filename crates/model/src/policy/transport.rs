use crate::{Origin, SecretRef};

/// How requests travel to a backend. `None` is as [`crate::Globals`] have it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transport {
    /// Seconds to connect.
    pub connect_timeout: Option<u32>,
    /// Seconds without a byte in either direction until a stream is cut.
    pub idle_timeout: Option<u32>,
    /// What is tried again.
    pub retry: Option<Retry>,
    /// The largest request body; none has no limit.
    pub body_limit: Option<BodyLimit>,
    /// How responses are compressed, in place of what holds for everything.
    pub compression: Option<Compression>,
    /// The `Connection` header for the backend.
    pub connection_header: Option<(String, Origin)>,
}

/// What is tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// How often a request is tried in all; 0 has no limit, 1 does not retry.
    pub tries: u32,
    /// When no connection comes about.
    pub connection: bool,
    /// When the backend answers with one of these.
    pub statuses: Vec<u16>,
    /// Whether a request that may have changed something is tried again after an answer.
    pub any_method: bool,
}

/// The largest request body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyLimit {
    /// Its size.
    pub bytes: u64,
    /// Where it was written, unless it holds for everything.
    pub origin: Option<Origin>,
}

/// How an endpoint is chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Balance {
    /// One after the other.
    RoundRobin,
    /// The one with the least to do.
    LeastBusy,
    /// Always the same one for the same value.
    Hash(HashBy),
    /// The one that a cookie leads to.
    Session(Session),
}

/// What requests for the same endpoint have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HashBy {
    /// The client's address.
    Address,
    /// Headers; `:path`, `:authority`, `:method` and `:scheme` are those of HTTP/2.
    Headers(Vec<String>),
    /// Query parameters.
    Parameters(Vec<String>),
    /// A cookie.
    Cookie(String),
}

/// A cookie that leads to an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its name.
    pub name: String,
    /// Its attributes, if a client without it is given one.
    pub cookie: Option<SessionCookie>,
}

/// The attributes of a cookie. It is `HttpOnly`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionCookie {
    /// `Path`.
    pub path: String,
    /// `Domain`.
    pub domain: Option<String>,
    /// `SameSite`.
    pub same_site: Option<String>,
    /// `Secure` over plain HTTP too; over HTTPS it always is.
    pub always_secure: bool,
    /// `Max-Age`; none ends with the browser.
    pub max_age: Option<i64>,
}

/// TLS to a backend beyond the bare protocol.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackendTls {
    /// Whose certificates are accepted; none accepts any.
    pub authority: Option<SecretRef>,
    /// The certificate that is shown.
    pub certificate: Option<SecretRef>,
    /// The name that is sent, and checked together with the authority.
    pub name: Option<String>,
    /// Lowest and highest version.
    pub versions: Option<(TlsVersion, TlsVersion)>,
    /// `OpenSSL` names of the suites of TLS 1.2; empty leaves the choice.
    pub ciphers: Vec<String>,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// 1.2.
    V1_2,
    /// 1.3.
    V1_3,
}

/// How responses are compressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compression {
    /// With gzip.
    pub gzip: bool,
    /// With brotli.
    pub brotli: bool,
    /// From so many bytes on.
    pub min_length: u32,
}

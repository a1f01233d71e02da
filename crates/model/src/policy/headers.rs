use crate::{Backend, Origin};

/// A header and what it is set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// Its name, as it was written.
    pub name: String,
    /// Its value in parts; without any the header is taken away.
    pub value: Vec<ValuePart>,
}

/// A part of a header's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValuePart {
    /// This text.
    Text(String),
    /// Something that is known of the request.
    Request(RequestValue),
}

/// What is known of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestValue {
    /// Host and port, as the client sent them.
    Authority,
    /// The host without port.
    Host,
    /// `http` or `https`.
    Scheme,
    /// The port that listens: 80 or 443.
    ListenerPort,
    /// The client's address.
    ClientAddress,
    /// The method.
    Method,
    /// Path and query, as the client sent them.
    Target,
    /// The id of the request.
    Id,
    /// A header of the client.
    Header(String),
}

/// Headers for the whole of the answers and requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GlobalHeaders {
    /// Set in every answer.
    pub response: Vec<Header>,
    /// Taken from the answers of backends.
    pub hidden: Vec<String>,
    /// The backend's `Server` is passed on.
    pub server: bool,
    /// Set in requests to backends.
    pub request: Vec<Header>,
    /// A request without an id gets one.
    pub request_id: bool,
}

/// Answers for scripts of other origins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cors {
    /// Which origins are let in.
    pub origins: CorsOrigins,
    /// What answers to them hold besides `Access-Control-Allow-Origin`: names and values.
    pub headers: Vec<(String, String)>,
    /// Where it was asked for.
    pub origin: Origin,
}

/// Which origins are let in. Where they are, OPTIONS is answered at once, whatever else the
/// route requires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CorsOrigins {
    /// All; the answer is `*`.
    Any,
    /// All; the answer is the origin.
    Echo,
    /// Those that end with one of these, in any case; `*.` before a host is one label. The
    /// answer is the origin.
    EndWith(Vec<String>),
}

/// Every request is also sent to this backend, and its answer is dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirror {
    /// To which one.
    pub backend: Backend,
}

/// What is replaced in answers of the backend.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplyRewrites {
    /// The domain of cookies, whole and in any case, by another.
    pub cookie_domain: Option<(String, String)>,
    /// The beginning of the path of cookies, by another.
    pub cookie_path: Option<(String, String)>,
    /// The beginning of `Location` and of the URL in `Refresh`, by another.
    pub location: Option<(String, String)>,
}

impl ReplyRewrites {
    /// Whether nothing is replaced.
    pub const fn is_empty(&self) -> bool {
        self.cookie_domain.is_none() && self.cookie_path.is_none() && self.location.is_none()
    }
}

mod access;
mod authentication;
mod headers;
mod step;
mod transport;

use crate::SecretRef;
pub use access::{
    AddressRule, Addresses, ClientCertificates, Period, RequestLimit, RequestLimits, VerifyClient,
};
pub use authentication::{Authorizer, Part, Passwords, User};
pub use headers::{
    Cors, CorsOrigins, GlobalHeaders, Header, Mirror, ReplyRewrites, RequestValue, ValuePart,
};
pub use step::{
    Condition, HeaderChange, HeaderEdit, PathEdit, Phase, Piece, Reply, Step, Subject, Template,
    Test,
};
pub use transport::{
    BackendTls, Balance, BodyLimit, Compression, HashBy, Retry, Session, SessionCookie, TlsVersion,
    Transport,
};

/// What a route requires or sets beyond its action.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policies {
    /// A user name and a password are asked for.
    pub passwords: Option<Passwords>,
    /// A service is asked about every request.
    pub authorizer: Option<Box<Authorizer>>,
    /// Which client addresses are let in.
    pub addresses: Option<Addresses>,
    /// How many requests a client may make.
    pub limits: Option<RequestLimits>,
    /// Headers that are set in every answer.
    pub response_headers: Vec<Header>,
    /// Answers for scripts of other origins.
    pub cors: Option<Cors>,
    /// Where copies of requests go.
    pub mirror: Option<Box<Mirror>>,
    /// What is replaced in answers of the backend.
    pub reply_rewrites: ReplyRewrites,
    /// How requests travel to the backend.
    pub transport: Transport,
    /// Answers that are given before anything else, in their order.
    pub steps: Vec<Step>,
    /// Changes to the headers of requests to the backend, in their order.
    pub request_edits: Vec<HeaderEdit>,
    /// Changes to the headers of answers, in their order, before `cors` is asked for what they
    /// do not name and after `response_headers`, which win.
    pub response_edits: Vec<HeaderEdit>,
    /// The path that the backend sees, if it is another one for some requests.
    pub path_edit: Option<PathEdit>,
}

impl Policies {
    /// Whether a request has to prove anything, whatever then becomes of it.
    pub fn authenticates(&self) -> bool {
        self.passwords.is_some() || self.authorizer.is_some()
    }
}

/// What holds for every host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Globals {
    /// The lowest and the highest TLS version that clients may use, unless they are 1.2 and 1.3.
    pub tls_versions: Option<(TlsVersion, TlsVersion)>,
    /// Serves where no certificate fits.
    pub default_certificate: Option<SecretRef>,
    /// The value of `Strict-Transport-Security` on HTTPS, if it is sent.
    pub hsts: Option<String>,
    /// Seconds to connect to a backend.
    pub connect_timeout: u32,
    /// Seconds without a byte in either direction until a stream is cut.
    pub idle_timeout: u32,
    /// What is tried again.
    pub retry: Retry,
    /// How an endpoint is chosen.
    pub balance: Balance,
    /// How responses are compressed, if they are.
    pub compression: Option<Compression>,
    /// The largest request body where nobody wrote one. Routes do not carry it.
    pub unwritten_body_limit: Option<u64>,
    /// Seconds until an idle client connection is closed.
    pub client_idle_timeout: u32,
    /// Seconds until the headers of a request must have come.
    pub client_header_timeout: u32,
    /// Whether request headers with an underscore are kept (else dropped).
    pub underscores_in_headers: bool,
    /// Whether HTTP/2 is offered to clients.
    pub http2: bool,
    /// Concurrent streams of one HTTP/2 connection.
    pub http2_streams: u32,
    /// Whom to believe about the client.
    pub forwarded: ForwardedHeaders,
    /// Headers of every answer and request.
    pub headers: GlobalHeaders,
}

/// Whom to believe about the client's address, scheme and host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForwardedHeaders {
    /// Scheme, host and port are those that `X-Forwarded-*` say, whoever sent them.
    pub trust: bool,
    /// Where the address comes from.
    pub address: ClientAddress,
    /// Backends get the whole `X-Forwarded-For`, not the client's address alone.
    pub whole_chain: bool,
    /// Connections begin with the PROXY protocol.
    pub proxy_protocol: bool,
}

/// Where the client's address comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ClientAddress {
    /// From the connection, or the PROXY protocol on it.
    #[default]
    Peer,
    /// From `X-Forwarded-For`: the last address that is not of these networks; of all
    /// networks when there are none.
    ForwardedFor(Vec<String>),
    /// From another header.
    Header(String),
}

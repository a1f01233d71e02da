mod access;

pub use access::{Addresses, ClientCertificates, Period, RequestLimit, RequestLimits, VerifyClient};

use crate::SecretRef;

/// What a route requires or sets beyond its action.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policies {
    /// Which client addresses are let in.
    pub addresses: Option<Addresses>,
    /// How many requests a client may make.
    pub limits: Option<RequestLimits>,
}

/// What holds for every host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Globals {
    /// Serves where no certificate fits.
    pub default_certificate: Option<SecretRef>,
    /// The value of `Strict-Transport-Security` on HTTPS, if it is sent.
    pub hsts: Option<String>,
    /// Seconds to connect to a backend.
    pub connect_timeout: u32,
    /// Seconds without a byte in either direction until a stream is cut.
    pub idle_timeout: u32,
    /// How often a request is tried in all; 0 has no limit, 1 does not retry.
    pub tries: u32,
    /// Seconds until an idle client connection is closed.
    pub client_idle_timeout: u32,
    /// Seconds until the headers of a request must have come.
    pub client_header_timeout: u32,
    /// Whether request headers with an underscore are kept (else dropped).
    pub underscores_in_headers: bool,
    /// Concurrent streams of one HTTP/2 connection.
    pub http2_streams: u32,
    /// Whom to believe about the client.
    pub forwarded: ForwardedHeaders,
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

use serde::Serialize;

use super::{HeaderModifier, ObjectReference, TargetRef};

/// `ClientTrafficPolicy`: how clients are spoken to. Never merged: the most specific one holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientTrafficPolicySpec {
    /// Gateway or `ListenerSet`, or a listener of one.
    pub target_refs: Vec<TargetRef>,
    /// Where the client's address comes from.
    #[serde(rename = "clientIPDetection", skip_serializing_if = "Option::is_none")]
    pub client_ip_detection: Option<ClientIpDetection>,
    /// PROXY protocol on the listener.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy_protocol: Option<ProxyProtocolSettings>,
    /// Timeouts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<ClientTimeout>,
    /// Path normalisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<ClientPath>,
    /// Headers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headers: Option<HeaderSettings>,
    /// HTTP/1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http1: Option<ClientHttp1>,
    /// HTTP/2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http2: Option<ClientHttp2>,
    /// TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<ClientTls>,
}

/// Exactly one of the methods.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientIpDetection {
    /// From `X-Forwarded-For`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x_forwarded_for: Option<XForwardedForSettings>,
    /// From another header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_header: Option<CustomHeaderSettings>,
}

/// A header that holds the client's address alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CustomHeaderSettings {
    /// Its name.
    pub name: String,
}

/// Whose `X-Forwarded-For` is believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct XForwardedForSettings {
    /// Networks of trusted proxies.
    #[serde(rename = "trustedCIDRs", skip_serializing_if = "Vec::is_empty")]
    pub trusted_cidrs: Vec<String>,
    /// Number of trusted proxies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub num_trusted_hops: Option<u32>,
}

/// PROXY protocol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProxyProtocolSettings {
    /// Whether connections without it are served.
    pub optional: bool,
}

/// Timeouts towards the client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClientTimeout {
    /// Of HTTP.
    pub http: ClientHttpTimeout,
}

/// HTTP timeouts towards the client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientHttpTimeout {
    /// Idle connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_timeout: Option<String>,
    /// Until the headers have come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_headers_received_timeout: Option<String>,
}

/// Path normalisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientPath {
    /// What becomes of `%2F`.
    pub escaped_slashes_action: &'static str,
}

/// Headers from and to the client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HeaderSettings {
    /// What becomes of header names with an underscore.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub with_underscores_action: Option<&'static str>,
    /// The authority.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<HostHeader>,
    /// What becomes of `X-Request-ID`.
    #[serde(rename = "requestID", skip_serializing_if = "Option::is_none")]
    pub request_id: Option<&'static str>,
    /// Request headers before routing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub early_request_headers: Option<HeaderModifier>,
    /// Response headers behind everything else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late_response_headers: Option<HeaderModifier>,
}

/// The authority of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HostHeader {
    /// `example.com.` is `example.com`.
    pub strip_trailing_host_dot: bool,
}

/// HTTP/1 from the client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientHttp1 {
    /// Accept HTTP/1.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http10: Option<EmptyStruct>,
    /// Keep the case of header names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preserve_header_case: Option<bool>,
}

/// `{}`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EmptyStruct {}

/// HTTP/2 from the client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientHttp2 {
    /// Concurrent streams of a connection.
    pub max_concurrent_streams: u32,
}

/// TLS from the client.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientTls {
    /// The lowest version, such as `1.2`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_version: Option<&'static str>,
    /// The highest version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_version: Option<&'static str>,
    /// Protocols in the handshake.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alpn_protocols: Vec<&'static str>,
    /// OpenSSL names of the TLS 1.2 suites.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ciphers: Vec<String>,
    /// Client certificates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_validation: Option<ClientValidation>,
}

/// Client certificates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientValidation {
    /// `RequireAndVerify`, `VerifyIfGiven`, `Request`.
    pub mode: &'static str,
    /// Whom to trust.
    pub ca_certificate_refs: Vec<ObjectReference>,
    /// What they revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crl: Option<CrlContext>,
}

/// Revoked certificates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CrlContext {
    /// Objects with `ca.crl`.
    pub refs: Vec<ObjectReference>,
}

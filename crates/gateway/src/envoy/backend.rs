use serde::Serialize;

use super::ObjectReference;

/// Backend: endpoints that are not a Service, or a Service with TLS settings of its own.
/// Needs `extensionApis.enableBackend`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendSpec {
    /// 1 to 256 endpoints.
    pub endpoints: Vec<BackendEndpoint>,
    /// `gateway.envoyproxy.io/h2c` and the like.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub app_protocols: Vec<&'static str>,
    /// TLS to the endpoints.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<BackendTls>,
}

/// One endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum BackendEndpoint {
    /// By DNS name.
    Fqdn(FqdnEndpoint),
    /// By address.
    Ip(IpEndpoint),
}

/// An address and a port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IpEndpoint {
    /// IPv4 or IPv6.
    pub address: String,
    /// Port.
    pub port: u16,
}

/// A DNS name and a port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FqdnEndpoint {
    /// At least two labels.
    pub hostname: String,
    /// Port.
    pub port: u16,
}

/// TLS to a backend.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendTls {
    /// Do not verify the certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub insecure_skip_verify: Option<bool>,
    /// Whom to trust.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ca_certificate_refs: Vec<ObjectReference>,
    /// Server name in the handshake.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sni: Option<String>,
    /// Client certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_certificate_ref: Option<ObjectReference>,
    /// `1.2` and the like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_version: Option<&'static str>,
    /// `1.3` and the like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_version: Option<&'static str>,
    /// OpenSSL names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ciphers: Vec<String>,
    /// Protocols in the handshake.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alpn_protocols: Vec<&'static str>,
}

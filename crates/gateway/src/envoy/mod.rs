//! The kinds of `gateway.envoyproxy.io/v1alpha1`, with exactly the fields that are written.
//!
//! Written by hand: no current crate has them, and generated ones are many times the size
//! of what is needed. Every field is named after that of Envoy Gateway's API
//! (`api/v1alpha1/*_types.go`, v1.9).

mod backend;
mod client;
mod extension;
mod filter;
mod proxy;
mod security;
mod traffic;

pub use backend::{BackendEndpoint, BackendSpec, BackendTls, FqdnEndpoint, IpEndpoint};
pub use client::{
    ClientHttp1, ClientHttp2, ClientHttpTimeout, ClientIpDetection, ClientPath, ClientTimeout,
    ClientTls, ClientTrafficPolicySpec, ClientValidation, CrlContext, CustomHeaderSettings,
    EmptyStruct, HeaderSettings, HostHeader, ProxyProtocolSettings, XForwardedForSettings,
};
pub use extension::{EnvoyExtensionPolicySpec, Lua};
pub use filter::{
    DirectResponse, HttpHostnameModifier, HttpPathModifier, HttpRouteFilterSpec, HttpUrlRewrite,
    ReplaceRegexMatch, ResponseBody,
};
pub use proxy::{EnvoyProxySpec, FilterPosition};
pub use security::{
    Authorization, AuthorizationRule, BasicAuth, ExtAuth, ExtAuthBackend, HttpExtAuth, Principal,
    SecurityPolicySpec,
};
pub use traffic::{
    BackOffPolicy, BackendTrafficPolicySpec, CircuitBreaker, ClientSelector, Compressor,
    ConsistentHash, CookieHash, HttpTimeout, LoadBalancer, LocalRateLimit, NamedHash,
    PerRetryPolicy, RateLimit, RateLimitRule, RateLimitValue, ResponseOverride,
    ResponseOverrideMatch, ResponseOverrideResponse, Retry, RetryOn, SourceMatch, StatusCodeMatch,
    StatusCodeRange, TcpTimeout, Timeout,
};

use serde::Serialize;

/// Which object a policy holds for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetRef {
    /// API group.
    pub group: &'static str,
    /// Kind.
    pub kind: &'static str,
    /// Name, in the namespace of the policy.
    pub name: String,
    /// A listener of a Gateway, or a rule of a route.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub section_name: Option<String>,
}

impl TargetRef {
    /// A Gateway API object, or a section of it.
    pub fn gateway_api(kind: &'static str, name: &str, section: Option<&str>) -> Self {
        Self {
            group: "gateway.networking.k8s.io",
            kind,
            name: name.to_owned(),
            section_name: section.map(str::to_owned),
        }
    }
}

/// Header names and values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HeaderModifier {
    /// Replace or add.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub set: Vec<HeaderValue>,
    /// Add where there is none; after `set`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub add_if_absent: Vec<HeaderValue>,
    /// Take away.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<String>,
}

/// A header with its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HeaderValue {
    /// Name.
    pub name: String,
    /// Value; may hold Envoy's command operators.
    pub value: String,
}

impl HeaderValue {
    /// `name: value`.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
        }
    }
}

/// A reference to a Secret of the same namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SecretReference {
    /// Its name.
    pub name: String,
}

/// A reference to a Secret or `ConfigMap`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ObjectReference {
    /// API group; empty for core.
    pub group: &'static str,
    /// Kind.
    pub kind: &'static str,
    /// Name.
    pub name: String,
    /// Namespace, when it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

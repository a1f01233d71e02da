use std::collections::BTreeMap;

use serde::Serialize;

use super::{EmptyStruct, HeaderModifier, TargetRef};

/// `BackendTrafficPolicy`: how backends are spoken to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BackendTrafficPolicySpec {
    /// Gateway, route, or rule of a route.
    pub target_refs: Vec<TargetRef>,
    /// Merged over the policy of the Gateway; only for routes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merge_type: Option<&'static str>,
    /// Timeouts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Timeout>,
    /// Retries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// How endpoints are chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_balancer: Option<LoadBalancer>,
    /// Limits of concurrency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub circuit_breaker: Option<CircuitBreaker>,
    /// Limits of requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// Other answers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub response_override: Vec<ResponseOverride>,
    /// Compression of responses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub compressor: Vec<Compressor>,
    /// `Service` or `Endpoint`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routing_type: Option<&'static str>,
}

/// Timeouts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Timeout {
    /// Of TCP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp: Option<TcpTimeout>,
    /// Of HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpTimeout>,
}

/// TCP timeouts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TcpTimeout {
    /// To connect.
    pub connect_timeout: String,
}

/// HTTP timeouts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpTimeout {
    /// Of the whole request; `0s` is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_timeout: Option<String>,
    /// Without a byte in either direction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream_idle_timeout: Option<String>,
}

/// Retries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Retry {
    /// Beyond the first try.
    pub num_retries: u32,
    /// What is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_on: Option<RetryOn>,
    /// Pauses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_retry: Option<PerRetryPolicy>,
}

/// What is tried again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RetryOn {
    /// Kinds of failure.
    pub triggers: Vec<&'static str>,
    /// Status codes, with the trigger `retriable-status-codes`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub http_status_codes: Vec<u16>,
}

/// Each try.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PerRetryPolicy {
    /// Time of one try.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
    /// Pause between tries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub back_off: Option<BackOffPolicy>,
}

/// Pause between tries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BackOffPolicy {
    /// First pause.
    pub base_interval: String,
    /// Longest pause.
    pub max_interval: String,
}

/// How endpoints are chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LoadBalancer {
    /// `RoundRobin` and the like.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// With `ConsistentHash`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consistent_hash: Option<ConsistentHash>,
}

impl LoadBalancer {
    /// One without settings.
    pub const fn plain(kind: &'static str) -> Self {
        Self {
            kind,
            consistent_hash: None,
        }
    }
}

/// What is hashed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConsistentHash {
    /// `SourceIP`, `Headers`, `Cookie` or `QueryParams`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// With `Headers`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<NamedHash>,
    /// With `Cookie`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cookie: Option<CookieHash>,
    /// With `QueryParams`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub query_params: Vec<NamedHash>,
}

/// A header or query parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NamedHash {
    /// Its name.
    pub name: String,
}

/// A cookie.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CookieHash {
    /// Its name.
    pub name: String,
    /// Its lifetime, when it is given out; `0s` ends with the browser.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<String>,
    /// Its other attributes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<&'static str, String>,
}

/// Compression of responses. An entry without the struct of its type is ignored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Compressor {
    /// `Gzip` or `Brotli`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// With `Brotli`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brotli: Option<EmptyStruct>,
    /// With `Gzip`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gzip: Option<EmptyStruct>,
    /// The least length; 30 or more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_content_length: Option<u32>,
}

/// Limits of concurrency for each backend.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CircuitBreaker {
    /// Connections.
    pub max_connections: u32,
    /// Requests that wait for a connection.
    pub max_pending_requests: u32,
    /// Requests in flight.
    pub max_parallel_requests: u32,
}

/// Another answer in place of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ResponseOverride {
    /// Which answers.
    #[serde(rename = "match")]
    pub matches: ResponseOverrideMatch,
    /// `Local` (the proxy's own), `Backend` or `All`.
    pub source: &'static str,
    /// The answer in its place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<ResponseOverrideResponse>,
}

/// Which answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResponseOverrideMatch {
    /// By status.
    pub status_codes: Vec<StatusCodeMatch>,
}

/// A status code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatusCodeMatch {
    /// `Value` or `Range`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<u16>,
    /// The codes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<StatusCodeRange>,
}

impl StatusCodeMatch {
    /// One code.
    pub const fn value(code: u16) -> Self {
        Self {
            kind: "Value",
            value: Some(code),
            range: None,
        }
    }

    /// All codes from `start` to `end`.
    pub const fn range(start: u16, end: u16) -> Self {
        Self {
            kind: "Range",
            value: None,
            range: Some(StatusCodeRange { start, end }),
        }
    }
}

/// Status codes, both ends included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatusCodeRange {
    /// The first.
    pub start: u16,
    /// The last.
    pub end: u16,
}

/// The answer in place of another.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResponseOverrideResponse {
    /// Its status.
    pub status_code: u16,
    /// Headers of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<HeaderModifier>,
}

impl ResponseOverride {
    /// The proxy's own answers of these codes become an answer of `status`.
    pub fn local(codes: Vec<StatusCodeMatch>, status: u16, header: Option<HeaderModifier>) -> Self {
        Self {
            matches: ResponseOverrideMatch {
                status_codes: codes,
            },
            source: "Local",
            response: Some(ResponseOverrideResponse {
                status_code: status,
                header,
            }),
        }
    }
}

/// Limits of requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RateLimit {
    /// Counted by each proxy for itself.
    pub local: LocalRateLimit,
}

/// Limits that each proxy counts for itself, for each match of a rule apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LocalRateLimit {
    /// All of them hold.
    pub rules: Vec<RateLimitRule>,
}

/// A limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RateLimitRule {
    /// Whose requests.
    pub client_selectors: Vec<ClientSelector>,
    /// How many.
    pub limit: RateLimitValue,
    /// `Off` sends no `X-RateLimit-*` headers.
    pub x_rate_limit_headers: &'static str,
}

/// Whose requests are counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClientSelector {
    /// Those of these addresses.
    #[serde(rename = "sourceCIDR")]
    pub source_cidr: SourceMatch,
}

/// A network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SourceMatch {
    /// `Distinct` counts each address of it apart.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The network.
    pub value: String,
    /// All but the network.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub invert: bool,
}

/// A bucket: it holds so many requests, and gains as many in a unit, steadily.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RateLimitValue {
    /// Requests.
    pub requests: u32,
    /// `Second`, `Minute`, `Hour`, `Day`.
    pub unit: &'static str,
}

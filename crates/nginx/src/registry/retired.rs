//! Keys under the controller's prefix that it no longer reads, and some that it never did.

/// A key that an earlier release read.
#[derive(Debug, PartialEq, Eq)]
pub struct RemovedKey {
    /// The key without prefix.
    pub key: &'static str,
    /// The release without it.
    pub since: &'static str,
    /// The key that does the same now, if there is one.
    pub replaced_by: Option<&'static str>,
    /// What it was and what to do.
    pub advice: &'static str,
}

/// A key that no release has read.
#[derive(Debug, PartialEq, Eq)]
pub struct UnknownKey {
    /// The key without prefix.
    pub key: &'static str,
    /// The key that was probably meant.
    pub likely: Option<&'static str>,
    /// What to do.
    pub advice: &'static str,
}

const fn removed(
    key: &'static str,
    since: &'static str,
    replaced_by: Option<&'static str>,
    advice: &'static str,
) -> RemovedKey {
    RemovedKey {
        key,
        since,
        replaced_by,
        advice,
    }
}

const fn unknown(
    key: &'static str,
    likely: Option<&'static str>,
    advice: &'static str,
) -> UnknownKey {
    UnknownKey {
        key,
        likely,
        advice,
    }
}

const WAF: &str = "the Lua firewall is gone; ModSecurity (`enable-modsecurity`) took its place";
const INFLUX: &str = "metrics come from the controller's Prometheus endpoint";
const OPENTRACING: &str = "only OpenTelemetry is left";
const GLOBAL_LIMIT: &str = "the shared limit is gone, so nothing is limited; `limit-rps` and `limit-rpm` count for each controller replica";

/// Keys that earlier releases read.
pub static REMOVED: &[RemovedKey] = &[
    removed(
        "secure-backends",
        "0.21",
        Some("backend-protocol"),
        "write `backend-protocol: HTTPS`",
    ),
    removed(
        "grpc-backend",
        "0.21",
        Some("backend-protocol"),
        "write `backend-protocol: GRPC`, or `GRPCS` where `secure-backends` was set too",
    ),
    removed(
        "add-base-url",
        "0.22",
        None,
        "the application must know its own base URL",
    ),
    removed(
        "base-url-scheme",
        "0.22",
        None,
        "the application must know its own base URL",
    ),
    removed(
        "session-cookie-hash",
        "0.24",
        None,
        "the cookie's content cannot be chosen any more",
    ),
    removed(
        "mirror-uri",
        "0.34",
        Some("mirror-target"),
        "write the whole URL of the shadow to `mirror-target`",
    ),
    removed(
        "secure-verify-ca-secret",
        "0.27",
        Some("proxy-ssl-secret"),
        "write `proxy-ssl-secret: namespace/name` and `proxy-ssl-verify: \"on\"`",
    ),
    removed("lua-resty-waf", "0.27", Some("enable-modsecurity"), WAF),
    removed(
        "lua-resty-waf-allow-unknown-content-types",
        "0.27",
        Some("enable-modsecurity"),
        WAF,
    ),
    removed(
        "lua-resty-waf-debug",
        "0.27",
        Some("enable-modsecurity"),
        WAF,
    ),
    removed(
        "lua-resty-waf-extra-rules",
        "0.27",
        Some("modsecurity-snippet"),
        WAF,
    ),
    removed(
        "lua-resty-waf-ignore-rulesets",
        "0.27",
        Some("modsecurity-snippet"),
        WAF,
    ),
    removed(
        "lua-resty-waf-process-multipart-body",
        "0.27",
        Some("enable-modsecurity"),
        WAF,
    ),
    removed(
        "lua-resty-waf-score-threshold",
        "0.27",
        Some("modsecurity-snippet"),
        WAF,
    ),
    removed("enable-influxdb", "1.7", None, INFLUX),
    removed("influxdb-host", "1.7", None, INFLUX),
    removed("influxdb-measurement", "1.7", None, INFLUX),
    removed("influxdb-port", "1.7", None, INFLUX),
    removed("influxdb-server-name", "1.7", None, INFLUX),
    removed(
        "secure-upstream",
        "1.7",
        Some("backend-protocol"),
        "write `backend-protocol: HTTPS`",
    ),
    removed(
        "enable-opentracing",
        "1.10",
        Some("enable-opentelemetry"),
        OPENTRACING,
    ),
    removed(
        "opentracing-operation-name",
        "1.10",
        Some("opentelemetry-operation-name"),
        OPENTRACING,
    ),
    removed(
        "opentracing-trust-incoming-span",
        "1.10",
        Some("opentelemetry-trust-incoming-span"),
        OPENTRACING,
    ),
    removed("global-rate-limit", "1.12", Some("limit-rps"), GLOBAL_LIMIT),
    removed(
        "global-rate-limit-ignored-cidrs",
        "1.12",
        Some("limit-allowlist"),
        GLOBAL_LIMIT,
    ),
    removed("global-rate-limit-key", "1.12", None, GLOBAL_LIMIT),
    removed("global-rate-limit-window", "1.12", None, GLOBAL_LIMIT),
];

const LIMIT: &str = "nothing is limited now; `limit-rps` counts requests a second, `limit-rpm` requests a minute, for each client address";
const CONFIG_MAP: &str =
    "it is a key of the controller's ConfigMap and cannot be set for one Ingress";
const TRACING: &str =
    "it belonged to OpenTracing and to the controller's ConfigMap, which lost it in v1.10";
const WEBSOCKET: &str =
    "WebSockets work without any annotation; `proxy-read-timeout` bounds how long one may idle";

/// Keys seen under the controller's prefix that no release has read. Spelling mistakes
/// are not listed; they are found by distance.
pub static NEVER_EXISTED: &[UnknownKey] = &[
    unknown("rate-limit", Some("limit-rps"), LIMIT),
    unknown("rate-limit-rps", Some("limit-rps"), LIMIT),
    unknown("rate-limit-rpm", Some("limit-rpm"), LIMIT),
    unknown("rate-limit-window", Some("limit-rpm"), LIMIT),
    unknown("rate-limiting", Some("limit-rps"), LIMIT),
    unknown("requests-per-second", Some("limit-rps"), LIMIT),
    unknown("limit-req", Some("limit-rps"), LIMIT),
    unknown(
        "limit-burst",
        Some("limit-burst-multiplier"),
        "the burst is the rate times `limit-burst-multiplier`",
    ),
    unknown(
        "rate-limit-burst",
        Some("limit-burst-multiplier"),
        "the burst is the rate times `limit-burst-multiplier`",
    ),
    unknown(
        "rate-limit-whitelist",
        Some("limit-allowlist"),
        "addresses that are not limited stand in `limit-allowlist`",
    ),
    unknown(
        "connection-limit",
        Some("limit-connections"),
        "nothing is limited now",
    ),
    unknown(
        "max-connections",
        Some("limit-connections"),
        "nothing is limited now",
    ),
    unknown(
        "proxy-timeout",
        Some("proxy-read-timeout"),
        "there are three: `proxy-connect-timeout`, `proxy-send-timeout` and `proxy-read-timeout`, in seconds",
    ),
    unknown(
        "timeout",
        Some("proxy-read-timeout"),
        "there are three: `proxy-connect-timeout`, `proxy-send-timeout` and `proxy-read-timeout`, in seconds",
    ),
    unknown(
        "upstream-timeout",
        Some("proxy-read-timeout"),
        "there are three: `proxy-connect-timeout`, `proxy-send-timeout` and `proxy-read-timeout`, in seconds",
    ),
    unknown(
        "client-max-body-size",
        Some("proxy-body-size"),
        "the largest body is set by `proxy-body-size`; 1 MiB holds now",
    ),
    unknown(
        "max-body-size",
        Some("proxy-body-size"),
        "the largest body is set by `proxy-body-size`; 1 MiB holds now",
    ),
    unknown(
        "body-size",
        Some("proxy-body-size"),
        "the largest body is set by `proxy-body-size`; 1 MiB holds now",
    ),
    unknown("cors-enabled", Some("enable-cors"), "CORS is off now"),
    unknown("cors-enable", Some("enable-cors"), "CORS is off now"),
    unknown("cors", Some("enable-cors"), "CORS is off now"),
    unknown(
        "cors-allowed-origins",
        Some("cors-allow-origin"),
        "`enable-cors` must be set too",
    ),
    unknown("hsts", None, CONFIG_MAP),
    unknown("hsts-include-subdomains", None, CONFIG_MAP),
    unknown("hsts-max-age", None, CONFIG_MAP),
    unknown("hsts-preload", None, CONFIG_MAP),
    unknown(
        "ssl-protocols",
        None,
        "TLS versions are set by `ssl-protocols` of the controller's ConfigMap, for all hosts",
    ),
    unknown("http-redirect-code", None, CONFIG_MAP),
    unknown("use-forwarded-headers", None, CONFIG_MAP),
    unknown("use-proxy-protocol", None, CONFIG_MAP),
    unknown("use-gzip", None, CONFIG_MAP),
    unknown("use-http2", None, CONFIG_MAP),
    unknown(
        "add-headers",
        Some("custom-headers"),
        "`add-headers` is a key of the controller's ConfigMap; `custom-headers` does it for one Ingress",
    ),
    unknown(
        "proxy-set-headers",
        None,
        "request headers are set by `proxy-set-headers` of the controller's ConfigMap, for all backends",
    ),
    unknown(
        "proxy-set-header",
        None,
        "request headers are set by `proxy-set-headers` of the controller's ConfigMap, for all backends",
    ),
    unknown(
        "response-headers",
        Some("custom-headers"),
        "response headers are set by `custom-headers`, from a ConfigMap",
    ),
    unknown(
        "tcp-services-configmap",
        None,
        "it is a flag of the controller; TCP services are not part of an Ingress",
    ),
    unknown(
        "udp-services-configmap",
        None,
        "it is a flag of the controller; UDP services are not part of an Ingress",
    ),
    unknown("upstream-keepalive-connections", None, CONFIG_MAP),
    unknown("upstream-keepalive-requests", None, CONFIG_MAP),
    unknown("upstream-keepalive-timeout", None, CONFIG_MAP),
    unknown("keep-alive", None, CONFIG_MAP),
    unknown("websocket-services", None, WEBSOCKET),
    unknown("websocket", None, WEBSOCKET),
    unknown("enable-websocket", None, WEBSOCKET),
    unknown("proxy-websocket", None, WEBSOCKET),
    unknown(
        "whitelist-methods",
        None,
        "methods cannot be limited by an annotation; every method is served now",
    ),
    unknown(
        "allowed-methods",
        None,
        "methods cannot be limited by an annotation; every method is served now",
    ),
    unknown(
        "priority",
        None,
        "the order of paths follows from their length and type, and between Ingresses from their age",
    ),
    unknown(
        "session-cookie-partitioned",
        None,
        "it comes from a change that was never merged",
    ),
    unknown(
        "session-affinity",
        Some("affinity"),
        "sticky sessions are off now; write `affinity: cookie`",
    ),
    unknown(
        "sticky-sessions",
        Some("affinity"),
        "sticky sessions are off now; write `affinity: cookie`",
    ),
    unknown(
        "mirror-target-service",
        Some("mirror-target"),
        "`mirror-target` takes a URL",
    ),
    unknown(
        "allow-list",
        Some("allowlist-source-range"),
        "everybody is let in now",
    ),
    unknown(
        "whitelist",
        Some("whitelist-source-range"),
        "everybody is let in now",
    ),
    unknown(
        "ip-whitelist",
        Some("whitelist-source-range"),
        "everybody is let in now",
    ),
    unknown(
        "blacklist-source-range",
        Some("denylist-source-range"),
        "nobody is kept out now",
    ),
    unknown(
        "redirect",
        Some("permanent-redirect"),
        "there are `permanent-redirect` (301) and `temporal-redirect` (302)",
    ),
    unknown(
        "temporary-redirect",
        Some("temporal-redirect"),
        "the key is spelt `temporal-redirect`",
    ),
    unknown(
        "redirect-to-https",
        Some("ssl-redirect"),
        "`force-ssl-redirect` does it also without `spec.tls`",
    ),
    unknown(
        "force-https",
        Some("force-ssl-redirect"),
        "`ssl-redirect` does it where the host has `spec.tls`",
    ),
    unknown(
        "rewrite",
        Some("rewrite-target"),
        "nothing is rewritten now",
    ),
    unknown(
        "strip-prefix",
        Some("rewrite-target"),
        "path `/x(/|$)(.*)` with `rewrite-target: /$2` takes `/x` away",
    ),
    unknown(
        "ingress.class",
        None,
        "the annotation that chooses a controller is `kubernetes.io/ingress.class`; better is `spec.ingressClassName`",
    ),
    unknown("jaeger-collector-host", None, TRACING),
    unknown("jaeger-collector-port", None, TRACING),
    unknown("jaeger-propagation-format", None, TRACING),
    unknown("jaeger-sampler-param", None, TRACING),
    unknown("jaeger-sampler-type", None, TRACING),
    unknown("jaeger-service-name", None, TRACING),
    unknown("zipkin-collector-host", None, TRACING),
    unknown("zipkin-collector-port", None, TRACING),
    unknown("zipkin-service-name", None, TRACING),
];

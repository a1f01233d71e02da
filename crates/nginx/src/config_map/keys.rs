//! The table of keys.

use super::{Concern, Setting};
use crate::registry::Risk;

/// What is known about a key of the `ConfigMap`.
#[derive(Debug)]
pub struct ConfigKey {
    /// The key.
    pub key: &'static str,
    /// The default as it would be written; empty when there is none.
    pub default: &'static str,
    /// What a value must be.
    pub kind: &'static str,
    /// What it is about.
    pub concern: Concern,
    /// What it does.
    pub summary: &'static str,
}

macro_rules! config {
    ($($field:ident: $type:ty = $key:literal, $default:literal, $concern:ident, $summary:literal;)*) => {
        /// The controller's settings, defaults filled in.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Config {
            $(#[doc = concat!("`", $key, "`: ", $summary)] pub $field: $type,)*
        }

        /// The keys that change what an Ingress does.
        pub static CONFIG_KEYS: &[ConfigKey] = &[
            $(ConfigKey {
                key: $key,
                default: $default,
                kind: <$type as Setting>::KIND,
                concern: Concern::$concern,
                summary: $summary,
            },)*
        ];

        impl Default for Config {
            fn default() -> Self {
                // Every default is read by its own type; a test asserts that it can be.
                Self { $($field: <$type as Setting>::read($default).unwrap_or_default(),)* }
            }
        }

        impl Config {
            /// Sets one key; says which it was and whether its value could be read.
            pub(super) fn set(&mut self, key: &str, value: &str) -> Option<(&'static ConfigKey, bool)> {
                let good = match key {
                    $($key => match <$type as Setting>::read(value).filter(|value| accepts(key, value)) {
                        Some(value) => {
                            self.$field = value;
                            true
                        }
                        None => false,
                    },)*
                    _ => return None,
                };
                CONFIG_KEYS.iter().find(|known| known.key == key).map(|known| (known, good))
            }
        }
    };
}

/// What a key asks of a value beyond its type.
fn accepts<T: std::any::Any>(key: &str, value: &T) -> bool {
    match (key, (value as &dyn std::any::Any).downcast_ref::<u16>()) {
        ("http-redirect-code", Some(code)) => matches!(code, 301 | 302 | 307 | 308),
        ("limit-req-status-code" | "limit-conn-status-code", Some(code)) => *code >= 400,
        _ => true,
    }
}

config! {
    allow_snippet_annotations: bool = "allow-snippet-annotations", "false", Intake, "whether the text of snippet annotations is used";
    annotations_risk_level: Option<Risk> = "annotations-risk-level", "", Intake, "the highest risk of annotations; an Ingress with a riskier one is dropped (`High`; `Critical` before v1.12)";
    allow_cross_namespace_resources: bool = "allow-cross-namespace-resources", "false", Intake, "whether annotations may name Secrets and ConfigMaps of other namespaces";
    annotation_value_word_blocklist: Vec<String> = "annotation-value-word-blocklist", "", Intake, "words that make an Ingress be ignored when an annotation value holds them";
    strict_validate_path_type: bool = "strict-validate-path-type", "true", Intake, "whether the webhook refuses patterns in Exact and Prefix paths";

    ssl_redirect: bool = "ssl-redirect", "true", Default, "redirect to HTTPS where the host has a certificate";
    force_ssl_redirect: bool = "force-ssl-redirect", "false", Default, "redirect to HTTPS everywhere";
    preserve_trailing_slash: bool = "preserve-trailing-slash", "false", Default, "keep the last slash in redirects to HTTPS";
    http_redirect_code: u16 = "http-redirect-code", "308", Redirects, "status of redirects to HTTPS and between names: 301, 302, 307 or 308";
    no_tls_redirect_locations: Vec<String> = "no-tls-redirect-locations", "/.well-known/acme-challenge", Redirects, "paths that are not redirected to HTTPS";
    relative_redirects: bool = "relative-redirects", "false", Default, "redirects of nginx name no host";
    use_port_in_redirects: bool = "use-port-in-redirects", "false", Default, "redirects of nginx name its port";

    no_auth_locations: Vec<String> = "no-auth-locations", "/.well-known/acme-challenge", Access, "paths that need no authentication";
    whitelist_source_range: Vec<String> = "whitelist-source-range", "", Access, "the only addresses that are let in, where an Ingress has no list of its own";
    denylist_source_range: Vec<String> = "denylist-source-range", "", Access, "addresses that are kept out, where an Ingress has no list of its own";
    block_cidrs: Vec<String> = "block-cidrs", "", Access, "addresses that are kept out everywhere";
    block_user_agents: Vec<String> = "block-user-agents", "", Access, "user agents that are kept out everywhere";
    block_referers: Vec<String> = "block-referers", "", Access, "referers that are kept out everywhere";
    global_auth_url: String = "global-auth-url", "", Access, "the auth service of every path without one of its own";
    global_auth_method: String = "global-auth-method", "", Access, "the method with which it is asked";
    global_auth_signin: String = "global-auth-signin", "", Access, "its sign-in page";
    global_auth_signin_redirect_param: String = "global-auth-signin-redirect-param", "", Access, "the parameter in which the sign-in page gets the way back";
    global_auth_response_headers: Vec<String> = "global-auth-response-headers", "", Access, "headers of its answer that the backend gets";
    global_auth_request_redirect: String = "global-auth-request-redirect", "", Access, "what it gets as `X-Auth-Request-Redirect`";
    global_auth_snippet: String = "global-auth-snippet", "", Snippet, "nginx configuration for asking it";
    global_auth_cache_key: String = "global-auth-cache-key", "", Access, "the key under which its answers are cached";
    global_auth_cache_duration: Vec<String> = "global-auth-cache-duration", "200 202 401 5m", Access, "how long its answers are cached";
    global_auth_always_set_cookie: bool = "global-auth-always-set-cookie", "false", Access, "pass its cookies with any status";

    custom_http_errors: Vec<u16> = "custom-http-errors", "", Default, "status codes of backends that the default backend answers instead";
    disable_proxy_intercept_errors: bool = "disable-proxy-intercept-errors", "false", Default, "leave errors of backends alone";

    hsts: bool = "hsts", "true", Headers, "send `Strict-Transport-Security` over HTTPS";
    hsts_max_age: i64 = "hsts-max-age", "31536000", Headers, "its `max-age`";
    hsts_include_subdomains: bool = "hsts-include-subdomains", "true", Headers, "its `includeSubDomains`";
    hsts_preload: bool = "hsts-preload", "false", Headers, "its `preload`";
    add_headers: String = "add-headers", "", Headers, "ConfigMap `namespace/name` of response headers for everything";
    proxy_set_headers: String = "proxy-set-headers", "", Headers, "ConfigMap `namespace/name` of request headers for all backends";
    global_allowed_response_headers: Vec<String> = "global-allowed-response-headers", "", Headers, "header names that `custom-headers` may set";
    hide_headers: Vec<String> = "hide-headers", "", Headers, "response headers of backends that clients do not get";
    allow_backend_server_header: bool = "allow-backend-server-header", "false", Headers, "pass the backend's `Server` header";
    server_tokens: bool = "server-tokens", "false", Headers, "send nginx's version in `Server`";
    enable_underscores_in_headers: bool = "enable-underscores-in-headers", "false", Headers, "let header names with underscores through";
    ignore_invalid_headers: bool = "ignore-invalid-headers", "true", Headers, "drop headers with invalid names";
    generate_request_id: bool = "generate-request-id", "true", Headers, "make an `X-Request-ID` when the client sends none";
    proxy_add_original_uri_header: bool = "proxy-add-original-uri-header", "false", Headers, "send `X-Original-URI` to backends";

    use_forwarded_headers: bool = "use-forwarded-headers", "false", Client, "believe `X-Forwarded-*` of clients";
    compute_full_forwarded_for: bool = "compute-full-forwarded-for", "false", Client, "append to `X-Forwarded-For` instead of replacing it";
    forwarded_for_header: String = "forwarded-for-header", "X-Forwarded-For", Client, "the header that names the client";
    forwarded_host_header: String = "forwarded-host-header", "X-Forwarded-Host", Client, "the header that names the host";
    forwarded_for_proxy_protocol_header: String = "forwarded-for-proxy-protocol-header", "X-Forwarded-For-Proxy-Protocol", Client, "the header that names the client behind the proxy protocol";
    proxy_real_ip_cidr: Vec<String> = "proxy-real-ip-cidr", "0.0.0.0/0", Client, "whose forwarded headers are believed";
    enable_real_ip: bool = "enable-real-ip", "false", Client, "take the client's address from the header";
    use_proxy_protocol: bool = "use-proxy-protocol", "false", Client, "expect the proxy protocol from clients";

    proxy_connect_timeout: i64 = "proxy-connect-timeout", "5", Default, "seconds to connect to a backend";
    proxy_send_timeout: i64 = "proxy-send-timeout", "60", Default, "seconds between two writes to a backend";
    proxy_read_timeout: i64 = "proxy-read-timeout", "60", Default, "seconds between two reads from a backend";
    proxy_next_upstream: String = "proxy-next-upstream", "error timeout", Default, "when another endpoint is tried";
    proxy_next_upstream_timeout: i64 = "proxy-next-upstream-timeout", "0", Default, "seconds for all tries";
    proxy_next_upstream_tries: i64 = "proxy-next-upstream-tries", "3", Default, "number of tries";
    retry_non_idempotent: bool = "retry-non-idempotent", "false", Backend, "repeat POST, LOCK and PATCH too";
    proxy_body_size: String = "proxy-body-size", "1m", Default, "largest request body";
    client_body_buffer_size: String = "client-body-buffer-size", "8k", Default, "how much of a body is kept in memory";
    client_header_buffer_size: String = "client-header-buffer-size", "1k", Listener, "buffer for request headers";
    large_client_header_buffers: String = "large-client-header-buffers", "4 8k", Listener, "buffers for large request headers";
    client_header_timeout: i64 = "client-header-timeout", "60", Listener, "seconds to send the request headers";
    client_body_timeout: i64 = "client-body-timeout", "60", Listener, "seconds between two reads of a request body";
    proxy_buffering: String = "proxy-buffering", "off", Default, "collect responses before they are sent";
    proxy_request_buffering: String = "proxy-request-buffering", "on", Default, "collect requests before they are sent";
    proxy_buffer_size: String = "proxy-buffer-size", "4k", Default, "buffer for response headers";
    proxy_buffers_number: i64 = "proxy-buffers-number", "4", Default, "number of response buffers";
    proxy_busy_buffers_size: String = "proxy-busy-buffers-size", "", Default, "how much of a response may be on its way";
    proxy_max_temp_file_size: String = "proxy-max-temp-file-size", "1024m", Default, "how much of a response may go to disk";
    proxy_http_version: String = "proxy-http-version", "1.1", Default, "HTTP version to backends";
    proxy_cookie_domain: String = "proxy-cookie-domain", "off", Default, "replacement in cookie domains";
    proxy_cookie_path: String = "proxy-cookie-path", "off", Default, "replacement in cookie paths";
    proxy_redirect_from: String = "proxy-redirect-from", "off", Default, "what is replaced in redirects of backends";
    proxy_redirect_to: String = "proxy-redirect-to", "off", Default, "what replaces it";
    limit_req_status_code: u16 = "limit-req-status-code", "503", Default, "status of requests over the rate";
    limit_conn_status_code: u16 = "limit-conn-status-code", "503", Default, "status of requests over the number of connections";
    limit_rate: i64 = "limit-rate", "0", Default, "bandwidth of a response";
    limit_rate_after: i64 = "limit-rate-after", "0", Default, "bytes that are not limited";
    limit_conn_zone_variable: String = "limit-conn-zone-variable", "$binary_remote_addr", Backend, "what limits are counted by";
    load_balance: String = "load-balance", "", Default, "balancing algorithm";
    service_upstream: bool = "service-upstream", "false", Default, "send to the address of the Service";
    upstream_keepalive_connections: i64 = "upstream-keepalive-connections", "320", Backend, "idle connections kept to backends";
    upstream_keepalive_time: String = "upstream-keepalive-time", "1h", Backend, "how long one is used";
    upstream_keepalive_timeout: i64 = "upstream-keepalive-timeout", "60", Backend, "seconds an idle one is kept";
    upstream_keepalive_requests: i64 = "upstream-keepalive-requests", "10000", Backend, "requests on one of them";
    keep_alive: i64 = "keep-alive", "75", Listener, "seconds an idle connection of a client is kept";
    keep_alive_requests: i64 = "keep-alive-requests", "1000", Listener, "requests on one connection";
    use_http2: bool = "use-http2", "true", Listener, "offer HTTP/2";
    http2_max_concurrent_streams: i64 = "http2-max-concurrent-streams", "128", Listener, "streams on one connection";
    use_gzip: bool = "use-gzip", "false", Listener, "compress responses with gzip";
    gzip_level: i64 = "gzip-level", "1", Listener, "how hard";
    gzip_min_length: i64 = "gzip-min-length", "256", Listener, "from how many bytes on";
    gzip_types: String = "gzip-types", "application/atom+xml application/javascript application/x-javascript application/json application/rss+xml application/vnd.ms-fontobject application/x-font-ttf application/x-web-app-manifest+json application/xhtml+xml application/xml font/opentype image/svg+xml image/x-icon text/css text/javascript text/plain text/x-component", Listener, "which types";
    enable_brotli: bool = "enable-brotli", "false", Listener, "compress responses with brotli";
    default_type: String = "default-type", "text/html", Listener, "type of responses of nginx itself";
    grpc_buffer_size_kb: i64 = "grpc-buffer-size-kb", "0", Backend, "buffer for gRPC";
    worker_shutdown_timeout: String = "worker-shutdown-timeout", "240s", Listener, "how long old connections are served";

    ssl_protocols: String = "ssl-protocols", "TLSv1.2 TLSv1.3", Tls, "TLS versions";
    ssl_ciphers: String = "ssl-ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384", Tls, "ciphers up to TLS 1.2";
    ssl_ecdh_curve: String = "ssl-ecdh-curve", "auto", Tls, "curves";
    ssl_session_tickets: bool = "ssl-session-tickets", "false", Tls, "session tickets";
    ssl_reject_handshake: bool = "ssl-reject-handshake", "false", Tls, "refuse TLS for names without a certificate";
    enable_ocsp: bool = "enable-ocsp", "false", Tls, "staple OCSP answers";
    proxy_ssl_location_only: bool = "proxy-ssl-location-only", "false", Tls, "keep `proxy-ssl-*` to the paths of the Ingress";

    enable_modsecurity: bool = "enable-modsecurity", "false", Default, "the web application firewall for everything";
    enable_owasp_modsecurity_crs: bool = "enable-owasp-modsecurity-crs", "false", Default, "its OWASP rules";
    modsecurity_snippet: String = "modsecurity-snippet", "", Snippet, "its rules";
    enable_opentelemetry: bool = "enable-opentelemetry", "false", Default, "traces";
    opentelemetry_trust_incoming_span: bool = "opentelemetry-trust-incoming-span", "true", Default, "continue traces of clients";
    opentelemetry_operation_name: String = "opentelemetry-operation-name", "", Default, "name of the span";
    otlp_collector_host: String = "otlp-collector-host", "", Observability, "where traces go";
    otlp_collector_port: String = "otlp-collector-port", "4317", Observability, "its port";
    otel_service_name: String = "otel-service-name", "nginx", Observability, "name of the service in traces";
    otel_sampler: String = "otel-sampler", "AlwaysOn", Observability, "which requests are traced";
    otel_sampler_ratio: String = "otel-sampler-ratio", "0.01", Observability, "what part of them";
    otel_sampler_parent_based: bool = "otel-sampler-parent-based", "true", Observability, "follow the client's decision";
    disable_access_log: bool = "disable-access-log", "false", Default, "no access log";

    main_snippet: String = "main-snippet", "", Snippet, "nginx configuration at the top";
    http_snippet: String = "http-snippet", "", Snippet, "nginx configuration for HTTP";
    server_snippet: String = "server-snippet", "", Snippet, "nginx configuration of every server";
    location_snippet: String = "location-snippet", "", Snippet, "nginx configuration of every location";
    stream_snippet: String = "stream-snippet", "", Snippet, "nginx configuration for streams";
}

/// Keys that the controller reads and that do not change what an Ingress does, sorted.
pub static INERT_KEYS: &[&str] = &[
    "access-log-params",
    "access-log-path",
    "bind-address",
    "brotli-level",
    "brotli-min-length",
    "brotli-types",
    "debug-connections",
    "disable-http-access-log",
    "disable-ipv6",
    "disable-ipv6-dns",
    "disable-stream-access-log",
    "enable-access-log-for-default-backend",
    "enable-aio-write",
    "enable-auth-access-log",
    "enable-multi-accept",
    "enable-syslog",
    "error-log-level",
    "error-log-path",
    "geoip2-autoreload-in-minutes",
    "gzip-disable",
    "http-access-log-path",
    "http2-push-preload",
    "log-format-escape-json",
    "log-format-escape-none",
    "log-format-stream",
    "log-format-upstream",
    "lua-shared-dicts",
    "map-hash-bucket-size",
    "max-worker-connections",
    "max-worker-open-files",
    "nginx-status-ipv4-whitelist",
    "nginx-status-ipv6-whitelist",
    "opentelemetry-config",
    "otel-max-export-batch-size",
    "otel-max-queuesize",
    "otel-schedule-delay-millis",
    "proxy-headers-hash-bucket-size",
    "proxy-headers-hash-max-size",
    "proxy-protocol-header-timeout",
    "proxy-stream-next-upstream",
    "proxy-stream-next-upstream-timeout",
    "proxy-stream-next-upstream-tries",
    "proxy-stream-responses",
    "proxy-stream-timeout",
    "reuse-port",
    "server-name-hash-bucket-size",
    "server-name-hash-max-size",
    "skip-access-log-urls",
    "ssl-buffer-size",
    "ssl-dh-param",
    "ssl-early-data",
    "ssl-session-cache",
    "ssl-session-cache-size",
    "ssl-session-ticket-key",
    "ssl-session-timeout",
    "stream-access-log-path",
    "syslog-host",
    "syslog-port",
    "use-geoip2",
    "variables-hash-bucket-size",
    "variables-hash-max-size",
    "worker-cpu-affinity",
    "worker-processes",
    "worker-serial-reloads",
];

/// Keys that earlier releases read, and the release that removed them.
pub static REMOVED_CONFIG_KEYS: &[(&str, &str)] = &[
    ("datadog-collector-host", "1.10"),
    ("enable-dynamic-tls-records", "0.31"),
    ("enable-influxdb", "1.7"),
    ("enable-opentracing", "1.10"),
    ("global-rate-limit-memcached-host", "1.12"),
    ("global-rate-limit-memcached-port", "1.12"),
    ("global-rate-limit-status-code", "1.12"),
    ("jaeger-collector-host", "1.10"),
    ("jaeger-collector-port", "1.10"),
    ("opentracing-location-operation-name", "1.10"),
    ("opentracing-operation-name", "1.10"),
    ("opentracing-trust-incoming-span", "1.10"),
    ("plugins", "1.12"),
    ("use-geoip", "1.11"),
    ("zipkin-collector-host", "1.10"),
    ("zipkin-collector-port", "1.10"),
];

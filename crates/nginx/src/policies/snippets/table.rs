//! What directives do, as far as leaving them out is concerned.
//!
//! The names are those of nginx's modules and of the third-party ones in the controller's image.

/// What leaving a directive out means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loss {
    /// Nothing that could be observed behind another proxy.
    Nothing(&'static str),
    /// The configuration does not load with it: the controller writes it there already.
    Duplicate,
    /// Nothing: the controller sets it again in every location.
    Overridden,
    /// Something is gone that lets nobody in.
    Harmless,
    /// It may be what keeps somebody out.
    Protection,
}

const BUFFERS: &str = "Envoy streams with flow control, so there are no buffers to size";
const LOGS: &str = "logs are set on the Gateway";

/// What the controller's template (`rootfs/etc/nginx/template/nginx.tmpl`) writes into each
/// location; a second time nginx calls it a duplicate.
const IN_LOCATIONS: &[&str] = &[
    "client_max_body_size",
    "port_in_redirect",
    "proxy_buffer_size",
    "proxy_buffering",
    "proxy_buffers",
    "proxy_connect_timeout",
    "proxy_cookie_domain",
    "proxy_cookie_path",
    "proxy_http_version",
    "proxy_max_temp_file_size",
    "proxy_next_upstream",
    "proxy_next_upstream_timeout",
    "proxy_next_upstream_tries",
    "proxy_pass",
    "proxy_read_timeout",
    "proxy_redirect",
    "proxy_request_buffering",
    "proxy_send_timeout",
];

const HARMLESS: &[&str] = &[
    "absolute_redirect",
    "add_after_body",
    "add_before_body",
    "add_trailer",
    "addition_types",
    "brotli",
    "brotli_comp_level",
    "brotli_types",
    "charset",
    "charset_types",
    "client_body_timeout",
    "client_header_timeout",
    "error_page",
    "etag",
    "expires",
    "gunzip",
    "gzip",
    "gzip_buffers",
    "gzip_http_version",
    "gzip_static",
    "gzip_vary",
    "http2_push",
    "http2_push_preload",
    "if_modified_since",
    "limit_rate",
    "limit_rate_after",
    "mirror",
    "mirror_request_body",
    "override_charset",
    "proxy_cookie_flags",
    "proxy_ignore_client_abort",
    "proxy_ignore_headers",
    "proxy_intercept_errors",
    "proxy_no_cache",
    "proxy_pass_header",
    "proxy_ssl_certificate",
    "proxy_ssl_certificate_key",
    "proxy_ssl_ciphers",
    "proxy_ssl_crl",
    "proxy_ssl_name",
    "proxy_ssl_password_file",
    "proxy_ssl_protocols",
    "proxy_ssl_server_name",
    "proxy_ssl_trusted_certificate",
    "proxy_ssl_verify_depth",
    "send_timeout",
    "ssi",
    "ssi_silent_errors",
    "ssi_types",
    "sub_filter",
    "sub_filter_last_modified",
    "sub_filter_once",
    "sub_filter_types",
    "underscores_in_headers",
];

pub(super) fn loss(name: &str, words: &[&str], location: bool) -> Loss {
    if IN_LOCATIONS.contains(&name) {
        return if location {
            Loss::Duplicate
        } else if name == "proxy_pass" {
            Loss::Protection
        } else {
            Loss::Overridden
        };
    }
    match name {
        "client_body_buffer_size"
        | "client_body_in_file_only"
        | "client_body_temp_path"
        | "client_header_buffer_size"
        | "connection_pool_size"
        | "directio"
        | "grpc_buffer_size"
        | "large_client_header_buffers"
        | "output_buffers"
        | "postpone_output"
        | "proxy_busy_buffers_size"
        | "proxy_temp_file_write_size"
        | "proxy_temp_path"
        | "request_pool_size"
        | "sendfile"
        | "tcp_nodelay"
        | "tcp_nopush" => Loss::Nothing(BUFFERS),
        "access_log" | "error_log" | "log_not_found" | "log_subrequest" | "rewrite_log" => {
            Loss::Nothing(LOGS)
        }
        "server_tokens" => Loss::Nothing("Envoy sends no version"),
        "chunked_transfer_encoding" => Loss::Nothing("Envoy frames bodies by itself"),
        "proxy_ssl_session_reuse"
        | "ssl_session_cache"
        | "ssl_session_tickets"
        | "ssl_session_timeout"
        | "ssl_buffer_size" => Loss::Nothing("Envoy keeps sessions by itself"),
        "proxy_socket_keepalive"
        | "keepalive_timeout"
        | "keepalive_requests"
        | "keepalive_disable"
        | "keepalive_time"
        | "reset_timedout_connection" => {
            Loss::Nothing("Envoy keeps connections open by rules of its own")
        }
        "proxy_ssl_verify" if words == ["off"] => {
            Loss::Nothing("certificates of backends are not verified unless it is asked for")
        }
        "resolver" | "resolver_timeout" => Loss::Nothing("Envoy resolves names by itself"),
        "types" | "types_hash_max_size" | "types_hash_bucket_size" => {
            Loss::Nothing("backends name their types themselves")
        }
        // They say how a limit answers; a limit that is not carried over is told by itself.
        "limit_req_status"
        | "limit_req_log_level"
        | "limit_conn_status"
        | "limit_conn_log_level" => Loss::Nothing("the limit itself is told"),
        "auth_request_set" => Loss::Nothing("where the variable is used, that is told"),
        "map_hash_max_size"
        | "map_hash_bucket_size"
        | "proxy_headers_hash_max_size"
        | "proxy_headers_hash_bucket_size"
        | "server_names_hash_max_size"
        | "server_names_hash_bucket_size"
        | "variables_hash_max_size"
        | "variables_hash_bucket_size" => Loss::Nothing("Envoy has no such tables"),
        "default_type" => Loss::Nothing("backends name their types themselves"),
        _ if HARMLESS.contains(&name) || name.starts_with("proxy_cache") => Loss::Harmless,
        // Without it the check stays on.
        "auth_request" | "auth_basic" if words == ["off"] => Loss::Harmless,
        // They define what others use, and those are refused by themselves; a server is a host
        // that is not served at all.
        "geo" | "geoip_city" | "geoip_country" | "limit_conn_zone" | "limit_req_zone"
        | "log_format" | "lua_shared_dict" | "map" | "server" | "split_clients" | "upstream" => {
            Loss::Harmless
        }
        // These would only delay or repeat; none of them answers in place of a backend.
        _ if name.starts_with("opentelemetry") || name.starts_with("opentracing") => Loss::Harmless,
        _ => Loss::Protection,
    }
}

/// The annotation that says what a directive of [`IN_LOCATIONS`] says.
pub(super) fn annotation(name: &str) -> String {
    match name {
        "client_max_body_size" => "proxy-body-size".to_owned(),
        "port_in_redirect" => "use-port-in-redirects".to_owned(),
        "proxy_buffers" => "proxy-buffers-number".to_owned(),
        "proxy_max_temp_file_size" => "proxy-max-temp-file-size".to_owned(),
        "proxy_pass" => "default-backend".to_owned(),
        "proxy_redirect" => "proxy-redirect-from".to_owned(),
        _ => name.replace('_', "-"),
    }
}

/// What a person can do about a directive.
pub(super) fn help(name: &str) -> &'static str {
    match name {
        "limit_req" | "limit_req_status" | "limit_req_dry_run" => {
            "write `limit-rps` or `limit-rpm` in its place, or a `rateLimit` of a BackendTrafficPolicy"
        }
        "limit_conn" | "limit_conn_status" => "write `limit-connections` in its place",
        "auth_basic" | "auth_basic_user_file" => {
            "write `auth-type: basic` with `auth-secret` in its place"
        }
        "auth_request" => "write `auth-url` and `auth-response-headers` in its place",
        "satisfy" => "write `satisfy` as an annotation",
        "allow" | "deny" => {
            "write `whitelist-source-range` or `denylist-source-range` in its place"
        }
        "proxy_pass" | "alias" | "root" | "try_files" | "index" | "fastcgi_pass" | "grpc_pass"
        | "uwsgi_pass" | "internal" => {
            "give the path a rule of the Ingress with a Service of its own"
        }
        "proxy_ssl_verify"
        | "proxy_ssl_trusted_certificate"
        | "proxy_ssl_certificate"
        | "proxy_ssl_certificate_key"
        | "proxy_ssl_verify_depth"
        | "proxy_ssl_name"
        | "proxy_ssl_server_name" => "write the `proxy-ssl-*` annotations in its place",
        "gzip" | "gzip_types" | "gzip_min_length" | "gzip_comp_level" | "brotli"
        | "brotli_types" => "add `compressor` to a BackendTrafficPolicy",
        "sub_filter" | "sub_filter_once" | "sub_filter_types" => "let the application write it",
        "error_page" | "proxy_intercept_errors" => "write `custom-http-errors` in its place",
        "set_real_ip_from" | "real_ip_header" | "real_ip_recursive" => {
            "set `use-forwarded-headers` and `proxy-real-ip-cidr` in the controller's ConfigMap"
        }
        name if name.contains("_by_lua") => {
            "move the logic into the application, or write it as Lua in an EnvoyExtensionPolicy"
        }
        name if name.starts_with("modsecurity") => {
            "run a firewall as an extension of Envoy, such as Coraza"
        }
        _ => "set in the output by hand what it does, then remove it",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_protects() {
        for name in [
            "limit_req",
            "auth_basic",
            "satisfy",
            "access_by_lua_block",
            "whatever",
            "internal",
        ] {
            assert_eq!(loss(name, &[], true), Loss::Protection, "{name}");
        }
        assert_eq!(loss("gzip", &["on"], true), Loss::Harmless);
        assert_eq!(loss("proxy_read_timeout", &["1s"], true), Loss::Duplicate);
        assert_eq!(loss("proxy_read_timeout", &["1s"], false), Loss::Overridden);
        assert_eq!(loss("proxy_pass", &["http://x"], false), Loss::Protection);
        assert!(matches!(
            loss("proxy_ssl_verify", &["off"], true),
            Loss::Nothing(_)
        ));
        assert_eq!(loss("proxy_ssl_verify", &["on"], true), Loss::Protection);
    }
}

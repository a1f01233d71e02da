//! Timeouts, retries, sizes and buffers on the way to a backend.
//!
//! The `proxy` and `buffering` annotations of ingress-nginx, and what the controller's
//! `ConfigMap` says in their place.

use gatewright_diagnostics::{Code, Diagnostic};
use gatewright_model::{BodyLimit, Compression, Retry};
use gatewright_source::Spanned;

use super::{PolicyInput, PolicyOutput};
use crate::annotations::proxy::{HttpVersion, Proxy};
use crate::config_map::Config;

/// The keys of the family.
pub(crate) const KEYS: &[&str] = &[
    "proxy-connect-timeout",
    "proxy-read-timeout",
    "proxy-send-timeout",
    "proxy-next-upstream",
    "proxy-next-upstream-timeout",
    "proxy-next-upstream-tries",
    "proxy-body-size",
    "proxy-buffering",
    "proxy-request-buffering",
    "proxy-http-version",
    "connection-proxy-header",
];

/// The default of `proxy-read-timeout`.
const DEFAULT_TIMEOUT: i64 = 60;
/// The default of `proxy-body-size`.
const DEFAULT_BODY_SIZE: &str = "1m";
/// How many codes of HTTP nginx knows in `proxy_next_upstream`, with their words.
const STATUSES: [(&str, u16); 7] = [
    ("http_500", 500),
    ("http_502", 502),
    ("http_503", 503),
    ("http_504", 504),
    ("http_403", 403),
    ("http_404", 404),
    ("http_429", 429),
];

pub(crate) fn seconds(n: i64) -> u32 {
    u32::try_from(n.max(0)).unwrap_or(u32::MAX)
}

/// One timer for both directions: that of reading, which ends what takes too long and what
/// is silent, unless only that of writing was made longer.
pub(crate) fn idle_timeout(proxy: &Proxy, config: &Config) -> u32 {
    let (read, send) = (proxy.read_timeout(config), proxy.send_timeout(config));
    seconds(if read == DEFAULT_TIMEOUT {
        read.max(send)
    } else {
        read
    })
}

/// What is tried again.
pub(crate) fn retry(proxy: &Proxy, config: &Config) -> Retry {
    let words = proxy.next_upstream(config);
    let has = |word: &str| words.contains(&word);
    let off = has("off");
    Retry {
        tries: if off {
            1
        } else {
            seconds(proxy.next_upstream_tries(config))
        },
        connection: !off && (has("error") || has("timeout")),
        statuses: STATUSES
            .iter()
            .filter(|(word, _)| !off && has(word))
            .map(|&(_, status)| status)
            .collect(),
        any_method: has("non_idempotent"),
    }
}

/// How responses are compressed, if they are.
pub(crate) fn compression(config: &Config) -> Option<Compression> {
    (config.use_gzip || config.enable_brotli).then(|| Compression {
        gzip: config.use_gzip,
        brotli: config.enable_brotli,
        min_length: seconds(config.gzip_min_length),
    })
}

/// The limit of request bodies that nobody wrote.
pub(crate) fn unwritten_body_limit(config: &Config) -> Option<u64> {
    (config.proxy_body_size == DEFAULT_BODY_SIZE).then_some(1 << 20)
}

pub(crate) fn lower(input: &PolicyInput<'_>, out: &mut PolicyOutput) {
    if input.settings.canary.is_some() {
        // They are read on the main Ingress alone.
        return;
    }
    let (proxy, config) = (&input.settings.proxy, input.config);
    let base = Proxy::default();
    let connect = proxy.connect_timeout(config);
    if connect != config.proxy_connect_timeout {
        out.policies_mut().transport.connect_timeout = Some(seconds(connect));
    }
    let idle = idle_timeout(proxy, config);
    if idle != idle_timeout(&base, config) {
        out.policies_mut().transport.idle_timeout = Some(idle);
    }
    let tried = retry(proxy, config);
    if tried != retry(&base, config) {
        out.policies_mut().transport.retry = Some(tried);
    }
    one_timer(input, idle, out);
    body_size(input, out);
    connection(input, out);
    retry_differences(input, out);
    for (key, span) in [
        ("proxy-buffering", input.settings.buffering.buffering),
        (
            "proxy-request-buffering",
            input.settings.buffering.request_buffering,
        ),
    ] {
        if span.is_some() {
            out.inert(
                key,
                "bodies are streamed with flow control in both directions",
            );
        }
    }
}

/// Where the one timer is shorter than what was written for writing.
fn one_timer(input: &PolicyInput<'_>, idle: u32, out: &mut PolicyOutput) {
    let proxy = &input.settings.proxy;
    if idle >= seconds(proxy.send_timeout(input.config)) {
        return;
    }
    let diagnostic = Diagnostic::new(
        Code::IdleTimeout,
        format!("a request body that pauses for {idle} seconds is cut as well"),
    )
    .note("one timer runs for both directions; it has the time for reading");
    if let Some(send) = proxy.send_timeout {
        out.differs(input, "proxy-send-timeout", diagnostic.at(send.span));
    } else if let Some(read) = proxy.read_timeout {
        out.differs(input, "proxy-read-timeout", diagnostic.at(read.span));
    }
}

fn body_size(input: &PolicyInput<'_>, out: &mut PolicyOutput) {
    let written = &input.settings.buffering.body_size;
    if written.is_none() && unwritten_body_limit(input.config).is_some() {
        return;
    }
    let Some(bytes) = input.settings.buffering.body_limit(input.config) else {
        return;
    };
    let origin = written
        .as_ref()
        .map(|size| input.origin("proxy-body-size", size.span));
    let diagnostic = Diagnostic::new(
        Code::BodySizeLength,
        "request bodies are limited by their `Content-Length`",
    )
    .note("a body that comes without one (chunked) is not limited, and a path that the host does not define is answered with 404 whatever the size");
    match written {
        Some(size) => out.differs(input, "proxy-body-size", diagnostic.at(size.span)),
        None => out.diagnostics.push(diagnostic.object(input.object)),
    }
    out.policies_mut().transport.body_limit = Some(BodyLimit { bytes, origin });
}

fn connection(input: &PolicyInput<'_>, out: &mut PolicyOutput) {
    let proxy = &input.settings.proxy;
    if let Some(header) = &proxy.connection_header {
        let value: String = header
            .value
            .chars()
            .filter(|c| !c.is_whitespace())
            .collect();
        out.policies_mut().transport.connection_header =
            Some((value, input.origin("connection-proxy-header", header.span)));
        out.differs(
            input,
            "connection-proxy-header",
            Diagnostic::new(
                Code::BackendConnection,
                "the `Connection` header is set for plain requests; upgrades are told otherwise",
            )
            .at(header.span)
            .note("Envoy hands an upgrade (WebSocket) on with headers of its own"),
        );
    }
    if let Some(Spanned {
        value: HttpVersion::V1_0,
        span,
    }) = proxy.http_version
    {
        out.differs(
            input,
            "proxy-http-version",
            Diagnostic::new(
                Code::BackendConnection,
                "the backend is spoken to in HTTP/1.1, not 1.0",
            )
            .at(span)
            .help("nothing, unless the backend takes HTTP/1.0 only"),
        );
    }
}

fn retry_differences(input: &PolicyInput<'_>, out: &mut PolicyOutput) {
    let proxy = &input.settings.proxy;
    if let Some(words) = &proxy.next_upstream
        && words
            .value
            .split_ascii_whitespace()
            .any(|w| w == "invalid_header")
    {
        out.differs(
            input,
            "proxy-next-upstream",
            Diagnostic::new(
                Code::RetryConditions,
                "an answer with invalid headers is not a reason to try another endpoint",
            )
            .at(words.span),
        );
    }
    if let Some(limit) = proxy.next_upstream_timeout.filter(|n| n.value > 0) {
        out.differs(
            input,
            "proxy-next-upstream-timeout",
            Diagnostic::new(
                Code::RetryConditions,
                "the time for all tries together is not limited",
            )
            .at(limit.span)
            .note("a limit for the whole request would also cut the last try and long downloads"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::annotations::testing::read;

    #[test]
    fn what_is_tried_again() {
        let retry = |annotations: &[(&'static str, &'static str)]| {
            let tried = retry(&read(annotations).settings.proxy, &Config::default());
            format!(
                "{} {} {:?} {}",
                tried.tries, tried.connection, tried.statuses, tried.any_method
            )
        };
        assert_eq!(retry(&[]), "3 true [] false");
        assert_eq!(retry(&[("proxy-next-upstream", "off")]), "1 false [] false");
        assert_eq!(
            retry(&[
                ("proxy-next-upstream", "http_502 http_503 non_idempotent"),
                ("proxy-next-upstream-tries", "2"),
            ]),
            "2 false [502, 503] true"
        );
    }

    #[test]
    fn one_timer_for_both_directions() {
        let idle = |annotations: &[(&'static str, &'static str)]| {
            idle_timeout(&read(annotations).settings.proxy, &Config::default())
        };
        assert_eq!(idle(&[]), 60);
        assert_eq!(idle(&[("proxy-read-timeout", "3600")]), 3600);
        assert_eq!(idle(&[("proxy-read-timeout", "5")]), 5);
        assert_eq!(idle(&[("proxy-send-timeout", "300")]), 300);
        assert_eq!(idle(&[("proxy-send-timeout", "30")]), 60);
    }
}

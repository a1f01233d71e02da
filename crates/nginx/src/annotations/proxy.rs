//! Timeouts, retries and the connection to the backend.
//!
//! `internal/ingress/annotations/{proxy,connection,http2pushpreload}` of ingress-nginx.
//! Times are whole seconds: `60s` is ignored, and a negative number is not, but nginx
//! refuses it.

use gatewright_diagnostics::Code;
use gatewright_source::Spanned;

use super::{Keys, Settings};
use crate::config_map::Config;
use crate::registry::{Blanks, Carried, Entry, Grammar, GrammarFault, Invalid, Risk};

/// Whether the backend is spoken to in HTTP/1.0 or 1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpVersion {
    /// HTTP/1.0.
    V1_0,
    /// HTTP/1.1.
    V1_1,
}

/// What the annotations about the connection say.
#[derive(Clone, Debug, Default)]
pub struct Proxy {
    /// Seconds to connect.
    pub connect_timeout: Option<Spanned<i64>>,
    /// Seconds between two writes.
    pub send_timeout: Option<Spanned<i64>>,
    /// Seconds between two reads.
    pub read_timeout: Option<Spanned<i64>>,
    /// When another endpoint is tried; the words of nginx.
    pub next_upstream: Option<Spanned<String>>,
    /// Seconds for all tries; 0 is no limit.
    pub next_upstream_timeout: Option<Spanned<i64>>,
    /// Number of tries; 0 is no limit.
    pub next_upstream_tries: Option<Spanned<i64>>,
    /// HTTP version.
    pub http_version: Option<Spanned<HttpVersion>>,
    /// The `Connection` header for the backend; blanks may stand in it.
    pub connection_header: Option<Spanned<String>>,
}

impl Proxy {
    /// Seconds to connect.
    pub fn connect_timeout(&self, config: &Config) -> i64 {
        self.connect_timeout
            .map_or(config.proxy_connect_timeout, |n| n.value)
    }

    /// Seconds between two writes.
    pub fn send_timeout(&self, config: &Config) -> i64 {
        self.send_timeout
            .map_or(config.proxy_send_timeout, |n| n.value)
    }

    /// Seconds between two reads.
    pub fn read_timeout(&self, config: &Config) -> i64 {
        self.read_timeout
            .map_or(config.proxy_read_timeout, |n| n.value)
    }

    /// When another endpoint is tried, as words. `retry-non-idempotent` of the `ConfigMap`
    /// adds one.
    pub fn next_upstream<'a>(&'a self, config: &'a Config) -> Vec<&'a str> {
        let text = self
            .next_upstream
            .as_ref()
            .map_or(&config.proxy_next_upstream, |text| &text.value);
        let mut words: Vec<_> = text.split_ascii_whitespace().collect();
        if config.retry_non_idempotent && !words.contains(&"non_idempotent") {
            words.push("non_idempotent");
        }
        words
    }

    /// Seconds for all tries; 0 is no limit.
    pub fn next_upstream_timeout(&self, config: &Config) -> i64 {
        self.next_upstream_timeout
            .map_or(config.proxy_next_upstream_timeout, |n| n.value)
    }

    /// Number of tries; 0 is no limit.
    pub fn next_upstream_tries(&self, config: &Config) -> i64 {
        self.next_upstream_tries
            .map_or(config.proxy_next_upstream_tries, |n| n.value)
    }

    /// The HTTP version.
    pub fn http_version(&self, config: &Config) -> HttpVersion {
        let default = if config.proxy_http_version == "1.0" {
            HttpVersion::V1_0
        } else {
            HttpVersion::V1_1
        };
        self.http_version.map_or(default, |version| version.value)
    }
}

const PROXY: Entry = Entry {
    group: "Proxy",
    ..Entry::BASE
};

/// The entries of the family.
pub static ENTRIES: &[Entry] = &[
    Entry {
        key: "proxy-connect-timeout",
        grammar: Grammar::Int,
        default: "5",
        configmap_key: Some("proxy-connect-timeout"),
        summary: "is the number of seconds to connect to the backend; then the answer is 504",
        target: "BackendTrafficPolicy `timeout.tcp.connectTimeout`",
        example: "10",
        ..PROXY
    },
    Entry {
        key: "proxy-send-timeout",
        grammar: Grammar::Int,
        default: "60",
        configmap_key: Some("proxy-send-timeout"),
        summary: "is the number of seconds that may pass between two writes to the backend",
        target: "BackendTrafficPolicy `timeout.http.streamIdleTimeout`",
        difference: "one timer runs for both directions: this value counts only where `proxy-read-timeout` is 60 and it is longer",
        codes: &[Code::IdleTimeout],
        example: "120",
        ..PROXY
    },
    Entry {
        key: "proxy-read-timeout",
        grammar: Grammar::Int,
        default: "60",
        configmap_key: Some("proxy-read-timeout"),
        summary: "is the number of seconds that may pass between two reads from the backend, also on WebSockets; then the answer is 504",
        target: "BackendTrafficPolicy `timeout.http.streamIdleTimeout`",
        difference: "one timer runs for both directions, also while a request body is sent; GET requests are not repeated after it",
        codes: &[Code::IdleTimeout],
        example: "3600",
        ..PROXY
    },
    Entry {
        key: "proxy-next-upstream",
        grammar: Grammar::NextUpstream,
        default: "error timeout",
        risk: Risk::Medium,
        configmap_key: Some("proxy-next-upstream"),
        summary: "says after which failures the request is tried at another endpoint; POST, LOCK and PATCH only with `non_idempotent`",
        target: "BackendTrafficPolicy `retry.retryOn`; for status codes POST and PATCH get a rule of their own without them",
        difference: "a request that was sent is repeated only for the status codes listed, or with `non_idempotent`; `invalid_header` has no counterpart",
        codes: &[Code::RetryConditions],
        example: "error timeout http_502",
        ..PROXY
    },
    Entry {
        key: "proxy-next-upstream-timeout",
        grammar: Grammar::Int,
        default: "0",
        configmap_key: Some("proxy-next-upstream-timeout"),
        summary: "is the number of seconds in which tries may begin; 0 is no limit",
        target: "nothing",
        difference: "the time for all tries together is not limited",
        carried: Carried::LeftOut,
        codes: &[Code::RetryConditions],
        example: "10",
        ..PROXY
    },
    Entry {
        key: "proxy-next-upstream-tries",
        grammar: Grammar::Int,
        default: "3",
        configmap_key: Some("proxy-next-upstream-tries"),
        summary: "is the number of tries, the first included; 0 is no limit",
        target: "BackendTrafficPolicy `retry.numRetries`, one less",
        difference: "0, which is no limit, becomes 5 repetitions",
        example: "2",
        ..PROXY
    },
    Entry {
        key: "proxy-http-version",
        grammar: Grammar::OneOf {
            words: &["1.0", "1.1"],
            exact_case: true,
            blanks: Blanks::Trimmed,
        },
        default: "1.1",
        configmap_key: Some("proxy-http-version"),
        summary: "is the HTTP version spoken to the backend",
        target: "nothing: HTTP/1.1 is spoken",
        difference: "1.0 is not to be had",
        codes: &[Code::BackendConnection],
        example: "1.0",
        ..PROXY
    },
    Entry {
        key: "connection-proxy-header",
        group: "Connection",
        grammar: Grammar::OneOf {
            words: &["close", "keep-alive"],
            exact_case: true,
            blanks: Blanks::Removed,
        },
        default: "`upgrade` for upgrades, else empty",
        invalid: Invalid::Reject,
        summary: "is the `Connection` header for the backend; it breaks WebSockets",
        target: "`requestHeaderModifier.set` of `Connection`, and a rule without it for upgrades",
        difference: "upgrades (WebSocket) work, which ingress-nginx breaks",
        carried: Carried::Differently,
        codes: &[Code::BackendConnection],
        example: "keep-alive",
        ..PROXY
    },
    Entry {
        key: "http2-push-preload",
        group: "HTTP2PushPreload",
        grammar: Grammar::Bool,
        default: "false",
        invalid: Invalid::Reject,
        summary: "did HTTP/2 push for `Link` headers; nginx and browsers have dropped it",
        target: "nothing",
        carried: Carried::Needless,
        example: "true",
        ..PROXY
    },
];

pub(crate) fn parse(keys: &mut Keys<'_>, settings: &mut Settings) {
    *settings.proxy = Proxy {
        connect_timeout: not_negative(keys, "proxy-connect-timeout"),
        send_timeout: not_negative(keys, "proxy-send-timeout"),
        read_timeout: not_negative(keys, "proxy-read-timeout"),
        next_upstream: keys.text("proxy-next-upstream"),
        next_upstream_timeout: not_negative(keys, "proxy-next-upstream-timeout"),
        next_upstream_tries: not_negative(keys, "proxy-next-upstream-tries"),
        http_version: keys.word("proxy-http-version", |word| match word {
            "1.0" => Some(HttpVersion::V1_0),
            "1.1" => Some(HttpVersion::V1_1),
            _ => None,
        }),
        connection_header: keys.text("connection-proxy-header"),
    };
    if keys.flag("http2-push-preload").is_some() {
        keys.ignore("http2-push-preload", "nginx has dropped HTTP/2 push");
    }
}

/// nginx refuses a negative number, and with it the whole configuration.
pub(super) fn not_negative(keys: &mut Keys<'_>, key: &'static str) -> Option<Spanned<i64>> {
    let number = keys.int(key)?;
    if number.value < 0 {
        keys.fail_key(
            key,
            Invalid::Break,
            GrammarFault::whole("is negative").help("write a number of 0 or more"),
        );
        return None;
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, read};
    use super::*;

    #[test]
    fn seconds_have_no_unit() {
        check(
            &[("proxy-read-timeout", "60s")],
            "proxy-read-timeout: ignored",
        );
        check(
            &[("proxy-read-timeout", "3600")],
            "proxy-read-timeout: taken",
        );
        check(
            &[("proxy-connect-timeout", "-1")],
            "proxy-connect-timeout: breaks",
        );
        check(&[("proxy-send-timeout", "")], "proxy-send-timeout: ignored");
        let config = Config::default();
        let proxy = read(&[("proxy-read-timeout", "75s"), ("proxy-send-timeout", "5")])
            .settings
            .proxy;
        assert_eq!(
            (proxy.read_timeout(&config), proxy.send_timeout(&config)),
            (60, 5)
        );
    }

    #[test]
    fn other_values() {
        check(
            &[("proxy-next-upstream", "error,timeout")],
            "proxy-next-upstream: ignored",
        );
        check(
            &[("proxy-http-version", "2")],
            "proxy-http-version: ignored",
        );
        check(
            &[("connection-proxy-header", "upgrade")],
            "connection-proxy-header: rejected",
        );
        check(
            &[("http2-push-preload", "true")],
            "http2-push-preload: ignored",
        );
        check(
            &[("http2-push-preload", "x")],
            "http2-push-preload: rejected",
        );
        let config = Config {
            retry_non_idempotent: true,
            ..Config::default()
        };
        assert_eq!(
            read(&[]).settings.proxy.next_upstream(&config),
            ["error", "timeout", "non_idempotent"]
        );
    }
}

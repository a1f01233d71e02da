//! The controller's `ConfigMap` (`internal/ingress/controller/config` of ingress-nginx).
//!
//! [`Config`] holds every key that changes what an Ingress does, typed, with the defaults
//! of v1.15.1. Other keys of the controller (logs, hash sizes, workers) are known by name.

mod keys;
mod values;

use gatewright_diagnostics::{Code, Diagnostic, Severity};
use gatewright_model::TlsVersion;
use gatewright_source::Span;

use crate::annotations::ControllerVersion;
use crate::registry::{Risk, nearest};
pub use keys::{CONFIG_KEYS, Config, ConfigKey, INERT_KEYS, REMOVED_CONFIG_KEYS};
pub use values::Setting;

/// What a key of the `ConfigMap` is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concern {
    /// Which Ingresses and annotations count.
    Intake,
    /// The default of an annotation.
    Default,
    /// Who may do what.
    Access,
    /// Redirects.
    Redirects,
    /// Headers of requests and responses.
    Headers,
    /// Where the client's address and scheme come from.
    Client,
    /// Connections of clients: protocols, sizes, timeouts.
    Listener,
    /// Connections to backends.
    Backend,
    /// TLS.
    Tls,
    /// Logs and traces.
    Observability,
    /// Raw nginx configuration.
    Snippet,
}

/// Keys that protect and that are not carried over: with one of them every path answers 503.
const PROTECTING: &[&str] = &[
    "block-referers",
    "block-user-agents",
    "enable-owasp-modsecurity-crs",
    "global-auth-snippet",
];

/// Keys that are not carried over and protect nothing.
const NOT_CARRIED: &[&str] = &[
    "client-body-timeout",
    "default-type",
    "disable-proxy-intercept-errors",
    "enable-ocsp",
    "forwarded-for-proxy-protocol-header",
    "forwarded-host-header",
    "global-auth-cache-duration",
    "ignore-invalid-headers",
    "keep-alive-requests",
    "limit-rate",
    "limit-rate-after",
    "limit-conn-status-code",
    "main-snippet",
    "opentelemetry-operation-name",
    "opentelemetry-trust-incoming-span",
    "otel-sampler",
    "otel-sampler-parent-based",
    "otel-sampler-ratio",
    "otel-service-name",
    "otlp-collector-host",
    "otlp-collector-port",
    "proxy-http-version",
    "ssl-ciphers",
    "ssl-ecdh-curve",
    "ssl-protocols",
    "ssl-reject-handshake",
    "ssl-session-tickets",
    "stream-snippet",
    "upstream-keepalive-connections",
    "upstream-keepalive-requests",
    "upstream-keepalive-time",
    "upstream-keepalive-timeout",
];

/// Keys in whose place the target has a way of its own.
const DIFFERENT: &[(&str, Code)] = &[
    ("client-header-buffer-size", Code::HeaderSizes),
    ("gzip-level", Code::CompressionSettings),
    ("gzip-types", Code::CompressionSettings),
    ("large-client-header-buffers", Code::HeaderSizes),
];

/// Keys that are read for annotations' sake and that change nothing behind Envoy.
const NEEDLESS: &[&str] = &[
    "client-body-buffer-size",
    "grpc-buffer-size-kb",
    "proxy-buffer-size",
    "proxy-buffers-number",
    "proxy-busy-buffers-size",
    "proxy-max-temp-file-size",
    "strict-validate-path-type",
    "worker-shutdown-timeout",
];

/// What became of a key of the `ConfigMap`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigStatus {
    /// Its value is in the [`Config`].
    Taken(Concern),
    /// Its value could not be read; the default holds.
    Ignored,
    /// Its value is in the [`Config`], but nothing carries it over.
    NotCarried {
        /// Whether it protects.
        protects: bool,
    },
    /// Its value is in the [`Config`], and the target does it in another way; a finding about
    /// the whole output says how.
    Different(Code),
    /// The controller reads it, but it does not change what an Ingress does.
    NoEffect,
    /// The controller does not know it.
    Unknown,
}

/// One key of the `ConfigMap` and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigNote {
    /// The key.
    pub key: String,
    /// Where its value stands.
    pub span: Span,
    /// What became of it.
    pub status: ConfigStatus,
}

impl Config {
    /// Reads the `data` of the `ConfigMap`.
    pub fn read<'a>(
        entries: impl IntoIterator<Item = (&'a str, &'a str, Span)>,
    ) -> (Self, Vec<Diagnostic>, Vec<ConfigNote>) {
        let mut config = Self::default();
        let mut diagnostics = Vec::new();
        let mut notes = Vec::new();
        for (key, value, span) in entries {
            let status = match config.set(key, value) {
                Some((_, true)) if NEEDLESS.contains(&key) => ConfigStatus::NoEffect,
                Some((known, true)) if value.trim() == known.default => {
                    ConfigStatus::Taken(known.concern)
                }
                Some((known, true)) => {
                    let protects = PROTECTING.contains(&key);
                    let carried = key == "ssl-protocols" && tls_versions(value).1;
                    if protects || NOT_CARRIED.contains(&key) && !carried {
                        let mut diagnostic = not_carried(known, protects, span);
                        // Without these the output accepts what nginx turns away.
                        let opens = key == "ssl-protocols" && tls_versions(value).0.is_none()
                            || key == "ssl-reject-handshake";
                        if opens {
                            diagnostic = diagnostic
                                .severity(Severity::Error)
                                .note("the output accepts connections that ingress-nginx refuses");
                        }
                        diagnostics.push(diagnostic);
                        ConfigStatus::NotCarried { protects }
                    } else if let Some((_, code)) = DIFFERENT.iter().find(|(name, _)| *name == key)
                    {
                        ConfigStatus::Different(*code)
                    } else {
                        ConfigStatus::Taken(known.concern)
                    }
                }
                Some((known, false)) => {
                    diagnostics.push(
                        Diagnostic::new(
                            Code::ConfigValueIgnored,
                            format!("`{key}` of the controller's ConfigMap is ignored: `{value}` is not {}", known.kind),
                        )
                        .label(span, "ignored")
                        .note(if known.default.is_empty() {
                            "the key has no default: it is as if it were not set".to_owned()
                        } else {
                            format!("the default `{}` holds", known.default)
                        })
                        .help(format!("write {}", known.kind)),
                    );
                    ConfigStatus::Ignored
                }
                None if INERT_KEYS.binary_search(&key).is_ok() => ConfigStatus::NoEffect,
                None => {
                    diagnostics.push(unknown_key(key, span));
                    ConfigStatus::Unknown
                }
            };
            notes.push(ConfigNote {
                key: key.to_owned(),
                span,
                status,
            });
        }
        if !config.use_gzip {
            for note in &mut notes {
                if note.status == ConfigStatus::Different(Code::CompressionSettings) {
                    note.status = ConfigStatus::NoEffect;
                }
            }
        }
        (config, diagnostics, notes)
    }

    /// The highest risk that annotations may have. The default rose in v1.12.
    pub fn risk_level(&self, version: ControllerVersion) -> Risk {
        self.annotations_risk_level.unwrap_or(match version {
            ControllerVersion::V1_15 => Risk::High,
            ControllerVersion::Pre1_12 => Risk::Critical,
        })
    }

    /// The word of `annotation-value-word-blocklist` that an annotation value holds.
    pub fn blocked_word(&self, value: &str) -> Option<&str> {
        self.annotation_value_word_blocklist
            .iter()
            .map(String::as_str)
            .find(|word| value.contains(word))
    }
}

/// The lowest and the highest of the TLS versions in `ssl-protocols` that the output can have,
/// and whether these are all of them. OpenSSL 3 itself speaks nothing below 1.2 unless its
/// security level is 0.
pub(crate) fn tls_versions(list: &str) -> (Option<(TlsVersion, TlsVersion)>, bool) {
    let (mut range, mut all) = (None, true);
    for word in list.split_whitespace() {
        let version = match word {
            "TLSv1.2" => TlsVersion::V1_2,
            "TLSv1.3" => TlsVersion::V1_3,
            _ => {
                all = false;
                continue;
            }
        };
        let (low, high) = range.unwrap_or((version, version));
        range = Some((version.min(low), version.max(high)));
    }
    (range, all && range.is_some())
}

fn not_carried(known: &ConfigKey, protects: bool, span: Span) -> Diagnostic {
    let (code, message) = if protects {
        (
            Code::ProtectionRefused,
            "cannot be carried over, so every path answers 503",
        )
    } else {
        (Code::NotTranslatedYet, "is not translated yet")
    };
    Diagnostic::new(
        code,
        format!("`{}` of the controller's ConfigMap {message}", known.key),
    )
    .label(span, known.summary)
    .help(if protects {
        "carry it over by hand, and convert with the key removed from the ConfigMap"
    } else {
        "see whether what you serve depends on it"
    })
}

fn unknown_key(key: &str, span: Span) -> Diagnostic {
    let diagnostic = Diagnostic::new(
        Code::ConfigKeyUnknown,
        format!("`{key}` is not a key of the controller's ConfigMap"),
    )
    .label(span, "no effect");
    if let Some((_, since)) = REMOVED_CONFIG_KEYS
        .iter()
        .find(|(removed, _)| *removed == key)
    {
        return diagnostic.note(format!("it was removed in {since}"));
    }
    let names = CONFIG_KEYS
        .iter()
        .map(|known| known.key)
        .chain(INERT_KEYS.iter().copied());
    match nearest(key, names) {
        Some(likely) => diagnostic.help(format!("`{likely}` is one; write that if it was meant")),
        None => diagnostic,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatewright_source::FileId;

    fn span() -> Span {
        Span::new(FileId(0), 0, 1)
    }

    fn read(entries: &[(&str, &str)]) -> (Config, Vec<Diagnostic>, Vec<ConfigNote>) {
        Config::read(entries.iter().map(|&(k, v)| (k, v, span())))
    }

    #[test]
    fn what_is_not_carried_is_a_key() {
        let different = DIFFERENT.iter().map(|(key, _)| key);
        for key in PROTECTING
            .iter()
            .chain(NOT_CARRIED)
            .chain(NEEDLESS)
            .chain(different)
        {
            assert!(CONFIG_KEYS.iter().any(|known| known.key == *key), "{key}");
        }
    }

    #[test]
    fn defaults_are_those_of_the_controller() {
        let config = Config::default();
        assert!(config.ssl_redirect && !config.force_ssl_redirect);
        assert_eq!(config.http_redirect_code, 308);
        assert_eq!(config.no_auth_locations, ["/.well-known/acme-challenge"]);
        assert_eq!(config.hsts_max_age, 31_536_000);
        assert_eq!(config.risk_level(ControllerVersion::V1_15), Risk::High);
        assert_eq!(
            config.risk_level(ControllerVersion::Pre1_12),
            Risk::Critical
        );
        // The default that is shown is the default that is used.
        for known in CONFIG_KEYS {
            let mut config = Config::default();
            if !known.default.is_empty() {
                assert!(
                    config
                        .set(known.key, known.default)
                        .is_some_and(|(_, good)| good),
                    "{}",
                    known.key
                );
                assert_eq!(config, Config::default(), "{}", known.key);
            }
        }
    }

    #[test]
    fn values_are_read_and_faults_keep_the_default() {
        let (config, diagnostics, notes) = read(&[
            ("ssl-redirect", "false"),
            ("http-redirect-code", "301"),
            ("proxy-read-timeout", "10m"),
            ("custom-http-errors", "404,503, 700"),
            ("whitelist-source-range", "10.0.0.0/8, 1.1.1.1"),
            ("annotations-risk-level", "Critical"),
            ("use-gzip", "maybe"),
            ("worker-processes", "4"),
            ("proxy-read-timeuot", "4"),
            ("enable-opentracing", "true"),
        ]);
        assert!(!config.ssl_redirect && !config.use_gzip);
        assert_eq!(
            (config.http_redirect_code, config.proxy_read_timeout),
            (301, 60)
        );
        assert_eq!(config.custom_http_errors, [404, 503]);
        assert_eq!(config.whitelist_source_range, ["10.0.0.0/8", "1.1.1.1"]);
        assert_eq!(config.risk_level(ControllerVersion::V1_15), Risk::Critical);
        let codes: Vec<_> = diagnostics.iter().map(|d| d.code).collect();
        assert_eq!(
            codes,
            [
                Code::ConfigValueIgnored,
                Code::ConfigValueIgnored,
                Code::ConfigKeyUnknown,
                Code::ConfigKeyUnknown
            ]
        );
        assert!(diagnostics[2].helps[0].contains("`proxy-read-timeout`"));
        assert!(diagnostics[3].notes[0].contains("1.10"));
        assert_eq!(notes[7].status, ConfigStatus::NoEffect);
        assert_eq!(notes[2].status, ConfigStatus::Ignored);
        assert_eq!(
            read(&[("http-redirect-code", "303")]).0.http_redirect_code,
            308
        );
    }

    #[test]
    fn tables_are_sorted_and_disjoint() {
        assert!(INERT_KEYS.windows(2).all(|w| w[0] < w[1]), "{INERT_KEYS:?}");
        for known in CONFIG_KEYS {
            assert!(
                INERT_KEYS.binary_search(&known.key).is_err(),
                "{}",
                known.key
            );
        }
    }

    #[test]
    fn blocked_words_are_found_anywhere() {
        let (config, ..) = read(&[(
            "annotation-value-word-blocklist",
            "load_module,lua_package,{,}",
        )]);
        assert_eq!(config.blocked_word("a { b"), Some("{"));
        assert_eq!(config.blocked_word("a b"), None);
        assert_eq!(Config::default().blocked_word("{"), None);
    }
}

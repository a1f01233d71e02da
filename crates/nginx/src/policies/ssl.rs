//! Ciphers of a host: `ssl-ciphers`, `ssl-prefer-server-ciphers`.

use gatewright_diagnostics::{Code, Diagnostic};
use gatewright_model::TlsVersion;

use super::{PolicyInput, PolicyOutput};
use crate::config_map::{Config, tls_versions};

/// What the family carries.
pub(crate) const KEYS: &[&str] = &["ssl-ciphers", "ssl-prefer-server-ciphers"];

/// Suites of TLS 1.2 with keys of their own for each session, by their OpenSSL names.
pub(super) const EPHEMERAL: &[&str] = &[
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES128-SHA",
    "ECDHE-RSA-AES128-SHA",
    "ECDHE-ECDSA-AES256-SHA",
    "ECDHE-RSA-AES256-SHA",
];

/// The others that the target knows.
const STATIC: &[&str] = &[
    "AES128-GCM-SHA256",
    "AES256-GCM-SHA384",
    "AES128-SHA",
    "AES256-SHA",
];

/// Whether it is a suite up to TLS 1.2 that the target knows (`BoringSSL`).
fn is_known(suite: &str) -> bool {
    EPHEMERAL.contains(&suite) || STATIC.contains(&suite)
}

/// What lists leave out by habit, and no suite that is known has.
const ABSENT: &[&str] = &[
    "3DES", "ADH", "AECDH", "CAMELLIA", "DES", "DSS", "EXP", "EXPORT", "IDEA", "LOW", "MD5", "PSK",
    "RC4", "SEED", "SRP", "aDSS", "aNULL", "eNULL",
];

fn words(list: &str) -> impl Iterator<Item = &str> {
    list.split([':', ',', ' ']).filter(|word| !word.is_empty())
}

/// The names of a cipher list that the target knows, without those that it excludes.
pub(crate) fn suites(list: &str) -> Vec<String> {
    let excluded = |name: &str| words(list).any(|word| word.strip_prefix('!') == Some(name));
    words(list)
        .filter(|name| is_known(name) && !excluded(name))
        .map(str::to_owned)
        .collect()
}

/// The words of a list that the suites that are left do not obey.
fn unknown(list: &str) -> Vec<&str> {
    let obeyed = |word: &str| match word.strip_prefix('!') {
        Some(excluded) => ABSENT.contains(&excluded) || is_known(excluded),
        None => is_known(word),
    };
    words(list).filter(|word| !obeyed(word)).collect()
}

pub(crate) fn lower(input: &PolicyInput<'_>, out: &mut PolicyOutput) {
    let ssl = &input.settings.ssl;
    if let Some(list) = &ssl.ciphers {
        let left = unknown(&list.value);
        let none = suites(&list.value).is_empty();
        if none || !left.is_empty() {
            out.differs(
                input,
                "ssl-ciphers",
                Diagnostic::new(
                    Code::CipherNames,
                    if left.is_empty() {
                        "the list names no cipher suite".to_owned()
                    } else {
                        format!("Envoy knows no cipher suite `{}`", left.join("`, `"))
                    },
                )
                .at(list.span)
                .note(if none {
                    "none of the list is left, so Envoy's own suites are used"
                } else {
                    "the others of the list are used"
                })
                .help("name suites one by one, such as `ECDHE-RSA-AES128-GCM-SHA256`"),
            );
        }
    }
    match ssl.prefer_server_ciphers {
        Some(flag) if !flag.value => out.differs(
            input,
            "ssl-prefer-server-ciphers",
            Diagnostic::new(
                Code::CipherNames,
                "the server's order of ciphers counts, not the client's",
            )
            .at(flag.span),
        ),
        Some(_) => out.inert(
            "ssl-prefer-server-ciphers",
            "Envoy always prefers its own order",
        ),
        None => {}
    }
}

/// The TLS versions of all listeners, unless they are those that every listener has.
pub(crate) fn versions(config: &Config) -> Option<(TlsVersion, TlsVersion)> {
    let (range, _) = tls_versions(&config.ssl_protocols);
    range.filter(|range| *range != (TlsVersion::V1_2, TlsVersion::V1_3))
}

#[cfg(test)]
mod tests {
    use super::{suites, unknown};

    #[test]
    fn unknown_suites_are_left_out() {
        assert_eq!(
            suites("ECDHE-RSA-AES128-GCM-SHA256:HIGH:!aNULL"),
            ["ECDHE-RSA-AES128-GCM-SHA256"]
        );
        assert!(suites("HIGH:!MD5").is_empty());
        assert_eq!(unknown("HIGH:!MD5:!SHA1"), ["HIGH", "!SHA1"]);
    }

    #[test]
    fn an_excluded_suite_is_not_used() {
        let list = "ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES256-SHA:!ECDHE-RSA-AES128-SHA";
        assert_eq!(suites(list), ["ECDHE-RSA-AES256-SHA"]);
        assert!(unknown(list).is_empty());
    }
}

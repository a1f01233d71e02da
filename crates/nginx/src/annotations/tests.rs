//! What holds for all families.

use super::testing::{annotations, check, codes, read, read_as, statuses};
use super::*;
use crate::registry::{Invalid, entries, find};
use gatewright_diagnostics::Code;

/// Keys that must be there for the others of their group to be read.
const COMPANY: &[(&str, &str)] = &[
    ("enable-cors", "true"),
    ("affinity", "cookie"),
    ("canary", "true"),
    ("canary-by-header", "X-Canary"),
    ("auth-type", "basic"),
    ("auth-secret", "users"),
    ("auth-url", "http://gate.shop.svc/"),
    ("auth-signin", "https://gate.example.com/"),
    ("auth-cache-key", "$remote_user"),
    ("auth-tls-secret", "shop/ca"),
    ("proxy-ssl-secret", "shop/ca"),
    ("enable-opentelemetry", "true"),
    ("limit-rps", "10"),
    ("permanent-redirect", "https://example.com"),
    ("upstream-hash-by", "$request_uri"),
    ("mirror-target", "https://shadow.example.com"),
    ("proxy-redirect-from", "http://a/"),
    ("proxy-redirect-to", "http://b/"),
];

fn permissive() -> Config {
    Config {
        annotations_risk_level: Some(crate::registry::Risk::Critical),
        allow_snippet_annotations: true,
        ..Config::default()
    }
}

fn with_company<'a>(key: &'a str, value: &'a str) -> Vec<(&'a str, &'a str)> {
    let canonical = find(key).map_or("", |entry| entry.key);
    let mut pairs: Vec<_> = COMPANY
        .iter()
        .copied()
        .filter(|(other, _)| *other != canonical)
        // Where both are set the temporal redirect wins, and its code needs it.
        .filter(|(other, _)| !(canonical.starts_with("temporal") && *other == "permanent-redirect"))
        .collect();
    if canonical == "temporal-redirect-code" {
        pairs.push(("temporal-redirect", "https://example.com"));
    }
    pairs.push((key, value));
    pairs
}

fn status_of<'a>(result: &'a AnnotationResult, key: &str) -> &'a KeyStatus {
    &result
        .notes
        .iter()
        .find(|note| note.key == key)
        .unwrap()
        .status
}

#[test]
fn every_key_has_a_taker() {
    for entry in entries() {
        for key in std::iter::once(entry.key).chain(entry.aliases.iter().copied()) {
            let result = read_as(
                &with_company(key, entry.example),
                &permissive(),
                ControllerVersion::V1_15,
            );
            let status = status_of(&result, key);
            // The one key that nginx itself has made inert.
            if key == "http2-push-preload" {
                assert!(matches!(status, KeyStatus::Ignored { .. }));
            } else {
                assert!(matches!(status, KeyStatus::Taken), "{key}: {status:?}");
            }
        }
    }
}

#[test]
fn no_value_leaves_a_key_without_an_outcome() {
    let values = [
        "",
        " ",
        "x",
        "true",
        "0",
        "-1",
        "a b",
        "%",
        "\n",
        "é",
        "/",
        "on",
        "{}",
        "1.1.1.1",
        "https://a",
        "a/b/c",
    ];
    for entry in entries() {
        for value in values {
            for version in [ControllerVersion::V1_15, ControllerVersion::Pre1_12] {
                for pairs in [with_company(entry.key, value), vec![(entry.key, value)]] {
                    let result = read_as(&pairs, &permissive(), version);
                    for note in &result.notes {
                        if let KeyStatus::Ignored { reason } = &note.status {
                            assert_ne!(
                                reason,
                                super::keys::NOT_READ,
                                "{} beside {}: {value:?}",
                                note.key,
                                entry.key
                            );
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn an_invalid_value_has_the_consequence_of_its_entry() {
    for entry in entries() {
        let Some(bad) = ["é\u{1}", "é", "%"]
            .into_iter()
            .find(|value| entry.grammar.check(value).is_err())
        else {
            continue;
        };
        let result = read_as(
            &with_company(entry.key, bad),
            &permissive(),
            ControllerVersion::V1_15,
        );
        let status = status_of(&result, entry.key);
        let good = match entry.invalid {
            Invalid::Reject => matches!(status, KeyStatus::Rejected),
            Invalid::Deny => matches!(status, KeyStatus::Denied),
            Invalid::Break => matches!(status, KeyStatus::Breaks),
            Invalid::Default | Invalid::DropGroup => matches!(status, KeyStatus::Ignored { .. }),
        };
        assert!(good, "{}: {status:?}", entry.key);
        assert_eq!(
            result.rejected.is_empty(),
            entry.invalid != Invalid::Reject,
            "{}",
            entry.key
        );
        assert!(!result.diagnostics.is_empty(), "{}", entry.key);
    }
}

#[test]
fn keys_that_are_not_read_are_reported() {
    let result = read(&[
        ("rate-limit", "100"),
        ("enable-cores", "true"),
        ("auth-typ", "basic"),
        ("influxdb-host", "x"),
        ("no-such-thing", "true"),
    ]);
    assert_eq!(
        codes(&result),
        [
            Code::UnknownAnnotation,
            Code::MisspeltAnnotation,
            Code::MisspeltAnnotation,
            Code::RemovedAnnotation,
            Code::UnknownAnnotation,
        ]
    );
    assert_eq!(
        result.diagnostics[0].helps,
        ["the likely one is `limit-rps`"]
    );
    assert!(result.diagnostics[2].notes[0].contains("not protected"));
    assert!(statuses(&result).starts_with("rate-limit: unknown"));
}

#[test]
fn the_risk_level_counts_before_the_value() {
    let level = |risk| Config {
        annotations_risk_level: crate::registry::Risk::parse(risk),
        ..Config::default()
    };
    let rejected = |risk, key, value| {
        !read_as(&[(key, value)], &level(risk), ControllerVersion::V1_15)
            .rejected
            .is_empty()
    };
    assert!(
        rejected("Medium", "auth-url", "http://a") && !rejected("High", "auth-url", "http://a")
    );
    assert!(rejected("Low", "rewrite-target", "/") && !rejected("Medium", "rewrite-target", "/"));
    assert!(rejected("Low", "allowlist-source-range", "1.1.1.1"));
    assert!(
        !rejected("Low", "whitelist-source-range", "1.1.1.1"),
        "aliases are not gated"
    );
}

#[test]
fn blocked_words_drop_the_ingress() {
    let config = Config {
        annotation_value_word_blocklist: vec!["{".to_owned()],
        ..Config::default()
    };
    let result = read_as(
        &[("upstream-vhost", "${host}")],
        &config,
        ControllerVersion::V1_15,
    );
    assert_eq!(result.rejected.len(), 1);
    assert_eq!(codes(&result), [Code::AnnotationRejectsIngress]);
}

#[test]
fn without_validation_only_types_are_parsed() {
    let old = |pairs: &[(&str, &str)]| {
        statuses(&read_as(
            pairs,
            &Config::default(),
            ControllerVersion::Pre1_12,
        ))
    };
    assert_eq!(
        old(&[("permanent-redirect", "https://n$request_uri")]),
        "permanent-redirect: taken"
    );
    assert_eq!(old(&[("limit-rps", "x")]), "limit-rps: ignored");
    assert_eq!(
        old(&[("from-to-www-redirect", "yes")]),
        "from-to-www-redirect: ignored"
    );
    assert_eq!(old(&[("use-regex", "on")]), "use-regex: ignored");
    assert_eq!(
        old(&[("whitelist-source-range", "office")]),
        "whitelist-source-range: denied"
    );
    assert_eq!(old(&[("auth-type", "jwt")]), "auth-type: denied");
    assert_eq!(
        old(&[("backend-protocol", "AJP")]),
        "backend-protocol: ignored"
    );
}

#[test]
fn faults_point_into_the_value() {
    let result = read(&[("permanent-redirect", "https://n$x")]);
    let start = u32::try_from("permanent-redirect".len() + "https://n".len()).unwrap();
    let span = result.diagnostics[0].span().unwrap();
    assert_eq!((span.start, span.end), (start, start + 1));
    assert_eq!(
        result.diagnostics[0].message,
        "`permanent-redirect`: `https://n$x` holds `$`, which is not allowed here"
    );
}

#[test]
fn thousands_of_ingresses_are_read_in_milliseconds() {
    let pairs = [
        ("rewrite-target", "/$2"),
        ("ssl-redirect", "false"),
        ("proxy-body-size", "50m"),
        ("proxy-read-timeout", "600"),
        ("whitelist-source-range", "10.0.0.0/8,192.0.2.1"),
        ("enable-cors", "true"),
    ];
    let all = annotations(&pairs);
    let object = ObjectRef::new("Ingress", "shop", "web");
    let config = Config::default();
    let start = std::time::Instant::now();
    for _ in 0..5_000 {
        let result = super::read(
            all.iter().copied(),
            &config,
            ControllerVersion::V1_15,
            &object,
        );
        assert!(result.diagnostics.is_empty());
    }
    // Generous, for builds without optimisation on a busy machine.
    assert!(start.elapsed().as_millis() < 2_000, "{:?}", start.elapsed());
}

#[test]
fn nothing_is_reported_about_sound_annotations() {
    check(&[], "");
    let result = read(&[("ssl-redirect", "true"), ("proxy-body-size", "8m")]);
    assert!(result.diagnostics.is_empty());
}

//! The text of `gatewright explain KEY`.

use std::fmt::Write as _;

use super::foreign::{KeyClass, classify_own};
use super::{DEFAULT_PREFIX, EmptyValue, Entry, Grammar, Risk, grammar};

/// Explains an annotation key, with or without prefix: a key that the controller reads, one
/// that it lost, or one that never was. `None` for a word that resembles nothing.
pub fn explain(key: &str) -> Option<String> {
    let name = key
        .strip_prefix(DEFAULT_PREFIX)
        .and_then(|rest| rest.strip_prefix('/'))
        .unwrap_or(key);
    match classify_own(name) {
        KeyClass::Known(entry) => Some(describe(entry, name)),
        KeyClass::Removed(removed) => {
            let mut text = format!(
                "{name}\n\nWas removed from ingress-nginx in {}; since then it has no effect. ",
                removed.since
            );
            let _ = writeln!(text, "{}.", capital(removed.advice));
            if let Some(other) = removed.replaced_by {
                let _ = writeln!(text, "\nSee: gatewright explain {other}");
            }
            Some(text)
        }
        KeyClass::Misspelt { likely } => Some(format!(
            "{name}\n\nIs not an ingress-nginx annotation. Was `{likely}` meant?\n\nSee: gatewright explain {likely}\n"
        )),
        KeyClass::NeverExisted { likely, advice } if !advice.is_empty() => {
            let mut text = format!(
                "{name}\n\nIs not an ingress-nginx annotation; no release has read it. {}.\n",
                capital(advice)
            );
            if let Some(other) = likely {
                let _ = writeln!(text, "\nSee: gatewright explain {other}");
            }
            Some(text)
        }
        _ => None,
    }
}

fn describe(entry: &Entry, name: &str) -> String {
    let mut text = format!("{}\n\n{}.\n\n", entry.key, meaning(entry));
    if name != entry.key {
        let _ = writeln!(text, "{:<14}`{name}`, another name of it", "asked for");
    }
    for (label, value) in facts(entry) {
        let _ = writeln!(text, "{label:<14}{value}");
    }
    for (at, code) in entry.codes.iter().enumerate() {
        let label = if at == 0 { "findings" } else { "" };
        let _ = writeln!(text, "{label:<14}{code}: {}", code.info().title);
    }
    text
}

/// What the key does in ingress-nginx, as a sentence without its full stop.
pub fn meaning(entry: &Entry) -> String {
    capital(entry.summary)
}

/// What there is to know about a key, a label and its text each; its findings are apart.
pub fn facts(entry: &Entry) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("other names", grammar::Words(entry.aliases).to_string()),
        ("value", entry.grammar.describe()),
        ("default", entry.default.to_owned()),
    ];
    if let Some(key) = entry.configmap_key {
        facts.push(("", format!("from `{key}` of the controller's ConfigMap")));
    }
    let invalid = match entry.grammar {
        Grammar::Anything => "every value is taken",
        _ => entry.invalid.consequence(),
    };
    let empty = match entry.empty {
        EmptyValue::Absent => "as if the annotation were not there",
        EmptyValue::Deny => "every path of the Ingress answers 503",
        EmptyValue::DropGroup => "all annotations of its group are ignored",
    };
    let risk = match entry.risk {
        Risk::Critical => {
            "Critical: unless `annotations-risk-level` allows it, the controller drops the whole Ingress, even for an empty value"
        }
        risk => risk.name(),
    };
    let canary = if entry.canary {
        "is read on canary Ingresses too"
    } else {
        ""
    };
    facts.extend(
        [
            ("invalid value", invalid),
            ("empty value", empty),
            ("reaches", entry.scope.describe()),
            ("risk", risk),
            ("canary", canary),
            ("outcome", entry.carried.describe()),
            ("becomes", entry.target),
            ("different", entry.difference),
        ]
        .map(|(label, text)| (label, text.to_owned())),
    );
    facts.retain(|(_, text)| !text.is_empty());
    facts
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        // A sentence that begins with code keeps its case.
        Some(first) if first != '`' => first.to_uppercase().chain(chars).collect(),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_key_is_explained() {
        let known = explain("nginx.ingress.kubernetes.io/rewrite-target").unwrap();
        assert!(known.starts_with("rewrite-target\n") && known.contains("becomes"));
        assert!(
            explain("whitelist-source-range")
                .unwrap()
                .contains("another name of it")
        );
        assert!(explain("secure-backends").unwrap().contains("0.21"));
        assert!(
            explain("rate-limit")
                .unwrap()
                .contains("gatewright explain limit-rps")
        );
        assert!(explain("enable-cores").unwrap().contains("`enable-cors`"));
        assert_eq!(explain("no-such-thing"), None);
    }

    #[test]
    fn every_entry_is_complete() {
        for entry in super::super::entries() {
            let key = entry.key;
            assert!(
                !entry.summary.is_empty() && !entry.target.is_empty() && !entry.group.is_empty(),
                "{key}"
            );
            for text in [entry.summary, entry.target, entry.difference] {
                assert!(!text.ends_with('.'), "{key}: {text}");
                assert!(!text.contains("  "), "{key}: {text}");
            }
            assert!(!entry.example.is_empty(), "{key}");
            assert_eq!(
                entry.grammar.check(entry.example),
                Ok(()),
                "{key}: its example"
            );
            assert!(super::super::find(key).is_some());
        }
    }
}

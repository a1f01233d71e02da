//! Mutants that no request tells from the original, by rules of the target alone.
//!
//! Nothing here asks the checker: a reason has to follow from the texts.

use serde_json::Value;

use super::edit::Objects;
use super::faults::{list, text};

const RANKED: &str = "Envoy Gateway puts rules in an order of its own, and these two differ in it";
const DISJOINT: &str = "no path matches both rules";
const CASELESS: &str = "the pattern has no letters";
const NOT_FOUND: &str = "what no rule takes is answered with 404 too";

/// How Envoy Gateway ranks a match: exact paths, then patterns, then prefixes, the longer text
/// first (the prefix `/` has none); then by headers (a method is one) and query
/// (`internal/gatewayapi/sort.go`).
fn rank(one: &Value) -> (u8, usize, usize, usize, usize) {
    let (kind, value) = (text(one, "/path/type"), text(one, "/path/value"));
    let headers = list(one, "/headers");
    let exact = headers.iter().filter(|header| text(header, "/type") != "RegularExpression");
    (
        match kind {
            "Exact" => 2,
            "RegularExpression" => 1,
            _ => 0,
        },
        if value == "/" { 0 } else { value.len() },
        headers.len() + usize::from(one.get("method").is_some()),
        exact.count(),
        list(one, "/queryParams").len(),
    )
}

/// Why the order of two rules does not matter.
pub(super) fn swapped(one: &Value, other: &Value) -> Option<&'static str> {
    let pairs = list(one, "/matches")
        .iter()
        .flat_map(|a| list(other, "/matches").iter().map(move |b| (a, b)));
    let (mut ranked, mut disjoint) = (true, true);
    for (a, b) in pairs {
        let differ = rank(a) != rank(b);
        let kinds = (text(a, "/path/type"), text(b, "/path/type"));
        let values = (text(a, "/path/value"), text(b, "/path/value"));
        let apart = match kinds {
            ("RegularExpression", "RegularExpression") => apart(values.0, values.1),
            // Of one length, and different: neither is a prefix of the other.
            (kind, same) if kind == same && values.0.len() == values.1.len() => {
                values.0 != values.1
            }
            _ => false,
        };
        ranked &= differ || apart;
        disjoint &= apart;
    }
    match (disjoint, ranked) {
        (true, _) => Some(DISJOINT),
        (_, true) => Some(RANKED),
        _ => None,
    }
}

/// Whether two patterns begin with different texts, so that no path matches both.
pub(super) fn apart(one: &str, other: &str) -> bool {
    let head = |pattern: &str| -> String {
        let plain = pattern.strip_prefix("(?i)").unwrap_or(pattern);
        let literal = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_');
        let mut head: String = plain.chars().take_while(literal).collect();
        // What is repeated may be missing.
        if plain[head.len()..].starts_with(['?', '*', '{']) {
            head.pop();
        }
        // An alternative may be anything.
        if plain.contains('|') && !plain.contains('(') {
            head.clear();
        }
        head.to_ascii_lowercase()
    };
    let (one, other) = (head(one), head(other));
    !one.starts_with(&other) && !other.starts_with(&one)
}

/// Why a pattern means the same with and without regard to case.
pub(super) fn caseless(pattern: &str) -> Option<&'static str> {
    let mut letters = false;
    let mut escaped = false;
    for c in pattern.chars() {
        letters |= c.is_alphabetic() && !escaped;
        escaped = c == '\\' && !escaped;
    }
    (!letters).then_some(CASELESS)
}

/// Why a rule is not missed: it answers 404 to what no other rule of its hosts takes.
pub(super) fn dropped(objects: &Objects, route: &Value, at: usize) -> Option<&'static str> {
    let rule = &list(route, "/spec/rules")[at];
    let [one] = list(rule, "/matches") else {
        return None;
    };
    let everything = text(one, "/path/value") == "/"
        && text(one, "/path/type") == "PathPrefix"
        && one.get("headers").is_none()
        && one.get("method").is_none();
    let target = text(rule, "/filters/0/extensionRef/name");
    let namespace = text(route, "/metadata/namespace");
    let answers = objects.iter().any(|object| {
        object["kind"] == "HTTPRouteFilter"
            && text(object, "/metadata/namespace") == namespace
            && text(object, "/metadata/name") == target
            && object["spec"]["directResponse"]["statusCode"] == 404
    });
    // Another route of the same host could take what this rule keeps from it.
    let hosts = list(route, "/spec/hostnames");
    let alone = objects.iter().all(|other| {
        other["kind"] != "HTTPRoute"
            || std::ptr::eq(other, route)
            || other["metadata"] == route["metadata"]
            || list(other, "/spec/hostnames")
                .iter()
                .all(|host| !hosts.contains(host))
                && !list(other, "/spec/hostnames").is_empty()
    });
    let own = list(route, "/spec/rules").iter().enumerate();
    let mut others = own.filter(|(other, _)| *other != at);
    let only = others.all(|(_, other)| {
        list(other, "/matches")
            .iter()
            .all(|one| text(one, "/path/value") != "/" || text(one, "/path/type") != "PathPrefix")
    });
    (everything && answers && alone && only && !hosts.is_empty()).then_some(NOT_FOUND)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rule(kind: &str, value: &str) -> Value {
        json!({"matches": [{"path": {"type": kind, "value": value}}]})
    }

    #[test]
    fn order_matters_only_between_equals() {
        let regex = "RegularExpression";
        for (one, other, expect) in [
            (rule("Exact", "/a"), rule("PathPrefix", "/"), Some(RANKED)),
            (rule("Exact", "/a"), rule("Exact", "/b"), Some(DISJOINT)),
            (rule("PathPrefix", "/a"), rule("PathPrefix", "/a"), None),
            (rule("PathPrefix", "/ab"), rule("PathPrefix", "/a"), Some(RANKED)),
            (rule(regex, "/[ab]c"), rule(regex, "/[bc]c"), None),
            (rule(regex, "(?i)/a.*"), rule(regex, "(?i)/b.*"), Some(DISJOINT)),
            (rule(regex, "(?i)/A.*"), rule(regex, "(?i)/a.+"), None),
        ] {
            assert_eq!(swapped(&one, &other), expect, "{one} {other}");
        }
    }

    #[test]
    fn patterns_are_apart_when_their_heads_are() {
        for (one, other, expect) in [
            ("(?i)/a.*", "/b.*", true),
            ("/ab?c", "/ac", false),
            ("/ab*", "/a", false),
            ("/a|/b", "/b", false),
            ("/[a]", "/b", false),
        ] {
            assert_eq!(apart(one, other), expect, "{one} {other}");
        }
    }

    #[test]
    fn case_matters_to_letters() {
        assert_eq!(caseless("/[0-9]+(/|$)(.*)"), Some(CASELESS));
        assert_eq!(caseless(r"/\d+"), Some(CASELESS));
        assert_eq!(caseless("/v1"), None);
    }
}

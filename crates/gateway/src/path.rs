//! Path matches: what Envoy compares with the normalised request path.

use std::fmt::Write as _;

use gateway_api::httproutes::{HttpRouteRulesMatchesPath, HttpRouteRulesMatchesPathType};

/// Longest `path.value` of Gateway API.
pub(crate) const MAX_PATH: usize = 1024;

pub(crate) fn exact(path: &str) -> HttpRouteRulesMatchesPath {
    value(HttpRouteRulesMatchesPathType::Exact, encode(path))
}

pub(crate) fn prefix(path: &str) -> HttpRouteRulesMatchesPath {
    let trimmed = path.trim_end_matches('/');
    let path = if trimmed.is_empty() { "/" } else { trimmed };
    value(HttpRouteRulesMatchesPathType::PathPrefix, encode(path))
}

pub(crate) fn regex(re2: String) -> HttpRouteRulesMatchesPath {
    value(HttpRouteRulesMatchesPathType::RegularExpression, re2)
}

fn value(kind: HttpRouteRulesMatchesPathType, value: String) -> HttpRouteRulesMatchesPath {
    HttpRouteRulesMatchesPath {
        r#type: Some(kind),
        value: Some(value),
    }
}

/// The source proxy compares decoded paths, Envoy the text of the request: every byte that
/// cannot stand in a request path by itself is written in its encoded form.
fn encode(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-/._~!$&'()*+,;=:@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Whether no normalised request path can be equal to it or lie below it.
pub(crate) fn never_requested(path: &str) -> bool {
    !path.starts_with('/')
        || path.contains("//")
        || path
            .split('/')
            .any(|segment| segment == "." || segment == "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_bytes_are_encoded() {
        assert_eq!(encode("/sp ace/é%"), "/sp%20ace/%C3%A9%25");
        assert_eq!(encode("/a+b;v=1@x"), "/a+b;v=1@x");
    }

    #[test]
    fn a_final_slash_is_no_part_of_a_prefix() {
        assert_eq!(prefix("/bar/").value.as_deref(), Some("/bar"));
        assert_eq!(prefix("/").value.as_deref(), Some("/"));
    }

    #[test]
    fn paths_that_normalisation_removes_are_never_requested() {
        for path in ["", "x", "/a//b", "/a/./b", "/.."] {
            assert!(never_requested(path), "{path}");
        }
        for path in ["/", "/a/...", "/.well-known/x", "/a/"] {
            assert!(!never_requested(path), "{path}");
        }
    }
}

//! Path matches: what Envoy compares with the normalised request path.

use std::fmt::Write as _;

use gateway_api::httproutes::{HttpRouteRulesMatchesPath, HttpRouteRulesMatchesPathType};
use gatewright_diagnostics::Code;
use gatewright_model::pattern::{Pattern, escape_re2, is_reserved};

use crate::order::Ranked;

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

/// An exact path (or, as a prefix, what lies below it too) that holds characters which Envoy
/// compares as they were sent, and the source proxy decoded: a pattern takes them in every form,
/// also with the digits of their escapes in lower case. `None` for other paths.
pub(crate) fn spelled(path: &str, prefix: bool) -> Option<Ranked> {
    let letters = |byte: u8| byte >> 4 > 9 || byte & 15 > 9;
    if !path
        .bytes()
        .any(|b| is_reserved(b) || is_escaped(b) && letters(b))
    {
        return None;
    }
    let (path, end) = if prefix {
        (path.trim_end_matches('/'), "(?:/.*)?$")
    } else {
        (path, "$")
    };
    let pattern = Pattern::parse_case_sensitive(&format!("{}{end}", escape_re2(path))).ok()?;
    let text = pattern.to_re2().ok()?.for_encoded_path().match_prefix();
    let pattern = Some(pattern);
    Some(Ranked { pattern, text })
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
        if is_escaped(byte) {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        } else {
            out.push(char::from(byte));
        }
    }
    out
}

/// Whether a byte is written in its encoded form.
fn is_escaped(byte: u8) -> bool {
    !byte.is_ascii_alphanumeric() && !b"-/._~!$&'()*+,;=:@".contains(&byte)
}

/// Whether no normalised request path can be equal to it or lie below it.
pub(crate) fn never_requested(path: &str) -> bool {
    !path.starts_with('/')
        || path.contains("//")
        || path
            .split('/')
            .any(|segment| segment == "." || segment == "..")
}

/// A match for all paths that begin with a text, in place of one that cannot be said.
pub(crate) struct Wider {
    /// What they begin with.
    pub(crate) head: String,
    /// Whether it takes all paths that begin so.
    all: bool,
    /// The RE2 text that matches the whole path.
    pub(crate) text: String,
    pattern: Option<Pattern>,
}

impl Wider {
    /// In the place of a pattern.
    pub(crate) fn shut(self, code: Code) -> (Ranked, Option<Shut>) {
        let ranked = Ranked {
            pattern: self.pattern,
            text: self.text,
        };
        let head = self.all.then_some(self.head);
        (ranked, Some(Shut { head, code }))
    }
}

/// Why the paths of a route answer 503.
pub(crate) struct Shut {
    /// All paths that begin so are taken; none when it is not as simple as that.
    pub(crate) head: Option<String>,
    /// The code that says why.
    pub(crate) code: Code,
}

/// All paths that begin as `head` does; with less of it where that would be too long.
pub(crate) fn wider(head: &str, fold: bool) -> Wider {
    let mut end = head.len();
    loop {
        end = (0..=end)
            .rev()
            .find(|&at| head.is_char_boundary(at))
            .unwrap_or(0);
        let head = if end == 0 { "/" } else { &head[..end] };
        let escaped = escape_re2(head);
        let pattern = if fold {
            Pattern::parse(&escaped)
        } else {
            Pattern::parse_case_sensitive(&escaped)
        };
        let text = pattern
            .as_ref()
            .ok()
            .and_then(|pattern| pattern.to_re2().ok())
            .map(|re2| re2.for_encoded_path().match_prefix());
        match text {
            // Room is left to lengthen it by.
            Some(text) if text.len() <= MAX_PATH / 2 => {
                return Wider {
                    head: head.to_owned(),
                    all: true,
                    text,
                    pattern: pattern.ok(),
                };
            }
            _ if end == 0 => {
                return Wider {
                    head: "/".to_owned(),
                    all: true,
                    text: "/.*".to_owned(),
                    pattern: None,
                };
            }
            _ => end = end * 3 / 4,
        }
    }
}

/// What a pattern matches without the parts that cannot be said.
pub(crate) fn loosened(pattern: &Pattern) -> Option<Wider> {
    let pattern = pattern.loosened()?;
    let re2 = pattern.to_re2().ok()?;
    let text = re2.for_encoded_path().match_prefix();
    let all = wider(&pattern.required_literal_prefix(), true);
    (text.len() <= MAX_PATH / 2).then_some(Wider {
        head: all.head,
        all: all.text == text,
        text,
        pattern: Some(pattern),
    })
}

/// What stands in front of the first character that means something in a pattern.
pub(crate) fn plain_head(text: &str) -> &str {
    let text = text.strip_prefix('^').unwrap_or(text);
    let special = |c: char| "\\^$.|?*+()[]{}".contains(c);
    // An alternative need not begin like the first one.
    if text.contains('|') {
        return "";
    }
    match text.find(special) {
        None => text,
        Some(at) => {
            let head = &text[..at];
            // The last character may be repeated zero times.
            match text[at..].chars().next() {
                Some('?' | '*' | '{') => {
                    let last = head.chars().next_back().map_or(0, char::len_utf8);
                    &head[..head.len() - last]
                }
                _ => head,
            }
        }
    }
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
    fn what_is_wider_is_short_and_takes_all_that_begins_so() {
        let text = |head: &str| wider(head, true).text;
        assert_eq!(text("/admin"), "(?i)/admin.*");
        assert_eq!(text(""), "(?i)/.*");
        let long = wider(&format!("/{}", "é".repeat(900)), false);
        assert!(long.text.len() <= MAX_PATH / 2 && long.head.len() > 20);
        assert!(!long.text.starts_with("(?i)"));
    }

    #[test]
    fn the_plain_head_is_what_every_reading_begins_with() {
        for (text, head) in [
            ("/admin(", "/admin"),
            ("^/a[", "/a"),
            ("/ab*(", "/a"),
            ("/a|/b(", ""),
            ("(", ""),
            ("?", ""),
        ] {
            assert_eq!(plain_head(text), head, "{text}");
        }
    }

    #[test]
    fn reserved_characters_are_taken_in_either_form() {
        let text = |path, prefix| spelled(path, prefix).map(|ranked| ranked.text);
        assert_eq!(text("/admin", true), None);
        assert_eq!(
            text("/admin@x/", true).as_deref(),
            Some("/admin(?:@|%40)x(?:/.*)?$")
        );
        assert_eq!(
            text("/a|é b", true).as_deref(),
            Some("/a(?:\\||%7[Cc])%[Cc]3%[Aa]9%20b(?:/.*)?$")
        );
        assert_eq!(text("/sp ace", true), None);
        assert_eq!(
            text("/a+é", false).as_deref(),
            Some("/a(?:\\+|%2[Bb])%[Cc]3%[Aa]9$")
        );
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

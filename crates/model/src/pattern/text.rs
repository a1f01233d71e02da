//! RE2 texts for paths that are no patterns.

use super::print::re2_literal;

/// The RE2 text that matches `text` and nothing else.
pub fn escape_re2(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match u8::try_from(char) {
            Ok(byte) if byte.is_ascii() => out.push_str(&re2_literal(byte)),
            _ => out.push(char),
        }
    }
    out
}

/// The RE2 text that matches, as a whole, a path and what lies below it: `/foo` and
/// `/foo/…`, but not `/foobar`.
pub fn segment_prefix_re2(path: &str) -> String {
    let path = path.strip_suffix('/').unwrap_or(path);
    format!("{}(?:/.*)?", escape_re2(path))
}

/// What follows the `^` of a pattern that is found at the start only; `None` when it may be
/// found elsewhere, as either side of an alternation outside of parentheses may.
pub fn after_anchor(text: &str) -> Option<&str> {
    let rest = text.strip_prefix('^')?;
    let (mut depth, mut class, mut chars) = (0_u32, false, rest.chars().peekable());
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            '[' if !class => {
                class = true;
                chars.next_if_eq(&'^');
                // The first one is a member.
                chars.next_if_eq(&']');
            }
            ']' => class = false,
            '(' if !class => depth += 1,
            ')' if !class => depth = depth.saturating_sub(1),
            '|' if !class && depth == 0 => return None,
            _ => {}
        }
    }
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::{after_anchor, escape_re2, segment_prefix_re2};

    #[test]
    fn special_characters_are_escaped() {
        assert_eq!(escape_re2("/a.b+(c)é|{1}"), r"/a\.b\+\(c\)é\|\{1\}");
    }

    #[test]
    fn a_prefix_ends_at_a_segment() {
        let check = |path, matching: &[&str], not: &[&str]| {
            let text = format!(r"\A(?:{})\z", segment_prefix_re2(path));
            let regex = regex::Regex::new(&text).unwrap();
            assert!(matching.iter().all(|path| regex.is_match(path)), "{text}");
            assert!(!not.iter().any(|path| regex.is_match(path)), "{text}");
        };
        check(
            "/foo",
            &["/foo", "/foo/", "/foo/x"],
            &["/foobar", "/FOO", "/"],
        );
        check("/v1.0/", &["/v1.0", "/v1.0/x"], &["/v1x0", "/v1.0x"]);
        check("/", &["/", "/x"], &[]);
    }

    #[test]
    fn anchors_hold_for_the_whole_pattern() {
        assert_eq!(after_anchor("^/(a|b)$"), Some("/(a|b)$"));
        assert_eq!(after_anchor("^/[|]\\|x"), Some("/[|]\\|x"));
        assert_eq!(after_anchor("^/a|/b"), None);
        assert_eq!(after_anchor("^[](]|/b"), None);
        assert_eq!(after_anchor("^[^](|]/b"), Some("[^](|]/b"));
        assert_eq!(after_anchor("/a"), None);
    }
}

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

#[cfg(test)]
mod tests {
    use super::{escape_re2, segment_prefix_re2};

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
}

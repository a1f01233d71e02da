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

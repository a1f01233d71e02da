//! How a string is written, so that kubectl and other YAML readers read the same string.

use std::fmt::Write;

use crate::number;
use crate::resolve::{self, Resolved};

/// The form of a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Plain,
    Single,
    Double,
    /// A literal block with this chomping indicator.
    Literal(&'static str),
}

/// The form for a value; `block` says whether a block scalar may stand there.
pub(crate) fn form(text: &str, block: bool) -> Form {
    if is_ordinary(text) {
        return Form::Plain;
    }
    if text.is_empty() || (looks_typed(text) && text != "<<") {
        return Form::Double;
    }
    if text.contains('\n') {
        return if block { literal(text) } else { Form::Double };
    }
    if !text.chars().all(is_printable) {
        return Form::Double;
    }
    if is_plain(text) {
        Form::Plain
    } else {
        Form::Single
    }
}

const ORDINARY: [bool; 256] = {
    let mut ordinary = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        ordinary[byte as usize] =
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/');
        byte += 1;
    }
    ordinary
};

/// Whether it is made of what names and absolute paths are made of, which is nearly all text of
/// Kubernetes objects: no reader sees more in it than text, unless it is a word such as `on`.
fn is_ordinary(text: &str) -> bool {
    let bytes = text.as_bytes();
    matches!(bytes, [b'/' | b'a'..=b'z' | b'A'..=b'Z', ..])
        && bytes.iter().all(|b| ORDINARY[usize::from(*b)])
        && resolve::plain(text) == Resolved::Text
}

/// Whether some reader would not take the plain text for a string: kubectl's, one of YAML 1.1
/// (base 60, dates, `=`), or one of YAML 1.2.
fn looks_typed(text: &str) -> bool {
    if text.len() > 64 {
        // Only digits and underscores could still make a number of it.
        return text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
    }
    resolve::plain(text) != Resolved::Text
        || text == "="
        || number::is_number_of_any_size(text)
        || is_base_60(text)
        || resolve::is_timestamp(text)
}

/// `190:20:30.15`, a number in the older YAML.
fn is_base_60(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    text.contains(':')
        && text.starts_with(|c: char| c.is_ascii_digit())
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b':' | b'_' | b'.'))
}

fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let first_ok = match bytes[0] {
        b'-' | b'?' | b':' => !matches!(bytes.get(1), None | Some(b' ')),
        b',' | b'[' | b']' | b'{' | b'}' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\''
        | b'"' | b'%' | b'@' | b'`' | b' ' => false,
        _ => text != "<<",
    };
    first_ok
        && !text.ends_with([' ', ':'])
        && !text.starts_with("---")
        && !text.starts_with("...")
        && !text.contains(": ")
        && !text.contains(" #")
}

/// What the reader takes unescaped. Line separators and the byte order mark are left out: some
/// readers treat them as breaks.
const fn is_printable(c: char) -> bool {
    matches!(c, ' '..='~' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{d7ff}'
        | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}' | '\u{10000}'..)
}

/// A literal block if each line survives it, else double quotes. The first line decides the
/// indentation, so it must have text and no space in front.
fn literal(text: &str) -> Form {
    let body = text.trim_end_matches('\n');
    let readable = |c| c == '\n' || c == '\t' || is_printable(c);
    if body.is_empty()
        || body.starts_with([' ', '\t', '\n'])
        || !text.chars().all(readable)
        || body
            .split('\n')
            .any(|line| !line.is_empty() && line.trim().is_empty())
    {
        return Form::Double;
    }
    Form::Literal(match text.len() - body.len() {
        0 => "-",
        1 => "",
        _ => "+",
    })
}

pub(crate) fn single(out: &mut String, text: &str) {
    out.push('\'');
    for (at, part) in text.split('\'').enumerate() {
        if at > 0 {
            out.push_str("''");
        }
        out.push_str(part);
    }
    out.push('\'');
}

pub(crate) fn double(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if is_printable(c) => out.push(c),
            _ => escape(out, c),
        }
    }
    out.push('"');
}

fn escape(out: &mut String, c: char) {
    let code = u32::from(c);
    // Writing to a string cannot fail.
    let _ = match code {
        0..=0xff => write!(out, "\\x{code:02X}"),
        0x100..=0xffff => write!(out, "\\u{code:04X}"),
        _ => write!(out, "\\U{code:08X}"),
    };
}

/// The text of a comment on one line: whatever could end the line is escaped.
pub(crate) fn comment(out: &mut String, text: &str) {
    out.push('#');
    if !text.is_empty() {
        out.push(' ');
    }
    let text = text.trim_end();
    if text.bytes().all(|b| matches!(b, b' '..=b'~')) {
        out.push_str(text);
        out.push('\n');
        return;
    }
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push(' '),
            _ if is_printable(c) => out.push(c),
            _ => escape(out, c),
        }
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(form_expected: Form, texts: &[&str]) {
        for text in texts {
            assert_eq!(form(text, true), form_expected, "{text:?}");
        }
    }

    #[test]
    fn plain_where_it_reads_back() {
        check(
            Form::Plain,
            &[
                "a",
                "a b",
                "a:b",
                "http://x/y?z#a",
                "-a",
                "?a",
                ":a",
                "a#b",
                "1.2.3",
                "10m",
                "é",
                "😀",
                "/",
                "*a"[1..].into(),
                "~x",
                "^/(.*)$",
                "$2",
                "a'b",
                "a\"b",
                "a,b",
                "x-y: z"[..3].into(),
                "=a",
                "nginx.ingress.kubernetes.io/x",
                "0xyz",
                "1e",
            ],
        );
    }

    #[test]
    fn single_quotes_for_indicators() {
        check(
            Form::Single,
            &[
                "a: b",
                "a #b",
                "a:",
                " a",
                "a ",
                "*",
                "&a",
                "!a",
                "#a",
                "- a",
                "-",
                "?",
                ":",
                "{a",
                "[a",
                "}",
                "]",
                ",",
                "%a",
                "@a",
                "`a",
                "|",
                ">",
                "'a",
                "\"a",
                "---",
                "...",
                "--- a",
                "*.example.com",
            ],
        );
    }

    #[test]
    fn double_quotes_for_other_types_and_escapes() {
        check(
            Form::Double,
            &[
                "",
                "on",
                "Off",
                "y",
                "N",
                "yes",
                "null",
                "~",
                "true",
                "1",
                "1_000",
                "0x1f",
                "1e3",
                "017",
                "0o17",
                "0x1111111111111111F",
                "-0o7777777777777777777777_7",
                "1e999",
                ".5",
                ".inf",
                "1:30",
                "2001-01-01",
                "=",
                "a\tb",
                "\u{1}",
                "\u{85}",
                "\u{feff}a",
                "a\u{2028}",
                "\n",
                "\na",
                " a\nb",
                "a\n \nb",
                "a\r\nb",
            ],
        );
    }

    #[test]
    fn blocks_for_lines() {
        check(Form::Literal("-"), &["a\nb", "a\n\n  b", "a\n\tb", "a \nb"]);
        check(Form::Literal(""), &["a\n", "a: b\nc #d\n"]);
        check(Form::Literal("+"), &["a\n\n"]);
        assert_eq!(form("a\nb", false), Form::Double);
    }

    #[test]
    fn comments_stay_on_their_line() {
        let mut out = String::new();
        comment(&mut out, "a\nb: c\r\u{85}\u{2028}d  ");
        comment(&mut out, "");
        assert_eq!(out, "# a\\nb: c\\r\\x85\\u2028d\n#\n");
    }
}

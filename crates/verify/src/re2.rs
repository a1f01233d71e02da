//! RE2's syntax, written for Rust's engines on bytes.
//!
//! The two differ in a class (`[` opens a nested one in Rust, `&&` intersects), in braces that
//! are no repetition, in `\<`, `\Q…\E`, `\C` and in `\s`, which has no vertical tab in RE2.

/// A text that matches what RE2 matches as a whole (`RE2::FullMatch`).
pub(crate) fn whole(text: &str) -> Result<String, String> {
    Ok(format!(r"(?-u)\A(?:{})\z", rust(text)?))
}

/// A text that is found where RE2 finds it (`RE2::PartialMatch`).
pub(crate) fn anywhere(text: &str) -> Result<String, String> {
    Ok(format!("(?-u){}", rust(text)?))
}

/// The pattern itself.
fn rust(text: &str) -> Result<String, String> {
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text;
    let mut class: Option<usize> = None;
    while let Some(c) = rest.chars().next() {
        let tail = &rest[c.len_utf8()..];
        rest = match c {
            '\\' => escape(tail, class.is_some(), &mut out)?,
            '[' if class.is_none() => {
                out.push('[');
                let mut after = tail;
                if let Some(more) = after.strip_prefix('^') {
                    out.push('^');
                    after = more;
                }
                if let Some(more) = after.strip_prefix(']') {
                    out.push_str(r"\]");
                    after = more;
                }
                class = Some(out.len());
                after
            }
            ']' if class.is_some() => {
                class = None;
                out.push(']');
                tail
            }
            '[' => {
                let name = tail.starts_with(':').then(|| tail.find(":]")).flatten();
                let end = name.map_or(0, |at| at + 2);
                out.push_str(if name.is_some() { "[" } else { r"\[" });
                out.push_str(&tail[..end]);
                &tail[end..]
            }
            '&' | '~' if class.is_some() => {
                out.push('\\');
                out.push(c);
                tail
            }
            '-' if class.is_some() && tail.starts_with('-') => {
                out.push_str(r"\-");
                tail
            }
            '{' if class.is_none() && !repeats(tail) => {
                out.push_str(r"\{");
                tail
            }
            '{' if class.is_none() => {
                let end = tail.find('}').map_or(tail.len(), |at| at + 1);
                out.push('{');
                out.push_str(&tail[..end]);
                &tail[end..]
            }
            '}' if class.is_none() => {
                out.push_str(r"\}");
                tail
            }
            c => {
                out.push(c);
                tail
            }
        };
    }
    if class.is_some() {
        return Err("a class is not closed".to_owned());
    }
    Ok(out)
}

/// Whether `n}`, `n,}` or `n,m}` follows a brace.
fn repeats(text: &str) -> bool {
    let Some((inside, _)) = text.split_once('}') else {
        return false;
    };
    let (low, high) = inside.split_once(',').unwrap_or((inside, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    !low.is_empty() && digits(low) && digits(high)
}

fn escape<'t>(text: &'t str, class: bool, out: &mut String) -> Result<&'t str, String> {
    let Some(c) = text.chars().next() else {
        return Err("a backslash ends the pattern".to_owned());
    };
    let tail = &text[c.len_utf8()..];
    match c {
        'Q' if !class => {
            let (quoted, rest) = tail.split_once(r"\E").unwrap_or((tail, ""));
            out.push_str(&regex::escape(quoted));
            return Ok(rest);
        }
        'C' if !class => out.push_str("(?s-u:.)"),
        's' if class => out.push_str(r"\t\n\x0C\r "),
        's' => out.push_str(r"[\t\n\x0C\r ]"),
        'S' => out.push_str(r"[^\t\n\x0C\r ]"),
        '1'..='9' => return Err(format!(r"RE2 has no back-reference `\{c}`")),
        '0' => out.push_str(r"\x00"),
        '<' | '>' => out.push(c),
        c if c.is_ascii_alphabetic() && !"dDwWbBAznrtfvaxpP".contains(c) => {
            return Err(format!(r"RE2 has no escape `\{c}`"));
        }
        c => {
            out.push('\\');
            out.push(c);
        }
    }
    Ok(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, matching: &[&str], not: &[&str]) {
        let regex = regex::bytes::Regex::new(&whole(pattern).unwrap()).unwrap();
        for text in matching {
            assert!(regex.is_match(text.as_bytes()), "{pattern} {text}");
        }
        for text in not {
            assert!(!regex.is_match(text.as_bytes()), "{pattern} {text}");
        }
    }

    #[test]
    fn what_differs_is_written_otherwise() {
        check(r"/a{", &["/a{"], &["/a"]);
        check(r"/a{2}", &["/aa"], &["/a"]);
        check(r"/[^[]+", &["/a]"], &["/["]);
        check(r"/[]x]", &["/]", "/x"], &["/"]);
        check(r"/[[:digit:]&&~]+", &["/1&~"], &["/a"]);
        check(r"/[a\-z]", &["/-"], &["/b"]);
        check(r"\Q/a.b\E.*", &["/a.bc"], &["/axb"]);
        check(r"\<a\>", &["<a>"], &["a"]);
        check(r"(?i)/foo(/|$)(.*)", &["/foo", "/FOO/x"], &["/foox"]);
        check(r"a\s", &["a "], &["a\u{b}"]);
        assert!(whole(r"(a)\1").is_err());
        assert!(whole("[a").is_err());
    }

    #[test]
    fn a_pattern_is_matched_as_a_whole() {
        check("/a|/b", &["/a", "/b"], &["/ab", "x/b"]);
        check("/a.*.*?", &["/a", "/a/b"], &["/b"]);
    }
}

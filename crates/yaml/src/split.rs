//! Cuts a stream into documents as kubectl does: by text, before any YAML is read.

use std::ops::Range;

use memchr::memmem;

/// One document of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// Its text, without separators and without a byte order mark.
    pub(crate) range: Range<usize>,
    /// What follows `---` on the separator in front of it, if kubectl refuses that.
    pub(crate) bad_separator: Option<Range<usize>>,
}

/// The documents of `text`, empty ones included.
pub(crate) fn split(text: &str) -> impl Iterator<Item = Chunk> + '_ {
    let mut at = 0;
    let mut done = false;
    // Only a separator in the first line has nothing in front of it.
    let mut pending = separator(text, 0);
    if let Some((_, next)) = &pending {
        at = *next;
    }
    std::iter::from_fn(move || {
        if done {
            return None;
        }
        let bad_separator = pending.take().and_then(|(bad, _)| bad);
        let start = at;
        // The line break in front of `at` counts: two separators may follow each other.
        let before = at.saturating_sub(1);
        let end = if let Some(found) = memmem::find(&text.as_bytes()[before..], b"\n---") {
            let line = before + found + 1;
            pending = separator(text, line);
            at = pending.as_ref().map_or(text.len(), |(_, next)| *next);
            line
        } else {
            done = true;
            text.len()
        };
        let mark = text[start..end]
            .strip_prefix('\u{feff}')
            .map_or(0, |_| '\u{feff}'.len_utf8());
        Some(Chunk {
            range: start + mark..end,
            bad_separator,
        })
    })
}

/// The separator whose line starts at `at`: what is wrong behind it, and where the next line
/// starts.
fn separator(text: &str, at: usize) -> Option<(Option<Range<usize>>, usize)> {
    let line = text.get(at..)?.strip_prefix("---")?;
    let end = memchr::memchr(b'\n', line.as_bytes()).unwrap_or(line.len());
    let behind = line[..end].trim();
    let bad = (!behind.is_empty() && !behind.starts_with('#')).then(|| {
        let start = at + 3 + (end - line[..end].trim_start().len());
        start..start + behind.len()
    });
    Some((bad, (at + 3 + end + 1).min(text.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &[&str]) {
        let found: Vec<_> = split(text)
            .map(|chunk| match chunk.bad_separator {
                Some(bad) => format!("!{}!{}", &text[bad], &text[chunk.range]),
                None => text[chunk.range].to_owned(),
            })
            .collect();
        assert_eq!(found, expect, "{text:?}");
    }

    #[test]
    fn lines_of_dashes_separate() {
        check("", &[""]);
        check("a", &["a"]);
        check("---", &[""]);
        check("---\na\n---\nb\n", &["a\n", "b\n"]);
        check("a\n---\n---\nb", &["a\n", "", "b"]);
        check("a\n--- # why\nb\n---", &["a\n", "b\n", ""]);
        check("a: ---\n ---\n--\n", &["a: ---\n ---\n--\n"]);
        check("a\r\n---\r\nb\r\n", &["a\r\n", "b\r\n"]);
        check("---\n---\n---\n", &["", "", ""]);
    }

    #[test]
    fn content_on_a_separator_is_noted() {
        check("a\n---  {b: 1} \nc\n", &["a\n", "!{b: 1}!c\n"]);
        check("---- \nc\n", &["!-!c\n"]);
    }

    #[test]
    fn byte_order_marks_vanish() {
        check("\u{feff}a\n---\n\u{feff}b", &["a\n", "b"]);
        check("a\u{feff}", &["a\u{feff}"]);
    }
}

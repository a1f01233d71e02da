//! Making foreign text harmless: a manifest must not be able to move the cursor, retitle
//! the terminal or reorder what the reader sees.

use std::borrow::Cow;

/// `text` on one line without control, direction and invisible characters; each is
/// replaced by a visible one.
pub fn printable(text: &str) -> Cow<'_, str> {
    // Most is, and bytes are compared many at once.
    let simple = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if simple || text.chars().all(|c| visible(c) == c) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(visible).collect())
}

/// Like [`printable`], but keeps line breaks.
pub fn printable_lines(text: &str) -> Cow<'_, str> {
    if text.contains('\n') {
        Cow::Owned(
            text.split('\n')
                .map(printable)
                .collect::<Vec<_>>()
                .join("\n"),
        )
    } else {
        printable(text)
    }
}

/// Like [`printable`], but the result has the length of `text` in bytes, so that spans
/// stay true, and keeps line breaks, tabs and what the snippet renderer replaces itself.
pub(super) fn same_length(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || text.chars().all(|c| c.is_ascii() || visible(c) == c) {
        return Cow::Borrowed(text);
    }
    let replaced = |c: char| match (visible(c) == c || c.is_ascii(), c.len_utf8()) {
        (true, _) => c,
        (false, 2) => '·',
        (false, 3) => '\u{fffd}',
        // Planes beyond the first have no control characters that `visible` replaces
        // except the tags, for which any character of the same length will do.
        (false, _) => '\u{10_fffd}',
    };
    Cow::Owned(text.chars().map(replaced).collect())
}

fn visible(c: char) -> char {
    match c {
        '\t' => ' ',
        '\0'..='\u{1f}' => char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}'),
        '\u{7f}' => '\u{2421}',
        '\u{80}'..='\u{9f}'
        | '\u{ad}'
        | '\u{61c}'
        // Not U+200D, which joins emoji.
        | '\u{200b}'..='\u{200c}'
        | '\u{200e}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{e0000}'..='\u{e007f}' => '\u{fffd}',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_become_visible() {
        assert_eq!(printable("plain é 日本"), "plain é 日本");
        assert_eq!(printable("a\u{1b}[31mb\r\nc\td"), "a␛[31mb␍␊c d");
        assert_eq!(
            printable("a\u{9b}31m\u{202e}b\u{200b}"),
            "a\u{fffd}31m\u{fffd}b\u{fffd}"
        );
    }

    #[test]
    fn lengths_in_bytes_stay() {
        for text in [
            "x",
            "a\u{9b}b",
            "\u{202e}\u{200b}",
            "\u{e0041}",
            "a\u{1b}\n\tb",
        ] {
            let same = same_length(text);
            assert_eq!(same.len(), text.len(), "{text:?}");
            assert!(!same.contains(['\u{9b}', '\u{202e}', '\u{e0041}']));
        }
    }
}

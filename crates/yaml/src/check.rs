use crate::fault::Fault;

/// Refuses the characters that kubectl refuses anywhere in a YAML document. `base` is where the
/// text stands in its file.
pub(crate) fn characters(text: &str, base: usize) -> Result<(), Fault> {
    // The bytes 0x7f and above 0xbf of multi-byte characters are looked at one by one; other
    // text passes at the speed of memory.
    let plain = |b: u8| matches!(b, b' '..=b'~' | b'\n' | b'\r' | b'\t');
    if text.bytes().all(plain) {
        return Ok(());
    }
    for (at, c) in text.char_indices() {
        if !is_allowed(c) {
            let start = base + at;
            return Err(Fault::syntax(
                start..start + c.len_utf8(),
                format!(
                    "the control character U+{:04X} is not allowed",
                    u32::from(c)
                ),
            )
            .help("delete it, or write it as an escape in a double-quoted string"));
        }
    }
    Ok(())
}

const fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{d7ff}'
        | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_refused() {
        for text in ["a\u{0}", "\u{7f}", "é\u{9f}", "\u{ffff}", "\u{1b}"] {
            assert!(characters(text, 0).is_err(), "{text:?}");
        }
        for text in ["", "a\tb\r\n", "é\u{85}\u{2028}", "😀", "\u{fffd}"] {
            assert!(characters(text, 0).is_ok(), "{text:?}");
        }
        assert_eq!(characters("é\u{1}", 10).unwrap_err().range, 12..13);
    }
}

use std::ops::Range;

use crate::fault::Fault;
use crate::source::Source;

/// Refuses the escapes of a double-quoted scalar that the parser takes from JSON but kubectl
/// does not take in YAML.
pub(crate) fn check(source: &Source<'_>, range: &Range<usize>) -> Result<(), Fault> {
    let raw = source.text()[range.clone()].as_bytes();
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'\\', &raw[at..]) {
        at += found;
        let (len, message, help) = match &raw[at + 1..] {
            [b'/', ..] => (
                2,
                "YAML as kubectl reads it has no escape `\\/`",
                "write `/` alone",
            ),
            [
                b'u',
                b'd' | b'D',
                b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F',
                ..,
            ] => (
                6,
                "kubectl reads no surrogate escapes in YAML",
                "write the character itself, or `\\U` with eight digits",
            ),
            _ => {
                at += 2;
                continue;
            }
        };
        let start = range.start + at;
        let place = source.original(&(start..(start + len).min(range.end)));
        return Err(Fault::syntax(place, message).help(help));
    }
    Ok(())
}

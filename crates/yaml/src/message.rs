use granit_parser::ScanError;

use crate::fault::{Fault, MAX_DEPTH, too_deep};

/// The fault of a parser error in `chunk`, which stands at `base` in its file.
pub(crate) fn fault(error: &ScanError, chunk: &str, base: usize) -> Fault {
    let mut at = error.marker().byte_offset().unwrap_or(0).min(chunk.len());
    while !chunk.is_char_boundary(at) {
        at -= 1;
    }
    let len = chunk[at..].chars().next().map_or(0, char::len_utf8);
    let place = base + at..base + at + len;
    let info = error.info();
    if info.contains("nesting") && info.contains(&(MAX_DEPTH + 1).to_string()) {
        return too_deep(place);
    }
    Fault::syntax(place, info)
}

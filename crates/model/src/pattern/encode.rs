//! How a byte of a decoded path is written in a request.

use super::set::ByteSet;

/// A byte that can only be sent percent-encoded.
///
/// Envoy sees a path without its query, and refuses or encodes the others of these.
pub(super) fn is_always_encoded(byte: u8) -> bool {
    matches!(byte, 0..=b' ' | b'%' | b'#' | b'?' | b'\\' | 0x7f..)
}

/// A byte that may be sent encoded or as it is: Envoy compares it as it was sent.
///
/// Of the others it decodes what is encoded needlessly (RFC 3986, section 2.3).
pub(super) fn may_be_encoded(byte: u8) -> bool {
    is_reserved(byte) || matches!(byte, b'"' | b'<' | b'>' | b'^' | b'`' | b'{' | b'|' | b'}')
}

/// A byte that may stand in a path but means something in some other part of a URL (`pchar` of
/// RFC 3986, section 3.3, and brackets, which Envoy leaves alone as well).
pub fn is_reserved(byte: u8) -> bool {
    b"!$&'()*+,;=:@[]".contains(&byte)
}

/// A byte that Envoy always compares as it is.
pub(super) fn is_always_raw(byte: u8) -> bool {
    !is_always_encoded(byte) && !may_be_encoded(byte)
}

/// A byte that may be sent encoded, or is always.
pub(super) fn is_sent_encoded(byte: u8) -> bool {
    is_always_encoded(byte) || may_be_encoded(byte)
}

/// Whether a set holds all that may be sent encoded, and all that the encodings consist of: then
/// it makes no difference how many characters of the text a run takes. A line feed is never told
/// from the other characters that end a line.
pub(super) fn takes_any_encoding(set: &ByteSet) -> bool {
    let needed = (0..=u8::MAX).filter(|byte| {
        let spelling = byte.is_ascii_hexdigit() || *byte == b'%';
        (spelling || is_sent_encoded(*byte)) && *byte != b'\n'
    });
    needed.into_iter().all(|byte| set.contains(byte))
}

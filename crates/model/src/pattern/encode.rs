//! How a byte of a decoded path is written in a request.

/// A byte that can only be sent percent-encoded.
///
/// Envoy sees a path without its query, and refuses or encodes the others of these.
pub(super) fn is_always_encoded(byte: u8) -> bool {
    matches!(byte, 0..=b' ' | b'%' | b'#' | b'?' | b'\\' | 0x7f..)
}

/// A byte that some clients encode, and others send as it is.
pub(super) fn may_be_encoded(byte: u8) -> bool {
    matches!(byte, b'"' | b'<' | b'>' | b'^' | b'`' | b'{' | b'|' | b'}')
}

/// A byte that is never encoded by a client that has no reason to.
pub(super) fn is_always_raw(byte: u8) -> bool {
    !is_always_encoded(byte) && !may_be_encoded(byte)
}

//! The whole way: any text, converted, and all promises asserted.

use crate::promises;

/// More is a matter of speed.
const MAX_TEXT: usize = 8 << 10;

/// Takes a file.
pub fn run(data: &[u8]) {
    if data.len() <= MAX_TEXT {
        promises::hold(&String::from_utf8_lossy(data));
    }
}

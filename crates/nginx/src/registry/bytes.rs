//! Sets of ASCII bytes, built at compile time: the character classes of the controller's
//! validators.

use std::fmt;

/// A set of ASCII bytes. Bytes from 128 on belong to no set, as in the controller's
/// classes, which name ASCII characters only.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ByteSet(u128);

impl ByteSet {
    /// The empty set.
    pub const EMPTY: Self = Self(0);
    /// `0-9`.
    pub const DIGITS: Self = Self::EMPTY.range(b'0', b'9');
    /// `A-Za-z`.
    pub const LETTERS: Self = Self::EMPTY.range(b'a', b'z').range(b'A', b'Z');
    /// `A-Za-z0-9`.
    pub const ALPHANUMERIC: Self = Self::LETTERS.range(b'0', b'9');

    /// This set and all bytes from `first` to `last`.
    #[must_use]
    pub const fn range(self, first: u8, last: u8) -> Self {
        let mut bits = self.0;
        let mut byte = first;
        while byte <= last && byte < 128 {
            bits |= 1 << byte;
            byte += 1;
        }
        Self(bits)
    }

    /// This set and the given bytes.
    #[must_use]
    pub const fn and(self, bytes: &[u8]) -> Self {
        let mut bits = self.0;
        let mut at = 0;
        while at < bytes.len() {
            if bytes[at] < 128 {
                bits |= 1 << bytes[at];
            }
            at += 1;
        }
        Self(bits)
    }

    /// Whether the byte belongs to the set.
    pub const fn contains(self, byte: u8) -> bool {
        byte < 128 && self.0 >> byte & 1 == 1
    }

    /// The place of the first byte of `text` that does not belong, with the whole
    /// character there; blanks are passed over when `blanks` says so.
    pub fn first_outside(self, text: &str, blanks: bool) -> Option<(usize, char)> {
        let at = text
            .bytes()
            .position(|byte| !(self.contains(byte) || blanks && byte == b' '))?;
        // A byte outside ASCII is found at its first byte, so this is a border.
        text.get(at..)?.chars().next().map(|c| (at, c))
    }
}

/// Writes the set as the inside of a regular expression's class.
impl fmt::Display for ByteSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut byte = 0_u8;
        while byte < 128 {
            if !self.contains(byte) {
                byte += 1;
                continue;
            }
            let first = byte;
            let same_kind = |other: u8| {
                (first.is_ascii_digit() && other.is_ascii_digit())
                    || (first.is_ascii_uppercase() && other.is_ascii_uppercase())
                    || (first.is_ascii_lowercase() && other.is_ascii_lowercase())
            };
            while byte + 1 < 128 && self.contains(byte + 1) && same_kind(byte + 1) {
                byte += 1;
            }
            if byte - first >= 2 {
                write!(f, "{}-{}", first as char, byte as char)?;
            } else {
                for b in first..=byte {
                    if matches!(b, b'-' | b'\\' | b']' | b'[' | b'^') {
                        f.write_str("\\")?;
                    }
                    write!(f, "{}", b as char)?;
                }
            }
            byte += 1;
        }
        Ok(())
    }
}

impl fmt::Debug for ByteSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{self}]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_know_their_bytes() {
        let set = ByteSet::ALPHANUMERIC.and(b"-_");
        assert!(set.contains(b'a') && set.contains(b'Z') && set.contains(b'-'));
        assert!(!set.contains(b'.') && !set.contains(200));
        assert_eq!(set.to_string(), "\\-0-9A-Z_a-z");
        assert_eq!(ByteSet::EMPTY.range(b'a', b'b').to_string(), "ab");
    }

    #[test]
    fn the_first_stranger_is_found() {
        let set = ByteSet::LETTERS;
        assert_eq!(set.first_outside("abc", false), None);
        assert_eq!(set.first_outside("ab c", false), Some((2, ' ')));
        assert_eq!(set.first_outside("ab c", true), None);
        assert_eq!(set.first_outside("aé", false), Some((1, 'é')));
    }
}

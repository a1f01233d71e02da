//! Sets of bytes: what one step of a pattern may consume.
//!
//! nginx compiles its patterns without UTF mode, so a step is a byte, a class has
//! 256 possible members, and `é` is two steps.

use std::ops::RangeInclusive;

/// A set of byte values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct ByteSet([u64; 4]);

impl ByteSet {
    pub(super) const EMPTY: Self = Self([0; 4]);
    pub(super) const ALL: Self = Self([u64::MAX; 4]);

    pub(super) fn of(ranges: &[RangeInclusive<u8>]) -> Self {
        let mut set = Self::EMPTY;
        for range in ranges {
            set.insert_range(range.clone());
        }
        set
    }

    pub(super) fn insert(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    pub(super) fn insert_range(&mut self, range: RangeInclusive<u8>) {
        for byte in range {
            self.insert(byte);
        }
    }

    pub(super) fn contains(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] & (1 << (byte & 63)) != 0
    }

    pub(super) fn union(mut self, other: &Self) -> Self {
        for (word, more) in self.0.iter_mut().zip(other.0) {
            *word |= more;
        }
        self
    }

    pub(super) fn intersection(mut self, other: &Self) -> Self {
        for (word, more) in self.0.iter_mut().zip(other.0) {
            *word &= more;
        }
        self
    }

    pub(super) fn complement(mut self) -> Self {
        for word in &mut self.0 {
            *word = !*word;
        }
        self
    }

    pub(super) fn is_empty(&self) -> bool {
        *self == Self::EMPTY
    }

    pub(super) fn is_disjoint(&self, other: &Self) -> bool {
        self.intersection(other).is_empty()
    }

    pub(super) fn is_subset(&self, other: &Self) -> bool {
        self.intersection(other) == *self
    }

    pub(super) fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u8> + '_ {
        (0..=u8::MAX).filter(|byte| self.contains(*byte))
    }

    /// The set with the other case of each of its ASCII letters.
    ///
    /// PCRE's built-in tables are those of the C locale: no other letter has a case.
    pub(super) fn fold(mut self) -> Self {
        // Letters and those of the other case are 32 apart, in the word of the bytes from 64 on.
        const UPPER: u64 = ((1 << 26) - 1) << (b'A' - 64);
        let word = &mut self.0[1];
        *word |= (*word & UPPER) << 32 | (*word >> 32) & UPPER;
        self
    }

    /// The members as ascending ranges that don't touch.
    pub(super) fn ranges(&self) -> Vec<RangeInclusive<u8>> {
        let mut ranges: Vec<RangeInclusive<u8>> = Vec::new();
        for byte in self.iter() {
            match ranges.last_mut() {
                Some(last) if *last.end() == byte.wrapping_sub(1) => {
                    *last = *last.start()..=byte;
                }
                _ => ranges.push(byte..=byte),
            }
        }
        ranges
    }
}

#[cfg(test)]
mod tests {
    use super::ByteSet;

    #[test]
    fn members_come_back_as_ranges() {
        let set = ByteSet::of(&[b'a'..=b'c', b'd'..=b'd', 0..=0, 255..=255]);
        assert_eq!(set.ranges(), [0..=0, b'a'..=b'd', 255..=255]);
        assert_eq!(set.len(), 6);
        assert_eq!(set.complement().complement(), set);
    }

    #[test]
    fn only_ascii_letters_fold() {
        for byte in 0..=u8::MAX {
            let mut both = ByteSet::of(&[byte..=byte]);
            let folded = both.fold();
            if byte.is_ascii_alphabetic() {
                both.insert(byte ^ 0x20);
            }
            assert_eq!(folded, both, "{byte}");
        }
        let set = ByteSet::of(&[b'k'..=b'k', b'['..=b'[', 0xe9..=0xe9]).fold();
        assert_eq!(
            set,
            ByteSet::of(&[b'k'..=b'k', b'K'..=b'K', b'['..=b'[', 0xe9..=0xe9])
        );
    }
}

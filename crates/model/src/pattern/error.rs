//! What is wrong with a pattern, or stands in the way of its translation.

use std::fmt;
use std::ops::Range;

/// A text that PCRE refuses to compile, so that nginx doesn't load its configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternError {
    /// The bytes of the pattern at fault.
    pub range: Range<usize>,
    /// The fault, as a lower-case phrase.
    pub message: String,
    /// What kind of fault it is.
    pub kind: PatternErrorKind,
}

/// The kinds of [`PatternError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PatternErrorKind {
    /// PCRE itself refuses the text.
    Invalid,
}

impl PatternError {
    pub(super) fn invalid(range: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            range,
            message: message.into(),
            kind: PatternErrorKind::Invalid,
        }
    }
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for PatternError {}

/// A part of a pattern for which RE2 has no equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inexpressible {
    /// The bytes of the pattern that hold it.
    pub range: Range<usize>,
    /// Its name, such as `negative lookahead`.
    pub construct: String,
    /// What the writer of the pattern can do about it.
    pub help: String,
}

impl fmt::Display for Inexpressible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RE2 has no {}", self.construct)
    }
}

//! Files, byte spans and line numbers.
//!
//! A [`Span`] is a byte range of one file of a [`SourceMap`]. Nothing here reads
//! the file system: texts are handed in, so the whole pipeline stays pure.

mod file;
mod span;

pub use file::{Position, SourceFile, SourceMap};
pub use span::{FileId, Span, Spanned};

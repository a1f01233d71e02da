//! The text of one document, mended where kubectl is more lenient than the parser.

use std::borrow::Cow;
use std::ops::Range;

use granit_parser::{ErrorKind, Parser, ScanError};

pub(crate) struct Source<'a> {
    text: Cow<'a, str>,
    /// Where the text stands in its file.
    base: usize,
    /// Where blanks or a line break were inserted, and how many, in ascending order.
    inserted: Vec<(usize, usize)>,
}

impl<'a> Source<'a> {
    pub(crate) fn new(text: &'a str, base: usize) -> Self {
        let mut source = Self {
            text: Cow::Borrowed(text),
            base,
            inserted: Vec::new(),
        };
        // kubectl ends every line; to the parser blanks alone are one only if they are ended.
        if text.ends_with(' ') && text.trim_end_matches(' ').ends_with('\n') {
            source.insert(text.len(), "\n");
        }
        source
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The place in the file of a range of the text.
    pub(crate) fn original(&self, range: &Range<usize>) -> Range<usize> {
        if self.inserted.is_empty() {
            return self.base + range.start..self.base + range.end;
        }
        self.original_at(range.start)..self.original_at(range.end)
    }

    fn original_at(&self, at: usize) -> usize {
        let before = |&(start, len): &(usize, usize)| at.saturating_sub(start).min(len);
        self.base + at - self.inserted.iter().map(before).sum::<usize>()
    }

    /// The character that an error points at.
    pub(crate) fn error_at(&self, error: &ScanError) -> usize {
        let mut at = error.marker().byte_offset().unwrap_or(0);
        at = at.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }

    /// Changes blanks so that the parser gets over an error that kubectl does not see, and says
    /// whether there was something to change. Values stay the same.
    pub(crate) fn mend(&mut self, error: &ScanError) -> bool {
        let at = self.error_at(error);
        match error.kind() {
            ErrorKind::CommentNotSeparated if self.text[at..].starts_with('#') => {
                self.insert(at, " ");
            }
            ErrorKind::TabInBlockIndentation => return self.replace_tabs(at),
            _ => return false,
        }
        true
    }

    fn insert(&mut self, at: usize, spaces: &str) {
        self.text.to_mut().insert_str(at, spaces);
        for (start, _) in &mut self.inserted {
            if *start >= at {
                *start += spaces.len();
            }
        }
        self.inserted.push((at, spaces.len()));
        self.inserted.sort_unstable();
    }

    /// Inside of `{}` and `[]` kubectl takes tabs for blanks.
    fn replace_tabs(&mut self, at: usize) -> bool {
        let start = self.text[..at].rfind('\n').map_or(0, |line| line + 1);
        let indent = self.text[start..].bytes();
        let len = indent.take_while(|b| matches!(b, b' ' | b'\t')).count();
        if !self.text[start..start + len].contains('\t') || !is_flow_open(&self.text[..start]) {
            return false;
        }
        let spaces = " ".repeat(len);
        self.text
            .to_mut()
            .replace_range(start..start + len, &spaces);
        true
    }
}

/// Whether a text ends inside of a flow collection, as the parser sees it.
fn is_flow_open(text: &str) -> bool {
    Parser::new_from_str(text).any(|event| {
        event.is_err_and(|error| {
            matches!(
                error.kind(),
                ErrorKind::UnclosedFlowCollection { .. }
                    | ErrorKind::UnexpectedEofFlowMapping
                    | ErrorKind::UnexpectedEofFlowSequence
                    | ErrorKind::UnexpectedEofImplicitFlowMapping
                    | ErrorKind::ExpectedFlowMappingSeparator
                    | ErrorKind::ExpectedFlowSequenceSeparator
            )
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_survive_insertions() {
        let mut source = Source::new("abcdef", 100);
        source.insert(4, "  ");
        source.insert(2, "   ");
        assert_eq!(source.text(), "ab   cd  ef");
        let at = |at| source.original_at(at) - 100;
        assert_eq!(
            [at(0), at(2), at(4), at(5), at(7), at(8), at(9), at(11)],
            [0, 2, 2, 2, 4, 4, 4, 6]
        );
    }

    #[test]
    fn flow_collections_are_seen() {
        for text in ["a: {\n", "a: [1,\n", "a:\n- {b: [\n", "{\"a\": 1,\n"] {
            assert!(is_flow_open(text), "{text}");
        }
        for text in ["a:\n", "a: |\n  {\n", "# {\na: 1\n", "a: [1]\n", ""] {
            assert!(!is_flow_open(text), "{text}");
        }
    }
}

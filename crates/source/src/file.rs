use std::borrow::Cow;
use std::ops::Range;
use std::sync::OnceLock;

use memchr::memchr_iter;

use crate::{FileId, Span};

/// A place as people count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// A named text.
#[derive(Debug)]
pub struct SourceFile {
    name: String,
    text: String,
    line_starts: OnceLock<Vec<u32>>,
    /// Parts that nobody is to see, as byte ranges.
    hidden: Vec<Range<usize>>,
}

impl SourceFile {
    /// The path as it was given, or `<stdin>`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A part of the text for people to read: what is hidden are asterisks, one for each byte.
    /// Empty when the range does not lie on character borders.
    pub fn shown(&self, range: Range<usize>) -> Cow<'_, str> {
        let text = self.text.get(range.clone()).unwrap_or("");
        let meets = |hidden: &&Range<usize>| hidden.start < range.end && range.start < hidden.end;
        let hidden: Vec<&Range<usize>> = self.hidden.iter().filter(meets).collect();
        if hidden.is_empty() {
            return Cow::Borrowed(text);
        }
        let is_hidden = |at: &usize| hidden.iter().any(|hidden| hidden.contains(at));
        let mut shown = String::with_capacity(text.len());
        for (at, c) in text.char_indices() {
            if is_hidden(&(range.start + at)) && !c.is_whitespace() {
                shown.extend(std::iter::repeat_n('*', c.len_utf8()));
            } else {
                shown.push(c);
            }
        }
        Cow::Owned(shown)
    }

    fn line_starts(&self) -> &[u32] {
        self.line_starts.get_or_init(|| {
            let breaks = memchr_iter(b'\n', self.text.as_bytes());
            let mut starts = Vec::with_capacity(1 + breaks.clone().count());
            starts.push(0);
            starts.extend(breaks.map(|at| u32::try_from(at + 1).unwrap_or(u32::MAX)));
            starts
        })
    }

    /// Line and column of a byte; one behind the end stands for the end.
    pub fn position(&self, byte: u32) -> Position {
        let starts = self.line_starts();
        let line = starts.partition_point(|&start| start <= byte).max(1);
        let start = starts[line - 1] as usize;
        let end = (byte as usize).min(self.text.len());
        let column = self
            .text
            .get(start..end)
            .map_or(end.saturating_sub(start), |s| s.chars().count());
        Position {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column + 1).unwrap_or(u32::MAX),
        }
    }

    /// Byte range of a line (from 1), without its line break.
    pub fn line_range(&self, line: u32) -> Option<Range<usize>> {
        let starts = self.line_starts();
        let start = *starts.get(line.checked_sub(1)? as usize)? as usize;
        let end = starts
            .get(line as usize)
            .map_or(self.text.len(), |&next| next as usize);
        let text = self.text.get(start..end)?;
        Some(start..start + text.trim_end_matches(['\n', '\r']).len())
    }

    /// Number of lines; an empty text has one.
    pub fn line_count(&self) -> u32 {
        u32::try_from(self.line_starts().len()).unwrap_or(u32::MAX)
    }
}

/// All texts of a run, in the order they were added.
#[derive(Debug, Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
}

impl SourceMap {
    /// Adds a text and hands out its id.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> FileId {
        let id = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        self.files.push(SourceFile {
            name: name.into(),
            text: text.into(),
            line_starts: OnceLock::new(),
            hidden: Vec::new(),
        });
        id
    }

    /// Has the text under a span shown to nobody; see [`SourceFile::shown`].
    pub fn hide(&mut self, span: Span) {
        let range = span.start as usize..span.end as usize;
        self.files[span.file.0 as usize].hidden.push(range);
    }

    /// The file of an id of this map.
    pub fn file(&self, id: FileId) -> &SourceFile {
        &self.files[id.0 as usize]
    }

    /// All files with their ids.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        self.files
            .iter()
            .enumerate()
            .map(|(at, file)| (FileId(u32::try_from(at).unwrap_or(u32::MAX)), file))
    }

    /// Where a span begins.
    pub fn position(&self, span: Span) -> Position {
        self.file(span.file).position(span.start)
    }

    /// The text under a span; empty when the span does not lie on character borders.
    pub fn slice(&self, span: Span) -> &str {
        self.file(span.file)
            .text()
            .get(span.start as usize..span.end as usize)
            .unwrap_or("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_characters() {
        let mut map = SourceMap::default();
        let id = map.add("a", "x: é1\r\ny: 2\n");
        let at = |byte| {
            let p = map.file(id).position(byte);
            (p.line, p.column)
        };
        assert_eq!(at(0), (1, 1));
        assert_eq!(at(5), (1, 5), "é is one character of two bytes");
        assert_eq!(at(8), (2, 1));
        assert_eq!(at(999), (3, 1));
        assert_eq!(map.file(id).line_range(1), Some(0..6));
        assert_eq!(map.file(id).line_range(3), Some(13..13));
        assert_eq!(map.file(id).line_range(4), None);
    }

    #[test]
    fn what_is_hidden_keeps_its_length() {
        let mut map = SourceMap::default();
        let id = map.add("a", "key: sé cret\n");
        map.hide(Span::new(id, 5, 13));
        let file = map.file(id);
        assert_eq!(file.shown(0..13), "key: *** ****");
        assert_eq!(file.shown(0..5), "key: ");
        assert_eq!(file.shown(9..11), "**");
    }
}

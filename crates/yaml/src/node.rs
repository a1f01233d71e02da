use std::ops::Range;

use gatewright_source::{Span, Spanned};

/// One value of a document and the place it was read from.
///
/// The span of an aliased value (`*name`) is that of the anchored original: that is the text
/// which has to be changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where it stands, without tag and anchor.
    pub span: Span,
}

/// A value, as kubectl hands it to the API server.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// A truth value, also from `on`, `yes`, `n` and the like.
    Bool(bool),
    /// A whole number, also from `1e3` or `2.0`.
    Int(i64),
    /// A whole number above `i64::MAX`.
    Uint(u64),
    /// Any other number; always finite.
    Float(f64),
    /// Text.
    String(String),
    /// A list.
    Sequence(Vec<Node>),
    /// A map with string keys.
    Mapping(Mapping),
}

/// An ordered map. No key occurs twice.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mapping {
    pub(crate) entries: Vec<Entry>,
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key; what is not a string in YAML was made one.
    pub key: Spanned<String>,
    /// The value.
    pub value: Node,
}

impl Mapping {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The entry of a key.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key.value == key)
    }

    /// All entries in the order of the document.
    pub fn iter(&self) -> std::slice::Iter<'_, Entry> {
        self.entries.iter()
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl<'a> IntoIterator for &'a Mapping {
    type Item = &'a Entry;
    type IntoIter = std::slice::Iter<'a, Entry>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Node {
    /// `value`, read from `span`.
    pub const fn new(value: Value, span: Span) -> Self {
        Self { value, span }
    }

    /// The value of a key, if this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_mapping()?.get(key)
    }

    /// The text, if this is a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value, if this is one.
    pub const fn as_bool(&self) -> Option<bool> {
        match self.value {
            Value::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// The number, if this is a whole one within `i64`.
    pub const fn as_int(&self) -> Option<i64> {
        match self.value {
            Value::Int(value) => Some(value),
            _ => None,
        }
    }

    /// The map, if this is one.
    pub const fn as_mapping(&self) -> Option<&Mapping> {
        match &self.value {
            Value::Mapping(mapping) => Some(mapping),
            _ => None,
        }
    }

    /// The items, if this is a list.
    pub fn as_sequence(&self) -> Option<&[Self]> {
        match &self.value {
            Value::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// Whether this is null.
    pub const fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// What kind of value this is, in a word for people.
    pub const fn kind_name(&self) -> &'static str {
        match self.value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Int(_) | Value::Uint(_) => "integer",
            Value::Float(_) => "number",
            Value::String(_) => "string",
            Value::Sequence(_) => "sequence",
            Value::Mapping(_) => "map",
        }
    }

    /// The value at a path such as `spec.rules[0].host` or
    /// `metadata.annotations[example.com/key]`; the empty path is this node.
    pub fn at(&self, path: &str) -> Option<&Self> {
        Steps(path).try_fold(self, |node, step| match &node.value {
            Value::Mapping(mapping) => mapping.get(step),
            Value::Sequence(items) => items.get(step.parse::<usize>().ok()?),
            _ => None,
        })
    }

    /// The place of a byte range of this string in its source text.
    ///
    /// Exact for plain and quoted scalars on one line without escapes, and for literal block
    /// scalars; otherwise, and for anything but a string, the span of the whole node.
    pub fn value_span(&self, source: &str, range: Range<usize>) -> Span {
        self.exact_span(source, range).unwrap_or(self.span)
    }

    fn exact_span(&self, source: &str, range: Range<usize>) -> Option<Span> {
        let text = self.as_str()?;
        // Also refuses ranges that split a character.
        text.get(range.clone())?;
        let (start, end) = (self.span.start as usize, self.span.end as usize);
        let raw = source.get(start..end)?;
        let shifted = |by: usize, range: Range<usize>| {
            // The last line's break may be missing in the source.
            source.get(by + range.start..by + range.end)?;
            Some(Span::new(
                self.span.file,
                u32::try_from(by + range.start).ok()?,
                u32::try_from(by + range.end).ok()?,
            ))
        };
        if raw == text {
            return shifted(start, range);
        }
        match raw.as_bytes().first()? {
            b'"' | b'\'' => {
                let inner = raw.get(1..raw.len().checked_sub(1)?)?;
                (inner == text).then(|| shifted(start + 1, range))?
            }
            _ => {
                let lines = source[..start].rfind('\n').map_or(0, |at| at + 1);
                let from = literal_offset(&source[lines..], text, range.start)?;
                let to = if range.is_empty() {
                    from
                } else {
                    // The end of a line rather than the start of the next one.
                    literal_offset(&source[lines..], text, range.end - 1)? + 1
                };
                shifted(lines, from..to)
            }
        }
    }
}

/// Where byte `at` of a literal block scalar's `text` stands in `source`, which begins with the
/// block's first line that is not blank.
///
/// Each line of the value is the tail of a source line, behind the indentation; that is verified
/// rather than computed, so indentation indicators, blank lines and CRLF need no care.
fn literal_offset(source: &str, text: &str, at: usize) -> Option<usize> {
    let mut value_at = text.len() - text.trim_start_matches('\n').len();
    let mut source_at = 0;
    for line in text[value_at..].split_inclusive('\n') {
        let content = line.strip_suffix('\n').unwrap_or(line);
        let rest = source.get(source_at..)?;
        let source_line = &rest[..rest.find('\n').unwrap_or(rest.len())];
        let source_text = source_line.strip_suffix('\r').unwrap_or(source_line);
        let indent = source_text.strip_suffix(content)?.len();
        if (value_at..=value_at + content.len()).contains(&at) {
            return Some(source_at + indent + (at - value_at));
        }
        value_at += line.len();
        source_at += source_line.len() + 1;
    }
    None
}

/// The steps of a path: `a.b[0][x.y/z]` is `a`, `b`, `0`, `x.y/z`.
pub(crate) struct Steps<'a>(pub(crate) &'a str);

impl<'a> Iterator for Steps<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if let Some(rest) = self.0.strip_prefix('[') {
            let (step, rest) = rest.split_once(']').unwrap_or((rest, ""));
            self.0 = rest.strip_prefix('.').unwrap_or(rest);
            return Some(step);
        }
        if self.0.is_empty() {
            return None;
        }
        let end = self.0.find(['.', '[']).unwrap_or(self.0.len());
        let (step, rest) = self.0.split_at(end);
        self.0 = rest.strip_prefix('.').unwrap_or(rest);
        Some(step)
    }
}

#[cfg(test)]
mod tests {
    use gatewright_source::FileId;

    use super::*;
    use crate::parse;

    fn read(text: &str) -> Node {
        let parsed = parse(FileId(0), text);
        assert_eq!(parsed.diagnostics, [], "{text}");
        parsed.documents.into_iter().next().unwrap().root
    }

    #[test]
    fn paths_lead_to_values() {
        let root = read("a:\n  b:\n  - c: 1\n  - {d.e/f: x}\n");
        let kind = |path| root.at(path).map(Node::kind_name);
        assert_eq!(kind(""), Some("map"));
        assert_eq!(kind("a.b"), Some("sequence"));
        assert_eq!(kind("a.b[0].c"), Some("integer"));
        assert_eq!(kind("a.b[1][d.e/f]"), Some("string"));
        assert_eq!(kind("a.b[2]"), None);
        assert_eq!(kind("a.x"), None);
    }

    /// The source text under the first occurrence of `part` in the value of `key: …`.
    fn check(text: &str, part: &str, expect: &str) {
        let root = read(text);
        let node = root.get("key").unwrap();
        let value = node.as_str().unwrap();
        let from = value.find(part).unwrap();
        let span = node.value_span(text, from..from + part.len());
        assert_eq!(
            &text[span.start as usize..span.end as usize],
            expect,
            "{text}"
        );
    }

    #[test]
    fn ranges_of_strings_have_places() {
        check("key: one two\n", "two", "two");
        check("key: 'one two'\n", "two", "two");
        check("key: \"one two\"\n", "two", "two");
        check("key: |\n  one\n\n  two {\n    three\n", "three", "three");
        check("key: |\n  one\n\n  two {\n    three\n", "two {", "two {");
        check("key: |2-\n    one\n  two\n", "two", "two");
        check("key: |\r\n  one\r\n  two\r\n", "two", "two");
        check("key: |\n  one\n  two\n", "one\ntwo", "one\n  two");
        check("key: |\n\n\n  one\n  two\n", "two", "two");
        check("key: &x !!str |\n  one\n  two\n", "two", "two");
    }

    #[test]
    fn other_ranges_fall_back_to_the_scalar() {
        check("key: one\n  two\n", "two", "one\n  two");
        check("key: 'it''s two'\n", "two", "'it''s two'");
        check("key: \"a\\tb\"\n", "b", "\"a\\tb\"");
    }
}

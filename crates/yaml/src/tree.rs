//! Builds the tree of one document from parser events.

use std::ops::Range;

use gatewright_diagnostics::Diagnostic;
use gatewright_source::{FileId, Span, Spanned};
use granit_parser::{Event, Parser, ScalarStyle, ScanError, StructureStyle, Tag};

use crate::alias::Anchors;
use crate::fault::{Fault, MAX_DEPTH, too_deep};
use crate::node::{Entry, Mapping, Node, Value};
use crate::resolve::Resolved;
use crate::source::Source;
use crate::{binary, dedup, escape, resolve};

/// What one document holds.
pub(crate) struct Built {
    /// `None` when there is no content at all.
    pub(crate) root: Option<Node>,
    pub(crate) warnings: Vec<Diagnostic>,
}

/// Few objects of Kubernetes are deeper.
const USUAL_DEPTH: usize = 12;

/// Why a document's events came to an end early.
pub(crate) enum Stop {
    Scan(ScanError),
    Fault(Fault),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// The name of the anchor that a text ends with, if nothing but a tag, blanks and comments stand
/// behind it.
fn anchor_before(text: &str) -> Option<Range<usize>> {
    let mut end = text.len();
    loop {
        let start = text[..end].rfind('\n').map_or(0, |line| line + 1);
        let mut line = &text[start..end];
        if end < text.len() {
            // The node begins on a later line, so that a comment may end this one.
            let comment = line.find(" #").or_else(|| line.find("\t#"));
            line = &line[..comment.unwrap_or(line.len())];
            if line.starts_with('#') {
                line = "";
            }
        }
        let mut rest = line.trim_end();
        while let Some(word) = rest
            .rsplit([' ', '\t'])
            .next()
            .filter(|word| !word.is_empty())
        {
            let at = rest.len() - word.len();
            let marks = word.len()
                - word
                    .trim_start_matches(['[', '{', ',', '-', '?', ':'])
                    .len();
            if word[marks..].starts_with('&') {
                return Some(start + at + marks + 1..start + rest.len());
            }
            if !word[marks..].starts_with('!') {
                return None;
            }
            rest = rest[..at].trim_end();
        }
        end = start.checked_sub(1)?;
    }
}

/// Reads the only document of a source.
pub(crate) fn build(file: FileId, source: &Source<'_>) -> Result<Built, Stop> {
    let mut options = granit_parser::options! {
        // kubectl reads a directive as a document of its own that holds nothing.
        disallow_directives: true,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    };
    options.set_emit_comments(false);
    let mut builder = Builder {
        file,
        source,
        stack: Vec::with_capacity(USUAL_DEPTH),
        root: None,
        anchors: Anchors::default(),
        warnings: Vec::new(),
    };
    let mut parser = Parser::new_from_str_with_options(source.text(), options);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(Stop::Scan)?;
        let range = span.byte_range().unwrap_or(0..0);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                builder.scalar(text.into_owned(), style, anchor, tag.as_deref(), range)?;
            }
            Event::SequenceStart(style, anchor, _) => {
                builder.open(Content::Sequence(Vec::new()), style, anchor, range)?;
            }
            Event::MappingStart(style, anchor, _) => {
                let content = Content::Mapping {
                    entries: Vec::new(),
                    key: Key::None,
                    merged: Vec::new(),
                };
                builder.open(content, style, anchor, range)?;
            }
            Event::SequenceEnd | Event::MappingEnd => builder.close(&range)?,
            Event::Alias(anchor) => builder.alias(anchor, &range)?,
            Event::DocumentEnd => break,
            _ => {}
        }
    }
    Ok(Built {
        root: builder.root,
        warnings: builder.warnings,
    })
}

struct Builder<'a> {
    file: FileId,
    source: &'a Source<'a>,
    stack: Vec<Frame>,
    root: Option<Node>,
    anchors: Anchors,
    warnings: Vec<Diagnostic>,
}

/// An open collection.
struct Frame {
    content: Content,
    start: usize,
    /// Where the last value inside ends.
    end: usize,
    flow: bool,
    anchor: usize,
}

enum Content {
    Sequence(Vec<Node>),
    Mapping {
        entries: Vec<Entry>,
        key: Key,
        /// Indexes of the entries that a merge key brought.
        merged: Vec<usize>,
    },
}

/// The key that waits for its value.
enum Key {
    None,
    Text(Spanned<String>),
    Merge,
}

impl Builder<'_> {
    fn span(&self, range: &Range<usize>) -> Span {
        let clip = |at| u32::try_from(at).unwrap_or(u32::MAX);
        Span::new(self.file, clip(range.start), clip(range.end))
    }

    fn scalar(
        &mut self,
        text: String,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        range: Range<usize>,
    ) -> Result<(), Fault> {
        self.check_tab(&range)?;
        let range = match style {
            // The parser counts the line break at the end of a block.
            ScalarStyle::Literal | ScalarStyle::Folded => {
                let lines = self.source.text()[range.clone()].trim_end();
                range.start..range.start + lines.len()
            }
            ScalarStyle::DoubleQuoted => {
                escape::check(self.source, &range)?;
                range
            }
            _ => range,
        };
        let place = self.source.original(&range);
        self.anchors.count(&place)?;
        if anchor != 0 {
            self.check_anchor(&range)?;
        }
        if style == ScalarStyle::Plain && text.starts_with('?') && self.in_flow() {
            return Err(
                Fault::syntax(place, "inside of `{}` and `[]` a `?` marks a key")
                    .help("write the text in quotes"),
            );
        }
        let (resolved, text) = match tag {
            None if style == ScalarStyle::Plain => (resolve::plain(&text), text),
            None => (Resolved::Text, text),
            Some(tag) => tagged(tag, text, &place)?,
        };
        let span = self.span(&place);
        if anchor != 0 {
            self.anchors.put_scalar(anchor, resolved, &text, span);
        }
        if self.expects_key() {
            return self.key(resolved, text, false, &place);
        }
        let end = place.end;
        let value = resolve::value(resolved, text).ok_or_else(|| infinite(place))?;
        self.add(Node::new(value, span), false, end)
    }

    fn open(
        &mut self,
        content: Content,
        style: StructureStyle,
        anchor: usize,
        range: Range<usize>,
    ) -> Result<(), Fault> {
        self.check_tab(&range)?;
        let start = match &content {
            Content::Sequence(_) if style == StructureStyle::Block => self.dash(range.start),
            _ => range.start,
        };
        let place = self.source.original(&(start..range.end.max(start)));
        self.anchors.count(&place)?;
        if self.expects_key() {
            return Err(
                Fault::syntax(place, "a map or a list cannot be the key of a map")
                    .help("write the key as a string in quotes"),
            );
        }
        if self.stack.len() >= MAX_DEPTH {
            return Err(too_deep(place));
        }
        if anchor != 0 {
            self.check_anchor(&range)?;
            self.anchors.open(anchor);
        }
        self.stack.push(Frame {
            content,
            start: place.start,
            end: place.start,
            flow: style == StructureStyle::Flow,
            anchor,
        });
        Ok(())
    }

    fn close(&mut self, range: &Range<usize>) -> Result<(), Fault> {
        let place = self.source.original(range);
        let Some(frame) = self.stack.pop() else {
            return Ok(());
        };
        let value = match frame.content {
            Content::Sequence(items) => Value::Sequence(items),
            Content::Mapping {
                entries, merged, ..
            } => {
                let entries = dedup::last_wins(entries, &merged, &mut self.warnings);
                Value::Mapping(Mapping { entries })
            }
        };
        // The parser ends a block where the next token begins.
        let end = if frame.flow { place.end } else { frame.end };
        let node = Node::new(value, self.span(&(frame.start..end.max(frame.start))));
        if frame.anchor != 0 {
            self.anchors.put(frame.anchor, &node, &place)?;
        }
        self.add(node, false, end)
    }

    fn alias(&mut self, anchor: usize, range: &Range<usize>) -> Result<(), Fault> {
        self.check_tab(range)?;
        let place = self.source.original(range);
        self.anchors.count(&place)?;
        if self.expects_key() {
            let (resolved, text) = self.anchors.key(anchor, &place)?;
            return self.key(resolved, text, true, &place);
        }
        let node = self.anchors.expand(anchor, &place, self.stack.len())?;
        self.add(node, true, place.end)
    }

    /// The start of a block list. When the list is not indented below its key, the parser gives
    /// that of the first item.
    fn dash(&self, start: usize) -> usize {
        let before = self.source.text()[..start].trim_end_matches(' ');
        if before.len() < start && before.ends_with('-') {
            before.len() - 1
        } else {
            start
        }
    }

    fn in_flow(&self) -> bool {
        self.stack.last().is_some_and(|frame| frame.flow)
    }

    /// kubectl ends the name of an anchor in front of anything but letters, digits, `-` and `_`,
    /// and reads what follows as something else: `&a: b` is a map without a name for its key.
    fn check_anchor(&self, range: &Range<usize>) -> Result<(), Fault> {
        let Some(name) = anchor_before(&self.source.text()[..range.start]) else {
            return Ok(());
        };
        let known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        if self.source.text()[name.clone()].bytes().all(known) {
            return Ok(());
        }
        let place = self.source.original(&name);
        Err(Fault::syntax(
            place,
            "the name of an anchor has letters, digits, `-` and `_` only",
        )
        .help("choose another name"))
    }

    /// kubectl refuses a tab between the dash of a block list and its item.
    fn check_tab(&self, range: &Range<usize>) -> Result<(), Fault> {
        let listed = matches!(
            self.stack.last(),
            Some(Frame {
                content: Content::Sequence(_),
                flow: false,
                ..
            })
        );
        let before = &self.source.text().as_bytes()[..range.start];
        if listed && before.last() == Some(&b'\t') {
            let place = self.source.original(&(range.start - 1..range.start));
            return Err(
                Fault::syntax(place, "a tab cannot follow the dash of a list").help("use a space"),
            );
        }
        Ok(())
    }

    fn expects_key(&self) -> bool {
        matches!(
            self.stack.last(),
            Some(Frame {
                content: Content::Mapping { key: Key::None, .. },
                ..
            })
        )
    }

    fn key(
        &mut self,
        resolved: Resolved,
        text: String,
        aliased: bool,
        place: &Range<usize>,
    ) -> Result<(), Fault> {
        let span = self.span(place);
        // Only a `<<` that stands in the place of the key itself merges.
        let next = if resolved == Resolved::Merge && !aliased {
            Key::Merge
        } else {
            let key = resolve::key(resolved, text).ok_or_else(|| {
                let what = if resolved == Resolved::Null {
                    "null"
                } else {
                    "a number this large"
                };
                Fault::syntax(place.clone(), format!("{what} cannot be the key of a map"))
                    .help("write the key in quotes")
            })?;
            Key::Text(Spanned::new(key, span))
        };
        if let Some(Frame {
            content: Content::Mapping { key, .. },
            ..
        }) = self.stack.last_mut()
        {
            *key = next;
        }
        Ok(())
    }

    /// Puts a finished value, whose text ends at `end`, into the collection that is open.
    fn add(&mut self, node: Node, aliased: bool, end: usize) -> Result<(), Fault> {
        let Some(frame) = self.stack.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        frame.end = end;
        match &mut frame.content {
            Content::Sequence(items) => items.push(node),
            Content::Mapping {
                entries,
                key,
                merged,
            } => match std::mem::replace(key, Key::None) {
                Key::Text(key) => entries.push(Entry { key, value: node }),
                Key::Merge => merge(node, aliased, entries, merged)?,
                Key::None => {}
            },
        }
        Ok(())
    }
}

/// Applies `<<: value`. As in kubectl's reader, merged entries replace earlier ones of the
/// same key, and in a list the first map wins.
fn merge(
    node: Node,
    aliased: bool,
    entries: &mut Vec<Entry>,
    merged: &mut Vec<usize>,
) -> Result<(), Fault> {
    let place = node.span.start as usize..node.span.end as usize;
    let fault = || {
        Fault::syntax(
            place.clone(),
            "the merge key `<<` takes a map or a list of maps",
        )
        .help("to have a key of that name, quote it: `\"<<\"`")
    };
    let mut take = |mapping: Mapping| {
        merged.extend(entries.len()..entries.len() + mapping.len());
        entries.extend(mapping.entries);
    };
    match node.value {
        Value::Mapping(mapping) => take(mapping),
        Value::Sequence(items) if !aliased => {
            for item in items.into_iter().rev() {
                let Value::Mapping(mapping) = item.value else {
                    return Err(fault());
                };
                take(mapping);
            }
        }
        _ => return Err(fault()),
    }
    Ok(())
}

/// What a scalar with a tag means. A `!!binary` changes the text too.
fn tagged(tag: &Tag, text: String, place: &Range<usize>) -> Result<(Resolved, String), Fault> {
    let (handle, suffix) = tag.parts();
    let name = format!("{handle}{suffix}");
    if name == "tag:yaml.org,2002:binary" {
        return binary::decode(&text)
            .map(|text| (Resolved::Text, text))
            .ok_or_else(|| Fault::syntax(place.clone(), "the `!!binary` value is not base64"));
    }
    match resolve::tagged(&name, &text) {
        Ok(resolved) => Ok((resolved, text)),
        Err(message) => Err(Fault::syntax(place.clone(), message)),
    }
}

pub(crate) fn infinite(place: Range<usize>) -> Fault {
    Fault::syntax(
        place,
        "infinity and not-a-number have no form in JSON, so kubectl refuses them",
    )
    .help("write the value in quotes if it is meant as a string")
}

//! Builds the tree of one document from parser events.

use std::ops::Range;

use gatewright_diagnostics::{Code, Diagnostic};
use gatewright_source::{FileId, Span, Spanned};
use granit_parser::{Event, Parser, ScalarStyle, StructureStyle, Tag};

use crate::alias::Anchors;
use crate::fault::{Fault, MAX_DEPTH, too_deep};
use crate::node::{Entry, Mapping, Node, Value};
use crate::{binary, dedup, message, resolve};

/// What one document holds.
pub(crate) struct Built {
    /// `None` when there is no content at all.
    pub(crate) root: Option<Node>,
    pub(crate) warnings: Vec<Diagnostic>,
}

/// Reads the document that stands in `range` of `text`.
pub(crate) fn build(file: FileId, text: &str, range: Range<usize>) -> Result<Built, Fault> {
    let mut options = granit_parser::options! {
        // kubectl reads a directive as a document of its own that holds nothing.
        disallow_directives: true,
        flow_nesting_limit: MAX_DEPTH + 1,
        block_nesting_limit: MAX_DEPTH + 1,
    };
    options.set_emit_comments(false);
    let chunk = &text[range.clone()];
    let mut parser = Parser::new_from_str_with_options(chunk, options);
    let mut builder = Builder {
        file,
        base: range.start,
        stack: Vec::new(),
        root: None,
        anchors: Anchors::default(),
        warnings: Vec::new(),
    };
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| message::fault(&error, chunk, range.start))?;
        let place = builder.place(&span);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let place = match style {
                    // The parser counts the line break at the end of a block.
                    ScalarStyle::Literal | ScalarStyle::Folded => {
                        let lines = &chunk[place.start - range.start..place.end - range.start];
                        place.start..place.start + lines.trim_end().len()
                    }
                    _ => place,
                };
                builder.scalar(text.into_owned(), style, anchor, tag.as_deref(), place)?;
            }
            Event::SequenceStart(style, anchor, _) => {
                builder.open(Content::Sequence(Vec::new()), style, anchor, place)?;
            }
            Event::MappingStart(style, anchor, _) => {
                let content = Content::Mapping {
                    entries: Vec::new(),
                    key: Key::None,
                    merged: Vec::new(),
                };
                builder.open(content, style, anchor, place)?;
            }
            Event::SequenceEnd | Event::MappingEnd => builder.close(&place)?,
            Event::Alias(anchor) => builder.alias(anchor, place)?,
            Event::DocumentEnd => {
                builder.ignored_rest(chunk, place.end);
                break;
            }
            _ => {}
        }
    }
    Ok(Built {
        root: builder.root,
        warnings: builder.warnings,
    })
}

struct Builder {
    file: FileId,
    base: usize,
    stack: Vec<Frame>,
    root: Option<Node>,
    anchors: Anchors,
    warnings: Vec<Diagnostic>,
}

/// An open collection.
struct Frame {
    content: Content,
    start: usize,
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

impl Builder {
    fn place(&self, span: &granit_parser::Span) -> Range<usize> {
        let range = span.byte_range().unwrap_or(0..0);
        self.base + range.start..self.base + range.end
    }

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
        place: Range<usize>,
    ) -> Result<(), Fault> {
        self.anchors.count(&place)?;
        let plain = style == ScalarStyle::Plain;
        let mut text = text;
        let resolved = match tag {
            None if plain => resolve::plain(&text),
            None => resolve::Resolved::Text,
            Some(tag) => {
                let (handle, suffix) = tag.parts();
                match (handle, suffix) {
                    // The bare `!` asks for resolution even when quoted.
                    ("", "!") | ("!", "") => resolve::plain(&text),
                    _ => {
                        let name = format!("{handle}{suffix}");
                        if name == "tag:yaml.org,2002:binary" {
                            text = binary::decode(&text).ok_or_else(|| {
                                Fault::syntax(place.clone(), "the `!!binary` value is not base64")
                            })?;
                        }
                        resolve::tagged(&name, &text)
                            .map_err(|message| Fault::syntax(place.clone(), message))?
                    }
                }
            }
        };
        if self.expects_key() && anchor == 0 {
            let merge = resolved == resolve::Resolved::Merge;
            return self.key(resolved, text, merge, &place);
        }
        if self.expects_key() {
            self.anchors
                .put_scalar(anchor, resolved, &text, self.span(&place));
            return self.key(resolved, text, false, &place);
        }
        if anchor != 0 {
            self.anchors
                .put_scalar(anchor, resolved, &text, self.span(&place));
        }
        let value = resolve::value(resolved, text).ok_or_else(|| infinite(place.clone()))?;
        let node = Node::new(value, self.span(&place));
        self.add(node, false)
    }

    fn open(
        &mut self,
        content: Content,
        style: StructureStyle,
        anchor: usize,
        place: Range<usize>,
    ) -> Result<(), Fault> {
        self.anchors.count(&place)?;
        let first = place.start..place.start.max(place.end);
        if self.expects_key() {
            return Err(collection_key(first));
        }
        if self.stack.len() >= MAX_DEPTH {
            return Err(too_deep(first));
        }
        if anchor != 0 {
            self.anchors.open(anchor);
        }
        self.stack.push(Frame {
            content,
            start: place.start,
            flow: style == StructureStyle::Flow,
            anchor,
        });
        Ok(())
    }

    fn close(&mut self, place: &Range<usize>) -> Result<(), Fault> {
        let Some(frame) = self.stack.pop() else {
            return Ok(());
        };
        let (value, last) = match frame.content {
            Content::Sequence(items) => {
                let last = items.last().map(|item| item.span);
                (Value::Sequence(items), last)
            }
            Content::Mapping {
                entries, merged, ..
            } => {
                let last = entries.last().map(|entry| entry.value.span);
                let entries = dedup::last_wins(entries, &merged, &mut self.warnings);
                (Value::Mapping(Mapping { entries }), last)
            }
        };
        let mut span = self.span(&(frame.start..frame.start.max(place.end)));
        if let (false, Some(last)) = (frame.flow, last) {
            // The parser ends a block where the next token begins. An alias as the last value
            // has its place elsewhere.
            span.end = last.end.clamp(span.start, span.end);
        }
        let node = Node::new(value, span);
        if frame.anchor != 0 {
            self.anchors.put(frame.anchor, &node, place)?;
        }
        self.add(node, false)
    }

    fn alias(&mut self, anchor: usize, place: Range<usize>) -> Result<(), Fault> {
        self.anchors.count(&place)?;
        if self.expects_key() {
            let (resolved, text) = self.anchors.key(anchor, &place)?;
            return self.key(resolved, text, false, &place);
        }
        let node = self.anchors.expand(anchor, &place, self.stack.len())?;
        self.add(node, true)
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
        resolved: resolve::Resolved,
        text: String,
        merge: bool,
        place: &Range<usize>,
    ) -> Result<(), Fault> {
        let span = self.span(place);
        let next = if merge {
            Key::Merge
        } else {
            let key = resolve::key(resolved, text).ok_or_else(|| {
                let what = if resolved == resolve::Resolved::Null {
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

    /// Puts a finished value into the collection that is open.
    fn add(&mut self, node: Node, aliased: bool) -> Result<(), Fault> {
        match self.stack.last_mut().map(|frame| &mut frame.content) {
            None => self.root = Some(node),
            Some(Content::Sequence(items)) => items.push(node),
            Some(Content::Mapping {
                entries,
                key,
                merged,
            }) => match std::mem::replace(key, Key::None) {
                Key::Text(key) => entries.push(Entry { key, value: node }),
                Key::Merge => merge(node, aliased, entries, merged)?,
                Key::None => {}
            },
        }
        Ok(())
    }

    /// kubectl reads nothing behind the end of the first document of a chunk.
    fn ignored_rest(&mut self, chunk: &str, end: usize) {
        let mut at = end - self.base;
        for line in chunk[at..].split_inclusive('\n') {
            let content = line.trim();
            if !(content.is_empty() || content.starts_with('#') || content == "...") {
                let start = self.base + at + (line.len() - line.trim_start().len());
                let place = start..start + content.len();
                self.warnings.push(
                    Diagnostic::new(
                        Code::TextIgnored,
                        "what follows the end `...` of a document is ignored",
                    )
                    .at(self.span(&place))
                    .help("separate documents by `---`"),
                );
                return;
            }
            at += line.len();
        }
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

fn collection_key(place: Range<usize>) -> Fault {
    Fault::syntax(place, "a map or a list cannot be the key of a map")
        .help("write the key as a string in quotes")
}

pub(crate) fn infinite(place: Range<usize>) -> Fault {
    Fault::syntax(
        place,
        "infinity and not-a-number have no form in JSON, so kubectl refuses them",
    )
    .help("write the value in quotes if it is meant as a string")
}

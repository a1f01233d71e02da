//! Anchors, and what aliases may cost.

use std::ops::Range;

use gatewright_source::Span;
use indexmap::IndexMap;

use crate::fault::{Fault, MAX_DEPTH, too_deep};
use crate::node::{Node, Value};
use crate::resolve::{self, Resolved};
use crate::tree::infinite;

/// Copies for anchors and aliases may hold this many bytes of text.
const MAX_BYTES: usize = 64 << 20;

/// Copies that are kept for anchors may hold this many nodes.
const MAX_KEPT: usize = 1 << 20;

#[derive(Default)]
pub(crate) struct Anchors {
    known: IndexMap<usize, Anchored>,
    /// Nodes of the document so far, with all aliases written out.
    nodes: usize,
    /// Those of them that aliases brought.
    aliased: usize,
    kept: usize,
    bytes: usize,
}

enum Anchored {
    /// The collection has not ended yet.
    Open,
    Scalar(Resolved, String, Span),
    Collection(Node, Size),
}

#[derive(Clone, Copy, Default)]
struct Size {
    nodes: usize,
    bytes: usize,
    depth: usize,
}

impl Anchors {
    /// Counts one node.
    pub(crate) fn count(&mut self, place: &Range<usize>) -> Result<(), Fault> {
        self.nodes += 1;
        self.check(place)
    }

    pub(crate) fn open(&mut self, anchor: usize) {
        self.known.insert(anchor, Anchored::Open);
    }

    pub(crate) fn put_scalar(&mut self, anchor: usize, resolved: Resolved, text: &str, span: Span) {
        let scalar = Anchored::Scalar(resolved, text.to_owned(), span);
        self.known.insert(anchor, scalar);
    }

    pub(crate) fn put(
        &mut self,
        anchor: usize,
        node: &Node,
        place: &Range<usize>,
    ) -> Result<(), Fault> {
        let size = measure(node);
        self.kept += size.nodes;
        self.bytes += size.bytes;
        if self.kept > MAX_KEPT || self.bytes > MAX_BYTES {
            return Err(excessive(place.clone()));
        }
        self.known
            .insert(anchor, Anchored::Collection(node.clone(), size));
        Ok(())
    }

    /// The value of an alias that stands `depth` levels deep.
    pub(crate) fn expand(
        &mut self,
        anchor: usize,
        place: &Range<usize>,
        depth: usize,
    ) -> Result<Node, Fault> {
        let size = match self.known.get(&anchor) {
            Some(Anchored::Scalar(_, text, _)) => Size {
                nodes: 1,
                bytes: text.len(),
                depth: 0,
            },
            Some(Anchored::Collection(_, size)) => *size,
            Some(Anchored::Open) | None => return Err(recursive(place.clone())),
        };
        self.nodes += size.nodes;
        self.aliased += size.nodes;
        self.bytes += size.bytes;
        self.check(place)?;
        if depth + size.depth > MAX_DEPTH {
            return Err(too_deep(place.clone()));
        }
        match self.known.get(&anchor) {
            Some(Anchored::Scalar(resolved, text, span)) => {
                let value = resolve::value(*resolved, text.clone());
                let value = value.ok_or_else(|| infinite(place.clone()))?;
                Ok(Node::new(value, *span))
            }
            Some(Anchored::Collection(node, _)) => Ok(node.clone()),
            Some(Anchored::Open) | None => Err(recursive(place.clone())),
        }
    }

    /// The scalar of an alias in the place of a key.
    pub(crate) fn key(
        &self,
        anchor: usize,
        place: &Range<usize>,
    ) -> Result<(Resolved, String), Fault> {
        match self.known.get(&anchor) {
            Some(Anchored::Scalar(resolved, text, _)) => Ok((*resolved, text.clone())),
            _ => Err(Fault::syntax(
                place.clone(),
                "an alias of a map or a list cannot be the key of a map",
            )
            .help("write the key as a string")),
        }
    }

    /// kubectl's rule: in a document of up to 400,000 nodes aliases may bring 99 of 100, in
    /// one of 4,000,000 a tenth.
    fn check(&self, place: &Range<usize>) -> Result<(), Fault> {
        if self.bytes > MAX_BYTES {
            return Err(excessive(place.clone()));
        }
        if self.aliased <= 100 || self.nodes <= 1000 {
            return Ok(());
        }
        #[expect(clippy::cast_precision_loss, reason = "a ratio")]
        let (nodes, aliased) = (self.nodes as f64, self.aliased as f64);
        let above = ((nodes - 400_000.0) / 3_600_000.0).clamp(0.0, 1.0);
        let allowed = 0.99 - 0.89 * above;
        if aliased / nodes > allowed {
            return Err(excessive(place.clone()));
        }
        Ok(())
    }
}

fn measure(node: &Node) -> Size {
    let mut size = Size {
        nodes: 1,
        ..Size::default()
    };
    let mut add = |child: &Node, key: usize| {
        let inner = measure(child);
        size.nodes += inner.nodes + usize::from(key > 0);
        size.bytes += inner.bytes + key;
        size.depth = size.depth.max(inner.depth);
    };
    match &node.value {
        Value::Sequence(items) => items.iter().for_each(|item| add(item, 0)),
        Value::Mapping(mapping) => mapping
            .iter()
            .for_each(|entry| add(&entry.value, entry.key.value.len().max(1))),
        Value::String(text) => size.bytes = text.len(),
        _ => {}
    }
    if matches!(node.value, Value::Sequence(_) | Value::Mapping(_)) {
        size.depth += 1;
    }
    size
}

fn recursive(place: Range<usize>) -> Fault {
    Fault::syntax(place, "an alias refers to a value that contains it")
        .help("write the value out in full")
}

fn excessive(place: Range<usize>) -> Fault {
    Fault::limit(
        place,
        "aliases blow the document up beyond what kubectl accepts",
    )
    .help("write the values out, or split the document")
}

//! Negative lookaheads that forbid a few texts, written without a lookahead.
//!
//! `(?!api|docs)` in front of a rest that may be anything says that the rest is
//! none of those beginnings. For a finite set of texts that is a plain pattern:
//! `(?:[^ad].*|a(?:[^p].*|p(?:[^i].*)?)?|d(?:…)?)?`.

use std::collections::BTreeMap;
use std::ops::Range;

use super::ast::{Assert, Class, Item, Kind, Node};

/// Limits on the texts, so that what is emitted stays readable.
const MAX_TEXTS: usize = 64;
const MAX_BYTES: usize = 256;

/// One forbidden text: a beginning, or (if `whole`) all there is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Text {
    bytes: Vec<u8>,
    whole: bool,
}

#[derive(Debug, Default)]
struct Trie {
    children: BTreeMap<u8, Trie>,
    /// Everything that begins like this is forbidden.
    forbidden: bool,
    /// Only exactly this is forbidden.
    forbidden_end: bool,
}

/// A pattern for all that may stand where `forbidden` may not, up to the end of the
/// path; `None` if that is not a short list of texts. With `or_empty`, the rest may
/// be empty.
///
/// `fold` is the case rule in force; a list that mixes both is left alone.
pub(super) fn excluding(
    forbidden: &Node,
    fold: bool,
    or_empty: bool,
    range: &Range<usize>,
) -> Option<Node> {
    let mut trie = Trie::default();
    for text in texts(forbidden, fold, true)? {
        trie.insert(&text);
    }
    Some(
        trie.complement(fold, or_empty, range)
            .unwrap_or_else(|| nothing(range)),
    )
}

/// A node that matches nowhere.
fn nothing(range: &Range<usize>) -> Node {
    let class = Class {
        negated: false,
        items: Vec::new(),
        fold: false,
    };
    Node::new(Kind::Class(class), range.clone())
}

impl Trie {
    fn insert(&mut self, text: &Text) {
        let mut node = self;
        for byte in &text.bytes {
            node = node.children.entry(*byte).or_default();
        }
        if text.whole {
            node.forbidden_end = true;
        } else {
            node.forbidden = true;
        }
    }

    /// What may follow here; `None` if nothing may, not even the end.
    fn complement(&self, fold: bool, or_empty: bool, range: &Range<usize>) -> Option<Node> {
        if self.forbidden {
            return None;
        }
        let end_allowed = or_empty && !self.forbidden_end;
        let mut branches = Vec::new();
        let range_of = || range.clone();
        branches.push(if self.children.is_empty() {
            Node::anything(1, range_of())
        } else {
            let class = Class {
                negated: true,
                items: byte_items(self.children.keys().copied()),
                fold,
            };
            let other = Node::new(Kind::Class(class), range_of());
            Node::concat(vec![other, Node::anything(0, range_of())], range_of())
        });
        for (byte, child) in &self.children {
            // Below the first byte the rest is never empty.
            if let Some(rest) = child.complement(fold, true, range) {
                let byte = Kind::Literal { byte: *byte, fold };
                let byte = Node::new(byte, range.clone());
                branches.push(Node::concat(vec![byte, rest], range.clone()));
            }
        }
        let body = Node::alternate(branches, range.clone()).grouped();
        Some(if end_allowed {
            super::lower::optional(body)
        } else {
            body
        })
    }
}

/// Bytes as the entries of a class, with runs as ranges.
fn byte_items(bytes: impl Iterator<Item = u8>) -> Vec<Item> {
    let mut set = super::set::ByteSet::EMPTY;
    bytes.for_each(|byte| set.insert(byte));
    let item = |range: std::ops::RangeInclusive<u8>| match (*range.start(), *range.end()) {
        (first, last) if first == last => Item::Byte(first),
        (first, last) => Item::Range(first, last),
    };
    set.ranges().into_iter().map(item).collect()
}

/// All texts that a node matches, if they are few. If the node is the `last`, a `.*`
/// at its end says nothing.
fn texts(node: &Node, fold: bool, last: bool) -> Option<Vec<Text>> {
    let found = match &node.kind {
        Kind::Empty => vec![Text::default()],
        Kind::Assert(Assert::End) => vec![Text {
            whole: true,
            ..Text::default()
        }],
        Kind::Literal { .. } | Kind::Class(_) => {
            let set = node.one_byte()?;
            if fold != folds(node, fold) || set.len() > MAX_TEXTS || !set.iter().all(is_plain) {
                return None;
            }
            let lower = |byte: u8| {
                if fold {
                    byte.to_ascii_lowercase()
                } else {
                    byte
                }
            };
            let mut bytes: Vec<u8> = set.iter().map(lower).collect();
            bytes.sort_unstable();
            bytes.dedup();
            bytes.into_iter().map(Text::of).collect()
        }
        Kind::Group { body, .. } => texts(body, fold, last)?,
        Kind::Alternate(nodes) => {
            let mut all = Vec::new();
            for node in nodes {
                all.extend(texts(node, fold, last)?);
            }
            all
        }
        Kind::Concat(nodes) => {
            let mut all = vec![Text::default()];
            for (index, node) in nodes.iter().enumerate() {
                let last = last && index + 1 == nodes.len();
                all = product(&all, &texts(node, fold, last)?)?;
            }
            all
        }
        Kind::Repeat(repeat) if repeat.max.is_some_and(|max| max <= 4) => {
            let once = texts(&repeat.body, fold, false)?;
            let (mut power, mut all) = (vec![Text::default()], Vec::new());
            for count in 0..=repeat.max? {
                if count >= repeat.min {
                    all.extend(power.iter().cloned());
                }
                if Some(count) < repeat.max {
                    power = product(&power, &once)?;
                }
            }
            all
        }
        _ if last && is_anything(node) => vec![Text::default()],
        _ => return None,
    };
    let bytes: usize = found.iter().map(|text| text.bytes.len()).sum();
    (found.len() <= MAX_TEXTS && bytes <= MAX_BYTES).then_some(found)
}

impl Text {
    fn of(byte: u8) -> Self {
        Self {
            bytes: vec![byte],
            whole: false,
        }
    }
}

/// Every text of `left` with every text of `right` behind it.
fn product(left: &[Text], right: &[Text]) -> Option<Vec<Text>> {
    let mut all = Vec::new();
    for left in left {
        for right in right {
            if left.whole && !right.bytes.is_empty() {
                continue;
            }
            all.push(Text {
                bytes: [left.bytes.as_slice(), &right.bytes].concat(),
                whole: left.whole || right.whole,
            });
        }
        if all.len() > MAX_TEXTS {
            return None;
        }
    }
    Some(all)
}

fn is_anything(node: &Node) -> bool {
    match &node.kind {
        Kind::Repeat(repeat) => {
            repeat.min == 0 && repeat.max.is_none() && matches!(repeat.body.kind, Kind::Any { .. })
        }
        Kind::Group { body, .. } => is_anything(body),
        _ => false,
    }
}

/// The case rule of a leaf; what has no letters goes with any.
fn folds(node: &Node, otherwise: bool) -> bool {
    let Some(set) = node.one_byte() else {
        return otherwise;
    };
    if !set.iter().any(|byte| byte.is_ascii_alphabetic()) {
        return otherwise;
    }
    set.fold() == set
}

/// A byte that stands for itself in a request as well.
fn is_plain(byte: u8) -> bool {
    super::encode::is_always_raw(byte)
}

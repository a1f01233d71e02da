//! The syntax tree of a pattern.

use std::ops::Range;

use super::set::ByteSet;

/// A piece of a pattern, and the bytes of the text that it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) range: Range<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Empty,
    /// One byte; with `fold` in either case.
    Literal {
        byte: u8,
        fold: bool,
    },
    /// `.`, `\N` and `\C`: any byte, or any but a line feed.
    Any {
        newline: bool,
    },
    Class(Class),
    Assert(Assert),
    Group {
        kind: GroupKind,
        body: Box<Node>,
    },
    Look(Look, Box<Node>),
    Repeat(Repeat),
    Concat(Vec<Node>),
    Alternate(Vec<Node>),
    /// Something PCRE knows and no automaton does.
    Foreign(Foreign),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Class {
    pub(super) negated: bool,
    pub(super) items: Vec<Item>,
    pub(super) fold: bool,
}

/// One entry of a class, kept as written so that the output can look like the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    Byte(u8),
    Range(u8, u8),
    /// `\d`, `\D`, `\w` and `\W` mean the same in every engine here.
    Shorthand(Shorthand),
    /// What has no name that all engines share (`\h`, `[:punct:]`): its members.
    Set(ByteSet),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shorthand {
    Digit,
    NotDigit,
    Word,
    NotWord,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Assert {
    Start,
    End,
    WordBoundary,
    NotWordBoundary,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum GroupKind {
    Plain,
    Capture { name: Option<String> },
    Atomic,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) ahead: bool,
    pub(super) negative: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Repeat {
    pub(super) body: Box<Node>,
    pub(super) min: u32,
    pub(super) max: Option<u32>,
    pub(super) mode: Mode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Greedy,
    Lazy,
    Possessive,
}

/// The name of a construct, and what its writer could do instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Foreign {
    pub(super) construct: &'static str,
    pub(super) help: &'static str,
}

impl Node {
    pub(super) fn new(kind: Kind, range: Range<usize>) -> Self {
        Self { kind, range }
    }

    pub(super) fn empty(range: Range<usize>) -> Self {
        Self::new(Kind::Empty, range)
    }

    /// The nodes as one; a single one stays itself, and sequences among them dissolve.
    pub(super) fn concat(nodes: Vec<Self>, range: Range<usize>) -> Self {
        let mut sequence = Vec::with_capacity(nodes.len());
        for node in nodes {
            match node.kind {
                Kind::Concat(nodes) => sequence.extend(nodes),
                Kind::Empty => {}
                _ => sequence.push(node),
            }
        }
        match sequence.len() {
            0 => Self::empty(range),
            1 => sequence.swap_remove(0),
            _ => Self::new(Kind::Concat(sequence), range),
        }
    }

    pub(super) fn alternate(mut nodes: Vec<Self>, range: Range<usize>) -> Self {
        if nodes.len() == 1 {
            return nodes.swap_remove(0);
        }
        Self::new(Kind::Alternate(nodes), range)
    }

    /// The node in a group, if it is one that would not stand in a sequence.
    pub(super) fn grouped(self) -> Self {
        match self.kind {
            Kind::Alternate(_) => self.plain_group(),
            _ => self,
        }
    }

    fn plain_group(self) -> Self {
        let range = self.range.clone();
        let body = Box::new(self);
        Self::new(
            Kind::Group {
                kind: GroupKind::Plain,
                body,
            },
            range,
        )
    }

    /// `.*`, or `.+` if `min` is 1.
    pub(super) fn anything(min: u32, range: Range<usize>) -> Self {
        let any = Self::new(Kind::Any { newline: false }, range.clone());
        Self::new(
            Kind::Repeat(Repeat {
                body: Box::new(any),
                min,
                max: None,
                mode: Mode::Greedy,
            }),
            range,
        )
    }

    /// The bytes this node consumes, when it consumes exactly one.
    pub(super) fn one_byte(&self) -> Option<ByteSet> {
        match &self.kind {
            Kind::Literal { byte, fold } => {
                let set = ByteSet::of(&[*byte..=*byte]);
                Some(if *fold { set.fold() } else { set })
            }
            Kind::Any { newline: true } => Some(ByteSet::ALL),
            Kind::Any { newline: false } => Some(ByteSet::of(&[b'\n'..=b'\n']).complement()),
            Kind::Class(class) => Some(class.set()),
            Kind::Group {
                kind: GroupKind::Plain,
                body,
            } => body.one_byte(),
            _ => None,
        }
    }

    /// The nodes directly below.
    pub(super) fn children(&self) -> &[Node] {
        match &self.kind {
            Kind::Concat(nodes) | Kind::Alternate(nodes) => nodes,
            Kind::Group { body, .. } | Kind::Look(_, body) => std::slice::from_ref(body),
            Kind::Repeat(repeat) => std::slice::from_ref(&repeat.body),
            _ => &[],
        }
    }

    /// How many capturing groups it holds.
    pub(super) fn captures(&self) -> usize {
        let own = matches!(
            &self.kind,
            Kind::Group {
                kind: GroupKind::Capture { .. },
                ..
            }
        );
        usize::from(own) + self.children().iter().map(Node::captures).sum::<usize>()
    }

    /// Whether it can match without consuming anything.
    pub(super) fn is_nullable(&self) -> bool {
        match &self.kind {
            Kind::Literal { .. } | Kind::Any { .. } | Kind::Class(_) => false,
            Kind::Empty | Kind::Assert(_) | Kind::Look(..) | Kind::Foreign(_) => true,
            Kind::Group { body, .. } => body.is_nullable(),
            Kind::Repeat(repeat) => repeat.min == 0 || repeat.body.is_nullable(),
            Kind::Concat(nodes) => nodes.iter().all(Node::is_nullable),
            Kind::Alternate(nodes) => nodes.iter().any(Node::is_nullable),
        }
    }
}

impl Class {
    /// The members: folded first and negated last, as every engine does it.
    pub(super) fn set(&self) -> ByteSet {
        let mut set = ByteSet::EMPTY;
        for item in &self.items {
            set = set.union(&item.set());
        }
        if self.fold {
            set = set.fold();
        }
        if self.negated { set.complement() } else { set }
    }
}

impl Item {
    pub(super) fn set(&self) -> ByteSet {
        match self {
            Self::Byte(byte) => ByteSet::of(&[*byte..=*byte]),
            Self::Range(first, last) => ByteSet::of(&[*first..=*last]),
            Self::Shorthand(shorthand) => shorthand.set(),
            Self::Set(set) => *set,
        }
    }
}

impl Shorthand {
    pub(super) fn set(self) -> ByteSet {
        let digits = ByteSet::of(&[b'0'..=b'9']);
        let words = ByteSet::of(&[b'0'..=b'9', b'A'..=b'Z', b'_'..=b'_', b'a'..=b'z']);
        match self {
            Self::Digit => digits,
            Self::NotDigit => digits.complement(),
            Self::Word => words,
            Self::NotWord => words.complement(),
        }
    }

    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Digit => r"\d",
            Self::NotDigit => r"\D",
            Self::Word => r"\w",
            Self::NotWord => r"\W",
        }
    }
}

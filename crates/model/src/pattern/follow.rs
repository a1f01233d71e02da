//! What may come next: the bytes that can follow a place in a pattern.
//!
//! Possessive quantifiers, atomic groups and lookaheads forbid something. They can
//! be dropped where the rest of the pattern forbids the same.

use super::ast::{Assert, Kind, Node};
use super::set::ByteSet;

/// The ways in which the rest of a pattern may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Follow {
    /// The bytes that the rest can consume next.
    pub(super) first: ByteSet,
    /// The rest can be satisfied here, whatever the path goes on with.
    pub(super) may_stop: bool,
    /// The rest can be satisfied here if the path ends.
    pub(super) at_end: bool,
}

impl Follow {
    /// The pattern is over. It need not reach the end of the path.
    pub(super) const NOTHING: Self = Self {
        first: ByteSet::EMPTY,
        may_stop: true,
        at_end: false,
    };
    /// Nothing is known.
    const UNKNOWN: Self = Self {
        first: ByteSet::ALL,
        may_stop: true,
        at_end: true,
    };

    fn or(self, other: Self) -> Self {
        Self {
            first: self.first.union(&other.first),
            may_stop: self.may_stop || other.may_stop,
            at_end: self.at_end || other.at_end,
        }
    }

    /// Whether the rest has to consume a byte.
    pub(super) fn must_consume(&self) -> bool {
        !self.may_stop && !self.at_end
    }

    /// What a node begins with that is followed by this.
    pub(super) fn after(self, node: &Node) -> Self {
        match &node.kind {
            Kind::Empty => self,
            Kind::Literal { .. } | Kind::Any { .. } | Kind::Class(_) => Self {
                first: node.one_byte().unwrap_or(ByteSet::ALL),
                may_stop: false,
                at_end: false,
            },
            Kind::Assert(Assert::End) => Self {
                first: ByteSet::EMPTY,
                may_stop: false,
                at_end: self.may_stop || self.at_end,
            },
            Kind::Assert(_) | Kind::Look(..) | Kind::Foreign(_) => Self::UNKNOWN,
            Kind::Group { body, .. } => self.after(body),
            Kind::Concat(nodes) => self.after_all(nodes),
            Kind::Alternate(nodes) => nodes
                .iter()
                .map(|node| self.after(node))
                .reduce(Self::or)
                .unwrap_or(self),
            Kind::Repeat(repeat) if repeat.max == Some(0) => self,
            Kind::Repeat(repeat) => {
                // To go round again adds nothing to what the body begins with.
                let entered = self.after(&repeat.body);
                if repeat.min == 0 {
                    entered.or(self)
                } else {
                    entered
                }
            }
        }
    }

    /// What a sequence begins with that is followed by this.
    pub(super) fn after_all(self, nodes: &[Node]) -> Self {
        // Behind what hides all that follows there is nothing to see.
        let hides = nodes.iter().position(|node| match node.kind {
            Kind::Literal { .. }
            | Kind::Any { .. }
            | Kind::Class(_)
            | Kind::Look(..)
            | Kind::Foreign(_) => true,
            Kind::Assert(assert) => assert != Assert::End,
            _ => false,
        });
        let seen = hides.map_or(nodes, |at| &nodes[..=at]);
        seen.iter().rev().fold(self, Self::after)
    }

    /// What follows the body of a repetition that is followed by this.
    pub(super) fn or_again(self, body: &Node, max: Option<u32>) -> Self {
        if max == Some(1) {
            return self;
        }
        self.or(self.after(body))
    }
}

/// Whether a node, at a given place, matches in one way at most.
///
/// Then nothing is lost by not trying it again: an atomic group around it is void.
pub(super) fn has_one_way(node: &Node) -> bool {
    match &node.kind {
        Kind::Empty
        | Kind::Literal { .. }
        | Kind::Any { .. }
        | Kind::Class(_)
        | Kind::Assert(_)
        | Kind::Look(..) => true,
        Kind::Group { body, .. } => has_one_way(body),
        Kind::Concat(nodes) => nodes.iter().all(has_one_way),
        Kind::Alternate(nodes) => {
            let mut seen = ByteSet::EMPTY;
            nodes.iter().all(|node| {
                let first = Follow::NOTHING.after(node).first;
                let apart = seen.is_disjoint(&first) && !node.is_nullable();
                seen = seen.union(&first);
                apart && has_one_way(node)
            })
        }
        Kind::Repeat(repeat) => repeat.max == Some(repeat.min) && has_one_way(&repeat.body),
        Kind::Foreign(_) => false,
    }
}

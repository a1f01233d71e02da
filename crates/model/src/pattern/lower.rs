//! From the syntax tree to one that RE2 can express.
//!
//! What is removed here is removed only where the result is equal for a pattern that
//! need not reach the end of the path, and whose groups keep what they capture.

use std::ops::Range;

use super::ast::{Assert, GroupKind, Kind, Look, Mode, Node, Repeat};
use super::error::Inexpressible;
use super::exclude;
use super::follow::{Follow, has_one_way};

/// RE2's limit of a count, and of counts within counts.
const MAX_REPEAT: u32 = 1000;

const POSSESSIVE: &str = "drop the `+` if what follows cannot match the same characters";
const ATOMIC: &str = "write `(?:…)` if it is not there to stop backtracking";
const LOOKBEHIND: &str = "move the condition into the pattern before it";
const LOOKAHEAD: &str = "continue the pattern with the text instead of looking ahead";
const NEGATIVE: &str =
    "give the excluded paths a rule of their own, which comes first when its path is longer";
const COUNT: &str = "RE2 counts up to 1000; use `*` or `+`";

/// Where a node stands.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// What comes after it.
    follow: Follow,
    /// Nothing at all comes after it, and it is matched once.
    last: bool,
    /// Nothing but the end of the path may come after it, and it is matched once.
    final_part: bool,
    /// What it consumes is kept by a group.
    captured: bool,
    /// The product of the counts around it.
    count: u32,
}

/// Lowers a whole pattern; `fold` is the case rule that it starts with.
pub(super) fn lower(root: &Node, fold: bool) -> Result<Node, Vec<Inexpressible>> {
    let mut lowering = Lowering {
        fold,
        faults: Vec::new(),
    };
    let place = Place {
        follow: Follow::NOTHING,
        last: true,
        final_part: true,
        captured: false,
        count: 1,
    };
    let node = lowering.node(root, place);
    if lowering.faults.is_empty() {
        Ok(node)
    } else {
        Err(lowering.faults)
    }
}

/// `node?`
pub(super) fn optional(node: Node) -> Node {
    let range = node.range.clone();
    let repeat = Repeat {
        body: Box::new(node),
        min: 0,
        max: Some(1),
        mode: Mode::Greedy,
    };
    Node::new(Kind::Repeat(repeat), range)
}

struct Lowering {
    fold: bool,
    faults: Vec<Inexpressible>,
}

impl Lowering {
    fn node(&mut self, node: &Node, place: Place) -> Node {
        let kind = match &node.kind {
            Kind::Group { kind, body } => return self.group(kind, body, node, place),
            Kind::Look(look, body) => return self.look(*look, body, node, place),
            Kind::Repeat(repeat) => return self.repeat(repeat, node, place),
            Kind::Concat(nodes) => return self.sequence(nodes, &node.range, place),
            Kind::Alternate(nodes) => {
                Kind::Alternate(nodes.iter().map(|node| self.node(node, place)).collect())
            }
            Kind::Foreign(foreign) => {
                return self.fault(&node.range, foreign.construct, foreign.help);
            }
            leaf => leaf.clone(),
        };
        Node::new(kind, node.range.clone())
    }

    fn fault(&mut self, range: &Range<usize>, construct: &str, help: &str) -> Node {
        self.faults.push(Inexpressible {
            range: range.clone(),
            construct: construct.to_owned(),
            help: help.to_owned(),
        });
        Node::empty(range.clone())
    }

    fn group(&mut self, kind: &GroupKind, body: &Node, node: &Node, place: Place) -> Node {
        let kind = match kind {
            GroupKind::Atomic => {
                // At the end of the pattern nothing asks for another way.
                let void = has_one_way(body) || place.follow == Follow::NOTHING;
                if !void && !stops_alone(body, place.follow) {
                    return self.fault(&node.range, "atomic group", ATOMIC);
                }
                GroupKind::Plain
            }
            other => other.clone(),
        };
        let captured = place.captured || matches!(kind, GroupKind::Capture { .. });
        let body = Box::new(self.node(body, Place { captured, ..place }));
        Node::new(Kind::Group { kind, body }, node.range.clone())
    }

    fn repeat(&mut self, repeat: &Repeat, node: &Node, place: Place) -> Node {
        let count = repeat.max.unwrap_or(repeat.min).max(1);
        let count = place.count.saturating_mul(count);
        if count > MAX_REPEAT {
            return self.fault(&node.range, "count above 1000", COUNT);
        }
        let mode = match repeat.mode {
            Mode::Possessive => {
                let fixed = repeat.max == Some(repeat.min) && has_one_way(&repeat.body);
                let void = fixed || place.follow == Follow::NOTHING;
                if !void && !stops_alone(node, place.follow) {
                    return self.fault(&node.range, "possessive quantifier", POSSESSIVE);
                }
                Mode::Greedy
            }
            mode => mode,
        };
        let inner = Place {
            follow: place.follow.or_again(&repeat.body, repeat.max),
            last: false,
            final_part: false,
            captured: place.captured,
            count,
        };
        let body = self.node(&repeat.body, inner);
        let repeat = Repeat {
            body: Box::new(body),
            min: repeat.min,
            max: repeat.max,
            mode,
        };
        Node::new(Kind::Repeat(repeat), node.range.clone())
    }

    fn sequence(&mut self, nodes: &[Node], range: &Range<usize>, place: Place) -> Node {
        let mut lowered = Vec::with_capacity(nodes.len());
        for (index, node) in nodes.iter().enumerate() {
            let rest = &nodes[index + 1..];
            if let Kind::Look(look, body) = &node.kind
                && look.ahead
                && place.final_part
                && let Some(found) = self.look_at_rest(*look, body, rest, node, place)
            {
                lowered.push(found);
                return Node::concat(lowered, range.clone());
            }
            let inner = Place {
                follow: place.follow.after_all(rest),
                last: place.last && rest.is_empty(),
                final_part: place.final_part && rest.iter().all(is_end),
                ..place
            };
            lowered.push(self.node(node, inner));
        }
        Node::concat(lowered, range.clone())
    }

    /// A lookahead whose rest is `.*`, in a group or not: the rest of the path.
    fn look_at_rest(
        &mut self,
        look: Look,
        body: &Node,
        rest: &[Node],
        node: &Node,
        place: Place,
    ) -> Option<Node> {
        let (tail, ends) = match rest {
            [tail] => (tail, false),
            [tail, end] if end.kind == Kind::Assert(Assert::End) => (tail, true),
            _ => return None,
        };
        let or_empty = swallows_the_rest(tail, ends || !place.last)?;
        let range = &node.range;
        let replacement = if look.negative {
            exclude::excluding(body, self.fold, or_empty, range)?
        } else {
            // The groups would change places.
            let renumbered = body.captures() > 0 && tail.captures() > 0;
            if renumbered || !or_empty && body.is_nullable() {
                return None;
            }
            let inner = Place {
                follow: Follow::NOTHING,
                last: false,
                final_part: false,
                ..place
            };
            let body = self.node(body, inner).grouped();
            let rest = vec![body, Node::anything(0, range.clone())];
            Node::concat(rest, range.clone())
        };
        let end = Node::new(Kind::Assert(Assert::End), range.clone());
        let mut found = if look.negative {
            placeholders(body)
        } else {
            Vec::new()
        };
        found.push(with_body(tail, replacement));
        found.push(end);
        Some(Node::concat(found, range.clone()))
    }

    fn look(&mut self, look: Look, body: &Node, node: &Node, place: Place) -> Node {
        let range = &node.range;
        if !look.ahead {
            let construct = if look.negative {
                "negative lookbehind"
            } else {
                "lookbehind"
            };
            return self.fault(range, construct, LOOKBEHIND);
        }
        if look.negative {
            return self.negative_look(body, node, place);
        }
        // Nothing follows, and the path may go on: the text is as good as consumed.
        let zero_width = Follow::NOTHING.after(body).first.is_empty();
        let may_consume = place.last && (!place.captured || zero_width);
        let required = body.one_byte();
        let follow = place.follow;
        if may_consume || zero_width && is_end(body) {
            return self.node(body, place).grouped();
        }
        if follow.must_consume() && required.is_some_and(|set| follow.first.is_subset(&set)) {
            return Node::empty(range.clone());
        }
        self.fault(range, "lookahead", LOOKAHEAD)
    }

    fn negative_look(&mut self, body: &Node, node: &Node, place: Place) -> Node {
        let range = &node.range;
        let first = Follow::NOTHING.after(body);
        if matches!(body.kind, Kind::Any { .. }) {
            return Node::new(Kind::Assert(Assert::End), range.clone());
        }
        let apart = first.first.is_disjoint(&place.follow.first);
        if apart && place.follow.must_consume() && !first.may_stop {
            return Node::concat(placeholders(body), range.clone());
        }
        if place.last
            && !place.captured
            && let Some(rest) = exclude::excluding(body, self.fold, true, range)
        {
            let mut nodes = placeholders(body);
            nodes.push(rest);
            nodes.push(Node::new(Kind::Assert(Assert::End), range.clone()));
            return Node::concat(nodes, range.clone()).grouped();
        }
        self.fault(range, "negative lookahead", NEGATIVE)
    }
}

/// Whether a greedy repetition of single bytes never has to give one back.
fn stops_alone(node: &Node, follow: Follow) -> bool {
    let Kind::Repeat(repeat) = &node.kind else {
        return false;
    };
    let greedy = repeat.mode != Mode::Lazy;
    let set = repeat.body.one_byte();
    greedy && set.is_some_and(|set| set.is_disjoint(&follow.first))
}

/// Whether a node is `$`, in groups or not.
fn is_end(node: &Node) -> bool {
    match &node.kind {
        Kind::Assert(Assert::End) => true,
        Kind::Group { body, .. } => is_end(body),
        _ => false,
    }
}

/// Whether a node consumes all that is left; the value says whether that may be
/// nothing. `ends` is set if an end assertion follows, so that even a lazy one does.
fn swallows_the_rest(node: &Node, ends: bool) -> Option<bool> {
    match &node.kind {
        Kind::Repeat(repeat) => {
            let any = matches!(repeat.body.kind, Kind::Any { .. });
            let far = repeat.max.is_none() && (ends || repeat.mode != Mode::Lazy);
            (any && far && repeat.min <= 1).then_some(repeat.min == 0)
        }
        Kind::Group {
            kind: GroupKind::Plain | GroupKind::Capture { .. },
            body,
        } => swallows_the_rest(body, ends),
        _ => None,
    }
}

/// The groups around a node that swallows the rest, around something else.
fn with_body(node: &Node, replacement: Node) -> Node {
    match &node.kind {
        Kind::Group { kind, body } => {
            let body = Box::new(with_body(body, replacement));
            let kind = kind.clone();
            Node::new(Kind::Group { kind, body }, node.range.clone())
        }
        _ => replacement,
    }
}

/// Empty groups in place of those of a dropped lookahead, which never capture
/// anything but are counted.
fn placeholders(node: &Node) -> Vec<Node> {
    let group = || {
        let kind = GroupKind::Capture { name: None };
        let body = Box::new(Node::empty(node.range.clone()));
        Node::new(Kind::Group { kind, body }, node.range.clone())
    };
    std::iter::repeat_with(group)
        .take(node.captures())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::Pattern;

    /// The constructs that stand in the way, each with its text.
    fn check(text: &str, expected: &[(&str, &str)]) {
        let faults = Pattern::parse(text)
            .unwrap()
            .to_re2()
            .err()
            .unwrap_or_default();
        let found: Vec<(&str, &str)> = faults
            .iter()
            .map(|fault| (&text[fault.range.clone()], fault.construct.as_str()))
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn every_fault_is_reported() {
        check(
            r"/(a)\1(?<=b)c++c",
            &[
                (r"\1", "back-reference"),
                ("(?<=b)", "lookbehind"),
                ("c++", "possessive quantifier"),
            ],
        );
    }

    #[test]
    fn what_follows_decides_on_possessive_quantifiers() {
        check("/a++b", &[]);
        check("/a++", &[]);
        check("/a++$", &[]);
        check("/(?:a++b?)c", &[]);
        check("/(?:a++b?)a", &[("a++", "possessive quantifier")]);
        check("/(?:a++,?)*", &[("a++", "possessive quantifier")]);
        check(r"/a++\b", &[("a++", "possessive quantifier")]);
    }

    #[test]
    fn lookaheads_that_change_what_groups_capture_are_kept() {
        check("/foo(?=/|$)", &[]);
        check("/(foo(?=/))", &[("(?=/)", "lookahead")]);
        check("/(?=(a))(.*)", &[("(?=(a))", "lookahead")]);
        check("/(?!a)(.*)b", &[("(?!a)", "negative lookahead")]);
        check("/(?:x(?!a))?", &[("(?!a)", "negative lookahead")]);
    }
}

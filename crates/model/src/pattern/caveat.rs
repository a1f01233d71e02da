//! Where an RE2 form is equal but for something that rarely matters.

use std::ops::Range;

use super::ast::{Assert, GroupKind, Kind, Node};
use super::encode::is_always_encoded;
use super::follow::Follow;
use super::set::ByteSet;

/// The groups in a repetition whose body may match nothing.
///
/// PCRE runs such a body once more, for nothing, and the group keeps that: `(.*)+`
/// captures an empty text. RE2 stops before.
pub(super) fn uncertain_groups(root: &Node) -> Vec<usize> {
    let (mut found, mut groups) = (Vec::new(), 0);
    collect(root, false, &mut groups, &mut found);
    found
}

fn collect(node: &Node, uncertain: bool, groups: &mut usize, found: &mut Vec<usize>) {
    let mut uncertain = uncertain;
    match &node.kind {
        Kind::Group {
            kind: GroupKind::Capture { .. },
            ..
        } => {
            *groups += 1;
            if uncertain {
                found.push(*groups);
            }
        }
        Kind::Repeat(repeat) => {
            let once = matches!(repeat.max, Some(0 | 1));
            uncertain |= !once && repeat.body.is_nullable();
        }
        _ => {}
    }
    for child in node.children() {
        collect(child, uncertain, groups, found);
    }
}

/// The first part that stands for one character where a path as it is sent may have
/// three of an encoded one, that must not match an encoded one, or that may begin
/// within one: the 20 of `.*20` is found in `%20`.
pub(super) fn encoding_difference(branches: &[Node]) -> Option<Range<usize>> {
    // All but the first may begin anywhere.
    let adrift = |node: &&Node| !Follow::NOTHING.after(node).first.is_disjoint(&digits());
    let adrift = branches.iter().skip(1).find(adrift);
    adrift.map(|node| node.range.clone()).or_else(|| {
        branches
            .iter()
            .find_map(|node| difference(node, Follow::NOTHING))
    })
}

fn difference(node: &Node, follow: Follow) -> Option<Range<usize>> {
    match &node.kind {
        // An encoded character ends in what may be a word.
        Kind::Any { .. } | Kind::Assert(Assert::WordBoundary | Assert::NotWordBoundary) => {
            Some(node.range.clone())
        }
        Kind::Class(class) => {
            let set = class.set();
            let named = !class.negated && encoded(&set) <= super::print::MAX_ENCODED;
            (!named && !set.is_empty()).then(|| node.range.clone())
        }
        Kind::Repeat(repeat) => {
            let far = repeat.max.is_none() && repeat.min <= 1;
            let run = repeat
                .body
                .one_byte()
                .is_some_and(|set| takes_any_encoding(&set));
            if far && run && follow.first.is_disjoint(&digits()) {
                return None;
            }
            difference(&repeat.body, follow.or_again(&repeat.body, repeat.max))
        }
        Kind::Concat(nodes) => nodes
            .iter()
            .enumerate()
            .find_map(|(at, node)| difference(node, follow.after_all(&nodes[at + 1..]))),
        _ => node
            .children()
            .iter()
            .find_map(|child| difference(child, follow)),
    }
}

/// What an encoding consists of, behind its percent sign.
fn digits() -> ByteSet {
    ByteSet::of(&[b'0'..=b'9', b'A'..=b'F', b'a'..=b'f'])
}

fn encoded(set: &ByteSet) -> usize {
    set.iter().filter(|byte| is_always_encoded(*byte)).count()
}

/// Whether a set holds all encoded characters, and all that their encodings consist
/// of: then it makes no difference how many of them a run takes. A slash or a line
/// feed is never sent encoded, or not told from a plain one.
fn takes_any_encoding(set: &ByteSet) -> bool {
    let needed = (0..=u8::MAX).filter(|byte| {
        let spelling = byte.is_ascii_hexdigit() || *byte == b'%';
        (spelling || is_always_encoded(*byte)) && *byte != b'\n'
    });
    needed.into_iter().all(|byte| set.contains(byte))
}

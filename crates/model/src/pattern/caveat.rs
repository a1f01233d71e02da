//! Where an RE2 form is equal but for something that rarely matters.

use super::ast::{GroupKind, Kind, Node};

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

//! The text that every match begins with.

use super::ast::{Assert, GroupKind, Kind, Node};

/// The literal text that each match of a node begins with, and whether it is all
/// there is to the node.
pub(super) fn literal_prefix(node: &Node) -> (Vec<u8>, bool) {
    match &node.kind {
        Kind::Empty | Kind::Assert(Assert::Start) => (Vec::new(), true),
        Kind::Literal { byte, .. } => (vec![*byte], true),
        Kind::Group {
            kind: GroupKind::Plain | GroupKind::Capture { .. } | GroupKind::Atomic,
            body,
        } => literal_prefix(body),
        Kind::Concat(nodes) => {
            let mut prefix = Vec::new();
            for node in nodes {
                let (more, whole) = literal_prefix(node);
                prefix.extend(more);
                if !whole {
                    return (prefix, false);
                }
            }
            (prefix, true)
        }
        Kind::Repeat(repeat) => {
            let (mut prefix, whole) = literal_prefix(&repeat.body);
            if repeat.min == 0 {
                return (Vec::new(), repeat.max == Some(0));
            }
            if repeat.min > 1 || repeat.max != Some(1) || !whole {
                return (prefix, false);
            }
            prefix.shrink_to_fit();
            (prefix, true)
        }
        Kind::Alternate(nodes) => (common_prefix(nodes), false),
        _ => (Vec::new(), false),
    }
}

fn common_prefix(nodes: &[Node]) -> Vec<u8> {
    let mut prefixes = nodes.iter().map(|node| literal_prefix(node).0);
    let Some(mut common) = prefixes.next() else {
        return Vec::new();
    };
    for prefix in prefixes {
        let same = common
            .iter()
            .zip(&prefix)
            .take_while(|(a, b)| a.eq_ignore_ascii_case(b));
        common.truncate(same.count());
    }
    common
}

#[cfg(test)]
mod tests {
    use super::super::Pattern;

    #[test]
    fn the_prefix_is_what_no_match_lacks() {
        for (text, prefix, literal) in [
            ("/Foo", "/foo", true),
            ("/foo(/|$)(.*)", "/foo", false),
            ("/(foo|fob)x", "/fo", false),
            (r"/v1\.2.*", "/v1.2", false),
            ("/a+b", "/a", false),
            ("/ab?", "/a", false),
            ("/(ab){2}", "/ab", false),
            ("^/é", "/é", false),
            ("/日", "/日", true),
            ("/[日]", "/", false),
            ("/a|/b", "", false),
        ] {
            let pattern = Pattern::parse(text).unwrap();
            assert_eq!(pattern.required_literal_prefix(), prefix, "{text}");
            assert_eq!(pattern.is_literal(), literal, "{text}");
        }
    }
}

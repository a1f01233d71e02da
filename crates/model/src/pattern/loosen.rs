//! A pattern without what no automaton can say, which matches all that it does and more.

use super::ast::{GroupKind, Kind, Mode, Node, Repeat};

/// The node without assertions about what stands around, and with free choice where it had
/// none; `None` where something else is in the way.
pub(super) fn loosen(node: &Node) -> Option<Node> {
    let all = |nodes: &[Node]| nodes.iter().map(loosen).collect::<Option<Vec<_>>>();
    let kind = match &node.kind {
        // Among them are verbs that end a match early.
        Kind::Foreign(_) => return None,
        Kind::Look(..) => Kind::Empty,
        Kind::Concat(nodes) => return Some(Node::concat(all(nodes)?, node.range.clone())),
        Kind::Alternate(nodes) => Kind::Alternate(all(nodes)?),
        Kind::Group { kind, body } => Kind::Group {
            kind: match kind {
                GroupKind::Atomic => GroupKind::Plain,
                other => other.clone(),
            },
            body: Box::new(loosen(body)?),
        },
        Kind::Repeat(repeat) => match loosen(&repeat.body)? {
            body if body.kind == Kind::Empty => Kind::Empty,
            body => Kind::Repeat(Repeat {
                body: Box::new(body),
                min: repeat.min,
                max: repeat.max,
                mode: match repeat.mode {
                    Mode::Possessive => Mode::Greedy,
                    other => other,
                },
            }),
        },
        other => other.clone(),
    };
    Some(Node::new(kind, node.range.clone()))
}

#[cfg(test)]
mod tests {
    use super::super::Pattern;

    #[test]
    fn what_is_loosened_matches_more() {
        for (text, loosened) in [
            ("/(?!private)p.*z$", Some("(?i)/p.*z$")),
            ("/a(?=b)(?:x|y(?<!z))", Some("(?i)/a(?:x|y).*")),
            ("/(?>a+)b++c", Some("(?i)/(?:a+)b+c.*")),
            ("/a(?=b)*c", Some("(?i)/ac.*")),
            (r"/(a)\1", None),
            ("/a(*ACCEPT)b", None),
        ] {
            let re2 = Pattern::parse(text)
                .unwrap()
                .loosened()
                .map(|pattern| pattern.to_re2().unwrap().for_encoded_path().match_prefix());
            assert_eq!(re2.as_deref(), loosened, "{text}");
        }
    }
}

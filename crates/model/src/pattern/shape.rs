//! Patterns that are plain paths but for their ends.

use super::Pattern;
use super::ast::{Assert, GroupKind, Kind, Mode, Node, Repeat};

/// A pattern that is a plain text and then an end or anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// The text, in the case it was written in.
    pub text: String,
    /// What may follow.
    pub end: ShapeEnd,
}

/// What may follow the text of a [`Shape`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShapeEnd {
    /// Nothing.
    Nothing,
    /// A slash and anything, or nothing.
    Segments,
    /// Anything.
    Anything,
}

impl Pattern {
    /// The plain text that it is but for its end; `None` for all other patterns.
    pub fn shape(&self) -> Option<Shape> {
        let root = std::slice::from_ref(&self.parsed.root);
        let nodes = match &self.parsed.root.kind {
            Kind::Concat(nodes) => nodes.as_slice(),
            Kind::Empty => return None,
            _ => root,
        };
        let nodes = match nodes {
            [first, rest @ ..] if first.kind == Kind::Assert(Assert::Start) => rest,
            _ => nodes,
        };
        let literal = |node: &Node| match node.kind {
            Kind::Literal { byte, .. } => Some(byte),
            _ => None,
        };
        let text: Vec<u8> = nodes.iter().map_while(literal).collect();
        let rest = &nodes[text.len()..];
        let mut text = String::from_utf8(text).ok()?;
        let end = end(rest)?;
        // The first slash is there whatever the pattern says.
        if text.is_empty() {
            if end != ShapeEnd::Anything {
                return None;
            }
            text.push('/');
        }
        Some(Shape { text, end })
    }
}

fn end(nodes: &[Node]) -> Option<ShapeEnd> {
    let (nodes, closed) = match nodes {
        [rest @ .., last] if last.kind == Kind::Assert(Assert::End) => (rest, true),
        _ => (nodes, false),
    };
    match nodes {
        [] if closed => Some(ShapeEnd::Nothing),
        [] => Some(ShapeEnd::Anything),
        [all] if anything(all) => Some(ShapeEnd::Anything),
        [slash] if !closed && maybe_slash(slash) => Some(ShapeEnd::Anything),
        [slash, all] if maybe_slash(slash) && anything(all) => Some(ShapeEnd::Anything),
        [border] if !closed && slash_or_end(border) => Some(ShapeEnd::Segments),
        [border, all] if slash_or_end(border) && anything(all) => Some(ShapeEnd::Segments),
        [below] if closed && maybe_below(below) => Some(ShapeEnd::Segments),
        _ => None,
    }
}

fn body(node: &Node) -> &Node {
    match &node.kind {
        Kind::Group {
            kind: GroupKind::Plain | GroupKind::Capture { .. },
            body: inner,
        } => body(inner),
        _ => node,
    }
}

fn repeated(node: &Node, max: Option<u32>) -> Option<&Node> {
    match &node.kind {
        Kind::Repeat(Repeat {
            body,
            min: 0,
            max: most,
            mode: Mode::Greedy | Mode::Lazy,
        }) if *most == max => Some(body),
        _ => None,
    }
}

fn is_slash(node: &Node) -> bool {
    matches!(body(node).kind, Kind::Literal { byte: b'/', .. })
}

/// `.*` or `(.*)`.
fn anything(node: &Node) -> bool {
    repeated(body(node), None).is_some_and(|inner| matches!(inner.kind, Kind::Any { .. }))
}

/// `/?` or `(/?)`.
fn maybe_slash(node: &Node) -> bool {
    repeated(body(node), Some(1)).is_some_and(is_slash)
}

/// `(/|$)`.
fn slash_or_end(node: &Node) -> bool {
    let is_end = |node: &Node| body(node).kind == Kind::Assert(Assert::End);
    match &body(node).kind {
        Kind::Alternate(nodes) => {
            nodes.len() == 2 && nodes.iter().any(is_slash) && nodes.iter().any(is_end)
        }
        _ => false,
    }
}

/// `(/.*)?`.
fn maybe_below(node: &Node) -> bool {
    let Some(inner) = repeated(body(node), Some(1)).map(body) else {
        return false;
    };
    match &inner.kind {
        Kind::Concat(nodes) => {
            matches!(&nodes[..], [slash, all] if is_slash(slash) && anything(all))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<(&str, ShapeEnd)>) {
        let found = Pattern::parse(text).unwrap().shape();
        let found = found.as_ref().map(|shape| (shape.text.as_str(), shape.end));
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn plain_texts_with_an_end() {
        for (text, end) in [
            ("/Foo", ShapeEnd::Anything),
            ("^/Foo.*", ShapeEnd::Anything),
            ("/Foo(.*)$", ShapeEnd::Anything),
            ("/Foo/?(.*)", ShapeEnd::Anything),
            ("/Foo/?", ShapeEnd::Anything),
            ("/Foo(/|$)(.*)", ShapeEnd::Segments),
            ("/Foo(?:/|$).*", ShapeEnd::Segments),
            ("/Foo($|/)", ShapeEnd::Segments),
            ("/Foo(/.*)?$", ShapeEnd::Segments),
            ("/Foo$", ShapeEnd::Nothing),
        ] {
            check(text, Some(("/Foo", end)));
        }
        check(r"/v1\.2", Some(("/v1.2", ShapeEnd::Anything)));
        check("/foo/(.*)", Some(("/foo/", ShapeEnd::Anything)));
        for all in ["/", "/(.*)", "/?(.*)", ".*"] {
            check(all, Some(("/", ShapeEnd::Anything)));
        }
    }

    #[test]
    fn what_means_more() {
        for text in [
            "/v1.2",
            "/foo(/.*)?",
            "/foo/?$",
            "/a|/b",
            "/foo/(.+)",
            "/fo*",
            "/foo(?!x)",
            "$",
            "/foo(/|$)(.*)x",
            r"/foo\b",
        ] {
            check(text, None);
        }
    }
}

//! The RE2 form of a pattern, and the texts that are made of it.

use super::ast::{Assert, GroupKind, Kind, Mode, Node};
use super::caveat;
use super::print::{Dialect, Level, Printer};
use super::substitution::{Substitution, SubstitutionError, substitution_with};

/// A pattern that RE2 can express.
///
/// Its texts are for an engine that works on bytes below 128. There RE2's `(?i)`,
/// which also takes `K` (Kelvin) for `k` and `ſ` for `s`, is that of PCRE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Re2 {
    pub(super) root: Node,
    pub(super) groups: usize,
    pub(super) names: Vec<(String, u32)>,
    pub(super) fold: bool,
    pub(super) encoded: bool,
}

impl Re2 {
    /// The same pattern for a path as it is sent rather than as nginx decodes it.
    ///
    /// A character that cannot be sent as it is, such as a space, `?` or `é`, is
    /// written percent-encoded, and one that some clients encode (`|`) both ways; so
    /// are the members of a class. `.`, `[^/]` and `\W` take such an escape whole. The
    /// borders of words that `\b` looks for may lie within one.
    #[must_use]
    pub fn for_encoded_path(mut self) -> Self {
        self.encoded = true;
        self
    }

    /// How many capturing groups there are.
    pub fn group_count(&self) -> usize {
        self.groups
    }

    /// The groups, from 1, that may capture another text than in nginx: those in a
    /// repetition that can match nothing, as in `(.*)+`.
    pub fn uncertain_groups(&self) -> Vec<usize> {
        caveat::uncertain_groups(&self.root)
    }

    /// Whether a match may take `byte` with anything but a `.*` that the pattern ends with.
    ///
    /// If not, a text that begins with a match and is cut at that byte still does.
    pub fn reaches_beyond(&self, byte: u8) -> bool {
        let mut branches = self.branches().iter();
        branches.any(|branch| beyond(branch, byte, true))
    }

    /// The pattern itself, without anchors; under `(?i)` if case doesn't matter.
    pub fn text(&self) -> String {
        self.header() + &self.printer().text(&self.root, Level::Alternation)
    }

    /// The text that matches, as a whole, each path on which nginx's `^P` matches.
    ///
    /// nginx puts `^` in front of the text, where it binds to the first alternative
    /// only: in `^/a|/b` the second may match anywhere.
    pub fn match_prefix(&self) -> String {
        let [first, others @ ..] = self.branches() else {
            return self.header();
        };
        if others.is_empty() {
            let text = self.printer().sequence_text(without_start(first));
            let suffix = if reaches_end(first) { "" } else { ".*" };
            return format!("{}{text}{suffix}", self.header());
        }
        let mut texts = vec![self.printer().sequence_text(without_start(first))];
        texts.extend(others.iter().map(|branch| self.unanchored(branch)));
        let body = texts.join("|");
        let suffix = if self.branches().iter().all(reaches_end) {
            ""
        } else {
            ".*"
        };
        format!("{}(?:{body}){suffix}", self.header())
    }

    /// The text that matches, as a whole, whatever holds a match: for a header, of
    /// which nginx asks that the pattern be found somewhere.
    pub fn match_anywhere(&self) -> String {
        let texts: Vec<String> = self.branches().iter().map(|b| self.unanchored(b)).collect();
        let suffix = if self.branches().iter().all(reaches_end) {
            ""
        } else {
            ".*"
        };
        match texts.as_slice() {
            [text] => format!("{}{text}{suffix}", self.header()),
            texts => format!("{}(?:{}){suffix}", self.header(), texts.join("|")),
        }
    }

    /// The text that consumes a whole path once, with the groups that nginx's
    /// `rewrite "(?i)P"` would capture in it.
    ///
    /// That directive looks for the leftmost match. For a path that came by `^P` it
    /// is at the start, unless another alternative let the path in.
    pub fn rewrite_pattern(&self) -> String {
        let (printer, header) = (self.printer(), self.header());
        let [branch] = self.branches() else {
            let body = printer.text(&self.root, Level::Alternation);
            let before = printer.anything(std::slice::from_ref(&self.root));
            return format!("^{header}{before}?(?:{body}).*$");
        };
        let text = printer.sequence_text(without_start(branch));
        let suffix = match () {
            () if ends_anchored(branch) => "",
            () if swallows_greedily(branch) => "$",
            () => ".*$",
        };
        format!("^{header}{text}{suffix}")
    }

    /// The substitution for [`rewrite_pattern`](Self::rewrite_pattern) that does what
    /// `target` does in nginx; it knows the names of the groups.
    pub fn substitution(&self, target: &str) -> Result<Substitution, Vec<SubstitutionError>> {
        substitution_with(target, self.groups, &self.names)
    }

    fn header(&self) -> String {
        String::from(if self.fold { "(?i)" } else { "" })
    }

    fn printer(&self) -> Printer {
        let mut names: Vec<&str> = self.names.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        Printer {
            dialect: Dialect::Re2 {
                encoded: self.encoded,
            },
            fold: self.fold,
            names: names.windows(2).all(|pair| pair[0] != pair[1]),
            before_digit: false,
        }
    }

    pub(super) fn branches(&self) -> &[Node] {
        match &self.root.kind {
            Kind::Alternate(nodes) => nodes,
            _ => std::slice::from_ref(&self.root),
        }
    }

    fn unanchored(&self, branch: &Node) -> String {
        let rest = without_start(branch);
        let anchored = rest.len() < sequence(branch).len();
        let text = self.printer().sequence_text(rest);
        if anchored {
            text
        } else {
            format!("{}{text}", self.printer().anything(rest))
        }
    }
}

/// A match text for the whole path, made longer without a change of meaning.
///
/// Where rules are ordered by the length of their text, that keeps them in an order
/// that comes from elsewhere. `None` if the text is longer already.
pub fn pad_match(text: &str, length: usize) -> Option<String> {
    let missing = length.checked_sub(text.len())?;
    let mut padded = text.to_owned();
    let open = text.ends_with(".*");
    match missing {
        0 => {}
        1 if open => padded.push('?'),
        1 => padded.push('$'),
        odd if odd % 2 == 1 => padded.push_str(".*?"),
        _ => padded.push_str(".*"),
    }
    while padded.len() < length {
        padded.push_str(".*");
    }
    Some(padded)
}

fn sequence(node: &Node) -> &[Node] {
    match &node.kind {
        Kind::Concat(nodes) => nodes,
        _ => std::slice::from_ref(node),
    }
}

/// A branch without the start anchors that nginx's own makes redundant.
fn without_start(node: &Node) -> &[Node] {
    let nodes = sequence(node);
    let anchors = nodes
        .iter()
        .take_while(|n| n.kind == Kind::Assert(Assert::Start))
        .count();
    &nodes[anchors..]
}

/// Whether a node is over only where the path is.
fn ends_anchored(node: &Node) -> bool {
    match &node.kind {
        Kind::Assert(Assert::End) => true,
        Kind::Group { body, .. } => ends_anchored(body),
        Kind::Concat(nodes) => nodes.last().is_some_and(ends_anchored),
        Kind::Alternate(nodes) => nodes.iter().all(ends_anchored),
        _ => false,
    }
}

/// Whether `.*` behind a node is void for a match.
fn reaches_end(node: &Node) -> bool {
    match &node.kind {
        Kind::Group { body, .. } => reaches_end(body),
        Kind::Concat(nodes) => nodes.last().is_some_and(reaches_end),
        Kind::Alternate(nodes) => nodes.iter().all(reaches_end),
        Kind::Repeat(repeat) => repeat.max.is_none() && is_any(&repeat.body),
        _ => ends_anchored(node),
    }
}

/// Whether a node takes `byte`, where a `.*` at the end of the `last` one does not count.
fn beyond(node: &Node, byte: u8, last: bool) -> bool {
    match &node.kind {
        Kind::Concat(nodes) => {
            let end = nodes
                .iter()
                .rposition(|node| node.kind != Kind::Assert(Assert::End));
            let mut nodes = nodes.iter().enumerate();
            nodes.any(|(at, node)| beyond(node, byte, last && Some(at) == end))
        }
        Kind::Group { body, .. } => beyond(body, byte, last),
        Kind::Alternate(nodes) => nodes.iter().any(|node| beyond(node, byte, last)),
        Kind::Repeat(repeat) if repeat.min == 0 && repeat.max.is_none() && is_any(&repeat.body) => {
            !last
        }
        Kind::Repeat(repeat) => beyond(&repeat.body, byte, last && repeat.max == Some(1)),
        _ => node.one_byte().is_some_and(|set| set.contains(byte)),
    }
}

fn is_any(node: &Node) -> bool {
    matches!(node.kind, Kind::Any { .. })
}

/// Whether a branch ends with a greedy `.*`, in groups or not.
fn swallows_greedily(node: &Node) -> bool {
    match &node.kind {
        Kind::Concat(nodes) => nodes.last().is_some_and(swallows_greedily),
        Kind::Repeat(repeat) => {
            repeat.max.is_none() && repeat.mode == Mode::Greedy && is_any(&repeat.body)
        }
        Kind::Group {
            kind: GroupKind::Plain | GroupKind::Capture { .. },
            body,
        } => swallows_greedily(body),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Pattern, pad_match};

    fn encoded(text: &str) -> super::Re2 {
        Pattern::parse(text)
            .unwrap()
            .to_re2()
            .unwrap()
            .for_encoded_path()
    }

    #[test]
    fn padding_keeps_the_meaning() {
        for (text, length, expected) in [
            ("/a.*", 4, Some("/a.*")),
            ("/a.*", 5, Some("/a.*?")),
            ("/a.*", 7, Some("/a.*.*?")),
            ("/a.*", 8, Some("/a.*.*.*")),
            ("/a$", 4, Some("/a$$")),
            ("/a$", 5, Some("/a$.*")),
            ("/a.*", 3, None),
        ] {
            assert_eq!(pad_match(text, length).as_deref(), expected);
        }
    }

    #[test]
    fn what_takes_a_question_mark_is_known() {
        let check = |text: &str, expected: bool| {
            let re2 = Pattern::parse(text).unwrap().to_re2().unwrap();
            assert_eq!(re2.reaches_beyond(b'?'), expected, "{text}");
        };
        for path in [
            "/a",
            "/a$",
            "/a.*",
            "/a/(.*)$",
            "/a(/.*)?$",
            "/(a|b/.*)",
            "/[a-z]+/x",
        ] {
            check(path, false);
        }
        for query in [
            ".*a", "/a.*b", "/a.b", "/[^/]+/b", r"/a\?x", "/a.+", "/(a.*)+", "/(a.*)b", r"/\S*x",
        ] {
            check(query, true);
        }
    }

    #[test]
    fn headers_are_searched_with_regard_to_case() {
        let check = |text, expected| {
            let pattern = Pattern::parse_case_sensitive(text).unwrap();
            assert_eq!(pattern.to_re2().unwrap().match_anywhere(), expected);
        };
        check("yes", ".*yes.*");
        check("^(a|b)$", "(a|b)$");
        check("a|^b", "(?:.*a|b).*");
        check("(?i)Yes é", ".*(?i:Yes) é.*");
    }

    #[test]
    fn groups_in_void_repetitions_are_noted() {
        assert_eq!(encoded("/(a)(?:(b*)|c)+(d)").uncertain_groups(), [2]);
        assert_eq!(encoded("/(a)+(b*)?").uncertain_groups(), [0; 0]);
    }
}

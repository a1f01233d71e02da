//! All request paths, walked through the languages of both sides at once.
//!
//! nginx compares a path decoded and in normal form; Envoy Gateway compares the text of the
//! request after Envoy has put it into a normal form. The walk goes over the paths that are in
//! that form already ([`NORMAL_FORM`]): each character is one step on the left as the byte it
//! means, and on the right as it is spelled.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};
use regex_automata::util::primitives::StateID;

use crate::automaton::{Automaton, READABLE, STATES, TooMuch};

/// Which paths a verdict speaks of, for people.
pub const NORMAL_FORM: &str = "in the form that Envoy gives them before it looks for a rule: \
slashes merged, dot segments resolved, letters, digits and `-._~/` not escaped, `!$&'()*+,;=:@[]` \
plain or escaped, all other characters escaped. nginx compares what such a path means, Envoy its text. Other \
spellings of the same path are brought into this form by both. Not looked at: backslashes, \
control characters, malformed escapes, and bytes beyond ASCII that neither side names, for all of \
which `é` stands";

/// One character of a path.
struct Token {
    /// As it is sent.
    sent: String,
    /// The bytes that it means.
    meant: Vec<u8>,
}

/// Characters that may stand in a path as they are and need not.
const EITHER: &[u8] = b"!$&'()*+,;=:@[]";
/// Characters that cannot stand in a path as they are, or that Envoy escapes in its normal form.
const ESCAPED: &[u8] = b" %#?\"<>^`{|}";

/// The characters that paths are made of: of bytes beyond ASCII `named` and those of `é`.
fn tokens(named: &BTreeSet<u8>) -> Vec<Token> {
    let mut tokens = Vec::new();
    let plain = READABLE.iter().chain(EITHER);
    for &byte in plain.filter(|&&byte| byte != b'/') {
        if !tokens.iter().any(|known: &Token| known.meant == [byte]) {
            tokens.push(Token {
                sent: char::from(byte).to_string(),
                meant: vec![byte],
            });
        }
    }
    let mut escape = |meant: &[u8]| {
        let escapes: Vec<String> = meant.iter().map(|byte| format!("%{byte:02X}")).collect();
        let upper = escapes.concat();
        let lower = upper.to_ascii_lowercase();
        let spellings = if lower == upper {
            vec![upper]
        } else {
            vec![upper, lower]
        };
        for sent in spellings {
            let meant = meant.to_vec();
            tokens.push(Token { sent, meant });
        }
    };
    for byte in EITHER.iter().chain(ESCAPED) {
        escape(&[*byte]);
    }
    escape("é".as_bytes());
    for byte in named {
        escape(&[*byte]);
    }
    tokens
}

/// Bytes beyond ASCII that one of the sides tells from others. The right one sees escapes.
fn named(left: &Automaton, right: &[String]) -> BTreeSet<u8> {
    let mut bytes: BTreeSet<u8> = left.representatives(0x80..=0xff).collect();
    for pattern in right {
        let mut rest = pattern.as_str();
        while let Some(at) = rest.find('%') {
            rest = &rest[at + 1..];
            let Some((high, after)) = digits(rest) else {
                // Whatever it is that it takes.
                return (0x80..=0xff).collect();
            };
            let Some((low, _)) = digits(after) else {
                return (0x80..=0xff).collect();
            };
            // One that takes any digit tells nothing apart.
            let any = high.len() == 16 && low.len() == 16;
            let all = high
                .iter()
                .flat_map(|high| low.iter().map(move |low| high << 4 | low));
            bytes.extend(all.filter(|byte| !any && *byte >= 0x80));
        }
    }
    bytes
}

/// The hexadecimal digits that a pattern begins with: one, a set of them, or a dot.
fn digits(pattern: &str) -> Option<(Vec<u8>, &str)> {
    let digit = |c: char| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut rest = pattern.chars();
    match rest.next()? {
        '.' => Some(((0..16).collect(), rest.as_str())),
        '[' => {
            let (set, after) = rest.as_str().split_once(']')?;
            Some((set.chars().map(digit).collect::<Option<_>>()?, after))
        }
        c => Some((vec![digit(c)?], rest.as_str())),
    }
}

/// What the last segment of a path is so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Segment {
    Empty,
    Dot,
    Dots,
    Other,
}

impl Segment {
    fn then(self, meant: &[u8]) -> Self {
        match (self, meant) {
            (Self::Empty, b".") => Self::Dot,
            (Self::Dot, b".") => Self::Dots,
            _ => Self::Other,
        }
    }
}

/// Paths that belong to the same languages on either side.
#[derive(Clone, Debug)]
pub(crate) struct PathClass {
    /// The languages of the left, in ascending order.
    pub(crate) left: Vec<usize>,
    /// Those of the right.
    pub(crate) right: Vec<usize>,
    /// Some of the paths, a shortest one first.
    pub(crate) paths: Vec<String>,
}

/// Walks that were made: many hosts of a cluster have the same paths.
#[derive(Default)]
pub(crate) struct Walks(IndexMap<Sides, Arc<[PathClass]>>);

/// The patterns of both sides.
type Sides = (Vec<String>, Vec<String>);

impl Walks {
    /// Every set of languages that some path belongs to, of patterns that match whole paths.
    pub(crate) fn classes(
        &mut self,
        left: Vec<String>,
        right: Vec<String>,
    ) -> Result<Arc<[PathClass]>, TooMuch> {
        let key = (left, right);
        if let Some(known) = self.0.get(&key) {
            return Ok(Arc::clone(known));
        }
        let (left, right) = (Automaton::new(&key.0)?, Automaton::new(&key.1)?);
        let classes = walk(&left, &right, &tokens(&named(&left, &key.1)))?;
        let classes: Arc<[PathClass]> = classes.into();
        self.0.insert(key, Arc::clone(&classes));
        Ok(classes)
    }
}

/// Paths that are kept of a class.
const KEPT: usize = 4;

/// Every set of languages that some path belongs to.
fn walk(left: &Automaton, right: &Automaton, tokens: &[Token]) -> Result<Vec<PathClass>, TooMuch> {
    let mut classes: Vec<PathClass> = Vec::new();
    let mut by_set: IndexMap<(Vec<usize>, Vec<usize>), usize> = IndexMap::new();
    let slash = |(l, r): (StateID, StateID)| (left.step(l, b"/"), right.step(r, b"/"));
    let first = slash((left.start(), right.start()));
    // A path is written backwards through the states that it came by.
    let mut nodes: Vec<(usize, &str)> = vec![(0, "/")];
    let mut seen = IndexSet::from([(first, Segment::Empty)]);
    let mut queue = VecDeque::from([(first, Segment::Empty, 0_usize)]);
    while let Some((pair, segment, node)) = queue.pop_front() {
        let ends = !matches!(segment, Segment::Dot | Segment::Dots);
        if ends {
            let set = (left.accepts(pair.0), right.accepts(pair.1));
            let at = *by_set.entry(set).or_insert_with_key(|(left, right)| {
                classes.push(PathClass {
                    left: left.clone(),
                    right: right.clone(),
                    paths: Vec::new(),
                });
                classes.len() - 1
            });
            if classes[at].paths.len() < KEPT {
                classes[at].paths.push(spell(&nodes, node));
            }
        }
        let mut go = |pair, segment, sent| {
            if seen.insert((pair, segment)) {
                nodes.push((node, sent));
                queue.push_back((pair, segment, nodes.len() - 1));
            }
        };
        for token in tokens {
            let next = (
                left.step(pair.0, &token.meant),
                right.step(pair.1, token.sent.as_bytes()),
            );
            go(next, segment.then(&token.meant), token.sent.as_str());
        }
        if segment == Segment::Other {
            go(slash(pair), Segment::Empty, "/");
        }
        if seen.len() > STATES {
            return Err(TooMuch(format!("more than {STATES} states")));
        }
    }
    Ok(classes)
}

fn spell(nodes: &[(usize, &str)], mut node: usize) -> String {
    let mut parts = Vec::new();
    while node != 0 {
        parts.push(nodes[node].1);
        node = nodes[node].0;
    }
    parts.push("/");
    parts.reverse();
    parts.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The classes of all paths.
    fn all(left: &[&str], right: &[&str]) -> Vec<PathClass> {
        let own = |patterns: &[&str]| patterns.iter().map(|p| (*p).to_owned()).collect();
        let mut walks = Walks::default();
        walks.classes(own(left), own(right)).unwrap().to_vec()
    }

    #[test]
    fn sides_see_a_path_in_their_own_way() {
        // What nginx calls `/é` Envoy calls `/%C3%A9`.
        let found = |left, right| -> Vec<(usize, usize, String)> {
            let classes = all(&[left], &[right]).into_iter();
            classes
                .map(|mut c| (c.left.len(), c.right.len(), c.paths.swap_remove(0)))
                .collect()
        };
        let expected = |of: [(usize, usize, &str); 3]| of.map(|(l, r, p)| (l, r, p.to_owned()));
        assert_eq!(
            found(r"(?-u)\A/\xC3\xA9\z", r"\A/%C3%A9\z"),
            expected([(0, 0, "/"), (1, 1, "/%C3%A9"), (1, 0, "/%c3%a9")])
        );
        assert_eq!(
            found(r"(?-u)\A/\xC3\xBC\z", r"\A/%[Cc]3%[Bb][Cc]\z")[1],
            (1, 1, "/%C3%BC".to_owned())
        );
        assert_eq!(
            found(r"(?-u)\A/\xC3\xBC\z", r"\A/%(?:C3)%BD\z"),
            expected([(0, 0, "/"), (1, 0, "/%C3%BC"), (0, 1, "/%C3%BD")])
        );
    }

    #[test]
    fn only_paths_in_normal_form_are_walked() {
        let left = [r"\A/\.\.?/x\z", r"\A/a//b\z", r"\A/\.\.\.\z", r"\A/x/\z"];
        let mut found: Vec<usize> = all(&left, &[])
            .into_iter()
            .flat_map(|class| class.left)
            .collect();
        found.sort_unstable();
        assert_eq!(found, [2, 3]);
    }
}

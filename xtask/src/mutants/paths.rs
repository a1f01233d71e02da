//! Which patterns can match the same path.

use std::collections::BTreeSet;

use regex_automata::dfa::{Automaton as _, StartKind, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::primitives::StateID;
use regex_automata::util::start;
use regex_automata::util::syntax;
use regex_automata::{Anchored, MatchKind};

/// An automaton larger than this is not built.
const SIZE: usize = 64 << 20;

/// What Envoy makes another path of before it looks for a rule.
const NOT_NORMAL: &str = r".*(?://.*|/\.\.?(?:/.*)?)";

/// Every set of patterns that is the set of those that match some whole path, as Envoy sees
/// paths; nothing when the patterns are no patterns or too large.
pub(super) fn classes(patterns: &[&str]) -> Option<BTreeSet<BTreeSet<usize>>> {
    let whole: Vec<String> = patterns
        .iter()
        .chain([&NOT_NORMAL])
        .map(|pattern| format!("^(?:{pattern})$"))
        .collect();
    let automaton = dense::Builder::new()
        .configure(
            dense::Config::new()
                .match_kind(MatchKind::All)
                .start_kind(StartKind::Anchored)
                .dfa_size_limit(Some(SIZE))
                .determinize_size_limit(Some(SIZE)),
        )
        .syntax(syntax::Config::new().unicode(false).utf8(false))
        .thompson(
            thompson::Config::new()
                .nfa_size_limit(Some(SIZE))
                .utf8(false),
        )
        .build_many(&whole)
        .ok()?;
    let start = automaton
        .start_state(&start::Config::new().anchored(Anchored::Yes))
        .ok()?;
    let mut classes = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut open: Vec<StateID> = vec![automaton.next_state(start, b'/')];
    while let Some(state) = open.pop() {
        if !seen.insert(state) {
            continue;
        }
        let end = automaton.next_eoi_state(state);
        let mut class = BTreeSet::new();
        if automaton.is_match_state(end) {
            let matched = (0..automaton.match_len(end)).map(|at| automaton.match_pattern(end, at));
            class.extend(matched.map(|pattern| pattern.as_usize()));
        }
        if !class.contains(&patterns.len()) {
            classes.insert(class);
        }
        let bytes = (0x21_u8..0x7f).filter(|byte| !matches!(byte, b'?' | b'#'));
        open.extend(bytes.map(|byte| automaton.next_state(state, byte)));
    }
    Some(classes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_those_of_some_path() {
        let check = |patterns: &[&str], expect: &[&[usize]]| {
            let expect = expect.iter().map(|class| class.iter().copied().collect());
            assert_eq!(classes(patterns), Some(expect.collect()), "{patterns:?}");
        };
        check(&["/a", "/.*"], &[&[1], &[0, 1]]);
        check(&["(?i)/A", "/a|/b"], &[&[], &[0], &[1], &[0, 1]]);
        check(&["a"], &[&[]]);
        check(&["/a//b", "/a/[.]/b", "/a/[.][.]"], &[&[]]);
        assert_eq!(classes(&["("]), None);
    }
}

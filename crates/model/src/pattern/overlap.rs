//! Whether two patterns have a path in common.

use std::collections::{BTreeSet, VecDeque};

use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::primitives::StateID;
use regex_automata::util::start;
use regex_automata::{Anchored, MatchKind};

use super::Pattern;
use super::eval::whole_text;

/// Bounds on the automata and on the pairs of their states that are walked. A
/// pattern beyond them is taken to overlap.
const DFA_SIZE: usize = 2 << 20;
const NFA_SIZE: usize = 1 << 20;
const MAX_PAIRS: usize = 50_000;

/// Whether some path may be matched by both patterns; yes if in doubt.
///
/// Paths here begin with a slash and hold no line feed.
pub fn may_overlap(a: &Pattern, b: &Pattern) -> bool {
    let (left, right) = (a.required_literal_prefix(), b.required_literal_prefix());
    let common = left.len().min(right.len());
    if !left.as_bytes()[..common].eq_ignore_ascii_case(&right.as_bytes()[..common]) {
        return false;
    }
    match (automaton(a), automaton(b)) {
        (Some(left), Some(right)) => share_a_path(&left, &right).unwrap_or(true),
        _ => true,
    }
}

type Dfa = dense::DFA<Vec<u32>>;

/// An automaton for all paths, from end to end, that a pattern matches.
fn automaton(pattern: &Pattern) -> Option<Dfa> {
    let lowered = pattern.to_re2().ok()?;
    let text = whole_text(lowered.branches());
    dense::Builder::new()
        .configure(
            dense::Config::new()
                .start_kind(StartKind::Anchored)
                .match_kind(MatchKind::All)
                .dfa_size_limit(Some(DFA_SIZE))
                .determinize_size_limit(Some(DFA_SIZE)),
        )
        .thompson(thompson::Config::new().nfa_size_limit(Some(NFA_SIZE)))
        .syntax(regex_automata::util::syntax::Config::new().utf8(false))
        .build(&text)
        .ok()
}

/// Walks both automata at once; `None` if there are too many pairs of states.
fn share_a_path(left: &Dfa, right: &Dfa) -> Option<bool> {
    let start = start::Config::new().anchored(Anchored::Yes);
    let first = |dfa: &Dfa| -> Option<StateID> {
        let state = dfa.start_state(&start).ok()?;
        Some(dfa.next_state(state, b'/'))
    };
    let first = (first(left)?, first(right)?);
    let mut seen = BTreeSet::from([first]);
    let mut queue = VecDeque::from([first]);
    while let Some((l, r)) = queue.pop_front() {
        let matches = left.is_match_state(left.next_eoi_state(l))
            && right.is_match_state(right.next_eoi_state(r));
        if matches {
            return Some(true);
        }
        for byte in (1..=u8::MAX).filter(|byte| *byte != b'\n') {
            let next = (left.next_state(l, byte), right.next_state(r, byte));
            if left.is_dead_state(next.0) || right.is_dead_state(next.1) {
                continue;
            }
            if seen.insert(next) {
                queue.push_back(next);
            }
        }
        if seen.len() > MAX_PAIRS {
            return None;
        }
    }
    Some(false)
}

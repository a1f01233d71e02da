//! One deterministic automaton for several languages at once.

use std::collections::VecDeque;

use indexmap::IndexSet;
use regex_automata::dfa::{Automaton as _, StartKind, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::{primitives::StateID, start, syntax};
use regex_automata::{Anchored, MatchKind};

/// Bytes that one automaton may take.
const SIZE: usize = 64 << 20;
/// States that one walk may see.
pub(crate) const STATES: usize = 200_000;

/// Languages that are too much for an automaton, or are none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TooMuch(pub(crate) String);

/// Says of every text which of several languages it belongs to.
pub(crate) struct Automaton {
    dfa: dense::DFA<Vec<u32>>,
    start: StateID,
}

impl Automaton {
    /// Of patterns in Rust's syntax that each match whole texts.
    pub(crate) fn new(patterns: &[String]) -> Result<Self, TooMuch> {
        let config = dense::Config::new()
            .start_kind(StartKind::Anchored)
            .match_kind(MatchKind::All)
            .accelerate(false)
            .dfa_size_limit(Some(SIZE))
            .determinize_size_limit(Some(SIZE));
        let dfa = dense::Builder::new()
            .configure(config)
            .thompson(
                thompson::Config::new()
                    .utf8(false)
                    .nfa_size_limit(Some(SIZE)),
            )
            .syntax(syntax::Config::new().utf8(false))
            .build_many(patterns)
            .map_err(|error| TooMuch(error.to_string()))?;
        let start = dfa
            .start_state(&start::Config::new().anchored(Anchored::Yes))
            .map_err(|error| TooMuch(error.to_string()))?;
        Ok(Self { dfa, start })
    }

    /// Before any text.
    pub(crate) fn start(&self) -> StateID {
        self.start
    }

    /// Behind some more bytes.
    pub(crate) fn step(&self, state: StateID, bytes: &[u8]) -> StateID {
        bytes
            .iter()
            .fold(state, |state, &byte| self.dfa.next_state(state, byte))
    }

    /// One byte of each kind that the automaton tells from the others.
    pub(crate) fn representatives(
        &self,
        bytes: std::ops::RangeInclusive<u8>,
    ) -> impl Iterator<Item = u8> + '_ {
        let kinds = self.dfa.byte_classes().representatives(bytes);
        kinds.filter_map(regex_automata::util::alphabet::Unit::as_u8)
    }

    /// The languages that a text which ends here belongs to, in ascending order.
    pub(crate) fn accepts(&self, state: StateID) -> Vec<usize> {
        let end = self.dfa.next_eoi_state(state);
        if !self.dfa.is_match_state(end) {
            return Vec::new();
        }
        let count = self.dfa.match_len(end);
        let mut found: Vec<usize> = (0..count)
            .map(|at| self.dfa.match_pattern(end, at).as_usize())
            .collect();
        found.sort_unstable();
        found
    }

    #[cfg(test)]
    pub(crate) fn of(&self, text: &str) -> Vec<usize> {
        self.accepts(self.step(self.start, text.as_bytes()))
    }
}

/// Characters of witnesses, those that people like to read first.
pub(crate) const READABLE: &[u8] =
    b"abcdefghijklmnopqrstuvwxyz0123456789-._~ABCDEFGHIJKLMNOPQRSTUVWXYZ/:=&+,;@!$'()*";
/// The other printable ones.
pub(crate) const ODD: &[u8] = b" \"#%<>?[\\]^`{|}";

/// A shortest text for every set of languages that some text within `base` belongs to.
pub(crate) fn classes(
    base: &str,
    languages: &[String],
) -> Result<Vec<(String, Vec<usize>)>, TooMuch> {
    let mut patterns = vec![base.to_owned()];
    patterns.extend_from_slice(languages);
    let automaton = Automaton::new(&patterns)?;
    let mut found: Vec<(String, Vec<usize>)> = Vec::new();
    let mut seen = IndexSet::from([automaton.start()]);
    let mut queue = VecDeque::from([(automaton.start(), String::new())]);
    while let Some((state, text)) = queue.pop_front() {
        let all = automaton.accepts(state);
        if let [0, rest @ ..] = all.as_slice() {
            let set: Vec<usize> = rest.iter().map(|at| at - 1).collect();
            if !found.iter().any(|(_, known)| *known == set) {
                found.push((text.clone(), set));
            }
        }
        for &byte in READABLE.iter().chain(ODD) {
            let next = automaton.step(state, &[byte]);
            if seen.insert(next) {
                queue.push_back((next, format!("{text}{}", char::from(byte))));
            }
        }
        if seen.len() > STATES {
            return Err(TooMuch(format!("more than {STATES} states")));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_of_a_text_is_named() {
        let patterns = [r"\Aa.*\z", r"\A.*b\z", r"\Aab\z"].map(str::to_owned);
        let automaton = Automaton::new(&patterns).unwrap();
        assert_eq!(automaton.of("ab"), [0, 1, 2]);
        assert_eq!(automaton.of("axb"), [0, 1]);
        assert_eq!(automaton.of("x"), [0_usize; 0]);
        assert!(Automaton::new(&[]).unwrap().of("x").is_empty());
    }

    #[test]
    fn classes_have_the_shortest_texts() {
        let languages = [r"\Aalways\z", r"\A[a-z]+\z"].map(str::to_owned);
        let found = classes(r"\A[!-~]*\z", &languages).unwrap();
        let texts: Vec<&str> = found.iter().map(|(text, _)| text.as_str()).collect();
        assert_eq!(texts, ["", "a", "always"]);
        assert_eq!(found[2].1, [0, 1]);
    }
}

//! The order of patterns.
//!
//! Envoy Gateway ranks the regular expressions of a host by the length of their text, longest
//! first, across all its routes (`internal/gatewayapi/sort.go`). The source proxy has an order
//! of its own. Where two patterns can match the same path, the first one's text must therefore
//! be longer: it is lengthened by a `.*` or two, which change nothing.

use std::collections::BTreeMap;

use gatewright_model::pattern::{Pattern, may_overlap, pad_match};

/// Above this number of patterns on one host, pairs are no longer compared by automata.
const MAX_EXACT: usize = 200;

/// A pattern in the order of the source proxy.
pub(crate) struct Ranked {
    /// None when nothing is known of it.
    pub(crate) pattern: Option<Pattern>,
    /// The RE2 text that matches the whole path.
    pub(crate) text: String,
}

/// The texts, lengthened so that length says the order.
pub(crate) fn lengthen(ranked: &[&Ranked]) -> Vec<String> {
    let heads: Vec<String> = ranked.iter().map(|r| head(r)).collect();
    let needed = if ranked.len() <= MAX_EXACT {
        compared(ranked, &heads)
    } else {
        by_heads(ranked, &heads)
    };
    ranked
        .iter()
        .zip(needed)
        .map(|(r, needed)| pad_match(&r.text, needed).unwrap_or_else(|| r.text.clone()))
        .collect()
}

/// What every path that it matches begins with, in lower case.
fn head(ranked: &Ranked) -> String {
    let pattern = ranked.pattern.as_ref();
    pattern.map_or_else(String::new, |pattern| {
        pattern.required_literal_prefix().to_ascii_lowercase()
    })
}

/// The lengths, where each pattern goes before those behind it that match a path which it
/// matches.
fn compared(ranked: &[&Ranked], heads: &[String]) -> Vec<usize> {
    let mut needed = vec![0_usize; ranked.len()];
    for at in (0..ranked.len()).rev() {
        let mut length = ranked[at].text.len();
        for later in at + 1..ranked.len() {
            if needed[later] < length || ranked[later].text == ranked[at].text {
                continue;
            }
            let (a, b) = (heads[at].as_str(), heads[later].as_str());
            let disjoint = !a.starts_with(b) && !b.starts_with(a);
            let apart = || match (&ranked[at].pattern, &ranked[later].pattern) {
                (Some(one), Some(other)) => !may_overlap(one, other),
                _ => false,
            };
            if disjoint || apart() {
                continue;
            }
            length = needed[later] + 1;
        }
        needed[at] = length;
    }
    needed
}

/// The lengths, where each pattern goes before those behind it whose head begins with its own,
/// or the other way round.
fn by_heads(ranked: &[&Ranked], heads: &[String]) -> Vec<usize> {
    let mut needed = vec![0_usize; ranked.len()];
    let mut with_head: BTreeMap<&str, Longest<'_>> = BTreeMap::new();
    let mut with_beginning: BTreeMap<&str, Longest<'_>> = BTreeMap::new();
    for at in (0..ranked.len()).rev() {
        let (head, text) = (heads[at].as_str(), ranked[at].text.as_str());
        let beginnings = || (0..=head.len()).filter_map(|end| head.get(..end));
        let found = beginnings()
            .filter_map(|beginning| with_head.get(beginning))
            .chain(with_beginning.get(head))
            .filter_map(|longest| longest.beside(text))
            .max();
        let length = found.map_or(text.len(), |length| text.len().max(length + 1));
        needed[at] = length;
        with_head.entry(head).or_default().add(length, text);
        for beginning in beginnings() {
            let longest = with_beginning.entry(beginning).or_default();
            longest.add(length, text);
        }
    }
    needed
}

/// The two greatest lengths of different texts.
#[derive(Default)]
struct Longest<'a> {
    first: Option<(usize, &'a str)>,
    second: Option<(usize, &'a str)>,
}

impl<'a> Longest<'a> {
    fn add(&mut self, length: usize, text: &'a str) {
        let new = Some((length, text));
        let is_first = |first: &(usize, &str)| first.1 == text;
        if self.first.is_none_or(|(greatest, _)| greatest < length) {
            if !self.first.as_ref().is_some_and(is_first) {
                self.second = self.first;
            }
            self.first = new;
        } else if !self.first.as_ref().is_some_and(is_first)
            && self.second.is_none_or(|(greatest, _)| greatest < length)
        {
            self.second = new;
        }
    }

    /// The greatest length of another text.
    fn beside(&self, text: &str) -> Option<usize> {
        let others = [self.first, self.second].into_iter().flatten();
        others
            .filter(|(_, other)| *other != text)
            .map(|(length, _)| length)
            .max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranked(texts: &[String]) -> Vec<Ranked> {
        let ranked = texts.iter().map(|text| Ranked {
            pattern: Pattern::parse(text).ok(),
            text: text.clone(),
        });
        ranked.collect()
    }

    /// Without automata both ways say the same.
    #[test]
    fn many_patterns_are_ordered_as_few_are() {
        let heads = ["/", "/a", "/ab", "/B", "/a/c", "/ab/d", ""];
        let tails = ["", ".*", "x[0-9]+", "(y|zz)"];
        let mut texts = Vec::new();
        for at in 0..120_usize {
            let (head, tail) = (heads[at * 5 % heads.len()], tails[at * 3 % tails.len()]);
            texts.push(format!("{head}{tail}"));
        }
        let mut ranked = ranked(&texts);
        let heads: Vec<String> = ranked.iter().map(head).collect();
        for r in &mut ranked {
            r.pattern = None;
        }
        let ranked: Vec<&Ranked> = ranked.iter().collect();
        let needed = by_heads(&ranked, &heads);
        assert_eq!(needed, compared(&ranked, &heads));
        let lengthened = needed
            .iter()
            .zip(&texts)
            .filter(|(n, text)| **n > text.len());
        assert!(lengthened.count() > 20);
    }
}

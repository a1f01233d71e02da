//! The order of patterns.
//!
//! Envoy Gateway ranks the regular expressions of a host by the length of their text, longest
//! first, across all its routes (`internal/gatewayapi/sort.go`). The source proxy has an order
//! of its own. Where two patterns can match the same path, the first one's text must therefore
//! be longer: it is lengthened by a `.*` or two, which change nothing.

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
pub(crate) fn lengthen(ranked: &[Ranked]) -> Vec<String> {
    let mut needed = vec![0_usize; ranked.len()];
    let exact = ranked.len() <= MAX_EXACT;
    let heads: Vec<String> = ranked
        .iter()
        .map(|r| {
            let pattern = r.pattern.as_ref();
            pattern.map_or_else(String::new, |p| {
                p.required_literal_prefix().to_ascii_lowercase()
            })
        })
        .collect();
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
            if disjoint || (exact && apart()) {
                continue;
            }
            length = needed[later] + 1;
        }
        needed[at] = length;
    }
    ranked
        .iter()
        .zip(needed)
        .map(|(r, needed)| pad_match(&r.text, needed).unwrap_or_else(|| r.text.clone()))
        .collect()
}

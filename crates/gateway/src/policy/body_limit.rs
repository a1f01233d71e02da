//! A limit for request bodies: a rule that answers 413 before the others of its path.
//!
//! The policy that Envoy Gateway has for it collects bodies in memory, which breaks
//! `WebSockets` and streams. The rule looks at `Content-Length` instead; that also puts it
//! before redirects and credentials, where the source proxy has it.

use std::fmt::Write as _;

use gateway_api::httproutes::{
    HttpRouteRulesMatches, HttpRouteRulesMatchesHeaders, HttpRouteRulesMatchesHeadersType,
    HttpRouteRulesMatchesMethod, HttpRouteRulesMatchesPath,
};
use gatewright_model::{Action, Owner, Route};

use crate::emit::Emitter;
use crate::rule::{Planned, Section, planned};

/// Matches of one rule (Gateway API takes 64, and 128 in a route of 16 rules).
const MAX_MATCHES: usize = 32;

/// The rule for a route, given its other rules.
pub(super) fn rule(
    emitter: &mut Emitter<'_>,
    owner: &Owner,
    route: &Route,
    path: &HttpRouteRulesMatchesPath,
    others: &[Planned],
) -> Option<Planned> {
    let limit = route.policies.transport.body_limit.as_ref()?;
    if matches!(route.action, Action::NotFound) {
        return None;
    }
    // A rule with a header or a method ranks above one without, so each needs one of its own.
    let mut matches = vec![HttpRouteRulesMatches {
        path: Some(path.clone()),
        ..HttpRouteRulesMatches::default()
    }];
    for other in others
        .iter()
        .flat_map(|other| other.rule.matches.iter().flatten())
    {
        if other.path.as_ref() == Some(path) && !matches.contains(other) {
            matches.push(other.clone());
        }
    }
    // What answers OPTIONS is not among the others yet.
    let options = HttpRouteRulesMatches {
        method: Some(HttpRouteRulesMatchesMethod::Options),
        ..matches[0].clone()
    };
    if route.policies.cors.is_some() && !matches.contains(&options) {
        matches.push(options);
    }
    for found in &mut matches {
        found
            .headers
            .get_or_insert_with(Vec::new)
            .push(HttpRouteRulesMatchesHeaders {
                name: "Content-Length".to_owned(),
                r#type: Some(HttpRouteRulesMatchesHeadersType::RegularExpression),
                value: greater_than(limit.bytes),
            });
    }
    let deed = emitter.respond(owner, 413, "the request body is too large".to_owned());
    let why = match limit.origin.as_ref().and_then(|origin| origin.annotation) {
        Some(key) => format!("more than {} bytes: {key}", limit.bytes),
        None => format!("more than {} bytes", limit.bytes),
    };
    let name = format!("more-than-{}", limit.bytes);
    Some(planned(&name, matches, deed, Section::Both, vec![why]))
}

/// Puts rules for the same limit together.
pub(crate) fn merge(rules: &mut Vec<Planned>) {
    let mut merged: Vec<Planned> = Vec::with_capacity(rules.len());
    for rule in rules.drain(..) {
        if !is_limit(&rule) {
            merged.push(rule);
            continue;
        }
        let fits = |known: &&mut Planned| {
            known.section == rule.section
                && known.rule.name == rule.rule.name
                && known.rule.filters == rule.rule.filters
                && known.comments == rule.comments
                && count(known) + count(&rule) <= MAX_MATCHES
        };
        match merged.iter_mut().find(fits) {
            Some(known) => {
                let matches = known.rule.matches.get_or_insert_with(Vec::new);
                matches.extend(rule.rule.matches.into_iter().flatten());
            }
            None => merged.push(rule),
        }
    }
    // A rule of equal rank that comes first wins.
    merged.sort_by_key(|rule| !is_limit(rule));
    let mut seen: Vec<String> = Vec::new();
    for rule in &mut merged {
        if !is_limit(rule) {
            break;
        }
        let name = rule.rule.name.clone().unwrap_or_default();
        let before = seen.iter().filter(|known| **known == name).count();
        if before > 0 {
            rule.rule.name = Some(format!("{name}-{}", before + 1));
        }
        seen.push(name);
    }
    *rules = merged;
}

fn count(rule: &Planned) -> usize {
    rule.rule.matches.as_ref().map_or(0, Vec::len)
}

fn is_limit(rule: &Planned) -> bool {
    rule.rule
        .name
        .as_deref()
        .is_some_and(|name| name.starts_with("more-than-"))
        && rule.rule.backend_refs.is_none()
}

/// RE2 for the decimal numbers above `limit`, with any number of leading zeros.
pub(crate) fn greater_than(limit: u64) -> String {
    let digits = limit.to_string();
    let mut text = "0*(?:".to_owned();
    for (at, digit) in digits.bytes().enumerate() {
        if digit == b'9' {
            continue;
        }
        text.push_str(&digits[..at]);
        if digit == b'8' {
            text.push('9');
        } else {
            text.push('[');
            text.push(char::from(digit + 1));
            text.push_str("-9]");
        }
        let _ = match digits.len() - at - 1 {
            0 => Ok(()),
            1 => text.write_str("[0-9]"),
            count => write!(text, "[0-9]{{{count}}}"),
        };
        text.push('|');
    }
    let _ = write!(text, "[1-9][0-9]{{{},}})", digits.len());
    text
}

#[cfg(test)]
mod tests {
    use gatewright_model::pattern::Pattern;

    use super::greater_than;

    #[test]
    fn texts() {
        assert_eq!(greater_than(0), "0*(?:[1-9]|[1-9][0-9]{1,})");
        assert_eq!(
            greater_than(1024),
            "0*(?:[2-9][0-9]{3}|1[1-9][0-9]{2}|10[3-9][0-9]|102[5-9]|[1-9][0-9]{4,})"
        );
        assert!(greater_than(u64::MAX).len() < 1024);
    }

    /// Against plain comparison, around each limit and at numbers of a simple generator.
    #[test]
    fn agrees_with_comparison() {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            state >> (state & 63)
        };
        let mut limits = vec![
            0,
            1,
            8,
            9,
            10,
            99,
            100,
            1023,
            1024,
            1 << 20,
            50 << 20,
            25 << 30,
        ];
        limits.extend((0..60).map(|_| next()));
        for limit in limits {
            let pattern = Pattern::parse(&format!("{}$", greater_than(limit))).unwrap();
            let mut numbers = vec![
                0,
                limit,
                limit / 2,
                limit.saturating_sub(1),
                limit.saturating_mul(10),
            ];
            numbers.extend(limit.checked_add(1));
            numbers.extend((0..40).map(|_| next()));
            for number in numbers {
                for text in [number.to_string(), format!("00{number}")] {
                    let found = pattern.matches_prefix(&text);
                    assert_eq!(found, Some(number > limit), "{text} > {limit}");
                }
            }
        }
    }
}

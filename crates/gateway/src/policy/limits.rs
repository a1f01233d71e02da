//! How many requests a client may make.
//!
//! Envoy counts in a bucket for each match of a rule, host and listener, and a bucket gains in
//! one unit what it holds (Envoy Gateway `internal/xds/translator/local_ratelimit.go`). The
//! model's limit holds for all of them together, so each gets its share of it.

use gatewright_diagnostics::{Code, Diagnostic};
use gatewright_model::{RequestLimit, RequestLimits};

use super::Attached;
use crate::emit::Emitter;
use crate::envoy::{
    CircuitBreaker, ClientSelector, LocalRateLimit, RateLimit, RateLimitRule, RateLimitValue,
    ResponseOverride, SourceMatch, StatusCodeMatch,
};
use crate::infra::NO_LIMIT;

/// Units of a bucket, and their length in seconds.
const UNITS: [(&str, u64); 4] = [
    ("Second", 1),
    ("Minute", 60),
    ("Hour", 3_600),
    ("Day", 86_400),
];

/// The policy of one of `share` buckets; `false` when the limit cannot be divided so often.
pub(crate) fn attach(
    emitter: &mut Emitter<'_>,
    limits: &RequestLimits,
    share: u32,
    attached: &mut Attached,
) -> bool {
    let mut rules = Vec::new();
    for rate in &limits.rates {
        let Some(value) = bucket(rate, share) else {
            too_many(emitter, &rate.origin, share);
            return false;
        };
        rules.extend(
            networks(&limits.exempt)
                .into_iter()
                .map(|source_cidr| RateLimitRule {
                    client_selectors: vec![ClientSelector { source_cidr }],
                    limit: value.clone(),
                    x_rate_limit_headers: "Off",
                }),
        );
    }
    if let Some((most, origin)) = &limits.concurrent {
        let each = most / share.max(1);
        if each == 0 {
            too_many(emitter, origin, share);
            return false;
        }
        attached.traffic().circuit_breaker = Some(CircuitBreaker {
            max_connections: NO_LIMIT,
            max_pending_requests: NO_LIMIT,
            max_parallel_requests: each,
        });
    }
    if rules.is_empty() {
        return true;
    }
    attached.traffic().rate_limit = Some(RateLimit {
        local: LocalRateLimit { rules },
    });
    if limits.status != 429 {
        let over = ResponseOverride::local(vec![StatusCodeMatch::value(429)], limits.status, None);
        attached.responses().push(over);
    }
    true
}

/// The largest bucket that lets nobody have more than a share of the limit, neither at once
/// nor over any time. The rate is kept where it can be, at the cost of the burst.
fn bucket(limit: &RequestLimit, share: u32) -> Option<RateLimitValue> {
    let share = u64::from(share.max(1));
    let period = limit.period.seconds();
    let at_once = u64::from(limit.burst) / share;
    let units = UNITS.into_iter().filter(|(_, seconds)| *seconds >= period);
    units.into_iter().find_map(|(unit, seconds)| {
        let gained = u64::from(limit.rate) * seconds / (period * share);
        let requests = u32::try_from(at_once.min(gained)).unwrap_or(u32::MAX);
        (requests > 0).then_some(RateLimitValue { requests, unit })
    })
}

/// Each address is counted apart; the largest exempt network is left out.
fn networks(exempt: &[String]) -> Vec<SourceMatch> {
    let everybody = |value: &str| SourceMatch {
        kind: "Distinct",
        value: value.to_owned(),
        invert: false,
    };
    let all = ["0.0.0.0/0", "::/0"];
    // A prefix of 8 of 32 bits is as large as one of 32 of 128.
    let size = |network: &&String| {
        let length: u32 = network
            .rsplit_once('/')
            .and_then(|(_, length)| length.parse().ok())
            .unwrap_or(128);
        if network.contains(':') {
            length
        } else {
            length * 4
        }
    };
    match exempt.iter().min_by_key(size) {
        None => all.map(everybody).into(),
        // Addresses of the other family are not in it and so are counted as well.
        Some(largest) => vec![SourceMatch {
            invert: true,
            ..everybody(largest)
        }],
    }
}

fn too_many(emitter: &mut Emitter<'_>, origin: &gatewright_model::Origin, share: u32) {
    emitter.report(
        origin,
        true,
        Diagnostic::new(
            Code::LimitRefused,
            format!("the limit cannot be divided among {share} rules, so they answer 503"),
        )
        .note("Envoy counts for each path, host and listener apart, and together they would let more through")
        .help("raise the limit, or split the Ingress"),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatewright_model::{Origin, OwnerId, Period};
    use gatewright_source::{FileId, Span};

    fn limit(rate: u32, period: Period, burst: u32) -> RequestLimit {
        RequestLimit {
            rate,
            period,
            burst,
            origin: Origin::field(OwnerId(0), Span::new(FileId(0), 0, 1)),
        }
    }

    fn check(limit: &RequestLimit, share: u32, expected: Option<(u32, &str)>) {
        let found = bucket(limit, share);
        assert_eq!(found.as_ref().map(|v| (v.requests, v.unit)), expected);
    }

    #[test]
    fn the_rate_is_kept_where_it_can_be() {
        check(&limit(10, Period::Second, 51), 1, Some((10, "Second")));
        check(&limit(10, Period::Second, 51), 2, Some((5, "Second")));
        check(&limit(300, Period::Minute, 1501), 1, Some((300, "Minute")));
        check(&limit(1, Period::Minute, 6), 2, Some((3, "Hour")));
        check(&limit(4, Period::Minute, 21), 1, Some((4, "Minute")));
        check(&limit(1, Period::Second, 6), 2, Some((3, "Minute")));
        check(&limit(1, Period::Second, 6), 7, None);
    }

    #[test]
    fn no_bucket_lets_more_through() {
        let periods = [Period::Second, Period::Minute];
        for (rate, period) in (1..40).flat_map(|rate| periods.map(|period| (rate, period))) {
            for (multiplier, share) in (1..80).flat_map(|m| [1, 2, 3, 7, 20].map(|s| (m, s))) {
                let limit = limit(rate, period, rate * multiplier + 1);
                let Some(found) = bucket(&limit, share) else {
                    continue;
                };
                let unit = UNITS
                    .iter()
                    .find(|(name, _)| *name == found.unit)
                    .unwrap()
                    .1;
                let (all, share) = (u64::from(found.requests), u64::from(share));
                assert!(all * share <= u64::from(limit.burst));
                assert!(all * share * period.seconds() <= u64::from(rate) * unit);
            }
        }
    }
}

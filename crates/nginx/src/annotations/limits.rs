//! Rates, connections and bandwidth.
//!
//! `internal/ingress/annotations/ratelimit` of ingress-nginx. Limits count for each
//! client address and controller replica, over all paths of the Ingress.

use gatewright_diagnostics::Code;
use gatewright_source::Spanned;
use ipnet::IpNet;

use super::{Keys, Settings};
use crate::config_map::Config;
use crate::registry::{Around, Carried, Entry, Grammar, GrammarFault, Invalid, Scope};

/// What is limited.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    /// Requests a second; positive.
    pub rps: Option<Spanned<i64>>,
    /// Requests a minute; positive.
    pub rpm: Option<Spanned<i64>>,
    /// Requests at the same time; positive.
    pub connections: Option<Spanned<i64>>,
    /// How many times the rate may come at once beyond it; 5 unless set.
    pub burst_multiplier: Option<Spanned<i64>>,
    /// Who is not limited.
    pub allowlist: Option<Spanned<Vec<IpNet>>>,
    /// KiB a second of a response.
    pub rate: Option<Spanned<i64>>,
    /// KiB of a response that are not limited.
    pub rate_after: Option<Spanned<i64>>,
}

impl Limits {
    /// How many times the rate may come at once beyond it.
    pub fn burst_multiplier(&self) -> i64 {
        self.burst_multiplier.map_or(5, |factor| factor.value)
    }

    /// Whether requests are counted at all.
    pub fn counts(&self) -> bool {
        self.rps.is_some() || self.rpm.is_some() || self.connections.is_some()
    }

    /// KiB a second of a response; 0 is no limit.
    pub fn rate(&self, config: &Config) -> i64 {
        self.rate.map_or(config.limit_rate, |rate| rate.value)
    }
}

const GROUP: &str = "RateLimit";

const LIMIT: Entry = Entry {
    group: GROUP,
    grammar: Grammar::Int,
    default: "0",
    invalid: Invalid::Reject,
    scope: Scope::Ingress,
    protective: true,
    ..Entry::BASE
};

/// The entries of the family.
pub static ENTRIES: &[Entry] = &[
    Entry {
        key: "limit-rps",
        summary: "limits requests a second of one client address; more than rate and burst are answered with 503",
        target: "BackendTrafficPolicy `rateLimit.local` by source address, and `responseOverride` of 429 with `limit-req-status-code`",
        difference: "Envoy has no burst beside the rate and counts each path, host and listener apart: the limit is divided among them so that nobody gets more than before; where that leaves nothing, or requests are not counted by address, the paths answer 503",
        carried: Carried::Differently,
        codes: &[Code::LimitShape, Code::LimitRefused],
        example: "10",
        ..LIMIT
    },
    Entry {
        key: "limit-rpm",
        summary: "limits requests a minute of one client address; more than rate and burst are answered with 503",
        target: "BackendTrafficPolicy `rateLimit.local` by source address, and `responseOverride` of 429 with `limit-req-status-code`",
        difference: "Envoy has no burst beside the rate and counts each path, host and listener apart: the limit is divided among them so that nobody gets more than before; where that leaves nothing, or requests are not counted by address, the paths answer 503",
        carried: Carried::Differently,
        codes: &[Code::LimitShape, Code::LimitRefused],
        example: "300",
        ..LIMIT
    },
    Entry {
        key: "limit-connections",
        summary: "limits requests that one client address has open at the same time",
        target: "BackendTrafficPolicy `circuitBreaker.maxParallelRequests`",
        difference: "all clients together get as many as one did",
        carried: Carried::Differently,
        codes: &[Code::LimitConnections, Code::LimitRefused],
        example: "20",
        ..LIMIT
    },
    Entry {
        key: "limit-burst-multiplier",
        default: "5",
        invalid: Invalid::Default,
        summary: "times the rate is how many requests may come at once beyond it",
        target: "the size of the bucket, up to what comes in one unit of time",
        difference: "Envoy has no burst beside the rate",
        carried: Carried::Differently,
        codes: &[Code::LimitShape],
        example: "5",
        around: Around {
            annotations: &[("limit-rps", "10")],
            ..Around::NOTHING
        },
        ..LIMIT
    },
    Entry {
        key: "limit-allowlist",
        aliases: &["limit-whitelist"],
        grammar: Grammar::Networks,
        default: "",
        summary: "names addresses and networks that are not limited",
        target: "an inverted `sourceCIDR` in `rateLimit.local`",
        difference: "only the largest network stays exempt, and none from `limit-connections`",
        codes: &[Code::LimitExemption],
        example: "10.0.0.0/8",
        around: Around {
            annotations: &[("limit-rps", "10")],
            ..Around::NOTHING
        },
        ..LIMIT
    },
    Entry {
        key: "limit-rate",
        invalid: Invalid::Default,
        scope: Scope::Location,
        configmap_key: Some("limit-rate"),
        protective: false,
        summary: "limits one response to so many KiB a second; needs `proxy-buffering: \"on\"`",
        target: "nothing",
        difference: "responses are not slowed down; neither are they in ingress-nginx without `proxy-buffering: \"on\"`",
        carried: Carried::LeftOut,
        codes: &[Code::LimitBandwidth],
        example: "100",
        around: Around {
            annotations: &[("proxy-buffering", "on")],
            ..Around::NOTHING
        },
        ..LIMIT
    },
    Entry {
        key: "limit-rate-after",
        invalid: Invalid::Default,
        scope: Scope::Location,
        configmap_key: Some("limit-rate-after"),
        protective: false,
        summary: "is how many KiB of a response come before `limit-rate` holds",
        target: "nothing",
        difference: "responses are not slowed down; neither are they in ingress-nginx without `proxy-buffering: \"on\"`",
        carried: Carried::LeftOut,
        codes: &[Code::LimitBandwidth],
        example: "1024",
        around: Around {
            annotations: &[("proxy-buffering", "on"), ("limit-rate", "100")],
            ..Around::NOTHING
        },
        ..LIMIT
    },
];

pub(crate) fn parse(keys: &mut Keys<'_>, settings: &mut Settings) {
    let mut limits = Limits {
        rps: limit(keys, "limit-rps"),
        rpm: limit(keys, "limit-rpm"),
        connections: limit(keys, "limit-connections"),
        burst_multiplier: keys.int("limit-burst-multiplier"),
        allowlist: keys.networks("limit-allowlist"),
        rate: super::proxy::not_negative(keys, "limit-rate"),
        rate_after: super::proxy::not_negative(keys, "limit-rate-after"),
    };
    if let Some(cause) = keys.take_dropped() {
        keys.drop_group(GROUP, cause);
        return;
    }
    if !limits.counts() {
        keys.ignore("limit-burst-multiplier", "nothing is limited");
        keys.ignore("limit-allowlist", "nothing is limited");
        limits.burst_multiplier = None;
        limits.allowlist = None;
    } else if (limits.rps.is_some() || limits.rpm.is_some()) && limits.burst_multiplier() <= 0 {
        keys.fail_key(
            "limit-burst-multiplier",
            Invalid::Break,
            GrammarFault::whole("is not positive, and nginx takes no such burst")
                .help("write a number from 1 on"),
        );
        limits.burst_multiplier = None;
    }
    let any = limits.counts() || limits.rate.is_some() || limits.rate_after.is_some();
    settings.limits = any.then(|| Box::new(limits));
}

/// A positive limit. 0 and less are no limit at all.
fn limit(keys: &mut Keys<'_>, key: &'static str) -> Option<Spanned<i64>> {
    let limit = keys.int(key)?;
    if limit.value > 0 {
        return Some(limit);
    }
    if limit.value < 0 {
        let diagnostic = keys
            .diagnostic(
                Code::AnnotationOddValue,
                key,
                format!("`{key}: {}` limits nothing", limit.value),
            )
            .at(limit.span)
            .note("ingress-nginx takes a negative number for no limit")
            .help("write a positive number, or remove the annotation");
        keys.report(diagnostic);
        keys.ignore_silently(key, "a negative number is no limit");
    } else {
        keys.ignore(key, "0 is no limit");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::ControllerVersion;
    use super::super::testing::{check, codes, read, read_as};
    use super::*;
    use gatewright_diagnostics::Severity;

    #[test]
    fn recorded_values() {
        check(&[("limit-rps", "1s")], "limit-rps: rejected");
        check(&[("limit-rps", "0")], "limit-rps: ignored");
        check(&[("limit-rpm", "-5")], "limit-rpm: ignored");
        check(&[("limit-rpm", "")], "limit-rpm: ignored");
        check(&[("limit-rpm", " 1")], "limit-rpm: rejected");
        check(
            &[("limit-connections", "1.5")],
            "limit-connections: rejected",
        );
        check(
            &[("limit-rpm", "1"), ("limit-burst-multiplier", "x")],
            "limit-rpm: taken, limit-burst-multiplier: ignored",
        );
        check(
            &[("limit-rpm", "1"), ("limit-whitelist", "office")],
            "limit-rpm: taken, limit-whitelist: rejected",
        );
        assert!(read(&[("limit-rps", "0")]).settings.limits.is_none());
    }

    #[test]
    fn without_validation_a_faulty_list_switches_the_limits_off() {
        let pairs = [("limit-rpm", "1"), ("limit-whitelist", "office")];
        let old = read_as(&pairs, &Config::default(), ControllerVersion::Pre1_12);
        assert!(old.settings.limits.is_none() && old.rejected.is_empty());
        assert_eq!(codes(&old), [Code::AnnotationGroupDropped]);
        assert_eq!(old.diagnostics[0].severity, Severity::Error);
    }

    #[test]
    fn limits_are_read() {
        let limits = read(&[
            ("limit-rps", "10"),
            ("limit-burst-multiplier", "2"),
            ("limit-whitelist", "10.0.0.0/8"),
        ]);
        let limits = limits.settings.limits.unwrap();
        assert_eq!(
            (limits.rps.unwrap().value, limits.burst_multiplier()),
            (10, 2)
        );
        assert_eq!(limits.allowlist.unwrap().value.len(), 1);
        check(
            &[("limit-rps", "1"), ("limit-burst-multiplier", "0")],
            "limit-rps: taken, limit-burst-multiplier: breaks",
        );
        check(
            &[("limit-connections", "1"), ("limit-burst-multiplier", "0")],
            "limit-connections: taken, limit-burst-multiplier: taken",
        );
        check(
            &[("limit-allowlist", "1.1.1.1")],
            "limit-allowlist: ignored",
        );
        check(
            &[("limit-rate", "1m"), ("limit-rate-after", "5")],
            "limit-rate: ignored, limit-rate-after: taken",
        );
        check(
            &[
                ("limit-whitelist", "1.1.1.1"),
                ("limit-allowlist", "2.2.2.2"),
                ("limit-rps", "1"),
            ],
            "limit-whitelist: ignored, limit-allowlist: taken, limit-rps: taken",
        );
    }
}

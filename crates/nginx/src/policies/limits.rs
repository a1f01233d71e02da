//! Limits of requests: `limit-rps`, `limit-rpm`, `limit-connections`.
//!
//! `nginx.tmpl` of ingress-nginx renders `limit_req zone=… burst=rate*multiplier nodelay`: so
//! many requests and one more may come at once, and the bucket leaks at the rate. Counted for
//! each client address over all paths of the Ingress (`ngx_http_limit_req_module`).

use gatewright_diagnostics::{Code, Diagnostic, Outcome};
use gatewright_model::{Period, RequestLimit, RequestLimits};
use gatewright_source::Spanned;

use super::{PolicyInput, PolicyOutput};

/// What the family carries.
pub(crate) const KEYS: &[&str] = &[
    "limit-rps",
    "limit-rpm",
    "limit-connections",
    "limit-burst-multiplier",
    "limit-allowlist",
    "limit-rate",
    "limit-rate-after",
];

/// What limits are counted by unless the `ConfigMap` says otherwise.
const BY_ADDRESS: &str = "$binary_remote_addr";

pub(crate) fn lower(input: &PolicyInput<'_>, out: &mut PolicyOutput) {
    let Some(limits) = &input.settings.limits else {
        return;
    };
    bandwidth(input, out);
    let written = [
        ("limit-rps", limits.rps, Period::Second),
        ("limit-rpm", limits.rpm, Period::Minute),
        ("limit-connections", limits.connections, Period::Second),
    ];
    let Some((key, span)) = written
        .iter()
        .find_map(|(key, value, _)| value.map(|value| (*key, value.span)))
    else {
        return;
    };
    let by = &input.config.limit_conn_zone_variable;
    if by != BY_ADDRESS && by != "$remote_addr" || !super::forwarded::expressible(input.config) {
        out.refused(
            input,
            key,
            Diagnostic::new(
                Code::LimitRefused,
                "requests cannot be counted by what the controller counts them by",
            )
            .at(span)
            .note(format!(
                "`limit-conn-zone-variable` is `{by}`; without the limit the backend would be open, so the paths answer 503"
            ))
            .help("count by the client's address"),
        );
        out.refuse(
            "the limit is counted by something else than the address",
            false,
            input.origin(key, span),
        );
        return;
    }
    let number = |value: i64| u32::try_from(value.max(1)).unwrap_or(u32::MAX);
    let rates = written[..2]
        .iter()
        .filter_map(|&(key, value, period)| {
            let Spanned { value, span } = value?;
            let burst = value
                .saturating_mul(limits.burst_multiplier())
                .saturating_add(1);
            Some(RequestLimit {
                rate: number(value),
                period,
                burst: number(burst),
                origin: input.origin(key, span),
            })
        })
        .collect();
    let concurrent = limits
        .connections
        .map(|c| (number(c.value), input.origin("limit-connections", c.span)));
    out.policies_mut().limits = Some(RequestLimits {
        rates,
        concurrent,
        exempt: limits
            .allowlist
            .as_ref()
            .map(|list| {
                ipnet::IpNet::aggregate(&list.value)
                    .iter()
                    .map(ToString::to_string)
                    .collect()
            })
            .unwrap_or_default(),
        status: input.config.limit_req_status_code,
    });
    differences(input, out);
}

fn differences(input: &PolicyInput<'_>, out: &mut PolicyOutput) {
    let Some(limits) = &input.settings.limits else {
        return;
    };
    for (key, value, unit) in [
        ("limit-rps", limits.rps, "second"),
        ("limit-rpm", limits.rpm, "minute"),
    ] {
        let Some(Spanned { span, value }) = value else {
            continue;
        };
        let burst = value
            .saturating_mul(limits.burst_multiplier())
            .saturating_add(1);
        out.differs(
            input,
            key,
            Diagnostic::new(Code::LimitShape, format!("`{key}` becomes a stricter limit"))
                .label(span, format!("{burst} requests at once, then {value} a {unit}"))
                .note("Envoy has no burst beside the rate, and counts for each path, host and listener apart; the limit is divided among them so that nobody gets more than before")
                .help("raise the numbers in `rateLimit` of the BackendTrafficPolicy where clients need more"),
        );
    }
    if limits.rps.is_some() || limits.rpm.is_some() {
        out.outcomes.push((
            "limit-burst-multiplier",
            Outcome::Difference(Code::LimitShape),
        ));
    } else {
        out.inert("limit-burst-multiplier", "no rate is limited");
    }
    if let Some(connections) = limits.connections {
        out.differs(
            input,
            "limit-connections",
            Diagnostic::new(
                Code::LimitConnections,
                "`limit-connections` becomes a limit of all clients together",
            )
            .label(connections.span, "one client address may have so many requests open")
            .note("Envoy cannot count requests at the same time by client address; so that nobody gets more than before, all clients together get as many as one did")
            .help("raise `circuitBreaker.maxParallelRequests` of the BackendTrafficPolicy to what the backend bears"),
        );
    }
    if let Some(list) = &limits.allowlist {
        let several = ipnet::IpNet::aggregate(&list.value).len() > 1;
        if several || limits.connections.is_some() {
            out.differs(
                input,
                "limit-allowlist",
                Diagnostic::new(Code::LimitExemption, "not every exempt network stays exempt")
                    .label(list.span, "these are not limited")
                    .note("a rule of Envoy Gateway leaves out one network, and `limit-connections` none; the largest one stays exempt from the rate")
                    .help("give these clients a host of their own"),
            );
        }
    }
}

fn bandwidth(input: &PolicyInput<'_>, out: &mut PolicyOutput) {
    let Some(limits) = &input.settings.limits else {
        return;
    };
    if !input.settings.buffering.buffering(input.config) {
        // `ngx_http_upstream_send_response` sets the rate of an unbuffered response to 0.
        for key in ["limit-rate", "limit-rate-after"] {
            out.inert(
                key,
                "nginx slows responses down only with `proxy-buffering: on`",
            );
        }
        return;
    }
    let Some(Spanned { span, .. }) = limits.rate else {
        if limits.rate_after.is_some() && limits.rate(input.config) == 0 {
            out.inert("limit-rate-after", "`limit-rate` is not set");
        }
        return;
    };
    if limits.rate_after.is_some() {
        let outcome = Outcome::Difference(Code::LimitBandwidth);
        out.outcomes.push(("limit-rate-after", outcome));
    }
    out.differs(
        input,
        "limit-rate",
        Diagnostic::new(Code::LimitBandwidth, "responses are not slowed down")
            .label(span, "limits each response")
            .note("Envoy limits the responses of a route together, so one client could slow down all others")
            .help("set `bandwidthLimit.response` in the BackendTrafficPolicy to what the route may send in all"),
    );
}

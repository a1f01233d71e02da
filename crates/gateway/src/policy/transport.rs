//! Timeouts, retries, balancing and compression: parts of `BackendTrafficPolicy`.

use std::collections::BTreeMap;

use gateway_api::httproutes::HttpRouteRulesMatchesMethod;
use gatewright_model::{
    Balance, Compression, Forward, Globals, HashBy, Protocol, Retry, Route, Session, SessionCookie,
};

use super::Attached;
use crate::backend::by_name;
use crate::envoy::{
    BackOffPolicy, Compressor, ConsistentHash, CookieHash, EmptyStruct, HttpTimeout, LoadBalancer,
    NamedHash, PerRetryPolicy, Retry as RetryPolicy, RetryOn, TcpTimeout, Timeout,
};
use crate::infra::seconds;
use crate::rule::{Planned, Section, matching};

/// The least `minContentLength` (Envoy Gateway).
const MIN_CONTENT_LENGTH: u32 = 30;

/// Adds what a route has of its own.
pub(super) fn attach(
    globals: &Globals,
    route: &Route,
    forward: &Forward,
    section: Section,
    attached: &mut Attached,
) {
    let transport = &route.policies.transport;
    if transport.connect_timeout.is_some() || transport.idle_timeout.is_some() {
        attached.traffic().timeout = Some(Timeout {
            tcp: transport.connect_timeout.map(|n| TcpTimeout {
                connect_timeout: seconds(n),
            }),
            http: transport.idle_timeout.map(|n| HttpTimeout {
                request_timeout: None,
                stream_idle_timeout: Some(seconds(n)),
            }),
        });
    }
    if let Some(wanted) = &transport.retry
        && let Some(policy) = retry(wanted)
    {
        attached.traffic().retry = Some(policy);
    } else if transport.retry.is_some() && retry(&globals.retry).is_some() {
        attached.traffic().retry = Some(RetryPolicy::default());
    }
    if transport.compression.is_some() {
        attached.traffic().compressor = compressors(transport.compression.as_ref());
    }
    // One address leaves nothing to choose.
    if let Some(balance) = &forward.split.primary.balance
        && !by_name(&forward.split.primary)
    {
        attached.traffic().load_balancer = Some(load_balancer(balance, section));
    }
}

/// Tries again only what cannot have reached the backend, and what was asked for by status:
/// Envoy does not tell methods apart.
pub(crate) fn retry(wanted: &Retry) -> Option<RetryPolicy> {
    let retries = match wanted.tries {
        1 => return None,
        // Until every endpoint has failed.
        0 => 5,
        tries => tries - 1,
    };
    let mut triggers = Vec::new();
    if wanted.connection {
        triggers.extend(["connect-failure", "reset-before-request"]);
        if wanted.any_method {
            triggers.push("reset");
        }
    }
    if !wanted.statuses.is_empty() {
        triggers.push("retriable-status-codes");
    }
    if triggers.is_empty() {
        return None;
    }
    Some(RetryPolicy {
        num_retries: retries,
        retry_on: Some(RetryOn {
            triggers,
            http_status_codes: wanted.statuses.clone(),
        }),
        per_retry: Some(PerRetryPolicy {
            timeout: None,
            back_off: Some(BackOffPolicy {
                base_interval: "1ms".to_owned(),
                max_interval: "1ms".to_owned(),
            }),
        }),
    })
}

/// The same rule for methods that are not tried again after an answer.
pub(super) fn writes_apart(globals: &Globals, route: &Route, rule: &Planned) -> Option<Planned> {
    let wanted = route
        .policies
        .transport
        .retry
        .as_ref()
        .unwrap_or(&globals.retry);
    if wanted.any_method || wanted.statuses.is_empty() || wanted.tries == 1 {
        return None;
    }
    let mut writes = rule.clone();
    let all = rule.rule.matches.as_deref().unwrap_or_default();
    writes.rule.matches = Some(
        [
            HttpRouteRulesMatchesMethod::Post,
            HttpRouteRulesMatchesMethod::Patch,
        ]
        .into_iter()
        .flat_map(|method| {
            all.iter().cloned().map(move |mut found| {
                found.method = Some(method.clone());
                found
            })
        })
        .collect(),
    );
    writes.rule.name = rule
        .rule
        .name
        .as_ref()
        .map(|name| crate::name::limit(format!("{name}-writes")));
    writes.attached.traffic().retry = Some(
        retry(&Retry {
            statuses: Vec::new(),
            ..wanted.clone()
        })
        .unwrap_or_default(),
    );
    Some(writes)
}

/// The same rule for upgrades: with another `Connection` header they would hang.
pub(super) fn upgrades_apart(route: &Route, rule: &Planned) -> Option<Planned> {
    route.policies.transport.connection_header.as_ref()?;
    let mut upgrades = rule.clone();
    for found in upgrades.rule.matches.iter_mut().flatten() {
        found
            .headers
            .get_or_insert_with(Vec::new)
            .push(matching("Upgrade", ".+".to_owned()));
    }
    let filters = upgrades.rule.filters.get_or_insert_with(Vec::new);
    for filter in filters.iter_mut() {
        if let Some(set) = filter
            .request_header_modifier
            .as_mut()
            .and_then(|m| m.set.as_mut())
        {
            set.retain(|header| header.name != "Connection");
        }
    }
    filters.retain(|filter| {
        filter
            .request_header_modifier
            .as_ref()
            .is_none_or(|modifier| {
                modifier.set.as_ref().is_some_and(|set| !set.is_empty())
                    || modifier.add.is_some()
                    || modifier.remove.is_some()
            })
    });
    if filters.is_empty() {
        upgrades.rule.filters = None;
    }
    upgrades.rule.name = rule
        .rule
        .name
        .as_ref()
        .map(|name| crate::name::limit(format!("{name}-upgrades")));
    Some(upgrades)
}

/// Whether the rules of a route differ between plain HTTP and HTTPS.
pub(crate) fn by_scheme(forward: &Forward) -> bool {
    let split = &forward.split;
    let session = |balance: Option<&Balance>| match balance {
        Some(Balance::Session(Session {
            cookie: Some(cookie),
            ..
        })) => !cookie.always_secure,
        _ => false,
    };
    split.primary.protocol == Protocol::SameAsClient
        || !by_name(&split.primary) && session(split.primary.balance.as_deref())
}

pub(crate) fn load_balancer(balance: &Balance, section: Section) -> LoadBalancer {
    let hash = |hash| LoadBalancer {
        kind: "ConsistentHash",
        consistent_hash: Some(hash),
    };
    match balance {
        Balance::RoundRobin => LoadBalancer::plain("RoundRobin"),
        Balance::LeastBusy => LoadBalancer::plain("LeastRequest"),
        Balance::Session(session) => hash(ConsistentHash {
            kind: "Cookie",
            cookie: Some(cookie(session, section)),
            ..ConsistentHash::default()
        }),
        Balance::Hash(HashBy::Address) => hash(ConsistentHash {
            kind: "SourceIP",
            ..ConsistentHash::default()
        }),
        Balance::Hash(HashBy::Headers(names)) => hash(ConsistentHash {
            kind: "Headers",
            headers: named(names),
            ..ConsistentHash::default()
        }),
        Balance::Hash(HashBy::Parameters(names)) => hash(ConsistentHash {
            kind: "QueryParams",
            query_params: named(names),
            ..ConsistentHash::default()
        }),
        Balance::Hash(HashBy::Cookie(name)) => hash(ConsistentHash {
            kind: "Cookie",
            cookie: Some(CookieHash {
                name: name.clone(),
                ..CookieHash::default()
            }),
            ..ConsistentHash::default()
        }),
    }
}

fn named(names: &[String]) -> Vec<NamedHash> {
    names
        .iter()
        .map(|name| NamedHash { name: name.clone() })
        .collect()
}

/// Without a lifetime Envoy gives out no cookie.
fn cookie(session: &Session, section: Section) -> CookieHash {
    let Some(cookie) = &session.cookie else {
        return CookieHash {
            name: session.name.clone(),
            ..CookieHash::default()
        };
    };
    let SessionCookie {
        path,
        domain,
        same_site,
        always_secure,
        max_age,
    } = cookie;
    let mut attributes = BTreeMap::from([("Path", path.clone())]);
    let optional = [("Domain", domain), ("SameSite", same_site)];
    attributes.extend(
        optional
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.clone()?))),
    );
    if *always_secure || section == Section::Https {
        attributes.insert("Secure", String::new());
    }
    let ttl = match max_age {
        None => "0s".to_owned(),
        Some(age) => match u32::try_from(*age) {
            Ok(age) if age > 0 => seconds(age),
            // It ends at once; a lifetime of zero would end with the browser.
            _ => {
                attributes.insert("Max-Age", age.to_string());
                "0s".to_owned()
            }
        },
    };
    CookieHash {
        name: session.name.clone(),
        ttl: Some(ttl),
        attributes,
    }
}

pub(crate) fn compressors(compression: Option<&Compression>) -> Vec<Compressor> {
    let Some(compression) = compression else {
        return Vec::new();
    };
    let compressor = |kind| Compressor {
        kind,
        brotli: (kind == "Brotli").then_some(EmptyStruct {}),
        gzip: (kind == "Gzip").then_some(EmptyStruct {}),
        min_content_length: Some(compression.min_length.max(MIN_CONTENT_LENGTH)),
    };
    let mut list = Vec::new();
    if compression.brotli {
        list.push(compressor("Brotli"));
    }
    if compression.gzip {
        list.push(compressor("Gzip"));
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_has_what_the_scheme_asks() {
        let session = |max_age| Session {
            name: "route".to_owned(),
            cookie: Some(SessionCookie {
                path: "/shop".to_owned(),
                domain: None,
                same_site: None,
                always_secure: false,
                max_age,
            }),
        };
        let text = |session: &Session, section| {
            let cookie = cookie(session, section);
            format!("{:?} {:?}", cookie.ttl, cookie.attributes)
        };
        assert_eq!(
            text(&session(None), Section::Https),
            r#"Some("0s") {"Path": "/shop", "Secure": ""}"#
        );
        assert_eq!(
            text(&session(Some(172_800)), Section::Http),
            r#"Some("48h") {"Path": "/shop"}"#
        );
        assert_eq!(
            text(&session(Some(0)), Section::Http),
            r#"Some("0s") {"Max-Age": "0", "Path": "/shop"}"#
        );
    }

    #[test]
    fn retries_are_safe_unless_asked() {
        let base = Retry {
            tries: 3,
            connection: true,
            statuses: Vec::new(),
            any_method: false,
        };
        let triggers =
            |wanted: &Retry| retry(wanted).and_then(|r| r.retry_on).map(|on| on.triggers);
        assert_eq!(
            triggers(&base).unwrap(),
            ["connect-failure", "reset-before-request"]
        );
        let all = Retry {
            any_method: true,
            statuses: vec![502],
            ..base.clone()
        };
        assert_eq!(triggers(&all).unwrap().len(), 4);
        assert!(retry(&Retry { tries: 1, ..base }).is_none());
    }
}

//! What two sides ask of a request before a backend gets it: is the second weaker, is it stronger?

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::str::FromStr as _;

use ipnet::IpNet;

use super::{Aspect, Class};
use crate::automaton::classes;
use crate::behaviour::{Addresses, Bucket, Clients, Guards, Limits, Passwords};

pub(super) fn guards(a: &Guards, b: &Guards, add: &mut impl FnMut(Class, Aspect)) {
    fn both<T: ?Sized>(
        a: Option<&T>,
        b: Option<&T>,
        aspect: Aspect,
        add: &mut impl FnMut(Class, Aspect),
        compare: impl FnOnce(&T, &T) -> (bool, bool),
    ) {
        let (weaker, stronger) = match (a, b) {
            (None, None) => (false, false),
            (Some(_), None) => (true, false),
            (None, Some(_)) => (false, true),
            (Some(a), Some(b)) => compare(a, b),
        };
        if weaker {
            add(Class::MoreOpen, aspect);
        }
        if stronger {
            add(Class::Stricter, aspect);
        }
    }
    both(
        a.clients.as_ref(),
        b.clients.as_ref(),
        Aspect::Clients,
        add,
        clients,
    );
    both(
        a.subject.as_deref(),
        b.subject.as_deref(),
        Aspect::Clients,
        add,
        subjects,
    );
    both(
        a.limits.as_ref(),
        b.limits.as_ref(),
        Aspect::Limits,
        add,
        limits,
    );
    both(
        a.addresses.as_ref(),
        b.addresses.as_ref(),
        Aspect::Addresses,
        add,
        addresses,
    );
    both(
        a.passwords.as_ref(),
        b.passwords.as_ref(),
        Aspect::Passwords,
        add,
        passwords,
    );
    both(
        a.authorizer.as_ref(),
        b.authorizer.as_ref(),
        Aspect::Authorizer,
        add,
        |a, b| {
            let asks = a.places == b.places && a.path == b.path;
            (
                b.fails_open && !a.fails_open || !asks,
                a.fails_open && !b.fails_open,
            )
        },
    );
    if a.others != b.others {
        let lost = !a.others.is_subset(&b.others);
        let class = if lost {
            Class::MoreOpen
        } else {
            Class::Stricter
        };
        add(class, Aspect::OtherGuard);
    }
}

fn clients(a: &Clients, b: &Clients) -> (bool, bool) {
    let weaker = a.required && !b.required
        || a.verified && !b.verified
        || a.revoked && !b.revoked
        || !b.authorities.is_subset(&a.authorities);
    let stronger = b.required && !a.required
        || b.verified && !a.verified
        || b.revoked && !a.revoked
        || !a.authorities.is_subset(&b.authorities);
    (weaker, stronger)
}

/// Whether the second takes a subject that the first does not, and the other way round.
fn subjects(a: &str, b: &str) -> (bool, bool) {
    let languages = [a.to_owned(), b.to_owned()];
    let Ok(classes) = classes(r"\A[ -~]*\z", &languages) else {
        return (a != b, a != b);
    };
    let only = |at: usize| classes.iter().any(|(_, all)| *all == [at]);
    (only(1), only(0))
}

fn passwords(a: &Passwords, b: &Passwords) -> (bool, bool) {
    let (Some(a), Some(b)) = (&a.users, &b.users) else {
        return (false, false);
    };
    let has =
        |all: &BTreeMap<String, String>, user: (&String, &String)| all.get(user.0) == Some(user.1);
    (
        b.iter().any(|user| !has(a, user)),
        a.iter().any(|user| !has(b, user)),
    )
}

/// Whether the second lets in an address that the first does not, and the other way round. The
/// answer changes only where a network begins or ends.
fn addresses(a: &Addresses, b: &Addresses) -> (bool, bool) {
    let (Some(first), Some(second)) = (parse(a), parse(b)) else {
        return (a != b, a != b);
    };
    let networks = first.iter().chain(&second).flat_map(|(_, all)| all);
    let mut edges: Vec<IpAddr> = vec![
        IpAddr::from([0, 0, 0, 0]),
        IpAddr::from([0_u16, 0, 0, 0, 0, 0, 0, 0]),
    ];
    for network in networks {
        edges.push(network.network());
        edges.extend(behind(network.broadcast()));
    }
    let lets = |rules: &[(bool, Vec<IpNet>)], otherwise: bool, address: &IpAddr| {
        let holds = |(_, all): &&(bool, Vec<IpNet>)| all.iter().any(|net| net.contains(address));
        rules
            .iter()
            .find(holds)
            .map_or(otherwise, |(allow, _)| *allow)
    };
    let mut found = (false, false);
    for address in &edges {
        let one = lets(&first, a.otherwise, address);
        let other = lets(&second, b.otherwise, address);
        found.0 |= other && !one;
        found.1 |= one && !other;
    }
    found
}

fn parse(list: &Addresses) -> Option<Vec<(bool, Vec<IpNet>)>> {
    let network = |text: &String| {
        let plain = || IpAddr::from_str(text).ok().map(IpNet::from);
        IpNet::from_str(text).ok().or_else(plain)
    };
    list.rules
        .iter()
        .map(|(allow, all)| Some((*allow, all.iter().map(network).collect::<Option<_>>()?)))
        .collect()
}

fn behind(last: IpAddr) -> Option<IpAddr> {
    Some(match last {
        IpAddr::V4(last) => IpAddr::from(u32::from(last).checked_add(1)?.to_be_bytes()),
        IpAddr::V6(last) => IpAddr::from(u128::from(last).checked_add(1)?.to_be_bytes()),
    })
}

/// Every rate has to be held for addresses of both families.
fn limits(a: &Limits, b: &Limits) -> (bool, bool) {
    let holds = |rate: &Bucket, everybody: &str| {
        b.buckets.iter().any(|bucket| {
            let counts = match &bucket.only {
                None => bucket.exempt.is_subset(&rate.exempt),
                Some(network) => network == everybody,
            };
            counts && bucket.each && no_more(bucket, rate)
        })
    };
    let lost = a
        .buckets
        .iter()
        .any(|rate| !holds(rate, "0.0.0.0/0") || !holds(rate, "::/0"));
    let looser = match (a.concurrent, b.concurrent) {
        (Some(most), Some(other)) => other > most,
        (Some(_), None) => true,
        (None, _) => false,
    };
    // A share of a limit is less than the limit, so less is no difference by itself.
    let added = a.buckets.is_empty() && !b.buckets.is_empty()
        || a.concurrent.is_none() && b.concurrent.is_some();
    (lost || looser, added)
}

/// Whether several limits that count apart let through more together than one does.
pub(crate) fn more_together(limit: &Limits, parts: &[&Limits]) -> bool {
    // Of the buckets of a part, one holds for addresses of a family; the smallest counts.
    let least = |part: &Limits, of: fn(&Bucket) -> (u64, u64)| {
        part.buckets
            .iter()
            .filter(|bucket| bucket.only.as_deref() != Some("::/0"))
            .map(of)
            .min_by(|a, b| {
                (u128::from(a.0) * u128::from(b.1)).cmp(&(u128::from(b.0) * u128::from(a.1)))
            })
    };
    let rates = limit.buckets.iter().any(|rate| {
        // In a day, so that shares of whole numbers add up.
        let day =
            |(gains, seconds): (u64, u64)| u128::from(gains) * 86_400 / u128::from(seconds.max(1));
        let gained: u128 = parts
            .iter()
            .filter_map(|part| least(part, |bucket| (bucket.gains, bucket.seconds)))
            .map(day)
            .sum();
        let at_once: u128 = parts
            .iter()
            .filter_map(|part| least(part, |bucket| (bucket.size, 1)))
            .map(|(size, _)| u128::from(size))
            .sum();
        gained > day((rate.gains, rate.seconds)) || at_once > u128::from(rate.size)
    });
    let all: u64 = parts.iter().filter_map(|part| part.concurrent).sum();
    rates || limit.concurrent.is_some_and(|most| all > most)
}

/// Whether a bucket lets through no more than another, neither at once nor over time.
fn no_more(bucket: &Bucket, limit: &Bucket) -> bool {
    bucket.size <= limit.size
        && u128::from(bucket.gains) * u128::from(limit.seconds)
            <= u128::from(limit.gains) * u128::from(bucket.seconds)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn list(rules: &[(bool, &[&str])], otherwise: bool) -> Addresses {
        let owned = |all: &[&str]| all.iter().map(|n| (*n).to_owned()).collect();
        Addresses {
            rules: rules
                .iter()
                .map(|(allow, all)| (*allow, owned(all)))
                .collect(),
            otherwise,
        }
    }

    #[test]
    fn lists_of_addresses_are_compared_by_what_they_let_in() {
        let a = list(&[(true, &["10.0.0.0/8"])], false);
        let halves = list(&[(true, &["10.0.0.0/9", "10.128.0.0/9"])], false);
        assert_eq!(addresses(&a, &halves), (false, false));
        let less = list(&[(true, &["10.0.0.0/9"])], false);
        assert_eq!(addresses(&a, &less), (false, true));
        assert_eq!(addresses(&less, &a), (true, false));
        let swapped = list(&[(false, &["10.0.0.0/8"])], true);
        assert_eq!(addresses(&a, &swapped), (true, true));
        let last = list(&[(true, &["255.255.255.255/32"])], false);
        assert_eq!(addresses(&last, &list(&[], false)), (false, true));
    }

    #[test]
    fn buckets_hold_for_both_families() {
        let bucket = |only: Option<&str>, size, seconds| Bucket {
            size,
            gains: size,
            seconds,
            only: only.map(str::to_owned),
            exempt: BTreeSet::new(),
            each: true,
        };
        let of = |buckets| Limits {
            buckets,
            concurrent: None,
        };
        let limit = of(vec![Bucket {
            gains: 10,
            ..bucket(None, 50, 1)
        }]);
        let pair = |size| {
            of(vec![
                bucket(Some("0.0.0.0/0"), size, 1),
                bucket(Some("::/0"), size, 1),
            ])
        };
        assert_eq!(limits(&limit, &pair(10)), (false, false));
        assert_eq!(limits(&limit, &pair(11)), (true, false));
        assert_eq!(
            limits(&limit, &of(vec![bucket(Some("0.0.0.0/0"), 10, 1)])),
            (true, false)
        );
    }

    #[test]
    fn parts_of_a_limit_are_added_up() {
        let of = |size, gains, seconds| Limits {
            buckets: vec![Bucket {
                size,
                gains,
                seconds,
                only: None,
                exempt: BTreeSet::new(),
                each: true,
            }],
            concurrent: Some(size),
        };
        let limit = of(50, 10, 1);
        assert!(!more_together(&limit, &[&of(5, 5, 1), &of(5, 300, 60)]));
        assert!(more_together(&limit, &[&of(5, 5, 1), &of(5, 301, 60)]));
        assert!(more_together(&limit, &[&of(30, 1, 1), &of(21, 1, 1)]));
    }
}

//! Which hosts can be written side by side.
//!
//! Names of objects are taken in namespaces, and what several rules need is written once in its
//! namespace. Hosts without a namespace in common, directly or through other hosts, therefore
//! have nothing to do with one another.

use std::cmp::Reverse;

use gatewright_model::{Host, HostName, Owner, OwnerId};

use crate::IndexSet;

/// Groups of namespaces that hosts have brought together.
#[derive(Default)]
struct Groups<'a> {
    namespaces: IndexSet<&'a str>,
    /// By namespace, another one of its group; itself for one of each group.
    others: Vec<usize>,
}

impl<'a> Groups<'a> {
    fn of(&mut self, namespace: &'a str) -> usize {
        let (at, new) = self.namespaces.insert_full(namespace);
        if new {
            self.others.push(at);
        }
        self.find(at)
    }

    fn find(&mut self, mut at: usize) -> usize {
        while self.others[at] != at {
            self.others[at] = self.others[self.others[at]];
            at = self.others[at];
        }
        at
    }
}

/// Hosts, named by their indices, and how much work they are, counted in routes.
pub(crate) type Part = (usize, Vec<usize>);

/// Divides the hosts into as many parts as there can be. No object of one part has the namespace
/// of an object of another.
pub(crate) fn parts(hosts: &[Host], owners: &[Owner]) -> Vec<Part> {
    let any = hosts.iter().find(|host| host.name == HostName::Any);
    let mut groups = Groups::default();
    let mut group_of = Vec::with_capacity(hosts.len());
    for host in hosts {
        let mut namespaces = namespaces(host, any, owners);
        let mut group = namespaces.next().map_or(0, |first| groups.of(first));
        for namespace in namespaces {
            let other = groups.of(namespace);
            groups.others[other] = group;
            group = groups.find(group);
        }
        group_of.push(group);
    }
    let mut parts: Vec<Part> = vec![Part::default(); groups.namespaces.len()];
    for (at, group) in group_of.into_iter().enumerate() {
        let (size, part) = &mut parts[groups.find(group)];
        *size += 1 + hosts[at].routes.len();
        part.push(at);
    }
    parts.retain(|(size, _)| *size > 0);
    parts
}

/// Puts parts together to at most so many of about the same size, at least one. Those with the
/// largest parts come first.
pub(crate) fn shards(mut parts: Vec<Part>, at_most: usize) -> Vec<Vec<usize>> {
    parts.sort_by_key(|(size, _)| Reverse(*size));
    let mut shards = vec![Part::default(); at_most.clamp(1, parts.len().max(1))];
    for (size, part) in parts {
        if let Some(least) = shards.iter_mut().min_by_key(|(size, _)| *size) {
            least.0 += size;
            least.1.extend(part);
        }
    }
    let sorted = |(_, mut shard): Part| {
        shard.sort_unstable();
        shard
    };
    shards.into_iter().map(sorted).collect()
}

/// All that may have rules on a host, below which the catch-all host serves as well.
pub(crate) fn owners<'a>(host: &'a Host, any: Option<&'a Host>) -> impl Iterator<Item = OwnerId> {
    let below = any.filter(|_| matches!(host.name, HostName::OneLabel(_)));
    std::iter::once(host)
        .chain(below)
        .flat_map(|host| std::iter::once(host.first).chain(host.routes.iter().map(|r| r.owner)))
}

/// Where objects may stand that are written for a host.
fn namespaces<'a>(
    host: &'a Host,
    any: Option<&'a Host>,
    known: &'a [Owner],
) -> impl Iterator<Item = &'a str> {
    // What the catch-all host serves stands below a wildcard host as well.
    let below = any.filter(|_| matches!(host.name, HostName::OneLabel(_)));
    let backends = std::iter::once(host).chain(below).flat_map(Host::backends);
    let passed = host.passthrough.iter().map(|passed| passed.origin.owner);
    let owners = owners(host, any).chain(passed);
    let owners = owners.map(|owner| &*known[owner.0 as usize].namespace);
    owners.chain(backends.map(|backend| &*backend.namespace))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use gatewright_model::{
        Action, Backend, Forward, Origin, PathMatcher, PlainHttp, Protocol, Route, Split, Target,
    };
    use gatewright_source::{FileId, Span};

    use super::*;

    fn span() -> Span {
        Span::new(FileId(0), 0, 1)
    }

    /// A host with a route for each owner, whose backends are in this namespace.
    fn host(name: HostName, owners: &[u32], backends: &str) -> Host {
        let origin = Origin::field(OwnerId(owners[0]), span());
        let primary = Backend {
            namespace: Arc::from(backends),
            target: Target::Unavailable {
                reason: Arc::from("a test"),
            },
            protocol: Protocol::Http,
            tls: None,
            balance: None,
            service_address: false,
            origin: origin.clone(),
        };
        let forward = Forward {
            split: Split {
                primary,
                canary: None,
            },
            rewrite: None,
            authority: None,
            forwarded_prefix: None,
        };
        let route = |&owner: &u32| Route {
            owner: OwnerId(owner),
            origin: origin.clone(),
            matcher: PathMatcher::Prefix("/".to_owned()),
            implicit: false,
            plain_http: PlainHttp::Serve,
            action: Action::Forward(Box::new(forward.clone())),
            policies: Arc::default(),
        };
        Host {
            name,
            first: OwnerId(owners[0]),
            patterns: false,
            routes: owners.iter().map(route).collect(),
            certificate: None,
            passthrough: None,
            clients: None,
            ciphers: None,
        }
    }

    #[test]
    fn hosts_that_meet_in_a_namespace_stay_together() {
        let owners: Vec<Owner> = ["a", "b", "c", "d", "e"]
            .map(|namespace| Owner {
                kind: Arc::from("Ingress"),
                namespace: Arc::from(namespace),
                name: Arc::from("web"),
                span: span(),
                tags: Vec::new(),
            })
            .into();
        let exact = |name: &str| HostName::Exact(Arc::from(name));
        let mut hosts = vec![
            host(exact("0.test"), &[0], "a"),
            host(exact("1.test"), &[1], "b"),
            // Brings c and a together.
            host(exact("2.test"), &[2, 0], "c"),
            // Its backend is in c.
            host(exact("3.test"), &[3], "c"),
            host(exact("4.test"), &[4], "e"),
        ];
        let parts = |hosts: &[Host], at_most| shards(parts(hosts, &owners), at_most);
        assert_eq!(parts(&hosts, 1), [vec![0, 1, 2, 3, 4]]);
        assert_eq!(parts(&hosts, 2), [vec![0, 2, 3], vec![1, 4]]);
        assert_eq!(parts(&hosts, 9), [vec![0, 2, 3], vec![1], vec![4]]);
        assert_eq!(parts(&[], 9), [Vec::<usize>::new()]);

        // What the catch-all host serves is written for every wildcard host as well.
        hosts.push(host(HostName::OneLabel(Arc::from("w.test")), &[1], "b"));
        hosts.push(host(HostName::Any, &[4], "e"));
        assert_eq!(parts(&hosts, 9), [vec![1, 4, 5, 6], vec![0, 2, 3]]);
    }
}

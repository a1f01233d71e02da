//! The whole of what listens, host by host.

use std::collections::BTreeMap;

use gatewright_model::eval::Request;

use super::answer::View;
use super::client::{Client, client};
use super::listener::{Listener, Protocol, best, covers, listeners};
use super::reference;
use super::rule::{Entry, Rule, rules};
use crate::behaviour::{Answer, Behaviour, Share, shares};
use crate::objects::{Object, Objects, items};

/// What the objects come to.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) rules: Vec<Rule>,
    /// Plain HTTP, by the domain.
    http: BTreeMap<String, Virtual>,
    /// HTTPS, by the host name of the listener (`*` for none) and the domain.
    https: BTreeMap<String, Door>,
    /// Whether anything listens for plain HTTP.
    plain: bool,
    http_client: Client,
    /// Routes, in words, that no listener takes.
    pub(crate) stray: Vec<(gatewright_source::Span, String)>,
    /// Listeners of Gateways that are not among the objects are taken as they are named.
    pub(crate) assumed: bool,
    /// Settings that change what the normal form of a path is.
    pub(crate) slashes: Option<String>,
}

/// A listener for HTTPS.
#[derive(Debug, Default)]
struct Door {
    /// Set when TLS ends at the backend.
    passthrough: Option<BTreeMap<String, Vec<Share>>>,
    hosts: BTreeMap<String, Virtual>,
    client: Client,
}

/// What one domain serves.
#[derive(Debug, Default)]
pub(crate) struct Virtual {
    pub(crate) domain: String,
    /// Entries in the order in which they are asked.
    pub(crate) entries: Vec<Entry>,
}

/// Where a request comes in.
pub(crate) enum Place<'w> {
    /// Nothing listens.
    Nowhere,
    /// TLS goes on to these.
    Passthrough(&'w [Share]),
    /// A listener without a host for the name.
    NoHost(&'w Client),
    /// The entries of a host.
    Host(&'w Virtual, &'w Client),
}

impl World {
    /// `trusts` says whether a Gateway that is not among the objects believes the headers that
    /// say where a request came from.
    pub(crate) fn new(objects: &Objects, trusts: bool) -> Self {
        let mut world = Self::default();
        let all = listeners(objects);
        let port = |protocols: &[Protocol], usual: u16| {
            let ports = all
                .iter()
                .filter(|listener| protocols.contains(&listener.protocol))
                .map(|listener| listener.port);
            ports
                .clone()
                .find(|port| *port == usual)
                .or_else(|| ports.min())
        };
        let plain = port(&[Protocol::Http], 80);
        let secure = port(&[Protocol::Https, Protocol::Passthrough], 443);
        let mut routes: Vec<&Object> = ["HTTPRoute", "GRPCRoute", "TLSRoute"]
            .into_iter()
            .flat_map(|kind| objects.of(kind))
            .collect();
        // `internal/gatewayapi/resource/resource.go`
        routes.sort_by_key(|route| {
            (
                route.created.is_empty(),
                &route.created,
                &route.namespace,
                &route.name,
            )
        });
        let mut attached = vec![false; routes.len()];
        for listener in &all {
            let wanted = if listener.protocol == Protocol::Http {
                plain
            } else {
                secure
            };
            if Some(listener.port) != wanted {
                continue;
            }
            world.assumed |= listener.assumed;
            world.open(objects, listener, trusts);
            for (at, route) in routes.iter().enumerate() {
                let parents = items(route.at("/spec/parentRefs"));
                if parents.iter().any(|parent| listener.takes(route, parent)) {
                    attached[at] |= world.attach(objects, listener, route);
                }
            }
        }
        let hosts = world
            .https
            .values_mut()
            .flat_map(|door| door.hosts.values_mut());
        // Then the order of routes and rules is the order of asking.
        let as_written = objects
            .of("EnvoyProxy")
            .any(|proxy| proxy.at("/spec/preserveRouteOrder").as_bool() == Some(true));
        for host in world.http.values_mut().chain(hosts).filter(|_| !as_written) {
            host.entries.sort_by_key(Entry::rank);
        }
        for (route, attached) in routes.iter().zip(attached) {
            if !attached {
                world.stray.push((route.span, route.title()));
            }
        }
        world
    }

    fn open(&mut self, objects: &Objects, listener: &Listener, trusts: bool) {
        let found = client(objects, listener, trusts);
        if listener.protocol != Protocol::Passthrough && self.slashes.is_none() {
            self.slashes.clone_from(&found.slashes);
        }
        if listener.protocol == Protocol::Http {
            self.plain = true;
            self.http_client = found;
            return;
        }
        let name = listener.hostname.clone().unwrap_or_else(|| "*".to_owned());
        let door = self.https.entry(name).or_default();
        door.client = found;
        if listener.protocol == Protocol::Passthrough {
            door.passthrough.get_or_insert_default();
        }
    }

    /// Whether any host name of a route is served by a listener.
    fn attach(&mut self, objects: &Objects, listener: &Listener, route: &Object) -> bool {
        let domains = listener.domains(route);
        if domains.is_empty() {
            return false;
        }
        let key = listener.hostname.as_deref().unwrap_or("*");
        if listener.protocol == Protocol::Passthrough {
            let from = (route.kind.as_str(), route.namespace.as_str());
            let references: Vec<_> = items(route.at("/spec/rules"))
                .iter()
                .flat_map(|rule| items(&rule["backendRefs"]))
                .cloned()
                .collect();
            let to = shares(reference::shares(objects, from, &references));
            let door = self.https.entry(key.to_owned()).or_default();
            for domain in domains {
                door.passthrough
                    .get_or_insert_default()
                    .entry(domain)
                    .or_insert_with(|| to.clone());
            }
            return true;
        }
        let entries = rules(objects, route, listener, &mut self.rules);
        let hosts = if listener.protocol == Protocol::Http {
            &mut self.http
        } else {
            &mut self.https.entry(key.to_owned()).or_default().hosts
        };
        for domain in domains {
            let host = hosts.entry(domain.clone()).or_default();
            host.domain = domain;
            host.entries.extend(entries.iter().cloned());
        }
        true
    }

    /// Where a request for a name comes in. Over TLS the name in the handshake is that of the
    /// request; the listener is found by it, and has hosts of its own.
    pub(crate) fn place(&self, secure: bool, name: &str) -> Place<'_> {
        let (hosts, client) = if secure {
            let keys = self.https.keys().map(String::as_str);
            let Some(door) = best(keys, name).and_then(|key| self.https.get(key)) else {
                return Place::Nowhere;
            };
            if let Some(passthrough) = &door.passthrough {
                let found = best(passthrough.keys().map(String::as_str), name);
                return match found.and_then(|domain| passthrough.get(domain)) {
                    Some(to) => Place::Passthrough(to),
                    None => Place::Nowhere,
                };
            }
            (&door.hosts, &door.client)
        } else if self.plain {
            (&self.http, &self.http_client)
        } else {
            return Place::Nowhere;
        };
        let domain = best(hosts.keys().map(String::as_str), name);
        match domain.and_then(|domain| hosts.get(domain)) {
            Some(host) => Place::Host(host, client),
            None => Place::NoHost(client),
        }
    }

    /// The rule that takes a request, and what becomes of it. The path is in its normal form.
    pub(crate) fn serve(&self, request: &Request) -> (Option<&Rule>, Behaviour) {
        let (host, client) = match self.place(request.secure, &request.host) {
            Place::Nowhere => return (None, Behaviour::open(Answer::NoListener)),
            Place::Passthrough(to) => {
                return (None, Behaviour::open(Answer::Passthrough(to.to_vec())));
            }
            Place::NoHost(_) => return (None, Behaviour::open(Answer::Status(404))),
            Place::Host(host, client) => (host, client),
        };
        let view = View::new(request, client);
        let takes =
            |entry: &&Entry| entry.path.takes(&request.path) && view.misses(entry).is_none();
        match host.entries.iter().find(takes) {
            Some(entry) => {
                let rule = &self.rules[entry.rule];
                (Some(rule), view.behaviour(rule, entry))
            }
            None => (None, Behaviour::open(Answer::Status(404))),
        }
    }

    /// What takes a connection for a name, in words.
    pub(crate) fn listener(&self, secure: bool, name: &str) -> Option<String> {
        if !secure {
            return self.plain.then(|| "HTTP".to_owned());
        }
        match best(self.https.keys().map(String::as_str), name)? {
            "*" => Some("HTTPS, any name".to_owned()),
            own => Some(format!("HTTPS, {own}")),
        }
    }

    /// Whether anything listens for HTTPS.
    pub(crate) fn secure(&self) -> bool {
        !self.https.is_empty()
    }

    /// All domains, of routes and of listeners.
    pub(crate) fn domains(&self) -> impl Iterator<Item = &str> {
        let secure = self.https.iter().flat_map(|(name, door)| {
            let passed = door.passthrough.iter().flat_map(BTreeMap::keys);
            std::iter::once(name).chain(door.hosts.keys()).chain(passed)
        });
        self.http.keys().chain(secure).map(String::as_str)
    }

    /// Every test of the authority that an entry for some name below a domain makes.
    pub(crate) fn authority_tests(&self, domain: &str) -> Vec<String> {
        let secure = self.https.values().flat_map(|door| &door.hosts);
        let mut tests: Vec<String> = self
            .http
            .iter()
            .chain(secure)
            .filter(|(own, _)| covers(own, domain) || covers(domain, own))
            .flat_map(|(_, host)| &host.entries)
            .flat_map(|entry| &entry.headers)
            .filter(|(name, _)| name == "host")
            .map(|(_, test)| test.language())
            .collect();
        tests.sort();
        tests.dedup();
        tests
    }
}

//! Which listener a host has, and which object holds it.
//!
//! Up to [`MAX_LISTENERS`] listeners and [`MAX_CERTIFICATES`] certificates stand in the Gateway,
//! nearly all of them in one listener without a host name (`docs/adr/0004-one-https-listener.md`).
//! Beyond that every host with a certificate has a listener of its own in a `ListenerSet` beside
//! its certificate (`docs/adr/0008-listener-sets.md`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gatewright_diagnostics::{Code, Diagnostic};
use gatewright_model::{Action, Host, HostName, Model, Protocol, Route, SecretRef};

use crate::emit::Emitter;
use crate::name::{hash, join, slug};
use crate::policy::clients;
use crate::{IndexMap, IndexSet};

/// Certificates of one listener (Gateway API `tls.certificateRefs`).
pub(crate) const MAX_CERTIFICATES: usize = 64;
/// Listeners of one Gateway or `ListenerSet` (Gateway API `spec.listeners`).
const MAX_LISTENERS: usize = 64;
/// A run of listeners may end from here on.
const MIN_SET: usize = 24;
/// Of so many host names one begins a run.
const CUTS: u64 = 12;

/// A listener of the Gateway or of a `ListenerSet`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listener {
    /// Namespace and name of the `ListenerSet`.
    pub(crate) set: Option<(Arc<str>, String)>,
    pub(crate) section: String,
}

impl Listener {
    /// A listener of the Gateway itself.
    pub(crate) fn gateway(section: impl Into<String>) -> Self {
        Self {
            set: None,
            section: section.into(),
        }
    }
}

/// What the listeners of a set have in common besides the namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    /// HTTPS with HTTP/2.
    Http2,
    /// HTTPS without.
    Http1,
    /// TLS that is passed through.
    Passthrough,
}

/// A `ListenerSet` to write.
#[derive(Clone, Debug)]
pub(crate) struct Set<'a> {
    pub(crate) namespace: Arc<str>,
    pub(crate) name: String,
    pub(crate) class: Class,
    /// In the order of their names.
    pub(crate) hosts: Vec<&'a Host>,
}

/// Every `ListenerSet`, and whose listeners are where.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sets<'a> {
    pub(crate) sets: Vec<Set<'a>>,
    /// What is presented for a host without a certificate.
    fallback: Option<&'a SecretRef>,
    /// Without a default certificate, what is presented for a host of a namespace before that.
    near: BTreeMap<&'a str, &'a SecretRef>,
    /// Namespace and name of the set that has the listener of a host.
    places: IndexMap<&'a HostName, (Arc<str>, String)>,
}

/// Every Secret with a certificate that a listener is to present.
pub(crate) fn certificates(model: &Model) -> BTreeSet<&SecretRef> {
    secrets(model).collect()
}

/// These Secrets in no order, as often as hosts have them.
pub(crate) fn secrets(model: &Model) -> impl Iterator<Item = &SecretRef> {
    let hosts = model.hosts.iter();
    hosts
        .filter(|host| host.passthrough.is_none())
        .flat_map(own_secrets)
}

fn own_secrets(host: &Host) -> &[SecretRef] {
    host.certificate
        .as_ref()
        .map_or(&[], |certificate| &certificate.secrets)
}

/// Whether a Secret holds the host's own certificate.
pub(crate) fn has_secret(host: &Host) -> bool {
    host.passthrough.is_none() && !own_secrets(host).is_empty()
}

/// Hosts whose HTTPS has a listener of its own.
pub(crate) fn own<'a>(emitter: &Emitter<'a>) -> Vec<&'a Host> {
    let hosts = emitter.model.hosts.iter();
    hosts
        .filter(|host| clients::own_listener(emitter, host))
        .collect()
}

/// Decides where the listeners stand.
pub(crate) fn place(emitter: &mut Emitter<'_>) {
    let model = emitter.model;
    let default = &model.globals.default_certificate;
    let certificates: IndexSet<&SecretRef> = secrets(model).chain(default).collect();
    let passthrough = model.hosts.iter().filter(|host| host.passthrough.is_some());
    let listeners =
        1 + usize::from(emitter.https) + own(emitter).len() + passthrough.clone().count();
    let many = certificates.len() > MAX_CERTIFICATES || listeners > MAX_LISTENERS;
    if !many && !emitter.settings.sets {
        return;
    }
    if emitter.settings.existing && !emitter.settings.sets {
        if certificates.len() > MAX_CERTIFICATES {
            left_to_gateway(emitter, certificates.len());
        }
        return;
    }
    emitter.divided = true;
    let mut sets = Sets {
        fallback: fallback(model),
        ..Sets::default()
    };
    if default.is_none() {
        // Listeners of a team's hosts stay with the team.
        for secret in secrets(model) {
            let near = sets.near.entry(&*secret.namespace).or_insert(secret);
            *near = secret.min(*near);
        }
    }
    emitter.sets = Arc::new(sets);
    emitter.own_wildcards = Arc::new(clients::own_wildcards(model, true));
    let https = own(emitter);
    let shared = shared(emitter, &https);
    let mut parts: BTreeMap<(Arc<str>, Class), Vec<&Host>> = BTreeMap::new();
    for &host in &https {
        let Some(secrets) = distinguishing(emitter, host) else {
            continue;
        };
        let alone = !secrets.iter().any(|secret| shared.contains(&secret.name));
        let class = if model.globals.http2 && (alone || speaks_grpc(host)) {
            Class::Http2
        } else {
            Class::Http1
        };
        let key = (Arc::clone(&secrets[0].namespace), class);
        parts.entry(key).or_default().push(host);
    }
    for host in passthrough {
        if let Some(passthrough) = &host.passthrough {
            let owner = model.owner(passthrough.origin.owner);
            let key = (Arc::clone(&owner.namespace), Class::Passthrough);
            parts.entry(key).or_default().push(host);
        }
    }
    for ((namespace, class), hosts) in parts {
        for run in runs(&hosts) {
            let set = emitter.new_set(&namespace, class, run, run[0].name == hosts[0].name);
            Arc::make_mut(&mut emitter.sets).add(set);
        }
    }
    if !https.is_empty() {
        let why = if many {
            format!(
                "as one Gateway takes {MAX_LISTENERS} listeners with {MAX_CERTIFICATES} certificates each"
            )
        } else {
            "in ListenerSets beside their certificates".to_owned()
        };
        let hosts = match https.len() {
            1 => "one host has a listener of its own".to_owned(),
            number => format!("{number} hosts have listeners of their own"),
        };
        emitter.diagnose(
            Diagnostic::new(Code::ListenerOfHost, format!("{hosts}, {why}"))
            .note("a connection made for one of them serves no other: a request for another host on it gets 404, and so do requests for them of clients that name no host in the TLS handshake")
            .help("make sure that health checks and CDNs send the host's name in the handshake (SNI)"),
        );
    }
}

fn left_to_gateway(emitter: &mut Emitter<'_>, count: usize) {
    let (namespace, name) = &emitter.settings.gateway;
    let diagnostic = Diagnostic::new(
        Code::TooManyCertificates,
        format!("{count} certificates are more than the {MAX_CERTIFICATES} that a listener takes"),
    )
    .note(format!(
        "the listeners of Gateway {namespace}/{name} are not written, and routes are attached to the Gateway itself, not to ListenerSets"
    ))
    .help("divide the certificates among several HTTPS listeners of the Gateway, by host name, or let Gatewright write the Gateway and its ListenerSets");
    emitter.diagnose(diagnostic);
}

impl<'a> Sets<'a> {
    fn add(&mut self, set: Set<'a>) {
        let at = (Arc::clone(&set.namespace), set.name.clone());
        self.places
            .extend(set.hosts.iter().map(|host| (&host.name, at.clone())));
        self.sets.push(set);
    }

    /// The listener with this name for this host.
    fn listener(&self, host: &HostName, section: String) -> Listener {
        Listener {
            set: self.places.get(host).cloned(),
            section,
        }
    }
}

impl<'a> Emitter<'a> {
    fn new_set(
        &mut self,
        namespace: &Arc<str>,
        class: Class,
        hosts: &[&'a Host],
        first: bool,
    ) -> Set<'a> {
        let mut wanted = self.settings.gateway.1.clone();
        match class {
            Class::Http2 => {}
            Class::Http1 => wanted = join(&wanted, "http1"),
            Class::Passthrough => wanted = join(&wanted, "tls"),
        }
        let begins = hosts[0].name.to_string();
        if !first {
            wanted = join(&wanted, &slug(&begins));
        }
        Set {
            namespace: Arc::clone(namespace),
            name: self.take_name("ListenerSet", namespace, &wanted, &begins),
            class,
            hosts: hosts.to_vec(),
        }
    }
}

/// The listener that passes a host's TLS through.
pub(crate) fn passthrough(emitter: &Emitter<'_>, host: &HostName) -> Listener {
    let section = join("tls", &slug(&host.to_string()));
    emitter.sets.listener(host, section)
}

/// The host's own listener for HTTPS, or the one that hosts share.
pub(crate) fn https(emitter: &Emitter<'_>, host: &Host) -> Listener {
    if clients::own_listener(emitter, host) {
        let section = join("https", &slug(&host.name.to_string()));
        emitter.sets.listener(&host.name, section)
    } else {
        Listener::gateway("https")
    }
}

/// The certificates of a host's own listener in a set.
///
/// As ingress-nginx looks them up (`lua/certificate.lua`): the host's own, that of the wildcard
/// right above it, the default one. The default one is in every listener: it serves while the
/// Secret of the other is not there yet, and where that does not name the host.
pub(crate) fn presented<'a>(emitter: &Emitter<'a>, host: &'a Host) -> Vec<&'a SecretRef> {
    let model = emitter.model;
    let Some(secrets) = found(model, host) else {
        return fallback_of(emitter, host).into_iter().collect();
    };
    let default = model.globals.default_certificate.iter();
    let others = secrets.iter().filter(|s| !default.clone().any(|d| d == *s));
    default
        .clone()
        .chain(others)
        .take(MAX_CERTIFICATES)
        .collect()
}

/// The certificates by which a host's listener has its place; all of one namespace.
pub(crate) fn distinguishing<'a>(emitter: &Emitter<'a>, host: &'a Host) -> Option<&'a [SecretRef]> {
    let fallback = fallback_of(emitter, host).map(std::slice::from_ref);
    found(emitter.model, host).or(fallback)
}

/// Serves for a host without a certificate.
fn fallback_of<'a>(emitter: &Emitter<'a>, host: &Host) -> Option<&'a SecretRef> {
    let namespace = &*emitter.model.owner(host.first).namespace;
    let near = emitter.sets.near.get(namespace).copied();
    near.or(emitter.sets.fallback)
}

/// The host's own certificates, or those of the wildcard right above it.
fn found<'a>(model: &'a Model, host: &'a Host) -> Option<&'a [SecretRef]> {
    let own = own_secrets(host);
    if !own.is_empty() {
        return Some(own);
    }
    let HostName::Exact(name) = &host.name else {
        return None;
    };
    let (_, parent) = name.split_once('.')?;
    let wildcard = HostName::OneLabel(Arc::from(parent));
    let at = model
        .hosts
        .binary_search_by(|host| host.name.cmp(&wildcard));
    let wildcard = &model.hosts[at.ok()?];
    has_secret(wildcard).then(|| own_secrets(wildcard))
}

/// Serves where a host has no certificate: without a default one, whatever there is.
fn fallback(model: &Model) -> Option<&SecretRef> {
    let default = model.globals.default_certificate.as_ref();
    default.or_else(|| secrets(model).min())
}

/// The certificates of the listener without a host name where hosts have listeners in sets.
pub(crate) fn of_the_rest<'a>(emitter: &Emitter<'a>) -> Vec<&'a SecretRef> {
    let own = |_: &&SecretRef| !emitter.settings.existing;
    let mut secrets: Vec<&SecretRef> = emitter.sets.fallback.into_iter().filter(own).collect();
    let nameless = emitter
        .model
        .hosts
        .iter()
        .filter(|host| host.name == HostName::Any);
    for secret in nameless.flat_map(own_secrets) {
        if !secrets.contains(&secret) {
            secrets.push(secret);
        }
    }
    secrets.truncate(MAX_CERTIFICATES);
    secrets
}

/// Says where a host might have more certificates than its listener takes.
pub(crate) fn tell_of_too_many(emitter: &mut Emitter<'_>) {
    let model = emitter.model;
    for host in &model.hosts {
        let Some(certificate) = &host.certificate else {
            continue;
        };
        // The default one comes first.
        let default = model.globals.default_certificate.as_ref();
        let count = certificate.secrets.len()
            + usize::from(default.is_some_and(|d| !certificate.secrets.contains(d)));
        if host.passthrough.is_some() || count <= MAX_CERTIFICATES {
            continue;
        }
        emitter.report(
            &certificate.origin,
            false,
            Diagnostic::new(
                Code::TooManyCertificates,
                format!("{count} certificates are more than the {MAX_CERTIFICATES} that a listener takes"),
            )
            .note(match host.name {
                HostName::Any => "the others are not presented to clients that name another host".to_owned(),
                _ => format!("`tls` does not name {}, so that any of them may be its certificate; the others are left out", host.name),
            })
            .help("name the host in the `tls` entry of its certificate"),
        );
    }
}

/// Names of Secrets whose certificate may serve several hosts. Those of the same name in several
/// namespaces are often copies.
fn shared(emitter: &Emitter<'_>, hosts: &[&Host]) -> BTreeSet<Arc<str>> {
    let mut once = BTreeSet::new();
    let mut shared = BTreeSet::new();
    let default = emitter.model.globals.default_certificate.as_ref();
    shared.extend(default.map(|secret| Arc::clone(&secret.name)));
    for host in hosts {
        for secret in distinguishing(emitter, host).unwrap_or_default() {
            if !once.insert(Arc::clone(&secret.name)) {
                shared.insert(Arc::clone(&secret.name));
            }
        }
    }
    shared
}

fn speaks_grpc(host: &Host) -> bool {
    host.routes.iter().any(route_speaks_grpc)
}

/// Whether requests of the route are forwarded to a gRPC backend.
pub(crate) fn route_speaks_grpc(route: &Route) -> bool {
    let Action::Forward(forward) = &route.action else {
        return false;
    };
    let canary = forward.split.canary.as_ref();
    let canary = canary.map(|canary| canary.backend.protocol);
    let mut protocols = canary.into_iter().chain([forward.split.primary.protocol]);
    protocols.any(|protocol| matches!(protocol, Protocol::Grpc | Protocol::Grpcs))
}

/// Runs of at most [`MAX_LISTENERS`] hosts. Where a run ends depends on the hosts around the end
/// alone, so that a new host moves no more than its neighbours.
fn runs<'a, 'b>(hosts: &'b [&'a Host]) -> Vec<&'b [&'a Host]> {
    let mut runs = Vec::new();
    let mut start = 0;
    for at in 1..=hosts.len() {
        let length = at - start;
        let ends = at == hosts.len()
            || length == MAX_LISTENERS
            || (length >= MIN_SET && hash(&hosts[at].name.to_string()).is_multiple_of(CUTS));
        if ends {
            runs.push(&hosts[start..at]);
            start = at;
        }
    }
    runs
}

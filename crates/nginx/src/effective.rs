//! The configuration that the controller builds from all Ingresses together.
//!
//! Follows `getBackendServers`, `createUpstreams`, `createServers` and
//! `mergeAlternativeBackends` of ingress-nginx `internal/ingress/controller/controller.go`:
//! order of the objects, hosts → servers, who owns a location, the implicit `/`,
//! upstreams shared by namespace, service and port, and the canaries of an upstream.

use std::collections::BTreeMap;
use std::sync::Arc;

use gatewright_diagnostics::ObjectRef;
use gatewright_model::OwnerId;
use gatewright_source::Span;

use crate::annotations::Settings;
use crate::ingress::{BackendRef, BackendTarget, Ingress, PathType, Port};
use crate::registry;
use crate::{IndexMap, IndexSet};

/// An Ingress that the controller takes, with its settings.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    /// Its id in the model.
    pub id: OwnerId,
    /// The object.
    pub ingress: &'a Ingress,
    /// What its annotations say.
    pub settings: &'a Settings,
    /// Another copy of it says something else, so every location of it answers 503.
    pub contested: bool,
    /// Why every location of it answers 503, and where that was written.
    pub denied: Option<(String, Span)>,
}

impl Source<'_> {
    fn is_canary(&self) -> bool {
        self.settings.canary.is_some()
    }
}

/// Index of a [`Source`] in the controller's order.
pub(crate) type SourceIndex = usize;

/// Index of an [`Upstream`].
pub(crate) type UpstreamIndex = usize;

/// What the controller serves.
#[derive(Debug, Default)]
pub(crate) struct Effective {
    /// One for each host; the empty name is the default server.
    pub servers: IndexMap<Arc<str>, Server>,
    /// All upstreams.
    pub upstreams: Vec<Upstream>,
    /// Those of all [`backends`] of one source after the other; none for what is no Service.
    named: Vec<Option<UpstreamIndex>>,
    /// Where those of each source begin.
    begin: Vec<usize>,
    /// Paths that another one keeps from being served.
    pub shadowed: Vec<Shadowed>,
    /// Canary paths that found no primary.
    pub orphans: Vec<Orphan>,
    /// Canaries whose settings hold for a Service that is asked as another's canary, even where
    /// their own paths serve nothing.
    pub steering: IndexSet<SourceIndex>,
}

/// A host.
#[derive(Debug)]
pub(crate) struct Server {
    /// The Ingress that defined it first; none for the default server unless one is bound to it.
    pub first: Option<SourceIndex>,
    /// Its locations in the order they were made; the implicit `/` comes first.
    pub locations: Vec<Location>,
    /// The Ingress whose `spec.tls` decides.
    pub tls: Option<SourceIndex>,
    /// The Ingress whose aliases hold.
    pub alias: Option<SourceIndex>,
    /// The first Ingress that passes TLS through.
    pub passthrough: Option<SourceIndex>,
    /// The first Ingress that wants the www redirect.
    pub www: Option<SourceIndex>,
}

/// A location.
#[derive(Clone, Debug)]
pub(crate) struct Location {
    /// The path as the Ingress has it.
    pub path: Arc<str>,
    /// How it is compared.
    pub path_type: PathType,
    /// Whose annotations hold; none for the bare default server.
    pub source: Option<SourceIndex>,
    /// Nobody wrote it.
    pub implicit: bool,
    /// Where requests go; none is the controller's default backend (404).
    pub upstream: Option<UpstreamIndex>,
    /// Where the path was written.
    pub span: Option<Span>,
    /// The rewrite and redirect groups do not apply (an Ingress of `spec.defaultBackend` alone).
    pub bare: bool,
    /// Its twin is protected in another way, so neither is served.
    pub closed: bool,
}

/// What makes two backends one: `namespace-service-port`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct UpstreamKey {
    /// Namespace.
    pub namespace: Arc<str>,
    /// Service name.
    pub service: Arc<str>,
    /// Port as it was written.
    pub port: Port,
}

/// A shared backend.
#[derive(Debug)]
pub(crate) struct Upstream {
    /// What it stands for.
    pub key: UpstreamKey,
    /// The Ingress that referenced it first: its upstream settings hold.
    pub first: SourceIndex,
    /// The last Ingress with a session cookie that references it: its cookie holds for all.
    pub affinity: Option<SourceIndex>,
    /// Where it was referenced first.
    pub span: Span,
    /// It was made by a canary and serves nothing by itself.
    pub canary_only: bool,
    /// The canaries of it; the controller asks only the first.
    pub alternatives: Vec<UpstreamIndex>,
}

/// A path that is not served because another Ingress owns it.
#[derive(Debug)]
pub(crate) struct Shadowed {
    /// The Ingress that lost.
    pub loser: SourceIndex,
    /// Its path.
    pub span: Span,
    /// The Ingress that owns the path; none when the service is a canary's.
    pub winner: Option<SourceIndex>,
    /// The path that won.
    pub winner_span: Option<Span>,
    /// The two differ by a final slash only, and nginx takes no configuration with both.
    pub twin: bool,
    /// Of twins that are protected in different ways neither is served.
    pub closed: bool,
}

/// A canary path that gets no request.
#[derive(Debug)]
pub(crate) struct Orphan {
    /// The canary.
    pub source: SourceIndex,
    /// Its path or default backend.
    pub span: Span,
    /// What is missing.
    pub reason: &'static str,
    /// What a person can change.
    pub help: &'static str,
}

/// The controller's order: older first, then name descending.
pub(crate) fn compare(a: &Ingress, b: &Ingress) -> std::cmp::Ordering {
    fn key(ingress: &Ingress) -> impl Iterator<Item = u8> {
        let ObjectRef {
            namespace, name, ..
        } = &ingress.object;
        namespace.bytes().chain(*b"/").chain(name.bytes())
    }
    a.created.cmp(&b.created).then_with(|| key(b).cmp(key(a)))
}

/// The key of a backend, if it is a Service.
pub(crate) fn upstream_key(source: &Source<'_>, backend: &BackendRef) -> Option<UpstreamKey> {
    match &backend.target {
        BackendTarget::Service { name, port } => Some(UpstreamKey {
            namespace: Arc::clone(&source.ingress.object.namespace),
            service: Arc::clone(&name.value),
            port: port.value.clone(),
        }),
        BackendTarget::Resource => None,
    }
}

/// Builds the configuration from objects in the controller's order.
pub(crate) fn build(sources: &[Source<'_>]) -> Effective {
    let mut effective = Effective::default();
    create_upstreams(&mut effective, sources);
    create_servers(&mut effective, sources);
    create_locations(&mut effective, sources);
    part_twins(&mut effective, sources);
    merge_canaries(&mut effective, sources);
    let upstreams = &effective.upstreams;
    let canaries = upstreams
        .iter()
        .filter_map(|primary| primary.alternatives.first());
    effective.steering = canaries.map(|&canary| upstreams[canary].first).collect();
    effective
}

/// All backends of an Ingress.
pub(crate) fn backends<'a>(source: &'a Source<'_>) -> impl Iterator<Item = &'a BackendRef> {
    source.ingress.default_backend.iter().chain(
        source
            .ingress
            .rules
            .iter()
            .flat_map(|rule| rule.paths.iter().flatten())
            .map(|path| &path.backend),
    )
}

impl Effective {
    /// The upstreams of the [`backends`] of a source, in their order.
    pub(crate) fn named(&self, source: SourceIndex) -> &[Option<UpstreamIndex>] {
        let end = self.begin.get(source + 1).copied();
        &self.named[self.begin[source]..end.unwrap_or(self.named.len())]
    }

    /// Those that are Services.
    pub(crate) fn upstreams_of(&self, source: SourceIndex) -> impl Iterator<Item = &Upstream> {
        let named = self.named(source).iter().flatten();
        named.map(|&upstream| &self.upstreams[upstream])
    }
}

fn create_upstreams(effective: &mut Effective, sources: &[Source<'_>]) {
    let mut known: IndexSet<UpstreamKey> = IndexSet::default();
    // Most Ingresses have a Service of their own.
    known.reserve(sources.len());
    for (index, source) in sources.iter().enumerate() {
        effective.begin.push(effective.named.len());
        for backend in backends(source) {
            let Some(key) = upstream_key(source, backend) else {
                effective.named.push(None);
                continue;
            };
            let (at, new) = known.insert_full(key);
            effective.named.push(Some(at));
            if new {
                effective.upstreams.push(Upstream {
                    key: known[at].clone(),
                    first: index,
                    affinity: None,
                    span: backend.span,
                    canary_only: source.is_canary(),
                    alternatives: Vec::new(),
                });
            }
            if source.settings.affinity.is_some() && !source.is_canary() {
                effective.upstreams[at].affinity = Some(index);
            }
        }
    }
}

pub(crate) fn host_of(rule: &crate::ingress::Rule) -> Arc<str> {
    rule.host
        .as_ref()
        .map_or_else(|| Arc::from(""), |host| Arc::clone(&host.value))
}

fn root(source: Option<SourceIndex>, upstream: Option<UpstreamIndex>) -> Location {
    Location {
        path: Arc::from("/"),
        path_type: PathType::Prefix,
        source,
        implicit: true,
        upstream,
        span: None,
        bare: false,
        closed: false,
    }
}

fn create_servers(effective: &mut Effective, sources: &[Source<'_>]) {
    let mut default_root = root(None, None);
    let mut default_first = None;
    for (index, source) in sources.iter().enumerate() {
        if source.is_canary() || !source.ingress.rules.is_empty() {
            continue;
        }
        if let Some(backend) = &source.ingress.default_backend
            && default_first.is_none()
        {
            default_first = Some(index);
            default_root.source = Some(index);
            default_root.bare = true;
            default_root.implicit = false;
            default_root.upstream = effective.named(index)[0];
            default_root.span = Some(backend.span);
        }
    }
    let new = |first, location| Server {
        first,
        locations: vec![location],
        tls: None,
        alias: None,
        passthrough: None,
        www: None,
    };
    let mut servers: IndexMap<Arc<str>, Server> = IndexMap::default();
    // Most Ingresses have a host of their own.
    servers.reserve(1 + sources.len());
    servers.insert(Arc::from(""), new(default_first, default_root));

    for (index, source) in sources.iter().enumerate() {
        if source.is_canary() {
            continue;
        }
        let fallback = source.ingress.default_backend.as_ref();
        let fallback = fallback.and_then(|_| effective.named(index)[0]);
        for rule in &source.ingress.rules {
            let host = host_of(rule);
            if host.is_empty() {
                let server = &mut servers[0];
                if server.first.is_none() {
                    server.first = Some(index);
                }
                continue;
            }
            let server = servers
                .entry(host)
                .or_insert_with(|| new(Some(index), root(Some(index), fallback)));
            if server.tls.is_none() && !source.ingress.tls.is_empty() {
                server.tls = Some(index);
            }
            if server.alias.is_none() && source.settings.server.aliases.is_some() {
                server.alias = Some(index);
            }
            let wants = |flag: &Option<gatewright_source::Spanned<bool>>| {
                flag.as_ref().is_some_and(|f| f.value)
            };
            if server.passthrough.is_none() && wants(&source.settings.ssl.passthrough) {
                server.passthrough = Some(index);
            }
            if server.www.is_none() && wants(&source.settings.redirect.from_to_www) {
                server.www = Some(index);
            }
        }
    }
    effective.servers = servers;
}

fn create_locations(effective: &mut Effective, sources: &[Source<'_>]) {
    // Where a server has the location of a path, beside the `/` that every server begins with.
    let mut made: IndexMap<(usize, Arc<str>, PathType), usize> = IndexMap::default();
    for (index, source) in sources.iter().enumerate() {
        if source.is_canary() {
            continue;
        }
        // The default backend comes first.
        let mut at = effective.begin[index] + source.ingress.default_backend.iter().len();
        for rule in &source.ingress.rules {
            let host = host_of(rule);
            for path in rule.paths.iter().flatten() {
                let upstream = effective.named[at];
                at += 1;
                let Some(upstream) = upstream else {
                    continue;
                };
                let text = path
                    .path
                    .as_ref()
                    .map_or_else(|| Arc::from("/"), |p| Arc::clone(&p.value));
                let span = path.path.as_ref().map_or(path.span, |p| p.span);
                if effective.upstreams[upstream].canary_only {
                    effective.shadowed.push(Shadowed {
                        loser: index,
                        span,
                        winner: Some(effective.upstreams[upstream].first),
                        winner_span: None,
                        twin: false,
                        closed: false,
                    });
                    continue;
                }
                let Some((of, _, server)) = effective.servers.get_full_mut(&host) else {
                    continue;
                };
                let place = match (&*text, path.path_type) {
                    ("/", PathType::Prefix) => 0,
                    _ => *made
                        .entry((of, Arc::clone(&text), path.path_type))
                        .or_insert(server.locations.len()),
                };
                let location = Location {
                    path: text,
                    path_type: path.path_type,
                    source: Some(index),
                    implicit: false,
                    upstream: Some(upstream),
                    span: Some(span),
                    bare: false,
                    closed: false,
                };
                match server.locations.get_mut(place) {
                    Some(taken) if taken.implicit => *taken = location,
                    Some(taken) => effective.shadowed.push(Shadowed {
                        loser: index,
                        span,
                        winner: taken.source,
                        winner_span: taken.span,
                        twin: false,
                        closed: false,
                    }),
                    None => server.locations.push(location),
                }
            }
        }
    }
}

/// `updateServerLocations` makes `location /foo/` of a Prefix path `/foo` and of `/foo/` too,
/// and nginx refuses a configuration that has it twice. The path that came first is kept; it is
/// closed when another one than its Ingress would have let in others. Where paths are patterns,
/// nginx takes both.
fn part_twins(effective: &mut Effective, sources: &[Source<'_>]) {
    for server in effective.servers.values_mut() {
        let mut paths = server.locations.iter().map(|location| &*location.path);
        let slashed = paths.any(|path| path != "/" && path.ends_with('/'));
        if !slashed || compares_patterns(server, sources) {
            continue;
        }
        let mut kept: Vec<Location> = Vec::with_capacity(server.locations.len());
        // Where those are whose paths differ by final slashes only.
        let mut alike: BTreeMap<Box<str>, Vec<usize>> = BTreeMap::new();
        for location in std::mem::take(&mut server.locations) {
            let trimmed = location.path.trim_end_matches('/');
            let places = alike.entry(Box::from(trimmed)).or_default();
            let twin = places.iter().find(|&&at| is_twin(&kept[at], &location));
            let Some((&first, loser)) = twin.zip(location.source) else {
                places.push(kept.len());
                kept.push(location);
                continue;
            };
            let first = &mut kept[first];
            let (winner, winner_span) = (first.source, first.span);
            let closed = winner.is_some_and(|winner| {
                protection(sources[winner].ingress) != protection(sources[loser].ingress)
            });
            first.closed |= closed;
            if let Some(span) = location.span {
                effective.shadowed.push(Shadowed {
                    loser,
                    span,
                    winner,
                    winner_span,
                    twin: true,
                    closed,
                });
            }
        }
        server.locations = kept;
    }
}

/// The annotations of an Ingress that protect it, with their values.
pub(crate) fn protection(ingress: &Ingress) -> BTreeMap<&'static str, &str> {
    let annotations = ingress.annotations.iter().filter_map(|annotation| {
        let (_, key) = annotation.key.value.rsplit_once('/')?;
        let entry = registry::find(key)?;
        let protects = entry.protective || entry.key.ends_with("-snippet");
        protects.then_some((entry.key, &*annotation.value.value))
    });
    annotations.collect()
}

fn is_twin(one: &Location, other: &Location) -> bool {
    one.path_type == PathType::Prefix
        && other.path_type == PathType::Prefix
        && one.path != other.path
        && one.path.trim_end_matches('/') == other.path.trim_end_matches('/')
        && !one.path.trim_end_matches('/').is_empty()
}

/// Whether the paths of a host are compared as patterns.
pub(crate) fn compares_patterns(server: &Server, sources: &[Source<'_>]) -> bool {
    let mut locations = server.locations.iter();
    locations.any(|location| is_pattern(location, sources))
}

/// Whether a location makes its host compare all paths as patterns.
fn is_pattern(location: &Location, sources: &[Source<'_>]) -> bool {
    let Some(source) = location.source.filter(|_| !location.bare) else {
        return false;
    };
    let rewrite = &sources[source].settings.rewrite;
    let target = rewrite.target.as_ref().map_or("", |t| t.value.as_str());
    let slashed = || format!("{}/", location.path.trim_end_matches('/'));
    rewrite.use_regex.as_ref().is_some_and(|flag| flag.value)
        || !target.is_empty()
            && (*target != *location.path
                || location.path_type == PathType::Prefix && target != slashed())
}

fn merge_canaries(effective: &mut Effective, sources: &[Source<'_>]) {
    for (index, source) in sources.iter().enumerate() {
        if !source.is_canary() {
            continue;
        }
        let mut at = effective.begin[index];
        if let Some(backend) = &source.ingress.default_backend {
            merge_canary(effective, source, index, (backend, at), "", None);
            at += 1;
        }
        for rule in &source.ingress.rules {
            let host = host_of(rule);
            for path in rule.paths.iter().flatten() {
                let text: &str = path.path.as_ref().map_or("/", |p| &p.value);
                let place = Some((text, path.path_type));
                merge_canary(effective, source, index, (&path.backend, at), &host, place);
                at += 1;
            }
        }
    }
}

fn merge_canary(
    effective: &mut Effective,
    source: &Source<'_>,
    index: SourceIndex,
    (backend, at): (&BackendRef, usize),
    host: &str,
    place: Option<(&str, PathType)>,
) {
    const TOGETHER: &str = "convert it together with its primary Ingress";
    const ANOTHER: &str = "give the canary a Service of its own";
    let mut orphan = |reason, help| {
        effective.orphans.push(Orphan {
            source: index,
            span: backend.span,
            reason,
            help,
        });
    };
    let Some(own) = effective.named[at] else {
        return orphan("its backend is not a Service", "name a Service");
    };
    if !effective.upstreams[own].canary_only {
        return orphan(
            "its Service already is the backend of an older Ingress",
            ANOTHER,
        );
    }
    let Some(server) = effective.servers.get(host) else {
        return orphan("no other Ingress defines its host", TOGETHER);
    };
    let (mut merged, mut asked) = (false, false);
    for location in &server.locations {
        let Some(primary) = location.upstream else {
            continue;
        };
        if primary == own {
            return orphan("its Service is that of the path itself", ANOTHER);
        }
        if place.is_some_and(|(path, kind)| *location.path != *path || location.path_type != kind) {
            continue;
        }
        let upstream = &mut effective.upstreams[primary];
        if !upstream.canary_only {
            if !upstream.alternatives.contains(&own) {
                upstream.alternatives.push(own);
            }
            merged = true;
            asked |= upstream.alternatives.first() == Some(&own);
        }
    }
    if !merged {
        orphan(
            "no other Ingress defines its path with the same pathType",
            TOGETHER,
        );
    } else if !asked {
        orphan(
            "ingress-nginx asks one canary of a Service only, and another one comes first",
            "remove one of the two canaries",
        );
    } else if (source.settings.canary.as_ref()).is_some_and(|canary| canary.is_idle()) {
        orphan(
            "no weight, header or cookie gives it any request",
            "set `canary-weight`, `canary-by-header` or `canary-by-cookie`, or remove the Ingress",
        );
    }
}

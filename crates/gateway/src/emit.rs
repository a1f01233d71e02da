//! From hosts to route objects.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gateway_api::httproutes::{HttpRouteParentRefs, HttpRouteRules, HttpRouteSpec};
use gateway_api::referencegrants::{ReferenceGrantFrom, ReferenceGrantSpec, ReferenceGrantTo};
use gateway_api::tlsroutes::{
    TlsRouteParentRefs, TlsRouteRules, TlsRouteRulesBackendRefs, TlsRouteSpec,
};
use gatewright_diagnostics::{Code, Diagnostic, ObjectRef, Outcome, Severity};
use gatewright_model::{
    Balance, Host, HostName, Model, Origin, Owner, OwnerId, Passthrough, Protocol, Target,
};
use gatewright_source::Span;

use crate::backend::{Reference, backend_ref, by_name, reference, refused_name, service_ref};
use crate::envoy::{BackendSpec, ExtAuthBackend, HttpRouteFilterSpec, ObjectReference};
use crate::listeners::{Listener, Sets};
use crate::name::{Names, POLICIES, hash, join, short_hash, slug};
use crate::object::SecretData;
use crate::policy::{clients, headers};
use crate::rule::{Deed, Planned, Section};
use crate::shards::{self, owners, parts};
use crate::tags::{self, Tags};
use crate::{
    Emitted, IndexMap, IndexSet, Object, Part, Settings, Spec, certificate, idiom, infra, listeners,
};

/// Rules of one `HTTPRoute` (Gateway API `spec.rules`).
const MAX_RULES: usize = 16;
/// Host names of one `HTTPRoute` (Gateway API `spec.hostnames`).
const MAX_HOSTNAMES: usize = 16;
/// Matches of all rules of one `HTTPRoute` (Gateway API).
const MAX_MATCHES: usize = 128;
/// What a thread takes at once is about such a part of its share: none waits long for another.
const SHARDS: usize = 8;
/// A run of rules may end from here on.
const MIN_CHUNK: usize = 6;

/// Writes the model. Objects are handed over one by one, so that not all of them are in memory
/// at once; [`Object::shelf`] and the name put them in order.
///
/// An object is handed to any of the writers. With others beside the first one the threads of the
/// pool write different namespaces side by side, each with a writer of its own.
pub fn emit<W>(model: &Model, settings: &Settings, write: W, others: Vec<W>) -> Emitted
where
    W: FnMut(Object) + Send,
{
    let write: Write<'_> = Box::new(write);
    let others = others.into_iter().map(|write| Box::new(write) as Write<'_>);
    if !settings.idiomatic {
        return emit_all(model, others, || Emitter::new(model, settings, write));
    }
    let simple = idiom::simplify(model);
    emit_all(&simple.model, others, || {
        let mut emitter = Emitter::new(&simple.model, settings, write);
        for (origin, found) in simple.given_up {
            emitter.report(&origin, false, found);
        }
        emitter
    })
}

fn emit_all<'a>(
    model: &Model,
    others: impl ExactSizeIterator<Item = Write<'a>>,
    new: impl FnOnce() -> Emitter<'a> + Send,
) -> Emitted {
    let new = || {
        let mut emitter = new();
        listeners::place(&mut emitter);
        emitter
    };
    if others.len() == 0 {
        // Without a pool.
        let mut emitter = new();
        let hosts: Vec<usize> = (0..model.hosts.len()).collect();
        emitter.shard(&hosts);
        infra::emit(&mut emitter);
        certificate::emit(&mut emitter);
        return emitter.finish();
    }
    let (mut emitter, parts) = rayon::join(new, || parts(&model.hosts, &model.owners));
    emitter.side_by_side(parts, others);
    emitter.finish()
}

/// Takes objects.
type Write<'a> = Box<dyn FnMut(Object) + Send + 'a>;

pub(crate) struct Emitter<'a> {
    pub(crate) model: &'a Model,
    pub(crate) settings: &'a Settings,
    /// Whether there is a certificate for any HTTPS listener.
    pub(crate) https: bool,
    pub(crate) out: Emitted,
    write: Write<'a>,
    /// Many rules may have the same finding.
    found: IndexSet<Diagnostic>,
    /// Parents of the wildcard hosts whose listeners are their own.
    pub(crate) own_wildcards: Arc<IndexSet<Arc<str>>>,
    /// Whether every host with a certificate has a listener of its own.
    pub(crate) divided: bool,
    /// The listeners that are not in the Gateway itself.
    pub(crate) sets: Arc<Sets<'a>>,
    /// Response headers that some route sets, in lower case.
    pub(crate) set_by_routes: Arc<BTreeSet<String>>,
    names: Names,
    filters: IndexMap<(Arc<str>, String), (HttpRouteFilterSpec, String)>,
    backends: BTreeMap<(Arc<str>, String), BackendSpec>,
    grants: BTreeSet<Grant>,
    secrets: BTreeMap<(Arc<str>, String), (SecretData, String)>,
    /// For whom an object is that is not a route and none of its policies.
    users: IndexMap<Written, BTreeSet<Span>>,
    /// The filters that rules name, and the Secrets with the users of policies.
    named: IndexSet<Written>,
    /// Namespaces with objects that attach to the Gateway.
    pub(crate) attached: BTreeSet<Arc<str>>,
    pub(crate) tags: Tags<'a>,
}

/// Kind, namespace and name.
type Written = (&'static str, Arc<str>, String);

/// Rules of an owner that are the same on several hosts.
struct Group<'a> {
    rules: Vec<Planned>,
    /// The listener for HTTPS.
    secure: Listener,
    hosts: Vec<&'a HostName>,
}

/// Rules of an owner, by whether they are for plain HTTP.
type Groups<'a> = IndexMap<bool, Vec<Group<'a>>>;

/// One permission to refer across namespaces.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Grant {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) from: (&'static str, &'static str, String),
    pub(crate) to: (&'static str, &'static str, String),
    pub(crate) infra: bool,
}

impl<'a> Emitter<'a> {
    fn new(model: &'a Model, settings: &'a Settings, write: Write<'a>) -> Self {
        let (namespace, name) = &settings.gateway;
        let owners = model.owners.iter();
        let owners = owners.map(|owner| (&*owner.namespace, &*owner.name));
        // The policies of the Gateway have its name.
        let mut names = Names::reserving(owners.chain([(&**namespace, &**name)]));
        for kind in POLICIES {
            names.take_own(kind, namespace, name, name);
        }
        Self {
            https: settings.existing || infra::has_certificate(model),
            own_wildcards: Arc::new(clients::own_wildcards(model, false)),
            set_by_routes: Arc::new(headers::set_by_routes(model)),
            ..Self::blank(model, settings, names, Tags::new(model), write)
        }
    }

    /// One for hosts that have nothing to do with those of this one.
    fn beside_it(&self, write: Write<'a>) -> Self {
        let (names, tags) = (self.names.clone(), self.tags.clone());
        Self {
            https: self.https,
            own_wildcards: Arc::clone(&self.own_wildcards),
            divided: self.divided,
            sets: Arc::clone(&self.sets),
            set_by_routes: Arc::clone(&self.set_by_routes),
            ..Self::blank(self.model, self.settings, names, tags, write)
        }
    }

    fn blank(
        model: &'a Model,
        settings: &'a Settings,
        names: Names,
        tags: Tags<'a>,
        write: Write<'a>,
    ) -> Self {
        Self {
            model,
            settings,
            https: false,
            out: Emitted::default(),
            write,
            found: IndexSet::default(),
            own_wildcards: Arc::default(),
            divided: false,
            sets: Arc::default(),
            set_by_routes: Arc::default(),
            names,
            filters: IndexMap::default(),
            backends: BTreeMap::new(),
            grants: BTreeSet::new(),
            secrets: BTreeMap::new(),
            users: IndexMap::default(),
            named: IndexSet::default(),
            attached: BTreeSet::new(),
            tags,
        }
    }

    /// Adds what was found by one that is done with its hosts.
    fn join(&mut self, other: Self) {
        let Emitted {
            diagnostics: _,
            outcomes,
            needs_backend,
            needs_lua,
            needs_cert_manager,
            rules,
        } = other.out;
        self.out.outcomes.extend(outcomes);
        self.out.needs_backend |= needs_backend;
        self.out.needs_lua |= needs_lua;
        self.out.needs_cert_manager |= needs_cert_manager;
        self.out.rules += rules;
        self.found.extend(other.found);
        self.names.join(other.names);
        self.grants.extend(other.grants);
        for (object, users) in other.users {
            self.users.entry(object).or_default().extend(users);
        }
        self.attached.extend(other.attached);
        self.tags.join(other.tags);
    }

    pub(crate) fn diagnose(&mut self, diagnostic: Diagnostic) {
        self.found.insert(diagnostic);
    }

    /// A finding about a value, which also decides what became of it.
    pub(crate) fn report(&mut self, origin: &Origin, refused: bool, diagnostic: Diagnostic) {
        let code = diagnostic.code;
        let outcome = if refused {
            Outcome::Refused(code)
        } else {
            Outcome::Difference(code)
        };
        self.out.outcomes.push((origin.clone(), outcome));
        let mut diagnostic = diagnostic.object(&self.object_ref(origin.owner));
        if let Some(key) = origin.annotation {
            diagnostic = diagnostic.annotation(key);
        }
        if diagnostic.labels.is_empty() {
            diagnostic = diagnostic.at(origin.span);
        }
        self.found.insert(diagnostic);
    }

    /// The name of a policy of some rules of a route, or of all of them when its name is that
    /// of the route.
    pub(crate) fn policy_name(
        &mut self,
        kind: &'static str,
        owner: &Owner,
        route: &str,
        wanted: &str,
    ) -> String {
        if wanted == route && *wanted == *owner.name {
            self.names.take_own(kind, &owner.namespace, wanted, route)
        } else {
            self.names.take(kind, &owner.namespace, wanted, route)
        }
    }

    pub(crate) fn object_ref(&self, owner: OwnerId) -> ObjectRef {
        let owner = self.model.owner(owner);
        ObjectRef::new(
            Arc::clone(&owner.kind),
            Arc::clone(&owner.namespace),
            Arc::clone(&owner.name),
        )
    }

    /// The name of an `HTTPRouteFilter` with this specification.
    pub(crate) fn filter(
        &mut self,
        owner: &Owner,
        suffix: &str,
        spec: HttpRouteFilterSpec,
        comment: String,
    ) -> String {
        let wanted = join(&owner.name, suffix);
        let mut key = (Arc::clone(&owner.namespace), wanted);
        if let Some((taken, _)) = self.filters.get(&key)
            && *taken != spec
        {
            key.1 = join(&key.1, &short_hash(&format!("{spec:?}")));
        }
        let name = key.1.clone();
        self.filters.insert(key, (spec, comment));
        self.used("HTTPRouteFilter", &owner.namespace, &name, owner);
        name
    }

    /// The reference to a backend; `None` when nothing could answer.
    pub(crate) fn backend(
        &mut self,
        owner: &Owner,
        backend: &gatewright_model::Backend,
    ) -> Option<gateway_api::httproutes::HttpRouteRulesBackendRefs> {
        self.backend_findings(backend);
        let (mut ours, to) = match reference(backend) {
            Reference::Unavailable => return None,
            Reference::Service { name, port } => (service_ref(&name, port), ("", "Service", name)),
            Reference::Backend { name, spec } => {
                let name = self.backend_object(owner, &backend.namespace, name, *spec);
                (
                    backend_ref(&name),
                    ("gateway.envoyproxy.io", "Backend", name),
                )
            }
        };
        if backend.namespace != owner.namespace {
            ours.namespace = Some(backend.namespace.to_string());
            let name = join(&owner.namespace, &to.2);
            self.used("ReferenceGrant", &backend.namespace, &name, owner);
            self.grant(Grant {
                namespace: backend.namespace.to_string(),
                name,
                from: (
                    "gateway.networking.k8s.io",
                    "HTTPRoute",
                    owner.namespace.to_string(),
                ),
                to,
                infra: false,
            });
        }
        Some(ours)
    }

    /// What differs because of the form of a reference.
    fn backend_findings(&mut self, backend: &gatewright_model::Backend) {
        if let Some(name) = refused_name(backend) {
            let diagnostic = Diagnostic::new(
                Code::ExternalNameRefused,
                format!("the external name `{name}` cannot be a backend, so the path answers 503"),
            )
            .note("Envoy Gateway takes DNS names with two labels or more of letters, digits and dashes")
            .help("write the whole DNS name into `externalName` of the Service");
            self.report(&backend.origin, true, diagnostic);
            return;
        }
        let Target::Service { name, .. } = &backend.target else {
            return;
        };
        // `service-upstream` asked for just that.
        if !by_name(backend) || backend.service_address {
            return;
        }
        let chosen = match (backend.balance.as_deref(), backend.protocol) {
            (Some(Balance::Session(_)), _) => "sessions do not stay on one pod",
            (Some(Balance::Hash(_)), _) => "requests with the same key go to different pods",
            (_, Protocol::Grpc | Protocol::Grpcs) => {
                "the requests of one connection to the backend go to one pod"
            }
            _ => "it chooses one for each connection",
        };
        let mut diagnostic = Diagnostic::new(
            Code::ServiceBalancing,
            format!("the cluster chooses the pods of Service {name}, not Envoy: {chosen}"),
        )
        .note("Envoy knows the Service by its DNS name in `cluster.local` alone, and kube-proxy chooses a pod for each connection");
        if backend.protocol == Protocol::Grpc {
            diagnostic = diagnostic.help("set `appProtocol: kubernetes.io/h2c` on the port of the Service and add the Service to the input");
        } else if backend.balance.is_none() && backend.protocol == Protocol::Https {
            diagnostic = diagnostic.severity(Severity::Info);
        } else {
            diagnostic = diagnostic.help("end TLS at the Gateway and serve plain HTTP or `h2c` inside the cluster, if the pod matters");
        }
        self.report(&backend.origin, false, diagnostic);
    }

    /// The reference to a service that is asked about requests.
    pub(crate) fn authorizer(
        &mut self,
        owner: &Owner,
        backend: &gatewright_model::Backend,
        host: &str,
    ) -> Option<ExtAuthBackend> {
        let (kind, group, name, port) = match reference(backend) {
            Reference::Unavailable => return None,
            Reference::Service { name, port } => ("Service", "", name, Some(port)),
            Reference::Backend { name, mut spec } => {
                // The name in the handshake would be that of the request.
                if let Some(tls) = &mut spec.tls {
                    tls.sni = Some(host.to_owned());
                }
                let name =
                    self.backend_object(owner, &backend.namespace, join(&name, "auth"), *spec);
                ("Backend", "gateway.envoyproxy.io", name, None)
            }
        };
        let foreign = backend.namespace != owner.namespace;
        if foreign {
            let grant = join(&owner.namespace, &format!("{name}-auth"));
            self.used("ReferenceGrant", &backend.namespace, &grant, owner);
            self.grant(Grant {
                namespace: backend.namespace.to_string(),
                name: grant,
                from: (
                    "gateway.envoyproxy.io",
                    "SecurityPolicy",
                    owner.namespace.to_string(),
                ),
                to: (group, kind, name.clone()),
                infra: false,
            });
        }
        Some(ExtAuthBackend {
            object: ObjectReference {
                group,
                kind,
                name,
                namespace: foreign.then(|| backend.namespace.to_string()),
            },
            port,
        })
    }

    /// The name of a Secret that holds this.
    pub(crate) fn secret(
        &mut self,
        owner: &Owner,
        wanted: String,
        data: SecretData,
        source: &str,
    ) -> String {
        let key = |name: &str| (Arc::clone(&owner.namespace), name.to_owned());
        let name = match self.secrets.get(&key(&wanted)) {
            Some((taken, _)) if *taken != data => {
                let content = serde_json::to_string(&data).unwrap_or_default();
                join(&wanted, &short_hash(&content))
            }
            _ => wanted,
        };
        let comment = format!(
            "sensitive: the users of Secret {}/{source}",
            owner.namespace
        );
        self.secrets.insert(key(&name), (data, comment));
        self.used("Secret", &owner.namespace, &name, owner);
        name
    }

    fn backend_object(
        &mut self,
        owner: &Owner,
        namespace: &Arc<str>,
        wanted: String,
        spec: BackendSpec,
    ) -> String {
        let wanted = crate::name::limit(wanted);
        let name = match self.backends.get(&(Arc::clone(namespace), wanted.clone())) {
            Some(taken) if *taken != spec => join(&wanted, &short_hash(&format!("{spec:?}"))),
            _ => wanted,
        };
        self.backends
            .insert((Arc::clone(namespace), name.clone()), spec);
        self.used("Backend", namespace, &name, owner);
        self.out.needs_backend = true;
        name
    }

    /// Notes that an object is there for `owner`.
    fn used(&mut self, kind: &'static str, namespace: &Arc<str>, name: &str, owner: &Owner) {
        let key = (kind, Arc::clone(namespace), name.to_owned());
        self.users.entry(key).or_default().insert(owner.span);
    }

    /// A name that no object of the kind in the namespace has.
    pub(crate) fn take_name(
        &mut self,
        kind: &'static str,
        namespace: &str,
        wanted: &str,
        content: &str,
    ) -> String {
        self.names.take(kind, namespace, wanted, content)
    }

    pub(crate) fn grant(&mut self, grant: Grant) {
        self.grants.insert(grant);
    }

    fn side_by_side(
        &mut self,
        parts: Vec<shards::Part>,
        others: impl ExactSizeIterator<Item = Write<'a>>,
    ) {
        let shards = shards::shards(parts, others.len().saturating_add(1).saturating_mul(SHARDS));
        let next = AtomicUsize::new(0);
        let work = |emitter: &mut Self| {
            while let Some(hosts) = shards.get(next.fetch_add(1, Ordering::Relaxed)) {
                emitter.shard(hosts);
            }
        };
        let others = others.take(shards.len());
        let mut beside: Vec<Self> = others.map(|write| self.beside_it(write)).collect();
        rayon::in_place_scope(|scope| {
            for emitter in &mut beside {
                scope.spawn(|_| work(emitter));
            }
            infra::emit(self);
            certificate::emit(self);
            work(self);
        });
        for emitter in beside {
            self.join(emitter);
        }
    }

    /// What stands in the namespaces of some hosts.
    fn shard(&mut self, hosts: &[usize]) {
        self.routes(hosts);
        // Rules whose answer was replaced leave theirs behind.
        let named = std::mem::take(&mut self.named);
        let filters = std::mem::take(&mut self.filters).into_iter();
        let filters = filters
            .map(|(key, (spec, comment))| (key, Spec::HttpRouteFilter(Box::new(spec)), comment));
        let secrets = std::mem::take(&mut self.secrets).into_iter();
        let secrets = secrets.map(|(key, (data, comment))| (key, Spec::Secret(data), comment));
        for ((namespace, name), spec, comment) in filters.chain(secrets) {
            let key = (spec.kind(), namespace, name);
            if named.contains(&key) {
                let (_, namespace, name) = key;
                self.push(Part::Routes, namespace, name, spec, comment);
            }
        }
        for ((namespace, name), spec) in std::mem::take(&mut self.backends) {
            let spec = Spec::Backend(Box::new(spec));
            self.push(Part::Routes, namespace, name, spec, String::new());
        }
    }

    fn routes(&mut self, hosts: &[usize]) {
        let model = self.model;
        let hosts = || hosts.iter().map(|&at| (at, &model.hosts[at]));
        let any = model.hosts.iter().find(|host| host.name == HostName::Any);
        let mut last_host = vec![0; model.owners.len()];
        for (at, host) in hosts() {
            for owner in owners(host, any) {
                last_host[owner.0 as usize] = at;
            }
        }
        let mut routes: BTreeMap<OwnerId, Groups<'_>> = BTreeMap::new();
        for (at, host) in hosts() {
            if let Some(passthrough) = &host.passthrough {
                self.passthrough(host, passthrough);
            }
            let plan = self.plan(host);
            self.group(host, plan, &mut routes);
            if let (HostName::OneLabel(parent), Some(any)) = (&host.name, any) {
                let plan = self.plan_below(any, parent);
                self.group(host, plan, &mut routes);
            }
            // Rules are kept while a further host may share them.
            for owner in owners(host, any) {
                if last_host[owner.0 as usize] == at
                    && let Some(groups) = routes.remove(&owner)
                {
                    self.routes_of(owner, groups);
                }
            }
        }
    }

    /// Adds what a host serves to the rules of their owners.
    fn group(
        &self,
        host: &'a Host,
        plan: IndexMap<OwnerId, Vec<Planned>>,
        routes: &mut BTreeMap<OwnerId, Groups<'a>>,
    ) {
        let model = self.model;
        let serves_https = self.https && host.passthrough.is_none();
        for (owner, planned) in plan {
            let (http, https) = split(planned, serves_https, model.globals.hsts.as_deref());
            for (rules, plain) in [(http, true), (https, false)] {
                if rules.is_empty() {
                    continue;
                }
                // Rules for plain HTTP alone are the same whatever listener HTTPS has.
                let secure = if self.divided && only_plain(plain, &rules) {
                    Listener::gateway("https")
                } else {
                    listeners::https(self, host)
                };
                let groups = routes.entry(owner).or_default().entry(plain).or_default();
                // No other host has a listener that stands in a set.
                let near = match secure.set {
                    Some(_) => groups.len().saturating_sub(2),
                    None => 0,
                };
                match groups[near..].iter_mut().find(|group| {
                    group.secure == secure
                        && group.rules == rules
                        && !matches!(group.hosts[0], HostName::Any)
                        && host.name != HostName::Any
                }) {
                    Some(group) => group.hosts.push(&host.name),
                    None => groups.push(Group {
                        rules,
                        secure,
                        hosts: vec![&host.name],
                    }),
                }
            }
        }
    }

    fn routes_of(&mut self, owner: OwnerId, mut routes: Groups<'_>) {
        self.divide_limits(owner, &mut routes);
        // Routes that would have the same name are told apart by a host.
        let mut alike: BTreeMap<bool, usize> = BTreeMap::new();
        for (plain, groups) in &routes {
            for group in groups {
                *alike.entry(only_plain(*plain, &group.rules)).or_default() += 1;
            }
        }
        for (plain, groups) in routes {
            for group in groups {
                let lone = alike[&only_plain(plain, &group.rules)] == 1;
                self.route(owner, plain, group, lone);
            }
        }
    }

    /// Limits count for each rule, host and listener apart, and hold for all of an owner together.
    fn divide_limits(&mut self, owner: OwnerId, routes: &mut Groups<'_>) {
        let mut share = 0;
        for group in routes.values().flatten() {
            let both = group.rules.iter().all(|rule| rule.section == Section::Both);
            let listeners = if both && self.https { 2 } else { 1 };
            let limited = group.rules.iter().filter(|r| r.attached.limits.is_some());
            let buckets: usize = limited
                .map(|planned| planned.rule.matches.as_ref().map_or(1, Vec::len))
                .sum();
            share += buckets * listeners * group.hosts.len();
        }
        let share = u32::try_from(share).unwrap_or(u32::MAX);
        let model = self.model;
        for group in routes.values_mut().flatten() {
            for planned in &mut group.rules {
                let Some(limits) = planned.attached.limits.take() else {
                    continue;
                };
                let mut attached = std::mem::take(&mut planned.attached);
                if crate::policy::limits::attach(self, &limits, share, &mut attached) {
                    planned.attached = attached;
                } else {
                    planned.answer(self.unserved(model.owner(owner)));
                    planned.comments = vec!["refused: the limit cannot be divided".to_owned()];
                }
            }
        }
    }

    /// What cannot be carried over answers 503.
    pub(crate) fn unserved(&mut self, owner: &Owner) -> Deed {
        self.respond(
            owner,
            503,
            "what cannot be carried over answers 503".to_owned(),
        )
    }

    fn route(&mut self, owner: OwnerId, plain: bool, group: Group<'_>, lone: bool) {
        let Group {
            mut rules,
            secure,
            hosts,
        } = group;
        name_apart(&mut rules);
        let model = self.model;
        let owner = model.owner(owner);
        let both = rules.iter().all(|rule| rule.section == Section::Both);
        let mut base = owner.name.to_string();
        if !lone {
            base = join(&base, &host_slug(hosts[0]));
        }
        if only_plain(plain, &rules) {
            base = join(&base, "http");
        }
        let http = Listener::gateway("http");
        let listeners = match (both && self.https, plain) {
            (true, _) => vec![&http, &secure],
            (false, true) => vec![&http],
            (false, false) => vec![&secure],
        };
        let parents: Vec<_> = listeners.into_iter().map(|at| self.parent(at)).collect();
        let any = *hosts[0] == HostName::Any;
        let mut chunked = chunks(rules);
        let mut parts = hosts.chunks(MAX_HOSTNAMES).peekable();
        while let Some(hosts) = parts.next() {
            // The last part takes the rules, and most routes have only one.
            let chunks = match parts.peek() {
                Some(_) => chunked.clone(),
                None => std::mem::take(&mut chunked),
            };
            let mut base = base.clone();
            if hosts.len() == MAX_HOSTNAMES {
                base = join(&base, &host_slug(hosts[0]));
            }
            for (at, mut chunk) in chunks.into_iter().enumerate() {
                let wanted = if at == 0 {
                    base.clone()
                } else {
                    join(&base, chunk[0].rule.name.as_deref().unwrap_or_default())
                };
                let content = format_args!("{}/{}", owner.namespace, owner.name);
                let name = if *wanted == *owner.name {
                    self.names
                        .take_own("HTTPRoute", &owner.namespace, &wanted, content)
                } else {
                    self.names
                        .take("HTTPRoute", &owner.namespace, &wanted, content)
                };
                self.out.rules += chunk.len();
                crate::policy::write(self, owner, &name, &mut chunk);
                let (rules, rule_comments) = chunk
                    .into_iter()
                    .map(|planned| (planned.rule, planned.comments))
                    .unzip();
                let spec = HttpRouteSpec {
                    parent_refs: Some(parents.clone()),
                    hostnames: (!any).then(|| hosts.iter().map(ToString::to_string).collect()),
                    rules: Some(rules),
                };
                self.write(Object {
                    part: Part::Routes,
                    namespace: Arc::clone(&owner.namespace),
                    name,
                    spec: Spec::HttpRoute(Box::new(spec)),
                    origins: vec![owner.span],
                    comments: vec![format!(
                        "from {} {}/{}",
                        owner.kind, owner.namespace, owner.name
                    )],
                    rule_comments,
                    labels: BTreeMap::new(),
                    annotations: BTreeMap::new(),
                });
            }
        }
    }

    pub(crate) fn parent(&self, listener: &Listener) -> HttpRouteParentRefs {
        if let Some((namespace, name)) = &listener.set {
            return HttpRouteParentRefs {
                kind: Some("ListenerSet".to_owned()),
                name: name.clone(),
                namespace: Some(namespace.to_string()),
                section_name: Some(listener.section.clone()),
                ..HttpRouteParentRefs::default()
            };
        }
        let (namespace, name) = &self.settings.gateway;
        let (http, https) = &self.settings.listeners;
        let (port, known) = match &*listener.section {
            "http" => (80, http),
            // That of passed-through TLS has a name of its own.
            section if section.starts_with("tls-") => (443, &None),
            _ => (443, https),
        };
        // Most listeners of a Gateway that is not ours have names that we do not know.
        let section_name = if self.settings.existing {
            known.clone()
        } else {
            Some(listener.section.clone())
        };
        HttpRouteParentRefs {
            name: name.clone(),
            namespace: Some(namespace.clone()),
            port: section_name.is_none().then_some(port),
            section_name,
            ..HttpRouteParentRefs::default()
        }
    }

    fn passthrough(&mut self, host: &Host, passthrough: &Passthrough) {
        let model = self.model;
        let owner = model.owner(passthrough.origin.owner);
        let Some(target) = self.backend(owner, &passthrough.backend) else {
            return;
        };
        let parent = self.parent(&listeners::passthrough(self, &host.name));
        let spec = TlsRouteSpec {
            parent_refs: Some(vec![TlsRouteParentRefs {
                group: parent.group,
                kind: parent.kind,
                name: parent.name,
                namespace: parent.namespace,
                section_name: parent.section_name,
                port: parent.port,
            }]),
            hostnames: vec![host.name.to_string()],
            rules: vec![TlsRouteRules {
                name: Some("passthrough".to_owned()),
                backend_refs: vec![TlsRouteRulesBackendRefs {
                    group: target.group,
                    kind: target.kind,
                    name: target.name,
                    namespace: target.namespace,
                    port: target.port,
                    weight: None,
                }],
            }],
        };
        let wanted = join(&owner.name, &slug(&host.name.to_string()));
        let content = format_args!("{}/{}", owner.namespace, owner.name);
        let name = self
            .names
            .take("TLSRoute", &owner.namespace, &wanted, content);
        self.out.rules += 1;
        self.write(Object {
            part: Part::Routes,
            namespace: Arc::clone(&owner.namespace),
            name,
            spec: Spec::TlsRoute(spec),
            origins: vec![owner.span],
            comments: vec![format!(
                "from {} {}/{}: ssl-passthrough",
                owner.kind, owner.namespace, owner.name
            )],
            rule_comments: Vec::new(),
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
        });
    }

    fn finish(mut self) -> Emitted {
        for grant in std::mem::take(&mut self.grants) {
            let spec = ReferenceGrantSpec {
                from: vec![ReferenceGrantFrom {
                    group: grant.from.0.to_owned(),
                    kind: grant.from.1.to_owned(),
                    namespace: grant.from.2,
                }],
                to: vec![ReferenceGrantTo {
                    group: grant.to.0.to_owned(),
                    kind: grant.to.1.to_owned(),
                    name: Some(grant.to.2),
                }],
            };
            let content = format!("{spec:?}");
            let name = self
                .names
                .take("ReferenceGrant", &grant.namespace, &grant.name, &content);
            let part = if grant.infra {
                Part::Infra
            } else {
                Part::Routes
            };
            let spec = Spec::ReferenceGrant(spec);
            self.push(part, Arc::from(grant.namespace), name, spec, String::new());
        }
        infra::tell_of_labels(&mut self);
        tags::settle(&mut self);
        self.out.diagnostics = self.found.into_iter().collect();
        self.out
    }

    pub(crate) fn write(&mut self, mut object: Object) {
        self.tags.attach(&mut object);
        if matches!(
            object.spec,
            Spec::HttpRoute(_) | Spec::TlsRoute(_) | Spec::ListenerSet(_)
        ) && !self.attached.contains(&object.namespace)
        {
            self.attached.insert(Arc::clone(&object.namespace));
        }
        let mut add = |kind, name: &str| {
            let key = (kind, Arc::clone(&object.namespace), name.to_owned());
            self.named.insert(key);
        };
        match &object.spec {
            Spec::HttpRoute(route) => {
                let rules = route.rules.iter().flatten();
                let filters = rules.flat_map(|rule| rule.filters.iter().flatten());
                for named in filters.filter_map(|filter| filter.extension_ref.as_ref()) {
                    add("HTTPRouteFilter", &named.name);
                }
            }
            Spec::SecurityPolicy(policy) => {
                if let Some(auth) = &policy.basic_auth {
                    add("Secret", &auth.users.name);
                }
            }
            _ => {}
        }
        (self.write)(object);
    }

    fn push(&mut self, part: Part, namespace: Arc<str>, name: String, spec: Spec, comment: String) {
        let key = (spec.kind(), namespace, name);
        let users = self.users.get(&key).into_iter().flatten();
        let origins = users.copied().collect();
        let (_, namespace, name) = key;
        self.write(Object {
            part,
            namespace,
            name,
            spec,
            origins,
            comments: if comment.is_empty() {
                Vec::new()
            } else {
                vec![comment]
            },
            rule_comments: Vec::new(),
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
        });
    }

    pub(crate) fn infra(&mut self, namespace: &str, name: &str, spec: Spec, comments: Vec<String>) {
        self.beside(Part::Infra, namespace, name, spec, comments);
    }

    /// An object that belongs to no owner.
    pub(crate) fn beside(
        &mut self,
        part: Part,
        namespace: &str,
        name: &str,
        spec: Spec,
        comments: Vec<String>,
    ) {
        self.write(Object {
            part,
            namespace: Arc::from(namespace),
            name: name.to_owned(),
            spec,
            origins: Vec::new(),
            comments,
            rule_comments: Vec::new(),
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
        });
    }
}

/// A name part for a host. No host has the name of the one that stands for all of them.
fn host_slug(host: &HostName) -> String {
    match host {
        HostName::Any => "any-host".to_owned(),
        _ => slug(&host.to_string()),
    }
}

/// Whether rules are for plain HTTP alone, as a part of what their host serves.
fn only_plain(plain: bool, rules: &[Planned]) -> bool {
    plain && !rules.iter().all(|rule| rule.section == Section::Both)
}

/// Rules for plain HTTP and for HTTPS. Rules for both stand in the first list alone when
/// nothing differs, and in each list otherwise.
fn split(planned: Vec<Planned>, https: bool, hsts: Option<&str>) -> (Vec<Planned>, Vec<Planned>) {
    if !https {
        let http = planned
            .into_iter()
            .filter(|p| p.section != Section::Https)
            .map(|mut p| {
                // There is no other listener that it could differ from.
                p.section = Section::Both;
                p
            })
            .collect();
        return (http, Vec::new());
    }
    if planned.iter().all(|p| p.section == Section::Both) {
        return (planned, Vec::new());
    }
    let (mut http, mut https) = (Vec::new(), Vec::new());
    let secure = |mut rule: Planned| {
        rule.section = Section::Https;
        if let Some(hsts) = hsts {
            rule.attached.strict_transport(hsts);
        }
        rule
    };
    for rule in planned {
        match rule.section {
            Section::Http => http.push(rule),
            Section::Https => https.push(secure(rule)),
            Section::Both => {
                https.push(secure(rule.clone()));
                http.push(Planned {
                    section: Section::Http,
                    ..rule
                });
            }
        }
    }
    (http, https)
}

/// Policies find rules by their names, so that no two of a route may have the same.
fn name_apart(rules: &mut [Planned]) {
    let mut taken = IndexSet::default();
    for planned in rules {
        let name = planned.rule.name.get_or_insert_default();
        let mut own = name.clone();
        let mut salt = String::new();
        while taken.contains(&own) {
            if salt.is_empty() {
                salt = serde_json::to_string(&planned.rule.matches).unwrap_or_default();
            }
            own = join(name, &short_hash(&salt));
            salt.push('\'');
        }
        name.clone_from(&own);
        taken.insert(own);
    }
}

/// Runs of at most [`MAX_RULES`] rules. Where a long list is cut depends on the rules around
/// the cut alone, so that a new rule moves no more than its neighbours.
fn chunks(rules: Vec<Planned>) -> Vec<Vec<Planned>> {
    let matches = |rule: &Planned| rule.rule.matches.as_ref().map_or(1, Vec::len);
    if rules.len() <= MAX_RULES && rules.iter().map(matches).sum::<usize>() <= MAX_MATCHES {
        return vec![rules];
    }
    let mut lengths = Vec::new();
    let mut start = 0;
    for at in 1..=rules.len() {
        let length = at - start;
        let ends = at == rules.len()
            || length == MAX_RULES
            || rules[start..=at].iter().map(matches).sum::<usize>() > MAX_MATCHES
            || (length >= MIN_CHUNK && {
                let rule: &HttpRouteRules = &rules[at].rule;
                hash(rule.name.as_deref().unwrap_or_default()).is_multiple_of(6)
            });
        if ends {
            lengths.push(length);
            start = at;
        }
    }
    let mut rules = rules.into_iter();
    lengths
        .into_iter()
        .map(|length| rules.by_ref().take(length).collect())
        .collect()
}

//! What a route requires or sets beyond its action, as Envoy Gateway policies and filters.
//!
//! One family, one file. A family has up to three parts: what it adds to the policies of a rule
//! ([`Attached`]), filters for the rule, and rules of its own beside it. Policies of equal
//! content are written once: on the route when they hold for all its rules, else on the rules
//! by name. There are never two policies of one kind on one target.

mod body_limit;
mod service_address;
mod transport;

pub(crate) use body_limit::merge;
pub(crate) use transport::{by_scheme, compressors, load_balancer, retry};

use std::sync::Arc;

use gateway_api::httproutes::{HttpRouteRulesFilters, HttpRouteRulesMatchesPath};
use gatewright_model::{Forward, Owner, Route};

use crate::emit::Emitter;
use crate::envoy::{BackendTrafficPolicySpec, SecurityPolicySpec, TargetRef};
use crate::name::join;
use crate::rule::{Planned, Section};
use crate::{Object, Part, Spec};

/// Target references of one policy (Envoy Gateway).
const MAX_TARGETS: usize = 16;

/// The policies of a rule, without targets.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Attached {
    /// How the backend is spoken to; merged over the policy of the Gateway.
    pub(crate) traffic: Option<BackendTrafficPolicySpec>,
    /// Who may pass.
    pub(crate) security: Option<SecurityPolicySpec>,
}

impl Attached {
    /// The traffic policy, made when there is none yet.
    pub(crate) fn traffic(&mut self) -> &mut BackendTrafficPolicySpec {
        self.traffic
            .get_or_insert_with(|| BackendTrafficPolicySpec {
                merge_type: Some("StrategicMerge"),
                ..BackendTrafficPolicySpec::default()
            })
    }
}

/// The policies of the rules that forward requests of a route.
pub(crate) fn attach(
    emitter: &mut Emitter<'_>,
    owner: &Owner,
    route: &Route,
    forward: &Forward,
    section: Section,
) -> Attached {
    let mut attached = Attached::default();
    let _ = owner;
    transport::attach(&emitter.model.globals, route, forward, section, &mut attached);
    service_address::attach(forward, &mut attached);
    attached
}

/// Filters for the rules that forward requests of a route.
pub(crate) fn filters(route: &Route, filters: &mut Vec<HttpRouteRulesFilters>) {
    if let Some((value, _)) = &route.policies.transport.connection_header {
        crate::filter::add_request_header(filters, "Connection", value);
    }
}

/// The rules that stand before `rule` because they differ for some of its requests.
pub(crate) fn apart(emitter: &Emitter<'_>, route: &Route, rule: &Planned) -> Vec<Planned> {
    let writes = transport::writes_apart(&emitter.model.globals, route, rule);
    transport::upgrades_apart(route, rule)
        .into_iter()
        .chain(writes)
        .collect()
}

/// Rules of its own for a route, given the others.
pub(crate) fn rules(
    emitter: &mut Emitter<'_>,
    owner: &Owner,
    route: &Route,
    path: &HttpRouteRulesMatchesPath,
    others: &[Planned],
) -> Option<Planned> {
    body_limit::rule(emitter, owner, route, path, others)
}

/// Writes the policies of the rules of a route.
pub(crate) fn write(emitter: &mut Emitter<'_>, owner: &Owner, route: &str, rules: &[Planned]) {
    let traffic = |p: &Planned| p.attached.traffic.clone();
    for (targets, name, mut spec) in group(route, rules, traffic) {
        spec.target_refs = targets;
        push(emitter, owner, &name, Spec::BackendTrafficPolicy(Box::new(spec)));
    }
    let security = |p: &Planned| p.attached.security.clone();
    for (targets, name, mut spec) in group(route, rules, security) {
        spec.target_refs = targets;
        push(emitter, owner, &name, Spec::SecurityPolicy(Box::new(spec)));
    }
}

/// Each different specification with its targets and a name.
fn group<T: PartialEq>(
    route: &str,
    rules: &[Planned],
    part: impl Fn(&Planned) -> Option<T>,
) -> Vec<(Vec<TargetRef>, String, T)> {
    let mut groups: Vec<(T, Vec<&str>)> = Vec::new();
    for rule in rules {
        let Some(spec) = part(rule) else { continue };
        let name = rule.rule.name.as_deref().unwrap_or_default();
        match groups.iter_mut().find(|(known, _)| *known == spec) {
            Some((_, names)) => names.push(name),
            None => groups.push((spec, vec![name])),
        }
    }
    let mut policies = Vec::new();
    for (spec, names) in groups {
        if names.len() == rules.len() {
            let target = TargetRef::gateway_api("HTTPRoute", route, None);
            policies.push((vec![target], route.to_owned(), spec));
            continue;
        }
        debug_assert!(names.len() <= MAX_TARGETS, "a route has at most as many rules");
        let targets = names
            .iter()
            .map(|name| TargetRef::gateway_api("HTTPRoute", route, Some(name)))
            .collect();
        policies.push((targets, join(route, names[0]), spec));
    }
    policies
}

fn push(emitter: &mut Emitter<'_>, owner: &Owner, name: &str, spec: Spec) {
    emitter.out.objects.push(Object {
        part: Part::Routes,
        namespace: Arc::clone(&owner.namespace),
        name: name.to_owned(),
        spec,
        comments: vec![format!(
            "from {} {}/{}",
            owner.kind, owner.namespace, owner.name
        )],
        rule_comments: Vec::new(),
    });
}

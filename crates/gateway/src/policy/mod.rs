//! What a route requires or sets beyond its action, as Envoy Gateway policies and filters.
//!
//! One family, one file. A family has up to three parts: what it adds to the policies of a rule
//! ([`Attached`]), filters for the rule, and rules of its own beside it. Policies of equal
//! content are written once: on the route when they hold for all its rules, else on the rules
//! by name. There are never two policies of one kind on one target.

mod addresses;
pub(crate) mod authorizer;
mod body_limit;
pub(crate) mod clients;
mod condition;
pub(crate) mod forwarded;
pub(crate) mod header_edits;
pub(crate) mod headers;
pub(crate) mod limits;
mod passwords;
mod replies;
mod reply;
mod service_address;
mod step_path;
pub(crate) mod steps;
mod transport;

pub(crate) use body_limit::merge;
pub(crate) use transport::{by_scheme, compressors, load_balancer, retry};

use std::collections::BTreeMap;
use std::sync::Arc;

use gateway_api::httproutes::{HttpRouteRulesFilters, HttpRouteRulesMatchesPath};
use gatewright_model::{Forward, Owner, RequestLimits, Route};

use crate::emit::Emitter;
use crate::envoy::{
    BackendTrafficPolicySpec, EnvoyExtensionPolicySpec, HeaderModifier, HeaderValue,
    ResponseOverride, SecurityPolicySpec, TargetRef,
};
use crate::filter;
use crate::infra::missing_service;
use crate::name::join;
use crate::rule::{Planned, Section};
use crate::{Object, Part, Spec};

/// Target references of one policy (Envoy Gateway).
const MAX_TARGETS: usize = 16;

/// The policies of a rule, without targets.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Attached {
    /// How the backend is spoken to; merged over the policy of the Gateway.
    pub(crate) traffic: Option<Box<BackendTrafficPolicySpec>>,
    /// Who may pass.
    pub(crate) security: Option<Box<SecurityPolicySpec>>,
    /// Scripts that see requests and answers.
    pub(crate) extension: Option<Box<EnvoyExtensionPolicySpec>>,
    /// How many requests a client may make of all rules of the owner together; becomes part
    /// of the traffic policy when their number is known.
    pub(crate) limits: Option<Box<RequestLimits>>,
}

impl Attached {
    /// The traffic policy, made when there is none yet.
    pub(crate) fn traffic(&mut self) -> &mut BackendTrafficPolicySpec {
        self.traffic.get_or_insert_with(|| {
            Box::new(BackendTrafficPolicySpec {
                merge_type: Some("StrategicMerge"),
                ..BackendTrafficPolicySpec::default()
            })
        })
    }

    /// Answers that take the place of others do not get the headers that the listener adds.
    pub(crate) fn strict_transport(&mut self, hsts: &str) {
        let overrides = self
            .traffic
            .iter_mut()
            .flat_map(|t| &mut t.response_override);
        for response in overrides.filter_map(|o| o.response.as_mut()) {
            response
                .header
                .get_or_insert_with(HeaderModifier::default)
                .set
                .push(HeaderValue::new("Strict-Transport-Security", hsts));
        }
    }

    /// The security policy, made when there is none yet.
    pub(crate) fn security(&mut self) -> &mut SecurityPolicySpec {
        self.security.get_or_insert_default()
    }

    /// Other answers. A merge replaces the list of the Gateway, so it is repeated.
    pub(crate) fn responses(&mut self) -> &mut Vec<ResponseOverride> {
        let list = &mut self.traffic().response_override;
        if list.is_empty() {
            list.push(missing_service());
        }
        list
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
    transport::attach(
        &emitter.model.globals,
        route,
        forward,
        section,
        &mut attached,
    );
    addresses::attach(route, &mut attached);
    attached.limits = route.policies.limits.clone().map(Box::new);
    service_address::attach(forward, &mut attached);
    authenticate(emitter, owner, route, false, &mut attached);
    replies::attach(emitter, &route.policies, &mut attached);
    attached
}

/// The policies of a rule that answers 404: a request has to prove what it must first.
pub(crate) fn guard(emitter: &mut Emitter<'_>, owner: &Owner, route: &Route) -> Attached {
    let mut attached = Attached::default();
    if !route.implicit {
        addresses::attach(route, &mut attached);
    }
    authenticate(emitter, owner, route, true, &mut attached);
    attached
}

fn authenticate(
    emitter: &mut Emitter<'_>,
    owner: &Owner,
    route: &Route,
    not_found: bool,
    attached: &mut Attached,
) {
    if let Some(passwords) = &route.policies.passwords {
        passwords::attach(emitter, owner, passwords, attached);
    }
    if let Some(authorizer) = &route.policies.authorizer {
        authorizer::attach(emitter, owner, authorizer, not_found, attached);
    }
    if let Some(traffic) = &mut attached.traffic
        && !traffic.response_override.is_empty()
    {
        traffic.response_override.push(missing_service());
    }
}

/// The filters that the policies of a route need.
pub(crate) fn filters(route: &Route, filters: &mut Vec<HttpRouteRulesFilters>) {
    if route.policies.passwords.is_some() {
        filter::remove_request_headers(filters, ["Authorization"]);
    }
    if let Some(authorizer) = &route.policies.authorizer {
        filter::remove_request_headers(filters, authorizer::removed(authorizer));
    }
    if let Some((value, _)) = &route.policies.transport.connection_header {
        filter::set_request_header(filters, "Connection", value);
    }
}

/// Rules beside those of a route.
pub(crate) fn beside(route: &Route, rules: &[Planned]) -> Vec<Planned> {
    route
        .policies
        .authorizer
        .as_ref()
        .map(|authorizer| authorizer::forged(authorizer, rules))
        .unwrap_or_default()
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
pub(crate) fn write(emitter: &mut Emitter<'_>, owner: &Owner, route: &str, rules: &mut [Planned]) {
    for (targets, name, mut spec) in group(route, rules, |a| a.traffic.take()) {
        spec.target_refs = targets;
        let name = emitter.policy_name("BackendTrafficPolicy", owner, route, &name);
        push(emitter, owner, &name, Spec::BackendTrafficPolicy(spec));
    }
    for (targets, name, mut spec) in group(route, rules, |a| a.security.take()) {
        spec.target_refs = targets;
        let name = emitter.policy_name("SecurityPolicy", owner, route, &name);
        push(emitter, owner, &name, Spec::SecurityPolicy(spec));
    }
    for (targets, name, mut spec) in group(route, rules, |a| a.extension.take()) {
        spec.target_refs = targets;
        let name = emitter.policy_name("EnvoyExtensionPolicy", owner, route, &name);
        push(emitter, owner, &name, Spec::EnvoyExtensionPolicy(spec));
    }
}

/// Each different specification with its targets and a name. It is taken from the rules.
fn group<T: PartialEq>(
    route: &str,
    rules: &mut [Planned],
    take: impl Fn(&mut Attached) -> Option<T>,
) -> Vec<(Vec<TargetRef>, String, T)> {
    let mut groups: Vec<(T, Vec<&str>)> = Vec::new();
    let count = rules.len();
    for rule in rules {
        let Some(spec) = take(&mut rule.attached) else {
            continue;
        };
        let name = rule.rule.name.as_deref().unwrap_or_default();
        match groups.iter_mut().find(|(known, _)| *known == spec) {
            Some((_, names)) => names.push(name),
            None => groups.push((spec, vec![name])),
        }
    }
    let mut policies = Vec::new();
    for (spec, names) in groups {
        if names.len() == count {
            let target = TargetRef::gateway_api("HTTPRoute", route, None);
            policies.push((vec![target], route.to_owned(), spec));
            continue;
        }
        debug_assert!(
            names.len() <= MAX_TARGETS,
            "a route has at most as many rules"
        );
        let targets = names
            .iter()
            .map(|name| TargetRef::gateway_api("HTTPRoute", route, Some(name)))
            .collect();
        policies.push((targets, join(route, names[0]), spec));
    }
    policies
}

fn push(emitter: &mut Emitter<'_>, owner: &Owner, name: &str, spec: Spec) {
    emitter.write(Object {
        part: Part::Routes,
        namespace: Arc::clone(&owner.namespace),
        name: name.to_owned(),
        spec,
        origins: vec![owner.span],
        comments: vec![format!(
            "from {} {}/{}",
            owner.kind, owner.namespace, owner.name
        )],
        rule_comments: Vec::new(),
        labels: BTreeMap::new(),
        annotations: BTreeMap::new(),
    });
}

//! What a route requires or sets beyond its action, as Envoy Gateway policies and filters.
//!
//! One family, one file. A family has up to three parts: what it adds to the policies of a rule
//! ([`Attached`]), filters for the rule, and rules of its own beside it. Policies of equal
//! content are written once: on the route when they hold for all its rules, else on the rules
//! by name. There are never two policies of one kind on one target.

mod addresses;
pub(crate) mod clients;
pub(crate) mod forwarded;
pub(crate) mod limits;
mod service_address;

use std::sync::Arc;

use gatewright_model::{Forward, Owner, RequestLimits, Route};

use crate::emit::Emitter;
use crate::envoy::{BackendTrafficPolicySpec, ResponseOverride, SecurityPolicySpec, TargetRef};
use crate::name::join;
use crate::rule::Planned;
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
    /// How many requests a client may make of all rules of the owner together; becomes part
    /// of the traffic policy when their number is known.
    pub(crate) limits: Option<RequestLimits>,
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

    /// The security policy, made when there is none yet.
    pub(crate) fn security(&mut self) -> &mut SecurityPolicySpec {
        self.security.get_or_insert_with(SecurityPolicySpec::default)
    }

    /// Other answers. A merge replaces the list of the Gateway, so it is repeated.
    pub(crate) fn responses(&mut self) -> &mut Vec<ResponseOverride> {
        let list = &mut self.traffic().response_override;
        if list.is_empty() {
            list.extend(crate::infra::base_overrides());
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
) -> Attached {
    let mut attached = Attached::default();
    let _ = (emitter, owner);
    addresses::attach(route, &mut attached);
    attached.limits.clone_from(&route.policies.limits);
    service_address::attach(forward, &mut attached);
    attached
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

//! Which policy holds for a rule.
//!
//! The most specific one, as a whole: rule, route, listener of a `ListenerSet`, `ListenerSet`,
//! listener of a Gateway, Gateway. With a `mergeType`, one on a route is put over the nearest one
//! above the routes (Envoy Gateway `internal/gatewayapi/backendtrafficpolicy.go`).

use serde_json::Value;

use super::listener::Listener;
use crate::objects::{Object, Objects, items, text};

/// What a policy is aimed at.
struct Aim<'a> {
    kind: &'a str,
    namespace: &'a str,
    name: &'a str,
    section: Option<&'a str>,
}

/// The specification that holds for a rule of a route on a listener, and the objects it is made
/// of, the most specific first.
pub(crate) fn effective<'o>(
    objects: &'o Objects,
    kind: &'static str,
    route: &Object,
    rule: &str,
    listener: &Listener,
) -> Option<(Value, Vec<&'o Object>)> {
    let of_route = |section| Aim {
        kind: &route.kind,
        namespace: &route.namespace,
        name: &route.name,
        section,
    };
    let own = (!rule.is_empty())
        .then(|| aimed(objects, kind, &of_route(Some(rule))))
        .flatten()
        .or_else(|| aimed(objects, kind, &of_route(None)));
    let above = above(objects, kind, listener);
    let Some(own) = own else {
        let above = above?;
        return Some((above.at("/spec").clone(), vec![above]));
    };
    let mut spec = own.at("/spec").clone();
    match above {
        Some(above) if spec["mergeType"].is_string() => {
            let mut merged = above.at("/spec").clone();
            put_over(&mut merged, std::mem::take(&mut spec));
            Some((merged, vec![own, above]))
        }
        _ => Some((spec, vec![own])),
    }
}

/// The policy of a kind for everything on a listener.
pub(crate) fn above<'o>(
    objects: &'o Objects,
    kind: &'static str,
    listener: &Listener,
) -> Option<&'o Object> {
    let (owner_kind, namespace, name) = &listener.owner;
    let aim = |kind, namespace, name, section| Aim {
        kind,
        namespace,
        name,
        section,
    };
    let (gateway_namespace, gateway) = &listener.gateway;
    aimed(
        objects,
        kind,
        &aim(owner_kind, namespace, name, Some(&listener.section)),
    )
    .or_else(|| aimed(objects, kind, &aim(owner_kind, namespace, name, None)))
    .or_else(|| {
        aimed(
            objects,
            kind,
            &aim("Gateway", gateway_namespace, gateway, None),
        )
    })
}

/// The oldest policy with this aim; of the same age the first by name.
fn aimed<'o>(objects: &'o Objects, kind: &'static str, aim: &Aim<'_>) -> Option<&'o Object> {
    let hits = |policy: &&Object| {
        let one = std::slice::from_ref(policy.at("/spec/targetRef"));
        let mut targets = items(policy.at("/spec/targetRefs")).iter().chain(one);
        targets.any(|target| {
            text(target, "kind") == aim.kind
                && text(target, "name") == aim.name
                && target["sectionName"].as_str() == aim.section
        })
    };
    let policies = objects.aimed(kind, (aim.kind, aim.namespace, aim.name));
    policies.filter(hits).min_by(|a, b| {
        (a.created.is_empty(), &a.created, &a.namespace, &a.name).cmp(&(
            b.created.is_empty(),
            &b.created,
            &b.namespace,
            &b.name,
        ))
    })
}

/// Maps are put together, everything else is replaced.
fn put_over(base: &mut Value, over: Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                put_over(base.entry(key).or_insert(Value::Null), value);
            }
        }
        (base, over) => *base = over,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_are_replaced_and_maps_put_together() {
        let mut base = json!({ "timeout": { "tcp": 1, "http": 2 }, "list": [1, 2] });
        put_over(&mut base, json!({ "timeout": { "http": 3 }, "list": [4] }));
        assert_eq!(
            base,
            json!({ "timeout": { "tcp": 1, "http": 3 }, "list": [4] })
        );
    }
}

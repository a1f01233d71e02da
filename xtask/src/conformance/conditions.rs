//! What Envoy Gateway says of every object, as a user would read it with kubectl.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use anyhow::Result;
use regex::Regex;
use serde_json::Value;

use super::kube::{Kube, ObjectRef};

/// Conditions at one moment.
#[derive(Debug, Default)]
pub(crate) struct Inspection {
    /// Objects without a word about their current generation.
    pub(crate) pending: Vec<String>,
    /// Conditions that are not as they should be.
    pub(crate) bad: Vec<String>,
}

/// Where a kind has its conditions.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// `status.conditions`, and those of `status.listeners`.
    Own,
    /// `status.parents[]`, one for each `spec.parentRefs[]`.
    Parents,
    /// `status.ancestors[]`, at least one.
    Ancestors,
}

fn place(object: &ObjectRef) -> Option<Place> {
    let group = object.api_version.split('/').next().unwrap_or_default();
    match (group, object.kind.as_str()) {
        ("gateway.networking.k8s.io", kind) => match kind {
            "GatewayClass" | "Gateway" | "ListenerSet" => Some(Place::Own),
            "HTTPRoute" | "GRPCRoute" | "TLSRoute" | "TCPRoute" | "UDPRoute" => {
                Some(Place::Parents)
            }
            "BackendTLSPolicy" => Some(Place::Ancestors),
            _ => None,
        },
        ("gateway.envoyproxy.io", kind) => match kind {
            "Backend" => Some(Place::Own),
            "BackendTrafficPolicy"
            | "ClientTrafficPolicy"
            | "SecurityPolicy"
            | "EnvoyExtensionPolicy"
            | "EnvoyPatchPolicy" => Some(Place::Ancestors),
            _ => None,
        },
        _ => None,
    }
}

/// Reads the conditions of `objects`. `input` names what the input has, as `service ns/name`: a
/// complaint about something that it has not is right, not a fault.
pub(crate) fn inspect(
    kube: &Kube,
    objects: &[ObjectRef],
    input: &BTreeSet<String>,
) -> Result<Inspection> {
    let mut lists: BTreeMap<(&str, &str), Vec<Value>> = BTreeMap::new();
    let mut found = Inspection::default();
    for object in objects {
        let Some(place) = place(object) else { continue };
        let key = (object.api_version.as_str(), object.kind.as_str());
        let list = match lists.entry(key) {
            Entry::Occupied(list) => list.into_mut(),
            Entry::Vacant(place) => {
                place.insert(kube.list_kind(&object.api_version, &object.kind)?)
            }
        };
        let current = list.iter().find(|value| {
            let metadata = &value["metadata"];
            metadata["name"] == object.name.as_str()
                && metadata["namespace"].as_str().unwrap_or_default() == object.namespace
        });
        match current {
            Some(value) => examine(object, place, value, input, &mut found),
            None => found.pending.push(format!("{object} is not there")),
        }
    }
    Ok(found)
}

fn examine(
    object: &ObjectRef,
    place: Place,
    value: &Value,
    input: &BTreeSet<String>,
    found: &mut Inspection,
) {
    let generation = value["metadata"]["generation"].as_i64().unwrap_or_default();
    let status = &value["status"];
    let mut groups: Vec<(String, &Value)> = Vec::new();
    match place {
        Place::Own => {
            groups.push((object.to_string(), &status["conditions"]));
            for listener in status["listeners"].as_array().into_iter().flatten() {
                let name = listener["name"].as_str().unwrap_or_default();
                groups.push((format!("{object} listener {name}"), &listener["conditions"]));
            }
            let wanted = value["spec"]["listeners"].as_array().map_or(0, Vec::len);
            if groups.len() < wanted + 1 {
                found
                    .pending
                    .push(format!("{object}: listeners without conditions"));
            }
        }
        Place::Parents | Place::Ancestors => {
            let (field, reference) = match place {
                Place::Parents => ("parents", "parentRef"),
                _ => ("ancestors", "ancestorRef"),
            };
            let entries = status[field].as_array().map_or(&[][..], Vec::as_slice);
            let wanted = match place {
                Place::Parents => value["spec"]["parentRefs"].as_array().map_or(1, Vec::len),
                _ => 1,
            };
            if entries.len() < wanted {
                found.pending.push(format!(
                    "{object}: {} of {wanted} {field} have a status",
                    entries.len()
                ));
            }
            for entry in entries {
                let name = entry[reference]["name"].as_str().unwrap_or_default();
                groups.push((format!("{object} at {name}"), &entry["conditions"]));
            }
        }
    }
    for (what, conditions) in groups {
        let conditions = conditions.as_array().map_or(&[][..], Vec::as_slice);
        if conditions.is_empty() {
            found.pending.push(format!("{what}: no conditions"));
        }
        for condition in conditions {
            if condition["observedGeneration"]
                .as_i64()
                .is_some_and(|seen| seen < generation)
            {
                found
                    .pending
                    .push(format!("{what}: conditions of an earlier generation"));
            }
            if condition["status"] == "Unknown" {
                // The API server's default for an object that no controller has looked at.
                found
                    .pending
                    .push(format!("{what}: {} is unknown", text(condition, "type")));
            } else if !is_as_it_should_be(condition, input) {
                found.bad.push(format!(
                    "{what}: {}={} {}: {}",
                    text(condition, "type"),
                    text(condition, "status"),
                    text(condition, "reason"),
                    text(condition, "message").trim()
                ));
            }
        }
    }
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

fn is_as_it_should_be(condition: &Value, input: &BTreeSet<String>) -> bool {
    let is_true = condition["status"] == "True";
    match text(condition, "type") {
        "Accepted" | "Programmed" | "ResolvedRefs" => {
            is_true || is_about_missing_input(condition, input)
        }
        // Said for information. Merging is what policies are for; listeners overlap wherever a
        // catch-all stands beside a host.
        "Overridden" | "Merged" | "Aggregated" | "OverlappingTLSConfig" => true,
        "Conflicted" | "PartiallyInvalid" | "Warning" | "Degraded" => !is_true,
        _ => true,
    }
}

/// Whether all that is complained of is missing from the input too: then the complaint is right.
///
/// Envoy Gateway names what it misses as `namespace/name`. It reads only the grants that a Secret
/// it found needs, so that a missing Secret may also be called one that no grant permits.
fn is_about_missing_input(condition: &Value, input: &BTreeSet<String>) -> bool {
    static NAMED: LazyLock<Vec<Regex>> = LazyLock::new(|| {
        [
            r"(?i)\b(?<kind>service|secret|configmap) (?<namespace>[a-z0-9.-]+)/(?<name>[a-z0-9.-]*[a-z0-9]) (?:not found|does not exist|not permitted by any ReferenceGrant)",
            r"\b(?<kind>secret) (?<name>[a-z0-9.-]+) not found in namespace (?<namespace>[a-z0-9-]+)",
            r"\bTLS (?<kind>secret) for client auth: (?<namespace>[a-z0-9-]+)/(?<name>[a-z0-9.-]+)",
        ]
        .iter()
        .filter_map(|pattern| Regex::new(pattern).ok())
        .collect()
    });
    let message = text(condition, "message");
    let mut names = NAMED
        .iter()
        .flat_map(|named| named.captures_iter(message))
        .peekable();
    names.peek().is_some()
        && names.all(|found| {
            let kind = found["kind"].to_lowercase();
            !input.contains(&format!(
                "{kind} {}/{}",
                &found["namespace"], &found["name"]
            ))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_complaint_about_what_the_input_lacks_is_right() {
        let input = BTreeSet::from(["service shop/web".to_owned()]);
        let condition = |message: &str| json!({ "type": "ResolvedRefs", "status": "False", "reason": "BackendNotFound", "message": message });
        for (message, fine) in [
            (
                "Failed to process route rule 0 backendRef 0: service shop/ghost not found.",
                true,
            ),
            (
                "Failed to process route rule 0 backendRef 0: service shop/web not found.",
                false,
            ),
            (
                "service shop/ghost not found.\nservice shop/web not found.",
                false,
            ),
            ("certificate refs 0: Secret shop/tls does not exist.", true),
            (
                "certificate refs 0: Certificate ref to secret shop/tls not permitted by any ReferenceGrant.",
                true,
            ),
            ("backendRef 0: secret ca not found in namespace shop.", true),
            (
                "failed to locate TLS secret for client auth: shop/id specified in Backend shop/b.",
                true,
            ),
            (
                "backendRef to Service not permitted by any ReferenceGrant.",
                false,
            ),
        ] {
            assert_eq!(
                is_as_it_should_be(&condition(message), &input),
                fine,
                "{message}"
            );
        }
    }
}

//! Whether the converter refuses the Ingresses that the API server refuses, and no others.

use anyhow::Result;
use serde_json::Value;

use super::convert::Diagnostic;
use super::kube::{Kube, ObjectRef};

/// Codes that say that the API server refuses an object.
const REFUSALS: &[&str] = &["GW0201", "GW0202", "GW0203"];

/// Ingresses about which the two disagree, each in a sentence.
pub(crate) fn misjudged(
    kube: &Kube,
    input: &[Value],
    diagnostics: &[Diagnostic],
) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for value in input.iter().filter(|value| is_asked(value)) {
        let Some(object) = ObjectRef::of(value) else {
            continue;
        };
        let namespace = value["metadata"]["namespace"].as_str().unwrap_or("default");
        let name = format!("{namespace}/{}", object.name);
        let refuses = diagnostics
            .iter()
            .any(|d| REFUSALS.contains(&d.code.as_str()) && d.is_about(&name));
        match (kube.admits(&object, &value.to_string())?, refuses) {
            (Ok(_), true) => found.push(format!(
                "the API server takes Ingress {name}, the conversion says that it does not"
            )),
            (Err(refusal), false) => found.push(format!(
                "the API server refuses Ingress {name}, the conversion does not say so: {refusal}"
            )),
            (Ok(_), false) | (Err(_), true) => {}
        }
    }
    Ok(found)
}

/// The server has only the current version, and does not create what already has a uid.
fn is_asked(value: &Value) -> bool {
    value["kind"] == "Ingress"
        && value["apiVersion"] == "networking.k8s.io/v1"
        && value["metadata"]["uid"].is_null()
}

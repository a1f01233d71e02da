//! The default values of the CRDs that `gatewright diff` has to know.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

const TABLE: &str = "crates/transpile/src/diff/defaults.txt";

/// Where the conformance suite keeps the CRDs.
const SOURCES: [&str; 2] = [
    "target/conformance/crds/gateway-api/standard",
    "target/conformance/crds/envoy-gateway",
];

/// The kinds that Gatewright writes.
const KINDS: [&str; 13] = [
    "GatewayClass",
    "Gateway",
    "ListenerSet",
    "HTTPRoute",
    "TLSRoute",
    "ReferenceGrant",
    "EnvoyProxy",
    "ClientTrafficPolicy",
    "BackendTrafficPolicy",
    "SecurityPolicy",
    "EnvoyExtensionPolicy",
    "HTTPRouteFilter",
    "Backend",
];

/// Fields that Gatewright never writes and that hold many defaults. A default inside of a
/// field that only one side has changes nothing: the field itself is the difference.
const NEVER_WRITTEN: [&str; 16] = [
    "status",
    "provider",
    "telemetry",
    "backendTLS",
    "bootstrap",
    "dynamicModule",
    "dynamicModules",
    "backendSettings",
    "extProc",
    "faultInjection",
    "grpc",
    "jwt",
    "oidc",
    "requestMirror",
    "targetSelectors",
    "wasm",
];

const HEAD: &str = "\
# The defaults of the CRDs of Gateway API v1.6.1 (standard channel) and Envoy Gateway v1.9.1:
# kind, path, value. Left out are fields that Gatewright never writes.
# Made by `cargo xtask defaults`.
";

/// Writes the table from the CRDs of the conformance suite.
pub(crate) fn write() -> Result<bool> {
    let root = crate::repository_root();
    let mut text = HEAD.to_owned();
    let mut schemas = schemas(&root)?;
    for kind in KINDS {
        let Some(at) = schemas.iter().position(|(found, _)| found == kind) else {
            bail!("no CRD of {kind}; `cargo xtask conformance` fetches them");
        };
        let (_, schema) = schemas.swap_remove(at);
        walk(kind, &schema, &mut Vec::new(), &mut text)?;
    }
    fs::write(root.join(TABLE), text).with_context(|| format!("cannot write {TABLE}"))?;
    Ok(true)
}

/// The schema of the stored version of every CRD, by kind.
fn schemas(root: &Path) -> Result<Vec<(String, Value)>> {
    let mut schemas = Vec::new();
    for source in SOURCES {
        let directory = root.join(source);
        let entries = fs::read_dir(&directory).with_context(|| format!("cannot read {source}"))?;
        for entry in entries {
            let path = entry?.path();
            let text = fs::read_to_string(&path)?;
            let documents = serde_yaml::Deserializer::from_str(&text);
            for document in documents {
                let crd: Value = serde::Deserialize::deserialize(document)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                let versions = crd["spec"]["versions"].as_array();
                let stored = |version: &&Value| version["storage"] == true;
                let version = versions.and_then(|all| all.iter().find(stored));
                if let (Some(kind), Some(version)) =
                    (crd["spec"]["names"]["kind"].as_str(), version)
                {
                    let schema = version["schema"]["openAPIV3Schema"].clone();
                    schemas.push((kind.to_owned(), schema));
                }
            }
        }
    }
    Ok(schemas)
}

/// Adds the defaults below a schema; outer ones before inner ones.
fn walk(kind: &str, schema: &Value, path: &mut Vec<String>, text: &mut String) -> Result<()> {
    if let Some(default) = schema.get("default") {
        let place = path.join(".").replace(".[]", "[]").replace(".{}", "{}");
        writeln!(text, "{kind} {place} {default}")?;
    }
    for (key, inner) in schema["properties"].as_object().into_iter().flatten() {
        if !NEVER_WRITTEN.contains(&key.as_str()) {
            path.push(key.clone());
            walk(kind, inner, path, text)?;
            path.pop();
        }
    }
    for (key, step) in [("items", "[]"), ("additionalProperties", "{}")] {
        if schema[key].is_object() {
            path.push(step.to_owned());
            walk(kind, &schema[key], path, text)?;
            path.pop();
        }
    }
    Ok(())
}

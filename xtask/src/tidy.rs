//! Rules of the repository that no other tool checks.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::process::Command;

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::Value;

/// Which crate of this workspace may use which, and which foreign crates it must not know.
///
/// The edges are the architecture: a parser that knows the emitter's objects, or an emitter that
/// knows annotations, could no longer be judged by itself.
const CRATES: [Crate; 10] = [
    Crate {
        name: "source",
        uses: &[],
        not: &["serde_json", "k8s-openapi", "gateway-api"],
    },
    Crate {
        name: "diagnostics",
        uses: &["source"],
        not: &["k8s-openapi", "gateway-api"],
    },
    Crate {
        name: "yaml",
        uses: &["source", "diagnostics"],
        not: &["k8s-openapi", "gateway-api"],
    },
    Crate {
        name: "model",
        uses: &["source"],
        not: &["serde", "k8s-openapi", "gateway-api"],
    },
    Crate {
        name: "nginx",
        uses: &["source", "diagnostics", "yaml", "model"],
        not: &["gateway-api"],
    },
    Crate {
        name: "gateway",
        uses: &["source", "diagnostics", "model"],
        not: &[],
    },
    Crate {
        name: "verify",
        uses: &["source", "diagnostics", "yaml", "model"],
        not: &["gateway-api", "k8s-openapi"],
    },
    Crate {
        name: "admission",
        uses: &["source", "diagnostics"],
        not: &[],
    },
    Crate {
        name: "transpile",
        uses: &[
            "source",
            "diagnostics",
            "yaml",
            "model",
            "nginx",
            "gateway",
            "verify",
            "admission",
        ],
        not: &["clap", "ignore"],
    },
    Crate {
        name: "cli",
        uses: &["source", "diagnostics", "transpile"],
        not: &[],
    },
];

struct Crate {
    name: &'static str,
    uses: &'static [&'static str],
    not: &'static [&'static str],
}

const PREFIX: &str = "gatewright-";

/// Crates of others that the program may be made of: each is code to trust and to build.
pub(crate) const MAX_CRATES: usize = 110;

/// Checks everything; whether it is in order.
pub(crate) fn run() -> Result<bool> {
    let mut faults = dependency_faults(&metadata(&["--no-deps"])?);
    let crates = foreign_crates()?.len();
    if crates > MAX_CRATES {
        faults.push(format!(
            "the program is made of {crates} crates of others, and {MAX_CRATES} are allowed: do without one, or raise `MAX_CRATES` in xtask/src/tidy.rs with a reason"
        ));
    }
    let stale = crate::docs::stale(&crate::repository_root());
    faults.extend(
        stale
            .iter()
            .map(|page| format!("{page} is out of date: run `cargo xtask docs`")),
    );
    for fault in &faults {
        println!("tidy: {fault}");
    }
    if faults.is_empty() {
        println!("tidy: dependencies and reference pages are as they should be");
    }
    Ok(faults.is_empty())
}

/// The cargo that runs this program.
pub(crate) fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The crates of others that the program is made of, on Linux. What only builds or tests need is
/// no part of it.
pub(crate) fn foreign_crates() -> Result<BTreeSet<String>> {
    let metadata = metadata(&["--filter-platform", "x86_64-unknown-linux-gnu"])?;
    Ok(normal_dependencies(&metadata, "gatewright-cli"))
}

/// The packages from elsewhere that a package of this workspace needs to run, by their ids.
fn normal_dependencies(metadata: &Value, package: &str) -> BTreeSet<String> {
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let of_ours = packages
        .filter(|found| found["source"].is_null())
        .filter_map(|found| Some((found["id"].as_str()?, found["name"].as_str()?)));
    let ours: Vec<(&str, &str)> = of_ours.collect();
    let nodes = || {
        metadata["resolve"]["nodes"]
            .as_array()
            .into_iter()
            .flatten()
    };
    let mut found: BTreeSet<&str> = BTreeSet::new();
    let root = ours.iter().filter(|(_, name)| *name == package);
    let mut open: Vec<&str> = root.map(|(id, _)| *id).collect();
    while let Some(id) = open.pop() {
        if !found.insert(id) {
            continue;
        }
        let node = nodes().find(|node| node["id"] == id);
        let deps = node.and_then(|node| node["deps"].as_array());
        for dependency in deps.into_iter().flatten() {
            let mut kinds = dependency["dep_kinds"].as_array().into_iter().flatten();
            if kinds.any(|kind| kind["kind"].is_null()) {
                open.extend(dependency["pkg"].as_str());
            }
        }
    }
    found
        .into_iter()
        .filter(|id| ours.iter().all(|(own, _)| own != id))
        .map(str::to_owned)
        .collect()
}

fn metadata(arguments: &[&str]) -> Result<Value> {
    let output = Command::new(cargo())
        .current_dir(crate::repository_root())
        .args(["metadata", "--format-version", "1"])
        .args(arguments)
        .output()
        .context("cannot run cargo")?;
    if !output.status.success() {
        bail!(
            "cargo metadata: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    serde_json::from_slice(&output.stdout).map_err(|error| anyhow!("cargo metadata: {error}"))
}

fn dependency_faults(metadata: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let Some(name) = package["name"]
            .as_str()
            .and_then(|name| name.strip_prefix(PREFIX))
        else {
            continue;
        };
        let Some(known) = CRATES.iter().find(|known| known.name == name) else {
            faults.push(format!(
                "crate {name} has no place in the table of xtask/src/tidy.rs"
            ));
            continue;
        };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            // What only tests use does not shape the design.
            if dependency["kind"] == "dev" {
                continue;
            }
            let Some(target) = dependency["name"].as_str() else {
                continue;
            };
            match target.strip_prefix(PREFIX) {
                Some(other) if !known.uses.contains(&other) => {
                    faults.push(format!("crate {name} must not depend on crate {other}"));
                }
                None if known.not.contains(&target) => {
                    faults.push(format!("crate {name} must not know {target}"));
                }
                _ => {}
            }
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_runs_is_counted() {
        let edge = |to: &str, kind: Value| json!({ "pkg": to, "dep_kinds": [{ "kind": kind }] });
        let package = |id: &str, source: Value| json!({ "id": id, "name": id, "source": source });
        let metadata = json!({
            "packages": [
                package("cli", Value::Null),
                package("core", Value::Null),
                package("a", json!("registry")),
                package("b", json!("registry")),
                package("c", json!("registry")),
            ],
            "resolve": { "nodes": [
                { "id": "cli", "deps": [edge("core", Value::Null), edge("b", json!("dev"))] },
                { "id": "core", "deps": [edge("a", Value::Null)] },
                { "id": "a", "deps": [edge("c", json!("build")), edge("a", Value::Null)] },
            ] },
        });
        let found = normal_dependencies(&metadata, "cli");
        assert_eq!(found, BTreeSet::from(["a".to_owned()]));
    }

    #[test]
    fn an_edge_outside_the_table_is_a_fault() {
        let package = |name: &str, target: &str, kind: Value| json!({ "packages": [{ "name": name, "dependencies": [{ "name": target, "kind": kind }] }] });
        for (name, target, kind, faulty) in [
            ("gatewright-nginx", "gatewright-model", Value::Null, false),
            ("gatewright-nginx", "gatewright-gateway", Value::Null, true),
            (
                "gatewright-nginx",
                "gatewright-gateway",
                json!("dev"),
                false,
            ),
            ("gatewright-model", "serde", Value::Null, true),
            ("gatewright-unheard-of", "serde", Value::Null, true),
            ("xtask", "gatewright-nginx", Value::Null, false),
        ] {
            let faults = dependency_faults(&package(name, target, kind));
            assert_eq!(!faults.is_empty(), faulty, "{name} -> {target}: {faults:?}");
        }
    }
}

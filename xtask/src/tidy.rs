//! Rules of the repository that no other tool checks.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use serde_json::Value;

/// Which crate of this workspace may use which, and which foreign crates it must not know.
///
/// The edges are the architecture: a parser that knows the emitter's objects, or an emitter that
/// knows annotations, could no longer be judged by itself.
const CRATES: [Crate; 11] = [
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
        name: "transpile",
        uses: &[
            "source",
            "diagnostics",
            "yaml",
            "model",
            "nginx",
            "gateway",
            "verify",
        ],
        not: &["clap", "ignore"],
    },
    Crate {
        name: "cluster",
        uses: &["diagnostics", "yaml"],
        not: &["clap", "gateway-api", "k8s-openapi"],
    },
    Crate {
        name: "cli",
        uses: &["source", "diagnostics", "transpile", "cluster"],
        not: &[],
    },
    // No part of the program: it may look at everything.
    Crate {
        name: "fuzz",
        uses: &[
            "source",
            "diagnostics",
            "yaml",
            "model",
            "nginx",
            "verify",
            "transpile",
        ],
        not: &[],
    },
];

struct Crate {
    name: &'static str,
    uses: &'static [&'static str],
    not: &'static [&'static str],
}

const PREFIX: &str = "gatewright-";

/// Crates of others that the program may be made of: each is code to trust and to build. The
/// second number holds with what reads live clusters, the feature `cluster`: a client of the API
/// server with TLS is large.
pub(crate) const MAX_CRATES: [usize; 2] = [110, 185];

/// Checks everything; whether it is in order.
pub(crate) fn run() -> Result<bool> {
    let mut faults = dependency_faults(&metadata(&crate::repository_root(), &["--no-deps"])?);
    for (crates, most) in foreign_crates()?.into_iter().zip(MAX_CRATES) {
        if crates > most {
            faults.push(format!(
                "the program is made of {crates} crates of others, and {most} are allowed: do without one, or raise `MAX_CRATES` in xtask/src/tidy.rs with a reason"
            ));
        }
    }
    let stale = crate::docs::stale(&crate::repository_root());
    faults.extend(
        stale
            .iter()
            .map(|page| format!("{page} is out of date: run `cargo xtask docs`")),
    );
    faults.extend(crate::links::faults(&crate::repository_root())?);
    faults.extend(crate::surprises::faults(&crate::repository_root())?);
    for fault in &faults {
        println!("tidy: {fault}");
    }
    if faults.is_empty() {
        println!("tidy: dependencies, reference pages and links are as they should be");
    }
    Ok(faults.is_empty())
}

/// The cargo that runs this program.
pub(crate) fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// How many crates of others the program is made of, on Linux, without and with what reads live
/// clusters. What only builds or tests need is no part of it.
pub(crate) fn foreign_crates() -> Result<[usize; 2]> {
    let count = |more: &[&str]| -> Result<usize> {
        let output = Command::new(cargo())
            .current_dir(crate::repository_root())
            .args(["tree", "--package", "gatewright-cli", "--edges", "normal"])
            .args(["--prefix", "none", "--target", "x86_64-unknown-linux-gnu"])
            .args(more)
            .output()
            .context("cargo tree")?;
        ensure!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(foreign(&String::from_utf8(output.stdout)?).len())
    };
    Ok([count(&["--no-default-features"])?, count(&[])?])
}

/// The crates in the output of `cargo tree` that do not stand in this workspace.
fn foreign(tree: &str) -> BTreeSet<String> {
    let lines = tree.lines().map(|line| line.trim_end_matches(" (*)"));
    let of_others = lines.filter(|line| !line.is_empty() && !line.contains("(/"));
    of_others
        .map(|line| line.replace(" (proc-macro)", ""))
        .collect()
}

/// What `cargo metadata` says of the workspace at `root`.
pub(crate) fn metadata(root: &Path, arguments: &[&str]) -> Result<Value> {
    let output = Command::new(cargo())
        .current_dir(root)
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
    fn crates_of_others_are_counted_once() {
        let tree = "gatewright-cli v0.1.0 (/src/crates/cli)\nclap v4.6.0\nclap_derive v4.6.0 (proc-macro)\nclap v4.6.0 (*)\n\ngatewright-yaml v0.1.0 (/src/crates/yaml) (*)\n";
        let found = foreign(tree);
        assert_eq!(
            found.into_iter().collect::<Vec<_>>(),
            ["clap v4.6.0", "clap_derive v4.6.0"]
        );
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

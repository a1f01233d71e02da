//! The bill of materials of the program, as `CycloneDX` has it: every crate that is built into it,
//! with version, licence, checksum and what it depends on.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, ensure};
use cyclonedx_bom::external_models::normalized_string::NormalizedString;
use cyclonedx_bom::external_models::spdx::SpdxExpression;
use cyclonedx_bom::external_models::uri::Purl;
use cyclonedx_bom::models::bom::{Bom, SpecVersion};
use cyclonedx_bom::models::component::{Classification, Component, Components};
use cyclonedx_bom::models::dependency::{Dependencies, Dependency};
use cyclonedx_bom::models::hash::{Hash, HashAlgorithm, HashValue, Hashes};
use cyclonedx_bom::models::license::{LicenseChoice, Licenses};
use cyclonedx_bom::models::metadata::Metadata;
use cyclonedx_bom::validation::Validate as _;
use serde_json::Value;

use crate::tidy;

/// The package that the program is of.
const PACKAGE: &str = "gatewright-cli";

/// The bill for a platform, without a time or a number of its own: the same lock file gives the
/// same bytes.
pub(crate) fn json(root: &Path, target: &str) -> Result<String> {
    let metadata = tidy::metadata(root, &["--locked", "--filter-platform", target])?;
    let checksums = checksums(root)?;
    let packages: BTreeMap<&str, &Value> = list(&metadata["packages"])
        .filter_map(|package| Some((package["id"].as_str()?, package)))
        .collect();
    let nodes: BTreeMap<&str, &Value> = list(&metadata["resolve"]["nodes"])
        .filter_map(|node| Some((node["id"].as_str()?, node)))
        .collect();
    let top = packages
        .iter()
        .find(|(_, package)| package["name"] == PACKAGE)
        .map(|(id, _)| *id)
        .with_context(|| format!("there is no package {PACKAGE}"))?;
    let mut wanted = BTreeSet::from([top]);
    let mut open = vec![top];
    let mut dependencies = Vec::new();
    while let Some(id) = open.pop() {
        let node = nodes.get(id).context("a package is not resolved")?;
        let mut names = BTreeSet::new();
        for dependency in list(&node["deps"]) {
            // What only tests use is not built in.
            let is_built = list(&dependency["dep_kinds"]).any(|kind| kind["kind"] != "dev");
            let Some(other) = dependency["pkg"].as_str().filter(|_| is_built) else {
                continue;
            };
            names.insert(reference(packages.get(other).copied())?);
            if wanted.insert(other) {
                open.push(other);
            }
        }
        dependencies.push(Dependency {
            dependency_ref: reference(packages.get(id).copied())?,
            dependencies: names.into_iter().collect(),
        });
    }
    dependencies.sort_by(|a, b| a.dependency_ref.cmp(&b.dependency_ref));
    let mut components = Vec::new();
    let mut subject = None;
    for id in wanted {
        let package = packages.get(id).context("a package is missing")?;
        let component = component(package, &checksums)?;
        if id == top {
            subject = Some(component);
        } else {
            components.push(component);
        }
    }
    components.sort_by(|a: &Component, b| a.bom_ref.cmp(&b.bom_ref));
    let bom = Bom {
        serial_number: None,
        spec_version: SpecVersion::V1_5,
        metadata: Some(Metadata {
            component: subject,
            ..Metadata::default()
        }),
        components: Some(Components(components)),
        dependencies: Some(Dependencies(dependencies)),
        ..Bom::default()
    };
    let valid = bom.validate_version(SpecVersion::V1_5);
    ensure!(
        valid.passed(),
        "the bill of materials is not valid: {valid:?}"
    );
    let mut text = Vec::new();
    bom.output_as_json_v1_5(&mut text)
        .map_err(|error| anyhow!("{error}"))?;
    text.push(b'\n');
    Ok(String::from_utf8(text)?)
}

/// By name and version.
fn checksums(root: &Path) -> Result<BTreeMap<(String, String), String>> {
    let lock: toml::Value = toml::from_str(&fs::read_to_string(root.join("Cargo.lock"))?)?;
    let packages = lock["package"].as_array().map_or(&[][..], Vec::as_slice);
    let text = |package: &toml::Value, key: &str| {
        let value = package.get(key).and_then(toml::Value::as_str);
        value.map(str::to_owned)
    };
    Ok(packages
        .iter()
        .filter_map(|package| {
            let key = (text(package, "name")?, text(package, "version")?);
            Some((key, text(package, "checksum")?))
        })
        .collect())
}

fn component(package: &Value, checksums: &BTreeMap<(String, String), String>) -> Result<Component> {
    let text = |key: &str| package[key].as_str().unwrap_or_default();
    let (name, version) = (text("name"), text("version"));
    let kind = if name == PACKAGE {
        Classification::Application
    } else {
        Classification::Library
    };
    let mut component = Component::new(kind, name, version, Some(reference(Some(package))?));
    component.purl =
        Some(Purl::new("cargo", name, version).map_err(|error| anyhow!("{name}: {error}"))?);
    if let Some(license) = package["license"].as_str() {
        let expression = SpdxExpression::parse_lax(license.to_owned())
            .map_err(|error| anyhow!("{name}: {license}: {error:?}"))?;
        component.licenses = Some(Licenses(vec![LicenseChoice::Expression(expression)]));
    }
    component.description = package["description"]
        .as_str()
        .map(|text| NormalizedString::new(text.trim()));
    let checksum = checksums.get(&(name.to_owned(), version.to_owned()));
    component.hashes = checksum.map(|checksum| {
        Hashes(vec![Hash {
            alg: HashAlgorithm::SHA_256,
            content: HashValue(checksum.clone()),
        }])
    });
    Ok(component)
}

fn reference(package: Option<&Value>) -> Result<String> {
    let package = package.context("a package is missing")?;
    let text = |key: &str| package[key].as_str().unwrap_or_default();
    Ok(format!("pkg:cargo/{}@{}", text("name"), text("version")))
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bill_names_what_is_built_in_and_nothing_else() {
        let root = crate::repository_root();
        let target = crate::dist::host().unwrap();
        let bill: Value = serde_json::from_str(&json(&root, &target).unwrap()).unwrap();
        assert_eq!(bill["bomFormat"], "CycloneDX");
        assert_eq!(bill["metadata"]["component"]["name"], PACKAGE);
        let find = |name: &str| list(&bill["components"]).find(|c| c["name"] == name);
        let clap = find("clap").unwrap();
        assert!(clap["hashes"][0]["content"].is_string());
        assert!(clap["licenses"][0]["expression"].is_string());
        assert!(find("gatewright-transpile").is_some());
        // Tests and this program use these.
        assert!(find("insta").is_none() && find("xtask").is_none() && find("tar").is_none());
    }
}

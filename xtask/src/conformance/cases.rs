//! Cases as they stand on disk: an input, requests, recorded answers, accepted differences.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use indexmap::IndexMap;
use serde::{Deserialize, Deserializer, Serialize};

use super::witnesses::Accepted;

/// One directory of a suite.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) directory: PathBuf,
    /// Empty for a case that is only applied and judged by its conditions.
    pub(crate) exchanges: Vec<Exchange>,
    pub(crate) differences: Vec<Difference>,
    /// Predictions of `verify` that are known to be wrong: `witnesses.toml`.
    pub(crate) wrong: Vec<Accepted>,
}

impl Case {
    pub(crate) fn input(&self) -> PathBuf {
        self.directory.join("input.yaml")
    }
}

/// A request and the answer that was recorded for it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Exchange {
    pub(crate) name: String,
    pub(crate) request: Request,
    pub(crate) nginx: Expected,
}

/// What is sent, byte for byte.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    #[serde(default = "get")]
    pub(crate) method: String,
    #[serde(default)]
    pub(crate) scheme: Scheme,
    pub(crate) host: String,
    pub(crate) path: String,
    #[serde(default, deserialize_with = "texts")]
    pub(crate) headers: IndexMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) body_size: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) source_ip: Option<IpAddr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client_cert: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) repeat: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) concurrency: Option<usize>,
}

/// Whether the client speaks TLS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scheme {
    #[default]
    Http,
    Https,
}

/// What ingress-nginx answered. A missing field was not looked at.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expected {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u16>,
    #[serde(default, deserialize_with = "texts")]
    pub(crate) headers: IndexMap<String, String>,
    #[serde(default)]
    pub(crate) absent_headers: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) backend: Option<ExpectedBackend>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) counts: Option<IndexMap<String, u32>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) distinct_pods: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) subrequests: Option<Vec<ExpectedHit>>,
    /// `namespace/name` of the Secret whose certificate is presented.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) certificate: Option<String>,
}

/// The backend that answered, and what it saw.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExpectedBackend {
    pub(crate) service: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) method: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
    #[serde(default, deserialize_with = "texts")]
    pub(crate) headers: IndexMap<String, String>,
    #[serde(default)]
    pub(crate) absent_headers: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tls: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sni: Option<String>,
}

/// A hit on a backend that is not the answer: auth, mirror, an earlier try.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExpectedHit {
    pub(crate) service: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) method: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
    #[serde(default, deserialize_with = "texts")]
    pub(crate) headers: IndexMap<String, String>,
    #[serde(default)]
    pub(crate) absent_headers: Vec<String>,
}

/// An accepted difference: entry of `differences.toml`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Difference {
    /// The `name` of the request.
    pub(crate) request: String,
    /// The code of the diagnostic by which the conversion says so.
    pub(crate) code: String,
    /// One line for `docs/conformance.md`.
    pub(crate) reason: String,
    /// `namespace/name` of the Ingress the diagnostic must be about, if it matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) object: Option<String>,
    /// Whether the answer is the same by chance at times, for instance by a random order.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) unsteady: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct DifferenceFile {
    #[serde(default)]
    difference: Vec<Difference>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WitnessFile {
    #[serde(default)]
    wrong: Vec<Accepted>,
}

fn get() -> String {
    "GET".to_owned()
}

/// Header values may be written as numbers or booleans; on the wire they are text.
fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<IndexMap<String, String>, D::Error> {
    let raw = IndexMap::<String, serde_json::Value>::deserialize(deserializer)?;
    Ok(raw
        .into_iter()
        .map(|(key, value)| match value {
            serde_json::Value::String(text) => (key, text),
            other => (key, other.to_string()),
        })
        .collect())
}

/// Reads every case below `directory` whose name contains one of `filters` (all, when there are none).
///
/// A directory is a case when it holds an `input.yaml`; families may nest cases one or more levels.
pub(crate) fn discover(directory: &Path, filters: &[String]) -> Result<Vec<Case>> {
    let mut directories = Vec::new();
    collect(directory, &mut directories)?;
    directories.sort();
    let mut cases = Vec::new();
    for path in directories {
        let relative = path.strip_prefix(directory).unwrap_or(&path);
        let name = relative.to_string_lossy().replace('/', ":");
        if filters.is_empty() || filters.iter().any(|filter| name.contains(filter.as_str())) {
            cases.push(load(&name, &path)?);
        }
    }
    Ok(cases)
}

fn collect(directory: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    if directory.join("input.yaml").is_file() {
        found.push(directory.to_path_buf());
        return Ok(());
    }
    let entries = fs::read_dir(directory)
        .with_context(|| format!("cannot read the cases in {}", directory.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, found)?;
        }
    }
    Ok(())
}

/// Nothing where there is no file.
fn table<T: Default + serde::de::DeserializeOwned>(path: &Path) -> Result<T> {
    if !path.is_file() {
        return Ok(T::default());
    }
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("{}", path.display()))
}

fn load(name: &str, directory: &Path) -> Result<Case> {
    let requests = directory.join("requests.yaml");
    let exchanges = if requests.is_file() {
        let text = fs::read_to_string(&requests)
            .with_context(|| format!("cannot read {}", requests.display()))?;
        serde_yaml::from_str(&text).with_context(|| format!("{}", requests.display()))?
    } else {
        Vec::new()
    };
    let listed = directory.join("differences.toml");
    let differences = table::<DifferenceFile>(&listed)?.difference;
    let wrong = table::<WitnessFile>(&directory.join("witnesses.toml"))?.wrong;
    let case = Case {
        name: name.to_owned(),
        directory: directory.to_path_buf(),
        exchanges,
        differences,
        wrong,
    };
    for difference in &case.differences {
        if !case
            .exchanges
            .iter()
            .any(|exchange| exchange.name == difference.request)
        {
            bail!(
                "{}: no request is named {:?}",
                listed.display(),
                difference.request
            );
        }
    }
    Ok(case)
}

//! Runs the converter as a user does, and reads its report.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use gatewright_transpile::Options;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::cases::Case;
use super::inputs::DEFAULT_CERTIFICATE;
use super::kube::documents;

/// The controller's own `ConfigMap` in the recorded cases.
const CONTROLLER_CONFIG: (&str, &str) = ("ingress-nginx", "ingress-nginx-controller");

/// A finding of the converter, from its JSON report.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Diagnostic {
    pub(crate) code: String,
    #[serde(default)]
    pub(crate) name: String,
    pub(crate) severity: String,
    #[serde(default)]
    pub(crate) message: String,
    #[serde(default)]
    pub(crate) object: Option<Subject>,
    #[serde(default)]
    pub(crate) annotation: Option<String>,
}

/// The object a diagnostic is about.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Subject {
    pub(crate) kind: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl Diagnostic {
    /// Severe enough, or of a class that is about differences.
    pub(crate) fn may_declare(&self) -> bool {
        matches!(self.severity.as_str(), "warning" | "error")
            || self.code.starts_with("GW05")
            || self.code.starts_with("GW06")
    }

    /// `object` is `namespace/name`.
    pub(crate) fn is_about(&self, object: &str) -> bool {
        self.object
            .as_ref()
            .is_some_and(|s| format!("{}/{}", s.namespace, s.name) == object)
    }
}

#[derive(Debug, Default, Deserialize)]
struct Report {
    #[serde(default)]
    diagnostics: Vec<Diagnostic>,
}

/// What a conversion gave.
pub(crate) struct Conversion {
    /// Documents of the output: text as written, and its value.
    pub(crate) output: Vec<(String, Value)>,
    /// The output as it was written.
    pub(crate) text: String,
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(crate) exit_code: i32,
}

fn has_configuration(input: &[Value]) -> bool {
    let (namespace, name) = CONTROLLER_CONFIG;
    input.iter().any(|value| {
        value["kind"] == "ConfigMap"
            && value["metadata"]["namespace"] == namespace
            && value["metadata"]["name"] == name
    })
}

/// What the conversion is told on its command line, for the library.
pub(crate) fn options(input: &[Value]) -> Options {
    let owned = |(namespace, name): (&str, &str)| (namespace.to_owned(), name.to_owned());
    Options {
        default_ssl_certificate: Some(owned(DEFAULT_CERTIFICATE)),
        controller_config: has_configuration(input).then(|| owned(CONTROLLER_CONFIG)),
        threads: Some(1),
        ..Options::default()
    }
}

/// Converts the input of `case`; files of the conversion are left in `directory` for debugging.
pub(crate) fn convert(
    converter: &Path,
    case: &Case,
    input: &[Value],
    directory: &Path,
) -> Result<Conversion> {
    let report: PathBuf = directory.join("report.json");
    let (namespace, name) = DEFAULT_CERTIFICATE;
    let mut command = Command::new(converter);
    command
        .arg("convert")
        .arg(case.input())
        .arg("--report")
        .arg(format!("json={}", report.display()))
        .args(["--default-ssl-certificate", &format!("{namespace}/{name}")]);
    let (namespace, name) = CONTROLLER_CONFIG;
    if has_configuration(input) {
        command.args(["--controller-config", &format!("{namespace}/{name}")]);
    }
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run the converter {}", converter.display()))?;
    fs::write(directory.join("output.yaml"), &output.stdout)?;
    fs::write(directory.join("diagnostics.txt"), &output.stderr)?;
    let exit_code = output.status.code().unwrap_or(-1);
    if !matches!(exit_code, 0 | 1 | 3) {
        let complaint = String::from_utf8_lossy(&output.stderr);
        bail!(
            "the converter ended with {}: {}",
            output.status,
            complaint.trim()
        );
    }
    let text = String::from_utf8(output.stdout).context("the output is not UTF-8")?;
    let report = if report.is_file() {
        serde_json::from_str::<Report>(&fs::read_to_string(&report)?)
            .context("the converter's report")?
    } else {
        bail!("the converter wrote no report");
    };
    let mut output = documents(&text).context("the converter's output")?;
    // The stack has no cert-manager, and a certificate is there already.
    output.retain(|(_, value)| {
        let version = value["apiVersion"].as_str().unwrap_or_default();
        !version.starts_with("cert-manager.io/")
    });
    Ok(Conversion {
        output,
        text,
        diagnostics: report.diagnostics,
        exit_code,
    })
}

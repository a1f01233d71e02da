//! The proof: what the input means, against objects read back from text.

use std::collections::BTreeMap;

use gatewright_diagnostics::render::DiagnosticRecord;
use gatewright_diagnostics::{Code, Diagnostic, Severity};
use gatewright_model::Model;
use gatewright_source::{FileId, SourceMap, Span};
use gatewright_verify::{Difference, HostReport, Objects, Side, Verdict, Verification};
use serde::Serialize;

use crate::{Conversion, Emit, Input, Options, pipeline, redact};

/// What a run of `verify` yields.
#[derive(Debug)]
pub struct Verified {
    /// The texts that the diagnostics point into.
    pub sources: SourceMap,
    /// Host by host.
    pub verification: Verification,
    /// The differences as findings, behind what reading the objects brought up.
    pub diagnostics: Vec<Diagnostic>,
    /// What converting the input brought up; its texts are among `sources`.
    pub conversion: Conversion,
    /// Documents of either side that could not be read.
    pub unreadable: usize,
    /// The model of the input.
    pub model: Model,
    /// The objects that it was compared with.
    pub objects: Objects,
    /// The output of the conversion, if it is what was compared.
    pub output: Option<FileId>,
}

/// What the inputs mean, and the objects that are to do the same.
pub(crate) struct Sides {
    pub(crate) sources: SourceMap,
    /// Without its texts and output, which are among `sources`.
    pub(crate) conversion: Conversion,
    pub(crate) model: Model,
    pub(crate) objects: Objects,
    /// Whether they are others than those that the conversion writes.
    pub(crate) given: bool,
    /// The output of the conversion.
    pub(crate) output: FileId,
    /// What reading the objects brought up.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Documents of the objects that could not be read.
    pub(crate) unreadable: usize,
}

impl Sides {
    /// Reads both: the objects are those `against`, or else the output of the conversion.
    pub(crate) fn read(inputs: Vec<Input>, against: Option<Vec<Input>>, options: &Options) -> Self {
        let options = Options {
            // Routes alone do not say what listens.
            emit: Emit::All,
            comments: false,
            ..options.clone()
        };
        let (mut conversion, model) = pipeline::run(inputs, &options, |model| model);
        let mut sources = std::mem::take(&mut conversion.sources);
        let output = sources.add(
            "<output>",
            std::mem::take(&mut conversion.output).to_string(),
        );
        let given = against.is_some();
        let files = against.map_or_else(
            || vec![output],
            |inputs| {
                let add = |Input { name, text }| sources.add(name, text);
                inputs.into_iter().map(add).collect()
            },
        );
        let (objects, diagnostics) = read(&files, &options, &mut sources);
        let errors = diagnostics
            .iter()
            .filter(|found| found.severity == Severity::Error);
        Self {
            sources,
            conversion,
            model,
            objects,
            given,
            output,
            unreadable: errors.count(),
            diagnostics,
        }
    }
}

/// The objects of some texts, and what reading them brought up.
fn read(
    files: &[FileId],
    options: &Options,
    sources: &mut SourceMap,
) -> (Objects, Vec<Diagnostic>) {
    let (mut objects, mut diagnostics) = (Objects::default(), Vec::new());
    for &file in files {
        let parsed = gatewright_yaml::parse(file, sources.file(file).text());
        redact::hide(redact::secrets(&parsed, sources), sources);
        let (found, mut faults) = Objects::read(&parsed.documents);
        faults.extend(objects.extend(found));
        diagnostics.extend(parsed.diagnostics.into_iter().chain(faults));
    }
    let plain = options.listeners.0.clone();
    (objects.with_plain_listener(plain), diagnostics)
}

/// Compares what the inputs mean with objects: those `against`, or else with the output of the
/// conversion.
pub fn verify(inputs: Vec<Input>, against: Option<Vec<Input>>, options: &Options) -> Verified {
    let Sides {
        mut sources,
        conversion,
        model,
        objects,
        given,
        output,
        mut diagnostics,
        unreadable,
    } = Sides::read(inputs, against, options);
    let own = given.then(|| read(&[output], options, &mut sources).0);
    let findings = &conversion.diagnostics;
    let verification = gatewright_verify::verify(&model, &objects, own.as_ref(), findings);
    diagnostics.extend(gatewright_verify::diagnostics(&model, &verification, given));
    Verified {
        sources,
        verification,
        diagnostics,
        unreadable: unreadable + conversion.unreadable,
        conversion,
        model,
        objects,
        output: (!given).then_some(output),
    }
}

/// The proof as one JSON document.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    version: u32,
    outcome: String,
    paths: &'static str,
    compared: &'static str,
    not_compared: &'static str,
    assumed: &'a [String],
    hosts: Vec<HostRecord<'a>>,
    diagnostics: Vec<DiagnosticRecord<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct HostRecord<'a> {
    name: &'a str,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    path_classes: usize,
    requests: usize,
    by_example: bool,
    differences: Vec<DifferenceRecord<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DifferenceRecord<'a> {
    class: &'static str,
    aspects: Vec<&'static str>,
    declared: Option<Code>,
    request: RequestRecord<'a>,
    both_schemes: bool,
    nginx: SideRecord<'a>,
    envoy: SideRecord<'a>,
}

#[derive(Debug, Serialize)]
struct RequestRecord<'a> {
    method: &'a str,
    url: String,
    headers: BTreeMap<&'a str, &'a str>,
}

#[derive(Debug, Serialize)]
struct SideRecord<'a> {
    does: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
}

impl Verified {
    /// The proof as one JSON document.
    pub fn report_json(&self) -> String {
        let report = Report {
            version: gatewright_diagnostics::render::JSON_VERSION,
            outcome: gatewright_verify::last_line(&self.verification),
            paths: gatewright_verify::NORMAL_FORM,
            compared: gatewright_verify::COMPARED,
            not_compared: gatewright_verify::NOT_COMPARED,
            assumed: &self.verification.assumptions,
            hosts: self
                .verification
                .hosts
                .iter()
                .map(|host| self.host(host))
                .collect(),
            diagnostics: DiagnosticRecord::all(&self.sources, &self.diagnostics),
        };
        gatewright_diagnostics::render::to_json(&report)
    }

    fn host<'a>(&'a self, host: &'a HostReport) -> HostRecord<'a> {
        HostRecord {
            name: &host.name,
            verdict: host.verdict.word(),
            reason: match &host.verdict {
                Verdict::NotDecided(why) => Some(why),
                Verdict::Equivalent | Verdict::Declared | Verdict::Differs => None,
            },
            path_classes: host.classes,
            requests: host.requests,
            by_example: host.by_example,
            differences: host
                .differences
                .iter()
                .map(|found| self.difference(found))
                .collect(),
        }
    }

    fn difference<'a>(&'a self, found: &'a Difference) -> DifferenceRecord<'a> {
        let request = &found.witness;
        DifferenceRecord {
            class: found.class.word(),
            aspects: found.aspects.iter().map(|aspect| aspect.word()).collect(),
            declared: found.declared,
            request: RequestRecord {
                method: &request.method,
                url: format!(
                    "{}://{}{}",
                    request.scheme(),
                    request.host,
                    request.target()
                ),
                headers: request
                    .headers
                    .iter()
                    .map(|(n, v)| (n.as_str(), v.as_str()))
                    .collect(),
            },
            both_schemes: found.both_schemes,
            nginx: self.side(&found.nginx),
            envoy: self.side(&found.envoy),
        }
    }

    fn side<'a>(&'a self, side: &'a Side) -> SideRecord<'a> {
        let place = |span: Span| {
            let file = self.sources.file(span.file);
            let at = file.position(span.start);
            format!("{}:{}:{}", file.name(), at.line, at.column)
        };
        SideRecord {
            does: side.behaviour.to_string(),
            rule: side.rule.as_deref(),
            place: side.span.map(place),
        }
    }
}

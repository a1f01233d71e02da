use gatewright_diagnostics::render::{DiagnosticRecord, OutcomeRecord};
use serde::Serialize;

use crate::Conversion;

/// Counts of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Files read.
    pub files: usize,
    /// Documents in them.
    pub documents: usize,
    /// Ingresses converted.
    pub ingresses: usize,
    /// Ingresses left out by class, namespace or name.
    pub skipped_ingresses: usize,
    /// Route rules written.
    pub rules: usize,
    /// Hosts served.
    pub hosts: usize,
    /// Objects written, by kind.
    pub objects: Vec<ObjectCount>,
    /// What became of annotations and fields.
    pub outcomes: OutcomeCounts,
    /// Findings at error level.
    pub errors: usize,
    /// Findings at warning level.
    pub warnings: usize,
    /// Findings at info level.
    pub infos: usize,
}

/// How many objects of a kind were written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ObjectCount {
    /// The kind, such as `HTTPRoute`.
    pub kind: String,
    /// How many.
    pub count: usize,
}

/// What became of annotations and fields, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OutcomeCounts {
    /// The output says the same.
    pub translated: usize,
    /// The output says nearly the same.
    pub differences: usize,
    /// It changes nothing here.
    pub no_effect: usize,
    /// It was not carried over.
    pub refused: usize,
}

/// What the cluster needs before the output can be applied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Prerequisites {
    /// Oldest Gateway API release whose CRDs suffice; `None` when nothing is emitted.
    pub gateway_api: Option<String>,
    /// Oldest Envoy Gateway release that suffices; `None` when nothing is emitted.
    pub envoy_gateway: Option<String>,
    /// Switches under `config.envoyGateway.extensionApis` that must be on, such as `enableBackend`.
    pub extension_apis: Vec<String>,
    /// Anything else, a sentence each.
    pub notes: Vec<String>,
}

/// The whole account of a run, as JSON holds it.
#[derive(Debug, Serialize)]
pub struct Report<'a> {
    /// Version of this document's shape; a new field does not change it.
    pub version: u32,
    /// All findings, sorted.
    pub diagnostics: Vec<DiagnosticRecord<'a>>,
    /// Every annotation and field with what became of it.
    pub outcomes: Vec<OutcomeRecord<'a>>,
    /// Counts.
    pub summary: &'a Summary,
    /// What the cluster needs.
    pub prerequisites: &'a Prerequisites,
}

impl Conversion {
    /// The account of this run.
    pub fn report(&self) -> Report<'_> {
        Report {
            version: gatewright_diagnostics::render::JSON_VERSION,
            diagnostics: DiagnosticRecord::all(&self.sources, &self.diagnostics),
            outcomes: OutcomeRecord::all(&self.sources, &self.ledger),
            summary: &self.summary,
            prerequisites: &self.prerequisites,
        }
    }

    /// The account of this run as one JSON document.
    pub fn report_json(&self) -> String {
        gatewright_diagnostics::render::to_json(&self.report())
    }
}

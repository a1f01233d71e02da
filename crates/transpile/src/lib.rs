//! The pipeline: texts in, YAML and an account of everything in them out.
//!
//! Pure: it opens no file and prints nothing, so that the command line, a server
//! and a browser can all stand on it.

pub mod audit;
pub mod diff;
mod differences;
mod example;
mod gather;
pub mod krm;
mod options;
mod output;
mod pipeline;
pub mod plan;
mod redact;
mod report;
pub mod route;
mod scout;
mod verify;
mod write;

use std::fmt::Write as _;
use std::sync::Arc;

use gatewright_diagnostics::{Diagnostic, Ledger};
use gatewright_nginx::registry::{self, KeyClass};
use gatewright_source::{FileId, SourceMap};

pub use example::{Change, Example, example};
pub use gatewright_nginx::{Name, Named, Need, Told, Workload};
pub use options::{Emit, NginxVersion, NoClass, Options, Profile};
pub use output::{Output, Place};
pub use pipeline::GATEWAY;
pub use report::{ObjectCount, OutcomeCounts, Prerequisites, Report, Summary};
pub use scout::{Scout, workload};
pub use verify::{Verified, verify};

/// One file.
#[derive(Clone, Debug)]
pub struct Input {
    /// The path as diagnostics show it, or `<stdin>`.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// A document of the output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Where [`Output::document`] finds its text.
    pub place: Place,
    /// The files of the objects that it is written for, in order; empty when it serves all of
    /// them.
    pub files: Vec<FileId>,
    /// The kind of its object.
    pub kind: &'static str,
    /// The namespace of its object; empty for a cluster-wide one.
    pub namespace: Arc<str>,
    /// The name of its object.
    pub name: String,
    /// Namespace and name of the Ingresses that it is written for, in order.
    pub ingresses: Vec<(Arc<str>, Arc<str>)>,
    /// Whose it is: the platform team's, not the application teams'.
    pub infra: bool,
    /// Whether nobody should read it.
    pub sensitive: bool,
}

impl Verified {
    /// A line for each host, what the verdicts rest on (left out where `short`), and the outcome.
    pub fn table(&self, short: bool) -> String {
        gatewright_verify::table(&self.verification, short)
    }
}

/// What a run yields.
#[derive(Debug)]
pub struct Conversion {
    /// The texts that the diagnostics point into.
    pub sources: SourceMap,
    /// All findings, sorted.
    pub diagnostics: Vec<Diagnostic>,
    /// The account of every annotation and field.
    pub ledger: Ledger,
    /// The YAML; empty when there is nothing to emit.
    pub output: Output,
    /// Which part of the output is which document, in order.
    pub written: Vec<Written>,
    /// Namespace and name of the Ingresses that were converted.
    pub ingresses: Vec<(Arc<str>, Arc<str>)>,
    /// Counts.
    pub summary: Summary,
    /// What the cluster needs before the output can be applied.
    pub prerequisites: Prerequisites,
    /// Documents that could not be read.
    pub unreadable: usize,
}

impl Conversion {
    /// The output without what is sensitive, and that by itself; each may be empty.
    pub fn apart(&self) -> (String, String) {
        let (mut plain, mut sensitive) = (String::new(), String::new());
        for written in &self.written {
            let text = if written.sensitive {
                &mut sensitive
            } else {
                &mut plain
            };
            if !text.is_empty() {
                text.push_str("---\n");
            }
            text.push_str(self.output.document(written));
        }
        (plain, sensitive)
    }
}

/// Converts all inputs together: ingress-nginx merges Ingresses across files, so a file
/// alone does not say what its rules do.
pub fn convert(inputs: Vec<Input>, options: &Options) -> Conversion {
    pipeline::run(inputs, options, drop).0
}

/// The explain page of an annotation key, given with or without prefix. `None` for a word
/// that is no key, which a slip of the pen is too: what was meant has the page.
pub fn explain_annotation(key: &str) -> Option<String> {
    let name = key.rsplit('/').next().unwrap_or(key);
    if matches!(registry::classify_own(name), KeyClass::Misspelt { .. }) {
        return None;
    }
    let mut text = registry::explain(name)?;
    if let Some(example) = example(name) {
        let _ = write!(text, "\n{example}");
    }
    Some(text)
}

/// All annotation keys (without prefix) that [`explain_annotation`] knows, in ascending order.
pub fn annotation_keys() -> Vec<&'static str> {
    let mut keys: Vec<&'static str> = registry::entries()
        .flat_map(|entry| std::iter::once(entry.key).chain(entry.aliases.iter().copied()))
        .collect();
    keys.sort_unstable();
    keys
}

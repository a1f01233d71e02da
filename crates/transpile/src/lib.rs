//! The pipeline: texts in, YAML and an account of everything in them out.
//!
//! Pure: it opens no file and prints nothing, so that the command line, a server
//! and a browser can all stand on it.

pub mod diff;
mod differences;
mod options;
mod pipeline;
mod report;
pub mod route;
mod verify;
mod write;

use std::ops::Range;

use gatewright_diagnostics::{Diagnostic, Ledger};
use gatewright_nginx::registry::{self, KeyClass};
use gatewright_source::{FileId, SourceMap};

pub use options::{Emit, NginxVersion, NoClass, Options};
pub use report::{ObjectCount, OutcomeCounts, Prerequisites, Report, Summary};
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
    /// Its text in the output, with the `---` before it unless it is the first.
    pub range: Range<usize>,
    /// The files of the objects that it is written for, in order; empty when it serves all of
    /// them.
    pub files: Vec<FileId>,
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
    pub output: String,
    /// Which part of the output is which document, in order.
    pub written: Vec<Written>,
    /// Counts.
    pub summary: Summary,
    /// What the cluster needs before the output can be applied.
    pub prerequisites: Prerequisites,
    /// Documents that could not be read.
    pub unreadable: usize,
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
    match registry::classify_own(name) {
        KeyClass::Misspelt { .. } => None,
        _ => registry::explain(name),
    }
}

/// All annotation keys (without prefix) that [`explain_annotation`] knows, in ascending order.
pub fn annotation_keys() -> Vec<&'static str> {
    let mut keys: Vec<&'static str> = registry::entries()
        .flat_map(|entry| std::iter::once(entry.key).chain(entry.aliases.iter().copied()))
        .collect();
    keys.sort_unstable();
    keys
}

//! The proof: what the input means, against objects read back from text.

use gatewright_diagnostics::{Diagnostic, Severity};
use gatewright_model::Model;
use gatewright_source::SourceMap;
use gatewright_verify::{Objects, Verification};

use crate::{Conversion, Emit, Input, Options, pipeline};

/// What a run of `verify` yields.
#[derive(Debug)]
pub struct Verified {
    /// The texts that the diagnostics point into.
    pub sources: SourceMap,
    /// Host by host.
    pub verification: Verification,
    /// The differences as findings, behind what reading the objects brought up.
    pub diagnostics: Vec<Diagnostic>,
    /// What converting the input brought up.
    pub conversion: Conversion,
    /// Documents of either side that could not be read.
    pub unreadable: usize,
    /// The model of the input.
    pub model: Model,
    /// The objects that it was compared with.
    pub objects: Objects,
}

/// Compares what the inputs mean with objects: those `against`, or else with the output of the
/// conversion.
pub fn verify(inputs: Vec<Input>, against: Option<Vec<Input>>, options: &Options) -> Verified {
    let options = Options {
        // Routes alone do not say what listens.
        emit: Emit::All,
        comments: false,
        threads: options.threads,
        ..options.clone()
    };
    let (mut conversion, model) = pipeline::run(inputs, &options, |model| model);
    let mut sources = std::mem::take(&mut conversion.sources);
    let own = against.is_none();
    let texts = against.unwrap_or_else(|| {
        vec![Input {
            name: "<output>".to_owned(),
            text: std::mem::take(&mut conversion.output),
        }]
    });
    let (mut objects, mut diagnostics, mut unreadable) = (Objects::default(), Vec::new(), 0);
    for Input { name, text } in texts {
        let file = sources.add(name, text);
        let parsed = gatewright_yaml::parse(file, sources.file(file).text());
        let (found, faults) = Objects::read(&parsed.documents);
        objects.extend(found);
        let errors = |all: &[Diagnostic]| all.iter().filter(|d| d.severity == Severity::Error).count();
        unreadable += errors(&parsed.diagnostics) + errors(&faults);
        diagnostics.extend(parsed.diagnostics);
        diagnostics.extend(faults);
    }
    let verification = gatewright_verify::verify(&model, &objects, &conversion.diagnostics);
    diagnostics.extend(gatewright_verify::diagnostics(&model, &verification, !own));
    Verified {
        sources,
        verification,
        diagnostics,
        unreadable: unreadable + conversion.unreadable,
        conversion,
        model,
        objects,
    }
}

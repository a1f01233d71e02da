//! What is promised of a whole conversion.

use gatewright_diagnostics::Severity;
use gatewright_diagnostics::render::{Format, render};
use gatewright_transpile::{Conversion, Input, NoClass, Options, convert};

use crate::proof;
use crate::sound::sound;

/// What the command line does, in one thread, and with Ingresses that name no class.
pub fn options() -> Options {
    Options {
        no_class: NoClass::Include,
        threads: Some(1),
        ..Options::default()
    }
}

/// One input with this text.
pub fn input(text: impl Into<String>) -> Vec<Input> {
    vec![Input {
        name: "input.yaml".to_owned(),
        text: text.into(),
    }]
}

/// Asserts all that is promised of the conversion of a text.
pub fn hold(text: &str) {
    let conversion = hold_in(text, Format::ALL);
    alone(text, &conversion);
}

/// The same for one thread and for some formats of the findings, where many texts are to be
/// tried.
pub fn hold_in(text: &str, formats: &[Format]) -> Conversion {
    let conversion = convert(input(text), &options());
    let _ = sound(&conversion);
    readable(&conversion, formats);
    let _ = proof::proved(input(text), &options());
    conversion
}

/// No control character gets to a terminal or into an object, and each error says where it is.
fn readable(conversion: &Conversion, formats: &[Format]) {
    let output = conversion.output.to_string();
    let raw = |c: char| c.is_control() && c != '\n' && c != '\t';
    assert!(!output.contains(raw), "raw in the output: {output:?}");
    for &format in formats {
        let text = render(format, &conversion.sources, &conversion.diagnostics, false);
        // JSON is for programs; it escapes what ASCII calls control.
        let raw = |c: char| c.is_control() && c != '\n' && (c.is_ascii() || !format.is_document());
        assert!(!text.contains(raw), "raw in {format}: {text:?}");
    }
    let errors = conversion.diagnostics.iter();
    for error in errors.filter(|found| found.severity == Severity::Error) {
        let span = error.span();
        let span = span.unwrap_or_else(|| panic!("nowhere: {error:?}"));
        let text = conversion.sources.file(span.file).text();
        assert!(text.get(span.start as usize..span.end as usize).is_some());
        assert!(!error.message.is_empty());
    }
}

/// What several threads make is what one makes.
fn alone(text: &str, expected: &Conversion) {
    let options = Options {
        threads: Some(2),
        ..options()
    };
    let found = convert(input(text), &options);
    assert!(
        found.output == expected.output,
        "two threads write other bytes"
    );
    assert_eq!(
        found.diagnostics, expected.diagnostics,
        "two threads say otherwise"
    );
    assert_eq!(found.report_json(), expected.report_json());
}

/// What was found, wherever it stands.
pub fn findings(conversion: &Conversion) -> Vec<String> {
    let show = |found: &gatewright_diagnostics::Diagnostic| {
        format!("{} {:?} {}", found.code, found.object, found.message)
    };
    let mut findings: Vec<String> = conversion.diagnostics.iter().map(show).collect();
    findings.sort();
    findings
}

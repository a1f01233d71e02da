use gatewright_source::{SourceMap, Span};
use serde::Serialize;

use crate::{Code, Diagnostic, Ledger, ObjectRef, Outcome, Severity};

/// Version of the shape of all JSON documents; a new field does not change it.
pub const JSON_VERSION: u32 = 1;

/// A place, counted from 1; the end is the first column behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Location<'a> {
    /// The path as it was given, or `<stdin>`.
    pub file: &'a str,
    /// Line of the first character.
    pub line: u32,
    /// Column of the first character, in characters.
    pub column: u32,
    /// Line of the end.
    pub end_line: u32,
    /// Column of the end.
    pub end_column: u32,
}

impl<'a> Location<'a> {
    /// The place of a span.
    pub fn new(sources: &'a SourceMap, span: Span) -> Self {
        let file = sources.file(span.file);
        let (start, end) = (file.position(span.start), file.position(span.end));
        Self {
            file: file.name(),
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
        }
    }
}

/// A place with a remark.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LabelRecord<'a> {
    /// The place.
    #[serde(flatten)]
    pub location: Location<'a>,
    /// What is to be seen there; may be empty.
    pub text: &'a str,
}

/// A diagnostic as JSON holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DiagnosticRecord<'a> {
    /// Its code, such as `GW0102`.
    pub code: Code,
    /// The code in words.
    pub name: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: &'a str,
    /// The object it is about.
    pub object: Option<&'a ObjectRef>,
    /// The annotation key (without prefix) it is about.
    pub annotation: Option<&'a str>,
    /// The primary place.
    pub location: Option<Location<'a>>,
    /// All places, the primary one first.
    pub labels: Vec<LabelRecord<'a>>,
    /// Consequences and background.
    pub notes: &'a [String],
    /// What a person can change.
    pub help: &'a [String],
}

impl<'a> DiagnosticRecord<'a> {
    /// The record of one diagnostic.
    pub fn new(sources: &'a SourceMap, diagnostic: &'a Diagnostic) -> Self {
        let Diagnostic {
            code,
            severity,
            message,
            object,
            annotation,
            labels,
            notes,
            helps,
        } = diagnostic;
        Self {
            code: *code,
            name: code.info().name,
            severity: *severity,
            message,
            object: object.as_ref(),
            annotation: annotation.as_deref(),
            location: diagnostic.span().map(|span| Location::new(sources, span)),
            labels: labels
                .iter()
                .map(|label| LabelRecord {
                    location: Location::new(sources, label.span),
                    text: &label.text,
                })
                .collect(),
            notes,
            help: helps,
        }
    }

    /// The records of all diagnostics, in the order given.
    pub fn all(sources: &'a SourceMap, diagnostics: &'a [Diagnostic]) -> Vec<Self> {
        diagnostics
            .iter()
            .map(|diagnostic| Self::new(sources, diagnostic))
            .collect()
    }
}

/// What became of one annotation or field, as JSON holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OutcomeRecord<'a> {
    /// The object it stands in.
    pub object: &'a ObjectRef,
    /// Path inside the object, such as `spec.rules[0].host`.
    pub path: &'a str,
    /// `translated`, `difference`, `no-effect` or `refused`; null only when the run is faulty.
    pub outcome: Option<&'static str>,
    /// The code of the diagnostic that tells more.
    pub code: Option<Code>,
    /// Why it changes nothing.
    pub reason: Option<&'a str>,
    /// Where it stands.
    pub location: Location<'a>,
}

impl<'a> OutcomeRecord<'a> {
    /// The records of all items of a ledger.
    pub fn all(sources: &'a SourceMap, ledger: &'a Ledger) -> Vec<Self> {
        ledger
            .items()
            .map(|(object, item)| {
                let (outcome, code, reason) = match &item.outcome {
                    None => (None, None, None),
                    Some(Outcome::Translated) => (Some("translated"), None, None),
                    Some(Outcome::Difference(code)) => (Some("difference"), Some(*code), None),
                    Some(Outcome::NoEffect(why)) => (Some("no-effect"), None, Some(&**why)),
                    Some(Outcome::Refused(code)) => (Some("refused"), Some(*code), None),
                };
                Self {
                    object,
                    path: item.path,
                    outcome,
                    code,
                    reason,
                    location: Location::new(sources, item.span),
                }
            })
            .collect()
    }
}

/// `value` as an indented JSON document that ends with a line break.
pub fn to_json(value: &impl Serialize) -> String {
    // Records have string keys and no failing serialisers, so the error cannot happen.
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    // These stand in strings only, and a terminal may act on them.
    let is_raw = |c: char| c.is_control() && c != '\n';
    if text.contains(is_raw) {
        let escaped = |c: char| match c {
            c if is_raw(c) => format!("\\u{:04x}", u32::from(c)),
            c => c.to_string(),
        };
        text = text.chars().map(escaped).collect();
    }
    text
}

pub(super) fn render(sources: &SourceMap, diagnostics: &[Diagnostic]) -> String {
    #[derive(Serialize)]
    struct Document<'a> {
        version: u32,
        diagnostics: Vec<DiagnosticRecord<'a>>,
    }
    to_json(&Document {
        version: JSON_VERSION,
        diagnostics: DiagnosticRecord::all(sources, diagnostics),
    })
}

#[cfg(test)]
mod tests {
    use gatewright_source::Span;

    use super::*;
    use crate::render::Format;
    use crate::render::fixtures::check;

    #[test]
    fn one_document() {
        check(Format::Json, "json");
    }

    #[test]
    fn outcomes_name_code_or_reason() {
        let mut sources = SourceMap::default();
        let file = sources.add("a.yaml", "a: b\n");
        let object = ObjectRef::new("Ingress", "shop", "web");
        let mut ledger = Ledger::default();
        for outcome in [
            Outcome::Translated,
            Outcome::Refused(Code::HelmTemplate),
            Outcome::no_effect("it is the default"),
        ] {
            let span = Span::new(file, 0, 1);
            let opened = {
                let path = ledger.path("spec");
                ledger.open(&object, [(path, span)])
            };
            ledger.settle(opened, span, &outcome);
        }
        let told: Vec<_> = OutcomeRecord::all(&sources, &ledger)
            .iter()
            .map(|r| (r.outcome, r.code, r.reason))
            .collect();
        assert_eq!(
            told,
            [
                (Some("translated"), None, None),
                (Some("refused"), Some(Code::HelmTemplate), None),
                (Some("no-effect"), None, Some("it is the default")),
            ]
        );
    }
}

//! Helpers of the families' tests.

use std::fmt::Write as _;

use gatewright_diagnostics::ObjectRef;
use gatewright_source::{FileId, Span};

use super::{Annotation, AnnotationResult, ControllerVersion, KeyStatus};
use crate::config_map::Config;

/// Places as if the annotations stood one after the other.
pub(crate) fn annotations<'a>(pairs: &[(&'a str, &'a str)]) -> Vec<Annotation<'a>> {
    let mut at = 0;
    let mut span = |text: &str| {
        let start = at;
        at += u32::try_from(text.len()).unwrap();
        Span::new(FileId(0), start, at)
    };
    pairs
        .iter()
        .map(|&(key, value)| Annotation {
            written: key,
            key,
            value,
            key_span: span(key),
            value_span: span(value),
        })
        .collect()
}

pub(crate) fn read_as(
    pairs: &[(&str, &str)],
    config: &Config,
    version: ControllerVersion,
) -> AnnotationResult {
    let object = ObjectRef::new("Ingress", "shop", "web");
    super::read(annotations(pairs), config, version, &object)
}

pub(crate) fn read(pairs: &[(&str, &str)]) -> AnnotationResult {
    read_as(pairs, &Config::default(), ControllerVersion::V1_15)
}

/// Reads the keys as v1.15 and compares what became of each.
#[track_caller]
pub(crate) fn check(pairs: &[(&str, &str)], expected: &str) {
    assert_eq!(statuses(&read(pairs)), expected, "{pairs:?}");
}

pub(crate) fn statuses(result: &AnnotationResult) -> String {
    let mut text = String::new();
    for note in &result.notes {
        let status = match note.status {
            KeyStatus::Taken => "taken",
            KeyStatus::Ignored { .. } => "ignored",
            KeyStatus::Unknown(_) => "unknown",
            KeyStatus::Rejected => "rejected",
            KeyStatus::Denied => "denied",
            KeyStatus::Breaks => "breaks",
        };
        if !text.is_empty() {
            text.push_str(", ");
        }
        let _ = write!(text, "{}: {status}", note.key);
    }
    text
}

/// The codes of all diagnostics.
pub(crate) fn codes(result: &AnnotationResult) -> Vec<gatewright_diagnostics::Code> {
    result
        .diagnostics
        .iter()
        .map(|diagnostic| diagnostic.code)
        .collect()
}

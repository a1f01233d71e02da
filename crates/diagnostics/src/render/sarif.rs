//! SARIF 2.1.0, the exchange format of analysers: only the part that we fill.

use std::fmt::Write as _;

use gatewright_source::SourceMap;
use serde::Serialize;

use super::fingerprint::fingerprints;
use super::{Location, to_json};
use crate::{Code, Diagnostic, ObjectRef, Severity};

#[derive(Serialize)]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Tool,
    results: Vec<SarifResult<'a>>,
    column_kind: &'static str,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    version: &'static str,
    information_uri: &'static str,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: Code,
    name: String,
    short_description: Text<&'static str>,
    help: Help,
    default_configuration: Configuration,
}

#[derive(Serialize)]
struct Text<T> {
    text: T,
}

#[derive(Serialize)]
struct Help {
    text: &'static str,
    markdown: &'static str,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult<'a> {
    rule_id: Code,
    rule_index: usize,
    level: &'static str,
    message: Text<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    locations: Vec<Place<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Place<'a>>,
    partial_fingerprints: Fingerprints,
}

#[derive(Serialize)]
struct Fingerprints {
    #[serde(rename = "gatewright/v1")]
    v1: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Place<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    physical_location: Option<Physical>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    logical_locations: Vec<Logical>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Text<&'a str>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Artifact,
    region: Region,
}

#[derive(Serialize)]
struct Artifact {
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    start_column: u32,
    end_line: u32,
    end_column: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Logical {
    fully_qualified_name: String,
    kind: &'static str,
}

pub(super) fn render(sources: &SourceMap, diagnostics: &[Diagnostic]) -> String {
    let mut codes: Vec<Code> = diagnostics.iter().map(|d| d.code).collect();
    codes.sort_unstable();
    codes.dedup();
    let results = diagnostics
        .iter()
        .zip(fingerprints(sources, diagnostics))
        .map(|(diagnostic, v1)| SarifResult {
            rule_id: diagnostic.code,
            rule_index: codes.partition_point(|&code| code < diagnostic.code),
            level: level(diagnostic.severity),
            message: Text {
                text: message(diagnostic),
            },
            locations: primary(sources, diagnostic).into_iter().collect(),
            related_locations: related(sources, diagnostic),
            partial_fingerprints: Fingerprints { v1 },
        })
        .collect();
    to_json(&Log {
        schema: "https://json.schemastore.org/sarif-2.1.0.json",
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver {
                    name: "gatewright",
                    version: env!("CARGO_PKG_VERSION"),
                    information_uri: env!("CARGO_PKG_REPOSITORY"),
                    rules: codes.iter().map(|&code| rule(code)).collect(),
                },
            },
            results,
            column_kind: "unicodeCodePoints",
        }],
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn rule(code: Code) -> Rule {
    let info = code.info();
    Rule {
        id: code,
        name: pascal_case(info.name),
        short_description: Text { text: info.title },
        help: Help {
            text: info.explanation,
            markdown: info.explanation,
        },
        default_configuration: Configuration {
            level: level(info.severity),
        },
    }
}

/// `HelmTemplate` of `helm-template`; viewers expect names of rules to look so.
fn pascal_case(name: &str) -> String {
    name.split('-')
        .flat_map(|word| {
            let mut chars = word.chars();
            let first = chars.next().map(|c| c.to_ascii_uppercase());
            first.into_iter().chain(chars)
        })
        .collect()
}

fn message(diagnostic: &Diagnostic) -> String {
    let mut text = diagnostic.message.clone();
    for note in &diagnostic.notes {
        let _ = write!(text, "\nnote: {note}");
    }
    for help in &diagnostic.helps {
        let _ = write!(text, "\nhelp: {help}");
    }
    text
}

fn primary<'a>(sources: &SourceMap, diagnostic: &'a Diagnostic) -> Option<Place<'a>> {
    let label = diagnostic.labels.first();
    let place = Place {
        id: None,
        physical_location: label.map(|l| physical(&Location::new(sources, l.span))),
        logical_locations: diagnostic.object.iter().map(logical).collect(),
        message: label
            .map(|l| l.text.as_str())
            .filter(|t| !t.is_empty())
            .map(|text| Text { text }),
    };
    (place.physical_location.is_some() || !place.logical_locations.is_empty()).then_some(place)
}

fn related<'a>(sources: &SourceMap, diagnostic: &'a Diagnostic) -> Vec<Place<'a>> {
    let others = diagnostic.labels.iter().enumerate().skip(1);
    others
        .map(|(index, label)| Place {
            id: Some(index),
            physical_location: Some(physical(&Location::new(sources, label.span))),
            logical_locations: Vec::new(),
            message: Some(Text {
                text: label.text.as_str(),
            }),
        })
        .collect()
}

fn physical(location: &Location<'_>) -> Physical {
    Physical {
        artifact_location: Artifact {
            uri: uri(location.file),
        },
        region: Region {
            start_line: location.line,
            start_column: location.column,
            end_line: location.end_line,
            end_column: location.end_column,
        },
    }
}

fn logical(object: &ObjectRef) -> Logical {
    Logical {
        fully_qualified_name: object.to_string(),
        kind: "object",
    }
}

/// A path as a URI reference. Relative paths stay relative, so that the file means the
/// same on the machine that shows it.
fn uri(path: &str) -> String {
    let mut out = String::from(if path.starts_with('/') { "file://" } else { "" });
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Format;
    use crate::render::fixtures::check;

    #[test]
    fn log() {
        check(Format::Sarif, "sarif");
    }

    #[test]
    fn paths_become_uris() {
        assert_eq!(uri("apps/a b.yaml"), "apps/a%20b.yaml");
        assert_eq!(uri("/tmp/é.yaml"), "file:///tmp/%C3%A9.yaml");
        assert_eq!(pascal_case("helm-template"), "HelmTemplate");
    }
}

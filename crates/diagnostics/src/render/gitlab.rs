//! GitLab's code quality report, the part of Code Climate's format that it reads.

use gatewright_source::SourceMap;
use serde::Serialize;

use super::fingerprint::fingerprints;
use super::{Location, to_json};
use crate::{Diagnostic, Severity};

#[derive(Serialize)]
struct Issue<'a> {
    description: String,
    check_name: &'static str,
    fingerprint: String,
    severity: &'static str,
    location: Place<'a>,
}

#[derive(Serialize)]
struct Place<'a> {
    path: &'a str,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
    end: u32,
}

pub(super) fn render(sources: &SourceMap, diagnostics: &[Diagnostic]) -> String {
    let issues: Vec<_> = diagnostics
        .iter()
        .zip(fingerprints(sources, diagnostics))
        .map(|(diagnostic, fingerprint)| Issue {
            description: match &diagnostic.object {
                Some(object) => format!("{}: {object}: {}", diagnostic.code, diagnostic.message),
                None => format!("{}: {}", diagnostic.code, diagnostic.message),
            },
            check_name: diagnostic.code.info().name,
            fingerprint,
            severity: match diagnostic.severity {
                Severity::Error => "major",
                Severity::Warning => "minor",
                Severity::Info => "info",
            },
            location: place(sources, diagnostic),
        })
        .collect();
    to_json(&issues)
}

fn place<'a>(sources: &'a SourceMap, diagnostic: &Diagnostic) -> Place<'a> {
    let Some(span) = diagnostic.span() else {
        // A place is compulsory; the root of the repository is true of any input.
        let lines = Lines { begin: 1, end: 1 };
        return Place { path: ".", lines };
    };
    let location = Location::new(sources, span);
    Place {
        path: location.file,
        lines: Lines {
            begin: location.line,
            end: location.end_line,
        },
    }
}

#[cfg(test)]
mod tests {
    use crate::render::Format;
    use crate::render::fixtures::check;

    #[test]
    fn code_quality() {
        check(Format::Gitlab, "gitlab");
    }
}

//! Workflow commands of GitHub Actions, which become annotations on the changed lines.

use std::fmt::Write as _;

use gatewright_source::SourceMap;

use super::Location;
use super::text::printable_lines;
use crate::{Diagnostic, Severity};

pub(super) fn render(sources: &SourceMap, diagnostics: &[Diagnostic]) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        let command = match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "notice",
        };
        let _ = write!(out, "::{command} title={}", property(&title(diagnostic)));
        if let Some(span) = diagnostic.span() {
            let Location {
                file,
                line,
                column,
                end_line,
                end_column,
            } = Location::new(sources, span);
            let _ = write!(out, ",file={},line={line}", property(file));
            // A range over several lines is refused when it names columns.
            if line == end_line {
                let end_column = end_column.max(column);
                let _ = write!(
                    out,
                    ",endLine={end_line},col={column},endColumn={end_column}"
                );
            } else {
                let _ = write!(out, ",endLine={end_line}");
            }
        }
        let _ = writeln!(out, "::{}", data(&message(diagnostic)));
    }
    out
}

fn title(diagnostic: &Diagnostic) -> String {
    match &diagnostic.object {
        Some(object) => format!("{} {object}", diagnostic.code),
        None => diagnostic.code.to_string(),
    }
}

fn message(diagnostic: &Diagnostic) -> String {
    let mut text = diagnostic.message.clone();
    for help in &diagnostic.helps {
        let _ = write!(text, "\nhelp: {help}");
    }
    text
}

fn data(text: &str) -> String {
    printable_lines(text)
        .replace('%', "%25")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use crate::render::Format;
    use crate::render::fixtures::check;

    #[test]
    fn workflow_commands() {
        check(Format::Github, "github");
    }
}

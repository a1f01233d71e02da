//! XML as `JUnit` writes it: a suite for each file, so that files without findings show as passed.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use gatewright_source::SourceMap;

use super::{Location, printable};
use crate::{Diagnostic, Severity};

pub(super) fn render(sources: &SourceMap, diagnostics: &[Diagnostic]) -> String {
    let mut suites: Vec<(&str, Vec<&Diagnostic>)> = Vec::new();
    let mut index = BTreeMap::new();
    for (_, file) in sources.iter() {
        index.entry(file.name()).or_insert_with(|| {
            suites.push((file.name(), Vec::new()));
            suites.len() - 1
        });
    }
    let mut nowhere = Vec::new();
    for diagnostic in diagnostics {
        let name = diagnostic.span().map(|span| sources.file(span.file).name());
        match name.and_then(|name| index.get(name)) {
            Some(&at) => suites[at].1.push(diagnostic),
            None => nowhere.push(diagnostic),
        }
    }
    if !nowhere.is_empty() {
        suites.push(("gatewright", nowhere));
    }
    let tests: usize = suites.iter().map(|(_, found)| found.len().max(1)).sum();
    let failures = diagnostics.iter().filter(|d| failed(d)).count();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        out,
        "<testsuites name=\"gatewright\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\">"
    );
    for (file, found) in &suites {
        suite(&mut out, sources, file, found);
    }
    out.push_str("</testsuites>\n");
    out
}

fn suite(out: &mut String, sources: &SourceMap, file: &str, found: &[&Diagnostic]) {
    let file = escape(file);
    let failures = found.iter().filter(|d| failed(d)).count();
    let _ = writeln!(
        out,
        "  <testsuite name=\"{file}\" tests=\"{}\" failures=\"{failures}\" errors=\"0\">",
        found.len().max(1)
    );
    if found.is_empty() {
        let _ = writeln!(
            out,
            "    <testcase name=\"no findings\" classname=\"{file}\"/>"
        );
    }
    for diagnostic in found {
        let mut name = diagnostic.code.to_string();
        if let Some(object) = &diagnostic.object {
            let _ = write!(name, " {object}");
        }
        let _ = write!(
            out,
            "    <testcase name=\"{}\" classname=\"{file}\"",
            escape(&name)
        );
        let mut text = String::new();
        if let Some(span) = diagnostic.span() {
            let place = Location::new(sources, span);
            let _ = write!(out, " line=\"{}\"", place.line);
            let _ = write!(text, "{}:{}:{}: ", place.file, place.line, place.column);
        }
        text.push_str(&diagnostic.message);
        let notes = diagnostic.notes.iter().map(|note| ("note", note));
        let helps = diagnostic.helps.iter().map(|help| ("help", help));
        for (what, more) in notes.chain(helps) {
            let _ = write!(text, "\n{what}: {more}");
        }
        let (message, text) = (escape(&diagnostic.message), lines(&text));
        if failed(diagnostic) {
            let _ = writeln!(
                out,
                ">\n      <failure type=\"{}\" message=\"{message}\">{text}</failure>\n    </testcase>",
                diagnostic.severity
            );
        } else {
            let _ = writeln!(
                out,
                ">\n      <system-out>{text}</system-out>\n    </testcase>"
            );
        }
    }
    out.push_str("  </testsuite>\n");
}

fn failed(diagnostic: &Diagnostic) -> bool {
    diagnostic.severity > Severity::Info
}

/// `text` for an attribute or an element; XML cannot hold control characters at all.
fn escape(text: &str) -> String {
    printable(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}

fn lines(text: &str) -> String {
    text.split('\n').map(escape).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use crate::render::Format;
    use crate::render::fixtures::check;

    #[test]
    fn suites_of_files() {
        check(Format::Junit, "junit");
    }
}

//! Markdown for job summaries and comments: a list for each file.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use gatewright_source::SourceMap;

use super::printable;
use crate::{Diagnostic, Severity};

pub(super) fn render(sources: &SourceMap, diagnostics: &[Diagnostic]) -> String {
    let count = |severity, one: &str| {
        let number = diagnostics
            .iter()
            .filter(|d| d.severity == severity)
            .count();
        let plural = if number == 1 { "" } else { "s" };
        format!("{number} {one}{plural}")
    };
    let mut out = format!(
        "## Gatewright: {}, {}, {}\n",
        count(Severity::Error, "error"),
        count(Severity::Warning, "warning"),
        count(Severity::Info, "info"),
    );
    // Files in the order of their first finding; what has no place comes last.
    let mut files: Vec<(Option<&str>, Vec<&Diagnostic>)> = Vec::new();
    let mut index = BTreeMap::new();
    for diagnostic in diagnostics {
        let name = diagnostic.span().map(|span| sources.file(span.file).name());
        let at = *index.entry(name).or_insert_with(|| {
            files.push((name, Vec::new()));
            files.len() - 1
        });
        files[at].1.push(diagnostic);
    }
    files.sort_by_key(|(name, _)| name.is_none());
    for (name, found) in files {
        let _ = match name {
            Some(name) => writeln!(out, "\n### {}\n", escape(name)),
            None => writeln!(out, "\n### In general\n"),
        };
        for diagnostic in found {
            item(&mut out, sources, diagnostic);
        }
    }
    out
}

fn item(out: &mut String, sources: &SourceMap, diagnostic: &Diagnostic) {
    let _ = write!(out, "- **{} {}**", diagnostic.severity, diagnostic.code);
    if let Some(span) = diagnostic.span() {
        let at = sources.position(span);
        let _ = write!(out, " at {}:{}", at.line, at.column);
    }
    if let Some(object) = &diagnostic.object {
        let _ = write!(out, ", {}", escape(&object.to_string()));
    }
    let _ = writeln!(out, ": {}", escape(&diagnostic.message));
    let notes = diagnostic.notes.iter().map(|note| ("note", note));
    let helps = diagnostic.helps.iter().map(|help| ("help", help));
    for (what, text) in notes.chain(helps) {
        let _ = writeln!(out, "  - {what}: {}", escape(&text.replace('\n', " ")));
    }
}

/// Escapes what Markdown would take for markup, except in code between backticks. When
/// a backtick has no partner, all of them are escaped.
fn escape(text: &str) -> String {
    let text = printable(text);
    let paired = text.matches('`').count().is_multiple_of(2);
    let mut out = String::with_capacity(text.len());
    let mut code = false;
    for c in text.chars() {
        let markup = matches!(
            c,
            '\\' | '*' | '_' | '<' | '>' | '[' | ']' | '|' | '#' | '&' | '@'
        );
        match c {
            '`' if paired => code = !code,
            '`' => out.push('\\'),
            _ if markup && !code => out.push('\\'),
            _ => {}
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Format;
    use crate::render::fixtures::check;

    #[test]
    fn list_by_file() {
        check(Format::Markdown, "markdown");
    }

    #[test]
    fn code_is_left_alone() {
        assert_eq!(escape("a*b `c*d` <e>"), "a\\*b `c*d` \\<e\\>");
        assert_eq!(escape("one ` only *"), "one \\` only \\*");
    }
}

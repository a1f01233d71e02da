//! Source lines with carets, as rustc shows them.
//!
//! The snippet renderer is linear in the text it is given, so it gets only the lines
//! around the labels, never a whole file: in a manifest of 20 MB that is a thousandfold.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet};
use gatewright_source::{FileId, SourceFile, SourceMap};

use super::text::{printable, printable_lines, same_length};
use crate::{Diagnostic, Label, Severity};

/// Labels of one file that are further apart than this get snippets of their own.
const GAP: u32 = 50;
/// A label of more lines than this is shown by its first line.
const TALL: u32 = 200;
/// Lines of more bytes than this are cut before they are rendered. Below it, the renderer
/// trims to the width of the terminal.
const LONG: usize = 2_000;
/// What is left at either side of a label in a line that is cut.
const CONTEXT: usize = 300;

pub(super) fn render(sources: &SourceMap, diagnostics: &[Diagnostic], color: bool) -> String {
    let renderer = if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut out = String::new();
    for diagnostic in diagnostics {
        out.push_str(&renderer.render(&[group(sources, diagnostic)]));
        out.push_str("\n\n");
    }
    out
}

fn group<'a>(sources: &'a SourceMap, diagnostic: &'a Diagnostic) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Info => Level::INFO,
    };
    let mut group = level
        .primary_title(printable_lines(&diagnostic.message))
        .id(diagnostic.code.to_string())
        .elements(elements(sources, &diagnostic.labels));
    if let Some(subject) = subject(diagnostic) {
        group = group.element(Level::NOTE.with_name("in").message(subject));
    }
    for note in &diagnostic.notes {
        group = group.element(Level::NOTE.message(printable_lines(note)));
    }
    for help in &diagnostic.helps {
        group = group.element(Level::HELP.message(printable_lines(help)));
    }
    group
}

/// The object and the annotation, such as "Ingress shop/web, annotation `rewrite-target`".
fn subject(diagnostic: &Diagnostic) -> Option<String> {
    let annotation = diagnostic.annotation.as_ref();
    match (&diagnostic.object, annotation) {
        (Some(object), Some(key)) => Some(format!("{object}, annotation `{key}`")),
        (Some(object), None) => Some(object.to_string()),
        (None, Some(key)) => Some(format!("annotation `{key}`")),
        (None, None) => None,
    }
    .map(|text| printable(&text).into_owned())
}

/// Snippets in the order of their first labels, the primary one first.
fn elements<'a>(sources: &'a SourceMap, labels: &'a [Label]) -> Vec<Element<'a>> {
    windows(sources, labels)
        .iter()
        .flat_map(|window| window.elements(sources.file(window.file)))
        .collect()
}

/// Neighbouring lines of one file with the labels on them.
struct Window<'a> {
    file: FileId,
    first: u32,
    last: u32,
    /// With their index in the diagnostic; 0 is the primary one.
    labels: Vec<(usize, &'a Label)>,
}

fn windows<'a>(sources: &SourceMap, labels: &'a [Label]) -> Vec<Window<'a>> {
    let mut all: Vec<Window<'a>> = labels
        .iter()
        .enumerate()
        .map(|(index, label)| {
            let file = sources.file(label.span.file);
            let first = file.position(label.span.start).line;
            let last = file.position(label.span.end.max(label.span.start)).line;
            Window {
                file: label.span.file,
                first,
                last: if last - first > TALL { first } else { last },
                labels: vec![(index, label)],
            }
        })
        .collect();
    all.sort_by_key(|window| (window.file, window.first, window.last));
    let mut merged: Vec<Window<'a>> = Vec::new();
    for window in all {
        match merged.last_mut() {
            Some(before) if before.file == window.file && window.first <= before.last + GAP => {
                before.last = before.last.max(window.last);
                before.labels.extend(window.labels);
            }
            _ => merged.push(window),
        }
    }
    for window in &mut merged {
        window.labels.sort_by_key(|&(index, _)| index);
    }
    merged.sort_by_key(|window| window.labels.first().map(|&(index, _)| index));
    merged
}

impl<'a> Window<'a> {
    fn elements(&self, file: &'a SourceFile) -> Vec<Element<'a>> {
        let name = printable(file.name());
        if file.text().is_empty() {
            // There is a file to name, but no line to show.
            return vec![Origin::path(name).into()];
        }
        let excerpt = Excerpt::new(file, self);
        let mut snippet = Snippet::source(excerpt.text.clone())
            .line_start(self.first as usize)
            .annotations(self.labels.iter().map(|&(index, label)| {
                let kind = if index == 0 {
                    AnnotationKind::Primary
                } else {
                    AnnotationKind::Context
                };
                kind.span(excerpt.range(label))
                    .label((!label.text.is_empty()).then(|| printable(&label.text)))
            }));
        let mut elements = Vec::new();
        if let Some(&(_, label)) = self.labels.first().filter(|_| excerpt.cut) {
            // The renderer would count columns from the cut.
            let at = file.position(label.span.start);
            let origin = Origin::path(name)
                .line(at.line as usize)
                .char_column(at.column as usize);
            elements.push(origin.into());
        } else {
            snippet = snippet.path(name);
        }
        elements.push(snippet.into());
        elements
    }
}

/// The text of a window, with overlong lines cut to what is around the labels.
struct Excerpt {
    text: String,
    /// Byte ranges of the file, one a line, with where they begin in `text`.
    pieces: Vec<(Range<usize>, usize)>,
    /// Whether the beginning of a line was cut off.
    cut: bool,
}

impl Excerpt {
    fn new(file: &SourceFile, window: &Window<'_>) -> Self {
        let mut excerpt = Self {
            text: String::new(),
            pieces: Vec::new(),
            cut: false,
        };
        for line in window.first..=window.last {
            let Some(range) = file.line_range(line) else {
                break;
            };
            let kept = kept(file.text(), range.clone(), &window.labels);
            excerpt.cut |= kept.start > range.start;
            if line > window.first {
                excerpt.text.push('\n');
            }
            excerpt.pieces.push((kept.clone(), excerpt.text.len()));
            excerpt.text.push_str(&same_length(&file.shown(kept)));
        }
        excerpt
    }

    /// Where a label lies in the excerpt.
    fn range(&self, label: &Label) -> Range<usize> {
        let start = self.offset(label.span.start as usize);
        let end = self.offset(label.span.end as usize);
        start..end.max(start)
    }

    fn offset(&self, byte: usize) -> usize {
        let at = self
            .pieces
            .partition_point(|(range, _)| range.start <= byte);
        let Some((range, start)) = self.pieces.get(at.saturating_sub(1)) else {
            return 0;
        };
        let mut offset = start + byte.clamp(range.start, range.end) - range.start;
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    }
}

/// The part of an overlong line that is shown.
fn kept(text: &str, line: Range<usize>, labels: &[(usize, &Label)]) -> Range<usize> {
    if line.len() <= LONG {
        return line;
    }
    let on_line = labels
        .iter()
        .map(|(_, label)| label.span.start as usize..label.span.end as usize)
        .find(|span| span.start <= line.end && span.end >= line.start);
    let (start, end) = match on_line {
        // Of a long span, the beginning tells most.
        Some(span) => {
            let start = span.start.clamp(line.start, line.end);
            (start, span.end.clamp(start, line.end).min(start + CONTEXT))
        }
        None => (line.start, line.start),
    };
    let boundary = |mut byte: usize| {
        while !text.is_char_boundary(byte) {
            byte -= 1;
        }
        byte
    };
    boundary(start.saturating_sub(CONTEXT).max(line.start))..boundary((end + CONTEXT).min(line.end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;
    use crate::render::Format;
    use crate::render::fixtures::{check, find, fixtures};

    #[test]
    fn with_source_lines() {
        check(Format::Full, "full");
    }

    #[test]
    fn colour_is_all_that_colour_adds() {
        let (sources, diagnostics) = fixtures();
        let styled = super::super::render(Format::Full, &sources, &diagnostics, true);
        assert!(styled.contains("\u{1b}["));
        let plain = super::super::render(Format::Full, &sources, &diagnostics, false);
        assert_eq!(strip(&styled), plain);
    }

    /// Removes the escapes that set colours and links.
    fn strip(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn a_cut_line_keeps_its_column() {
        let mut sources = SourceMap::default();
        let file = sources.add(
            "big.json",
            format!("{}needle{}", "é".repeat(5_000), "y".repeat(5_000)),
        );
        let diagnostic =
            Diagnostic::new(Code::Syntax, "far out").at(find(&sources, file, "needle"));
        let text = render(&sources, &[diagnostic], false);
        assert!(text.contains("--> big.json:1:5001"), "{text}");
        assert!(text.contains("^^^^^^"), "{text}");
        assert!(
            text.lines().all(|line| line.chars().count() <= 200),
            "{text}"
        );
    }

    #[test]
    fn of_an_empty_file_only_the_name_is_shown() {
        let mut sources = SourceMap::default();
        let file = sources.add("secret.yaml", "");
        let diagnostic = Diagnostic::new(Code::UnreadableFile, "permission denied")
            .at(gatewright_source::Span::new(file, 0, 0))
            .help("ask for the right to read it");
        insta::assert_snapshot!(render(&sources, &[diagnostic], false), @r"
        error[GW0901]: permission denied
        --> secret.yaml
         = help: ask for the right to read it
        ");
    }

    #[test]
    fn labels_far_apart_get_snippets_of_their_own() {
        let mut sources = SourceMap::default();
        let file = sources.add("a", format!("first\n{}second\n", "filler\n".repeat(5_000)));
        let diagnostic = Diagnostic::new(Code::Syntax, "two places")
            .label(find(&sources, file, "second"), "here")
            .label(find(&sources, file, "first"), "and there");
        insta::assert_snapshot!(render(&sources, &[diagnostic], false), @r"
        error[GW0101]: two places
            --> a:5002:1
             |
        5002 | second
             | ^^^^^^ here
             |
            ::: a:1:1
             |
           1 | first
             | ----- and there
        ");
    }
}

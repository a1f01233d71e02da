//! What no excerpt of a source shows.

use std::ops::Range;

use gatewright_diagnostics::Severity;
use gatewright_source::{SourceMap, Span};
use gatewright_yaml::{Node, Parsed};

/// Fields of a Secret that say nothing of its content.
const PUBLIC: [&str; 5] = ["apiVersion", "kind", "metadata", "type", "immutable"];
/// Where `kubectl apply` keeps the whole object.
const COPY: &str = "metadata.annotations[kubectl.kubernetes.io/last-applied-configuration]";

/// Hides the values of Secrets, and documents with a Secret that could not be read.
pub(crate) fn hide(spans: Vec<Span>, sources: &mut SourceMap) {
    for span in spans {
        sources.hide(span);
    }
}

/// What is to be hidden of what was read.
pub(crate) fn secrets(parsed: &Parsed, sources: &SourceMap) -> Vec<Span> {
    let mut spans = Vec::new();
    for document in &parsed.documents {
        values(&document.root, None, &mut spans);
    }
    let faults = parsed.diagnostics.iter();
    for fault in faults.filter(|fault| fault.severity == Severity::Error) {
        let Some(label) = fault.labels.first() else {
            continue;
        };
        let text = sources.file(label.span.file).text();
        let range = around(text, label.span.start as usize);
        let is_secret = text[range.clone()].lines().any(|line| {
            let line = line.replace(['"', '\'', ' '], "");
            line.contains("kind:Secret")
        });
        if let (true, Ok(start), Ok(end)) = (
            is_secret,
            u32::try_from(range.start),
            u32::try_from(range.end),
        ) {
            spans.push(Span::new(label.span.file, start, end));
        }
    }
    spans
}

/// `of` is what a typed list says of its items, which need not say it themselves.
fn values(node: &Node, of: Option<&str>, spans: &mut Vec<Span>) {
    let own = node.get("kind").and_then(Node::as_str);
    let kind = own.or(of).unwrap_or_default();
    if kind == "Secret" {
        let entries = node.as_mapping().into_iter().flatten();
        spans.extend(
            entries
                .filter(|entry| !PUBLIC.contains(&entry.key.value.as_str()))
                .map(|entry| entry.value.span),
        );
        spans.extend(node.at(COPY).map(|copy| copy.span));
    } else if let Some(of) = kind.strip_suffix("List") {
        let items = node.get("items").and_then(Node::as_sequence);
        for item in items.into_iter().flatten() {
            values(item, Some(of), spans);
        }
    }
}

/// The document around a byte, as far as separators tell.
fn around(text: &str, at: usize) -> Range<usize> {
    let at = (0..=at.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0);
    let start = text[..at].rfind("\n---").unwrap_or(0);
    let end = text[at..].find("\n---").map_or(text.len(), |end| at + end);
    start..end
}

//! Findings as the results of a function.

use std::collections::BTreeMap;

use gatewright_diagnostics::Diagnostic;
use gatewright_source::Span;
use gatewright_yaml::{Out, OutMapping};

use super::{Item, STDIN};
use crate::Conversion;

/// All findings, with file, line and field as far as they are known.
pub(super) fn results(conversion: &Conversion, files: &BTreeMap<&str, Vec<&Item>>) -> Vec<Out> {
    let found = conversion.diagnostics.iter();
    found
        .map(|diagnostic| result(conversion, files, diagnostic))
        .collect()
}

fn result(
    conversion: &Conversion,
    files: &BTreeMap<&str, Vec<&Item>>,
    diagnostic: &Diagnostic,
) -> Out {
    let mut message = diagnostic.message.clone();
    for help in &diagnostic.helps {
        message.push_str("; ");
        message.push_str(help);
    }
    let mut map = OutMapping::new();
    map.insert("message", message);
    map.insert("severity", diagnostic.severity.to_string());
    let mut tags = OutMapping::new();
    tags.insert("code", diagnostic.code.to_string());
    if let Some(span) = diagnostic.span() {
        let name = conversion.sources.file(span.file).name();
        let item = files
            .get(name)
            .and_then(|items| item_at(items, span.start as usize));
        if let Some(item) = item {
            let mut reference = OutMapping::new();
            reference.insert("apiVersion", item.api_version.as_str());
            reference.insert("kind", item.kind.as_str());
            reference.insert("namespace", item.namespace.as_str());
            reference.insert("name", item.name.as_str());
            map.insert("resourceRef", Out::Mapping(reference));
            if let Some(path) = field(conversion, span) {
                let mut field = OutMapping::new();
                field.insert("path", path);
                map.insert("field", Out::Mapping(field));
            }
            if name != STDIN {
                let mut file = OutMapping::new();
                file.insert("path", name);
                if item.index > 0 {
                    let index = i64::try_from(item.index).unwrap_or(i64::MAX);
                    file.insert("index", Out::Int(index));
                }
                map.insert("file", Out::Mapping(file));
            }
            let position = conversion.sources.position(span);
            tags.insert("line", position.line.to_string());
            tags.insert("column", position.column.to_string());
        }
    }
    map.insert("tags", Out::Mapping(tags));
    Out::Mapping(map)
}

/// The item of a file that a byte of its text belongs to.
fn item_at<'a>(items: &[&'a Item], byte: usize) -> Option<&'a Item> {
    let mut end = 0;
    items.iter().copied().find(|item| {
        end += item.document.len() + "---\n".len();
        byte < end
    })
}

/// The field that a finding points at.
fn field(conversion: &Conversion, span: Span) -> Option<String> {
    let all = || conversion.ledger.items().map(|(_, item)| item);
    let mut in_file = all().filter(|item| item.span.file == span.file && !item.path.is_empty());
    // A finding about an annotation may point at its key, and the account at its value.
    let line = conversion.sources.position(span).line;
    let item = in_file.find(|item| {
        let within = item.span.start <= span.start && span.end <= item.span.end;
        within
            || (item.span.start >= span.start
                && conversion.sources.position(item.span).line == line)
    })?;
    Some(item.path.to_string())
}

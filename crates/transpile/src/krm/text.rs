//! The text of a list: its items as lines, and the list put together again.

use std::ops::Range;

use gatewright_yaml::{Node, Out, OutMapping, Value, parse, write_document};

use super::out;

/// The lines of a list whose items are lines of their own.
pub(super) struct Lines {
    pub(super) indent: usize,
    pub(super) items: Vec<Range<usize>>,
    pub(super) end: usize,
    pub(super) results: Option<Range<usize>>,
}

/// The lines of a list; nothing when it is written in another way.
pub(super) fn lines(text: &str, root: &Node) -> Option<Lines> {
    let map = root.as_mapping()?;
    let starts: Vec<usize> = map
        .iter()
        .map(|entry| entry.key.span.start as usize)
        .collect();
    let whole = starts
        .iter()
        .all(|&start| start == line_start(text, start) && !text[start..].starts_with(['"', '\'']));
    let apart = text.contains("\n---") || text.contains("\n...") || text.contains('\r');
    if !whole || apart || text.contains('\t') {
        return None;
    }
    // A key with all lines up to the next one.
    let range = |key: &str| {
        let start = map.entry(key)?.key.span.start as usize;
        let next = starts.iter().copied().filter(|&other| other > start).min();
        Some(start..next.unwrap_or(text.len()))
    };
    let of_items = range("items")?;
    let nodes = map.get("items")?.as_sequence()?;
    let first = nodes.first()?;
    let (_, indent) = dash(text, first.span.start as usize)?;
    let mut starts = Vec::new();
    let mut from = line_end(text, of_items.start);
    for node in nodes {
        let (line, column) = dash(text, node.span.start as usize)?;
        if column != indent || line < from || !matches!(node.value, Value::Mapping(_)) {
            return None;
        }
        starts.push(with_comments(text, from, line, indent));
        from = line_end(text, line);
    }
    let ends = starts[1..].iter().copied().chain([of_items.end]);
    let items: Vec<_> = starts
        .iter()
        .copied()
        .zip(ends)
        .map(|(a, b)| a..b)
        .collect();
    // The key itself has nothing else on its line.
    let rest = &text[of_items.start..items[0].start];
    (rest.trim_end() == "items:").then(|| Lines {
        indent,
        items,
        end: of_items.end,
        results: range("results"),
    })
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |end| end + 1)
}

/// Behind the line break of the line.
fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |end| at + end + 1)
}

/// The line of an item's dash and its column, when nothing but the dash and comments stand
/// before the item.
fn dash(text: &str, at: usize) -> Option<(usize, usize)> {
    let blank = |text: &str| text.chars().all(|c| c == ' ');
    let mut line = line_start(text, at);
    let before = &text[line..at];
    if let Some(column) = before.find('-') {
        return (blank(&before[..column]) && blank(&before[column + 1..]))
            .then_some((line, column));
    }
    // kpt writes the comment of an object behind the dash.
    while blank(before) && line > 0 {
        line = line_start(text, line - 1);
        let content = text[line..line_end(text, line)].trim_end();
        let column = content.len() - content.trim_start().len();
        let content = &content[column..];
        if let Some(rest) = content.strip_prefix('-') {
            let comment = rest.trim_start();
            return (comment.is_empty() || comment.starts_with('#')).then_some((line, column));
        }
        if !content.starts_with('#') {
            break;
        }
    }
    None
}

/// Moves the start of an item up over the comments that stand before it.
fn with_comments(text: &str, from: usize, line: usize, indent: usize) -> usize {
    let mut start = line;
    while start > from {
        let before = line_start(text, start - 1);
        let content = &text[before..start];
        let column = content.len() - content.trim_start_matches(' ').len();
        if before < from || column != indent || !content[column..].starts_with('#') {
            break;
        }
        start = before;
    }
    start
}

/// An item as a document of its own: without the indentation, and without the lines that
/// orchestrators add, so that its lines are those of its file.
pub(super) fn document(text: &str, lines: Range<usize>, node: &Node) -> String {
    let start = node.span.start as usize;
    let column = start - line_start(text, start);
    let (dash_line, _) = dash(text, start).unwrap_or((start, 0));
    let added = added(text, node);
    let mut document = String::new();
    let mut at = lines.start;
    while at < lines.end {
        let end = line_end(text, at).min(lines.end);
        if !added.iter().any(|range| range.contains(&at)) {
            let line = &text[at..end];
            let spaces = line.len() - line.trim_start_matches(' ').len();
            let cut = if at == dash_line {
                column
            } else {
                spaces.min(column)
            };
            document.push_str(line.get(cut..).unwrap_or("\n"));
        }
        at = end;
    }
    if !document.ends_with('\n') {
        document.push('\n');
    }
    document
}

/// The lines of annotations that orchestrators add to objects.
fn added(text: &str, node: &Node) -> Vec<Range<usize>> {
    let metadata = node.get("metadata").and_then(Node::as_mapping);
    let Some(annotations) = metadata.and_then(|metadata| metadata.entry("annotations")) else {
        return Vec::new();
    };
    let Some(map) = annotations.value.as_mapping() else {
        return Vec::new();
    };
    let lines =
        |from: usize, to: usize| line_start(text, from)..line_end(text, to.max(from + 1) - 1);
    let theirs = |key: &str| {
        key.starts_with("internal.config.kubernetes.io/")
            || matches!(
                key,
                "config.kubernetes.io/path" | "config.kubernetes.io/index"
            )
    };
    let mut ranges: Vec<Range<usize>> = map
        .iter()
        .filter(|entry| theirs(&entry.key.value))
        .map(|entry| lines(entry.key.span.start as usize, entry.value.span.end as usize))
        .collect();
    if !ranges.is_empty() && ranges.len() == map.len() {
        let key = annotations.key.span;
        ranges.push(lines(key.start as usize, key.end as usize));
    }
    ranges
}

/// A tree as a document.
pub(super) fn of_node(node: &Node) -> String {
    let mut text = String::new();
    write_document(&mut text, &out(node));
    text
}

/// A document of the output with the annotations that say which file it goes to.
pub(super) fn annotated(document: &str, path: &str) -> String {
    let lines = [
        "    config.kubernetes.io/index: \"0\"\n".to_owned(),
        format!("    config.kubernetes.io/path: {path}\n"),
        "    internal.config.kubernetes.io/index: \"0\"\n".to_owned(),
        format!("    internal.config.kubernetes.io/path: {path}\n"),
    ];
    let mut text = String::new();
    let mut inside = false;
    let mut done = false;
    for line in document.split_inclusive('\n') {
        let top = !line.starts_with([' ', '#', '-']);
        if inside && top && !done {
            text.push_str("  annotations:\n");
            text.extend(lines.iter().map(String::as_str));
            done = true;
        }
        if top {
            inside = line.trim_end() == "metadata:";
        }
        text.push_str(line);
        if inside && line == "  annotations:\n" {
            text.extend(lines.iter().map(String::as_str));
            done = true;
        }
    }
    if inside && !done {
        text.push_str("  annotations:\n");
        text.extend(lines.iter().map(String::as_str));
    }
    text
}

/// The list of lines with other items and results.
pub(super) fn written<'a>(
    text: &str,
    (first, end): (usize, usize),
    indent: usize,
    kept: impl Iterator<Item = &'a str>,
    documents: &[String],
    old_results: Option<&Range<usize>>,
    results: &[Out],
) -> String {
    let mut items = String::new();
    for item in kept {
        items.push_str(item);
        if !item.ends_with('\n') {
            items.push('\n');
        }
    }
    let pad = " ".repeat(indent);
    for document in documents {
        let mut begun = false;
        for line in document.lines() {
            let lead = match (line.starts_with('#'), begun) {
                (true, false) => "",
                (false, false) => {
                    begun = true;
                    "- "
                }
                (_, true) => "  ",
            };
            let full = format!("{pad}{lead}{line}");
            items.push_str(full.trim_end());
            items.push('\n');
        }
    }
    let part = |range: Range<usize>| match old_results {
        Some(old) if range.contains(&old.start) => {
            let end = old.end.min(range.end);
            format!("{}{}", &text[range.start..old.start], &text[end..range.end])
        }
        _ => text[range].to_owned(),
    };
    let mut list = part(0..first);
    if items.is_empty() {
        list.truncate(list.trim_end().len());
        list.push_str(" []\n");
    }
    list.push_str(&items);
    list.push_str(&part(end..text.len()));
    if !list.ends_with('\n') {
        list.push('\n');
    }
    if !results.is_empty() {
        let mut map = OutMapping::new();
        map.insert("results", Out::sequence(results.iter().cloned()));
        write_document(&mut list, &Out::Mapping(map));
    }
    list
}

/// The list written anew.
pub(super) fn rewritten(
    root: &Node,
    kept: impl Iterator<Item = bool>,
    documents: &[String],
    results: Vec<Out>,
) -> String {
    let mut map = OutMapping::new();
    let nodes = root.get("items").and_then(Node::as_sequence);
    let nodes = nodes.unwrap_or_default().iter();
    let kept = nodes.zip(kept).filter(|(_, kept)| *kept);
    let mut items: Vec<Out> = kept.map(|(node, _)| out(node)).collect();
    for document in documents {
        // What was written here can be read.
        let parsed = parse(gatewright_source::FileId(0), document);
        items.extend(parsed.documents.iter().map(|document| out(&document.root)));
    }
    for entry in root.as_mapping().into_iter().flat_map(|map| map.iter()) {
        if !matches!(entry.key.value.as_str(), "items" | "results") {
            map.insert(entry.key.value.clone(), out(&entry.value));
        }
    }
    map.insert("items", Out::sequence(items));
    if !results.is_empty() {
        map.insert("results", Out::sequence(results));
    }
    let mut text = String::new();
    write_document(&mut text, &Out::Mapping(map));
    text
}

//! YAML: every place is in the text, reading in pieces is reading, and where another reader takes
//! a document that we take, the values are equal.

use gatewright_source::{FileId, Span};
use gatewright_yaml::{Document, Node, Parsed, Value, parse, parse_piece, pieces};

use crate::go_yaml;

/// Takes a file.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let parsed = parse(FileId(0), &text);
    in_pieces(&text, &parsed);
    let mut end = 0;
    for document in &parsed.documents {
        part(&text, document.span);
        assert!(end <= document.span.start, "documents overlap");
        end = document.span.end;
        let source = part(&text, document.span);
        let aliased = source.contains(['*', '&']);
        places(&text, document.span, &document.root, aliased);
        compare(&text, document);
    }
    for diagnostic in &parsed.diagnostics {
        assert!(!diagnostic.message.is_empty());
        assert!(!diagnostic.labels.is_empty(), "nowhere: {diagnostic:?}");
        for label in &diagnostic.labels {
            part(&text, label.span);
        }
    }
}

fn part(text: &str, span: Span) -> &str {
    let part = text.get(span.start as usize..span.end as usize);
    part.unwrap_or_else(|| panic!("{span:?} is no part of the text"))
}

fn in_pieces(text: &str, whole: &Parsed) {
    let mut found = Parsed::default();
    for piece in pieces(text) {
        let piece = parse_piece(FileId(0), text, &piece);
        found.documents.extend(piece.documents);
        found.diagnostics.extend(piece.diagnostics);
    }
    // Not by `==`, for which a number that is none would not equal itself.
    assert_eq!(
        format!("{:?}", found.documents),
        format!("{:?}", whole.documents)
    );
    assert_eq!(found.diagnostics, whole.diagnostics);
}

/// Each node within its parent, unless it was anchored elsewhere; each string where it says.
fn places(text: &str, parent: Span, node: &Node, aliased: bool) {
    part(text, node.span);
    let within = |span: Span| {
        let inside = parent.start <= span.start && span.end <= parent.end;
        assert!(
            aliased || inside,
            "{span:?} is not within {parent:?}: {node:?}"
        );
    };
    within(node.span);
    match &node.value {
        Value::Sequence(items) => {
            for item in items {
                places(text, node.span, item, aliased);
            }
        }
        Value::Mapping(mapping) => {
            for (at, entry) in mapping.iter().enumerate() {
                part(text, entry.key.span);
                let inside =
                    node.span.start <= entry.key.span.start && entry.key.span.end <= node.span.end;
                assert!(
                    aliased || inside,
                    "key {:?} is not within {:?}",
                    entry.key,
                    node.span
                );
                places(text, node.span, &entry.value, aliased);
                let twice = mapping
                    .iter()
                    .skip(at + 1)
                    .any(|other| other.key.value == entry.key.value);
                assert!(!twice, "two values of {:?}", entry.key);
            }
        }
        Value::String(value) => {
            for (at, c) in value.char_indices().take(200) {
                let span = node.value_span(text, at..at + c.len_utf8());
                let there = part(text, span);
                let crlf = c == '\n' && there == "\r";
                assert!(
                    span == node.span || there.starts_with(c) || crlf,
                    "{there:?} for {c:?}"
                );
            }
        }
        Value::Float(value) => assert!(value.is_finite(), "JSON has no {value}"),
        _ => {}
    }
}

/// The values of the other reader, document by document: it sees only the text between the
/// separators, as it would cut elsewhere.
fn compare(text: &str, document: &Document) {
    let source = part(text, document.span);
    // Line breaks of YAML 1.1, which the other reader knows; since 1.2 they are none.
    if source.contains(['\u{85}', '\u{2028}', '\u{2029}']) {
        return;
    }
    // The other reader leaves binary as it is written, and merges by an alias of `<<`, too.
    if source.contains("!!binary") || merges_by_alias(source) {
        return;
    }
    // The other reader wants the lines of a block indented even where it is the whole document,
    // which is no object for anybody.
    if source.trim_start().starts_with(['|', '>']) {
        return;
    }
    // kubectl ends the last line where nobody did.
    let ended = match source.strip_suffix('\n') {
        Some(_) => source.to_owned(),
        None => format!("{source}\n"),
    };
    let Ok(mut value) = serde_yaml::from_str::<serde_yaml::Value>(&ended) else {
        return;
    };
    // A merge that it refuses is a matter of taste.
    if value.apply_merge().is_err() {
        return;
    }
    same(text, &document.root, &value);
}

fn merges_by_alias(source: &str) -> bool {
    let mut merges = source.match_indices("<<");
    merges.any(|(at, _)| is_marked(source[..at].trim_end_matches(['\'', '"']), '&'))
}

/// Whether one of the two words in front of a place, which are tag and anchor if it has any, holds
/// a mark.
fn is_marked(text: &str, mark: char) -> bool {
    let lines = text.rsplit(['\n', '\r']);
    let lines = lines.filter(|line| !line.trim_start().starts_with('#'));
    let mut words = lines.flat_map(|line| line.split_whitespace().rev()).take(2);
    words.any(|word| word.contains(mark))
}

fn same(text: &str, ours: &Node, theirs: &serde_yaml::Value) {
    use serde_yaml::Value as There;
    let equal = match (&ours.value, theirs) {
        // Tags of applications mean nothing to either.
        (_, There::Tagged(tagged)) => return same(text, ours, &tagged.value),
        (Value::Sequence(a), There::Sequence(b)) => {
            for (a, b) in a.iter().zip(b) {
                same(text, a, b);
            }
            a.len() == b.len()
        }
        // kubectl makes other strings of some words, and of two words for one key leaves one.
        (Value::Mapping(_), There::Mapping(b)) if b.keys().any(is_word) => true,
        (Value::Mapping(a), There::Mapping(b)) => {
            for entry in a {
                let there = b.get(entry.key.value.as_str());
                let there = there.unwrap_or_else(|| panic!("{entry:?}\nis not in {b:?}"));
                same(text, &entry.value, there);
            }
            a.len() == b.len()
        }
        (Value::Null, There::Null) => true,
        (Value::Bool(a), There::Bool(b)) => a == b,
        (Value::String(a), There::String(b)) => a == b || dialect(text, ours),
        (_, There::Number(b)) => number(&ours.value, b) || dialect(text, ours),
        (_, There::Null | There::Bool(_) | There::String(_)) => dialect(text, ours),
        _ => false,
    };
    assert!(equal, "{ours:?}\nis for the other reader {theirs:?}");
}

fn number(ours: &Value, theirs: &serde_yaml::Number) -> bool {
    match ours {
        Value::Int(value) if !theirs.is_f64() => theirs.as_i64() == Some(*value),
        Value::Uint(value) if !theirs.is_f64() => theirs.as_u64() == Some(*value),
        // A `!!float` that is whole is an integer in JSON.
        #[expect(clippy::cast_precision_loss, reason = "as in JSON")]
        Value::Int(value) => theirs.as_f64() == Some(*value as f64),
        Value::Float(value) => theirs.as_f64() == Some(*value),
        _ => false,
    }
}

/// YAML 1.1, which kubectl reads, and 1.2 disagree on plain scalars; then go-yaml is right. A
/// scalar with a tag that means nothing is text for it, and for the other reader as if there
/// were no tag.
fn dialect(text: &str, ours: &Node) -> bool {
    let plain = part(text, ours.span);
    let before = &text[..ours.span.start as usize];
    go_yaml::is(&go_yaml::resolve(plain), plain, &ours.value) == Some(true)
        || is_marked(before, '!')
}

/// Whether kubectl may make another string of a key than this one.
fn is_word(key: &serde_yaml::Value) -> bool {
    let typed = |key: &str| go_yaml::resolve(key) != go_yaml::Resolved::Text;
    matches!(key, serde_yaml::Value::Tagged(_)) || key.as_str().is_none_or(typed)
}

//! Scalars: a plain one means what go-yaml makes of it, and whatever string is written is the
//! string that is read, by us and by another reader.

use gatewright_source::FileId;
use gatewright_yaml::{DocumentWriter, KeyOrder, Node, Out, Scratch, Value, parse, write_document};

use crate::go_yaml;

/// Takes a text: as a plain scalar, and as strings and comments to be written.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if is_plain(&text) {
        plain(&text);
    }
    written(&text);
}

/// Whether the text is surely one plain scalar on one line, in the place of a value.
fn is_plain(text: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphanumeric() || "+-._/<>=~".contains(c);
    text.len() < 400
        && text.starts_with(|c: char| letter(c) && !"->".contains(c) || c == '-' && text.len() > 1)
        && text.chars().all(letter)
}

fn plain(text: &str) {
    let document = format!("k: {text}\n");
    let parsed = parse(FileId(0), &document);
    let expect = go_yaml::resolve(text);
    let value = parsed
        .documents
        .first()
        .and_then(|document| document.root.get("k"));
    let Some(node) = value else {
        let refused = go_yaml::is(&expect, text, &Value::Null).is_none();
        assert!(
            refused,
            "{text} is {expect:?}, and we refuse it: {parsed:?}"
        );
        return;
    };
    assert_eq!(
        go_yaml::is(&expect, text, &node.value),
        Some(true),
        "{text} is {expect:?} for go-yaml and {:?} for us",
        node.value
    );
    assert_eq!(
        &document[node.span.start as usize..node.span.end as usize],
        text
    );
}

/// The text in each place that a string may have, beside a neighbour that must survive it.
fn written(text: &str) {
    let string = || Out::from(text);
    let inner = [
        (text.to_owned(), string()),
        ("z".to_owned(), Out::sequence(["z", text])),
    ];
    let list = Out::sequence([string(), Out::mapping(inner)]);
    let object = Out::mapping([("list", list)]);
    let root = Out::mapping([("a", string()), ("b", object.clone()), ("c", string())]);
    let mut one = String::new();
    write_document(&mut one, &root);
    let roots = read(&one, 1);
    assert!(same(&root, &roots[0]), "{one}\n{:?}", roots[0]);
    let theirs = serde_yaml::from_str::<serde_yaml::Value>(&one);
    assert!(
        theirs.as_ref().is_ok_and(|value| same_there(&root, value)),
        "{one}\n{theirs:?}"
    );
    let line = text.to_owned();
    let comments = [vec![line.clone()], vec![line.clone(), line.clone()]];
    let order = KeyOrder::new(&[]);
    let mut two = String::new();
    let mut scratch = Scratch::default();
    for _ in 0..2 {
        two.push_str("---\n");
        let mut writer = DocumentWriter::new(&mut two, &order, &mut scratch);
        writer.comments(std::slice::from_ref(&line));
        let written = [
            writer.entry("a", text),
            writer.ordered("b", &object, ("list", &comments)),
            writer.entry("c", text),
        ];
        assert_eq!(written, [Ok(()), Ok(()), Ok(())]);
    }
    let roots = read(&two, 2);
    assert!(roots.iter().all(|read| same(&root, read)), "{two}");
}

fn read(text: &str, documents: usize) -> Vec<Node> {
    let parsed = parse(FileId(0), text);
    assert!(
        parsed.diagnostics.is_empty(),
        "{:?}\n{text}",
        parsed.diagnostics
    );
    assert_eq!(parsed.documents.len(), documents, "documents in\n{text}");
    let documents = parsed.documents.into_iter();
    documents.map(|document| document.root).collect()
}

fn same(out: &Out, node: &Node) -> bool {
    match (out, &node.value) {
        (Out::String(a), Value::String(b)) => a == b,
        (Out::Sequence(a), Value::Sequence(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Out::Mapping(a), Value::Mapping(b)) => {
            let entries = a.iter().zip(b);
            a.len() == b.len() && { entries }
                .all(|(a, b)| a.key == b.key.value && same(&a.value, &b.value))
        }
        _ => false,
    }
}

fn same_there(out: &Out, value: &serde_yaml::Value) -> bool {
    use serde_yaml::Value as There;
    match (out, value) {
        (Out::String(a), There::String(b)) => a == b,
        (Out::Sequence(a), There::Sequence(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_there(a, b))
        }
        (Out::Mapping(a), There::Mapping(b)) => {
            let mut entries = a.iter().zip(b);
            a.len() == b.len()
                && entries
                    .all(|(a, (key, b))| key.as_str() == Some(&*a.key) && same_there(&a.value, b))
        }
        _ => false,
    }
}

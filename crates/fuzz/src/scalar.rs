//! Scalars: a plain one means what go-yaml makes of it, and whatever string is written is the
//! string that is read, by us and by another reader.

use gatewright_source::FileId;
use gatewright_yaml::{
    Node, Out, OutItem, OutMapping, Value, parse, write_document, write_documents,
};

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
    let item = |value| OutItem {
        comments: vec![text.to_owned()],
        value,
    };
    let mut inner = OutMapping::new();
    inner.insert(text.to_owned(), string());
    inner.insert("z".to_owned(), Out::sequence(["z", text]));
    let mut root = OutMapping::new();
    root.insert("a".to_owned(), string());
    root.insert(
        "b".to_owned(),
        Out::Sequence(vec![item(string()), item(Out::Mapping(inner))]),
    );
    root.insert("c".to_owned(), string());
    for key in ["a", "c"] {
        let entry = root.entry_mut(key).expect("a key that was just written");
        entry.comments = vec![text.to_owned(), text.to_owned()];
    }
    let root = Out::Mapping(root);
    let mut one = String::new();
    write_document(&mut one, &root);
    let roots = read(&one, 1);
    assert!(same(&root, &roots[0]), "{one}\n{:?}", roots[0]);
    let theirs = serde_yaml::from_str::<serde_yaml::Value>(&one);
    assert!(
        theirs.as_ref().is_ok_and(|value| same_there(&root, value)),
        "{one}\n{theirs:?}"
    );
    let head = [text.to_owned()];
    let mut two = String::new();
    let string = string();
    write_documents(
        &mut two,
        [(head.as_slice(), &string), (head.as_slice(), &root)],
    );
    let roots = read(&two, 2);
    assert!(same(&string, &roots[0]) && same(&root, &roots[1]), "{two}");
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
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(&a.value, b))
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
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_there(&a.value, b))
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

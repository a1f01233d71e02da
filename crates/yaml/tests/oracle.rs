//! Every file of `testdata/yaml` is read as kubectl reads it. `oracle.jsonl` holds kubectl's
//! readings; the program below `oracle/` wrote it.

use std::fs;
use std::path::Path;

use gatewright_source::FileId;
use gatewright_yaml::{Node, Value, parse};
use serde_json::{Map, Number, Value as Json};

/// Where we differ, and why.
const DIFFERENT: &[(&str, &str)] = &[
    ("flow-url.yaml", "a `?` inside of a flow scalar is harmless"),
    (
        "line-separator.yaml",
        "U+2028 is no line break since YAML 1.2",
    ),
    ("nel.yaml", "U+0085 is no line break since YAML 1.2"),
    ("nel-quoted.yaml", "U+0085 is no line break since YAML 1.2"),
    ("split-block.yaml", BEHIND),
    ("split-content.yaml", BEHIND),
    ("split-dashes-quoted.yaml", BEHIND),
    ("split-four-dashes.yaml", BEHIND),
    ("split-tag.yaml", BEHIND),
    ("tab-blank-line.yaml", "a tab on a blank line means nothing"),
];

const BEHIND: &str = "kubectl stops at a bad separator and has lost the document in front of it; \
                      for us the document behind it is the unreadable one";

#[test]
fn files_are_read_as_kubectl_reads_them() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/yaml");
    let oracle = fs::read_to_string(dir.join("oracle.jsonl")).unwrap();
    let (mut wrong, mut files) = (Vec::new(), 0);
    for line in oracle.lines() {
        let line: Json = serde_json::from_str(line).unwrap();
        let file = line["file"].as_str().unwrap();
        let text = fs::read_to_string(dir.join(file)).unwrap();
        let expect: Vec<_> = line["documents"]
            .as_array()
            .unwrap()
            .iter()
            .map(|document| document.get("json").cloned())
            .collect();
        let found = read(&text);
        files += 1;
        let known = DIFFERENT.iter().any(|(name, _)| *name == file);
        let same = found.len() == expect.len()
            && found.iter().zip(&expect).all(|(a, b)| match (a, b) {
                (Some(a), Some(b)) => equal(a, b),
                (a, b) => a.is_none() && b.is_none(),
            });
        if same == known {
            let parsed = parse(FileId(0), &text);
            let said: Vec<_> = parsed.diagnostics.iter().map(|d| &d.message).collect();
            wrong.push(format!(
                "{file}: ours {found:?} {said:?}\n    kubectl {line}"
            ));
        }
    }
    assert!(files >= 110, "{files} files");
    assert!(
        wrong.is_empty(),
        "{} of {files}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    let present = fs::read_dir(&dir).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        Path::new(&name).extension().is_some_and(|e| e == "yaml")
    });
    assert_eq!(
        present.count(),
        files,
        "the oracle file is older than the cases"
    );
}

/// The documents in order; `None` for one that cannot be read.
fn read(text: &str) -> Vec<Option<Json>> {
    let parsed = parse(FileId(0), text);
    let mut found: Vec<_> = parsed
        .documents
        .iter()
        .map(|document| (document.span.start, Some(json(&document.root))))
        .collect();
    found.extend(parsed.diagnostics.iter().filter_map(|diagnostic| {
        let error = diagnostic.severity == gatewright_diagnostics::Severity::Error;
        error.then_some((diagnostic.span()?.start, None))
    }));
    found.sort_by_key(|(start, _)| *start);
    found.into_iter().map(|(_, document)| document).collect()
}

/// Equality where `-0`, `1.0` and Go's rounding of large floats are the numbers they mean.
fn equal(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => {
            a == b || ((a.is_f64() || b.is_f64()) && a.as_f64() == b.as_f64())
        }
        (Json::Array(a), Json::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b))
        }
        (Json::Object(a), Json::Object(b)) => {
            let same = |(key, a)| b.get(key).is_some_and(|b| equal(a, b));
            a.len() == b.len() && a.iter().all(same)
        }
        _ => a == b,
    }
}

fn json(node: &Node) -> Json {
    match &node.value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(value) => Json::from(*value),
        Value::Uint(value) => Json::from(*value),
        Value::Float(value) => Number::from_f64(*value).map_or(Json::Null, Json::Number),
        Value::String(text) => Json::from(text.as_str()),
        Value::Sequence(items) => items.iter().map(json).collect(),
        Value::Mapping(mapping) => Json::Object(
            mapping
                .iter()
                .map(|entry| (entry.key.value.clone(), json(&entry.value)))
                .collect::<Map<_, _>>(),
        ),
    }
}

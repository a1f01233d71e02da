//! Properties of reader and writer on generated input.

use gatewright_source::{FileId, Span};
use gatewright_yaml::{
    DocumentWriter, KeyOrder, Node, Out, OutMapping, Scratch, Value, from_node, parse,
    template_action, to_out, write_document,
};
use proptest::prelude::*;

/// Strings that lean towards what YAML treats specially.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => "[a-z]{1,4}",
        4 => prop::sample::select(vec![
            ": ", ":", " #", "#", "- ", "-", "? ", "'", "\"", "\\", "\n", "\n\n", " ", "  ", "\t",
            "{", "}", "[", "]", ",", "&", "*", "!", "|", ">", "%", "@", "`", "---", "...", "<<",
            "=", "\r", "\r\n", "{{ x }}", "\u{0}", "\u{7f}", "\u{85}", "\u{a0}", "\u{2028}",
            "\u{feff}", "\u{ffff}", "é", "😀", "~",
        ]).prop_map(str::to_owned),
        2 => prop::sample::select(vec![
            "on", "y", "No", "null", "true", "1", "0x1f", "017", "0o17", "1_000", "1e3", ".5",
            ".inf", "+", "1:30", "2001-01-01", "0b1", "12e03", "08",
        ]).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn out() -> impl Strategy<Value = Out> {
    let leaf = prop_oneof![
        Just(Out::Null),
        any::<bool>().prop_map(Out::Bool),
        any::<i64>().prop_map(Out::Int),
        (1_u64 << 63..).prop_map(Out::Uint),
        (-1e6..1e6).prop_map(Out::Float),
        any::<f64>().prop_map(Out::Float),
        text().prop_map(Out::String),
    ];
    leaf.prop_recursive(4, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Out::Sequence),
            prop::collection::vec((text(), inner), 0..5)
                .prop_map(|entries| Out::Mapping(entries.into_iter().collect::<OutMapping>())),
        ]
    })
}

/// Whether what was read is what was written.
fn same(out: &Out, node: Option<&Node>) -> bool {
    let value = node.map(|node| &node.value);
    match (out, value) {
        // A document of null is none.
        (Out::Null, None | Some(Value::Null)) => true,
        (Out::Float(a), None | Some(Value::Null)) => !a.is_finite(),
        (Out::Bool(a), Some(Value::Bool(b))) => a == b,
        (Out::Int(a), Some(Value::Int(b))) => a == b,
        (Out::Uint(a), Some(Value::Uint(b))) => a == b,
        (Out::Float(a), Some(Value::Float(b))) => a.to_bits() == b.to_bits(),
        // JSON has no floats that are whole; beyond 2^53 Go rounds their digits.
        #[expect(clippy::cast_precision_loss, reason = "as in JSON")]
        (Out::Float(a), Some(Value::Int(b))) => a.total_cmp(&(*b as f64)).is_eq() || a.abs() == 0.0,
        (Out::String(a), Some(Value::String(b))) => a == b,
        (Out::Sequence(a), Some(Value::Sequence(b))) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, Some(b)))
        }
        (Out::Mapping(a), Some(Value::Mapping(b))) => {
            a.len() == b.len()
                && a.iter()
                    .zip(b)
                    .all(|(a, b)| a.key == b.key.value && same(&a.value, Some(&b.value)))
        }
        _ => false,
    }
}

/// The same comparison with the other reader, where the two dialects agree: keys and values
/// that are strings in both.
fn same_there(out: &Out, value: &serde_yaml::Value) -> bool {
    use serde_yaml::Value as There;
    match (out, value) {
        (Out::String(a), There::String(b)) => a == b,
        (Out::Sequence(a), There::Sequence(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_there(a, b))
        }
        (Out::Mapping(a), There::Mapping(b)) => {
            a.len() == b.len()
                && a.iter()
                    .zip(b)
                    .all(|(a, (key, b))| key.as_str() == Some(&*a.key) && same_there(&a.value, b))
        }
        (Out::Null | Out::Float(_), _) => true,
        (Out::Bool(a), There::Bool(b)) => a == b,
        (Out::Int(a), There::Number(b)) => b.as_i64() == Some(*a),
        (Out::Uint(a), There::Number(b)) => b.as_u64() == Some(*a),
        _ => false,
    }
}

/// The value with the keys of its maps in this order, and all others behind them.
fn in_order(out: &Out, order: &[&str]) -> Out {
    match out {
        Out::Sequence(items) => Out::sequence(items.iter().map(|item| in_order(item, order))),
        Out::Mapping(mapping) => {
            let mut entries: Vec<_> = mapping
                .iter()
                .map(|entry| (entry.key.clone(), in_order(&entry.value, order)))
                .collect();
            let rank = |key: &str| order.iter().position(|known| *known == key);
            entries.sort_by_key(|(key, _)| rank(key).unwrap_or(order.len()));
            Out::mapping(entries)
        }
        scalar => scalar.clone(),
    }
}

fn written(out: &Out) -> String {
    let mut text = String::new();
    write_document(&mut text, out);
    text
}

fn check_span(text: &str, span: Span) {
    let slice = text.get(span.start as usize..span.end as usize);
    assert!(slice.is_some(), "{span:?} is no part of {text:?}");
}

fn check_spans(text: &str, node: &Node) {
    check_span(text, node.span);
    match &node.value {
        Value::Sequence(items) => items.iter().for_each(|item| check_spans(text, item)),
        Value::Mapping(mapping) => {
            for entry in mapping {
                check_span(text, entry.key.span);
                check_spans(text, &entry.value);
            }
        }
        Value::String(value) => {
            for (at, c) in value.char_indices() {
                let span = node.value_span(text, at..at + c.len_utf8());
                check_span(text, span);
                let there = &text[span.start as usize..span.end as usize];
                let crlf = c == '\n' && there == "\r";
                assert!(
                    span == node.span || there.starts_with(c) || crlf,
                    "{there:?} for {c:?}"
                );
            }
        }
        _ => {}
    }
}

fn check_any(text: &str) {
    let parsed = parse(FileId(0), text);
    for document in &parsed.documents {
        check_span(text, document.span);
        check_spans(text, &document.root);
        let _ = from_node::<serde_json::Value>(&document.root);
    }
    for diagnostic in &parsed.diagnostics {
        assert!(!diagnostic.message.is_empty());
        for label in &diagnostic.labels {
            check_span(text, label.span);
        }
    }
    if let Some(range) = template_action(text) {
        assert!(text.get(range).is_some());
    }
}

/// Lines that look like YAML, so that the parser gets further than the first character.
fn yaml_like() -> impl Strategy<Value = String> {
    let line = (
        0..6_usize,
        prop::sample::select(vec![
            "", "- ", "a: ", "b:", "? ", ": ", "--- ", "&x ", "*x", "<<: ", "!!str ", "|\n",
            ">-\n", "{", "[", "}", "]", "'", "\"", "\t", "... ", "#", "%",
        ]),
        text(),
    )
        .prop_map(|(indent, head, tail)| format!("{}{head}{tail}\n", " ".repeat(indent)));
    prop::collection::vec(line, 0..8).prop_map(|lines| lines.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_back(out in out()) {
        let text = written(&out);
        let parsed = parse(FileId(0), &text);
        prop_assert!(parsed.diagnostics.is_empty(), "{:?}\n{text}", parsed.diagnostics);
        let root = parsed.documents.first().map(|document| &document.root);
        prop_assert!(parsed.documents.len() <= 1 && same(&out, root), "{text}\n{root:?}");
    }

    #[test]
    fn another_reader_agrees(out in out()) {
        let text = written(&out);
        let value = serde_yaml::from_str::<serde_yaml::Value>(&text);
        prop_assert!(value.as_ref().is_ok_and(|value| same_there(&out, value)), "{text}\n{value:?}");
    }

    #[test]
    fn text_without_a_tree_is_the_same(out in out(), key in text()) {
        let order = KeyOrder::new(&[]);
        let mut text = String::new();
        let entry = DocumentWriter::new(&mut text, &order, &mut Scratch::default()).entry(&key, &out);
        prop_assert_eq!(entry, Ok(()));
        prop_assert_eq!(text, written(&Out::mapping([(key, out)])));
    }

    #[test]
    fn order_and_comments_change_no_value(
        items in prop::collection::vec(out(), 0..4),
        comments in prop::collection::vec(prop::collection::vec(text(), 0..2), 0..4),
        head in prop::collection::vec(text(), 0..2),
    ) {
        let order = KeyOrder::new(&["b", "y", "on", "~", "a", ""]);
        let mut scratch = Scratch::default();
        let mut text = String::new();
        for _ in 0..2 {
            text.push_str("---\n");
            let mut writer = DocumentWriter::new(&mut text, &order, &mut scratch);
            writer.comments(&head);
            let spec = Out::mapping([("rules", Out::Sequence(items.clone()))]);
            prop_assert_eq!(writer.ordered("spec", &spec, ("rules", &comments)), Ok(()));
        }
        let parsed = parse(FileId(0), &text);
        prop_assert!(parsed.diagnostics.is_empty(), "{:?}\n{text}", parsed.diagnostics);
        prop_assert_eq!(parsed.documents.len(), 2);
        for document in &parsed.documents {
            let rules = document.root.get("spec").and_then(|spec| spec.get("rules"));
            let Some(Value::Sequence(rules)) = rules.map(|rules| &rules.value) else {
                return Err(TestCaseError::fail(text));
            };
            prop_assert_eq!(rules.len(), items.len());
            for (out, node) in items.iter().zip(rules) {
                prop_assert!(same(&in_order(out, &["b", "y", "on", "~", "a", ""]), Some(node)), "{text}");
            }
        }
    }

    #[test]
    fn serialised_values_are_read_back(value in prop::collection::btree_map(text(), text(), 0..5)) {
        let text = written(&to_out(&value).map_err(|e| TestCaseError::fail(e.to_string()))?);
        let parsed = parse(FileId(0), &text);
        let typed = from_node::<std::collections::BTreeMap<String, String>>(&parsed.documents[0].root);
        prop_assert_eq!(typed.value, Some(value));
    }

    #[test]
    fn no_string_causes_a_panic(text in any::<String>()) {
        check_any(&text);
    }

    #[test]
    fn no_bytes_cause_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check_any(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn nothing_like_yaml_causes_a_panic(text in yaml_like()) {
        check_any(&text);
    }

    #[test]
    fn cut_files_cause_no_panic(out in out(), at in any::<prop::sample::Index>()) {
        let text = written(&out);
        let mut at = at.index(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        check_any(&text[..at]);
    }
}

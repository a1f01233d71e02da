//! The common form of objects, and the order in which people read their fields.

use std::cmp::Ordering;
use std::fmt::Write as _;

use gatewright_yaml::{Node, Value as Yaml};
use serde_json::{Map, Value, json};

use super::Identity;
use crate::write::FIELD_ORDER;

/// An object without what an API server, a controller or a tool beside it adds: of the
/// metadata name and namespace stay, and no status. Gatewright writes neither labels nor
/// annotations, and applying its output leaves those of others alone.
pub(super) fn common(node: &Node, identity: &Identity, version: &str) -> Value {
    let mut metadata = Map::new();
    metadata.insert("name".to_owned(), json!(identity.name));
    if !identity.namespace.is_empty() {
        metadata.insert("namespace".to_owned(), json!(identity.namespace));
    }
    let mut object = Map::new();
    object.insert("apiVersion".to_owned(), json!(version));
    object.insert("kind".to_owned(), json!(identity.kind));
    object.insert("metadata".to_owned(), Value::Object(metadata));
    for entry in node.as_mapping().into_iter().flatten() {
        let key = entry.key.value.as_str();
        let own = matches!(key, "apiVersion" | "kind" | "metadata" | "status");
        if !own && !entry.value.is_null() {
            object.insert(key.to_owned(), plain(&entry.value));
        }
    }
    let core = identity.group.is_empty();
    if core && identity.kind == "Secret" {
        decode_strings(&mut object);
        object.entry("type").or_insert_with(|| json!("Opaque"));
        // Written by the API server for the false that is the default.
        if object.get("immutable") == Some(&json!(false)) {
            object.remove("immutable");
        }
    }
    if core && identity.kind == "Namespace" {
        // The finalizer that the API server puts on every one.
        object.remove("spec");
    }
    Value::Object(object)
}

/// What `stringData` says goes to `data`, as the API server does it.
fn decode_strings(object: &mut Map<String, Value>) {
    let Some(Value::Object(strings)) = object.remove("stringData") else {
        return;
    };
    let data = object.entry("data").or_insert_with(|| json!({}));
    for (key, value) in strings {
        if let (Some(data), Some(text)) = (data.as_object_mut(), value.as_str()) {
            data.insert(key, json!(base64(text.as_bytes())));
        }
    }
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let group = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let index = (group >> (18 - 6 * at)) & 63;
            text.push(if at > chunk.len() {
                '='
            } else {
                char::from(ALPHABET[index as usize])
            });
        }
    }
    text
}

/// The value without positions. A field that is null is one that is not there.
pub(super) fn plain(node: &Node) -> Value {
    match &node.value {
        Yaml::Null => Value::Null,
        Yaml::Bool(value) => json!(value),
        Yaml::Int(value) => json!(value),
        Yaml::Uint(value) => json!(value),
        Yaml::Float(value) => json!(value),
        Yaml::String(text) => json!(text),
        Yaml::Sequence(items) => Value::Array(items.iter().map(plain).collect()),
        Yaml::Mapping(mapping) => Value::Object(
            mapping
                .iter()
                .filter(|entry| !entry.value.is_null())
                .map(|entry| (entry.key.value.clone(), plain(&entry.value)))
                .collect(),
        ),
    }
}

/// Whether they say the same, whatever the order of fields.
pub(super) fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, value)| b.get(key).is_some_and(|other| equal(value, other)))
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b))
        }
        _ => a == b,
    }
}

/// A text that is the same for values that are [`equal`].
pub(super) fn key(value: &Value) -> String {
    let mut text = String::new();
    write_key(value, &mut text);
    text
}

fn write_key(value: &Value, text: &mut String) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort_unstable();
            text.push('{');
            for key in keys {
                let _ = write!(text, "{key:?}:");
                write_key(&map[key], text);
                text.push(',');
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for item in items {
                write_key(item, text);
                text.push(',');
            }
            text.push(']');
        }
        _ => {
            let _ = write!(text, "{value}");
        }
    }
}

/// Puts the fields of both sides into one order: the usual one of people, then that of what
/// convert writes, then that of names.
pub(super) fn arrange(before: Option<&mut Value>, after: Option<&mut Value>) {
    let mut model = Value::Null;
    if let Some(after) = after {
        order(after, &Value::Null);
        model = after.clone();
    }
    if let Some(before) = before {
        order(before, &model);
    }
}

/// `model` is the same value of the other side, if there is one.
fn order(value: &mut Value, model: &Value) {
    match value {
        Value::Object(map) => {
            let rank = |key: &str| {
                let known = FIELD_ORDER.iter().position(|known| *known == key);
                let there = model
                    .as_object()
                    .and_then(|model| model.keys().position(|other| other == key));
                (
                    known.unwrap_or(FIELD_ORDER.len()),
                    there.unwrap_or(usize::MAX),
                )
            };
            let follow = !model.is_null();
            let mut entries: Vec<(String, Value)> = std::mem::take(map).into_iter().collect();
            entries.sort_by(|(a, _), (b, _)| {
                let names = if follow { a.cmp(b) } else { Ordering::Equal };
                rank(a).cmp(&rank(b)).then(names)
            });
            for (key, mut value) in entries {
                order(&mut value, model.get(&key).unwrap_or(&Value::Null));
                map.insert(key, value);
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter_mut().enumerate() {
                let other = model.get(at).or_else(|| model.get(0));
                order(item, other.unwrap_or(&Value::Null));
            }
        }
        _ => {}
    }
}

/// Hides what Secrets hold, and shows only whether it differs.
pub(super) fn mask<'a>(mut before: Option<&'a mut Value>, mut after: Option<&'a mut Value>) {
    let keys = |side: Option<&Value>| -> Vec<String> {
        let data = side
            .and_then(|side| side.get("data"))
            .and_then(Value::as_object);
        data.into_iter()
            .flat_map(|data| data.keys().cloned())
            .collect()
    };
    let mut all = keys(before.as_deref());
    all.extend(keys(after.as_deref()));
    for key in all {
        let read = |side: Option<&Value>| side.and_then(|side| side["data"].get(&key)).cloned();
        let (old, new) = (read(before.as_deref()), read(after.as_deref()));
        let same = old == new;
        let marks = if same {
            ["***"; 2]
        } else {
            ["*** (before)", "*** (after)"]
        };
        for (side, mark) in [&mut before, &mut after].into_iter().zip(marks) {
            if let Some(value) = side
                .as_deref_mut()
                .and_then(|side| side["data"].get_mut(&key))
            {
                *value = json!(mark);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (text, expect) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(text.as_bytes()), expect);
        }
    }

    #[test]
    fn the_order_of_fields_is_no_difference_and_that_of_items_is() {
        let a = json!({"a": 1, "b": [{"x": 1, "y": 2}, 3]});
        assert!(equal(&a, &json!({"b": [{"y": 2, "x": 1}, 3], "a": 1})));
        assert!(!equal(&a, &json!({"b": [3, {"y": 2, "x": 1}], "a": 1})));
        assert_eq!(key(&a), key(&json!({"b": [{"y": 2, "x": 1}, 3], "a": 1})));
    }

    #[test]
    fn masks_tell_only_whether_something_differs() {
        let mut before = json!({"data": {"same": "YQ==", "other": "YQ==", "gone": "YQ=="}});
        let mut after = json!({"data": {"same": "YQ==", "other": "Yg=="}});
        mask(Some(&mut before), Some(&mut after));
        assert_eq!(
            before,
            json!({"data": {"same": "***", "other": "*** (before)", "gone": "*** (before)"}})
        );
        assert_eq!(
            after,
            json!({"data": {"same": "***", "other": "*** (after)"}})
        );
    }
}

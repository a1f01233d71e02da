//! A change of emitted objects, as data.

use anyhow::{Result, anyhow, bail};
use gatewright_source::SourceMap;
use gatewright_yaml::{from_node, parse, to_out, write_document};
use serde_json::Value;

/// The objects of a conversion.
pub(super) type Objects = Vec<Value>;

/// What is done to one object. Places are pointers of RFC 6901.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Edit {
    /// Another value, or a new field of a map.
    Set(String, Value),
    /// A field or item less.
    Remove(String),
    /// An item more, at the end of a list.
    Push(String, Value),
    /// An item and the next one in each other's place.
    Swap(String, usize),
    /// The whole object less.
    Drop,
}

impl Edit {
    /// The objects with the change in object `at`.
    pub(super) fn apply(&self, objects: &Objects, at: usize) -> Result<Objects> {
        let mut changed = objects.clone();
        let object = changed
            .get_mut(at)
            .ok_or_else(|| anyhow!("no object {at}"))?;
        match self {
            Self::Drop => {
                changed.remove(at);
            }
            Self::Set(place, value) => {
                let (parent, key) = split(place)?;
                match find(object, parent)? {
                    Value::Object(map) => {
                        map.insert(key.to_owned(), value.clone());
                    }
                    Value::Array(items) => {
                        let item = items.get_mut(key.parse::<usize>()?);
                        *item.ok_or_else(|| anyhow!("no item {place}"))? = value.clone();
                    }
                    _ => bail!("nothing to set at {place}"),
                }
            }
            Self::Remove(place) => {
                let (parent, key) = split(place)?;
                let gone = match find(object, parent)? {
                    Value::Object(map) => map.shift_remove(key).is_some(),
                    Value::Array(items) => {
                        let at = key.parse::<usize>()?;
                        at < items.len() && {
                            items.remove(at);
                            true
                        }
                    }
                    _ => false,
                };
                if !gone {
                    bail!("nothing to remove at {place}");
                }
            }
            Self::Push(place, value) => match find(object, place)? {
                Value::Array(items) => items.push(value.clone()),
                _ => bail!("no list at {place}"),
            },
            Self::Swap(place, at) => match find(object, place)? {
                Value::Array(items) if at + 1 < items.len() => items.swap(*at, at + 1),
                _ => bail!("nothing to swap at {place}"),
            },
        }
        Ok(changed)
    }
}

fn split(place: &str) -> Result<(&str, &str)> {
    place
        .rsplit_once('/')
        .ok_or_else(|| anyhow!("{place} is no pointer"))
}

fn find<'v>(object: &'v mut Value, place: &str) -> Result<&'v mut Value> {
    object
        .pointer_mut(place)
        .ok_or_else(|| anyhow!("nothing at {place}"))
}

/// Reads objects back from what convert wrote.
pub(super) fn read(text: &str) -> Result<Objects> {
    let mut sources = SourceMap::default();
    let file = sources.add("output", text);
    let parsed = parse(file, sources.file(file).text());
    if let Some(fault) = parsed.diagnostics.first() {
        bail!("the output cannot be read back: {}", fault.message);
    }
    parsed
        .documents
        .iter()
        .map(|document| {
            let typed = from_node::<Value>(&document.root);
            typed
                .value
                .ok_or_else(|| anyhow!("an object cannot be read back"))
        })
        .collect()
}

/// Writes objects as convert does.
pub(super) fn write(objects: &Objects) -> Result<String> {
    let mut text = String::new();
    for object in objects {
        let document = to_out(object).map_err(|error| anyhow!("{error:?}"))?;
        text.push_str("---\n");
        write_document(&mut text, &document);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn edits_change_one_object() {
        let objects = vec![json!({"a": [1, 2, 3]}), json!({"b": {"c": 1}})];
        let check = |edit: Edit, at, expect: Value| {
            assert_eq!(Value::Array(edit.apply(&objects, at).unwrap()), expect);
        };
        check(Edit::Drop, 0, json!([{"b": {"c": 1}}]));
        check(
            Edit::Swap("/a".into(), 1),
            0,
            json!([{"a": [1, 3, 2]}, {"b": {"c": 1}}]),
        );
        check(
            Edit::Remove("/a/0".into()),
            0,
            json!([{"a": [2, 3]}, {"b": {"c": 1}}]),
        );
        check(
            Edit::Remove("/b/c".into()),
            1,
            json!([{"a": [1, 2, 3]}, {"b": {}}]),
        );
        check(
            Edit::Set("/b/d".into(), json!(2)),
            1,
            json!([{"a": [1, 2, 3]}, {"b": {"c": 1, "d": 2}}]),
        );
        check(
            Edit::Push("/a".into(), json!(4)),
            0,
            json!([{"a": [1, 2, 3, 4]}, {"b": {"c": 1}}]),
        );
        for bad in [
            Edit::Swap("/a".into(), 2),
            Edit::Remove("/x".into()),
            Edit::Push("/x".into(), json!(1)),
        ] {
            assert!(bad.apply(&objects, 0).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn text_and_objects_are_the_same() {
        let objects = vec![
            json!({"kind": "A", "on": "on", "list": [{"x": 1}]}),
            json!({"b": null}),
        ];
        assert_eq!(read(&write(&objects).unwrap()).unwrap(), objects);
    }
}

//! The fields in which two objects differ.

use serde::Serialize;
use serde_json::Value;

use super::describe::{self, Step};
use super::{Identity, value};

/// A field that differs, or a whole object.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldChange {
    /// Where: `spec.rules[web].backendRefs[web:80].weight`; empty for the whole object.
    pub path: String,
    /// What stands there; nothing when it is not there, or for a whole object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What convert writes; nothing when it writes nothing, or for a whole object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
    /// What that means.
    pub says: String,
}

/// All fields in which the sides differ; never empty for sides that do.
pub(super) fn changes(
    identity: &Identity,
    before: Option<&Value>,
    after: Option<&Value>,
) -> Vec<FieldChange> {
    match (before, after) {
        (Some(before), Some(after)) => {
            let mut walk = Walk {
                identity,
                object: before,
                found: Vec::new(),
            };
            walk.value(&mut Vec::new(), before, after);
            walk.found
        }
        (before, after) => {
            let object = before.or(after).unwrap_or(&Value::Null);
            let says = describe::whole(identity, object, after.is_some());
            let change = |says| FieldChange {
                path: String::new(),
                before: None,
                after: None,
                says,
            };
            says.into_iter().map(change).collect()
        }
    }
}

struct Walk<'a> {
    identity: &'a Identity,
    object: &'a Value,
    found: Vec<FieldChange>,
}

impl Walk<'_> {
    fn value(&mut self, path: &mut Vec<Step>, before: &Value, after: &Value) {
        if value::equal(before, after) {
            return;
        }
        match (before, after) {
            (Value::Object(old), Value::Object(new)) => {
                let added = new.keys().filter(|key| !old.contains_key(*key));
                for key in old.keys().chain(added) {
                    path.push(Step::Key(key.clone()));
                    self.maybe(path, old.get(key), new.get(key));
                    path.pop();
                }
            }
            (Value::Array(old), Value::Array(new)) => self.list(path, old, new),
            _ => self.push(path, Some(before), Some(after)),
        }
    }

    fn maybe(&mut self, path: &mut Vec<Step>, before: Option<&Value>, after: Option<&Value>) {
        match (before, after) {
            (Some(before), Some(after)) => self.value(path, before, after),
            (before, after) => self.push(path, before, after),
        }
    }

    fn list(&mut self, path: &mut Vec<Step>, old: &[Value], new: &[Value]) {
        let list = match path.last() {
            Some(Step::Key(key)) => key.clone(),
            _ => String::new(),
        };
        let pairs = pairs(&list, old, new);
        for (before, after) in &pairs {
            let (a, b) = (before.map(|at| &old[at]), after.map(|at| &new[at]));
            let at = before.or(*after).unwrap_or_default();
            let label = a.or(b).and_then(|item| label(&list, item));
            path.push(Step::Item(list.clone(), label.ok_or(at)));
            self.maybe(path, a, b);
            path.pop();
        }
        let places = pairs
            .iter()
            .filter_map(|(before, after)| before.zip(*after));
        let mut places: Vec<(usize, usize)> = places.collect();
        places.sort_unstable();
        if !places.is_sorted_by_key(|(_, after)| *after) {
            let names = |items: &[Value]| {
                let names = items.iter().enumerate().map(|(at, item)| {
                    let name = label(&list, item).unwrap_or_else(|| (at + 1).to_string());
                    format!("`{name}`")
                });
                names.collect::<Vec<_>>().join(", ")
            };
            let says = describe::order(path, &names(old), &names(new));
            self.found.push(FieldChange {
                path: describe::path(path),
                before: None,
                after: None,
                says,
            });
        }
    }

    fn push<'a>(&mut self, path: &[Step], before: Option<&'a Value>, after: Option<&'a Value>) {
        // What Secrets hold is shown nowhere.
        let hidden = Value::String("***".to_owned());
        let secret = self.identity.kind == "Secret" && self.identity.group.is_empty();
        let mask = |side: Option<&'a Value>| match side {
            Some(_) if secret => Some(&hidden),
            side => side,
        };
        let (before, after) = (mask(before), mask(after));
        self.found.push(FieldChange {
            path: describe::path(path),
            before: before.cloned(),
            after: after.cloned(),
            says: describe::field(self.identity, self.object, path, before, after),
        });
    }
}

/// Which items of two lists are the same thing: by name where they have names, else by place.
pub(super) fn pairs(
    list: &str,
    old: &[Value],
    new: &[Value],
) -> Vec<(Option<usize>, Option<usize>)> {
    let (Some(before), Some(after)) = (labels(list, old), labels(list, new)) else {
        let length = old.len().max(new.len());
        let within = |at: usize, items: &[Value]| (at < items.len()).then_some(at);
        return (0..length)
            .map(|at| (within(at, old), within(at, new)))
            .collect();
    };
    let mut partner: Vec<Option<usize>> = before
        .iter()
        .map(|name| after.iter().position(|other| other == name))
        .collect();
    let mut taken: Vec<bool> = vec![false; new.len()];
    for at in partner.iter().flatten() {
        taken[*at] = true;
    }
    if list == "rules" {
        // A rule that only has another name, or none.
        for (at, item) in old.iter().enumerate() {
            let matches = item.get("matches").map(value::key);
            if partner[at].is_some() || matches.is_none() {
                continue;
            }
            let same = |(at, other): &(usize, &Value)| {
                !taken[*at] && other.get("matches").map(value::key) == matches
            };
            if let Some((found, _)) = new.iter().enumerate().find(same) {
                taken[found] = true;
                partner[at] = Some(found);
            }
        }
    }
    let here = partner.into_iter().enumerate();
    let added = taken.into_iter().enumerate().filter(|(_, taken)| !taken);
    here.map(|(at, partner)| (Some(at), partner))
        .chain(added.map(|(at, _)| (None, Some(at))))
        .collect()
}

/// The names of all items, when every one has one of its own.
fn labels(list: &str, items: &[Value]) -> Option<Vec<String>> {
    let labels: Vec<String> = items
        .iter()
        .map(|item| label(list, item))
        .collect::<Option<_>>()?;
    let mut sorted: Vec<&String> = labels.iter().collect();
    sorted.sort_unstable();
    sorted.dedup();
    (sorted.len() == labels.len()).then_some(labels)
}

/// What an item of a list is known by.
pub(super) fn label(list: &str, item: &Value) -> Option<String> {
    let text = |key: &str| {
        item.get(key)
            .and_then(Value::as_str)
            .filter(|t| !t.is_empty())
    };
    if let Value::String(text) = item {
        return Some(text.clone());
    }
    match list {
        "rules" => match text("name") {
            Some(name) => Some(name.to_owned()),
            None => describe::matches(item),
        },
        "backendRefs" | "parentRefs" | "targetRefs" | "certificateRefs" | "caCertificateRefs"
        | "from" | "to" => Some(describe::reference(item)),
        "listeners" | "set" | "add" | "addIfAbsent" | "headers" | "queryParams" | "cookies" => {
            text("name").map(str::to_owned)
        }
        "filters" | "compressor" => text("type").map(str::to_owned),
        _ => None,
    }
}

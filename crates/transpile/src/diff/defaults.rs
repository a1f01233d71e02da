//! The values that an API server fills in, from the CRDs of Gateway API v1.6.1 (standard
//! channel) and Envoy Gateway v1.9.1.
//!
//! `defaults.txt` holds the `default` entries of their schemas: kind, path and JSON value. It
//! is written by `cargo xtask defaults`, which says what it leaves out and why.

use std::sync::OnceLock;

use serde_json::Value;

use super::{compare, value};

/// A default of a kind.
#[derive(Debug)]
struct Default {
    kind: &'static str,
    /// The path as it stands in the table, such as `spec.rules[].matches[].path.type`.
    path: &'static str,
    steps: Vec<&'static str>,
    value: Value,
}

/// What a reader of a route wants to see although it is the default.
const SHOWN: &[&str] = &[
    "spec.rules[].matches",
    "spec.rules[].matches[].path",
    "spec.rules[].matches[].path.type",
    "spec.rules[].matches[].path.value",
];

fn table() -> &'static [Default] {
    static TABLE: OnceLock<Vec<Default>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let lines = include_str!("defaults.txt").lines();
        lines
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| {
                let mut parts = line.splitn(3, ' ');
                let (kind, path) = (parts.next()?, parts.next()?);
                Some(Default {
                    kind,
                    path,
                    steps: steps(path),
                    value: serde_json::from_str(parts.next()?).ok()?,
                })
            })
            .collect()
    })
}

/// `a.b[].c` as `a`, `b`, `[]`, `c`; `{}` stands for every key of a map.
fn steps(path: &'static str) -> Vec<&'static str> {
    let mut steps = Vec::new();
    for part in path.split('.') {
        let mut rest = part;
        let mut tail = Vec::new();
        while let Some(head) = rest.strip_suffix("[]").or_else(|| rest.strip_suffix("{}")) {
            tail.push(&rest[head.len()..]);
            rest = head;
        }
        steps.push(rest);
        steps.extend(tail.into_iter().rev());
    }
    steps
}

fn of(kind: &str) -> impl Iterator<Item = &'static Default> {
    table().iter().filter(move |default| default.kind == kind)
}

/// Sets what is not stated. The table has outer defaults before inner ones, which hold inside
/// of them too.
pub(super) fn fill(kind: &str, object: &mut Value) {
    for default in of(kind) {
        each_parent(object, &default.steps, &mut |parent, key| {
            if !parent.contains_key(key) {
                parent.insert(key.to_owned(), default.value.clone());
            }
        });
    }
}

/// Removes from a filled object what says no more than a default, but for what the same place
/// of `other` states. In what `other` does not have, what a reader wants to see stays.
pub(super) fn hide(kind: &str, object: &mut Value, other: Option<&Value>) {
    Hide {
        kind,
        path: String::new(),
    }
    .value("", object, other);
}

struct Hide<'a> {
    kind: &'a str,
    /// As in the table.
    path: String,
}

impl Hide<'_> {
    fn value(&mut self, key: &str, value: &mut Value, other: Option<&Value>) {
        let length = self.path.len();
        match value {
            Value::Object(map) => {
                map.retain(|key, value| {
                    if length > 0 {
                        self.path.push('.');
                    }
                    self.path.push_str(key);
                    let there = other.and_then(|other| other.get(key));
                    let shown = match other {
                        Some(_) => there.is_some(),
                        None => SHOWN.contains(&self.path.as_str()),
                    };
                    let keep = shown || !self.is_default(value);
                    if keep {
                        self.value(key, value, there);
                    }
                    self.path.truncate(length);
                    keep
                });
            }
            Value::Array(items) => {
                let others = other.and_then(Value::as_array);
                let others = others.map(Vec::as_slice).unwrap_or_default();
                let partners = compare::pairs(key, items, others);
                self.path.push_str("[]");
                for (at, item) in items.iter_mut().enumerate() {
                    let pair = partners.iter().find(|pair| pair.0 == Some(at));
                    let partner = pair.and_then(|pair| pair.1);
                    self.value("", item, partner.map(|at| &others[at]));
                }
                self.path.truncate(length);
            }
            _ => {}
        }
    }

    /// Whether a value says no more than the default of its place, with the inner ones.
    fn is_default(&self, value: &Value) -> bool {
        let Some(default) = of(self.kind).find(|default| default.path == self.path) else {
            return false;
        };
        let mut whole = default.value.clone();
        complete(self.kind, default.path, &mut whole);
        value::equal(value, &whole)
    }
}

/// Fills the inner defaults of a default.
fn complete(kind: &str, path: &str, value: &mut Value) {
    for inner in of(kind) {
        let Some(rest) = inner.path.strip_prefix(path) else {
            continue;
        };
        let rest = rest.strip_prefix('.').unwrap_or(rest);
        if rest.is_empty() {
            continue;
        }
        let below: Vec<&str> = steps(rest).into_iter().filter(|s| !s.is_empty()).collect();
        each_parent(value, &below, &mut |parent, key| {
            if !parent.contains_key(key) {
                parent.insert(key.to_owned(), inner.value.clone());
            }
        });
    }
}

/// Visits every map that the last step of a path is a key of.
fn each_parent(
    value: &mut Value,
    steps: &[&str],
    visit: &mut impl FnMut(&mut serde_json::Map<String, Value>, &str),
) {
    match (steps, value) {
        ([key], Value::Object(map)) => visit(map, key),
        (["[]", rest @ ..], Value::Array(items)) => {
            for item in items {
                each_parent(item, rest, visit);
            }
        }
        (["{}", rest @ ..], Value::Object(map)) => {
            for (_, item) in map.iter_mut() {
                each_parent(item, rest, visit);
            }
        }
        ([key, rest @ ..], Value::Object(map)) => {
            if let Some(inner) = map.get_mut(*key) {
                each_parent(inner, rest, visit);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_line_of_the_table_is_read() {
        let lines = include_str!("defaults.txt").lines();
        let lines = lines.filter(|line| !line.starts_with('#')).count();
        assert!(lines > 50);
        assert_eq!(table().len(), lines);
    }

    #[test]
    fn outer_defaults_come_before_inner_ones() {
        for (at, default) in table().iter().enumerate() {
            for later in &table()[at + 1..] {
                let inside = default.kind == later.kind && default.path.starts_with(later.path);
                assert!(!inside, "{} before {}", default.path, later.path);
            }
        }
    }

    #[test]
    fn paths_are_cut_into_steps() {
        assert_eq!(
            steps("spec.rules[].matches"),
            ["spec", "rules", "[]", "matches"]
        );
        assert_eq!(steps("a{}.b[][].c"), ["a", "{}", "b", "[]", "[]", "c"]);
    }

    #[test]
    fn what_is_filled_is_hidden_again() {
        let bare = json!({"spec": {"parentRefs": [{"name": "shared"}], "rules": [
            {"backendRefs": [{"name": "web", "port": 80}]},
        ]}});
        let mut object = bare.clone();
        fill("HTTPRoute", &mut object);
        assert_eq!(
            object,
            json!({"spec": {
                "parentRefs": [{"name": "shared", "group": "gateway.networking.k8s.io", "kind": "Gateway"}],
                "rules": [{
                    "backendRefs": [{"name": "web", "port": 80, "group": "", "kind": "Service", "weight": 1}],
                    "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
                }],
            }})
        );
        let mut alone = object.clone();
        hide("HTTPRoute", &mut object, Some(&bare));
        assert_eq!(object, bare);
        // A rule that nobody else has is shown with its path.
        hide("HTTPRoute", &mut alone, None);
        let mut shown = bare;
        shown["spec"]["rules"][0]["matches"] =
            json!([{"path": {"type": "PathPrefix", "value": "/"}}]);
        assert_eq!(alone, shown);
    }

    #[test]
    fn defaults_inside_of_defaults_are_hidden_as_a_whole() {
        let mut gateway = json!({"spec": {"listeners": [{"name": "http"}, {"name": "all",
            "allowedRoutes": {"namespaces": {"from": "All"}}}]}});
        let before = gateway.clone();
        fill("Gateway", &mut gateway);
        assert_eq!(
            gateway["spec"]["listeners"][0]["allowedRoutes"],
            json!({"namespaces": {"from": "Same"}})
        );
        hide("Gateway", &mut gateway, None);
        assert_eq!(gateway, before);
    }

    #[test]
    fn what_the_same_place_of_the_other_side_states_is_shown() {
        let rule =
            |a: Value, b: Value| json!({"spec": {"rules": [{"name": "x", "backendRefs": [a, b]}]}});
        let mut route = rule(json!({"name": "a"}), json!({"name": "b"}));
        fill("HTTPRoute", &mut route);
        let other = rule(json!({"name": "b", "weight": 1}), json!({"name": "a"}));
        hide("HTTPRoute", &mut route, Some(&other));
        assert_eq!(
            route["spec"]["rules"][0]["backendRefs"],
            json!([{"name": "a"}, {"name": "b", "weight": 1}])
        );
    }
}

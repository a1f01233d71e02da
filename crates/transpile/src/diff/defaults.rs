//! The values that an API server fills in, from the CRDs of Gateway API v1.6.1 (standard
//! channel) and Envoy Gateway v1.9.1.
//!
//! `defaults.txt` holds the `default` entries of their schemas: kind, path and JSON value. It
//! is written by `cargo xtask defaults`, which says what it leaves out and why.

use std::sync::OnceLock;

use serde_json::Value;

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

/// Sets what is not stated, and gives back the paths of the defaults that were. The table has
/// outer defaults before inner ones, which hold inside of them too.
pub(super) fn fill(kind: &str, object: &mut Value) -> Vec<&'static str> {
    let mut stated = Vec::new();
    for default in of(kind) {
        each_parent(object, &default.steps, &mut |parent, key| {
            if parent.contains_key(key) && stated.last() != Some(&default.path) {
                stated.push(default.path);
            }
        });
    }
    for default in of(kind) {
        each_parent(object, &default.steps, &mut |parent, key| {
            if !parent.contains_key(key) {
                parent.insert(key.to_owned(), default.value.clone());
            }
        });
    }
    stated
}

/// Removes what says no more than the default, but for what `stated` names and what a
/// reader wants to see.
pub(super) fn hide(kind: &str, object: &mut Value, stated: &[&'static str]) {
    let kept = |path: &str| SHOWN.contains(&path) || stated.contains(&path);
    for default in of(kind).filter(|default| !kept(default.path)) {
        let mut whole = default.value.clone();
        complete(kind, default.path, &mut whole);
        each_parent(object, &default.steps, &mut |parent, key| {
            if parent.get(key).is_some_and(|value| super::value::equal(value, &whole)) {
                parent.remove(key);
            }
        });
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
        assert_eq!(steps("spec.rules[].matches"), ["spec", "rules", "[]", "matches"]);
        assert_eq!(steps("a{}.b[][].c"), ["a", "{}", "b", "[]", "[]", "c"]);
    }

    #[test]
    fn what_is_filled_is_hidden_again() {
        let bare = json!({"spec": {"parentRefs": [{"name": "shared"}], "rules": [
            {"backendRefs": [{"name": "web", "port": 80}]},
        ]}});
        let mut object = bare.clone();
        assert_eq!(fill("HTTPRoute", &mut object), ["spec.rules"]);
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
        hide("HTTPRoute", &mut object, &[]);
        let mut shown = bare;
        shown["spec"]["rules"][0]["matches"] =
            json!([{"path": {"type": "PathPrefix", "value": "/"}}]);
        assert_eq!(object, shown);
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
        hide("Gateway", &mut gateway, &[]);
        assert_eq!(gateway, before);
    }

    #[test]
    fn what_the_other_side_states_is_shown() {
        let mut route = json!({"spec": {"rules": [{"backendRefs": [{"name": "a"}]}]}});
        fill("HTTPRoute", &mut route);
        hide("HTTPRoute", &mut route, &["spec.rules[].backendRefs[].weight"]);
        assert_eq!(
            route["spec"]["rules"][0]["backendRefs"],
            json!([{"name": "a", "weight": 1}])
        );
    }
}

//! What every conversion has to hold, whatever it was given.

use std::collections::{BTreeMap, BTreeSet};

use gatewright_source::SourceMap;
use gatewright_transpile::Conversion;
use gatewright_yaml::from_node;
use serde_json::Value;

/// An object as it was written, by kind, namespace and name.
pub type Written = BTreeMap<(String, String, String), Value>;

/// Reads output with our reader and with another, which have to agree.
pub fn read_back(output: &str) -> Written {
    let mut sources = SourceMap::default();
    let file = sources.add("output.yaml", output);
    let parsed = gatewright_yaml::parse(file, output);
    assert!(
        parsed.diagnostics.is_empty(),
        "{:?}\n{output}",
        parsed.diagnostics
    );
    let ours: Vec<Value> = parsed
        .documents
        .iter()
        .map(|document| {
            let typed = from_node::<Value>(&document.root);
            assert!(typed.problems.is_empty(), "{:?}", typed.problems);
            typed.value.expect("a value")
        })
        .collect();
    let theirs: Vec<Value> = serde_yaml::Deserializer::from_str(output)
        .map(|document| serde::Deserialize::deserialize(document).expect("readable YAML"))
        .filter(|value: &Value| !value.is_null())
        .collect();
    assert_eq!(ours, theirs, "read differently:\n{output}");
    let mut objects = Written::new();
    for object in ours {
        let at = |pointer: &str| {
            let text = object.pointer(pointer).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let key = (at("/kind"), at("/metadata/namespace"), at("/metadata/name"));
        assert_eq!(objects.insert(key.clone(), object), None, "twice: {key:?}");
    }
    objects
}

fn is_subdomain(name: &str) -> bool {
    name.len() <= 253
        && name.split('.').all(|label| {
            let ends = |c: Option<char>| c.is_some_and(|c| c != '-');
            label
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
                && ends(label.chars().next())
                && ends(label.chars().last())
        })
}

/// Everything in the input has one outcome, each finding points into it, and the output is what
/// an API server can take. Hands back the objects of the output.
pub fn sound(conversion: &Conversion) -> Written {
    let unsettled: Vec<String> = conversion
        .ledger
        .unsettled()
        .map(|(object, item)| format!("{object}: {}", item.path))
        .collect();
    assert!(unsettled.is_empty(), "without outcome: {unsettled:#?}");
    for diagnostic in &conversion.diagnostics {
        for label in &diagnostic.labels {
            // Panics when the place is not in the text.
            let _ = conversion.sources.slice(label.span);
        }
    }
    let objects = read_back(&conversion.output.to_string());
    for ((kind, namespace, name), object) in &objects {
        assert!(is_subdomain(name), "name of {kind}: {name}");
        assert!(
            namespace.is_empty() || is_subdomain(namespace),
            "{kind} in {namespace}"
        );
        if kind == "HTTPRoute" {
            limits(name, object);
        }
        let targets = object["spec"]["targetRefs"].as_array();
        for target in targets.into_iter().flatten() {
            finds(&objects, namespace, target);
        }
    }
    objects
}

/// A policy of nothing protects nothing.
fn finds(objects: &Written, namespace: &str, target: &Value) {
    let text = |key: &str| target[key].as_str().unwrap_or_default().to_owned();
    let key = (text("kind"), namespace.to_owned(), text("name"));
    let object = objects.get(&key);
    let object = object.unwrap_or_else(|| panic!("a policy of {key:?}, which is not there"));
    if let Some(section) = target["sectionName"].as_str() {
        let list = ["rules", "listeners"].map(|list| object["spec"][list].as_array());
        let mut names = list
            .into_iter()
            .flatten()
            .flatten()
            .map(|part| &part["name"]);
        assert!(
            names.any(|name| name == section),
            "{key:?} has no {section}"
        );
    }
}

fn limits(name: &str, route: &Value) {
    let list = |value: &Value, key: &str| {
        let list = value.get(key).and_then(Value::as_array);
        list.cloned().unwrap_or_default()
    };
    let spec = &route["spec"];
    let rules = list(spec, "rules");
    let matches: Vec<usize> = rules
        .iter()
        .map(|rule| list(rule, "matches").len())
        .collect();
    assert!(
        !rules.is_empty() && rules.len() <= 16,
        "{name}: {} rules",
        rules.len()
    );
    assert!(
        matches.iter().all(|n| *n <= 64),
        "{name}: {matches:?} matches"
    );
    assert!(
        matches.iter().sum::<usize>() <= 128,
        "{name}: {matches:?} matches"
    );
    assert!(list(spec, "hostnames").len() <= 16, "{name}: hostnames");
    let names: Vec<Value> = rules.iter().map(|rule| rule["name"].clone()).collect();
    let distinct: BTreeSet<String> = names.iter().map(ToString::to_string).collect();
    assert_eq!(
        distinct.len(),
        names.len(),
        "{name}: two rules of one name: {names:?}"
    );
    for rule in &names {
        let rule = rule.as_str().expect("a named rule");
        assert!(is_subdomain(rule), "{name}: rule {rule}");
    }
}

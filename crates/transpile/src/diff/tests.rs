//! The difference as a whole; the parts have tests of their own.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::json;

use super::*;
use crate::convert;

const INGRESS: &str = "
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
  namespace: shop
  annotations:
    nginx.ingress.kubernetes.io/auth-type: basic
    nginx.ingress.kubernetes.io/auth-secret: users
spec:
  ingressClassName: nginx
  rules:
  - host: shop.example.com
    http:
      paths:
      - {path: /a, pathType: Prefix, backend: {service: {name: a, port: {number: 80}}}}
      - {path: /b, pathType: Exact, backend: {service: {name: b, port: {number: 80}}}}
---
apiVersion: v1
kind: Secret
metadata: {name: users, namespace: shop}
data: {auth: dTp7U0hBfVcrODNUaStBbk92ekpxNzRjWnJUVHRrZHlGST0K}
";

fn input(text: &str) -> Vec<Input> {
    vec![Input {
        name: "there.yaml".to_owned(),
        text: text.to_owned(),
    }]
}

fn converted(options: &Options) -> Conversion {
    convert(input(INGRESS), options)
}

fn against(text: &str) -> Difference {
    let options = Options::default();
    diff(&converted(&options), input(text), &options)
}

/// What convert writes, changed.
fn edited(edits: &[(&str, &str)]) -> String {
    let mut text = converted(&Options::default()).output.to_string();
    for (from, to) in edits {
        assert!(text.contains(from), "{from} is not in\n{text}");
        text = text.replacen(from, to, 1);
    }
    text
}

fn check(edits: &[(&str, &str)], expect: &str) {
    let difference = against(&edited(edits));
    assert_eq!(difference.semantic(), expect);
}

#[test]
fn own_output_is_the_same() {
    let difference = against(&edited(&[]));
    assert!(difference.is_empty(), "{}", difference.unified());
    assert!(difference.same > 5);
    assert_eq!(difference.unified(), "");
    assert!(difference.ignored.is_empty());
}

#[test]
fn fields_are_named_with_both_values() {
    check(
        &[
            (
                "    - name: b\n      port: 80\n",
                "    - name: b\n      port: 80\n      weight: 90\n",
            ),
            ("  - shop.example.com", "  - www.example.com"),
        ],
        "HTTPRoute shop/web: host `www.example.com` removed\n\
         HTTPRoute shop/web: host `shop.example.com` added\n\
         HTTPRoute shop/web: rule `b-exact`: weight of backend `b:80` 90 → 1\n",
    );
}

#[test]
fn rules_are_named_and_described() {
    check(
        &[("name: a\n    matches", "name: other\n    matches")],
        "HTTPRoute shop/web: rule `other`: `name` `other` → `a`\n",
    );
    let output = edited(&[]);
    let rule = |name: &str| {
        output
            .find(&format!("  - name: {name}\n    matches"))
            .expect("a rule")
    };
    let less = format!("{}{}", &output[..rule("b-exact")], &output[rule("a")..]);
    assert_eq!(
        against(&less).semantic(),
        "HTTPRoute shop/web: rule `b-exact` added: Exact /b → `b:80`\n"
    );
}

#[test]
fn a_protection_that_goes_is_said() {
    let output = edited(&[]);
    let policy: Vec<&str> = output
        .split("---\n")
        .filter(|part| part.contains("kind: SecurityPolicy"))
        .collect();
    let [policy] = policy.as_slice() else {
        panic!("{output}");
    };
    let elsewhere = policy.replacen("name: web", "name: old", 1);
    let difference = against(&format!("{output}---\n{elsewhere}"));
    assert_eq!(
        difference.semantic(),
        "SecurityPolicy shop/old removed: basic auth is no longer asked for on HTTPRoute shop/web\n"
    );
    assert!(difference.unified().contains("+++ /dev/null\n"));
}

#[test]
fn only_kinds_that_are_written_count_as_removed() {
    let foreign = "
apiVersion: v1
kind: List
items:
- {apiVersion: apps/v1, kind: Deployment, metadata: {name: a, namespace: shop}}
- {apiVersion: v1, kind: Secret, metadata: {name: b, namespace: shop}}
- {apiVersion: example.com/v1, kind: Gateway, metadata: {name: c, namespace: shop}}
- {apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: d, namespace: shop}, spec: {}}
- {a: 1}
";
    let difference = against(&format!("{}---{foreign}", edited(&[])));
    assert_eq!(
        difference.semantic(),
        "HTTPRoute shop/d removed: 1 rule for every host\n"
    );
    let ignored: Vec<_> = difference.ignored.into_iter().collect();
    let expect = [
        ("Deployment", 1),
        ("Gateway", 1),
        ("Secret", 1),
        ("no object", 1),
    ];
    assert_eq!(
        ignored,
        expect.map(|(kind, count)| (kind.to_owned(), count))
    );
}

#[test]
fn what_the_options_leave_out_is_not_removed() {
    let whole = edited(&[]);
    for options in [
        Options {
            emit: Emit::Routes,
            ..Options::default()
        },
        Options {
            emit: Emit::Infra,
            ..Options::default()
        },
        Options {
            namespace: Some("elsewhere".to_owned()),
            ..Options::default()
        },
    ] {
        let difference = diff(&converted(&options), input(&whole), &options);
        let routes = difference.changes.iter();
        let removed: Vec<String> = routes
            .filter(|change| change.word() == "removed" && change.identity.namespace == "shop")
            .map(|change| change.identity.to_string())
            .collect();
        assert!(removed.is_empty(), "{options:?}: {removed:?}");
        assert!(!difference.ignored.is_empty() || difference.same > 0);
    }
}

#[test]
fn what_secrets_hold_is_not_shown() {
    let secret = |value: &str| {
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: users, namespace: shop}}\nstringData: {{.htpasswd: {value}}}\n"
        )
    };
    let conversion = Conversion {
        output: secret("new-password").into(),
        ..converted(&Options::default())
    };
    let difference = diff(
        &conversion,
        input(&secret("old-password")),
        &Options::default(),
    );
    assert_eq!(difference.count("changed"), 1);
    for text in [
        difference.unified(),
        difference.semantic(),
        difference.json(),
    ] {
        // What `stringData` says stands in `data` as base64.
        for secret in ["password", "b2xkLXBhc3N3b3Jk", "bmV3LXBhc3N3b3Jk"] {
            assert!(!text.contains(secret), "{text}");
        }
        assert!(text.contains("***"), "{text}");
    }
    assert!(
        difference
            .unified()
            .contains("-  .htpasswd: '*** (before)'"),
        "{}",
        difference.unified()
    );
}

#[test]
fn an_object_that_stands_there_twice_is_said() {
    let output = edited(&[]);
    let difference = against(&format!("{output}---\n{output}"));
    assert!(difference.is_empty());
    assert_eq!(difference.repeated.len(), difference.same);
}

#[test]
fn another_order_of_rules_is_a_difference() {
    let mut conversion = converted(&Options::default());
    let route = |rules: [&str; 2]| {
        let rules = rules
            .map(|name| format!("  - {{name: {name}, matches: [{{path: {{value: /{name}}}}}]}}\n"));
        format!(
            "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{name: web, namespace: shop}}\nspec:\n  rules:\n{}",
            rules.concat()
        )
    };
    conversion.output = route(["a", "b"]).into();
    let difference = diff(&conversion, input(&route(["b", "a"])), &Options::default());
    assert_eq!(
        difference.semantic(),
        "HTTPRoute shop/web: order of `rules` `b`, `a` → `a`, `b`\n"
    );
}

#[test]
fn labels_and_annotations_of_others_are_left_alone() {
    let output = edited(&[(
        "  name: web\n",
        "  name: web\n  labels: {app: shop}\n  annotations: {argocd.argoproj.io/tracking-id: x}\n  finalizers: [x]\n",
    )]);
    assert!(against(&output).is_empty());
}

/// Every input of the test data, one conversion each.
fn inputs() -> Vec<(PathBuf, Conversion)> {
    let mut found = Vec::new();
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata")];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).expect("a directory").flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if path.file_name().is_some_and(|name| name == "input.yaml") {
                let text = fs::read_to_string(&path).expect("a text");
                let conversion = convert(input(&text), &Options::default());
                if !conversion.output.is_empty() {
                    found.push((path, conversion));
                }
            }
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

/// An object as an API server hands it out.
fn as_served(mut object: serde_json::Value) -> serde_json::Value {
    let kind = object["kind"].as_str().unwrap_or_default().to_owned();
    defaults::fill(&kind, &mut object);
    let metadata = object["metadata"].as_object_mut().expect("metadata");
    for (key, value) in [
        ("creationTimestamp", json!("2026-01-01T00:00:00Z")),
        ("generation", json!(3)),
        ("resourceVersion", json!("4711")),
        ("uid", json!("9c5b94b1-35ad-49bb-b118-8e8fc24abf80")),
        (
            "managedFields",
            json!([{"manager": "kubectl", "fieldsV1": {"f:spec": {}}}]),
        ),
        (
            "annotations",
            json!({"kubectl.kubernetes.io/last-applied-configuration": "{}"}),
        ),
    ] {
        metadata.insert(key.to_owned(), value);
    }
    if kind != "Secret" {
        object["status"] = json!({"conditions": [{"type": "Accepted", "status": "True"}]});
    }
    object
}

/// Puts things into an order that depends on the numbers only.
fn shuffle<T>(items: &mut [T], numbers: &[usize]) {
    for at in (1..items.len()).rev() {
        let other = numbers[at % numbers.len()].wrapping_add(at * 7) % (at + 1);
        items.swap(at, other);
    }
}

fn shuffle_keys(value: &mut serde_json::Value, numbers: &[usize]) {
    match value {
        serde_json::Value::Object(map) => {
            let mut entries: Vec<_> = std::mem::take(map).into_iter().collect();
            shuffle(&mut entries, numbers);
            for (key, mut value) in entries {
                shuffle_keys(&mut value, numbers);
                map.insert(key, value);
            }
        }
        serde_json::Value::Array(items) => {
            for item in items {
                shuffle_keys(item, numbers);
            }
        }
        _ => {}
    }
}

#[test]
fn convert_changes_nothing_in_what_it_wrote() {
    let inputs = inputs();
    assert!(inputs.len() > 100, "only {} inputs", inputs.len());
    let config = Config {
        cases: 2,
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let layouts = prop::collection::vec(0_usize..1_000_000, 8..32);
    let outcome = TestRunner::new_with_rng(config, rng).run(&layouts, |numbers| {
        for (path, conversion) in &inputs {
            let options = Options::default();
            let mut sources = SourceMap::default();
            let file = sources.add("", conversion.output.to_string());
            let parsed = gatewright_yaml::parse(file, sources.file(file).text());
            let mut objects: Vec<serde_json::Value> = parsed
                .documents
                .iter()
                .map(|document| as_served(value::plain(&document.root)))
                .collect();
            shuffle(&mut objects, &numbers);
            for object in &mut objects {
                shuffle_keys(object, &numbers);
            }
            // As kubectl prints several kinds, and as files in a directory.
            let half = objects.len() / 2;
            let list = json!({"apiVersion": "v1", "kind": "List", "items": objects[..half]});
            let mut texts = vec![list.to_string()];
            texts.extend(objects[half..].iter().map(serde_json::Value::to_string));
            let existing = texts.into_iter().enumerate().map(|(at, text)| Input {
                name: format!("{at}.json"),
                text,
            });
            let difference = diff(conversion, existing.collect(), &options);
            prop_assert!(
                difference.is_empty() && difference.same == objects.len(),
                "{}: {}",
                path.display(),
                difference.unified()
            );
        }
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

#[test]
fn what_differs_is_always_said() {
    for (path, conversion) in inputs() {
        let mut sources = SourceMap::default();
        let file = sources.add("", conversion.output.to_string());
        let parsed = gatewright_yaml::parse(file, sources.file(file).text());
        for document in &parsed.documents {
            let whole = value::plain(&document.root);
            let Some(spec) = whole["spec"].as_object() else {
                continue;
            };
            let identity = Identity {
                group: String::new(),
                kind: whole["kind"].as_str().unwrap_or_default().to_owned(),
                namespace: "shop".to_owned(),
                name: "web".to_owned(),
            };
            for key in spec.keys() {
                let mut less = whole.clone();
                less["spec"].as_object_mut().expect("a spec").remove(key);
                let changes = compare::changes(&identity, Some(&less), Some(&whole));
                assert!(!changes.is_empty(), "{}: {key}", path.display());
                assert!(changes.iter().all(|change| !change.says.is_empty()));
            }
        }
    }
}

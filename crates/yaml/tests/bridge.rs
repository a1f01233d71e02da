//! The bridge into the types of the Kubernetes API.

use std::fmt::Write;

use gatewright_source::FileId;
use gatewright_yaml::{ProblemKind, Typed, from_node, parse};
use k8s_openapi::api::core::v1::{ConfigMap, Secret, Service};
use k8s_openapi::api::networking::v1::Ingress;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde::Deserialize;
use serde::de::DeserializeOwned;

fn read<T: DeserializeOwned>(text: &str) -> Typed<T> {
    let parsed = parse(FileId(0), text);
    assert_eq!(parsed.diagnostics, [], "{text}");
    from_node(&parsed.documents[0].root)
}

/// One line for each problem: path, text under its span, what it is.
fn check<T: DeserializeOwned>(text: &str, value: bool, expect: &str) {
    let typed = read::<T>(text);
    assert_eq!(typed.value.is_some(), value, "{:?}", typed.problems);
    let mut found = String::new();
    for problem in &typed.problems {
        let at = &text[problem.span.start as usize..problem.span.end as usize];
        let _ = writeln!(found, "{} [{at}] {}", problem.path, problem.kind);
    }
    assert_eq!(found, expect);
}

const INGRESS: &str = "\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
  creationTimestamp: null
  annotations:
    nginx.ingress.kubernetes.io/proxy-body-size: \"8m\"
    empty:
spec:
  ingressClassName: nginx
  tls: null
  rules:
  - host: shop.example.com
    http:
      paths:
      - path: /
        pathType: Prefix
        backend:
          service:
            name: web
            port:
              number: 80
";

#[test]
fn an_ingress_is_read() {
    let typed = read::<Ingress>(INGRESS);
    assert_eq!(typed.problems, []);
    let ingress = typed.value.unwrap();
    let annotations = ingress.metadata.annotations.unwrap();
    assert_eq!(annotations["empty"], "", "null is the zero value");
    let spec = ingress.spec.unwrap();
    assert_eq!(spec.tls, None);
    let rule = &spec.rules.as_ref().unwrap()[0];
    assert_eq!(rule.host.as_deref(), Some("shop.example.com"));
    let path = &rule.http.as_ref().unwrap().paths[0];
    let service = path.backend.service.as_ref().unwrap();
    assert_eq!(service.port.as_ref().unwrap().number, Some(80));
}

#[test]
fn values_of_another_type_are_refused() {
    let head = "apiVersion: networking.k8s.io/v1\nkind: Ingress\n";
    check::<Ingress>(
        &format!("{head}metadata:\n  annotations:\n    a.b/c: true\n"),
        false,
        "metadata.annotations[a.b/c] [true] invalid type: boolean `true`, expected a string\n",
    );
    check::<Ingress>(
        &format!("{head}spec:\n  rules:\n  - host: 1\n"),
        false,
        "spec.rules[0].host [1] invalid type: integer `1`, expected a string\n",
    );
    check::<Ingress>(
        &format!("{head}spec:\n  rules: {{}}\n"),
        false,
        "spec.rules [{}] invalid type: map, expected a sequence\n",
    );
}

#[test]
fn unknown_fields_are_listed() {
    let text = INGRESS
        .replace("pathType:", "pathTyp:")
        .replace("tls:", "tsl:");
    check::<Ingress>(
        &text,
        true,
        "spec.tsl [tsl] unknown field `tsl`\n\
         spec.rules[0].http.paths[0].pathTyp [pathTyp] unknown field `pathTyp`\n",
    );
    let suggestions: Vec<_> = read::<Ingress>(&text)
        .problems
        .into_iter()
        .map(|problem| match problem.kind {
            ProblemKind::UnknownField { suggestion, .. } => suggestion,
            _ => None,
        })
        .collect();
    assert_eq!(
        suggestions,
        [Some("tls".to_owned()), Some("pathType".to_owned())]
    );
}

#[test]
fn other_kinds_are_read() {
    let service = read::<Service>(
        "apiVersion: v1\nkind: Service\nmetadata: {name: a, creationTimestamp: 2024-01-02T03:04:05Z}\n\
         spec:\n  ports:\n  - {port: 80, targetPort: http}\n  - {port: 81, targetPort: 8081}\n",
    );
    assert_eq!(service.problems, []);
    let ports = service.value.unwrap().spec.unwrap().ports.unwrap();
    assert_eq!(
        ports[0].target_port,
        Some(IntOrString::String("http".into()))
    );
    assert_eq!(ports[1].target_port, Some(IntOrString::Int(8081)));

    let secret = read::<Secret>("apiVersion: v1\nkind: Secret\ndata:\n  auth: aGVsbG8=\n");
    assert_eq!(secret.problems, []);
    assert_eq!(secret.value.unwrap().data.unwrap()["auth"].0, b"hello");

    let config = read::<ConfigMap>("apiVersion: v1\nkind: ConfigMap\ndata:\n  a: \"1\"\n");
    assert_eq!(config.problems, []);
    check::<ConfigMap>(
        "apiVersion: v1\nkind: ConfigMap\ndata:\n  a: 1\n",
        false,
        "data.a [1] invalid type: integer `1`, expected a string\n",
    );
    check::<Secret>(
        "apiVersion: v1\nkind: Secret\ndata:\n  a: '%'\n",
        false,
        "data.a ['%'] Invalid symbol 37, offset 0.\n",
    );
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
struct Settings {
    #[serde(default)]
    retries: u8,
    mode: Mode,
    #[serde(default)]
    list: Vec<String>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Off,
    Rate(u32),
}

#[test]
fn derived_types_are_read() {
    let typed = read::<Settings>("retries: 3\nmode: \"off\"\nlist: [a, ~]\n");
    let expect = Settings {
        retries: 3,
        mode: Mode::Off,
        list: vec!["a".into(), String::new()],
    };
    assert_eq!(typed.value, Some(expect));
    assert_eq!(
        read::<Settings>("mode: {rate: 5}").value.unwrap().mode,
        Mode::Rate(5)
    );
    check::<Settings>(
        "mode: {rate: x}\n",
        false,
        "mode.rate [x] invalid type: string \"x\", expected a whole number\n",
    );
    check::<Settings>(
        "retries: 300\nmode: \"off\"\n",
        false,
        "retries [300] invalid value: integer `300`, expected a whole number from 0 to 255\n",
    );
    check::<Settings>(
        "retries: 1\n",
        false,
        " [retries: 1] missing field `mode`\n",
    );
}

#[test]
fn deep_trees_fit_on_the_stack_of_a_thread() {
    let text = format!("{}{}", "[".repeat(500), "]".repeat(500));
    let node = parse(FileId(0), &text).documents.remove(0).root;
    assert_eq!(node.clone(), node);
    let typed = from_node::<serde_json::Value>(&node);
    assert_eq!(typed.value.unwrap().to_string(), text);
}

#[test]
fn all_faults_are_named() {
    check::<Ingress>(
        "metadata:\n  name: 1\n  annotations:\n    a: true\n    b: 2\nspec:\n  tsl: []\n  rules:\n  - http:\n      paths:\n      - path: []\n        backend: {service: {port: {number: \"80\"}}}\n",
        false,
        "spec.tsl [tsl] unknown field `tsl`\n\
         metadata.name [1] invalid type: integer `1`, expected a string\n\
         metadata.annotations.a [true] invalid type: boolean `true`, expected a string\n\
         metadata.annotations.b [2] invalid type: integer `2`, expected a string\n\
         spec.rules[0].http.paths[0].path [[]] invalid type: sequence, expected a string\n\
         spec.rules[0].http.paths[0].backend.service.port.number [\"80\"] invalid type: string \"80\", expected a whole number\n",
    );
    // An end is put to endless ones.
    let mut many = String::new();
    for n in 0..50 {
        let _ = writeln!(many, "  k{n}: {n}");
    }
    let typed = read::<ConfigMap>(&format!("data:\n{many}"));
    assert_eq!(typed.problems.len(), 21);
}

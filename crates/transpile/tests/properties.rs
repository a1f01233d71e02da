//! What holds for every input: no panic, one outcome for everything, the same bytes whatever
//! the order, and output that an API server can take.
//!
//! Seeds are fixed, so that a run says the same everywhere; `PROPTEST_CASES=5000` looks further.

mod support;

use std::fmt::Write as _;

use gatewright_fuzz::promises;
use gatewright_fuzz::sound::{read_back, sound};
use gatewright_nginx::registry;
use gatewright_nginx::registry::metadata::METADATA;
use gatewright_transpile::audit::audit;
use gatewright_transpile::krm::{ResourceList, Writing};
use gatewright_transpile::{Input, NoClass, Options, convert};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;

const PREFIX: &str = "nginx.ingress.kubernetes.io";

/// Runs a property with a fixed seed.
fn check<S: Strategy>(cases: u32, strategy: &S, test: impl Fn(S::Value)) {
    let cases = match std::env::var("PROPTEST_CASES") {
        Ok(cases) => cases.parse().expect("a number of cases"),
        Err(_) => cases,
    };
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 2_000,
        ..Config::default()
    };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let outcome = runner.run(strategy, |value| {
        test(value);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

fn options() -> Options {
    Options {
        no_class: NoClass::Include,
        ..support::options()
    }
}

fn one(text: impl Into<String>) -> Vec<Input> {
    vec![Input {
        name: "input.yaml".to_owned(),
        text: text.into(),
    }]
}

/// Random numbers that are the same on every machine (`SplitMix64`).
struct Dice(u64);

impl Dice {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let below = u64::try_from(below).expect("a small number");
        usize::try_from((z ^ (z >> 31)) % below).expect("a small number")
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            let other = self.next(at + 1);
            items.swap(at, other);
        }
    }
}

/// The documents of a file that holds `---` only between documents.
fn documents(text: &str) -> Vec<&str> {
    let mut documents = Vec::new();
    let mut start = 0;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.trim_end() == "---" {
            documents.push(&text[start..at]);
            start = at + line.len();
        }
        at += line.len();
    }
    documents.push(&text[start..]);
    documents
}

#[test]
fn order_of_files_and_documents_and_threads_do_not_show() {
    let inputs: Vec<Input> = support::corpus()
        .iter()
        .map(|path| support::input(path))
        .collect();
    let expected = convert(inputs.clone(), &options());
    let _ = sound(&expected);
    let expected_findings = promises::findings(&expected);
    let mut dice = Dice(7);
    for round in 0..30 {
        let mut shuffled = inputs.clone();
        dice.shuffle(&mut shuffled);
        for input in &mut shuffled {
            if round % 3 != 0 && !input.text.starts_with('{') {
                let text = input.text.trim_start_matches('\u{feff}').to_owned();
                let mut documents = documents(&text);
                dice.shuffle(&mut documents);
                input.text = documents.join("\n---\n");
            }
        }
        let threads = [Some(1), Some(2), Some(7), None][round % 4];
        let conversion = convert(
            shuffled,
            &Options {
                threads,
                ..options()
            },
        );
        assert!(
            conversion.output == expected.output,
            "round {round} gives other bytes"
        );
        assert_eq!(
            promises::findings(&conversion),
            expected_findings,
            "round {round}"
        );
        assert_eq!(
            conversion.summary.outcomes, expected.summary.outcomes,
            "round {round}"
        );
    }
}

/// What a snippet does on one host is refused for another reason than on the next, and the hosts
/// are written side by side: the first has no route of the Ingress.
#[test]
fn threads_do_not_show_in_the_account() {
    let ingress = |name: &str, more: &str, hosts: &[(&str, &str)]| {
        let head = format!(
            "---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: {name}\n  namespace: {name}\n{more}spec:\n  ingressClassName: nginx\n  rules:\n"
        );
        let rules = hosts.iter().map(|(host, path)| {
            format!(
                "  - host: {host}\n    http: {{paths: [{{path: {path}, pathType: Prefix, backend: {{service: {{name: svc, port: {{number: 80}}}}}}}}]}}\n"
            )
        });
        std::iter::once(head).chain(rules).collect::<String>()
    };
    let snippet = concat!(
        "  creationTimestamp: \"2021-01-01T00:00:00Z\"\n",
        "  annotations:\n",
        "    nginx.ingress.kubernetes.io/server-snippet: |\n",
        "      if ($http_x_forwarded_proto = http) { return 301 https://o.test/; }\n",
        "      if ($request_uri = /old) { return 301 https://n.test/; }\n",
    );
    let hosts = [("a.test", "/x"), ("b.test", "/old"), ("c.test", "/old")];
    let text = [
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ingress-nginx-controller, namespace: ingress-nginx}\ndata: {use-forwarded-headers: \"true\", allow-snippet-annotations: \"true\", annotations-risk-level: Critical}\n".to_owned(),
        ingress("a", "", &hosts[..1]),
        ingress("b", snippet, &hosts),
    ]
    .concat();
    let report = |threads| {
        let input = Input {
            name: "a.yaml".to_owned(),
            text: text.clone(),
        };
        let options = Options {
            threads: Some(threads),
            ..options()
        };
        convert(vec![input], &options).report_json()
    };
    assert!(report(1).contains("\"refused\""), "{}", report(1));
    assert_eq!(report(1), report(2));
}

#[test]
fn order_of_annotations_does_not_show() {
    let annotations = [
        "canary: 'true'",
        "canary-weight: '10'",
        "auth-type: basic",
        "auth-secret: users",
        "whitelist-source-range: 10.0.0.0/8",
        "limit-rps: '5'",
        "modsecurity-snippet: SecRuleEngine On",
        "proxy-body-size: 1x",
        "proxy-read-timeout: soon",
    ];
    let findings = |annotations: &[&str]| {
        let mut text = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: web\n  namespace: shop\n  annotations:\n".to_owned();
        for annotation in annotations {
            let _ = writeln!(text, "    {PREFIX}/{annotation}");
        }
        text.push_str("spec:\n  ingressClassName: nginx\n  rules:\n    - {host: a.test, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}}\n");
        let conversion = convert(one(text), &options());
        (promises::findings(&conversion), conversion.output)
    };
    // With the mark of a canary and without.
    for from in [0, 2] {
        let mut annotations = annotations[from..].to_vec();
        let expected = findings(&annotations);
        annotations.reverse();
        assert_eq!(findings(&annotations), expected);
    }
}

/// Which copy of an object counts depends on what the copies say.
#[test]
fn order_of_copies_does_not_show() {
    let path = support::testdata().join("cases/conflicts/duplicate-object/input.yaml");
    let text = support::input(&path).text;
    let mut documents = documents(&text);
    let convert = |documents: &[&str]| convert(one(documents.join("\n---\n")), &options());
    let expected = convert(&documents);
    let mut dice = Dice(11);
    for round in 0..20 {
        dice.shuffle(&mut documents);
        let output = convert(&documents).output;
        assert!(output == expected.output, "round {round} gives other bytes");
    }
}

/// One of a few values, so that Ingresses meet.
fn pick(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::sample::select(words).prop_map(str::to_owned)
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a string")
}

/// A value: often the one that the registry shows as an example, else anything.
fn value(example: &'static str) -> impl Strategy<Value = String> {
    prop_oneof![
        6 => Just(example.to_owned()),
        1 => Just(String::new()),
        4 => pick(&[
            "true", "false", "on", "off", "yes", "0", "1", "-1", "10", "99999999999", "1m", "10k",
            "/", "/$1", "/$2/x", "$host", "~^a", "https://a.example/$1", "http://b.example",
            "GET,POST", "10.0.0.0/8", "cookie", "GRPC", "HTTPS", "FCGI", "basic", "default/users",
            "a b", "a;b", "a\nb", "é", "*", "*.example.com", "308", "200", " true ",
        ]),
        1 => any::<String>(),
    ]
}

fn annotation() -> impl Strategy<Value = (String, String)> {
    let known: Vec<(&'static str, &'static str)> = registry::entries()
        .flat_map(|entry| {
            let names = std::iter::once(entry.key).chain(entry.aliases.iter().copied());
            names.map(move |name| (name, entry.example))
        })
        .collect();
    let known = prop::sample::select(known).prop_flat_map(|(key, example)| {
        value(example).prop_map(move |value| (format!("{PREFIX}/{key}"), value))
    });
    prop_oneof![
        12 => known,
        1 => (pick(&["rewrite-traget", "rate-limit", "secure-backends", "", "a/b", "Canary"]), value(""))
            .prop_map(|(key, value)| (format!("{PREFIX}/{key}"), value)),
        1 => (pick(&["nginx.org/x", "cert-manager.io/issuer", "plain", "ingress.kubernetes.io/ssl-redirect"]), value("")),
        2 => (foreign(), prop_oneof![3 => pick(&["true", "60", "2160h", "a", "RSA", "4096"]), 1 => value("")]),
        1 => (any::<String>(), any::<String>()),
    ]
}

/// A key of the table of what other programs read.
fn foreign() -> impl Strategy<Value = String> {
    let keys: Vec<String> = METADATA
        .iter()
        .map(|row| row.key.replacen("*.", "some.", 1).replace('*', "some"))
        .collect();
    prop::sample::select(keys)
}

fn labels() -> impl Strategy<Value = Vec<(String, String)>> {
    let key = prop_oneof![2 => pick(&["team", "app", "tier"]), 1 => foreign()];
    prop::collection::vec((key, pick(&["a", "b", "true", "1"])), 0..3)
}

const HOSTS: &[&str] = &["a.test", "b.test", "www.a.test", "*.a.test", "x.a.test"];
/// What the API server refuses.
const BAD_HOSTS: &[&str] = &["A.TEST", "*", "bad_host.test", "10.0.0.1", "c.test."];
const PATHS: &[&str] = &[
    "/",
    "/a",
    "/a/",
    "/a/b",
    "/A",
    "/a(/|$)(.*)",
    "/(.*)",
    "/a(",
    "/(?!x)y",
    "/é",
    "/a b",
    "/%41",
    "/.well-known/x",
    "/[0-9]+$",
    "/root",
    "/x",
    "/x/exact",
    "/a/root",
];
const BAD_PATHS: &[&str] = &["//", "a", "", "/./a", "/a//b"];

fn host() -> impl Strategy<Value = String> {
    prop_oneof![30 => pick(HOSTS), 1 => pick(BAD_HOSTS)]
}

fn path() -> impl Strategy<Value = String> {
    let backend = (
        pick(&["web", "api", "outside", "none"]),
        pick(&["number: 80", "number: 8080", "name: http", "name: nope"]),
    );
    let extra = prop_oneof![40 => Just(""), 1 => Just(", pathTyp: Prefix")];
    let path = prop_oneof![30 => pick(PATHS), 1 => pick(BAD_PATHS)];
    let kinds = pick(&["Prefix", "Prefix", "Exact", "ImplementationSpecific"]);
    let kind = prop_oneof![40 => kinds, 1 => Just("exact".to_owned())];
    (path, kind, backend, extra)
        .prop_map(|(path, kind, (service, port), extra)| {
            format!(
                "{{path: {}, pathType: {kind}, backend: {{service: {{name: {service}, port: {{{port}}}}}}}{extra}}}",
                quoted(&path)
            )
        })
}

/// One Ingress as YAML, mostly valid.
fn ingress() -> impl Strategy<Value = String> {
    let rule = (
        prop::option::weighted(0.9, host()),
        prop::collection::vec(path(), 0..4),
    );
    let identity = (
        pick(&["one", "two", "three"]),
        pick(&["a", "b", "c", "a-a", "a-root", "a-http"]),
    );
    let annotations = prop::collection::vec(annotation(), 0..6);
    let canary = prop::option::weighted(
        0.2,
        prop::collection::vec(
            pick(&[
                "canary-weight: '10'",
                "canary-weight: '0'",
                "canary-weight: '100'",
                "canary-by-header: X-C",
                "canary-by-header-value: v",
                "canary-by-header-pattern: '^a(?!b)'",
                "canary-by-cookie: c",
                "canary-weight-total: '50'",
            ]),
            0..3,
        ),
    );
    let tls = prop::collection::vec((prop::collection::vec(host(), 0..3), prop::bool::ANY), 0..2);
    let extra = prop_oneof![
        12 => Just(""),
        1 => Just("  defaultBackend: {service: {name: web, port: {number: 80}}}\n"),
        1 => Just("  unknown: {deep: [1, {field: true}]}\n"),
        1 => Just("status: {loadBalancer: {ingress: [{ip: 192.0.2.1}]}}\n"),
    ];
    let created = prop::option::of(pick(&["2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z"]));
    let rules = prop::collection::vec(rule, 0..3);
    (identity, labels(), annotations, canary, tls, rules, extra, created)
        .prop_map(|((namespace, name), labels, annotations, canary, tls, rules, extra, created)| {
            let mut text = format!(
                "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: {name}\n  namespace: {namespace}\n"
            );
            if let Some(created) = created {
                let _ = writeln!(text, "  creationTimestamp: \"{created}\"");
            }
            if !labels.is_empty() {
                text.push_str("  labels:\n");
            }
            for (key, value) in labels {
                let _ = writeln!(text, "    {}: {}", quoted(&key), quoted(&value));
            }
            text.push_str("  annotations:\n    example.com/first: x\n");
            for (key, value) in annotations {
                let _ = writeln!(text, "    {}: {}", quoted(&key), quoted(&value));
            }
            for canary in canary.into_iter().flat_map(|mut keys| {
                keys.push("canary: 'true'".to_owned());
                keys
            }) {
                let _ = writeln!(text, "    {PREFIX}/{canary}");
            }
            text.push_str("spec:\n  ingressClassName: nginx\n");
            if !tls.is_empty() {
                text.push_str("  tls:\n");
            }
            for (hosts, secret) in tls {
                let hosts: Vec<String> = hosts.iter().map(|host| quoted(host)).collect();
                let secret = if secret { ", secretName: cert" } else { "" };
                let _ = writeln!(text, "    - {{hosts: [{}]{secret}}}", hosts.join(", "));
            }
            if !rules.is_empty() {
                text.push_str("  rules:\n");
            }
            for (host, paths) in rules {
                let host = host.map_or(String::new(), |host| format!("host: {}, ", quoted(&host)));
                let _ = writeln!(text, "    - {{{host}http: {{paths: [{}]}}}}", paths.join(", "));
            }
            text.push_str(extra);
            text
        })
}

const SERVICES: &str = "\
apiVersion: v1
kind: Service
metadata: {name: web, namespace: one}
spec: {ports: [{name: http, port: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: outside, namespace: one}
spec: {type: ExternalName, externalName: outside.example, ports: [{port: 80}]}
";

#[test]
fn everything_in_random_ingresses_has_one_outcome() {
    let strategy = (prop::collection::vec(ingress(), 1..7), prop::bool::ANY);
    check(400, &strategy, |(ingresses, services)| {
        let mut text = ingresses.join("---\n");
        if services {
            text = format!("{SERVICES}---\n{text}");
        }
        let conversion = convert(one(text), &options());
        let _ = sound(&conversion);
    });
}

#[test]
fn order_of_random_ingresses_does_not_show() {
    check(
        150,
        &prop::collection::btree_map(0..12_u8, ingress(), 2..6),
        |ingresses| {
            // Each has a name of its own, as which of two of one name counts is a matter of order.
            let mut texts: Vec<String> = ingresses
                .into_iter()
                .map(|(at, text)| {
                    let (head, tail) = text.split_once("  name: ").expect("a name");
                    format!("{head}  name: n{at}-{tail}")
                })
                .collect();
            let forward = convert(one(texts.join("---\n")), &options());
            texts.reverse();
            let backward = convert(one(texts.join("---\n")), &options());
            assert_eq!(forward.output, backward.output);
        },
    );
}

#[test]
fn listeners_of_other_shapes_are_sound_too() {
    let shape = (prop::bool::ANY, prop::bool::ANY, prop::bool::ANY);
    let input = (prop::collection::vec(ingress(), 0..5), shape);
    check(150, &input, |(ingresses, (existing, sets, label))| {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        let options = Options {
            gateway: existing.then(|| pair("edge", "public")),
            listeners: (existing.then(|| "web".to_owned()), None),
            listener_sets: sets,
            allowed_routes: label.then(|| pair("gateway-access", "true")),
            ..options()
        };
        let text = format!("{SERVICES}---\n{}", ingresses.join("---\n"));
        let _ = sound(&convert(one(text), &options));
    });
}

/// The documents of Ingresses as items of a list.
fn list_of(ingresses: &[String]) -> String {
    let mut text = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n".to_owned();
    for ingress in ingresses {
        text.push_str("# before\n");
        for (at, line) in ingress.lines().enumerate() {
            let _ = writeln!(text, "{}{line}", if at == 0 { "- " } else { "  " });
        }
    }
    text
}

#[test]
fn a_function_keeps_what_it_is_given_and_says_the_same_again() {
    let writing = |remove_ingresses| Writing {
        remove_ingresses,
        directory: "gateway".to_owned(),
    };
    let run = |text: &str, writing: &Writing| {
        let list = ResourceList::read(text.to_owned()).ok()?;
        let conversion = convert(list.inputs(writing), &options());
        let _ = sound(&conversion);
        let _ = audit(&conversion).text();
        Some(list.write(&conversion, writing))
    };
    let input = (prop::collection::vec(ingress(), 1..4), prop::bool::ANY);
    check(100, &input, |(ingresses, remove)| {
        let list = list_of(&ingresses);
        let Some(first) = run(&list, &writing(remove)) else {
            return;
        };
        if !remove {
            assert!(first.starts_with(&list), "{first}");
            // Without paths nobody knows what was there before: a package has them.
            let paths = list.replace(
                "    example.com/first: x\n",
                "    example.com/first: x\n      config.kubernetes.io/path: a.yaml\n",
            );
            if let Some(once) = run(&paths, &writing(false)) {
                assert_eq!(run(&once, &writing(false)), Some(once));
            }
        }
        ResourceList::read(first).expect("a list");
    });
}

#[test]
fn no_list_makes_the_function_panic() {
    let damage = (any::<prop::sample::Index>(), any::<Option<char>>());
    let input = (
        prop::collection::vec(ingress(), 0..3),
        damage,
        any::<String>(),
    );
    check(200, &input, |(ingresses, (at, instead), other)| {
        let mut letters: Vec<char> = list_of(&ingresses).chars().collect();
        let at = at.index(letters.len());
        letters.splice(at..=at, instead);
        let writing = Writing {
            remove_ingresses: true,
            directory: "gateway".to_owned(),
        };
        for text in [letters.into_iter().collect(), other] {
            if let Ok(list) = ResourceList::read(text) {
                let conversion = convert(list.inputs(&writing), &options());
                let _ = list.write(&conversion, &writing);
                let _ = audit(&conversion).markdown();
            }
        }
    });
}

#[test]
fn a_new_host_changes_nothing_else() {
    const NEW: &str = "
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: new, namespace: new}
spec:
  ingressClassName: nginx
  tls: [{hosts: [new.elsewhere.example], secretName: new-tls}]
  rules:
    - host: new.elsewhere.example
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: new, port: {number: 80}}}}]}
";
    // The first certificate opens the HTTPS listener, which concerns everybody.
    let first = NEW.replace("new", "old");
    check(150, &prop::collection::vec(ingress(), 0..5), |ingresses| {
        let before = format!("{first}---\n{}", ingresses.join("---\n"));
        let after = format!("{before}---\n{NEW}");
        let before = read_back(&convert(one(before), &options()).output.to_string());
        let mut after = read_back(&convert(one(after), &options()).output.to_string());
        for (key, old) in before {
            let new = after.remove(&key);
            let mut new = new.unwrap_or_else(|| panic!("{key:?} has gone"));
            let mut old = old;
            if key.0 == "Gateway" {
                for gateway in [&mut old, &mut new] {
                    let listeners = gateway["spec"]["listeners"].as_array_mut();
                    for listener in listeners.into_iter().flatten() {
                        if let Some(tls) = listener.get_mut("tls").and_then(Value::as_object_mut) {
                            tls.remove("certificateRefs");
                        }
                    }
                }
            }
            assert_eq!(old, new, "{key:?} has changed");
        }
        for (kind, namespace, name) in after.keys() {
            assert!(
                namespace == "new" && name.starts_with("new") || kind == "ReferenceGrant",
                "{kind} {namespace}/{name} is new"
            );
        }
    });
}

#[test]
fn no_text_makes_it_panic() {
    check(300, &any::<String>(), |text| {
        let _ = sound(&convert(one(text), &options()));
    });
}

#[test]
fn no_bytes_make_it_panic() {
    check(300, &prop::collection::vec(any::<u8>(), 0..200), |bytes| {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let _ = sound(&convert(one(text), &options()));
    });
}

#[test]
fn no_damage_to_an_ingress_makes_it_panic() {
    let damage = prop::collection::vec(
        (
            any::<prop::sample::Index>(),
            0..8_usize,
            any::<Option<char>>(),
        ),
        1..4,
    );
    check(300, &(ingress(), damage), |(text, damage)| {
        let mut letters: Vec<char> = text.chars().collect();
        for (at, length, instead) in damage {
            let from = at.index(letters.len());
            let to = (from + length).min(letters.len());
            letters.splice(from..to, instead);
        }
        let text: String = letters.into_iter().collect();
        let _ = sound(&convert(one(text), &options()));
    });
}

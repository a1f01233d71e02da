//! The proof against single requests: for random Ingresses, objects that were changed at random
//! and random requests, the interpreter of the model, the interpreter of the objects and the
//! verdict of the host have to agree.
//!
//! The seed is fixed; `PROPTEST_CASES=2000` looks further.

use std::fmt::Write as _;

use gatewright_fuzz::proof::is_known;
use gatewright_model::eval::Request;
use gatewright_transpile::{Input, NoClass, Options, Verified, convert, verify};
use gatewright_verify::{Answer, HostReport, Journeys, Verdict, line};
use gatewright_yaml::from_node;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

const HOSTS: [&str; 4] = ["a.test", "b.test", "*.w.test", ""];
const PATHS: [(&str, &str); 12] = [
    ("/", "Prefix"),
    ("/foo", "Prefix"),
    ("/foo/", "Prefix"),
    ("/foo/bar", "Prefix"),
    ("/foo", "Exact"),
    ("/Foo", "ImplementationSpecific"),
    ("/foo-bar", "Exact"),
    ("/foo/[a-z]+", "ImplementationSpecific"),
    ("/foo(/|$)(.*)", "ImplementationSpecific"),
    ("/x|/y", "ImplementationSpecific"),
    ("/v[0-9]+/", "ImplementationSpecific"),
    ("/(.*)", "ImplementationSpecific"),
];
const ANNOTATIONS: [&str; 18] = [
    "use-regex: \"true\"",
    "rewrite-target: /$2",
    "rewrite-target: /fixed",
    "rewrite-target: /n/$1",
    "whitelist-source-range: 10.0.0.0/8",
    "denylist-source-range: 10.1.0.0/16",
    "auth-url: http://gate.auth.svc.cluster.local/check",
    "permanent-redirect: https://new.test/x",
    "temporal-redirect: https://new.test/y",
    "app-root: /start",
    "ssl-redirect: \"false\"",
    "force-ssl-redirect: \"true\"",
    "proxy-body-size: \"10\"",
    "enable-cors: \"true\"",
    "cors-allow-origin: https://*.o.test",
    "upstream-vhost: inner.test",
    "limit-rps: \"100\"",
    "from-to-www-redirect: \"true\"",
];
const CANARIES: [&str; 4] = [
    "canary-by-header: X-Canary",
    "canary-by-header-value: \"yes\"",
    "canary-by-header-pattern: ^b",
    "canary-weight: \"30\"",
];

/// An Ingress: host, paths, annotations, whether it has TLS, and whether it is a canary.
#[derive(Clone, Debug)]
struct Ingress {
    host: &'static str,
    paths: Vec<(&'static str, &'static str)>,
    annotations: Vec<&'static str>,
    tls: bool,
    canary: bool,
}

fn ingress() -> impl Strategy<Value = Ingress> {
    (
        select(HOSTS.to_vec()),
        proptest::collection::vec(select(PATHS.to_vec()), 1..4),
        proptest::sample::subsequence(ANNOTATIONS.to_vec(), 0..4),
        proptest::sample::subsequence(CANARIES.to_vec(), 1..4),
        any::<bool>(),
        proptest::bool::weighted(0.25),
    )
        .prop_map(
            |(host, paths, annotations, canaries, tls, canary)| Ingress {
                host,
                paths,
                annotations: if canary { canaries } else { annotations },
                tls,
                canary,
            },
        )
}

fn text(ingresses: &[Ingress]) -> String {
    let mut text = String::new();
    for (at, ingress) in ingresses.iter().enumerate() {
        let _ = write!(
            text,
            "---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: i{at}\n  namespace: shop\n  annotations:\n    example.com/a: b\n"
        );
        let mut seen = Vec::new();
        for annotation in &ingress.annotations {
            let key = annotation.split(':').next().unwrap_or_default();
            if !seen.contains(&key) {
                seen.push(key);
                let _ = writeln!(text, "    nginx.ingress.kubernetes.io/{annotation}");
            }
        }
        if ingress.canary {
            let _ = writeln!(text, "    nginx.ingress.kubernetes.io/canary: \"true\"");
        }
        let _ = write!(text, "spec:\n  ingressClassName: nginx\n");
        if ingress.tls && !ingress.host.is_empty() {
            let _ = writeln!(
                text,
                "  tls: [{{hosts: [\"{}\"], secretName: cert}}]",
                ingress.host
            );
        }
        let host = match ingress.host {
            "" => String::new(),
            host => format!("host: \"{host}\", "),
        };
        let _ = writeln!(text, "  rules:\n  - {{{host}http: {{paths: [");
        for (number, (path, kind)) in ingress.paths.iter().enumerate() {
            let _ = writeln!(
                text,
                "      {{path: \"{path}\", pathType: {kind}, backend: {{service: {{name: s{at}{number}, port: {{number: 80}}}}}}}},"
            );
        }
        text.push_str("    ]}}\n");
    }
    text
}

fn request() -> impl Strategy<Value = Request> {
    let hosts = [
        "a.test",
        "www.a.test",
        "b.test",
        "c.w.test",
        "d.c.w.test",
        "w.test",
        "other.test",
    ];
    let paths = [
        "/",
        "/foo",
        "/FOO",
        "/foo/",
        "/foo/bar",
        "/foo/bar/x",
        "/foobar",
        "/foo-bar",
        "/foo/b%20c",
        "/foo/%C3%A9",
        "/x",
        "/y/z",
        "/z/y",
        "/v12/",
        "/v1",
        "//foo",
        "/foo/../foo/./bar",
        "/fo%6f/",
        "/start",
        "/foo%2Fbar",
        "/foo(x)",
        "/foo%28",
        "/FOO/a/B",
    ];
    let headers = [
        ("x-canary", "always"),
        ("x-canary", "never"),
        ("x-canary", "yes"),
        ("x-canary", "bee"),
        ("origin", "https://a.o.test"),
        ("origin", "https://evil.test"),
        ("content-length", "5"),
        ("content-length", "11"),
        ("x-forwarded-proto", "https"),
    ];
    (
        select(hosts.to_vec()),
        select(paths.to_vec()),
        select(vec!["GET", "GET", "POST", "OPTIONS", "PUT"]),
        proptest::sample::subsequence(headers.to_vec(), 0..3),
        any::<bool>(),
        proptest::option::weighted(0.2, Just("a=b".to_owned())),
    )
        .prop_map(|(host, path, method, all, secure, query)| {
            let mut headers: Vec<(String, String)> = Vec::new();
            for (name, value) in all {
                if !headers.iter().any(|(known, _)| known == name) {
                    headers.push((name.to_owned(), value.to_owned()));
                }
            }
            Request {
                secure,
                method: method.to_owned(),
                query,
                headers,
                ..Request::get(secure, host, path)
            }
        })
}

/// What is done to the objects: nothing, or something to one of them.
#[derive(Clone, Copy, Debug)]
enum Fault {
    None,
    DropRule,
    DropObject,
    Swap,
    Shorten,
    Backend,
}

fn fault() -> impl Strategy<Value = (Fault, usize)> {
    let faults = vec![
        Fault::None,
        Fault::DropRule,
        Fault::DropObject,
        Fault::Swap,
        Fault::Shorten,
        Fault::Backend,
    ];
    (select(faults), 0_usize..64)
}

fn changed(output: &str, (fault, at): (Fault, usize)) -> Option<Vec<Value>> {
    let mut sources = gatewright_source::SourceMap::default();
    let file = sources.add("output", output);
    let mut objects: Vec<Value> = gatewright_yaml::parse(file, output)
        .documents
        .iter()
        .map(|document| from_node::<Value>(&document.root).value.expect("an object"))
        .collect();
    if let Fault::DropObject = fault {
        let policies: Vec<usize> = (0..objects.len())
            .filter(|at| objects[*at]["spec"]["targetRefs"].is_array())
            .collect();
        objects.remove(*policies.get(at % policies.len().max(1))?);
        return Some(objects);
    }
    let mut routes: Vec<&mut Value> = objects
        .iter_mut()
        .filter(|object| object["kind"] == "HTTPRoute")
        .collect();
    let count = routes.len();
    let rules = routes.get_mut(at % count.max(1))?["spec"]["rules"].as_array_mut()?;
    let rule = at / 3 % rules.len();
    match fault {
        Fault::None | Fault::DropObject => {}
        Fault::DropRule if rules.len() > 1 => {
            rules.remove(rule);
        }
        Fault::DropRule => return None,
        Fault::Swap => rules.reverse(),
        Fault::Shorten => {
            let path = rules[rule].pointer_mut("/matches/0/path/value")?;
            let text = path.as_str()?.to_owned();
            *path = json!(
                text.rsplit_once('/')
                    .filter(|(head, _)| !head.is_empty())?
                    .0
            );
        }
        Fault::Backend => *rules[rule].pointer_mut("/backendRefs/0/name")? = json!("changed"),
    }
    Some(objects)
}

/// The group of a name.
fn report<'v>(verified: &'v Verified, name: &str) -> &'v HostReport {
    verified
        .verification
        .hosts
        .iter()
        .filter(|host| {
            host.name == name
                || host
                    .name
                    .strip_prefix('*')
                    .is_some_and(|parent| name.ends_with(parent))
        })
        .max_by_key(|host| (!host.name.starts_with('*'), host.name.len()))
        .expect("a group for every name")
}

fn run<S: Strategy>(cases: u32, strategy: &S, test: impl Fn(S::Value)) {
    let cases = match std::env::var("PROPTEST_CASES") {
        Ok(cases) => cases.parse().expect("a number of cases"),
        Err(_) => cases,
    };
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 500,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let outcome = TestRunner::new_with_rng(config, rng).run(strategy, |value| {
        test(value);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

#[test]
fn verdicts_agree_with_single_requests() {
    let strategy = (
        proptest::collection::vec(ingress(), 1..4),
        fault(),
        proptest::collection::vec(request(), 24),
        any::<bool>(),
    );
    run(
        150,
        &strategy,
        |(ingresses, fault, requests, certificate)| {
            let input = text(&ingresses);
            let options = Options {
                no_class: NoClass::Include,
                threads: Some(1),
                default_ssl_certificate: certificate
                    .then(|| ("infra".to_owned(), "cert".to_owned())),
                ..Options::default()
            };
            let inputs = vec![Input {
                name: "input.yaml".to_owned(),
                text: input.clone(),
            }];
            let conversion = convert(inputs.clone(), &options);
            let Some(objects) = changed(&conversion.output.to_string(), fault) else {
                return;
            };
            let against = Input {
                name: "objects.json".to_owned(),
                text: json!({ "apiVersion": "v1", "kind": "List", "items": objects }).to_string(),
            };
            let verified = verify(inputs, Some(vec![against]), &options);
            if matches!(fault.0, Fault::None) {
                for host in &verified.verification.hosts {
                    let undeclared = host
                        .differences
                        .iter()
                        .find(|found| found.declared.is_none() && !is_known(found));
                    if let Some(found) = undeclared {
                        panic!(
                            "{input}\n{}, {}:\n  {}\n  {}",
                            host.name,
                            line(&found.witness),
                            found.nginx.behaviour,
                            found.envoy.behaviour
                        );
                    }
                }
            }
            for request in requests {
                if request.secure && verified.verification.plain_only.is_some() {
                    continue;
                }
                let journeys = Journeys::of(&verified.model, &verified.objects, &request);
                let host = report(&verified, &request.host);
                let silent = host.verdict == Verdict::Equivalent;
                // The default limit of bodies is not compared.
                let large = journeys.nginx.end.behaviour.answer == Answer::Status(413);
                assert!(
                    journeys.differences.is_empty() || !silent || large,
                    "{input}\n{} is said to be equivalent, but for {}:\n  {}\n  {}",
                    host.name,
                    line(&request),
                    journeys.nginx.end.behaviour,
                    journeys.envoy.end.behaviour,
                );
            }
            for host in &verified.verification.hosts {
                for found in &host.differences {
                    let journeys = Journeys::of(&verified.model, &verified.objects, &found.witness);
                    assert!(
                        !journeys.differences.is_empty(),
                        "{input}\nno witness for {}: {}",
                        host.name,
                        line(&found.witness)
                    );
                }
            }
        },
    );
}

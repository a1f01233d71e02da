//! `cargo bench -p gatewright-verify`: one host in regex mode, most of its paths plain text.

use std::fmt::Write as _;
use std::sync::Arc;

use divan::Bencher;
use gatewright_model::{
    Action, Backend, Balance, Certificate, Forward, ForwardedHeaders, GlobalHeaders, Globals, Host,
    HostName, Model, Origin, Owner, OwnerId, PathMatcher, PlainHttp, Protocol, Retry, Route,
    SecretRef, Split, Target,
};
use gatewright_source::{FileId, Span};
use gatewright_verify::{Objects, Verdict, verify};

fn main() {
    divan::main();
}

/// A host of 300 paths, 40 of them patterns, is to be decided in less than a second.
#[divan::bench(args = [(30, 4), (300, 40)], sample_count = 10, sample_size = 1)]
fn decided(bencher: Bencher<'_, '_>, (paths, patterns): (usize, usize)) {
    let texts = texts(paths, patterns);
    let model = model(&texts);
    let text = objects(&texts);
    bencher.bench(|| {
        let parsed = gatewright_yaml::parse(FileId(1), &text);
        let (objects, faults) = Objects::read(&parsed.documents);
        assert!(faults.is_empty());
        let found = verify(&model, &objects, None, &[]);
        assert!(
            found
                .hosts
                .iter()
                .all(|host| host.verdict == Verdict::Equivalent)
        );
        found
    });
}

/// Paths, the longest first, as nginx asks them.
fn texts(paths: usize, patterns: usize) -> Vec<String> {
    let words = [
        "orders", "users", "catalog", "search", "billing", "media", "reports",
    ];
    let mut texts: Vec<String> = (0..paths - 1)
        .map(|at| {
            let word = words[at % words.len()];
            match at % (paths / patterns) {
                0 if at % 2 == 0 => format!("/{word}/{at}/v[0-9]+/(.*)"),
                0 => format!("/{word}-{at}(/|$)(.*)"),
                _ => format!("/{word}/{at}/list"),
            }
        })
        .collect();
    texts.push("/".to_owned());
    texts.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| b.cmp(a)));
    texts
}

fn origin() -> Origin {
    Origin::field(OwnerId(0), Span::new(FileId(0), 0, 1))
}

fn route(at: usize, text: &str) -> Route {
    let backend = Backend {
        namespace: Arc::from("shop"),
        target: Target::Service {
            name: Arc::from(format!("s{at}")),
            port: 80,
            seen: true,
            h2c: false,
        },
        protocol: Protocol::Http,
        tls: None,
        balance: None,
        service_address: false,
        origin: origin(),
    };
    Route {
        owner: OwnerId(0),
        origin: origin(),
        matcher: PathMatcher::Pattern(text.to_owned()),
        implicit: false,
        plain_http: PlainHttp::Serve,
        action: Action::Forward(Box::new(Forward {
            split: Split {
                primary: backend,
                canary: None,
            },
            rewrite: None,
            authority: None,
            forwarded_prefix: None,
        })),
        policies: Arc::default(),
    }
}

fn model(texts: &[String]) -> Model {
    Model {
        owners: vec![Owner {
            kind: Arc::from("Ingress"),
            namespace: Arc::from("shop"),
            name: Arc::from("web"),
            span: origin().span,
            tags: Vec::new(),
        }],
        certificates: Vec::new(),
        hosts: vec![Host {
            name: HostName::Exact(Arc::from("shop.test")),
            first: OwnerId(0),
            patterns: true,
            routes: texts
                .iter()
                .enumerate()
                .map(|(at, text)| route(at, text))
                .collect(),
            certificate: Some(Certificate {
                secrets: vec![SecretRef {
                    namespace: Arc::from("shop"),
                    name: Arc::from("cert"),
                }],
                origin: origin(),
            }),
            passthrough: None,
            clients: None,
            ciphers: None,
        }],
        globals: Globals {
            tls_versions: None,
            default_certificate: None,
            hsts: None,
            connect_timeout: 5,
            idle_timeout: 60,
            retry: Retry {
                tries: 1,
                connection: false,
                statuses: Vec::new(),
                any_method: false,
            },
            balance: Balance::RoundRobin,
            compression: None,
            unwritten_body_limit: None,
            client_idle_timeout: 75,
            client_header_timeout: 60,
            underscores_in_headers: false,
            http2: true,
            http2_streams: 128,
            forwarded: ForwardedHeaders::default(),
            headers: GlobalHeaders::default(),
        },
    }
}

/// The same as objects: patterns of one length each, so that their order is that of writing.
fn objects(texts: &[String]) -> String {
    let longest = texts.iter().map(String::len).max().unwrap_or(0);
    let mut text = String::from(
        "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: g, namespace: shop}\nspec:\n  listeners:\n  - {name: http, protocol: HTTP, port: 80}\n  - {name: https, protocol: HTTPS, port: 443, tls: {certificateRefs: [{name: cert}]}}\n---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: web, namespace: shop}\nspec:\n  parentRefs: [{name: g}]\n  hostnames: [shop.test]\n  rules:\n",
    );
    for (at, path) in texts.iter().enumerate() {
        let pad = "()".repeat((longest - path.len()).div_ceil(2) + 2);
        let odd = if (longest - path.len()) % 2 == 1 {
            ""
        } else {
            "?"
        };
        let _ = writeln!(
            text,
            "  - name: r{at}\n    matches: [{{path: {{type: RegularExpression, value: \"(?i){path}{pad}.*{odd}\"}}}}]\n    backendRefs: [{{name: s{at}, port: 80}}]"
        );
    }
    text
}

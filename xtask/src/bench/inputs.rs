//! Inputs that grow in one way.

use std::fmt::Write as _;

#[path = "../../../crates/transpile/benches/generated.rs"]
mod generated;

pub(crate) use generated::ingresses;

/// What there is more and more of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Growth {
    /// Hosts, ten to an Ingress.
    Hosts,
    /// Paths of one host, ten to an Ingress.
    Paths,
    /// Paths of one host that are patterns, ten to an Ingress.
    Patterns,
    /// Annotations of one Ingress. The API server takes 256 KiB of them.
    Annotations,
}

impl Growth {
    pub(super) const ALL: [Self; 4] = [Self::Hosts, Self::Paths, Self::Patterns, Self::Annotations];

    /// What is counted.
    pub(super) const fn unit(self) -> &'static str {
        match self {
            Self::Hosts => "hosts",
            Self::Paths => "paths of one host",
            Self::Patterns => "patterns of one host",
            Self::Annotations => "annotations of one Ingress",
        }
    }

    /// How many of it are measured, ascending.
    pub(super) const fn counts(self) -> [u32; 4] {
        match self {
            Self::Hosts | Self::Paths => [2000, 4000, 8000, 16_000],
            Self::Patterns | Self::Annotations => [1000, 2000, 4000, 6000],
        }
    }

    /// So many of it.
    pub(super) fn input(self, count: u32) -> String {
        let none = [];
        let mut text = String::new();
        match self {
            Self::Hosts => {
                for at in 0..count / 10 {
                    let rules = (at * 10..at * 10 + 10)
                        .map(|host| (format!("h{host}.example.com"), vec!["/".to_owned()]));
                    ingress(&mut text, at, &none, rules);
                }
            }
            Self::Paths => {
                for at in 0..count / 10 {
                    let paths = (at * 10..at * 10 + 10).map(|path| format!("/p{path}"));
                    let rule = ("shop.example.com".to_owned(), paths.collect());
                    ingress(&mut text, at, &none, [rule]);
                }
            }
            Self::Patterns => {
                let regex = [("nginx.ingress.kubernetes.io/use-regex", "\"true\"")];
                let regex = regex.map(|(key, value)| (key.to_owned(), value));
                for at in 0..count / 10 {
                    let paths = (at * 10..at * 10 + 10)
                        .map(|path| format!("/p{path}/[a-z]+/(items|orders)/[0-9]+"));
                    let rule = ("shop.example.com".to_owned(), paths.collect());
                    ingress(&mut text, at, &regex, [rule]);
                }
            }
            Self::Annotations => {
                let rule = ("shop.example.com".to_owned(), vec!["/".to_owned()]);
                let annotations: Vec<_> = (0..count)
                    .map(|at| (format!("example.com/key-{at}"), "value"))
                    .collect();
                ingress(&mut text, 0, &annotations, [rule]);
            }
        }
        text
    }
}

fn ingress(
    text: &mut String,
    at: u32,
    annotations: &[(String, &str)],
    rules: impl IntoIterator<Item = (String, Vec<String>)>,
) {
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: i{at}\n  namespace: shop\n  annotations:\n    nginx.ingress.kubernetes.io/ssl-redirect: \"false\"\n"
    );
    for (key, value) in annotations {
        let _ = writeln!(text, "    {key}: {value}");
    }
    text.push_str("spec:\n  ingressClassName: nginx\n  rules:\n");
    for (host, paths) in rules {
        let _ = write!(text, "  - host: {host}\n    http:\n      paths:\n");
        for path in paths {
            let _ = write!(
                text,
                "      - path: {path}\n        pathType: ImplementationSpecific\n        backend:\n          service:\n            name: app\n            port:\n              number: 80\n"
            );
        }
    }
    text.push_str("---\n");
}

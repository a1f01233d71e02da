//! A small cluster, from a text that people can read and a fuzzer can change: keys are written
//! out, so that an input means the same when the registry has grown.
//!
//! A line is an annotation `KEY: VALUE` of the first Ingress, a path `/PATH KIND` of it,
//! `host NAME` or `tls`. Behind a `+` it is of the second Ingress; behind a `%` it is a setting
//! of the controller. In values `\n` is a line feed.

use gatewright_yaml::{Out, OutMapping, write_document};

const PREFIX: &str = "nginx.ingress.kubernetes.io";
/// More is a matter of speed.
const MAX_LINES: usize = 24;

/// What annotations may name.
const OTHERS: &str = "\
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: other, namespace: shop}
spec: {ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Secret
metadata: {name: users, namespace: shop}
data: {auth: YWxpY2U6JGFwcjEkcGVwcGVyMTIkSDdoRThndTR0c1k1OXhzaUJ3cE1SMAo=}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: headers, namespace: shop}
data: {X-Kept: \"yes\"}
";

/// Two Ingresses and the settings of their controller.
#[derive(Debug, Default)]
pub(crate) struct Scene {
    ingresses: [Ingress; 2],
    settings: Vec<(String, String)>,
}

#[derive(Debug, Default)]
struct Ingress {
    host: Option<String>,
    annotations: Vec<(String, String)>,
    paths: Vec<(String, &'static str)>,
    tls: bool,
}

/// In which order annotations and documents stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Given,
    Turned,
}

impl Scene {
    /// Whatever the text holds.
    pub(crate) fn read(text: &str) -> Self {
        let mut scene = Self::default();
        for line in text.lines().take(MAX_LINES) {
            if let Some(setting) = line.strip_prefix('%') {
                add(&mut scene.settings, setting);
            } else if let Some(line) = line.strip_prefix('+') {
                scene.ingresses[1].line(line);
            } else {
                scene.ingresses[0].line(line);
            }
        }
        scene
    }

    /// Its objects as YAML.
    pub(crate) fn text(&self, order: Order) -> String {
        let mut objects = Vec::new();
        for (at, ingress) in self.ingresses.iter().enumerate() {
            if at == 0 || !ingress.is_empty() {
                objects.push(ingress.object(at, order));
            }
        }
        if !self.settings.is_empty() {
            objects.push(Out::mapping([
                ("apiVersion", Out::from("v1")),
                ("kind", Out::from("ConfigMap")),
                (
                    "metadata",
                    Out::from(metadata("ingress-nginx-controller", "ingress-nginx")),
                ),
                ("data", pairs(&self.settings, order)),
            ]));
        }
        if order == Order::Turned {
            objects.reverse();
        }
        let mut text = String::new();
        for (at, object) in objects.iter().enumerate() {
            text.push_str(if at == 0 { "" } else { "---\n" });
            write_document(&mut text, object);
        }
        match order {
            Order::Given => format!("{OTHERS}---\n{text}"),
            Order::Turned => format!("{text}---\n{OTHERS}"),
        }
    }
}

impl Ingress {
    fn line(&mut self, line: &str) {
        if line.starts_with('/') {
            let (path, kind) = line.rsplit_once(' ').unwrap_or((line, ""));
            let (path, kind) = match kind {
                "Exact" => (path, "Exact"),
                "Prefix" => (path, "Prefix"),
                "Implementation" => (path, "ImplementationSpecific"),
                _ => (line, "Prefix"),
            };
            self.paths.push((unescaped(path), kind));
        } else if line == "tls" {
            self.tls = true;
        } else if let Some(host) = line.strip_prefix("host ") {
            self.host = Some(host.to_owned());
        } else {
            add(&mut self.annotations, line);
        }
    }

    fn is_empty(&self) -> bool {
        self.annotations.is_empty() && self.paths.is_empty()
    }

    fn object(&self, at: usize, order: Order) -> Out {
        let (name, service) = [("one", "web"), ("two", "other")][at];
        let host = self.host.as_deref().unwrap_or("a.test");
        let full = |(key, value): &(String, String)| {
            let key = if key.contains('/') {
                key.clone()
            } else {
                format!("{PREFIX}/{key}")
            };
            (key, value.clone())
        };
        let annotations: Vec<(String, String)> = self.annotations.iter().map(full).collect();
        let metadata = metadata(name, "shop").with("annotations", pairs(&annotations, order));
        let root = [("/".to_owned(), "Prefix")];
        let paths = if self.paths.is_empty() {
            &root[..]
        } else {
            &self.paths
        };
        let port = Out::mapping([("number", 80)]);
        let service = Out::mapping([("name", Out::from(service)), ("port", port)]);
        let path = |(path, kind): &(String, &str)| {
            Out::mapping([
                ("path", Out::from(path.as_str())),
                ("pathType", Out::from(*kind)),
                ("backend", Out::mapping([("service", service.clone())])),
            ])
        };
        let paths = Out::sequence(paths.iter().map(path));
        let mut rule = OutMapping::new();
        if !host.is_empty() {
            rule.insert("host", host);
        }
        rule.insert("http", Out::mapping([("paths", paths)]));
        let mut spec = OutMapping::new().with("ingressClassName", "nginx");
        if self.tls {
            let tls = OutMapping::new()
                .with("hosts", Out::sequence([host]))
                .with("secretName", "certificate");
            spec.insert("tls", Out::sequence([tls]));
        }
        spec.insert("rules", Out::sequence([rule]));
        Out::mapping([
            ("apiVersion", Out::from("networking.k8s.io/v1")),
            ("kind", Out::from("Ingress")),
            ("metadata", Out::from(metadata)),
            ("spec", Out::Mapping(spec)),
        ])
    }
}

fn metadata(name: &str, namespace: &str) -> OutMapping {
    [("name", name), ("namespace", namespace)]
        .into_iter()
        .collect()
}

/// A map of these; the first of two with one key counts, in either order.
fn pairs(pairs: &[(String, String)], order: Order) -> Out {
    let mut map = OutMapping::new();
    let turned = pairs.iter().rev();
    let pairs: Vec<&(String, String)> = match order {
        Order::Given => pairs.iter().collect(),
        Order::Turned => turned.collect(),
    };
    for (key, value) in pairs {
        map.insert(key.clone(), value.as_str());
    }
    Out::Mapping(map)
}

/// Adds `KEY: VALUE`, unless the key is there.
fn add(pairs: &mut Vec<(String, String)>, line: &str) {
    let Some((key, value)) = line.split_once(':') else {
        return;
    };
    if pairs.iter().all(|(known, _)| known != key) {
        let value = value.strip_prefix(' ').unwrap_or(value);
        pairs.push((key.to_owned(), unescaped(value)));
    }
}

fn unescaped(text: &str) -> String {
    text.replace("\\n", "\n")
}

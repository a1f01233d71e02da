//! Objects besides Ingresses that a move away from ingress-nginx touches, or that Kubernetes
//! 1.36 treats otherwise.

use std::collections::BTreeSet;

use gatewright_source::SourceMap;
use gatewright_yaml::{Node, Value, parse};

use super::Note;

/// What there is to know about an object.
struct Finding {
    topic: &'static str,
    message: String,
    advice: &'static str,
}

/// All that was found, in order.
pub(crate) fn elsewhere(sources: &SourceMap) -> Vec<Note> {
    let mut notes = BTreeSet::new();
    for (id, file) in sources.iter() {
        for document in parse(id, file.text()).documents {
            each(&document.root, 0, &mut |node| {
                for finding in look(node) {
                    let line = sources.position(node.span).line;
                    notes.insert(Note {
                        topic: finding.topic,
                        object: name(node),
                        place: format!("{}:{line}", file.name()),
                        message: finding.message,
                        advice: finding.advice.to_owned(),
                    });
                }
            });
        }
    }
    notes.into_iter().collect()
}

/// Every object, also those in lists.
pub(crate) fn each(node: &Node, depth: usize, take: &mut impl FnMut(&Node)) {
    let kind = node.get("kind").and_then(Node::as_str).unwrap_or_default();
    match node.get("items").and_then(Node::as_sequence) {
        Some(items) if kind.ends_with("List") && depth < 8 => {
            for item in items {
                each(item, depth + 1, take);
            }
        }
        _ => take(node),
    }
}

fn name(node: &Node) -> String {
    let text = |path: &str| node.at(path).and_then(Node::as_str).unwrap_or_default();
    let kind = text("kind");
    match (text("metadata.namespace"), text("metadata.name")) {
        ("", name) => format!("{kind} {name}"),
        (namespace, name) => format!("{kind} {namespace}/{name}"),
    }
}

fn look(node: &Node) -> Vec<Finding> {
    let text = |path: &str| node.at(path).and_then(Node::as_str).unwrap_or_default();
    let group = text("apiVersion")
        .split_once('/')
        .map_or("", |(group, _)| group);
    let mut found = Vec::new();
    let mut add = |topic, message: &str, advice| {
        found.push(Finding {
            topic,
            message: message.to_owned(),
            advice,
        });
    };
    match (group, text("kind")) {
        ("apps", "Deployment" | "DaemonSet") if is_controller(node) => add(
            "ingress-nginx",
            "the controller itself; the project is retired and gets no security fixes",
            "keep it until the hosts have moved, then remove it with its Service, webhook and IngressClass",
        ),
        ("apps", "Deployment") if reads_only_ingresses(node) => add(
            "ExternalDNS",
            "it makes DNS records from Ingresses and reads no routes",
            "add `--source=gateway-httproute` before the first Ingress is deleted, or its records go with it",
        ),
        ("networking.k8s.io", "IngressClass")
            if text("spec.controller") == "k8s.io/ingress-nginx" =>
        {
            add(
                "ingress-nginx",
                "the class of the controller",
                "delete it when no Ingress names it any more",
            );
        }
        ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration")
            if mentions(node, "ingress-nginx") =>
        {
            add(
                "ingress-nginx",
                "the controller's webhook: without the controller the API server refuses every change of an Ingress",
                "delete it before the controller",
            );
        }
        ("cert-manager.io", "Issuer" | "ClusterIssuer") if solves_by_ingress(node) => add(
            "cert-manager",
            "it answers HTTP-01 challenges by an Ingress, which nobody serves when ingress-nginx is gone",
            "add a solver `http01.gatewayHTTPRoute` with the Gateway in `parentRefs`, or solve by DNS-01",
        ),
        ("networking.k8s.io", "NetworkPolicy") if mentions(node, "ingress-nginx") => add(
            "network policy",
            "it lets ingress-nginx in, and Envoy's pods come from another namespace",
            "let in the namespace that Envoy Gateway runs its proxies in, too",
        ),
        ("monitoring.coreos.com", _) if mentions(node, "nginx_ingress_controller") => add(
            "monitoring",
            "it looks at metrics of ingress-nginx",
            "write it for Envoy's metrics (`envoy_cluster_…`, `envoy_http_…`)",
        ),
        ("policy" | "autoscaling", "PodDisruptionBudget" | "HorizontalPodAutoscaler")
            if mentions(node, "ingress-nginx") =>
        {
            add(
                "ingress-nginx",
                "it is about the pods of the controller",
                "set `envoyDeployment` and `envoyHpa` in the EnvoyProxy, and remove it with the controller",
            );
        }
        ("helm.toolkit.fluxcd.io" | "argoproj.io", _) if mentions_chart(node) => add(
            "ingress-nginx",
            "it installs the chart of ingress-nginx",
            "keep it until the hosts have moved, then remove it",
        ),
        ("", "Service") if node.at("spec.externalIPs").is_some_and(has_items) => add(
            "Kubernetes 1.36",
            "`externalIPs` is deprecated, as it lets a Service take any address (CVE-2020-8554)",
            "use a Service of type LoadBalancer, or the Gateway for HTTP",
        ),
        _ => {}
    }
    if holds(node, "gitRepo", 0) {
        add(
            "Kubernetes 1.36",
            "a volume of type `gitRepo`, which Kubernetes 1.36 no longer mounts: the pods do not start",
            "clone in an init container into an `emptyDir`",
        );
    }
    found
}

fn has_items(node: &Node) -> bool {
    node.as_sequence().is_some_and(|items| !items.is_empty())
}

fn containers(node: &Node) -> impl Iterator<Item = &Node> {
    node.at("spec.template.spec.containers")
        .and_then(Node::as_sequence)
        .unwrap_or_default()
        .iter()
}

fn arguments(container: &Node) -> Vec<&str> {
    ["command", "args"]
        .into_iter()
        .filter_map(|key| container.get(key)?.as_sequence())
        .flatten()
        .filter_map(Node::as_str)
        .collect()
}

fn image(container: &Node) -> &str {
    let image = container.get("image").and_then(Node::as_str);
    image.unwrap_or_default()
}

fn is_controller(node: &Node) -> bool {
    containers(node).any(|container| {
        image(container).contains("ingress-nginx/controller")
            || arguments(container)
                .iter()
                .any(|argument| argument.ends_with("nginx-ingress-controller"))
    })
}

fn reads_only_ingresses(node: &Node) -> bool {
    containers(node)
        .filter(|container| image(container).contains("external-dns"))
        .any(|container| {
            let arguments = arguments(container);
            let source = |name: &str| {
                let joined = format!("--source={name}");
                let next = arguments
                    .windows(2)
                    .any(|w| w[0] == "--source" && w[1] == name);
                next || arguments.contains(&joined.as_str())
            };
            source("ingress") && !source("gateway-httproute")
        })
}

fn solves_by_ingress(node: &Node) -> bool {
    let solvers = node.at("spec.acme.solvers").and_then(Node::as_sequence);
    let by_ingress = |solver: &Node| solver.at("http01.ingress").is_some();
    solvers.unwrap_or_default().iter().any(by_ingress)
}

fn mentions_chart(node: &Node) -> bool {
    ["spec.chart.spec.chart", "spec.source.chart"]
        .into_iter()
        .any(|path| node.at(path).and_then(Node::as_str) == Some("ingress-nginx"))
}

/// Whether a text in it, outside of `metadata.labels`, holds the word.
fn mentions(node: &Node, word: &str) -> bool {
    match &node.value {
        Value::String(text) => text.contains(word),
        Value::Sequence(items) => items.iter().any(|item| mentions(item, word)),
        Value::Mapping(map) => map
            .iter()
            .any(|entry| entry.key.value != "labels" && mentions(&entry.value, word)),
        _ => false,
    }
}

/// Whether some map in it has the key.
fn holds(node: &Node, key: &str, depth: usize) -> bool {
    if depth > 32 {
        return false;
    }
    match &node.value {
        Value::Sequence(items) => items.iter().any(|item| holds(item, key, depth + 1)),
        Value::Mapping(map) => map.iter().any(|entry| {
            let volume = entry.key.value == "volumes"
                && entry
                    .value
                    .as_sequence()
                    .is_some_and(|volumes| volumes.iter().any(|volume| volume.get(key).is_some()));
            volume || holds(&entry.value, key, depth + 1)
        }),
        _ => false,
    }
}

//! What the output names, and where its hosts are served.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gatewright_yaml::{Document, Node, Value, parse};

use crate::audit::each;
use crate::{Options, Verified};

use super::Referenced;

/// Kinds that an output refers to without holding them.
const KINDS: [&str; 5] = ["Service", "Secret", "ConfigMap", "Issuer", "ClusterIssuer"];
/// Kinds that hold hosts.
const ROUTES: [&str; 3] = ["HTTPRoute", "GRPCRoute", "TLSRoute"];

/// An object by kind, namespace (empty for a cluster-wide one) and name.
type Key = (String, String, String);

/// The objects of both sides, as far as a plan looks at them.
#[derive(Debug, Default)]
pub(super) struct Objects {
    input: BTreeSet<Key>,
    output: BTreeSet<Key>,
    references: BTreeSet<Key>,
    /// The Gateway of each host, by namespace and name.
    served: BTreeMap<String, (String, String)>,
    /// The Gateway of each `ListenerSet`.
    sets: BTreeMap<(String, String), (String, String)>,
    /// Fields that occur in the output.
    fields: BTreeSet<String>,
}

impl Objects {
    pub(super) fn read(verified: &Verified, options: &Options) -> Self {
        let mut objects = Self::default();
        let default = options.namespace.as_deref().unwrap_or("default");
        for (id, file) in verified.sources.iter() {
            let documents = parse(id, file.text()).documents;
            if Some(id) == verified.output {
                objects.read_output(&documents);
            } else {
                for document in &documents {
                    each(&document.root, 0, &mut |node| {
                        objects.input.insert(key(node, default));
                    });
                }
            }
        }
        objects
    }

    fn read_output(&mut self, documents: &[Document]) {
        for document in documents {
            let key = key(&document.root, "");
            if key.0 == "ListenerSet"
                && let Some(parent) = document.root.at("spec.parentRef")
            {
                let set = (key.1.clone(), key.2.clone());
                self.sets.insert(set, target(parent, &key.1));
            }
            self.output.insert(key);
        }
        for document in documents {
            let (kind, namespace, _) = key(&document.root, "");
            self.refer(&document.root, "", &namespace);
            if ROUTES.contains(&kind.as_str()) {
                self.serve(&document.root, &namespace);
            }
        }
    }

    /// Takes up references below a node that stands under `at`.
    fn refer(&mut self, node: &Node, at: &str, namespace: &str) {
        match &node.value {
            Value::Sequence(items) => {
                for item in items {
                    self.refer(item, at, namespace);
                }
            }
            Value::Mapping(mapping) => {
                let text = |key: &str| node.get(key).and_then(Node::as_str);
                if let (Some(default), Some(name)) = (default_kind(at), text("name")) {
                    let kind = text("kind").unwrap_or(default);
                    if KINDS.contains(&kind) {
                        let namespace = match kind {
                            "ClusterIssuer" => "",
                            _ => text("namespace").unwrap_or(namespace),
                        };
                        let key = (kind.to_owned(), namespace.to_owned(), name.to_owned());
                        self.references.insert(key);
                    }
                }
                for entry in mapping {
                    if !self.fields.contains(entry.key.value.as_str()) {
                        self.fields.insert(entry.key.value.as_str().to_owned());
                    }
                    self.refer(&entry.value, entry.key.value.as_str(), namespace);
                }
            }
            _ => {}
        }
    }

    /// Takes up the hosts of a route.
    fn serve(&mut self, route: &Node, namespace: &str) {
        let list = |path: &str| route.at(path).and_then(Node::as_sequence);
        let Some(parent) = list("spec.parentRefs").and_then(<[Node]>::first) else {
            return;
        };
        let mut gateway = target(parent, namespace);
        if parent.get("kind").and_then(Node::as_str) == Some("ListenerSet")
            && let Some(of_set) = self.sets.get(&gateway)
        {
            gateway = of_set.clone();
        }
        let hosts = list("spec.hostnames").unwrap_or_default();
        let mut names: Vec<&str> = hosts.iter().filter_map(Node::as_str).collect();
        if names.is_empty() {
            names.push("*");
        }
        for name in names {
            self.served.insert(name.to_owned(), gateway.clone());
        }
    }

    /// Where a host is served.
    pub(super) fn gateway_of(&self, host: &str) -> Option<(String, String)> {
        self.served.get(host).cloned()
    }

    /// Whether the output has a field of this name.
    pub(super) fn uses(&self, field: &str) -> bool {
        self.fields.contains(field)
    }

    /// All Gateways that serve something, and those of the output.
    pub(super) fn gateways(&self, options: &Options) -> BTreeSet<(String, String)> {
        let own = self.output.iter().filter(|key| key.0 == "Gateway");
        own.map(|(_, namespace, name)| (namespace.clone(), name.clone()))
            .chain(self.served.values().cloned())
            .chain(options.gateway.clone())
            .collect()
    }

    /// What the output names and does not hold.
    pub(super) fn referenced(&self) -> BTreeMap<String, Vec<Referenced>> {
        let mut referenced: BTreeMap<String, Vec<Referenced>> = BTreeMap::new();
        for key in self.references.difference(&self.output) {
            let (kind, namespace, name) = key;
            referenced
                .entry(namespace.clone())
                .or_default()
                .push(Referenced {
                    kind: kind.clone(),
                    name: name.clone(),
                    given: self.input.contains(key),
                });
        }
        referenced
    }

    /// Ingresses of the input that are not among `moving`.
    pub(super) fn other_ingresses(&self, moving: &[(Arc<str>, Arc<str>)]) -> Vec<(String, String)> {
        let ingresses = self.input.iter().filter(|key| key.0 == "Ingress");
        ingresses
            .map(|(_, namespace, name)| (namespace.clone(), name.clone()))
            .filter(|(namespace, name)| {
                !moving
                    .iter()
                    .any(|moves| *moves.0 == **namespace && *moves.1 == **name)
            })
            .collect()
    }
}

fn key(node: &Node, default: &str) -> Key {
    let text = |path: &str| node.at(path).and_then(Node::as_str);
    let kind = text("kind").unwrap_or_default();
    let namespace = match kind {
        "Namespace" | "IngressClass" | "GatewayClass" | "ClusterIssuer" => "",
        _ => text("metadata.namespace").unwrap_or(default),
    };
    let name = text("metadata.name").unwrap_or_default();
    (kind.to_owned(), namespace.to_owned(), name.to_owned())
}

/// Namespace and name of what a reference is to.
fn target(reference: &Node, namespace: &str) -> (String, String) {
    let text = |key: &str| reference.get(key).and_then(Node::as_str);
    let namespace = text("namespace").unwrap_or(namespace);
    (
        namespace.to_owned(),
        text("name").unwrap_or_default().to_owned(),
    )
}

/// The kind that a reference under a field is to unless it names another; nothing for fields that
/// hold no reference.
fn default_kind(field: &str) -> Option<&'static str> {
    Some(match field {
        "backendRef" | "backendRefs" => "Service",
        "users" | "credentialRefs" => "Secret",
        _ if field.ends_with("ertificateRef") || field.ends_with("ertificateRefs") => "Secret",
        _ if field.ends_with("Ref") || field.ends_with("Refs") || field == "refs" => "",
        _ => return None,
    })
}

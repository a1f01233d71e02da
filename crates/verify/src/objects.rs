//! Emitted objects, read back from their text.

use gatewright_diagnostics::{Code, Diagnostic};
use gatewright_source::Span;
use gatewright_yaml::{Document, Node, from_node};
use serde_json::Value;

/// Objects of Gateway API and Envoy Gateway, and what they refer to.
#[derive(Clone, Debug, Default)]
pub struct Objects {
    list: Vec<Object>,
}

/// One object.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) kind: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// `metadata.creationTimestamp`, which sorts as it stands; empty when there is none yet.
    pub(crate) created: String,
    pub(crate) value: Value,
    /// Where it stands.
    pub(crate) span: Span,
    /// Where each of its rules stands.
    pub(crate) rules: Vec<Span>,
}

impl Object {
    /// A part of it, by its path as RFC 6901 has it.
    pub(crate) fn at(&self, pointer: &str) -> &Value {
        at(&self.value, pointer)
    }

    /// As people call it.
    pub(crate) fn title(&self) -> String {
        format!("{} {}/{}", self.kind, self.namespace, self.name)
    }
}

/// A part of a value, or null.
pub(crate) fn at<'v>(value: &'v Value, pointer: &str) -> &'v Value {
    value.pointer(pointer).unwrap_or(&Value::Null)
}

/// The items of a list; none when there is no list.
pub(crate) fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A text, or nothing.
pub(crate) fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

/// A whole number that a 16-bit field holds.
pub(crate) fn small(value: &Value) -> Option<u16> {
    value.as_u64().and_then(|number| u16::try_from(number).ok())
}

/// Groups whose objects take part.
const GROUPS: [&str; 2] = ["gateway.networking.k8s.io", "gateway.envoyproxy.io"];
/// Their kinds that say something of requests, and the list that a reader cannot do without.
const KINDS: [(&str, &str); 17] = [
    ("Gateway", "/spec/listeners"),
    ("GatewayClass", ""),
    ("ListenerSet", "/spec/listeners"),
    ("HTTPRoute", ""),
    ("GRPCRoute", ""),
    ("TLSRoute", "/spec/rules"),
    ("TCPRoute", ""),
    ("UDPRoute", ""),
    ("ReferenceGrant", ""),
    ("BackendTLSPolicy", ""),
    ("Backend", "/spec/endpoints"),
    ("HTTPRouteFilter", ""),
    ("SecurityPolicy", ""),
    ("BackendTrafficPolicy", ""),
    ("ClientTrafficPolicy", ""),
    ("EnvoyExtensionPolicy", ""),
    ("EnvoyProxy", ""),
];

impl Objects {
    /// Reads documents. What cannot be understood is left out and named.
    pub fn read(documents: &[Document]) -> (Self, Vec<Diagnostic>) {
        let (mut objects, mut found) = (Self::default(), Vec::new());
        for document in documents {
            objects.take(&document.root, &mut found);
        }
        (objects, found)
    }

    fn take(&mut self, node: &Node, found: &mut Vec<Diagnostic>) {
        let string = |path: &str| node.at(path).and_then(Node::as_str).unwrap_or_default();
        let kind = string("kind");
        if kind.ends_with("List")
            && let Some(items) = node.get("items").and_then(Node::as_sequence)
        {
            items.iter().for_each(|item| self.take(item, found));
            return;
        }
        let group = string("apiVersion").split_once('/').map_or("", |(group, _)| group);
        let known = GROUPS.contains(&group) || group == "gateway.networking.x-k8s.io";
        if !(known || group.is_empty() && kind == "Secret") {
            return;
        }
        // The experimental kinds of older releases.
        let kind = kind.strip_prefix('X').unwrap_or(kind);
        let typed = from_node::<Value>(node);
        let (Some(value), true) = (typed.value, typed.problems.is_empty()) else {
            found.push(unreadable(node.span, kind, "it does not have the form of an object"));
            return;
        };
        let object = Object {
            kind: kind.to_owned(),
            namespace: match string("metadata.namespace") {
                "" if kind != "GatewayClass" => "default".to_owned(),
                namespace => namespace.to_owned(),
            },
            name: string("metadata.name").to_owned(),
            created: string("metadata.creationTimestamp").to_owned(),
            span: node.at("metadata.name").map_or(node.span, |name| name.span),
            rules: node
                .at("spec.rules")
                .and_then(Node::as_sequence)
                .unwrap_or_default()
                .iter()
                .map(|rule| rule.get("name").map_or(rule.span, |name| name.span))
                .collect(),
            value,
        };
        if known && kind != "EnvoyPatchPolicy" {
            let Some((_, needs)) = KINDS.iter().find(|(known, _)| *known == kind) else {
                found.push(unreadable(object.span, kind, "it has a kind that is not interpreted"));
                return;
            };
            if !needs.is_empty() && !object.at(needs).is_array() {
                found.push(unreadable(object.span, kind, "a list in its `spec` is missing"));
                return;
            }
        }
        if object.name.is_empty() {
            found.push(unreadable(object.span, kind, "it has no name"));
            return;
        }
        if let Some(known) = self.find(&object.kind, &object.namespace, &object.name) {
            let twice = format!("{} occurs twice", known.title());
            found.push(Diagnostic::new(Code::ReadBack, twice).at(object.span));
            return;
        }
        self.list.push(object);
    }

    /// Adds the objects of another text.
    pub fn extend(&mut self, other: Self) {
        self.list.extend(other.list);
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All objects of a kind.
    pub(crate) fn of(&self, kind: &'static str) -> impl Iterator<Item = &Object> {
        self.list.iter().filter(move |object| object.kind == kind)
    }

    /// One object.
    pub(crate) fn find(&self, kind: &str, namespace: &str, name: &str) -> Option<&Object> {
        self.list.iter().find(|object| {
            object.kind == kind && object.namespace == namespace && object.name == name
        })
    }

    /// Whether an object may refer to one of another namespace (`ReferenceGrant`).
    pub(crate) fn granted(&self, from: (&str, &str), to: (&str, &str, &str)) -> bool {
        let (kind, namespace) = from;
        let (to_kind, to_namespace, to_name) = to;
        namespace == to_namespace
            || self
                .of("ReferenceGrant")
                .filter(|grant| grant.namespace == to_namespace)
                .any(|grant| {
                    let from = items(grant.at("/spec/from")).iter().any(|from| {
                        text(from, "kind") == kind && text(from, "namespace") == namespace
                    });
                    let to = items(grant.at("/spec/to")).iter().any(|to| {
                        let name = to["name"].as_str();
                        text(to, "kind") == to_kind && name.is_none_or(|name| name == to_name)
                    });
                    from && to
                })
    }
}

fn unreadable(span: Span, kind: &str, why: &str) -> Diagnostic {
    let kind = if kind.is_empty() { "document" } else { kind };
    Diagnostic::new(Code::ReadBack, format!("a {kind} cannot be read back: {why}"))
        .at(span)
        .help("compare it with what `gatewright convert` writes")
}

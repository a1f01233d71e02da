//! Emitted objects, read back from their text.

use gatewright_diagnostics::{Code, Diagnostic};
use gatewright_source::Span;
use gatewright_yaml::{Document, Node, from_node};
use indexmap::IndexMap;
use serde_json::Value;

/// Objects of Gateway API and Envoy Gateway, and what they refer to.
#[derive(Clone, Debug, Default)]
pub struct Objects {
    list: Vec<Object>,
    by_kind: IndexMap<String, Vec<usize>>,
    /// By kind, namespace and name.
    by_name: IndexMap<String, usize>,
    /// Policies by their kind and namespace and by the kind and name of what they are aimed at.
    by_target: IndexMap<String, Vec<usize>>,
    /// The listener for plain HTTP of a Gateway that is not among them.
    plain: Option<String>,
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
    /// Names the listener for plain HTTP of a Gateway that is not among them. Without a name it is
    /// any that begins with `http` and not with `https`.
    #[must_use]
    pub fn with_plain_listener(self, name: Option<String>) -> Self {
        Self {
            plain: name,
            ..self
        }
    }

    pub(crate) fn is_plain_listener(&self, name: &str) -> bool {
        match &self.plain {
            Some(plain) => plain == name,
            None => name.starts_with("http") && !name.starts_with("https"),
        }
    }

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
            for item in items {
                self.take(item, found);
            }
            return;
        }
        let group = string("apiVersion")
            .split_once('/')
            .map_or("", |(group, _)| group);
        let known = GROUPS.contains(&group) || group == "gateway.networking.x-k8s.io";
        if !(known || group.is_empty() && kind == "Secret") {
            return;
        }
        // The experimental kinds of older releases.
        let kind = kind.strip_prefix('X').unwrap_or(kind);
        let typed = from_node::<Value>(node);
        let (Some(value), true) = (typed.value, typed.problems.is_empty()) else {
            found.push(unreadable(
                node.span,
                kind,
                "it does not have the form of an object",
            ));
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
                found.push(unreadable(
                    object.span,
                    kind,
                    "it has a kind that is not interpreted",
                ));
                return;
            };
            if !needs.is_empty() && !object.at(needs).is_array() {
                found.push(unreadable(
                    object.span,
                    kind,
                    "a list in its `spec` is missing",
                ));
                return;
            }
        }
        if object.name.is_empty() {
            found.push(unreadable(object.span, kind, "it has no name"));
            return;
        }
        if let Some(known) = self.find(&object.kind, &object.namespace, &object.name) {
            found.push(twice(known, object.span));
            return;
        }
        self.push(object);
    }

    fn push(&mut self, object: Object) {
        let at = self.list.len();
        self.by_kind
            .entry(object.kind.clone())
            .or_default()
            .push(at);
        let name = key(&[&object.kind, &object.namespace, &object.name]);
        self.by_name.insert(name, at);
        let one = std::slice::from_ref(object.at("/spec/targetRef"));
        for target in items(object.at("/spec/targetRefs")).iter().chain(one) {
            let kind = text(target, "kind");
            let aim = key(&[&object.kind, &object.namespace, kind, text(target, "name")]);
            let list = self.by_target.entry(aim).or_default();
            if list.last() != Some(&at) {
                list.push(at);
            }
        }
        self.list.push(object);
    }

    /// Adds the objects of another text, and names those that are there already.
    pub fn extend(&mut self, other: Self) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        for object in other.list {
            match self.find(&object.kind, &object.namespace, &object.name) {
                Some(known) => found.push(twice(known, object.span)),
                None => self.push(object),
            }
        }
        found
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All objects of a kind.
    pub(crate) fn of(&self, kind: &str) -> impl Iterator<Item = &Object> {
        let all = self.by_kind.get(kind).into_iter().flatten();
        all.map(|at| &self.list[*at])
    }

    /// Policies of a kind that are aimed at an object, whatever part of it.
    pub(crate) fn aimed(
        &self,
        policy: &str,
        target: (&str, &str, &str),
    ) -> impl Iterator<Item = &Object> {
        let (kind, namespace, name) = target;
        let all = self.by_target.get(&key(&[policy, namespace, kind, name]));
        all.into_iter().flatten().map(|at| &self.list[*at])
    }

    /// One object.
    pub(crate) fn find(&self, kind: &str, namespace: &str, name: &str) -> Option<&Object> {
        let at = self.by_name.get(&key(&[kind, namespace, name]))?;
        Some(&self.list[*at])
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

fn key(parts: &[&str]) -> String {
    parts.join("/")
}

fn twice(known: &Object, span: Span) -> Diagnostic {
    let message = format!("{} occurs twice", known.title());
    Diagnostic::new(Code::ReadBack, message)
        .label(span, "left out")
        .help("remove one of them")
}

fn unreadable(span: Span, kind: &str, why: &str) -> Diagnostic {
    let kind = if kind.is_empty() { "document" } else { kind };
    Diagnostic::new(
        Code::ReadBack,
        format!("a {kind} cannot be read back: {why}"),
    )
    .at(span)
    .help("compare it with what `gatewright convert` writes")
}

//! From texts to objects that can be compared.

use std::collections::BTreeMap;

use gatewright_diagnostics::{Diagnostic, Severity};
use gatewright_source::{SourceMap, Span};
use gatewright_yaml::{Node, parse};
use serde_json::Value;

use super::{Identity, defaults, value};
use crate::{Input, redact};

const GATEWAY_API: &str = "gateway.networking.k8s.io";
const ENVOY_GATEWAY: &str = "gateway.envoyproxy.io";

/// The kinds that Gatewright writes, with their groups. Of the core group it writes Namespaces
/// and Secrets too, but who holds others of these is not known from them.
const KINDS: &[(&str, &str)] = &[
    (GATEWAY_API, "GatewayClass"),
    (GATEWAY_API, "Gateway"),
    (GATEWAY_API, "ListenerSet"),
    (GATEWAY_API, "HTTPRoute"),
    (GATEWAY_API, "TLSRoute"),
    (GATEWAY_API, "ReferenceGrant"),
    (ENVOY_GATEWAY, "EnvoyProxy"),
    (ENVOY_GATEWAY, "ClientTrafficPolicy"),
    (ENVOY_GATEWAY, "BackendTrafficPolicy"),
    (ENVOY_GATEWAY, "SecurityPolicy"),
    (ENVOY_GATEWAY, "EnvoyExtensionPolicy"),
    (ENVOY_GATEWAY, "HTTPRouteFilter"),
    (ENVOY_GATEWAY, "Backend"),
];

/// Kinds without namespace.
const CLUSTER_WIDE: &[&str] = &["GatewayClass", "Namespace"];

/// What of the existing objects a conversion answers for.
pub(super) struct Scope {
    /// It writes the platform team's objects.
    pub(super) infra: bool,
    /// It writes the application teams' objects.
    pub(super) routes: bool,
    /// It writes routes of this namespace only.
    pub(super) namespace: Option<String>,
}

impl Scope {
    /// Whether an object that is not written any more counts as removed.
    pub(super) fn holds(&self, identity: &Identity, object: &Value) -> bool {
        let known = KINDS.contains(&(identity.group.as_str(), identity.kind.as_str()));
        let infra = is_infra(identity, object);
        let here = infra
            || self
                .namespace
                .as_ref()
                .is_none_or(|namespace| *namespace == identity.namespace);
        known && here && if infra { self.infra } else { self.routes }
    }
}

/// Whether it belongs to the platform team: the Gateway, what runs it, and what is set for it.
fn is_infra(identity: &Identity, object: &Value) -> bool {
    let refers = |pointer: &str| {
        let all = object.pointer(pointer).and_then(Value::as_array);
        all.is_some_and(|all| {
            let kinds = all
                .iter()
                .filter_map(|one| one.get("kind").and_then(Value::as_str));
            kinds.clone().count() > 0
                && kinds
                    .into_iter()
                    .all(|kind| matches!(kind, "Gateway" | "GatewayClass" | "ListenerSet"))
        })
    };
    match identity.kind.as_str() {
        "GatewayClass" | "Gateway" | "ListenerSet" | "EnvoyProxy" | "ClientTrafficPolicy" => true,
        "ReferenceGrant" => refers("/spec/from"),
        _ => refers("/spec/targetRefs"),
    }
}

/// An object in the common form.
#[derive(Clone, Debug)]
pub(super) struct Loaded {
    /// With the defaults that hold.
    pub(super) value: Value,
    /// As it is stated.
    pub(super) stated: Value,
    pub(super) span: Span,
}

/// All objects of some texts.
#[derive(Default)]
pub(super) struct Objects {
    pub(super) objects: BTreeMap<Identity, Loaded>,
    /// In the order in which they stand there, each once.
    pub(super) order: Vec<Identity>,
    pub(super) repeated: Vec<Identity>,
    pub(super) ignored: BTreeMap<String, usize>,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) unreadable: usize,
}

/// Reads the objects of texts, those in `List`s too.
pub(super) fn objects(sources: &mut SourceMap, mut inputs: Vec<Input>, namespace: &str) -> Objects {
    inputs.sort_by(|a, b| (&a.name, &a.text).cmp(&(&b.name, &b.text)));
    let mut objects = Objects::default();
    for input in inputs {
        let file = sources.add(input.name, input.text);
        let parsed = parse(file, sources.file(file).text());
        redact::hide(redact::secrets(&parsed, sources), sources);
        let errors = parsed
            .diagnostics
            .iter()
            .filter(|found| found.severity == Severity::Error);
        objects.unreadable += errors.count();
        objects.diagnostics.extend(parsed.diagnostics);
        for document in &parsed.documents {
            objects.take(&document.root, namespace, None);
        }
    }
    objects
}

impl Objects {
    /// `of` is what a typed list says of its items, which need not say it themselves.
    fn take(&mut self, node: &Node, namespace: &str, of: Option<(&str, &str)>) {
        let text = |key: &str| node.get(key).and_then(Node::as_str);
        let version = text("apiVersion").or(of.map(|of| of.0)).unwrap_or_default();
        let kind = text("kind").or(of.map(|of| of.1)).unwrap_or_default();
        if let (Some(of), Some(items)) = (
            kind.strip_suffix("List"),
            node.get("items").and_then(Node::as_sequence),
        ) {
            let of = (!of.is_empty()).then_some((version, of));
            for item in items {
                self.take(item, namespace, of);
            }
            return;
        }
        let meta = |key: &str| {
            let value = node.get("metadata").and_then(|metadata| metadata.get(key));
            value.and_then(Node::as_str).filter(|text| !text.is_empty())
        };
        let Some(name) = meta("name").filter(|_| !kind.is_empty()) else {
            *self.ignored.entry("no object".to_owned()).or_default() += 1;
            return;
        };
        let group = version.split_once('/').map_or("", |(group, _)| group);
        let identity = Identity {
            group: group.to_owned(),
            kind: kind.to_owned(),
            namespace: if CLUSTER_WIDE.contains(&kind) {
                String::new()
            } else {
                meta("namespace").unwrap_or(namespace).to_owned()
            },
            name: name.to_owned(),
        };
        let stated = value::common(node, &identity, version);
        let mut value = stated.clone();
        defaults::fill(kind, &mut value);
        let loaded = Loaded {
            value,
            stated,
            span: node.span,
        };
        if self.objects.insert(identity.clone(), loaded).is_none() {
            self.order.push(identity);
        } else if !self.repeated.contains(&identity) {
            self.repeated.push(identity);
        }
    }
}

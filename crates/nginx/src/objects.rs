//! From documents to the objects that a conversion reads.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hash::Hasher as _;
use std::sync::Arc;

use gatewright_diagnostics::{
    Code, Diagnostic, ItemPath, Ledger, LedgerObject, ObjectRef, Outcome, Severity,
};
use gatewright_source::Span;
use gatewright_yaml::{Document, Entry, Node, ProblemKind, Value, from_node};
use k8s_openapi::api::core::v1::{ConfigMap, Secret, Service};
use k8s_openapi::api::networking::v1 as networking;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde::de::DeserializeOwned;
use siphasher::sip128::{Hasher128 as _, SipHasher24};

use crate::IndexMap;
use crate::flags::Flags;
use crate::ingress::{Ingress, Texts};
use crate::legacy;
use crate::named::{Name, Told};
use crate::stranger;
use crate::validate::{self, Violation};

/// Namespace and name.
pub(crate) type Key = (Arc<str>, Arc<str>);

/// Everything that was read.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    /// Ingresses in the order of the input, each with its items in the ledger.
    pub ingresses: Vec<(Ingress, LedgerObject)>,
    /// `spec.controller` of each `IngressClass`.
    pub classes: BTreeMap<Arc<str>, Arc<str>>,
    /// Services.
    pub services: BTreeMap<Key, ServiceInfo>,
    /// Secrets, with the names of their keys and what those hold.
    pub secrets: BTreeMap<Key, SecretInfo>,
    /// `ConfigMap`s.
    pub config_maps: BTreeMap<Key, ConfigMapInfo>,
    /// Flags of a controller found in the input.
    pub flags: Flags,
    /// Ingresses of other namespaces than the one that was asked for.
    pub elsewhere: Vec<Ingress>,
    /// Ingresses of which there are copies that say different things, with the places of all
    /// and their digests.
    pub contested: BTreeMap<ObjectRef, Vec<(Span, u128)>>,
    /// Number of objects that a conversion reads.
    pub count: usize,
    /// What is known of objects that are not among these.
    pub told: BTreeMap<Name, Told>,
}

impl Objects {
    /// What is known of an object that is not here.
    pub(crate) fn told(&self, kind: &'static str, namespace: &str, name: &str) -> Option<Told> {
        let key = Name {
            kind,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        };
        self.told.get(&key).copied()
    }

    /// Why a Secret that is not here does not exist, if that can be said: it was looked for, or
    /// other Secrets of its namespace are here.
    pub(crate) fn secret_is_missing(&self, namespace: &str, name: &str) -> Option<Missing> {
        match self.told("Secret", namespace, name) {
            Some(Told::Absent) => Some(Missing::LookedFor),
            Some(Told::Withheld) => None,
            None => {
                let mut others = self.secrets.keys();
                let other = others.any(|(of, _)| **of == *namespace);
                other.then_some(Missing::AmongOthers)
            }
        }
    }
    /// The digest of an Ingress of which there are copies that say different things.
    pub(crate) fn digest(&self, ingress: &Ingress) -> Option<u128> {
        let copies = self.contested.get(&ingress.object)?;
        let copy = copies.iter().find(|(span, _)| *span == ingress.name_span)?;
        Some(copy.1)
    }
}

/// Why an object is taken not to exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    /// Somebody asked the cluster.
    LookedFor,
    /// Others of its kind and namespace are in the input.
    AmongOthers,
}

/// What a Service says that matters here.
#[derive(Clone, Debug, Default)]
pub(crate) struct ServiceInfo {
    /// Its ports.
    pub ports: Vec<ServicePortInfo>,
    /// The DNS name that it stands for.
    pub external_name: Option<Arc<str>>,
}

/// A port of a Service.
#[derive(Clone, Debug)]
pub(crate) struct ServicePortInfo {
    /// Its name.
    pub name: Option<Arc<str>>,
    /// Its number.
    pub port: i32,
    /// `targetPort` as it was written.
    pub target: Option<IntOrString>,
    /// `appProtocol` says HTTP/2 in clear text.
    pub h2c: bool,
}

/// What a Secret holds. Contents never reach a diagnostic.
#[derive(Clone, Debug)]
pub(crate) struct SecretInfo {
    /// Its type.
    pub kind: Arc<str>,
    /// Its data, decoded.
    pub data: BTreeMap<String, Vec<u8>>,
}

/// What a `ConfigMap` holds.
#[derive(Clone, Debug)]
pub(crate) struct ConfigMapInfo {
    /// Keys and values with the place of each.
    pub data: Vec<(Arc<str>, Arc<str>, Span)>,
    /// Its items in the ledger.
    pub ledger: LedgerObject,
}

/// How objects are taken in.
#[derive(Clone, Debug)]
pub struct IntakeOptions {
    /// Objects of this namespace only; objects without one are put into it.
    pub namespace: Option<String>,
}

/// Takes documents in, some at a time, so that their trees can be let go.
/// One bad object stops only itself.
#[derive(Debug)]
pub struct Intake {
    options: IntakeOptions,
    pub(crate) ledger: Ledger,
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(crate) objects: Objects,
    pub(crate) seen: IndexMap<ObjectRef, Vec<Copy>>,
    texts: Texts,
}

/// Where an object was read, and what it says.
#[derive(Debug)]
pub(crate) struct Copy {
    span: Span,
    digest: u128,
    /// Where it stands among the Ingresses, if it is one.
    at: usize,
}

/// How a copy of an object stands to the copies before it.
enum Standing {
    /// There is none before it.
    First,
    /// One says the same.
    Same {
        /// Where that one stands among the Ingresses.
        at: usize,
    },
    /// Others say something else.
    Contested,
    /// Others say something else, and this one is read in their place.
    Preferred,
    /// Others say something else, and one of them is read.
    Lesser,
}

/// What an object is called, and where.
struct Identity {
    object: ObjectRef,
    /// Its name, or all of it where that is missing.
    span: Span,
    /// Whether the name is one.
    named: bool,
}

/// A List in a List in a List is more than anybody writes.
const MAX_LISTS: usize = 8;

impl Intake {
    /// Nothing taken in yet.
    pub fn new(options: IntakeOptions) -> Self {
        Self {
            options,
            ledger: Ledger::default(),
            diagnostics: Vec::new(),
            objects: Objects::default(),
            seen: IndexMap::default(),
            texts: Texts::default(),
        }
    }

    /// Takes documents in, in the order of the input.
    pub fn take(&mut self, documents: &[Document]) {
        for document in documents {
            self.object(&document.root, None, 0);
        }
    }

    /// `inferred` is what an item of a list such as an `IngressList` is taken for when it has
    /// no kind, as `kubectl` does (`decodeToList` of apimachinery's `unstructuredJSONScheme`).
    fn object(&mut self, node: &Node, inferred: Option<(&str, &str)>, depth: usize) {
        if node.is_null() {
            return;
        }
        if node.as_mapping().is_none() {
            self.stranger(node, "", "");
            return;
        }
        let text = |key| node.get(key).and_then(Node::as_str).unwrap_or_default();
        let (version, kind) = match (text("kind"), inferred) {
            ("", Some(inferred)) => inferred,
            (kind, _) => (text("apiVersion"), kind),
        };
        if let Some(item) = kind.strip_suffix("List")
            && depth < MAX_LISTS
            && let Some(items) = node.get("items").and_then(Node::as_sequence)
        {
            let inferred = Some((version, item)).filter(|_| !item.is_empty());
            for item in items {
                self.object(item, inferred, depth + 1);
            }
            return;
        }
        match (version, kind) {
            ("networking.k8s.io/v1", "Ingress") => {
                self.ingress::<networking::Ingress>(node, false);
            }
            ("networking.k8s.io/v1beta1" | "extensions/v1beta1", "Ingress") => {
                self.ingress::<legacy::Ingress>(node, true);
            }
            (
                "networking.k8s.io/v1" | "networking.k8s.io/v1beta1" | "extensions/v1beta1",
                "IngressClass",
            ) => self.class(node),
            ("v1", "Service") => self.service(node),
            ("v1", "Secret") => self.secret(node),
            ("v1", "ConfigMap") => self.config_map(node),
            ("apps/v1", "Deployment" | "DaemonSet") if self.objects.flags.read(node) => {
                self.objects.count += 1;
            }
            _ => self.stranger(node, version, kind),
        }
    }

    /// What is not read. Objects of other kinds are nobody's fault; what was to be one of those
    /// that are read is.
    fn stranger(&mut self, node: &Node, version: &str, kind: &str) {
        let Some((found, lost)) = stranger::judge(node, version, kind) else {
            return;
        };
        let code = found.code;
        let object = self.reference(node, if kind.is_empty() { "Object" } else { kind });
        if node
            .get("metadata")
            .is_some_and(|m| m.get("name").is_some())
        {
            self.diagnostics.push(found.object(&object));
        } else {
            self.diagnostics.push(found);
        }
        if lost {
            let mut leaves = Vec::new();
            collect_leaves(node, &mut String::new(), &mut self.ledger, &mut leaves);
            let ledger = self.ledger.open(&object, leaves);
            self.ledger
                .settle_rest(ledger, |_| Some(Outcome::Refused(code)));
        }
    }

    /// How an object is called. Where its name is not a text, what was written stands for it.
    fn reference(&mut self, node: &Node, kind: &str) -> ObjectRef {
        let field = |key| node.get("metadata").and_then(|metadata| metadata.get(key));
        let namespace = field("namespace")
            .and_then(Node::as_str)
            .filter(|namespace| !namespace.is_empty())
            .or(self.options.namespace.as_deref())
            .unwrap_or("default");
        let namespace = if kind == "IngressClass" {
            ""
        } else {
            namespace
        };
        let name = match field("name").map(|name| &name.value) {
            Some(Value::String(name)) if !name.is_empty() => Cow::Borrowed(name.as_str()),
            Some(Value::Bool(name)) => Cow::Owned(name.to_string()),
            Some(Value::Int(name)) => Cow::Owned(name.to_string()),
            Some(Value::Uint(name)) => Cow::Owned(name.to_string()),
            Some(Value::Float(name)) => Cow::Owned(name.to_string()),
            _ => Cow::Borrowed("(no name)"),
        };
        let mut text = |text: &str| self.texts.shared(text);
        ObjectRef::new(text(kind), text(namespace), text(&name))
    }

    /// The object's identity, unless it is of another namespace or was seen before.
    fn identity(&mut self, node: &Node, kind: &'static str) -> Option<Identity> {
        let object = self.reference(node, kind);
        let wanted = self.options.namespace.as_deref();
        if kind == "Ingress" && wanted.is_some_and(|wanted| *wanted != *object.namespace) {
            let ingress = Ingress::read(node, object, node.span, &mut self.texts);
            self.objects.elsewhere.push(ingress);
            return None;
        }
        let metadata = node.as_mapping().and_then(|m| m.entry("metadata"));
        let name = metadata.and_then(|m| m.value.get("name"));
        let span = name.map_or(node.span, |name| name.span);
        let named = name
            .and_then(Node::as_str)
            .is_some_and(|name| !name.is_empty());
        if !named {
            // A name or metadata of another type are found by `check`, with all that is wrong.
            let absent = |node: &Node| node.is_null() || node.as_str() == Some("");
            let nameless = match metadata {
                Some(m) if m.value.as_mapping().is_some() => name.is_none_or(absent),
                Some(m) => m.value.is_null(),
                None => true,
            };
            if nameless {
                let place = metadata
                    .map(|m| m.key.span)
                    .or_else(|| node.get("kind").map(|kind| kind.span));
                self.diagnostics.push(
                    Diagnostic::new(Code::InvalidObject, format!("the {kind} has no name"))
                        .at(name.map_or(place.unwrap_or(node.span), |name| name.span))
                        .help("set `metadata.name`"),
                );
            }
            self.objects.count += 1;
            return Some(Identity {
                object,
                span,
                named,
            });
        }
        Some(Identity {
            object,
            span,
            named,
        })
    }

    /// How this copy of an object stands to those read before. Which of them is taken depends
    /// on what they say, never on the order in which they come.
    fn standing(&mut self, object: &ObjectRef, span: Span, node: &Node) -> Standing {
        let digest = digest(node);
        let at = self.objects.ingresses.len();
        let known = self.seen.entry(object.clone()).or_default();
        let Some(first) = known.first() else {
            known.push(Copy { span, digest, at });
            self.objects.count += 1;
            return Standing::First;
        };
        let diagnostic = Diagnostic::new(Code::DuplicateObject, "the object occurs twice");
        if let Some(same) = known.iter().find(|copy| copy.digest == digest) {
            self.diagnostics.push(
                diagnostic
                    .severity(Severity::Warning)
                    .object(object)
                    .label(span, "left out")
                    .label(same.span, "says the same")
                    .help("remove one of them"),
            );
            return Standing::Same { at: same.at };
        }
        let ingress = &*object.kind == "Ingress";
        let note = if ingress {
            "nobody can tell which one the cluster holds: none is converted, and the paths of all of them answer 503"
        } else {
            "one of them is read, whatever the order of the files; it may be the wrong one"
        };
        self.diagnostics.push(
            Diagnostic::new(
                Code::DuplicateObject,
                "the object occurs twice, with different contents",
            )
            .object(object)
            .label(span, "one copy")
            .label(first.span, "another one")
            .note(note)
            .help("remove one of them, or convert them apart"),
        );
        let least = known.iter().all(|copy| digest < copy.digest);
        known.push(Copy { span, digest, at });
        if ingress {
            Standing::Contested
        } else if least {
            Standing::Preferred
        } else {
            Standing::Lesser
        }
    }

    /// Whether a copy of an object other than an Ingress is the one that is read.
    fn is_read(&mut self, object: &ObjectRef, span: Span, node: &Node) -> bool {
        matches!(
            self.standing(object, span, node),
            Standing::First | Standing::Preferred
        )
    }

    /// Whether the types fit, as the API server's strict decoding sees it.
    fn check<T: DeserializeOwned>(&mut self, node: &Node, object: &ObjectRef) -> Option<T> {
        let typed = from_node::<T>(node);
        for problem in typed.problems {
            let (code, help) = match &problem.kind {
                ProblemKind::UnknownField { suggestion, .. } => (
                    Code::UnknownField,
                    suggestion.as_ref().map_or_else(
                        || "correct the spelling or remove the field".to_owned(),
                        |likely| format!("did you mean `{likely}`?"),
                    ),
                ),
                ProblemKind::WrongType { expected, .. } => {
                    (Code::WrongType, wrong_type_help(&problem.path, expected))
                }
                ProblemKind::Other(_) => (Code::InvalidObject, "correct the value".to_owned()),
            };
            let wrong = code != Code::UnknownField;
            let mut diagnostic =
                Diagnostic::new(code, format!("{}: {}", problem.path, problem.kind))
                    .object(object)
                    .at(problem.span)
                    .help(help);
            if wrong {
                diagnostic = diagnostic.note("the object is not converted");
            }
            self.diagnostics.push(diagnostic);
        }
        typed.value
    }

    fn ingress<T: DeserializeOwned>(&mut self, node: &Node, old: bool) {
        let Some(Identity {
            object,
            span,
            named,
        }) = self.identity(node, "Ingress")
        else {
            return;
        };
        let mut leaves = Vec::new();
        collect_leaves(node, &mut String::new(), &mut self.ledger, &mut leaves);
        let ledger = self.ledger.open(&object, leaves);
        if old {
            let version = node.get("apiVersion").map_or(node.span, |v| v.span);
            self.diagnostics.push(
                Diagnostic::new(
                    Code::OldApiVersion,
                    "Kubernetes 1.22 and later do not serve this API version",
                )
                .object(&object)
                .at(version)
                .note("it is converted as the cluster would have stored it"),
            );
        }
        let problems = self.diagnostics.len();
        if self.check::<T>(node, &object).is_none() {
            self.ledger
                .settle_rest(ledger, |_| Some(Outcome::Refused(Code::WrongType)));
            return;
        }
        for at in problems..self.diagnostics.len() {
            let found = &self.diagnostics[at];
            if let (Code::UnknownField, Some(span)) = (found.code, found.span()) {
                self.settle_value(node, ledger, span);
            }
        }
        let mut violations = validate::ingress(node, old);
        if !named {
            // That there is none was said.
            violations.retain(|found| !found.message.starts_with("metadata.name:"));
        }
        if !named || !violations.is_empty() {
            self.violations(&object, violations);
            self.ledger
                .settle_rest(ledger, |_| Some(Outcome::Refused(Code::InvalidObject)));
            return;
        }
        let standing = self.standing(&object, span, node);
        let ingress = Ingress::read(node, object, span, &mut self.texts);
        match standing {
            Standing::Same { at } => {
                // A manifest has no time of creation, and what `kubectl get` printed has one.
                if let Some((copy, _)) = self.objects.ingresses.get_mut(at) {
                    copy.created = copy.created.take().max(ingress.created);
                }
                let reason = Outcome::no_effect("another copy says the same");
                self.ledger.settle_rest(ledger, |_| Some(reason.clone()));
                return;
            }
            Standing::Contested => {
                let copies = self.seen.get(&ingress.object).into_iter().flatten();
                let copies = copies.map(|copy| (copy.span, copy.digest));
                let contested = &mut self.objects.contested;
                contested.insert(ingress.object.clone(), copies.collect());
            }
            Standing::First | Standing::Preferred | Standing::Lesser => {}
        }
        self.objects.ingresses.push((ingress, ledger));
    }

    /// What the API server refuses cannot be in a cluster.
    fn violations(&mut self, object: &ObjectRef, violations: Vec<Violation>) {
        let diagnostics = violations.into_iter().map(|found| {
            Diagnostic::new(Code::InvalidObject, found.message)
                .object(object)
                .at(found.span)
                .note("the API server refuses the object, so it is not converted")
                .help(found.help)
        });
        self.diagnostics.extend(diagnostics);
    }

    /// An unknown field is refused with all that stands below it.
    fn settle_value(&mut self, node: &Node, ledger: LedgerObject, key: Span) {
        let refused = Outcome::Refused(Code::UnknownField);
        let Some(mapping) = node.as_mapping() else {
            for item in node.as_sequence().unwrap_or_default() {
                self.settle_value(item, ledger, key);
            }
            return;
        };
        for entry in mapping {
            if entry.key.span == key {
                self.ledger.settle(ledger, entry.value.span, &refused);
            } else {
                self.settle_value(&entry.value, ledger, key);
            }
        }
    }

    fn whole(&mut self, object: &ObjectRef, node: &Node, reason: &'static str) -> LedgerObject {
        let path = self.ledger.path("");
        let ledger = self.ledger.open(object, [(path, node.span)]);
        self.ledger
            .settle(ledger, node.span, &Outcome::no_effect(reason));
        ledger
    }

    /// The object that others name. Nobody can name one without a name, so it is only checked.
    fn named<T: DeserializeOwned>(
        &mut self,
        node: &Node,
        kind: &'static str,
    ) -> Option<(ObjectRef, Span)> {
        let Identity {
            object,
            span,
            named,
        } = self.identity(node, kind)?;
        if named {
            return Some((object, span));
        }
        self.check::<T>(node, &object);
        self.whole(&object, node, "it has no name and is not read");
        None
    }

    fn class(&mut self, node: &Node) {
        let Some((object, span)) = self.named::<networking::IngressClass>(node, "IngressClass")
        else {
            return;
        };
        if let Some(class) = self.check::<networking::IngressClass>(node, &object)
            && self.is_read(&object, span, node)
        {
            let controller = class.spec.and_then(|s| s.controller).unwrap_or_default();
            self.objects
                .classes
                .insert(Arc::clone(&object.name), Arc::from(controller));
        }
        self.whole(
            &object,
            node,
            "it is read to see which Ingresses the controller serves",
        );
    }

    fn service(&mut self, node: &Node) {
        let Some((object, span)) = self.named::<Service>(node, "Service") else {
            return;
        };
        if let Some(service) = self.check::<Service>(node, &object)
            && self.is_read(&object, span, node)
        {
            let spec = service.spec.unwrap_or_default();
            let ports = spec.ports.unwrap_or_default();
            let info = ServiceInfo {
                ports: ports
                    .into_iter()
                    .map(|port| ServicePortInfo {
                        name: port.name.map(Arc::from),
                        port: port.port,
                        target: port.target_port,
                        h2c: port.app_protocol.as_deref() == Some("kubernetes.io/h2c"),
                    })
                    .collect(),
                external_name: spec
                    .external_name
                    .filter(|_| spec.type_.as_deref() == Some("ExternalName"))
                    .map(Arc::from),
            };
            self.objects.services.insert(key(&object), info);
        }
        self.whole(
            &object,
            node,
            "it stays as it is; its ports and its kind are read",
        );
    }

    fn secret(&mut self, node: &Node) {
        let Some((object, span)) = self.named::<Secret>(node, "Secret") else {
            return;
        };
        if let Some(secret) = self.check::<Secret>(node, &object)
            && self.is_read(&object, span, node)
        {
            let mut data: BTreeMap<String, Vec<u8>> = secret
                .data
                .unwrap_or_default()
                .into_iter()
                .map(|(key, value)| (key, value.0))
                .collect();
            for (key, value) in secret.string_data.unwrap_or_default() {
                data.insert(key, value.into_bytes());
            }
            let info = SecretInfo {
                kind: Arc::from(secret.type_.unwrap_or_default()),
                data,
            };
            self.objects.secrets.insert(key(&object), info);
        }
        self.whole(
            &object,
            node,
            "it stays as it is; only what it is for is read",
        );
    }

    fn config_map(&mut self, node: &Node) {
        let Some((object, span)) = self.named::<ConfigMap>(node, "ConfigMap") else {
            return;
        };
        if self.check::<ConfigMap>(node, &object).is_none() {
            self.whole(&object, node, "it is not valid and is not read");
            return;
        }
        if !self.is_read(&object, span, node) {
            self.whole(&object, node, "another copy of the object is read");
            return;
        }
        let mut leaves = Vec::new();
        collect_leaves(node, &mut String::new(), &mut self.ledger, &mut leaves);
        let ledger = self.ledger.open(&object, leaves);
        let data = node
            .get("data")
            .and_then(Node::as_mapping)
            .map(|data| {
                data.iter()
                    .filter_map(|entry| {
                        let value = entry.value.as_str()?;
                        Some((
                            Arc::from(entry.key.value.as_str()),
                            Arc::from(value),
                            entry.value.span,
                        ))
                    })
                    .collect()
            })
            .unwrap_or_default();
        let info = ConfigMapInfo { data, ledger };
        if let Some(other) = self.objects.config_maps.insert(key(&object), info) {
            let reason = Outcome::no_effect("another copy of the object is read");
            self.ledger
                .settle_rest(other.ledger, |_| Some(reason.clone()));
        }
    }
}

fn key(object: &ObjectRef) -> Key {
    (Arc::clone(&object.namespace), Arc::clone(&object.name))
}

/// A digest of what an object says. What the cluster alone writes of it is no part of that, nor
/// is the order of keys.
fn digest(node: &Node) -> u128 {
    // The same in every release: it decides which of several copies is read.
    let mut hasher = SipHasher24::new();
    let mut entries = Vec::new();
    let annotations = node.get("metadata").and_then(|m| m.get("annotations"));
    if let Some(annotations) = annotations {
        hash(annotations, &[LAST_APPLIED], &mut hasher, &mut entries);
    }
    hash(node, &["metadata", "status"], &mut hasher, &mut entries);
    hasher.finish128().as_u128()
}

/// `kubectl apply` writes the object as it was given into the object.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Hashes a node with its keys in order, without its layout and without the keys named. Behind
/// what is in `entries` is room for those of the node.
fn hash<'n>(
    node: &'n Node,
    without: &[&str],
    hasher: &mut SipHasher24,
    entries: &mut Vec<&'n Entry>,
) {
    let mut text = |kind: u8, text: &str| {
        hasher.write_u8(kind);
        hasher.write_u64(text.len() as u64);
        hasher.write(text.as_bytes());
    };
    match &node.value {
        Value::Mapping(mapping) => {
            let start = entries.len();
            let kept = |entry: &&Entry| !without.contains(&entry.key.value.as_str());
            entries.extend(mapping.iter().filter(kept));
            entries[start..].sort_unstable_by_key(|entry| entry.key.value.as_str());
            hasher.write_u8(b'{');
            hasher.write_u64((entries.len() - start) as u64);
            for at in start..entries.len() {
                let entry = entries[at];
                hasher.write_u64(entry.key.value.len() as u64);
                hasher.write(entry.key.value.as_bytes());
                hash(&entry.value, &[], hasher, entries);
            }
            entries.truncate(start);
        }
        Value::Sequence(items) => {
            hasher.write_u8(b'[');
            hasher.write_u64(items.len() as u64);
            for item in items {
                hash(item, &[], hasher, entries);
            }
        }
        Value::String(value) => text(b'"', value),
        scalar => text(b'=', &format!("{scalar:?}")),
    }
}

fn wrong_type_help(path: &str, expected: &str) -> String {
    if matches!(path, "metadata.annotations" | "metadata.labels") {
        "write a map of strings, `key: \"value\"` a line, or remove the field".to_owned()
    } else if path.starts_with("metadata.annotations") || path.starts_with("metadata.labels") {
        "annotation and label values are strings: put the value in quotes".to_owned()
    } else if matches!(path, "metadata.name" | "metadata.namespace") {
        "names are strings: put the value in quotes".to_owned()
    } else if expected == "a whole number" {
        "write a whole number, without quotes".to_owned()
    } else {
        format!("write {expected}")
    }
}

/// Every scalar, empty map and empty list below a node, with its path.
fn collect_leaves(
    node: &Node,
    path: &mut String,
    ledger: &mut Ledger,
    leaves: &mut Vec<(ItemPath, Span)>,
) {
    let length = path.len();
    match &node.value {
        Value::Mapping(mapping) if !mapping.is_empty() => {
            for entry in mapping {
                if entry.key.value.bytes().any(|b| b"./[".contains(&b)) {
                    path.push('[');
                    path.push_str(&entry.key.value);
                    path.push(']');
                } else {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(&entry.key.value);
                }
                collect_leaves(&entry.value, path, ledger, leaves);
                path.truncate(length);
            }
        }
        Value::Sequence(items) if !items.is_empty() => {
            for (at, item) in items.iter().enumerate() {
                // Writing to a string cannot fail.
                let _ = write!(path, "[{at}]");
                collect_leaves(item, path, ledger, leaves);
                path.truncate(length);
            }
        }
        _ => leaves.push((ledger.path(path), node.span)),
    }
}

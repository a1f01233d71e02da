//! From documents to what each object says, whichever others there are.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use gatewright_diagnostics::{Code, Diagnostic, ItemPath, Ledger, ObjectRef, Outcome};
use gatewright_source::Span;
use gatewright_yaml::{Document, Node, ProblemKind, Value, from_node};
use k8s_openapi::api::core::v1::{ConfigMap, Secret, Service};
use k8s_openapi::api::networking::v1 as networking;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde::de::DeserializeOwned;

use crate::digest::digest;
use crate::flags::Flags;
use crate::ingress::{Ingress, Texts};
use crate::validate::{self, Violation};
use crate::{IndexSet, legacy, stranger};

/// Reads documents. Several readers may read side by side, each some of them; what they read is
/// put together by an [`Intake`](crate::Intake).
#[derive(Debug)]
pub struct Reader {
    namespace: Option<Arc<str>>,
    texts: Texts,
    /// The paths of items, by their numbers in [`Leaves`].
    paths: IndexSet<Box<str>>,
    /// Those paths in the ledger, as far as it knows them.
    known: Vec<ItemPath>,
    scratch: Scratch,
    now: Reading,
}

/// Memory for the leaves of an object.
#[derive(Debug, Default)]
struct Scratch {
    path: String,
    leaves: Leaves,
}

/// What some documents say, in their order. Only the reader that read them can explain it.
#[derive(Debug, Default)]
pub struct Reading {
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(crate) found: Vec<Found>,
}

#[derive(Debug)]
pub(crate) enum Found {
    /// One that has an account.
    Object(Described),
    /// An Ingress of another namespace than the one that was asked for.
    Elsewhere(Ingress),
    /// What runs the controller.
    Workload(Node),
}

/// An object, and what becomes of its items.
#[derive(Debug)]
pub(crate) struct Described {
    pub(crate) object: ObjectRef,
    pub(crate) items: Items,
    /// Nothing where it cannot be read.
    pub(crate) content: Option<Content>,
}

#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) says: Says,
    /// Where the name of the object stands.
    pub(crate) span: Span,
    /// A digest of all of it.
    pub(crate) digest: u128,
}

#[derive(Debug)]
pub(crate) enum Items {
    /// The object is one item, without effect for this reason.
    Whole(Span, &'static str),
    Each {
        leaves: Leaves,
        /// Unknown fields: where the values stand.
        unknown: Vec<Span>,
        /// What becomes of all others, if that is known.
        all: Option<Outcome>,
    },
}

/// Numbers of paths, and places.
pub(crate) type Leaves = Vec<(u32, Span)>;

/// What an object says.
#[derive(Debug)]
pub(crate) enum Says {
    Ingress(Box<Ingress>),
    /// `spec.controller` of an `IngressClass`.
    Class(Arc<str>),
    Service(ServiceInfo),
    Secret(SecretInfo),
    /// Keys and values with the place of each.
    ConfigMap(Vec<(Arc<str>, Arc<str>, Span)>),
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

/// The name of an object.
struct Called {
    /// Where it stands, or all of the object where it is missing.
    span: Span,
    /// Whether it is a name.
    named: bool,
}

/// A List in a List in a List is more than anybody writes.
const MAX_LISTS: usize = 8;
/// Why an object without a name has no effect.
const NAMELESS: &str = "it has no name and is not read";

impl Reader {
    /// One that has read nothing yet. With a namespace it reads the Ingresses of that one only,
    /// and puts objects without one into it.
    pub fn new(namespace: Option<&str>) -> Self {
        Self {
            namespace: namespace.map(Arc::from),
            texts: Texts::default(),
            paths: IndexSet::default(),
            known: Vec::new(),
            scratch: Scratch::default(),
            now: Reading::default(),
        }
    }

    /// Reads documents. One bad object stops only itself.
    pub fn read(&mut self, documents: &[Document]) -> Reading {
        for document in documents {
            self.object(&document.root, None, 0);
        }
        std::mem::take(&mut self.now)
    }

    /// The items of leaves, in a ledger to which nobody else explains those of this reader.
    pub(crate) fn items(
        &mut self,
        leaves: Leaves,
        ledger: &mut Ledger,
    ) -> impl Iterator<Item = (ItemPath, Span)> + use<'_> {
        let new = &self.paths[self.known.len()..];
        self.known.extend(new.iter().map(|path| ledger.path(path)));
        let leaves = leaves.into_iter();
        leaves.map(|(path, span)| (self.known[path as usize], span))
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
            ("apps/v1", "Deployment" | "DaemonSet") if Flags::default().read(node) => {
                self.now.found.push(Found::Workload(node.clone()));
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
        let metadata = node.get("metadata");
        self.now
            .diagnostics
            .push(if metadata.is_some_and(|m| m.get("name").is_some()) {
                found.object(&object)
            } else {
                found
            });
        if lost {
            let items = Items::Each {
                leaves: self.leaves(node),
                unknown: Vec::new(),
                all: Some(Outcome::Refused(code)),
            };
            self.describe(object, items, None);
        }
    }

    /// How an object is called. Where its name is not a text, what was written stands for it.
    fn reference(&mut self, node: &Node, kind: &str) -> ObjectRef {
        let field = |key| node.get("metadata").and_then(|metadata| metadata.get(key));
        let namespace = field("namespace")
            .and_then(Node::as_str)
            .filter(|namespace| !namespace.is_empty())
            .or(self.namespace.as_deref())
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

    /// Looks at the name of an object, and says if there is none.
    fn called(&mut self, node: &Node, kind: &str) -> Called {
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
                self.now.diagnostics.push(
                    Diagnostic::new(Code::InvalidObject, format!("the {kind} has no name"))
                        .at(name.map_or(place.unwrap_or(node.span), |name| name.span))
                        .help("set `metadata.name`"),
                );
            }
        }
        Called { span, named }
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
            self.now.diagnostics.push(diagnostic);
        }
        typed.value
    }

    fn ingress<T: DeserializeOwned>(&mut self, node: &Node, old: bool) {
        let object = self.reference(node, "Ingress");
        let wanted = self.namespace.as_deref();
        if wanted.is_some_and(|wanted| *wanted != *object.namespace) {
            let ingress = Ingress::read(node, object, node.span, &mut self.texts);
            self.now.found.push(Found::Elsewhere(ingress));
            return;
        }
        let Called { span, named } = self.called(node, "Ingress");
        let leaves = self.leaves(node);
        let refused = |leaves, unknown, code| Items::Each {
            leaves,
            unknown,
            all: Some(Outcome::Refused(code)),
        };
        if old {
            let version = node.get("apiVersion").map_or(node.span, |v| v.span);
            self.now.diagnostics.push(
                Diagnostic::new(
                    Code::OldApiVersion,
                    "Kubernetes 1.22 and later do not serve this API version",
                )
                .object(&object)
                .at(version)
                .note("it is converted as the cluster would have stored it"),
            );
        }
        let problems = self.now.diagnostics.len();
        if self.check::<T>(node, &object).is_none() {
            return self.describe(object, refused(leaves, Vec::new(), Code::WrongType), None);
        }
        let mut unknown = Vec::new();
        for found in &self.now.diagnostics[problems..] {
            if let (Code::UnknownField, Some(span)) = (found.code, found.span()) {
                values(node, span, &mut unknown);
            }
        }
        let mut violations = validate::ingress(node, old);
        if !named {
            // That there is none was said.
            violations.retain(|found| !found.message.starts_with("metadata.name:"));
        }
        if !named || !violations.is_empty() {
            self.violations(&object, violations);
            return self.describe(object, refused(leaves, unknown, Code::InvalidObject), None);
        }
        let items = Items::Each {
            leaves,
            unknown,
            all: None,
        };
        let says = Ingress::read(node, object.clone(), span, &mut self.texts);
        let content = Content {
            says: Says::Ingress(Box::new(says)),
            span,
            digest: digest(node),
        };
        self.describe(object, items, Some(content));
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
        self.now.diagnostics.extend(diagnostics);
    }

    fn describe(&mut self, object: ObjectRef, items: Items, content: Option<Content>) {
        self.now.found.push(Found::Object(Described {
            object,
            items,
            content,
        }));
    }

    /// An object that others name. Nobody can name one without a name, so that is only checked.
    fn named<T: DeserializeOwned>(
        &mut self,
        node: &Node,
        kind: &'static str,
        reason: &'static str,
        says: impl FnOnce(T) -> Says,
    ) {
        let object = self.reference(node, kind);
        let Called { span, named } = self.called(node, kind);
        let typed = self.check::<T>(node, &object);
        if !named {
            let items = Items::Whole(node.span, NAMELESS);
            return self.describe(object, items, None);
        }
        let content = typed.map(|typed| Content {
            says: says(typed),
            span,
            digest: digest(node),
        });
        self.describe(object, Items::Whole(node.span, reason), content);
    }

    fn class(&mut self, node: &Node) {
        let reason = "it is read to see which Ingresses the controller serves";
        self.named(
            node,
            "IngressClass",
            reason,
            |class: networking::IngressClass| {
                let controller = class.spec.and_then(|s| s.controller).unwrap_or_default();
                Says::Class(Arc::from(controller))
            },
        );
    }

    fn service(&mut self, node: &Node) {
        let reason = "it stays as it is; its ports and its kind are read";
        self.named(node, "Service", reason, |service: Service| {
            let spec = service.spec.unwrap_or_default();
            let ports = spec.ports.unwrap_or_default();
            Says::Service(ServiceInfo {
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
            })
        });
    }

    fn secret(&mut self, node: &Node) {
        let reason = "it stays as it is; only what it is for is read";
        self.named(node, "Secret", reason, |secret: Secret| {
            let mut data: BTreeMap<String, Vec<u8>> = secret
                .data
                .unwrap_or_default()
                .into_iter()
                .map(|(key, value)| (key, value.0))
                .collect();
            for (key, value) in secret.string_data.unwrap_or_default() {
                data.insert(key, value.into_bytes());
            }
            Says::Secret(SecretInfo {
                kind: Arc::from(secret.type_.unwrap_or_default()),
                data,
            })
        });
    }

    fn config_map(&mut self, node: &Node) {
        let object = self.reference(node, "ConfigMap");
        let Called { span, named } = self.called(node, "ConfigMap");
        let fits = self.check::<ConfigMap>(node, &object).is_some();
        if !named || !fits {
            let reason = if named {
                "it is not valid and is not read"
            } else {
                NAMELESS
            };
            return self.describe(object, Items::Whole(node.span, reason), None);
        }
        let data = node.get("data").and_then(Node::as_mapping);
        let data = data.into_iter().flat_map(|data| data.iter());
        let data = data.filter_map(|entry| {
            let value = Arc::from(entry.value.as_str()?);
            Some((Arc::from(entry.key.value.as_str()), value, entry.value.span))
        });
        let content = Content {
            says: Says::ConfigMap(data.collect()),
            span,
            digest: digest(node),
        };
        let items = Items::Each {
            leaves: self.leaves(node),
            unknown: Vec::new(),
            all: None,
        };
        self.describe(object, items, Some(content));
    }

    /// Every scalar, empty map and empty list below a node.
    fn leaves(&mut self, node: &Node) -> Leaves {
        let Scratch { path, leaves } = &mut self.scratch;
        leaves.clear();
        collect(node, path, &mut self.paths, leaves);
        leaves.clone()
    }
}

fn collect(node: &Node, path: &mut String, paths: &mut IndexSet<Box<str>>, leaves: &mut Leaves) {
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
                collect(&entry.value, path, paths, leaves);
                path.truncate(length);
            }
        }
        Value::Sequence(items) if !items.is_empty() => {
            for (at, item) in items.iter().enumerate() {
                // Writing to a string cannot fail.
                let _ = write!(path, "[{at}]");
                collect(item, path, paths, leaves);
                path.truncate(length);
            }
        }
        _ => {
            let at = match paths.get_index_of(path.as_str()) {
                Some(known) => known,
                None => paths.insert_full(path.as_str().into()).0,
            };
            // Each path is a text of the input, and files are limited to 4 GiB.
            leaves.push((u32::try_from(at).unwrap_or(u32::MAX), node.span));
        }
    }
}

/// Where the values of a field stand whose key stands here.
fn values(node: &Node, key: Span, found: &mut Vec<Span>) {
    let Some(mapping) = node.as_mapping() else {
        for item in node.as_sequence().unwrap_or_default() {
            values(item, key, found);
        }
        return;
    };
    for entry in mapping {
        if entry.key.span == key {
            found.push(entry.value.span);
        } else {
            values(&entry.value, key, found);
        }
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

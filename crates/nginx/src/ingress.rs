//! An Ingress object as it was written, with the place of every value.
//!
//! All three API versions that ever served Ingresses are read into one shape
//! (networking.k8s.io/v1, networking.k8s.io/v1beta1, extensions/v1beta1).

use std::sync::Arc;

use gatewright_diagnostics::ObjectRef;
use gatewright_source::{Span, Spanned};
use gatewright_yaml::Node;

use crate::registry::metadata::{self, Carry, Place};
use crate::{IndexMap, IndexSet};

/// The texts of all Ingresses, each of them once: keys of annotations, namespaces, the name of
/// a Service in every path.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    texts: IndexSet<Arc<str>>,
    annotations: Keys,
    labels: Keys,
}

/// Keys, and what other programs make of them.
type Keys = IndexMap<Arc<str>, Option<&'static Carry>>;

impl Texts {
    /// The text that says the same.
    pub(crate) fn shared(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return Arc::clone(known);
        }
        let new = Arc::from(text);
        self.texts.insert(Arc::clone(&new));
        new
    }

    fn key(&mut self, text: &str, place: Place) -> (Arc<str>, Option<&'static Carry>) {
        let keys = match place {
            Place::Annotation => &mut self.annotations,
            Place::Label => &mut self.labels,
        };
        if let Some((key, row)) = keys.get_key_value(text) {
            return (Arc::clone(key), *row);
        }
        let (key, row) = (Arc::from(text), metadata::carry(text, place));
        keys.insert(Arc::clone(&key), row);
        (key, row)
    }

    fn scalar(&mut self, node: &Node) -> Option<Spanned<Arc<str>>> {
        let text = self.shared(node.as_str()?);
        Some(Spanned::new(text, node.span))
    }

    /// All annotations or labels.
    fn entries(&mut self, metadata: Option<&Node>, place: Place) -> Box<[Annotation]> {
        let name = match place {
            Place::Annotation => "annotations",
            Place::Label => "labels",
        };
        let map = metadata.and_then(|n| n.get(name));
        let map = map.and_then(Node::as_mapping);
        let entries = map.into_iter().flat_map(|map| map.iter());
        let mut entries: Box<[Annotation]> = entries
            .filter_map(|entry| {
                let value = self.scalar(&entry.value)?;
                let (key, row) = self.key(&entry.key.value, place);
                Some(Annotation {
                    key: Spanned::new(key, entry.key.span),
                    value,
                    row,
                })
            })
            .collect();
        // The order in which they are written says nothing, so that it must not show.
        entries.sort_unstable_by(|a, b| a.key.value.cmp(&b.key.value));
        entries
    }
}

/// An Ingress.
#[derive(Clone, Debug)]
pub(crate) struct Ingress {
    /// Kind, namespace and name.
    pub object: ObjectRef,
    /// Where its name stands.
    pub name_span: Span,
    /// Seconds and nanoseconds are compared as text: RFC 3339 in UTC sorts as time.
    /// Absent sorts first, as the zero time does in the controller.
    pub created: Option<Arc<str>>,
    /// `spec.ingressClassName`.
    pub class_name: Option<Spanned<Arc<str>>>,
    /// All annotations, by their keys.
    pub annotations: Box<[Annotation]>,
    /// All labels, by their keys.
    pub labels: Box<[Annotation]>,
    /// `spec.defaultBackend` (`spec.backend` before v1).
    pub default_backend: Option<BackendRef>,
    /// `spec.tls`.
    pub tls: Box<[Tls]>,
    /// `spec.rules`.
    pub rules: Box<[Rule]>,
}

/// One annotation or label.
#[derive(Clone, Debug)]
pub(crate) struct Annotation {
    /// The whole key, with prefix.
    pub key: Spanned<Arc<str>>,
    /// The value.
    pub value: Spanned<Arc<str>>,
    /// What programs other than Ingress controllers make of the key.
    pub row: Option<&'static Carry>,
}

/// An item of `spec.tls`.
#[derive(Clone, Debug)]
pub(crate) struct Tls {
    /// The hosts it is for.
    pub hosts: Box<[Spanned<Arc<str>>]>,
    /// The Secret that holds the certificate.
    pub secret: Option<Spanned<Arc<str>>>,
    /// The whole item.
    pub span: Span,
}

/// An item of `spec.rules`.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    /// The host; none is every host.
    pub host: Option<Spanned<Arc<str>>>,
    /// The paths; none when `http` is absent.
    pub paths: Option<Box<[Path]>>,
}

/// An item of `spec.rules[].http.paths`.
#[derive(Clone, Debug)]
pub(crate) struct Path {
    /// The path; absent is `/`.
    pub path: Option<Spanned<Arc<str>>>,
    /// How it is compared.
    pub path_type: PathType,
    /// Where requests go.
    pub backend: BackendRef,
    /// The whole item.
    pub span: Span,
}

/// `pathType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum PathType {
    /// The path itself.
    Exact,
    /// The path and what is below it; also absent and `ImplementationSpecific`
    /// (ingress-nginx `internal/ingress/controller/controller.go`).
    Prefix,
}

/// A backend.
#[derive(Clone, Debug)]
pub(crate) struct BackendRef {
    /// What it names.
    pub target: BackendTarget,
    /// The whole reference.
    pub span: Span,
}

/// What a backend names.
#[derive(Clone, Debug)]
pub(crate) enum BackendTarget {
    /// A Service.
    Service {
        /// Its name.
        name: Spanned<Arc<str>>,
        /// Its port.
        port: Spanned<Port>,
    },
    /// Another object, which the controller does not serve.
    Resource,
}

/// A port as it was written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Port {
    /// By number.
    Number(i64),
    /// By name.
    Name(Arc<str>),
    /// Not at all.
    Missing,
}

impl std::fmt::Display for Port {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Name(name) => f.write_str(name),
            Self::Missing => f.write_str("(no port)"),
        }
    }
}

impl Ingress {
    /// Reads an Ingress whose types have been checked; what is malformed nonetheless is left out.
    pub(crate) fn read(node: &Node, object: ObjectRef, name_span: Span, texts: &mut Texts) -> Self {
        let spec = node.get("spec");
        let metadata = node.get("metadata");
        Self {
            object,
            name_span,
            created: metadata
                .and_then(|m| m.get("creationTimestamp"))
                .and_then(Node::as_str)
                .map(Arc::from),
            class_name: spec
                .and_then(|s| s.get("ingressClassName"))
                .and_then(|class| texts.scalar(class)),
            annotations: texts.entries(metadata, Place::Annotation),
            labels: texts.entries(metadata, Place::Label),
            default_backend: spec
                .and_then(|s| s.get("defaultBackend").or_else(|| s.get("backend")))
                .map(|backend| BackendRef::read(backend, texts)),
            tls: items(spec, "tls")
                .map(|tls| Tls::read(tls, texts))
                .collect(),
            rules: items(spec, "rules")
                .map(|rule| Rule::read(rule, texts))
                .collect(),
        }
    }
}

impl Tls {
    fn read(node: &Node, texts: &mut Texts) -> Self {
        Self {
            hosts: items(Some(node), "hosts")
                .filter_map(|host| texts.scalar(host))
                .collect(),
            secret: node
                .get("secretName")
                .and_then(|name| texts.scalar(name))
                .filter(|name| !name.value.is_empty()),
            span: node.span,
        }
    }
}

impl Rule {
    fn read(node: &Node, texts: &mut Texts) -> Self {
        Self {
            host: node
                .get("host")
                .and_then(|host| texts.scalar(host))
                .filter(|host| !host.value.is_empty()),
            paths: node
                .get("http")
                .filter(|http| http.as_mapping().is_some())
                .map(|http| {
                    items(Some(http), "paths")
                        .map(|path| Path::read(path, texts))
                        .collect()
                }),
        }
    }
}

impl Path {
    fn read(node: &Node, texts: &mut Texts) -> Self {
        Self {
            path: node
                .get("path")
                .and_then(|path| texts.scalar(path))
                .filter(|path| !path.value.is_empty()),
            path_type: match node.get("pathType").and_then(Node::as_str) {
                Some("Exact") => PathType::Exact,
                _ => PathType::Prefix,
            },
            backend: node.get("backend").map_or(
                BackendRef {
                    target: BackendTarget::Resource,
                    span: node.span,
                },
                |backend| BackendRef::read(backend, texts),
            ),
            span: node.span,
        }
    }
}

impl BackendRef {
    fn read(node: &Node, texts: &mut Texts) -> Self {
        let service = node.get("service");
        let (name, port) = if let Some(service) = service {
            let port = service.get("port");
            let number = port.and_then(|p| p.get("number"));
            let named = port.and_then(|p| p.get("name"));
            (service.get("name"), number.or(named))
        } else {
            (node.get("serviceName"), node.get("servicePort"))
        };
        let name = name.and_then(|name| texts.scalar(name));
        let target = name.map_or(BackendTarget::Resource, |name| {
            let span = port.map_or(name.span, |p| p.span);
            let port = port.map_or(Port::Missing, |port| read_port(port, texts));
            BackendTarget::Service {
                port: Spanned::new(port, span),
                name,
            }
        });
        Self {
            target,
            span: node.span,
        }
    }
}

fn read_port(node: &Node, texts: &mut Texts) -> Port {
    if let Some(number) = node.as_int() {
        return Port::Number(number);
    }
    match node.as_str() {
        None | Some("") => Port::Missing,
        Some(text) => Port::Name(texts.shared(text)),
    }
}

fn items<'a>(node: Option<&'a Node>, key: &str) -> impl Iterator<Item = &'a Node> {
    node.and_then(|n| n.get(key))
        .and_then(Node::as_sequence)
        .unwrap_or_default()
        .iter()
}

//! What the API server refuses when an Ingress is created.
//!
//! Follows Kubernetes 1.36: `ValidateIngressCreate` and what it calls in
//! `pkg/apis/networking/validation/validation.go`, and `ValidateObjectMeta` in
//! `k8s.io/apimachinery/pkg/api/validation/objectmeta.go`. The older API versions are held to
//! what Kubernetes 1.21, the last to serve them, asked of them.

mod format;

use std::fmt;

use gatewright_source::Span;
use gatewright_yaml::{Mapping, Node};

use crate::select::CLASS_ANNOTATION;
use format::{
    ANNOTATION_KEY, ANY_NAME, DNS_LABEL, DNS_NAME, FINALIZER, Format, HOST, LABEL_KEY, LABEL_VALUE,
    PORT_NAME, WILDCARD, is_address,
};

/// `TotalAnnotationSizeLimitB`: bytes of all annotations, keys and values.
const MAX_ANNOTATIONS: usize = 256 * 1024;
/// `invalidPathSequences`.
const PATH_SEQUENCES: &[&str] = &["//", "/./", "/../", "%2f", "%2F"];
/// `invalidPathSuffixes`.
const PATH_ENDINGS: &[&str] = &["/..", "/."];
/// `supportedPathTypes`.
const PATH_TYPES: &[&str] = &["Exact", "Prefix", "ImplementationSpecific"];
const PATH_TYPE_HELP: &str = "write `Prefix`, `Exact` or `ImplementationSpecific`";

/// Something that the API server refuses.
#[derive(Debug)]
pub(crate) struct Violation {
    /// What is wrong, with the path of the field.
    pub(crate) message: String,
    /// The value; what should hold it where it is missing.
    pub(crate) span: Span,
    /// What to write instead.
    pub(crate) help: String,
}

/// Everything that keeps an Ingress whose types fit from being created. `old` is for
/// `networking.k8s.io/v1beta1` and `extensions/v1beta1`.
pub(crate) fn ingress(node: &Node, old: bool) -> Vec<Violation> {
    let root = Place {
        parent: None,
        step: Step::Key(""),
        node: Some(node),
    };
    let mut checks = Checks {
        old,
        // Only an object that was read from a cluster has a uid. It is there already, so it is
        // held to what an update may keep (`ValidateIngressUpdate`).
        stored: !root.field("metadata").field("uid").text().is_empty(),
        found: Vec::new(),
    };
    checks.metadata(&root.field("metadata"));
    checks.spec(&root.field("spec"));
    if !checks.stored {
        checks.class(&root);
    }
    checks.found
}

/// `ValidateSecretName`. Ingresses from before that was checked may name what no Secret is called.
pub(crate) fn is_secret_name(name: &str) -> bool {
    (DNS_NAME.holds)(name)
}

/// Whether a text holds `${NAME}` or `$(NAME)`, which a shell, `envsubst` or Flux replaces.
fn is_placeholder(text: &str) -> bool {
    [("${", '}'), ("$(", ')')].iter().any(|&(open, close)| {
        text.split_once(open)
            .is_some_and(|(_, rest)| rest.contains(close))
    })
}

/// A field, whether it is there or not.
#[derive(Clone, Copy)]
struct Place<'a> {
    parent: Option<&'a Place<'a>>,
    step: Step<'a>,
    /// Null is the same as absent.
    node: Option<&'a Node>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Key(&'a str),
    Index(usize),
}

impl<'a> Place<'a> {
    fn child<'b>(&'b self, step: Step<'b>, node: Option<&'b Node>) -> Place<'b> {
        Place {
            parent: Some(self),
            step,
            node: node.filter(|node| !node.is_null()),
        }
    }

    fn field<'b>(&'b self, key: &'b str) -> Place<'b> {
        self.child(Step::Key(key), self.node.and_then(|node| node.get(key)))
    }

    fn items(&self) -> impl Iterator<Item = Place<'_>> {
        let items = self.node.and_then(Node::as_sequence).unwrap_or_default();
        items
            .iter()
            .enumerate()
            .map(|(at, node)| self.child(Step::Index(at), Some(node)))
    }

    fn entries(&self) -> Option<&'a Mapping> {
        self.node.and_then(Node::as_mapping)
    }

    /// The text; absent is empty, as in Go.
    fn text(&self) -> &'a str {
        self.node.and_then(Node::as_str).unwrap_or_default()
    }

    fn number(&self) -> i64 {
        self.node.and_then(Node::as_int).unwrap_or_default()
    }

    fn is_empty(&self) -> bool {
        self.node
            .and_then(Node::as_sequence)
            .is_none_or(<[_]>::is_empty)
    }

    fn span(&self) -> Option<Span> {
        let own = self.node.map(|node| node.span);
        own.or_else(|| self.parent.and_then(Place::span))
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(parent) = self.parent else {
            return Ok(());
        };
        parent.fmt(f)?;
        match self.step {
            Step::Index(at) => write!(f, "[{at}]"),
            Step::Key(key) if key.contains(['.', '/']) => write!(f, "[{key}]"),
            Step::Key(key) if parent.parent.is_none() => f.write_str(key),
            Step::Key(key) => write!(f, ".{key}"),
        }
    }
}

struct Checks {
    old: bool,
    stored: bool,
    found: Vec<Violation>,
}

impl Checks {
    fn refuse(&mut self, place: &Place<'_>, what: impl fmt::Display, help: impl Into<String>) {
        let Some(span) = place.span() else { return };
        self.found.push(Violation {
            message: format!("{place}: {what}"),
            span,
            help: help.into(),
        });
    }

    fn required(&mut self, place: &Place<'_>, help: &str) {
        self.refuse(place, "it is missing", help);
    }

    fn format(&mut self, place: &Place<'_>, format: &Format) {
        self.format_of(place, place.text(), place.span(), format);
    }

    fn format_of(&mut self, place: &Place<'_>, text: &str, span: Option<Span>, format: &Format) {
        if (format.holds)(text) {
            return;
        }
        if let Some(span) = span {
            self.found.push(Violation {
                message: if text.is_empty() {
                    format!("{place}: it is empty, not {}", format.what)
                } else {
                    format!("{place}: `{}` is not {}", shown(text), format.what)
                },
                span,
                help: format.help(text),
            });
        }
    }

    /// `ValidateObjectMetaAccessor`. Generation and managed fields are the server's own.
    fn metadata(&mut self, metadata: &Place<'_>) {
        self.format(&metadata.field("name"), &DNS_NAME);
        let namespace = metadata.field("namespace");
        if !namespace.text().is_empty() {
            self.format(&namespace, &DNS_LABEL);
        }
        self.labels(&metadata.field("labels"));
        self.annotations(&metadata.field("annotations"));
        let owners = metadata.field("ownerReferences");
        for owner in owners.items() {
            for key in ["apiVersion", "kind", "name", "uid"] {
                let field = owner.field(key);
                if field.text().is_empty() {
                    self.required(&field, "name the owner in full, or remove it");
                }
            }
        }
        for finalizer in metadata.field("finalizers").items() {
            self.format(&finalizer, &FINALIZER);
        }
    }

    /// `ValidateLabels`.
    fn labels(&mut self, labels: &Place<'_>) {
        for entry in labels.entries().into_iter().flatten() {
            let key = &entry.key;
            let label = labels.child(Step::Key(&key.value), Some(&entry.value));
            self.format_of(labels, &key.value, Some(key.span), &LABEL_KEY);
            self.format(&label, &LABEL_VALUE);
        }
    }

    /// `ValidateAnnotations`.
    fn annotations(&mut self, annotations: &Place<'_>) {
        let mut size = 0;
        for entry in annotations.entries().into_iter().flatten() {
            let key = &entry.key;
            size += key.value.len() + entry.value.as_str().map_or(0, str::len);
            self.format_of(annotations, &key.value, Some(key.span), &ANNOTATION_KEY);
        }
        if size > MAX_ANNOTATIONS {
            self.refuse(
                annotations,
                format_args!("they take {size} bytes, and {MAX_ANNOTATIONS} are allowed"),
                "shorten them: large texts belong into a ConfigMap or a file",
            );
        }
    }

    /// The end of `ValidateIngressCreate`.
    fn class(&mut self, root: &Place<'_>) {
        let spec = root.field("spec");
        let field = spec.field("ingressClassName");
        let metadata = root.field("metadata");
        let annotations = metadata.field("annotations");
        let annotation = annotations.field(CLASS_ANNOTATION);
        if annotation.node.is_some() && field.node.is_some() && annotation.text() != field.text() {
            self.refuse(
                &annotation,
                format_args!(
                    "`{}` differs from `spec.ingressClassName`, which is `{}`",
                    shown(annotation.text()),
                    shown(field.text())
                ),
                "remove the annotation",
            );
        }
    }

    /// `ValidateIngressSpec`.
    fn spec(&mut self, spec: &Place<'_>) {
        let name = if self.old {
            "backend"
        } else {
            "defaultBackend"
        };
        let default = spec.field(name);
        let rules = spec.field("rules");
        if rules.is_empty() && default.node.is_none() {
            self.refuse(
                spec,
                format_args!("neither `{name}` nor `rules` is set"),
                "add the rules; of a patch for kustomize, convert the output of `kustomize build`",
            );
        }
        if default.node.is_some() {
            self.backend(&default);
        }
        for rule in rules.items() {
            self.rule(&rule);
        }
        let tls = spec.field("tls");
        for item in tls.items() {
            self.tls(&item);
        }
        let class = spec.field("ingressClassName");
        if class.node.is_some() {
            self.format(&class, &DNS_NAME);
        }
    }

    /// `validateIngressTLS`.
    fn tls(&mut self, tls: &Place<'_>) {
        for host in tls.field("hosts").items() {
            self.host(&host);
        }
        let secret = tls.field("secretName");
        if !self.old && !self.stored && !secret.text().is_empty() {
            self.format(&secret, &DNS_NAME);
        }
    }

    fn host(&mut self, host: &Place<'_>) {
        let format = if host.text().contains('*') {
            &WILDCARD
        } else {
            &HOST
        };
        if is_placeholder(host.text()) {
            let message = format_args!(
                "`{}` holds a variable that nothing has replaced",
                host.text()
            );
            self.refuse(
                host,
                message,
                "render the file first, for example with `envsubst`",
            );
        } else {
            self.format(host, format);
        }
    }

    /// `validateIngressRules`.
    fn rule(&mut self, rule: &Place<'_>) {
        let host = rule.field("host");
        let name = host.text();
        if is_address(name) {
            self.refuse(
                &host,
                format_args!("`{name}` is an IP address, not a DNS name"),
                "write the name that clients ask for; a rule without `host` takes every name",
            );
        } else if !name.is_empty() {
            self.host(&host);
        }
        let http = rule.field("http");
        let lenient = (self.old || self.stored) && name.contains('*');
        if http.node.is_none() || lenient {
            return;
        }
        let paths = http.field("paths");
        if paths.is_empty() {
            self.required(&paths, "add a path, or remove `http`");
        }
        for path in paths.items() {
            self.path(&path);
        }
    }

    /// `validateHTTPIngressPath`.
    fn path(&mut self, path: &Place<'_>) {
        let kind = path.field("pathType");
        let written = path.field("path");
        let text = written.text();
        // Before networking.k8s.io/v1 an absent type was filled in.
        let name = match kind.node {
            None if self.old => "ImplementationSpecific",
            None => {
                self.required(&kind, PATH_TYPE_HELP);
                "ImplementationSpecific"
            }
            Some(_) => kind.text(),
        };
        match name {
            "Exact" | "Prefix" => {
                self.absolute(&written);
                self.plain(&written);
            }
            "ImplementationSpecific" if text.is_empty() => {}
            "ImplementationSpecific" => self.absolute(&written),
            _ => {
                let meant = PATH_TYPES.iter().find(|t| t.eq_ignore_ascii_case(name));
                self.refuse(
                    &kind,
                    format_args!("`{}` is not a path type", shown(name)),
                    meant.map_or_else(
                        || PATH_TYPE_HELP.to_owned(),
                        |meant| format!("did you mean `{meant}`?"),
                    ),
                );
            }
        }
        self.backend(&path.field("backend"));
    }

    fn absolute(&mut self, path: &Place<'_>) {
        let text = path.text();
        if text.is_empty() {
            self.required(path, "write the path; `/` takes every path");
        } else if !text.starts_with('/') {
            self.refuse(
                path,
                format_args!("`{}` does not begin with `/`", shown(text)),
                "begin it with `/`",
            );
        }
    }

    fn plain(&mut self, path: &Place<'_>) {
        let text = path.text();
        let inside = PATH_SEQUENCES.iter().filter(|part| text.contains(**part));
        for part in inside {
            self.refuse(
                path,
                format_args!("`{}` holds `{part}`", shown(text)),
                "write the path without it; `ImplementationSpecific` paths may hold it",
            );
        }
        let ending = PATH_ENDINGS.iter().find(|part| text.ends_with(**part));
        if let Some(part) = ending {
            self.refuse(
                path,
                format_args!("`{}` ends with `{part}`", shown(text)),
                "write the path without it; `ImplementationSpecific` paths may end so",
            );
        }
    }

    /// `validateIngressBackend`.
    fn backend(&mut self, backend: &Place<'_>) {
        let resource = backend.field("resource");
        let service = backend.field("service");
        let has_service = if self.old {
            let port = backend.field("servicePort");
            !backend.field("serviceName").text().is_empty()
                || port.number() != 0
                || port.node.and_then(Node::as_str).is_some()
        } else {
            service.node.is_some()
        };
        match (resource.node.is_some(), has_service) {
            (true, true) => self.refuse(
                backend,
                "it names a Service and a resource",
                "keep one of the two",
            ),
            (true, false) => self.resource(&resource),
            (false, true) if self.old => {
                self.service_name(&backend.field("serviceName"));
                let port = backend.field("servicePort");
                match port.node.and_then(Node::as_str) {
                    Some(name) if !name.is_empty() => self.format(&port, &PORT_NAME),
                    Some(_) => self.no_port(backend),
                    None if port.number() == 0 => self.no_port(backend),
                    None => self.port_number(&port),
                }
            }
            (false, true) => {
                self.service_name(&service.field("name"));
                self.port(backend, &service.field("port"));
            }
            (false, false) => self.refuse(
                backend,
                "it names neither a Service nor a resource",
                if self.old {
                    "set `serviceName` and `servicePort`"
                } else {
                    "set `service.name` and `service.port`"
                },
            ),
        }
    }

    /// Since 1.36 a Service in an Ingress may begin with a digit (`RelaxedServiceNameValidation`).
    fn service_name(&mut self, name: &Place<'_>) {
        if name.text().is_empty() {
            self.required(name, "name the Service");
        } else {
            self.format(name, &DNS_LABEL);
        }
    }

    fn port(&mut self, backend: &Place<'_>, port: &Place<'_>) {
        let (name, number) = (port.field("name"), port.field("number"));
        match (!name.text().is_empty(), number.number() != 0) {
            (true, true) => self.refuse(
                port,
                format_args!(
                    "it has the name `{}` and the number {}",
                    shown(name.text()),
                    number.number()
                ),
                "keep one of the two",
            ),
            (true, false) => self.format(&name, &PORT_NAME),
            (false, true) => self.port_number(&number),
            (false, false) => self.no_port(backend),
        }
    }

    fn no_port(&mut self, backend: &Place<'_>) {
        self.refuse(
            backend,
            "it names no port",
            if self.old {
                "set `servicePort`"
            } else {
                "set `service.port.number` or `service.port.name`"
            },
        );
    }

    /// `IsValidPortNum`.
    fn port_number(&mut self, port: &Place<'_>) {
        let number = port.number();
        if !(1..=65535).contains(&number) {
            self.refuse(
                port,
                format_args!("{number} is not a port"),
                "write a number from 1 to 65535",
            );
        }
    }

    /// `validateIngressTypedLocalObjectReference`.
    fn resource(&mut self, resource: &Place<'_>) {
        let group = resource.field("apiGroup");
        if group.node.is_some() {
            self.format(&group, &DNS_NAME);
        }
        for key in ["kind", "name"] {
            let field = resource.field(key);
            if field.text().is_empty() {
                self.required(&field, "name the resource in full");
            } else {
                self.format(&field, &ANY_NAME);
            }
        }
    }
}

/// A text for a message: of a line, and not too long.
fn shown(text: &str) -> String {
    const LONGEST: usize = 80;
    let mut shown: String = text.chars().take(LONGEST).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown.escape_debug().to_string()
}

#[cfg(test)]
mod tests;

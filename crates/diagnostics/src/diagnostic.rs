use std::fmt;
use std::sync::Arc;

use gatewright_source::Span;
use serde::Serialize;

use crate::Code;

/// How bad it is. The order is ascending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; nothing to do.
    Info,
    /// Traffic may differ in a way that was stated; a person should look.
    Warning,
    /// Something was refused, or must not be applied as it is.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// Which Kubernetes object a thing belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ObjectRef {
    /// Its kind, such as `Ingress`.
    pub kind: Arc<str>,
    /// Its namespace, as resolved for the run.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
}

impl ObjectRef {
    /// The object `kind` `namespace/name`.
    pub fn new(
        kind: impl Into<Arc<str>>,
        namespace: impl Into<Arc<str>>,
        name: impl Into<Arc<str>>,
    ) -> Self {
        Self {
            kind: kind.into(),
            namespace: namespace.into(),
            name: name.into(),
        }
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            write!(f, "{} {}", self.kind, self.name)
        } else {
            write!(f, "{} {}/{}", self.kind, self.namespace, self.name)
        }
    }
}

/// A place with a short remark; the first label of a diagnostic is its own place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What is to be seen there; may be empty.
    pub text: String,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Diagnostic {
    /// Which fault it is.
    pub code: Code,
    /// How bad it is; from the code unless set otherwise.
    pub severity: Severity,
    /// What is wrong, in one sentence that stands alone.
    pub message: String,
    /// The object it is about.
    pub object: Option<ObjectRef>,
    /// The annotation key (without prefix) it is about.
    pub annotation: Option<String>,
    /// Places; the first is the primary one.
    pub labels: Vec<Label>,
    /// Consequences and background.
    pub notes: Vec<String>,
    /// What a person can change.
    pub helps: Vec<String>,
}

impl Diagnostic {
    /// A finding of `code`, with the severity that the table of codes gives it.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.info().severity,
            message: message.into(),
            object: None,
            annotation: None,
            labels: Vec::new(),
            notes: Vec::new(),
            helps: Vec::new(),
        }
    }

    /// Adds a place; the first one added is the primary one.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label {
            span,
            text: text.into(),
        });
        self
    }

    /// Adds a place without a remark.
    #[must_use]
    pub fn at(self, span: Span) -> Self {
        self.label(span, "")
    }

    /// Names the object.
    #[must_use]
    pub fn object(mut self, object: &ObjectRef) -> Self {
        self.object = Some(object.clone());
        self
    }

    /// Names the annotation, without prefix.
    #[must_use]
    pub fn annotation(mut self, key: impl Into<String>) -> Self {
        self.annotation = Some(key.into());
        self
    }

    /// Adds a consequence or background.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// Adds what a person can change.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.helps.push(text.into());
        self
    }

    /// Overrides the severity.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// The primary place.
    pub fn span(&self) -> Option<Span> {
        self.labels.first().map(|label| label.span)
    }

    /// Sorts by place, then code, then message, and drops what was said before: independent
    /// of threads and file order inside the run.
    pub fn sort(diagnostics: &mut Vec<Self>) {
        diagnostics.sort_by(|a, b| a.key().cmp(&b.key()));
        diagnostics.dedup();
    }

    /// All fields, so that equal findings come to stand side by side.
    fn key(&self) -> impl Ord {
        (
            (self.span().is_none(), self.span(), self.code),
            (&self.object, &self.message, &self.annotation, self.severity),
            (&self.labels, &self.notes, &self.helps),
        )
    }
}

//! What happens to a request before its action, and to the headers of both directions.

use gatewright_source::Span;

use crate::Origin;

/// An answer that is given before anything else, if its condition holds. The first such step
/// of a route answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When; `None` is always.
    pub when: Option<Condition>,
    /// What is answered.
    pub reply: Reply,
    /// What goes before it.
    pub phase: Phase,
    /// In which value it was written.
    pub origin: Origin,
    /// At which place of it.
    pub place: Span,
}

/// When a step is asked, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Before the path is looked at.
    Server,
    /// Before plain HTTP is redirected to HTTPS, after OPTIONS has been answered for scripts
    /// of other origins.
    Rewrite,
    /// After the redirect to HTTPS.
    Access,
}

/// A condition on the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// What is looked at.
    pub subject: Subject,
    /// How it is compared.
    pub test: Test,
    /// It holds when the test fails.
    pub negated: bool,
}

/// A part of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The method.
    Method,
    /// The host, in lower case and without port.
    Host,
    /// A header by its name in lower case; empty when there is none.
    Header(String),
    /// `http` or `https`.
    Scheme,
    /// The path.
    Path {
        /// With the query.
        query: bool,
    },
}

/// How a part of the request is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// With a text.
    Equals(String),
    /// A pattern is found in it.
    Pattern {
        /// The pattern.
        text: String,
        /// Without regard to case.
        fold: bool,
    },
    /// It is neither empty nor `0`.
    Set,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A status.
    Status {
        /// The code.
        code: u16,
        /// The body and its type.
        body: Option<(Template, String)>,
    },
    /// A redirect.
    Redirect {
        /// The code.
        code: u16,
        /// The URL.
        location: Template,
        /// The query of the request is appended.
        keep_query: bool,
    },
}

/// A text with parts of the request in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template(pub Vec<Piece>);

/// A piece of a [`Template`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Itself.
    Text(String),
    /// The address of the client.
    ClientAddress,
    /// The host.
    Host,
    /// `http` or `https`.
    Scheme,
    /// The method.
    Method,
    /// The path with the query.
    Target,
    /// The path without the query.
    Path,
    /// The id of the request.
    RequestId,
    /// A header of the request.
    Header(String),
    /// The name of the backend.
    BackendName,
    /// The port of the backend.
    BackendPort,
    /// What a group of the condition's pattern captured.
    Capture(u8),
}

impl Template {
    /// The text, if nothing of the request stands in it.
    pub fn literal(&self) -> Option<String> {
        self.0
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => Some(text.as_str()),
                _ => None,
            })
            .collect()
    }

    /// Whether it holds a capture.
    pub fn captures(&self) -> bool {
        self.0
            .iter()
            .any(|piece| matches!(piece, Piece::Capture(_)))
    }
}

/// A change to the headers of one direction, in the order of writing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderEdit {
    /// The name as it was written.
    pub name: String,
    /// What happens.
    pub change: HeaderChange,
    /// In which value it was written.
    pub origin: Origin,
    /// At which place of it.
    pub place: Span,
}

/// What happens to a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderChange {
    /// It has this value alone.
    Set(Template),
    /// It has this value as well.
    Add {
        /// The value.
        value: Template,
        /// On answers that are errors, too.
        errors: bool,
    },
    /// It is gone.
    Remove,
    /// What the backend says is gone; what others set stays.
    Hide,
}

/// The path that a backend sees, where a pattern is found in that of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathEdit {
    /// The pattern, with regard to case.
    pub pattern: String,
    /// The whole new path; `$1` … `$9` stand for captures.
    pub target: String,
    /// The new path is looked up among those of the host.
    pub again: bool,
    /// In which value it was written.
    pub origin: Origin,
    /// At which place of it.
    pub place: Span,
}

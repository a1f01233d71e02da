use std::fmt;
use std::sync::Arc;

use crate::{Backend, Origin};

/// A user name and a password are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passwords {
    /// What clients are told that it is for.
    pub realm: String,
    /// The Secret that holds the users, in the namespace of the owner.
    pub secret: Arc<str>,
    /// Who may pass; `None` when the Secret was not seen.
    pub users: Option<Vec<User>>,
    /// Where it was asked for.
    pub origin: Origin,
}

/// Who may pass. The hash never shows in its `Debug` form.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// The name.
    pub name: String,
    /// SHA-1 of the password, in base64.
    pub sha1: String,
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A service is asked about every request: 200 lets it pass, 401 and 403 are passed on,
/// everything else is answered with 500.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorizer {
    /// Whom to ask.
    pub backend: Backend,
    /// The host name of the service, as it was written.
    pub host: String,
    /// The path and query of the question.
    pub path: String,
    /// Headers of the question beyond those of the client.
    pub headers: Vec<(String, Vec<Part>)>,
    /// Headers of the client that the service must see.
    pub client_headers: Vec<String>,
    /// Headers of the answer that the backend gets; a client cannot send them.
    pub response_headers: Vec<String>,
    /// Where clients go in place of a 401.
    pub sign_in: Option<Vec<Part>>,
    /// Where it was asked for.
    pub origin: Origin,
}

/// A part of a text that depends on the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// As it stands.
    Literal(String),
    /// `http` or `https`.
    Scheme,
    /// The authority of the request.
    Authority,
    /// Its path and query.
    Target,
    /// Its path and query, escaped for a query.
    EscapedTarget,
    /// Its method.
    Method,
}

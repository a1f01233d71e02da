use std::sync::Arc;

use crate::{Backend, Origin, OwnerId, Policies, Split};

/// One rule of a host.
#[derive(Clone, Debug)]
pub struct Route {
    /// The object that owns it.
    pub owner: OwnerId,
    /// Where its path was written.
    pub origin: Origin,
    /// Which paths it takes.
    pub matcher: PathMatcher,
    /// Nobody wrote it: it catches what the host does not define.
    pub implicit: bool,
    /// What happens to plain HTTP before the action.
    pub plain_http: PlainHttp,
    /// What happens then.
    pub action: Action,
    /// Further requirements and settings.
    pub policies: Arc<Policies>,
}

impl Route {
    /// Every backend that requests, copies of them or questions about them go to.
    pub fn backends(&self) -> impl Iterator<Item = &Backend> {
        let split = match &self.action {
            Action::Forward(forward) => Some(&forward.split),
            _ => None,
        };
        let canary = split.and_then(|split| split.canary.as_deref());
        let authorizer = self.policies.authorizer.as_deref();
        let mirror = self.policies.mirror.as_deref();
        (split.map(|split| &split.primary).into_iter())
            .chain(canary.map(|canary| &canary.backend))
            .chain(authorizer.map(|authorizer| &authorizer.backend))
            .chain(mirror.map(|mirror| &mirror.backend))
    }
}

/// Which paths a route takes. All are compared with the decoded, normalised path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PathMatcher {
    /// This path only.
    Exact(String),
    /// This path and everything below it (`/foo`, `/foo/…`). With a final slash: only
    /// what is below (`/foo/…`). `/` takes everything.
    Prefix(String),
    /// A pattern, case-insensitive, anchored at the start only.
    Pattern(String),
}

impl PathMatcher {
    /// The text as it was written.
    pub fn text(&self) -> &str {
        match self {
            Self::Exact(text) | Self::Prefix(text) | Self::Pattern(text) => text,
        }
    }
}

/// What happens to a request over plain HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlainHttp {
    /// It is served like HTTPS.
    Serve,
    /// It is redirected to HTTPS, same host, same path and query.
    Redirect {
        /// The status code.
        code: u16,
        /// Whether one final slash of the request target is kept.
        keep_slash: bool,
        /// Whether the port of HTTPS is named; that of the request never is.
        name_port: bool,
        /// What asked for it.
        origin: Origin,
    },
}

/// What a route does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Hand the request to a backend.
    Forward(Box<Forward>),
    /// Answer with a redirect.
    Redirect(Box<Redirect>),
    /// There is nothing here: 404.
    NotFound,
    /// Answer 503, because serving would be wrong or less protected.
    Refuse(Refusal),
    /// Answer 403 to everybody.
    Forbid(Refusal),
}

impl From<Redirect> for Action {
    fn from(redirect: Redirect) -> Self {
        Self::Redirect(Box::new(redirect))
    }
}

/// Why a route is not served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What cannot be served, in one sentence.
    pub reason: String,
    /// Whether the source proxy answers 503 as well, so that nothing differs.
    pub faithful: bool,
    /// What led to it.
    pub origin: Origin,
}

/// A request that goes to a backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forward {
    /// To which one.
    pub split: Split,
    /// With another path.
    pub rewrite: Option<Box<Rewrite>>,
    /// With another authority.
    pub authority: Option<Box<Authority>>,
    /// With a header `X-Forwarded-Prefix`; captures of the path pattern stand as `$1`.
    pub forwarded_prefix: Option<Box<(String, Origin)>>,
}

/// The whole path is replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewrite {
    /// The pattern that captures, case-insensitive.
    pub pattern: String,
    /// The new path; `$1` … `$9` stand for captures.
    pub target: String,
    /// Where it was written.
    pub origin: Origin,
}

/// The authority that a backend sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// A literal; with `$` it holds variables of the source proxy.
    pub value: String,
    /// Where it was written.
    pub origin: Origin,
}

/// A redirect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// Where to.
    pub target: RedirectTarget,
    /// The status code.
    pub code: u16,
    /// What asked for it.
    pub origin: Origin,
}

/// Where a redirect goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedirectTarget {
    /// Exactly this `Location`, whatever was asked.
    Location(String),
    /// This path on the same scheme and authority.
    Path {
        /// The new path.
        path: String,
        /// Whether the query of the request is appended.
        keep_query: bool,
        /// Whether the port of the request stays.
        keep_port: bool,
        /// Whether `Location` is the path alone.
        relative: bool,
    },
    /// The same scheme, path and query on another host.
    Host(String),
    /// A URL in which `$1` … `$9` stand for captures of a pattern; the query is appended.
    Pattern {
        /// The pattern that captures, case-insensitive.
        pattern: String,
        /// The URL.
        url: String,
    },
}

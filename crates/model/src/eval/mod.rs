//! The reference interpreter: what the source proxy does with one request.
//!
//! It is slow and plain on purpose. [`eval`] goes the way of nginx: the server of the name, the
//! first location that takes the decoded path, then the phases of that location in their order.
//! Whatever else is said about a request (an emitted object, a proof) has to agree with it.

mod answer;
mod request;
mod split;

use crate::pattern::Pattern;
use crate::{
    Addresses, Authorizer, ClientCertificates, Host, HostName, Model, Passwords, PathMatcher,
    RequestLimits, Route,
};

pub use answer::{Answer, Served, holds, serve};
pub use request::{Malformed, Request, decode};
pub use split::{cookie, split};

/// What becomes of a request, and on which way.
#[derive(Clone, Debug)]
pub struct Decision<'m> {
    /// The host that answers to the name; none when no host does.
    pub host: Option<&'m Host>,
    /// The routes that were looked at, in order, up to the one that takes the request.
    pub considered: Vec<Considered<'m>>,
    /// What the route does.
    pub served: Served<'m>,
}

impl<'m> Decision<'m> {
    /// The route that takes the request.
    pub fn route(&self) -> Option<&'m Route> {
        let last = self.considered.last()?;
        (last.matched == Some(true)).then_some(last.route)
    }
}

/// A route that was looked at.
#[derive(Clone, Copy, Debug)]
pub struct Considered<'m> {
    /// Which one.
    pub route: &'m Route,
    /// Whether it takes the path; `None` when only a backtracking engine could tell, and then it
    /// was passed over.
    pub matched: Option<bool>,
}

/// What a request has to pass before it is answered.
#[derive(Clone, Copy, Debug, Default)]
pub struct Guards<'m> {
    /// A certificate of the client.
    pub clients: Option<&'m ClientCertificates>,
    /// A bucket that is not empty.
    pub limits: Option<&'m RequestLimits>,
    /// An address that is let in.
    pub addresses: Option<&'m Addresses>,
    /// A user name and a password.
    pub passwords: Option<&'m Passwords>,
    /// A service that says yes.
    pub authorizer: Option<&'m Authorizer>,
}

/// What the source proxy does with a request.
pub fn eval<'m>(model: &'m Model, request: &Request) -> Decision<'m> {
    let host = select(model, &request.host);
    let mut considered = Vec::new();
    let decided = |host, considered, served| Decision {
        host,
        considered,
        served,
    };
    let Some(found) = host else {
        return decided(None, considered, Served::plain(Answer::NotFound));
    };
    if request.secure
        && let Some(passthrough) = &found.passthrough
    {
        let served = Served::plain(Answer::Passthrough(&passthrough.backend));
        return decided(host, considered, served);
    }
    let Ok(path) = decode(&request.path) else {
        return decided(host, considered, Served::plain(Answer::Malformed));
    };
    for route in &found.routes {
        let matched = takes(&route.matcher, &path);
        considered.push(Considered { route, matched });
        if matched == Some(true) {
            return decided(host, considered, serve(model, found, route, request));
        }
    }
    decided(host, considered, Served::plain(Answer::NotFound))
}

/// The host that answers to a name (lower case, without port): the exact one, else the longest
/// wildcard that takes it, else the one for all others.
pub fn select<'m>(model: &'m Model, name: &str) -> Option<&'m Host> {
    let rank = |host: &HostName| match host {
        HostName::Exact(own) => (&**own == name).then_some((3, own.len())),
        HostName::Subdomains(parent) => {
            below(name, parent).map(|labels| (2, parent.len() - usize::from(labels.is_empty())))
        }
        HostName::OneLabel(parent) => below(name, parent)
            .filter(|label| is_label(label))
            .map(|_| (1, parent.len())),
        HostName::Any => Some((0, 0)),
    };
    model
        .hosts
        .iter()
        .filter_map(|host| Some((rank(&host.name)?, host)))
        .max_by_key(|(rank, _)| *rank)
        .map(|(_, host)| host)
}

/// What stands in front of `.parent`.
fn below<'n>(name: &'n str, parent: &str) -> Option<&'n str> {
    name.strip_suffix(parent)?
        .strip_suffix('.')
        .filter(|l| !l.is_empty())
}

fn is_label(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    text.bytes().all(inner)
}

/// Whether a route takes a decoded path; `None` if only a backtracking engine could tell.
pub fn takes(matcher: &PathMatcher, path: &str) -> Option<bool> {
    match matcher {
        PathMatcher::Exact(text) => Some(path == text),
        PathMatcher::Prefix(text) if text.ends_with('/') => Some(path.starts_with(text.as_str())),
        PathMatcher::Prefix(text) => Some(
            path.strip_prefix(text.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
        ),
        PathMatcher::Pattern(text) => Pattern::parse(text).ok()?.matches_prefix(path),
    }
}

#[cfg(test)]
mod tests;

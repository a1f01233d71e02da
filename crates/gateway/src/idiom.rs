//! What a person would write: patterns that are plain paths but for case and the ends of
//! segments become the plain paths of Gateway API.
//!
//! Requests that a pattern takes and its plain path does not fall to the routes behind it, so a
//! pattern stays where one of these asks for less than it does. It stays too where the order of
//! the routes would be another one: Envoy Gateway ranks exact paths first, then patterns, then
//! prefixes, the longest first.

use std::sync::Arc;

use gatewright_diagnostics::{Code, Diagnostic};
use gatewright_model::eval::takes;
use gatewright_model::pattern::{Pattern, Shape, ShapeEnd, may_overlap};
use gatewright_model::{
    Action, Forward, Host, Model, Origin, PathMatcher, PlainHttp, Policies, Rewrite, Route,
};

use crate::path;

/// Above this number of routes on one host, pairs are no longer compared by automata.
const MAX_EXACT: usize = 200;

/// A model with plain paths where they do, and what that gives up.
pub(crate) struct Simplified {
    pub(crate) model: Model,
    pub(crate) given_up: Vec<(Origin, Diagnostic)>,
}

/// The model with plain paths in place of patterns.
pub(crate) fn simplify(model: &Model) -> Simplified {
    let mut given_up = Vec::new();
    let mut simple = model.clone();
    for (host, simple) in model.hosts.iter().zip(&mut simple.hosts) {
        let forms = Forms::of(host).settled();
        let routes = host.routes.iter().zip(&forms);
        simple.routes = routes.clone().filter_map(|(r, f)| f.route(r)).collect();
        for (route, form) in routes {
            if let Form::Plain(plain) = form {
                let text = plain.given_up(model, host, route, &simple.routes);
                given_up.extend(text.map(|found| (route.origin.clone(), found)));
            }
        }
    }
    Simplified {
        model: simple,
        given_up,
    }
}

/// The new prefix that says the same as a rewrite of what lies below a prefix.
pub(crate) fn replaced_prefix(prefix: &str, rewrite: &Rewrite) -> Option<String> {
    let (head, group) = rewrite.target.rsplit_once('$')?;
    let numbered = matches!(group.as_bytes(), [b'1'..=b'9']);
    if !numbered || head.contains('$') {
        return None;
    }
    let to = head.trim_end_matches('/');
    let to = if to.is_empty() { "/" } else { to };
    let samples = ["/x", "/x/y.z/", "/x/$"];
    let same = |rest: &&str| {
        let path = format!("{}{rest}", prefix.trim_end_matches('/'));
        rewritten(rewrite, &path).is_some_and(|new| new == with_prefix(prefix, to, &path))
    };
    samples.iter().all(same).then(|| to.to_owned())
}

fn rewritten(rewrite: &Rewrite, path: &str) -> Option<String> {
    let pattern = Pattern::parse(&rewrite.pattern).ok()?;
    let substitution = pattern.to_re2().ok()?.substitution(&rewrite.target).ok()?;
    Some(substitution.expand(&pattern.captures_prefix(path)?))
}

fn with_prefix(prefix: &str, to: &str, path: &str) -> String {
    let rest = path.strip_prefix(prefix.trim_end_matches('/'));
    let new = format!("{}{}", to.trim_end_matches('/'), rest.unwrap_or(path));
    if new.is_empty() { "/".to_owned() } else { new }
}

/// What a route becomes.
enum Form {
    /// What it was.
    Kept,
    /// A plain path.
    Plain(Plain),
    /// Nothing: a route before it takes every path.
    Gone,
}

struct Plain {
    matcher: PathMatcher,
    shape: Shape,
}

impl Form {
    fn route(&self, route: &Route) -> Option<Route> {
        match self {
            Self::Kept => Some(route.clone()),
            Self::Plain(plain) => Some(plain.route(route)),
            Self::Gone => None,
        }
    }

    fn exact(&self) -> bool {
        matches!(self, Self::Plain(plain) if matches!(plain.matcher, PathMatcher::Exact(_)))
    }

    fn prefix(&self) -> Option<&str> {
        match self {
            Self::Plain(Plain {
                matcher: PathMatcher::Prefix(prefix),
                ..
            }) => Some(prefix),
            _ => None,
        }
    }
}

impl Plain {
    /// A plain path for a pattern, if it has one that a request could have.
    fn of(pattern: &Pattern) -> Option<Self> {
        let shape = pattern.shape()?;
        // Other characters may come escaped or not, which only a pattern takes alike.
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-._~".contains(&b);
        let text = shape.text.as_str();
        if !text.bytes().all(plain) || path::never_requested(text) || text.len() > path::MAX_PATH {
            return None;
        }
        let matcher = match shape.end {
            ShapeEnd::Nothing => PathMatcher::Exact(text.to_owned()),
            // What follows the slash may itself be a slash, which no path has.
            ShapeEnd::Segments if text.ends_with('/') => return None,
            ShapeEnd::Segments | ShapeEnd::Anything => PathMatcher::Prefix(match text {
                "/" => text.to_owned(),
                _ => text.trim_end_matches('/').to_owned(),
            }),
        };
        Some(Self { matcher, shape })
    }

    fn everything(&self) -> bool {
        self.matcher == PathMatcher::Prefix("/".to_owned())
    }

    /// The path that it takes and the pattern does not: a prefix has no final slash.
    fn more(&self) -> Option<&str> {
        let slash = self.shape.text.len() > 1 && self.shape.text.ends_with('/');
        (slash && self.shape.end == ShapeEnd::Anything).then(|| self.matcher.text())
    }

    fn route(&self, route: &Route) -> Route {
        let mut route = Route {
            matcher: self.matcher.clone(),
            ..route.clone()
        };
        if let Action::Forward(forward) = &mut route.action {
            let identity = |rewrite: &Rewrite| {
                self.everything() && replaced_prefix("/", rewrite).as_deref() == Some("/")
            };
            // Its captures are those of the rewrite.
            if forward.forwarded_prefix.is_none()
                && forward.rewrite.as_deref().is_some_and(identity)
            {
                forward.rewrite = None;
            }
        }
        route
    }

    /// What ingress-nginx does for its pattern and the plain path does not, in one line.
    fn given_up(
        &self,
        model: &Model,
        host: &Host,
        route: &Route,
        simple: &[Route],
    ) -> Option<Diagnostic> {
        let text = self.matcher.text();
        let now = |path: &str| match answering(path, simple) {
            Some(found) if found.owner == route.owner => {
                format!("`{path}` is for its path `{}`", found.matcher.text())
            }
            Some(found) => {
                let owner = model.owner(found.owner);
                let path_of = found.matcher.text();
                format!(
                    "`{path}` is for path `{path_of}` of {} {}/{}",
                    owner.kind, owner.namespace, owner.name
                )
            }
            None => format!("`{path}` is answered with 404"),
        };
        let mut lines = Vec::new();
        let mut before: Option<&Route> = None;
        let other = other_case(text);
        if other != text {
            lines.push(format!("takes it in any case: now {}", now(&other)));
        }
        if self.shape.end == ShapeEnd::Anything && !self.everything() {
            match self.more() {
                Some(more) => {
                    let mut routes = host.routes.iter();
                    before = routes.find(|r| takes(&r.matcher, more) == Some(true));
                    let of = before.map_or("", |found| found.matcher.text());
                    lines.push(format!("serves `{more}` by path `{of}`: now by this one"));
                }
                None => lines.push(format!(
                    "takes what goes on without a slash: now {}",
                    now(&format!("{text}x"))
                )),
            }
        }
        if let Action::Forward(forward) = &route.action
            && let Some(rewrite) = &forward.rewrite
            && let Some(to) = replaced_prefix(text, rewrite)
        {
            for path in [text.to_owned(), format!("{}/", text.trim_end_matches('/'))] {
                let new = with_prefix(text, &to, &path);
                if let Some(old) = rewritten(rewrite, &path).filter(|old| *old != new) {
                    lines.push(format!(
                        "sends `{path}` to the backend as `{old}`: now as `{new}`"
                    ));
                }
            }
        }
        if lines.is_empty() {
            return None;
        }
        let kind = match self.matcher {
            PathMatcher::Exact(_) => "Exact",
            PathMatcher::Prefix(_) | PathMatcher::Pattern(_) => "PathPrefix",
        };
        let found = Diagnostic::new(
            Code::PathSimplified,
            format!(
                "`{}` is written as {kind} `{text}`; ingress-nginx {}",
                route.matcher.text(),
                lines.join(", and it ")
            ),
        )
        .at(route.origin.span);
        Some(match before {
            Some(before) => found.label(before.origin.span, "had that path"),
            None => found,
        })
    }
}

/// A path in another case.
fn other_case(path: &str) -> String {
    let upper = path.to_ascii_uppercase();
    if upper == path {
        path.to_ascii_lowercase()
    } else {
        upper
    }
}

/// The route that takes a path as Envoy Gateway ranks them.
fn answering<'r>(path: &str, routes: &'r [Route]) -> Option<&'r Route> {
    let mut taking: Vec<&Route> = routes
        .iter()
        .filter(|route| takes(&route.matcher, path) == Some(true))
        .collect();
    taking.sort_by_key(|route| match &route.matcher {
        PathMatcher::Exact(_) => (0, 0),
        PathMatcher::Pattern(text) if text != "/" => (1, 0),
        PathMatcher::Pattern(text) | PathMatcher::Prefix(text) => (2, usize::MAX - text.len()),
    });
    taking.first().copied().filter(|route| !route.implicit)
}

/// The routes of a host, and what becomes of them.
struct Forms<'h> {
    host: &'h Host,
    patterns: Vec<Option<Pattern>>,
    /// What every path of a pattern begins with, in lower case.
    heads: Vec<String>,
    forms: Vec<Form>,
}

impl<'h> Forms<'h> {
    fn of(host: &'h Host) -> Self {
        let patterns: Vec<Option<Pattern>> = host
            .routes
            .iter()
            .map(|route| match &route.matcher {
                PathMatcher::Pattern(text) if text != "/" => Pattern::parse(text).ok(),
                _ => None,
            })
            .collect();
        let head = |pattern: &Option<Pattern>| {
            let head = pattern.as_ref().map(Pattern::required_literal_prefix);
            head.unwrap_or_default()
        };
        let heads = patterns.iter().map(head).collect();
        let mut forms = Self {
            host,
            patterns,
            heads,
            forms: Vec::new(),
        };
        forms.forms = (0..host.routes.len()).map(|at| forms.form(at)).collect();
        forms
    }

    /// What a route may become, whatever becomes of the others.
    fn form(&self, at: usize) -> Form {
        let route = &self.host.routes[at];
        let Some(pattern) = &self.patterns[at] else {
            return Form::Kept;
        };
        let Action::Forward(forward) = &route.action else {
            return Form::Kept;
        };
        let Some(plain) = Plain::of(pattern) else {
            return Form::Kept;
        };
        let policies = &route.policies;
        let safe = policies.steps.is_empty()
            && policies.path_edit.is_none()
            && plain.says(forward)
            && self.leaves_nothing_open(at, &plain)
            && self.takes_nothing_guarded(at, &plain);
        if safe { Form::Plain(plain) } else { Form::Kept }
    }

    /// Whether all that its pattern takes and the plain path does not falls to routes that ask
    /// for as much.
    fn leaves_nothing_open(&self, at: usize, plain: &Plain) -> bool {
        plain.everything()
            || (at + 1..self.host.routes.len())
                .all(|later| asks_as_much(&self.host.routes, at, later) || !self.meet(at, later))
    }

    /// Whether the path that only the plain path takes is as open already.
    fn takes_nothing_guarded(&self, at: usize, plain: &Plain) -> bool {
        let Some(path) = plain.more() else {
            return true;
        };
        for (other, route) in self.host.routes.iter().enumerate() {
            match takes(&route.matcher, path) {
                Some(true) => {
                    return matches!(route.action, Action::Forward(_))
                        && asks_as_much(&self.host.routes, other, at);
                }
                Some(false) => {}
                None => return false,
            }
        }
        false
    }

    /// Whether some path may be for both of two routes.
    fn meet(&self, one: usize, other: usize) -> bool {
        match (&self.patterns[one], &self.patterns[other]) {
            (Some(a), Some(b)) => {
                let (left, right) = (self.heads[one].as_str(), self.heads[other].as_str());
                (left.starts_with(right) || right.starts_with(left))
                    && (self.host.routes.len() > MAX_EXACT || may_overlap(a, b))
            }
            (Some(_), None) => match &self.host.routes[other].matcher {
                PathMatcher::Exact(text) => {
                    takes(&self.host.routes[one].matcher, text) != Some(false)
                }
                PathMatcher::Prefix(_) | PathMatcher::Pattern(_) => true,
            },
            _ => true,
        }
    }

    /// Without those whose order would be another one.
    fn settled(mut self) -> Vec<Form> {
        let total = self
            .forms
            .iter()
            .position(|form| matches!(form, Form::Plain(plain) if plain.everything()));
        if let Some(at) = total {
            // Nothing comes to what is behind it.
            self.forms[at + 1..].fill_with(|| Form::Gone);
        }
        loop {
            let mut settled = true;
            for first in 0..self.forms.len() {
                for later in first + 1..self.forms.len() {
                    if let Some(at) = self.misplaced(first, later) {
                        self.forms[at] = Form::Kept;
                        settled = false;
                    }
                }
            }
            if settled {
                return self.forms;
            }
        }
    }

    /// Which of two routes must stay as it is, so that the first one goes on being asked first.
    fn misplaced(&self, first: usize, later: usize) -> Option<usize> {
        if matches!(self.forms[later], Form::Gone) {
            return None;
        }
        let exact = |at: usize| {
            self.forms[at].exact() || matches!(self.host.routes[at].matcher, PathMatcher::Exact(_))
        };
        if exact(first) {
            return None;
        }
        if self.forms[later].exact() {
            return self.meet(first, later).then_some(later);
        }
        let prefix = self.forms[first].prefix()?;
        let below = |path: &str| {
            path.strip_prefix(prefix.trim_end_matches('/'))
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let before = match (&self.forms[later], &self.host.routes[later].matcher) {
            (Form::Plain(plain), _) => below(plain.matcher.text()),
            (_, PathMatcher::Pattern(text)) if text == "/" => prefix == "/",
            (_, PathMatcher::Pattern(_)) => self.meet(first, later),
            (_, PathMatcher::Exact(text) | PathMatcher::Prefix(text)) => below(text),
        };
        before.then_some(first)
    }
}

impl Plain {
    /// Whether what the route does to the path can be said of a plain path.
    fn says(&self, forward: &Forward) -> bool {
        let Some(rewrite) = &forward.rewrite else {
            return true;
        };
        if !rewrite.target.contains('$') {
            return true;
        }
        match &self.matcher {
            PathMatcher::Prefix(prefix) => replaced_prefix(prefix, rewrite).is_some(),
            PathMatcher::Exact(_) | PathMatcher::Pattern(_) => false,
        }
    }
}

/// Whether a request that was for the first of two routes gets nothing for less at the other.
fn asks_as_much(routes: &[Route], first: usize, other: usize) -> bool {
    let (first, other) = (&routes[first], &routes[other]);
    let Action::Forward(own) = &first.action else {
        return !matches!(other.action, Action::Forward(_));
    };
    let Action::Forward(new) = &other.action else {
        return true;
    };
    let redirects = |route: &Route| route.plain_http != PlainHttp::Serve;
    let tls = |forward: &Forward| {
        let canary = forward.split.canary.iter().map(|canary| &canary.backend);
        std::iter::once(&forward.split.primary)
            .chain(canary)
            .any(|backend| backend.tls.is_some())
    };
    (!redirects(first) || redirects(other))
        && (asks_nothing(&first.policies)
            || Arc::ptr_eq(&first.policies, &other.policies)
            || first.policies == other.policies)
        && (!tls(own) || own.split == new.split)
}

/// Whether no request is refused, limited or changed by policies.
fn asks_nothing(policies: &Policies) -> bool {
    policies.passwords.is_none()
        && policies.authorizer.is_none()
        && policies.addresses.is_none()
        && policies.limits.is_none()
        && policies.transport.body_limit.is_none()
        && policies.steps.is_empty()
        && policies.request_edits.is_empty()
        && policies.path_edit.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatewright_model::OwnerId;
    use gatewright_source::{FileId, Span};

    #[test]
    fn only_the_tail_becomes_a_prefix() {
        let origin = Origin::field(OwnerId(0), Span::new(FileId(0), 0, 1));
        for (prefix, pattern, target, expected) in [
            ("/foo", "/foo(/|$)(.*)", "/$2", Some("/")),
            ("/foo", "/foo(/|$)(.*)", "/new/$2", Some("/new")),
            ("/foo", "/foo(.*)", "/new$1", Some("/new")),
            ("/foo", "/foo/(.*)", "/$1", Some("/")),
            ("/", "/(.*)", "/$1", Some("/")),
            ("/foo", "/foo(/|$)(.*)", "/$1", None),
            ("/foo", "/foo(/|$)(.*)", "/$2/x", None),
            ("/foo", "/foo(/|$)(.*)", "/$host/$2", None),
            ("/foo", "/foo(/|$)(.*)", "/x$2", None),
        ] {
            let rewrite = Rewrite {
                pattern: pattern.to_owned(),
                target: target.to_owned(),
                origin: origin.clone(),
            };
            let found = replaced_prefix(prefix, &rewrite);
            assert_eq!(found.as_deref(), expected, "{pattern} {target}");
        }
    }
}

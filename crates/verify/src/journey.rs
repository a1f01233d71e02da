//! The way of one request on both sides: which rules were looked at, and why each did or did not
//! take it.

use gatewright_model::eval::{self, Request};
use gatewright_model::{Action, Model, PathMatcher, Route};
use gatewright_source::Span;

use crate::envoy::{AuthorityChange, Entry, PathChange, PathTest, Rule, Spot, View, World};
use crate::objects::Objects;
use crate::verdict::{Side, of_route, of_rule};
use crate::{compare, nginx};

/// The way of a request through ingress-nginx and through Envoy.
#[derive(Clone, Debug)]
pub struct Journeys {
    /// Through ingress-nginx.
    pub nginx: Journey,
    /// Through Envoy.
    pub envoy: Journey,
    /// What differs at the end, but for the normal form of the path.
    pub differences: Vec<(compare::Class, compare::Aspect)>,
    /// A Gateway is not among the objects; its listeners are taken as routes name them.
    pub assumed: bool,
}

/// The way of a request through one proxy.
#[derive(Clone, Debug)]
pub struct Journey {
    /// What takes the connection; none when nothing does.
    pub listener: Option<String>,
    /// The virtual host; none when no host answers to the name.
    pub host: Option<String>,
    /// The rules that were looked at, in order.
    pub stops: Vec<Stop>,
    /// What becomes of the request.
    pub end: Side,
    /// What is made of the request on its way: rewrites, copies, an answer of the proxy's own.
    pub changes: Vec<String>,
    /// Policies that hold for it, the most specific of each kind first; Envoy's side only.
    pub policies: Vec<String>,
}

/// A rule that was looked at.
#[derive(Clone, Debug)]
pub struct Stop {
    /// The rule, in words.
    pub what: String,
    /// Where it stands.
    pub span: Span,
    /// Whether it took the request.
    pub taken: bool,
    /// Why it did or did not.
    pub why: String,
}

impl Journeys {
    /// Follows a request.
    pub fn of(model: &Model, objects: &Objects, request: &Request) -> Self {
        let world = World::new(objects, model.globals.forwarded.trust);
        Self::in_world(model, &world, request)
    }

    /// Follows requests, one after the other.
    pub fn each<'a>(
        model: &Model,
        objects: &Objects,
        requests: impl IntoIterator<Item = &'a Request>,
    ) -> Vec<Self> {
        let world = World::new(objects, model.globals.forwarded.trust);
        let requests = requests.into_iter();
        requests
            .map(|request| Self::in_world(model, &world, request))
            .collect()
    }

    fn in_world(model: &Model, world: &World, request: &Request) -> Self {
        let nginx = through_nginx(model, request);
        let envoy = through_envoy(world, request);
        // Envoy passes on the path in its normal form (GW0501).
        let normal = Request {
            path: normal(&request.path),
            ..request.clone()
        };
        let same = through_nginx(model, &normal).end.behaviour;
        let differences = compare::compare(&same, &envoy.end.behaviour);
        Self {
            nginx,
            envoy,
            differences: differences.into_iter().collect(),
            assumed: world.assumed,
        }
    }
}

fn through_nginx(model: &Model, request: &Request) -> Journey {
    let decision = eval::eval(model, request);
    let mut behaviour = nginx::behaviour(model, &decision.served, request);
    let route = decision.route();
    if let (Some(host), Some(route)) = (decision.host, route) {
        nginx::complete(host, route, request, &mut behaviour);
    }
    let stops = decision
        .considered
        .iter()
        .map(|considered| {
            let matcher = &considered.route.matcher;
            let kind = match matcher {
                PathMatcher::Exact(_) => "exact path",
                PathMatcher::Prefix(_) => "prefix",
                PathMatcher::Pattern(_) => "pattern",
            };
            Stop {
                what: format!("{kind} {}", matcher.text()),
                span: considered.route.origin.span,
                taken: considered.matched == Some(true),
                why: match considered.matched {
                    Some(true) => "takes the path",
                    Some(false) => "does not match the path",
                    None => "only a backtracking engine could tell",
                }
                .to_owned(),
            }
        })
        .collect();
    let changes = route.map(nginx_changes).unwrap_or_default();
    Journey {
        listener: Some(
            if request.secure {
                "port 443"
            } else {
                "port 80"
            }
            .to_owned(),
        ),
        host: decision.host.map(|host| host.name.to_string()),
        stops,
        end: of_route(model, route, behaviour),
        changes,
        policies: Vec::new(),
    }
}

fn nginx_changes(route: &Route) -> Vec<String> {
    let Action::Forward(forward) = &route.action else {
        return Vec::new();
    };
    let mut changes = Vec::new();
    if let Some(rewrite) = &forward.rewrite {
        changes.push(format!("rewrite {} {}", rewrite.pattern, rewrite.target));
    }
    if let Some(authority) = &forward.authority {
        changes.push(format!("host {}", authority.value));
    }
    if let Some((prefix, _)) = forward.forwarded_prefix.as_deref() {
        changes.push(format!("header X-Forwarded-Prefix {prefix}"));
    }
    changes
}

fn envoy_changes(rule: &Rule) -> Vec<String> {
    let mut changes = Vec::new();
    match &rule.path {
        None => {}
        Some(PathChange::Full(path)) => changes.push(format!("the path becomes {path}")),
        Some(PathChange::Prefix(prefix)) => changes.push(format!("the prefix becomes {prefix}")),
        Some(PathChange::Pattern {
            text, substitution, ..
        }) => changes.push(format!("in the path {text} becomes {substitution}")),
    }
    match &rule.authority {
        None => {}
        Some(AuthorityChange::Literal(host) | AuthorityChange::Other(host)) => {
            changes.push(format!("host {host}"));
        }
        Some(AuthorityChange::Header(name)) => changes.push(format!("host from header {name}")),
    }
    changes.extend(rule.copies.iter().map(|place| format!("copy to {place}")));
    changes
}

fn through_envoy(world: &World, request: &Request) -> Journey {
    let request = &Request {
        path: normal(&request.path),
        ..request.clone()
    };
    let (host, stops) = match world.place(request.secure, &request.host) {
        Spot::Host(host, client) => {
            let view = View::new(request, client);
            let stops = envoy_stops(world, &host.entries, &request.path, &view);
            (Some(host.domain.clone()), stops)
        }
        Spot::Nowhere | Spot::Passthrough(_) | Spot::NoHost(_) => (None, Vec::new()),
    };
    let (rule, behaviour) = world.serve(request);
    Journey {
        listener: world.listener(request.secure, &request.host),
        host,
        stops,
        end: of_rule(rule, behaviour),
        changes: rule.map(envoy_changes).unwrap_or_default(),
        policies: rule.map(|rule| rule.policies.clone()).unwrap_or_default(),
    }
}

/// The entries up to the one that takes the request.
fn envoy_stops(world: &World, entries: &[Entry], path: &str, view: &View<'_>) -> Vec<Stop> {
    let mut stops = Vec::new();
    for entry in entries {
        let rule = &world.rules[entry.rule];
        let why = if entry.path.takes(path) {
            view.misses(entry)
        } else {
            let (kind, text) = match &entry.path {
                PathTest::Exact(text) => ("exact path", text),
                PathTest::Prefix(text) => ("prefix", text),
                PathTest::Pattern(text) => ("pattern", text),
            };
            Some(format!("the {kind} {text} does not match the path"))
        };
        let taken = why.is_none();
        stops.push(Stop {
            what: rule.title.clone(),
            span: rule.span,
            taken,
            why: why.unwrap_or_else(|| "takes the request".to_owned()),
        });
        if taken {
            break;
        }
    }
    stops
}

/// The form that Envoy gives a path before it looks for a rule: escapes of letters, digits and
/// `-._~/` are undone, what cannot stand in a URL is escaped, slashes are merged and dot segments
/// resolved; other escapes stay.
pub(crate) fn normal(path: &str) -> String {
    let mut plain = String::new();
    let mut rest = path;
    while let Some(at) = rest.find('%') {
        plain.push_str(&rest[..at]);
        let escape = rest.get(at..at + 3).unwrap_or(&rest[at..]);
        let byte = escape
            .get(1..)
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) => {
                plain.push(char::from(byte));
            }
            _ => plain.push_str(escape),
        }
        rest = &rest[at + escape.len()..];
    }
    plain.push_str(rest);
    for odd in ['"', '<', '>', '^', '`', '{', '|', '}'] {
        plain = plain.replace(odd, &format!("%{:02X}", u32::from(odd)));
    }
    // The same walk over segments as that of nginx, on the text as it is sent.
    let mut segments: Vec<&str> = Vec::new();
    let mut all = plain.split('/').skip(1).peekable();
    while let Some(segment) = all.next() {
        let last = all.peek().is_none();
        match segment {
            "" | "." if last => segments.push(""),
            "" | "." => {}
            ".." => {
                segments.pop();
                if last {
                    segments.push("");
                }
            }
            segment => segments.push(segment),
        }
    }
    format!("/{}", segments.join("/"))
}

#[cfg(test)]
mod tests {
    use super::normal;

    #[test]
    fn paths_are_brought_into_normal_form() {
        for (path, expected) in [
            ("/%61//b/../c%2Fd", "/a/c/d"),
            ("/a%20b%C3%a9", "/a%20b%C3%a9"),
            ("/a/.", "/a/"),
            ("/%", "/%"),
            ("/a|b", "/a%7Cb"),
        ] {
            assert_eq!(normal(path), expected, "{path}");
        }
    }
}

//! What a `server-snippet` does to the routes of its host.

use std::collections::BTreeMap;
use std::sync::Arc;

use gatewright_diagnostics::{Code, Diagnostic};
use gatewright_model::pattern::{Pattern, after_anchor};
use gatewright_model::{Action, PathMatcher, PlainHttp, Refusal, Route};

use super::Lowering;
use crate::effective::Source;
use crate::policies::snippets::{AddressList, Place, SnippetLocation, around};

/// The sources with a snippet for each host, in order; the first one counts (`createServers`).
pub(crate) type ByHost<'a> = BTreeMap<&'a str, Vec<usize>>;

/// Finds them.
pub(crate) fn by_host<'a>(sources: &[Source<'a>]) -> ByHost<'a> {
    let mut hosts = ByHost::new();
    for (index, source) in sources.iter().enumerate() {
        let text = source.settings.snippets.server.as_ref();
        if text.is_none_or(|text| text.value.is_empty()) || source.settings.canary.is_some() {
            continue;
        }
        for rule in &source.ingress.rules {
            let host: &str = rule.host.as_ref().map_or("", |host| &host.value);
            let known = hosts.entry(host).or_default();
            if known.last() != Some(&index) {
                known.push(index);
            }
        }
    }
    hosts
}

impl Lowering<'_> {
    /// The source whose snippet a host has: the first in order (`createServers`).
    pub(super) fn server_snippet(&mut self, host: &str) -> Option<usize> {
        let (&first, others) = self.server_snippets.get(host)?.split_first()?;
        for &index in others {
            let source = &self.sources[index];
            let mut diagnostic = Diagnostic::new(
                Code::SnippetIgnored,
                format!("the server-snippet of another Ingress counts for the host `{host}`"),
            )
            .object(&source.ingress.object)
            .annotation("server-snippet")
            .help("keep one server-snippet for each host");
            if let Some(text) = &source.settings.snippets.server {
                diagnostic = diagnostic.at(text.span);
            }
            self.diagnostics.push(diagnostic);
        }
        Some(first)
    }

    /// Puts the snippet of a host around and beside its routes.
    pub(super) fn apply_server_snippet(
        &mut self,
        index: usize,
        patterns: bool,
        routes: &mut Vec<Route>,
    ) {
        let policies = self.policies;
        let Some(snippet) = &policies[index].server_snippet else {
            return;
        };
        let list = self.server_list(index);
        let mut own = Vec::new();
        let mut refusal = snippet.refusal.clone();
        for location in &snippet.locations {
            let matchers = self.matchers(index, location, patterns, routes);
            match matchers {
                Ok(matchers) => own.extend(
                    matchers
                        .into_iter()
                        .map(|matcher| self.location(index, location, matcher)),
                ),
                Err(why) => {
                    self.unreadable(index, location, &why);
                    refusal = refusal.or_else(|| {
                        Some(Refusal {
                            reason: format!("a location of the server-snippet: {why}"),
                            faithful: false,
                            origin: location.origin.clone(),
                        })
                    });
                }
            }
        }
        // In nginx, too, an exact location of the snippet stands in the place of the redirect
        // to the same path with a slash.
        routes.retain(|route| {
            !(matches!(route.action, Action::Redirect(_))
                && own.iter().any(|new| new.matcher == route.matcher)
                && route.origin.annotation.is_none())
        });
        routes.splice(0..0, own);
        for route in routes.iter_mut() {
            let policies = Arc::make_mut(&mut route.policies);
            around(&snippet.policies, policies);
            if let Some(list) = &list
                && self.inherits_addresses(route)
            {
                let policies = Arc::make_mut(&mut route.policies);
                policies.addresses = None;
                list.apply(policies);
            }
            if let Some(refusal) = &refusal {
                route.action = Action::Refuse(refusal.clone());
            }
        }
    }

    /// The list of addresses of a server: the snippet stands before that of the controller.
    fn server_list(&self, index: usize) -> Option<AddressList> {
        let output = &self.policies[index];
        let mut list = output.server_snippet.as_ref()?.addresses.clone()?;
        let controller = output.server_addresses.as_deref();
        if let Some(controller) = controller.filter(|list| !list.outermost) {
            list.continue_with(controller);
        }
        Some(list)
    }

    /// Whether a route has no list of addresses of its own.
    fn inherits_addresses(&self, route: &Route) -> bool {
        // A location of the snippet itself.
        if route.origin.annotation == Some("server-snippet") {
            return false;
        }
        let source = self.sources.iter().position(|s| s.id == route.owner);
        source.map(|at| &self.policies[at]).is_none_or(|output| {
            output.own_list.is_none()
                && (output.addresses_inherited || output.policies.addresses.is_none())
        })
    }

    fn location(&self, index: usize, location: &SnippetLocation, matcher: PathMatcher) -> Route {
        let owner = self.sources[index].id;
        let output = &self.policies[index];
        let mut policies = location.policies.clone();
        let inherited = self
            .server_list(index)
            .or_else(|| output.server_addresses.as_deref().cloned());
        if let Some(list) = location.addresses.clone().or(inherited) {
            list.apply(&mut policies);
        }
        if let Some(server) = &output.server_policies {
            around(server, &mut policies);
        }
        Route {
            owner,
            origin: location.origin.clone(),
            matcher,
            implicit: false,
            plain_http: PlainHttp::Serve,
            action: match &location.refusal {
                Some(refusal) => Action::Refuse(refusal.clone()),
                None => Action::NotFound,
            },
            policies: Arc::new(policies),
        }
    }

    /// How the paths of a location are matched among the routes of the host. nginx asks exact
    /// locations first, then patterns in their order, unless the longest prefix says `^~`.
    fn matchers(
        &mut self,
        index: usize,
        location: &SnippetLocation,
        patterns: bool,
        routes: &[Route],
    ) -> Result<Vec<PathMatcher>, String> {
        match &location.place {
            Place::Exact(path) => Ok(vec![PathMatcher::Exact(path.clone())]),
            Place::Prefix { path, first } => {
                if patterns && !*first {
                    let source = &self.sources[index];
                    self.diagnostics.push(
                        Diagnostic::new(
                            Code::SnippetLocationLost,
                            format!("`location {path}` of the server-snippet is never reached"),
                        )
                        .object(&source.ingress.object)
                        .annotation("server-snippet")
                        .label(location.span, "a pattern of the host takes its requests")
                        .help("write `^~` or `=` if it is to be served"),
                    );
                    return Ok(Vec::new());
                }
                let literal = escape(path);
                if patterns || path.ends_with('/') {
                    return Ok(vec![PathMatcher::Pattern(format!("(?-i:{literal})"))]);
                }
                // A prefix ends anywhere: `/x` takes `/xy`. Longer paths of Ingresses stay.
                let beside = PathMatcher::Pattern(format!("(?-i:{literal}[^/])"));
                let below = PathMatcher::Prefix(path.clone());
                let taken = routes.iter().any(|route| route.matcher == below);
                Ok(if taken {
                    vec![beside]
                } else {
                    vec![beside, below]
                })
            }
            Place::Pattern { text, fold } => {
                let anchored = match after_anchor(text) {
                    Some(rest) => rest.to_owned(),
                    None => format!(".*(?:{text})"),
                };
                let text = if *fold {
                    anchored
                } else {
                    format!("(?-i:{anchored})")
                };
                let pattern = Pattern::parse(&text).map_err(|error| error.to_string())?;
                if pattern.to_re2().is_err() {
                    return Err("Envoy's pattern language RE2 cannot say it".to_owned());
                }
                Ok(vec![PathMatcher::Pattern(text)])
            }
        }
    }

    fn unreadable(&mut self, index: usize, location: &SnippetLocation, why: &str) {
        let source = &self.sources[index];
        self.diagnostics.push(
            Diagnostic::new(
                Code::SnippetProtection,
                "a location of the server-snippet cannot be written, so the host answers 503",
            )
            .object(&source.ingress.object)
            .annotation("server-snippet")
            .label(location.span, why.to_owned())
            .help("write the pattern more simply"),
        );
    }
}

/// A text as a pattern that matches nothing else.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_punctuation() && !matches!(c, '/' | '-' | '_') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

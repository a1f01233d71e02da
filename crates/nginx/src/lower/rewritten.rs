//! Paths that a snippet rewrites and that nginx then looks up again.

use gatewright_diagnostics::{Code, Diagnostic};
use gatewright_model::pattern::Pattern;
use gatewright_model::{Action, PathMatcher, Refusal, Route};

use super::Lowering;

impl Lowering<'_> {
    /// Refuses the routes whose rewritten paths might belong to another one.
    pub(super) fn rewritten(&mut self, routes: &mut [Route]) {
        for at in 0..routes.len() {
            let Some(why) = leads_elsewhere(at, routes) else {
                continue;
            };
            let route = &mut routes[at];
            let Some(edit) = &route.policies.path_edit else {
                continue;
            };
            let source = self.sources.iter().find(|source| source.id == route.owner);
            let mut diagnostic = Diagnostic::new(
                Code::SnippetProtection,
                "a rewrite that leads to another location is not carried over, so the path answers 503",
            )
            .label(edit.place, why)
            .note("nginx looks for a location with the new path unless the flag is `break`")
            .help("write `break` if the new path is for the same backend, else `permanent` or `redirect`");
            if let Some(source) = source {
                diagnostic = diagnostic.object(&source.ingress.object);
            }
            if let Some(key) = edit.origin.annotation {
                diagnostic = diagnostic.annotation(key);
            }
            self.diagnostics.push(diagnostic);
            route.action = Action::Refuse(Refusal {
                reason: "a rewrite leads to another location".to_owned(),
                faithful: false,
                origin: edit.origin.clone(),
            });
        }
    }
}

/// Why a rewritten path may not be for the same route.
fn leads_elsewhere(at: usize, routes: &[Route]) -> Option<&'static str> {
    let route = &routes[at];
    let edit = route
        .policies
        .path_edit
        .as_ref()
        .filter(|edit| edit.again)?;
    let target = edit.target.split('$').next().unwrap_or_default();
    let below = |path: &str, base: &str| {
        let base = base.trim_end_matches('/');
        path.strip_prefix(base)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let own = match &route.matcher {
        PathMatcher::Prefix(own) => own,
        PathMatcher::Pattern(own) if own == "/" => own,
        PathMatcher::Exact(_) | PathMatcher::Pattern(_) => {
            return Some("the location takes one path, or those of a pattern");
        }
    };
    if !below(target, own) {
        return Some("the new path is not one of this location");
    }
    let again = Pattern::parse_case_sensitive(edit.pattern.trim_start_matches('^')).map_or_else(
        |_| String::new(),
        |pattern| pattern.required_literal_prefix(),
    );
    if !edit.pattern.starts_with('^') || again.starts_with(target) || target.starts_with(&again) {
        return Some("the new path may match once more");
    }
    let taken = routes.iter().enumerate().any(|(other_at, other)| {
        let text = match &other.matcher {
            PathMatcher::Exact(text) | PathMatcher::Prefix(text) => text.clone(),
            PathMatcher::Pattern(text) if text == "/" => text.clone(),
            PathMatcher::Pattern(text) => Pattern::parse(text).map_or_else(
                |_| String::new(),
                |pattern| pattern.required_literal_prefix(),
            ),
        };
        let deeper = matches!(other.matcher, PathMatcher::Pattern(_))
            || text.trim_end_matches('/').len() > own.trim_end_matches('/').len();
        other_at != at
            && text != "/"
            && deeper
            && (text.starts_with(target) || target.starts_with(text.as_str()))
    });
    taken.then_some("another location may take the new path")
}

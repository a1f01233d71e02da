//! Steps with a condition on the path: rules with a path of their own.

use gatewright_diagnostics::{Code, Diagnostic};
use gatewright_model::pattern::Pattern;
use gatewright_model::{Action, PathMatcher, Step, Test};

use super::condition;
use super::reply;
use super::steps::Place;
use crate::path;
use crate::rule::{Planned, at};

/// How the paths of a condition lie to those of the route.
enum Lies {
    Inside,
    Outside,
}

pub(super) fn apply(
    place: &mut Place<'_, '_>,
    step: &Step,
    test: &Test,
    query: bool,
    rules: Vec<Planned>,
) -> Result<Vec<Planned>, String> {
    let (text, fold) = match test {
        Test::Equals(text) => {
            if text.contains('?') || !text.starts_with('/') {
                return Err("a query cannot be compared".to_owned());
            }
            return match lies(place, step, text)? {
                Lies::Outside => Ok(rules),
                Lies::Inside => {
                    about_query(place, step, query);
                    let deed = reply::deed(place, step)?;
                    Ok(place.first(at(path::exact(text)), deed, place.section, step, rules))
                }
            };
        }
        Test::Pattern { text, fold } => (text.as_str(), *fold),
        Test::Set => return Err("a path is never empty".to_owned()),
    };
    if query && (text.contains(r"\?") || text.contains("[?") || text.contains('&')) {
        return Err("a query cannot be compared".to_owned());
    }
    let everything = [
        "^", ".*", "^.*", "^/", "^/.*", "^(.*)$", "^/(.*)$", "^.*$", "^/.*$", "^(.*)", "^/(.*)",
    ];
    if everything.contains(&text) {
        return always_here(place, step);
    }
    let pattern = condition::parse(&condition::anchored(text), fold)?;
    let prefix = if fold {
        String::new()
    } else {
        pattern.required_literal_prefix()
    };
    if let Lies::Outside = lies(place, step, &prefix)? {
        return Ok(rules);
    }
    let re2 = pattern
        .to_re2()
        .map_err(|_| "RE2 cannot say this pattern".to_owned())?;
    // One that goes on to the end takes a query as well.
    let open = !text.ends_with('$')
        || [".*$", ".*)$", ".+$", ".+)$"]
            .iter()
            .any(|end| text.ends_with(end));
    about_query(place, step, query && !open);
    let text = re2.for_encoded_path().match_prefix();
    if text.len() > path::MAX_PATH {
        return Err("the pattern is too long".to_owned());
    }
    let deed = reply::deed(place, step)?;
    Ok(place.first(at(path::regex(text)), deed, place.section, step, rules))
}

fn always_here(place: &mut Place<'_, '_>, step: &Step) -> Result<Vec<Planned>, String> {
    let deed = reply::deed(place, step)?;
    Ok(vec![place.rule(
        vec![at(place.path.clone())],
        deed,
        place.section,
        step,
    )])
}

fn about_query(place: &mut Place<'_, '_>, step: &Step, query: bool) {
    if query {
        place.emitter.report(
            &step.origin,
            false,
            Diagnostic::new(
                Code::ConditionQuery,
                "the condition also holds for requests with a query",
            )
            .label(step.place, "compares path and query")
            .note("a rule matches the path without the query"),
        );
    }
}

/// Whether the paths that begin with `prefix` are paths of this route; an error if only some
/// of them are, or if rules for them would take those of another route.
fn lies(place: &Place<'_, '_>, step: &Step, prefix: &str) -> Result<Lies, String> {
    let own = match &place.route.matcher {
        PathMatcher::Prefix(text) => text.trim_end_matches('/'),
        PathMatcher::Pattern(text) if text == "/" => "",
        PathMatcher::Exact(text) => {
            return if text == prefix {
                Ok(Lies::Inside)
            } else if text.starts_with(prefix) {
                Err("it is compared with the path of an exact path".to_owned())
            } else {
                Ok(Lies::Outside)
            };
        }
        PathMatcher::Pattern(_) => {
            return Err("the path of this location is a pattern itself".to_owned());
        }
    };
    let below = |path: &str, base: &str| {
        path.strip_prefix(base)
            .is_some_and(|rest| base.is_empty() || rest.is_empty() || rest.starts_with('/'))
    };
    if !below(prefix, own) {
        if own.starts_with(prefix) || prefix.starts_with(own) {
            return Err("it compares more than the paths of this location".to_owned());
        }
        return Ok(Lies::Outside);
    }
    for other in &place.host.routes {
        if std::ptr::eq(other, place.route)
            || (other.implicit && other.action == Action::NotFound)
            || other.policies.steps.contains(step)
        {
            continue;
        }
        let text = match &other.matcher {
            // It goes before any pattern.
            PathMatcher::Exact(_) => continue,
            PathMatcher::Prefix(text) => text.trim_end_matches('/').to_owned(),
            PathMatcher::Pattern(text) if text == "/" => continue,
            PathMatcher::Pattern(text) => {
                Pattern::parse(text).map_or_else(|_| String::new(), |p| p.required_literal_prefix())
            }
        };
        let deeper = matches!(other.matcher, PathMatcher::Pattern(_))
            || text.len() > own.len() && text.starts_with(own);
        if deeper && (text.starts_with(prefix) || prefix.starts_with(&text)) {
            return Err(format!(
                "the path `{}` of this host would be taken, too",
                other.matcher.text()
            ));
        }
    }
    Ok(Lies::Inside)
}

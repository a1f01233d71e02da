//! Changes to headers, as header modifiers.
//!
//! Envoy removes before it sets, and leaves a header alone whose new value is empty. Of a name
//! that is both set and added Envoy Gateway keeps one (`internal/gatewayapi/filters.go`).

use gateway_api::httproutes::HttpRouteRulesFilters;
use gatewright_diagnostics::{Code, Diagnostic};
use gatewright_model::{
    Forward, HeaderChange, HeaderEdit, Owner, PathEdit, Piece, Route, Template,
};

use super::condition;
use super::headers::STRICT_TRANSPORT;
use super::reply::render;
use crate::emit::Emitter;
use crate::envoy::{HttpPathModifier, HttpRouteFilterSpec, HttpUrlRewrite};
use crate::filter;

/// Entries of `set`, `add` and `remove` each (Gateway API).
pub(super) const MAX: usize = 16;

/// What happens to the headers of answers.
#[derive(Debug, Default)]
pub(super) struct Responses {
    pub(super) set: Vec<(String, String)>,
    /// Added to what the backend says.
    pub(super) add: Vec<Added>,
    /// Taken from what the backend says.
    pub(super) remove: Vec<String>,
    /// What others set before is gone, too.
    pub(super) cleared: Vec<String>,
}

/// A header that is added.
#[derive(Clone, Debug)]
pub(super) struct Added {
    pub(super) name: String,
    pub(super) value: String,
    /// On answers that are errors, too.
    pub(super) errors: bool,
}

impl Added {
    /// Whether an answer with this status has it (`add_header` of nginx).
    pub(super) const fn stands_on(&self, status: u16) -> bool {
        self.errors || matches!(status, 200 | 201 | 204 | 206 | 301..=304 | 307 | 308)
    }
}

impl Responses {
    fn forget(&mut self, name: &str) {
        let same = |known: &str| known.eq_ignore_ascii_case(name);
        self.set.retain(|(known, _)| !same(known));
        self.cleared.retain(|known| !same(known));
    }

    fn remove(&mut self, name: &str) {
        if !self
            .remove
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
        {
            self.remove.push(name.to_owned());
        }
    }

    /// Whether what others set under this name is gone.
    pub(super) fn clears(&self, name: &str) -> bool {
        self.cleared
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
    }
}

/// The changes to the answers of a route. `more_*` come before `add_header`, wherever they stand.
pub(super) fn responses(emitter: &mut Emitter<'_>, route: &Route) -> Responses {
    let forward = match &route.action {
        gatewright_model::Action::Forward(forward) => Some(&**forward),
        _ => None,
    };
    let mut all = Responses::default();
    for edit in &route.policies.response_edits {
        let name = edit.name.as_str();
        match &edit.change {
            HeaderChange::Set(value) => match render(value, forward) {
                Ok(value) => {
                    all.forget(name);
                    all.set.push((name.to_owned(), value));
                }
                Err(why) => left_out(emitter, edit, why),
            },
            HeaderChange::Add { .. } => {}
            HeaderChange::Remove
                if emitter.model.globals.hsts.is_some()
                    && name.eq_ignore_ascii_case(STRICT_TRANSPORT) =>
            {
                let why =
                    "the listener adds it; `hsts: \"false\"` in the ConfigMap switches it off";
                left_out(emitter, edit, why.to_owned());
            }
            HeaderChange::Remove => {
                all.forget(name);
                all.remove(name);
                all.cleared.push(name.to_owned());
            }
            HeaderChange::Hide => all.remove(name),
        }
    }
    for edit in &route.policies.response_edits {
        let HeaderChange::Add { value, errors } = &edit.change else {
            continue;
        };
        let name = edit.name.as_str();
        if emitter.model.globals.hsts.is_some() && name.eq_ignore_ascii_case(STRICT_TRANSPORT) {
            let why = "ingress-nginx sends its own first, and clients read the first alone";
            left_out(emitter, edit, why.to_owned());
            continue;
        }
        let value = match render(value, forward) {
            Ok(value) => value,
            Err(why) => {
                left_out(emitter, edit, why);
                continue;
            }
        };
        let set = all
            .set
            .iter()
            .any(|(known, _)| known.eq_ignore_ascii_case(name));
        let added = all
            .add
            .iter()
            .find(|known| known.name.eq_ignore_ascii_case(name));
        if set || added.is_some_and(|added| added.value != value) {
            let why = "a rule sets or adds one value for each header".to_owned();
            left_out(emitter, edit, why);
        } else if added.is_none() {
            all.add.push(Added {
                name: name.to_owned(),
                value,
                errors: *errors,
            });
        }
    }
    if let Some(edit) = route
        .policies
        .response_edits
        .last()
        .filter(|_| all.add.len() > MAX || all.remove.len() > MAX)
    {
        left_out(
            emitter,
            edit,
            "there are more headers than a rule takes".to_owned(),
        );
        all.add.truncate(MAX);
        all.remove.truncate(MAX);
    }
    all
}

fn left_out(emitter: &mut Emitter<'_>, edit: &HeaderEdit, why: String) {
    emitter.report(
        &edit.origin,
        true,
        Diagnostic::new(
            Code::SnippetDirective,
            format!("the header `{}` is not carried over", edit.name),
        )
        .label(edit.place, why)
        .help("set the header in the application"),
    );
}

/// Adds the changes to requests of a rule to its filters. An error when a header can neither be
/// set nor be removed: a client could send what the backend trusts.
pub(crate) fn requests(
    emitter: &mut Emitter<'_>,
    route: &Route,
    forward: &Forward,
    filters: &mut Vec<HttpRouteRulesFilters>,
) -> Result<(), ()> {
    let edits = &route.policies.request_edits;
    for (at, edit) in edits.iter().enumerate() {
        let name = edit.name.as_str();
        // The last one counts.
        if edits[at + 1..]
            .iter()
            .any(|later| later.name.eq_ignore_ascii_case(name))
        {
            continue;
        }
        let value = match &edit.change {
            HeaderChange::Set(value) | HeaderChange::Add { value, .. } => value,
            HeaderChange::Remove | HeaderChange::Hide => {
                filter::unset_request_header(filters, name);
                filter::remove_request_header(filters, name);
                continue;
            }
        };
        if is_itself(value, name) {
            continue;
        }
        filter::unset_request_header(filters, name);
        if may_be_empty(value) {
            filter::remove_request_header(filters, name);
        }
        let why = match render(value, Some(forward)) {
            Ok(value) if filter::set_request_header(filters, name, &value) => continue,
            Ok(_) => "there are more headers than a rule takes".to_owned(),
            Err(why) => why,
        };
        emitter.report(
            &edit.origin,
            true,
            Diagnostic::new(
                Code::SnippetRequestHeader,
                format!("the request header `{name}` cannot be set, so it is removed"),
            )
            .label(edit.place, why)
            .note("left alone, a client could send it and the backend would believe it")
            .help("let the backend do without the header, or set it in the output by hand"),
        );
        filter::remove_request_header(filters, name);
    }
    let removed = |f: &HttpRouteRulesFilters| {
        let modifier = f.request_header_modifier.as_ref();
        modifier.and_then(|m| m.remove.as_ref()).map_or(0, Vec::len)
    };
    let Some(edit) = edits
        .last()
        .filter(|_| filters.iter().any(|f| removed(f) > MAX))
    else {
        return Ok(());
    };
    emitter.report(
        &edit.origin,
        true,
        Diagnostic::new(
            Code::SnippetProtection,
            "more request headers are to be removed than a rule takes, so the paths answer 503",
        )
        .label(edit.place, "one of them")
        .help("name fewer headers"),
    );
    Err(())
}

/// Whether a header gets the value that it has.
fn is_itself(value: &Template, name: &str) -> bool {
    matches!(&value.0[..], [Piece::Header(header)] if header.eq_ignore_ascii_case(name))
}

/// Whether nothing of a value may be there. nginx sends no such header.
fn may_be_empty(value: &Template) -> bool {
    value
        .0
        .iter()
        .all(|piece| matches!(piece, Piece::Header(_) | Piece::RequestId))
}

/// The filter of a conditional rewrite; `None` when it cannot be said.
pub(crate) fn path_edit(
    emitter: &mut Emitter<'_>,
    owner: &Owner,
    edit: &PathEdit,
    name: &str,
) -> Option<HttpRouteRulesFilters> {
    let text = condition::anchored(&edit.pattern);
    let parsed = condition::parse(&text, false)
        .ok()
        .and_then(|p| p.to_re2().ok());
    let done = parsed.and_then(|re2| {
        let re2 = re2.for_encoded_path();
        let substitution = re2.substitution(&edit.target).ok()?;
        Some(HttpPathModifier::regex(
            re2.rewrite_pattern(),
            substitution.to_re2(),
        ))
    });
    let Some(path) = done.filter(|_| edit.target.starts_with('/') && !edit.target.contains('?'))
    else {
        emitter.report(
            &edit.origin,
            true,
            Diagnostic::new(
                Code::RewriteVariable,
                "a rewrite of a snippet cannot be carried over",
            )
            .label(edit.place, "needs more than captures of the path")
            .note("a rewrite in Envoy sees the path alone; the route answers 503")
            .help("write the target with captures of the path (`$1` … `$9`) only"),
        );
        return None;
    };
    let spec = HttpRouteFilterSpec {
        url_rewrite: Some(HttpUrlRewrite {
            path: Some(path),
            hostname: None,
        }),
        direct_response: None,
    };
    let comment = format!("rewrite {} {}", edit.pattern, edit.target);
    let filter = emitter.filter(owner, name, spec, comment);
    Some(filter::extension(&filter))
}

//! Headers of answers and requests, CORS and copies of requests.
//!
//! A rule's `ResponseHeaderModifier` also holds for what Envoy answers itself on that rule, so
//! it stands on every rule of a route: redirects and refusals have CORS headers too. OPTIONS is
//! answered by a rule of its own, which no policy is ever attached to.

use std::collections::BTreeSet;

use gateway_api::httproutes::{HttpRouteRulesFilters, HttpRouteRulesMatchesMethod};
use gatewright_diagnostics::{Code, Diagnostic};
use gatewright_model::pattern::escape_re2;
use gatewright_model::{
    Action, Cors, CorsOrigins, Header, Model, Owner, Phase, RequestValue, Route, Step, ValuePart,
};

use super::header_edits::{self, Added, Responses};
use crate::emit::Emitter;
use crate::envoy::{DirectResponse, HeaderModifier, HeaderValue, HttpRouteFilterSpec};
use crate::rule::{Deed, Planned, Section, matching, planned};
use crate::{filter, formatter};

/// Headers that one modifier takes (Gateway API).
const MAX_HEADERS: usize = 16;
/// What OPTIONS is answered with.
const PREFLIGHT: u16 = 204;
/// What the answers of listed origins are sent back.
const ORIGIN: &str = "%REQ(ORIGIN)%";
/// Headers that say how a message is framed or where it goes; filters cannot set them.
const FRAMING: [&str; 8] = [
    "host",
    "connection",
    "upgrade",
    "keep-alive",
    "te",
    "transfer-encoding",
    "content-length",
    "trailer",
];

/// Names of headers, in lower case, that some route sets in its answers. What is global about
/// them is written on the rules, where the more specific value can win.
pub(crate) fn set_by_routes(model: &Model) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for policies in model
        .hosts
        .iter()
        .flat_map(|h| &h.routes)
        .map(|r| &r.policies)
    {
        names.extend(policies.response_headers.iter().map(|h| lower(&h.name)));
        names.extend(policies.response_edits.iter().map(|h| lower(&h.name)));
        if let Some(cors) = &policies.cors {
            names.insert("access-control-allow-origin".to_owned());
            names.extend(cors.headers.iter().map(|(name, _)| lower(name)));
        }
    }
    names
}

/// The header that tells browsers to stay with HTTPS.
pub(crate) const STRICT_TRANSPORT: &str = "Strict-Transport-Security";

/// Whether some route has a value of its own for it.
pub(crate) fn sets_strict_transport(model: &Model) -> bool {
    set_by_routes(model).contains(&lower(STRICT_TRANSPORT))
}

/// Completes the rules of a route: headers of answers, and what answers OPTIONS.
pub(crate) fn answers(
    emitter: &mut Emitter<'_>,
    owner: &Owner,
    route: &Route,
    at: &gateway_api::httproutes::HttpRouteRulesMatchesPath,
    name: &str,
    rules: Vec<Planned>,
) -> Vec<Planned> {
    if matches!(&route.action, Action::Refuse(refusal) if refusal.faithful) {
        return rules;
    }
    let edits = header_edits::responses(emitter, route);
    let (mut set, mut remove) = headers_of(&route.policies.response_headers);
    merge(&mut set, &edits.set);
    for name in &edits.remove {
        if !names(&set)
            .chain(&remove)
            .any(|known| known.eq_ignore_ascii_case(name))
        {
            remove.push(name.clone());
        }
    }
    // An OPTIONS answer to an origin that is let in.
    let mut preflight = None;
    let mut for_origin: Vec<(String, String)> = Vec::new();
    let mut listed = None;
    if let Some(cors) = &route.policies.cors {
        for_origin = cors_headers(cors);
        for_origin.retain(|(name, _)| !edits.clears(name));
        listed = origin_pattern(&cors.origins);
        let mut all = set.clone();
        merge(&mut all, &for_origin);
        for added in edits.add.iter().filter(|added| added.stands_on(PREFLIGHT)) {
            merge(&mut all, &[(added.name.clone(), added.value.clone())]);
        }
        // A server that answers by itself does so before.
        let answered = |step: &Step| step.when.is_none() && step.phase == Phase::Server;
        preflight = (!route.policies.steps.iter().any(answered)).then_some(all);
        if listed.is_none() {
            merge(&mut set, &for_origin);
            for_origin.clear();
        }
    }
    global(emitter, &edits, &mut set, &mut remove);
    strict_transport(emitter, &set, &mut remove);
    let nothing = set.is_empty() && edits.add.is_empty() && remove.is_empty();
    if nothing && preflight.is_none() && listed.is_none() {
        return rules;
    }
    let mut completed = Vec::new();
    if let Some(headers) = preflight {
        completed.push(preflight_rule(
            emitter,
            owner,
            route,
            at,
            name,
            headers,
            listed.as_deref(),
        ));
    }
    for mut rule in rules {
        if let Some(pattern) = &listed {
            let mut headers = set.clone();
            merge(&mut headers, &for_origin);
            let mut special = rule.clone();
            special.rule.name = rule
                .rule
                .name
                .as_deref()
                .map(|n| crate::name::join(n, "cors"));
            for matches in special.rule.matches.iter_mut().flatten() {
                matches
                    .headers
                    .get_or_insert_with(Vec::new)
                    .push(matching("Origin", pattern.clone()));
            }
            add(emitter, route, &mut special, headers, &edits.add, &remove);
            completed.push(special);
        }
        add(emitter, route, &mut rule, set.clone(), &edits.add, &remove);
        completed.push(rule);
    }
    completed
}

/// Whether a route says anything of its answers, so that even its 404 needs a rule.
pub(crate) fn speaks(route: &Route) -> bool {
    let policies = &route.policies;
    policies.cors.is_some()
        || !policies.response_headers.is_empty()
        || !policies.response_edits.is_empty()
}

/// Whether the answers of two routes have the same headers.
pub(crate) fn same_answers(a: &Route, b: &Route) -> bool {
    let cors = |route: &Route| {
        let cors = route.policies.cors.as_ref();
        cors.map(|cors| (cors.origins.clone(), cors.headers.clone()))
    };
    a.policies.response_headers == b.policies.response_headers
        && a.policies.response_edits == b.policies.response_edits
        && cors(a) == cors(b)
}

/// Filters of a rule that forwards: request headers for every backend, and copies.
pub(crate) fn forward_filters(
    emitter: &mut Emitter<'_>,
    owner: &Owner,
    route: &Route,
    filters: &mut Vec<HttpRouteRulesFilters>,
) {
    let mut left_out = Vec::new();
    let (set, remove) = headers_of(&emitter.model.globals.headers.request);
    let fits = |name: &str| !FRAMING.contains(&&*lower(name));
    left_out.extend(
        set.iter()
            .map(|(name, _)| name.clone())
            .filter(|name| !fits(name)),
    );
    for (name, value) in set.iter().filter(|(name, _)| fits(name)) {
        if !filter::set_request_header(filters, name, value) {
            left_out.push(name.clone());
        }
    }
    for name in remove.iter().filter(|name| fits(name)) {
        filter::remove_request_header(filters, name);
    }
    if !left_out.is_empty() {
        report_left_out(emitter, &left_out, "requests");
    }
    if let Some(mirror) = &route.policies.mirror
        && let Some(reference) = emitter.backend(owner, &mirror.backend)
    {
        filters.push(filter::mirror(reference));
    }
}

/// What the listeners do to every answer: headers to set and to remove.
pub(crate) fn late(model: &Model) -> HeaderModifier {
    let headers = &model.globals.headers;
    let taken = set_by_routes(model);
    let (set, remove) = headers_of(&headers.response);
    let mut late = HeaderModifier::default();
    for (name, value) in set {
        if !taken.contains(&lower(&name)) {
            late.set.push(HeaderValue::new(name, value));
        }
    }
    for name in remove.into_iter().chain(headers.hidden.iter().cloned()) {
        let lower = lower(&name);
        if !taken.contains(&lower) && !late.set.iter().any(|h| h.name.eq_ignore_ascii_case(&lower))
        {
            late.remove.push(name);
        }
    }
    if !headers.server {
        late.remove.push("Server".to_owned());
    }
    late
}

/// What is global, as far as some route says something else about it.
fn global(
    emitter: &Emitter<'_>,
    edits: &Responses,
    set: &mut Vec<(String, String)>,
    remove: &mut Vec<String>,
) {
    if emitter.set_by_routes.is_empty() {
        return;
    }
    let headers = &emitter.model.globals.headers;
    let (globals, gone) = headers_of(&headers.response);
    let local = |name: &str| emitter.set_by_routes.contains(&lower(name));
    let globals: Vec<_> = globals
        .into_iter()
        .filter(|(name, _)| local(name) && !edits.clears(name))
        .collect();
    merge(set, &globals);
    for name in gone
        .iter()
        .chain(&headers.hidden)
        .filter(|name| local(name))
    {
        if !names(set)
            .chain(&*remove)
            .any(|known| known.eq_ignore_ascii_case(name))
        {
            remove.push(name.clone());
        }
    }
}

/// The listeners add what no route says, so what a backend says has to go.
fn strict_transport(emitter: &Emitter<'_>, set: &[(String, String)], remove: &mut Vec<String>) {
    let same = |known: &String| known.eq_ignore_ascii_case(STRICT_TRANSPORT);
    if emitter.model.globals.hsts.is_some()
        && emitter.set_by_routes.contains(&lower(STRICT_TRANSPORT))
        && !names(set).any(same)
        && !remove.iter().any(same)
    {
        remove.push(STRICT_TRANSPORT.to_owned());
    }
}

fn names(set: &[(String, String)]) -> impl Iterator<Item = &String> {
    set.iter().map(|(name, _)| name)
}

fn preflight_rule(
    emitter: &mut Emitter<'_>,
    owner: &Owner,
    route: &Route,
    at: &gateway_api::httproutes::HttpRouteRulesMatchesPath,
    name: &str,
    mut headers: Vec<(String, String)>,
    listed: Option<&str>,
) -> Planned {
    limit(emitter, route, &mut headers);
    let spec = HttpRouteFilterSpec {
        direct_response: Some(DirectResponse {
            status_code: PREFLIGHT,
            content_type: None,
            body: None,
            header: Some(HeaderModifier {
                set: headers
                    .into_iter()
                    .map(|(name, value)| HeaderValue::new(name, value))
                    .collect(),
                ..HeaderModifier::default()
            }),
        }),
        ..HttpRouteFilterSpec::default()
    };
    let by = route
        .policies
        .cors
        .as_ref()
        .and_then(|cors| cors.origin.annotation);
    let by = by.map_or_else(String::new, |key| format!(": {key}"));
    let comment = "answers OPTIONS of the origins that are let in".to_owned();
    let filter = emitter.filter(owner, "preflight", spec, comment);
    let mut matches = crate::rule::at(at.clone());
    matches.method = Some(HttpRouteRulesMatchesMethod::Options);
    matches.headers = listed.map(|pattern| vec![matching("Origin", pattern.to_owned())]);
    let deed = Deed {
        filters: vec![filter::extension(&filter)],
        backends: Vec::new(),
    };
    planned(
        &crate::name::join(name, "preflight"),
        vec![matches],
        deed,
        Section::Both,
        vec![format!("answers OPTIONS{by}")],
    )
}

fn add(
    emitter: &mut Emitter<'_>,
    route: &Route,
    rule: &mut Planned,
    mut set: Vec<(String, String)>,
    added: &[Added],
    remove: &[String],
) {
    limit(emitter, route, &mut set);
    let mut add = Vec::new();
    for header in added {
        let has_type = rule.status.is_some() && header.name.eq_ignore_ascii_case("content-type");
        let stands = rule.status.is_none_or(|status| header.stands_on(status));
        let known = names(&set).any(|known| known.eq_ignore_ascii_case(&header.name));
        if stands && !has_type && !known {
            add.push((header.name.clone(), header.value.clone()));
        }
    }
    if set.is_empty() && add.is_empty() && remove.is_empty() {
        return;
    }
    // First: Envoy Gateway reads no further than to a direct response.
    rule.rule
        .filters
        .get_or_insert_with(Vec::new)
        .insert(0, filter::response_headers(&set, &add, remove));
}

fn limit(emitter: &mut Emitter<'_>, route: &Route, set: &mut Vec<(String, String)>) {
    if set.len() <= MAX_HEADERS {
        return;
    }
    let left_out: Vec<String> = set.drain(MAX_HEADERS..).map(|(name, _)| name).collect();
    let object = emitter.object_ref(route.owner);
    let diagnostic = left_out_diagnostic(&left_out, "answers").object(&object);
    emitter.diagnose(diagnostic);
}

fn report_left_out(emitter: &mut Emitter<'_>, names: &[String], what: &str) {
    let diagnostic = left_out_diagnostic(names, what);
    emitter.diagnose(diagnostic);
}

fn left_out_diagnostic(names: &[String], what: &str) -> Diagnostic {
    Diagnostic::new(
        Code::HeaderLeftOut,
        format!("headers are not set in {what}: {}", names.join(", ")),
    )
    .note("Gateway API sets 16 headers on a rule at most, and none that frames a message or names the host")
    .help("set fewer headers, or set them in the application")
}

/// Values as Envoy writes them, and the names of headers that are taken away.
fn headers_of(headers: &[Header]) -> (Vec<(String, String)>, Vec<String>) {
    let mut set: Vec<(String, String)> = Vec::new();
    let mut remove = Vec::new();
    for header in headers {
        let value = one_blank(&value(&header.value));
        if value.is_empty() {
            remove.push(header.name.clone());
        } else {
            merge(&mut set, &[(header.name.clone(), value)]);
        }
    }
    (set, remove)
}

/// Adds what is not set yet.
fn merge(set: &mut Vec<(String, String)>, more: &[(String, String)]) {
    for (name, value) in more {
        if !set
            .iter()
            .any(|(known, _)| known.eq_ignore_ascii_case(name))
        {
            set.push((name.clone(), value.clone()));
        }
    }
}

fn value(parts: &[ValuePart]) -> String {
    parts
        .iter()
        .map(|part| match part {
            ValuePart::Text(text) => formatter::literal(text),
            ValuePart::Request(request) => match request {
                RequestValue::Authority => formatter::AUTHORITY.to_owned(),
                RequestValue::Host => formatter::HOST.to_owned(),
                RequestValue::Scheme => formatter::SCHEME.to_owned(),
                // Set by each listener.
                RequestValue::ListenerPort => "%REQ(X-FORWARDED-PORT)%".to_owned(),
                RequestValue::ClientAddress => {
                    "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%".to_owned()
                }
                RequestValue::Method => "%REQ(:METHOD)%".to_owned(),
                RequestValue::Target => "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%".to_owned(),
                RequestValue::Id => "%REQ(X-REQUEST-ID)%".to_owned(),
                RequestValue::Header(name) => format!("%REQ({name})%"),
            },
        })
        .collect()
}

/// Gateway API takes one blank between two words, and none at the ends.
fn one_blank(text: &str) -> String {
    text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

fn cors_headers(cors: &Cors) -> Vec<(String, String)> {
    let origin = match cors.origins {
        CorsOrigins::Any => "*",
        CorsOrigins::Echo | CorsOrigins::EndWith(_) => ORIGIN,
    };
    let mut headers = vec![("Access-Control-Allow-Origin".to_owned(), origin.to_owned())];
    for (name, value) in &cors.headers {
        let value = one_blank(&formatter::literal(value));
        if !value.is_empty() {
            headers.push((name.clone(), value));
        }
    }
    headers
}

/// The pattern of origins that are let in; none when all are.
fn origin_pattern(origins: &CorsOrigins) -> Option<String> {
    let CorsOrigins::EndWith(list) = origins else {
        return None;
    };
    let items: Vec<String> = list
        .iter()
        .map(|item| {
            let (before, after) = item.split_once('*').unwrap_or((item, ""));
            let label = if item.contains('*') { "[a-z0-9-]+" } else { "" };
            format!("{}{label}{}", escape_re2(before), escape_re2(after))
        })
        .collect();
    Some(format!("(?i).*(?:{})", items.join("|")))
}

fn lower(name: &str) -> String {
    name.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_compared_as_the_source_proxy_does() {
        let check = |items: &[&str], expected: &str| {
            let list = items.iter().map(|item| (*item).to_owned()).collect();
            assert_eq!(
                origin_pattern(&CorsOrigins::EndWith(list)).as_deref(),
                Some(expected)
            );
        };
        check(&["https://a.b"], "(?i).*(?:https://a\\.b)");
        check(
            &["https://*.a.b:80", "null"],
            "(?i).*(?:https://[a-z0-9-]+\\.a\\.b:80|null)",
        );
        assert_eq!(origin_pattern(&CorsOrigins::Any), None);
    }

    #[test]
    fn values_hold_operators_only_where_they_are_meant() {
        let parts = [
            ValuePart::Text("100% of ".to_owned()),
            ValuePart::Request(RequestValue::Header("X-A".to_owned())),
        ];
        assert_eq!(value(&parts), "100%% of %REQ(X-A)%");
        assert_eq!(one_blank(" a  b\tc "), "a b c");
    }

    #[test]
    fn the_first_of_two_values_stays() {
        let mut set = vec![("X-A".to_owned(), "1".to_owned())];
        merge(
            &mut set,
            &[
                ("x-a".to_owned(), "2".to_owned()),
                ("b".to_owned(), "3".to_owned()),
            ],
        );
        assert_eq!(set.len(), 2);
        assert_eq!(set[0].1, "1");
    }
}

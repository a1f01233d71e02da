//! A service that is asked about every request: `SecurityPolicy` `extAuth`.
//!
//! What the service is told of the request are early headers of the listeners, since Envoy
//! Gateway can add none to the question alone; rules that ask take them away again.

use std::collections::BTreeMap;

use gateway_api::httproutes::{HttpRouteRulesMatchesHeaders, HttpRouteRulesMatchesHeadersType};
use gatewright_diagnostics::{Code, Diagnostic};
use gatewright_model::{Action, Authorizer, Model, Owner, Part};

use super::Attached;
use crate::emit::Emitter;
use crate::envoy::{
    ExtAuth, HeaderModifier, HeaderValue, HttpExtAuth, ResponseOverride, StatusCodeMatch,
};
use crate::filter;
use crate::formatter;
use crate::infra::seconds;
use crate::name::join;
use crate::rule::Planned;

/// What Envoy answers when the service fails; nothing else does, so that it can be told apart
/// from the 500 of Envoy Gateway for a Service that is not there.
const FAILED: u16 = 511;
/// Matches of one rule (Gateway API takes 64).
const MAX_MATCHES: usize = 60;

/// The policies of a route that asks; `not_found` when its own answer is a 404.
pub(crate) fn attach(
    emitter: &mut Emitter<'_>,
    owner: &Owner,
    authorizer: &Authorizer,
    not_found: bool,
    attached: &mut Attached,
) {
    let Some(backend) = emitter.authorizer(owner, &authorizer.backend, &authorizer.host) else {
        return;
    };
    let told = !emitter.settings.existing;
    if !told {
        untold(emitter, authorizer);
    }
    let mut headers: Vec<String> = Vec::new();
    let made = authorizer.headers.iter().map(|(name, _)| name);
    for name in authorizer
        .client_headers
        .iter()
        // On a Gateway that is not ours a client may have set it.
        .filter(|name| told || !name.eq_ignore_ascii_case("x-real-ip"))
        .chain(made.filter(|_| told))
    {
        let name = name.to_ascii_lowercase();
        if !headers.contains(&name) {
            headers.push(name);
        }
    }
    headers.sort();
    let timeout = emitter.model.globals.idle_timeout;
    attached.security().ext_auth = Some(ExtAuth {
        headers_to_ext_auth: headers,
        status_on_error: FAILED,
        timeout: (timeout > 0).then(|| seconds(timeout)),
        http: HttpExtAuth {
            backend_refs: vec![backend],
            path_override: authorizer.path.clone(),
            headers_to_backend: authorizer.response_headers.clone(),
        },
    });
    overrides(authorizer, not_found, attached);
}

/// 401 and 403 are passed on, or lead to the sign-in page; everything else is 500. What Envoy
/// itself may answer (408, 413, 429, 431) stays.
fn overrides(authorizer: &Authorizer, not_found: bool, attached: &mut Attached) {
    let list = &mut attached.traffic().response_override;
    if let Some(sign_in) = &authorizer.sign_in {
        let location = HeaderValue::new("Location", render(sign_in, formatter::SCHEME));
        // It takes the place of a 401 for want of a password as well.
        list.retain(|o| o.matches.status_codes != [StatusCodeMatch::value(401)]);
        list.push(ResponseOverride::local(
            vec![StatusCodeMatch::value(401)],
            302,
            Some(HeaderModifier {
                set: vec![location],
                ..HeaderModifier::default()
            }),
        ));
    }
    let mut codes = vec![
        StatusCodeMatch::range(201, 400),
        StatusCodeMatch::value(402),
    ];
    codes.push(StatusCodeMatch::range(
        if not_found { 405 } else { 404 },
        407,
    ));
    codes.extend([
        StatusCodeMatch::range(409, 412),
        StatusCodeMatch::range(414, 428),
        StatusCodeMatch::value(430),
        StatusCodeMatch::range(432, 499),
        StatusCodeMatch::value(FAILED),
    ]);
    list.push(ResponseOverride::local(codes, 500, None));
}

fn untold(emitter: &mut Emitter<'_>, authorizer: &Authorizer) {
    let names: Vec<String> = authorizer
        .headers
        .iter()
        .map(|(name, value)| format!("`{name}: {}`", render(value, formatter::SCHEME)))
        .collect();
    emitter.report(
        &authorizer.origin,
        false,
        Diagnostic::new(
            Code::AuthQuestion,
            "the auth service is not told which request it is about",
        )
        .note("these headers belong into a policy of the Gateway, which is not written here")
        .help(format!(
            "set {} in `headers.earlyRequestHeaders` of its ClientTrafficPolicy, and name them in `headersToExtAuth`",
            names.join(", ")
        )),
    );
}

/// The early headers that the services of all routes need and that are not set yet.
pub(crate) fn early_headers(model: &Model, scheme: &str, set: &mut Vec<HeaderValue>) {
    let mut headers: BTreeMap<String, HeaderValue> = BTreeMap::new();
    let routes = model.hosts.iter().flat_map(|host| &host.routes);
    for route in
        routes.filter(|route| matches!(route.action, Action::Forward(_) | Action::NotFound))
    {
        let Some(authorizer) = &route.policies.authorizer else {
            continue;
        };
        for (name, value) in &authorizer.headers {
            let key = name.to_ascii_lowercase();
            if !set
                .iter()
                .any(|known| known.name.eq_ignore_ascii_case(name))
            {
                headers
                    .entry(key)
                    .or_insert_with(|| HeaderValue::new(name, render(value, scheme)));
            }
        }
    }
    set.extend(headers.into_values());
}

/// The headers that a rule takes away: the backend has never got them.
pub(crate) fn removed(authorizer: &Authorizer) -> impl Iterator<Item = &str> {
    authorizer
        .headers
        .iter()
        .map(|(name, _)| name.as_str())
        // Backends get it in any case.
        .filter(|name| !name.eq_ignore_ascii_case("x-scheme"))
}

/// Requests that bring what only the service may say: rules beside those of the route, which
/// take all of it away. Envoy cannot take the client's away alone.
pub(crate) fn forged(authorizer: &Authorizer, rules: &[Planned]) -> Vec<Planned> {
    let mut forged = Vec::new();
    for (at, names) in authorizer.response_headers.chunks(MAX_MATCHES).enumerate() {
        for planned in rules {
            let mut copy = planned.clone();
            let suffix = if at == 0 {
                "forged".to_owned()
            } else {
                format!("forged-{at}")
            };
            copy.rule.name = copy.rule.name.map(|name| join(&name, &suffix));
            copy.rule.matches = Some(
                planned
                    .rule
                    .matches
                    .iter()
                    .flatten()
                    .flat_map(|matches| {
                        names.iter().map(|name| {
                            let mut matches = matches.clone();
                            matches
                                .headers
                                .get_or_insert_with(Vec::new)
                                .push(present(name));
                            matches
                        })
                    })
                    .collect(),
            );
            let mut filters = copy.rule.filters.take().unwrap_or_default();
            filter::remove_request_headers(
                &mut filters,
                authorizer.response_headers.iter().map(String::as_str),
            );
            copy.rule.filters = Some(filters);
            copy.comments = vec!["what only the auth service may say, said by a client".to_owned()];
            forged.push(copy);
        }
    }
    forged
}

fn present(name: &str) -> HttpRouteRulesMatchesHeaders {
    HttpRouteRulesMatchesHeaders {
        name: name.to_owned(),
        r#type: Some(HttpRouteRulesMatchesHeadersType::RegularExpression),
        value: ".*".to_owned(),
    }
}

/// A text with Envoy's command operators. Envoy cannot escape: the target stands as it is.
fn render(parts: &[Part], scheme: &str) -> String {
    parts
        .iter()
        .map(|part| match part {
            Part::Literal(text) => formatter::literal(text),
            Part::Scheme => scheme.to_owned(),
            Part::Authority => formatter::AUTHORITY.to_owned(),
            Part::Target | Part::EscapedTarget => formatter::PATH.to_owned(),
            Part::Method => "%REQ(:METHOD)%".to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::{Section, planned_for_tests};

    fn authorizer() -> Authorizer {
        Authorizer {
            backend: gatewright_model::Backend {
                namespace: "auth".into(),
                target: gatewright_model::Target::Unavailable { reason: "".into() },
                protocol: gatewright_model::Protocol::Http,
                tls: None,
                balance: None,
                service_address: false,
                origin: origin(),
            },
            host: "gate.auth.svc".to_owned(),
            path: "/".to_owned(),
            headers: vec![
                ("X-Scheme".to_owned(), vec![]),
                ("X-Original-Method".to_owned(), vec![]),
            ],
            client_headers: vec![],
            response_headers: vec!["X-User".to_owned(), "X-Team".to_owned()],
            sign_in: Some(vec![
                Part::Literal("https://a/50%?rd=".to_owned()),
                Part::EscapedTarget,
            ]),
            origin: origin(),
        }
    }

    fn origin() -> gatewright_model::Origin {
        let span = gatewright_source::Span::new(gatewright_source::FileId(0), 0, 1);
        gatewright_model::Origin::field(gatewright_model::OwnerId(0), span)
    }

    #[test]
    fn forged_headers_match_one_by_one_and_go_together() {
        let rule = planned_for_tests("root", Section::Both);
        let forged = forged(&authorizer(), &[rule]);
        assert_eq!(forged.len(), 1);
        let rule = &forged[0].rule;
        assert_eq!(rule.name.as_deref(), Some("root-forged"));
        assert_eq!(rule.matches.as_ref().map(Vec::len), Some(2));
        let filters = rule.filters.as_deref().unwrap_or_default();
        let removed = filters[0]
            .request_header_modifier
            .as_ref()
            .and_then(|m| m.remove.clone());
        assert_eq!(removed.unwrap_or_default(), ["X-User", "X-Team"]);
        assert_eq!(removed_names(), ["X-Original-Method"]);
    }

    fn removed_names() -> Vec<String> {
        removed(&authorizer()).map(str::to_owned).collect()
    }

    #[test]
    fn the_sign_in_page_takes_the_place_of_every_401() {
        let mut attached = Attached::default();
        attached
            .traffic()
            .response_override
            .push(ResponseOverride::local(
                vec![StatusCodeMatch::value(401)],
                401,
                None,
            ));
        overrides(&authorizer(), true, &mut attached);
        let list = &attached.traffic().response_override;
        assert_eq!(list.len(), 2);
        let first = list[0].response.as_ref().unwrap();
        assert_eq!(first.status_code, 302);
        assert_eq!(
            first.header.as_ref().unwrap().set[0].value,
            "https://a/50%%?rd=%REQ(:PATH)%"
        );
        // The 404 of the route itself stays.
        assert!(
            list[1]
                .matches
                .status_codes
                .contains(&StatusCodeMatch::range(405, 407))
        );
    }
}

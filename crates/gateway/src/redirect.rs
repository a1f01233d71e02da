//! Redirects.

use gateway_api::httproutes::{
    HttpRouteRulesFiltersRequestRedirect, HttpRouteRulesFiltersRequestRedirectPath,
    HttpRouteRulesFiltersRequestRedirectPathType, HttpRouteRulesFiltersRequestRedirectScheme,
    HttpRouteRulesMatchesPath,
};
use gatewright_diagnostics::{Code, Diagnostic};
use gatewright_model::{Host, Owner, PathMatcher, Redirect, RedirectTarget, Route};

use crate::emit::Emitter;
use crate::envoy::{DirectResponse, HeaderModifier, HeaderValue, HttpRouteFilterSpec};
use crate::rule::Deed;
use crate::{filter, path};

/// The status codes that `requestRedirect` takes.
const REDIRECT_CODES: [u16; 5] = [301, 302, 303, 307, 308];

/// What a redirect rule matches and does; `None` when nothing can be written.
pub(crate) fn deed(
    emitter: &mut Emitter<'_>,
    host: &Host,
    route: &Route,
    owner: &Owner,
    redirect: &Redirect,
    at: &HttpRouteRulesMatchesPath,
    name: &str,
) -> Option<(HttpRouteRulesMatchesPath, Deed)> {
    let code = redirect.code;
    let deed = match &redirect.target {
        RedirectTarget::Location(url) => {
            location(emitter, owner, name, code, &filter::header_value(url))
        }
        RedirectTarget::Path {
            path,
            keep_query: true,
            keep_port: false,
            relative: false,
        } if REDIRECT_CODES.contains(&code) => request(HttpRouteRulesFiltersRequestRedirect {
            path: Some(full_path(path)),
            status_code: Some(i64::from(code)),
            ..HttpRouteRulesFiltersRequestRedirect::default()
        }),
        RedirectTarget::Path {
            path,
            keep_query,
            relative,
            ..
        } => {
            if *keep_query {
                emitter.report(
                    &redirect.origin,
                    false,
                    Diagnostic::new(
                        Code::RedirectQuery,
                        "a redirect to a path alone loses the query of the request",
                    )
                    .note("Envoy can answer with a relative `Location`, but cannot append the query to it")
                    .help("without `relative-redirects` the query is kept"),
                );
            }
            let base = if *relative {
                ""
            } else {
                "%REQ(:SCHEME)%://%REQ(:AUTHORITY)%"
            };
            let value = format!("{base}{}", filter::header_value(path));
            location(emitter, owner, name, code, &value)
        }
        RedirectTarget::Host(hostname) => request(HttpRouteRulesFiltersRequestRedirect {
            hostname: Some(hostname.clone()),
            status_code: Some(i64::from(code)),
            ..HttpRouteRulesFiltersRequestRedirect::default()
        }),
        RedirectTarget::Pattern { pattern, url } => {
            return captured(emitter, host, route, redirect, at, (pattern, url));
        }
    };
    Some((at.clone(), deed))
}

/// Exactly this `Location`, as nginx's `return` has it: nothing of the request is appended.
fn location(emitter: &mut Emitter<'_>, owner: &Owner, name: &str, code: u16, value: &str) -> Deed {
    let spec = HttpRouteFilterSpec {
        direct_response: Some(DirectResponse {
            status_code: code,
            header: Some(HeaderModifier {
                set: vec![HeaderValue::new("Location", value)],
                ..HeaderModifier::default()
            }),
        }),
        url_rewrite: None,
    };
    let comment = format!("answers {code} with this Location");
    let filter = emitter.filter(owner, &format!("{name}-redirect"), spec, comment);
    Deed {
        filters: vec![filter::extension(&filter)],
        backends: Vec::new(),
    }
}

fn request(redirect: HttpRouteRulesFiltersRequestRedirect) -> Deed {
    Deed {
        filters: vec![filter::redirect(redirect)],
        backends: Vec::new(),
    }
}

fn full_path(path: &str) -> HttpRouteRulesFiltersRequestRedirectPath {
    HttpRouteRulesFiltersRequestRedirectPath {
        r#type: HttpRouteRulesFiltersRequestRedirectPathType::ReplaceFullPath,
        replace_full_path: Some(path.to_owned()),
        replace_prefix_match: None,
    }
}

/// A URL with captures. Without any it is a redirect to a fixed path; a capture of all that
/// follows a literal prefix is a replaced prefix; for the rest Gateway API has no words.
fn captured(
    emitter: &mut Emitter<'_>,
    host: &Host,
    route: &Route,
    redirect: &Redirect,
    at: &HttpRouteRulesMatchesPath,
    (pattern, url): (&str, &str),
) -> Option<(HttpRouteRulesMatchesPath, Deed)> {
    let (scheme, rest) = match url.split_once("://") {
        Some(("http", rest)) => (Some(HttpRouteRulesFiltersRequestRedirectScheme::Http), rest),
        Some(("https", rest)) => (Some(HttpRouteRulesFiltersRequestRedirectScheme::Https), rest),
        _ => (None, url.strip_prefix("$scheme://").unwrap_or(url)),
    };
    let (authority, target) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (hostname, port) = match authority.split_once(':') {
        Some((hostname, port)) => (hostname, port.parse::<i32>().ok()),
        None => (authority, None),
    };
    let base = HttpRouteRulesFiltersRequestRedirect {
        scheme,
        hostname: Some(hostname.to_ascii_lowercase()),
        port,
        status_code: Some(i64::from(redirect.code)),
        path: None,
    };
    let literal = gatewright_model::pattern::Pattern::parse(pattern)
        .ok()
        .and_then(|p| gatewright_model::pattern::substitution(target, p.group_count()).ok())
        .and_then(|substitution| substitution.as_literal());
    if filter::is_hostname(&hostname.to_ascii_lowercase()) {
        if let Some(literal) = literal {
            let path = if literal.is_empty() { "/" } else { &literal };
            return Some((
                at.clone(),
                request(HttpRouteRulesFiltersRequestRedirect {
                    path: Some(full_path(path)),
                    ..base
                }),
            ));
        }
        if let (Some(prefix), Some(new)) = (rest_capture(pattern), target.strip_suffix("$1")) {
            let alone = host.routes.iter().all(|other| {
                std::ptr::eq(other, route)
                    || other.implicit
                    || matches!(other.matcher, PathMatcher::Exact(_))
            });
            if alone && !new.contains('$') {
                emitter.report(
                    &redirect.origin,
                    false,
                    Diagnostic::new(
                        Code::RedirectCase,
                        format!("the redirect of `{prefix}` is matched with regard to case"),
                    )
                    .note("ingress-nginx matches this path without regard to case; Gateway API keeps the rest of the path in a redirect only for a case-sensitive prefix"),
                );
                let new = new.trim_end_matches('/');
                let path = HttpRouteRulesFiltersRequestRedirectPath {
                    r#type: HttpRouteRulesFiltersRequestRedirectPathType::ReplacePrefixMatch,
                    replace_full_path: None,
                    replace_prefix_match: Some(if new.is_empty() { "/" } else { new }.to_owned()),
                };
                return Some((
                    path::prefix(prefix),
                    request(HttpRouteRulesFiltersRequestRedirect {
                        path: Some(path),
                        ..base
                    }),
                ));
            }
        }
    }
    emitter.report(
        &redirect.origin,
        true,
        Diagnostic::new(
            Code::RedirectCaptures,
            format!("a redirect to `{url}` cannot be written"),
        )
        .note("Gateway API redirects to a fixed path or replaces a prefix, and has no captures; the path answers 503")
        .help("redirect in the application, or list the targets as Ingress paths with a `permanent-redirect` each"),
    );
    let owner = emitter.model.owner(route.owner);
    let deed = emitter.respond(
        owner,
        503,
        "what cannot be carried over answers 503".to_owned(),
    );
    Some((at.clone(), deed))
}

/// `/old` of `/old/(.*)`.
fn rest_capture(pattern: &str) -> Option<&str> {
    let prefix = pattern.strip_suffix("/(.*)")?;
    (prefix.starts_with('/')
        && prefix
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'/' || b == b'-' || b == b'_'))
    .then_some(prefix)
}

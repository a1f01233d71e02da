//! Redirects.

use gateway_api::httproutes::{
    HttpRouteRulesFiltersRequestRedirect, HttpRouteRulesFiltersRequestRedirectPath,
    HttpRouteRulesFiltersRequestRedirectPathType,
    HttpRouteRulesFiltersRequestRedirectScheme as Scheme,
};
use gatewright_diagnostics::{Code, Diagnostic};
use gatewright_model::pattern::Pattern;
use gatewright_model::{Origin, Owner, Redirect, RedirectTarget, is_dns_subdomain};

use crate::emit::Emitter;
use crate::envoy::{DirectResponse, HeaderModifier, HeaderValue, HttpRouteFilterSpec};
use crate::filter;
use crate::formatter::{
    AUTHORITY, HOST, PATH, PATH_WITHOUT_SLASH, QUERY, SCHEME, captured, literal,
};
use crate::path::MAX_PATH;
use crate::rule::Deed;

/// What a redirect rule does; `None` when nothing can be written.
pub(crate) fn deed(
    emitter: &mut Emitter<'_>,
    owner: &Owner,
    redirect: &Redirect,
    name: &str,
) -> Option<Deed> {
    let code = redirect.code;
    if emitter.settings.idiomatic
        && let Some((filter, found)) = plain(redirect)
    {
        if let Some(found) = found {
            emitter.report(&redirect.origin, false, found);
        }
        return Some(answered_by(filter));
    }
    let value = match &redirect.target {
        RedirectTarget::Location(url) => literal(url),
        RedirectTarget::Path {
            path,
            keep_query,
            keep_port,
            relative,
        } => {
            let base = match (relative, keep_port) {
                (true, _) => String::new(),
                (false, true) => format!("{SCHEME}://{AUTHORITY}"),
                (false, false) => format!("{SCHEME}://{HOST}"),
            };
            let query = if *keep_query { QUERY } else { "" };
            format!("{base}{}{query}", literal(path))
        }
        RedirectTarget::Host(hostname) => {
            format!("{SCHEME}://{}{PATH_WITHOUT_SLASH}", literal(hostname))
        }
        RedirectTarget::Pattern { pattern, url } => {
            if let Some(value) = captured_url(pattern, url) {
                value
            } else {
                emitter.report(
                    &redirect.origin,
                    true,
                    Diagnostic::new(
                        Code::RedirectCaptures,
                        format!("a redirect to `{url}` cannot be written"),
                    )
                    .note("Envoy puts captures of the path together, and has none of nginx's variables; the path answers 503")
                    .help("write the URL with captures of the path (`$1` … `$9`) only"),
                );
                return None;
            }
        }
    };
    Some(location(emitter, owner, name, code, &value))
}

/// What of a redirect to HTTPS differs from host to host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ToHttps {
    /// The status code.
    pub(crate) code: u16,
    /// Whether one final slash is kept.
    pub(crate) keep_slash: bool,
    /// Whether the port of HTTPS is named.
    pub(crate) name_port: bool,
}

/// To HTTPS, as ingress-nginx does it: without the port of the request, and without one final
/// slash unless that is kept.
pub(crate) fn to_https(emitter: &mut Emitter<'_>, owner: &Owner, wanted: ToHttps) -> Deed {
    if emitter.settings.idiomatic && CODES.contains(&wanted.code) {
        return answered_by(HttpRouteRulesFiltersRequestRedirect {
            scheme: Some(Scheme::Https),
            status_code: Some(wanted.code.into()),
            ..HttpRouteRulesFiltersRequestRedirect::default()
        });
    }
    let (path, name) = if wanted.keep_slash {
        (PATH, "to-https-slash")
    } else {
        (PATH_WITHOUT_SLASH, "to-https")
    };
    let port = if wanted.name_port { ":443" } else { "" };
    let value = format!("https://{HOST}{port}{path}");
    location(emitter, owner, name, wanted.code, &value)
}

/// Says what a plain redirect to HTTPS gives up; one rule may stand for many routes.
pub(crate) fn tell_of_https(emitter: &mut Emitter<'_>, wanted: ToHttps, origin: &Origin) {
    if !emitter.settings.idiomatic || !CODES.contains(&wanted.code) {
        return;
    }
    let mut given_up = Vec::new();
    if !wanted.keep_slash {
        given_up.push("leaves one final slash out of `Location`, which is kept now");
    }
    if wanted.name_port {
        given_up.push("names port 443 in `Location`, which is left out now");
    }
    if !given_up.is_empty() {
        let text = format!(
            "plain HTTP is redirected by a RequestRedirect; ingress-nginx {}",
            given_up.join(", and it ")
        );
        emitter.report(
            origin,
            false,
            Diagnostic::new(Code::RedirectSimplified, text),
        );
    }
}

/// The codes that Gateway API redirects with.
const CODES: [u16; 5] = [301, 302, 303, 307, 308];

fn answered_by(redirect: HttpRouteRulesFiltersRequestRedirect) -> Deed {
    Deed {
        filters: vec![filter::redirect(redirect)],
        backends: Vec::new(),
    }
}

/// The filter of Gateway API that redirects nearly so, and what differs.
fn plain(
    redirect: &Redirect,
) -> Option<(HttpRouteRulesFiltersRequestRedirect, Option<Diagnostic>)> {
    let mut filter = HttpRouteRulesFiltersRequestRedirect {
        status_code: Some(redirect.code.into()),
        ..HttpRouteRulesFiltersRequestRedirect::default()
    };
    let keeps_query = Some("leaves the query of the request out of `Location`, which is kept now");
    let (target, given_up) = match &redirect.target {
        RedirectTarget::Path {
            path,
            relative: false,
            keep_query,
            keep_port,
        } => {
            filter.path = Some(full_path(path)?);
            // That of the path `/` alone keeps the port.
            let given_up = if *keep_port {
                Some(
                    "leaves the query of the request out of `Location`, which is kept now, and it redirects `//` too",
                )
            } else {
                keeps_query
            };
            (path.as_str(), given_up.filter(|_| !keep_query))
        }
        RedirectTarget::Location(url) => {
            let (scheme, rest) = url.split_once("://")?;
            filter.scheme = Some(match scheme {
                "http" => Scheme::Http,
                "https" => Scheme::Https,
                _ => return None,
            });
            let (host, path) = match rest.find('/') {
                Some(at) => rest.split_at(at),
                None => (rest, "/"),
            };
            filter.hostname = Some(host.to_owned()).filter(|host| is_dns_subdomain(host));
            filter.hostname.as_ref()?;
            filter.path = Some(full_path(path)?);
            (url.as_str(), keeps_query)
        }
        RedirectTarget::Host(hostname) if is_dns_subdomain(hostname) => {
            filter.hostname = Some(hostname.clone());
            let given_up = "leaves one final slash out of `Location`, which is kept now";
            (hostname.as_str(), Some(given_up))
        }
        _ => return None,
    };
    let found = given_up.map(|given_up| {
        Diagnostic::new(
            Code::RedirectSimplified,
            format!("the redirect to `{target}` is a RequestRedirect; ingress-nginx {given_up}"),
        )
    });
    CODES.contains(&redirect.code).then_some((filter, found))
}

/// A path that Gateway API and Envoy take as it is.
fn full_path(path: &str) -> Option<HttpRouteRulesFiltersRequestRedirectPath> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-._~".contains(&b);
    let fits = path.starts_with('/') && path.len() <= MAX_PATH && path.bytes().all(plain);
    fits.then(|| HttpRouteRulesFiltersRequestRedirectPath {
        r#type: HttpRouteRulesFiltersRequestRedirectPathType::ReplaceFullPath,
        replace_full_path: Some(path.to_owned()),
        replace_prefix_match: None,
    })
}

/// The `Location` of a URL in which `$1` … stand for captures, with the query of the request.
fn captured_url(pattern: &str, url: &str) -> Option<String> {
    let re2 = Pattern::parse(pattern)
        .ok()?
        .to_re2()
        .ok()?
        .for_encoded_path();
    let (scheme, rest) = match url.strip_prefix("$scheme") {
        Some(rest) => (SCHEME, rest),
        None => ("", url),
    };
    let substitution = re2.substitution(rest).ok()?;
    let rest = match substitution.as_literal() {
        Some(text) => literal(&text),
        None => captured(&re2.rewrite_pattern(), &substitution.to_re2())?,
    };
    Some(format!("{scheme}{rest}{QUERY}"))
}

/// Exactly this `Location`, as nginx's `return` has it: nothing of the request is appended.
fn location(emitter: &mut Emitter<'_>, owner: &Owner, name: &str, code: u16, value: &str) -> Deed {
    let spec = HttpRouteFilterSpec {
        direct_response: Some(DirectResponse {
            status_code: code,
            content_type: None,
            body: None,
            header: Some(HeaderModifier {
                set: vec![HeaderValue::new("Location", value)],
                ..HeaderModifier::default()
            }),
        }),
        url_rewrite: None,
    };
    let comment = format!("answers {code} with this Location");
    let name = if name.starts_with("to-https") {
        name.to_owned()
    } else {
        format!("{name}-redirect")
    };
    let filter = emitter.filter(owner, &name, spec, comment);
    Deed {
        filters: vec![filter::extension(&filter)],
        backends: Vec::new(),
    }
}

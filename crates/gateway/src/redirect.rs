//! Redirects.

use gatewright_diagnostics::{Code, Diagnostic};
use gatewright_model::pattern::Pattern;
use gatewright_model::{Owner, Redirect, RedirectTarget};

use crate::emit::Emitter;
use crate::envoy::{DirectResponse, HeaderModifier, HeaderValue, HttpRouteFilterSpec};
use crate::filter;
use crate::formatter::{
    AUTHORITY, HOST, PATH, PATH_WITHOUT_SLASH, QUERY, SCHEME, captured, literal,
};
use crate::rule::Deed;

/// What a redirect rule does; `None` when nothing can be written.
pub(crate) fn deed(
    emitter: &mut Emitter<'_>,
    owner: &Owner,
    redirect: &Redirect,
    name: &str,
) -> Option<Deed> {
    let code = redirect.code;
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
    let (path, name) = if wanted.keep_slash {
        (PATH, "to-https-slash")
    } else {
        (PATH_WITHOUT_SLASH, "to-https")
    };
    let port = if wanted.name_port { ":443" } else { "" };
    let value = format!("https://{HOST}{port}{path}");
    location(emitter, owner, name, wanted.code, &value)
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

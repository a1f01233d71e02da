//! Auth services, of an Ingress itself or of the controller's `ConfigMap`.

use std::collections::BTreeMap;

use gatewright_diagnostics::{Code, Diagnostic, Outcome, Severity};
use gatewright_model::{Authorizer, Backend, Origin, Part, Protocol, Target};
use gatewright_source::{Span, Spanned};

use super::question::served::{self, Known};
use super::{PolicyInput, PolicyOutput, question};
use crate::annotations::parse_url;
use crate::effective::Source;

/// The keys that are carried over. `auth-snippet` is not: what it does is unknown.
pub(crate) const KEYS: &[&str] = &[
    "auth-url",
    "auth-method",
    "auth-signin",
    "auth-signin-redirect-param",
    "auth-response-headers",
    "auth-proxy-set-headers",
    "auth-request-redirect",
    "auth-always-set-cookie",
    "auth-cache-key",
    "auth-cache-duration",
    "enable-global-auth",
];

/// What clients send that an auth service may want to see, beyond what is made for it.
const CLIENT_HEADERS: &[&str] = &[
    "Accept",
    "Accept-Language",
    "Content-Type",
    "Cookie",
    "Origin",
    "Referer",
    "User-Agent",
    "X-Api-Key",
    "X-Csrf-Token",
    "X-Forwarded-For",
    "X-Real-IP",
    "X-Request-ID",
    "X-Requested-With",
];

/// The settings of an Ingress, or those of the controller.
struct Asked<'a> {
    /// Of the controller: there is no annotation to point at.
    global: bool,
    url: (&'a str, Span),
    method: Option<(&'a str, Span)>,
    signin: Option<(&'a str, Span)>,
    parameter: Option<&'a str>,
    response_headers: &'a [String],
    response_span: Span,
    request_redirect: Option<(&'a str, Span)>,
    cache_key: Option<(&'a str, Span)>,
    always_set_cookie: Option<Span>,
}

impl<'a> Asked<'a> {
    fn new(input: &'a PolicyInput<'_>) -> Option<Self> {
        fn text(value: Option<&Spanned<String>>) -> Option<(&str, Span)> {
            value
                .filter(|value| !value.value.is_empty())
                .map(|value| (value.value.as_str(), value.span))
        }
        if let Some(auth) = &input.settings.auth_external {
            return Some(Self {
                global: false,
                url: (&auth.url.value, auth.url.span),
                method: text(auth.method.as_ref()),
                signin: text(auth.signin.as_ref()),
                parameter: text(auth.signin_redirect_param.as_ref()).map(|(text, _)| text),
                response_headers: auth
                    .response_headers
                    .as_ref()
                    .map_or(&[], |names| &names.value),
                response_span: auth
                    .response_headers
                    .as_ref()
                    .map_or(auth.url.span, |names| names.span),
                request_redirect: text(auth.request_redirect.as_ref()),
                cache_key: text(auth.cache_key.as_ref()),
                always_set_cookie: auth
                    .always_set_cookie
                    .as_ref()
                    .filter(|flag| flag.value)
                    .map(|flag| flag.span),
            });
        }
        let (config, span) = (input.config, input.name_span);
        if config.global_auth_url.is_empty() || !input.settings.enable_global_auth() {
            return None;
        }
        let text = |text: &'a String| (!text.is_empty()).then_some((text.as_str(), span));
        Some(Self {
            global: true,
            url: (&config.global_auth_url, span),
            method: text(&config.global_auth_method),
            signin: text(&config.global_auth_signin),
            parameter: text(&config.global_auth_signin_redirect_param).map(|(text, _)| text),
            response_headers: &config.global_auth_response_headers,
            response_span: span,
            request_redirect: text(&config.global_auth_request_redirect),
            cache_key: text(&config.global_auth_cache_key),
            always_set_cookie: config.global_auth_always_set_cookie.then_some(span),
        })
    }

    fn origin(&self, input: &PolicyInput<'_>, key: &'static str, span: Span) -> Origin {
        if self.global {
            Origin::field(input.owner, span)
        } else {
            input.origin(key, span)
        }
    }

    fn tell(
        &self,
        input: &PolicyInput<'_>,
        out: &mut PolicyOutput,
        (key, span): (&'static str, Span),
        refused: bool,
        diagnostic: Diagnostic,
    ) {
        let diagnostic = diagnostic.at(span);
        match (self.global, refused) {
            (true, _) => out
                .diagnostics
                .push(diagnostic.object(input.object).note(format!(
                    "`global-{key}` of the controller's ConfigMap asks for it"
                ))),
            (false, true) => out.refused(input, key, diagnostic),
            (false, false) => out.differs(input, key, diagnostic),
        }
    }
}

/// What the annotations, or the controller's settings, make of it.
pub(crate) fn lower(input: &PolicyInput<'_>, out: &mut PolicyOutput) {
    if let Some(lost) = &input.settings.auth_lost {
        super::opening(input, out, lost.value, lost.span);
        return;
    }
    let Some(asked) = Asked::new(input) else {
        return;
    };
    let origin = asked.origin(input, "auth-url", asked.url.1);
    let found = parse_url(asked.url.0)
        .map_err(|fault| fault.message)
        .and_then(|url| {
            if url.rest.contains('$') {
                return Err("variables cannot be carried over".to_owned());
            }
            if !url.rest.bytes().all(|b| b.is_ascii_graphic()) {
                return Err(
                    "its path holds blanks or other characters that need escapes".to_owned(),
                );
            }
            let protocol = match url.scheme {
                "http" => Protocol::Http,
                "https" => Protocol::Https,
                other => return Err(format!("`{other}` is neither `http` nor `https`")),
            };
            if question::names_service(&url) {
                let (namespace, target) = question::service(&url, input.objects)?;
                return Ok((url, protocol, namespace, target));
            }
            let known = Known {
                effective: input.effective,
                sources: input.sources,
                config: input.config,
                objects: input.objects,
            };
            let (namespace, target) = served::service(&url, input.ingress, known)?;
            // What TLS there was ended at the controller.
            Ok((url, Protocol::Http, namespace, target))
        });
    let (url, protocol, namespace, target) = match found {
        Ok(found) => found,
        Err(why) => {
            let diagnostic = Diagnostic::new(
                Code::AuthUrl,
                format!("the auth service `{}` cannot be asked, so the paths answer 503", asked.url.0),
            )
            .note(why)
            .note("Envoy asks a fixed service of the cluster, with the `Host` of the request; another host might answer 200 to anything")
            .help("name the Service: `http://NAME.NAMESPACE.svc.cluster.local/PATH`; if it stands behind an Ingress, convert that together with this one; if outside of the cluster, put a proxy in front of it that sets `Host`");
            asked.tell(input, out, ("auth-url", asked.url.1), true, diagnostic);
            out.refuse("the auth service cannot be asked", false, origin);
            return;
        }
    };
    let Some(headers) = headers(input, &asked, out) else {
        return;
    };
    let behind = match &target {
        Target::Service { name, .. } if !question::names_service(&url) => Some(format!(
            "it is asked by way of Service {namespace}/{name}, which serves that URL"
        )),
        _ => None,
    };
    differences(input, &asked, behind, out);
    let mut client_headers: Vec<String> = CLIENT_HEADERS.iter().map(ToString::to_string).collect();
    client_headers.extend(asked.response_headers.iter().cloned());
    if let Some((key, _)) = asked.cache_key {
        client_headers.extend(question::header_variables(key));
    }
    let mut response_headers: Vec<String> = Vec::new();
    for name in asked.response_headers {
        if !response_headers
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
        {
            response_headers.push(name.clone());
        }
    }
    let sign_in = sign_in(input, &asked, out);
    out.policies_mut().authorizer = Some(Box::new(Authorizer {
        backend: Backend {
            namespace,
            target,
            protocol,
            tls: None,
            balance: None,
            service_address: false,
            origin: origin.clone(),
        },
        host: url.host.to_owned(),
        path: question::path(&url),
        headers,
        client_headers,
        response_headers,
        sign_in,
        origin,
    }));
}

/// The headers that are made for the question; nothing when one cannot be.
fn headers(
    input: &PolicyInput<'_>,
    asked: &Asked<'_>,
    out: &mut PolicyOutput,
) -> Option<Vec<(String, Vec<Part>)>> {
    let literal = |text: &str| Part::Literal(text.to_owned());
    let printable = |text: &str| text.bytes().all(|b| (b' '..=b'~').contains(&b));
    if let Some((text, span)) = asked.request_redirect
        && !printable(text)
    {
        unset(
            input,
            asked,
            out,
            ("auth-request-redirect", span),
            "it holds characters that no header may have",
        );
        return None;
    }
    let redirect = match asked.request_redirect {
        Some((text, _)) => vec![literal(text)],
        None => vec![Part::Target],
    };
    let mut headers = vec![
        ("X-Auth-Request-Redirect".to_owned(), redirect),
        ("X-Original-Method".to_owned(), vec![Part::Method]),
        (
            "X-Original-URL".to_owned(),
            vec![Part::Scheme, literal("://"), Part::Authority, Part::Target],
        ),
        (
            "X-Sent-From".to_owned(),
            vec![literal("nginx-ingress-controller")],
        ),
    ];
    if asked.method.is_some() {
        headers.push(("X-Original-URI".to_owned(), vec![Part::Target]));
        headers.push(("X-Scheme".to_owned(), vec![Part::Scheme]));
    }
    let own = input.settings.auth_external.as_ref();
    let Some(reference) = own.and_then(|auth| auth.proxy_set_headers.as_ref()) else {
        return Some(headers);
    };
    let (namespace, name) = (&reference.value.namespace, &reference.value.name);
    let map = input
        .objects
        .config_maps
        .iter()
        .find(|((ns, n), _)| **ns == **namespace && **n == **name);
    let mut why = None;
    match map {
        None => {
            why = Some(format!(
                "ConfigMap {namespace}/{name} is not among the input objects"
            ));
        }
        Some((_, map)) => {
            for (key, value, _) in &map.data {
                let is_name = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
                if key.is_empty() || !key.bytes().all(is_name) {
                    why = Some(format!("`{key}` is no header name"));
                    break;
                }
                match question::parts(value) {
                    Ok(parts) if printable(value) && !parts.is_empty() => {
                        headers.retain(|(known, _)| !known.eq_ignore_ascii_case(key));
                        headers.push((key.to_string(), parts));
                    }
                    Ok(_) => why = Some(format!("`{key}` has no value that a header may have")),
                    Err(variable) => {
                        why = Some(format!("`{key}` holds the nginx variable `${variable}`"));
                    }
                }
            }
        }
    }
    let Some(why) = why else { return Some(headers) };
    unset(
        input,
        asked,
        out,
        ("auth-proxy-set-headers", reference.span),
        &why,
    );
    None
}

/// A header of the question cannot be set.
fn unset(
    input: &PolicyInput<'_>,
    asked: &Asked<'_>,
    out: &mut PolicyOutput,
    (key, span): (&'static str, Span),
    why: &str,
) {
    let diagnostic = Diagnostic::new(
        Code::AuthHeaders,
        "headers for the auth service cannot be set, so the paths answer 503",
    )
    .note(why)
    .help("add the ConfigMap to the input, and use literal values");
    asked.tell(input, out, (key, span), true, diagnostic);
    out.refuse(
        "headers for the auth service cannot be set",
        false,
        asked.origin(input, key, span),
    );
}

/// Where clients go in place of a 401.
fn sign_in(
    input: &PolicyInput<'_>,
    asked: &Asked<'_>,
    out: &mut PolicyOutput,
) -> Option<Vec<Part>> {
    let (url, span) = asked.signin?;
    let parameter = asked.parameter.unwrap_or("rd");
    let full = question::sign_in(url, parameter);
    let parts = if full.bytes().all(|b| b.is_ascii_graphic()) {
        question::parts(&full)
    } else {
        Err("escape for blanks".to_owned())
    };
    let diagnostic = match &parts {
        Ok(parts) if parts.contains(&Part::EscapedTarget) => Diagnostic::new(
            Code::AuthSignIn,
            "the way back from the sign-in page is not escaped",
        )
        .note("a query of the request is cut at its first `&` by a page that reads the parameter"),
        Ok(_) => return parts.ok(),
        Err(variable) => Diagnostic::new(
            Code::AuthSignIn,
            format!("the sign-in page cannot be named: Envoy has no counterpart of `{variable}`"),
        )
        .note("clients get the 401 of the auth service instead of a redirect")
        .help("name the sign-in page without that variable"),
    };
    asked.tell(input, out, ("auth-signin", span), false, diagnostic);
    parts.ok()
}

fn differences(
    input: &PolicyInput<'_>,
    asked: &Asked<'_>,
    behind: Option<String>,
    out: &mut PolicyOutput,
) {
    let question = |message: &str| Diagnostic::new(Code::AuthQuestion, message);
    let mut about = question("the auth service is asked with the method and `Host` of the request");
    about.notes.extend(behind);
    asked.tell(
        input,
        out,
        ("auth-url", asked.url.1),
        false,
        about
            .note("only status 200 lets a request pass, not any 2xx, and clients that may pass get no cookie from the auth service")
            .note("it gets the usual headers of a request, not all of them")
            .note("backends of other Ingresses on the Gateway get `X-Original-URL` and its kin too")
            .help("let the auth service answer 200 to any method, and read `X-Original-Method` and `X-Original-URL`"),
    );
    if asks_oauth2_proxy(asked.url.0) {
        let diagnostic = question(
            "oauth2-proxy answers 202 at `/oauth2/auth`, where only 200 lets a request pass: nobody gets in",
        )
        .severity(Severity::Error)
        .help("start it with `--upstream=static://200` and ask for `/` in place of `/oauth2/auth`; with `--accept`, if it is another service that answers 200");
        asked.tell(input, out, ("auth-url", asked.url.1), false, diagnostic);
    }
    if let Some((method, span)) = asked.method {
        let diagnostic = question(&format!(
            "the auth service is asked with the method of the request, not with {method}"
        ))
        .help("let the auth service accept any method");
        asked.tell(input, out, ("auth-method", span), false, diagnostic);
    }
    if let Some((_, span)) = asked.cache_key {
        let diagnostic = Diagnostic::new(
            Code::AuthCache,
            "answers of the auth service are not cached",
        )
        .note("it is asked about every request");
        asked.tell(input, out, ("auth-cache-key", span), false, diagnostic);
        if !asked.global {
            let outcome = Outcome::Difference(Code::AuthCache);
            out.outcomes.push(("auth-cache-duration", outcome));
        }
    }
    if let Some(span) = asked.always_set_cookie {
        let diagnostic = Diagnostic::new(
            Code::AuthCookies,
            "cookies of the auth service reach the client only when it refuses",
        );
        asked.tell(
            input,
            out,
            ("auth-always-set-cookie", span),
            false,
            diagnostic,
        );
    }
    if !asked.response_headers.is_empty() {
        let mut diagnostic = Diagnostic::new(
            Code::AuthResponseHeaders,
            "a request with one of these headers reaches the backend without any of them",
        )
        .note("ingress-nginx gives the backend those of the auth service");
        let has = |name: &str| {
            let mut names = asked.response_headers.iter();
            names.any(|known| known.eq_ignore_ascii_case(name))
        };
        if has("authorization") {
            diagnostic = diagnostic
                .severity(Severity::Warning)
                .help("leave `Authorization` out of the list if clients that send it must reach the backend with it");
        }
        let at = ("auth-response-headers", asked.response_span);
        asked.tell(input, out, at, false, diagnostic);
    }
}

/// Whether it is the path at which oauth2-proxy is asked by default.
fn asks_oauth2_proxy(url: &str) -> bool {
    let bare = url.split(['?', '#']).next().unwrap_or_default();
    bare.trim_end_matches('/').ends_with("/oauth2/auth")
}

/// Headers of the question are set for all Ingresses together: who wants another value of one
/// is refused.
pub(crate) fn reconcile(
    sources: &[Source<'_>],
    outputs: &mut [PolicyOutput],
    diagnostics: &mut Vec<Diagnostic>,
) {
    let mut known: BTreeMap<String, (Vec<Part>, String)> = BTreeMap::new();
    for (source, output) in sources.iter().zip(outputs) {
        let Some(authorizer) = &output.policies.authorizer else {
            continue;
        };
        let clash = authorizer.headers.iter().find_map(|(name, value)| {
            let (other, of) = known.get(&name.to_ascii_lowercase())?;
            (other != value).then(|| (name, of.clone()))
        });
        let Some((name, of)) = clash else {
            for (name, value) in &authorizer.headers {
                known
                    .entry(name.to_ascii_lowercase())
                    .or_insert_with(|| (value.clone(), source.ingress.object.to_string()));
            }
            continue;
        };
        let origin = authorizer.origin.clone();
        let mut diagnostic = Diagnostic::new(
            Code::AuthHeaders,
            format!(
                "{of} sends the auth service another `{name}`, so the paths answer 503"
            ),
        )
        .object(&source.ingress.object)
        .at(origin.span)
        .note("the header is set for a whole listener; the Ingress that ingress-nginx reads first decides")
        .help("use one value everywhere, or convert the Ingresses apart with a Gateway each");
        if let Some(key) = origin.annotation {
            diagnostic = diagnostic.annotation(key);
            output
                .outcomes
                .insert(0, (key, Outcome::Refused(Code::AuthHeaders)));
        }
        // Nobody is asked any more, in whatever way.
        diagnostics.retain(|found| {
            found.code != Code::AuthQuestion || found.object.as_ref() != diagnostic.object.as_ref()
        });
        diagnostics.push(diagnostic);
        output.refuse("headers for the auth service clash", false, origin);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{codes, lower};
    use super::*;

    const URL: (&str, &str) = ("auth-url", "http://gate.auth.svc.cluster.local:4180/v?a=1");

    #[test]
    fn a_service_is_asked() {
        let out = lower(&[
            URL,
            (
                "auth-signin",
                "https://login/start?rd=https://$host$request_uri",
            ),
            ("auth-response-headers", "X-User,x-user"),
            ("auth-cache-key", "$http_x_session"),
        ]);
        let asked = out.policies.authorizer.as_ref().unwrap();
        assert_eq!(asked.path, "/v?a=1");
        assert_eq!(&*asked.backend.namespace, "auth");
        assert_eq!(asked.response_headers, ["X-User"]);
        assert!(asked.client_headers.contains(&"x-session".to_owned()));
        assert_eq!(asked.sign_in.as_ref().map(Vec::len), Some(3));
        assert!(out.refusal.is_none());
        assert_eq!(
            codes(&out),
            [
                Code::AuthQuestion,
                Code::AuthCache,
                Code::AuthResponseHeaders
            ]
        );
    }

    #[test]
    fn what_cannot_be_asked_is_refused() {
        for (pairs, code) in [
            (
                &[("auth-url", "https://$host/oauth2/auth")][..],
                Code::AuthUrl,
            ),
            (&[("auth-url", "https://auth.example.com/")], Code::AuthUrl),
            (
                &[URL, ("auth-proxy-set-headers", "shop/h")],
                Code::AuthHeaders,
            ),
            (&[URL, ("auth-always-set-cookie", "yes")], Code::AuthOpening),
        ] {
            let out = lower(pairs);
            assert!(out.policies.authorizer.is_none(), "{pairs:?}");
            assert!(
                out.refusal.as_ref().is_some_and(|r| !r.faithful),
                "{pairs:?}"
            );
            assert_eq!(codes(&out), [code], "{pairs:?}");
        }
        let empty = lower(&[("auth-url", "")]);
        assert!(empty.refusal.is_none() && empty.diagnostics.is_empty());
    }
}

//! Auth services.
//!
//! `internal/ingress/annotations/{authreq,authreqglobal}` of ingress-nginx. The group is
//! read only with `auth-url`. Three of its keys switch the whole authentication off when
//! their value is faulty (`auth-request-redirect`, `auth-always-set-cookie`,
//! `auth-cache-duration`): that is reported as an error.

use gatewright_diagnostics::Code;
use gatewright_source::Spanned;

use super::reference::parse_url;
use super::{Keys, Reference, Settings, snippets};
use crate::registry::{
    Around, BASIC, Blanks, ByteSet, Carried, EXTENDED, EmptyValue, Entry, Grammar, GrammarFault,
    HEADERS, Invalid, Risk, URL, URL_VARIABLES, VARIABLES,
};

/// Authentication by a service that is asked for every request.
#[derive(Clone, Debug)]
pub struct AuthExternal {
    /// The service; may hold variables. [`parse_url`] takes it apart.
    pub url: Spanned<String>,
    /// The method of the question: GET unless set, and then without two headers.
    pub method: Option<Spanned<String>>,
    /// Where clients go that get 401.
    pub signin: Option<Spanned<String>>,
    /// The parameter in which that page gets the way back; `rd` unless set.
    pub signin_redirect_param: Option<Spanned<String>>,
    /// Headers of the answer that the backend gets.
    pub response_headers: Option<Spanned<Vec<String>>>,
    /// The `ConfigMap` with headers of the question.
    pub proxy_set_headers: Option<Spanned<Reference>>,
    /// What the service gets as `X-Auth-Request-Redirect`; the request URI unless set.
    pub request_redirect: Option<Spanned<String>>,
    /// Pass cookies of the answer with any status.
    pub always_set_cookie: Option<Spanned<bool>>,
    /// The key under which answers are cached; they are not without it.
    pub cache_key: Option<Spanned<String>>,
    /// How long, for which status codes.
    pub cache_duration: Option<Spanned<Vec<String>>>,
    /// Idle connections that are kept to the service.
    pub keepalive: Option<Spanned<i64>>,
    /// Raw nginx configuration of the question.
    pub snippet: Option<Spanned<String>>,
}

const GROUP: &str = "ExternalAuth";

const AUTH: Entry = Entry {
    group: GROUP,
    protective: true,
    ..Entry::BASE
};

const KEEPALIVE: Entry = Entry {
    protective: false,
    ..AUTH
};

/// The entries of the family.
pub static ENTRIES: &[Entry] = &[
    Entry {
        key: "auth-url",
        grammar: Grammar::LooseText(URL_VARIABLES),
        invalid: Invalid::Reject,
        empty: EmptyValue::DropGroup,
        risk: Risk::High,
        configmap_key: Some("global-auth-url"),
        summary: "asks this URL about every request: 2xx lets it pass, 401 and 403 are passed on, anything else is answered with 500",
        target: "SecurityPolicy `extAuth.http` with the Service that the URL names",
        difference: "the service gets the method and `Host` of the request and a fixed list of its headers, and only 200 lets it pass; a URL behind an Ingress of the input is asked by way of its Service; one outside of the cluster or with variables other than `$host` is refused: the paths answer 503",
        carried: Carried::Differently,
        codes: &[Code::AuthQuestion, Code::AuthUrl, Code::AuthHeaders],
        example: "http://authelia.auth.svc.cluster.local/api/verify",
        ..AUTH
    },
    Entry {
        key: "auth-method",
        grammar: Grammar::OneOf {
            words: &[
                "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE",
            ],
            exact_case: true,
            blanks: Blanks::Removed,
        },
        default: "GET",
        invalid: Invalid::Deny,
        configmap_key: Some("global-auth-method"),
        summary: "is the method with which the auth service is asked",
        target: "nothing: the method of the request is used",
        difference: "the auth service sees the method of the request, and `X-Original-Method`",
        carried: Carried::LeftOut,
        codes: &[Code::AuthQuestion],
        example: "GET",
        around: Around {
            annotations: &[(
                "auth-url",
                "http://authelia.auth.svc.cluster.local/api/verify",
            )],
            ..Around::NOTHING
        },
        ..AUTH
    },
    Entry {
        key: "auth-signin",
        grammar: Grammar::LooseText(URL_VARIABLES),
        risk: Risk::High,
        configmap_key: Some("global-auth-signin"),
        summary: "redirects clients that get 401 to this page, with the way back as parameter",
        target: "BackendTrafficPolicy `responseOverride` of the 401 with 302 and `Location`",
        difference: "the way back is not escaped; a URL with variables that Envoy does not know is left out, and clients get the 401",
        carried: Carried::Differently,
        codes: &[Code::AuthSignIn],
        example: "https://auth.example.com/oauth2/start",
        around: Around {
            annotations: &[(
                "auth-url",
                "http://authelia.auth.svc.cluster.local/api/verify",
            )],
            ..Around::NOTHING
        },
        ..AUTH
    },
    Entry {
        key: "auth-signin-redirect-param",
        grammar: Grammar::LooseText(URL),
        default: "rd",
        risk: Risk::Medium,
        configmap_key: Some("global-auth-signin-redirect-param"),
        summary: "is the name of the parameter with the way back",
        target: "the query of that `Location`",
        example: "next",
        around: Around {
            annotations: &[
                (
                    "auth-url",
                    "http://authelia.auth.svc.cluster.local/api/verify",
                ),
                ("auth-signin", "https://auth.example.com/oauth2/start"),
            ],
            ..Around::NOTHING
        },
        ..AUTH
    },
    Entry {
        key: "auth-response-headers",
        grammar: Grammar::LooseText(HEADERS),
        invalid: Invalid::Deny,
        risk: Risk::Medium,
        configmap_key: Some("global-auth-response-headers"),
        summary: "names headers of the auth service's answer that the backend gets; clients cannot send them",
        target: "SecurityPolicy `extAuth.http.headersToBackend`, and rules for requests that bring one of them",
        difference: "a request that brings one of them reaches the backend without any of them",
        carried: Carried::Differently,
        codes: &[Code::AuthResponseHeaders],
        example: "X-Auth-Request-User,X-Auth-Request-Email",
        around: Around {
            annotations: &[(
                "auth-url",
                "http://authelia.auth.svc.cluster.local/api/verify",
            )],
            ..Around::NOTHING
        },
        ..AUTH
    },
    Entry {
        key: "auth-proxy-set-headers",
        grammar: Grammar::LooseText(BASIC),
        risk: Risk::Medium,
        summary: "names a ConfigMap `namespace/name` with headers for the auth service",
        target: "ClientTrafficPolicy `headers.earlyRequestHeaders`",
        difference: "they are set for whole listeners: another value for another Ingress, a ConfigMap that is not in the input or an unknown variable makes the paths answer 503",
        codes: &[Code::AuthHeaders],
        example: "shop/auth-headers",
        around: Around {
            annotations: &[(
                "auth-url",
                "http://authelia.auth.svc.cluster.local/api/verify",
            )],
            ..Around::NOTHING
        },
        ..AUTH
    },
    Entry {
        key: "auth-request-redirect",
        grammar: Grammar::LooseText(URL),
        default: "the request URI",
        invalid: Invalid::DropGroup,
        risk: Risk::Medium,
        configmap_key: Some("global-auth-request-redirect"),
        summary: "is what the auth service gets as `X-Auth-Request-Redirect`; a faulty value leaves the paths without authentication",
        target: "ClientTrafficPolicy `headers.earlyRequestHeaders`",
        difference: "a faulty value does not open the paths: they answer 503",
        codes: &[Code::AuthOpening],
        example: "/home",
        around: Around {
            annotations: &[(
                "auth-url",
                "http://authelia.auth.svc.cluster.local/api/verify",
            )],
            ..Around::NOTHING
        },
        ..AUTH
    },
    Entry {
        key: "auth-always-set-cookie",
        grammar: Grammar::Bool,
        default: "false",
        invalid: Invalid::DropGroup,
        configmap_key: Some("global-auth-always-set-cookie"),
        summary: "passes cookies of the auth service to the client whatever the status; a faulty value leaves the paths without authentication",
        target: "nothing",
        difference: "cookies of the auth service reach the client only when it refuses; a faulty value does not open the paths: they answer 503",
        carried: Carried::LeftOut,
        codes: &[Code::AuthCookies, Code::AuthOpening],
        example: "true",
        around: Around {
            annotations: &[(
                "auth-url",
                "http://authelia.auth.svc.cluster.local/api/verify",
            )],
            ..Around::NOTHING
        },
        ..AUTH
    },
    Entry {
        key: "auth-cache-key",
        grammar: Grammar::LooseText(VARIABLES),
        risk: Risk::Medium,
        configmap_key: Some("global-auth-cache-key"),
        summary: "caches answers of the auth service under this key",
        target: "nothing",
        difference: "there is no cache: the auth service is asked about every request",
        carried: Carried::LeftOut,
        codes: &[Code::AuthCache],
        example: "$remote_user$http_authorization",
        around: Around {
            annotations: &[(
                "auth-url",
                "http://authelia.auth.svc.cluster.local/api/verify",
            )],
            ..Around::NOTHING
        },
        ..AUTH
    },
    Entry {
        key: "auth-cache-duration",
        grammar: Grammar::Text(EXTENDED),
        default: "200 202 401 5m",
        invalid: Invalid::DropGroup,
        risk: Risk::Medium,
        configmap_key: Some("global-auth-cache-duration"),
        summary: "says for which status codes and how long answers are cached; wrong characters leave the paths without authentication, a wrong form answers 503",
        target: "nothing",
        difference: "there is no cache: the auth service is asked about every request; a faulty value does not open the paths: they answer 503",
        carried: Carried::LeftOut,
        codes: &[Code::AuthCache, Code::AuthOpening],
        example: "200 202 10m, 401 5m",
        around: Around {
            annotations: &[
                (
                    "auth-url",
                    "http://authelia.auth.svc.cluster.local/api/verify",
                ),
                ("auth-cache-key", "$remote_user$http_authorization"),
            ],
            ..Around::NOTHING
        },
        ..AUTH
    },
    Entry {
        key: "auth-keepalive",
        grammar: Grammar::Int,
        default: "0",
        summary: "is the number of idle connections kept to the auth service; without effect while HTTP/2 is on",
        target: "nothing: Envoy always keeps connections open",
        carried: Carried::Needless,
        example: "16",
        around: Around {
            annotations: &[(
                "auth-url",
                "http://authelia.auth.svc.cluster.local/api/verify",
            )],
            ..Around::NOTHING
        },
        ..KEEPALIVE
    },
    Entry {
        key: "auth-keepalive-requests",
        grammar: Grammar::Int,
        default: "1000",
        summary: "is the number of requests on one of these connections",
        target: "nothing: Envoy always keeps connections open",
        carried: Carried::Needless,
        example: "1000",
        around: Around {
            annotations: &[
                (
                    "auth-url",
                    "http://authelia.auth.svc.cluster.local/api/verify",
                ),
                ("auth-keepalive", "16"),
            ],
            ..Around::NOTHING
        },
        ..KEEPALIVE
    },
    Entry {
        key: "auth-keepalive-timeout",
        grammar: Grammar::Int,
        default: "60",
        summary: "is the number of seconds an idle one is kept",
        target: "nothing: Envoy always keeps connections open",
        carried: Carried::Needless,
        example: "60",
        around: Around {
            annotations: &[
                (
                    "auth-url",
                    "http://authelia.auth.svc.cluster.local/api/verify",
                ),
                ("auth-keepalive", "16"),
            ],
            ..Around::NOTHING
        },
        ..KEEPALIVE
    },
    Entry {
        key: "auth-keepalive-share-vars",
        grammar: Grammar::Bool,
        default: "false",
        summary: "shares variables between the request and the question to the auth service",
        target: "nothing: Envoy has no variables",
        carried: Carried::Needless,
        example: "true",
        around: Around {
            annotations: &[
                (
                    "auth-url",
                    "http://authelia.auth.svc.cluster.local/api/verify",
                ),
                ("auth-keepalive", "16"),
            ],
            ..Around::NOTHING
        },
        ..KEEPALIVE
    },
    Entry {
        key: "auth-snippet",
        risk: Risk::Critical,
        configmap_key: Some("global-auth-snippet"),
        summary: "is nginx configuration for the question to the auth service",
        target: "nothing",
        difference: "what it does is unknown: the paths answer 503",
        carried: Carried::Refused,
        codes: &[Code::ProtectionRefused],
        example: "proxy_set_header X-Realm shop;",
        around: Around {
            annotations: &[(
                "auth-url",
                "http://authelia.auth.svc.cluster.local/api/verify",
            )],
            config: &[
                ("allow-snippet-annotations", "true"),
                ("annotations-risk-level", "Critical"),
            ],
            ..Around::NOTHING
        },
        ..AUTH
    },
    Entry {
        key: "enable-global-auth",
        group: "EnableGlobalAuth",
        grammar: Grammar::Bool,
        default: "true",
        summary: "says whether `global-auth-url` of the controller's ConfigMap holds for the paths",
        target: "SecurityPolicy `extAuth.http` on the route, or none for `false`",
        example: "false",
        around: Around {
            config: &[(
                "global-auth-url",
                "http://authelia.auth.svc.cluster.local/api/verify",
            )],
            ..Around::NOTHING
        },
        ..Entry::BASE
    },
];

pub(crate) fn parse(keys: &mut Keys<'_>, settings: &mut Settings) {
    settings.enable_global_auth = keys.flag("enable-global-auth");
    let auth = read(keys);
    if let Some(cause) = keys.take_dropped() {
        settings.note_lost(keys, cause);
        keys.drop_group(GROUP, cause);
        return;
    }
    if auth.is_none() {
        let reason = if keys.has("auth-url") {
            "`auth-url` cannot be used"
        } else {
            "`auth-url` is not set, so nobody is asked"
        };
        keys.ignore_rest(GROUP, reason);
    }
    settings.auth_external = auth.map(Box::new);
}

fn read(keys: &mut Keys<'_>) -> Option<AuthExternal> {
    let (at, value) = keys.value("auth-url")?;
    let text = value.trim();
    let url = Spanned::new(text.to_owned(), keys.value_span(at));
    let variable_host = match parse_url(text) {
        Ok(url) => url.host.contains('$'),
        Err(fault) => {
            keys.fail(at, Invalid::Deny, fault);
            return None;
        }
    };
    let method = keys.text("auth-method");
    let signin = keys.text("auth-signin");
    let signin_redirect_param = keys.text("auth-signin-redirect-param");
    if signin.is_none() {
        keys.ignore("auth-signin-redirect-param", "`auth-signin` is not set");
    }
    let keepalive = keepalive(keys, variable_host);
    let always_set_cookie = keys.flag("auth-always-set-cookie");
    if keys.gives_up() {
        return None;
    }
    let cache_key = keys.text("auth-cache-key");
    let cache_duration = cache_duration(keys);
    if keys.gives_up() {
        return None;
    }
    if cache_key.is_none() && cache_duration.is_some() {
        keys.ignore(
            "auth-cache-duration",
            "`auth-cache-key` is not set, so nothing is cached",
        );
    }
    let auth = AuthExternal {
        url,
        method,
        signin,
        signin_redirect_param,
        response_headers: header_names(keys),
        proxy_set_headers: keys.reference("auth-proxy-set-headers", true),
        request_redirect: keys.text("auth-request-redirect"),
        always_set_cookie,
        cache_key,
        cache_duration,
        keepalive,
        snippet: snippets::text(keys, "auth-snippet"),
    };
    (!keys.gives_up()).then_some(auth)
}

/// Connections are kept only when all three numbers are positive and the host is fixed.
fn keepalive(keys: &mut Keys<'_>, variable_host: bool) -> Option<Spanned<i64>> {
    let connections = keys.int("auth-keepalive").filter(|n| n.value > 0);
    let requests = keys
        .int("auth-keepalive-requests")
        .is_none_or(|n| n.value > 0);
    let timeout = keys
        .int("auth-keepalive-timeout")
        .is_none_or(|n| n.value > 0);
    let _share_variables = keys.flag("auth-keepalive-share-vars");
    connections.filter(|_| requests && timeout && !variable_host)
}

fn header_names(keys: &mut Keys<'_>) -> Option<Spanned<Vec<String>>> {
    let (at, value) = keys.value("auth-response-headers")?;
    let class = ByteSet::ALPHANUMERIC.and(b"-_");
    let names: Vec<_> = value
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    if let Some(name) = names
        .iter()
        .find(|name| class.first_outside(name, false).is_some())
    {
        let fault = GrammarFault::whole(format!("holds `{name}`, which is no header name"))
            .help("write names of headers with commas between them");
        keys.fail(at, Invalid::Deny, fault);
        return None;
    }
    Some(Spanned::new(names, keys.value_span(at)))
}

/// Items of status codes and times, the codes first.
fn cache_duration(keys: &mut Keys<'_>) -> Option<Spanned<Vec<String>>> {
    let (at, value) = keys.value("auth-cache-duration")?;
    let items: Vec<_> = value
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(str::to_owned)
        .collect();
    if let Some(item) = items.iter().find(|item| !is_cache_duration(item)) {
        let fault = GrammarFault::whole(format!("holds `{item}`, which is not `[status …] time`"))
            .help("write status codes and a time, such as `200 202 401 5m`; commas stand between several of them");
        keys.fail(at, Invalid::Deny, fault);
        return None;
    }
    Some(Spanned::new(items, keys.value_span(at)))
}

/// `ValidCacheDuration`: words that are neither a status nor a time are passed over.
fn is_cache_duration(item: &str) -> bool {
    let mut seen_time = false;
    for word in item.split(' ') {
        let number = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit = &word[number.len()..];
        let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
        if digits && unit.is_empty() && number.len() == 3 {
            if seen_time {
                return false;
            }
        } else if digits && matches!(unit, "ms" | "s" | "m" | "h" | "d" | "w" | "M" | "y") {
            seen_time = true;
        }
    }
    seen_time
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, codes, read};
    use super::*;
    use gatewright_diagnostics::Code;

    const URL: (&str, &str) = ("auth-url", "http://gate.shop.svc/n");

    #[test]
    fn the_service_is_read() {
        let auth = read(&[
            URL,
            ("auth-signin", "https://a/start?rd=$escaped_request_uri"),
            ("auth-response-headers", "X-User, X-Mail"),
            ("auth-method", "POST"),
            ("auth-cache-key", "$remote_user"),
            ("auth-cache-duration", "200 202 10m, 401 5m"),
            ("auth-keepalive", "5"),
        ])
        .settings
        .auth_external
        .unwrap();
        assert_eq!(auth.response_headers.unwrap().value, ["X-User", "X-Mail"]);
        assert_eq!(
            auth.cache_duration.unwrap().value,
            ["200 202 10m", "401 5m"]
        );
        assert_eq!(auth.keepalive.unwrap().value, 5);
        assert!(
            read(&[("auth-url", "https://$host/a"), ("auth-keepalive", "5")])
                .settings
                .auth_external
                .unwrap()
                .keepalive
                .is_none()
        );
    }

    #[test]
    fn recorded_faults() {
        check(&[("auth-url", "/n")], "auth-url: denied");
        check(&[("auth-url", "None")], "auth-url: denied");
        check(&[("auth-url", "http://a/{x}")], "auth-url: rejected");
        check(
            &[URL, ("auth-cache-duration", "soon")],
            "auth-url: taken, auth-cache-duration: denied",
        );
        check(
            &[URL, ("auth-cache-key", "a b;")],
            "auth-url: taken, auth-cache-key: ignored",
        );
        check(
            &[URL, ("auth-method", "get")],
            "auth-url: taken, auth-method: denied",
        );
        check(
            &[URL, ("auth-response-headers", "X User")],
            "auth-url: taken, auth-response-headers: denied",
        );
        check(
            &[URL, ("auth-signin", "https://a/{x}")],
            "auth-url: taken, auth-signin: ignored",
        );
        check(
            &[URL, ("auth-proxy-set-headers", "headers")],
            "auth-url: taken, auth-proxy-set-headers: denied",
        );
        check(
            &[URL, ("auth-proxy-set-headers", "a;b")],
            "auth-url: taken, auth-proxy-set-headers: ignored",
        );
    }

    #[test]
    fn openings_are_errors() {
        for (key, value) in [
            ("auth-request-redirect", "/x y%"),
            ("auth-always-set-cookie", "yes"),
            ("auth-cache-duration", "200 $x"),
        ] {
            let result = read(&[URL, ("auth-response-headers", "X-User"), (key, value)]);
            assert!(
                result.settings.auth_external.is_none() && result.denied.is_empty(),
                "{key}"
            );
            assert_eq!(codes(&result), [Code::AuthSwitchedOff], "{key}");
        }
        assert_eq!(codes(&read(&[("auth-url", "")])), [Code::AuthSwitchedOff]);
    }

    #[test]
    fn without_a_url_nothing_is_read() {
        check(
            &[
                ("auth-signin", "https://a"),
                ("auth-always-set-cookie", "x"),
            ],
            "auth-signin: ignored, auth-always-set-cookie: ignored",
        );
        check(
            &[("enable-global-auth", "false")],
            "enable-global-auth: taken",
        );
        assert!(
            is_cache_duration("foo 5m")
                && !is_cache_duration("5m 200")
                && !is_cache_duration("200")
        );
    }
}

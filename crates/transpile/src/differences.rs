//! What differs for every conversion, whatever its objects say.

use gatewright_diagnostics::{Code, Diagnostic};
use gatewright_model::{Action, Model, PlainHttp, RedirectTarget, Route};

/// The findings that hold for the whole output.
pub(crate) fn general(model: &Model) -> Vec<Diagnostic> {
    let mut found = vec![
        Diagnostic::new(
            Code::NormalisedPath,
            "backends see the normalised path where nginx forwards the one that was sent",
        )
        .note("`/a//b`, `/a/./b` and `/a%2Fb` reach the backend as `/a/b`; the rule that serves them is the same"),
        Diagnostic::new(
            Code::MalformedTarget,
            "malformed request targets get another answer",
        )
        .note("nginx answers 400 to a bad escape such as `%zz` and to a path above the root; Envoy forwards the first and resolves the second"),
        Diagnostic::new(
            Code::BackendFailure,
            "a backend that refuses connections is answered with 503 in place of 502",
        ),
        Diagnostic::new(
            Code::HostDot,
            "backends do not see the final dot of a host such as `example.com.`",
        ),
    ];
    if model.globals.forwarded.trust {
        found.push(
            Diagnostic::new(
                Code::ForwardedHost,
                "backends see the `Host` of the request, not the name in `X-Forwarded-Host`",
            )
            .note("the first name in `X-Forwarded-Host` is what ingress-nginx sends as `Host`"),
        );
    }
    let routes = || model.hosts.iter().flat_map(|host| &host.routes);
    let to_https = |route: &Route, stripped: bool| match route.plain_http {
        PlainHttp::Redirect { keep_slash, .. } => !stripped || !keep_slash,
        PlainHttp::Serve => false,
    };
    let target = |route: &Route| match &route.action {
        Action::Redirect(redirect) => Some(redirect.target.clone()),
        Action::Forward(_) | Action::NotFound | Action::Refuse(_) | Action::Forbid(_) => None,
    };
    let to_name = |route: &Route| matches!(target(route), Some(RedirectTarget::Host(_)));
    let to_path = |route: &Route| matches!(target(route), Some(RedirectTarget::Path { .. }));
    if routes().any(|route| to_https(route, true) || to_name(route)) {
        found.push(
            Diagnostic::new(
                Code::RedirectSlash,
                "redirects to HTTPS or another host name keep a final slash that ingress-nginx strips",
            )
            .note("`/foo/` is redirected to `/foo/`, where ingress-nginx redirects to `/foo`"),
        );
    }
    if routes().any(|route| to_https(route, false) || to_path(route)) {
        found.push(Diagnostic::new(
            Code::RedirectPort,
            "redirects keep a port other than 80 and 443 that a client sent",
        ));
    }
    found
}

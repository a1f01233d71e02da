//! What differs for every conversion, whatever its objects say.

use gatewright_diagnostics::{Code, Diagnostic};
use gatewright_model::Model;

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
        Diagnostic::new(
            Code::RetryCounts,
            "a request whose answer does not come in time is not repeated",
        )
        .note("ingress-nginx repeats GET requests after a timeout; the answer is 504 in both"),
        Diagnostic::new(
            Code::HeaderSizes,
            "larger headers are accepted, of requests and of responses",
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
    if let Some(limit) = model.globals.unwritten_body_limit {
        found.push(
            Diagnostic::new(
                Code::BodySizeDefault,
                format!("the default limit of {limit} bytes for request bodies is not carried over"),
            )
            .help("write `proxy-body-size: 1m` in the controller's ConfigMap or in annotations to have it"),
        );
    }
    if model.globals.compression.is_some() {
        found.push(Diagnostic::new(
            Code::CompressionSettings,
            "the level and the types of compression are Envoy's own",
        ));
    }
    found
}

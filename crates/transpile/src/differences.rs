//! What differs for every conversion, whatever its objects say.

use gatewright_diagnostics::{Code, Diagnostic};

/// The findings that hold for the whole output.
pub(crate) fn general() -> Vec<Diagnostic> {
    vec![
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
    ]
}

//! Error pages and fallbacks.

use gatewright_diagnostics::{Code, Diagnostic};

use super::{PolicyInput, PolicyOutput};

/// The keys whose outcome is said here.
pub(crate) const KEYS: &[&str] = &[
    "custom-http-errors",
    "default-backend",
    "disable-proxy-intercept-errors",
];

pub(crate) fn lower(input: &PolicyInput<'_>, out: &mut PolicyOutput) {
    let errors = &input.settings.errors;
    if let Some(codes) = &errors.codes {
        if codes.value.is_empty() {
            out.inert("custom-http-errors", "it lists no error");
        } else {
            let list: Vec<String> = codes.value.iter().map(u16::to_string).collect();
            out.refused(
                input,
                "custom-http-errors",
                Diagnostic::new(
                    Code::ErrorPages,
                    format!("errors are not answered by an error service: {}", list.join(", ")),
                )
                .at(codes.span)
                .note("the client gets the error as the backend sent it, or as Envoy made it")
                .help("send error pages from the application, or set `responseOverride` with a fixed body"),
            );
        }
    }
    if let Some(backend) = &errors.default_backend {
        out.refused(
            input,
            "default-backend",
            Diagnostic::new(
                Code::FallbackBackend,
                format!("Service `{}` does not take over for one without endpoints", backend.value),
            )
            .at(backend.span)
            .note("requests for a Service without endpoints are answered with 503")
            .help("keep endpoints running, or point the route to a Backend with `fallback: true`"),
        );
    }
    if errors.disable_intercept.is_some() {
        out.inert("disable-proxy-intercept-errors", "errors of backends are never replaced here");
    }
}

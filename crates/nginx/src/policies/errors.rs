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
    let list: Vec<String> = errors
        .codes(input.config)
        .iter()
        .map(u16::to_string)
        .collect();
    let diagnostic = || {
        Diagnostic::new(
            Code::ErrorPages,
            format!(
                "errors are not answered by an error service: {}",
                list.join(", ")
            ),
        )
        .note("the client gets the error as the backend sent it, or as Envoy made it")
        .help("send error pages from the application, or set `responseOverride` with a fixed body")
    };
    match &errors.codes {
        Some(_) if list.is_empty() => out.inert("custom-http-errors", "it lists no error"),
        Some(codes) => out.refused(input, "custom-http-errors", diagnostic().at(codes.span)),
        None if list.is_empty() => {}
        None => out.diagnostics.push(
            diagnostic()
                .at(input.name_span)
                .note("the controller's ConfigMap lists them under `custom-http-errors`")
                .object(input.object),
        ),
    }
    if let Some(backend) = &errors.default_backend {
        out.refused(
            input,
            "default-backend",
            Diagnostic::new(
                Code::FallbackBackend,
                format!(
                    "Service `{}` does not take over for one without endpoints",
                    backend.value
                ),
            )
            .at(backend.span)
            .note("requests for a Service without endpoints are answered with 503")
            .help("keep endpoints running, or point the route to a Backend with `fallback: true`"),
        );
    }
    if errors.disable_intercept.is_some() {
        out.inert(
            "disable-proxy-intercept-errors",
            "errors of backends are never replaced here",
        );
    }
}

//! Logs, traces and the firewall that only watches.

use gatewright_diagnostics::{Code, Diagnostic};

use super::{PolicyInput, PolicyOutput};

/// The keys whose outcome is said here.
pub(crate) const KEYS: &[&str] = &[
    "enable-access-log",
    "enable-opentelemetry",
    "opentelemetry-trust-incoming-span",
    "opentelemetry-operation-name",
];

pub(crate) fn lower(input: &PolicyInput<'_>, out: &mut PolicyOutput) {
    let observability = &input.settings.observability;
    if let Some(flag) = observability.access_log {
        if flag.value || input.config.disable_access_log {
            out.inert("enable-access-log", "the Gateway decides what is logged");
        } else {
            out.differs(
                input,
                "enable-access-log",
                Diagnostic::new(Code::AccessLogs, "requests are logged as the Gateway logs all others")
                    .at(flag.span)
                    .help("set `telemetry.accessLog` of the EnvoyProxy, with a `matches` expression that leaves these routes out"),
            );
        }
    }
    if let Some(flag) = observability.opentelemetry {
        if flag.value == input.config.enable_opentelemetry {
            out.inert("enable-opentelemetry", "the Gateway decides what is traced");
        }
        if flag.value {
            let diagnostic = Diagnostic::new(Code::Tracing, "requests are traced only if the Gateway is told so")
                .at(flag.span)
                .note("requests are served alike; Envoy continues the trace of a client whenever it traces")
                .help("name the collector in `telemetry.tracing` of the EnvoyProxy");
            out.outcomes
                .retain(|(key, _)| *key != "enable-opentelemetry");
            out.differs(input, "enable-opentelemetry", diagnostic);
            for key in [
                "opentelemetry-trust-incoming-span",
                "opentelemetry-operation-name",
            ] {
                out.inert(key, "traces are set up in the EnvoyProxy");
            }
        } else if input.config.enable_opentelemetry {
            out.inert(
                "enable-opentelemetry",
                "nothing is traced unless the Gateway is told so",
            );
        }
    }
}

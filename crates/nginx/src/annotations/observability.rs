//! Logs and traces.
//!
//! `internal/ingress/annotations/{log,opentelemetry}` of ingress-nginx. Nothing of it
//! changes an answer.

use gatewright_diagnostics::Code;
use gatewright_source::Spanned;

use super::{Keys, Settings};
use crate::registry::{Around, Carried, Entry, Grammar, Invalid, NAME, Risk};

/// What is logged and traced.
#[derive(Clone, Debug, Default)]
pub struct Observability {
    /// Whether requests are logged.
    pub access_log: Option<Spanned<bool>>,
    /// Whether rewrites are logged.
    pub rewrite_log: Option<Spanned<bool>>,
    /// Whether requests are traced.
    pub opentelemetry: Option<Spanned<bool>>,
    /// Whether traces of clients are continued.
    pub trust_incoming_span: Option<Spanned<bool>>,
    /// The name of the span.
    pub operation_name: Option<Spanned<String>>,
}

const OTEL: &str = "Opentelemetry";

/// The entries of the family.
pub static ENTRIES: &[Entry] = &[
    Entry {
        key: "enable-access-log",
        group: "Logs",
        grammar: Grammar::Bool,
        default: "true",
        configmap_key: Some("disable-access-log"),
        summary: "says whether requests are logged",
        target: "nothing: EnvoyProxy `telemetry.accessLog` decides for the whole Gateway",
        difference: "requests of these paths are logged too",
        carried: Carried::LeftOut,
        codes: &[Code::AccessLogs],
        example: "false",
        ..Entry::BASE
    },
    Entry {
        key: "enable-rewrite-log",
        group: "Logs",
        grammar: Grammar::Bool,
        default: "false",
        summary: "writes rewrites to the error log",
        target: "nothing",
        carried: Carried::Needless,
        example: "true",
        ..Entry::BASE
    },
    Entry {
        key: "enable-opentelemetry",
        group: OTEL,
        grammar: Grammar::Bool,
        configmap_key: Some("enable-opentelemetry"),
        summary: "says whether requests are traced",
        target: "nothing: EnvoyProxy `telemetry.tracing` decides for the whole Gateway",
        difference: "nothing is traced until a collector is named there",
        carried: Carried::LeftOut,
        codes: &[Code::Tracing],
        example: "true",
        ..Entry::BASE
    },
    Entry {
        key: "opentelemetry-trust-incoming-span",
        group: OTEL,
        grammar: Grammar::Bool,
        default: "true",
        configmap_key: Some("opentelemetry-trust-incoming-span"),
        summary: "says whether traces of clients are continued",
        target: "nothing: traces of clients are always continued",
        difference: "`false` is not to be had",
        carried: Carried::Needless,
        example: "true",
        around: Around {
            annotations: &[("enable-opentelemetry", "true")],
            ..Around::NOTHING
        },
        ..Entry::BASE
    },
    Entry {
        key: "opentelemetry-operation-name",
        group: OTEL,
        grammar: Grammar::LooseText(NAME),
        invalid: Invalid::Reject,
        risk: Risk::Medium,
        configmap_key: Some("opentelemetry-operation-name"),
        summary: "is the name of the span",
        target: "nothing: EnvoyProxy `telemetry.tracing` decides",
        carried: Carried::Needless,
        example: "shop",
        around: Around {
            annotations: &[("enable-opentelemetry", "true")],
            ..Around::NOTHING
        },
        ..Entry::BASE
    },
];

pub(crate) fn parse(keys: &mut Keys<'_>, settings: &mut Settings) {
    let mut observability = Observability {
        access_log: keys.flag("enable-access-log"),
        rewrite_log: keys.flag("enable-rewrite-log"),
        opentelemetry: keys.flag("enable-opentelemetry"),
        ..Observability::default()
    };
    if observability
        .opentelemetry
        .is_some_and(|enabled| enabled.value)
    {
        observability.trust_incoming_span = keys.flag("opentelemetry-trust-incoming-span");
        observability.operation_name = keys.text("opentelemetry-operation-name");
    } else {
        keys.ignore_rest(OTEL, "`enable-opentelemetry` is not set to `true`");
    }
    *settings.observability = observability;
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn traces_are_read_when_they_are_on() {
        check(
            &[
                ("enable-access-log", "false"),
                ("enable-rewrite-log", "off"),
            ],
            "enable-access-log: taken, enable-rewrite-log: ignored",
        );
        check(
            &[("opentelemetry-operation-name", "a b;")],
            "opentelemetry-operation-name: ignored",
        );
        check(
            &[
                ("enable-opentelemetry", "true"),
                ("opentelemetry-operation-name", "a;"),
                ("opentelemetry-trust-incoming-span", "x"),
            ],
            "enable-opentelemetry: taken, opentelemetry-operation-name: rejected, opentelemetry-trust-incoming-span: ignored",
        );
    }
}

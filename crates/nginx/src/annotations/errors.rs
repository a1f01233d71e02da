//! Error pages and fallbacks.
//!
//! `internal/ingress/annotations/{customhttperrors,defaultbackend,disableproxyintercepterrors}`
//! of ingress-nginx.

use gatewright_diagnostics::Code;
use gatewright_source::Spanned;

use super::{Keys, Settings};
use crate::config_map::Config;
use crate::registry::{Around, Carried, Entry, Grammar, GrammarFault, Invalid};

/// What happens to errors of the backend.
#[derive(Clone, Debug, Default)]
pub struct Errors {
    /// Status codes that the default backend answers instead. Takes the place of the
    /// controller's list.
    pub codes: Option<Spanned<Vec<u16>>>,
    /// The Service, in the namespace of the Ingress, that answers them, and everything
    /// when the Service of a path has no endpoints.
    pub default_backend: Option<Spanned<String>>,
    /// Leave errors of the backend alone.
    pub disable_intercept: Option<Spanned<bool>>,
}

impl Errors {
    /// Status codes that the default backend answers instead.
    pub fn codes<'a>(&'a self, config: &'a Config) -> &'a [u16] {
        self.codes
            .as_ref()
            .map_or(&config.custom_http_errors, |codes| &codes.value)
    }

    /// Whether errors of the backend are left alone.
    pub fn disable_intercept(&self, config: &Config) -> bool {
        self.disable_intercept
            .map_or(config.disable_proxy_intercept_errors, |flag| flag.value)
    }
}

/// The entries of the family.
pub static ENTRIES: &[Entry] = &[
    Entry {
        key: "custom-http-errors",
        group: "CustomHTTPErrors",
        grammar: Grammar::ErrorCodes,
        invalid: Invalid::Reject,
        configmap_key: Some("custom-http-errors"),
        summary: "lets the default backend answer when the backend answers with one of these status codes",
        target: "nothing",
        difference: "clients get the error as the backend sent it, or as Envoy made it",
        carried: Carried::LeftOut,
        codes: &[Code::ErrorPages],
        example: "404,503",
        around: Around {
            annotations: &[("default-backend", "error-pages")],
            ..Around::NOTHING
        },
        ..Entry::BASE
    },
    Entry {
        key: "default-backend",
        group: "DefaultBackend",
        grammar: Grammar::ServiceName,
        invalid: Invalid::Reject,
        summary: "names the Service that answers in place of one without endpoints, and the codes of `custom-http-errors`",
        target: "nothing",
        difference: "a Service without endpoints is answered with 503",
        carried: Carried::LeftOut,
        codes: &[Code::FallbackBackend],
        example: "error-pages",
        around: Around {
            annotations: &[("custom-http-errors", "404,503")],
            ..Around::NOTHING
        },
        ..Entry::BASE
    },
    Entry {
        key: "disable-proxy-intercept-errors",
        group: "DisableProxyInterceptErrors",
        grammar: Grammar::Bool,
        default: "false",
        configmap_key: Some("disable-proxy-intercept-errors"),
        summary: "leaves errors of the backend alone, so that only those of nginx itself are replaced",
        target: "nothing: errors of backends are never replaced",
        carried: Carried::Needless,
        example: "true",
        around: Around {
            annotations: &[
                ("custom-http-errors", "404,503"),
                ("default-backend", "error-pages"),
            ],
            ..Around::NOTHING
        },
        ..Entry::BASE
    },
];

pub(crate) fn parse(keys: &mut Keys<'_>, settings: &mut Settings) {
    *settings.errors = Errors {
        codes: codes(keys),
        default_backend: keys.text("default-backend"),
        disable_intercept: keys.flag("disable-proxy-intercept-errors"),
    };
    // A faulty value is false, whatever the ConfigMap says.
    if settings.errors.disable_intercept.is_none()
        && let Some(span) = keys.span_of("disable-proxy-intercept-errors")
    {
        settings.errors.disable_intercept = Some(Spanned::new(false, span));
    }
}

/// The check passes over blanks and a comma at the end; the parser behind it does not and
/// gives up. Codes without a comma between them pass both, and nginx refuses them.
fn codes(keys: &mut Keys<'_>) -> Option<Spanned<Vec<u16>>> {
    let (at, value) = keys.value("custom-http-errors")?;
    let mut codes = Vec::new();
    for item in value.trim().split(',') {
        let fault = match item.parse::<u64>() {
            Ok(code) => match u16::try_from(code)
                .ok()
                .filter(|code| (300..=599).contains(code))
            {
                Some(code) => {
                    codes.push(code);
                    continue;
                }
                None => (
                    Invalid::Break,
                    format!("holds `{item}`, which is no status code to nginx"),
                ),
            },
            Err(_) if item.trim().is_empty() => (
                Invalid::DropGroup,
                "holds an empty item, at which the controller gives up".to_owned(),
            ),
            Err(_) => (
                Invalid::DropGroup,
                format!("holds `{item}`, at which the controller gives up: blanks are not allowed"),
            ),
        };
        let message = GrammarFault::whole(fault.1)
            .help("write the codes with a comma and no blank between them");
        keys.fail(at, fault.0, message);
        keys.take_dropped();
        return None;
    }
    Some(Spanned::new(codes, keys.value_span(at)))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, read};

    #[test]
    fn codes_are_read() {
        let errors = read(&[
            ("custom-http-errors", "404,503"),
            ("default-backend", "oops"),
        ])
        .settings
        .errors;
        assert_eq!(errors.codes.as_ref().unwrap().value, [404, 503]);
        assert_eq!(errors.default_backend.as_ref().unwrap().value, "oops");
    }

    #[test]
    fn faults() {
        check(
            &[("custom-http-errors", "x")],
            "custom-http-errors: rejected",
        );
        check(
            &[("custom-http-errors", "302")],
            "custom-http-errors: rejected",
        );
        check(
            &[("custom-http-errors", "404, 503")],
            "custom-http-errors: ignored",
        );
        check(
            &[("custom-http-errors", "404,")],
            "custom-http-errors: ignored",
        );
        check(
            &[("custom-http-errors", "404503")],
            "custom-http-errors: breaks",
        );
        check(
            &[("default-backend", "Spare_1")],
            "default-backend: rejected",
        );
        check(
            &[("disable-proxy-intercept-errors", "yes")],
            "disable-proxy-intercept-errors: ignored",
        );
    }
}

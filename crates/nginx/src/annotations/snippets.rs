//! Raw nginx configuration.
//!
//! `internal/ingress/annotations/{snippet,serversnippet,streamsnippet}` of ingress-nginx.
//! Two settings of the controller guard it: the risk level drops the whole Ingress,
//! `allow-snippet-annotations` only the text. Both `auth-snippet` and
//! `modsecurity-snippet`, which stand with their families, are guarded the same way.

use gatewright_diagnostics::Code;
use gatewright_source::Spanned;

use super::{Keys, Settings};
use crate::registry::{Around, Carried, Entry, Grammar, Risk, Scope};

/// Raw nginx configuration that the controller uses.
#[derive(Clone, Debug, Default)]
pub struct Snippets {
    /// For the locations of the Ingress.
    pub configuration: Option<Spanned<String>>,
    /// For the host; the first Ingress of the host that has one counts.
    pub server: Option<Spanned<String>>,
    /// For streams, on the whole controller.
    pub stream: Option<Spanned<String>>,
}

const SNIPPET: Entry = Entry {
    grammar: Grammar::Anything,
    risk: Risk::Critical,
    ..Entry::BASE
};

/// The entries of the family.
pub static ENTRIES: &[Entry] = &[
    Entry {
        key: "configuration-snippet",
        group: "ConfigurationSnippet",
        summary: "puts nginx configuration into every location of the Ingress, behind `location-snippet` of the controller's ConfigMap; used only with `allow-snippet-annotations: \"true\"` there",
        target: "rules and filters for headers (`more_*_headers`, `add_header`, `proxy_set_header`, `proxy_hide_header`), `return`, `rewrite` and `if` on method, host, headers and path; `SecurityPolicy.authorization` for `allow` and `deny`; `compressor` for `gzip`",
        difference: "any other directive is named with its place; the paths answer 503 if it is not known or might keep requests out, else they are served without it",
        carried: Carried::Whole,
        codes: &[
            Code::CompressionSettings,
            Code::HeaderOnErrors,
            Code::ConnectionClosed,
            Code::HeaderPath,
            Code::ConditionQuery,
            Code::ConditionScheme,
            Code::SnippetDirective,
            Code::SnippetProtection,
            Code::SnippetSyntax,
            Code::SnippetRequestHeader,
            Code::SnippetDuplicate,
            Code::SnippetCondition,
        ],
        example: "more_set_headers \"X-Frame-Options: DENY\";",
        around: Around {
            config: &[
                ("allow-snippet-annotations", "true"),
                ("annotations-risk-level", "Critical"),
            ],
            ..Around::NOTHING
        },
        ..SNIPPET
    },
    Entry {
        key: "server-snippet",
        group: "ServerSnippet",
        scope: Scope::Host,
        summary: "puts nginx configuration into the server of the host, of which the first Ingress that has one decides; used only with `allow-snippet-annotations: \"true\"` in the controller's ConfigMap",
        target: "rules of their own for `location` blocks that answer by themselves, and for all paths of the host what a configuration-snippet comes to",
        difference: "a location with a `proxy_pass` or files answers 503; any other directive is named with its place, and the host answers 503 if it is not known or might keep requests out",
        carried: Carried::Whole,
        codes: &[Code::SnippetProtection, Code::SnippetDuplicate],
        example: "location = /healthz { return 200 ok; }",
        around: Around {
            config: &[
                ("allow-snippet-annotations", "true"),
                ("annotations-risk-level", "Critical"),
            ],
            ..Around::NOTHING
        },
        ..SNIPPET
    },
    Entry {
        key: "stream-snippet",
        group: "StreamSnippet",
        scope: Scope::Controller,
        canary: true,
        summary: "puts nginx configuration into the stream block of the controller",
        target: "nothing: TCP and UDP need routes of their own",
        difference: "what it serves over TCP and UDP is left out; HTTP is served as before",
        carried: Carried::LeftOut,
        codes: &[Code::StreamSnippet],
        example: "server { listen 8000; proxy_pass 127.0.0.1:80; }",
        around: Around {
            config: &[
                ("allow-snippet-annotations", "true"),
                ("annotations-risk-level", "Critical"),
            ],
            ..Around::NOTHING
        },
        ..SNIPPET
    },
];

pub(crate) fn parse(keys: &mut Keys<'_>, settings: &mut Settings) {
    *settings.snippets = Snippets {
        configuration: text(keys, "configuration-snippet"),
        server: text(keys, "server-snippet"),
        stream: text(keys, "stream-snippet"),
    };
}

/// The text of a snippet that the controller uses. The risk level has been asked before.
pub(super) fn text(keys: &mut Keys<'_>, key: &'static str) -> Option<Spanned<String>> {
    let text = keys.text(key)?;
    if keys.rejected(key) {
        return None;
    }
    if keys.config.allow_snippet_annotations {
        return Some(text);
    }
    let diagnostic = keys
        .diagnostic(
            Code::SnippetDropped,
            key,
            format!("the text of `{key}` is left out by the controller"),
        )
        .at(text.span)
        .note("`allow-snippet-annotations` of the controller's ConfigMap is off")
        .help("if the cluster allows snippets, give its controller ConfigMap as input");
    keys.report(diagnostic);
    keys.ignore_silently(key, "`allow-snippet-annotations` is off");
    None
}

#[cfg(test)]
mod tests {
    use super::super::ControllerVersion;
    use super::super::testing::{check, codes, read, read_as, statuses};
    use crate::config_map::Config;
    use crate::registry::Risk;
    use gatewright_diagnostics::Code;

    #[test]
    fn the_risk_level_drops_the_ingress() {
        check(
            &[("configuration-snippet", "return 403;")],
            "configuration-snippet: rejected",
        );
        check(&[("server-snippet", "")], "server-snippet: rejected");
        check(
            &[("auth-snippet", "x;"), ("auth-url", "http://a")],
            "auth-snippet: rejected, auth-url: taken",
        );
        assert_eq!(
            codes(&read(&[("stream-snippet", "x;")])),
            [Code::AnnotationTooRisky]
        );
    }

    #[test]
    fn two_settings_let_them_through() {
        let pairs = [
            ("configuration-snippet", "return 403;"),
            ("server-snippet", "a;\n  b;\n"),
        ];
        let mut config = Config {
            annotations_risk_level: Some(Risk::Critical),
            ..Config::default()
        };
        let dropped = read_as(&pairs, &config, ControllerVersion::V1_15);
        assert_eq!(
            statuses(&dropped),
            "configuration-snippet: ignored, server-snippet: ignored"
        );
        assert_eq!(
            codes(&dropped),
            [Code::SnippetDropped, Code::SnippetDropped]
        );
        assert!(dropped.rejected.is_empty() && dropped.settings.snippets.server.is_none());
        config.allow_snippet_annotations = true;
        let used = read_as(&pairs, &config, ControllerVersion::V1_15)
            .settings
            .snippets;
        assert_eq!(used.configuration.as_ref().unwrap().value, "return 403;");
        assert_eq!(used.server.as_ref().unwrap().value, "a;\nb;\n");
        // The risk level was not a hurdle before v1.12.
        let old = Config {
            allow_snippet_annotations: true,
            ..Config::default()
        };
        assert!(
            read_as(&pairs, &old, ControllerVersion::Pre1_12)
                .settings
                .snippets
                .server
                .is_some()
        );
    }
}

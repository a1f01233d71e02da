//! CORS.
//!
//! `internal/ingress/annotations/cors` of ingress-nginx. Faulty values fall back one by
//! one. Origins are checked twice: the list as a whole, and then each item, of which
//! those without a scheme are left out.

use gatewright_diagnostics::Code;
use gatewright_source::{Span, Spanned};

use super::{Keys, Settings};
use crate::registry::{Around, Entry, Grammar, HEADERS, Risk, lists};

/// Methods unless set.
pub const DEFAULT_METHODS: &str = "GET, PUT, POST, DELETE, PATCH, OPTIONS";
/// Headers unless set.
pub const DEFAULT_HEADERS: &str = "DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization";
/// Seconds a preflight is remembered unless set.
pub const DEFAULT_MAX_AGE: i64 = 1_728_000;

/// `enable-cors: "true"`.
#[derive(Clone, Debug)]
pub struct Cors {
    /// Where `enable-cors` is set.
    pub span: Span,
    /// The origins that are let in.
    pub origins: Origins,
    /// Where they are written.
    pub origins_span: Option<Span>,
    /// `Access-Control-Allow-Methods`, as it is sent.
    pub methods: Option<Spanned<String>>,
    /// `Access-Control-Allow-Headers`, as it is sent.
    pub headers: Option<Spanned<String>>,
    /// `Access-Control-Expose-Headers`, as it is sent.
    pub expose_headers: Option<Spanned<String>>,
    /// Whether `Access-Control-Allow-Credentials` is sent.
    pub credentials: Option<Spanned<bool>>,
    /// `Access-Control-Max-Age`.
    pub max_age: Option<Spanned<i64>>,
}

/// Which origins are let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origins {
    /// All; the answer is `*`.
    Any,
    /// Those of a list, each `null` or `scheme://host[:port]`, where `*.` before the host
    /// stands for one label. An empty list lets nobody in.
    List {
        /// The items.
        items: Vec<String>,
        /// The list ends with a comma. The pattern that the template makes of it then ends
        /// with an empty alternative, which every origin matches.
        open_end: bool,
    },
}

impl Cors {
    /// Methods, as they are sent.
    pub fn methods(&self) -> &str {
        self.methods
            .as_ref()
            .map_or(DEFAULT_METHODS, |text| &text.value)
    }

    /// Headers, as they are sent.
    pub fn headers(&self) -> &str {
        self.headers
            .as_ref()
            .map_or(DEFAULT_HEADERS, |text| &text.value)
    }

    /// Whether credentials are let through: yes unless set.
    pub fn credentials(&self) -> bool {
        self.credentials.is_none_or(|flag| flag.value)
    }

    /// Seconds a preflight is remembered.
    pub fn max_age(&self) -> i64 {
        self.max_age.map_or(DEFAULT_MAX_AGE, |age| age.value)
    }
}

const GROUP: &str = "CorsConfig";

const CORS: Entry = Entry {
    group: GROUP,
    ..Entry::BASE
};

/// The entries of the family.
pub static ENTRIES: &[Entry] = &[
    Entry {
        key: "enable-cors",
        grammar: Grammar::Bool,
        default: "false",
        summary: "adds CORS headers to every response and answers every OPTIONS request with 204 itself",
        target: "`responseHeaderModifier` on every rule, and a rule that answers OPTIONS with 204",
        example: "true",
        ..CORS
    },
    Entry {
        key: "cors-allow-origin",
        grammar: Grammar::Origins,
        default: "*",
        risk: Risk::Medium,
        summary: "lists the origins that are let in; `*.` stands for one label, items without a scheme are left out",
        target: "a `RegularExpression` match on `Origin` for lists",
        example: "https://app.example.com,https://*.dev.example.com",
        around: Around {
            annotations: &[("enable-cors", "true")],
            ..Around::NOTHING
        },
        ..CORS
    },
    Entry {
        key: "cors-allow-methods",
        grammar: Grammar::Methods,
        default: DEFAULT_METHODS,
        risk: Risk::Medium,
        summary: "is the text of `Access-Control-Allow-Methods`",
        target: "the header `Access-Control-Allow-Methods`",
        example: "GET, POST, OPTIONS",
        around: Around {
            annotations: &[("enable-cors", "true")],
            ..Around::NOTHING
        },
        ..CORS
    },
    Entry {
        key: "cors-allow-headers",
        grammar: Grammar::LooseText(HEADERS),
        default: DEFAULT_HEADERS,
        risk: Risk::Medium,
        summary: "is the text of `Access-Control-Allow-Headers`",
        target: "the header `Access-Control-Allow-Headers`",
        example: "Content-Type,Authorization",
        around: Around {
            annotations: &[("enable-cors", "true")],
            ..Around::NOTHING
        },
        ..CORS
    },
    Entry {
        key: "cors-expose-headers",
        grammar: Grammar::ExposedHeaders,
        risk: Risk::Medium,
        summary: "is the text of `Access-Control-Expose-Headers`",
        target: "the header `Access-Control-Expose-Headers`",
        example: "X-Total, X-Page",
        around: Around {
            annotations: &[("enable-cors", "true")],
            ..Around::NOTHING
        },
        ..CORS
    },
    Entry {
        key: "cors-allow-credentials",
        grammar: Grammar::Bool,
        default: "true",
        summary: "says whether `Access-Control-Allow-Credentials: true` is sent",
        target: "the header `Access-Control-Allow-Credentials`",
        example: "false",
        around: Around {
            annotations: &[("enable-cors", "true")],
            ..Around::NOTHING
        },
        ..CORS
    },
    Entry {
        key: "cors-max-age",
        grammar: Grammar::Int,
        default: "1728000",
        summary: "is the number of seconds in `Access-Control-Max-Age`",
        target: "the header `Access-Control-Max-Age`",
        example: "600",
        around: Around {
            annotations: &[("enable-cors", "true")],
            ..Around::NOTHING
        },
        ..CORS
    },
];

pub(crate) fn parse(keys: &mut Keys<'_>, settings: &mut Settings) {
    let enabled = keys.flag("enable-cors");
    let Some(enabled) = enabled.filter(|enabled| enabled.value) else {
        keys.ignore_rest(GROUP, "`enable-cors` is not set to `true`");
        return;
    };
    let (origins, origins_span) = origins(keys);
    settings.cors = Some(Box::new(Cors {
        span: enabled.span,
        origins,
        origins_span,
        methods: keys.text("cors-allow-methods"),
        headers: keys.text("cors-allow-headers"),
        expose_headers: keys.text("cors-expose-headers"),
        credentials: keys.flag("cors-allow-credentials"),
        max_age: keys.int("cors-max-age"),
    }));
}

fn origins(keys: &mut Keys<'_>) -> (Origins, Option<Span>) {
    let Some((at, value)) = keys.value("cors-allow-origin") else {
        return (Origins::Any, None);
    };
    let span = keys.value_span(at);
    let mut list = Vec::new();
    let mut start = 0;
    for item in value.split(',') {
        let origin = item.trim();
        let begin = start + (item.len() - item.trim_start().len());
        start += item.len() + 1;
        if origin == "*" {
            return (Origins::Any, Some(span));
        }
        if !lists::origin(origin) {
            let diagnostic = keys
                .diagnostic(
                    Code::AnnotationValueIgnored,
                    "cors-allow-origin",
                    format!("`{origin}` of `cors-allow-origin` is ignored: it is no origin"),
                )
                .label(
                    keys.part_span(at, Some(begin..begin + origin.len())),
                    "ignored",
                )
                .help(format!("write the scheme too: `https://{origin}`"));
            keys.report(diagnostic);
            continue;
        }
        list.push(origin.to_owned());
    }
    let open_end =
        list.last().is_some_and(String::is_empty) && list.iter().any(|item| !item.is_empty());
    if open_end {
        let diagnostic = keys
            .diagnostic(Code::AnnotationOddValue, "cors-allow-origin", "`cors-allow-origin` ends with a comma, which lets every origin in")
            .at(span)
            .note("ingress-nginx makes a pattern with an empty alternative of it, and that matches anything")
            .help("remove the comma at the end");
        keys.report(diagnostic);
    }
    list.retain(|item| !item.is_empty());
    (
        Origins::List {
            items: list,
            open_end,
        },
        Some(span),
    )
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, codes, read};
    use super::*;

    fn cors(pairs: &[(&str, &str)]) -> Cors {
        let mut all = vec![("enable-cors", "true")];
        all.extend(pairs);
        *read(&all).settings.cors.unwrap()
    }

    fn items(value: &str) -> Option<Vec<String>> {
        match cors(&[("cors-allow-origin", value)]).origins {
            Origins::Any => None,
            Origins::List { items, .. } => Some(items),
        }
    }

    #[test]
    fn defaults() {
        let cors = cors(&[]);
        assert_eq!(
            (cors.methods(), cors.headers(), cors.max_age()),
            (DEFAULT_METHODS, DEFAULT_HEADERS, 1_728_000)
        );
        assert!(cors.credentials() && cors.origins == Origins::Any);
        check(
            &[("enable-cors", "yes"), ("cors-max-age", "5")],
            "enable-cors: ignored, cors-max-age: ignored",
        );
    }

    #[test]
    fn recorded_faults_fall_back() {
        check(
            &[
                ("enable-cors", "true"),
                ("cors-allow-credentials", "no"),
                ("cors-allow-methods", "GET;PUT"),
                ("cors-allow-headers", "X_One,*"),
                ("cors-max-age", "10m"),
            ],
            "enable-cors: taken, cors-allow-credentials: ignored, cors-allow-methods: ignored, cors-allow-headers: ignored, cors-max-age: ignored",
        );
        check(
            &[
                ("enable-cors", "true"),
                ("cors-expose-headers", "X-Total, X-Page"),
            ],
            "enable-cors: taken, cors-expose-headers: taken",
        );
    }

    #[test]
    fn origins_are_read_in_two_steps() {
        assert_eq!(
            items("https://a.b, https://*.c.d:8080").unwrap(),
            ["https://a.b", "https://*.c.d:8080"]
        );
        assert_eq!(items("foo.com"), Some(vec![]));
        assert_eq!(items("https://a.b, *"), None, "the whole list is refused");
        assert_eq!(items("https://a.b/x"), None);
        let open = [
            ("enable-cors", "true"),
            ("cors-allow-origin", "https://a.b, "),
        ];
        assert_eq!(codes(&read(&open)), [Code::AnnotationOddValue]);
        assert!(matches!(
            read(&open).settings.cors.unwrap().origins,
            Origins::List { open_end: true, .. }
        ));
    }
}

//! Shadow traffic.
//!
//! `internal/ingress/annotations/mirror` of ingress-nginx. A target without a host, or one
//! that is refused, does not switch the mirror off: the copy then goes to the Ingress's
//! own root path.

use gatewright_diagnostics::Code;
use gatewright_source::{Span, Spanned};

use super::reference::parse_url;
use super::{Keys, Settings};
use crate::registry::{Around, Blanks, Carried, Entry, Grammar, Risk};

/// Where copies of requests go.
#[derive(Clone, Debug)]
pub struct Mirror {
    /// Where `mirror-target` is set.
    pub span: Span,
    /// The URL; may hold variables. `None` when copies go to the Ingress's own root path.
    pub target: Option<Spanned<String>>,
    /// The `Host` of the copy.
    pub host: String,
    /// Where the host was set; `None` when it is that of the target.
    pub host_span: Option<Span>,
    /// Whether the copy has the body.
    pub request_body: bool,
}

const GROUP: &str = "Mirror";

const MIRROR: Entry = Entry {
    group: GROUP,
    ..Entry::BASE
};

/// The entries of the family.
pub static ENTRIES: &[Entry] = &[
    Entry {
        key: "mirror-target",
        grammar: Grammar::ServerName,
        risk: Risk::High,
        summary: "sends a copy of every request to this URL and drops the answer; without a host the copy goes to the Ingress's own root path",
        target: "the HTTPRoute filter `requestMirror`, to a Service or a Backend",
        difference: "the copy has the path, `Host` and body that the backend gets; without a fixed host nothing is copied",
        codes: &[Code::MirrorRequest, Code::MirrorLeftOut],
        example: "https://shadow.example.com$request_uri",
        ..MIRROR
    },
    Entry {
        key: "mirror-host",
        grammar: Grammar::ServerName,
        default: "the host of `mirror-target`",
        risk: Risk::High,
        summary: "is the `Host` header of the copy",
        target: "nothing",
        difference: "the copy keeps the `Host` of the client",
        carried: Carried::LeftOut,
        codes: &[Code::MirrorRequest],
        example: "shadow.example.com",
        around: Around {
            annotations: &[("mirror-target", "https://shadow.example.com$request_uri")],
            ..Around::NOTHING
        },
        ..MIRROR
    },
    Entry {
        key: "mirror-request-body",
        grammar: Grammar::OneOf {
            words: &["on", "off"],
            exact_case: true,
            blanks: Blanks::Removed,
        },
        default: "on",
        summary: "says whether the copy has the body of the request",
        target: "nothing for `on`",
        difference: "with `off` nothing is copied",
        example: "off",
        around: Around {
            annotations: &[("mirror-target", "https://shadow.example.com$request_uri")],
            ..Around::NOTHING
        },
        ..MIRROR
    },
];

pub(crate) fn parse(keys: &mut Keys<'_>, settings: &mut Settings) {
    let body = keys.word("mirror-request-body", |word| {
        match &*word.replace(' ', "") {
            "on" => Some(true),
            "off" => Some(false),
            _ => None,
        }
    });
    let target = keys.text("mirror-target");
    let blank = keys.value_is_blank("mirror-target");
    let Some(span) = keys.span_of("mirror-target").filter(|_| !blank) else {
        keys.ignore_rest(GROUP, "`mirror-target` is not set");
        keys.ignore("mirror-request-body", "`mirror-target` is not set");
        return;
    };
    let host = keys.text("mirror-host");
    let host_span = host.as_ref().map(|host| host.span);
    let host = host.map_or_else(
        || {
            target
                .as_ref()
                .map_or_else(String::new, |target| host_of(&target.value))
        },
        |host| host.value,
    );
    let target = target.filter(|_| !host.is_empty());
    if target.is_none() {
        let diagnostic = keys
            .diagnostic(Code::AnnotationOddValue, "mirror-target", "`mirror-target` names no host, so requests are copied to the Ingress's own root path")
            .at(span)
            .note("every request reaches the backend of `/` once more")
            .help("write a whole URL, such as `https://shadow.example.com$request_uri`, or remove the annotation");
        keys.report(diagnostic);
    }
    settings.mirror = Some(Box::new(Mirror {
        span,
        target,
        host,
        host_span,
        request_body: body.is_none_or(|body| body.value),
    }));
}

/// The host of what stands before the first variable.
fn host_of(target: &str) -> String {
    let fixed = target.split('$').next().unwrap_or_default();
    parse_url(fixed)
        .map(|url| url.host.to_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, codes, read};
    use gatewright_diagnostics::Code;

    #[test]
    fn the_host_comes_from_the_target() {
        let mirror = read(&[
            ("mirror-target", "https://shadow.test:8443$request_uri"),
            ("mirror-request-body", "off"),
        ]);
        let mirror = mirror.settings.mirror.unwrap();
        assert_eq!(
            (mirror.host.as_str(), mirror.request_body),
            ("shadow.test", false)
        );
        let mirror = read(&[("mirror-target", "http://a"), ("mirror-host", "b")])
            .settings
            .mirror
            .unwrap();
        assert_eq!((mirror.host.as_str(), mirror.target.is_some()), ("b", true));
    }

    #[test]
    fn a_target_without_a_host_mirrors_to_itself() {
        for target in ["/path", "staging-svc", "http://a;b"] {
            let result = read(&[("mirror-target", target)]);
            assert!(
                codes(&result).contains(&Code::AnnotationOddValue),
                "{target}"
            );
            assert!(result.settings.mirror.unwrap().target.is_none(), "{target}");
        }
        assert!(read(&[("mirror-target", "")]).settings.mirror.is_none());
        check(
            &[("mirror-host", "a"), ("mirror-request-body", "on")],
            "mirror-host: ignored, mirror-request-body: ignored",
        );
        check(
            &[("mirror-target", "http://a"), ("mirror-request-body", "no")],
            "mirror-target: taken, mirror-request-body: ignored",
        );
        check(
            &[("mirror-target", "http://a"), ("mirror-host", "a;b")],
            "mirror-target: taken, mirror-host: ignored",
        );
    }
}

//! Fixed redirects, and redirects between `host` and `www.host`.
//!
//! `internal/ingress/annotations/redirect` of ingress-nginx. The parser goes through its
//! keys one after the other and gives up at the first fault: a wrong character drops the
//! Ingress, an empty value or a scheme other than http drops the group. A
//! `temporal-redirect` that holds ends the reading, so `permanent-redirect` is then not
//! even looked at.

use gatewright_diagnostics::Code;
use gatewright_source::Spanned;

use super::{Keys, Settings};
use crate::config_map::Config;
use crate::registry::{
    Around, EmptyValue, Entry, Grammar, GrammarFault, Invalid, Risk, Scope, URL,
};

/// What the redirect annotations say.
#[derive(Clone, Debug)]
pub struct Redirect {
    /// Where `permanent-redirect` goes.
    pub permanent: Option<Spanned<String>>,
    /// Its effective status.
    pub permanent_code: u16,
    /// Where `temporal-redirect` goes. It wins when both are set.
    pub temporal: Option<Spanned<String>>,
    /// Its effective status.
    pub temporal_code: u16,
    /// Redirects of nginx name no host.
    pub relative: Option<Spanned<bool>>,
    /// Redirect the other of `host` and `www.host` to this one.
    pub from_to_www: Option<Spanned<bool>>,
}

impl Default for Redirect {
    fn default() -> Self {
        Self {
            permanent: None,
            permanent_code: 301,
            temporal: None,
            temporal_code: 302,
            relative: None,
            from_to_www: None,
        }
    }
}

impl Redirect {
    /// The redirect that holds, with its status.
    pub fn target(&self) -> Option<(&Spanned<String>, u16)> {
        let temporal = self.temporal.as_ref().map(|url| (url, self.temporal_code));
        temporal.or_else(|| {
            self.permanent
                .as_ref()
                .map(|url| (url, self.permanent_code))
        })
    }

    /// `relative-redirects`, the controller's default filled in.
    pub fn relative(&self, config: &Config) -> bool {
        self.relative
            .map_or(config.relative_redirects, |flag| flag.value)
    }
}

const GROUP: &str = "Redirect";

const REDIRECT: Entry = Entry {
    group: GROUP,
    invalid: Invalid::Reject,
    empty: EmptyValue::DropGroup,
    ..Entry::BASE
};

/// The entries of the family.
pub static ENTRIES: &[Entry] = &[
    Entry {
        key: "permanent-redirect",
        grammar: Grammar::Text(URL),
        risk: Risk::Medium,
        summary: "answers every request of the paths with a redirect to this URL, to which nothing of the request is appended",
        target: "an HTTPRouteFilter with `directResponse` and a `Location` header",
        example: "https://new.example.com/home",
        ..REDIRECT
    },
    Entry {
        key: "permanent-redirect-code",
        grammar: Grammar::Int,
        default: "301",
        summary: "is the status of `permanent-redirect`; outside 300 to 308 it falls back to 301",
        target: "`directResponse.statusCode`",
        example: "308",
        around: Around {
            annotations: &[("permanent-redirect", "https://new.example.com/home")],
            ..Around::NOTHING
        },
        ..REDIRECT
    },
    Entry {
        key: "temporal-redirect",
        grammar: Grammar::Text(URL),
        risk: Risk::Medium,
        summary: "is as `permanent-redirect` with 302 and wins over it; the URL must begin with a scheme",
        target: "an HTTPRouteFilter with `directResponse` and a `Location` header",
        example: "https://maintenance.example.com",
        ..REDIRECT
    },
    Entry {
        key: "temporal-redirect-code",
        grammar: Grammar::Int,
        default: "302",
        summary: "is the status of `temporal-redirect`; outside 300 to 307 it falls back to 302",
        target: "`directResponse.statusCode`",
        example: "307",
        around: Around {
            annotations: &[("temporal-redirect", "https://maintenance.example.com")],
            ..Around::NOTHING
        },
        ..REDIRECT
    },
    Entry {
        key: "relative-redirects",
        grammar: Grammar::Bool,
        default: "false",
        configmap_key: Some("relative-redirects"),
        summary: "makes redirects that nginx builds itself name only the path",
        target: "a `Location` header without scheme and host",
        example: "true",
        around: Around {
            annotations: &[("permanent-redirect", "/home")],
            ..Around::NOTHING
        },
        ..REDIRECT
    },
    Entry {
        key: "from-to-www-redirect",
        grammar: Grammar::Bool,
        default: "false",
        scope: Scope::Host,
        configmap_key: Some("http-redirect-code"),
        summary: "redirects `www.host` to `host`, or `host` to `www.host` when the rule names that one",
        target: "an HTTPRoute of its own for the other name that answers 308 with `Location`",
        difference: "the `Location` names no port; a wildcard host is refused",
        codes: &[Code::WildcardWww],
        example: "true",
        ..REDIRECT
    },
];

pub(crate) fn parse(keys: &mut Keys<'_>, settings: &mut Settings) {
    let redirect = read(keys);
    match keys.take_dropped() {
        Some(cause) => keys.drop_group(GROUP, cause),
        None => *settings.redirect = redirect,
    }
}

fn read(keys: &mut Keys<'_>) -> Redirect {
    let mut redirect = Redirect {
        from_to_www: keys.flag("from-to-www-redirect"),
        ..Redirect::default()
    };
    if keys.gives_up() {
        return redirect;
    }
    redirect.relative = keys.flag("relative-redirects");
    if keys.gives_up() {
        return redirect;
    }
    let temporal = keys.text("temporal-redirect");
    if keys.gives_up() {
        return redirect;
    }
    redirect.temporal_code = code(
        keys,
        "temporal-redirect-code",
        302,
        307,
        "write `301`, `302`, `303` or `307`",
    );
    if keys.gives_up() {
        return redirect;
    }
    if let Some(url) = temporal {
        if !begins_with_http_scheme(&url.value) {
            keys.fail_key(
                "temporal-redirect",
                Invalid::DropGroup,
                GrammarFault::whole("does not begin with `http://` or `https://`")
                    .help("write a whole URL; only `permanent-redirect` takes a path"),
            );
            return redirect;
        }
        redirect.temporal = Some(url);
        keys.ignore_rest(GROUP, "`temporal-redirect` is set and wins");
        return redirect;
    }
    keys.ignore("temporal-redirect-code", "`temporal-redirect` is not set");
    redirect.permanent = keys.text("permanent-redirect");
    if keys.gives_up() {
        return redirect;
    }
    redirect.permanent_code = code(
        keys,
        "permanent-redirect-code",
        301,
        308,
        "write `301`, `302`, `303`, `307` or `308`",
    );
    if redirect.permanent.is_none() {
        keys.ignore("permanent-redirect-code", "`permanent-redirect` is not set");
    }
    redirect
}

/// A status from 300 to `last`, or the default.
fn code(
    keys: &mut Keys<'_>,
    key: &'static str,
    default: u16,
    last: i64,
    help: &'static str,
) -> u16 {
    let Some(code) = keys.int(key) else {
        return default;
    };
    match u16::try_from(code.value) {
        Ok(status) if (300..=last).contains(&code.value) => status,
        _ => {
            keys.fail_key(
                key,
                Invalid::Default,
                GrammarFault::whole(format!("is not a status from 300 to {last}")).help(help),
            );
            default
        }
    }
}

/// Go's `url.Parse` finds a scheme that begins with `http`. A scheme is letters, digits
/// and `+-.` before the first colon.
fn begins_with_http_scheme(url: &str) -> bool {
    url.split_once(':').is_some_and(|(scheme, _)| {
        scheme
            .get(..4)
            .is_some_and(|head| head.eq_ignore_ascii_case("http"))
            && scheme
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, read};

    #[test]
    fn the_temporal_redirect_wins() {
        let redirect = read(&[
            ("permanent-redirect", "https://p.example.org"),
            ("permanent-redirect-code", "308"),
            ("temporal-redirect", "https://t.example.org"),
        ])
        .settings
        .redirect;
        let (url, code) = redirect.target().unwrap();
        assert_eq!((url.value.as_str(), code), ("https://t.example.org", 302));
        check(
            &[
                ("temporal-redirect", "https://t"),
                ("permanent-redirect", ""),
            ],
            "temporal-redirect: taken, permanent-redirect: ignored",
        );
        check(
            &[
                ("temporal-redirect", "https://t"),
                ("permanent-redirect", "https://$host"),
            ],
            "temporal-redirect: taken, permanent-redirect: ignored",
        );
    }

    #[test]
    fn codes_fall_back() {
        let code = |key, value| {
            let redirect = read(&[("permanent-redirect", "https://p"), (key, value)])
                .settings
                .redirect;
            redirect.target().map(|(_, code)| code)
        };
        assert_eq!(code("permanent-redirect-code", "308"), Some(308));
        assert_eq!(code("permanent-redirect-code", "418"), Some(301));
        let temporal = read(&[
            ("temporal-redirect", "http://t"),
            ("temporal-redirect-code", "308"),
        ]);
        assert_eq!(
            temporal.settings.redirect.target().map(|(_, code)| code),
            Some(302)
        );
    }

    #[test]
    fn faults_drop_the_ingress_or_the_group() {
        check(
            &[("permanent-redirect", "https://n$request_uri")],
            "permanent-redirect: rejected",
        );
        check(
            &[
                ("permanent-redirect", "https://n"),
                ("permanent-redirect-code", "moved"),
            ],
            "permanent-redirect: taken, permanent-redirect-code: rejected",
        );
        check(
            &[("from-to-www-redirect", "yes")],
            "from-to-www-redirect: rejected",
        );
        check(
            &[("permanent-redirect", ""), ("from-to-www-redirect", "true")],
            "permanent-redirect: ignored, from-to-www-redirect: ignored",
        );
        assert!(
            read(&[("permanent-redirect", ""), ("from-to-www-redirect", "true")])
                .settings
                .redirect
                .from_to_www
                .is_none()
        );
        check(
            &[("temporal-redirect", "/local")],
            "temporal-redirect: ignored",
        );
        check(
            &[("permanent-redirect", "/local")],
            "permanent-redirect: taken",
        );
        check(
            &[("temporal-redirect-code", "301")],
            "temporal-redirect-code: ignored",
        );
    }
}

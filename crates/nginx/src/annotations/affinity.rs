//! Session cookies.
//!
//! `internal/ingress/annotations/sessionaffinity` of ingress-nginx. Every faulty value
//! falls back to its default; the cookie is read only with `affinity: cookie`.

use gatewright_diagnostics::Code;
use gatewright_source::{Span, Spanned};

use super::{Keys, Settings};
use crate::registry::{Around, BASIC, Blanks, Carried, Entry, Grammar, Risk, Scope, URL};

/// How sessions follow changes of the endpoints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AffinityMode {
    /// The cookie holds a random key that is hashed: some sessions move.
    #[default]
    Balanced,
    /// The cookie holds the endpoint.
    Persistent,
}

/// What a canary does with sessions of its main Ingress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CanaryBehavior {
    /// A client stays where it was.
    #[default]
    Sticky,
    /// The canary draws for each request.
    Legacy,
}

/// `affinity: cookie`.
#[derive(Clone, Debug)]
pub struct Affinity {
    /// Where `affinity` is set.
    pub span: Span,
    /// The mode.
    pub mode: Option<Spanned<AffinityMode>>,
    /// The name of the cookie; `INGRESSCOOKIE` unless set.
    pub cookie_name: Option<Spanned<String>>,
    /// Its path; the Ingress path, literally, unless set.
    pub cookie_path: Option<Spanned<String>>,
    /// Its domain.
    pub cookie_domain: Option<Spanned<String>>,
    /// Seconds until `Expires`, as written.
    pub expires: Option<Spanned<String>>,
    /// `Max-Age`, as written.
    pub max_age: Option<Spanned<String>>,
    /// `SameSite`: `None`, `Lax` or `Strict`. Other spellings pass the check but the
    /// controller then sends no attribute.
    pub same_site: Option<Spanned<String>>,
    /// Leave `SameSite=None` out for browsers that mistreat it.
    pub conditional_same_site_none: Option<Spanned<bool>>,
    /// Always send `Secure`; it is sent on TLS requests anyway.
    pub secure: Option<Spanned<bool>>,
    /// Choose another endpoint when one fails.
    pub change_on_failure: Option<Spanned<bool>>,
}

impl Affinity {
    /// The mode, balanced unless set.
    pub fn mode(&self) -> AffinityMode {
        self.mode.map_or(AffinityMode::Balanced, |mode| mode.value)
    }

    /// The name of the cookie.
    pub fn cookie_name(&self) -> &str {
        self.cookie_name
            .as_ref()
            .map_or("INGRESSCOOKIE", |name| &name.value)
    }
}

const GROUP: &str = "SessionAffinity";

const AFFINITY: Entry = Entry {
    group: GROUP,
    scope: Scope::Upstream,
    ..Entry::BASE
};

/// The entries of the family.
pub static ENTRIES: &[Entry] = &[
    Entry {
        key: "affinity",
        grammar: Grammar::OneOf {
            words: &["cookie"],
            exact_case: true,
            blanks: Blanks::Trimmed,
        },
        summary: "keeps a client on one endpoint with a cookie",
        target: "BackendTrafficPolicy `loadBalancer.consistentHash.cookie`",
        difference: "the cookie holds a key of another make: a client that brings one of ingress-nginx may move to another pod once",
        carried: Carried::Differently,
        codes: &[Code::SessionCookie, Code::ServiceBalancing],
        example: "cookie",
        ..AFFINITY
    },
    Entry {
        key: "affinity-mode",
        grammar: Grammar::OneOf {
            words: &["balanced", "persistent"],
            exact_case: true,
            blanks: Blanks::Trimmed,
        },
        default: "balanced",
        risk: Risk::Medium,
        summary: "says whether sessions move when endpoints are added (`balanced`) or never do (`persistent`)",
        target: "nothing for `balanced`",
        difference: "`persistent` is not to be had: sessions can move when pods come or go",
        carried: Carried::LeftOut,
        codes: &[Code::SessionCookie],
        example: "persistent",
        around: Around {
            annotations: &[("affinity", "cookie")],
            ..Around::NOTHING
        },
        ..AFFINITY
    },
    Entry {
        key: "affinity-canary-behavior",
        grammar: Grammar::OneOf {
            words: &["sticky", "legacy"],
            exact_case: true,
            blanks: Blanks::Trimmed,
        },
        default: "sticky",
        canary: true,
        summary: "says whether a client with a session stays on canary or main Ingress (`sticky`) or draws for each request (`legacy`)",
        target: "nothing: weights are drawn by session",
        difference: "header and cookie of the canary decide before the session; `legacy` is not to be had",
        carried: Carried::LeftOut,
        codes: &[Code::CanarySession],
        example: "legacy",
        around: Around {
            annotations: &[
                ("canary", "true"),
                ("canary-weight", "10"),
                ("affinity", "cookie"),
            ],
            canary: true,
            ..Around::NOTHING
        },
        ..AFFINITY
    },
    Entry {
        key: "session-cookie-name",
        grammar: Grammar::LooseText(BASIC),
        default: "INGRESSCOOKIE",
        risk: Risk::Medium,
        summary: "is the name of the cookie",
        target: "`cookie.name`",
        example: "route",
        around: Around {
            annotations: &[("affinity", "cookie")],
            ..Around::NOTHING
        },
        ..AFFINITY
    },
    Entry {
        key: "session-cookie-path",
        grammar: Grammar::LooseText(URL),
        default: "the Ingress path",
        risk: Risk::Medium,
        summary: "is the `Path` of the cookie; without it the Ingress path is sent literally, also when it is a pattern",
        target: "`cookie.attributes.Path`",
        example: "/",
        around: Around {
            annotations: &[("affinity", "cookie")],
            path: "/app",
            ..Around::NOTHING
        },
        ..AFFINITY
    },
    Entry {
        key: "session-cookie-domain",
        grammar: Grammar::LooseText(BASIC),
        risk: Risk::Medium,
        summary: "is the `Domain` of the cookie",
        target: "`cookie.attributes.Domain`",
        example: "example.com",
        around: Around {
            annotations: &[("affinity", "cookie")],
            ..Around::NOTHING
        },
        ..AFFINITY
    },
    Entry {
        key: "session-cookie-expires",
        grammar: Grammar::CookieSeconds { loose: true },
        risk: Risk::Medium,
        summary: "is the number of seconds from which `Expires` of the cookie is made",
        target: "`cookie.ttl`",
        difference: "it is sent as `Max-Age`",
        carried: Carried::Differently,
        codes: &[Code::SessionCookie],
        example: "172800",
        around: Around {
            annotations: &[("affinity", "cookie")],
            ..Around::NOTHING
        },
        ..AFFINITY
    },
    Entry {
        key: "session-cookie-max-age",
        grammar: Grammar::CookieSeconds { loose: false },
        risk: Risk::Medium,
        summary: "is the `Max-Age` of the cookie in seconds",
        target: "`cookie.ttl`",
        example: "172800",
        around: Around {
            annotations: &[("affinity", "cookie")],
            ..Around::NOTHING
        },
        ..AFFINITY
    },
    Entry {
        key: "session-cookie-samesite",
        grammar: Grammar::OneOf {
            words: &["None", "Lax", "Strict"],
            exact_case: false,
            blanks: Blanks::Trimmed,
        },
        summary: "is the `SameSite` of the cookie; only the spellings `None`, `Lax` and `Strict` are sent",
        target: "`cookie.attributes.SameSite`",
        example: "Lax",
        around: Around {
            annotations: &[("affinity", "cookie")],
            ..Around::NOTHING
        },
        ..AFFINITY
    },
    Entry {
        key: "session-cookie-secure",
        grammar: Grammar::Bool,
        default: "on when the request came over TLS",
        summary: "sends `Secure` with the cookie always",
        target: "`cookie.attributes.Secure`",
        example: "true",
        around: Around {
            annotations: &[("affinity", "cookie")],
            ..Around::NOTHING
        },
        ..AFFINITY
    },
    Entry {
        key: "session-cookie-conditional-samesite-none",
        grammar: Grammar::Bool,
        default: "false",
        summary: "leaves `SameSite=None` out for old browsers that mistreat it",
        target: "nothing: the browser is not looked at",
        difference: "every browser gets `SameSite=None`",
        carried: Carried::LeftOut,
        codes: &[Code::SessionCookie],
        example: "true",
        around: Around {
            annotations: &[("affinity", "cookie"), ("session-cookie-samesite", "None")],
            ..Around::NOTHING
        },
        ..AFFINITY
    },
    Entry {
        key: "session-cookie-change-on-failure",
        grammar: Grammar::Bool,
        default: "false",
        summary: "chooses another endpoint and a new cookie when the endpoint fails",
        target: "nothing",
        difference: "the cookie stays when its pod fails",
        carried: Carried::LeftOut,
        codes: &[Code::SessionCookie],
        example: "true",
        around: Around {
            annotations: &[("affinity", "cookie")],
            ..Around::NOTHING
        },
        ..AFFINITY
    },
];

pub(crate) fn parse(keys: &mut Keys<'_>, settings: &mut Settings) {
    let affinity = keys.word("affinity", |word| (word == "cookie").then_some(()));
    settings.affinity_canary_behavior = keys.word("affinity-canary-behavior", |word| match word {
        "sticky" => Some(CanaryBehavior::Sticky),
        "legacy" => Some(CanaryBehavior::Legacy),
        _ => None,
    });
    let Some(affinity) = affinity else {
        keys.ignore_rest(GROUP, "`affinity` is not set to `cookie`");
        return;
    };
    let cookie = Affinity {
        span: affinity.span,
        mode: keys.word("affinity-mode", |word| match word {
            "balanced" => Some(AffinityMode::Balanced),
            "persistent" => Some(AffinityMode::Persistent),
            _ => None,
        }),
        cookie_name: keys.text("session-cookie-name"),
        cookie_path: keys.text("session-cookie-path"),
        cookie_domain: keys.text("session-cookie-domain"),
        expires: keys.text("session-cookie-expires"),
        max_age: keys.text("session-cookie-max-age"),
        same_site: keys.text("session-cookie-samesite"),
        conditional_same_site_none: keys.flag("session-cookie-conditional-samesite-none"),
        secure: keys.flag("session-cookie-secure"),
        change_on_failure: keys.flag("session-cookie-change-on-failure"),
    };
    settings.affinity = Some(Box::new(same_site_as_sent(keys, cookie)));
}

/// The balancer sends `SameSite` only for the three exact spellings.
fn same_site_as_sent(keys: &mut Keys<'_>, mut cookie: Affinity) -> Affinity {
    let sent =
        |same_site: &Spanned<String>| matches!(same_site.value.as_str(), "None" | "Lax" | "Strict");
    if cookie
        .same_site
        .as_ref()
        .is_some_and(|same_site| !sent(same_site))
    {
        cookie.same_site = None;
        keys.ignore(
            "session-cookie-samesite",
            "only the spellings `None`, `Lax` and `Strict` are sent",
        );
    }
    cookie
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, read};
    use super::*;

    #[test]
    fn the_cookie_is_read() {
        let affinity = read(&[
            ("affinity", "cookie"),
            ("affinity-mode", "persistent"),
            ("session-cookie-name", "SRV"),
            ("session-cookie-max-age", "3600"),
            ("session-cookie-samesite", "Lax"),
            ("session-cookie-secure", "true"),
        ])
        .settings
        .affinity
        .unwrap();
        assert_eq!(
            (affinity.cookie_name(), affinity.mode()),
            ("SRV", AffinityMode::Persistent)
        );
        assert_eq!(affinity.max_age.unwrap().value, "3600");
        assert_eq!(affinity.same_site.unwrap().value, "Lax");
    }

    #[test]
    fn faults_fall_back() {
        check(
            &[("affinity", "ip"), ("session-cookie-name", "x")],
            "affinity: ignored, session-cookie-name: ignored",
        );
        check(
            &[("affinity", "cookie"), ("session-cookie-max-age", "2d")],
            "affinity: taken, session-cookie-max-age: ignored",
        );
        check(
            &[("affinity", "cookie"), ("session-cookie-samesite", "lax")],
            "affinity: taken, session-cookie-samesite: ignored",
        );
        check(
            &[("affinity", "cookie"), ("affinity-mode", "Balanced")],
            "affinity: taken, affinity-mode: ignored",
        );
        check(
            &[("affinity-canary-behavior", "legacy")],
            "affinity-canary-behavior: taken",
        );
    }
}

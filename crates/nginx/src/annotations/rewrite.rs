//! Rewrites, regex mode and redirects to HTTPS.
//!
//! `internal/ingress/annotations/{rewrite,portinredirect,xforwardedprefix}` of
//! ingress-nginx. A faulty value is ignored key by key; only `x-forwarded-prefix` drops
//! the Ingress. Whether a rewrite differs from its path, and with it the regex mode of the
//! host, is decided later: here the paths are not known.

use gatewright_diagnostics::Code;
use gatewright_source::Spanned;

use super::{Keys, Settings};
use crate::config_map::Config;
use crate::registry::{Around, CAPTURE_PATH, Entry, Grammar, GrammarFault, Invalid, Risk, Scope};

/// What the rewrite annotations say.
#[derive(Clone, Debug, Default)]
pub struct Rewrite {
    /// The path that the backend gets; capture groups are `$1`, `$2` ….
    pub target: Option<Spanned<String>>,
    /// Whether the paths are patterns.
    pub use_regex: Option<Spanned<bool>>,
    /// Where the root of the host redirects to.
    pub app_root: Option<Spanned<String>>,
    /// Redirect to HTTPS where the host has a certificate.
    pub ssl_redirect: Option<Spanned<bool>>,
    /// Redirect to HTTPS in any case.
    pub force_ssl_redirect: Option<Spanned<bool>>,
    /// Keep the last slash in that redirect.
    pub preserve_trailing_slash: Option<Spanned<bool>>,
    /// Name nginx's port in redirects.
    pub use_port_in_redirects: Option<Spanned<bool>>,
    /// What the backend gets as `X-Forwarded-Prefix` when the path is rewritten.
    pub x_forwarded_prefix: Option<Spanned<String>>,
}

impl Rewrite {
    /// `ssl-redirect`, the controller's default filled in.
    pub fn ssl_redirect(&self, config: &Config) -> bool {
        self.ssl_redirect
            .map_or(config.ssl_redirect, |flag| flag.value)
    }

    /// `force-ssl-redirect`, the controller's default filled in.
    pub fn force_ssl_redirect(&self, config: &Config) -> bool {
        self.force_ssl_redirect
            .map_or(config.force_ssl_redirect, |flag| flag.value)
    }

    /// `preserve-trailing-slash`, the controller's default filled in.
    pub fn preserve_trailing_slash(&self, config: &Config) -> bool {
        self.preserve_trailing_slash
            .map_or(config.preserve_trailing_slash, |flag| flag.value)
    }

    /// `use-port-in-redirects`, the controller's default filled in.
    pub fn use_port_in_redirects(&self, config: &Config) -> bool {
        self.use_port_in_redirects
            .map_or(config.use_port_in_redirects, |flag| flag.value)
    }
}

const REWRITE: Entry = Entry {
    group: "Rewrite",
    ..Entry::BASE
};

/// The entries of the family.
pub static ENTRIES: &[Entry] = &[
    Entry {
        key: "rewrite-target",
        grammar: Grammar::Text(CAPTURE_PATH),
        risk: Risk::Medium,
        summary: "sends the request to the backend with this path instead of its own; `$1` to `$9` are the groups of the Ingress path",
        target: "an HTTPRouteFilter with `urlRewrite.path.replaceRegexMatch`, on `RegularExpression` matches; a target with a scheme becomes a 302 with `Location`",
        difference: "with nginx variables in it the paths answer 503",
        codes: &[Code::RewriteVariable, Code::RedirectCaptures],
        example: "/$2",
        around: Around {
            path: "/api(/|$)(.*)",
            ..Around::NOTHING
        },
        ..REWRITE
    },
    Entry {
        key: "use-regex",
        grammar: Grammar::Bool,
        default: "false",
        scope: Scope::Host,
        summary: "turns every path of the host into a case-insensitive regular expression that is anchored at its start only",
        target: "`RegularExpression` matches on all rules of the host",
        difference: "patterns are written in RE2; for a path that RE2 cannot say nothing is written (GW0802)",
        example: "true",
        around: Around {
            path: "/v[0-9]+/items",
            ..Around::NOTHING
        },
        ..REWRITE
    },
    Entry {
        key: "app-root",
        grammar: Grammar::Text(CAPTURE_PATH),
        risk: Risk::Medium,
        scope: Scope::Host,
        summary: "redirects the root of the host to this path with 302, before anything else is looked at",
        target: "an `Exact` rule for `/` that answers 302 with `Location`",
        example: "/app",
        ..REWRITE
    },
    Entry {
        key: "ssl-redirect",
        grammar: Grammar::Bool,
        default: "true",
        configmap_key: Some("ssl-redirect"),
        summary: "redirects plain HTTP to HTTPS when the host has a certificate",
        target: "a rule on the HTTP listener that answers 308 with `Location`; for `false` the rules of the paths stand there",
        example: "false",
        around: Around {
            tls: true,
            ..Around::NOTHING
        },
        ..REWRITE
    },
    Entry {
        key: "force-ssl-redirect",
        grammar: Grammar::Bool,
        default: "false",
        risk: Risk::Medium,
        configmap_key: Some("force-ssl-redirect"),
        summary: "redirects plain HTTP to HTTPS even when the host has no certificate",
        target: "a rule on the HTTP listener that answers 308 with `Location`; with `use-forwarded-headers` it looks at `X-Forwarded-Proto`",
        example: "true",
        ..REWRITE
    },
    Entry {
        key: "preserve-trailing-slash",
        grammar: Grammar::Bool,
        default: "false",
        risk: Risk::Medium,
        configmap_key: Some("preserve-trailing-slash"),
        summary: "keeps the last slash of the request URI in redirects to HTTPS, which otherwise lose it",
        target: "the `Location` of the redirect to HTTPS, with the slash",
        example: "true",
        around: Around {
            tls: true,
            ..Around::NOTHING
        },
        ..REWRITE
    },
    Entry {
        key: "use-port-in-redirects",
        group: "UsePortInRedirects",
        grammar: Grammar::Bool,
        default: "false",
        configmap_key: Some("use-port-in-redirects"),
        summary: "puts the port nginx listens on into the redirects it makes itself",
        target: "`:443` in the `Location` of the redirect to HTTPS",
        difference: "the port is that of the Gateway's listener, also where the controller listens on another one",
        example: "true",
        around: Around {
            tls: true,
            ..Around::NOTHING
        },
        ..REWRITE
    },
    Entry {
        key: "x-forwarded-prefix",
        group: "XForwardedPrefix",
        grammar: Grammar::LooseText(CAPTURE_PATH),
        invalid: Invalid::Reject,
        risk: Risk::Medium,
        summary: "tells the backend in `X-Forwarded-Prefix` what was taken away; only together with a `rewrite-target` that changes the path",
        target: "`requestHeaderModifier.set` of `X-Forwarded-Prefix`, with the groups of the path",
        difference: "with nginx variables in it the backend gets no `X-Forwarded-Prefix`",
        codes: &[Code::ForwardedPrefixCaptures],
        example: "/api",
        around: Around {
            annotations: &[("rewrite-target", "/$2")],
            path: "/api(/|$)(.*)",
            ..Around::NOTHING
        },
        ..REWRITE
    },
];

pub(crate) fn parse(keys: &mut Keys<'_>, settings: &mut Settings) {
    let rewrite = &mut settings.rewrite;
    rewrite.target = keys.text("rewrite-target");
    rewrite.use_regex = keys.flag("use-regex");
    rewrite.app_root = app_root(keys);
    rewrite.ssl_redirect = keys.flag("ssl-redirect");
    rewrite.force_ssl_redirect = keys.flag("force-ssl-redirect");
    rewrite.preserve_trailing_slash = keys.flag("preserve-trailing-slash");
    rewrite.use_port_in_redirects = keys.flag("use-port-in-redirects");
    rewrite.x_forwarded_prefix = keys.text("x-forwarded-prefix");
}

/// The value must be a path of its own: Go's `url.Parse` finds neither scheme nor host in
/// it, and it begins with a slash.
fn app_root(keys: &mut Keys<'_>) -> Option<Spanned<String>> {
    let (at, value) = keys.value("app-root")?;
    let path = value.trim();
    if !path.starts_with('/') || path.starts_with("//") {
        keys.fail(
            at,
            Invalid::Default,
            GrammarFault::whole("is not a path that begins with one slash")
                .help("write a path, such as `/ui`"),
        );
        return None;
    }
    Some(Spanned::new(path.to_owned(), keys.value_span(at)))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, read};

    #[test]
    fn values_are_taken() {
        let settings = read(&[
            ("rewrite-target", "/$2"),
            ("use-regex", "true"),
            ("app-root", "/app"),
            ("ssl-redirect", "F"),
            ("force-ssl-redirect", "1"),
            ("preserve-trailing-slash", "true"),
            ("use-port-in-redirects", "true"),
            ("x-forwarded-prefix", "/api"),
        ])
        .settings
        .rewrite;
        assert_eq!(settings.target.as_ref().unwrap().value, "/$2");
        assert!(settings.use_regex.unwrap().value && settings.force_ssl_redirect.unwrap().value);
        assert!(!settings.ssl_redirect.unwrap().value);
        assert_eq!(settings.app_root.as_ref().unwrap().value, "/app");
        assert_eq!(settings.x_forwarded_prefix.as_ref().unwrap().value, "/api");
    }

    #[test]
    fn faulty_values_are_ignored_or_drop_the_ingress() {
        check(
            &[("rewrite-target", "/new/$1 redirect")],
            "rewrite-target: ignored",
        );
        check(
            &[("rewrite-target", "/new?id=$1")],
            "rewrite-target: ignored",
        );
        check(&[("rewrite-target", "")], "rewrite-target: ignored");
        check(&[("rewrite-target", "new/$1")], "rewrite-target: taken");
        check(
            &[("force-ssl-redirect", "yes")],
            "force-ssl-redirect: ignored",
        );
        check(
            &[("force-ssl-redirect", " true")],
            "force-ssl-redirect: ignored",
        );
        check(&[("use-regex", "on")], "use-regex: ignored");
        check(&[("app-root", "foo")], "app-root: ignored");
        check(&[("app-root", "http://h/x")], "app-root: ignored");
        check(
            &[("x-forwarded-prefix", "/a?b")],
            "x-forwarded-prefix: rejected",
        );
        check(&[("x-forwarded-prefix", "")], "x-forwarded-prefix: ignored");
    }
}

//! What is replaced in cookies and redirects of the backend.
//!
//! `internal/ingress/annotations/proxy` of ingress-nginx.

use gatewright_diagnostics::Code;
use gatewright_source::Spanned;

use super::{Keys, Settings};
use crate::config_map::Config;
use crate::registry::{Around, Entry, Grammar, GrammarFault, Invalid, Risk, URL};

/// What is replaced in replies. Two words are what is replaced and what replaces it.
#[derive(Clone, Debug, Default)]
pub struct Replies {
    /// In cookie domains: `off` or two words.
    pub cookie_domain: Option<Spanned<String>>,
    /// In cookie paths: `off` or two words.
    pub cookie_path: Option<Spanned<String>>,
    /// What is replaced in `Location` and `Refresh`; also `off` and `default`.
    pub redirect_from: Option<Spanned<String>>,
    /// What replaces it.
    pub redirect_to: Option<Spanned<String>>,
}

impl Replies {
    /// What is replaced in redirects and by what; `None` when nothing is. `default` puts
    /// the public path for the internal address of the backend, which no backend names.
    pub fn redirect<'a>(&'a self, config: &'a Config) -> Option<(&'a str, &'a str)> {
        let from = self
            .redirect_from
            .as_ref()
            .map_or(&*config.proxy_redirect_from, |from| &from.value);
        let to = self
            .redirect_to
            .as_ref()
            .map_or(&*config.proxy_redirect_to, |to| &to.value);
        let none = matches!(from, "off" | "default" | "") || matches!(to, "off" | "");
        (!none).then_some((from, to))
    }

    /// What is replaced in cookie domains.
    pub fn cookie_domain<'a>(&'a self, config: &'a Config) -> Option<(&'a str, &'a str)> {
        two_words(
            self.cookie_domain
                .as_ref()
                .map_or(&*config.proxy_cookie_domain, |text| &text.value),
        )
    }

    /// What is replaced in cookie paths.
    pub fn cookie_path<'a>(&'a self, config: &'a Config) -> Option<(&'a str, &'a str)> {
        two_words(
            self.cookie_path
                .as_ref()
                .map_or(&*config.proxy_cookie_path, |text| &text.value),
        )
    }
}

fn two_words(text: &str) -> Option<(&str, &str)> {
    let mut words = text.split_ascii_whitespace();
    Some((words.next()?, words.next()?))
}

const PROXY: Entry = Entry {
    group: "Proxy",
    default: "off",
    risk: Risk::Medium,
    ..Entry::BASE
};

/// The entries of the family.
pub static ENTRIES: &[Entry] = &[
    Entry {
        key: "proxy-cookie-domain",
        grammar: Grammar::CookieDomain,
        configmap_key: Some("proxy-cookie-domain"),
        summary: "replaces the first domain by the second in `Set-Cookie` of the backend",
        target: "EnvoyExtensionPolicy with Lua on `Set-Cookie`",
        difference: "regular expressions and nginx variables are left out",
        codes: &[Code::ReplyPattern],
        example: "internal.local shop.example.com",
        ..PROXY
    },
    Entry {
        key: "proxy-cookie-path",
        grammar: Grammar::LooseText(URL),
        configmap_key: Some("proxy-cookie-path"),
        summary: "replaces the first path by the second in `Set-Cookie` of the backend",
        target: "EnvoyExtensionPolicy with Lua on `Set-Cookie`",
        difference: "regular expressions and nginx variables are left out",
        codes: &[Code::ReplyPattern],
        example: "/app /",
        ..PROXY
    },
    Entry {
        key: "proxy-redirect-from",
        grammar: Grammar::LooseText(URL),
        configmap_key: Some("proxy-redirect-from"),
        summary: "is the beginning of `Location` and `Refresh` of the backend that is replaced; does nothing without `proxy-redirect-to`",
        target: "EnvoyExtensionPolicy with Lua on `Location` and `Refresh`; nothing for `off` and `default`",
        difference: "regular expressions and nginx variables are left out",
        codes: &[Code::ReplyPattern],
        example: "http://internal.local/",
        around: Around {
            annotations: &[("proxy-redirect-to", "https://shop.example.com/")],
            ..Around::NOTHING
        },
        ..PROXY
    },
    Entry {
        key: "proxy-redirect-to",
        grammar: Grammar::LooseText(URL),
        configmap_key: Some("proxy-redirect-to"),
        summary: "is what `proxy-redirect-from` is replaced by",
        target: "EnvoyExtensionPolicy with Lua on `Location` and `Refresh`",
        difference: "regular expressions and nginx variables are left out",
        codes: &[Code::ReplyPattern],
        example: "https://shop.example.com/",
        around: Around {
            annotations: &[("proxy-redirect-from", "http://internal.local/")],
            ..Around::NOTHING
        },
        ..PROXY
    },
];

pub(crate) fn parse(keys: &mut Keys<'_>, settings: &mut Settings) {
    let mut replies = Replies {
        cookie_domain: keys.text("proxy-cookie-domain"),
        cookie_path: keys.text("proxy-cookie-path"),
        redirect_from: keys.text("proxy-redirect-from"),
        redirect_to: keys.text("proxy-redirect-to"),
    };
    let words = replies
        .cookie_path
        .as_ref()
        .map(|text| text.value.split_ascii_whitespace().count());
    let off = replies
        .cookie_path
        .as_ref()
        .is_some_and(|text| text.value == "off");
    if words.is_some_and(|words| words != 2) && !off {
        keys.fail_key(
            "proxy-cookie-path",
            Invalid::Break,
            GrammarFault::whole("is neither `off` nor two paths")
                .help("write what is replaced, a blank, and what replaces it"),
        );
        replies.cookie_path = None;
    }
    if replies.redirect(keys.config).is_none() {
        let switched_off =
            |text: &Spanned<String>| matches!(text.value.as_str(), "off" | "default");
        if replies
            .redirect_from
            .as_ref()
            .is_some_and(|from| !switched_off(from))
        {
            keys.ignore("proxy-redirect-from", "`proxy-redirect-to` is not set");
        }
        if replies
            .redirect_to
            .as_ref()
            .is_some_and(|to| !switched_off(to))
        {
            keys.ignore("proxy-redirect-to", "`proxy-redirect-from` is not set");
        }
    }
    *settings.replies = replies;
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, read};
    use super::*;

    #[test]
    fn replacements() {
        let config = Config::default();
        let replies = read(&[
            ("proxy-redirect-from", "http://a/"),
            ("proxy-redirect-to", "https://b/"),
            ("proxy-cookie-path", "/a /b"),
            ("proxy-cookie-domain", "a.b c.d"),
        ])
        .settings
        .replies;
        assert_eq!(replies.redirect(&config), Some(("http://a/", "https://b/")));
        assert_eq!(replies.cookie_path(&config), Some(("/a", "/b")));
        assert_eq!(replies.cookie_domain(&config), Some(("a.b", "c.d")));
        assert_eq!(
            read(&[("proxy-redirect-from", "default")])
                .settings
                .replies
                .redirect(&config),
            None
        );
    }

    #[test]
    fn consequences() {
        check(&[("proxy-cookie-path", "/a")], "proxy-cookie-path: breaks");
        check(&[("proxy-cookie-path", "off")], "proxy-cookie-path: taken");
        check(
            &[("proxy-cookie-path", "/ /x;")],
            "proxy-cookie-path: ignored",
        );
        check(
            &[("proxy-cookie-domain", "a.b")],
            "proxy-cookie-domain: ignored",
        );
        check(
            &[("proxy-redirect-from", "http://a/")],
            "proxy-redirect-from: ignored",
        );
        check(
            &[("proxy-redirect-from", "off")],
            "proxy-redirect-from: taken",
        );
    }
}

//! TLS to the backend.
//!
//! `internal/ingress/annotations/proxyssl` of ingress-nginx. All of it counts only with
//! `proxy-ssl-secret`; the scheme itself is chosen by `backend-protocol`.

use gatewright_diagnostics::Code;
use gatewright_source::Spanned;

use super::{Keys, Reference, Settings};
use crate::registry::{
    Around, BASIC, Blanks, CIPHERS, Carried, Entry, Grammar, Invalid, Risk, Scope,
};

/// What is checked and shown when nginx connects to the backend over TLS.
#[derive(Clone, Debug)]
pub struct ProxySsl {
    /// The Secret with `tls.crt` and `tls.key` for the client side and `ca.crt` for the check.
    pub secret: Spanned<Reference>,
    /// Whether the certificate of the backend is checked.
    pub verify: Option<Spanned<bool>>,
    /// How long its chain may be.
    pub verify_depth: Option<Spanned<i64>>,
    /// The name that is sent and checked.
    pub name: Option<Spanned<String>>,
    /// Whether the name is sent.
    pub server_name: Option<Spanned<bool>>,
    /// TLS versions.
    pub protocols: Option<Spanned<String>>,
    /// Ciphers.
    pub ciphers: Option<Spanned<String>>,
}

impl ProxySsl {
    /// Whether the certificate is checked; not unless asked for.
    pub fn verify(&self) -> bool {
        self.verify.is_some_and(|flag| flag.value)
    }

    /// Whether the name is sent; not unless asked for.
    pub fn server_name(&self) -> bool {
        self.server_name.is_some_and(|flag| flag.value)
    }

    /// How long the chain may be.
    pub fn verify_depth(&self) -> i64 {
        self.verify_depth.map_or(1, |depth| depth.value)
    }

    /// TLS versions in ascending order.
    pub fn protocols(&self) -> Vec<&str> {
        let text = self
            .protocols
            .as_ref()
            .map_or("TLSv1.2", |text| &text.value);
        ["TLSv1.2", "TLSv1.3"]
            .into_iter()
            .filter(|version| text.contains(version))
            .collect()
    }
}

const GROUP: &str = "ProxySSL";

const PROXY_SSL: Entry = Entry {
    group: GROUP,
    scope: Scope::Host,
    canary: true,
    ..Entry::BASE
};

const ON_OFF: Grammar = Grammar::OneOf {
    words: &["on", "off"],
    exact_case: true,
    blanks: Blanks::Removed,
};

/// The entries of the family.
pub static ENTRIES: &[Entry] = &[
    Entry {
        key: "proxy-ssl-secret",
        grammar: Grammar::LooseText(BASIC),
        invalid: Invalid::Reject,
        risk: Risk::Medium,
        summary: "names the Secret with the client certificate and the CA for TLS connections to the backend; all other `proxy-ssl-*` need it",
        target: "Backend `tls.clientCertificateRef` and `tls.caCertificateRefs`, for the paths of the Ingress and, as in nginx, for other HTTPS backends of its hosts",
        difference: "a server name is sent unless `proxy-ssl-server-name` says so already; a Secret that is missing, or of another namespace, makes the paths answer 503",
        carried: Carried::Differently,
        codes: &[
            Code::UpstreamTls,
            Code::UpstreamTlsSecret,
            Code::UpstreamTlsRefused,
        ],
        example: "shop/backend-tls",
        around: Around {
            annotations: &[
                ("backend-protocol", "HTTPS"),
                ("proxy-ssl-verify", "on"),
                ("proxy-ssl-name", "backend.internal"),
            ],
            ..Around::NOTHING
        },
        ..PROXY_SSL
    },
    Entry {
        key: "proxy-ssl-verify",
        grammar: ON_OFF,
        default: "off",
        summary: "says whether the certificate of the backend is checked against `ca.crt`; a failure is answered with 502",
        target: "Backend `tls.caCertificateRefs`, or `tls.insecureSkipVerify` for `off`",
        difference: "without `proxy-ssl-name` or `ca.crt` the paths answer 503, where ingress-nginx answers 502",
        codes: &[Code::UpstreamTlsRefused],
        example: "on",
        around: Around {
            annotations: &[
                ("backend-protocol", "HTTPS"),
                ("proxy-ssl-secret", "shop/backend-tls"),
                ("proxy-ssl-name", "backend.internal"),
            ],
            ..Around::NOTHING
        },
        ..PROXY_SSL
    },
    Entry {
        key: "proxy-ssl-verify-depth",
        grammar: Grammar::Int,
        default: "1",
        summary: "is how many certificates may stand between that of the backend and the CA",
        target: "nothing",
        difference: "chains of any length are accepted",
        carried: Carried::LeftOut,
        codes: &[Code::UpstreamTls],
        example: "2",
        around: Around {
            annotations: &[
                ("backend-protocol", "HTTPS"),
                ("proxy-ssl-secret", "shop/backend-tls"),
                ("proxy-ssl-verify", "on"),
                ("proxy-ssl-name", "backend.internal"),
            ],
            ..Around::NOTHING
        },
        ..PROXY_SSL
    },
    Entry {
        key: "proxy-ssl-name",
        grammar: Grammar::ServerName,
        risk: Risk::High,
        summary: "is the name the certificate must be for, and the one that is sent with `proxy-ssl-server-name`",
        target: "Backend `tls.sni`",
        example: "backend.internal",
        around: Around {
            annotations: &[
                ("backend-protocol", "HTTPS"),
                ("proxy-ssl-secret", "shop/backend-tls"),
                ("proxy-ssl-verify", "on"),
            ],
            ..Around::NOTHING
        },
        ..PROXY_SSL
    },
    Entry {
        key: "proxy-ssl-server-name",
        grammar: ON_OFF,
        default: "off",
        summary: "says whether the name is sent in the TLS handshake",
        target: "Backend `tls.sni`",
        difference: "a name is sent with `off` too: that of `proxy-ssl-name`, or the host that the client asked for",
        carried: Carried::Differently,
        codes: &[Code::UpstreamTls],
        example: "on",
        around: Around {
            annotations: &[
                ("backend-protocol", "HTTPS"),
                ("proxy-ssl-secret", "shop/backend-tls"),
                ("proxy-ssl-name", "backend.internal"),
            ],
            ..Around::NOTHING
        },
        ..PROXY_SSL
    },
    Entry {
        key: "proxy-ssl-protocols",
        grammar: Grammar::TlsVersions,
        default: "TLSv1.2",
        summary: "is the list of TLS versions for the backend",
        target: "Backend `tls.minVersion` and `tls.maxVersion`",
        example: "TLSv1.2 TLSv1.3",
        around: Around {
            annotations: &[
                ("backend-protocol", "HTTPS"),
                ("proxy-ssl-secret", "shop/backend-tls"),
            ],
            ..Around::NOTHING
        },
        ..PROXY_SSL
    },
    Entry {
        key: "proxy-ssl-ciphers",
        grammar: Grammar::LooseText(CIPHERS),
        default: "DEFAULT",
        risk: Risk::Medium,
        summary: "is the OpenSSL cipher list for the backend",
        target: "Backend `tls.ciphers`",
        difference: "a list with a keyword such as `HIGH`, or a suite that Envoy does not know, is left to Envoy",
        codes: &[Code::UpstreamTls],
        example: "ECDHE-RSA-AES128-GCM-SHA256",
        around: Around {
            annotations: &[
                ("backend-protocol", "HTTPS"),
                ("proxy-ssl-secret", "shop/backend-tls"),
            ],
            ..Around::NOTHING
        },
        ..PROXY_SSL
    },
];

pub(crate) fn parse(keys: &mut Keys<'_>, settings: &mut Settings) {
    let Some(secret) = keys.reference("proxy-ssl-secret", true) else {
        keys.ignore_rest(GROUP, "`proxy-ssl-secret` is not set");
        return;
    };
    let switch = |word: &str| match word {
        word if word.replace(' ', "") == "on" => Some(true),
        word if word.replace(' ', "") == "off" => Some(false),
        _ => None,
    };
    settings.proxy_ssl = Some(Box::new(ProxySsl {
        secret,
        verify: keys.word("proxy-ssl-verify", switch),
        verify_depth: keys.int("proxy-ssl-verify-depth"),
        name: keys.text("proxy-ssl-name"),
        server_name: keys.word("proxy-ssl-server-name", switch),
        protocols: keys.text("proxy-ssl-protocols"),
        ciphers: keys.text("proxy-ssl-ciphers"),
    }));
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, read};

    #[test]
    fn the_secret_carries_the_group() {
        let ssl = read(&[
            ("proxy-ssl-secret", "shop/x"),
            ("proxy-ssl-verify", "on"),
            ("proxy-ssl-protocols", "TLSv1.3 TLSv1.2"),
            ("proxy-ssl-name", "a.b"),
        ])
        .settings
        .proxy_ssl
        .unwrap();
        assert!(ssl.verify() && !ssl.server_name());
        assert_eq!(
            (ssl.verify_depth(), ssl.protocols()),
            (1, vec!["TLSv1.2", "TLSv1.3"])
        );
        assert_eq!(ssl.secret.value.name, "x");
        check(
            &[("proxy-ssl-verify", "on"), ("proxy-ssl-name", "a")],
            "proxy-ssl-verify: ignored, proxy-ssl-name: ignored",
        );
    }

    #[test]
    fn faults() {
        check(
            &[("proxy-ssl-secret", "x"), ("proxy-ssl-verify", "on")],
            "proxy-ssl-secret: denied, proxy-ssl-verify: ignored",
        );
        check(
            &[("proxy-ssl-secret", "other/x")],
            "proxy-ssl-secret: denied",
        );
        check(&[("proxy-ssl-secret", "a;b")], "proxy-ssl-secret: rejected");
        check(
            &[
                ("proxy-ssl-secret", "shop/x"),
                ("proxy-ssl-server-name", "whoami.localhost"),
            ],
            "proxy-ssl-secret: taken, proxy-ssl-server-name: ignored",
        );
        check(
            &[
                ("proxy-ssl-secret", "shop/x"),
                ("proxy-ssl-protocols", "TLSv1.1"),
            ],
            "proxy-ssl-secret: taken, proxy-ssl-protocols: ignored",
        );
    }
}

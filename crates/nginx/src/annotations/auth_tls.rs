//! Client certificates.
//!
//! `internal/ingress/annotations/authtls` of ingress-nginx. The group is read only when
//! `auth-tls-secret` can be used, and then holds for the whole host. A Secret that cannot
//! be used makes the host answer 403.

use gatewright_diagnostics::Code;
use gatewright_source::{Span, Spanned};

use super::{Keys, Reference, Settings};
use crate::registry::{
    Around, BASIC, Blanks, Carried, EmptyValue, Entry, Grammar, Invalid, Risk, Scope,
};

/// Client certificates of the host.
#[derive(Clone, Debug)]
pub enum AuthTls {
    /// The annotation names no Secret that could be used: the whole host answers 403.
    Broken {
        /// Where it does.
        span: Span,
    },
    /// Certificates are asked for.
    Verify(ClientCertificates),
}

/// How certificates of clients are checked.
#[derive(Clone, Debug)]
pub struct ClientCertificates {
    /// The Secret with `ca.crt` and perhaps `ca.crl`.
    pub secret: Spanned<Reference>,
    /// Who needs a certificate.
    pub verify: Option<Spanned<VerifyClient>>,
    /// How long a chain may be.
    pub depth: Option<Spanned<i64>>,
    /// Where clients go whose certificate is refused.
    pub error_page: Option<Spanned<String>>,
    /// Whether the backend gets the certificate.
    pub pass_certificate: Option<Spanned<bool>>,
    /// The pattern that the subject must match, `CN=` included.
    pub match_cn: Option<Spanned<String>>,
}

impl ClientCertificates {
    /// Who needs a certificate: everybody unless set.
    pub fn verify(&self) -> VerifyClient {
        self.verify.map_or(VerifyClient::On, |verify| verify.value)
    }

    /// How long a chain may be; 0 counts as 1.
    pub fn depth(&self) -> i64 {
        self.depth
            .map_or(1, |depth| if depth.value == 0 { 1 } else { depth.value })
    }

    /// Whether the backend gets the certificate.
    pub fn pass_certificate(&self) -> bool {
        self.pass_certificate.is_some_and(|flag| flag.value)
    }
}

/// Who needs a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifyClient {
    /// Everybody.
    On,
    /// Nobody.
    Off,
    /// Nobody, but one that is shown must be good.
    Optional,
    /// Nobody, and any will do.
    OptionalNoCa,
}

const GROUP: &str = "CertificateAuth";

const AUTH_TLS: Entry = Entry {
    group: GROUP,
    scope: Scope::Host,
    protective: true,
    canary: true,
    ..Entry::BASE
};

/// The entries of the family.
pub static ENTRIES: &[Entry] = &[
    Entry {
        key: "auth-tls-secret",
        grammar: Grammar::LooseText(BASIC),
        invalid: Invalid::Reject,
        empty: EmptyValue::DropGroup,
        risk: Risk::Medium,
        summary: "asks clients of the host for a certificate that `ca.crt` of this Secret has signed; plain HTTP is not covered",
        target: "ClientTrafficPolicy `tls.clientValidation` on a listener of the host",
        difference: "a client without a good certificate fails in the handshake, where nginx answers 400; a rule without a host answers 503 over HTTPS",
        carried: Carried::Differently,
        codes: &[
            Code::ClientHandshake,
            Code::ClientCertificatesOff,
            Code::ClientCertificatesRefused,
        ],
        example: "shop/client-ca",
        around: Around {
            tls: true,
            ..Around::NOTHING
        },
        ..AUTH_TLS
    },
    Entry {
        key: "auth-tls-verify-client",
        grammar: Grammar::OneOf {
            words: &["on", "off", "optional", "optional_no_ca"],
            exact_case: true,
            blanks: Blanks::Removed,
        },
        default: "on",
        risk: Risk::Medium,
        summary: "says whether a certificate is needed (`on`), optional, optional and unchecked (`optional_no_ca`), or not asked for",
        target: "ClientTrafficPolicy `tls.clientValidation.mode`",
        example: "optional",
        around: Around {
            annotations: &[("auth-tls-secret", "shop/client-ca")],
            tls: true,
            ..Around::NOTHING
        },
        ..AUTH_TLS
    },
    Entry {
        key: "auth-tls-verify-depth",
        grammar: Grammar::Int,
        default: "1",
        summary: "is how many certificates may stand between that of the client and the CA",
        target: "nothing",
        difference: "chains of any length are accepted; they must still lead to the authority",
        carried: Carried::LeftOut,
        codes: &[Code::ClientChainDepth],
        example: "1",
        around: Around {
            annotations: &[("auth-tls-secret", "shop/client-ca")],
            tls: true,
            ..Around::NOTHING
        },
        ..AUTH_TLS
    },
    Entry {
        key: "auth-tls-error-page",
        grammar: Grammar::ErrorPage,
        invalid: Invalid::Reject,
        risk: Risk::High,
        summary: "redirects clients whose certificate is missing or bad to this URL",
        target: "nothing",
        difference: "a handshake that fails cannot be redirected",
        carried: Carried::LeftOut,
        codes: &[Code::ClientErrorPage],
        example: "https://example.com/certificate-needed",
        around: Around {
            annotations: &[("auth-tls-secret", "shop/client-ca")],
            tls: true,
            ..Around::NOTHING
        },
        ..AUTH_TLS
    },
    Entry {
        key: "auth-tls-pass-certificate-to-upstream",
        grammar: Grammar::Bool,
        default: "false",
        invalid: Invalid::Reject,
        summary: "sends the client's certificate to the backend in `ssl-client-cert`",
        target: "`requestHeaderModifier.set` of `ssl-client-cert`",
        example: "true",
        around: Around {
            annotations: &[("auth-tls-secret", "shop/client-ca")],
            tls: true,
            ..Around::NOTHING
        },
        ..AUTH_TLS
    },
    Entry {
        key: "auth-tls-match-cn",
        grammar: Grammar::CommonName,
        invalid: Invalid::Reject,
        risk: Risk::High,
        summary: "answers 403 unless the subject of the certificate matches this pattern, on the whole host and over plain HTTP too",
        target: "SecurityPolicy `authorization` with a CEL expression on the subject; rules for plain HTTP answer 403",
        difference: "a pattern that RE2 cannot say makes the host answer 503",
        codes: &[Code::ClientSubjectRefused],
        example: "CN=(app|ops)",
        around: Around {
            annotations: &[("auth-tls-secret", "shop/client-ca")],
            tls: true,
            ..Around::NOTHING
        },
        ..AUTH_TLS
    },
];

pub(crate) fn parse(keys: &mut Keys<'_>, settings: &mut Settings) {
    let secret = keys.reference("auth-tls-secret", true);
    let dropped = keys.take_dropped().is_some();
    let Some(secret) = secret else {
        if keys.denied("auth-tls-secret")
            && let Some(span) = keys.span_of("auth-tls-secret")
        {
            settings.auth_tls = Some(Box::new(AuthTls::Broken { span }));
        }
        let reason = if dropped || keys.has("auth-tls-secret") {
            "`auth-tls-secret` cannot be used"
        } else {
            "`auth-tls-secret` is not set"
        };
        keys.ignore_rest(GROUP, reason);
        return;
    };
    settings.auth_tls = Some(Box::new(AuthTls::Verify(ClientCertificates {
        secret,
        verify: keys.word("auth-tls-verify-client", |word| {
            match &*word.replace(' ', "") {
                "on" => Some(VerifyClient::On),
                "off" => Some(VerifyClient::Off),
                "optional" => Some(VerifyClient::Optional),
                "optional_no_ca" => Some(VerifyClient::OptionalNoCa),
                _ => None,
            }
        }),
        depth: keys.int("auth-tls-verify-depth"),
        error_page: keys.text("auth-tls-error-page"),
        pass_certificate: keys.flag("auth-tls-pass-certificate-to-upstream"),
        match_cn: keys.text("auth-tls-match-cn"),
    })));
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, codes, read};
    use super::*;
    use gatewright_diagnostics::Code;

    #[test]
    fn the_secret_carries_the_group() {
        let result = read(&[
            ("auth-tls-secret", "shop/ca"),
            ("auth-tls-verify-client", "optional"),
            ("auth-tls-verify-depth", "0"),
            ("auth-tls-match-cn", "CN=a.*"),
            ("auth-tls-pass-certificate-to-upstream", "true"),
            ("auth-tls-error-page", "https://a/b"),
        ]);
        let Some(AuthTls::Verify(tls)) = result.settings.auth_tls.as_deref() else {
            panic!("{:?}", result.settings.auth_tls);
        };
        assert_eq!(
            (tls.verify(), tls.depth(), tls.pass_certificate()),
            (VerifyClient::Optional, 1, true)
        );
        check(
            &[("auth-tls-match-cn", "nonsense")],
            "auth-tls-match-cn: ignored",
        );
    }

    #[test]
    fn a_secret_that_cannot_be_used_breaks_the_host() {
        for secret in ["ca", "other/ca", "a/b/c"] {
            let result = read(&[("auth-tls-secret", secret)]);
            assert!(
                matches!(
                    result.settings.auth_tls.as_deref(),
                    Some(AuthTls::Broken { .. })
                ),
                "{secret}"
            );
            assert_eq!(result.denied.len(), 1, "{secret}");
        }
        let empty = read(&[("auth-tls-secret", ""), ("auth-tls-verify-client", "on")]);
        assert!(empty.settings.auth_tls.is_none() && empty.denied.is_empty());
        assert!(codes(&empty).contains(&Code::AuthSwitchedOff));
    }

    #[test]
    fn faults() {
        let with = |key, value, expected: &str| {
            check(
                &[("auth-tls-secret", "shop/ca"), (key, value)],
                &format!("auth-tls-secret: taken, {key}: {expected}"),
            );
        };
        with("auth-tls-verify-client", "required", "ignored");
        with("auth-tls-verify-depth", "x", "ignored");
        with("auth-tls-error-page", "ftp://x", "rejected");
        with("auth-tls-pass-certificate-to-upstream", "yes", "rejected");
        with("auth-tls-match-cn", "cn=a", "rejected");
        check(&[("auth-tls-secret", "a;b")], "auth-tls-secret: rejected");
    }
}

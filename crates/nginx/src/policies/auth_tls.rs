//! Client certificates: `auth-tls-secret` and its kin.
//!
//! They hold for the whole host (`createServers` of ingress-nginx): the first Ingress of it,
//! canaries included, whose Secret has `ca.crt` decides; a Secret that cannot be used makes
//! the host answer 403. So this family says here only what differs, and the host is made by
//! [`host`].

use std::sync::Arc;

use gatewright_diagnostics::{Code, Diagnostic};
use gatewright_model::pattern::Pattern;
use gatewright_model::{ClientCertificates, Origin, OwnerId, SecretRef, VerifyClient};
use gatewright_source::Spanned;

use super::{PolicyInput, PolicyOutput};
use crate::annotations::auth_tls::{AuthTls, ClientCertificates as Asked, VerifyClient as Verify};
use crate::effective::Source;
use crate::objects::Objects;
use crate::reading::SecretInfo;

/// What the family carries.
pub(crate) const KEYS: &[&str] = &[
    "auth-tls-secret",
    "auth-tls-verify-client",
    "auth-tls-verify-depth",
    "auth-tls-error-page",
    "auth-tls-pass-certificate-to-upstream",
    "auth-tls-match-cn",
];

/// What the Ingresses of a host ask of its clients.
pub(crate) enum Clients {
    /// Nothing.
    Anybody,
    /// The host answers 403.
    Forbidden(Origin),
    /// Certificates.
    Certificates(ClientCertificates),
    /// Something that cannot be asked: the host answers 503.
    Refused(Origin),
}

impl Clients {
    /// The Ingress that decides.
    pub(crate) fn decider(&self) -> Option<OwnerId> {
        match self {
            Self::Anybody => None,
            Self::Certificates(certificates) => Some(certificates.origin.owner),
            Self::Forbidden(origin) | Self::Refused(origin) => Some(origin.owner),
        }
    }
}

/// Asks the Ingresses with a rule for the host, in the controller's order.
pub(crate) fn host<'a>(
    sources: impl Iterator<Item = &'a Source<'a>>,
    objects: &Objects,
) -> Clients {
    let mut clients = Clients::Anybody;
    for source in sources {
        match source.settings.auth_tls.as_deref() {
            None => {}
            Some(AuthTls::Broken { span }) => {
                return Clients::Forbidden(Origin::annotation(source.id, "auth-tls-secret", *span));
            }
            Some(AuthTls::Verify(tls)) => {
                let name = SecretRef {
                    namespace: Arc::from(tls.secret.value.namespace.as_str()),
                    name: Arc::from(tls.secret.value.name.as_str()),
                };
                let seen = secret(objects, &name);
                let has_ca = seen.is_none_or(|secret| holds(secret, "ca.crt"));
                if !matches!(clients, Clients::Anybody) || !has_ca {
                    continue;
                }
                let origin = |key, span| Origin::annotation(source.id, key, span);
                if let Some(pattern) = tls.match_cn.as_ref().filter(|p| !is_comparable(p)) {
                    clients = Clients::Refused(origin("auth-tls-match-cn", pattern.span));
                    continue;
                }
                clients = Clients::Certificates(ClientCertificates {
                    revoked: seen.is_some_and(|secret| secret.data.contains_key("ca.crl")),
                    authorities: name,
                    verify: match tls.verify() {
                        Verify::On => VerifyClient::Required,
                        Verify::Optional => VerifyClient::Optional,
                        Verify::OptionalNoCa => VerifyClient::Unverified,
                        Verify::Off => VerifyClient::Off,
                    },
                    subject: tls.match_cn.as_ref().map(|pattern| pattern.value.clone()),
                    pass: tls.pass_certificate(),
                    origin: origin("auth-tls-secret", tls.secret.span),
                });
            }
        }
    }
    clients
}

/// Whether Envoy can look for the pattern in a subject.
fn is_comparable(pattern: &Spanned<String>) -> bool {
    let re2 = Pattern::parse_case_sensitive(&pattern.value).ok();
    re2.is_some_and(|pattern| pattern.to_re2().is_ok())
}

fn secret<'a>(objects: &'a Objects, name: &SecretRef) -> Option<&'a SecretInfo> {
    objects
        .secrets
        .get(&(Arc::clone(&name.namespace), Arc::clone(&name.name)))
}

/// A Secret without any data was emptied by whoever handed it on.
fn holds(secret: &SecretInfo, key: &str) -> bool {
    secret.data.is_empty() || secret.data.contains_key(key)
}

pub(crate) fn lower(input: &PolicyInput<'_>, out: &mut PolicyOutput) {
    let Some(AuthTls::Verify(tls)) = input.settings.auth_tls.as_deref() else {
        return;
    };
    let name = SecretRef {
        namespace: Arc::from(tls.secret.value.namespace.as_str()),
        name: Arc::from(tls.secret.value.name.as_str()),
    };
    let seen = secret(input.objects, &name);
    let text = format!("{}/{}", name.namespace, name.name);
    if seen.is_some_and(|secret| !holds(secret, "ca.crt")) {
        out.differs(
            input,
            "auth-tls-secret",
            Diagnostic::new(
                Code::ClientCertificatesOff,
                format!("Secret {text} has no `ca.crt`, so no client needs a certificate"),
            )
            .at(tls.secret.span)
            .note("ingress-nginx switches the check off without a word, and so does the output")
            .help("put the certificate of the authority into the Secret under `ca.crt`"),
        );
        return;
    }
    if !input.decides_clients {
        const REASON: &str =
            "this is not the first Ingress of any host to ask for client certificates";
        for key in KEYS {
            out.inert(key, REASON);
        }
        out.tell(
            input,
            "auth-tls-secret",
            Diagnostic::new(Code::AnnotationNoEffect, REASON)
                .at(tls.secret.span)
                .note("ingress-nginx asks what the first one of the host says, and so does the output"),
        );
        return;
    }
    if let Some(pattern) = tls.match_cn.as_ref().filter(|p| !is_comparable(p)) {
        out.refused(
            input,
            "auth-tls-match-cn",
            Diagnostic::new(
                Code::ClientSubjectRefused,
                "RE2 cannot say the pattern of the subject, so the host answers 503",
            )
            .at(pattern.span)
            .note("without it every certificate of the authority would be let in")
            .help("write it without lookaround and back-references, or use an authority of its own for these clients"),
        );
        return;
    }
    let asked = tls.verify() != Verify::Off;
    if asked {
        out.differs(
            input,
            "auth-tls-secret",
            Diagnostic::new(
                Code::ClientHandshake,
                "a client without a good certificate fails in the TLS handshake, where nginx answers 400",
            )
            .at(tls.secret.span)
            .note(if seen.is_some_and(|secret| !secret.data.is_empty()) {
                "the Secret must stay in the cluster"
            } else {
                "the Secret's contents are not in the input: it must hold `ca.crt`, and a `ca.crl` in it is not used"
            }),
        );
        if tls.verify() != Verify::OptionalNoCa {
            chain_depth(input, tls, out);
        }
    }
    if let Some(page) = &tls.error_page {
        out.differs(
            input,
            "auth-tls-error-page",
            Diagnostic::new(
                Code::ClientErrorPage,
                "a client without a good certificate is not redirected",
            )
            .at(page.span)
            .note("the TLS handshake fails before there is a request that could be answered"),
        );
    }
}

/// `ssl_verify_depth` of nginx counts the certificates between that of the client and the
/// authority. It always has a value.
fn chain_depth(input: &PolicyInput<'_>, tls: &Asked, out: &mut PolicyOutput) {
    let depth = tls.depth();
    let certificates = if depth == 1 {
        "one certificate".to_owned()
    } else {
        format!("{depth} certificates")
    };
    let diagnostic = Diagnostic::new(
        Code::ClientChainDepth,
        format!("chains with more than {certificates} between the client's and the authority are accepted"),
    )
    .note("ingress-nginx answers 400 to them; Envoy Gateway has no such limit, but every certificate must still lead to the authority in `ca.crt`")
    .help("see that the authority issues no certificates to further authorities, then pass `--accept GW0533=NAMESPACE/NAME`");
    match tls.depth {
        Some(written) => {
            let diagnostic = diagnostic.at(written.span);
            out.differs(input, "auth-tls-verify-depth", diagnostic);
        }
        None => out.tell(input, "auth-tls-secret", diagnostic.at(tls.secret.span)),
    }
}

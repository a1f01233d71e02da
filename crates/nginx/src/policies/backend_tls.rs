//! `proxy-ssl-*`: TLS to the backend.
//!
//! `internal/ingress/annotations/proxyssl` and the template of ingress-nginx. What an Ingress
//! says also holds for the other paths of its hosts, unless `proxy-ssl-location-only` is set.

use std::sync::Arc;

use gatewright_diagnostics::{Code, Diagnostic};
use gatewright_model::{BackendTls, Refusal, SecretRef, TlsVersion, is_dns_subdomain};

use super::{PolicyInput, PolicyOutput, ssl};
use crate::annotations::backend::Protocol;
use crate::annotations::proxy_ssl::ProxySsl;
use crate::effective::SourceIndex;
use crate::objects::Missing;

/// The keys of the family.
pub(crate) const KEYS: &[&str] = &[
    "proxy-ssl-secret",
    "proxy-ssl-verify",
    "proxy-ssl-verify-depth",
    "proxy-ssl-name",
    "proxy-ssl-server-name",
    "proxy-ssl-protocols",
    "proxy-ssl-ciphers",
];

const OTHER_NAMESPACE: &str = "a Secret of another namespace cannot be used for TLS to the backend";

/// What `proxy-ssl-*` of an Ingress come to.
#[derive(Clone, Debug)]
pub(crate) struct UpstreamTls {
    /// The settings, or why no request can succeed.
    pub(crate) settings: Result<BackendTls, Refusal>,
    /// Whether there is a CA, which makes them hold for the whole host.
    pub(crate) host_wide: bool,
}

pub(crate) fn lower(input: &PolicyInput<'_>, out: &mut PolicyOutput) {
    let Some(ssl) = &input.settings.proxy_ssl else {
        return;
    };
    let namespace: Arc<str> = Arc::from(ssl.secret.value.namespace.as_str());
    let name: Arc<str> = Arc::from(ssl.secret.value.name.as_str());
    let origin = input.origin("proxy-ssl-secret", ssl.secret.span);
    let key = (Arc::clone(&namespace), Arc::clone(&name));
    let known = input.objects.secrets.get(&key);
    let canary = input.settings.canary.is_some();
    let missing = match known {
        Some(_) => None,
        None => input.objects.secret_is_missing(&namespace, &name),
    };
    if let Some(why) = missing {
        if canary {
            out.inert(
                "proxy-ssl-secret",
                "the Secret does not exist, and a canary has no paths of its own",
            );
            return;
        }
        out.refused(
            input,
            "proxy-ssl-secret",
            Diagnostic::new(
                Code::UpstreamTlsSecret,
                match why {
                    Missing::LookedFor => format!("Secret {namespace}/{name} does not exist"),
                    Missing::AmongOthers => {
                        format!("Secret {namespace}/{name} is not in the input")
                    }
                },
            )
            .at(ssl.secret.span)
            .note("as long as it does not exist, ingress-nginx answers 503, and so does the output")
            .help(match why {
                Missing::LookedFor => "create it, or correct its name",
                Missing::AmongOthers => "add it to the input, or correct its name",
            }),
        );
        out.refuse(
            format!("Secret {namespace}/{name} does not exist"),
            true,
            origin,
        );
        return;
    }
    if namespace != input.object.namespace {
        out.upstream_tls = canary.then(|| UpstreamTls {
            settings: Err(Refusal {
                reason: OTHER_NAMESPACE.to_owned(),
                faithful: false,
                origin,
            }),
            host_wide: true,
        });
        refuse(input, out, ssl, OTHER_NAMESPACE);
        return;
    }
    // A Secret whose contents are not in the input is taken for what its type and the
    // annotations ask of it.
    let holds = |wanted: &str, otherwise: bool| match known {
        Some(secret) if !secret.data.is_empty() => secret.data.contains_key(wanted),
        Some(secret) => otherwise || (wanted == "tls.crt" && &*secret.kind == "kubernetes.io/tls"),
        None => otherwise,
    };
    let authority = holds("ca.crt", ssl.verify());
    let certificate = holds("tls.crt", known.is_none());
    let tls_backend = matches!(
        input.settings.backend.protocol(),
        Protocol::Https | Protocol::Grpcs { .. } | Protocol::AutoHttp
    );
    if ssl.verify() && (ssl.name.is_none() || !authority) {
        let why = if authority {
            "`proxy-ssl-verify` without `proxy-ssl-name` checks for a name that no certificate has"
        } else {
            "`proxy-ssl-verify` has no `ca.crt` to verify with"
        };
        let refusal = Refusal {
            reason: why.to_owned(),
            faithful: false,
            origin,
        };
        if tls_backend {
            refuse(input, out, ssl, why);
        }
        out.upstream_tls = Some(UpstreamTls {
            settings: Err(refusal),
            host_wide: authority,
        });
        return;
    }
    let secret = || SecretRef {
        namespace: Arc::clone(&namespace),
        name: Arc::clone(&name),
    };
    let named = ssl.verify() || ssl.server_name();
    let settings = BackendTls {
        authority: ssl.verify().then(secret),
        certificate: certificate.then(secret),
        name: ssl
            .name
            .as_ref()
            .filter(|_| named)
            .map(|name| name.value.clone())
            .filter(|name| is_dns_subdomain(name)),
        versions: ssl.protocols.as_ref().and_then(|_| {
            let version = |text: &str| match text {
                "TLSv1.3" => TlsVersion::V1_3,
                _ => TlsVersion::V1_2,
            };
            let list = ssl.protocols();
            Some((version(list.first()?), version(list.last()?)))
        }),
        ciphers: ciphers(ssl).unwrap_or_default(),
    };
    if ssl.verify() && settings.name.is_none() {
        refuse(input, out, ssl, "`proxy-ssl-name` is not a plain host name");
        return;
    }
    out.upstream_tls = Some(UpstreamTls {
        settings: Ok(settings),
        host_wide: authority,
    });
    if tls_backend {
        differences(input, ssl, out);
    }
}

/// Of the Ingresses of a host, the first with a CA holds for all its locations
/// (`createServers`); without one, the last that says anything.
pub(crate) fn decider(of_host: &[SourceIndex], policies: &[PolicyOutput]) -> Option<SourceIndex> {
    let mut found = None;
    for &at in of_host {
        let Some(tls) = &policies[at].upstream_tls else {
            continue;
        };
        found = Some(at);
        if tls.host_wide {
            break;
        }
    }
    found
}

fn refuse(input: &PolicyInput<'_>, out: &mut PolicyOutput, ssl: &ProxySsl, why: &str) {
    let (key, span) = match &ssl.verify {
        Some(verify) if verify.value => ("proxy-ssl-verify", verify.span),
        _ => ("proxy-ssl-secret", ssl.secret.span),
    };
    out.refused(
        input,
        key,
        Diagnostic::new(Code::UpstreamTlsRefused, why.to_owned())
            .at(span)
            .note("the paths of this Ingress answer 503")
            .help("write `proxy-ssl-name` with the name in the backend's certificate, and a Secret of this namespace with `ca.crt`"),
    );
    out.refuse(why, false, input.origin(key, span));
}

fn differences(input: &PolicyInput<'_>, ssl: &ProxySsl, out: &mut PolicyOutput) {
    if !ssl.server_name() {
        let key = "proxy-ssl-server-name";
        let diagnostic = Diagnostic::new(
            Code::UpstreamTls,
            "the backend is told a server name in the TLS handshake",
        )
        .note("ingress-nginx sends none unless `proxy-ssl-server-name` is `on`");
        match ssl.server_name {
            Some(flag) => out.differs(input, key, diagnostic.at(flag.span)),
            None => out.differs(input, "proxy-ssl-secret", diagnostic.at(ssl.secret.span)),
        }
    }
    if let (true, Some(depth)) = (ssl.verify(), ssl.verify_depth) {
        out.differs(
            input,
            "proxy-ssl-verify-depth",
            Diagnostic::new(
                Code::UpstreamTls,
                "the length of the backend's certificate chain is not limited",
            )
            .at(depth.span),
        );
    }
    if let Some(text) = &ssl.ciphers
        && ciphers(ssl).is_none()
        && text.value != "DEFAULT"
    {
        out.differs(
            input,
            "proxy-ssl-ciphers",
            Diagnostic::new(Code::UpstreamTls, "the list of ciphers is left to Envoy")
                .at(text.span)
                .note(
                    "keywords such as `HIGH`, and suites without forward secrecy, cannot be named",
                )
                .help("list suites such as `ECDHE-RSA-AES128-GCM-SHA256`"),
        );
    }
}

/// The suites, if all of them are known by name.
fn ciphers(ssl: &ProxySsl) -> Option<Vec<String>> {
    let text = &ssl.ciphers.as_ref()?.value;
    text.split([':', ',', ' '])
        .filter(|name| !name.is_empty())
        .map(|name| ssl::EPHEMERAL.contains(&name).then(|| name.to_owned()))
        .collect()
}

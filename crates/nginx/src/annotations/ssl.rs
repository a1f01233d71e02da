//! Passthrough of TLS, and ciphers of the host.
//!
//! `internal/ingress/annotations/{sslpassthrough,sslcipher}` of ingress-nginx.

use gatewright_diagnostics::Code;
use gatewright_source::Spanned;

use super::{Keys, Settings};
use crate::registry::{Around, Carried, Entry, Grammar, Invalid, Scope};

/// What the TLS annotations say.
#[derive(Clone, Debug, Default)]
pub struct Ssl {
    /// Hand TLS connections of the host through to the backend. Needs the controller flag
    /// `--enable-ssl-passthrough`.
    pub passthrough: Option<Spanned<bool>>,
    /// Ciphers of the host.
    pub ciphers: Option<Spanned<String>>,
    /// Whether the server's order of ciphers counts.
    pub prefer_server_ciphers: Option<Spanned<bool>>,
}

/// The entries of the family.
pub static ENTRIES: &[Entry] = &[
    Entry {
        key: "ssl-passthrough",
        group: "SSLPassthrough",
        grammar: Grammar::Bool,
        default: "false",
        invalid: Invalid::Reject,
        scope: Scope::Host,
        summary: "hands TLS connections whose server name is the host to the backend of its root path, undecrypted; needs the flag `--enable-ssl-passthrough`",
        target: "a listener with `tls.mode: Passthrough` and a TLSRoute; nothing without `--enable-ssl-passthrough`",
        example: "true",
        ..Entry::BASE
    },
    Entry {
        key: "ssl-ciphers",
        group: "SSLCipher",
        grammar: Grammar::ServerCiphers,
        invalid: Invalid::Reject,
        scope: Scope::Host,
        configmap_key: Some("ssl-ciphers"),
        summary: "is the OpenSSL cipher list of the host, up to TLS 1.2",
        target: "ClientTrafficPolicy `tls.ciphers` on a listener of the host",
        difference: "suites and keywords that Envoy does not know are left out; where none is left, its own suites are used",
        codes: &[Code::CipherNames],
        example: "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384",
        around: Around {
            tls: true,
            ..Around::NOTHING
        },
        ..Entry::BASE
    },
    Entry {
        key: "ssl-prefer-server-ciphers",
        group: "SSLCipher",
        grammar: Grammar::Bool,
        scope: Scope::Host,
        summary: "says whether the server's order of ciphers counts",
        target: "nothing: the server's order always counts",
        difference: "`false` is not to be had",
        carried: Carried::Needless,
        codes: &[Code::CipherNames],
        example: "true",
        around: Around {
            tls: true,
            ..Around::NOTHING
        },
        ..Entry::BASE
    },
];

pub(crate) fn parse(keys: &mut Keys<'_>, settings: &mut Settings) {
    *settings.ssl = Ssl {
        passthrough: keys.flag("ssl-passthrough"),
        ciphers: keys.text("ssl-ciphers"),
        prefer_server_ciphers: keys.flag("ssl-prefer-server-ciphers"),
    };
}

#[cfg(test)]
mod tests {
    use super::super::testing::check;

    #[test]
    fn faults() {
        check(&[("ssl-passthrough", "yes")], "ssl-passthrough: rejected");
        check(&[("ssl-passthrough", "true")], "ssl-passthrough: taken");
        check(&[("ssl-ciphers", "A;B")], "ssl-ciphers: rejected");
        check(
            &[("ssl-prefer-server-ciphers", "on")],
            "ssl-prefer-server-ciphers: ignored",
        );
    }
}

//! Ciphers of a host: `ssl-ciphers`, `ssl-prefer-server-ciphers`.

use gatewright_diagnostics::{Code, Diagnostic};

use super::{PolicyInput, PolicyOutput};

/// What the family carries.
pub(crate) const KEYS: &[&str] = &["ssl-ciphers", "ssl-prefer-server-ciphers"];

/// The suites up to TLS 1.2 that the target knows (`BoringSSL`), by their OpenSSL names.
const KNOWN: &[&str] = &[
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES128-SHA",
    "ECDHE-RSA-AES128-SHA",
    "ECDHE-ECDSA-AES256-SHA",
    "ECDHE-RSA-AES256-SHA",
    "AES128-GCM-SHA256",
    "AES256-GCM-SHA384",
    "AES128-SHA",
    "AES256-SHA",
];

/// The names of a cipher list that the target knows.
pub(crate) fn suites(list: &str) -> Vec<String> {
    list.split([':', ',', ' '])
        .filter(|name| KNOWN.contains(name))
        .map(str::to_owned)
        .collect()
}

pub(crate) fn lower(input: &PolicyInput<'_>, out: &mut PolicyOutput) {
    let ssl = &input.settings.ssl;
    if let Some(list) = &ssl.ciphers {
        let all = list
            .value
            .split([':', ',', ' '])
            .filter(|name| !name.is_empty());
        let left: Vec<&str> = all.filter(|name| !KNOWN.contains(name)).collect();
        if !left.is_empty() {
            let none = suites(&list.value).is_empty();
            out.differs(
                input,
                "ssl-ciphers",
                Diagnostic::new(
                    Code::CipherNames,
                    format!("Envoy knows no cipher suite `{}`", left.join("`, `")),
                )
                .at(list.span)
                .note(if none {
                    "none of the list is left, so Envoy's own suites are used"
                } else {
                    "the others of the list are used"
                })
                .help("name suites one by one, such as `ECDHE-RSA-AES128-GCM-SHA256`"),
            );
        }
    }
    match ssl.prefer_server_ciphers {
        Some(flag) if !flag.value => out.differs(
            input,
            "ssl-prefer-server-ciphers",
            Diagnostic::new(
                Code::CipherNames,
                "the server's order of ciphers counts, not the client's",
            )
            .at(flag.span),
        ),
        Some(_) => out.inert(
            "ssl-prefer-server-ciphers",
            "Envoy always prefers its own order",
        ),
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::suites;

    #[test]
    fn unknown_suites_are_left_out() {
        assert_eq!(
            suites("ECDHE-RSA-AES128-GCM-SHA256:HIGH:!aNULL"),
            ["ECDHE-RSA-AES128-GCM-SHA256"]
        );
        assert!(suites("HIGH:!MD5").is_empty());
    }
}

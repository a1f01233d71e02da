//! What names have to look like (`k8s.io/apimachinery/pkg/api/validate/content` and
//! `pkg/util/validation/validation.go`).

use gatewright_model::{is_dns_label, is_dns_subdomain};
use std::net::Ipv6Addr;

/// What a text has to look like.
pub(super) struct Format {
    /// Whether a text does.
    pub(super) holds: fn(&str) -> bool,
    /// What it is then, after "is not".
    pub(super) what: &'static str,
    /// What to write.
    help: &'static str,
}

impl Format {
    /// What to write in place of a text that is wrong.
    pub(super) fn help(&self, text: &str) -> String {
        let lower = text.to_lowercase();
        if lower != text && (self.holds)(&lower) {
            return format!("write `{lower}`");
        }
        self.help.to_owned()
    }
}

const LABEL: usize = 63;
const SUBDOMAIN: usize = 253;
const PORT: usize = 15;

const NAME_HELP: &str = "take lower-case letters, digits, `-` and `.`; letters or digits stand at both ends of each part, and 253 characters are the most";
const KEY_HELP: &str = "take at most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends; a DNS name and one `/` may stand before them";

/// `IsDNS1123Subdomain`.
pub(super) const DNS_NAME: Format = Format {
    holds: is_dns_subdomain,
    what: "a DNS name in lower case",
    help: NAME_HELP,
};
/// `IsDNS1123Subdomain`, of a host.
pub(super) const HOST: Format = Format {
    holds: is_dns_subdomain,
    what: "a DNS name in lower case",
    help: "write a DNS name without scheme, port, path and final dot",
};
/// `IsWildcardDNS1123Subdomain`.
pub(super) const WILDCARD: Format = Format {
    holds: |text| text.len() <= SUBDOMAIN && text.strip_prefix("*.").is_some_and(is_dns_subdomain),
    what: "a wildcard name",
    help: "`*` is the whole first label of a DNS name, as in `*.example.com`; a rule without `host` takes every name",
};
/// `IsDNS1123Label`.
pub(super) const DNS_LABEL: Format = Format {
    holds: |text| text.len() <= LABEL && is_dns_label(text),
    what: "a DNS label in lower case",
    help: "take at most 63 lower-case letters, digits and `-`, with a letter or digit at both ends",
};
/// `IsValidPortName`.
pub(super) const PORT_NAME: Format = Format {
    holds: |text| {
        text.len() <= PORT
            && !text.contains("--")
            && !text.starts_with('-')
            && !text.ends_with('-')
            && text.bytes().any(|b| b.is_ascii_lowercase())
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    },
    what: "a port name",
    help: "take at most 15 lower-case letters, digits and single `-`, a letter among them; a number stands without quotes, as `number: 80` (`servicePort: 80` before v1)",
};
/// `IsLabelKey`.
pub(super) const LABEL_KEY: Format = Format {
    holds: is_qualified,
    what: "a label key",
    help: KEY_HELP,
};
/// `IsQualifiedName` without regard to case.
pub(super) const ANNOTATION_KEY: Format = Format {
    holds: |text| is_qualified(text) || is_qualified(&text.to_lowercase()),
    what: "an annotation key",
    help: KEY_HELP,
};
/// `ValidateFinalizerName` and `IsStandardFinalizerName`.
pub(super) const FINALIZER: Format = Format {
    holds: |text| {
        matches!(text, "kubernetes" | "orphan" | "foregroundDeletion")
            || text.contains('/') && is_qualified(text)
    },
    what: "a finalizer",
    help: "write a DNS name, `/` and the name that the controller gave it",
};
/// `IsLabelValue`.
pub(super) const LABEL_VALUE: Format = Format {
    holds: |text| text.is_empty() || is_word(text),
    what: "a label value",
    help: "take at most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends; other texts belong into an annotation",
};
/// `IsPathSegmentName`.
pub(super) const ANY_NAME: Format = Format {
    holds: |text| !matches!(text, "." | "..") && !text.contains(['/', '%']),
    what: "a name",
    help: "write a name without `/` and `%`",
};

fn is_word(text: &str) -> bool {
    let bytes = text.as_bytes();
    text.len() <= LABEL
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b))
}

fn is_qualified(text: &str) -> bool {
    match text.split_once('/') {
        Some((prefix, name)) => is_dns_subdomain(prefix) && is_word(name),
        None => is_word(text),
    }
}

/// `ParseIPSloppy`: zeros may stand before the numbers of an IPv4 address.
pub(super) fn is_address(text: &str) -> bool {
    let number = |part: &str| {
        let digits = part.trim_start_matches('0');
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_digit())
            && (digits.is_empty() || digits.parse::<u8>().is_ok())
    };
    (text.split('.').count() == 4 && text.split('.').all(number))
        || text.parse::<Ipv6Addr>().is_ok()
}

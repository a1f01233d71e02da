//! Allow and deny lists, and `satisfy`.
//!
//! `internal/ingress/annotations/{ipallowlist,ipdenylist,satisfy}` of ingress-nginx. A list
//! that cannot be read answers 503: better closed than open.

use gatewright_diagnostics::Code;
use gatewright_source::Spanned;
use ipnet::IpNet;

use super::{Keys, Settings};
use crate::registry::{Around, Blanks, EmptyValue, Entry, Grammar, Invalid, Risk};

/// Who may come in.
#[derive(Clone, Debug, Default)]
pub struct IpLists {
    /// The only networks that are let in. Takes the place of the controller's list.
    pub allow: Option<Spanned<Vec<IpNet>>>,
    /// Networks that are kept out, before the other list is asked. Takes the place of the
    /// controller's list.
    pub deny: Option<Spanned<Vec<IpNet>>>,
}

const LIST: Entry = Entry {
    grammar: Grammar::Networks,
    invalid: Invalid::Deny,
    empty: EmptyValue::Deny,
    risk: Risk::Medium,
    protective: true,
    ..Entry::BASE
};

/// The entries of the family.
pub static ENTRIES: &[Entry] = &[
    Entry {
        key: "allowlist-source-range",
        aliases: &["whitelist-source-range"],
        group: "Allowlist",
        configmap_key: Some("whitelist-source-range"),
        summary: "lets only clients from these addresses and networks in; all others get 403",
        target: "SecurityPolicy `authorization` with `defaultAction: Deny` and an allow rule",
        difference: "where the controller believes a header other than `X-Forwarded-For` from some peers only, the paths answer 503",
        codes: &[Code::AddressListRefused],
        example: "10.0.0.0/8,192.0.2.7",
        ..LIST
    },
    Entry {
        key: "denylist-source-range",
        group: "Denylist",
        configmap_key: Some("denylist-source-range"),
        summary: "keeps clients from these addresses and networks out with 403, whatever the allow list says",
        target: "SecurityPolicy `authorization` with a deny rule",
        difference: "where the controller believes a header other than `X-Forwarded-For` from some peers only, the paths answer 503",
        codes: &[Code::AddressListRefused],
        example: "198.51.100.0/24",
        ..LIST
    },
    Entry {
        key: "satisfy",
        group: "Satisfy",
        grammar: Grammar::OneOf {
            words: &["any", "all"],
            exact_case: true,
            blanks: Blanks::Trimmed,
        },
        default: "all",
        summary: "says whether one of address list, password and auth service is enough (`any`) or all are needed",
        target: "nothing: all that a SecurityPolicy names is needed",
        difference: "`any` becomes `all`, which is stricter",
        codes: &[Code::SatisfyAll],
        example: "any",
        around: Around {
            annotations: &[
                ("whitelist-source-range", "10.0.0.0/8"),
                ("auth-type", "basic"),
                ("auth-secret", "users"),
            ],
            ..Around::NOTHING
        },
        ..Entry::BASE
    },
];

pub(crate) fn parse(keys: &mut Keys<'_>, settings: &mut Settings) {
    *settings.ip_lists = IpLists {
        allow: keys.networks("allowlist-source-range"),
        deny: keys.networks("denylist-source-range"),
    };
    settings.satisfy = keys.word("satisfy", |word| match word {
        "any" => Some(true),
        "all" => Some(false),
        _ => None,
    });
    settings.satisfy_any = settings.satisfy.is_some_and(|any| any.value);
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, codes, read};
    use gatewright_diagnostics::Code;

    #[test]
    fn lists_are_read() {
        let lists = read(&[
            (
                "whitelist-source-range",
                "203.0.113.0/25, 198.51.100.7 ,\n192.0.2.65/28",
            ),
            ("denylist-source-range", "::1"),
        ])
        .settings
        .ip_lists;
        let text: Vec<_> = lists
            .allow
            .as_ref()
            .unwrap()
            .value
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(text, ["203.0.113.0/25", "198.51.100.7/32", "192.0.2.64/28"]);
        assert_eq!(lists.deny.as_ref().unwrap().value[0].to_string(), "::1/128");
    }

    #[test]
    fn the_newer_name_wins() {
        let both = read(&[
            ("whitelist-source-range", "10.0.0.0/8"),
            ("allowlist-source-range", "1.1.1.1"),
        ]);
        assert_eq!(
            both.settings.ip_lists.allow.as_ref().unwrap().value[0].to_string(),
            "1.1.1.1/32"
        );
        check(
            &[
                ("whitelist-source-range", "10.0.0.0/8"),
                ("allowlist-source-range", "1.1.1.1"),
            ],
            "whitelist-source-range: ignored, allowlist-source-range: taken",
        );
        assert_eq!(
            codes(&read(&[
                ("whitelist-source-range", "x"),
                ("allowlist-source-range", "1.1.1.1")
            ])),
            [Code::AnnotationOverridden]
        );
        check(
            &[
                ("whitelist-source-range", "10.0.0.0/8"),
                ("allowlist-source-range", ""),
            ],
            "whitelist-source-range: taken, allowlist-source-range: ignored",
        );
    }

    #[test]
    fn what_cannot_be_read_is_denied() {
        check(
            &[("whitelist-source-range", "office")],
            "whitelist-source-range: denied",
        );
        check(
            &[("allowlist-source-range", "")],
            "allowlist-source-range: denied",
        );
        check(
            &[("whitelist-source-range", "")],
            "whitelist-source-range: ignored",
        );
        check(
            &[("denylist-source-range", "10.0.0.0/8,")],
            "denylist-source-range: denied",
        );
        check(&[("satisfy", "either")], "satisfy: ignored");
        assert!(read(&[("satisfy", "any")]).settings.satisfy_any);
    }
}

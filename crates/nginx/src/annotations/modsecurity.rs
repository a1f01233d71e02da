//! The web application firewall.
//!
//! `internal/ingress/annotations/modsecurity` of ingress-nginx. Switched on by annotation
//! it only watches, unless the rules say otherwise.

use gatewright_diagnostics::Code;
use gatewright_source::Spanned;

use super::{Keys, Settings, snippets};
use crate::registry::{Around, Carried, Entry, Grammar, Risk, VARIABLES};

/// The firewall of an Ingress.
#[derive(Clone, Debug, Default)]
pub struct Modsecurity {
    /// Switches it on, or off where the controller has it on.
    pub enable: Option<Spanned<bool>>,
    /// Adds the OWASP rules.
    pub owasp_rules: Option<Spanned<bool>>,
    /// The id of a transaction in the log.
    pub transaction_id: Option<Spanned<String>>,
    /// Rules.
    pub snippet: Option<Spanned<String>>,
}

const MODSECURITY: Entry = Entry {
    group: "ModSecurity",
    ..Entry::BASE
};

/// The entries of the family.
pub static ENTRIES: &[Entry] = &[
    Entry {
        key: "enable-modsecurity",
        grammar: Grammar::Bool,
        configmap_key: Some("enable-modsecurity"),
        summary: "lets ModSecurity check requests; without rules that say otherwise it only logs",
        target: "nothing",
        difference: "ModSecurity is not to be had: its log ends; where rules of the ConfigMap or a snippet let it stop requests, the paths answer 503",
        carried: Carried::LeftOut,
        codes: &[Code::FirewallLog, Code::FirewallBlocks],
        example: "true",
        ..MODSECURITY
    },
    Entry {
        key: "enable-owasp-core-rules",
        grammar: Grammar::Bool,
        default: "false",
        configmap_key: Some("enable-owasp-modsecurity-crs"),
        summary: "adds the OWASP rules",
        target: "nothing",
        difference: "ModSecurity is not to be had: its log ends",
        carried: Carried::LeftOut,
        codes: &[Code::FirewallLog],
        example: "true",
        around: Around {
            annotations: &[("enable-modsecurity", "true")],
            ..Around::NOTHING
        },
        ..MODSECURITY
    },
    Entry {
        key: "modsecurity-transaction-id",
        grammar: Grammar::LooseText(VARIABLES),
        risk: Risk::High,
        summary: "is the id of a request in ModSecurity's log",
        target: "nothing",
        difference: "ModSecurity is not to be had: its log ends",
        carried: Carried::LeftOut,
        codes: &[Code::FirewallLog],
        example: "$request_id",
        around: Around {
            annotations: &[("enable-modsecurity", "true")],
            ..Around::NOTHING
        },
        ..MODSECURITY
    },
    Entry {
        key: "modsecurity-snippet",
        risk: Risk::Critical,
        configmap_key: Some("modsecurity-snippet"),
        summary: "is a text of ModSecurity rules that takes the place of the recommended file",
        target: "nothing",
        difference: "rules that let ModSecurity stop requests make the paths answer 503; with others its log ends",
        carried: Carried::Refused,
        codes: &[Code::FirewallBlocks],
        example: "SecRuleEngine On",
        around: Around {
            annotations: &[("enable-modsecurity", "true")],
            config: &[
                ("allow-snippet-annotations", "true"),
                ("annotations-risk-level", "Critical"),
            ],
            ..Around::NOTHING
        },
        ..MODSECURITY
    },
];

pub(crate) fn parse(keys: &mut Keys<'_>, settings: &mut Settings) {
    let modsecurity = Modsecurity {
        enable: keys.flag("enable-modsecurity"),
        owasp_rules: keys.flag("enable-owasp-core-rules"),
        transaction_id: keys.text("modsecurity-transaction-id"),
        snippet: snippets::text(keys, "modsecurity-snippet"),
    };
    let any = modsecurity.enable.is_some()
        || modsecurity.owasp_rules.is_some()
        || modsecurity.transaction_id.is_some()
        || modsecurity.snippet.is_some();
    settings.modsecurity = any.then(|| Box::new(modsecurity));
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, read};

    #[test]
    fn values() {
        let modsecurity = read(&[
            ("enable-modsecurity", "true"),
            ("modsecurity-transaction-id", "$request_id"),
        ]);
        assert!(
            modsecurity
                .settings
                .modsecurity
                .unwrap()
                .enable
                .unwrap()
                .value
        );
        check(
            &[
                ("enable-modsecurity", "On"),
                ("enable-owasp-core-rules", "yes"),
            ],
            "enable-modsecurity: ignored, enable-owasp-core-rules: ignored",
        );
        check(
            &[("modsecurity-transaction-id", "a b;")],
            "modsecurity-transaction-id: ignored",
        );
        check(
            &[("modsecurity-snippet", "SecRuleEngine On")],
            "modsecurity-snippet: rejected",
        );
        assert!(
            read(&[("enable-modsecurity", "On")])
                .settings
                .modsecurity
                .is_none()
        );
    }
}

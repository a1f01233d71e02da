//! The web application firewall.
//!
//! `SecRuleEngine` of the file that the controller loads is `DetectionOnly`: requests are
//! stopped only where the rules of an annotation or of the `ConfigMap` say so.

use gatewright_diagnostics::{Code, Diagnostic, Outcome};
use gatewright_source::Span;

use super::{PolicyInput, PolicyOutput};
use crate::annotations::modsecurity::Modsecurity;

/// The keys whose outcome is said here.
pub(crate) const KEYS: &[&str] = &[
    "enable-modsecurity",
    "enable-owasp-core-rules",
    "modsecurity-transaction-id",
    "modsecurity-snippet",
];

pub(crate) fn lower(input: &PolicyInput<'_>, out: &mut PolicyOutput) {
    let none = Modsecurity::default();
    let own = input.settings.modsecurity.as_deref().unwrap_or(&none);
    let config = input.config;
    let enabled = own
        .enable
        .map_or(config.enable_modsecurity, |enable| enable.value);
    if !enabled {
        for &key in KEYS {
            out.inert(key, "the firewall is off");
        }
        return;
    }
    let first = [
        ("enable-modsecurity", own.enable.map(|flag| flag.span)),
        (
            "enable-owasp-core-rules",
            own.owasp_rules.map(|flag| flag.span),
        ),
        (
            "modsecurity-snippet",
            own.snippet.as_ref().map(|text| text.span),
        ),
    ];
    let (mut key, mut span) = first
        .into_iter()
        .find_map(|(key, span)| Some((key, span?)))
        .unwrap_or(("enable-modsecurity", input.name_span));
    let own_blocks = own.snippet.as_ref().filter(|text| blocks(&text.value));
    if let Some(snippet) = own_blocks {
        (key, span) = ("modsecurity-snippet", snippet.span);
    }
    let global_blocks = config.enable_modsecurity && blocks(&config.modsecurity_snippet);
    if own_blocks.is_some() || global_blocks {
        stops(input, out, key, span);
    } else if own.enable.is_some() || own.owasp_rules.is_some() || own.snippet.is_some() {
        out.differs(
            input,
            key,
            Diagnostic::new(
                Code::FirewallLog,
                "requests are not checked by ModSecurity, which only logs here",
            )
            .at(span)
            .note("its rules are in detection mode: it has stopped no request")
            .help("run Coraza as an EnvoyExtensionPolicy if its log matters"),
        );
    }
    let outcome = if own_blocks.is_some() || global_blocks {
        Outcome::Refused(Code::FirewallBlocks)
    } else {
        Outcome::Difference(Code::FirewallLog)
    };
    for &other in KEYS {
        if other != key {
            out.outcomes.push((other, outcome.clone()));
        }
    }
}

fn stops(input: &PolicyInput<'_>, out: &mut PolicyOutput, key: &'static str, span: Span) {
    out.refuse(
        "ModSecurity stops requests here",
        false,
        input.origin(key, span),
    );
    out.refused(
        input,
        key,
        Diagnostic::new(
            Code::FirewallBlocks,
            "ModSecurity stops requests here and cannot be carried over, so the paths answer 503",
        )
        .at(span)
        .note("without the firewall, requests that it stops would reach the backend")
        .help("run Coraza as an EnvoyExtensionPolicy with the same rules, then convert without these annotations"),
    );
}

/// Whether rules may stop requests: an engine that is on, or a file that nobody sees here.
fn blocks(rules: &str) -> bool {
    let text: String = rules
        .to_ascii_lowercase()
        .chars()
        .filter(|c| !matches!(c, '"' | '\'' | '\\'))
        .collect();
    text.lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'))
        .any(|line| {
            let mut words = line.split_ascii_whitespace();
            match (words.next(), words.next()) {
                (Some("secruleengine"), Some(engine)) => {
                    engine != "off" && engine != "detectiononly"
                }
                (Some(word), _)
                    if word.starts_with("include") || word.starts_with("secremoterules") =>
                {
                    true
                }
                _ => line.contains("ruleengine=on"),
            }
        })
}

#[cfg(test)]
mod tests {
    use super::blocks;

    #[test]
    fn an_engine_that_is_on_stops_requests() {
        let check = |rules: &str, expected| assert_eq!(blocks(rules), expected, "{rules}");
        check("", false);
        check("SecRuleEngine DetectionOnly\nSecRule ARGS x deny", false);
        check("# SecRuleEngine On", false);
        check("SecAuditEngine On", false);
        check("  SecRuleEngine   \"On\"", true);
        check("secruleengine on", true);
        check("Include /etc/nginx/owasp.conf", true);
        check("SecRule ARGS x \"id:1,ctl:ruleEngine=On\"", true);
    }
}

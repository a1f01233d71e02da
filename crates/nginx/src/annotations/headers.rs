//! Response headers.
//!
//! `internal/ingress/annotations/customheaders` of ingress-nginx. The headers stand in a
//! `ConfigMap`, of any namespace; whether their names are allowed is asked when it is read.

use gatewright_diagnostics::Code;
use gatewright_source::Spanned;

use super::reference::reference;
use super::{Keys, Settings};
use crate::registry::{Around, BASIC, Entry, Grammar, Invalid, Risk};

/// The entries of the family.
pub static ENTRIES: &[Entry] = &[Entry {
    key: "custom-headers",
    group: "CustomHeaders",
    grammar: Grammar::LooseText(BASIC),
    risk: Risk::Medium,
    configmap_key: Some("global-allowed-response-headers"),
    summary: "sets the response headers of a ConfigMap `namespace/name`; each name must be listed in `global-allowed-response-headers`, otherwise every path answers 503",
    target: "`responseHeaderModifier.set` on every rule",
    difference: "the first 16 headers only; a ConfigMap that is not in the input makes the paths answer 503, as in ingress-nginx as long as it does not exist",
    codes: &[Code::HeaderMapMissing],
    example: "shop/headers",
    around: Around {
        config: &[("global-allowed-response-headers", "X-Frame-Options")],
        ..Around::NOTHING
    },
    ..Entry::BASE
}];

pub(crate) fn parse(keys: &mut Keys<'_>, settings: &mut Settings) {
    let Some((at, value)) = keys.value("custom-headers") else {
        return;
    };
    match reference(value.trim(), None) {
        Ok(config_map) => {
            settings.custom_headers = Some(Spanned::new(config_map, keys.value_span(at)));
        }
        Err(fault) => keys.fail(at, Invalid::Deny, fault),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, read};

    #[test]
    fn the_config_map_is_named_in_full() {
        let headers = read(&[("custom-headers", "other/headers")])
            .settings
            .custom_headers
            .unwrap()
            .value;
        assert_eq!(
            (headers.namespace.as_str(), headers.name.as_str()),
            ("other", "headers")
        );
        check(&[("custom-headers", "headers")], "custom-headers: denied");
        check(&[("custom-headers", "a;b")], "custom-headers: ignored");
    }
}

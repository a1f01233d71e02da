//! What backends are told of the client's address where it comes from a header.

use gateway_api::httproutes::HttpRouteRulesFiltersRequestHeaderModifierSet;
use gatewright_model::{ClientAddress, ForwardedHeaders};

use super::clients::modifier;
use crate::rule::Planned;

/// The client's address (Envoy command operator), as it was found.
const ADDRESS: &str = "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%";

/// Sets the headers on a rule: what is set for the listener comes before the address is known.
pub(crate) fn tell(forwarded: &ForwardedHeaders, planned: &mut Planned) {
    if forwarded.address == ClientAddress::Peer || planned.rule.backend_refs.is_none() {
        return;
    }
    let mut names = vec!["X-Real-IP"];
    if !forwarded.whole_chain {
        names.push("X-Forwarded-For");
    }
    let set = modifier(planned).set.get_or_insert_with(Vec::new);
    set.extend(names.into_iter().map(|name| {
        HttpRouteRulesFiltersRequestHeaderModifierSet {
            name: name.to_owned(),
            value: ADDRESS.to_owned(),
        }
    }));
}

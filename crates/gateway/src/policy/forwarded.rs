//! What backends are told of the client's address where it comes from a header.

use gateway_api::httproutes::HttpRouteRulesFiltersRequestHeaderModifierSet;
use gatewright_model::{ClientAddress, ForwardedHeaders};

use super::clients::modifier;
use crate::rule::Planned;

/// The client's address (Envoy command operator), as it was found.
const ADDRESS: &str = "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%";
/// The scheme that the client used, or that a trusted header says it used.
const SCHEME: &str = "%REQ(X-FORWARDED-PROTO)%";

/// Sets the headers on a rule: what is set for the listener comes before the address is known,
/// and before Envoy writes `X-Forwarded-Proto` where the client sent none.
pub(crate) fn tell(forwarded: &ForwardedHeaders, planned: &mut Planned) {
    if planned.rule.backend_refs.is_none() {
        return;
    }
    let mut headers = Vec::new();
    if forwarded.address != ClientAddress::Peer {
        headers.push(("X-Real-IP", ADDRESS));
        if !forwarded.whole_chain {
            headers.push(("X-Forwarded-For", ADDRESS));
        }
    }
    if forwarded.trust {
        headers.push(("X-Forwarded-Scheme", SCHEME));
        headers.push(("X-Scheme", SCHEME));
    }
    if headers.is_empty() {
        return;
    }
    let set = modifier(planned).set.get_or_insert_with(Vec::new);
    set.extend(headers.into_iter().map(|(name, value)| {
        HttpRouteRulesFiltersRequestHeaderModifierSet {
            name: name.to_owned(),
            value: value.to_owned(),
        }
    }));
}

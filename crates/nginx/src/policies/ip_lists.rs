//! Allow and deny lists: `whitelist-source-range` and its kin.
//!
//! `nginx.tmpl` of ingress-nginx renders the deny list before the allow list and then
//! `deny all`; an annotation takes the place of the controller's list. `block-cidrs` stands in
//! the http block and holds where a location has no list of its own.

use gatewright_diagnostics::{Code, Diagnostic, Outcome};
use gatewright_model::{Addresses, Origin};
use gatewright_source::{Span, Spanned};
use ipnet::IpNet;

use super::{PolicyInput, PolicyOutput};

/// What the family carries.
pub(crate) const KEYS: &[&str] = &["allowlist-source-range", "denylist-source-range"];

pub(crate) fn lower(input: &PolicyInput<'_>, out: &mut PolicyOutput) {
    let lists = &input.settings.ip_lists;
    let config = input.config;
    let allow = list(
        input,
        out,
        lists.allow.as_ref(),
        ("whitelist-source-range", &config.whitelist_source_range),
    );
    let deny = list(
        input,
        out,
        lists.deny.as_ref(),
        ("denylist-source-range", &config.denylist_source_range),
    );
    let (Some(allow), Some(mut deny)) = (allow, deny) else {
        return;
    };
    if allow.is_empty() && deny.is_empty() {
        let Some(blocked) = list(input, out, None, ("block-cidrs", &config.block_cidrs)) else {
            return;
        };
        deny = blocked;
        out.addresses_inherited = true;
    }
    if allow.is_empty() && deny.is_empty() {
        return;
    }
    let allow = (!allow.is_empty()).then_some(allow);
    out.policies_mut().addresses = Some(Addresses::deny_then_allow(deny, allow));
    finish(input, out);
}

/// What a list of addresses asks for, once it is there.
pub(super) fn finish(input: &PolicyInput<'_>, out: &mut PolicyOutput) {
    if out.refusal.is_none() {
        untold_address(input, out);
    }
    if out.refusal.is_none() {
        unconfirmed_address(input, out);
    }
}

/// The annotation's list, or the controller's; `None` when the latter cannot be read.
fn list(
    input: &PolicyInput<'_>,
    out: &mut PolicyOutput,
    own: Option<&Spanned<Vec<IpNet>>>,
    (key, controller): (&'static str, &[String]),
) -> Option<Vec<String>> {
    if let Some(own) = own {
        return Some(own.value.iter().map(ToString::to_string).collect());
    }
    let mut networks = Vec::new();
    for text in controller {
        if let Some(network) = network(text) {
            networks.push(network.to_string());
        } else {
            refuse_controller(input, out, key, text);
            return None;
        }
    }
    Some(networks)
}

/// A list of the controller cannot be read: the finding is about the list, and is said once.
fn refuse_controller(input: &PolicyInput<'_>, out: &mut PolicyOutput, key: &str, text: &str) {
    let place = input.places.iter().find(|(known, _)| known == key);
    let span = place.map_or(input.name_span, |(_, span)| *span);
    let message = format!("`{text}` in `{key}` of the controller's ConfigMap is no network");
    out.diagnostics.push(
        Diagnostic::new(Code::AddressListRefused, message.clone())
            .at(span)
            .note("the paths for which the list holds answer 503, since nobody could tell who may come in")
            .help("write addresses and networks such as `10.0.0.0/8`"),
    );
    let refused = Outcome::Refused(Code::AddressListRefused);
    out.controller_outcomes.push((span, refused.clone()));
    for key in KEYS {
        out.outcomes.push((key, refused.clone()));
    }
    out.refuse(message, false, Origin::field(input.owner, span));
}

/// An address or a network, as nginx takes them.
pub(crate) fn network(text: &str) -> Option<IpNet> {
    let text = text.trim();
    let network = text
        .parse::<IpNet>()
        .or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from))
        .ok()?;
    Some(network.trunc())
}

/// A header of another name holds the client's address, from some peers only: Envoy Gateway
/// would believe everybody.
fn untold_address(input: &PolicyInput<'_>, out: &mut PolicyOutput) {
    if super::forwarded::expressible(input.config) {
        return;
    }
    refuse_address(
        input,
        out,
        format!(
            "the client's address comes from `{}` of the peers in `proxy-real-ip-cidr` only",
            input.config.forwarded_for_header
        ),
        "let the load balancer send `X-Forwarded-For`",
    );
}

/// The address of the load balancer is often on the very list, so that everybody would come in.
fn unconfirmed_address(input: &PolicyInput<'_>, out: &mut PolicyOutput) {
    if input.addresses_unconfirmed && super::forwarded::told(input.config) {
        refuse_address(
            input,
            out,
            "the load balancer tells the client's address, and the Gateway that exists may not believe it".to_owned(),
            "see that the Gateway finds the address where the controller does (`clientIPDetection` or `proxyProtocol` of its ClientTrafficPolicy), then confirm it with `--accept GW0565=NAMESPACE/NAME` of the Gateway",
        );
    }
}

fn refuse_address(input: &PolicyInput<'_>, out: &mut PolicyOutput, message: String, help: &str) {
    let lists = &input.settings.ip_lists;
    let own: Vec<(&'static str, Span)> = [
        ("allowlist-source-range", lists.allow.as_ref()),
        ("denylist-source-range", lists.deny.as_ref()),
    ]
    .into_iter()
    .filter_map(|(key, list)| Some((key, list?.span)))
    .collect();
    let mut diagnostic = Diagnostic::new(Code::AddressListRefused, message.clone())
        .object(input.object)
        .at(own.first().map_or(input.name_span, |(_, span)| *span))
        .note("the paths of this Ingress answer 503, since nobody could tell who may come in")
        .help(help);
    let origin = match own.first() {
        Some(&(key, span)) => {
            diagnostic = diagnostic.annotation(key);
            input.origin(key, span)
        }
        None => Origin::field(input.owner, input.name_span),
    };
    out.diagnostics.push(diagnostic);
    for (key, _) in own {
        let outcome = Outcome::Refused(Code::AddressListRefused);
        out.outcomes.push((key, outcome));
    }
    out.refuse(message, false, origin);
}

#[cfg(test)]
mod tests {
    use super::network;

    #[test]
    fn addresses_are_networks_of_one() {
        let text = |input| network(input).map(|n| n.to_string());
        assert_eq!(text(" 10.1.2.3/8 ").as_deref(), Some("10.0.0.0/8"));
        assert_eq!(text("192.0.2.7").as_deref(), Some("192.0.2.7/32"));
        assert_eq!(text("2001:db8::1").as_deref(), Some("2001:db8::1/128"));
        assert_eq!(text("all"), None);
        assert_eq!(text("unix:"), None);
    }
}

//! Which client addresses are let in.

use gatewright_model::{AddressRule, Addresses, Route};

use super::Attached;
use crate::envoy::{Authorization, AuthorizationRule, Principal};

/// Adds `authorization` (Envoy Gateway `SecurityPolicy`): the first rule that matches decides.
pub(super) fn attach(route: &Route, attached: &mut Attached) {
    if let Some(addresses) = &route.policies.addresses {
        attached.security().authorization = Some(authorization(addresses));
    }
}

fn authorization(addresses: &Addresses) -> Authorization {
    let action = |allow: bool| if allow { "Allow" } else { "Deny" };
    let rule = |(at, rule): (usize, &AddressRule)| {
        let before = addresses.rules[..at].iter();
        let nth = before.filter(|known| known.allow == rule.allow).count() + 1;
        let name = action(rule.allow).to_ascii_lowercase();
        AuthorizationRule {
            name: if nth == 1 {
                name
            } else {
                format!("{name}-{nth}")
            },
            action: action(rule.allow),
            principal: Some(Principal {
                client_cidrs: rule.networks.clone(),
            }),
            cel: None,
        }
    };
    Authorization {
        default_action: action(addresses.otherwise),
        rules: addresses.rules.iter().enumerate().map(rule).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(deny: &[&str], allow: Option<&[&str]>, expected: &str) {
        let owned = |list: &[&str]| {
            list.iter()
                .map(|text| (*text).to_owned())
                .collect::<Vec<_>>()
        };
        let found = authorization(&Addresses::deny_then_allow(owned(deny), allow.map(owned)));
        let rules: Vec<String> = found
            .rules
            .iter()
            .map(|rule| {
                let principal = rule.principal.as_ref().unwrap();
                format!("{} {}", rule.action, principal.client_cidrs.join(" "))
            })
            .collect();
        assert_eq!(
            format!("{} | {}", rules.join(", "), found.default_action),
            expected
        );
    }

    #[test]
    fn denied_first_then_allowed() {
        check(&["1.0.0.0/8"], None, "Deny 1.0.0.0/8 | Allow");
        check(&[], Some(&["2.0.0.0/8"]), "Allow 2.0.0.0/8 | Deny");
        check(
            &["1.0.0.0/8"],
            Some(&["2.0.0.0/8", "::1/128"]),
            "Deny 1.0.0.0/8, Allow 2.0.0.0/8 ::1/128 | Deny",
        );
        // A list that lets nobody in is not a list that lets everybody in.
        check(&[], Some(&[]), " | Deny");
    }
}

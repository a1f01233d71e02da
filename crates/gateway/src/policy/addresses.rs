//! Which client addresses are let in.

use gatewright_model::{Addresses, Route};

use super::Attached;
use crate::envoy::{Authorization, AuthorizationRule, Principal};

/// Adds `authorization` (Envoy Gateway `SecurityPolicy`): the first rule that matches decides.
pub(super) fn attach(route: &Route, attached: &mut Attached) {
    if let Some(addresses) = &route.policies.addresses {
        attached.security().authorization = Some(authorization(addresses));
    }
}

fn authorization(addresses: &Addresses) -> Authorization {
    let rule = |name, action, networks: &[String]| {
        (!networks.is_empty()).then(|| AuthorizationRule {
            name,
            action,
            principal: Principal {
                client_cidrs: networks.to_vec(),
            },
        })
    };
    let allow = addresses.allow.as_deref();
    Authorization {
        default_action: if allow.is_some() { "Deny" } else { "Allow" },
        rules: rule("deny", "Deny", &addresses.deny)
            .into_iter()
            .chain(rule("allow", "Allow", allow.unwrap_or_default()))
            .collect(),
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
        let found = authorization(&Addresses {
            deny: owned(deny),
            allow: allow.map(owned),
        });
        let rules: Vec<String> = found
            .rules
            .iter()
            .map(|rule| format!("{} {}", rule.action, rule.principal.client_cidrs.join(" ")))
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

use serde::Serialize;

use super::TargetRef;

/// `SecurityPolicy`: who may pass.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityPolicySpec {
    /// Gateway, route, or rule of a route.
    pub target_refs: Vec<TargetRef>,
    /// By address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization: Option<Authorization>,
}

/// Rules of which the first that matches decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Authorization {
    /// `Allow` or `Deny`, when no rule matches.
    pub default_action: &'static str,
    /// The rules.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<AuthorizationRule>,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuthorizationRule {
    /// Its name.
    pub name: &'static str,
    /// `Allow` or `Deny`.
    pub action: &'static str,
    /// Whom it is about.
    pub principal: Principal,
}

/// Clients.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Principal {
    /// Networks, each with its prefix length.
    #[serde(rename = "clientCIDRs", skip_serializing_if = "Vec::is_empty")]
    pub client_cidrs: Vec<String>,
}

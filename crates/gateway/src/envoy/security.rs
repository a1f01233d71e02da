use serde::Serialize;

use super::TargetRef;

/// `SecurityPolicy`: who may pass.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityPolicySpec {
    /// Gateway, route, or rule of a route.
    pub target_refs: Vec<TargetRef>,
}

use serde::Serialize;

use super::TargetRef;

/// `EnvoyExtensionPolicy`: what runs on requests and answers beside Envoy's own filters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EnvoyExtensionPolicySpec {
    /// Gateway, route, or rule of a route.
    pub target_refs: Vec<TargetRef>,
    /// Scripts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lua: Vec<Lua>,
}

/// A script.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lua {
    /// `Inline`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Its text.
    pub inline: String,
}

impl Lua {
    /// A script that stands in the policy.
    pub const fn inline(text: String) -> Self {
        Self {
            kind: "Inline",
            inline: text,
        }
    }
}

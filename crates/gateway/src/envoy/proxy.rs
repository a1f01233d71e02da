use serde::Serialize;

/// `EnvoyProxy`: how the proxies of a Gateway are run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EnvoyProxySpec {
    /// Changes to the order of HTTP filters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub filter_order: Vec<FilterPosition>,
}

/// A filter is moved before another one; without effect when either is not in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FilterPosition {
    /// The filter that moves.
    pub name: &'static str,
    /// The filter it is put before.
    pub before: &'static str,
}

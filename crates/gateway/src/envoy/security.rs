use serde::Serialize;

use super::{ObjectReference, SecretReference, TargetRef};

/// `SecurityPolicy`: who may pass.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityPolicySpec {
    /// Gateway, route, or rule of a route.
    pub target_refs: Vec<TargetRef>,
    /// By address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization: Option<Authorization>,
    /// Users and passwords.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basic_auth: Option<BasicAuth>,
    /// A service that is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ext_auth: Option<ExtAuth>,
}

/// Users and passwords.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BasicAuth {
    /// A Secret with the key `.htpasswd`, which holds `{SHA}` hashes only.
    pub users: SecretReference,
}

/// A service that is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExtAuth {
    /// Request headers that it gets beyond `Host` and `Authorization`.
    pub headers_to_ext_auth: Vec<String>,
    /// The status when it cannot be asked.
    pub status_on_error: u16,
    /// How long it may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
    /// Over HTTP.
    pub http: HttpExtAuth,
}

/// A service that is asked over HTTP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpExtAuth {
    /// 1 to 16 of them.
    pub backend_refs: Vec<ExtAuthBackend>,
    /// The path and query of the question.
    pub path_override: String,
    /// Headers of its answer that the backend gets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headers_to_backend: Vec<String>,
}

/// A Service or a `Backend`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExtAuthBackend {
    /// Group, kind, name.
    #[serde(flatten)]
    pub object: ObjectReference,
    /// The port of a Service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
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
    pub name: String,
    /// `Allow` or `Deny`.
    pub action: &'static str,
    /// Whom it is about; everybody unless set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<Principal>,
    /// An expression (CEL) that must be true as well. An error in it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cel: Option<String>,
}

/// Clients.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Principal {
    /// Networks, each with its prefix length.
    #[serde(rename = "clientCIDRs", skip_serializing_if = "Vec::is_empty")]
    pub client_cidrs: Vec<String>,
}

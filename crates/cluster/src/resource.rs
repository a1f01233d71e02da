//! What can be asked for, and under which path.

use std::borrow::Cow;
use std::fmt::Write as _;

/// A kind as an API server serves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// The API group; empty for the core.
    pub group: Cow<'static, str>,
    /// The version.
    pub version: Cow<'static, str>,
    /// The name in paths and in RBAC.
    pub plural: Cow<'static, str>,
    /// The kind.
    pub kind: Cow<'static, str>,
    /// Whether its objects belong to namespaces.
    pub namespaced: bool,
}

const fn known(
    group: &'static str,
    plural: &'static str,
    kind: &'static str,
    namespaced: bool,
) -> Resource {
    Resource {
        group: Cow::Borrowed(group),
        version: Cow::Borrowed("v1"),
        plural: Cow::Borrowed(plural),
        kind: Cow::Borrowed(kind),
        namespaced,
    }
}

/// Ingresses.
pub const INGRESSES: Resource = known("networking.k8s.io", "ingresses", "Ingress", true);
/// `IngressClass`es.
pub const INGRESS_CLASSES: Resource =
    known("networking.k8s.io", "ingressclasses", "IngressClass", false);
/// Services.
pub const SERVICES: Resource = known("", "services", "Service", true);
/// Secrets.
pub const SECRETS: Resource = known("", "secrets", "Secret", true);
/// `ConfigMap`s.
pub const CONFIG_MAPS: Resource = known("", "configmaps", "ConfigMap", true);
/// Deployments.
pub const DEPLOYMENTS: Resource = known("apps", "deployments", "Deployment", true);
/// `DaemonSet`s.
pub const DAEMON_SETS: Resource = known("apps", "daemonsets", "DaemonSet", true);

/// Namespaces.
pub const NAMESPACES: Resource = known("", "namespaces", "Namespace", false);
/// Certificates of cert-manager.
pub const CERTIFICATES: Resource = known("cert-manager.io", "certificates", "Certificate", true);

const GATEWAY_API: &str = "gateway.networking.k8s.io";
const ENVOY_GATEWAY: &str = "gateway.envoyproxy.io";

/// Groups and kinds of what decides behind a Gateway of Envoy Gateway. Not every cluster has
/// all of them.
pub const GATEWAY_KINDS: &[(&str, &str)] = &[
    (GATEWAY_API, "GatewayClass"),
    (GATEWAY_API, "Gateway"),
    (GATEWAY_API, "ListenerSet"),
    (GATEWAY_API, "HTTPRoute"),
    (GATEWAY_API, "GRPCRoute"),
    (GATEWAY_API, "TLSRoute"),
    (GATEWAY_API, "ReferenceGrant"),
    (GATEWAY_API, "BackendTLSPolicy"),
    (ENVOY_GATEWAY, "EnvoyProxy"),
    (ENVOY_GATEWAY, "ClientTrafficPolicy"),
    (ENVOY_GATEWAY, "BackendTrafficPolicy"),
    (ENVOY_GATEWAY, "SecurityPolicy"),
    (ENVOY_GATEWAY, "EnvoyExtensionPolicy"),
    (ENVOY_GATEWAY, "EnvoyPatchPolicy"),
    (ENVOY_GATEWAY, "HTTPRouteFilter"),
    (ENVOY_GATEWAY, "Backend"),
];

/// Groups and kinds of what else a move away from ingress-nginx touches, as far as it is there.
/// Of the workloads, the lists are read anyway.
pub const SURVEY_KINDS: &[(&str, &str)] = &[
    (
        "admissionregistration.k8s.io",
        "ValidatingWebhookConfiguration",
    ),
    ("argoproj.io", "Application"),
    ("autoscaling", "HorizontalPodAutoscaler"),
    ("cert-manager.io", "ClusterIssuer"),
    ("cert-manager.io", "Issuer"),
    ("helm.toolkit.fluxcd.io", "HelmRelease"),
    ("monitoring.coreos.com", "PodMonitor"),
    ("monitoring.coreos.com", "PrometheusRule"),
    ("monitoring.coreos.com", "ServiceMonitor"),
    ("networking.k8s.io", "NetworkPolicy"),
    ("policy", "PodDisruptionBudget"),
];

impl Resource {
    /// The path of its objects, of one namespace or of all, or of one of them.
    pub(crate) fn path(&self, namespace: Option<&str>, name: Option<&str>) -> String {
        let mut path = if self.group.is_empty() {
            format!("/api/{}", self.version)
        } else {
            format!("/apis/{}/{}", self.group, self.version)
        };
        // Writing to a string cannot fail.
        if let Some(namespace) = namespace.filter(|_| self.namespaced) {
            let _ = write!(path, "/namespaces/{}", escaped(namespace));
        }
        let _ = write!(path, "/{}", self.plural);
        if let Some(name) = name {
            let _ = write!(path, "/{}", escaped(name));
        }
        path
    }

    /// As `kubectl auth can-i` and RBAC call it.
    pub(crate) fn full(&self) -> String {
        if self.group.is_empty() {
            self.plural.to_string()
        } else {
            format!("{}.{}", self.plural, self.group)
        }
    }
}

/// A text as a part of a path or of a query.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_api() {
        assert_eq!(
            INGRESSES.path(Some("shop"), None),
            "/apis/networking.k8s.io/v1/namespaces/shop/ingresses"
        );
        assert_eq!(SERVICES.path(None, None), "/api/v1/services");
        assert_eq!(
            INGRESS_CLASSES.path(Some("shop"), Some("a/../b")),
            "/apis/networking.k8s.io/v1/ingressclasses/a%2F..%2Fb"
        );
    }
}

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use gateway_api::gatewayclasses::GatewayClassSpec;
use gateway_api::gateways::GatewaySpec;
use gateway_api::httproutes::HttpRouteSpec;
use gateway_api::listenersets::ListenerSetSpec;
use gateway_api::referencegrants::ReferenceGrantSpec;
use gateway_api::tlsroutes::TlsRouteSpec;
use gatewright_source::Span;
use k8s_openapi::ByteString;
use serde::Serialize;

use crate::certificate::CertificateSpec;
use crate::envoy::{
    BackendSpec, BackendTrafficPolicySpec, ClientTrafficPolicySpec, EnvoyExtensionPolicySpec,
    EnvoyProxySpec, HttpRouteFilterSpec, SecurityPolicySpec,
};

/// Which team reviews an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The platform team: class, Gateway, its base policies and the grants for it.
    Infra,
    /// The application teams: routes and what belongs to them.
    Routes,
}

/// An object to write.
#[derive(Clone, Debug)]
pub struct Object {
    /// Whose it is.
    pub part: Part,
    /// Its namespace; empty for a cluster-wide one.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: String,
    /// What it says.
    pub spec: Spec,
    /// Where the objects stand that it is written for; empty when it serves all.
    pub origins: Vec<Span>,
    /// Its labels.
    pub labels: BTreeMap<Arc<str>, Arc<str>>,
    /// Its annotations.
    pub annotations: BTreeMap<Arc<str>, Arc<str>>,
    /// Lines of the comment above it.
    pub comments: Vec<String>,
    /// Lines of the comment above each of its rules.
    pub rule_comments: Vec<Vec<String>>,
}

/// The specification of an object; serialises without kind.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Spec {
    /// A core/v1 Namespace, which has no specification of its own.
    Namespace,
    /// gateway.networking.k8s.io/v1.
    GatewayClass(GatewayClassSpec),
    /// gateway.networking.k8s.io/v1.
    Gateway(Box<GatewaySpec>),
    /// gateway.networking.k8s.io/v1.
    ListenerSet(Box<ListenerSetSpec>),
    /// gateway.networking.k8s.io/v1.
    HttpRoute(Box<HttpRouteSpec>),
    /// gateway.networking.k8s.io/v1.
    TlsRoute(TlsRouteSpec),
    /// gateway.networking.k8s.io/v1.
    ReferenceGrant(ReferenceGrantSpec),
    /// A core/v1 Secret. What it holds must not be shown.
    Secret(SecretData),
    /// cert-manager.io/v1.
    Certificate(Box<CertificateSpec>),
    /// gateway.envoyproxy.io/v1alpha1.
    EnvoyProxy(EnvoyProxySpec),
    /// gateway.envoyproxy.io/v1alpha1.
    ClientTrafficPolicy(Box<ClientTrafficPolicySpec>),
    /// gateway.envoyproxy.io/v1alpha1.
    BackendTrafficPolicy(Box<BackendTrafficPolicySpec>),
    /// gateway.envoyproxy.io/v1alpha1.
    SecurityPolicy(Box<SecurityPolicySpec>),
    /// gateway.envoyproxy.io/v1alpha1.
    EnvoyExtensionPolicy(Box<EnvoyExtensionPolicySpec>),
    /// gateway.envoyproxy.io/v1alpha1.
    HttpRouteFilter(Box<HttpRouteFilterSpec>),
    /// gateway.envoyproxy.io/v1alpha1.
    Backend(Box<BackendSpec>),
}

/// The fields of a Secret, which has no `spec`.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct SecretData {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// What it holds.
    pub data: BTreeMap<String, ByteString>,
}

/// Where objects of one kind and namespace stand among the others; there they stand by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shelf {
    part: Part,
    namespace: Arc<str>,
    rank: u8,
    kind: &'static str,
}

impl Shelf {
    /// The kind of the objects.
    pub const fn kind(&self) -> &'static str {
        self.kind
    }

    /// Whose they are.
    pub const fn part(&self) -> Part {
        self.part
    }

    /// Their namespace; empty for cluster-wide ones.
    pub const fn namespace(&self) -> &Arc<str> {
        &self.namespace
    }

    /// Whether they hold what nobody should read.
    pub fn is_sensitive(&self) -> bool {
        self.kind == "Secret"
    }
}

impl Object {
    /// Where it stands among the others. No two objects of a shelf have the same name.
    pub fn shelf(&self) -> Shelf {
        Shelf {
            part: self.part,
            namespace: Arc::clone(&self.namespace),
            rank: self.spec.rank(),
            kind: self.spec.kind(),
        }
    }
}

impl fmt::Debug for SecretData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretData")
            .field("keys", &self.data.keys())
            .finish_non_exhaustive()
    }
}

impl Spec {
    /// The kind of the object.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Namespace => "Namespace",
            Self::Secret(_) => "Secret",
            Self::Certificate(_) => "Certificate",
            Self::GatewayClass(_) => "GatewayClass",
            Self::Gateway(_) => "Gateway",
            Self::ListenerSet(_) => "ListenerSet",
            Self::HttpRoute(_) => "HTTPRoute",
            Self::TlsRoute(_) => "TLSRoute",
            Self::ReferenceGrant(_) => "ReferenceGrant",
            Self::EnvoyProxy(_) => "EnvoyProxy",
            Self::ClientTrafficPolicy(_) => "ClientTrafficPolicy",
            Self::BackendTrafficPolicy(_) => "BackendTrafficPolicy",
            Self::SecurityPolicy(_) => "SecurityPolicy",
            Self::EnvoyExtensionPolicy(_) => "EnvoyExtensionPolicy",
            Self::HttpRouteFilter(_) => "HTTPRouteFilter",
            Self::Backend(_) => "Backend",
        }
    }

    /// Its `apiVersion`.
    pub const fn api_version(&self) -> &'static str {
        match self {
            Self::Namespace | Self::Secret(_) => "v1",
            Self::Certificate(_) => "cert-manager.io/v1",
            Self::GatewayClass(_)
            | Self::Gateway(_)
            | Self::ListenerSet(_)
            | Self::HttpRoute(_)
            | Self::TlsRoute(_)
            | Self::ReferenceGrant(_) => "gateway.networking.k8s.io/v1",
            Self::EnvoyProxy(_)
            | Self::ClientTrafficPolicy(_)
            | Self::BackendTrafficPolicy(_)
            | Self::SecurityPolicy(_)
            | Self::EnvoyExtensionPolicy(_)
            | Self::HttpRouteFilter(_)
            | Self::Backend(_) => "gateway.envoyproxy.io/v1alpha1",
        }
    }

    /// Position of the kind among the objects of one team and namespace: what others
    /// refer to comes first, and policies before the routes that they are for: a route is never
    /// there without what protects it, and backends start with the balancing they keep.
    const fn rank(&self) -> u8 {
        match self {
            Self::Namespace | Self::Secret(_) => 0,
            Self::GatewayClass(_) | Self::Certificate(_) => 1,
            Self::EnvoyProxy(_) => 2,
            Self::Gateway(_) => 3,
            Self::ListenerSet(_) => 4,
            Self::ClientTrafficPolicy(_) => 5,
            Self::ReferenceGrant(_) => 6,
            Self::Backend(_) => 7,
            Self::HttpRouteFilter(_) => 8,
            Self::SecurityPolicy(_) => 9,
            Self::BackendTrafficPolicy(_) => 10,
            Self::HttpRoute(_) => 11,
            Self::TlsRoute(_) => 12,
            Self::EnvoyExtensionPolicy(_) => 13,
        }
    }
}

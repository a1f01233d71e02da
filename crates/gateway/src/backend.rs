//! Backend references, and the `Backend` objects they need.

use gateway_api::httproutes::HttpRouteRulesBackendRefs;
use gatewright_model::{Backend, Protocol, Target};

use crate::envoy::{BackendEndpoint, BackendSpec, BackendTls, FqdnEndpoint};

/// What a rule refers to.
pub(crate) enum Reference {
    /// A Service.
    Service { name: String, port: u16 },
    /// A `Backend` of this name (unless it is taken) and specification.
    Backend {
        name: String,
        spec: Box<BackendSpec>,
    },
    /// Nothing: the rule answers 503.
    Unavailable,
}

pub(crate) fn reference(backend: &Backend) -> Reference {
    let (name, hostname, port, external) = match &backend.target {
        Target::Unavailable { .. } => return Reference::Unavailable,
        Target::Service { name, port, .. } => {
            if matches!(backend.protocol, Protocol::Http | Protocol::SameAsClient) {
                return Reference::Service {
                    name: name.to_string(),
                    port: *port,
                };
            }
            let hostname = format!("{name}.{}.svc.cluster.local", backend.namespace);
            (name, hostname, *port, false)
        }
        Target::External {
            service,
            hostname,
            port,
        } => (service, hostname.to_string(), *port, true),
    };
    let tls = |alpn: Vec<&'static str>| BackendTls {
        insecure_skip_verify: Some(true),
        alpn_protocols: alpn,
        ..BackendTls::default()
    };
    let (suffix, app_protocols, tls) = match backend.protocol {
        Protocol::Http | Protocol::SameAsClient => ("http", vec![], None),
        Protocol::Https => ("https", vec![], Some(tls(vec![]))),
        Protocol::Grpc => ("h2c", vec!["gateway.envoyproxy.io/h2c"], None),
        Protocol::Grpcs => ("h2", vec![], Some(tls(vec!["h2"]))),
    };
    let kind = if external { "external-" } else { "" };
    Reference::Backend {
        name: format!("{name}-{port}-{kind}{suffix}"),
        spec: Box::new(BackendSpec {
            endpoints: vec![BackendEndpoint {
                fqdn: FqdnEndpoint { hostname, port },
            }],
            app_protocols,
            tls,
        }),
    }
}

pub(crate) fn service_ref(name: &str, port: u16) -> HttpRouteRulesBackendRefs {
    HttpRouteRulesBackendRefs {
        name: name.to_owned(),
        port: Some(i32::from(port)),
        ..HttpRouteRulesBackendRefs::default()
    }
}

pub(crate) fn backend_ref(name: &str) -> HttpRouteRulesBackendRefs {
    HttpRouteRulesBackendRefs {
        group: Some("gateway.envoyproxy.io".to_owned()),
        kind: Some("Backend".to_owned()),
        name: name.to_owned(),
        ..HttpRouteRulesBackendRefs::default()
    }
}

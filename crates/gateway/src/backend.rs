//! Backend references, and the `Backend` objects they need.

use std::net::IpAddr;

use gateway_api::httproutes::HttpRouteRulesBackendRefs;
use gatewright_model::{Backend, Protocol, Target, TlsVersion};

use crate::envoy::{
    BackendEndpoint, BackendSpec, BackendTls, FqdnEndpoint, IpEndpoint, ObjectReference,
};

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

/// Whether a Service is reached by its DNS name: a reference to it says nothing of TLS or
/// HTTP/2, unless its port does.
pub(crate) fn by_name(backend: &Backend) -> bool {
    match (&backend.target, backend.protocol) {
        (Target::Service { h2c, .. }, Protocol::Grpc) => !h2c,
        (Target::Service { .. }, Protocol::Https | Protocol::Grpcs) => true,
        _ => false,
    }
}

/// The name of another place that Envoy Gateway does not take (`validateHostname` of its
/// `internal/gatewayapi/backend.go`).
pub(crate) fn refused_name(backend: &Backend) -> Option<&str> {
    let Target::External { hostname, .. } = &backend.target else {
        return None;
    };
    let label = |label: &str| {
        let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        (1..=63).contains(&label.len())
            && label.bytes().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let name = hostname.len() <= 253 && hostname.contains('.') && hostname.split('.').all(label);
    (!name && hostname.parse::<IpAddr>().is_err()).then_some(hostname)
}

pub(crate) fn reference(backend: &Backend) -> Reference {
    if refused_name(backend).is_some() {
        return Reference::Unavailable;
    }
    let (name, hostname, port, external) = match &backend.target {
        Target::Unavailable { .. } => return Reference::Unavailable,
        Target::Service { name, port, .. } => {
            if !by_name(backend) {
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
    let tls = |alpn| tls(backend.tls.as_deref(), alpn);
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
            endpoints: vec![endpoint(hostname, port)],
            app_protocols,
            tls,
        }),
    }
}

fn endpoint(hostname: String, port: u16) -> BackendEndpoint {
    match hostname.parse::<IpAddr>() {
        Ok(address) => BackendEndpoint::Ip(IpEndpoint {
            address: address.to_string(),
            port,
        }),
        Err(_) => BackendEndpoint::Fqdn(FqdnEndpoint { hostname, port }),
    }
}

fn tls(settings: Option<&gatewright_model::BackendTls>, alpn: Vec<&'static str>) -> BackendTls {
    let Some(settings) = settings else {
        return BackendTls {
            insecure_skip_verify: Some(true),
            alpn_protocols: alpn,
            ..BackendTls::default()
        };
    };
    let secret = |secret: &gatewright_model::SecretRef| ObjectReference {
        group: "",
        kind: "Secret",
        name: secret.name.to_string(),
        namespace: None,
    };
    let version = |version| match version {
        TlsVersion::V1_2 => "1.2",
        TlsVersion::V1_3 => "1.3",
    };
    // Ciphers cannot be chosen for TLS 1.3.
    let ciphers = settings
        .versions
        .is_none_or(|(min, _)| min == TlsVersion::V1_2);
    BackendTls {
        insecure_skip_verify: settings.authority.is_none().then_some(true),
        ca_certificate_refs: settings.authority.iter().map(secret).collect(),
        sni: settings.name.clone(),
        client_certificate_ref: settings.certificate.as_ref().map(secret),
        min_version: settings.versions.map(|(min, _)| version(min)),
        max_version: settings.versions.map(|(_, max)| version(max)),
        ciphers: if ciphers {
            settings.ciphers.clone()
        } else {
            Vec::new()
        },
        alpn_protocols: alpn,
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

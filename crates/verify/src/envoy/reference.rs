//! What backend references lead to.

use serde_json::Value;

use crate::behaviour::{Place, Share, Tls, Wire};
use crate::objects::{Object, Objects, at, items, small, text};

/// Where a reference of an object leads to, and how it is spoken to.
pub(crate) fn place(objects: &Objects, from: (&str, &str), reference: &Value) -> (Place, Wire) {
    let kind = match text(reference, "kind") {
        "" => "Service",
        kind => kind,
    };
    let namespace = match text(reference, "namespace") {
        "" => from.1,
        namespace => namespace,
    };
    let name = text(reference, "name");
    let missing = |why: &str| {
        (
            Place::Missing(format!("{kind} {namespace}/{name}{why}")),
            Wire::default(),
        )
    };
    if !objects.granted(from, (kind, namespace, name)) {
        return missing(" (no ReferenceGrant)");
    }
    match kind {
        "Service" => {
            let Some(port) = small(&reference["port"]) else {
                return missing(" without port");
            };
            let place = Place::Service(namespace.to_owned(), name.to_owned(), port);
            (
                place,
                Wire {
                    http2: from.0 == "GRPCRoute",
                    tls: verified(objects, "Service", namespace, name),
                },
            )
        }
        "Backend" => match objects.find("Backend", namespace, name) {
            Some(backend) => endpoint(objects, backend),
            None => missing(""),
        },
        _ => missing(""),
    }
}

fn endpoint(objects: &Objects, backend: &Object) -> (Place, Wire) {
    let endpoints = items(backend.at("/spec/endpoints"));
    let [endpoint] = endpoints else {
        let all: Vec<String> = endpoints.iter().map(Value::to_string).collect();
        return (Place::Host(all.join(" or "), 0), wire(objects, backend));
    };
    let port = small(at(endpoint, "/fqdn/port")).or_else(|| small(at(endpoint, "/ip/port")));
    let host = text(&endpoint["fqdn"], "hostname");
    let place = match port {
        None => Place::Missing(format!("{} without port", backend.title())),
        Some(port) if host.is_empty() => {
            Place::Host(text(&endpoint["ip"], "address").to_owned(), port)
        }
        Some(port) => Place::of_name(host, port),
    };
    (place, wire(objects, backend))
}

fn wire(objects: &Objects, backend: &Object) -> Wire {
    let protocols = items(backend.at("/spec/appProtocols"));
    let h2c = protocols.iter().any(|p| p == "gateway.envoyproxy.io/h2c");
    let own = backend.at("/spec/tls");
    let alpn = items(&own["alpnProtocols"]).iter().any(|p| p == "h2");
    let tls = if own.is_object() {
        let secret = |reference: &Value| {
            let namespace = match text(reference, "namespace") {
                "" => &backend.namespace,
                namespace => namespace,
            };
            format!("{namespace}/{}", text(reference, "name"))
        };
        let skips = own["insecureSkipVerify"].as_bool() == Some(true);
        let authorities: Vec<String> = items(&own["caCertificateRefs"])
            .iter()
            .map(secret)
            .collect();
        let authority = match authorities.as_slice() {
            _ if skips => None,
            [] => Some("the system".to_owned()),
            all => Some(all.join(" ")),
        };
        let certificate = &own["clientCertificateRef"];
        Some(Tls {
            authority,
            name: own["sni"].as_str().map(str::to_owned),
            certificate: certificate.is_object().then(|| secret(certificate)),
        })
    } else {
        verified(objects, "Backend", &backend.namespace, &backend.name)
    };
    Wire {
        http2: h2c || alpn,
        tls,
    }
}

/// What a `BackendTLSPolicy` says of a backend.
fn verified(objects: &Objects, kind: &str, namespace: &str, name: &str) -> Option<Tls> {
    let policy = objects.of("BackendTLSPolicy").find(|policy| {
        policy.namespace == namespace
            && items(policy.at("/spec/targetRefs"))
                .iter()
                .any(|target| text(target, "kind") == kind && text(target, "name") == name)
    })?;
    let validation = policy.at("/spec/validation");
    let authorities: Vec<String> = items(&validation["caCertificateRefs"])
        .iter()
        .map(|reference| format!("{namespace}/{}", text(reference, "name")))
        .collect();
    Some(Tls {
        authority: Some(if authorities.is_empty() {
            "the system".to_owned()
        } else {
            authorities.join(" ")
        }),
        name: validation["hostname"].as_str().map(str::to_owned),
        certificate: None,
    })
}

/// The backends of a rule with their weights.
pub(crate) fn shares(objects: &Objects, from: (&str, &str), references: &[Value]) -> Vec<Share> {
    references
        .iter()
        .map(|reference| {
            let (place, wire) = place(objects, from, reference);
            Share {
                place,
                wire,
                weight: reference["weight"].as_u64().unwrap_or(1),
            }
        })
        .collect()
}

//! Makes the cluster that a case's Ingress objects lived in: namespaces, Services with pods, Secrets.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anyhow::{Result, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::{Map, Value, json};

use super::dns::{Domains, NameServer};
use super::echo::{Echo, Hit, Place};
use super::kube::{Kube, ObjectRef};
use super::netlink::PODS;
use super::pki::{self, Pair};
use super::stack;

/// The converter is told of this Secret: ingress-nginx answers with a certificate of its own
/// where no Ingress names one.
pub(crate) const DEFAULT_CERTIFICATE: (&str, &str) = ("gateway-infra", "default-certificate");

const REPLICAS: &str = "behaviour.test/replicas";
const TLS_HOSTS: &str = "behaviour.test/tls-hosts";
const CA: &str = "behaviour.test/ca";

/// The Services that an output sends requests to, for an input that says nothing of any: with
/// them its predictions can be asked, and its references be judged.
pub(crate) fn missing_services(input: &[Value], output: &[Value]) -> Vec<Value> {
    let mut ports: BTreeMap<(String, String), BTreeSet<u64>> = BTreeMap::new();
    if input.iter().any(|value| value["kind"] == "Service") {
        return Vec::new();
    }
    for object in output {
        let namespace = object["metadata"]["namespace"]
            .as_str()
            .unwrap_or("default");
        references(&object["spec"], namespace, &mut ports);
    }
    ports
        .into_iter()
        .map(|((namespace, name), ports)| {
            let ports: Vec<Value> = ports
                .into_iter()
                .map(|port| json!({ "name": format!("port-{port}"), "port": port, "protocol": "TCP" }))
                .collect();
            json!({
                "apiVersion": "v1", "kind": "Service",
                "metadata": { "namespace": namespace, "name": name },
                "spec": { "selector": { "app": name }, "ports": ports },
            })
        })
        .collect()
}

fn references(
    value: &Value,
    namespace: &str,
    ports: &mut BTreeMap<(String, String), BTreeSet<u64>>,
) {
    match value {
        Value::Array(items) => {
            for item in items {
                references(item, namespace, ports);
            }
        }
        Value::Object(fields) => {
            for (key, field) in fields {
                let found = match (key.as_str(), field) {
                    ("backendRefs", Value::Array(items)) => items.iter().collect(),
                    ("backendRef", one) => vec![one],
                    _ => Vec::new(),
                };
                for reference in found {
                    let is_service = reference["kind"].as_str().unwrap_or("Service") == "Service";
                    if let (true, Some(name), Some(port)) = (
                        is_service,
                        reference["name"].as_str(),
                        reference["port"].as_u64(),
                    ) {
                        let namespace = reference["namespace"].as_str().unwrap_or(namespace);
                        let key = (namespace.to_owned(), name.to_owned());
                        ports.entry(key).or_default().insert(port);
                    }
                }
                references(field, namespace, ports);
            }
        }
        _ => {}
    }
}

/// What was made of a case's input.
#[derive(Debug, Default)]
pub(crate) struct World {
    /// In the order of making.
    pub(crate) objects: Vec<ObjectRef>,
    /// What the input has, as `service ns/name`, kinds in lower case.
    pub(crate) names: BTreeSet<String>,
    services: u8,
    /// From an `ExternalName` Service (`namespace/name`) to the name of the Service it leads to.
    pub(crate) external_targets: Vec<(String, String)>,
    /// `namespace/name` of Secrets by the certificates in them, in base64.
    pub(crate) certificates: BTreeMap<String, String>,
    /// Client certificates by the name of their CA's Secret.
    pub(crate) client_certificates: BTreeMap<String, Pair>,
    places: BTreeMap<SocketAddr, Place>,
    domains: Domains,
}

/// Applies what `input` needs and starts its backends.
pub(crate) fn prepare(
    kube: &Kube,
    echo: &mut Echo,
    names: &NameServer,
    input: &[Value],
    output: &[Value],
) -> Result<World> {
    let mut namespaces: BTreeSet<&str> = [DEFAULT_CERTIFICATE.0].into();
    namespaces.extend(
        input
            .iter()
            .chain(output)
            .filter_map(|value| value["metadata"]["namespace"].as_str()),
    );
    for name in namespaces {
        let given = input
            .iter()
            .any(|v| v["kind"] == "Namespace" && v["metadata"]["name"] == name);
        if !given {
            // One with a bad name is missed by what stands in it.
            let value = stack::namespace(name);
            if let Some(object) = ObjectRef::of(&value) {
                let _refusal = kube.apply(&object, &value.to_string())?;
            }
        }
    }
    let mut world = World::default();
    let default = pki::self_signed(
        "Kubernetes Ingress Controller Fake Certificate",
        &["ingress.local".to_owned()],
    )?;
    let (namespace, name) = DEFAULT_CERTIFICATE;
    world.know(namespace, name, &default)?;
    world.apply(
        kube,
        &json!({
            "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
            "metadata": { "namespace": namespace, "name": name },
            "data": tls_data(&default),
        }),
    )?;
    for value in input {
        match value["kind"].as_str() {
            Some("Namespace" | "ConfigMap" | "EndpointSlice") => {
                world.apply(kube, value)?;
            }
            Some("Secret") => world.add_secret(kube, value)?,
            Some("Service") => world.add_service(kube, value, input)?,
            // Ingress and IngressClass are what is converted; workloads have no say here.
            _ => {}
        }
    }
    names.set(world.domains.clone());
    echo.listen(&world.places)?;
    Ok(world)
}

impl World {
    /// Whether something answers at a backend.
    pub(crate) fn reaches(&self, backend: &gatewright_verify::Place) -> bool {
        self.places
            .values()
            .filter(|place| !place.pods.is_empty())
            .any(|place| self.is_called(backend, &place.namespace, &place.service))
    }

    /// Whether a hit is one of a backend.
    pub(crate) fn is_at(&self, backend: &gatewright_verify::Place, hit: &Hit) -> bool {
        self.is_called(backend, &hit.namespace, &hit.service)
    }

    fn is_called(
        &self,
        backend: &gatewright_verify::Place,
        namespace: &str,
        service: &str,
    ) -> bool {
        match backend {
            gatewright_verify::Place::Service(space, name, _) => {
                space == namespace && name == service
                    || self.external_targets.iter().any(|(source, target)| {
                        target == service && *source == format!("{space}/{name}")
                    })
            }
            gatewright_verify::Place::Host(host, _) => {
                host.parse::<IpAddr>().is_ok_and(|address| {
                    self.places.iter().any(|(at, place)| {
                        at.ip() == address
                            && place.namespace == namespace
                            && place.service == service
                    })
                }) || host.split('.').next() == Some(service)
            }
            gatewright_verify::Place::Missing(_) => false,
        }
    }

    /// Nothing when the API server refuses the object: the cluster of the manifest's owner had
    /// no such object either.
    fn apply(&mut self, kube: &Kube, value: &Value) -> Result<Option<Value>> {
        let mut value = value.clone();
        if let Value::Object(object) = &mut value {
            object.remove("status");
        }
        if let Value::Object(metadata) = &mut value["metadata"] {
            metadata.remove("creationTimestamp");
        }
        let object =
            ObjectRef::of(&value).ok_or_else(|| anyhow!("an input object without kind or name"))?;
        let Ok(applied) = kube.apply(&object, &value.to_string())? else {
            return Ok(None);
        };
        self.names.insert(format!(
            "{} {}/{}",
            object.kind.to_lowercase(),
            object.namespace,
            object.name
        ));
        if object.kind != "Namespace" {
            self.objects.push(object);
        }
        Ok(Some(applied))
    }

    fn know(&mut self, namespace: &str, name: &str, pair: &Pair) -> Result<()> {
        let certificate = CertificateDer::from_pem_slice(pair.certificate.as_bytes())?;
        self.certificates
            .insert(BASE64.encode(certificate), format!("{namespace}/{name}"));
        Ok(())
    }

    fn add_secret(&mut self, kube: &Kube, value: &Value) -> Result<()> {
        let mut secret = value.clone();
        let name = secret["metadata"]["name"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let annotations = &value["metadata"]["annotations"];
        if annotations[CA].as_str() == Some("true") {
            let authority = pki::client_authority(&name)?;
            let mut data = tls_data(&authority.client);
            data["ca.crt"] = json!(BASE64.encode(&authority.ca.certificate));
            secret["data"] = data;
            self.client_certificates.insert(name, authority.client);
        } else if value["type"] == "kubernetes.io/tls" && is_without_key(value) {
            let hosts: Vec<String> = annotations[TLS_HOSTS]
                .as_str()
                .unwrap_or("unnamed.invalid")
                .split(',')
                .map(|host| host.trim().to_owned())
                .collect();
            let pair = pki::self_signed(&hosts[0], &hosts)?;
            secret["data"] = tls_data(&pair);
            let namespace = value["metadata"]["namespace"].as_str();
            self.know(namespace.unwrap_or("default"), &name, &pair)?;
        }
        self.apply(kube, &secret)?;
        Ok(())
    }

    fn add_service(&mut self, kube: &Kube, value: &Value, input: &[Value]) -> Result<()> {
        let metadata = &value["metadata"];
        let name = metadata["name"].as_str().unwrap_or_default().to_owned();
        let namespace = metadata["namespace"]
            .as_str()
            .unwrap_or("default")
            .to_owned();
        let Some(applied) = self.apply(kube, value)? else {
            return Ok(());
        };
        if value["spec"]["type"] == "ExternalName" {
            let target = value["spec"]["externalName"].as_str().unwrap_or_default();
            let target = target.split('.').next().unwrap_or_default().to_owned();
            self.external_targets
                .push((format!("{namespace}/{name}"), target));
            return Ok(());
        }
        let has_own_slice = input.iter().any(|other| {
            other["kind"] == "EndpointSlice"
                && other["metadata"]["namespace"] == metadata["namespace"]
                && other["metadata"]["labels"]["kubernetes.io/service-name"] == name.as_str()
        });
        let replicas = metadata["annotations"][REPLICAS]
            .as_str()
            .and_then(|text| text.parse().ok());
        self.services = self
            .services
            .checked_add(1)
            .ok_or_else(|| anyhow!("too many Services"))?;
        let index = self.services;
        let pods: Vec<(Ipv4Addr, String)> = (0..replicas.unwrap_or(1_u8))
            .map(|pod| {
                (
                    Ipv4Addr::new(PODS[0], PODS[1], index, pod + 1),
                    format!("{name}-{pod}"),
                )
            })
            .collect();
        let cluster_ip: Option<Ipv4Addr> = applied["spec"]["clusterIP"]
            .as_str()
            .and_then(|ip| ip.parse().ok());
        let names: Vec<String> = pods.iter().map(|(_, name)| name.clone()).collect();
        let place = |pods: Vec<String>| Place {
            namespace: namespace.clone(),
            service: name.clone(),
            pods,
        };

        let mut ports = Vec::new();
        for port in applied["spec"]["ports"].as_array().into_iter().flatten() {
            let number = port["port"]
                .as_u64()
                .and_then(|p| u16::try_from(p).ok())
                .unwrap_or(80);
            let target = port["targetPort"]
                .as_u64()
                .and_then(|p| u16::try_from(p).ok())
                .unwrap_or(number);
            let target = free_port(target);
            let mut described = json!({ "port": target, "protocol": port["protocol"] });
            for field in ["name", "appProtocol"] {
                if !port[field].is_null() {
                    described[field] = port[field].clone();
                }
            }
            ports.push(described);
            if port["protocol"] == "UDP" || has_own_slice {
                continue;
            }
            for (address, pod) in &pods {
                let at = SocketAddr::new(IpAddr::V4(*address), target);
                self.places.insert(at, place(vec![pod.clone()]));
            }
            // Requests go to pods, but for routing by Service address.
            if let Some(address) = cluster_ip
                && free_port(number) == number
            {
                let at = SocketAddr::new(IpAddr::V4(address), number);
                self.places.insert(at, place(names.clone()));
            }
        }
        if !has_own_slice && !ports.is_empty() {
            let endpoints: Vec<Value> = pods
                .iter()
                .map(|(address, _)| json!({ "addresses": [address.to_string()], "conditions": { "ready": true } }))
                .collect();
            self.apply(
                kube,
                &json!({
                    "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
                    "metadata": {
                        "namespace": namespace, "name": format!("{name}-conformance"),
                        "labels": { "kubernetes.io/service-name": name },
                    },
                    "endpoints": endpoints, "ports": ports,
                }),
            )?;
        }
        let addresses: Vec<Ipv4Addr> = match cluster_ip {
            Some(address) => vec![address],
            None => pods.iter().map(|(address, _)| *address).collect(),
        };
        for domain in [".svc.cluster.local", ".svc", ""] {
            let domain = format!("{name}.{namespace}{domain}");
            self.domains.insert(domain, addresses.clone());
        }
        Ok(())
    }
}

/// Envoy listens on these on every address.
fn free_port(port: u16) -> u16 {
    match port {
        10_080 | 10_443 | 19_000..=19_101 => port + 20_000,
        other => other,
    }
}

fn is_without_key(secret: &Value) -> bool {
    let has_key = |data: &Value| {
        data["tls.key"].as_str().is_some_and(|key| !key.is_empty())
            && data["tls.crt"]
                .as_str()
                .is_some_and(|certificate| !certificate.is_empty())
    };
    !has_key(&secret["data"]) && !has_key(&secret["stringData"])
}

fn tls_data(pair: &Pair) -> Value {
    let mut data = Map::new();
    data.insert(
        "tls.crt".to_owned(),
        json!(BASE64.encode(&pair.certificate)),
    );
    data.insert("tls.key".to_owned(), json!(BASE64.encode(&pair.key)));
    Value::Object(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_that_no_input_speaks_of_are_made() {
        let route = json!({
            "kind": "HTTPRoute", "metadata": { "namespace": "shop", "name": "r" },
            "spec": { "rules": [{
                "filters": [{ "requestMirror": { "backendRef": { "name": "copy", "port": 81 } } }],
                "backendRefs": [
                    { "name": "web", "port": 80 },
                    { "name": "web", "port": 8080, "namespace": "other" },
                    { "kind": "Backend", "name": "b", "port": 80 },
                ],
            }] },
        });
        let made: Vec<String> = missing_services(&[], std::slice::from_ref(&route))
            .iter()
            .map(|service| {
                let metadata = &service["metadata"];
                let port = &service["spec"]["ports"][0]["port"];
                format!("{}/{}:{port}", metadata["namespace"], metadata["name"])
            })
            .collect();
        assert_eq!(
            made,
            [
                "\"other\"/\"web\":8080",
                "\"shop\"/\"copy\":81",
                "\"shop\"/\"web\":80"
            ]
        );
        let known = json!({ "kind": "Service", "metadata": { "name": "web" } });
        assert!(missing_services(&[known], &[route]).is_empty());
    }
}

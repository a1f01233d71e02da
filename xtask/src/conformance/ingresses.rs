//! What the suite itself reads of the Ingress objects of a case: hosts and backends, nothing more.

use serde_json::Value;

/// An Ingress, as far as a request's host can concern it.
#[derive(Debug)]
pub(crate) struct Ingress {
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// Hosts of rules and aliases; empty text for a rule without one.
    hosts: Vec<String>,
    services: Vec<String>,
    /// Whether an unauthenticated client is sent to a login page.
    pub(crate) has_sign_in: bool,
    /// Whether a client certificate is asked for.
    pub(crate) has_client_tls: bool,
    /// Whether it is drawn by lot who answers: this Ingress's backend or that of another.
    pub(crate) has_weight: bool,
}

impl Ingress {
    /// The Ingresses of the documents of an input, `List`s included.
    pub(crate) fn all(documents: &[Value]) -> Vec<Self> {
        documents
            .iter()
            .filter(|value| value["kind"] == "Ingress")
            .map(Self::read)
            .collect()
    }

    fn read(value: &Value) -> Self {
        let metadata = &value["metadata"];
        let spec = &value["spec"];
        let mut ingress = Self {
            namespace: metadata["namespace"]
                .as_str()
                .unwrap_or("default")
                .to_owned(),
            name: metadata["name"].as_str().unwrap_or_default().to_owned(),
            hosts: Vec::new(),
            services: Vec::new(),
            has_sign_in: false,
            has_client_tls: false,
            has_weight: false,
        };
        for backend in [&spec["defaultBackend"], &spec["backend"]] {
            if !backend.is_null() {
                ingress.hosts.push(String::new());
                ingress.services.extend(service(backend));
            }
        }
        for rule in spec["rules"].as_array().into_iter().flatten() {
            ingress
                .hosts
                .push(rule["host"].as_str().unwrap_or_default().to_lowercase());
            for path in rule["http"]["paths"].as_array().into_iter().flatten() {
                ingress.services.extend(service(&path["backend"]));
            }
        }
        for (key, value) in metadata["annotations"].as_object().into_iter().flatten() {
            let value = value.as_str().unwrap_or_default();
            // The prefix of the keys can be configured.
            match key.rsplit('/').next().unwrap_or_default() {
                "server-alias" => ingress
                    .hosts
                    .extend(value.split(',').map(|host| host.trim().to_lowercase())),
                "from-to-www-redirect" => {
                    for host in ingress.hosts.clone() {
                        let other = host
                            .strip_prefix("www.")
                            .map_or(format!("www.{host}"), str::to_owned);
                        ingress.hosts.push(other);
                    }
                }
                "default-backend" => ingress.services.push(value.to_owned()),
                "auth-signin" => ingress.has_sign_in = true,
                "auth-tls-secret" => ingress.has_client_tls = true,
                "canary-weight" => ingress.has_weight = value != "0",
                _ => {}
            }
        }
        ingress
    }

    /// Whether requests for `host` can be this Ingress's business.
    pub(crate) fn concerns(&self, host: &str) -> bool {
        let host = host
            .rsplit_once(':')
            .map_or(host, |(name, _)| name)
            .to_lowercase();
        self.hosts
            .iter()
            .any(|pattern| match pattern.strip_prefix('*') {
                Some(suffix) => host.ends_with(suffix) || suffix.trim_start_matches('.') == host,
                None => pattern.is_empty() || *pattern == host,
            })
    }

    /// Whether a rule sends requests to this Service.
    pub(crate) fn routes_to(&self, namespace: &str, service: &str) -> bool {
        self.namespace == namespace && self.services.iter().any(|name| name == service)
    }
}

fn service(backend: &Value) -> Option<String> {
    let name = &backend["service"]["name"];
    let name = if name.is_null() {
        &backend["serviceName"]
    } else {
        name
    };
    name.as_str().map(str::to_owned)
}

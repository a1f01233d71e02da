//! Listeners of Gateways and `ListenerSet`s, and which routes belong to them.

use serde_json::Value;

use crate::objects::{Object, Objects, items, small, text};

/// What a listener speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http,
    Https,
    /// TLS that ends at the backend.
    Passthrough,
}

/// One listener.
#[derive(Clone, Debug)]
pub(crate) struct Listener {
    /// Namespace and name of the Gateway.
    pub(crate) gateway: (String, String),
    /// Kind, namespace and name of the object that it stands in.
    pub(crate) owner: (String, String, String),
    pub(crate) section: String,
    pub(crate) port: u16,
    pub(crate) protocol: Protocol,
    /// Lower case; with a `*.` in front or none at all.
    pub(crate) hostname: Option<String>,
    /// Routes of other namespaces may attach.
    open: bool,
    /// It stands in no object: a route names it, and its Gateway is not given.
    pub(crate) assumed: bool,
}

/// All listeners, in the order of their objects.
pub(crate) fn listeners(objects: &Objects) -> Vec<Listener> {
    let mut all = Vec::new();
    for gateway in objects.of("Gateway") {
        let own = (gateway.namespace.clone(), gateway.name.clone());
        all.extend(of(gateway, &own));
    }
    for set in objects.of("ListenerSet") {
        let parent = set.at("/spec/parentRef");
        let namespace = match text(parent, "namespace") {
            "" => &set.namespace,
            namespace => namespace,
        };
        let gateway = (namespace.to_owned(), text(parent, "name").to_owned());
        all.extend(of(set, &gateway));
    }
    for kind in ["HTTPRoute", "GRPCRoute", "TLSRoute"] {
        for route in objects.of(kind) {
            for parent in items(route.at("/spec/parentRefs")) {
                assume(objects, route, parent, &mut all);
            }
        }
    }
    all
}

fn of(object: &Object, gateway: &(String, String)) -> Vec<Listener> {
    let listener = |value: &Value| {
        let mode = value.pointer("/tls/mode").and_then(Value::as_str);
        let protocol = match (text(value, "protocol"), mode) {
            ("HTTP", _) => Protocol::Http,
            ("HTTPS", _) | ("TLS", Some("Terminate")) => Protocol::Https,
            ("TLS", _) => Protocol::Passthrough,
            _ => return None,
        };
        let from = value.pointer("/allowedRoutes/namespaces/from");
        let from = from.and_then(Value::as_str).unwrap_or("Same");
        Some(Listener {
            gateway: gateway.clone(),
            owner: (
                object.kind.clone(),
                object.namespace.clone(),
                object.name.clone(),
            ),
            section: text(value, "name").to_owned(),
            port: small(&value["port"])?,
            protocol,
            hostname: value["hostname"].as_str().map(str::to_ascii_lowercase),
            open: from != "Same",
            assumed: false,
        })
    };
    items(object.at("/spec/listeners"))
        .iter()
        .filter_map(listener)
        .collect()
}

/// The listeners that a route names of a Gateway which is not among the objects.
fn assume(objects: &Objects, route: &Object, parent: &Value, all: &mut Vec<Listener>) {
    let kind = parent_kind(parent);
    let namespace = parent_namespace(route, parent);
    let name = text(parent, "name");
    if objects.find(kind, namespace, name).is_some() {
        return;
    }
    let section = text(parent, "sectionName");
    let port = small(&parent["port"]);
    let plain = match (port, section) {
        (Some(80), _) => [true, false],
        (Some(_), _) => [false, true],
        (None, "") => [true, true],
        (None, name) if objects.is_plain_listener(name) => [true, false],
        (None, _) => [false, true],
    };
    let passthrough = route.kind == "TLSRoute";
    for (wanted, protocol, usual) in [
        (plain[0], Protocol::Http, 80),
        (plain[1] && !passthrough, Protocol::Https, 443),
        (plain[1] && passthrough, Protocol::Passthrough, 443),
    ] {
        let listener = Listener {
            gateway: (namespace.to_owned(), name.to_owned()),
            owner: (kind.to_owned(), namespace.to_owned(), name.to_owned()),
            section: section.to_owned(),
            port: port.unwrap_or(usual),
            protocol,
            hostname: None,
            open: true,
            assumed: true,
        };
        let known = |other: &Listener| {
            other.owner == listener.owner
                && other.section == listener.section
                && other.protocol == protocol
                && other.port == listener.port
        };
        if wanted && !all.iter().any(known) {
            all.push(listener);
        }
    }
}

fn parent_kind(parent: &Value) -> &str {
    match text(parent, "kind") {
        "" => "Gateway",
        kind => kind.strip_prefix('X').unwrap_or(kind),
    }
}

fn parent_namespace<'v>(route: &'v Object, parent: &'v Value) -> &'v str {
    match text(parent, "namespace") {
        "" => &route.namespace,
        namespace => namespace,
    }
}

impl Listener {
    /// Whether a route names it as its parent.
    pub(crate) fn takes(&self, route: &Object, parent: &Value) -> bool {
        let (kind, namespace, name) = &self.owner;
        let section = text(parent, "sectionName");
        let port = small(&parent["port"]);
        let fits = match (self.protocol, route.kind.as_str()) {
            (Protocol::Passthrough, kind) => kind == "TLSRoute",
            (_, kind) => kind != "TLSRoute",
        };
        fits && kind == parent_kind(parent)
            && namespace == parent_namespace(route, parent)
            && *name == text(parent, "name")
            && (section.is_empty() || *section == self.section)
            && port.is_none_or(|port| port == self.port)
            && (self.open || *namespace == route.namespace)
    }

    /// The names under which it serves a route: those of both (`computeHosts` of Envoy Gateway's
    /// `internal/gatewayapi/helpers.go`).
    pub(crate) fn domains(&self, route: &Object) -> Vec<String> {
        let names: Vec<String> = items(route.at("/spec/hostnames"))
            .iter()
            .filter_map(|name| Some(name.as_str()?.to_ascii_lowercase()))
            .collect();
        let Some(own) = &self.hostname else {
            return if names.is_empty() {
                vec!["*".to_owned()]
            } else {
                names
            };
        };
        if names.is_empty() {
            return vec![own.clone()];
        }
        names.iter().filter_map(|name| both(own, name)).collect()
    }
}

/// The narrower of two host names, if it is one.
fn both(a: &str, b: &str) -> Option<String> {
    if a == b || covers(a, b) {
        Some(b.to_owned())
    } else {
        covers(b, a).then(|| a.to_owned())
    }
}

/// Whether a domain takes a name, or all names of another: `*.parent` takes one label or more.
pub(crate) fn covers(domain: &str, name: &str) -> bool {
    if domain == "*" || domain == name {
        return true;
    }
    let Some(parent) = domain.strip_prefix("*.") else {
        return false;
    };
    name.strip_suffix(parent)
        .and_then(|head| head.strip_suffix('.'))
        .is_some_and(|head| !head.is_empty())
}

/// The most specific of several domains for a name: the exact one, else the longest wildcard.
pub(crate) fn best<'d>(domains: impl Iterator<Item = &'d str>, name: &str) -> Option<&'d str> {
    domains
        .filter(|domain| covers(domain, name))
        .max_by_key(|domain| (!domain.starts_with('*'), domain.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_take_any_number_of_labels() {
        assert!(covers("*.a.test", "b.a.test"));
        assert!(covers("*.a.test", "c.b.a.test"));
        assert!(!covers("*.a.test", "a.test"));
        assert!(!covers("*.a.test", "xa.test"));
        assert!(covers("*", "x"));
        assert_eq!(both("*.a.test", "b.a.test").as_deref(), Some("b.a.test"));
        assert_eq!(
            both("*.b.a.test", "*.a.test").as_deref(),
            Some("*.b.a.test")
        );
        assert_eq!(both("*.a.test", "b.test"), None);
    }

    #[test]
    fn the_narrowest_domain_wins() {
        let domains = ["*", "*.test", "*.a.test", "b.a.test"];
        let check = |name, expected| assert_eq!(best(domains.into_iter(), name), Some(expected));
        check("b.a.test", "b.a.test");
        check("c.a.test", "*.a.test");
        check("a.test", "*.test");
        check("other", "*");
    }
}

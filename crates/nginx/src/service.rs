//! What a backend reference stands for.

use std::net::IpAddr;
use std::sync::Arc;

use gatewright_model::Target;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::effective::UpstreamKey;
use crate::ingress::Port;
use crate::objects::Objects;
use crate::reading::ServiceInfo;

/// Resolves a Service and port (`getEndpointsFromSlices` and `serviceEndpoints` of
/// ingress-nginx `internal/ingress/controller`).
///
/// The error says in a sentence why the port has no number: a name, and no Service to look
/// it up in.
pub(crate) fn resolve(key: &UpstreamKey, objects: &Objects) -> Result<Target, String> {
    let Some(service) = objects.service(&key.namespace, &key.service) else {
        return match &key.port {
            Port::Number(number) => Ok(number_of(*number).map_or_else(
                || unavailable(format!("{number} is not a port")),
                |port| Target::Service {
                    name: Arc::clone(&key.service),
                    port,
                    seen: false,
                    h2c: false,
                },
            )),
            Port::Name(name) => Err(format!(
                "the port `{name}` of Service {}/{} has no number here",
                key.namespace, key.service
            )),
            Port::Missing => Ok(unavailable("the backend names no port".to_owned())),
        };
    };
    if let Some(hostname) = &service.external_name {
        return Ok(external(key, service, hostname));
    }
    let found = service.ports.iter().find(|port| match &key.port {
        Port::Number(number) => {
            i64::from(port.port) == *number
                || matches!(&port.target, Some(IntOrString::Int(target)) if i64::from(*target) == *number)
        }
        Port::Name(name) => {
            port.name.as_deref() == Some(name)
                || matches!(&port.target, Some(IntOrString::String(target)) if **target == **name)
        }
        Port::Missing => false,
    });
    Ok(found
        .and_then(|port| Some((u16::try_from(port.port).ok()?, port.h2c)))
        .map_or_else(
            || {
                unavailable(format!(
                    "Service {}/{} has no port {}",
                    key.namespace, key.service, key.port
                ))
            },
            |(port, h2c)| Target::Service {
                name: Arc::clone(&key.service),
                port,
                seen: true,
                h2c,
            },
        ))
}

fn external(key: &UpstreamKey, service: &ServiceInfo, hostname: &str) -> Target {
    let hostname = hostname.trim_end_matches('.').to_ascii_lowercase();
    let loopback = hostname == "localhost"
        || hostname
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    if loopback {
        return unavailable(format!("ingress-nginx does not forward to `{hostname}`"));
    }
    let port = match &key.port {
        Port::Number(number) => number_of(*number),
        Port::Name(name) => service
            .ports
            .iter()
            .find(|port| port.name.as_deref() == Some(name))
            .and_then(|port| u16::try_from(port.port).ok()),
        Port::Missing => None,
    };
    match port {
        Some(port) => Target::External {
            service: Arc::clone(&key.service),
            hostname: Arc::from(hostname),
            port,
        },
        None => unavailable(format!(
            "Service {}/{} has no port {}",
            key.namespace, key.service, key.port
        )),
    }
}

fn number_of(number: i64) -> Option<u16> {
    u16::try_from(number).ok().filter(|port| *port > 0)
}

fn unavailable(reason: String) -> Target {
    Target::Unavailable {
        reason: Arc::from(reason),
    }
}

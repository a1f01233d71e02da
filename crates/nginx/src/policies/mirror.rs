//! Shadow traffic.

use std::sync::Arc;

use gatewright_diagnostics::{Code, Diagnostic};
use gatewright_model::{Backend, Mirror, Protocol, Target};
use gatewright_source::Spanned;

use super::{PolicyInput, PolicyOutput};
use crate::annotations::parse_url;

/// The keys that are carried over.
pub(crate) const KEYS: &[&str] = &["mirror-target", "mirror-host", "mirror-request-body"];

pub(crate) fn lower(input: &PolicyInput<'_>, out: &mut PolicyOutput) {
    let Some(mirror) = &input.settings.mirror else {
        return;
    };
    let backend = mirror
        .target
        .as_ref()
        .filter(|_| mirror.request_body)
        .and_then(|target| backend(input, target));
    let Some(backend) = backend else {
        let why = if mirror.request_body {
            "the target names no fixed host"
        } else {
            "the copy is to go without the body, and Envoy copies requests whole"
        };
        out.refused(
            input,
            "mirror-target",
            Diagnostic::new(
                Code::MirrorLeftOut,
                format!("requests are not copied: {why}"),
            )
            .at(mirror.span)
            .note("requests are served as before, without a copy")
            .help("name a target with a host, and leave `mirror-request-body` on"),
        );
        for key in ["mirror-host", "mirror-request-body"] {
            out.inert(key, "requests are not copied");
        }
        return;
    };
    out.policies_mut().mirror = Some(Box::new(Mirror { backend }));
    let same_host = matches!(
        mirror.host.as_str(),
        "$host" | "$http_host" | "$best_http_host"
    );
    let same_path = mirror.target.as_ref().is_some_and(|target| {
        target.value.ends_with("$request_uri") && !rest(&target.value).contains('/')
    }) && input.settings.rewrite.target.is_none();
    let mut different = Vec::new();
    if !same_host {
        different.push(format!("the `Host` of the client, not `{}`", mirror.host));
    }
    if !same_path {
        different.push("the path that the backend gets".to_owned());
    }
    if different.is_empty() {
        return;
    }
    let key = if mirror.host_span.is_some() && !same_host {
        "mirror-host"
    } else {
        "mirror-target"
    };
    out.differs(
        input,
        key,
        Diagnostic::new(
            Code::MirrorRequest,
            format!("copies of requests have {}", different.join(", and ")),
        )
        .at(mirror
            .host_span
            .filter(|_| !same_host)
            .unwrap_or(mirror.span))
        .note("Envoy copies a request as the backend gets it")
        .help("let the shadow service accept the original host and path"),
    );
}

/// What follows the authority of a URL.
fn rest(url: &str) -> &str {
    let after = url.split_once("://").map_or(url, |(_, after)| after);
    let end = after.find(['/', '$']).unwrap_or(after.len());
    &after[end..]
}

fn backend(input: &PolicyInput<'_>, target: &Spanned<String>) -> Option<Backend> {
    let fixed = target.value.split('$').next().unwrap_or_default();
    let url = parse_url(fixed).ok()?;
    let protocol = match url.scheme {
        "http" => Protocol::Http,
        "https" => Protocol::Https,
        _ => return None,
    };
    let port = match (url.port, protocol) {
        (Some(port), _) => port.parse().ok().filter(|port| *port > 0)?,
        (None, Protocol::Https) => 443,
        (None, _) => 80,
    };
    let host = url.host.trim_end_matches('.').to_ascii_lowercase();
    let origin = input.origin("mirror-target", target.span);
    let own = Arc::clone(&input.object.namespace);
    if let Some((service, namespace)) = service_of(&host) {
        // A reference to a Service that is not there would fail the whole rule.
        let known = input.objects.service(namespace, service);
        let known = known.is_some_and(|service| {
            service.external_name.is_none()
                && service.ports.iter().any(|p| p.port == i32::from(port))
        });
        if known && protocol == Protocol::Http {
            return Some(Backend {
                namespace: Arc::from(namespace),
                target: Target::Service {
                    name: Arc::from(service),
                    port,
                    seen: true,
                    h2c: false,
                },
                protocol,
                tls: None,
                balance: None,
                service_address: false,
                origin,
            });
        }
    }
    let name: String = host
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    host.contains('.').then(|| Backend {
        namespace: own,
        target: Target::External {
            service: Arc::from(name.trim_matches('-')),
            hostname: Arc::from(host.as_str()),
            port,
        },
        protocol,
        tls: None,
        balance: None,
        service_address: false,
        origin,
    })
}

/// Name and namespace of `name.namespace.svc` and `name.namespace.svc.cluster.local`.
fn service_of(host: &str) -> Option<(&str, &str)> {
    let short = host.strip_suffix(".cluster.local").unwrap_or(host);
    let (name, namespace) = short.strip_suffix(".svc")?.split_once('.')?;
    (!name.is_empty() && !namespace.is_empty() && !namespace.contains('.'))
        .then_some((name, namespace))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_services() {
        let check = |host: &str, expected| assert_eq!(service_of(host), expected, "{host}");
        check("a.b.svc", Some(("a", "b")));
        check("a.b.svc.cluster.local", Some(("a", "b")));
        check("a.b.c.svc", None);
        check("a.b", None);
        check("example.com", None);
    }

    #[test]
    fn what_follows_the_authority() {
        for (url, expected) in [
            ("http://a.b$request_uri", "$request_uri"),
            ("http://a.b:80/x$request_uri", "/x$request_uri"),
            ("http://a.b", ""),
        ] {
            assert_eq!(rest(url), expected);
        }
    }
}

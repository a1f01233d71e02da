//! Texts with nginx variables, and URLs of auth services.

pub(crate) mod served;

use std::sync::Arc;

use gatewright_model::{Part, Target};

use crate::annotations::Url;
use crate::objects::Objects;

/// A text with variables, in parts; the name of the first variable that has no counterpart.
pub(crate) fn parts(text: &str) -> Result<Vec<Part>, String> {
    let mut parts: Vec<Part> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        literal(&mut parts, &rest[..at]);
        rest = &rest[at + 1..];
        let name_end = |text: &str| {
            text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                .unwrap_or(text.len())
        };
        let name = if let Some(braced) = rest.strip_prefix('{') {
            let Some((name, after)) = braced.split_once('}') else {
                return Err(braced.to_owned());
            };
            rest = after;
            name
        } else {
            let (name, after) = rest.split_at(name_end(rest));
            rest = after;
            name
        };
        parts.push(match name {
            "scheme" | "pass_access_scheme" => Part::Scheme,
            "host" | "http_host" | "best_http_host" => Part::Authority,
            "request_uri" => Part::Target,
            "escaped_request_uri" => Part::EscapedTarget,
            "request_method" => Part::Method,
            other => return Err(other.to_owned()),
        });
    }
    literal(&mut parts, rest);
    Ok(parts)
}

fn literal(parts: &mut Vec<Part>, text: &str) {
    if !text.is_empty() {
        parts.push(Part::Literal(text.to_owned()));
    }
}

/// `buildAuthSignURL`: the way back is appended unless the parameter has a value already.
pub(crate) fn sign_in(url: &str, parameter: &str) -> String {
    let (bare, _) = url.split_once('#').unwrap_or((url, ""));
    let query = bare.split_once('?').map_or("", |(_, query)| query);
    let mut pairs = query
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.contains(';'))
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .peekable();
    let separator = if pairs.peek().is_none() { '?' } else { '&' };
    // Go's `Query().Get` looks at the first of that name.
    let first = pairs.find(|(name, _)| *name == parameter);
    if first.is_some_and(|(_, value)| !value.is_empty()) {
        return url.to_owned();
    }
    format!("{url}{separator}{parameter}=$pass_access_scheme://$http_host$escaped_request_uri")
}

/// Whether the host is that of a Service as the cluster's DNS knows it.
pub(crate) fn names_service(url: &Url<'_>) -> bool {
    let mut labels = url.host.trim_end_matches('.').split('.');
    labels.nth(2) == Some("svc")
}

/// The Service of a cluster-internal host name, with the namespace it stands in.
pub(crate) fn service(url: &Url<'_>, objects: &Objects) -> Result<(Arc<str>, Target), String> {
    let host = url.host.trim_end_matches('.');
    let labels: Vec<&str> = host.split('.').collect();
    let [name, namespace, "svc", ..] = labels[..] else {
        return Err(format!("`{host}` is not the name of a Service"));
    };
    let port = match (url.port, url.scheme) {
        (Some(port), _) => port
            .parse()
            .ok()
            .filter(|port| *port > 0)
            .ok_or_else(|| format!("`{port}` is no port"))?,
        (None, "https") => 443,
        (None, _) => 80,
    };
    let (name, namespace): (Arc<str>, Arc<str>) = (Arc::from(name), Arc::from(namespace));
    let known = objects.service(&namespace, &name);
    if let Some(known) = known {
        if let Some(hostname) = &known.external_name {
            return Err(format!(
                "Service {namespace}/{name} stands for `{hostname}`, which is not in the cluster"
            ));
        }
        if !known
            .ports
            .iter()
            .any(|known| known.port == i32::from(port))
        {
            return Err(format!("Service {namespace}/{name} has no port {port}"));
        }
    }
    let target = Target::Service {
        name,
        port,
        seen: known.is_some(),
        h2c: false,
    };
    Ok((namespace, target))
}

/// Path and query of the question.
pub(crate) fn path(url: &Url<'_>) -> String {
    let rest = url.rest.split_once('#').map_or(url.rest, |(rest, _)| rest);
    if rest.starts_with('/') {
        rest.to_owned()
    } else {
        format!("/{rest}")
    }
}

/// The request headers that the variables of a text read.
pub(crate) fn header_variables(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for part in text.split('$').skip(1) {
        let part = part.strip_prefix('{').unwrap_or(part);
        if let Some(name) = part.strip_prefix("http_") {
            let end = name
                .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                .unwrap_or(name.len());
            if end > 0 {
                names.push(name[..end].replace('_', "-"));
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::annotations::parse_url;

    #[test]
    fn the_way_back_is_appended_once() {
        let back = "$pass_access_scheme://$http_host$escaped_request_uri";
        for (url, expected) in [
            ("https://a/s", format!("https://a/s?rd={back}")),
            ("https://a/s?x=1", format!("https://a/s?x=1&rd={back}")),
            ("https://a/s?rd=", format!("https://a/s?rd=&rd={back}")),
            ("https://a/s?rd=/home", "https://a/s?rd=/home".to_owned()),
        ] {
            assert_eq!(sign_in(url, "rd"), expected);
        }
    }

    #[test]
    fn texts_in_parts() {
        let literal = |text: &str| Part::Literal(text.to_owned());
        assert_eq!(
            parts("https://$host${request_uri}x").unwrap(),
            [
                literal("https://"),
                Part::Authority,
                Part::Target,
                literal("x")
            ]
        );
        assert_eq!(parts("").unwrap(), []);
        assert_eq!(parts("a$arg_x-b").unwrap_err(), "arg_x");
        assert_eq!(
            header_variables("$remote_user${http_x_session}$http_a-"),
            ["x-session", "a"]
        );
    }

    #[test]
    fn services_by_their_names() {
        let objects = Objects::default();
        let read = |text: &str| {
            let url = parse_url(text).unwrap();
            service(&url, &objects)
                .map(|(namespace, target)| (namespace.to_string(), target, path(&url)))
        };
        let target = |port| Target::Service {
            name: "gate".into(),
            port,
            seen: false,
            h2c: false,
        };
        assert_eq!(
            read("http://gate.shop.svc.cluster.local/v?x=1").unwrap(),
            ("shop".to_owned(), target(80), "/v?x=1".to_owned())
        );
        assert_eq!(
            read("https://gate.shop.svc").unwrap(),
            ("shop".to_owned(), target(443), "/".to_owned())
        );
        assert_eq!(read("http://gate.shop.svc:4180?a").unwrap().2, "/?a");
        for bad in [
            "http://gate.example.com/",
            "http://gate/",
            "http://$host/",
            "http://gate.shop.svc:0/",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}

//! Names of Secrets and `ConfigMap`s in annotations, and URLs.

use gatewright_model::is_dns_subdomain;

use crate::registry::GrammarFault;

/// A Secret or `ConfigMap` that an annotation names. Whether it exists is asked later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Its namespace: that of the Ingress unless the annotation names one.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// Reads `name` or `namespace/name`. `own` is the namespace of a bare name; without it a
/// bare name is a fault.
pub(crate) fn reference(text: &str, own: Option<&str>) -> Result<Reference, GrammarFault> {
    let (namespace, name) = match (text.split_once('/'), own) {
        // As `SplitMetaNamespaceKey` reads it.
        (Some(("", name)), Some(own)) if !name.contains('/') => (own, name),
        (Some((namespace, name)), _) if !name.contains('/') => (namespace, name),
        (None, Some(own)) => (own, text),
        (None, None) => {
            return Err(
                GrammarFault::whole("is not `namespace/name`").help("write the namespace too")
            );
        }
        _ => {
            return Err(GrammarFault::whole("has more than one `/`").help("write `namespace/name`"));
        }
    };
    // Nothing of such a name exists, and to look for it fails.
    for part in [namespace, name] {
        if !is_dns_subdomain(part) {
            return Err(GrammarFault::whole(format!(
                "names `{part}`, which no object can be called"
            ))
            .help("write a name in lower case, of letters, digits, `-` and `.`"));
        }
    }
    Ok(Reference {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    })
}

/// Parts of a URL that Go's `url.Parse` accepts, as far as the characters that the
/// validators let through can make it fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Url<'a> {
    /// The scheme.
    pub scheme: &'a str,
    /// The host without port; may hold variables.
    pub host: &'a str,
    /// The port, when one is written.
    pub port: Option<&'a str>,
    /// Path and query.
    pub rest: &'a str,
}

const URL_HELP: &str = "write a whole URL, such as `http://auth.example.svc.cluster.local/check`";

/// `StringToURL` of the controller: a URL with scheme and host.
pub fn parse_url(text: &str) -> Result<Url<'_>, GrammarFault> {
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
    };
    let Some((scheme, rest)) = text
        .split_once("://")
        .filter(|(scheme, _)| is_scheme(scheme))
    else {
        return Err(GrammarFault::whole("is no URL with a scheme and a host").help(URL_HELP));
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    if port.is_some_and(|port| !port.bytes().all(|b| b.is_ascii_digit())) {
        return Err(GrammarFault::whole("has a port that is no number").help(URL_HELP));
    }
    if host.is_empty() {
        return Err(GrammarFault::whole("has no host").help(URL_HELP));
    }
    if host.contains(' ') {
        return Err(GrammarFault::whole("has a blank in its host").help(URL_HELP));
    }
    if host.contains("..") {
        return Err(GrammarFault::whole("has two dots in a row in its host").help(URL_HELP));
    }
    Ok(Url {
        scheme,
        host,
        port: port.filter(|port| !port.is_empty()),
        rest,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references() {
        let read = |text, own| {
            reference(text, own)
                .map(|r| (r.namespace, r.name))
                .map_err(|fault| fault.message)
        };
        let pair = |a: &str, b: &str| Ok((a.to_owned(), b.to_owned()));
        assert_eq!(read("x", Some("shop")), pair("shop", "x"));
        assert_eq!(read("a/x", Some("shop")), pair("a", "x"));
        assert_eq!(read("/x", Some("shop")), pair("shop", "x"));
        assert!(read("x", None).is_err());
        assert!(read("/x", None).is_err());
        assert!(read("a/b/c", Some("shop")).is_err());
        for bad in ["shop/Users", "shop/a b", "shop/a:b", "shop/", "a b/x", "-x"] {
            assert!(read(bad, Some("shop")).is_err(), "{bad}");
        }
    }

    #[test]
    fn urls() {
        let url = parse_url("https://$host:8443/oauth2/auth?x=1").unwrap();
        assert_eq!(
            (url.scheme, url.host, url.port, url.rest),
            ("https", "$host", Some("8443"), "/oauth2/auth?x=1")
        );
        assert!(parse_url("http://a").is_ok());
        for bad in [
            "/n",
            "None",
            "http:/x",
            "http://",
            "http://a..b/",
            "http://a:b/",
            "http://a b/",
            "1x://a",
        ] {
            assert!(parse_url(bad).is_err(), "{bad}");
        }
    }
}

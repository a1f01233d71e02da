//! What a `ClientTrafficPolicy` says of a listener.

use serde_json::Value;

use super::listener::{Listener, Protocol};
use super::policy::above;
use crate::behaviour::Clients;
use crate::objects::{Objects, items, text};

/// How requests are received on a listener.
#[derive(Clone, Debug, Default)]
pub(crate) struct Client {
    /// Certificates that are asked for.
    pub(crate) clients: Option<Clients>,
    /// Headers that are set before a rule is looked for, with their values.
    pub(crate) set: Vec<(String, String)>,
    /// Those that are set where the client sends none.
    pub(crate) default: Vec<(String, String)>,
    /// Those that are removed.
    pub(crate) removed: Vec<String>,
    /// Whether `X-Forwarded-Proto` of the client is kept.
    pub(crate) trusts: bool,
    /// `escapedSlashesAction`, when it is not the one that the walk of paths relies on.
    pub(crate) slashes: Option<String>,
}

/// What holds for a listener. One that is assumed is taken to trust headers as `trusts` says.
pub(crate) fn client(objects: &Objects, listener: &Listener, trusts: bool) -> Client {
    let Some(policy) = above(objects, "ClientTrafficPolicy", listener) else {
        return Client {
            trusts: listener.assumed && trusts,
            slashes: (!listener.assumed).then(|| "UnescapeAndRedirect".to_owned()),
            ..Client::default()
        };
    };
    let spec = policy.at("/spec");
    let early = policy.at("/spec/headers/earlyRequestHeaders");
    let pairs = |key: &str| {
        items(&early[key])
            .iter()
            .map(|header| {
                let name = text(header, "name").to_ascii_lowercase();
                (name, text(header, "value").to_owned())
            })
            .collect()
    };
    let slashes = policy.at("/spec/path/escapedSlashesAction").as_str();
    Client {
        clients: (listener.protocol == Protocol::Https)
            .then(|| clients(&policy.namespace, policy.at("/spec/tls/clientValidation")))
            .flatten(),
        set: pairs("set"),
        default: pairs("addIfAbsent"),
        removed: items(&early["remove"])
            .iter()
            .filter_map(|name| Some(name.as_str()?.to_ascii_lowercase()))
            .collect(),
        // Envoy looks at the peer's address, and then overwrites the header, unless it is told
        // to find the client elsewhere (`use_remote_address`).
        trusts: spec["clientIPDetection"].is_object(),
        slashes: match slashes {
            Some("UnescapeAndForward") => None,
            other => Some(other.unwrap_or("UnescapeAndRedirect").to_owned()),
        },
    }
}

fn clients(namespace: &str, spec: &Value) -> Option<Clients> {
    spec.as_object()?;
    let mode = text(spec, "mode");
    let optional = spec["optional"].as_bool() == Some(true);
    Some(Clients {
        required: matches!(mode, "" | "RequireAndVerify" | "RequireAny") && !optional,
        verified: !matches!(mode, "Request" | "RequireAny"),
        authorities: items(&spec["caCertificateRefs"])
            .iter()
            .map(|reference| {
                let namespace = reference["namespace"].as_str().unwrap_or(namespace);
                format!("{namespace}/{}", text(reference, "name"))
            })
            .collect(),
        revoked: spec["crl"].is_object(),
    })
}

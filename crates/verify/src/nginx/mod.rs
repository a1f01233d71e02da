//! The side of the model: its behaviours in the common vocabulary, and the languages that its
//! decisions depend on.

mod languages;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use gatewright_model::eval::{self, Request, Served};
use gatewright_model::pattern::Pattern;
use gatewright_model::{
    Action, Backend, Host, Model, Protocol, Route, SecretRef, Target, VerifyClient,
};

use crate::behaviour::{
    Addresses, Answer, Authorizer, Behaviour, Bucket, Clients, Forwarding, Guards, Limits,
    Passwords, Place, Share, Tls, Wire, shares,
};
pub(crate) use languages::{
    authority_tests, conditions, header_tests, is_broken, language, path_tests, sees_query,
};

/// What the model says of a request, in the common vocabulary.
pub(crate) fn behaviour(model: &Model, served: &Served<'_>, request: &Request) -> Behaviour {
    let guards = guards(model, served);
    let answer = match &served.answer {
        eval::Answer::NotFound => Answer::Status(404),
        eval::Answer::Malformed => Answer::Status(400),
        eval::Answer::Status(code) => Answer::Status(*code),
        eval::Answer::TooLarge { .. } => Answer::Status(413),
        eval::Answer::Unknown(why) => Answer::Unknown((*why).to_owned()),
        eval::Answer::Unavailable => Answer::Status(503),
        eval::Answer::Refused(refusal) => Answer::Refused(refusal.reason.clone()),
        eval::Answer::Forbidden(_) => Answer::Status(403),
        eval::Answer::Redirect { code, location } => Answer::Redirect {
            code: *code,
            location: location.clone(),
        },
        eval::Answer::Passthrough(backend) => {
            Answer::Passthrough(match share(backend, request, 1) {
                Some(share) => vec![share],
                None => Vec::new(),
            })
        }
        eval::Answer::Forward {
            backends,
            path,
            forward,
        } => {
            let list = backends
                .iter()
                .filter_map(|(backend, weight)| share(backend, request, *weight));
            let changed = |path: &String| *path != eval::decode(&request.path).unwrap_or_default();
            // A path that nobody changes is passed on as it came.
            let sent = |path: &String| {
                if changed(path) {
                    escape(path)
                } else {
                    request.path.clone()
                }
            };
            Answer::Forward(Box::new(Forwarding {
                shares: shares(list.collect()),
                path: path.as_ref().map(sent).map(|path| match &request.query {
                    Some(query) if path.contains('?') => format!("{path}&{query}"),
                    Some(query) => format!("{path}?{query}"),
                    None => path,
                }),
                authority: authority(forward, request),
                copies: BTreeSet::new(),
                withheld: BTreeSet::new(),
            }))
        }
    };
    Behaviour { answer, guards }
}

/// A path as nginx sends it to a backend (`ngx_escape_uri`); what a rewrite puts behind a
/// question mark is a query.
fn escape(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        match byte {
            0..=b' ' | b'%' | b'#' | 0x7f.. => {
                // Writing to a string cannot fail.
                let _ = write!(out, "%{byte:02X}");
            }
            byte => out.push(char::from(byte)),
        }
    }
    out
}

/// The authority that a backend sees, if it is another one.
fn authority(forward: &gatewright_model::Forward, request: &Request) -> Option<String> {
    let value = forward.authority.as_ref()?.value.as_str();
    let variable = value
        .strip_prefix('$')
        .map(|name| name.trim_matches(['{', '}']));
    let name = match variable {
        Some("host" | "http_host") => request.host.clone(),
        Some(name) => match name.strip_prefix("http_") {
            Some(header) => request.header(&header.replace('_', "-"))?.to_owned(),
            None => value.to_owned(),
        },
        None => value.to_ascii_lowercase(),
    };
    (!name.is_empty() && name != request.host).then_some(name)
}

/// Where a backend is; `None` for one that is not there.
fn place(backend: &Backend) -> Option<Place> {
    Some(match &backend.target {
        Target::Service { name, port, .. } => {
            Place::Service(backend.namespace.to_string(), name.to_string(), *port)
        }
        Target::External { hostname, port, .. } => Place::of_name(hostname, *port),
        Target::Unavailable { .. } => return None,
    })
}

fn share(backend: &Backend, request: &Request, weight: u32) -> Option<Share> {
    let (http2, tls) = match backend.protocol {
        Protocol::Http => (false, false),
        Protocol::Https => (false, true),
        // A port that says so itself is spoken to so by whoever refers to it.
        Protocol::Grpc => (
            !matches!(backend.target, Target::Service { h2c: true, .. }),
            false,
        ),
        Protocol::Grpcs => (true, true),
        Protocol::SameAsClient => (false, request.secure),
    };
    let secret = |secret: &SecretRef| format!("{}/{}", secret.namespace, secret.name);
    let settings = backend.tls.clone().unwrap_or_default();
    Some(Share {
        place: place(backend)?,
        wire: Wire {
            http2,
            tls: tls.then(|| Tls {
                authority: settings.authority.as_ref().map(secret),
                name: settings.name,
                certificate: settings.certificate.as_ref().map(secret),
            }),
        },
        weight: u64::from(weight),
    })
}

fn guards(model: &Model, served: &Served<'_>) -> Guards {
    let mut guards = Guards::default();
    let found = &served.guards;
    if let Some(clients) = found.clients
        && clients.verify != VerifyClient::Off
    {
        guards.clients = Some(Clients {
            required: clients.verify == VerifyClient::Required,
            verified: clients.verify != VerifyClient::Unverified,
            authorities: BTreeSet::from([format!(
                "{}/{}",
                clients.authorities.namespace, clients.authorities.name
            )]),
            revoked: clients.revoked,
        });
    }
    if let Some(pattern) = found.clients.and_then(|c| c.subject.as_ref()) {
        let language = Pattern::parse_case_sensitive(pattern).ok();
        match language.and_then(|pattern| pattern.found_regex()) {
            Some(language) => guards.subject = Some(language),
            None => {
                guards
                    .others
                    .insert("a subject that nobody knows".to_owned());
            }
        }
    }
    if let Some(limits) = found.limits {
        let bucket = |rate: &gatewright_model::RequestLimit| Bucket {
            size: u64::from(rate.burst),
            gains: u64::from(rate.rate),
            seconds: rate.period.seconds(),
            only: None,
            exempt: limits.exempt.iter().cloned().collect(),
            each: true,
        };
        guards.limits = Some(Limits {
            buckets: limits.rates.iter().map(bucket).collect(),
            concurrent: limits.concurrent.as_ref().map(|(most, _)| u64::from(*most)),
        });
    }
    if let Some(addresses) = found.addresses {
        let rules = addresses.rules.iter();
        guards.addresses = Some(Addresses {
            rules: rules
                .map(|rule| (rule.allow, rule.networks.clone()))
                .collect(),
            otherwise: addresses.otherwise,
        });
    }
    if let Some(passwords) = found.passwords {
        let namespace = &model.owner(passwords.origin.owner).namespace;
        guards.passwords = Some(Passwords {
            secret: format!("{namespace}/{}", passwords.secret),
            users: passwords.users.as_ref().map(|users| {
                let pair = |user: &gatewright_model::User| (user.name.clone(), user.sha1.clone());
                // The first of a name counts.
                users.iter().rev().map(pair).collect()
            }),
        });
    }
    if let Some(authorizer) = found.authorizer {
        guards.authorizer = Some(Authorizer {
            places: place(&authorizer.backend).into_iter().collect(),
            path: authorizer.path.clone(),
            fails_open: false,
        });
    }
    guards
}

/// Adds what a route says of a forwarded request beyond its action.
pub(crate) fn complete(host: &Host, route: &Route, request: &Request, behaviour: &mut Behaviour) {
    if let Answer::Forward(forwarding) = &mut behaviour.answer {
        let mirror = route.policies.mirror.iter();
        forwarding.copies = mirror.filter_map(|mirror| place(&mirror.backend)).collect();
        let own = withheld(host, route).into_iter();
        forwarding.withheld = own.filter(|name| request.header(name).is_some()).collect();
    }
}

/// Headers, in lower case, of which backends get what nginx says and never what a client does:
/// those of the auth service and those about the certificate of the client.
pub(crate) fn withheld(host: &Host, route: &Route) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    if !matches!(route.action, Action::Forward(_)) {
        return names;
    }
    if let Some(authorizer) = &route.policies.authorizer {
        names.extend(
            authorizer
                .response_headers
                .iter()
                .map(|name| name.to_ascii_lowercase()),
        );
    }
    if let Some(clients) = &host.clients {
        let about = [
            "ssl-client-verify",
            "ssl-client-subject-dn",
            "ssl-client-issuer-dn",
        ];
        names.extend(about.map(str::to_owned));
        names.extend(clients.pass.then(|| "ssl-client-cert".to_owned()));
    }
    names
}

//! The side of the model: its behaviours in the common vocabulary, and the languages that its
//! decisions depend on.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use gatewright_model::eval::{self, Request, Served};
use gatewright_model::pattern::Pattern;
use gatewright_model::{
    Action, Backend, Condition, CorsOrigins, HeaderRule, Host, Model, PathMatcher, PlainHttp,
    Protocol, Route, SecretRef, Subject, Target, Test, VerifyClient,
};

use crate::behaviour::{
    Addresses, Answer, Authorizer, Behaviour, Bucket, Clients, Forwarding, Guards, Limits,
    Passwords, Place, Share, Tls, Wire, shares,
};

/// The paths that a route takes, in Rust's syntax and decoded; the flag says that it may take
/// fewer, because only a backtracking engine could tell.
pub(crate) fn language(matcher: &PathMatcher) -> (String, bool) {
    let plain = |text: &str| regex::escape(text);
    match matcher {
        PathMatcher::Exact(text) => (format!(r"\A{}\z", plain(text)), false),
        PathMatcher::Prefix(text) if text.ends_with('/') => {
            (format!(r"(?s-u)\A{}.*\z", plain(text)), false)
        }
        PathMatcher::Prefix(text) => (format!(r"(?s-u)\A{}(?:/.*)?\z", plain(text)), false),
        PathMatcher::Pattern(text) => {
            let pattern = Pattern::parse(text).ok();
            let exact = pattern.as_ref().and_then(Pattern::whole_regex);
            let loose = || pattern.as_ref()?.loosened()?.whole_regex();
            let head = || {
                let head = pattern.as_ref().map(Pattern::required_literal_prefix);
                format!(r"(?is-u)\A{}.*\z", plain(&head.unwrap_or_default()))
            };
            match exact {
                Some(regex) => (regex, false),
                None if pattern.is_none() => (r"[^\s\S]".to_owned(), false),
                None => (loose().unwrap_or_else(head), true),
            }
        }
    }
}

/// Whether nginx refuses the path, and with it the whole configuration.
pub(crate) fn is_broken(matcher: &PathMatcher) -> bool {
    matches!(matcher, PathMatcher::Pattern(text) if Pattern::parse(text).is_err())
}

/// What the conditions of a host look at in paths: decoded ones, and those as they are sent.
pub(crate) fn path_tests(host: &Host) -> (Vec<String>, Vec<String>) {
    let (mut decoded, mut sent) = (Vec::new(), Vec::new());
    for route in &host.routes {
        for when in conditions(route) {
            if let Subject::Path { query } = when.subject {
                let list = if query { &mut sent } else { &mut decoded };
                list.extend(test(&when.test));
            }
        }
        if let Some(edit) = &route.policies.path_edit {
            let pattern = Pattern::parse_case_sensitive(&edit.pattern).ok();
            decoded.extend(pattern.and_then(|pattern| pattern.found_regex()));
        }
    }
    for list in [&mut decoded, &mut sent] {
        list.sort();
        list.dedup();
    }
    (decoded, sent)
}

/// Every test of the name that a host makes.
pub(crate) fn authority_tests(host: &Host) -> Vec<String> {
    let all = host.routes.iter().flat_map(conditions);
    let mut tests: Vec<String> = all
        .filter(|when| when.subject == Subject::Host)
        .flat_map(|when| test(&when.test))
        .collect();
    tests.sort();
    tests.dedup();
    tests
}

/// The conditions of the steps of a route.
pub(crate) fn conditions(route: &Route) -> impl Iterator<Item = &Condition> {
    route
        .policies
        .steps
        .iter()
        .filter_map(|step| step.when.as_ref())
}

/// The texts for which a test holds, in Rust's syntax; nothing where nobody knows.
fn test(test: &Test) -> Vec<String> {
    match test {
        Test::Equals(text) => vec![format!(r"\A{}\z", regex::escape(text))],
        Test::Set => vec![r"\A0?\z".to_owned()],
        Test::Pattern { text, fold } => {
            let pattern = if *fold {
                Pattern::parse(text)
            } else {
                Pattern::parse_case_sensitive(text)
            };
            pattern
                .ok()
                .and_then(|p| p.found_regex())
                .into_iter()
                .collect()
        }
    }
}

/// Whether the query shows in what a route answers.
pub(crate) fn sees_query(route: &Route) -> bool {
    matches!(route.action, Action::Redirect(_))
        || matches!(route.plain_http, PlainHttp::Redirect { .. })
        || !route.policies.steps.is_empty()
}

/// The headers that a route looks at: names in lower case, with languages of values that it
/// tells apart.
pub(crate) fn header_tests(model: &Model, route: &Route) -> Vec<(String, String)> {
    let mut tests: Vec<(String, String)> = Vec::new();
    let mut add = |name: &str, language: String| {
        tests.push((name.to_ascii_lowercase(), language));
    };
    let exactly = |text: &str| format!(r"\A{}\z", regex::escape(text));
    let scheme = conditions(route).any(|when| when.subject == Subject::Scheme);
    if model.globals.forwarded.trust && (scheme || route.plain_http != PlainHttp::Serve) {
        add("x-forwarded-proto", exactly("http"));
        add("x-forwarded-proto", exactly("https"));
    }
    for when in conditions(route) {
        if let Subject::Header(name) = &when.subject {
            for language in test(&when.test) {
                add(name, language);
            }
        }
    }
    if let Some(limit) = &route.policies.transport.body_limit {
        add("content-length", above(limit.bytes));
    }
    if let Some(cors) = &route.policies.cors
        && let CorsOrigins::EndWith(list) = &cors.origins
    {
        for end in list {
            add("origin", origin(end));
        }
    }
    let Action::Forward(forward) = &route.action else {
        return tests;
    };
    let Some(canary) = &forward.split.canary else {
        return tests;
    };
    if let Some(header) = &canary.header {
        match &header.rule {
            HeaderRule::AlwaysNever => {
                add(&header.name, exactly("always"));
                add(&header.name, exactly("never"));
            }
            HeaderRule::Value(value) => add(&header.name, exactly(value)),
            HeaderRule::Pattern(text) => {
                let pattern = Pattern::parse_case_sensitive(text).ok();
                if let Some(language) = pattern.and_then(|pattern| pattern.found_regex()) {
                    add(&header.name, language);
                }
            }
        }
    }
    if let Some(name) = &canary.cookie {
        add("cookie", cookie(name, "always"));
        add("cookie", cookie(name, "never"));
    }
    tests
}

/// Origins that end with a text, in any case, in which `*` is one label.
fn origin(end: &str) -> String {
    let label = r"[A-Za-z0-9\-]+";
    let parts: Vec<String> = end.splitn(2, '*').map(regex::escape).collect();
    format!(r"(?i-u)\A(?s:.)*{}\z", parts.join(label))
}

/// Decimal numbers above a limit, without leading zeros.
fn above(limit: u64) -> String {
    let digits = limit.to_string();
    let mut more = vec![format!(r"[1-9][0-9]{{{},}}", digits.len())];
    for (at, digit) in digits.chars().enumerate().filter(|(_, digit)| *digit < '9') {
        let next = char::from_u32(u32::from(digit) + 1).unwrap_or('9');
        let rest = digits.len() - at - 1;
        more.push(format!("{}[{next}-9][0-9]{{{rest}}}", &digits[..at]));
    }
    format!(r"\A(?:{})\z", more.join("|"))
}

/// Values of the header `Cookie` in which the first cookie of this name, in any case, has this
/// value (`ngx_http_parse_multi_header_lines`).
fn cookie(name: &str, value: &str) -> String {
    // Pieces that are no cookie of this name: they end early, or differ at some place, or have
    // no equals sign.
    let mut others = Vec::new();
    let mut head = String::new();
    for c in name.chars() {
        let own = regex::escape(&c.to_string());
        others.push(head.clone());
        let either = [c.to_ascii_lowercase(), c.to_ascii_uppercase()];
        let class: String = either
            .iter()
            .map(|c| regex::escape(&c.to_string()))
            .collect();
        others.push(format!("{head}[^{class};,][^;,]*"));
        head = format!("{head}(?i:{own})");
    }
    others.push(format!("{head} *"));
    others.push(format!("{head} *[^=;, ][^;,]*"));
    let others = others.join("|");
    format!(r"(?-u)\A(?:(?:{others})[;,] *)*{head} *= *{value}(?:;.*)?\z")
}

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

#[cfg(test)]
mod tests {
    use super::*;

    fn check(language: &str, matching: &[&str], not: &[&str]) {
        let regex = regex::bytes::Regex::new(language).unwrap();
        for text in matching {
            assert!(regex.is_match(text.as_bytes()), "{language} {text}");
        }
        for text in not {
            assert!(!regex.is_match(text.as_bytes()), "{language} {text}");
        }
    }

    #[test]
    fn numbers_above_a_limit() {
        check(
            &above(1024),
            &["1025", "1030", "2000", "10000"],
            &["1024", "999", "0"],
        );
        check(&above(0), &["1", "9", "10"], &["0"]);
        check(&above(99), &["100"], &["99", "9"]);
    }

    #[test]
    fn cookies_are_read_as_the_interpreter_does() {
        let language = cookie("b.c", "always");
        let headers = [
            "b.c=always",
            "B.C=always",
            "bxc=always",
            "a=1; b.c=always",
            "b.c=never; b.c=always",
            "b.c = always;x",
            "ab.c=always",
            "b=1;b.c=always",
            "b.c; b.c=always",
            "b.cx=1, b.c=always",
            "b.c=alwaysx",
            "b.c=",
            "b",
            "b.c x=1; b.c=always",
        ];
        let regex = regex::bytes::Regex::new(&language).unwrap();
        for header in headers {
            let expected = eval::cookie(header, "b.c") == Some("always");
            assert_eq!(regex.is_match(header.as_bytes()), expected, "{header}");
        }
    }

    #[test]
    fn origins_end_in_any_case() {
        check(
            &origin("https://*.a.b"),
            &["https://x.A.b", "evil https://x.a.b"],
            &["https://a.b", "https://x.y.a.b"],
        );
    }
}

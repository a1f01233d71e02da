//! Certificates of clients.
//!
//! A listener asks for them (Envoy Gateway `ClientTrafficPolicy` `tls.clientValidation`), so a
//! host that does has one of its own, and its rules for HTTPS belong to that listener alone: a
//! connection made for another name never reaches them. A listener of a wildcard takes the
//! connections of all names below it, so hosts below get listeners of their own as well.

use std::sync::Arc;

use gateway_api::httproutes::{
    HttpRouteRulesFilters, HttpRouteRulesFiltersRequestHeaderModifier,
    HttpRouteRulesFiltersRequestHeaderModifierSet, HttpRouteRulesFiltersType,
};
use gatewright_diagnostics::{Code, Diagnostic};
use gatewright_model::pattern::Pattern;
use gatewright_model::{ClientCertificates, Host, HostName, Model, OwnerId, VerifyClient};

use crate::emit::Emitter;
use crate::envoy::{Authorization, AuthorizationRule};
use crate::listeners::{distinguishing, has_secret};
use crate::rule::{Planned, Section};
use crate::{IndexMap, IndexSet};

/// What backends are told of the client's certificate; never taken from the client.
pub(crate) const HEADERS: [&str; 4] = [
    "ssl-client-verify",
    "ssl-client-subject-dn",
    "ssl-client-issuer-dn",
    "ssl-client-cert",
];

/// Whether clients of the host are asked for a certificate.
pub(crate) fn asks(host: &Host) -> bool {
    host.clients
        .as_ref()
        .is_some_and(|clients| clients.verify != VerifyClient::Off)
}

/// Whether TLS of the host is not that of the others.
pub(crate) fn special(host: &Host) -> bool {
    host.passthrough.is_none() && (asks(host) || host.ciphers.is_some())
}

/// The parents of wildcard hosts with a listener of their own; `divided` when every host with a
/// certificate has one.
pub(crate) fn own_wildcards(model: &Model, divided: bool) -> IndexSet<Arc<str>> {
    let own = |host: &&Host| special(host) || (divided && has_secret(host));
    let own = model.hosts.iter().filter(own);
    own.filter_map(|host| match &host.name {
        HostName::OneLabel(parent) | HostName::Subdomains(parent) => Some(Arc::clone(parent)),
        HostName::Exact(_) | HostName::Any => None,
    })
    .collect()
}

/// Whether HTTPS of the host has a listener of its own.
pub(crate) fn own_listener(emitter: &Emitter<'_>, host: &Host) -> bool {
    emitter.https
        && (!emitter.settings.existing
            || (emitter.divided && distinguishing(emitter, host).is_some()))
        && host.passthrough.is_none()
        && host.name != HostName::Any
        && (special(host)
            || (emitter.divided && has_secret(host))
            || covered(&emitter.own_wildcards, &host.name))
}

/// Whether a listener of a wildcard takes connections for the name.
fn covered(wildcards: &IndexSet<Arc<str>>, name: &HostName) -> bool {
    let (HostName::Exact(name) | HostName::OneLabel(name) | HostName::Subdomains(name)) = name
    else {
        return false;
    };
    !wildcards.is_empty()
        && std::iter::successors(name.split_once('.'), |(_, rest)| rest.split_once('.'))
            .any(|(_, parent)| wildcards.contains(parent))
}

/// Tells backends of the certificate, or keeps HTTPS shut where none can be asked for.
pub(crate) fn plan(
    emitter: &mut Emitter<'_>,
    host: &Host,
    plan: &mut IndexMap<OwnerId, Vec<Planned>>,
) {
    if let Some(ciphers) = &host.ciphers
        && emitter.https
        && host.passthrough.is_none()
        && !own_listener(emitter, host)
    {
        emitter.report(
            &ciphers.origin,
            false,
            Diagnostic::new(
                Code::CipherNames,
                "the cipher suites of the host are those of the Gateway's listener",
            )
            .note("they are set for a listener of the host; a rule without a host has none, and the listeners of a Gateway that exists already are not written")
            .help("set `tls.ciphers` in the ClientTrafficPolicy of the listener"),
        );
    }
    let Some(clients) = &host.clients else { return };
    let shut =
        emitter.https && host.passthrough.is_none() && asks(host) && !own_listener(emitter, host);
    if shut {
        refused(emitter, host, clients);
    }
    for (owner, rules) in plan {
        let model = emitter.model;
        let owner = model.owner(*owner);
        *rules = std::mem::take(rules)
            .into_iter()
            .flat_map(|planned| {
                let section = planned.section;
                [Section::Http, Section::Https]
                    .into_iter()
                    .filter(move |&s| section == Section::Both || section == s)
                    .map(move |section| Planned {
                        section,
                        ..planned.clone()
                    })
                    .collect::<Vec<_>>()
            })
            .map(|mut planned| {
                let secure = planned.section == Section::Https;
                if !secure && clients.subject.is_some() {
                    let comment = "plain HTTP has no client certificate".to_owned();
                    planned.answer(emitter.respond(owner, 403, comment));
                    planned.comments = vec!["forbidden: auth-tls-match-cn".to_owned()];
                } else if secure && shut {
                    planned.answer(emitter.unserved(owner));
                    planned.comments =
                        vec!["refused: clients cannot be asked for certificates".to_owned()];
                } else if planned.rule.backend_refs.is_some() {
                    tell(&mut planned, clients, secure);
                }
                if let Some(subject) = clients.subject.as_ref().filter(|_| secure && !shut) {
                    compare(&mut planned, subject);
                }
                planned
            })
            .collect();
    }
}

/// Lets in only who has a certificate with such a subject (`SecurityPolicy` `authorization`),
/// besides what is asked of the address.
fn compare(planned: &mut Planned, subject: &str) {
    let cel = subject_expression(subject);
    let policy = planned.attached.security();
    let (mut rules, everybody) = match policy.authorization.take() {
        Some(known) => (known.rules, known.default_action == "Allow"),
        None => (Vec::new(), true),
    };
    if everybody {
        rules.push(AuthorizationRule {
            name: "subject".to_owned(),
            action: "Allow",
            principal: None,
            cel: None,
        });
    }
    for rule in rules.iter_mut().filter(|rule| rule.action == "Allow") {
        rule.cel = Some(cel.clone());
    }
    policy.authorization = Some(Authorization {
        default_action: "Deny",
        rules,
    });
}

/// True for a certificate in whose subject the pattern is found; without a certificate it is
/// an error, which lets nobody in. A pattern that cannot be said lets nobody in either.
fn subject_expression(pattern: &str) -> String {
    let re2 = Pattern::parse_case_sensitive(pattern).ok();
    let Some(re2) = re2.and_then(|pattern| pattern.to_re2().ok()) else {
        return "false".to_owned();
    };
    let quoted = re2
        .match_anywhere()
        .replace('\\', "\\\\")
        .replace('\'', "\\'");
    format!("connection.subject_peer_certificate.matches('{quoted}')")
}

fn refused(emitter: &mut Emitter<'_>, host: &Host, clients: &ClientCertificates) {
    emitter.report(
        &clients.origin,
        true,
        Diagnostic::new(
            Code::ClientCertificatesRefused,
            if host.name == HostName::Any {
                "clients of a host without a name cannot be asked for certificates".to_owned()
            } else {
                format!("clients of {} cannot be asked for certificates", host.name)
            },
        )
        .note(if host.name == HostName::Any {
            "a listener without a host name would ask the clients of all hosts; over HTTPS the host answers 503"
        } else {
            "the listeners of a Gateway that exists already are not written; over HTTPS the host answers 503"
        })
        .help(if host.name == HostName::Any {
            "give the rule a host"
        } else {
            "let Gatewright write the Gateway, without `--gateway`"
        }),
    );
}

fn tell(planned: &mut Planned, clients: &ClientCertificates, secure: bool) {
    // TLS with a certificate of the client (Envoy's attribute; absent means false).
    let given = "connection.mtls";
    let verify = match clients.verify {
        VerifyClient::Required => "SUCCESS".to_owned(),
        VerifyClient::Off => "NONE".to_owned(),
        VerifyClient::Optional => format!("%CEL({given} ? 'SUCCESS' : 'NONE')%"),
        // Nobody looked at it, so it is not called good.
        VerifyClient::Unverified => format!("%CEL({given} ? 'FAILED:not verified' : 'NONE')%"),
    };
    let mut set = vec![(HEADERS[0], verify)];
    if clients.verify != VerifyClient::Off {
        set.push((HEADERS[1], "%DOWNSTREAM_PEER_SUBJECT%".to_owned()));
        set.push((HEADERS[2], "%DOWNSTREAM_PEER_ISSUER%".to_owned()));
        if clients.pass {
            set.push((HEADERS[3], "%DOWNSTREAM_PEER_CERT%".to_owned()));
        }
    }
    if !secure {
        set.clear();
    }
    let left = HEADERS
        .into_iter()
        .filter(|name| !set.iter().any(|(known, _)| known == name))
        .map(str::to_owned)
        .collect::<Vec<_>>();
    let modifier = modifier(planned);
    if !left.is_empty() {
        modifier.remove.get_or_insert_with(Vec::new).extend(left);
    }
    if !set.is_empty() {
        let written = modifier.set.get_or_insert_with(Vec::new);
        written.extend(set.into_iter().map(|(name, value)| {
            HttpRouteRulesFiltersRequestHeaderModifierSet {
                name: name.to_owned(),
                value,
            }
        }));
    }
}

/// The filter for request headers: a rule has at most one.
pub(crate) fn modifier(planned: &mut Planned) -> &mut HttpRouteRulesFiltersRequestHeaderModifier {
    let filters = planned.rule.filters.get_or_insert_with(Vec::new);
    let known = filters
        .iter()
        .position(|filter| filter.request_header_modifier.is_some());
    let at = known.unwrap_or_else(|| {
        filters.insert(
            0,
            HttpRouteRulesFilters {
                r#type: HttpRouteRulesFiltersType::RequestHeaderModifier,
                ..HttpRouteRulesFilters::default()
            },
        );
        0
    });
    filters[at]
        .request_header_modifier
        .get_or_insert_with(HttpRouteRulesFiltersRequestHeaderModifier::default)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::planned_for_tests;

    #[test]
    fn a_pattern_is_quoted() {
        for (pattern, expected) in [
            ("CN=app", "'.*CN=app.*'"),
            (r"CN=o'neil\.x$", r"'.*CN=o\'neil\\.x$'"),
        ] {
            let expected = format!("connection.subject_peer_certificate.matches({expected})");
            assert_eq!(subject_expression(pattern), expected);
        }
        // What cannot be said lets nobody in.
        assert_eq!(subject_expression("CN=(?!guest)(a)\\1"), "false");
    }

    #[test]
    fn a_subject_is_asked_for_besides_the_address() {
        let mut planned = planned_for_tests("root", Section::Https);
        compare(&mut planned, "CN=app");
        let rule = |name: &str, action| AuthorizationRule {
            name: name.to_owned(),
            action,
            principal: None,
            cel: None,
        };
        let shown = |planned: &Planned| {
            let policy = planned.attached.security.as_ref().unwrap();
            let found = policy.authorization.as_ref().unwrap();
            let rules: Vec<String> = (found.rules.iter())
                .map(|rule| format!("{} {}", rule.name, rule.cel.is_some()))
                .collect();
            format!("{}, else {}", rules.join(", "), found.default_action)
        };
        assert_eq!(shown(&planned), "subject true, else Deny");
        for (default_action, expected) in [
            ("Deny", "deny false, allow true, else Deny"),
            ("Allow", "deny false, allow true, subject true, else Deny"),
        ] {
            planned.attached.security().authorization = Some(Authorization {
                default_action,
                rules: vec![rule("deny", "Deny"), rule("allow", "Allow")],
            });
            compare(&mut planned, "CN=app");
            assert_eq!(shown(&planned), expected);
        }
    }

    #[test]
    fn a_wildcard_takes_all_names_below() {
        let parents =
            |name: HostName| own_wildcards(&model(vec![host(name, Some(required()))]), false);
        let wild = HostName::OneLabel(Arc::from("w.test"));
        let below = parents(wild.clone());
        assert!(covered(&below, &exact("a.w.test")));
        assert!(covered(&below, &exact("a.b.w.test")));
        assert!(covered(&below, &HostName::OneLabel(Arc::from("b.w.test"))));
        assert!(!covered(&below, &exact("w.test")));
        assert!(!covered(&below, &exact("xw.test")));
        assert!(!covered(&below, &wild));
        assert!(!covered(&below, &HostName::Any));
        assert!(!covered(&parents(exact("w.test")), &exact("a.w.test")));
    }

    fn host(name: HostName, clients: Option<ClientCertificates>) -> Host {
        use gatewright_model::{
            Action, Backend, Certificate, Forward, PathMatcher, PlainHttp, Protocol, Route,
            SecretRef, Split, Target,
        };
        let backend = Backend {
            namespace: Arc::from("shop"),
            target: Target::Service {
                name: Arc::from("app"),
                port: 80,
                seen: true,
                h2c: false,
            },
            protocol: Protocol::Http,
            tls: None,
            balance: None,
            service_address: false,
            origin: origin(),
        };
        Host {
            name,
            first: OwnerId(0),
            patterns: false,
            routes: vec![Route {
                owner: OwnerId(0),
                origin: origin(),
                matcher: PathMatcher::Prefix("/".to_owned()),
                implicit: false,
                plain_http: PlainHttp::Serve,
                action: Action::Forward(Box::new(Forward {
                    split: Split {
                        primary: backend,
                        canary: None,
                    },
                    rewrite: None,
                    authority: None,
                    forwarded_prefix: None,
                })),
                policies: Arc::default(),
            }],
            certificate: Some(Certificate {
                secrets: vec![SecretRef {
                    namespace: Arc::from("shop"),
                    name: Arc::from("cert"),
                }],
                origin: origin(),
            }),
            passthrough: None,
            clients: clients.map(Box::new),
            ciphers: None,
        }
    }

    fn origin() -> gatewright_model::Origin {
        let file = gatewright_source::FileId(0);
        gatewright_model::Origin::field(OwnerId(0), gatewright_source::Span::new(file, 0, 1))
    }

    fn required() -> ClientCertificates {
        ClientCertificates {
            authorities: gatewright_model::SecretRef {
                namespace: Arc::from("shop"),
                name: Arc::from("ca"),
            },
            revoked: false,
            verify: VerifyClient::Required,
            subject: None,
            pass: false,
            origin: origin(),
        }
    }

    fn model(hosts: Vec<Host>) -> Model {
        use gatewright_model::{ForwardedHeaders, Globals, Owner};
        Model {
            owners: vec![Owner {
                kind: Arc::from("Ingress"),
                namespace: Arc::from("shop"),
                name: Arc::from("web"),
                span: origin().span,
                tags: Vec::new(),
            }],
            certificates: Vec::new(),
            hosts,
            globals: Globals {
                default_certificate: None,
                tls_versions: None,
                hsts: None,
                connect_timeout: 5,
                idle_timeout: 60,
                retry: gatewright_model::Retry {
                    tries: 1,
                    connection: false,
                    statuses: Vec::new(),
                    any_method: false,
                },
                balance: gatewright_model::Balance::RoundRobin,
                compression: None,
                unwritten_body_limit: None,
                client_idle_timeout: 75,
                client_header_timeout: 60,
                underscores_in_headers: false,
                http2: true,
                http2_streams: 128,
                forwarded: ForwardedHeaders::default(),
                headers: gatewright_model::GlobalHeaders::default(),
            },
        }
    }

    /// `host: section section, …` of every route with a backend.
    fn check(hosts: Vec<Host>, existing: bool, expected: &str) {
        let model = model(hosts);
        let settings = crate::Settings {
            gateway: ("infra".to_owned(), "shared".to_owned()),
            existing,
            class: None,
            listeners: (None, None),
            sets: false,
            label: None,
            idiomatic: false,
        };
        let mut found = Vec::new();
        let mut objects = Vec::new();
        crate::emit(&model, &settings, |object| objects.push(object), vec![]);
        objects.sort_by_key(|object: &crate::Object| (object.shelf(), object.name.clone()));
        for object in objects {
            let crate::Spec::HttpRoute(route) = object.spec else {
                continue;
            };
            let rules = route.rules.unwrap_or_default();
            if rules.iter().all(|rule| rule.backend_refs.is_none()) {
                continue;
            }
            let sections: Vec<String> = route
                .parent_refs
                .unwrap_or_default()
                .into_iter()
                .map(|parent| match (parent.section_name, parent.port) {
                    // Without the hash behind the name.
                    (Some(section), _) => match section.rsplit_once('-') {
                        Some((name, _)) => name.to_owned(),
                        None => section,
                    },
                    (None, port) => format!(":{}", port.unwrap_or_default()),
                })
                .collect();
            let names = route.hostnames.unwrap_or_default().join("+");
            found.push(format!("{names}: {}", sections.join(" ")));
        }
        found.sort();
        assert_eq!(found.join(", "), expected);
    }

    fn exact(name: &str) -> HostName {
        HostName::Exact(Arc::from(name))
    }

    #[test]
    fn rules_of_the_host_belong_to_its_own_listener_alone() {
        let m = || host(exact("m.test"), Some(required()));
        check(vec![m()], false, "m.test: http, m.test: https-m-test");
        let both = vec![host(exact("a.test"), None), m()];
        check(
            both,
            false,
            "a.test: http https, m.test: http, m.test: https-m-test",
        );
    }

    #[test]
    fn without_a_listener_of_its_own_https_is_shut() {
        check(
            vec![host(exact("m.test"), Some(required()))],
            true,
            "m.test: :80",
        );
        check(vec![host(HostName::Any, Some(required()))], false, ": http");
    }

    #[test]
    fn hosts_below_a_wildcard_get_listeners_too() {
        let wild = HostName::OneLabel(Arc::from("w.test"));
        check(
            vec![host(wild, Some(required())), host(exact("a.w.test"), None)],
            false,
            "*.w.test: http, *.w.test: https-w-test, a.w.test: http https-a-w-test",
        );
    }
}

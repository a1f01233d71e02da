//! A check of the checker: what `verify` says of Envoy, Envoy is asked.
//!
//! The request of each difference that `verify` lists for a case is sent, and so is one for each
//! rule of a few hosts, where `verify` claims that nothing differs. What comes is compared with
//! what it predicts for Envoy's side.

use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr as _;

use gatewright_model::eval;
use gatewright_model::{HostName, Model, PathMatcher};
use gatewright_transpile::{Input, Options, Verified, verify};
use gatewright_verify::{Addresses, Answer, Aspect, Behaviour, Journeys, Share, line};
use indexmap::IndexMap;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::cases::{Request, Scheme};
use super::compare::{Answered, Observed, normal_url};
use super::echo::{Hit, status_of};
use super::inputs::World;
use super::netlink::{CLIENT, is_local};

/// So many hosts of a case, and so many rules of each, are asked although nothing differs.
const HOSTS: usize = 3;
const RULES: usize = 6;
/// Bodies larger than this are not sent.
const LARGEST_BODY: usize = 64 << 20;

/// Why a request is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// It shows a difference.
    Witness,
    /// It stands for a rule.
    Rule,
}

/// How a prediction fared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    Right,
    /// In these ways.
    Wrong(Vec<String>),
    /// In these ways, and the case's `witnesses.toml` gives this reason.
    Accepted(Vec<String>, String),
    /// It cannot be asked here, for this reason.
    Unsendable(String),
}

/// A prediction and what became of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Checked {
    pub(crate) kind: Kind,
    /// The request in short.
    pub(crate) request: String,
    /// What Envoy should do, in words.
    pub(crate) predicted: String,
    /// What came, in short.
    pub(crate) came: String,
    pub(crate) outcome: Outcome,
}

/// An entry of a case's `witnesses.toml`: a prediction that is known to be wrong.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Accepted {
    /// The request as the report shows it.
    pub(crate) request: String,
    /// Why the prediction may be wrong.
    pub(crate) reason: String,
}

/// A request and what should come of it.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) kind: Kind,
    pub(crate) request: eval::Request,
    /// What the witness is about; nothing where nothing differs.
    aspects: Vec<Aspect>,
    pub(crate) predicted: Behaviour,
}

/// What `verify` predicts for the output of a conversion.
pub(crate) fn questions(input: Input, output: String, options: &Options) -> Vec<Question> {
    let against = Input {
        name: "output.yaml".to_owned(),
        text: output,
    };
    let found = verify(vec![input], Some(vec![against]), options);
    let hosts = found.verification.hosts.iter();
    let mut questions: Vec<Question> = Vec::new();
    for difference in hosts.flat_map(|host| &host.differences) {
        questions.push(Question {
            kind: Kind::Witness,
            request: difference.witness.clone(),
            aspects: difference.aspects.clone(),
            predicted: difference.envoy.behaviour.clone(),
        });
        if difference.both_schemes {
            let request = eval::Request {
                secure: !difference.witness.secure,
                ..difference.witness.clone()
            };
            questions.push(Question {
                kind: Kind::Witness,
                predicted: predicted(&found, &request),
                aspects: difference.aspects.clone(),
                request,
            });
        }
    }
    for request in of_rules(&found.model) {
        if questions.iter().all(|known| known.request != request) {
            questions.push(Question {
                kind: Kind::Rule,
                predicted: predicted(&found, &request),
                aspects: Vec::new(),
                request,
            });
        }
    }
    questions
}

fn predicted(found: &Verified, request: &eval::Request) -> Behaviour {
    let ways = Journeys::of(&found.model, &found.objects, request);
    ways.envoy.end.behaviour
}

/// A request for each of the first rules of the first hosts, over both schemes.
fn of_rules(model: &Model) -> Vec<eval::Request> {
    let mut requests = Vec::new();
    for host in model.hosts.iter().take(HOSTS) {
        let name = match &host.name {
            HostName::Exact(name) => name.to_string(),
            HostName::OneLabel(parent) | HostName::Subdomains(parent) => format!("some.{parent}"),
            HostName::Any => "some.invalid".to_owned(),
        };
        for route in host.routes.iter().take(RULES) {
            let path = match &route.matcher {
                PathMatcher::Exact(path) => path.clone(),
                PathMatcher::Prefix(path) if path.ends_with('/') => format!("{path}below"),
                PathMatcher::Prefix(path) => format!("{path}/below"),
                // What a pattern takes is said by witnesses only; its text is a path too.
                PathMatcher::Pattern(text) => text.replace(".*", "below"),
            };
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~/".contains(c);
            if !path.chars().all(is_plain) || !path.starts_with('/') {
                continue;
            }
            for secure in [false, true] {
                let request = eval::Request::get(secure, name.clone(), path.clone());
                if !requests.contains(&request) {
                    requests.push(request);
                }
            }
        }
    }
    requests
}

impl Question {
    /// The request in short.
    pub(crate) fn line(&self) -> String {
        line(&self.request)
    }

    /// The request as it is sent, without what only some requests have; or why it is not sent.
    pub(crate) fn request(&self, world: &World) -> Result<Request, String> {
        let only_over_many = [Aspect::Weight, Aspect::Limits, Aspect::LimitSum];
        if !self.aspects.is_empty() && self.aspects.iter().all(|a| only_over_many.contains(a)) {
            return Err("shares and limits show over many requests only".to_owned());
        }
        self.is_known(world)?;
        let mut headers = IndexMap::new();
        let mut body_size = None;
        for (name, value) in &self.request.headers {
            if name == "content-length" {
                body_size = value.parse().ok().filter(|size| *size <= LARGEST_BODY);
                if body_size.is_none() {
                    return Err(format!("a body of {value} bytes"));
                }
            } else if headers.insert(name.clone(), value.clone()).is_some() {
                return Err(format!("the header `{name}` twice"));
            }
        }
        Ok(Request {
            method: self.request.method.clone(),
            scheme: if self.request.secure {
                Scheme::Https
            } else {
                Scheme::Http
            },
            host: self.request.host.clone(),
            path: self.request.target(),
            headers,
            body_size,
            source_ip: None,
            client_cert: None,
            repeat: None,
            concurrency: None,
        })
    }

    /// Whether the stack has what the prediction rests on.
    fn is_known(&self, world: &World) -> Result<(), String> {
        let guards = &self.predicted.guards;
        if let Some(other) = guards.others.iter().next() {
            return Err(format!("{other} is asked for"));
        }
        if let Some(asked) = &guards.authorizer
            && !asked.places.iter().any(|place| world.reaches(place))
        {
            return Err("the auth service is not in the case".to_owned());
        }
        if let Some(clients) = &guards.clients
            && let Some(absent) = clients
                .authorities
                .iter()
                .find(|authority| !world.names.contains(&format!("secret {authority}")))
        {
            return Err(format!(
                "Secret {absent}, which vouches for clients, is not in the case"
            ));
        }
        let shares = match &self.predicted.answer {
            Answer::Unknown(why) | Answer::Refused(why) => return Err(why.clone()),
            Answer::Forward(forwarding) => &forwarding.shares,
            Answer::Passthrough(shares) => shares,
            Answer::NoListener | Answer::Status(_) | Answer::Redirect { .. } => return Ok(()),
        };
        for share in shares {
            if !world.reaches(&share.place) {
                return Err(format!("{} has no endpoints in the case", share.place));
            }
            let tls = share.wire.tls.as_ref();
            if tls.is_some_and(|tls| tls.authority.is_some()) {
                return Err("backends of the suite have a certificate of nobody".to_owned());
            }
        }
        Ok(())
    }

    /// The ways in which the request is sent: as it is, and with what the guards ask for, as far
    /// as there is something of the kind.
    pub(crate) fn attempts(&self, request: &Request, world: &World) -> Vec<Request> {
        let guards = &self.predicted.guards;
        let mut welcome = request.clone();
        if let Some(clients) = &guards.clients {
            welcome.client_cert = clients
                .authorities
                .iter()
                .filter_map(|authority| Some(authority.split_once('/')?.1.to_owned()))
                .find(|name| world.client_certificates.contains_key(name));
        }
        if let Some(addresses) = &guards.addresses
            && !lets_in(addresses, IpAddr::V4(CLIENT))
        {
            welcome.source_ip = let_in(addresses).map(IpAddr::V4);
        }
        let is_same =
            welcome.client_cert == request.client_cert && welcome.source_ip == request.source_ip;
        if is_same {
            vec![request.clone()]
        } else {
            vec![request.clone(), welcome]
        }
    }

    /// Whether a hit came from a client's request, rather than from a question of the proxy.
    pub(crate) fn is_routed(&self, world: &World, hit: &Hit) -> bool {
        let asks = self.predicted.guards.authorizer.as_ref();
        !asks.is_some_and(|asked| {
            asked.places.iter().any(|place| world.is_at(place, hit))
                && hit.path.starts_with(path_only(&asked.path))
        })
    }

    /// So many hits are expected in all.
    pub(crate) fn hits(&self) -> usize {
        match &self.predicted.answer {
            Answer::Forward(forwarding) if !forwarding.copies.is_empty() => {
                1 + forwarding.copies.len()
            }
            _ => 0,
        }
    }

    /// Whether a backend may be waited for.
    pub(crate) fn expects_backend(&self) -> bool {
        matches!(
            self.predicted.answer,
            Answer::Forward(_) | Answer::Passthrough(_)
        )
    }

    /// In which ways `observed` is not what was predicted for `sent`.
    pub(crate) fn judge(
        &self,
        sent: &Request,
        observed: &Observed,
        world: &World,
    ) -> Result<Vec<String>, String> {
        let Some(first) = observed.answers.first() else {
            return Ok(vec!["nothing was sent".to_owned()]);
        };
        let guards = &self.predicted.guards;
        if guards.limits.is_some() && matches!(first.answer.status, 429 | 503) {
            return Err("earlier requests have used up its limit".to_owned());
        }
        if let Some(clients) = &guards.clients
            && clients.required
            && sent.client_cert.is_none()
            && sent.scheme == Scheme::Https
        {
            return Ok(if first.answer.error.is_some() {
                Vec::new()
            } else {
                vec!["a client certificate was not asked for".to_owned()]
            });
        }
        let refusals = self.refusals(sent, observed, world);
        if !refusals.is_empty() {
            let is_refused = first.hit.is_none() && refusals.contains(&first.answer.status);
            return Ok(if is_refused {
                Vec::new()
            } else {
                vec![format!("refused with one of {refusals:?} expected")]
            });
        }
        let mut found = Vec::new();
        if let Some(asked) = &guards.authorizer
            && !observed
                .others
                .iter()
                .any(|hit| asked.places.iter().any(|place| world.is_at(place, hit)))
        {
            found.push("the auth service was not asked".to_owned());
        }
        found.extend(self.differences(sent, first, observed, world));
        Ok(found)
    }

    /// The statuses with which guards refuse; none when all let the request pass.
    fn refusals(&self, sent: &Request, observed: &Observed, world: &World) -> Vec<u16> {
        let guards = &self.predicted.guards;
        let mut refusals = Vec::new();
        if let Some(addresses) = &guards.addresses
            && !lets_in(addresses, sent.source_ip.unwrap_or(IpAddr::V4(CLIENT)))
        {
            refusals.push(403);
        }
        if guards.passwords.is_some() && !sent.headers.contains_key("authorization") {
            refusals.push(401);
        }
        if let Some(asked) = &guards.authorizer {
            let answered = observed
                .others
                .iter()
                .find(|hit| asked.places.iter().any(|place| world.is_at(place, hit)))
                .map(|hit| status_of(&hit.path));
            match answered {
                Some(200) | None => {}
                // Envoy takes nothing but 200 for a yes; it passes on what a 4xx says, sends to a
                // sign-in page if there is one, and fails on the rest.
                Some(status @ 400..500) => refusals.extend([status, 302]),
                Some(status) => refusals.extend([status, 302, 500]),
            }
        }
        refusals
    }

    fn differences(
        &self,
        sent: &Request,
        first: &Answered,
        observed: &Observed,
        world: &World,
    ) -> Vec<String> {
        let answer = &first.answer;
        let mut found = Vec::new();
        if let Answer::NoListener = &self.predicted.answer {
            let is_refused = answer.error.as_ref().is_some_and(|error| {
                ["cannot connect", "TLS handshake"]
                    .iter()
                    .any(|w| error.contains(w))
            });
            if !is_refused {
                found.push("nothing should listen".to_owned());
            }
            return found;
        }
        if let Some(error) = &answer.error {
            return vec![format!("no answer: {error}")];
        }
        let (shares, forwarding) = match &self.predicted.answer {
            Answer::Forward(forwarding) => (&forwarding.shares, Some(forwarding)),
            Answer::Passthrough(shares) => (shares, None),
            other => {
                let status = match other {
                    Answer::Status(status) => *status,
                    Answer::Redirect { code, .. } => *code,
                    _ => 0,
                };
                if answer.status != status {
                    found.push(format!("status {status} expected, {} came", answer.status));
                }
                if let Some(hit) = &first.hit {
                    found.push(format!("no backend expected, {} was reached", hit.service));
                }
                if let Answer::Redirect { location, .. } = other {
                    let came = answer.header("location").unwrap_or_default();
                    if normal_url(location) != normal_url(&came) {
                        found.push(format!("location {location} expected, {came:?} came"));
                    }
                }
                return found;
            }
        };
        let Some(hit) = &first.hit else {
            return vec![format!(
                "a backend expected, none was reached; status {}",
                answer.status
            )];
        };
        let Some(share) = shares.iter().find(|share| world.is_at(&share.place, hit)) else {
            return vec![format!(
                "another backend expected, {}/{} was reached",
                hit.namespace, hit.service
            )];
        };
        let Some(forwarding) = forwarding else {
            if !hit.tls {
                found.push("TLS should reach the backend".to_owned());
            }
            return found;
        };
        wire(share, hit, &mut found);
        if let Some(path) = &forwarding.path
            && *path != hit.path
        {
            found.push(format!("backend path {path} expected, {} came", hit.path));
        }
        let authority = forwarding.authority.as_deref().unwrap_or(&sent.host);
        let came = super::header_value(&hit.headers, "host")
            .or_else(|| super::header_value(&hit.headers, ":authority"))
            .unwrap_or_default();
        if !authority.starts_with('<') && came != authority {
            found.push(format!("backend host {authority} expected, {came:?} came"));
        }
        for copy in &forwarding.copies {
            if world.reaches(copy) && !observed.others.iter().any(|hit| world.is_at(copy, hit)) {
                found.push(format!("a copy to {copy} expected, none came"));
            }
        }
        for (name, value) in &sent.headers {
            let came = super::header_value(&hit.headers, name);
            let is_withheld = forwarding.withheld.contains(name);
            if is_withheld && came.as_ref() == Some(value) {
                found.push(format!("the client's header {name} should be withheld"));
            }
        }
        found
    }
}

fn wire(share: &Share, hit: &Hit, found: &mut Vec<String>) {
    if share.wire.tls.is_some() != hit.tls {
        found.push(format!(
            "backend tls: {} expected, {} came",
            share.wire.tls.is_some(),
            hit.tls
        ));
    }
    let name = share.wire.tls.as_ref().and_then(|tls| tls.name.as_ref());
    if name.is_some() && hit.sni.as_ref() != name {
        found.push(format!(
            "backend sni: {name:?} expected, {:?} came",
            hit.sni
        ));
    }
}

fn path_only(target: &str) -> &str {
    target.split_once('?').map_or(target, |(path, _)| path)
}

fn network(text: &str) -> Option<IpNet> {
    IpNet::from_str(text)
        .ok()
        .or_else(|| IpAddr::from_str(text).ok().map(IpNet::from))
}

/// Whether a list lets an address in: the first network that holds it decides.
fn lets_in(addresses: &Addresses, address: IpAddr) -> bool {
    let holds = |networks: &[String]| {
        networks
            .iter()
            .filter_map(|text| network(text))
            .any(|network| network.contains(&address))
    };
    addresses
        .rules
        .iter()
        .find(|(_, networks)| holds(networks))
        .map_or(addresses.otherwise, |(allow, _)| *allow)
}

/// An address of the client's machine that a list lets in.
fn let_in(addresses: &Addresses) -> Option<Ipv4Addr> {
    let named = addresses
        .rules
        .iter()
        .flat_map(|(_, networks)| networks)
        .filter_map(|text| network(text))
        .filter_map(|network| match network {
            IpNet::V4(network) => network.hosts().next(),
            IpNet::V6(_) => None,
        });
    let others = [
        Ipv4Addr::new(198, 51, 100, 77),
        Ipv4Addr::new(203, 0, 113, 77),
    ];
    named
        .chain(others)
        .find(|address| is_local(*address) && lets_in(addresses, IpAddr::V4(*address)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use gatewright_verify::{Forwarding, Guards, Passwords, Place, Wire};

    use super::super::client;
    use super::*;

    fn list(rules: &[(bool, &str)], otherwise: bool) -> Addresses {
        Addresses {
            rules: rules
                .iter()
                .map(|(allow, network)| (*allow, vec![(*network).to_owned()]))
                .collect(),
            otherwise,
        }
    }

    #[test]
    fn a_list_says_who_is_let_in() {
        let some = list(
            &[(false, "203.0.113.9/32"), (true, "203.0.113.0/24")],
            false,
        );
        for (address, expected) in [
            ("203.0.113.9", false),
            ("203.0.113.8", true),
            ("192.0.2.200", false),
        ] {
            let address = IpAddr::from_str(address).expect("an address");
            assert_eq!(lets_in(&some, address), expected, "{address}");
        }
        assert_eq!(let_in(&some), Some(Ipv4Addr::new(203, 0, 113, 1)));
        assert_eq!(let_in(&list(&[(true, "8.8.8.8")], false)), None);
    }

    fn question(answer: Answer, guards: Guards) -> Question {
        Question {
            kind: Kind::Witness,
            request: eval::Request::get(false, "a.test", "/x"),
            aspects: vec![Aspect::Answer],
            predicted: Behaviour { answer, guards },
        }
    }

    fn wrong(question: &Question, answer: Answered) -> Vec<String> {
        let world = World::default();
        let request = question.request(&world).expect("a request");
        let observed = Observed {
            answers: vec![answer],
            others: Vec::new(),
        };
        question
            .judge(&request, &observed, &world)
            .expect("a judgement")
    }

    fn status(status: u16, location: Option<&str>) -> Answered {
        Answered {
            answer: client::Answer {
                status,
                headers: location
                    .map(|to| ("location".to_owned(), to.to_owned()))
                    .into_iter()
                    .collect(),
                ..client::Answer::default()
            },
            hit: None,
        }
    }

    fn served() -> Answered {
        Answered {
            hit: Some(Hit {
                id: 1,
                namespace: "shop".to_owned(),
                service: "web".to_owned(),
                pod: "web-0".to_owned(),
                method: "GET".to_owned(),
                path: "/x".to_owned(),
                headers: vec![("host".to_owned(), "a.test".to_owned())],
                body: 0,
                tls: false,
                sni: None,
            }),
            ..status(200, None)
        }
    }

    #[test]
    fn answers_of_the_proxy_are_compared() {
        let redirect = || Answer::Redirect {
            code: 308,
            location: "https://a.test".to_owned(),
        };
        for (predicted, came, right) in [
            (Answer::Status(404), status(404, None), true),
            (Answer::Status(404), status(503, None), false),
            (Answer::Status(200), served(), false),
            (redirect(), status(308, Some("https://a.test:443/")), true),
            (redirect(), status(301, Some("https://a.test/")), false),
            (redirect(), status(308, Some("https://b.test/")), false),
            (Answer::NoListener, status(404, None), false),
        ] {
            let question = question(predicted, Guards::default());
            assert_eq!(wrong(&question, came).is_empty(), right, "{question:?}");
        }
    }

    #[test]
    fn what_a_backend_sees_is_compared() {
        let forward = |service: &str, path: &str| {
            Answer::Forward(Box::new(Forwarding {
                shares: vec![Share {
                    place: Place::Service("shop".to_owned(), service.to_owned(), 80),
                    wire: Wire::default(),
                    weight: 1,
                }],
                path: Some(path.to_owned()),
                authority: None,
                copies: BTreeSet::new(),
                withheld: BTreeSet::new(),
            }))
        };
        let request = Request {
            method: "GET".to_owned(),
            scheme: Scheme::Http,
            host: "a.test".to_owned(),
            path: "/x".to_owned(),
            headers: IndexMap::new(),
            body_size: None,
            source_ip: None,
            client_cert: None,
            repeat: None,
            concurrency: None,
        };
        for (service, path, came, right) in [
            ("web", "/x", served(), true),
            ("web", "/y", served(), false),
            ("other", "/x", served(), false),
            ("web", "/x", status(503, None), false),
        ] {
            let question = question(forward(service, path), Guards::default());
            let observed = Observed {
                answers: vec![came],
                others: Vec::new(),
            };
            let found = question.judge(&request, &observed, &World::default());
            assert_eq!(
                found.map(|found| found.is_empty()),
                Ok(right),
                "{service} {path}"
            );
        }
        let absent = question(forward("web", "/x"), Guards::default());
        assert!(absent.request(&World::default()).is_err());
    }

    #[test]
    fn guards_have_to_refuse() {
        let guards = Guards {
            addresses: Some(list(&[(true, "203.0.113.0/24")], false)),
            passwords: Some(Passwords {
                secret: "shop/users".to_owned(),
                users: None,
            }),
            ..Guards::default()
        };
        let question = question(Answer::Status(404), guards);
        assert!(wrong(&question, status(403, None)).is_empty());
        assert!(wrong(&question, status(401, None)).is_empty());
        assert!(!wrong(&question, status(404, None)).is_empty());
        assert!(!wrong(&question, served()).is_empty());
    }
}

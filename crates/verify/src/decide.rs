//! The decision: every kind of request that the two sides could tell apart, and what each does
//! with one of that kind.
//!
//! Two requests are of one kind when no test of either side tells them apart. There are finitely
//! many kinds: a name of a host, plain HTTP or HTTPS, a set of path languages that some path
//! belongs to, and for the method, each header and the query one value of each set of tests that
//! some value passes. Both sides are asked what they do with a request of each kind.

use std::sync::Arc;

use gatewright_model::eval::{self, Answer as Served, Request};
use gatewright_model::{Host, Model, Route};
use indexmap::IndexMap;

use crate::automaton::TooMuch;
use crate::behaviour::{Answer, Behaviour};
use crate::compare::{Aspect, Class, compare};
use crate::envoy::{Entry, PathTest, Rule, Spot, View, World};
use crate::kinds::{self, Kinds, Memory, Way};
use crate::nginx;
use crate::path::PathClass;

/// Requests that are looked at for one name and scheme.
const REQUESTS: usize = 400_000;

/// A difference that was found, with a request that shows it.
#[derive(Clone, Debug)]
pub(crate) struct Found<'a> {
    pub(crate) class: Class,
    pub(crate) aspects: Vec<Aspect>,
    pub(crate) witness: Request,
    pub(crate) route: Option<&'a Route>,
    pub(crate) rule: Option<&'a Rule>,
    pub(crate) nginx: Behaviour,
    pub(crate) envoy: Behaviour,
    /// It shows over plain HTTP and over HTTPS.
    pub(crate) both_schemes: bool,
    /// What the conversion writes serves the witness the same, so that it is the difference
    /// which a finding of the conversion is about.
    pub(crate) as_converted: bool,
}

/// What was found for one name, plain and over TLS.
#[derive(Debug, Default)]
pub(crate) struct Outcome<'a> {
    pub(crate) found: Vec<Found<'a>>,
    /// Why equivalence could not be decided.
    pub(crate) undecided: Option<String>,
    /// Kinds of paths that were told apart.
    pub(crate) classes: usize,
    /// Requests that both sides were asked about.
    pub(crate) requests: usize,
    /// Whether a path or a redirect was compared by examples.
    pub(crate) by_example: bool,
    /// Whether users of a Secret could not be compared.
    pub(crate) unseen_users: bool,
    /// A request for every entry whose requests are limited on both sides.
    pub(crate) limited: IndexMap<EntryId, Found<'a>>,
}

/// An entry of one domain of one listener: Envoy counts for each of them apart.
pub(crate) type EntryId = usize;

impl<'a> Outcome<'a> {
    fn doubt(&mut self, why: impl Into<String>) {
        self.undecided.get_or_insert_with(|| why.into());
    }

    pub(crate) fn add(&mut self, found: Found<'a>) {
        let same = |known: &&mut Found<'a>| {
            known.class == found.class
                && known.as_converted == found.as_converted
                && known.aspects == found.aspects
                && std::ptr::eq(
                    known.route.map_or(std::ptr::null(), std::ptr::from_ref),
                    found.route.map_or(std::ptr::null(), std::ptr::from_ref),
                )
                && known.rule.map(|rule| &rule.title) == found.rule.map(|rule| &rule.title)
        };
        let Some(known) = self.found.iter_mut().find(same) else {
            self.found.push(found);
            return;
        };
        let both = known.both_schemes || known.witness.secure != found.witness.secure;
        if weight(&known.witness) > weight(&found.witness) {
            *known = found;
        }
        known.both_schemes = both;
    }
}

/// Shorter witnesses are better ones.
fn weight(request: &Request) -> (usize, usize, bool) {
    let headers = request.headers.len() + usize::from(request.method != "GET");
    let query = request.query.as_ref().map_or(0, String::len);
    (headers, request.path.len() + query, request.secure)
}

/// What is compared.
#[derive(Clone, Copy)]
pub(crate) struct Sides<'a> {
    pub(crate) model: &'a Model,
    pub(crate) world: &'a World,
    /// What the conversion writes, if `world` is something else.
    pub(crate) own: Option<&'a World>,
}

/// Decides for one name and one scheme.
pub(crate) fn decide<'a>(
    sides: Sides<'a>,
    name: &str,
    secure: bool,
    memory: &mut Memory,
    out: &mut Outcome<'a>,
) {
    let Sides { model, world, own } = sides;
    let host = eval::select(model, name);
    let pair = Pair {
        model,
        world,
        own,
        host,
        secure,
        name,
    };
    if let Some(found) = host
        && secure
        && found.passthrough.is_some()
    {
        pair.whole(out);
        return;
    }
    match world.place(secure, name) {
        Spot::Nowhere | Spot::Passthrough(_) => pair.whole(out),
        Spot::NoHost(client) => pair.paths(&[], client, memory, out),
        Spot::Host(found, client) => pair.paths(&found.entries, client, memory, out),
    }
}

/// One name and scheme on both sides.
struct Pair<'a, 'n> {
    model: &'a Model,
    world: &'a World,
    own: Option<&'a World>,
    host: Option<&'a Host>,
    secure: bool,
    name: &'n str,
}

impl<'a> Pair<'a, '_> {
    /// Where one side does not look at paths at all.
    fn whole(&self, out: &mut Outcome<'a>) {
        let request = Request::get(self.secure, self.name, "/");
        let decision = eval::eval(self.model, &request);
        let nginx = nginx::behaviour(self.model, &decision.served, &request);
        let envoy = Behaviour::open(match self.world.place(self.secure, self.name) {
            Spot::Passthrough(to) => Answer::Passthrough(to.to_vec()),
            Spot::Nowhere => Answer::NoListener,
            Spot::NoHost(_) | Spot::Host(..) => Answer::Status(404),
        });
        out.requests += 1;
        if self.host.is_none() && envoy.answer == Answer::NoListener {
            // Neither has anything for the name.
            return;
        }
        self.differ(&request, decision.route(), None, (nginx, envoy), out);
    }

    fn paths(
        &self,
        entries: &'a [Entry],
        client: &crate::envoy::Client,
        memory: &mut Memory,
        out: &mut Outcome<'a>,
    ) {
        let routes = self.host.map_or(&[][..], |host| &host.routes);
        if routes.is_empty() && entries.is_empty() {
            return;
        }
        let (classes, languages) = match self.classes(routes, entries, memory, out) {
            Ok(found) => found,
            Err(TooMuch(why)) => {
                out.doubt(format!("the paths are too many to tell apart: {why}"));
                self.sample(routes, entries, client, memory, out);
                return;
            }
        };
        out.classes += classes.len();
        let budget = out.requests + REQUESTS;
        let mut kinds = Kinds::new(self.model, self.name, self.secure, memory);
        for class in classes.iter() {
            let mut candidates = Vec::new();
            for entry in entries {
                if class
                    .right
                    .binary_search(&languages.of(&entry.path))
                    .is_ok()
                {
                    candidates.push(entry);
                    if entry.is_plain() {
                        break;
                    }
                }
            }
            // The first route that takes the path, and before it those that may.
            let mut possible = Vec::new();
            let mut sure = None;
            for (at, route) in routes.iter().enumerate() {
                if class.left.binary_search(&at).is_ok() {
                    if languages.loose[at] {
                        possible.push(Some(route));
                    } else {
                        sure = Some(route);
                        break;
                    }
                }
            }
            possible.push(sure);
            for route in possible {
                if out.requests > budget {
                    out.doubt(format!("more than {REQUESTS} kinds of requests"));
                    return;
                }
                self.class(class, route, &candidates, client, &mut kinds, out);
            }
        }
    }

    fn class(
        &self,
        class: &PathClass,
        route: Option<&'a Route>,
        candidates: &[&'a Entry],
        client: &crate::envoy::Client,
        kinds: &mut Kinds<'_>,
        out: &mut Outcome<'a>,
    ) {
        let way = Way {
            host: self.host,
            route,
            entries: candidates,
            client,
        };
        let (requests, whole) = kinds.requests(&way, &class.paths[0]);
        if let Some(why) = whole {
            out.doubt(why);
        }
        let mut seen: Vec<(usize, Option<usize>)> = Vec::new();
        for request in requests {
            let rule = self.ask(&request, route, candidates, client, out);
            // More paths of the class, once for each pair of ways.
            let key = (request.headers.len(), rule);
            if seen.contains(&key) {
                continue;
            }
            seen.push(key);
            for path in &class.paths[1..] {
                let request = Request {
                    path: path.clone(),
                    ..request.clone()
                };
                self.ask(&request, route, candidates, client, out);
            }
        }
    }

    /// Asks both sides about one request; the rule that took it.
    fn ask(
        &self,
        request: &Request,
        route: Option<&'a Route>,
        candidates: &[&'a Entry],
        client: &crate::envoy::Client,
        out: &mut Outcome<'a>,
    ) -> Option<usize> {
        out.requests += 1;
        let mut nginx = self.nginx(request, route)?;
        if let (Some(host), Some(route)) = (self.host, route) {
            nginx::complete(host, route, request, &mut nginx);
        }
        let view = View::new(request, client);
        let entry = candidates.iter().find(|entry| view.misses(entry).is_none());
        let rule = entry.map(|entry| &self.world.rules[entry.rule]);
        let envoy = match (entry, rule) {
            (Some(entry), Some(rule)) => view.behaviour(rule, entry),
            _ => Behaviour::open(Answer::Status(404)),
        };
        examples(route, rule, &nginx, &envoy, out);
        if let (Some(entry), Some(_), Some(_)) = (entry, &nginx.guards.limits, &envoy.guards.limits)
            && matches!(envoy.answer, Answer::Forward(_))
        {
            let id = std::ptr::from_ref::<Entry>(entry).addr();
            out.limited.entry(id).or_insert_with(|| Found {
                class: Class::MoreOpen,
                aspects: vec![Aspect::LimitSum],
                witness: request.clone(),
                route,
                rule,
                nginx: nginx.clone(),
                envoy: envoy.clone(),
                both_schemes: false,
                as_converted: true,
            });
        }
        self.differ(request, route, rule, (nginx, envoy), out);
        entry.map(|entry| entry.rule)
    }

    fn differ(
        &self,
        request: &Request,
        route: Option<&'a Route>,
        rule: Option<&'a Rule>,
        (nginx, envoy): (Behaviour, Behaviour),
        out: &mut Outcome<'a>,
    ) {
        let own = || self.own.map(|own| own.serve(request).1);
        if let Some(secret) = unseen_users(&envoy)
            && let Some(own) = own()
            && unseen_users(&own) != Some(secret)
        {
            out.doubt(format!(
                "the users of Secret {secret} are not known, and the conversion does not name it"
            ));
        }
        let differences = compare(&nginx, &envoy);
        let Some(class) = differences.iter().map(|(class, _)| *class).max() else {
            return;
        };
        let as_converted = own().is_none_or(|own| compare(&own, &envoy).is_empty());
        let mut aspects: Vec<Aspect> = differences.into_iter().map(|(_, aspect)| aspect).collect();
        aspects.sort_unstable();
        aspects.dedup();
        out.add(Found {
            class,
            aspects,
            witness: request.clone(),
            route,
            rule,
            nginx,
            envoy,
            both_schemes: false,
            as_converted,
        });
    }

    /// `None` where it only matters that a body is larger than the default, which is not
    /// compared.
    fn nginx(&self, request: &Request, route: Option<&'a Route>) -> Option<Behaviour> {
        let (Some(host), Some(route)) = (self.host, route) else {
            return Some(Behaviour::open(Answer::Status(404)));
        };
        let served = eval::serve(self.model, host, route, request);
        if matches!(served.answer, Served::TooLarge { written: false }) {
            return None;
        }
        Some(nginx::behaviour(self.model, &served, request))
    }

    fn classes(
        &self,
        routes: &[Route],
        entries: &[Entry],
        memory: &mut Memory,
        out: &mut Outcome<'a>,
    ) -> Result<(Arc<[PathClass]>, Languages), TooMuch> {
        let (mut left, mut loose) = (Vec::new(), Vec::new());
        for route in routes {
            let (language, may) = nginx::language(&route.matcher);
            left.push(language);
            loose.push(may);
        }
        if let Some(broken) = routes.iter().find(|route| nginx::is_broken(&route.matcher)) {
            let text = broken.matcher.text();
            out.doubt(format!(
                "nginx cannot load a configuration with the path `{text}`, so nobody knows what it serves"
            ));
        }
        let (decoded, sent) = self.host.map(nginx::path_tests).unwrap_or_default();
        left.extend(decoded);
        let mut languages = Languages {
            right: IndexMap::new(),
            loose,
        };
        let mut right = Vec::new();
        for entry in entries {
            if !languages.right.contains_key(&entry.path) {
                languages.right.insert(entry.path.clone(), right.len());
                right.push(entry.path.language().map_err(TooMuch)?);
            }
        }
        right.extend(sent);
        let mut rules: Vec<usize> = entries.iter().map(|entry| entry.rule).collect();
        rules.dedup();
        right.extend(
            rules
                .iter()
                .filter_map(|at| self.world.rules[*at].path_language()),
        );
        Ok((memory.walks.classes(left, right)?, languages))
    }

    /// Some requests, where they cannot all be looked at.
    fn sample(
        &self,
        routes: &'a [Route],
        entries: &'a [Entry],
        client: &crate::envoy::Client,
        memory: &mut Memory,
        out: &mut Outcome<'a>,
    ) {
        let mut kinds = Kinds::new(self.model, self.name, self.secure, memory);
        for path in kinds::guesses(routes, entries) {
            let Ok(decoded) = eval::decode(&path) else {
                continue;
            };
            let route = routes
                .iter()
                .find(|route| eval::takes(&route.matcher, &decoded) == Some(true));
            let candidates: Vec<&Entry> = entries
                .iter()
                .filter(|entry| entry.path.takes(&path))
                .collect();
            let way = Way {
                host: self.host,
                route,
                entries: &candidates,
                client,
            };
            let (requests, _) = kinds.requests(&way, &path);
            for request in requests.iter().take(64) {
                self.ask(request, route, &candidates, client, out);
            }
        }
    }
}

/// Notes what was compared by examples only, and what could not be compared.
fn examples(
    route: Option<&Route>,
    rule: Option<&Rule>,
    nginx: &Behaviour,
    envoy: &Behaviour,
    out: &mut Outcome<'_>,
) {
    match (&nginx.answer, &envoy.answer) {
        (Answer::Unknown(_), Answer::Status(500..)) => {}
        (Answer::Unknown(why), _) | (_, Answer::Unknown(why)) => out.doubt(why.clone()),
        (Answer::Forward(forwarding), Answer::Forward(_)) => {
            if forwarding.path.is_none() {
                out.doubt("the path that a backend sees is not known");
            }
            if let Some(rule) = rule
                && !kinds::same_rewrite(route, rule)
            {
                out.by_example = true;
            }
            out.unseen_users |= unseen_users(nginx).or(unseen_users(envoy)).is_some();
        }
        _ => {}
    }
}

/// The Secret whose users were not seen.
fn unseen_users(behaviour: &Behaviour) -> Option<&str> {
    let passwords = behaviour.guards.passwords.as_ref()?;
    passwords.users.is_none().then_some(&*passwords.secret)
}

/// Which language is whose.
struct Languages {
    right: IndexMap<PathTest, usize>,
    /// Whether the route of this index may take fewer paths than its language has.
    loose: Vec<bool>,
}

impl Languages {
    fn of(&self, path: &PathTest) -> usize {
        self.right.get(path).copied().unwrap_or(usize::MAX)
    }
}

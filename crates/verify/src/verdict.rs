//! What is said of each host.

use std::collections::BTreeMap;

use gatewright_diagnostics::{Code, Diagnostic};
use gatewright_model::eval::Request;
use gatewright_model::{Model, OwnerId, Route};
use gatewright_source::Span;

use crate::behaviour::{Behaviour, Limits};
use crate::compare::{Aspect, Class, more_together};
use crate::decide::{Found, Outcome, Sides, decide};
use crate::declared::Declared;
use crate::envoy::{Effect, Rule, World};
use crate::hosts::groups;
use crate::kinds::Memory;
use crate::objects::{Objects, items};

/// Kinds that may be aimed at objects by their labels.
const POLICIES: [&str; 4] = [
    "SecurityPolicy",
    "BackendTrafficPolicy",
    "ClientTrafficPolicy",
    "EnvoyExtensionPolicy",
];

/// What was found for all hosts.
#[derive(Debug)]
pub struct Verification {
    /// Hosts by their names.
    pub hosts: Vec<HostReport>,
    /// Routes that no listener takes: where they stand and how they are called.
    pub stray: Vec<(Span, String)>,
    /// What the verdicts rest on, beyond [`crate::NORMAL_FORM`].
    pub assumptions: Vec<String>,
    /// Only plain HTTP was compared: nothing listens for HTTPS, as this finding has announced.
    pub plain_only: Option<Code>,
}

/// What was found for one host.
#[derive(Debug)]
pub struct HostReport {
    /// A name, `*.parent` or `*`.
    pub name: String,
    /// The verdict.
    pub verdict: Verdict,
    /// Differences, the worst first.
    pub differences: Vec<Difference>,
    /// Sets of paths that were told apart.
    pub classes: usize,
    /// Requests that both sides were asked about.
    pub requests: usize,
    /// Some path that a backend sees was compared by examples.
    pub by_example: bool,
    /// Some users were not compared, as their Secret is not there.
    pub unseen_users: bool,
}

/// What holds for a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every request is served the same.
    Equivalent,
    /// There are differences, and all of them were declared.
    Declared,
    /// There are differences that were not declared.
    Differs,
    /// Nobody knows, for this reason; differences are those of a sample.
    NotDecided(String),
}

impl Verdict {
    /// As people and machines read it.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Equivalent => "equivalent",
            Self::Declared => "declared differences",
            Self::Differs => "differs",
            Self::NotDecided(_) => "not decided",
        }
    }
}

/// A difference and a shortest request that shows it.
#[derive(Clone, Debug)]
pub struct Difference {
    /// How bad it is.
    pub class: Class,
    /// What differs.
    pub aspects: Vec<Aspect>,
    /// The request.
    pub witness: Request,
    /// It shows over plain HTTP and over HTTPS.
    pub both_schemes: bool,
    /// What ingress-nginx does with it.
    pub nginx: Side,
    /// What Envoy does with it.
    pub envoy: Side,
    /// The finding of the conversion that announced it.
    pub declared: Option<Code>,
}

/// What one side does with a request, and by which of its rules.
#[derive(Clone, Debug)]
pub struct Side {
    /// What it does.
    pub behaviour: Behaviour,
    /// The rule, in words; none when no rule takes the request.
    pub rule: Option<String>,
    /// Where the rule stands.
    pub span: Option<Span>,
    /// The object that owns it, on the side of the model.
    pub owner: Option<OwnerId>,
}

/// Compares the model with the objects, host by host.
///
/// `own` are the objects that the conversion writes, if `objects` are others, and `findings` are
/// its own: a difference that they announce is declared, if it is that of the conversion.
pub fn verify(
    model: &Model,
    objects: &Objects,
    own: Option<&Objects>,
    findings: &[Diagnostic],
) -> Verification {
    let trusts = model.globals.forwarded.trust;
    let world = World::new(objects, trusts);
    let own = own.map(|own| World::new(own, trusts));
    let sides = Sides {
        model,
        world: &world,
        own: own.as_ref(),
    };
    let declared = Declared::new(model, findings);
    let plain_only = findings
        .iter()
        .map(|finding| finding.code)
        .find(|code| *code == Code::NoCertificate && !world.secure());
    let mut memory = Memory::default();
    let mut outcomes = Vec::new();
    for names in groups(model, &world) {
        let mut outcome = Outcome {
            undecided: names.doubt,
            ..Outcome::default()
        };
        let schemes: &[bool] = if plain_only.is_some() {
            &[false]
        } else {
            &[false, true]
        };
        for name in &names.names {
            for &secure in schemes {
                decide(sides, name, secure, &mut memory, &mut outcome);
            }
        }
        outcomes.push((names.label, outcome));
    }
    together(&mut outcomes);
    let mut hosts: Vec<HostReport> = outcomes
        .into_iter()
        .map(|(label, outcome)| report(model, label, outcome, &declared))
        .collect();
    let mut assumptions = Vec::new();
    if let Some(code) = plain_only {
        assumptions.push(format!(
            "nothing listens for HTTPS, as {code} announced: only plain HTTP is compared"
        ));
    }
    if world.assumed {
        assumptions.push(
            "a Gateway is not among the objects: its listeners are taken to be open and without host names, with plain HTTP on port 80, or under the name that was given or else begins with `http`, and HTTPS otherwise, and to have the settings for clients that the conversion asks for".to_owned(),
        );
    }
    if let Some(action) = &world.slashes {
        assumptions.push(format!(
            "escaped slashes are not looked at: with `escapedSlashesAction: {action}` Envoy answers them in a way of its own"
        ));
    }
    if let Some(why) = unread(objects) {
        for host in hosts
            .iter_mut()
            .filter(|host| host.verdict != Verdict::Differs)
        {
            host.verdict = Verdict::NotDecided(why.clone());
        }
    }
    Verification {
        hosts,
        stray: world.stray,
        assumptions,
        plain_only,
    }
}

/// A limit holds for all routes of its owner together, and Envoy counts for each entry apart:
/// together they must not let through more.
fn together<'a>(outcomes: &mut [(String, Outcome<'a>)]) {
    let mut owners: BTreeMap<OwnerId, Vec<(usize, Found<'a>)>> = BTreeMap::new();
    for (at, (_, outcome)) in outcomes.iter_mut().enumerate() {
        for (_, found) in std::mem::take(&mut outcome.limited) {
            if let Some(route) = found.route {
                owners.entry(route.owner).or_default().push((at, found));
            }
        }
    }
    for parts in owners.into_values() {
        let limits: Vec<&Limits> = parts
            .iter()
            .filter_map(|(_, part)| part.envoy.guards.limits.as_ref())
            .collect();
        let Some((at, first)) = parts.first() else {
            continue;
        };
        let whole = first.nginx.guards.limits.as_ref();
        if limits.len() > 1 && whole.is_some_and(|whole| more_together(whole, &limits)) {
            outcomes[*at].1.add(first.clone());
        }
    }
}

/// What of the objects may change anything and is not interpreted.
fn unread(objects: &Objects) -> Option<String> {
    if let Some(patch) = objects.of("EnvoyPatchPolicy").next() {
        return Some(format!("{} may change anything", patch.title()));
    }
    POLICIES
        .iter()
        .flat_map(|kind| objects.of(kind))
        .find(|policy| !items(policy.at("/spec/targetSelectors")).is_empty())
        .map(|policy| {
            format!(
                "the `targetSelectors` of {} are not followed",
                policy.title()
            )
        })
}

fn report(
    model: &Model,
    name: String,
    outcome: Outcome<'_>,
    declared: &Declared<'_>,
) -> HostReport {
    let Outcome {
        found,
        undecided,
        classes,
        requests,
        by_example,
        unseen_users,
        limited: _,
    } = outcome;
    let mut differences: Vec<Difference> = found
        .into_iter()
        .map(|found| difference(model, found, declared))
        .collect();
    differences.sort_by_key(|difference| {
        (
            difference.declared.is_some(),
            std::cmp::Reverse(difference.class),
            difference.witness.path.len(),
        )
    });
    let undeclared = differences.iter().any(|found| found.declared.is_none());
    let verdict = match undecided {
        _ if undeclared => Verdict::Differs,
        Some(why) => Verdict::NotDecided(why),
        None if differences.is_empty() => Verdict::Equivalent,
        None => Verdict::Declared,
    };
    HostReport {
        name,
        verdict,
        differences,
        classes,
        requests,
        by_example,
        unseen_users,
    }
}

fn difference(model: &Model, found: Found<'_>, declared: &Declared<'_>) -> Difference {
    let code = declared.code(&found);
    let Found {
        class,
        aspects,
        witness,
        route,
        rule,
        nginx,
        envoy,
        both_schemes,
        as_converted: _,
    } = found;
    Difference {
        class,
        aspects,
        witness,
        both_schemes,
        nginx: of_route(model, route, nginx),
        envoy: of_rule(rule, envoy),
        declared: code,
    }
}

pub(crate) fn of_route(model: &Model, route: Option<&Route>, behaviour: Behaviour) -> Side {
    let owner = route.map(|route| model.owner(route.owner));
    Side {
        behaviour,
        rule: route.zip(owner).map(|(route, owner)| {
            let path = route.matcher.text();
            let what = if route.implicit {
                "implicit path"
            } else {
                "path"
            };
            format!(
                "{what} {path} of {} {}/{}",
                owner.kind, owner.namespace, owner.name
            )
        }),
        span: route.map(|route| route.origin.span),
        owner: route.map(|route| route.owner),
    }
}

pub(crate) fn of_rule(rule: Option<&Rule>, behaviour: Behaviour) -> Side {
    Side {
        behaviour,
        rule: rule.map(|rule| match &rule.effect {
            Effect::Broken(why) => format!("{} (answers 500: {why})", rule.title),
            _ => rule.title.clone(),
        }),
        span: rule.map(|rule| rule.span),
        owner: None,
    }
}

//! Answers that are given before anything else, as rules in front of those of a route.
//!
//! Of rules with the same path Envoy Gateway takes the one with more header matches, then the
//! one with more exact ones, then the first (`internal/gatewayapi/sort.go`; a method counts as
//! an exact header). There is no negation: where a condition must not hold, the rules behind
//! it get the condition itself, and the answer is the rule without one.

use gateway_api::httproutes::{
    HttpRouteRulesMatches, HttpRouteRulesMatchesHeaders, HttpRouteRulesMatchesHeadersType,
    HttpRouteRulesMatchesPath,
};
use gatewright_diagnostics::{Code, Diagnostic};
use gatewright_model::{Action, Host, Owner, Phase, Reply, Route, Step};

use super::condition::{self, Applies};
use super::{reply, step_path};
use crate::emit::Emitter;
use crate::rule::{Deed, Planned, Section, at, planned};

/// Matches that always hold, to lift a rule above others: Envoy sets these headers itself.
const ALWAYS: [&str; 3] = ["X-Request-Id", "X-Forwarded-Proto", "X-Forwarded-For"];
/// Matches of one rule (Gateway API).
const MAX_MATCHES: usize = 64;

/// The rules of a route at a path, with those of its steps.
pub(crate) fn before(
    emitter: &mut Emitter<'_>,
    host: &Host,
    route: &Route,
    path: &HttpRouteRulesMatchesPath,
    (name, section): (&str, Section),
    mut rules: Vec<Planned>,
) -> Vec<Planned> {
    let owner = emitter.model.owner(route.owner);
    // An unconditional answer hides what is behind it.
    let redirects = matches!(route.action, Action::Redirect(_));
    let steps: Vec<&Step> = route
        .policies
        .steps
        .iter()
        // A redirect is sent before it is asked who may come in.
        .filter(|step| !(redirects && step.phase == Phase::Access))
        .collect();
    let last = steps.iter().position(|step| step.when.is_none());
    let reached = last.map_or(steps.len(), |at| at + 1);
    for (at_step, step) in steps[..reached].iter().enumerate().rev() {
        let step_name = match step.when {
            None => name.to_owned(),
            Some(_) => format!("{name}-if-{}", at_step + 1),
        };
        let mut place = Place {
            emitter,
            host,
            route,
            owner,
            path,
            section: if step.phase == Phase::Access {
                section
            } else {
                Section::Both
            },
            name: step_name,
        };
        match place.apply(step, rules) {
            Ok(changed) => rules = changed,
            Err(why) => {
                emitter.report(
                    &step.origin,
                    true,
                    Diagnostic::new(
                        Code::SnippetCondition,
                        "an answer of a snippet cannot be written as a rule, so the paths answer 503",
                    )
                    .label(step.place, why)
                    .help(condition::remedy(step, emitter.model)),
                );
                let comment = "what cannot be carried over answers 503".to_owned();
                let deed = emitter.respond(owner, 503, comment);
                let why = vec!["refused: a step cannot be carried over".to_owned()];
                return vec![planned(
                    name,
                    vec![at(path.clone())],
                    deed,
                    Section::Both,
                    why,
                )];
            }
        }
    }
    rules
}

/// Whether some step answers where a condition does not hold, so that a rule has to say what
/// happens where it does.
pub(crate) fn spares(emitter: &Emitter<'_>, host: &Host, route: &Route) -> bool {
    let mut conditions = (route.policies.steps.iter()).filter_map(|step| step.when.as_ref());
    conditions.any(|when| {
        matches!(
            condition::applies(when, host, emitter.model),
            Ok(Applies::UnlessHeader(_) | Applies::UnlessMethods(_))
        )
    })
}

/// Where a step is applied.
pub(super) struct Place<'a, 'b> {
    pub(super) emitter: &'a mut Emitter<'b>,
    pub(super) host: &'a Host,
    pub(super) route: &'a Route,
    pub(super) owner: &'a Owner,
    pub(super) path: &'a HttpRouteRulesMatchesPath,
    pub(super) section: Section,
    pub(super) name: String,
}

impl Place<'_, '_> {
    /// Envoy writes `X-Forwarded-Proto` where it is trusted and absent.
    fn about_scheme(&mut self, step: &Step, header: &HttpRouteRulesMatchesHeaders) {
        if !header.name.eq_ignore_ascii_case("x-forwarded-proto") {
            return;
        }
        self.emitter.report(
            &step.origin,
            false,
            Diagnostic::new(
                Code::ConditionScheme,
                "without `X-Forwarded-Proto` the condition sees the scheme of the connection",
            )
            .label(step.place, "compares the header"),
        );
    }

    fn apply(&mut self, step: &Step, rules: Vec<Planned>) -> Result<Vec<Planned>, String> {
        let Some(when) = &step.when else {
            return self.always(step, rules);
        };
        match condition::applies(when, self.host, self.emitter.model)? {
            Applies::Never => Ok(rules),
            Applies::Always => self.always(step, rules),
            Applies::Scheme(section) => {
                let section = match (self.section, section) {
                    (Section::Both, section) => section,
                    (own, section) if own == section => own,
                    _ => return Ok(rules),
                };
                let deed = reply::deed(self, step)?;
                let mut matches = at(self.path.clone());
                lift(&mut matches, &rules)?;
                Ok(self.first(matches, deed, section, step, rules))
            }
            Applies::Header(header) => {
                self.about_scheme(step, &header);
                let deed = reply::deed(self, step)?;
                let mut matches = at(self.path.clone());
                matches.headers = Some(vec![header]);
                lift(&mut matches, &rules)?;
                Ok(self.first(matches, deed, self.section, step, rules))
            }
            Applies::Methods(methods) => {
                let deed = reply::deed(self, step)?;
                let mut all = Vec::new();
                for method in methods {
                    let mut matches = at(self.path.clone());
                    matches.method = Some(method);
                    lift(&mut matches, &rules)?;
                    all.push(matches);
                }
                let rule = self.rule(all, deed, self.section, step);
                Ok(std::iter::once(rule).chain(rules).collect())
            }
            Applies::UnlessHeader(header) => {
                let mut rules = rules;
                for matches in rules
                    .iter_mut()
                    .filter(|rule| !comes_before(rule, step))
                    .flat_map(|p| p.rule.matches.iter_mut().flatten())
                {
                    let headers = matches.headers.get_or_insert_with(Vec::new);
                    if headers
                        .iter()
                        .any(|h| h.name.eq_ignore_ascii_case(&header.name))
                    {
                        return Err("two conditions look at the same header".to_owned());
                    }
                    headers.push(header.clone());
                }
                self.otherwise(step, rules)
            }
            Applies::UnlessMethods(methods) => {
                let mut rules = rules;
                for planned in rules.iter_mut().filter(|rule| !comes_before(rule, step)) {
                    let old = planned.rule.matches.take().unwrap_or_default();
                    let mut new = Vec::new();
                    for matches in old {
                        for method in &methods {
                            if matches.method.as_ref().is_none_or(|m| m == method) {
                                let mut matches = matches.clone();
                                matches.method = Some(method.clone());
                                new.push(matches);
                            }
                        }
                    }
                    if new.len() > MAX_MATCHES {
                        return Err("there are too many methods".to_owned());
                    }
                    planned.rule.matches = Some(new);
                }
                rules.retain(|p| p.rule.matches.as_ref().is_none_or(|m| !m.is_empty()));
                self.otherwise(step, rules)
            }
            Applies::Path { test, query } => step_path::apply(self, step, test, query, rules),
        }
    }

    fn always(&mut self, step: &Step, rules: Vec<Planned>) -> Result<Vec<Planned>, String> {
        let deed = reply::deed(self, step)?;
        let mut kept = rules;
        kept.retain(|rule| comes_before(rule, step));
        kept.push(self.rule(vec![at(self.path.clone())], deed, self.section, step));
        Ok(kept)
    }

    /// The answer for whatever the rules no longer take.
    fn otherwise(&mut self, step: &Step, mut rules: Vec<Planned>) -> Result<Vec<Planned>, String> {
        let deed = reply::deed(self, step)?;
        rules.push(self.rule(vec![at(self.path.clone())], deed, self.section, step));
        Ok(rules)
    }

    pub(super) fn first(
        &self,
        matches: HttpRouteRulesMatches,
        deed: Deed,
        section: Section,
        step: &Step,
        rules: Vec<Planned>,
    ) -> Vec<Planned> {
        let rule = self.rule(vec![matches], deed, section, step);
        std::iter::once(rule).chain(rules).collect()
    }

    /// The rule that answers what a step says.
    pub(super) fn rule(
        &self,
        matches: Vec<HttpRouteRulesMatches>,
        deed: Deed,
        section: Section,
        step: &Step,
    ) -> Planned {
        let mut rule = planned(&self.name, matches, deed, section, comments(step));
        rule.status = match step.reply {
            Reply::Status { code, .. } | Reply::Redirect { code, .. } => Some(code),
        };
        rule
    }
}

/// Whether a rule redirects to HTTPS before a step is asked.
fn comes_before(rule: &Planned, step: &Step) -> bool {
    let name = rule.rule.name.as_deref().unwrap_or_default();
    step.phase == Phase::Access && name.ends_with("-to-https")
}

fn comments(step: &Step) -> Vec<String> {
    let what = match &step.reply {
        Reply::Status { code, .. } => format!("answers {code}"),
        Reply::Redirect { .. } => "redirect".to_owned(),
    };
    vec![match step.origin.annotation {
        Some(key) => format!("{what}: {key}"),
        None => what,
    }]
}

/// Adds matches that always hold until no rule goes before this one.
fn lift(matches: &mut HttpRouteRulesMatches, rules: &[Planned]) -> Result<(), String> {
    let highest = rules
        .iter()
        .flat_map(|p| p.rule.matches.iter().flatten())
        .map(rank)
        .max()
        .unwrap_or_default();
    for name in ALWAYS {
        if rank(matches) >= highest {
            break;
        }
        let headers = matches.headers.get_or_insert_with(Vec::new);
        if !headers.iter().any(|h| h.name.eq_ignore_ascii_case(name)) {
            headers.push(HttpRouteRulesMatchesHeaders {
                name: name.to_owned(),
                r#type: Some(HttpRouteRulesMatchesHeadersType::RegularExpression),
                value: ".+".to_owned(),
            });
        }
    }
    if rank(matches) < highest {
        return Err("there are too many conditions in a row".to_owned());
    }
    Ok(())
}

/// Header matches, and how many of them are exact.
fn rank(matches: &HttpRouteRulesMatches) -> (usize, usize) {
    let method = usize::from(matches.method.is_some());
    let headers = matches.headers.as_deref().unwrap_or_default();
    let exact = headers
        .iter()
        .filter(|h| h.r#type != Some(HttpRouteRulesMatchesHeadersType::RegularExpression))
        .count();
    (headers.len() + method, exact + method)
}

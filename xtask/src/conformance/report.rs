//! What a run found: printed for people, serialised for programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use super::cases::Case;
use super::verdict::{Judged, Verdict};
use super::witnesses::{Checked, Kind, Outcome};
use super::worker::CaseResult;

/// Everything of a run.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) seconds: f64,
    pub(crate) totals: Totals,
    /// Accepted differences that did not come.
    pub(crate) vanished: Vec<String>,
    /// Predictions that are listed as wrong and are not.
    pub(crate) mended: Vec<String>,
    pub(crate) cases: Vec<CaseResult>,
}

/// The numbers.
#[derive(Debug, Default, Clone, Serialize)]
pub(crate) struct Totals {
    pub(crate) cases: usize,
    pub(crate) requests: usize,
    pub(crate) same: usize,
    pub(crate) declared: usize,
    pub(crate) unlisted: usize,
    pub(crate) silent: usize,
    pub(crate) opened: usize,
    /// Requests of cases that could not be carried through.
    pub(crate) not_asked: usize,
    pub(crate) refused_objects: usize,
    pub(crate) bad_conditions: usize,
    pub(crate) failures: usize,
    /// Predictions for requests that show a difference.
    pub(crate) witnesses: Predictions,
    /// Predictions for requests where nothing differs.
    pub(crate) rules: Predictions,
}

/// How predictions of `verify` fared.
#[derive(Debug, Default, Clone, Serialize)]
pub(crate) struct Predictions {
    pub(crate) right: usize,
    pub(crate) wrong: usize,
    /// Wrong, and known to be.
    pub(crate) accepted: usize,
    /// By the reason.
    pub(crate) unsendable: BTreeMap<String, usize>,
}

impl Predictions {
    fn add(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Right => self.right += 1,
            Outcome::Wrong(_) => self.wrong += 1,
            Outcome::Accepted(..) => self.accepted += 1,
            Outcome::Unsendable(why) => *self.unsendable.entry(why.clone()).or_default() += 1,
        }
    }

    pub(crate) fn not_sent(&self) -> usize {
        self.unsendable.values().sum()
    }
}

impl Totals {
    /// Adds the requests of a case.
    pub(crate) fn add(&mut self, result: &CaseResult, case: Option<&Case>) {
        self.cases += 1;
        let planned = case.map_or(result.requests.len(), |case| case.exchanges.len());
        self.requests += planned;
        self.not_asked += planned - result.requests.len().min(planned);
        for judged in &result.requests {
            match judged.verdict {
                Verdict::Same => self.same += 1,
                Verdict::Declared => self.declared += 1,
                Verdict::Unlisted => self.unlisted += 1,
                Verdict::Silent => self.silent += 1,
                Verdict::Opened => self.opened += 1,
            }
        }
        for checked in &result.witnesses {
            match checked.kind {
                Kind::Witness => self.witnesses.add(&checked.outcome),
                Kind::Rule => self.rules.add(&checked.outcome),
            }
        }
        self.refused_objects += result.refused.len();
        self.bad_conditions += result.conditions.len();
        self.failures += usize::from(result.failure.is_some());
    }

    /// Share of the requests that are the same, in per cent.
    pub(crate) fn same_share(&self) -> f64 {
        percent(self.same, self.requests)
    }
}

fn percent(part: usize, whole: usize) -> f64 {
    let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    if whole == 0 {
        100.0
    } else {
        number(part) * 100.0 / number(whole)
    }
}

impl Report {
    pub(crate) fn new(cases: &[Case], results: Vec<CaseResult>, duration: Duration) -> Self {
        let by_name: BTreeMap<&str, &Case> = cases.iter().map(|c| (c.name.as_str(), c)).collect();
        let mut totals = Totals::default();
        let mut vanished = Vec::new();
        let mut mended = Vec::new();
        for result in &results {
            let case = by_name.get(result.name.as_str()).copied();
            totals.add(result, case);
            let was_checked = !result.witnesses.is_empty();
            for entry in case.map_or(&[][..], |case| &case.wrong) {
                let is_wrong = result.witnesses.iter().any(|checked| {
                    checked.request == entry.request
                        && matches!(checked.outcome, Outcome::Accepted(..))
                });
                if was_checked && !is_wrong {
                    mended.push(format!("{}: {}", result.name, entry.request));
                }
            }
            for entry in case.map_or(&[][..], |case| &case.differences) {
                let is_same = result
                    .requests
                    .iter()
                    .any(|judged| judged.name == entry.request && judged.verdict == Verdict::Same);
                if is_same && !entry.unsteady {
                    vanished.push(format!(
                        "{}: {:?} ({})",
                        result.name, entry.request, entry.code
                    ));
                }
            }
        }
        Self {
            seconds: duration.as_secs_f64(),
            totals,
            vanished,
            mended,
            cases: results,
        }
    }

    /// Whether nothing is there that may not be.
    pub(crate) fn passes(&self) -> bool {
        let totals = &self.totals;
        let faults = totals.unlisted
            + totals.silent
            + totals.opened
            + totals.not_asked
            + totals.refused_objects
            + totals.bad_conditions
            + totals.failures
            + totals.witnesses.wrong
            + totals.rules.wrong;
        faults == 0 && self.vanished.is_empty() && self.mended.is_empty()
    }

    /// A line for each case, more where something is wrong, then the totals.
    pub(crate) fn print(&self) {
        for result in &self.cases {
            print_case(result);
        }
        for entry in &self.vanished {
            println!("VANISHED  {entry}: no longer differs; remove it from differences.toml");
        }
        for entry in &self.mended {
            println!("MENDED  {entry}: predicted rightly; remove it from witnesses.toml");
        }
        let t = &self.totals;
        println!();
        println!(
            "{} cases, {} requests: {} same ({:.1} %), {} declared, {} unlisted, {} silent, {} opened, {} not asked",
            t.cases,
            t.requests,
            t.same,
            t.same_share(),
            t.declared,
            t.unlisted,
            t.silent,
            t.opened,
            t.not_asked
        );
        println!(
            "{} refused objects, {} bad conditions, {} failed cases, {} vanished differences; {:.0} s",
            t.refused_objects,
            t.bad_conditions,
            t.failures,
            self.vanished.len(),
            self.seconds
        );
        for (what, found) in [("witnesses", &t.witnesses), ("rules", &t.rules)] {
            println!(
                "{what}: Envoy answered {} as verify predicts, {} otherwise, {} otherwise as is known; {} not sent",
                found.right,
                found.wrong,
                found.accepted,
                found.not_sent()
            );
            for (why, count) in &found.unsendable {
                println!("  {count} not sent: {why}");
            }
        }
    }

    /// Entries that would accept what differs now; a person has to judge and to write the reason.
    ///
    /// For what no diagnostic on the request's own Ingresses speaks of, those that speak of every
    /// host alike are named: whether one of them covers it is for a person to say.
    pub(crate) fn print_suggestions(&self) {
        for result in &self.cases {
            let mut entries = String::new();
            for judged in &result.requests {
                let codes = match judged.verdict {
                    Verdict::Unlisted => judged.codes.clone(),
                    Verdict::Silent => general_codes(result),
                    _ => continue,
                };
                let why = judged.differences.join("; ").replace('\n', " ");
                let _ = write!(
                    entries,
                    "\n# {why}\n[[difference]]\nrequest = {}\ncode = {} # of: {}\nreason = \"\"\n",
                    quoted(&judged.name),
                    quoted(codes.first().map_or("", String::as_str)),
                    if codes.is_empty() {
                        "none".to_owned()
                    } else {
                        codes.join(" ")
                    },
                );
            }
            if !entries.is_empty() {
                println!("\n# --- {}/differences.toml{entries}", result.name);
            }
        }
    }
}

/// Diagnostics of a conversion that are about no object.
fn general_codes(result: &CaseResult) -> Vec<String> {
    let mut codes: Vec<String> = result
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.object.is_none() && diagnostic.may_declare())
        .map(|diagnostic| diagnostic.code.clone())
        .collect();
    codes.sort();
    codes.dedup();
    codes
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn print_case(result: &CaseResult) {
    let count = |verdict: Verdict| {
        result
            .requests
            .iter()
            .filter(|j| j.verdict == verdict)
            .count()
    };
    let mut parts = vec![format!(
        "{}/{} same",
        count(Verdict::Same),
        result.requests.len()
    )];
    for (verdict, word) in [
        (Verdict::Declared, "declared"),
        (Verdict::Unlisted, "unlisted"),
        (Verdict::Silent, "silent"),
        (Verdict::Opened, "OPENED"),
    ] {
        if count(verdict) > 0 {
            parts.push(format!("{} {word}", count(verdict)));
        }
    }
    let is_fine = result.failure.is_none()
        && result.refused.is_empty()
        && result.conditions.is_empty()
        && result
            .requests
            .iter()
            .all(|j| j.verdict <= Verdict::Declared)
        && !result
            .witnesses
            .iter()
            .any(|checked| matches!(checked.outcome, Outcome::Wrong(_)));
    let mark = if is_fine { "ok  " } else { "FAIL" };
    println!(
        "{mark} {:<44} {} ({:.1} s)",
        result.name,
        parts.join(", "),
        result.seconds
    );
    result.witnesses.iter().for_each(print_checked);
    if let Some(failure) = &result.failure {
        println!("     failed: {failure}");
    }
    for refused in &result.refused {
        println!("     refused: {refused}");
    }
    for condition in &result.conditions {
        println!("     condition: {condition}");
    }
    for judged in &result.requests {
        if judged.verdict > Verdict::Declared {
            print_request(judged);
        }
    }
}

/// Says nothing of a rule that was predicted rightly, or was not sent: there are many.
fn print_checked(checked: &Checked) {
    let Checked {
        kind,
        request,
        predicted,
        came,
        outcome,
    } = checked;
    let word = match kind {
        Kind::Witness => "witness",
        Kind::Rule => "rule",
    };
    match outcome {
        Outcome::Right => {}
        Outcome::Unsendable(why) => {
            if *kind == Kind::Witness {
                println!("     witness not sent: {request}: {why}");
            }
        }
        Outcome::Wrong(found) | Outcome::Accepted(found, _) => {
            let known = match outcome {
                Outcome::Accepted(..) => "known to be ",
                _ => "",
            };
            println!("     {word} {known}predicted wrongly: {request}");
            for difference in found {
                println!("       {difference}");
            }
            println!("       predicted: Envoy {predicted}");
            println!("       came: {came}");
        }
    }
}

fn print_request(judged: &Judged) {
    let word = format!("{:?}", judged.verdict).to_lowercase();
    println!("     {word}: {:?}: {}", judged.name, judged.request);
    for difference in &judged.differences {
        println!("       {difference}");
    }
    println!("       came: {}", judged.came);
    if !judged.codes.is_empty() {
        println!("       diagnostics: {}", judged.codes.join(" "));
    }
}

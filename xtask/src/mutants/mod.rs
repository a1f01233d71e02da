//! How good `verify` is: faults are put into the objects that convert writes for the test data,
//! and every fault that changes behaviour has to be found.

mod check;
mod edit;
mod equal;
mod faults;
mod paths;
mod random;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Result, bail};
use gatewright_transpile::convert;
use serde_json::Value;

use check::{Bench, Case, Verdict};
use edit::Objects;
use faults::{Fault, Mutant};
use random::Random;

/// Which mutants are made.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only cases whose names contain this
    case: Option<String>,
    /// How many mutants
    #[arg(long, value_name = "N", default_value_t = 720)]
    count: usize,
    /// Which of all possible ones
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Only this kind of fault, as the table calls it
    #[arg(long, value_name = "FAULT")]
    fault: Option<String>,
    /// Say of every mutant what became of it
    #[arg(long)]
    list: bool,
}

/// So many rules are put into another order although it does not matter.
const MAX_IDLE: usize = 10;

/// A mutant of a case, and what became of it.
struct Trial {
    case: usize,
    mutant: Mutant,
    verdict: Option<Verdict>,
    /// Why it could not be found.
    equivalent: Option<&'static str>,
}

/// Makes mutants, has each checked, and prints the score; whether none that changes behaviour
/// went unnoticed.
///
/// # Errors
///
/// When the test data cannot be read, or convert's own output cannot be read back.
pub(crate) fn run(arguments: &Arguments) -> Result<bool> {
    let wanted = |case: &Case| {
        let part = arguments.case.as_deref();
        part.is_none_or(|part| case.name.contains(part))
    };
    let cases: Vec<Case> = check::cases()?.into_iter().filter(wanted).collect();
    let mut outputs: Vec<Objects> = Vec::new();
    let mut all: Vec<(usize, Mutant)> = Vec::new();
    for (at, case) in cases.iter().enumerate() {
        let output = convert(case.inputs.clone(), &case.options)
            .output
            .to_string();
        let objects = edit::read(&output)?;
        all.extend(faults::all(&objects).into_iter().map(|mutant| (at, mutant)));
        outputs.push(objects);
    }
    if let Some(fault) = &arguments.fault {
        all.retain(|(_, mutant)| mutant.fault.to_string() == *fault);
    }
    let possible = all.len();
    let same = |case: usize, mutant: &Mutant| {
        let mutated = mutant.edit.apply(&outputs[case], mutant.object);
        mutated.is_ok_and(|mutated| equal::reason(&outputs[case], &mutated).is_some())
    };
    let mut trials = sample(all, arguments.count, arguments.seed, same);
    if trials.is_empty() {
        bail!("there is no mutant of this kind");
    }
    trials.sort_by_key(|trial| trial.case);
    let mut bench: Option<(usize, Bench)> = None;
    for trial in &mut trials {
        if bench.as_ref().is_none_or(|(case, _)| *case != trial.case) {
            bench = Some((trial.case, Bench::new(&cases[trial.case])));
        }
        let original = &outputs[trial.case];
        let mutated = trial.mutant.edit.apply(original, trial.mutant.object)?;
        let text = edit::write(&mutated)?;
        trial.equivalent = equal::reason(original, &mutated);
        let hosts = original.get(trial.mutant.object);
        let hosts = hosts.and_then(|object| object.pointer("/spec/hostnames")?.as_array());
        let hosts: Vec<&str> = hosts
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        trial.verdict = bench.as_ref().map(|(_, bench)| bench.judge(&text, &hosts));
        if arguments.list {
            println!("{}", line(&cases, trial));
        }
    }
    println!(
        "{} of {possible} possible mutants of {} cases, seed {}\n",
        trials.len(),
        cases.len(),
        arguments.seed
    );
    print!("{}", score(&trials));
    let (text, clean) = survivors(&cases, &trials);
    print!("{text}");
    Ok(clean)
}

/// `count` of all mutants, as many of each fault as there are or their share is.
fn sample(
    mut all: Vec<(usize, Mutant)>,
    count: usize,
    seed: u64,
    same: impl Fn(usize, &Mutant) -> bool,
) -> Vec<Trial> {
    Random::new(seed).shuffle(&mut all);
    let mut by_fault: BTreeMap<Fault, Vec<(usize, Mutant)>> = BTreeMap::new();
    for (case, mutant) in all {
        by_fault
            .entry(mutant.fault)
            .or_default()
            .push((case, mutant));
    }
    let mut chosen = Vec::new();
    let mut idle = 0;
    while chosen.len() < count {
        let before = chosen.len();
        for mutants in by_fault.values_mut() {
            while chosen.len() < count
                && let Some((case, mutant)) = mutants.pop()
            {
                // Hardly any two neighbours meet in one path.
                if mutant.fault == Fault::OrderSwapped && same(case, &mutant) {
                    idle += 1;
                    if idle > MAX_IDLE {
                        continue;
                    }
                }
                chosen.push(Trial {
                    case,
                    mutant,
                    verdict: None,
                    equivalent: None,
                });
                break;
            }
        }
        if chosen.len() == before {
            break;
        }
    }
    chosen
}

fn line(cases: &[Case], trial: &Trial) -> String {
    let Trial {
        case,
        mutant,
        verdict,
        ..
    } = trial;
    let verdict = verdict.as_ref().map(ToString::to_string);
    format!(
        "{}: {}: {}: {}",
        verdict.unwrap_or_default(),
        mutant.fault,
        cases[*case].name,
        mutant.says
    )
}

/// What counts of a trial.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Found,
    Equivalent,
    Survived,
    Refuted,
}

fn column(trial: &Trial) -> Column {
    match (&trial.verdict, trial.equivalent) {
        (Some(Verdict::Found(_)), Some(equal::SAME)) => Column::Refuted,
        // Which headers are compared is the checker's own affair.
        (Some(Verdict::Found(_)), _) => Column::Found,
        (_, Some(_)) => Column::Equivalent,
        // A host that is not decided is not vouched for.
        (Some(Verdict::Undecided(_)), None) => Column::Found,
        (_, None) => Column::Survived,
    }
}

/// A line for every kind of fault.
fn score(trials: &[Trial]) -> String {
    let mut text = format!(
        "{:<26}{:>8}{:>8}{:>12}{:>10}\n",
        "fault", "mutants", "found", "equivalent", "survived"
    );
    let mut row = |name: &str, of: &dyn Fn(&Trial) -> bool| {
        let count = |column_wanted: Column| {
            let all = trials.iter().filter(|trial| of(trial));
            all.filter(|trial| column(trial) == column_wanted).count()
        };
        let found = count(Column::Found) + count(Column::Refuted);
        let (equivalent, survived) = (count(Column::Equivalent), count(Column::Survived));
        let all = found + equivalent + survived;
        if all > 0 {
            let _ = writeln!(
                text,
                "{name:<26}{all:>8}{found:>8}{equivalent:>12}{survived:>10}"
            );
        }
    };
    for fault in Fault::ALL {
        row(&fault.to_string(), &|trial| trial.mutant.fault == fault);
    }
    row("all", &|_| true);
    text
}

/// What was not found, and why; whether nothing of it is unexplained.
fn survivors(cases: &[Case], trials: &[Trial]) -> (String, bool) {
    let mut text = String::new();
    let mut section = |title: &str, wanted: Column| {
        let list: Vec<&Trial> = trials
            .iter()
            .filter(|trial| column(trial) == wanted)
            .collect();
        if list.is_empty() {
            return true;
        }
        let _ = writeln!(text, "\n{title}:");
        for trial in list {
            let reason = trial.equivalent.map(|why| format!(" ({why})"));
            let reason = reason.unwrap_or_default();
            let _ = writeln!(text, "  {}{reason}", line(cases, trial));
        }
        false
    };
    section("equivalent", Column::Equivalent);
    let refuted = section("said to be equivalent, and found", Column::Refuted);
    let survived = section("not found", Column::Survived);
    (text, refuted && survived)
}

//! `cargo run -p gatewright-transpile --example corpus -- DIR…` converts every manifest below
//! the directories by itself and then all of them together, and prints what became of each
//! annotation. Exit code 1 when one of them panics or leaves something without outcome.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for the terminal"
)]

use std::collections::BTreeMap;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use gatewright_diagnostics::{Outcome, Severity};
use gatewright_transpile::{Conversion, Input, NoClass, Options, convert};

/// A file that takes longer than this is named.
const SLOW: Duration = Duration::from_millis(100);

/// Counts of outcomes: translated, different, no effect, refused.
type Counts = [usize; 4];

#[derive(Default)]
struct Account {
    files: usize,
    ingresses: usize,
    skipped: usize,
    unreadable: usize,
    empty: usize,
    faults: usize,
    keys: BTreeMap<String, Counts>,
    codes: BTreeMap<String, (usize, usize)>,
}

fn main() -> ExitCode {
    let directories: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    if directories.is_empty() {
        eprintln!("usage: corpus DIR…");
        return ExitCode::from(2);
    }
    let mut inputs = Vec::new();
    for directory in &directories {
        if let Err(error) = read(directory, &mut inputs) {
            eprintln!("{}: {error}", directory.display());
            return ExitCode::from(2);
        }
    }
    inputs.sort_by(|a, b| a.name.cmp(&b.name));
    let mut account = Account::default();
    for input in &inputs {
        account.files += 1;
        let started = Instant::now();
        let name = input.name.clone();
        match run(vec![input.clone()]) {
            Some(conversion) => account.add(&name, &conversion),
            None => account.fault(&name, "panics"),
        }
        if started.elapsed() > SLOW {
            println!("slow: {name}: {:?}", started.elapsed());
        }
    }
    let started = Instant::now();
    match run(inputs) {
        Some(conversion) => {
            let unsettled = conversion.ledger.unsettled().count();
            println!(
                "all together: {} Ingresses, {} rules, {unsettled} items without outcome, {:?}",
                conversion.summary.ingresses,
                conversion.summary.rules,
                started.elapsed()
            );
            account.faults += usize::from(unsettled > 0);
        }
        None => account.fault("all together", "panics"),
    }
    account.print();
    if account.faults > 0 {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

impl Account {
    fn fault(&mut self, name: &str, what: &str) {
        self.faults += 1;
        println!("FAULT: {name}: {what}");
    }

    fn add(&mut self, name: &str, conversion: &Conversion) {
        self.ingresses += conversion.summary.ingresses;
        self.skipped += conversion.summary.skipped_ingresses;
        self.unreadable += conversion.unreadable;
        self.empty += usize::from(conversion.output.is_empty());
        let mut codes: Vec<String> = Vec::new();
        for diagnostic in &conversion.diagnostics {
            // An error that names no place leaves the reader without a clue.
            if diagnostic.severity == Severity::Error && diagnostic.labels.is_empty() {
                self.fault(name, &format!("no place: {}", diagnostic.message));
            }
            codes.push(format!(
                "{} {}",
                diagnostic.code,
                diagnostic.code.info().title
            ));
        }
        for code in &codes {
            self.codes.entry(code.clone()).or_default().0 += 1;
        }
        codes.sort();
        codes.dedup();
        for code in codes {
            self.codes.entry(code).or_default().1 += 1;
        }
        for (object, item) in conversion.ledger.items() {
            let Some(outcome) = &item.outcome else {
                self.fault(name, &format!("no outcome: {} {}", object, item.path));
                continue;
            };
            let key = item.path.strip_prefix("metadata.annotations[");
            let Some(key) = key.and_then(|key| key.strip_suffix(']')) else {
                continue;
            };
            let Some(key) = key.strip_prefix("nginx.ingress.kubernetes.io/") else {
                continue;
            };
            let at = match outcome {
                Outcome::Translated => 0,
                Outcome::Difference(_) => 1,
                Outcome::NoEffect(_) => 2,
                Outcome::Refused(_) => 3,
            };
            self.keys.entry(key.to_owned()).or_default()[at] += 1;
        }
    }

    fn print(&self) {
        println!(
            "{} files, {} Ingresses converted, {} left out, {} unreadable documents, {} files without output, {} faults",
            self.files, self.ingresses, self.skipped, self.unreadable, self.empty, self.faults
        );
        println!("\n| annotation | all | translated | different | no effect | refused |");
        println!("|---|--:|--:|--:|--:|--:|");
        let mut keys: Vec<_> = self.keys.iter().collect();
        keys.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.iter().sum::<usize>()));
        for (key, counts) in keys {
            let [translated, different, none, refused] = counts;
            let all: usize = counts.iter().sum();
            println!("| {key} | {all} | {translated} | {different} | {none} | {refused} |");
        }
        println!("\n| finding | times | files |\n|---|--:|--:|");
        for (code, (times, files)) in &self.codes {
            println!("| {code} | {times} | {files} |");
        }
    }
}

fn run(inputs: Vec<Input>) -> Option<Conversion> {
    let options = Options {
        no_class: NoClass::Include,
        ..Options::default()
    };
    catch_unwind(|| convert(inputs, &options)).ok()
}

fn read(path: &Path, inputs: &mut Vec<Input>) -> std::io::Result<()> {
    if path.is_dir() {
        for entry in std::fs::read_dir(path)? {
            read(&entry?.path(), inputs)?;
        }
        return Ok(());
    }
    let extension = path.extension().and_then(|e| e.to_str());
    if matches!(extension, Some("yaml" | "yml" | "json")) {
        let bytes = std::fs::read(path)?;
        inputs.push(Input {
            name: path.display().to_string(),
            text: String::from_utf8_lossy(&bytes).into_owned(),
        });
    }
    Ok(())
}

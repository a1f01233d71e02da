//! `gatewright diff`: what convert would change in objects that exist.

use std::fmt::Write as _;

use gatewright_diagnostics::render::{Format, render};
use gatewright_diagnostics::{Code, Diagnostic, Severity};
use gatewright_source::SourceMap;
use gatewright_transpile::diff::{Difference, diff};
use gatewright_transpile::{Conversion, Input, Options};

use crate::args::{DiffArgs, FindingArgs, RunArgs, TextOrJson, WriteArgs};
use crate::config::{Failure, File};
use crate::convert::{Outcome, Run, documents, holds_nothing};
use crate::discover::{Discovery, Patterns, discover};
use crate::exit::{Exit, Fault};
use crate::output::Terminal;
use crate::read::{ReadFault, STDIN, read};

/// Runs the command.
pub(crate) fn run(
    terminal: &Terminal,
    args: DiffArgs,
    config: Option<File>,
) -> Result<Exit, Failure> {
    let DiffArgs {
        input,
        target,
        against,
        semantic,
        format,
        quiet,
    } = args;
    let findings = FindingArgs {
        quiet,
        ..FindingArgs::default()
    };
    let run = Run::new(
        RunArgs {
            input,
            target,
            findings,
        },
        &WriteArgs::default(),
        config,
    )?;
    let stdin = |paths: &[std::path::PathBuf]| paths.iter().any(|path| path.as_os_str() == "-");
    if stdin(&run.paths) && stdin(&against) {
        return Err(
            Fault::new("stdin cannot hold both the input and what exists")
                .help("name files for one of them")
                .into(),
        );
    }
    let target = run.live_target(&against)?;
    let existing = match target {
        Some(_) => None,
        None => Some(Existing::read(&against)?),
    };
    let Outcome {
        conversion,
        unreadable_files,
    } = run.convert(None)?;
    let existing = match (existing, target) {
        (Some(existing), _) => existing,
        (None, Some(session)) => {
            let (inputs, faults) = session.right(&run.options, Some(&conversion))?;
            Existing { inputs, faults }
        }
        (None, None) => Existing::default(),
    };
    let unread = existing
        .faults
        .iter()
        .filter(|fault| fault.is_file())
        .count();
    let difference = existing.compare(&conversion, &run.options);
    match (format, semantic) {
        (TextOrJson::Json, _) => Terminal::data(&difference.json())?,
        (TextOrJson::Text, true) => Terminal::data(&difference.semantic())?,
        (TextOrJson::Text, false) => terminal.diff(&difference.unified())?,
    }
    terminal.message(&messages(terminal, &conversion, &difference, quiet));
    Ok(Exit::of(
        unreadable_files + unread > 0,
        conversion.unreadable + difference.unreadable > 0,
        !difference.is_empty(),
    ))
}

/// The objects that exist, as texts.
#[derive(Default)]
struct Existing {
    inputs: Vec<Input>,
    faults: Vec<ReadFault>,
}

impl Existing {
    fn read(paths: &[std::path::PathBuf]) -> Result<Self, Fault> {
        let Discovery { sources, faults } = discover(paths, &Patterns::default(), &[])?;
        let (inputs, unread) = read(&sources);
        let empty = |input: &Input| input.name == STDIN && holds_nothing(&input.text);
        if unread.is_empty() && inputs.iter().any(empty) {
            return Err(Fault::new("stdin holds no document")
                .help("see whether the command before the pipe works"));
        }
        let faults = faults.into_iter().chain(unread).collect();
        Ok(Self { inputs, faults })
    }

    fn compare(self, conversion: &Conversion, options: &Options) -> Difference {
        let Self { inputs, faults } = self;
        let mut difference = diff(conversion, inputs, options);
        difference.unreadable += documents(&faults);
        for fault in faults {
            let diagnostic = fault.diagnostic(&mut difference.sources);
            difference.diagnostics.push(diagnostic);
        }
        difference
    }
}

/// What has to be known beside the difference: what it could not see, and how far it goes.
fn messages(
    terminal: &Terminal,
    conversion: &Conversion,
    difference: &Difference,
    quiet: bool,
) -> String {
    let full = |sources: &SourceMap, found: &[Diagnostic]| {
        render(Format::Full, sources, found, terminal.color())
    };
    // All else that convert finds is the business of `check`.
    let (untold, others): (Vec<_>, Vec<_>) =
        conversion.diagnostics.iter().cloned().partition(|found| {
            let number = found.code.info().number;
            number < 200 || number / 10 == 95 || blinds(found.code)
        });
    let mut text = full(&conversion.sources, &untold);
    text.push_str(&full(&difference.sources, &difference.diagnostics));
    if quiet {
        return text;
    }
    let errors = others
        .iter()
        .filter(|found| found.severity == Severity::Error)
        .count();
    if errors > 0 {
        let s = if errors == 1 { "" } else { "s" };
        let _ = writeln!(
            text,
            "the conversion has {errors} error{s}; `gatewright check` shows what is refused"
        );
    }
    text.push_str(&difference.summary());
    text
}

/// Findings without which the difference would be misread.
const fn blinds(code: Code) -> bool {
    matches!(
        code,
        Code::IngressNotFound | Code::UnreadableFile | Code::NotUtf8 | Code::NoInputFile
    )
}

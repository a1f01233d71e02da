//! `gatewright plan`: the cut-over, with the commands that belong to it.

use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory as _};
use gatewright_diagnostics::Severity;
use gatewright_diagnostics::render::{Format, render};
use gatewright_transpile::plan::{Invocation, plan};
use gatewright_transpile::{Emit, Options};

use crate::args::{Cli, FindingArgs, PlanArgs, RunArgs, WriteArgs};
use crate::config::{Day, Failure, File, apply};
use crate::convert::{Run, pool};
use crate::exit::Exit;
use crate::live::Gathered;
use crate::output::Terminal;
use crate::verify::left;
use crate::{progress, write};

/// Takes the place of standard input in commands that are to be repeated.
const SAVED: &str = "ingresses.yaml";
/// What is said by the commands of the plan themselves.
const OWN: [&str; 3] = ["output", "emit", "color"];

/// `gatewright plan`.
pub(crate) fn run(
    terminal: &Terminal,
    args: PlanArgs,
    config: Option<File>,
    matches: &ArgMatches,
) -> Result<Exit, Failure> {
    let PlanArgs {
        input,
        target,
        output,
    } = args;
    let run = RunArgs {
        input,
        target,
        findings: FindingArgs {
            quiet: output.is_none(),
            ..FindingArgs::default()
        },
    };
    let run = Run::new(run, &WriteArgs::default(), config)?;
    run.one_side()?;
    pool(run.options.threads);
    let show = !run.findings.quiet && Terminal::interactive();
    let Gathered {
        inputs,
        faults,
        options,
    } = left(&run, show)?;
    let message = format!("reading and comparing {} files", inputs.len());
    let mut verified = progress::during(show, message, || {
        gatewright_transpile::verify(inputs, None, &options)
    });
    let unreadable_files = faults.iter().filter(|fault| fault.is_file()).count();
    verified.unreadable += faults.len() - unreadable_files;
    for fault in faults {
        let found = fault.diagnostic(&mut verified.sources);
        verified.conversion.diagnostics.push(found);
    }
    if let Some(config) = &run.settings.file {
        let found = &mut verified.conversion.diagnostics;
        apply(config, &mut verified.sources, found, Day::today());
        let warnings = found.iter().filter(|one| one.severity == Severity::Warning);
        verified.conversion.summary.warnings = warnings.count();
    }
    let text = plan(&verified, &options, invocation(matches, &options)).markdown();
    match &output {
        Some(path) => write::write(path, &text)?,
        None => Terminal::data(&text)?,
    }
    // What is missing from the plan because nobody could read it.
    let missing: Vec<_> = verified
        .conversion
        .diagnostics
        .iter()
        .filter(|found| found.severity == Severity::Error && found.code.info().number < 200)
        .cloned()
        .collect();
    terminal.message(&render(
        Format::Full,
        &verified.sources,
        &missing,
        terminal.color(),
    ));
    Ok(Exit::of(
        unreadable_files > 0,
        verified.unreadable > 0,
        false,
    ))
}

/// The paths and flags as they were typed, for the other commands.
fn invocation(matches: &ArgMatches, options: &Options) -> Invocation {
    let mut invocation = Invocation::default();
    // Global flags are among those of the subcommand, too.
    let Some((name, matches)) = matches.subcommand() else {
        return invocation;
    };
    let mut program = Cli::command();
    program.build();
    let Some(command) = program.find_subcommand(name) else {
        return invocation;
    };
    for argument in command.get_arguments() {
        let id = argument.get_id().as_str();
        let is_typed = matches!(
            matches.try_get_raw(id),
            Ok(Some(_)) if matches.value_source(id) == Some(ValueSource::CommandLine)
        );
        if !is_typed || OWN.contains(&id) {
            continue;
        }
        let values = matches.get_raw(id).into_iter().flatten();
        let values = values.map(|value| value.to_string_lossy().into_owned());
        for mut value in values {
            if value == "-" && matches!(id, "paths" | "filename") {
                SAVED.clone_into(&mut value);
                invocation.saved = Some(value.clone());
            }
            match argument.get_long() {
                None => invocation.arguments.push(value),
                Some(long) if argument.get_action().takes_values() => {
                    invocation.arguments.push(format!("--{long}={value}"));
                }
                Some(long) => invocation.arguments.push(format!("--{long}")),
            }
        }
    }
    // The plan needs both parts, whatever the configuration says.
    if options.emit != Emit::All {
        invocation.arguments.push("--emit=all".to_owned());
    }
    invocation
}

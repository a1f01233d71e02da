//! `gatewright route`: the way of one request on both sides.

use std::path::{Path, PathBuf};

use gatewright_diagnostics::render::{Format, render};
use gatewright_diagnostics::{Code, Diagnostic};
use gatewright_transpile::Input;
use gatewright_transpile::route::{Routed, request, route};

use crate::args::{FindingArgs, RouteArgs, RunArgs, TextOrJson, WriteArgs};
use crate::config::{Failure, File};
use crate::convert::{Run, documents, holds_nothing, pool};
use crate::discover::{Discovery, Patterns, discover};
use crate::exit::{Exit, Fault};
use crate::live::Gathered;
use crate::output::Terminal;
use crate::read::{ReadFault, STDIN, read};

/// Runs the command.
pub(crate) fn run(
    terminal: &Terminal,
    args: RouteArgs,
    config: Option<File>,
) -> Result<Exit, Failure> {
    let RouteArgs {
        mut input,
        target,
        header,
        against,
        format,
    } = args;
    // The arguments are those of `convert`, and the request behind them.
    let line = input.paths.pop().unwrap_or_default();
    let line = line.to_string_lossy();
    let request = request(&line, &header).map_err(|why| {
        Fault::new(why).help("the last argument is the request, such as 'GET https://host/path'")
    })?;
    let findings = FindingArgs::default();
    let run = Run::new(
        RunArgs {
            input,
            target,
            findings,
        },
        &WriteArgs::default(),
        config,
    )?;
    let dash = |paths: &[PathBuf]| paths.iter().any(|path| path == Path::new("-"));
    if dash(&run.paths) && dash(&against) {
        return Err(Fault::new("stdin cannot be both sides")
            .help("write one of them to a file, and name that")
            .into());
    }
    pool(run.options.threads);
    let target = run.live_target(&against)?;
    let Gathered {
        inputs,
        mut faults,
        options,
    } = if let Some(session) = run.live_input() {
        session.left(&run.options)?
    } else {
        let mut faults = Vec::new();
        Gathered {
            inputs: gather(&run.paths, &run.exclude, &mut faults)?,
            faults,
            options: run.options.clone(),
        }
    };
    let others = match target {
        // Before the move the cluster has nothing else to follow it through.
        Some(_) if run.paths.is_empty() => None,
        Some(session) => {
            let (others, more) = session.right(&options, None)?;
            faults.extend(more);
            Some(others)
        }
        None if against.is_empty() => None,
        None => Some(gather(&against, &Patterns::default(), &mut faults)?),
    };
    let mut routed = route(inputs, others, &options, request);
    let files = faults.iter().filter(|fault| fault.is_file()).count();
    routed.unreadable += documents(&faults);
    for fault in faults {
        let diagnostic = fault.diagnostic(&mut routed.sources);
        routed.diagnostics.push(diagnostic);
    }
    // Without what is missing the way may be another one.
    routed.diagnostics.retain(blinds);
    Terminal::data(&said(&routed, format))?;
    let found = render(
        Format::Full,
        &routed.sources,
        &routed.diagnostics,
        terminal.color(),
    );
    terminal.message(&found);
    Ok(Exit::of(files > 0, routed.unreadable > 0, !routed.agrees()))
}

fn said(routed: &Routed, format: TextOrJson) -> String {
    match format {
        TextOrJson::Text => routed.text(),
        TextOrJson::Json => routed.json(),
    }
}

fn gather(
    paths: &[PathBuf],
    exclude: &Patterns,
    faults: &mut Vec<ReadFault>,
) -> Result<Vec<Input>, Fault> {
    let Discovery {
        sources,
        faults: unfound,
    } = discover(paths, exclude, &[])?;
    let (inputs, unread) = read(&sources);
    let empty = |input: &Input| input.name == STDIN && holds_nothing(&input.text);
    if unread.is_empty() && inputs.iter().any(empty) {
        return Err(Fault::new("stdin holds no document")
            .help("see whether the command before the pipe works"));
    }
    faults.extend(unfound);
    faults.extend(unread);
    Ok(inputs)
}

/// Whether a finding is about something that could not be seen.
fn blinds(found: &Diagnostic) -> bool {
    let number = found.code.info().number;
    number < 200
        || number / 10 == 95
        || matches!(
            found.code,
            Code::IngressNotFound | Code::UnreadableFile | Code::NotUtf8 | Code::NoInputFile
        )
}

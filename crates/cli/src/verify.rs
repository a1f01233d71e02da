//! `verify`: from files on both sides to a verdict on stdout.

use std::path::{Path, PathBuf};

use gatewright_diagnostics::render::{Format, render};
use gatewright_diagnostics::{Diagnostic, Severity};
use gatewright_transpile::{Input, Verified};

use crate::args::{ReportArg, VerifyArgs, WriteArgs};
use crate::config::{Failure, File};
use crate::convert::{Run, documents, fails, format, pool};
use crate::discover::{Discovery, discover};
use crate::exit::{Exit, Fault};
use crate::live::Gathered;
use crate::output::Terminal;
use crate::read::{ReadFault, STDIN, read};
use crate::{progress, write};

/// `gatewright verify`.
pub(crate) fn run(
    terminal: &Terminal,
    args: VerifyArgs,
    config: Option<File>,
) -> Result<Exit, Failure> {
    let VerifyArgs { run, against } = args;
    let run = Run::new(run, &WriteArgs::default(), config)?;
    let dash = |paths: &[PathBuf]| paths.iter().any(|path| path == Path::new("-"));
    if dash(&run.paths) && dash(&against) {
        return Err(Fault::new("stdin cannot be both sides")
            .help("write one of them to a file, and name that")
            .into());
    }
    pool(run.options.threads);
    let show = !run.findings.quiet && Terminal::interactive();
    let target = run.live_target(&against)?;
    let Gathered {
        inputs,
        mut faults,
        options,
    } = left(&run, show)?;
    let others = if let Some(session) = target {
        let (others, more) = progress::during(show, reading(), || session.right(&options, None))?;
        if others.is_empty() {
            return Err(Fault::new("the cluster holds no object of Gateway API to compare with")
                .help("write the output of `convert` to a file and compare with that, `--against FILE`; or apply it first")
                .into());
        }
        faults.extend(more);
        Some(others)
    } else if against.is_empty() {
        None
    } else {
        let (others, more) = gather(&run, &against)?;
        if others.iter().all(|other| other.text.trim().is_empty()) && more.is_empty() {
            return Err(Fault::new("`--against` holds no object")
                .help("name files with Gateway API objects")
                .into());
        }
        faults.extend(more);
        Some(others)
    };
    let message = format!("reading and comparing {} files", inputs.len());
    let mut verified = progress::during(show, message, || {
        gatewright_transpile::verify(inputs, others, &options)
    });
    let unreadable_files = faults.iter().filter(|fault| fault.is_file()).count();
    verified.unreadable += documents(&faults);
    // What could not be read makes the rest of doubtful worth.
    let unread =
        |found: &&Diagnostic| found.severity == Severity::Error && found.code.info().number < 300;
    let found = verified
        .conversion
        .diagnostics
        .iter()
        .filter(unread)
        .cloned();
    let mut diagnostics: Vec<Diagnostic> = found.collect();
    diagnostics.append(&mut verified.diagnostics);
    for fault in faults {
        diagnostics.push(fault.diagnostic(&mut verified.sources));
    }
    verified.diagnostics = diagnostics;
    report(terminal, &run, &verified)?;
    Ok(Exit::of(
        unreadable_files > 0,
        verified.unreadable > 0,
        fails(&run.settings, &verified.diagnostics),
    ))
}

fn reading() -> String {
    "reading the cluster".to_owned()
}

/// The Ingresses, of files or of a cluster.
pub(crate) fn left(run: &Run, show: bool) -> Result<Gathered, Failure> {
    if let Some(session) = run.live_input() {
        return progress::during(show, reading(), || session.left(&run.options));
    }
    let (inputs, faults) = gather(run, &run.paths)?;
    Ok(Gathered {
        inputs,
        faults,
        options: run.options.clone(),
    })
}

fn gather(run: &Run, paths: &[PathBuf]) -> Result<(Vec<Input>, Vec<ReadFault>), Fault> {
    let reports = run.findings.report.iter();
    let outputs: Vec<_> = reports
        .filter_map(|report| report.file.as_deref())
        .collect();
    let Discovery {
        sources,
        mut faults,
    } = discover(paths, &run.exclude, &outputs)?;
    let (inputs, unread) = read(&sources);
    faults.extend(unread);
    let silent = |input: &Input| input.name == STDIN && input.text.trim().is_empty();
    if inputs.iter().any(silent) {
        return Err(Fault::new("stdin holds no document")
            .help("see whether the command before the pipe works"));
    }
    Ok((inputs, faults))
}

fn report(terminal: &Terminal, run: &Run, verified: &Verified) -> Result<(), Fault> {
    for ReportArg { format, file } in &run.findings.report {
        let text = rendered(verified, *format, false);
        match file {
            Some(path) => write::write(path, &text)?,
            None => Terminal::data(&text)?,
        }
    }
    let format = format(&run.settings);
    if format.is_document() || format == Format::Json {
        return Terminal::data(&rendered(verified, format, false));
    }
    // Findings are long; the verdicts stand behind them, where a terminal ends.
    terminal.message(&rendered(verified, format, terminal.color()));
    Terminal::data(&verified.table(run.findings.quiet))
}

fn rendered(verified: &Verified, format: Format, color: bool) -> String {
    match format {
        Format::Json => verified.report_json(),
        _ => render(format, &verified.sources, &verified.diagnostics, color),
    }
}

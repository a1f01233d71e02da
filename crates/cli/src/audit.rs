//! `gatewright audit`: the report about an input.

use gatewright_diagnostics::Severity;
use gatewright_diagnostics::render::{Format, render};

use crate::args::{AuditArgs, AuditFormat, FindingArgs, RunArgs, WriteArgs};
use crate::config::{Failure, File};
use crate::convert::{Outcome, Run};
use crate::exit::Exit;
use crate::output::Terminal;
use crate::write;

/// `gatewright audit`.
pub(crate) fn run(
    terminal: &Terminal,
    args: AuditArgs,
    config: Option<File>,
) -> Result<Exit, Failure> {
    let AuditArgs {
        input,
        format,
        output,
    } = args;
    let run = RunArgs {
        input,
        findings: FindingArgs {
            quiet: output.is_none(),
            ..FindingArgs::default()
        },
        ..RunArgs::default()
    };
    let mut run = Run::new(run, &WriteArgs::default(), config)?;
    run.one_side()?;
    if let Some(session) = &mut run.live {
        session.survey();
    }
    let Outcome {
        conversion,
        unreadable_files,
    } = run.convert(output.as_deref())?;
    let report = gatewright_transpile::audit::audit(&conversion);
    let text = match format {
        AuditFormat::Text => report.text(),
        AuditFormat::Markdown => report.markdown(),
        AuditFormat::Json => report.json(),
        AuditFormat::Html => report.html(&conversion),
    };
    match &output {
        Some(path) => write::write(path, &text)?,
        None => Terminal::data(&text)?,
    }
    // What is in the report is not said twice; what is missing from it is.
    let missing: Vec<_> = conversion
        .diagnostics
        .iter()
        .filter(|found| {
            let number = found.code.info().number;
            found.severity >= Severity::Warning && !(200..900).contains(&number)
        })
        .cloned()
        .collect();
    let sources = &conversion.sources;
    terminal.message(&render(Format::Full, sources, &missing, terminal.color()));
    Ok(Exit::of(
        unreadable_files > 0,
        conversion.unreadable > 0,
        false,
    ))
}

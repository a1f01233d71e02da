//! `convert` and `check`: from arguments over files to streams and an exit code.

use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};

use gatewright_diagnostics::render::{Format, render};
use gatewright_diagnostics::{Code, Diagnostic, Severity};
use gatewright_transpile::{Conversion, Options};
use rayon::prelude::*;

use crate::args::{
    CheckArgs, ConvertArgs, FailOn, FindingArgs, InputArgs, LayoutArg, ReportArg, RunArgs,
    WriteArgs,
};
use crate::config::{Day, Failure, File, Settings, apply, keys};
use crate::discover::{Discovery, Patterns, discover};
use crate::exit::{Exit, Fault};
use crate::live::{Gathered, Session};
use crate::output::Terminal;
use crate::read::{ReadFault, STDIN, read};
use crate::{layout, owned, progress, summary, write};

/// `gatewright convert`.
pub(crate) fn convert(
    terminal: &Terminal,
    args: ConvertArgs,
    config: Option<File>,
) -> Result<Exit, Failure> {
    let ConvertArgs {
        run,
        writing,
        output,
        force,
    } = args;
    let reports_to_stdout = run
        .findings
        .report
        .iter()
        .any(|report| report.file.is_none());
    if output.is_none() && reports_to_stdout {
        return Err(Fault::new("stdout cannot take both YAML and a report")
            .help("name a file with `--output` or `--report FORMAT=FILE`")
            .into());
    }
    let run = Run::new(run, &writing, config)?;
    run.one_side()?;
    let layout = keys::choice(run.settings.value("layout")).unwrap_or(LayoutArg::Stream);
    let kustomization = run.settings.value("kustomization").flag();
    if layout == LayoutArg::Stream {
        // What the configuration says holds for the layouts that it is about.
        if writing.kustomization == Some(true) {
            return Err(
                Fault::new("a kustomization.yaml names files, and one stream is none")
                    .help("choose another `--layout`")
                    .into(),
            );
        }
        let outcome = run.convert(output.as_deref())?;
        // Who reads the output may be slow.
        let (secrets, told) = rayon::join(
            || stream(&outcome.conversion, output.as_deref()),
            || run.told(terminal, &outcome.conversion),
        );
        return run.report(terminal, outcome, told, secrets?.as_deref());
    }
    let Some(directory) = output else {
        return Err(Fault::new("this layout writes several files")
            .help("name a directory for them with `--output DIR`, or choose `--layout stream`")
            .into());
    };
    if directory.is_file() {
        return Err(Fault::new(format!("`{}` is a file", directory.display()))
            .help("name a directory with `--output DIR`, or choose `--layout stream`")
            .into());
    }
    if run.live.is_some() && layout == LayoutArg::Tree {
        return Err(Fault::new(
            "`--layout tree` repeats the tree of the input files, and a cluster has none",
        )
        .help("choose another one, such as `--layout ingress`")
        .into());
    }
    let outcome = run.convert_and(None, |conversion| {
        let files = layout::plan(conversion, layout, kustomization);
        let inputs = conversion.sources.iter().map(|(_, file)| file.name());
        let stale = layout::write(&directory, &files, force, inputs)?;
        conversion.diagnostics.extend(stale);
        Ok(())
    })?;
    let told = run.told(terminal, &outcome.conversion);
    run.report(terminal, outcome, told, None)
}

/// Writes all objects into one file, and what nobody should read beside it; returns where.
fn stream(conversion: &Conversion, output: Option<&Path>) -> Result<Option<PathBuf>, Fault> {
    match output {
        // Who reviews and commits the rest has no need of these.
        Some(path) if write::is_file(path) => {
            let (plain, sensitive) = conversion.apart();
            let mut secrets = None;
            if !sensitive.is_empty() {
                let beside = write::secrets(path);
                write::write_secret(&beside, &sensitive)?;
                secrets = Some(beside);
            }
            write::write(path, &plain)?;
            Ok(secrets)
        }
        Some(path) => write::write(path, &conversion.output.to_string()).map(|()| None),
        None => Terminal::pieces(conversion.output.pieces()).map(|()| None),
    }
}

/// `gatewright check`.
pub(crate) fn check(
    terminal: &Terminal,
    args: CheckArgs,
    config: Option<File>,
) -> Result<Exit, Failure> {
    let run = Run::new(args.run, &WriteArgs::default(), config)?;
    run.one_side()?;
    let outcome = run.convert(None)?;
    let told = run.told(terminal, &outcome.conversion);
    run.report(terminal, outcome, told, None)
}

/// A conversion that is to be made.
pub(crate) struct Run {
    /// Empty where only a cluster is read.
    pub(crate) paths: Vec<std::path::PathBuf>,
    /// The cluster, if one is read.
    pub(crate) live: Option<Session>,
    pub(crate) exclude: Patterns,
    pub(crate) settings: Settings,
    pub(crate) findings: FindingArgs,
    pub(crate) options: Options,
}

/// A conversion with what happened on the way to it.
pub(crate) struct Outcome {
    pub(crate) conversion: Conversion,
    pub(crate) unreadable_files: usize,
}

/// Sets the number of threads that all work is shared among. This one is among them, as each has
/// memory of its own.
pub(crate) fn pool(threads: Option<usize>) {
    // Fails only when a pool exists already, which then has this size.
    let _ = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.unwrap_or_default())
        .use_current_thread()
        .build_global();
}

impl Run {
    pub(crate) fn new(
        args: RunArgs,
        writing: &WriteArgs,
        config: Option<File>,
    ) -> Result<Self, Failure> {
        let settings = Settings::new(config, &args, writing);
        let InputArgs {
            paths: given,
            filename,
            live,
            selection,
            ..
        } = &args.input;
        let paths = if live.cluster && given.is_empty() && filename.is_empty() {
            Vec::new()
        } else {
            settings.paths()
        };
        if paths.is_empty() && !live.cluster {
            return Err(Fault::new("no path is given")
                .help("give files, directories, globs, or `-` for stdin, set `paths` in gatewright.toml, or read a cluster with `--cluster`")
                .into());
        }
        let exclude = settings.exclude()?;
        let mut options = settings.options()?;
        let live = if live.cluster {
            let wanted = options.namespace.take();
            let session = Session::open(live, selection.all_namespaces, wanted.clone())?;
            // Files need not be of the namespace of a context.
            options.namespace = if paths.is_empty() {
                session.namespace()
            } else {
                wanted
            };
            Some(session)
        } else {
            None
        };
        Ok(Self {
            paths,
            live,
            exclude,
            options,
            findings: args.findings,
            settings,
        })
    }

    /// What has one side reads files or a cluster.
    pub(crate) fn one_side(&self) -> Result<(), Fault> {
        if self.live.is_none() || self.paths.is_empty() {
            return Ok(());
        }
        Err(
            Fault::new("paths and `--cluster` cannot both be converted").help(
                "leave out one of them; `diff`, `verify` and `route` compare files with a cluster",
            ),
        )
    }

    /// The cluster, if the Ingresses come from it.
    pub(crate) fn live_input(&self) -> Option<&Session> {
        self.live.as_ref().filter(|_| self.paths.is_empty())
    }

    /// The cluster, if it is what the input is compared with.
    pub(crate) fn live_target(&self, against: &[PathBuf]) -> Result<Option<&Session>, Fault> {
        if against.is_empty() {
            return Ok(self.live.as_ref());
        }
        if self.live.is_some() && !self.paths.is_empty() {
            return Err(
                Fault::new("paths, `--against` and `--cluster` are three sides")
                    .help("leave out one of them"),
            );
        }
        Ok(None)
    }

    pub(crate) fn convert(&self, output: Option<&Path>) -> Result<Outcome, Failure> {
        self.convert_and(output, |_| Ok(()))
    }

    /// Converts; `finish` comes before what the configuration says about findings.
    fn convert_and(
        &self,
        output: Option<&Path>,
        finish: impl FnOnce(&mut Conversion) -> Result<(), Fault>,
    ) -> Result<Outcome, Failure> {
        pool(self.options.threads);
        let show = !self.findings.quiet && Terminal::interactive();
        if let Some(session) = self.live_input() {
            let message = "reading the cluster".to_owned();
            let gathered = progress::during(show, message, || session.left(&self.options))?;
            let Gathered {
                inputs,
                faults,
                options,
            } = gathered;
            let message = format!("converting {} objects", inputs.len());
            let conversion = progress::during(show, message, || {
                gatewright_transpile::convert(inputs, &options)
            });
            return self.finish(conversion, faults, None, finish);
        }
        let reports = self
            .findings
            .report
            .iter()
            .filter_map(|r| r.file.as_deref());
        let secrets = output.map(write::secrets);
        let outputs: Vec<_> = (output.into_iter())
            .chain(secrets.as_deref())
            .chain(reports)
            .collect();
        let Discovery {
            sources,
            mut faults,
        } = discover(&self.paths, &self.exclude, &outputs)?;
        let nothing = sources.is_empty() && faults.is_empty();
        let message = format!("reading and converting {} files", sources.len());
        let mut empty_stdin = false;
        let mut conversion = progress::during(show, message, || {
            let (mut inputs, unread) = read(&sources);
            // A directory may hold what an earlier run wrote.
            inputs.retain(|input| !owned::is_written(&input.text));
            empty_stdin = unread.is_empty()
                && inputs
                    .iter()
                    .any(|input| input.name == STDIN && holds_nothing(&input.text));
            faults.extend(unread);
            gatewright_transpile::convert(inputs, &self.options)
        });
        conversion.unreadable += documents(&faults);
        let absent = if empty_stdin {
            Some(nothing_piped())
        } else if nothing {
            Some(no_input_file())
        } else if faults.is_empty() && conversion.unreadable == 0 {
            Some(no_document()).filter(|_| conversion.summary.documents == 0)
        } else {
            None
        };
        self.finish(conversion, faults, absent, finish)
    }

    /// Adds what reading brought up, and what the configuration says about findings.
    fn finish(
        &self,
        mut conversion: Conversion,
        faults: Vec<ReadFault>,
        absent: Option<Diagnostic>,
        finish: impl FnOnce(&mut Conversion) -> Result<(), Fault>,
    ) -> Result<Outcome, Failure> {
        let unreadable_files = faults.iter().filter(|fault| fault.is_file()).count();
        if conversion.summary.ingresses == 0 && faults.iter().any(ReadFault::is_no_ingress) {
            // It says where to look, too.
            let told = &mut conversion.diagnostics;
            told.retain(|found| found.code != Code::IngressNotFound);
        }
        add(&mut conversion, faults, absent);
        finish(&mut conversion)?;
        recount(&mut conversion);
        if let Some(config) = &self.settings.file {
            let Conversion {
                sources,
                diagnostics,
                ..
            } = &mut conversion;
            apply(config, sources, diagnostics, Day::today());
            recount(&mut conversion);
        }
        Ok(Outcome {
            conversion,
            unreadable_files,
        })
    }

    /// The findings as text, for stderr and for the reports.
    fn told(&self, terminal: &Terminal, conversion: &Conversion) -> Told {
        let reports = self.findings.report.iter();
        Told {
            reports: reports
                .map(|report| rendered(conversion, report.format, false))
                .collect(),
            findings: rendered(conversion, format(&self.settings), terminal.color()),
        }
    }

    fn report(
        &self,
        terminal: &Terminal,
        outcome: Outcome,
        told: Told,
        secrets: Option<&Path>,
    ) -> Result<Exit, Failure> {
        // The process ends here, and all memory with it.
        let Outcome {
            conversion,
            unreadable_files,
        } = &*ManuallyDrop::new(outcome);
        let FindingArgs { report, quiet, .. } = &self.findings;
        for (ReportArg { file, .. }, text) in report.iter().zip(&told.reports) {
            match file {
                Some(path) => write::write(path, text)?,
                None => Terminal::data(text)?,
            }
        }
        let mut text = told.findings;
        if !format(&self.settings).is_document() && !quiet {
            let Conversion {
                summary,
                prerequisites,
                unreadable,
                ..
            } = conversion;
            text.push_str(&summary::text(summary, prerequisites, *unreadable, secrets));
        }
        terminal.message(&text);
        let findings = fails(&self.settings, &conversion.diagnostics);
        Ok(Exit::of(
            *unreadable_files > 0,
            conversion.unreadable > 0,
            findings,
        ))
    }
}

/// What is to be said of a conversion.
struct Told {
    /// Of each report that is asked for.
    reports: Vec<String>,
    findings: String,
}

/// How many documents could not be read.
pub(crate) fn documents(faults: &[ReadFault]) -> usize {
    faults.iter().filter(|fault| fault.is_document()).count()
}

/// The format of the findings on stderr.
pub(crate) fn format(settings: &Settings) -> Format {
    keys::format(settings.value("format")).unwrap_or(Format::Full)
}

/// Whether findings make the exit code 1.
pub(crate) fn fails(settings: &Settings, diagnostics: &[Diagnostic]) -> bool {
    let fail_on = keys::choice(settings.value("fail-on")).unwrap_or(FailOn::Error);
    let mut all = diagnostics.iter();
    all.any(|diagnostic| fail_on.reached_by(diagnostic.severity))
}

/// Whether a text has no document: a command that failed before the pipe wrote it.
pub(crate) fn holds_nothing(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').lines().all(|line| {
        let line = line.trim();
        line.is_empty() || line.starts_with('#') || line == "---"
    })
}

fn nothing_piped() -> Diagnostic {
    Diagnostic::new(Code::IngressNotFound, "stdin holds no document")
        .severity(Severity::Error)
        .note("a command that fails writes nothing, and the shell goes by the last one of a pipe")
        .help("see whether the command before the pipe works; `set -o pipefail` has the shell look")
}

fn no_input_file() -> Diagnostic {
    Diagnostic::new(Code::NoInputFile, "the paths hold no YAML or JSON file")
        .help("name a file itself to have it read whatever it is called")
}

fn no_document() -> Diagnostic {
    Diagnostic::new(Code::IngressNotFound, "the input holds no document")
        .help("name the files or directories that hold Ingresses")
}

/// Adds what reading the files brought up to what converting them did.
fn add(conversion: &mut Conversion, faults: Vec<ReadFault>, absent: Option<Diagnostic>) {
    conversion.diagnostics.extend(absent);
    for fault in faults {
        let diagnostic = fault.diagnostic(&mut conversion.sources);
        conversion.diagnostics.push(diagnostic);
    }
}

/// Sorts and counts the findings anew.
fn recount(conversion: &mut Conversion) {
    Diagnostic::sort(&mut conversion.diagnostics);
    let count = |severity| {
        let all = conversion.diagnostics.iter();
        all.filter(|diagnostic| diagnostic.severity == severity)
            .count()
    };
    conversion.summary.errors = count(Severity::Error);
    conversion.summary.warnings = count(Severity::Warning);
    conversion.summary.infos = count(Severity::Info);
}

fn rendered(conversion: &Conversion, format: Format, color: bool) -> String {
    match format {
        // The account of the whole run, not only of what was found.
        Format::Json => conversion.report_json(),
        // The costly one, 16 µs a diagnostic; each stands alone, so they share the work.
        Format::Full => conversion
            .diagnostics
            .par_chunks(64)
            .map(|some| render(format, &conversion.sources, some, color))
            .collect(),
        _ => render(format, &conversion.sources, &conversion.diagnostics, color),
    }
}

//! `gatewright sync`: the outputs that `gatewright.toml` names, written or compared.
//!
//! A mapping is one conversion: its inputs are read together, as ingress-nginx merges
//! Ingresses of all files, and the objects are handed out afterwards. Everything is planned
//! before anything is written.

mod target;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use gatewright_diagnostics::render::render;
use gatewright_diagnostics::{Code, Diagnostic};
use gatewright_source::{FileId, SourceMap, Span};
use gatewright_transpile::{Conversion, Input, Written};
use similar::TextDiff;

use crate::args::{EmitArg, InputArgs, ReportArg, RunArgs, SyncArgs, TargetArgs, WriteArgs};
use crate::config::{Day, File, Settings, apply, span};
use crate::convert::{fails, format, pool};
use crate::discover::{Discovery, below, discover, shown};
use crate::exit::{Exit, Fault};
use crate::output::Terminal;
use crate::owned::{Standing, header, is_written, look, written};
use crate::read::{ReadFault, plain, read};
use crate::write;

pub(crate) use target::Target;

/// An entry of `[[sync]]`.
#[derive(Debug)]
pub(crate) struct Mapping {
    pub(crate) from: Vec<String>,
    pub(crate) from_at: Range<usize>,
    pub(crate) target: Target,
    pub(crate) to_at: Range<usize>,
    /// `None` for what holds everywhere.
    pub(crate) emit: Option<EmitArg>,
}

/// `gatewright sync`.
pub(crate) fn run(
    terminal: &Terminal,
    args: SyncArgs,
    config: Option<File>,
) -> Result<Exit, Fault> {
    let SyncArgs {
        check,
        exit_non_zero_on_change,
        threads,
        profile,
        findings,
    } = args;
    let reports_to_stdout = findings.report.iter().any(|report| report.file.is_none());
    if check && reports_to_stdout {
        return Err(Fault::new("stdout cannot take both the diff and a report")
            .help("name a file with `--report FORMAT=FILE`"));
    }
    let run = RunArgs {
        input: InputArgs {
            threads,
            ..InputArgs::default()
        },
        target: TargetArgs {
            profile,
            ..TargetArgs::default()
        },
        findings,
    };
    let settings = Settings::new(config, &run, &WriteArgs::default());
    let Some(file) = &settings.file else {
        return Err(Fault::new("there is no gatewright.toml here or above")
            .help("`[[sync]]` in it says what to write; `--config FILE` names one elsewhere"));
    };
    if file.entries.sync.is_empty() {
        return Err(Fault::new(format!("`{}` has no `[[sync]]`", file.name))
            .help("add a mapping with `from` and `to`"));
    }
    pool(threads);
    let mut plan = Plan::new(&settings, file);
    for mapping in &file.entries.sync {
        plan.mapping(mapping)?;
    }
    let changes = plan.changes()?;
    let Plan {
        mut sources,
        mut diagnostics,
        unreadable_files,
        unreadable_documents,
        blocked,
        ..
    } = plan;
    apply(file, &mut sources, &mut diagnostics, Day::today());
    Diagnostic::sort(&mut diagnostics);
    let changed = !blocked && !changes.list.is_empty();
    let mut log = String::new();
    if check && !blocked {
        Terminal::data(&changes.diff())?;
        log = changes.verdict();
    } else if !blocked {
        log = changes.write()?;
    }
    for ReportArg { format, file } in &run.findings.report {
        let text = render(*format, &sources, &diagnostics, false);
        match file {
            Some(path) => write::write(path, &text)?,
            None => Terminal::data(&text)?,
        }
    }
    let format = format(&settings);
    let mut text = render(format, &sources, &diagnostics, terminal.color());
    if !format.is_document() && !run.findings.quiet {
        text.push_str(&log);
    }
    terminal.message(&text);
    let failed = fails(&settings, &diagnostics) || changed && (check || exit_non_zero_on_change);
    Ok(Exit::of(
        blocked || unreadable_files,
        unreadable_documents,
        failed,
    ))
}

/// All that is to be written, and all there is to say about it.
struct Plan<'a> {
    settings: &'a Settings,
    file: &'a File,
    /// The absolute path of the configuration.
    config: PathBuf,
    sources: SourceMap,
    /// Texts that `sources` holds, so that a file of several mappings is there once.
    known: BTreeMap<(String, String), FileId>,
    diagnostics: Vec<Diagnostic>,
    /// Outputs as seen from the configuration, with the mapping of each.
    outputs: BTreeMap<PathBuf, Output<'a>>,
    /// Mappings whose outputs stay as they are.
    left: bool,
    unreadable_files: bool,
    unreadable_documents: bool,
    /// Something has no place: nothing is written.
    blocked: bool,
}

/// The inputs of a mapping, and what of them could not be read.
type Texts = (Vec<Input>, Vec<ReadFault>);

struct Output<'a> {
    mapping: &'a Mapping,
    text: String,
    /// It holds Secrets.
    sensitive: bool,
}

impl<'a> Plan<'a> {
    fn new(settings: &'a Settings, file: &'a File) -> Self {
        let name = Path::new(&file.name).file_name().unwrap_or_default();
        Self {
            settings,
            file,
            config: file.entries.directory.join(name),
            sources: SourceMap::default(),
            known: BTreeMap::new(),
            diagnostics: Vec::new(),
            outputs: BTreeMap::new(),
            left: false,
            unreadable_files: false,
            unreadable_documents: false,
            blocked: false,
        }
    }

    fn mapping(&mut self, mapping: &'a Mapping) -> Result<(), Fault> {
        let Some((inputs, faults)) = self.inputs(mapping)? else {
            self.left = true;
            return Ok(());
        };
        let files = faults.iter().any(ReadFault::is_file);
        let mut unread = !faults.is_empty();
        self.unreadable_files |= files;
        self.unreadable_documents |= faults.iter().any(ReadFault::is_document);
        let mut options = self.settings.options()?;
        if let Some(emit) = mapping.emit {
            options.emit = emit.into();
        }
        let mut conversion = gatewright_transpile::convert(inputs, &options);
        for fault in faults {
            let diagnostic = fault.diagnostic(&mut conversion.sources);
            conversion.diagnostics.push(diagnostic);
        }
        self.unreadable_documents |= conversion.unreadable > 0;
        unread |= conversion.unreadable > 0;
        if !unread {
            self.hand_out(mapping, &conversion);
        }
        self.adopt(conversion);
        if unread {
            self.left = true;
            self.about(
                Code::SyncUnread,
                "the outputs of this mapping are left as they are",
                &mapping.from_at,
                "some of its input cannot be read",
                "mend the input; the other findings say where",
            );
        }
        Ok(())
    }

    /// The inputs of a mapping; none when a pattern finds nothing.
    fn inputs(&mut self, mapping: &Mapping) -> Result<Option<Texts>, Fault> {
        let exclude = self.settings.exclude()?;
        let mut paths = Vec::new();
        let mut missing = Vec::new();
        for from in &mapping.from {
            let path = self.file.path(from);
            // A pattern that finds nothing is a slip, and would empty the outputs.
            match discover(std::slice::from_ref(&path), &exclude, &[]) {
                Ok(found) if found.sources.is_empty() && found.faults.is_empty() => {
                    missing.push(from.as_str());
                }
                Ok(_) => paths.push(path),
                Err(_) => missing.push(from.as_str()),
            }
        }
        let (mut inputs, mut faults) = (Vec::new(), Vec::new());
        if missing.is_empty() {
            let Discovery {
                sources,
                faults: unfound,
            } = discover(&paths, &exclude, &[])?;
            (inputs, faults) = read(&sources);
            faults.extend(unfound);
            // A directory may hold the outputs beside the inputs.
            inputs.retain(|input| !is_written(&input.text));
        }
        if missing.is_empty() && (!inputs.is_empty() || !faults.is_empty()) {
            return Ok(Some((inputs, faults)));
        }
        // Whatever `--fail-on` says: nobody knows what the outputs should be.
        self.unreadable_files = true;
        let message = if missing.is_empty() {
            "the mapping has no input".to_owned()
        } else {
            format!("`from` finds nothing: {}", missing.join(", "))
        };
        self.about(
            Code::SyncUnread,
            message,
            &mapping.from_at,
            "the outputs of this mapping are left as they are",
            "correct the patterns, or remove the mapping, which removes its outputs",
        );
        Ok(None)
    }

    /// Gives every document its output.
    fn hand_out(&mut self, mapping: &'a Mapping, conversion: &Conversion) {
        let directory = &self.file.entries.directory;
        let mut texts: BTreeMap<PathBuf, String> = BTreeMap::new();
        let mut lost: BTreeSet<String> = BTreeSet::new();
        let mut secrets: BTreeSet<PathBuf> = BTreeSet::new();
        let plain = || mapping.target.expand(Path::new(""));
        // No object of a route serves all files, but none may be lost if one did.
        let all = conversion.written.iter().flat_map(|written| &written.files);
        let first = all.map(|file| conversion.sources.file(*file).name()).min();
        for written in &conversion.written {
            let Written {
                files, sensitive, ..
            } = written;
            let names = files
                .iter()
                .map(|file| conversion.sources.file(*file).name());
            // What several files need goes to the first.
            let place = if mapping.target.is_split() {
                names.min().or(first).and_then(|name| {
                    let input = below(directory, Path::new(name));
                    let place = input.and_then(|input| mapping.target.expand(&input));
                    if place.is_none() {
                        lost.insert(name.to_owned());
                    }
                    place
                })
            } else {
                plain()
            };
            let Some(place) = place else { continue };
            let place = if *sensitive {
                secrets.insert(write::secrets(&place));
                write::secrets(&place)
            } else {
                place
            };
            let text = texts.entry(place).or_default();
            if !text.is_empty() {
                text.push_str("---\n");
            }
            text.push_str(conversion.output.document(written));
        }
        for name in lost {
            self.blocked = true;
            self.about(
                Code::SyncTarget,
                format!("`to` has no place for what comes from `{name}`"),
                &mapping.to_at,
                "the file has no such directory",
                "write `{file}`, or convert the file with a mapping of its own",
            );
        }
        for (place, text) in texts {
            let name = Path::new(&self.file.name).file_name().unwrap_or_default();
            let text = header(&place, Path::new(name)) + &text;
            let sensitive = secrets.contains(&place);
            let output = Output {
                mapping,
                text,
                sensitive,
            };
            if let Some(before) = self.outputs.insert(place.clone(), output) {
                self.blocked = true;
                let file = self.configuration();
                let diagnostic = Diagnostic::new(
                    Code::SyncTarget,
                    format!("two mappings write `{}`", shown(&place)),
                )
                .label(span(file, &mapping.to_at), "this one")
                .label(span(file, &before.mapping.to_at), "and this one")
                .help("convert their inputs with one mapping, or choose another `to`");
                self.diagnostics.push(diagnostic);
            }
        }
    }

    /// Takes the findings of a conversion, with the texts that they point into.
    fn adopt(&mut self, conversion: Conversion) {
        let Conversion {
            sources,
            mut diagnostics,
            ..
        } = conversion;
        let ids: Vec<FileId> = sources
            .iter()
            .map(|(_, file)| self.text(file.name(), file.text()))
            .collect();
        for label in diagnostics.iter_mut().flat_map(|found| &mut found.labels) {
            let Span { file, start, end } = label.span;
            let file = ids.get(file.0 as usize).copied().unwrap_or(file);
            label.span = Span::new(file, start, end);
        }
        self.diagnostics.append(&mut diagnostics);
    }

    fn text(&mut self, name: &str, text: &str) -> FileId {
        let key = (name.to_owned(), text.to_owned());
        let sources = &mut self.sources;
        *self
            .known
            .entry(key)
            .or_insert_with(|| sources.add(name, text))
    }

    fn configuration(&mut self) -> FileId {
        let file = self.file;
        self.text(&file.name, file.text())
    }

    fn about(
        &mut self,
        code: Code,
        message: impl Into<String>,
        at: &Range<usize>,
        label: &str,
        help: &str,
    ) {
        let file = self.configuration();
        let diagnostic = Diagnostic::new(code, message)
            .label(span(file, at), label)
            .help(help);
        self.diagnostics.push(diagnostic);
    }

    /// Compares what is to be written with what stands there.
    fn changes(&mut self) -> Result<Changes, Fault> {
        let mut changes = Changes::default();
        let outputs = std::mem::take(&mut self.outputs);
        for (place, output) in &outputs {
            let Output {
                mapping,
                text,
                sensitive,
            } = output;
            let path = self.file.root.join(place);
            let standing = look(&path, &self.config).map_err(|error| {
                Fault::new(format!("cannot read `{}`: {}", shown(&path), plain(&error)))
            })?;
            let old = match standing {
                Standing::Nothing => None,
                Standing::Ours(old) => Some(old),
                Standing::Foreign => {
                    self.blocked = true;
                    self.about(
                        Code::SyncForeign,
                        format!("`{}` was not written by `gatewright sync`", shown(&path)),
                        &mapping.to_at,
                        "nothing is written",
                        "move the file away or delete it, or choose another `to`",
                    );
                    continue;
                }
            };
            if old.as_ref() == Some(text) {
                changes.unchanged += 1;
            } else {
                let (place, new) = (place.clone(), Some(text.clone()));
                changes.list.push(Change {
                    place,
                    path,
                    old,
                    new,
                    sensitive: *sensitive,
                });
            }
        }
        // What could not be read may belong to any file that is not among the outputs.
        if !self.left {
            for place in written(&self.file.root, &self.config) {
                if !outputs.contains_key(&place) {
                    let path = self.file.root.join(&place);
                    let old = fs::read_to_string(&path).ok();
                    let new = None;
                    let sensitive = holds_secrets(&place);
                    changes.list.push(Change {
                        place,
                        path,
                        old,
                        new,
                        sensitive,
                    });
                }
            }
        }
        changes.list.sort_by(|a, b| a.place.cmp(&b.place));
        Ok(changes)
    }
}

#[derive(Default)]
struct Changes {
    list: Vec<Change>,
    unchanged: usize,
}

/// A file that is to be written or, without new text, removed.
struct Change {
    /// As seen from the configuration.
    place: PathBuf,
    /// As seen from the working directory.
    path: PathBuf,
    old: Option<String>,
    new: Option<String>,
    /// Nobody should read its text in a log.
    sensitive: bool,
}

/// Whether a file is one that [`write::secrets`] names.
fn holds_secrets(path: &Path) -> bool {
    let stem = Path::new(path.file_stem().unwrap_or_default());
    stem.extension().is_some_and(|end| end == "secrets")
        || path.extension().is_some_and(|end| end == "secrets")
}

impl Changes {
    /// What would change, as `diff -u` says it in the directory of the configuration.
    fn diff(&self) -> String {
        let mut text = String::new();
        for Change {
            place,
            old,
            new,
            sensitive,
            ..
        } in &self.list
        {
            let name = shown(place);
            let label = |side: &str, content: &Option<String>| match content {
                Some(_) => format!("{side}/{name}"),
                None => "/dev/null".to_owned(),
            };
            if *sensitive {
                let (old, new) = (label("a", old), label("b", new));
                let _ = writeln!(text, "Secrets {old} and {new} differ");
                continue;
            }
            let old_text = old.as_deref().unwrap_or_default();
            let new_text = new.as_deref().unwrap_or_default();
            let diff = TextDiff::from_lines(old_text, new_text);
            let _ = write!(
                text,
                "{}",
                diff.unified_diff()
                    .context_radius(3)
                    .header(&label("a", old), &label("b", new))
            );
        }
        text
    }

    fn verdict(&self) -> String {
        match self.list.len() {
            0 => format!("{} up to date\n", files(self.unchanged)),
            number => format!(
                "{} not up to date, {} up to date; `gatewright sync` writes them\n",
                files(number),
                files(self.unchanged)
            ),
        }
    }

    /// Writes and removes, and says what.
    fn write(&self) -> Result<String, Fault> {
        let mut log = String::new();
        for Change {
            path,
            new,
            sensitive,
            ..
        } in &self.list
        {
            let name = shown(path);
            if let Some(text) = new {
                if let Some(directory) = path.parent() {
                    fs::create_dir_all(directory).map_err(|error| {
                        Fault::new(format!("cannot write `{name}`: {}", plain(&error)))
                    })?;
                }
                if *sensitive {
                    write::write_secret(path, text)?;
                } else {
                    write::write(path, text)?;
                }
                let _ = writeln!(log, "wrote {name}");
            } else {
                fs::remove_file(path).map_err(|error| {
                    Fault::new(format!("cannot remove `{name}`: {}", plain(&error)))
                })?;
                let _ = writeln!(log, "removed {name}");
            }
        }
        let _ = writeln!(
            log,
            "{} changed, {} up to date",
            files(self.list.len()),
            files(self.unchanged)
        );
        Ok(log)
    }
}

fn files(number: usize) -> String {
    format!("{number} {}", if number == 1 { "file" } else { "files" })
}

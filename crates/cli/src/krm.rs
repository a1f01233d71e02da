//! `gatewright krm`: the function that kustomize and kpt run.

use std::io::Read as _;

use gatewright_diagnostics::Diagnostic;
use gatewright_diagnostics::render::{Format, render};
use gatewright_transpile::Conversion;
use gatewright_transpile::krm::{ResourceList, Setting, Writing};

use crate::args::{KrmArgs, RunArgs, WriteArgs};
use crate::config::keys::{Check, Kind, TOP, Value, quoted};
use crate::config::{Day, Failure, File, Settings, apply};
use crate::convert::fails;
use crate::exit::{Exit, Fault};
use crate::output::Terminal;
use crate::read::plain;
use crate::suggest::nearest;

/// Keys of gatewright.toml that say something about files, which a function has none of.
const WITHOUT: &[&str] = &["paths", "exclude", "layout", "kustomization", "format"];
/// Keys that only the function has.
const REMOVE: &str = "remove-ingresses";
const DIRECTORY: &str = "directory";
/// Where what is written goes in a package.
const DEFAULT_DIRECTORY: &str = "gateway";

/// `gatewright krm`.
pub(crate) fn run(
    terminal: &Terminal,
    args: &KrmArgs,
    config: Option<File>,
) -> Result<Exit, Failure> {
    let mut text = String::new();
    std::io::stdin()
        .lock()
        .read_to_string(&mut text)
        .map_err(|error| Fault::new(format!("cannot read stdin: {}", plain(&error))))?;
    let list =
        ResourceList::read(text).map_err(|(sources, found)| Failure::Findings(sources, found))?;
    let mut settings = Settings::new(config, &RunArgs::default(), &WriteArgs::default());
    let mut writing = Writing {
        remove_ingresses: false,
        directory: DEFAULT_DIRECTORY.to_owned(),
    };
    for (key, value) in list.config() {
        set(&mut settings, &mut writing, key, value)?;
    }
    let options = settings.options()?;
    let mut conversion = gatewright_transpile::convert(list.inputs(&writing), &options);
    if let Some(file) = &settings.file {
        let Conversion {
            sources,
            diagnostics,
            ..
        } = &mut conversion;
        apply(file, sources, diagnostics, Day::today());
        Diagnostic::sort(diagnostics);
    }
    Terminal::data(&list.write(&conversion, &writing))?;
    if !args.quiet {
        let Conversion {
            sources,
            diagnostics,
            ..
        } = &conversion;
        let text = render(Format::Concise, sources, diagnostics, terminal.color());
        terminal.message(&text);
    }
    let failed = fails(&settings, &conversion.diagnostics);
    Ok(Exit::of(false, conversion.unreadable > 0, failed))
}

/// Takes one value of the configuration of the function.
fn set(
    settings: &mut Settings,
    writing: &mut Writing,
    key: &str,
    value: &Setting,
) -> Result<(), Fault> {
    match key {
        REMOVE => writing.remove_ingresses = flag(key, value)?,
        DIRECTORY => {
            let directory = text(key, value)?;
            let plain = |part: &str| {
                !part.is_empty() && !part.starts_with('.') && !part.contains(['\\', ':'])
            };
            if !directory.split('/').all(plain) {
                return Err(wrong(key, "it is not a directory below the package"));
            }
            directory.clone_into(&mut writing.directory);
        }
        _ => {
            let known = || TOP.iter().filter(|known| !WITHOUT.contains(&known.name));
            let Some(found) = known().find(|known| known.name == key) else {
                let names = || known().map(|known| known.name).chain([REMOVE, DIRECTORY]);
                let help = match nearest(key, names()) {
                    Some(word) => format!("did you mean `{word}`?"),
                    None => format!("the keys are {}", quoted(&names().collect::<Vec<_>>())),
                };
                let message = format!("functionConfig: there is no key `{key}`");
                return Err(Fault::new(message).help(help));
            };
            let checked = |check: Check, text: &str| {
                check.check(text).map_err(|(what, help)| {
                    Fault::new(format!("functionConfig: `{key}`: {what}")).help(help)
                })
            };
            let value = match found.kind {
                Kind::Flag => Value::Flag(flag(key, value)?),
                Kind::Text(check) => Value::Text(checked(check, text(key, value)?)?),
                Kind::List(check) => {
                    let list = list(value).into_iter().map(|item| checked(check, item));
                    Value::List(list.collect::<Result<_, _>>()?)
                }
                Kind::Day => return Err(wrong(key, "it has no place here")),
            };
            settings.set(found.name, value, "functionConfig");
        }
    }
    Ok(())
}

fn wrong(key: &str, what: &str) -> Fault {
    Fault::new(format!("functionConfig: `{key}`: {what}"))
}

fn text<'a>(key: &str, value: &'a Setting) -> Result<&'a str, Fault> {
    match value {
        Setting::Text(text) => Ok(text),
        _ => Err(wrong(key, "it is not a text")),
    }
}

/// The values of a `ConfigMap` are texts.
fn flag(key: &str, value: &Setting) -> Result<bool, Fault> {
    match value {
        Setting::Flag(flag) => Ok(*flag),
        Setting::Text(text) if text == "true" => Ok(true),
        Setting::Text(text) if text == "false" => Ok(false),
        _ => Err(wrong(key, "it is neither `true` nor `false`")),
    }
}

/// In a `ConfigMap` a list is written with commas.
fn list(value: &Setting) -> Vec<&str> {
    match value {
        Setting::List(list) => list.iter().map(String::as_str).collect(),
        Setting::Text(text) => text
            .split(',')
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .collect(),
        Setting::Flag(_) => Vec::new(),
    }
}

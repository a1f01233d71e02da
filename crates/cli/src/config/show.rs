//! `gatewright config`: what is in force, as a `gatewright.toml` with its origins.

use std::fmt::Write as _;

use super::keys::{Default, SECTIONS, TOP, Value};
use super::{File, Origin, Settings, schema};
use crate::args::ConfigArgs;
use crate::exit::{Exit, Fault};
use crate::output::Terminal;

/// `gatewright config`.
pub(crate) fn run(args: &ConfigArgs, file: Option<File>) -> Result<Exit, Fault> {
    let text = if args.schema {
        schema::json()
    } else if args.reference {
        schema::markdown()
    } else {
        in_force(&Settings::new(file, &args.run, &args.writing))
    };
    Terminal::data(&text)?;
    Ok(Exit::Done)
}

fn in_force(settings: &Settings) -> String {
    let mut text = match &settings.file {
        Some(file) => format!("# read from {}\n", file.name),
        None => "# no gatewright.toml in this directory or above\n".to_owned(),
    };
    for key in TOP {
        let Some((value, origin)) = settings.values.get(key.name) else {
            continue;
        };
        let from = match (origin, &settings.file) {
            (Origin::File(at), Some(file)) => file.place(at),
            (Origin::Flag(flag), _) => (*flag).to_owned(),
            _ => "default".to_owned(),
        };
        match (literal(value), key.default) {
            (Some(value), _) => {
                let _ = writeln!(text, "{} = {value}  # {from}", key.name);
            }
            (None, Default::Unset(meaning)) => {
                let _ = writeln!(text, "# {} is not set: {meaning}  # {from}", key.name);
            }
            (None, _) => {}
        }
    }
    if let Some(file) = &settings.file {
        sections(file, &mut text);
    }
    text
}

fn sections(file: &File, text: &mut String) {
    let entries = &file.entries;
    if !entries.severity.is_empty() {
        text.push_str("\n[severity]\n");
        for (code, severity) in &entries.severity {
            let place = file.place(&severity.at);
            let _ = writeln!(text, "{code} = \"{}\"  # {place}", severity.value);
        }
    }
    if !entries.aliases.is_empty() {
        text.push_str("\n[aliases]\n");
        for (key, meant) in &entries.aliases {
            let place = file.place(&meant.at);
            let _ = writeln!(text, "{} = {}  # {place}", quote(key), quote(&meant.value));
        }
    }
    // Entries are shown as they were written: nothing overrides them.
    for section in SECTIONS {
        let count = match section.name {
            "suppress" | "accept" => entries
                .exceptions
                .iter()
                .filter(|e| e.action.section() == section.name)
                .map(|e| file.place(&e.at))
                .collect::<Vec<_>>(),
            "sync" => entries
                .sync
                .iter()
                .map(|m| file.place(&m.from_at))
                .collect(),
            _ => Vec::new(),
        };
        if !count.is_empty() {
            let _ = writeln!(
                text,
                "\n# [[{}]]: {} at {}",
                section.name,
                count.len(),
                count.join(", ")
            );
        }
    }
}

fn literal(value: &Value) -> Option<String> {
    Some(match value {
        Value::Unset => return None,
        Value::Flag(flag) => flag.to_string(),
        Value::Text(text) => quote(text),
        Value::List(list) => {
            let list: Vec<String> = list.iter().map(|text| quote(text)).collect();
            format!("[{}]", list.join(", "))
        }
    })
}

fn quote(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

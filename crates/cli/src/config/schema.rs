//! The JSON schema and the reference of `gatewright.toml`, made from its table.

use std::fmt::Write as _;

use gatewright_diagnostics::render::to_json;
use gatewright_diagnostics::{CODES, Severity};
use gatewright_transpile::annotation_keys;
use serde_json::{Map, Value, json};

use super::keys::{Check, Default, Key, Kind, SECTIONS, Section, Shape, TOP, quoted};

const ID: &str = concat!(
    env!("CARGO_PKG_REPOSITORY"),
    "/raw/main/schema/gatewright.schema.json"
);

/// The schema; ends with a line break.
pub(super) fn json() -> String {
    let mut properties = fields(TOP);
    for section in SECTIONS {
        properties.insert(section.name.to_owned(), section_schema(section));
    }
    let mut text = to_json(&json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": ID,
        "title": "gatewright.toml",
        "description": "Configuration of Gatewright.",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    }));
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn fields(keys: &[Key]) -> Map<String, Value> {
    keys.iter()
        .map(|key| (key.name.to_owned(), field(key)))
        .collect()
}

fn field(key: &Key) -> Value {
    let mut schema = match key.kind {
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Text(check) => text(check),
        Kind::Day => json!({ "type": "string", "format": "date" }),
        Kind::List(check) => {
            let mut list = json!({ "type": "array", "items": text(check) });
            if key.default == Default::Required {
                list["minItems"] = json!(1);
            }
            list
        }
    };
    schema["description"] = json!(key.doc);
    match key.default {
        Default::Flag(flag) => schema["default"] = json!(flag),
        Default::Text(text) => schema["default"] = json!(text),
        Default::List(list) => schema["default"] = json!(list),
        Default::Required | Default::Unset(_) => {}
    }
    schema
}

fn text(check: Check) -> Value {
    let mut schema = json!({ "type": "string" });
    if let Some(choices) = check.choices() {
        schema["enum"] = json!(choices);
    }
    if let Some(pattern) = check.pattern() {
        schema["pattern"] = json!(pattern);
    }
    schema
}

fn section_schema(section: &Section) -> Value {
    let mut schema = match section.shape {
        Shape::Entries(keys) => {
            let required: Vec<&str> = keys
                .iter()
                .filter(|key| key.default == Default::Required)
                .map(|key| key.name)
                .collect();
            json!({
                "type": "array",
                "items": {
                    "type": "object",
                    "additionalProperties": false,
                    "required": required,
                    "properties": fields(keys),
                },
            })
        }
        Shape::Severities => {
            let properties: Map<String, Value> = CODES
                .iter()
                .flat_map(|(code, info)| {
                    let floor = code.floor();
                    let levels: Vec<String> = [Severity::Error, Severity::Warning, Severity::Info]
                        .into_iter()
                        .filter(|severity| *severity >= floor)
                        .map(|severity| severity.to_string())
                        .collect();
                    let schema = json!({ "description": info.title, "enum": levels });
                    [
                        (code.to_string(), schema.clone()),
                        (info.name.to_owned(), schema),
                    ]
                })
                .collect();
            json!({
                "type": "object",
                "additionalProperties": false,
                "properties": properties,
            })
        }
        Shape::Aliases => json!({
            "type": "object",
            "additionalProperties": { "enum": annotation_keys() },
        }),
    };
    schema["description"] = json!(section.doc);
    schema
}

/// The tables of the reference; end with a line break.
pub(super) fn markdown() -> String {
    let mut out =
        "| key | value | default | flag | what it does |\n|---|---|---|---|---|\n".to_owned();
    for key in TOP {
        let flag = key.flag.unwrap_or_default();
        let _ = writeln!(
            out,
            "| `{}` | {} | {} | `{flag}` | {} |",
            key.name,
            kind(key.kind),
            default(key.default),
            key.doc
        );
    }
    for section in SECTIONS {
        let heading = match section.shape {
            Shape::Entries(_) => format!("[[{}]]", section.name),
            _ => format!("[{}]", section.name),
        };
        let _ = write!(out, "\n## `{heading}`\n\n{}\n", section.doc);
        if let Shape::Entries(keys) = section.shape {
            out.push_str("\n| key | value | default | what it does |\n|---|---|---|---|\n");
            for key in keys {
                let _ = writeln!(
                    out,
                    "| `{}` | {} | {} | {} |",
                    key.name,
                    kind(key.kind),
                    default(key.default),
                    key.doc
                );
            }
        }
    }
    out
}

fn kind(kind: Kind) -> String {
    match kind {
        Kind::Flag => "`true` or `false`".to_owned(),
        Kind::Day => "date, such as `2027-01-31`".to_owned(),
        Kind::Text(check) => word(check),
        Kind::List(check) => format!("list: {}", word(check)),
    }
}

fn word(check: Check) -> String {
    if let Some(choices) = check.choices() {
        return quoted(&choices);
    }
    match check {
        Check::Path => "path or glob",
        Check::Glob => "glob",
        Check::Name | Check::Listener => "name",
        Check::Allowed => "`all` or `KEY=VALUE`",
        Check::Namespaced => "`NAMESPACE/NAME`",
        Check::MaybeNamespaced => "`NAME` or `NAMESPACE/NAME`",
        Check::Code => "code or its name",
        Check::Output => "path, may hold `{dir}`, `{path}`, `{file}`",
        _ => "text",
    }
    .to_owned()
}

fn default(default: Default) -> String {
    match default {
        Default::Required => "has to be set".to_owned(),
        Default::Unset(meaning) => meaning.to_owned(),
        Default::Flag(flag) => format!("`{flag}`"),
        Default::Text(text) => format!("`{text}`"),
        Default::List([]) => "nothing".to_owned(),
        Default::List(list) => quoted(list),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// `cargo xtask docs` writes both.
    #[test]
    fn schema_and_reference_are_current() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let published = fs::read_to_string(root.join("schema/gatewright.schema.json")).unwrap();
        assert!(published == json(), "run `cargo xtask docs`");
        let page = fs::read_to_string(root.join("docs/configuration.md")).unwrap();
        assert!(page.contains(&markdown()), "run `cargo xtask docs`");
    }
}

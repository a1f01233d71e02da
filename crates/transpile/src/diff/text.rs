//! The unified diff.

use std::fmt::Write as _;

use gatewright_diagnostics::render::printable;
use gatewright_yaml::{Out, OutMapping, write_document};
use serde_json::Value;
use similar::TextDiff;

use super::{Difference, ObjectChange, Side};

/// Lines around a change.
const CONTEXT: usize = 3;

impl Difference {
    /// A unified diff for every object that differs: `-` is what stands there, `+` what
    /// convert writes, both in one order of fields and without what an API server adds.
    pub fn unified(&self) -> String {
        let mut text = String::new();
        for change in &self.changes {
            text.push_str(&change.unified());
        }
        text
    }
}

impl ObjectChange {
    fn unified(&self) -> String {
        let Self {
            identity,
            before,
            after,
            ..
        } = self;
        let yaml = |side: &Option<Side>| side.as_ref().map(|side| yaml(&side.value));
        let (old, new) = (yaml(before), yaml(after));
        let from = match before.as_ref().map(|side| &side.place) {
            Some(Some((file, line))) => {
                format!("{}:{line} {identity}", printable(file))
            }
            Some(None) => identity.to_string(),
            None => "/dev/null".to_owned(),
        };
        let to = match after {
            Some(_) => format!("gatewright convert {identity}"),
            None => "/dev/null".to_owned(),
        };
        let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
        let diff = TextDiff::from_lines(old.as_str(), new.as_str());
        let mut text = String::new();
        let _ = write!(
            text,
            "{}",
            diff.unified_diff()
                .context_radius(CONTEXT)
                .header(&from, &to)
        );
        text
    }
}

fn yaml(value: &Value) -> String {
    let mut text = String::new();
    write_document(&mut text, &out(value));
    text
}

fn out(value: &Value) -> Out {
    match value {
        Value::Null => Out::Null,
        Value::Bool(value) => Out::Bool(*value),
        Value::Number(number) => number
            .as_i64()
            .map(Out::Int)
            .or_else(|| number.as_u64().map(Out::Uint))
            .unwrap_or_else(|| Out::Float(number.as_f64().unwrap_or(f64::NAN))),
        Value::String(text) => Out::String(text.clone()),
        Value::Array(items) => Out::sequence(items.iter().map(out)),
        Value::Object(map) => {
            let entries = map.iter().map(|(key, value)| (key.clone(), out(value)));
            Out::Mapping(entries.collect::<OutMapping>())
        }
    }
}

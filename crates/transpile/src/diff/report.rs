//! The difference as sentences and as JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use gatewright_diagnostics::render::{JSON_VERSION, printable, to_json};
use serde::Serialize;
use serde_json::Value;

use super::{Difference, FieldChange, Identity, ObjectChange};

#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    /// Whether nothing differs.
    equal: bool,
    objects: Vec<Record<'a>>,
    summary: Summary<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    #[serde(flatten)]
    identity: &'a Identity,
    change: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    changes: &'a [FieldChange],
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<&'a Value>,
}

#[derive(Serialize)]
struct Summary<'a> {
    added: usize,
    changed: usize,
    removed: usize,
    same: usize,
    ignored: &'a BTreeMap<String, usize>,
    unreadable: usize,
}

impl ObjectChange {
    /// `added`, `changed` or `removed`, as seen from what stands there.
    pub fn word(&self) -> &'static str {
        match (&self.before, &self.after) {
            (None, _) => "added",
            (_, None) => "removed",
            _ => "changed",
        }
    }

    /// File and line of what stands there.
    fn place(&self) -> Option<&(String, u32)> {
        self.before.as_ref()?.place.as_ref()
    }
}

impl Difference {
    /// A sentence for every difference, one a line.
    pub fn semantic(&self) -> String {
        let mut text = String::new();
        for change in &self.changes {
            let whole = change.word() != "changed";
            for field in &change.changes {
                let colon = if whole { "" } else { ":" };
                let line = format!("{}{colon} {}", change.identity, field.says);
                let _ = writeln!(text, "{}", printable(&line));
            }
        }
        text
    }

    /// One JSON document.
    pub fn json(&self) -> String {
        let report = Report {
            version: JSON_VERSION,
            equal: self.is_empty(),
            objects: self
                .changes
                .iter()
                .map(|change| Record {
                    identity: &change.identity,
                    change: change.word(),
                    file: change.place().map(|place| place.0.as_str()),
                    line: change.place().map(|place| place.1),
                    changes: &change.changes,
                    before: change.before.as_ref().map(|side| &side.value),
                    after: change.after.as_ref().map(|side| &side.value),
                })
                .collect(),
            summary: Summary {
                added: self.count("added"),
                changed: self.count("changed"),
                removed: self.count("removed"),
                same: self.same,
                ignored: &self.ignored,
                unreadable: self.unreadable,
            },
        };
        to_json(&report)
    }

    /// How many objects are `added`, `changed` or `removed`.
    pub fn count(&self, word: &str) -> usize {
        let all = self.changes.iter();
        all.filter(|change| change.word() == word).count()
    }

    /// A few lines on how many objects differ, and which were left out of the comparison.
    pub fn summary(&self) -> String {
        let mut text = format!(
            "{} added, {} changed, {} removed, {} the same\n",
            self.count("added"),
            self.count("changed"),
            self.count("removed"),
            self.same
        );
        let ignored: usize = self.ignored.values().sum();
        if ignored > 0 {
            let kinds: Vec<String> = self
                .ignored
                .iter()
                .map(|(kind, count)| format!("{count} {kind}"))
                .collect();
            let _ = writeln!(
                text,
                "ignored: {} (this conversion does not write such objects)",
                printable(&kinds.join(", "))
            );
        }
        for identity in &self.repeated {
            let line = format!("{identity} stands there more than once; the last one counts");
            let _ = writeln!(text, "{}", printable(&line));
        }
        text
    }
}

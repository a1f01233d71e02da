//! What one annotation changes, shown on a small Ingress.
//!
//! Nothing here is written by hand: the registry says which value to show and what it needs
//! beside it, the pipeline converts the Ingress with and without the annotation, and the
//! example is what differs.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use gatewright_diagnostics::render::{Format, render};
use gatewright_diagnostics::{Diagnostic, Outcome};
use gatewright_nginx::registry::{self, DEFAULT_PREFIX, Entry};
use similar::{ChangeTag, TextDiff};

use crate::{Conversion, Input, Options, convert};

/// The file that the example stands in, as findings name it.
const FILE: &str = "ingress.yaml";
/// Objects that the examples refer to, one document each.
const CLUSTER: &str = include_str!("example.yaml");
/// Namespace and name of the controller's own `ConfigMap` in examples.
const CONTROLLER: (&str, &str) = ("ingress-nginx", "ingress-nginx-controller");
/// Unchanged lines around a change.
const CONTEXT: usize = 2;
/// Lines of one object; a script that Envoy runs would be longer than the rest of the page.
const LINES: usize = 30;

/// An annotation in a small input, and what it changes in the output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The input with the annotation.
    pub before: String,
    /// What the annotation adds to the output and takes from it.
    pub changes: Vec<Change>,
    /// The findings that it causes, as `convert` prints them; may be empty.
    pub findings: String,
    /// Why it changes nothing, where it does not.
    pub unchanged: Option<String>,
}

/// As `explain` prints it.
impl fmt::Display for Example {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Example\n\n")?;
        indented(f, &self.before)?;
        for change in &self.changes {
            match &change.diff {
                Some(diff) => {
                    write!(f, "\nchanges {}\n\n", change.object)?;
                    indented(f, diff)?;
                }
                None => write!(f, "\nremoves {}\n", change.object)?,
            }
        }
        if let Some(reason) = &self.unchanged {
            write!(f, "\nchanges nothing: {reason}\n")?;
        }
        if !self.findings.is_empty() {
            f.write_str("\nsays\n\n")?;
            indented(f, &self.findings)?;
        }
        Ok(())
    }
}

fn indented(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    for line in text.lines() {
        let margin = if line.is_empty() { "" } else { "  " };
        writeln!(f, "{margin}{line}")?;
    }
    Ok(())
}

/// How one object of the output changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Kind, namespace and name.
    pub object: String,
    /// Its lines, each with `+`, `-` or a blank before it; `None` when it is not written any more.
    pub diff: Option<String>,
}

/// The example of a key that ingress-nginx reads; aliases show that of their key.
pub fn example(key: &str) -> Option<Example> {
    let entry = registry::find(key)?;
    let before = input(entry, true);
    let with = run(&before);
    let without = run(&input(entry, false));
    let outcome = outcome(entry, &with);
    let mut changes = changes(&documents(&without), &documents(&with));
    let mut findings = findings(&without, &with);
    let mut unchanged = None;
    match outcome {
        // What stands there instead is the same for all that is refused: a 503.
        Some(Outcome::Refused(_)) => changes.clear(),
        Some(Outcome::NoEffect(reason)) if changes.is_empty() => unchanged = Some(reason.as_ref()),
        Some(Outcome::Translated) if changes.is_empty() => {
            unchanged = Some("it says what holds without it too");
        }
        _ => {}
    }
    if let Some(Outcome::Difference(code) | Outcome::Refused(code)) = outcome
        && findings.is_empty()
    {
        // One finding speaks for several annotations, so it was there before.
        findings = with
            .diagnostics
            .iter()
            .filter(|found| found.code == *code)
            .cloned()
            .collect();
    }
    Some(Example {
        before,
        changes,
        findings: render(Format::Full, &with.sources, &findings, false),
        unchanged: unchanged.map(str::to_owned),
    })
}

fn run(text: &str) -> Conversion {
    let named = |name: &str, text: &str| Input {
        name: name.to_owned(),
        text: text.to_owned(),
    };
    // What the example itself holds must not be there twice.
    let rest: Vec<&str> = CLUSTER
        .split("---\n")
        .filter(|document| !text.contains(document.trim_end()))
        .collect();
    let inputs = vec![
        named(FILE, text),
        named("cluster.yaml", &rest.join("---\n")),
    ];
    let options = Options {
        controller_config: Some((CONTROLLER.0.to_owned(), CONTROLLER.1.to_owned())),
        ssl_passthrough: true,
        comments: false,
        threads: Some(1),
        ..Options::default()
    };
    convert(inputs, &options)
}

/// The Ingress of the example with what it refers to.
fn input(entry: &Entry, with: bool) -> String {
    let around = &entry.around;
    let mut annotations: Vec<(&str, &str)> = around.annotations.to_vec();
    let mut values = String::new();
    for (_, value) in annotations.iter().chain([&(entry.key, entry.example)]) {
        let _ = writeln!(values, "{value}");
    }
    if with {
        annotations.push((entry.key, entry.example));
    }
    let name = if around.canary { "web-next" } else { "web" };
    let mut text = ingress(name, &annotations, around.path, around.tls);
    if around.canary {
        text.push_str("---\n");
        text.push_str(&ingress("web", &[], around.path, around.tls));
    }
    for document in CLUSTER.split("---\n") {
        let named = identity(document).is_some_and(|object| refers(&values, &object));
        if named {
            let _ = write!(text, "---\n{document}");
        }
    }
    if !around.config.is_empty() {
        let _ = write!(
            text,
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {}\n  namespace: {}\ndata:\n",
            CONTROLLER.1, CONTROLLER.0
        );
        for (key, value) in around.config {
            let _ = writeln!(text, "  {key}: {}", quoted(value));
        }
    }
    text
}

/// Whether one of the values, a line each, names a Secret or `ConfigMap`.
fn refers(values: &str, object: &Identity<'_>) -> bool {
    matches!(object.kind, "Secret" | "ConfigMap")
        && values.lines().any(|value| {
            value
                .strip_prefix(object.namespace)
                .map_or(value, |rest| rest.strip_prefix('/').unwrap_or(value))
                == object.name
        })
}

fn ingress(name: &str, annotations: &[(&str, &str)], path: &str, tls: bool) -> String {
    let mut text = format!(
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: {name}\n  namespace: shop\n"
    );
    if !annotations.is_empty() {
        text.push_str("  annotations:\n");
    }
    for (key, value) in annotations {
        let _ = writeln!(text, "    {DEFAULT_PREFIX}/{key}: {}", quoted(value));
    }
    text.push_str("spec:\n  ingressClassName: nginx\n");
    if tls {
        text.push_str("  tls:\n  - hosts: [shop.example.com]\n    secretName: shop-tls\n");
    }
    let kind = if path == "/" {
        "Prefix"
    } else {
        "ImplementationSpecific"
    };
    let _ = write!(
        text,
        "  rules:\n  - host: shop.example.com\n    http:\n      paths:\n      - path: {path}\n        pathType: {kind}\n        backend: {{service: {{name: {name}, port: {{number: 80}}}}}}\n"
    );
    text
}

/// A string that no reader of YAML takes for anything else.
fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Which object a document is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Identity<'a> {
    kind: &'a str,
    namespace: &'a str,
    name: &'a str,
}

/// Read from the lines: both the output and [`CLUSTER`] write `metadata` in block style.
fn identity(document: &str) -> Option<Identity<'_>> {
    let field = |prefix: &str| document.lines().find_map(|line| line.strip_prefix(prefix));
    Some(Identity {
        kind: field("kind: ")?,
        namespace: field("  namespace: ").unwrap_or_default(),
        name: field("  name: ")?,
    })
}

fn documents(conversion: &Conversion) -> BTreeMap<Identity<'_>, &str> {
    let texts = conversion.written.iter();
    let texts = texts.map(|written| conversion.output.document(written));
    texts
        .filter_map(|text| Some((identity(text)?, text)))
        .collect()
}

fn changes(
    before: &BTreeMap<Identity<'_>, &str>,
    after: &BTreeMap<Identity<'_>, &str>,
) -> Vec<Change> {
    let mut objects: Vec<_> = before.keys().chain(after.keys()).collect();
    objects.sort();
    objects.dedup();
    let change = |object: &&Identity<'_>| {
        let old = before.get(*object).copied().unwrap_or_default();
        let new = after.get(*object).copied().unwrap_or_default();
        (old != new).then(|| Change {
            object: [object.kind, " ", object.namespace, "/", object.name].concat(),
            diff: (!new.is_empty()).then(|| diff(old, new)),
        })
    };
    objects.iter().filter_map(change).collect()
}

fn diff(old: &str, new: &str) -> String {
    let diff = TextDiff::from_lines(old, new);
    let mut lines = Vec::new();
    for (at, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        if at > 0 {
            lines.push("  …".to_owned());
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let sign = match change.tag() {
                ChangeTag::Equal => ' ',
                ChangeTag::Insert => '+',
                ChangeTag::Delete => '-',
            };
            let line = format!("{sign} {}", change.value().trim_end());
            lines.push(line.trim_end().to_owned());
        }
    }
    let more = lines.len().saturating_sub(LINES);
    lines.truncate(LINES);
    if more > 0 {
        lines.push(format!("  … {more} more lines"));
    }
    lines.join("\n") + "\n"
}

/// The findings of `with` that `without` has not.
fn findings(without: &Conversion, with: &Conversion) -> Vec<Diagnostic> {
    let said = |found: &Diagnostic| (found.code, found.message.clone());
    let mut known: Vec<_> = without.diagnostics.iter().map(said).collect();
    let mut found = with.diagnostics.clone();
    found.retain(|found| {
        let old = known.iter().position(|old| *old == said(found));
        old.map(|at| known.swap_remove(at)).is_none()
    });
    found
}

/// What became of the annotation.
fn outcome<'a>(entry: &Entry, with: &'a Conversion) -> Option<&'a Outcome> {
    let path = format!("metadata.annotations[{DEFAULT_PREFIX}/{}]", entry.key);
    let mut items = with.ledger.items().map(|(_, item)| item);
    items.find(|item| item.path == path)?.outcome
}

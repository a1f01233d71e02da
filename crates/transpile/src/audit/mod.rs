//! What is in the input, how ready it is to move, and what else the move touches.

mod html;
mod markdown;
mod scan;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use gatewright_diagnostics::render::{printable_lines, to_json};
use gatewright_diagnostics::{Code, Diagnostic, Item, ObjectRef, Outcome, Severity};
use gatewright_nginx::registry::{self, KeyClass, Risk};
use gatewright_source::Span;
use serde::Serialize;

use crate::{Conversion, OutcomeCounts};
pub(crate) use markdown::row;
pub(crate) use scan::{each, elsewhere};

/// Version of the document's shape; a new field does not change it.
const VERSION: u32 = 1;

/// The whole report.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Audit {
    /// Version of this document's shape.
    pub version: u32,
    /// The figures.
    pub totals: Totals,
    /// Every Ingress, by namespace and name.
    pub ingresses: Vec<IngressAudit>,
    /// Every annotation key of Ingresses, the most frequent first.
    pub annotations: Vec<AnnotationUse>,
    /// What has to be solved before a move, by code.
    pub blockers: Vec<Group>,
    /// What is open or dangerous now.
    pub security: Vec<Note>,
    /// Other objects that the move touches.
    pub elsewhere: Vec<Note>,
}

/// The figures of a report.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Files read.
    pub files: usize,
    /// Documents in them.
    pub documents: usize,
    /// Documents that could not be read.
    pub unreadable: usize,
    /// Ingresses found.
    pub ingresses: usize,
    /// Namespaces with Ingresses.
    pub namespaces: usize,
    /// Hosts that are served.
    pub hosts: usize,
    /// Ingresses without a warning or an error.
    pub ready: usize,
    /// Ingresses with warnings.
    pub review: usize,
    /// Ingresses with errors.
    pub blocked: usize,
    /// Ingresses that were not selected or that ingress-nginx does not serve.
    pub left_out: usize,
    /// What became of all annotations and fields.
    pub outcomes: OutcomeCounts,
}

/// How ready an Ingress is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Readiness {
    /// Nothing to look at.
    Ready,
    /// Differences to look at.
    Review,
    /// Something is refused or wrong.
    Blocked,
    /// It is not converted.
    LeftOut,
}

impl Readiness {
    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Review => "review",
            Self::Blocked => "blocked",
            Self::LeftOut => "left out",
        }
    }
}

/// An Ingress.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IngressAudit {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Where it stands, as `FILE:LINE`.
    pub place: String,
    /// Hosts of its rules, `*` for the one without a name.
    pub hosts: Vec<String>,
    /// How ready it is.
    pub readiness: Readiness,
    /// Findings that somebody has to look at: warnings and errors.
    pub effort: usize,
    /// Their codes.
    pub codes: Vec<String>,
    /// What became of its annotations.
    pub annotations: OutcomeCounts,
}

/// How often an annotation occurs, and what becomes of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AnnotationUse {
    /// The whole key.
    pub key: String,
    /// In how many Ingresses.
    pub count: usize,
    /// What becomes of it.
    pub outcomes: OutcomeCounts,
}

/// Findings of one code.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    /// The code.
    pub code: String,
    /// What it is about.
    pub title: &'static str,
    /// Where.
    pub places: Vec<Place>,
}

/// An object and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// `KIND NAMESPACE/NAME`; empty when it is about no object.
    pub object: String,
    /// As `FILE:LINE`; empty when it has no place.
    pub place: String,
    /// What is said about it.
    pub message: String,
}

/// Something to know about an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Note {
    /// What it is, in a word or two.
    pub topic: &'static str,
    /// `KIND NAMESPACE/NAME`.
    pub object: String,
    /// As `FILE:LINE`.
    pub place: String,
    /// What there is to know.
    pub message: String,
    /// What to do about it.
    pub advice: String,
}

/// Makes the report of a conversion.
pub fn audit(conversion: &Conversion) -> Audit {
    let auditor = Auditor { conversion };
    let ingresses = auditor.ingresses();
    let count = |readiness| {
        let all = ingresses.iter();
        all.filter(|ingress: &&IngressAudit| ingress.readiness == readiness)
            .count()
    };
    let namespaces: BTreeSet<&str> = ingresses.iter().map(|i| i.namespace.as_str()).collect();
    let totals = Totals {
        files: conversion.summary.files,
        documents: conversion.summary.documents,
        unreadable: conversion.unreadable,
        ingresses: ingresses.len(),
        namespaces: namespaces.len(),
        hosts: conversion.summary.hosts,
        ready: count(Readiness::Ready),
        review: count(Readiness::Review),
        blocked: count(Readiness::Blocked),
        left_out: count(Readiness::LeftOut),
        outcomes: conversion.summary.outcomes,
    };
    Audit {
        version: VERSION,
        totals,
        ingresses,
        annotations: auditor.annotations(),
        blockers: auditor.blockers(),
        security: auditor.security(),
        elsewhere: elsewhere(&conversion.sources),
    }
}

impl Audit {
    /// As JSON; ends with a line break.
    pub fn json(&self) -> String {
        to_json(self)
    }

    /// As text for a terminal.
    pub fn text(&self) -> String {
        printable_lines(&text::render(self)).into_owned()
    }

    /// As one HTML page, with the Ingresses beside what is written for them.
    pub fn html(&self, conversion: &Conversion) -> String {
        html::render(self, conversion)
    }

    /// As Markdown.
    pub fn markdown(&self) -> String {
        markdown::render(self)
    }
}

struct Auditor<'a> {
    conversion: &'a Conversion,
}

impl<'a> Auditor<'a> {
    /// The items of every Ingress; copies of one stand together.
    fn objects(&self) -> BTreeMap<&'a ObjectRef, Vec<Item<'a>>> {
        let mut objects: BTreeMap<&ObjectRef, Vec<Item<'_>>> = BTreeMap::new();
        for (object, item) in self.conversion.ledger.items() {
            if &*object.kind == "Ingress" {
                objects.entry(object).or_default().push(item);
            }
        }
        objects
    }

    fn place(&self, span: Span) -> String {
        let sources = &self.conversion.sources;
        let line = sources.position(span).line;
        format!("{}:{line}", sources.file(span.file).name())
    }

    /// A value as it was written, without its quotes.
    fn value(&self, item: Item<'_>) -> &'a str {
        let text = self.conversion.sources.slice(item.span).trim();
        ['"', '\'']
            .into_iter()
            .find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote))
            .unwrap_or(text)
    }

    fn ingresses(&self) -> Vec<IngressAudit> {
        let converted: BTreeSet<(&str, &str)> = self
            .conversion
            .ingresses
            .iter()
            .map(|(namespace, name)| (&**namespace, &**name))
            .collect();
        let mut by_object: BTreeMap<&ObjectRef, Vec<&Diagnostic>> = BTreeMap::new();
        for diagnostic in &self.conversion.diagnostics {
            if let Some(object) = &diagnostic.object {
                by_object.entry(object).or_default().push(diagnostic);
            }
        }
        let one = |(object, items): (&ObjectRef, Vec<Item<'_>>)| {
            let found = by_object.get(object).map_or(&[][..], Vec::as_slice);
            let worst = found.iter().map(|found| found.severity).max();
            let selected = converted.contains(&(&*object.namespace, &*object.name));
            let readiness = match worst {
                Some(Severity::Error) => Readiness::Blocked,
                _ if !selected => Readiness::LeftOut,
                Some(Severity::Warning) => Readiness::Review,
                _ => Readiness::Ready,
            };
            let grave = || found.iter().filter(|f| f.severity >= Severity::Warning);
            let codes: BTreeSet<String> = grave().map(|found| found.code.to_string()).collect();
            let name = items.iter().find(|item| item.path == "metadata.name");
            let first = name.or(items.first());
            let mut hosts: Vec<String> = Vec::new();
            for &item in &items {
                if item.path.starts_with("spec.rules[") && item.path.ends_with("].host") {
                    hosts.push(self.value(item).to_owned());
                }
            }
            let rule = |item: &&Item<'_>| {
                let rest = item.path.strip_prefix("spec.rules[")?;
                Some(rest.split_once(']')?.0.to_owned())
            };
            let named: BTreeSet<String> = items
                .iter()
                .filter(|item| item.path.ends_with("].host"))
                .filter_map(|item| rule(&item))
                .collect();
            let nameless = items
                .iter()
                .filter_map(|item| rule(&item))
                .any(|rule| !named.contains(&rule));
            if nameless {
                hosts.push("*".to_owned());
            }
            hosts.sort();
            hosts.dedup();
            IngressAudit {
                namespace: object.namespace.to_string(),
                name: object.name.to_string(),
                place: first.map_or_else(String::new, |item| self.place(item.span)),
                hosts,
                readiness,
                effort: grave().count(),
                codes: codes.into_iter().collect(),
                annotations: counts(items.iter().copied().filter(|&item| key(item).is_some())),
            }
        };
        self.objects().into_iter().map(one).collect()
    }

    fn annotations(&self) -> Vec<AnnotationUse> {
        let mut uses: BTreeMap<&str, Vec<Item<'_>>> = BTreeMap::new();
        for item in self.objects().into_values().flatten() {
            if let Some(key) = key(item) {
                uses.entry(key).or_default().push(item);
            }
        }
        let mut uses: Vec<AnnotationUse> = uses
            .into_iter()
            .map(|(key, items)| AnnotationUse {
                key: key.to_owned(),
                count: items.len(),
                outcomes: counts(items.into_iter()),
            })
            .collect();
        uses.sort_by(|a, b| (b.count, &a.key).cmp(&(a.count, &b.key)));
        uses
    }

    fn blockers(&self) -> Vec<Group> {
        let mut groups: BTreeMap<Code, BTreeSet<Place>> = BTreeMap::new();
        for diagnostic in &self.conversion.diagnostics {
            if diagnostic.severity == Severity::Error {
                let places = groups.entry(diagnostic.code).or_default();
                places.insert(Place {
                    object: object(diagnostic.object.as_ref()),
                    place: diagnostic
                        .span()
                        .map_or_else(String::new, |span| self.place(span)),
                    message: diagnostic.message.clone(),
                });
            }
        }
        groups
            .into_iter()
            .map(|(code, places)| Group {
                code: code.to_string(),
                title: code.info().title,
                places: places.into_iter().collect(),
            })
            .collect()
    }

    fn security(&self) -> Vec<Note> {
        let mut notes: BTreeSet<Note> = BTreeSet::new();
        for diagnostic in &self.conversion.diagnostics {
            let Some(topic) = topic(diagnostic) else {
                continue;
            };
            notes.insert(Note {
                topic,
                object: object(diagnostic.object.as_ref()),
                place: diagnostic
                    .span()
                    .map_or_else(String::new, |span| self.place(span)),
                message: diagnostic.message.clone(),
                advice: diagnostic.helps.join("; "),
            });
        }
        for (ingress, items) in self.objects() {
            let note = |topic, item: Item<'_>, message: String, advice: &str| Note {
                topic,
                object: object(Some(ingress)),
                place: self.place(item.span),
                message,
                advice: advice.to_owned(),
            };
            let own = |item: Item<'_>| {
                let (prefix, name) = key(item)?.rsplit_once('/')?;
                let entry = registry::find(name)?;
                prefix.ends_with("ingress.kubernetes.io").then_some(entry)
            };
            for &item in &items {
                let Some(entry) = own(item) else { continue };
                // What the controller does not read configures nothing.
                let dropped = matches!(
                    item.outcome,
                    Some(Outcome::NoEffect(_) | Outcome::Refused(Code::AnnotationTooRisky))
                );
                if entry.risk == Risk::Critical && !dropped {
                    notes.insert(note(
                        "configuration by annotation",
                        item,
                        format!("`{}` holds nginx configuration: who may edit the Ingress configures the controller, and reads what it may read", entry.key),
                        "grant nobody the right to write Ingresses who is not trusted with all Secrets of the controller, until the Ingress is gone",
                    ));
                }
            }
            let named = |name: &str| {
                items
                    .iter()
                    .copied()
                    .find(|&item| own(item).is_some_and(|e| e.key == name))
            };
            let tls = items.iter().any(|item| item.path.starts_with("spec.tls["));
            let basic = named("auth-type").filter(|&item| self.value(item) == "basic");
            if let (Some(item), false, None) = (basic, tls, named("force-ssl-redirect")) {
                notes.insert(note(
                    "passwords in clear text",
                    item,
                    "passwords are asked for on a host without `tls`, so they may travel over plain HTTP".to_owned(),
                    "give the host a certificate and redirect to HTTPS",
                ));
            }
        }
        notes.into_iter().collect()
    }
}

/// What a finding says about security now, before any move.
fn topic(diagnostic: &Diagnostic) -> Option<&'static str> {
    match diagnostic.code {
        Code::AuthSwitchedOff | Code::AuthOpening => Some("open by mistake"),
        Code::CanaryIgnores | Code::ClientCertificatesOff => Some("protection without effect"),
        Code::UnknownAnnotation | Code::MisspeltAnnotation | Code::RemovedAnnotation => {
            let key = diagnostic.annotation.as_deref()?;
            let meant = match registry::classify_own(key) {
                KeyClass::Misspelt { likely } => Some(likely),
                KeyClass::NeverExisted { likely, .. } => likely,
                KeyClass::Removed(removed) => removed.replaced_by,
                _ => None,
            };
            let protects = meant.and_then(registry::find)?.protective;
            protects.then_some("protection without effect")
        }
        _ => None,
    }
}

fn object(object: Option<&ObjectRef>) -> String {
    object.map_or_else(String::new, ToString::to_string)
}

/// The whole key of an annotation.
fn key(item: Item<'_>) -> Option<&str> {
    let rest = item.path.strip_prefix("metadata.annotations")?;
    let key = match rest.strip_prefix('[') {
        Some(key) => key.strip_suffix(']')?,
        None => rest.strip_prefix('.')?,
    };
    Some(key)
}

fn counts<'a>(items: impl Iterator<Item = Item<'a>>) -> OutcomeCounts {
    let mut counts = OutcomeCounts::default();
    for item in items {
        match item.outcome {
            Some(Outcome::Translated) => counts.translated += 1,
            Some(Outcome::Difference(_)) => counts.differences += 1,
            Some(Outcome::NoEffect(_)) => counts.no_effect += 1,
            Some(Outcome::Refused(_)) => counts.refused += 1,
            None => {}
        }
    }
    counts
}

/// `1 host`, `2 hosts`.
pub(crate) fn many(number: usize, one: &str, others: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { others })
}

#[cfg(test)]
mod tests;

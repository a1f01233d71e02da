//! The report as text.

use std::fmt::Write as _;

use super::{Audit, Note, many};
use crate::OutcomeCounts;

pub(super) fn render(audit: &Audit) -> String {
    let totals = &audit.totals;
    let mut out = format!(
        "{} in {}, {}; {} of {}\n",
        many(totals.ingresses, "Ingress", "Ingresses"),
        many(totals.namespaces, "namespace", "namespaces"),
        many(totals.hosts, "host", "hosts"),
        many(totals.documents, "document", "documents"),
        many(totals.files, "file", "files"),
    );
    if totals.unreadable > 0 {
        let unread = many(totals.unreadable, "document", "documents");
        let _ = writeln!(out, "{unread} could not be read");
    }
    let _ = writeln!(
        out,
        "{} ready, {} to review, {} blocked, {} left out",
        totals.ready, totals.review, totals.blocked, totals.left_out
    );
    let _ = writeln!(
        out,
        "annotations and fields: {}",
        outcomes(&totals.outcomes)
    );
    let width = |names: &mut dyn Iterator<Item = usize>| names.max().unwrap_or_default().min(60);
    if !audit.ingresses.is_empty() {
        out.push_str("\nIngresses\n");
        let length = |i: &super::IngressAudit| i.namespace.len() + i.name.len() + 1;
        let width = width(&mut audit.ingresses.iter().map(length));
        for ingress in &audit.ingresses {
            let name = format!("{}/{}", ingress.namespace, ingress.name);
            let line = format!(
                "  {name:width$}  {:8}  {:8}  {}",
                ingress.readiness.name(),
                many(ingress.hosts.len(), "host", "hosts"),
                ingress.codes.join(" ")
            );
            let _ = writeln!(out, "{}", line.trim_end());
        }
    }
    if !audit.annotations.is_empty() {
        out.push_str("\nAnnotations\n");
        let width = width(&mut audit.annotations.iter().map(|used| used.key.len()));
        for used in &audit.annotations {
            let (key, outcomes) = (&used.key, outcomes(&used.outcomes));
            let _ = writeln!(out, "  {key:width$}  {:4}  {outcomes}", used.count);
        }
    }
    if !audit.blockers.is_empty() {
        out.push_str("\nBlockers\n");
        for group in &audit.blockers {
            let _ = writeln!(out, "  {} {}", group.code, group.title);
            for place in &group.places {
                let _ = writeln!(
                    out,
                    "    {}",
                    said(&place.object, &place.place, &place.message)
                );
            }
        }
    }
    notes(&mut out, "Security", &audit.security);
    notes(&mut out, "What else the move touches", &audit.elsewhere);
    out
}

fn said(object: &str, place: &str, message: &str) -> String {
    let parts = [place, object, message];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(": ")
}

fn notes(out: &mut String, title: &str, notes: &[Note]) {
    if notes.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{title}");
    let mut last = "";
    for note in notes {
        if note.topic != last {
            last = note.topic;
            let _ = writeln!(out, "  {last}");
        }
        let _ = writeln!(
            out,
            "    {}",
            said(&note.object, &note.place, &note.message)
        );
        if !note.advice.is_empty() {
            let _ = writeln!(out, "      {}", note.advice);
        }
    }
}

/// The outcomes that occur.
fn outcomes(counts: &OutcomeCounts) -> String {
    let OutcomeCounts {
        translated,
        differences,
        no_effect,
        refused,
    } = *counts;
    let all = [
        (translated, "translated"),
        (differences, "with a difference"),
        (no_effect, "without effect"),
        (refused, "refused"),
    ];
    let some: Vec<String> = all
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| format!("{number} {what}"))
        .collect();
    if some.is_empty() {
        "none".to_owned()
    } else {
        some.join(", ")
    }
}

//! The report as Markdown.

use std::fmt::Write as _;

use gatewright_diagnostics::render::printable_lines;

use super::{Audit, Note};
use crate::OutcomeCounts;

pub(super) fn render(audit: &Audit) -> String {
    let totals = &audit.totals;
    let mut out = "# Readiness to leave ingress-nginx\n\n| | |\n|---|---|\n".to_owned();
    for (what, number) in [
        ("Ingresses", totals.ingresses),
        ("namespaces", totals.namespaces),
        ("hosts", totals.hosts),
        ("ready", totals.ready),
        ("to review", totals.review),
        ("blocked", totals.blocked),
        ("left out", totals.left_out),
        ("files", totals.files),
        ("documents", totals.documents),
        ("documents that could not be read", totals.unreadable),
    ] {
        let _ = writeln!(out, "| {what} | {number} |");
    }
    if !audit.ingresses.is_empty() {
        out.push_str("\n## Ingresses\n\n| Ingress | readiness | findings | hosts | codes | place |\n|---|---|---|---|---|---|\n");
        for ingress in &audit.ingresses {
            row(
                &mut out,
                &[
                    &format!("{}/{}", ingress.namespace, ingress.name),
                    ingress.readiness.name(),
                    &ingress.effort.to_string(),
                    &ingress.hosts.join(", "),
                    &ingress.codes.join(", "),
                    &ingress.place,
                ],
            );
        }
    }
    if !audit.annotations.is_empty() {
        out.push_str("\n## Annotations\n\n| key | Ingresses | translated | with a difference | without effect | refused |\n|---|---|---|---|---|---|\n");
        for used in &audit.annotations {
            let OutcomeCounts {
                translated,
                differences,
                no_effect,
                refused,
            } = used.outcomes;
            let numbers = [used.count, translated, differences, no_effect, refused];
            let [count, translated, differences, no_effect, refused] =
                numbers.map(|number| number.to_string());
            row(
                &mut out,
                &[
                    &format!("`{}`", used.key),
                    &count,
                    &translated,
                    &differences,
                    &no_effect,
                    &refused,
                ],
            );
        }
    }
    if !audit.blockers.is_empty() {
        out.push_str("\n## Blockers\n\n| code | object | place | what |\n|---|---|---|---|\n");
        for group in &audit.blockers {
            for place in &group.places {
                row(
                    &mut out,
                    &[&group.code, &place.object, &place.place, &place.message],
                );
            }
        }
    }
    notes(&mut out, "Security", &audit.security);
    notes(&mut out, "What else the move touches", &audit.elsewhere);
    out
}

fn notes(out: &mut String, title: &str, notes: &[Note]) {
    if notes.is_empty() {
        return;
    }
    let _ = write!(
        out,
        "\n## {title}\n\n| topic | object | place | what | what to do |\n|---|---|---|---|---|\n"
    );
    for note in notes {
        row(
            out,
            &[
                note.topic,
                &note.object,
                &note.place,
                &note.message,
                &note.advice,
            ],
        );
    }
}

/// Names of hosts, files and objects are somebody else's text: none of it ends a cell, begins a
/// tag or a link.
pub(crate) fn row(out: &mut String, cells: &[&str]) {
    let cells: Vec<String> = cells
        .iter()
        .map(|cell| {
            let mut text = String::new();
            let mut code = false;
            for c in printable_lines(cell).chars() {
                match c {
                    '`' => {
                        code = !code;
                        text.push(c);
                    }
                    '|' => text.push_str("\\|"),
                    '<' if !code => text.push_str("&lt;"),
                    '*' | '_' | '[' | ']' if !code => {
                        text.push('\\');
                        text.push(c);
                    }
                    '\n' | '\r' => text.push(' '),
                    c => text.push(c),
                }
            }
            text
        })
        .collect();
    let _ = writeln!(out, "| {} |", cells.join(" | "));
}

//! The report as one HTML page that needs nothing else: no network, no script to be read.

mod picture;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use gatewright_diagnostics::Item;
use gatewright_diagnostics::render::printable_lines;

use super::{Audit, IngressAudit, Note, Readiness, key, many};
use crate::Conversion;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// Nothing is loaded, whatever an object is called.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// So many Ingresses are seen at a glance.
const SMALL: usize = 12;

pub(super) fn render(audit: &Audit, conversion: &Conversion) -> String {
    let totals = &audit.totals;
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n<title>Readiness to leave ingress-nginx</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<h1>Readiness to leave ingress-nginx</h1>\n<ul class=\"tiles\">\n"
    );
    for (number, what, class) in [
        (totals.ingresses, "Ingresses", ""),
        (totals.ready, "ready", "ready"),
        (totals.review, "to review", "review"),
        (totals.blocked, "blocked", "blocked"),
        (totals.left_out, "left out", "left-out"),
        (totals.hosts, "hosts", ""),
        (totals.namespaces, "namespaces", ""),
    ] {
        let _ = writeln!(out, "<li><b class=\"{class}\">{number}</b>{what}</li>");
    }
    let documents = many(totals.documents, "document", "documents");
    let files = many(totals.files, "file", "files");
    let _ = writeln!(out, "</ul>\n<p>{documents} of {files}");
    if totals.unreadable > 0 {
        let unread = many(totals.unreadable, "document", "documents");
        let _ = writeln!(out, "; <b class=\"blocked\">{unread} could not be read</b>");
    }
    out.push_str("</p>\n<nav aria-label=\"Contents\"><ul>\n");
    let sections = [
        ("picture", "Picture", audit.ingresses.is_empty()),
        ("ingresses", "Ingresses", audit.ingresses.is_empty()),
        ("annotations", "Annotations", audit.annotations.is_empty()),
        ("blockers", "Blockers", audit.blockers.is_empty()),
        ("security", "Security", audit.security.is_empty()),
        (
            "elsewhere",
            "What else the move touches",
            audit.elsewhere.is_empty(),
        ),
        ("sides", "Before and after", conversion.ingresses.is_empty()),
    ];
    for (id, title, empty) in sections {
        if !empty {
            let _ = writeln!(out, "<li><a href=\"#{id}\">{title}</a></li>");
        }
    }
    out.push_str("</ul></nav>\n");
    if !audit.ingresses.is_empty() {
        // A tall one would hide the rest.
        let open = if audit.ingresses.len() <= SMALL {
            " open"
        } else {
            ""
        };
        let _ = writeln!(
            out,
            "<h2 id=\"picture\">Picture</h2>\n<details{open}><summary>Ingresses, the Gateway, routes and Services</summary>\n<div class=\"scroll picture\">"
        );
        out.push_str(&picture::draw(audit, conversion));
        out.push_str("</div></details>\n");
        ingresses(&mut out, audit, conversion);
    }
    annotations(&mut out, audit);
    blockers(&mut out, audit);
    notes(&mut out, "security", "Security", &audit.security);
    notes(
        &mut out,
        "elsewhere",
        "What else the move touches",
        &audit.elsewhere,
    );
    sides(&mut out, audit, conversion);
    let _ = writeln!(out, "<script>\n{SCRIPT}</script>\n</body>\n</html>");
    out
}

/// Text of somebody else as text.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in printable_lines(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// A message, with what stands in backticks as code.
fn prose(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    let whole = parts.len() % 2 == 1;
    let mut out = String::new();
    for (at, part) in parts.into_iter().enumerate() {
        let part = escape(part);
        // Writing to a string cannot fail.
        let _ = match (whole, at) {
            (true, at) if at % 2 == 1 => write!(out, "<code>{part}</code>"),
            (false, 1..) => write!(out, "`{part}"),
            _ => write!(out, "{part}"),
        };
    }
    out
}

const fn class(readiness: Readiness) -> &'static str {
    match readiness {
        Readiness::Ready => "ready",
        Readiness::Review => "review",
        Readiness::Blocked => "blocked",
        Readiness::LeftOut => "left-out",
    }
}

/// What the search looks at, and the state that the boxes choose by.
fn searched(ingress: &IngressAudit) -> String {
    let text = format!(
        "{}/{} {} {} {}",
        ingress.namespace,
        ingress.name,
        ingress.hosts.join(" "),
        ingress.codes.join(" "),
        ingress.place
    );
    format!(
        "data-state=\"{}\" data-text=\"{}\"",
        class(ingress.readiness),
        escape(&text.to_lowercase())
    )
}

fn ingresses(out: &mut String, audit: &Audit, conversion: &Conversion) {
    out.push_str("<h2 id=\"ingresses\">Ingresses</h2>\n<div id=\"controls\" hidden>\n<label>Search <input id=\"search\" type=\"search\" placeholder=\"name, host, code, file\"></label>\n");
    for readiness in [
        Readiness::Ready,
        Readiness::Review,
        Readiness::Blocked,
        Readiness::LeftOut,
    ] {
        let (class, name) = (class(readiness), readiness.name());
        let _ = writeln!(
            out,
            "<label class=\"{class}\"><input type=\"checkbox\" value=\"{class}\" checked> {name}</label>"
        );
    }
    out.push_str("<span id=\"count\" role=\"status\"></span>\n</div>\n<div class=\"scroll\"><table class=\"sortable\">\n<thead><tr><th>Ingress</th><th>readiness</th><th class=\"number\">findings</th><th>hosts</th><th>codes</th><th>place</th></tr></thead>\n<tbody>\n");
    let converted = converted(conversion);
    for (at, ingress) in audit.ingresses.iter().enumerate() {
        let name = escape(&format!("{}/{}", ingress.namespace, ingress.name));
        let linked = if converted.contains(&(ingress.namespace.as_str(), ingress.name.as_str())) {
            format!("<a href=\"#i{at}\">{name}</a>")
        } else {
            name
        };
        let _ = writeln!(
            out,
            "<tr {}><td>{linked}</td><td class=\"state {}\" data-key=\"{}\">{}</td><td class=\"number\">{}</td><td>{}</td><td>{}</td><td class=\"place\">{}</td></tr>",
            searched(ingress),
            class(ingress.readiness),
            ingress.readiness as u8,
            ingress.readiness.name(),
            ingress.effort,
            escape(&ingress.hosts.join(", ")),
            ingress.codes.join(" "),
            escape(&ingress.place),
        );
    }
    out.push_str("</tbody></table></div>\n");
}

/// Namespace and name of the Ingresses that were converted.
fn converted(conversion: &Conversion) -> BTreeSet<(&str, &str)> {
    let all = conversion.ingresses.iter();
    all.map(|(namespace, name)| (&**namespace, &**name))
        .collect()
}

fn annotations(out: &mut String, audit: &Audit) {
    if audit.annotations.is_empty() {
        return;
    }
    out.push_str("<h2 id=\"annotations\">Annotations</h2>\n<div class=\"scroll\"><table class=\"sortable\">\n<thead><tr><th>key</th><th class=\"number\">Ingresses</th><th class=\"number\">translated</th><th class=\"number\">with a difference</th><th class=\"number\">without effect</th><th class=\"number\">refused</th></tr></thead>\n<tbody>\n");
    for used in &audit.annotations {
        let _ = write!(out, "<tr><td><code>{}</code></td>", escape(&used.key));
        let outcomes = &used.outcomes;
        for number in [
            used.count,
            outcomes.translated,
            outcomes.differences,
            outcomes.no_effect,
            outcomes.refused,
        ] {
            let _ = write!(out, "<td class=\"number\">{number}</td>");
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
}

fn blockers(out: &mut String, audit: &Audit) {
    if audit.blockers.is_empty() {
        return;
    }
    out.push_str("<h2 id=\"blockers\">Blockers</h2>\n<div class=\"scroll\"><table class=\"sortable\">\n<thead><tr><th>code</th><th>object</th><th>place</th><th>what</th></tr></thead>\n<tbody>\n");
    for group in &audit.blockers {
        for place in &group.places {
            let _ = writeln!(
                out,
                "<tr><td title=\"{}\">{}</td><td>{}</td><td class=\"place\">{}</td><td>{}</td></tr>",
                escape(group.title),
                group.code,
                escape(&place.object),
                escape(&place.place),
                prose(&place.message),
            );
        }
    }
    out.push_str("</tbody></table></div>\n");
}

fn notes(out: &mut String, id: &str, title: &str, notes: &[Note]) {
    if notes.is_empty() {
        return;
    }
    let _ = write!(
        out,
        "<h2 id=\"{id}\">{title}</h2>\n<div class=\"scroll\"><table class=\"sortable\">\n<thead><tr><th>topic</th><th>object</th><th>place</th><th>what</th><th>what to do</th></tr></thead>\n<tbody>\n"
    );
    for note in notes {
        let _ = writeln!(
            out,
            "<tr><td>{}</td><td>{}</td><td class=\"place\">{}</td><td>{}</td><td>{}</td></tr>",
            escape(note.topic),
            escape(&note.object),
            escape(&note.place),
            prose(&note.message),
            prose(&note.advice),
        );
    }
    out.push_str("</tbody></table></div>\n");
}

/// Each Ingress beside what is written for it.
fn sides(out: &mut String, audit: &Audit, conversion: &Conversion) {
    let mut after: BTreeMap<(&str, &str), Vec<&crate::Written>> = BTreeMap::new();
    for written in &conversion.written {
        for (namespace, name) in &written.ingresses {
            after.entry((namespace, name)).or_default().push(written);
        }
    }
    let converted = converted(conversion);
    let converted: Vec<(usize, &IngressAudit)> = audit
        .ingresses
        .iter()
        .enumerate()
        .filter(|(_, i)| converted.contains(&(i.namespace.as_str(), i.name.as_str())))
        .collect();
    if converted.is_empty() {
        return;
    }
    let mut items: BTreeMap<(&str, &str), Vec<Item<'_>>> = BTreeMap::new();
    for (object, item) in conversion.ledger.items() {
        if &*object.kind == "Ingress" {
            let of_object = items.entry((&object.namespace, &object.name));
            of_object.or_default().push(item);
        }
    }
    out.push_str("<h2 id=\"sides\">Before and after</h2>\n");
    for (at, ingress) in converted {
        let key = (ingress.namespace.as_str(), ingress.name.as_str());
        let written = after.get(&key).map_or(&[][..], Vec::as_slice);
        let _ = write!(
            out,
            "<details id=\"i{at}\" {}><summary>{}/{} <span class=\"state {}\">{}</span></summary>\n<div class=\"sides\"><div><h3>{}</h3><pre>",
            searched(ingress),
            escape(&ingress.namespace),
            escape(&ingress.name),
            class(ingress.readiness),
            ingress.readiness.name(),
            escape(&ingress.place),
        );
        let items = items.get(&key).map_or(&[][..], Vec::as_slice);
        let origins = before(out, at, items, conversion);
        let objects = many(written.len(), "object", "objects");
        let _ = write!(out, "</pre></div><div><h3>{objects}</h3><pre>");
        for (number, written) in written.iter().enumerate() {
            if number > 0 {
                out.push_str("---\n");
            }
            if written.sensitive {
                let _ = writeln!(
                    out,
                    "# {} {}/{}: sensitive, not shown",
                    written.kind,
                    escape(&written.namespace),
                    escape(&written.name)
                );
                continue;
            }
            for line in conversion.output.document(written).lines() {
                linked(out, line, &origins);
            }
        }
        out.push_str("</pre></div></div></details>\n");
    }
}

/// The Ingress as it was written, with a place to link to on every line; returns the places of
/// its annotations by their names.
fn before<'a>(
    out: &mut String,
    at: usize,
    items: &[Item<'a>],
    conversion: &Conversion,
) -> BTreeMap<&'a str, String> {
    let mut origins = BTreeMap::new();
    let Some(first) = items.first() else {
        return origins;
    };
    let file = first.span.file;
    let source = conversion.sources.file(file);
    let text = source.text();
    let of_file = || items.iter().filter(|item| item.span.file == file);
    let start = of_file().map(|item| item.span.start as usize).min();
    let end = of_file().map(|item| item.span.end as usize).max();
    let (start, end) = (start.unwrap_or_default(), end.unwrap_or_default());
    // The whole document, without its separators.
    let start = text[..start].rfind("\n---").map_or(0, |found| {
        text[found + 1..]
            .find('\n')
            .map_or(found + 1, |end| found + 2 + end)
    });
    let end = text[end..]
        .find("\n---")
        .map_or(text.len(), |found| end + found);
    for item in of_file() {
        if let Some((_, name)) = key(*item).and_then(|key| key.rsplit_once('/')) {
            let line = source.position(item.span.start).line;
            origins.insert(name, format!("i{at}l{line}"));
        }
    }
    let first = source
        .position(u32::try_from(start).unwrap_or(u32::MAX))
        .line;
    for (line, number) in text[start..end.max(start)].lines().zip(first..) {
        let _ = writeln!(
            out,
            "<span id=\"i{at}l{number}\"><span class=\"n\">{number}</span>{}</span>",
            escape(line)
        );
    }
    origins
}

/// A line of the output; a comment that names an annotation leads to it.
fn linked(out: &mut String, line: &str, origins: &BTreeMap<&str, String>) {
    let comment = line.trim_start().strip_prefix("# ");
    let origin = comment.and_then(|comment| {
        comment
            .split([',', ':', ' '])
            .find_map(|word| origins.get(word))
    });
    let text = escape(line);
    let _ = match origin {
        Some(id) => writeln!(out, "<a href=\"#{id}\">{text}</a>"),
        None => writeln!(out, "{text}"),
    };
}

//! `docs/conformance.md`, written from a run.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::cases::Case;
use super::report::{Predictions, Report, Totals};
use super::verdict::Verdict;
use super::witnesses::{Kind, Outcome};

/// Families by the numbers of the cases' names, in the order of the document.
const FAMILIES: [(u32, u32, &str, &str); 18] = [
    (1, 18, "Routing", "Paths: types, order, case, encoding"),
    (20, 24, "Routing", "Hosts and wildcards"),
    (25, 35, "Routing", "Regular expressions"),
    (36, 47, "Routing", "Rewrites and app-root"),
    (48, 58, "Routing", "TLS and HTTPS redirects"),
    (59, 66, "Routing", "Redirects"),
    (67, 75, "Routing", "Aliases, backends, default backends"),
    (76, 86, "Routing", "Canary"),
    (
        87,
        100,
        "Routing",
        "Classes, catch-all hosts, odd combinations",
    ),
    (101, 106, "Policies", "Basic authentication"),
    (107, 118, "Policies", "External authentication"),
    (119, 125, "Policies", "Address lists"),
    (126, 129, "Policies", "Client certificates"),
    (130, 138, "Policies", "Limits of rate, connections and size"),
    (139, 144, "Policies", "CORS"),
    (145, 148, "Policies", "Error pages"),
    (149, 154, "Policies", "Affinity and hashing"),
    (
        155,
        199,
        "Policies",
        "Upstreams, headers, snippets, global configuration",
    ),
];

fn family(name: &str) -> usize {
    let number = name
        .split('-')
        .find_map(|part| part.parse::<u32>().ok())
        .unwrap_or(u32::MAX);
    FAMILIES
        .iter()
        .position(|(first, last, ..)| (*first..=*last).contains(&number))
        .unwrap_or(FAMILIES.len() - 1)
}

/// The document.
pub(crate) fn render(report: &Report, cases: &[Case], versions: &str) -> String {
    let by_name: BTreeMap<&str, &Case> = cases
        .iter()
        .map(|case| (case.name.as_str(), case))
        .collect();
    let mut families = vec![Totals::default(); FAMILIES.len()];
    for result in &report.cases {
        families[family(&result.name)].add(result, by_name.get(result.name.as_str()).copied());
    }
    let mut text = String::new();
    let _ = write!(
        text,
        "# Conformance\n\n\
         <!-- Written by `cargo xtask conformance --write-docs`; do not edit. -->\n\n\
         Every case of `testdata/behaviour` holds Ingress objects and the answers that ingress-nginx gave.\n\
         The suite converts the objects, applies the output as it is to a real API server, reads the\n\
         conditions that Envoy Gateway writes, sends the same requests through a real Envoy, and compares.\n\n\
         Versions: {versions}.\n\n\
         A request is the *same* when status, location, backend, path and the named headers are. It is\n\
         *declared* when it differs and a diagnostic of that very conversion says so. Nothing may differ\n\
         in silence, and nothing that ingress-nginx refuses may reach a backend: such a run fails.\n\n\
         ## Totals\n\n\
         | family | cases | requests | same | declared | share the same |\n\
         | --- | ---: | ---: | ---: | ---: | ---: |\n"
    );
    for ((_, _, group, title), totals) in FAMILIES.iter().zip(&families) {
        if totals.cases > 0 {
            row(&mut text, &format!("{group}: {title}"), totals);
        }
    }
    row(&mut text, "**All**", &report.totals);
    let t = &report.totals;
    if !report.passes() {
        let _ = write!(
            text,
            "\nThis run does **not** pass: {} unlisted, {} silent, {} opened, {} not asked, {} refused objects, {} bad conditions.\n",
            t.unlisted, t.silent, t.opened, t.not_asked, t.refused_objects, t.bad_conditions
        );
    }
    predictions(&mut text, report);
    text.push_str(
        "\n## Declared differences\n\n\
         `gatewright explain CODE` tells what can be done about each.\n",
    );
    for (index, (_, _, group, title)) in FAMILIES.iter().enumerate() {
        let mut rows = String::new();
        for result in report
            .cases
            .iter()
            .filter(|result| family(&result.name) == index)
        {
            let Some(case) = by_name.get(result.name.as_str()) else {
                continue;
            };
            for judged in result
                .requests
                .iter()
                .filter(|j| j.verdict == Verdict::Declared)
            {
                for entry in case
                    .differences
                    .iter()
                    .filter(|entry| entry.request == judged.name)
                {
                    let _ = writeln!(
                        rows,
                        "| {} | {} | {} | {} |",
                        result.name,
                        cell(&judged.name),
                        entry.code,
                        cell(&entry.reason)
                    );
                }
            }
        }
        if !rows.is_empty() {
            let _ = write!(
                text,
                "\n### {group}: {title}\n\n| case | request | code | why |\n| --- | --- | --- | --- |\n{rows}"
            );
        }
    }
    text
}

/// What became of what `verify` predicts.
fn predictions(text: &mut String, report: &Report) {
    text.push_str(
        "\n## What `verify` predicts\n\n\
         `gatewright verify` says what Envoy does with a request. The suite sends Envoy the witness of each\n\
         difference that it lists for the cases, and a request for each of the first rules of some hosts, and\n\
         compares status, redirect, backend, the path and the host that it sees, and what guards ask for.\n\
         A wrong prediction fails the run, unless `witnesses.toml` of the case gives a reason for it.\n\n\
         | requests | as predicted | otherwise | otherwise, with a reason | not sent |\n\
         | --- | ---: | ---: | ---: | ---: |\n",
    );
    let t = &report.totals;
    for (title, found) in [
        ("witnesses of differences", &t.witnesses),
        ("requests of rules", &t.rules),
    ] {
        let _ = writeln!(
            text,
            "| {title} | {} | {} | {} | {} |",
            found.right,
            found.wrong,
            found.accepted,
            found.not_sent()
        );
    }
    let mut rows = String::new();
    for result in &report.cases {
        for checked in &result.witnesses {
            let why = match &checked.outcome {
                Outcome::Accepted(_, reason) => format!("otherwise: {reason}"),
                Outcome::Unsendable(why) if checked.kind == Kind::Witness => {
                    format!("not sent: {why}")
                }
                _ => continue,
            };
            let request = cell(&checked.request);
            let _ = writeln!(rows, "| {} | `{request}` | {} |", result.name, cell(&why));
        }
    }
    if !rows.is_empty() {
        let _ = write!(
            text,
            "\n| case | request | why |\n| --- | --- | --- |\n{rows}"
        );
    }
    reasons(text, &t.rules);
}

fn reasons(text: &mut String, found: &Predictions) {
    if found.unsendable.is_empty() {
        return;
    }
    text.push_str("\nRequests of rules that were not sent:\n\n");
    for (why, count) in &found.unsendable {
        let _ = writeln!(text, "- {count}: {why}");
    }
}

fn row(text: &mut String, title: &str, totals: &Totals) {
    let _ = writeln!(
        text,
        "| {title} | {} | {} | {} | {} | {:.1} % |",
        totals.cases,
        totals.requests,
        totals.same,
        totals.declared,
        totals.same_share()
    );
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

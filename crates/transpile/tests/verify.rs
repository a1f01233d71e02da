//! The output of every case, proved to serve what the input means.

#[path = "support/inputs.rs"]
mod inputs;
mod support;

use std::fmt::Write as _;

use gatewright_transpile::verify;
use gatewright_verify::Verdict;
use inputs::{Case, behaviour, cases, corpus};

/// The verdict of each host of a case, with every difference and what announced it.
fn verdicts(case: &Case) -> String {
    let found = verify(case.inputs.clone(), None, &case.options);
    let mut text = String::new();
    for host in &found.verification.hosts {
        let _ = write!(text, "  {}: {}", host.name, host.verdict.word());
        if let Verdict::NotDecided(why) = &host.verdict {
            let _ = write!(text, " ({why})");
        }
        text.push_str(if host.by_example { ", by example\n" } else { "\n" });
        for difference in &host.differences {
            let aspects: Vec<&str> = difference.aspects.iter().map(|a| a.word()).collect();
            let class = difference.class.word();
            let declared = difference.declared.map_or_else(
                || "UNDECLARED".to_owned(),
                |code| code.to_string(),
            );
            let request = &difference.witness;
            let headers: String = request
                .headers
                .iter()
                .map(|(name, value)| format!(" {name}={value}"))
                .collect();
            let _ = writeln!(
                text,
                "    {class} ({}), {declared}: {} {}://{}{}{headers}",
                aspects.join(", "),
                request.method,
                request.scheme(),
                request.host,
                request.target(),
            );
            for (who, side) in [("nginx", &difference.nginx), ("envoy", &difference.envoy)] {
                let rule = side.rule.as_deref().unwrap_or("no rule");
                let _ = writeln!(text, "      {who} {}, {rule}", side.behaviour);
            }
        }
    }
    for (_, title) in &found.verification.stray {
        let _ = writeln!(text, "  stray: {title}");
    }
    let faults = found
        .diagnostics
        .iter()
        .filter(|finding| finding.code.info().number == 940);
    for fault in faults {
        let _ = writeln!(text, "  {}", fault.message);
    }
    text
}

#[test]
fn verdicts_are_as_recorded() {
    let mut text = String::new();
    let all = [("cases", cases()), ("corpus", corpus()), ("behaviour", behaviour())];
    for (part, cases) in all {
        for case in cases {
            let _ = writeln!(text, "{part}/{}", case.name);
            text.push_str(&verdicts(&case));
        }
    }
    insta::assert_snapshot!(text);
}

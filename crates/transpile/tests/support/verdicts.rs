//! The output of every case, proved to serve what the input means.

use std::fmt::Write as _;

use gatewright_transpile::{Options, Profile, Verified, verify};
use gatewright_verify::{Class, Difference, HostReport, Verdict, line};

use crate::inputs::{Case, behaviour, cases, corpus};
use crate::support;

/// The verdict of each host of a case, with every difference and what announced it.
fn verdicts(found: &Verified) -> String {
    let mut text = String::new();
    for host in &found.verification.hosts {
        let _ = write!(text, "  {}: {}", host.name, host.verdict.word());
        if let Verdict::NotDecided(why) = &host.verdict {
            let _ = write!(text, " ({why})");
        }
        text.push_str(if host.by_example {
            ", by example\n"
        } else {
            "\n"
        });
        for found in &host.differences {
            difference(&mut text, found);
        }
    }
    for (_, title) in &found.verification.stray {
        let _ = writeln!(text, "  stray: {title}");
    }
    for fault in found
        .diagnostics
        .iter()
        .filter(|found| found.code.info().number == 940)
    {
        let _ = writeln!(text, "  {}", fault.message);
    }
    text
}

fn difference(text: &mut String, found: &Difference) {
    let aspects: Vec<&str> = found.aspects.iter().map(|aspect| aspect.word()).collect();
    let declared = found
        .declared
        .map_or("UNDECLARED".to_owned(), |code| code.to_string());
    let _ = writeln!(
        text,
        "    {} ({}), {declared}: {}",
        found.class.word(),
        aspects.join(", "),
        line(&found.witness)
    );
    for (who, side) in [("nginx", &found.nginx), ("envoy", &found.envoy)] {
        let rule = side.rule.as_deref().unwrap_or("no rule");
        let _ = writeln!(text, "      {who} {}, {rule}", side.behaviour);
    }
}

fn all() -> impl Iterator<Item = (String, Case)> {
    let all = [
        ("cases", cases()),
        ("corpus", corpus()),
        ("behaviour", behaviour()),
    ];
    all.into_iter().flat_map(|(part, cases)| {
        let named = move |case: Case| (format!("{part}/{}", case.name), case);
        cases.into_iter().map(named)
    })
}

#[test]
fn verdicts_are_as_recorded() {
    let mut text = String::new();
    for (name, case) in all() {
        let found = verify(case.inputs, None, &case.options);
        let _ = write!(text, "{name}\n{}", verdicts(&found));
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(support::testdata().join("verify"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!("verdicts", text));
}

/// With a certificate for every host, so that HTTPS is compared everywhere.
fn with_certificate(options: Options) -> Options {
    let certificate = Some(("infra".to_owned(), "certificate".to_owned()));
    Options {
        default_ssl_certificate: options.default_ssl_certificate.or(certificate),
        ..options
    }
}

#[test]
fn nothing_differs_that_is_not_announced() {
    let mut faults = Vec::new();
    for (name, case) in all() {
        let found = verify(case.inputs, None, &with_certificate(case.options));
        let hosts = found.verification.hosts.iter();
        let undeclared = hosts.flat_map(|host| &host.differences);
        for found in undeclared.filter(|found| found.declared.is_none()) {
            let mut text = format!("{name}\n");
            difference(&mut text, found);
            faults.push(text);
        }
    }
    assert!(faults.is_empty(), "not announced:\n{}", faults.concat());
}

/// Codes of what the idiomatic profile gives up.
const GIVEN_UP: std::ops::RangeInclusive<u16> = 322..=323;

/// Whether the faithful profile has the difference already.
fn same(one: &Difference, other: &Difference) -> bool {
    (one.class, &one.aspects, one.declared) == (other.class, &other.aspects, other.declared)
        && line(&one.witness) == line(&other.witness)
}

/// What the idiomatic profile gives up is announced, and never a protection; and each of its
/// findings is shown by a request.
#[test]
fn the_idiomatic_profile_gives_up_what_it_says() {
    let mut faults = Vec::new();
    let (mut said, mut shown) = (0, 0);
    for (name, case) in all() {
        let options = Options {
            profile: Profile::Faithful,
            ..with_certificate(case.options.clone())
        };
        let faithful = verify(case.inputs.clone(), None, &options);
        let options = Options {
            profile: Profile::Idiomatic,
            ..with_certificate(case.options)
        };
        let found = verify(case.inputs, None, &options);
        said += found
            .conversion
            .diagnostics
            .iter()
            .filter(|found| GIVEN_UP.contains(&found.code.info().number))
            .count();
        let pairs = faithful.verification.hosts.iter();
        for (before, host) in pairs.zip(&found.verification.hosts) {
            let undecided = |host: &HostReport| matches!(host.verdict, Verdict::NotDecided(_));
            if undecided(host) && !undecided(before) {
                faults.push(format!("{name}: {} is no longer decided\n", host.name));
            }
            for found in &host.differences {
                let code = found.declared.map_or(0, |code| code.info().number);
                shown += usize::from(GIVEN_UP.contains(&code));
                let open = found.class == Class::MoreOpen;
                let new = || !before.differences.iter().any(|other| same(other, found));
                if (open || found.declared.is_none()) && new() {
                    let mut text = format!("{name}\n");
                    difference(&mut text, found);
                    faults.push(text);
                }
            }
        }
    }
    assert!(
        faults.is_empty(),
        "open or not announced:\n{}",
        faults.concat()
    );
    assert!(said > 20 && shown > 20, "{said} findings, {shown} shown");
}

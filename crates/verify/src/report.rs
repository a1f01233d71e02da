//! Verdicts as findings, and in a line.

use std::fmt::Write as _;
use std::sync::Arc;

use gatewright_diagnostics::{Code, Diagnostic, ObjectRef, Severity};
use gatewright_model::Model;
use gatewright_model::eval::Request;

use crate::behaviour::{Answer, Behaviour};
use crate::compare::Class;
use crate::path::NORMAL_FORM;
use crate::verdict::{Difference, HostReport, Verdict, Verification};

/// A finding for each difference, each host that was not decided and each stray route. Those
/// that were declared are infos. `readable` says whether a place in the objects can be shown.
pub fn diagnostics(model: &Model, verification: &Verification, readable: bool) -> Vec<Diagnostic> {
    let mut all = Vec::new();
    for host in &verification.hosts {
        for found in &host.differences {
            all.push(difference(model, host, found, readable));
        }
        if let Verdict::NotDecided(why) = &host.verdict {
            let diagnostic = Diagnostic::new(
                Code::VerifyUndecided,
                format!("equivalence of {} was not decided", host.name),
            )
            .note(why.clone())
            .note(format!(
                "{} requests were tried all the same, which proves nothing",
                host.requests
            ))
            .help("divide the host among several, or simplify its patterns and conditions");
            all.push(diagnostic);
        }
    }
    for (span, title) in &verification.stray {
        let mut diagnostic =
            Diagnostic::new(Code::RouteStray, format!("no listener takes {title}"))
                .help("correct its `parentRefs` or `hostnames`, or add its Gateway to `--against`");
        if readable {
            diagnostic = diagnostic.at(*span);
        }
        all.push(diagnostic);
    }
    all
}

fn difference(model: &Model, host: &HostReport, found: &Difference, readable: bool) -> Diagnostic {
    let (code, what) = match found.class {
        Class::MoreOpen => (Code::VerifyOpen, "is more open than ingress-nginx"),
        Class::Differs => (Code::VerifyDiffers, "differs"),
        Class::Stricter => (Code::VerifyStricter, "is stricter than ingress-nginx"),
    };
    let aspects: Vec<&str> = found.aspects.iter().map(|aspect| aspect.word()).collect();
    let message = format!(
        "{} {what} for `{}`: {}",
        host.name,
        line(&found.witness),
        aspects.join(", ")
    );
    let mut diagnostic = Diagnostic::new(code, message);
    if found.both_schemes {
        let other = if found.witness.secure {
            "plain HTTP"
        } else {
            "HTTPS"
        };
        diagnostic = diagnostic.note(format!("it is the same over {other}"));
    }
    if let Some(owner) = found.nginx.owner {
        let owner = model.owner(owner);
        let object = ObjectRef::new(
            Arc::clone(&owner.kind),
            Arc::clone(&owner.namespace),
            Arc::clone(&owner.name),
        );
        diagnostic = diagnostic.object(&object);
    }
    if let Some(span) = found.nginx.span {
        diagnostic = diagnostic.label(
            span,
            format!("ingress-nginx {}", words(&found.nginx.behaviour)),
        );
    } else {
        diagnostic = diagnostic.note(format!("ingress-nginx {}", words(&found.nginx.behaviour)));
    }
    let envoy = format!("Envoy {}", words(&found.envoy.behaviour));
    diagnostic = match (found.envoy.span, &found.envoy.rule) {
        (Some(span), _) if readable => diagnostic.label(span, envoy),
        (_, Some(rule)) => diagnostic.note(format!("{envoy}, by {rule}")),
        _ => diagnostic.note(envoy),
    };
    match found.declared {
        Some(code) => diagnostic
            .severity(Severity::Info)
            .note(format!("announced by {code}")),
        None => diagnostic,
    }
}

/// `forwards to …`, with what is asked for before.
fn words(behaviour: &Behaviour) -> String {
    match &behaviour.answer {
        Answer::NoListener => "does not listen".to_owned(),
        _ => behaviour.to_string(),
    }
}

/// A request in a line: method, URL and headers.
pub fn line(request: &Request) -> String {
    let mut text = format!(
        "{} {}://{}{}",
        request.method,
        request.scheme(),
        request.host,
        request.target()
    );
    for (name, value) in &request.headers {
        let _ = write!(text, " -H '{name}: {value}'");
    }
    text
}

/// The outcome in one line. It says whether anything is more open.
pub fn last_line(verification: &Verification) -> String {
    let count = |wanted: fn(&HostReport) -> bool| {
        verification
            .hosts
            .iter()
            .filter(|host| wanted(host))
            .count()
    };
    let all = verification.hosts.len();
    let equivalent = count(|host| host.verdict == Verdict::Equivalent);
    let declared = count(|host| host.verdict == Verdict::Declared);
    let differs = count(|host| host.verdict == Verdict::Differs);
    let undecided = all - equivalent - declared - differs;
    let differences = || verification.hosts.iter().flat_map(|host| &host.differences);
    let open = differences().any(|found| found.class == Class::MoreOpen);
    let mut parts = vec![format!("{equivalent} of {all} hosts equivalent")];
    for (count, what) in [
        (declared, "with declared differences"),
        (differs, "with differences that nothing declared"),
        (undecided, "not decided"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    let openness = if open {
        "SOMETHING IS MORE OPEN"
    } else if undecided > 0 {
        "nothing more open was found"
    } else {
        "nothing is more open"
    };
    let plain = match verification.plain_only {
        Some(_) => " over plain HTTP",
        None => "",
    };
    format!("{}{plain}; {openness}", parts.join(", "))
}

/// What verdicts are about.
pub const COMPARED: &str = "hosts, plain HTTP and HTTPS, paths, methods, headers, cookies and \
query parameters that a rule asks for; statuses and redirects; backends with their weights and \
how they are spoken to; the path and the host that a backend sees; copies of requests; passwords, \
auth services, address lists, rate limits, limits of bodies, client certificates, and headers \
that a client could forge";
/// What they are not about.
pub const NOT_COMPARED: &str = "headers and bodies of answers, other headers of requests to \
backends, timeouts, retries, balancing, sessions, compression, logs, the order of access checks, what an \
auth service is told, who is a client behind other proxies, TLS versions, ciphers and \
certificates of hosts, ports in the Host header, the controller's default limit of bodies, and \
scripts of an EnvoyExtensionPolicy";

/// A line for each host, what the verdicts rest on unless that is known, and the outcome.
pub fn table(verification: &Verification, short: bool) -> String {
    let mut text = String::new();
    let width = verification
        .hosts
        .iter()
        .map(|host| host.name.len())
        .max()
        .unwrap_or(0);
    for host in &verification.hosts {
        let mut remarks = Vec::new();
        match &host.verdict {
            Verdict::Equivalent => {
                if host.requests == 0 {
                    remarks.push("nobody serves it".to_owned());
                }
            }
            Verdict::NotDecided(why) => remarks.push(why.clone()),
            Verdict::Declared | Verdict::Differs => {
                let declared = host
                    .differences
                    .iter()
                    .filter(|d| d.declared.is_some())
                    .count();
                let others = host.differences.len() - declared;
                for (count, what) in [(others, "not declared"), (declared, "declared")] {
                    if count > 0 {
                        remarks.push(format!("{count} {what}"));
                    }
                }
            }
        }
        if host.by_example {
            remarks.push("rewritten paths compared by example".to_owned());
        }
        if host.unseen_users {
            remarks.push("users not compared, as a Secret was not given".to_owned());
        }
        let remarks = if remarks.is_empty() {
            String::new()
        } else {
            format!(" ({})", remarks.join("; "))
        };
        let _ = writeln!(
            text,
            "{:width$}  {}{remarks}",
            host.name,
            host.verdict.word()
        );
    }
    let basis = [
        ("paths", NORMAL_FORM),
        ("compared", COMPARED),
        ("not compared", NOT_COMPARED),
    ];
    for (title, words) in basis.into_iter().filter(|_| !short) {
        let _ = write!(text, "\n{}", wrapped(title, words));
    }
    for words in &verification.assumptions {
        let _ = write!(text, "\n{}", wrapped("assumed", words));
    }
    let _ = write!(text, "\n{}\n", last_line(verification));
    text
}

/// `title: words`, in lines of a readable length.
fn wrapped(title: &str, words: &str) -> String {
    let mut lines = vec![format!("{title}:")];
    for word in words.split_whitespace() {
        let last = lines.len() - 1;
        if lines[last].len() + word.len() >= 98 {
            lines.push(format!("  {word}"));
        } else {
            lines[last].push(' ');
            lines[last].push_str(word);
        }
    }
    lines.join("\n") + "\n"
}

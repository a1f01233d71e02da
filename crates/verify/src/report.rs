//! Verdicts as findings, and in a line.

use std::sync::Arc;

use gatewright_diagnostics::{Code, Diagnostic, ObjectRef, Severity};
use gatewright_model::Model;
use gatewright_model::eval::Request;

use crate::behaviour::{Answer, Behaviour};
use crate::compare::Class;
use crate::verdict::{Difference, HostReport, Verdict, Verification};

/// A finding for each difference, each host that was not decided and each stray route. Those
/// that were declared are infos. `readable` says whether a place in the objects can be shown.
pub fn diagnostics(
    model: &Model,
    verification: &Verification,
    readable: bool,
) -> Vec<Diagnostic> {
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
                "{} requests were tried by sample instead, which proves nothing",
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

fn difference(
    model: &Model,
    host: &HostReport,
    found: &Difference,
    readable: bool,
) -> Diagnostic {
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
        diagnostic = diagnostic.label(span, format!("ingress-nginx {}", words(&found.nginx.behaviour)));
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
pub(crate) fn line(request: &Request) -> String {
    let mut text = format!(
        "{} {}://{}{}",
        request.method,
        request.scheme(),
        request.host,
        request.target()
    );
    for (name, value) in &request.headers {
        text.push_str(&format!(" -H '{name}: {value}'"));
    }
    text
}

/// The outcome in one line. It says whether anything is more open.
pub fn last_line(verification: &Verification) -> String {
    let count = |wanted: fn(&HostReport) -> bool| {
        verification.hosts.iter().filter(|host| wanted(host)).count()
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
    format!("{}; {openness}", parts.join(", "))
}

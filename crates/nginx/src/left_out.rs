//! Ingresses of the controller that the user did not ask for, on hosts of those that he did.
//!
//! In the cluster all of them are served together. Alone, the wider paths of those that are
//! converted take the requests of those that are not.

use gatewright_diagnostics::{Code, Diagnostic, Severity};

use crate::effective::{Effective, Location, Server, Source, protection};
use crate::ingress::{Ingress, PathType};

/// What holds for a whole host, whichever Ingress serves the path.
const OF_HOSTS: &[&str] = &["auth-tls-secret", "server-snippet"];

/// A finding for each Ingress whose requests another one would take.
pub(crate) fn findings(
    left_out: &[&Ingress],
    effective: &Effective,
    sources: &[Source<'_>],
) -> Vec<Diagnostic> {
    let found = left_out
        .iter()
        .filter_map(|ingress| finding(ingress, effective, sources));
    found.collect()
}

fn finding(ingress: &Ingress, effective: &Effective, sources: &[Source<'_>]) -> Option<Diagnostic> {
    let protection = protection(ingress);
    let for_host = OF_HOSTS.iter().any(|key| protection.contains_key(key));
    let mut labels = Vec::new();
    let mut names = Vec::new();
    for rule in &ingress.rules {
        let host = rule.host.as_ref().map_or("", |host| &*host.value);
        let Some(server) = server(effective, host) else {
            continue;
        };
        for path in rule.paths.iter().flatten() {
            let text = path.path.as_ref().map_or("/", |path| &*path.value);
            let taken = (server.locations.iter()).find(|location| takes(location, text));
            let by = taken.and_then(|location| location.source).or(server.first);
            let Some(by) = by.filter(|_| taken.is_some() || for_host) else {
                continue;
            };
            let span = path.path.as_ref().map_or(path.span, |path| path.span);
            let by = &sources[by].ingress.object;
            labels.push((span, format!("{by} takes its requests")));
            names.push(format!("{host}{text}"));
        }
    }
    let first = names.first()?;
    let message = match names.len() {
        1 => format!("{first} is left out, and another Ingress takes its requests in the output"),
        more => format!(
            "{first} and {} more are left out, and others take their requests in the output",
            more - 1
        ),
    };
    let mut diagnostic = Diagnostic::new(Code::LeftOutPath, message).object(&ingress.object);
    for (span, text) in labels {
        diagnostic = diagnostic.label(span, text);
    }
    if !protection.is_empty() {
        let keys: Vec<String> = protection.keys().map(|key| format!("`{key}`")).collect();
        diagnostic = diagnostic.severity(Severity::Error).note(format!(
            "{} may be what protects it, and does not hold in the output",
            keys.join(", ")
        ));
    }
    Some(diagnostic.help("convert the Ingresses of a host together"))
}

/// The server that answers for a host.
fn server<'a>(effective: &'a Effective, host: &str) -> Option<&'a Server> {
    let served = |name: &str| {
        let server = effective.servers.get(name)?;
        server.first.is_some().then_some(server)
    };
    let parent = host
        .split_once('.')
        .map(|(_, parent)| format!("*.{parent}"));
    served(host)
        .or_else(|| served(&parent?))
        .or_else(|| served(""))
}

/// Whether a location may take requests for a path of another Ingress: it is the same path or
/// above it. Of a pattern nobody can tell.
fn takes(location: &Location, path: &str) -> bool {
    if location.upstream.is_none() {
        return false;
    }
    if location.path_type == PathType::Exact {
        return *location.path == *path;
    }
    let above = location.path.trim_end_matches('/');
    let pattern = above.contains(['(', '*', '[', '$', '^', '|']);
    pattern
        || path
            .strip_prefix(above)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

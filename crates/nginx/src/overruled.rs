//! Settings of an Ingress that have no effect because another Ingress decides.
//!
//! Some belong to a server (`createServers` and `updateServerLocations`' template), some to an
//! upstream (`createUpstreams`); the controller takes each from one Ingress only.

use std::sync::Arc;

use gatewright_diagnostics::{Code, Diagnostic, Outcome};
use gatewright_source::{Span, Spanned};

use crate::IndexMap;
use crate::annotations::{KeyNote, KeyStatus, Settings};
use crate::effective::{Effective, Server, Source, SourceIndex, Upstream, host_of};
use crate::policies::{PolicyOutput, backend_tls, balance};

/// A setting without effect.
pub(crate) struct Overruled {
    /// Its key.
    key: &'static str,
    /// Why, as a clause.
    why: String,
    /// Who decides, if it is an Ingress.
    winner: Option<SourceIndex>,
    /// It has an effect on another host.
    partly: bool,
    /// What can be done.
    help: &'static str,
}

const ELSEWHERE: &str = "write it on the Ingress that decides, or remove it";

type Found = Vec<Vec<Overruled>>;

/// The settings of each source that another one decides.
pub(crate) fn find(effective: &Effective, sources: &[Source<'_>], passthrough: bool) -> Found {
    let mut found: Found = sources.iter().map(|_| Vec::new()).collect();
    let ciphers = first(sources, |settings| settings.ssl.ciphers.is_some());
    let order = first(sources, |settings| {
        settings.ssl.prefer_server_ciphers.is_some()
    });
    for (at, source) in sources.iter().enumerate() {
        if source.settings.canary.is_some() {
            of_canary(effective, sources, at, &mut found[at]);
            continue;
        }
        let of_source = &mut found[at];
        let mut host_wide = HostWide {
            effective,
            sources,
            at,
            found: of_source,
        };
        let settings = source.settings;
        if settings.server.aliases.is_some() {
            host_wide.check("server-alias", false, |_, server| server.alias);
        }
        if wanted(settings.redirect.from_to_www.as_ref()) {
            host_wide.check("from-to-www-redirect", false, |_, server| server.www);
        }
        if passthrough && wanted(settings.ssl.passthrough.as_ref()) {
            host_wide.check("ssl-passthrough", false, |_, server| server.passthrough);
        }
        if settings.ssl.ciphers.is_some() {
            host_wide.check("ssl-ciphers", true, |host, _| ciphers.get(host).copied());
        }
        if settings.ssl.prefer_server_ciphers.is_some() {
            host_wide.check("ssl-prefer-server-ciphers", true, |host, _| {
                order.get(host).copied()
            });
        }
        if settings.rewrite.app_root.is_some() {
            host_wide.check("app-root", true, |_, server| app_root(server, sources));
        }
        of_upstreams(effective, sources, at, of_source);
    }
    names(effective, sources, &mut found);
    if passthrough {
        roots(effective, sources, &mut found);
    }
    found
}

fn wanted(flag: Option<&Spanned<bool>>) -> bool {
    flag.is_some_and(|flag| flag.value)
}

/// Of each host, the first Ingress that says something.
fn first(
    sources: &[Source<'_>],
    says: impl Fn(&Settings) -> bool,
) -> IndexMap<Arc<str>, SourceIndex> {
    let mut first = IndexMap::default();
    for (at, source) in sources.iter().enumerate() {
        if source.settings.canary.is_some() || !says(source.settings) {
            continue;
        }
        for rule in &source.ingress.rules {
            first.entry(host_of(rule)).or_insert(at);
        }
    }
    first
}

/// The template writes the `app-root` of the first location that has one.
fn app_root(server: &Server, sources: &[Source<'_>]) -> Option<SourceIndex> {
    let locations = server.locations.iter().filter(|location| !location.bare);
    locations
        .filter_map(|location| Some((location.path.len(), &location.path, location.source?)))
        .filter(|&(_, _, at)| sources[at].settings.rewrite.app_root.is_some())
        // Of equal ones the first is kept, as a stable sort would.
        .reduce(|best, next| {
            if (next.0, next.1) > (best.0, best.1) {
                next
            } else {
                best
            }
        })
        .map(|(_, _, at)| at)
}

/// Checks settings of one Ingress that hold for its hosts.
struct HostWide<'a, 'b> {
    effective: &'a Effective,
    sources: &'a [Source<'b>],
    at: SourceIndex,
    found: &'a mut Vec<Overruled>,
}

impl HostWide<'_, '_> {
    fn check(
        &mut self,
        key: &'static str,
        nameless: bool,
        decides: impl Fn(&str, &Server) -> Option<SourceIndex>,
    ) {
        let mut lost: Option<(Arc<str>, Option<SourceIndex>)> = None;
        let mut won = false;
        for rule in &self.sources[self.at].ingress.rules {
            let host = host_of(rule);
            if host.is_empty() && !nameless {
                continue;
            }
            let Some(server) = self.effective.servers.get(&host) else {
                continue;
            };
            match decides(&host, server) {
                Some(winner) if winner == self.at => won = true,
                winner => {
                    lost.get_or_insert((host, winner));
                }
            }
        }
        let (why, winner) = match lost {
            Some((host, Some(winner))) => {
                let object = &self.sources[winner].ingress.object;
                let place = if host.is_empty() {
                    "requests without a known host"
                } else {
                    &host
                };
                (format!("{object} decides for {place}"), Some(winner))
            }
            Some((_, None)) => ("none of its paths is served".to_owned(), None),
            None if won => return,
            None => (
                "ingress-nginx reads it only for rules with a host".to_owned(),
                None,
            ),
        };
        self.found.push(Overruled {
            key,
            why,
            winner,
            partly: won,
            help: ELSEWHERE,
        });
    }
}

/// Names that have rules of their own, or are another host's already.
fn names(effective: &Effective, sources: &[Source<'_>], found: &mut Found) {
    let mut taken: IndexMap<String, SourceIndex> = IndexMap::default();
    for (host, server) in &effective.servers {
        let aliases = server.alias.and_then(|at| {
            let aliases = sources[at].settings.server.aliases.as_ref()?;
            Some((
                at,
                aliases
                    .value
                    .iter()
                    .map(|alias| alias.to_ascii_lowercase())
                    .collect(),
            ))
        });
        let www = server.www.map(|at| {
            let other = host
                .strip_prefix("www.")
                .map_or_else(|| format!("www.{host}"), str::to_owned);
            (at, vec![other])
        });
        for (key, names) in [("server-alias", aliases), ("from-to-www-redirect", www)] {
            let Some((at, names)): Option<(SourceIndex, Vec<String>)> = names else {
                continue;
            };
            let mut lost = None;
            let mut won = false;
            for name in names {
                if let Some(of) = effective.servers.get(name.as_str()) {
                    lost.get_or_insert((format!("{name} has rules of its own"), of.first));
                } else if let Some(&owner) = taken.get(&name) {
                    if owner != at {
                        let object = &sources[owner].ingress.object;
                        lost.get_or_insert((
                            format!("{name} belongs to {object} already"),
                            Some(owner),
                        ));
                    }
                } else {
                    taken.insert(name, at);
                    won = true;
                }
            }
            if let Some((why, winner)) = lost {
                let partly = won || found[at].iter().any(|o| o.key == key && o.partly);
                found[at].push(Overruled {
                    key,
                    why,
                    winner,
                    partly,
                    help: "remove the name, or the rules of the other host",
                });
            }
        }
    }
}

/// Hosts whose TLS could be passed to no Service.
fn roots(effective: &Effective, sources: &[Source<'_>], found: &mut Found) {
    for (host, server) in &effective.servers {
        let Some(at) = server.passthrough else {
            continue;
        };
        let root = server.locations.iter().find(|l| &*l.path == "/");
        let why = if host.starts_with("*.") {
            "a wildcard host is no name that a client asks for"
        } else if root.is_none_or(|root| root.upstream.is_none()) {
            "the host has no path `/`, whose Service would get the connections"
        } else {
            continue;
        };
        let others = sources[at].ingress.rules.iter().any(|rule| {
            let other = host_of(rule);
            let server = effective.servers.get(&other);
            other != *host
                && server.is_some_and(|server| {
                    server.passthrough == Some(at)
                        && (server.locations.iter())
                            .any(|l| &*l.path == "/" && l.upstream.is_some())
                })
        });
        found[at].push(Overruled {
            key: "ssl-passthrough",
            why: why.to_owned(),
            winner: None,
            partly: others,
            help: "give the host a path `/`, or remove the annotation",
        });
    }
}

/// What the Ingress that refers to a Service first says, or the session cookie of the last.
fn of_upstreams(
    effective: &Effective,
    sources: &[Source<'_>],
    at: SourceIndex,
    found: &mut Vec<Overruled>,
) {
    let source = &sources[at];
    let upstreams: Vec<&Upstream> = effective.upstreams_of(at).collect();
    let Some(upstream) = upstreams.first() else {
        return;
    };
    let name = |at: SourceIndex| &sources[at].ingress.object;
    let first = |upstream: &&Upstream| upstream.first == at;
    let mut push = |keys: &[&'static str], why: String, winner, partly| {
        for &key in keys {
            found.push(Overruled {
                key,
                why: why.clone(),
                winner,
                partly,
                help: ELSEWHERE,
            });
        }
    };
    if let Some(lost) = upstreams.iter().find(|u| !first(u)) {
        let winner = lost.first;
        push(
            &["service-upstream"],
            format!("{} refers to the Service first, and decides", name(winner)),
            Some(winner),
            upstreams.iter().any(first),
        );
    }
    let decides = |u: &&Upstream| u.first == at && u.affinity.is_none();
    let partly = upstreams.iter().any(decides);
    if let Some(lost) = upstreams.iter().find(|u| !decides(u)) {
        let (why, winner) = match lost.affinity {
            Some(winner) => (
                format!("the session cookie of {} decides", name(winner)),
                winner,
            ),
            None => (
                format!(
                    "{} refers to the Service first, and decides",
                    name(lost.first)
                ),
                lost.first,
            ),
        };
        push(balance::CHOICE, why, Some(winner), partly);
    }
    let cookie = |u: &&Upstream| u.affinity == Some(at);
    if source.settings.affinity.is_some()
        && !upstreams.iter().any(cookie)
        && let Some(winner) = upstream.affinity
    {
        push(
            balance::COOKIE,
            format!(
                "the session cookie of {} counts for the Service",
                name(winner)
            ),
            Some(winner),
            false,
        );
    }
}

/// Canaries of one Service follow the first of them.
fn of_canary(
    effective: &Effective,
    sources: &[Source<'_>],
    at: SourceIndex,
    found: &mut Vec<Overruled>,
) {
    let upstreams = effective.upstreams_of(at);
    let firsts: Vec<SourceIndex> = upstreams
        .filter(|upstream| upstream.canary_only)
        .map(|upstream| upstream.first)
        .collect();
    let Some(&winner) = firsts.iter().find(|first| **first != at) else {
        return;
    };
    for key in [
        "canary-weight",
        "canary-weight-total",
        "canary-by-header",
        "canary-by-header-value",
        "canary-by-header-pattern",
        "canary-by-cookie",
    ] {
        found.push(Overruled {
            key,
            why: format!(
                "{} refers to the Service first, and decides",
                sources[winner].ingress.object
            ),
            winner: Some(winner),
            partly: firsts.contains(&at),
            help: ELSEWHERE,
        });
    }
}

/// Of a canary only what holds for the whole host counts, and there one Ingress decides.
pub(crate) fn upstream_tls(
    of_host: &IndexMap<&str, Vec<SourceIndex>>,
    sources: &[Source<'_>],
    policies: &[PolicyOutput],
    at: SourceIndex,
) -> Vec<Overruled> {
    if sources[at].settings.canary.is_none() || policies[at].upstream_tls.is_none() {
        return Vec::new();
    }
    let mut lost = None;
    let mut won = false;
    for (host, of_host) in of_host.iter().filter(|(_, of_host)| of_host.contains(&at)) {
        match backend_tls::decider(of_host, policies) {
            Some(winner) if winner != at => {
                lost.get_or_insert((*host, winner));
            }
            _ => won = true,
        }
    }
    let Some((host, winner)) = lost else {
        return Vec::new();
    };
    let overruled = |&key| Overruled {
        key,
        why: format!(
            "{} decides for {host}, and a canary has no paths of its own",
            sources[winner].ingress.object
        ),
        winner: Some(winner),
        partly: won,
        help: ELSEWHERE,
    };
    backend_tls::KEYS.iter().map(overruled).collect()
}

/// Takes back what families said of settings without effect, and says who decides.
pub(crate) fn tell(
    sources: &[Source<'_>],
    source: &Source<'_>,
    notes: &[KeyNote],
    overruled: &[Overruled],
    output: &mut PolicyOutput,
) {
    for lost in overruled {
        let Some(note) = taken(notes, lost.key) else {
            continue;
        };
        let refused = (output.outcomes.iter())
            .any(|(key, outcome)| *key == lost.key && matches!(outcome, Outcome::Refused(_)));
        if refused {
            continue;
        }
        if !lost.partly {
            output.outcomes.retain(|(key, _)| *key != lost.key);
            (output.diagnostics).retain(|found| found.annotation.as_deref() != Some(lost.key));
            let reason = Outcome::no_effect(lost.why.clone());
            output.outcomes.push((lost.key, reason));
        }
        let winner = lost.winner.map(|at| &sources[at]);
        let own = winner.is_some_and(|winner| winner.id == source.id);
        let value = value(source, note.span);
        let theirs = winner.and_then(|winner| same_key(source, winner, note.span));
        if own
            || theirs
                .as_ref()
                .is_some_and(|theirs| Some(&*theirs.value) == value)
        {
            continue;
        }
        let message = if lost.partly {
            format!(
                "`{}` has no effect on a part of the Ingress: {}",
                lost.key, lost.why
            )
        } else {
            format!("`{}` has no effect: {}", lost.key, lost.why)
        };
        let mut diagnostic = Diagnostic::new(Code::SettingOverruled, message)
            .object(&source.ingress.object)
            .annotation(lost.key)
            .label(note.span, "no effect");
        if let Some(theirs) = theirs {
            diagnostic = diagnostic.label(theirs.span, "this counts");
        }
        output.diagnostics.push(diagnostic.help(lost.help));
    }
}

fn taken<'n>(notes: &'n [KeyNote], key: &str) -> Option<&'n KeyNote> {
    notes.iter().find(|note| {
        matches!(note.status, KeyStatus::Taken) && note.entry.is_some_and(|entry| entry.key == key)
    })
}

fn value<'s>(source: &'s Source<'_>, span: Span) -> Option<&'s str> {
    let mut annotations = source.ingress.annotations.iter();
    let found = annotations.find(|a| a.value.span == span || a.key.span == span)?;
    Some(&*found.value.value)
}

/// What another Ingress says under the very key that stands at `span`.
fn same_key<'s>(
    source: &Source<'_>,
    other: &'s Source<'_>,
    span: Span,
) -> Option<&'s Spanned<Arc<str>>> {
    let mut own = source.ingress.annotations.iter();
    let own = own.find(|a| a.value.span == span || a.key.span == span)?;
    let mut others = other.ingress.annotations.iter();
    Some(&others.find(|a| a.key.value == own.key.value)?.value)
}

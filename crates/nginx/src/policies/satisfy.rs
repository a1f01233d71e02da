//! `satisfy`: the target asks for everything that is configured.

use gatewright_diagnostics::{Code, Diagnostic, Outcome};

use super::{PolicyInput, PolicyOutput};
use crate::IndexMap;
use crate::annotations::Settings;
use crate::config_map::Config;
use crate::effective::{Source, SourceIndex};
use crate::lower::server_snippet::ByHost;

/// The key that is carried over.
pub(crate) const KEYS: &[&str] = &["satisfy"];

/// Says when `any` becomes stricter.
pub(crate) fn lower(input: &PolicyInput<'_>, out: &mut PolicyOutput) {
    let (settings, config) = (input.settings, input.config);
    let listed = settings.ip_lists.allow.is_some()
        || settings.ip_lists.deny.is_some()
        || !config.whitelist_source_range.is_empty()
        || !config.denylist_source_range.is_empty()
        || !config.block_cidrs.is_empty()
        || out.own_list.is_some()
        || out.server_addresses.is_some()
        || out
            .server_snippet
            .as_ref()
            .is_some_and(|snippet| snippet.addresses.is_some());
    let ways = [
        listed,
        asks(settings, config),
        settings.auth_basic.is_some(),
    ];
    if ways.iter().filter(|way| **way).count() < 2 {
        return;
    }
    if let Some(diagnostic) = stricter(settings) {
        out.differs(input, "satisfy", diagnostic);
    }
}

/// The list of a `server-snippet` holds for the locations of other Ingresses too.
pub(crate) fn beside_snippets(
    of_host: &IndexMap<&str, Vec<SourceIndex>>,
    snippets: &ByHost<'_>,
    sources: &[Source<'_>],
    config: &Config,
    policies: &mut [PolicyOutput],
) {
    for (host, with_snippet) in snippets {
        let first = with_snippet.first().map(|&at| &policies[at]);
        let snippet = first.and_then(|output| output.server_snippet.as_ref());
        if snippet.is_none_or(|snippet| snippet.addresses.is_none()) {
            continue;
        }
        for &at in of_host.get(host).into_iter().flatten() {
            let (source, output) = (&sources[at], &mut policies[at]);
            let settings = source.settings;
            let protected = settings.auth_basic.is_some() || asks(settings, config);
            let known = output.outcomes.iter().any(|(key, _)| *key == "satisfy");
            if settings.canary.is_some() || known || !protected {
                continue;
            }
            if let Some(diagnostic) = stricter(settings) {
                let outcome = Outcome::Difference(diagnostic.code);
                output.outcomes.push(("satisfy", outcome));
                let diagnostic = diagnostic.object(&source.ingress.object);
                output.diagnostics.push(diagnostic.annotation("satisfy"));
            }
        }
    }
}

fn asks(settings: &Settings, config: &Config) -> bool {
    settings.auth_external.is_some()
        || settings.enable_global_auth() && !config.global_auth_url.is_empty()
}

/// What there is to say where several protections meet `satisfy: any`.
fn stricter(settings: &Settings) -> Option<Diagnostic> {
    let satisfy = settings.satisfy.as_ref().filter(|any| any.value)?;
    Some(
        Diagnostic::new(
            Code::SatisfyAll,
            "`satisfy: any` becomes `all`: every protection has to be passed",
        )
        .at(satisfy.span)
        .note(
            "clients that pass by one of address list, password and auth service alone are refused",
        )
        .help(
            "split the Ingress by host or path, or let the auth service decide about addresses too",
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::super::testing::{codes, lower};
    use super::*;

    #[test]
    fn any_of_one_is_all_of_one() {
        let any = ("satisfy", "any");
        let list = ("allowlist-source-range", "10.0.0.0/8");
        let auth = ("auth-url", "http://gate.shop.svc/v");
        assert_eq!(codes(&lower(&[any, auth])), [Code::AuthQuestion]);
        assert!(codes(&lower(&[any, auth, list])).contains(&Code::SatisfyAll));
        assert!(!codes(&lower(&[("satisfy", "all"), auth, list])).contains(&Code::SatisfyAll));
    }
}

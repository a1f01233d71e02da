//! `satisfy`: the target asks for everything that is configured.

use gatewright_diagnostics::{Code, Diagnostic};

use super::{PolicyInput, PolicyOutput};

/// The key that is carried over.
pub(crate) const KEYS: &[&str] = &["satisfy"];

/// Says when `any` becomes stricter.
pub(crate) fn lower(input: &PolicyInput<'_>, out: &mut PolicyOutput) {
    let settings = input.settings;
    let Some(satisfy) = settings.satisfy.as_ref().filter(|any| any.value) else {
        return;
    };
    let config = input.config;
    let listed = settings.ip_lists.allow.is_some()
        || settings.ip_lists.deny.is_some()
        || !config.whitelist_source_range.is_empty()
        || !config.denylist_source_range.is_empty()
        || !config.block_cidrs.is_empty();
    let asked = settings.auth_external.is_some()
        || settings.enable_global_auth() && !config.global_auth_url.is_empty();
    let ways = [listed, asked, settings.auth_basic.is_some()];
    if ways.iter().filter(|way| **way).count() < 2 {
        return;
    }
    out.differs(
        input,
        "satisfy",
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
    );
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

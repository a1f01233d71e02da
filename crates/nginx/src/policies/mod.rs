//! From settings to the policies of the routing model.
//!
//! One family, one file, named as its annotations' family. A family says which keys it carries
//! over ([`CARRIED`]); a protective key that no family carries makes the routes of its Ingress
//! answer 503.

mod auth_basic;
mod auth_external;
pub(crate) mod auth_tls;
pub(crate) mod backend_tls;
pub(crate) mod balance;
mod cors;
mod errors;
pub(crate) mod forwarded;
pub(crate) mod headers;
mod ip_lists;
mod limits;
mod mirror;
mod modsecurity;
mod observability;
mod question;
mod replies;
pub(crate) mod satisfy;
pub(crate) mod sha1;
pub(crate) mod snippets;
pub(crate) mod ssl;
pub(crate) mod transport;
mod users;

#[cfg(test)]
mod testing;

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use gatewright_diagnostics::{Code, Diagnostic, ObjectRef, Outcome};
use gatewright_model::{Origin, OwnerId, Policies, Refusal};
use gatewright_source::Span;

use crate::annotations::Settings;
use crate::config_map::Config;
use crate::effective::{Effective, Source};
use crate::ingress::Ingress;
use crate::objects::Objects;

/// The keys that each family carries over.
pub(crate) static CARRIED: &[&[&str]] = &[
    auth_basic::KEYS,
    auth_external::KEYS,
    satisfy::KEYS,
    cors::KEYS,
    errors::KEYS,
    headers::KEYS,
    mirror::KEYS,
    modsecurity::KEYS,
    observability::KEYS,
    replies::KEYS,
    backend_tls::KEYS,
    balance::CHOICE,
    balance::COOKIE,
    balance::AFFINITY,
    transport::KEYS,
    auth_tls::KEYS,
    ip_lists::KEYS,
    limits::KEYS,
    ssl::KEYS,
    snippets::KEYS,
];

/// Whether a key ends up in [`Policies`].
pub(crate) fn carries(key: &str) -> bool {
    CARRIED.iter().any(|keys| keys.contains(&key))
}

/// What the policies of one Ingress are made from.
pub(crate) struct PolicyInput<'a> {
    /// Its id in the model.
    pub(crate) owner: OwnerId,
    /// Its name.
    pub(crate) object: &'a ObjectRef,
    /// Where its name stands.
    pub(crate) name_span: Span,
    /// The object.
    pub(crate) ingress: &'a Ingress,
    /// What its annotations say.
    pub(crate) settings: &'a Settings,
    /// What the controller's `ConfigMap` says.
    pub(crate) config: &'a Config,
    /// Where the values of the controller's `ConfigMap` stand.
    pub(crate) places: &'a [(String, Span)],
    /// Services, Secrets and `ConfigMap`s of the input.
    pub(crate) objects: &'a Objects,
    /// What all Ingresses together come to.
    pub(crate) effective: &'a Effective,
    /// All of them.
    pub(crate) sources: &'a [Source<'a>],
    /// Nobody has confirmed that the Gateway finds the addresses of clients where the controller
    /// does.
    pub(crate) addresses_unconfirmed: bool,
    /// It is the Ingress that decides about client certificates of some host.
    pub(crate) decides_clients: bool,
}

/// What comes of them.
#[derive(Debug, Default)]
pub(crate) struct PolicyOutput {
    /// For every location of the Ingress.
    pub(crate) policies: Arc<Policies>,
    /// For every location of the first host that it has it for.
    pub(crate) server_snippet: Option<Box<snippets::ServerSnippet>>,
    /// For every location that a server has beside those of Ingresses, too: the controller's
    /// own snippets.
    pub(crate) server_policies: Option<Box<Policies>>,
    /// Whom they let in where a location has no list of its own.
    pub(crate) server_addresses: Option<Box<snippets::AddressList>>,
    /// The list of addresses is one for every server, which one of a server replaces.
    pub(crate) addresses_inherited: bool,
    /// A snippet says whom the locations let in, even if that is everybody or nobody.
    pub(crate) own_list: Option<Box<snippets::AddressList>>,
    /// Its locations answer 503.
    pub(crate) refusal: Option<Refusal>,
    /// TLS to the backend.
    pub(crate) upstream_tls: Option<backend_tls::UpstreamTls>,
    /// What became of single annotations, where it is not "translated". By key.
    pub(crate) outcomes: Vec<(&'static str, Outcome)>,
    /// What became of the controller's own snippets, by the place of their value.
    pub(crate) controller_outcomes: Vec<(Span, Outcome)>,
    /// Findings.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl PolicyInput<'_> {
    /// The value of an annotation of this Ingress.
    pub(crate) fn origin(&self, key: &'static str, span: Span) -> Origin {
        Origin::annotation(self.owner, key, span)
    }
}

impl PolicyOutput {
    pub(crate) fn policies_mut(&mut self) -> &mut Policies {
        Arc::make_mut(&mut self.policies)
    }

    /// The locations answer 503. `faithful` when ingress-nginx answers 503 as well, which
    /// it does before anything else.
    pub(crate) fn refuse(&mut self, reason: impl Into<String>, faithful: bool, origin: Origin) {
        let graver = |known: &Refusal| faithful && !known.faithful;
        if self.refusal.as_ref().is_none_or(graver) {
            self.refusal = Some(Refusal {
                reason: reason.into(),
                faithful,
                origin,
            });
        }
    }

    /// A key is carried over with a difference; the diagnostic says which.
    pub(crate) fn differs(
        &mut self,
        input: &PolicyInput<'_>,
        key: &'static str,
        diagnostic: Diagnostic,
    ) {
        self.outcomes
            .push((key, Outcome::Difference(diagnostic.code)));
        self.tell(input, key, diagnostic);
    }

    /// A key is not carried over; the diagnostic says what to do.
    pub(crate) fn refused(
        &mut self,
        input: &PolicyInput<'_>,
        key: &'static str,
        diagnostic: Diagnostic,
    ) {
        self.outcomes.push((key, Outcome::Refused(diagnostic.code)));
        self.tell(input, key, diagnostic);
    }

    /// A key changes nothing behind another proxy.
    pub(crate) fn inert(&mut self, key: &'static str, reason: impl Into<Cow<'static, str>>) {
        self.outcomes.push((key, Outcome::no_effect(reason)));
    }

    fn tell(&mut self, input: &PolicyInput<'_>, key: &'static str, diagnostic: Diagnostic) {
        self.diagnostics
            .push(diagnostic.object(input.object).annotation(key));
    }
}

/// Authentication was asked for and ingress-nginx leaves it out by mistake: that is not repeated.
fn opening(input: &PolicyInput<'_>, out: &mut PolicyOutput, key: &'static str, span: Span) {
    let diagnostic = Diagnostic::new(
        Code::AuthOpening,
        format!("`{key}` leaves these paths open in ingress-nginx; they answer 503"),
    )
    .at(span)
    .note("the Ingress asks for authentication, and ingress-nginx serves it to everybody")
    .help("correct the value, or remove the authentication if the paths are public");
    out.refused(input, key, diagnostic);
    out.refuse(
        "ingress-nginx leaves out the authentication that is asked for",
        false,
        input.origin(key, span),
    );
}

/// The policies of one Ingress.
pub(crate) fn lower(input: &PolicyInput<'_>) -> PolicyOutput {
    let mut output = PolicyOutput::default();
    auth_tls::lower(input, &mut output);
    ssl::lower(input, &mut output);
    snippets::streams(input, &mut output);
    if input.settings.canary.is_some() {
        // Of a canary the controller reads nothing else.
        balance::lower_canary(input, &mut output);
        backend_tls::lower(input, &mut output);
        return output;
    }
    ip_lists::lower(input, &mut output);
    limits::lower(input, &mut output);
    auth_basic::lower(input, &mut output);
    auth_external::lower(input, &mut output);
    cors::lower(input, &mut output);
    errors::lower(input, &mut output);
    headers::lower(input, &mut output);
    mirror::lower(input, &mut output);
    modsecurity::lower(input, &mut output);
    observability::lower(input, &mut output);
    replies::lower(input, &mut output);
    backend_tls::lower(input, &mut output);
    balance::lower(input, &mut output);
    transport::lower(input, &mut output);
    snippets::lower(input, &mut output);
    // Snippets have lists of addresses too.
    satisfy::lower(input, &mut output);
    // Most Ingresses ask for nothing.
    if *output.policies == **NONE {
        output.policies = Arc::clone(&NONE);
    }
    output
}

static NONE: LazyLock<Arc<Policies>> = LazyLock::new(Arc::default);

/// What Ingresses want of each other's listeners and cannot both have.
pub(crate) fn reconcile(
    sources: &[Source<'_>],
    outputs: &mut [PolicyOutput],
    diagnostics: &mut Vec<Diagnostic>,
) {
    auth_external::reconcile(sources, outputs, diagnostics);
}

/// The policies of one location: some paths are exempt from some policies.
pub(crate) fn for_location(policies: &Arc<Policies>, path: &str, config: &Config) -> Arc<Policies> {
    let mut policies = Arc::clone(policies);
    let exempt = config
        .no_auth_locations
        .iter()
        .any(|prefix| path.starts_with(prefix.as_str()));
    if exempt && policies.authenticates() {
        let policies = Arc::make_mut(&mut policies);
        policies.passwords = None;
        policies.authorizer = None;
    }
    policies
}

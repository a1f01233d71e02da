//! From settings to the policies of the routing model.
//!
//! One family, one file, named as its annotations' family. A family says which keys it carries
//! over ([`CARRIED`]); a protective key that no family carries makes the routes of its Ingress
//! answer 503.

pub(crate) mod auth_tls;
pub(crate) mod forwarded;
mod ip_lists;
mod limits;
pub(crate) mod ssl;

use std::sync::Arc;

use gatewright_diagnostics::{Diagnostic, ObjectRef, Outcome};
use gatewright_model::{Origin, OwnerId, Policies, Refusal};
use gatewright_source::Span;

use crate::annotations::Settings;
use crate::config_map::Config;
use crate::objects::Objects;

/// The keys that each family carries over.
pub(crate) static CARRIED: &[&[&str]] = &[auth_tls::KEYS, ip_lists::KEYS, limits::KEYS, ssl::KEYS];

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
    /// What its annotations say.
    pub(crate) settings: &'a Settings,
    /// What the controller's `ConfigMap` says.
    pub(crate) config: &'a Config,
    /// Services, Secrets and `ConfigMap`s of the input.
    pub(crate) objects: &'a Objects,
}

/// What comes of them.
#[derive(Debug, Default)]
pub(crate) struct PolicyOutput {
    /// For every location of the Ingress.
    pub(crate) policies: Policies,
    /// Its locations answer 503.
    pub(crate) refusal: Option<Refusal>,
    /// What became of single annotations, where it is not "translated". By key.
    pub(crate) outcomes: Vec<(&'static str, Outcome)>,
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
    /// The locations answer 503. `faithful` when ingress-nginx answers 503 as well.
    pub(crate) fn refuse(&mut self, reason: impl Into<String>, faithful: bool, origin: Origin) {
        if self.refusal.is_none() {
            self.refusal = Some(Refusal {
                reason: reason.into(),
                faithful,
                origin,
            });
        }
    }

    /// A key is carried over with a difference; the diagnostic says which.
    pub(crate) fn differs(&mut self, input: &PolicyInput<'_>, key: &'static str, diagnostic: Diagnostic) {
        self.outcomes.push((key, Outcome::Difference(diagnostic.code)));
        self.tell(input, key, diagnostic);
    }

    /// A key is not carried over; the diagnostic says what to do.
    pub(crate) fn refused(&mut self, input: &PolicyInput<'_>, key: &'static str, diagnostic: Diagnostic) {
        self.outcomes.push((key, Outcome::Refused(diagnostic.code)));
        self.tell(input, key, diagnostic);
    }

    /// A key changes nothing behind another proxy.
    pub(crate) fn inert(&mut self, key: &'static str, reason: &str) {
        self.outcomes.push((key, Outcome::NoEffect(Arc::from(reason))));
    }

    fn tell(&mut self, input: &PolicyInput<'_>, key: &'static str, diagnostic: Diagnostic) {
        self.diagnostics
            .push(diagnostic.object(input.object).annotation(key));
    }
}

/// The policies of one Ingress.
pub(crate) fn lower(input: &PolicyInput<'_>) -> PolicyOutput {
    let mut output = PolicyOutput::default();
    auth_tls::lower(input, &mut output);
    ssl::lower(input, &mut output);
    if input.settings.canary.is_some() {
        // Of a canary the controller reads nothing else.
        return output;
    }
    ip_lists::lower(input, &mut output);
    limits::lower(input, &mut output);
    output
}

/// The policies of one location: some paths are exempt from some policies.
pub(crate) fn for_location(policies: &Policies, path: &str, implicit: bool, config: &Config) -> Policies {
    let _ = (path, implicit, config);
    policies.clone()
}

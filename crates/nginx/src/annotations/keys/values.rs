//! Values of keys: which item counts, what its grammar says, and the typed getters.

use gatewright_diagnostics::Code;
use gatewright_source::Spanned;
use ipnet::IpNet;

use super::super::ControllerVersion;
use super::super::reference::{Reference, reference};
use super::{Found, KeyStatus, Keys, normalize};
use crate::registry::{
    EmptyValue, Grammar, GrammarFault, Invalid, find, lists, parse_bool, parse_int,
};

impl<'a> Keys<'a> {
    /// Finds the item that counts for a key: the key itself unless it is missing or empty
    /// and an alias is not (`checkAnnotation` of the controller). The others are
    /// overridden.
    fn choose(&mut self, key: &'static str) -> Option<usize> {
        let mut own = None;
        let mut aliased = false;
        for (at, item) in self.items.iter().enumerate() {
            let Some((entry, family)) = item.known else {
                continue;
            };
            if family != self.family || entry.key != key {
                continue;
            }
            if entry.aliases.is_empty() {
                return Some(at);
            }
            if item.annotation.key == key {
                own = Some(at);
            } else {
                aliased = true;
            }
        }
        if aliased {
            self.choose_alias(key, own)
        } else {
            own
        }
    }

    fn choose_alias(&mut self, key: &'static str, own: Option<usize>) -> Option<usize> {
        let aliases = find(key).map_or(&[][..], |entry| entry.aliases);
        let filled = |keys: &Self, at: usize| !keys.items[at].annotation.value.is_empty();
        let mut chosen = own;
        for &alias in aliases {
            let Some(at) = self.position(alias) else {
                continue;
            };
            if chosen.is_none_or(|own| !filled(self, own)) && filled(self, at) {
                if let Some(own) = chosen {
                    self.override_by(own, at);
                }
                chosen = Some(at);
            } else if let Some(own) = chosen {
                self.override_by(at, own);
            } else {
                let reason = "it is empty".into();
                self.settle(at, KeyStatus::Ignored { reason });
            }
        }
        chosen
    }

    fn override_by(&mut self, loser: usize, winner: usize) {
        if self.items[loser].status.is_some() {
            return;
        }
        let (losing, winning) = (self.items[loser].annotation, self.items[winner].annotation);
        let reason = if losing.value.is_empty() {
            "it is empty".to_owned()
        } else {
            let diagnostic = self
                .diagnostic(
                    Code::AnnotationOverridden,
                    losing.key,
                    format!(
                        "`{}` has no effect: `{}` is set too",
                        losing.key, winning.key
                    ),
                )
                .label(losing.value_span, "not read")
                .label(winning.value_span, "this list counts")
                .help(format!("merge the two into `{}`", winning.key));
            self.result.diagnostics.push(diagnostic);
            format!("`{}` is set too and counts", winning.key)
        };
        self.settle(
            loser,
            KeyStatus::Ignored {
                reason: reason.into(),
            },
        );
    }

    /// Looks a key up and checks its value, without consequences.
    pub(crate) fn find(&mut self, key: &'static str) -> Found<'a> {
        let Some(at) = self.choose(key) else {
            return Found::Missing;
        };
        let value = self.items[at].annotation.value;
        if value.is_empty() {
            return Found::Empty(at);
        }
        if let Some((entry, _)) = self.items[at].known
            && self.checks(entry.grammar)
            && let Err(fault) = entry.grammar.check(value)
        {
            return Found::Invalid(at, fault);
        }
        if value.trim().is_empty() {
            return Found::Empty(at);
        }
        Found::Value(at, value)
    }

    /// Without validation only types are parsed.
    fn checks(&self, grammar: Grammar) -> bool {
        self.version == ControllerVersion::V1_15
            || matches!(grammar, Grammar::Bool | Grammar::Int | Grammar::Networks)
    }

    /// Looks a key up, with the consequences that its entry names.
    pub(crate) fn value(&mut self, key: &'static str) -> Option<(usize, &'a str)> {
        match self.find(key) {
            Found::Missing => None,
            Found::Empty(at) => {
                self.empty(at);
                None
            }
            Found::Invalid(at, fault) => {
                let entry = self.items[at].known?.0;
                // Before validation, a value of the wrong type was treated like an empty one.
                let consequence = match self.version {
                    ControllerVersion::V1_15 => entry.invalid,
                    // Lists were parsed even then, and the parser gave up on its group.
                    ControllerVersion::Pre1_12
                        if entry.grammar == Grammar::Networks
                            && entry.invalid == Invalid::Reject =>
                    {
                        Invalid::DropGroup
                    }
                    ControllerVersion::Pre1_12 => match entry.empty {
                        EmptyValue::Absent => Invalid::Default,
                        EmptyValue::Deny => Invalid::Deny,
                        EmptyValue::DropGroup => Invalid::DropGroup,
                    },
                };
                self.fail(at, consequence, fault);
                None
            }
            Found::Value(at, value) => {
                self.settle(at, KeyStatus::Taken);
                Some((at, value))
            }
        }
    }

    /// The empty value of an item, with the consequence that its entry names.
    pub(crate) fn empty(&mut self, at: usize) {
        let Some((entry, _)) = self.items[at].known else {
            return;
        };
        // The controller treats an empty alias as absent.
        let alias = self.items[at].annotation.key != entry.key;
        let consequence = match entry.empty {
            EmptyValue::Absent => Invalid::Default,
            _ if alias => Invalid::Default,
            EmptyValue::Deny => Invalid::Deny,
            EmptyValue::DropGroup => Invalid::DropGroup,
        };
        self.fail(at, consequence, GrammarFault::whole("is empty"));
    }

    /// A text, trimmed line by line as the controller does.
    pub(crate) fn text(&mut self, key: &'static str) -> Option<Spanned<String>> {
        let (at, value) = self.value(key)?;
        Some(Spanned::new(
            normalize(value).into_owned(),
            self.value_span(at),
        ))
    }

    /// A boolean.
    pub(crate) fn flag(&mut self, key: &'static str) -> Option<Spanned<bool>> {
        let (at, value) = self.value(key)?;
        let span = self.value_span(at);
        parse_bool(value).map(|flag| Spanned::new(flag, span))
    }

    /// A number.
    pub(crate) fn int(&mut self, key: &'static str) -> Option<Spanned<i64>> {
        let (at, value) = self.value(key)?;
        let span = self.value_span(at);
        parse_int(value).map(|number| Spanned::new(number, span))
    }

    /// A word that stands for something. A word that stands for nothing can only come
    /// from a controller without validation, and leads to the default.
    pub(crate) fn word<T>(
        &mut self,
        key: &'static str,
        meaning: impl Fn(&str) -> Option<T>,
    ) -> Option<Spanned<T>> {
        let (at, value) = self.value(key)?;
        let Some(value) = meaning(value.trim()) else {
            self.fail(
                at,
                Invalid::Default,
                GrammarFault::whole("is not a word it knows"),
            );
            return None;
        };
        Some(Spanned::new(value, self.value_span(at)))
    }

    /// A Secret or `ConfigMap` in the namespace of the Ingress, or in another one where the
    /// controller allows that. Anything else answers 503. `qualified` asks for
    /// `namespace/name`.
    pub(crate) fn reference(
        &mut self,
        key: &'static str,
        qualified: bool,
    ) -> Option<Spanned<Reference>> {
        let (at, value) = self.value(key)?;
        let own = self.namespace();
        let found = reference(value.trim(), (!qualified).then_some(own)).and_then(|found| {
            if found.namespace == own || self.config.allow_cross_namespace_resources {
                Ok(found)
            } else {
                Err(GrammarFault::whole(format!(
                    "names namespace `{}`, and `allow-cross-namespace-resources` of the controller is off",
                    found.namespace
                ))
                .help("name one of the namespace of the Ingress"))
            }
        });
        match found {
            Ok(found) => Some(Spanned::new(found, self.value_span(at))),
            Err(fault) => {
                self.fail(at, Invalid::Deny, fault);
                None
            }
        }
    }

    /// A list of addresses and networks.
    pub(crate) fn networks(&mut self, key: &'static str) -> Option<Spanned<Vec<IpNet>>> {
        let (at, value) = self.value(key)?;
        let networks = lists::networks(value).ok()?;
        let networks = networks.into_iter().map(|(network, _)| network).collect();
        Some(Spanned::new(networks, self.value_span(at)))
    }
}

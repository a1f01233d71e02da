//! The keys of one Ingress while they are read: grammar checks, and the account of what
//! became of each.

use std::borrow::Cow;

use gatewright_diagnostics::{Code, Diagnostic, ObjectRef, Severity};
use gatewright_source::{Span, Spanned};
use ipnet::IpNet;

use super::reference::{Reference, reference};
use super::{AnnotationResult, ControllerVersion, Family, Settings};
use crate::config_map::Config;
use crate::registry::{
    EmptyValue, Entry, Grammar, GrammarFault, Invalid, KeyClass, Risk, find_with_family,
    parse_bool, parse_int, shapes,
};

/// One annotation, as it is handed in.
#[derive(Clone, Copy, Debug)]
pub struct Annotation<'a> {
    /// The key without prefix.
    pub key: &'a str,
    /// The value.
    pub value: &'a str,
    /// Where the key stands.
    pub key_span: Span,
    /// Where the value stands.
    pub value_span: Span,
}

/// A value with consequences beyond itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The key without prefix.
    pub key: &'static str,
    /// The value, or the part of it that is wrong.
    pub span: Span,
    /// What is wrong; the diagnostic of the same fault says it in full.
    pub message: String,
}

/// What became of one key.
#[derive(Clone, Debug)]
pub struct KeyNote {
    /// The key without prefix, as written.
    pub key: String,
    /// Where it stands.
    pub span: Span,
    /// Its registry entry, when there is one.
    pub entry: Option<&'static Entry>,
    /// What became of it.
    pub status: KeyStatus,
}

/// What became of a key.
#[derive(Clone, Debug)]
pub enum KeyStatus {
    /// Its value is in the settings.
    Taken,
    /// It changes nothing, and why.
    Ignored {
        /// Why.
        reason: Cow<'static, str>,
    },
    /// The controller does not read it.
    Unknown(KeyClass),
    /// It makes the controller drop the Ingress.
    Rejected,
    /// It makes every location of the Ingress answer 503.
    Denied,
    /// It makes nginx refuse the configuration.
    Breaks,
}

struct Item<'a> {
    annotation: Annotation<'a>,
    known: Option<(&'static Entry, Family)>,
    status: Option<KeyStatus>,
}

/// The value of a key, judged.
pub(crate) enum Found<'a> {
    /// No such key.
    Missing,
    /// The key is there and its value is empty, or blank.
    Empty(usize),
    /// The value does not fit the grammar.
    Invalid(usize, GrammarFault),
    /// A value.
    Value(usize, &'a str),
}

/// The keys of one Ingress.
pub struct Keys<'a> {
    items: Vec<Item<'a>>,
    families: u32,
    /// The controller's ConfigMap.
    pub(crate) config: &'a Config,
    /// Which controller judges.
    pub(crate) version: ControllerVersion,
    object: &'a ObjectRef,
    dropped: Option<usize>,
    result: AnnotationResult,
}

impl<'a> Keys<'a> {
    pub(crate) fn new(
        annotations: impl IntoIterator<Item = Annotation<'a>>,
        config: &'a Config,
        version: ControllerVersion,
        object: &'a ObjectRef,
    ) -> Self {
        let mut families = 0;
        let items = annotations
            .into_iter()
            .map(|annotation| {
                let known = find_with_family(annotation.key);
                if let Some((_, family)) = known {
                    families |= 1 << family as u32;
                }
                Item {
                    annotation,
                    known,
                    status: None,
                }
            })
            .collect();
        Self {
            items,
            families,
            config,
            version,
            object,
            dropped: None,
            result: AnnotationResult::default(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(crate) fn holds(&self, family: Family) -> bool {
        self.families >> family as u32 & 1 == 1
    }

    /// The namespace of the Ingress.
    pub(crate) fn namespace(&self) -> &'a str {
        &self.object.namespace
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.items
            .iter()
            .position(|item| item.annotation.key == name)
    }

    /// Whether the key or one of its aliases is there.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.items
            .iter()
            .any(|item| item.known.is_some_and(|(entry, _)| entry.key == key))
    }

    /// Finds the item that counts for a key: the key itself unless it is missing or empty
    /// and an alias is not (`checkAnnotation` of the controller). The others are
    /// overridden.
    fn choose(&mut self, key: &'static str) -> Option<usize> {
        let own = self.position(key);
        let aliases = match own {
            Some(at) => self.items[at]
                .known
                .map_or(&[][..], |(entry, _)| entry.aliases),
            // Without the key only an alias can hold its entry.
            None => {
                self.items
                    .iter()
                    .find_map(|item| item.known.filter(|(entry, _)| entry.key == key))?
                    .0
                    .aliases
            }
        };
        let mut chosen = own;
        for &alias in aliases {
            let Some(at) = self.position(alias) else {
                continue;
            };
            let filled = |at: usize| !self.items[at].annotation.value.is_empty();
            if chosen.is_none_or(|own| !filled(own)) && filled(at) {
                if let Some(own) = chosen {
                    self.override_by(own, at);
                }
                chosen = Some(at);
            } else if let Some(own) = chosen {
                self.override_by(at, own);
            } else {
                self.settle(
                    at,
                    KeyStatus::Ignored {
                        reason: "it is empty".into(),
                    },
                );
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

    /// A Secret or ConfigMap in the namespace of the Ingress, or in another one where the
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
                )))
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
        let networks = shapes::networks(value).ok()?;
        let networks = networks.into_iter().map(|(network, _)| network).collect();
        Some(Spanned::new(networks, self.value_span(at)))
    }

    /// Whether a key drops the Ingress.
    pub(crate) fn rejected(&self, key: &str) -> bool {
        self.result.rejected.iter().any(|fault| fault.key == key)
    }

    /// Whether a key is there and its value is blank.
    pub(crate) fn value_is_blank(&self, key: &str) -> bool {
        self.position(key)
            .is_some_and(|at| self.items[at].annotation.value.trim().is_empty())
    }

    /// Whether a key makes the paths answer 503.
    pub(crate) fn denied(&self, key: &str) -> bool {
        self.result.denied.iter().any(|fault| fault.key == key)
    }

    /// Where the value of an item stands.
    pub(crate) fn value_span(&self, at: usize) -> Span {
        self.items[at].annotation.value_span
    }

    /// Where the value of a key stands.
    pub(crate) fn span_of(&self, key: &str) -> Option<Span> {
        self.position(key).map(|at| self.value_span(at))
    }

    /// The place of some bytes of a value. Known when the scalar is written plainly or
    /// in quotes without escapes; the whole value otherwise.
    pub(crate) fn part_span(&self, at: usize, range: Option<std::ops::Range<usize>>) -> Span {
        let Annotation {
            value, value_span, ..
        } = self.items[at].annotation;
        let quotes = (value_span.len() as usize).wrapping_sub(value.len());
        let (Some(range), 0 | 2) = (range, quotes) else {
            return value_span;
        };
        let start = value_span.start + u32::from(quotes == 2);
        let place = |byte: usize| start + u32::try_from(byte).unwrap_or(0);
        Span::new(value_span.file, place(range.start), place(range.end))
    }

    /// Notes what became of an item. That it drops the Ingress is never taken back.
    pub(crate) fn settle(&mut self, at: usize, status: KeyStatus) {
        let slot = &mut self.items[at].status;
        if !matches!(slot, Some(KeyStatus::Rejected)) {
            *slot = Some(status);
        }
    }

    /// Says of a taken key that its value changes nothing.
    pub(crate) fn ignore(&mut self, key: &str, reason: impl Into<Cow<'static, str>>) {
        let reason = reason.into();
        for at in 0..self.items.len() {
            if self.items[at]
                .known
                .is_some_and(|(entry, _)| entry.key == key)
                && matches!(self.items[at].status, None | Some(KeyStatus::Taken))
            {
                self.inert(at, reason.clone());
            }
        }
    }

    /// The same, when a diagnostic has said so already.
    pub(crate) fn ignore_silently(&mut self, key: &str, reason: &'static str) {
        let found = self
            .items
            .iter()
            .position(|item| item.known.is_some_and(|(entry, _)| entry.key == key));
        if let Some(at) = found {
            self.settle(
                at,
                KeyStatus::Ignored {
                    reason: reason.into(),
                },
            );
        }
    }

    /// Says of all keys of a parser group that were not read that they change nothing.
    pub(crate) fn ignore_rest(&mut self, group: &str, reason: impl Into<Cow<'static, str>>) {
        let reason = reason.into();
        for at in 0..self.items.len() {
            if self.items[at].status.is_none()
                && self.items[at]
                    .known
                    .is_some_and(|(entry, _)| entry.group == group)
            {
                self.inert(at, reason.clone());
            }
        }
    }

    /// Says of all keys of a parser group that the controller gave up on it. The fault
    /// itself has been reported.
    pub(crate) fn drop_group(&mut self, group: &str, cause: &str) {
        for at in 0..self.items.len() {
            if matches!(self.items[at].status, None | Some(KeyStatus::Taken))
                && self.items[at]
                    .known
                    .is_some_and(|(entry, _)| entry.group == group)
            {
                let reason = format!("the controller gives up on the group at `{cause}`").into();
                self.settle(at, KeyStatus::Ignored { reason });
            }
        }
    }

    fn inert(&mut self, at: usize, reason: Cow<'static, str>) {
        let annotation = self.items[at].annotation;
        let protective = self.items[at]
            .known
            .is_some_and(|(entry, _)| entry.protective);
        let mut diagnostic = self
            .diagnostic(
                Code::AnnotationNoEffect,
                annotation.key,
                format!("`{}` has no effect: {reason}", annotation.key),
            )
            .at(annotation.key_span);
        if protective {
            diagnostic = diagnostic.severity(Severity::Warning);
        }
        self.result.diagnostics.push(diagnostic);
        self.settle(at, KeyStatus::Ignored { reason });
    }

    /// A fresh diagnostic about a key of this object.
    pub(crate) fn diagnostic(
        &self,
        code: Code,
        key: &str,
        message: impl Into<String>,
    ) -> Diagnostic {
        Diagnostic::new(code, message)
            .object(self.object)
            .annotation(key)
    }

    /// Reports something.
    pub(crate) fn report(&mut self, diagnostic: Diagnostic) {
        self.result.diagnostics.push(diagnostic);
    }

    /// Draws the consequence of a faulty value.
    pub(crate) fn fail(&mut self, at: usize, consequence: Invalid, fault: GrammarFault) {
        let Some((entry, _)) = self.items[at].known else {
            return;
        };
        let annotation = self.items[at].annotation;
        let span = self.part_span(at, fault.range);
        let value = Shown(annotation.value);
        let sentence = format!("`{}`: {value} {}", annotation.key, fault.message);
        let record = Fault {
            key: entry.key,
            span,
            message: sentence.clone(),
        };
        let valid = format!("valid is {}", entry.grammar.describe());
        let (code, status, note) = match consequence {
            Invalid::Reject => {
                self.result.rejected.push(record);
                (
                    Code::AnnotationRejectsIngress,
                    KeyStatus::Rejected,
                    "ingress-nginx drops the whole Ingress for it: none of its hosts and paths is served",
                )
            }
            Invalid::Deny => {
                self.result.denied.push(record);
                (
                    Code::AnnotationDeniesIngress,
                    KeyStatus::Denied,
                    "ingress-nginx answers 503 on every path of the Ingress for it",
                )
            }
            Invalid::Break => {
                self.result.breaks.push(record);
                (
                    Code::AnnotationBreaksNginx,
                    KeyStatus::Breaks,
                    "nginx refuses the configuration with it; until it is gone the controller applies no change to any Ingress",
                )
            }
            Invalid::DropGroup => {
                self.dropped = Some(at);
                let reason = format!("{value} {}", fault.message);
                let (code, note) = if entry.protective {
                    (
                        Code::AuthSwitchedOff,
                        "ingress-nginx leaves the whole authentication out for it: the paths are open to everyone",
                    )
                } else {
                    (
                        Code::AnnotationGroupDropped,
                        "ingress-nginx ignores all annotations of the group for it",
                    )
                };
                (
                    code,
                    KeyStatus::Ignored {
                        reason: reason.into(),
                    },
                    note,
                )
            }
            Invalid::Default => {
                let reason = format!("{value} {}", fault.message);
                self.settle(
                    at,
                    KeyStatus::Ignored {
                        reason: reason.into(),
                    },
                );
                let mut diagnostic = self
                    .diagnostic(Code::AnnotationValueIgnored, annotation.key, sentence)
                    .label(span, "ignored");
                diagnostic = if entry.default.is_empty() {
                    diagnostic.note("ingress-nginx goes on as if the annotation were not there")
                } else {
                    diagnostic.note(format!("ingress-nginx uses the default: {}", entry.default))
                };
                self.report(diagnostic.help(valid));
                return;
            }
        };
        self.settle(at, status);
        let diagnostic = self
            .diagnostic(code, annotation.key, sentence)
            .at(span)
            .note(note)
            .help(valid);
        self.report(diagnostic);
    }

    /// Draws the consequence of a faulty value of a key that has been read.
    pub(crate) fn fail_key(&mut self, key: &str, consequence: Invalid, fault: GrammarFault) {
        let taken = self.items.iter().position(|item| {
            matches!(item.status, Some(KeyStatus::Taken))
                && item.known.is_some_and(|(entry, _)| entry.key == key)
        });
        if let Some(at) = taken {
            self.fail(at, consequence, fault);
        }
    }

    /// Whether a key has made its group drop.
    pub(crate) fn gives_up(&self) -> bool {
        self.dropped.is_some()
    }

    /// The key that made its group drop, if one did since the last call.
    pub(crate) fn take_dropped(&mut self) -> Option<&'static str> {
        let at = self.dropped.take()?;
        self.items[at].known.map(|(entry, _)| entry.key)
    }

    /// `CheckAnnotationRisk`: a key above the level drops the Ingress, whatever its value.
    /// Aliases are not looked at there.
    pub(crate) fn gate_risk(&mut self, limit: Risk) {
        for at in 0..self.items.len() {
            let annotation = self.items[at].annotation;
            let Some((entry, _)) = self.items[at].known else {
                continue;
            };
            if entry.risk <= limit || annotation.key != entry.key {
                continue;
            }
            let message = format!(
                "`{}` is of risk {}, and the controller allows {}",
                entry.key,
                entry.risk.name(),
                limit.name()
            );
            self.result.rejected.push(Fault {
                key: entry.key,
                span: annotation.key_span,
                message: message.clone(),
            });
            let mut diagnostic = self
                .diagnostic(Code::AnnotationTooRisky, entry.key, message)
                .at(annotation.key_span)
                .note("ingress-nginx drops the whole Ingress for it: none of its hosts and paths is served");
            diagnostic = if entry.risk == Risk::Critical {
                diagnostic.help("if the cluster allows snippets, give its controller ConfigMap as input: `annotations-risk-level: Critical` and `allow-snippet-annotations: \"true\"`")
            } else {
                diagnostic.help("remove the annotation, or raise `annotations-risk-level` in the controller's ConfigMap")
            };
            self.report(diagnostic);
            self.settle(at, KeyStatus::Rejected);
        }
    }

    /// `annotation-value-word-blocklist` of the ConfigMap.
    pub(crate) fn block_words(&mut self) {
        if self.config.annotation_value_word_blocklist.is_empty() {
            return;
        }
        for at in 0..self.items.len() {
            let annotation = self.items[at].annotation;
            let Some(word) = self.config.blocked_word(annotation.value) else {
                continue;
            };
            let message = format!(
                "`{}` holds `{word}`, which `annotation-value-word-blocklist` forbids",
                annotation.key
            );
            let key = self.items[at].known.map_or("", |(entry, _)| entry.key);
            self.result.rejected.push(Fault {
                key,
                span: annotation.value_span,
                message: message.clone(),
            });
            let diagnostic = self
                .diagnostic(Code::AnnotationRejectsIngress, annotation.key, message)
                .at(annotation.value_span)
                .note("ingress-nginx ignores the whole Ingress for it");
            self.report(diagnostic);
            self.settle(at, KeyStatus::Rejected);
        }
    }

    /// Classes and reports the keys that the controller does not read.
    pub(crate) fn report_unknown(&mut self) {
        for at in 0..self.items.len() {
            if self.items[at].known.is_some() {
                continue;
            }
            let annotation = self.items[at].annotation;
            let class = crate::registry::classify_own(annotation.key);
            if let Some(diagnostic) = class.diagnostic(annotation.key, annotation.key_span) {
                let diagnostic = diagnostic.object(self.object).annotation(annotation.key);
                self.report(diagnostic);
            }
            if self.items[at].status.is_none() {
                self.settle(at, KeyStatus::Unknown(class));
            }
        }
    }

    pub(crate) fn finish(self, settings: Settings) -> AnnotationResult {
        let mut result = self.result;
        result.settings = settings;
        result.notes = self
            .items
            .into_iter()
            .map(|item| KeyNote {
                key: item.annotation.key.to_owned(),
                span: item.annotation.key_span,
                entry: item.known.map(|(entry, _)| entry),
                // Not reached: every family reads all of its keys, which a test asserts.
                status: item.status.unwrap_or(KeyStatus::Ignored {
                    reason: NOT_READ.into(),
                }),
            })
            .collect();
        result
    }
}

pub(crate) const NOT_READ: &str = "no reader took it";

/// Trims a text line by line (`normalizeString` of the controller).
pub(crate) fn normalize(value: &str) -> Cow<'_, str> {
    if !value.contains('\n') {
        return value.trim().into();
    }
    let lines: Vec<_> = value.split('\n').map(str::trim).collect();
    lines.join("\n").into()
}

/// A value in a message: quoted, on one line, not endless.
pub(crate) struct Shown<'a>(pub(crate) &'a str);

impl std::fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const LONGEST: usize = 60;
        if self.0.is_empty() {
            return f.write_str("the value");
        }
        f.write_str("`")?;
        for (at, c) in self.0.chars().enumerate() {
            if at == LONGEST {
                f.write_str("…")?;
                break;
            }
            if c.is_control() {
                write!(f, "{}", c.escape_debug())?;
            } else {
                write!(f, "{c}")?;
            }
        }
        f.write_str("`")
    }
}

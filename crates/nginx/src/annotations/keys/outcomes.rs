//! The account: what became of a key, and the consequences of a faulty value.

use std::borrow::Cow;

use gatewright_diagnostics::{Code, Diagnostic, Severity};

use super::{Fault, KeyStatus, Keys};
use crate::registry::{GrammarFault, Invalid, Shown};

/// Parser groups without which everybody is let in.
const AUTH_GROUPS: &[&str] = &["BasicDigestAuth", "ExternalAuth", "CertificateAuth"];

impl Keys<'_> {
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
        let record = |code| Fault {
            key: entry.key,
            span,
            message: sentence.clone(),
            code,
        };
        // A value that fits the grammar is wrong in another respect, which its fault names.
        let valid = match fault.help {
            Some(help) => Some(help.to_owned()),
            None if annotation.value.is_empty()
                || entry.grammar.check(annotation.value).is_err() =>
            {
                Some(format!("valid is {}", entry.grammar.describe()))
            }
            None => None,
        };
        let (code, status, note) = match consequence {
            Invalid::Reject => {
                self.result
                    .rejected
                    .push(record(Code::AnnotationRejectsIngress));
                (
                    Code::AnnotationRejectsIngress,
                    KeyStatus::Rejected,
                    "ingress-nginx drops the whole Ingress for it: none of its hosts and paths is served",
                )
            }
            Invalid::Deny => {
                self.result
                    .denied
                    .push(record(Code::AnnotationDeniesIngress));
                (
                    Code::AnnotationDeniesIngress,
                    KeyStatus::Denied,
                    "ingress-nginx answers 503 on every path of the Ingress for it",
                )
            }
            Invalid::Break => {
                self.result.breaks.push(record(Code::AnnotationBreaksNginx));
                (
                    Code::AnnotationBreaksNginx,
                    KeyStatus::Breaks,
                    "nginx refuses the configuration with it; until it is gone the controller applies no change to any Ingress",
                )
            }
            Invalid::DropGroup => {
                self.dropped = Some(at);
                let reason = format!("{value} {}", fault.message);
                let (code, note) = if AUTH_GROUPS.contains(&entry.group) {
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
                diagnostic.helps.extend(valid);
                self.report(diagnostic);
                return;
            }
        };
        self.settle(at, status);
        let mut diagnostic = self
            .diagnostic(code, annotation.key, sentence)
            .at(span)
            .note(note);
        if consequence == Invalid::DropGroup && entry.protective {
            diagnostic = diagnostic.severity(Severity::Error);
        }
        diagnostic.helps.extend(valid);
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
}

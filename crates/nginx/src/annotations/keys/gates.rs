//! What is asked of all keys before any family reads its own.

use gatewright_diagnostics::Code;

use super::{Fault, KeyStatus, Keys};
use crate::registry::{Risk, classify_own};

impl Keys<'_> {
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
                code: Code::AnnotationTooRisky,
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

    /// `annotation-value-word-blocklist` of the `ConfigMap`.
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
                code: Code::AnnotationRejectsIngress,
            });
            let diagnostic = self
                .diagnostic(Code::AnnotationRejectsIngress, annotation.key, message)
                .at(annotation.value_span)
                .note("ingress-nginx ignores the whole Ingress for it")
                .help("write the value without it");
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
            let class = classify_own(annotation.key);
            if let Some(diagnostic) = class.diagnostic(annotation.key, annotation.key_span) {
                let diagnostic = diagnostic.object(self.object).annotation(annotation.key);
                self.report(diagnostic);
            }
            if self.items[at].status.is_none() {
                self.settle(at, KeyStatus::Unknown(class));
            }
        }
    }
}

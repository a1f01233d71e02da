//! The keys of one Ingress while they are read: grammar checks, and the account of what
//! became of each.

mod gates;
mod outcomes;
mod values;

use std::borrow::Cow;

use gatewright_diagnostics::{Code, ObjectRef};
use gatewright_source::Span;

use super::{AnnotationResult, ControllerVersion, Family, Settings};
use crate::config_map::Config;
use crate::registry::{Entry, GrammarFault, KeyClass, find_with_family};

/// One annotation, as it is handed in.
#[derive(Clone, Copy, Debug)]
pub struct Annotation<'a> {
    /// The key without prefix.
    pub key: &'a str,
    /// The key without prefix as it is written, which is another one under an alias.
    pub written: &'a str,
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
    /// The code of that diagnostic.
    pub code: Code,
}

/// What became of one key.
#[derive(Clone, Debug)]
pub struct KeyNote {
    /// The key without prefix.
    pub key: Cow<'static, str>,
    /// The key without prefix, as written.
    pub written: Cow<'static, str>,
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
    family: Family,
    /// The controller's `ConfigMap`.
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
            family: Family::Rewrite,
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

    /// Turns to the keys of a family. Its reader sees no others.
    pub(crate) fn enter(&mut self, family: Family) {
        self.family = family;
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

    /// Whether the value of a key is more than blanks.
    pub(crate) fn is_filled(&self, key: &str) -> bool {
        self.position(key)
            .is_some_and(|at| !self.items[at].annotation.value.trim().is_empty())
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

    pub(crate) fn finish(self, settings: Settings) -> AnnotationResult {
        let mut result = self.result;
        result.settings = settings;
        result.notes = self
            .items
            .into_iter()
            .map(|item| {
                let entry = item.known.map(|(entry, _)| entry);
                let kept = |text: &str| match entry {
                    Some(entry) if entry.key == text => Cow::Borrowed(entry.key),
                    _ => Cow::Owned(text.to_owned()),
                };
                KeyNote {
                    key: kept(item.annotation.key),
                    written: kept(item.annotation.written),
                    span: item.annotation.key_span,
                    entry,
                    // Not reached: every family reads all of its keys, which a test asserts.
                    status: item.status.unwrap_or(KeyStatus::Ignored {
                        reason: NOT_READ.into(),
                    }),
                }
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

//! What a conversion would change in objects that exist, in files or in a cluster.
//!
//! Objects are matched by group, kind, namespace and name, so that neither files nor their
//! order matter. Both sides are brought to one form before they are compared: what an API
//! server adds by itself is left out of it, and the defaults of the CRDs hold on both sides.

mod compare;
mod defaults;
mod describe;
mod load;
mod report;
mod text;
mod value;

use std::collections::BTreeMap;

use gatewright_diagnostics::Diagnostic;
use gatewright_source::{SourceMap, Span};
use serde::Serialize;
use serde_json::Value;

use crate::{Conversion, Emit, Input, Options};

pub use compare::FieldChange;
use load::{Loaded, Scope};

/// Which object it is. The order is that of names, for objects that convert does not write.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Identity {
    /// The API group; empty for the core group.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The namespace; empty for a cluster-wide object.
    pub namespace: String,
    /// The name.
    pub name: String,
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.namespace.is_empty() {
            write!(f, "{} {}", self.kind, self.name)
        } else {
            write!(f, "{} {}/{}", self.kind, self.namespace, self.name)
        }
    }
}

/// An object that differs.
#[derive(Clone, Debug)]
pub struct ObjectChange {
    /// Which one.
    pub identity: Identity,
    /// What stands there; `None` when convert would add the object.
    pub before: Option<Side>,
    /// What convert writes; `None` when it does not write the object.
    pub after: Option<Side>,
    /// Every field that differs; of an object that is on one side only, what that means.
    pub changes: Vec<FieldChange>,
}

/// An object as it is shown.
#[derive(Clone, Debug)]
pub struct Side {
    /// Its fields, without defaults that the other side does not state either.
    pub value: Value,
    /// Where it begins: the file and the line. Nothing for what convert writes.
    pub place: Option<(String, u32)>,
}

/// What convert would change.
#[derive(Debug, Default)]
pub struct Difference {
    /// The texts that the diagnostics point into.
    pub sources: SourceMap,
    /// What of the existing objects could not be read.
    pub diagnostics: Vec<Diagnostic>,
    /// Documents that could not be read.
    pub unreadable: usize,
    /// The objects that differ: those that convert writes in its order, then all others.
    pub changes: Vec<ObjectChange>,
    /// Objects that are the same.
    pub same: usize,
    /// Objects that Gatewright does not write, or not with these options, by kind.
    pub ignored: BTreeMap<String, usize>,
    /// Objects that stand there more than once; the last one counts, as with `kubectl apply`.
    pub repeated: Vec<Identity>,
}

/// Compares what a conversion writes with the objects in `existing`.
pub fn diff(conversion: &Conversion, existing: Vec<Input>, options: &Options) -> Difference {
    let namespace = options.namespace.as_deref().unwrap_or("default");
    let mut sources = SourceMap::default();
    let written = vec![Input {
        name: String::new(),
        text: conversion.output.to_string(),
    }];
    let after = load::objects(&mut sources, written, namespace);
    let before = load::objects(&mut sources, existing, namespace);
    let scope = Scope {
        infra: options.gateway.is_none() && options.emit != Emit::Routes,
        // Which routes the other Ingresses have is not known.
        routes: options.emit != Emit::Infra && options.ingresses.is_empty(),
        namespace: options.namespace.clone(),
    };
    let mut difference = Difference {
        unreadable: before.unreadable,
        diagnostics: before.diagnostics,
        repeated: before.repeated,
        ignored: before.ignored,
        ..Difference::default()
    };
    let order: Vec<Identity> = after.order;
    let mut existing = before.objects;
    for identity in order {
        let Some(new) = after.objects.get(&identity) else {
            continue;
        };
        let old = existing.remove(&identity);
        difference.compare(&sources, identity, old, Some(new));
    }
    for (identity, old) in existing {
        if scope.holds(&identity, &old.value) {
            difference.compare(&sources, identity, Some(old), None);
        } else {
            *difference.ignored.entry(identity.kind).or_default() += 1;
        }
    }
    difference.sources = sources;
    difference
}

impl Difference {
    /// Whether convert would change nothing.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    fn compare(
        &mut self,
        sources: &SourceMap,
        identity: Identity,
        before: Option<Loaded>,
        after: Option<&Loaded>,
    ) {
        let kind = identity.kind.as_str();
        if let (Some(before), Some(after)) = (&before, after)
            && value::equal(&before.value, &after.value)
        {
            self.same += 1;
            return;
        }
        let changes = compare::changes(
            &identity,
            before.as_ref().map(|side| &side.value),
            after.map(|side| &side.value),
        );
        let mut after = after.map(|side| Side {
            value: side.stated.clone(),
            place: None,
        });
        let mut before = before.map(|mut side| {
            let other = after.as_ref().map(|after| &after.value);
            defaults::hide(kind, &mut side.value, other);
            Side {
                value: side.value,
                place: Some(place(sources, side.span)),
            }
        });
        value::arrange(
            before.as_mut().map(|side| &mut side.value),
            after.as_mut().map(|side| &mut side.value),
        );
        if kind == "Secret" && identity.group.is_empty() {
            value::mask(
                before.as_mut().map(|side| &mut side.value),
                after.as_mut().map(|side| &mut side.value),
            );
        }
        self.changes.push(ObjectChange {
            identity,
            before,
            after,
            changes,
        });
    }
}

fn place(sources: &SourceMap, span: Span) -> (String, u32) {
    let name = sources.file(span.file).name().to_owned();
    (name, sources.position(span).line)
}

#[cfg(test)]
mod tests;

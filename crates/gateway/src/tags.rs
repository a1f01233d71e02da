//! Labels and annotations that go along with what is written for an Ingress.

use std::collections::BTreeSet;
use std::sync::Arc;

use gatewright_diagnostics::{Code, Diagnostic, Outcome};
use gatewright_model::{Model, Origin, Owner, OwnerId, Reach, Tag, TagKind};
use gatewright_source::Span;

use crate::emit::Emitter;
use crate::{IndexMap, Object, Spec};

/// Which of them have gone along with an object.
#[derive(Clone)]
pub(crate) struct Tags<'a> {
    model: &'a Model,
    /// Indices of the owners by where they stand; empty when none has a label or annotation.
    owners: Arc<IndexMap<Span, usize>>,
    /// Those that all owners have.
    agreed: Arc<BTreeSet<TagText<'a>>>,
    used: Vec<Vec<bool>>,
}

/// What makes tags of several owners alike.
type TagText<'a> = (bool, &'a str, &'a str);

impl<'a> Tags<'a> {
    pub(crate) fn new(model: &'a Model) -> Self {
        let any = model.owners.iter().any(|owner| !owner.tags.is_empty());
        let owners = model.owners.iter().filter(|_| any);
        Self {
            model,
            used: owners
                .clone()
                .map(|owner| vec![false; owner.tags.len()])
                .collect(),
            agreed: Arc::new(agreed(model)),
            owners: Arc::new(
                owners
                    .enumerate()
                    .map(|(at, owner)| (owner.span, at))
                    .collect(),
            ),
        }
    }

    /// Adds what a copy of these was used for.
    pub(crate) fn join(&mut self, other: Self) {
        let used = self.used.iter_mut().flatten();
        for (used, other) in used.zip(other.used.into_iter().flatten()) {
            *used |= other;
        }
    }

    /// Puts them on an object. What several Ingresses share has what all of them say.
    pub(crate) fn attach(&mut self, object: &mut Object) {
        if self.owners.is_empty() {
            return;
        }
        if matches!(object.spec, Spec::Gateway(_)) {
            for (_, tag) in shared(self.model).filter(|(_, tag)| self.agreed.contains(&text(tag))) {
                let annotations = &mut object.annotations;
                annotations.insert(Arc::clone(&tag.key), Arc::clone(&tag.value));
            }
        }
        let is_route = is_route(object);
        let origins = object.origins.iter();
        let mut of = origins.filter_map(|span| self.owners.get(span).copied());
        let Some(first) = of.next() else {
            return;
        };
        let owners = &self.model.owners;
        for (at, tag) in owners[first].tags.iter().enumerate() {
            let reaches = match tag.reach {
                Reach::Objects => true,
                Reach::Routes => is_route,
                Reach::Shared => false,
            };
            if !reaches || !of.clone().all(|other| says(&owners[other], tag)) {
                continue;
            }
            let list = match tag.kind {
                TagKind::Label => &mut object.labels,
                TagKind::Annotation => &mut object.annotations,
            };
            list.insert(Arc::clone(&tag.key), Arc::clone(&tag.value));
            self.used[first][at] = true;
            for owner in of.clone() {
                let tags = owners[owner].tags.iter().zip(&mut self.used[owner]);
                tags.filter(|(other, _)| alike(other, tag))
                    .for_each(|(_, used)| *used = true);
            }
        }
    }
}

/// Says what became of them, once all objects are written.
pub(crate) fn settle(emitter: &mut Emitter<'_>) {
    let model = emitter.model;
    for (at, used) in std::mem::take(&mut emitter.tags.used)
        .into_iter()
        .enumerate()
    {
        for (tag, _) in model.owners[at].tags.iter().zip(used).filter(|(_, u)| *u) {
            let origin = Origin::field(id(at), tag.span);
            emitter.out.outcomes.push((origin, Outcome::Translated));
        }
    }
    left_to_gateway(emitter);
}

fn id(at: usize) -> OwnerId {
    OwnerId(u32::try_from(at).unwrap_or(u32::MAX))
}

/// What the Gateway would say for all routes, and who says it.
fn shared(model: &Model) -> impl Iterator<Item = (OwnerId, &Tag)> {
    model.owners.iter().enumerate().flat_map(|(at, owner)| {
        let tags = owner.tags.iter().filter(|tag| tag.reach == Reach::Shared);
        tags.map(move |tag| (id(at), tag))
    })
}

/// What all owners say, which none can that the first does not.
fn agreed(model: &Model) -> BTreeSet<TagText<'_>> {
    let Some((first, others)) = model.owners.split_first() else {
        return BTreeSet::new();
    };
    let said = first.tags.iter();
    said.filter(|tag| others.iter().all(|other| says(other, tag)))
        .map(text)
        .collect()
}

fn is_route(object: &Object) -> bool {
    matches!(object.spec, Spec::HttpRoute(_) | Spec::TlsRoute(_))
}

fn text(tag: &Tag) -> TagText<'_> {
    (tag.kind == TagKind::Label, &tag.key, &tag.value)
}

fn alike(a: &Tag, b: &Tag) -> bool {
    text(a) == text(b)
}

fn says(owner: &Owner, tag: &Tag) -> bool {
    owner.tags.iter().any(|other| alike(other, tag))
}

/// What the Gateway would say for all routes is written where all Ingresses say it.
fn left_to_gateway(emitter: &mut Emitter<'_>) {
    let model = emitter.model;
    let (namespace, name) = emitter.settings.gateway.clone();
    for (owner, tag) in shared(model) {
        let agreed = emitter.tags.agreed.contains(&text(tag));
        let origin = Origin::field(owner, tag.span);
        if agreed && !emitter.settings.existing {
            emitter.out.outcomes.push((origin, Outcome::Translated));
            continue;
        }
        let diagnostic = Diagnostic::new(
            Code::SharedAnnotation,
            format!("`{}` is left to Gateway {namespace}/{name}", tag.key),
        );
        let diagnostic = if agreed {
            diagnostic.help(format!("write `{}: {}` on the Gateway", tag.key, tag.value))
        } else {
            diagnostic
                .note("ExternalDNS reads it from the Gateway, for all routes of it, and the Ingresses do not all say the same")
                .help("write it on the Gateway if it holds for all of them, or attach these routes to a Gateway of their own")
        };
        emitter.report(&origin, true, diagnostic);
    }
}

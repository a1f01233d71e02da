//! Labels and annotations that go along with what is written for an Ingress.

use std::collections::BTreeMap;
use std::sync::Arc;

use gatewright_diagnostics::{Code, Diagnostic, Outcome};
use gatewright_model::{Origin, Owner, OwnerId, Reach, Tag, TagKind};
use gatewright_source::Span;

use crate::emit::Emitter;
use crate::{Object, Spec};

/// Puts them on the objects. What several Ingresses share has what all of them say.
pub(crate) fn attach(emitter: &mut Emitter<'_>) {
    let model = emitter.model;
    if model.owners.iter().all(|owner| owner.tags.is_empty()) {
        return;
    }
    let owners: BTreeMap<Span, usize> = model
        .owners
        .iter()
        .enumerate()
        .map(|(at, owner)| (owner.span, at))
        .collect();
    let mut used: Vec<Vec<bool>> = (model.owners.iter())
        .map(|owner| vec![false; owner.tags.len()])
        .collect();
    for object in &mut emitter.out.objects {
        let of: Vec<usize> = object
            .origins
            .iter()
            .filter_map(|span| owners.get(span).copied())
            .collect();
        let Some((&first, others)) = of.split_first() else {
            continue;
        };
        for tag in &model.owners[first].tags {
            let reaches = match tag.reach {
                Reach::Objects => true,
                Reach::Routes => is_route(object),
                Reach::Shared => false,
            };
            let agreed = others.iter().all(|&other| says(&model.owners[other], tag));
            if !reaches || !agreed {
                continue;
            }
            let list = match tag.kind {
                TagKind::Label => &mut object.labels,
                TagKind::Annotation => &mut object.annotations,
            };
            list.insert(Arc::clone(&tag.key), Arc::clone(&tag.value));
            for &owner in &of {
                let tags = model.owners[owner].tags.iter().zip(&mut used[owner]);
                tags.filter(|(other, _)| alike(other, tag))
                    .for_each(|(_, used)| *used = true);
            }
        }
    }
    for (at, used) in used.into_iter().enumerate() {
        let id = OwnerId(u32::try_from(at).unwrap_or(u32::MAX));
        for (tag, _) in model.owners[at].tags.iter().zip(used).filter(|(_, u)| *u) {
            let origin = Origin::field(id, tag.span);
            emitter.out.outcomes.push((origin, Outcome::Translated));
        }
    }
    shared(emitter);
}

fn is_route(object: &Object) -> bool {
    matches!(object.spec, Spec::HttpRoute(_) | Spec::TlsRoute(_))
}

fn alike(a: &Tag, b: &Tag) -> bool {
    a.kind == b.kind && a.key == b.key && a.value == b.value
}

fn says(owner: &Owner, tag: &Tag) -> bool {
    owner.tags.iter().any(|other| alike(other, tag))
}

/// What the Gateway would say for all routes is written where all Ingresses say it.
fn shared(emitter: &mut Emitter<'_>) {
    let model = emitter.model;
    let (namespace, name) = emitter.settings.gateway.clone();
    for (at, owner) in model.owners.iter().enumerate() {
        let id = OwnerId(u32::try_from(at).unwrap_or(u32::MAX));
        for tag in owner.tags.iter().filter(|tag| tag.reach == Reach::Shared) {
            let agreed = model.owners.iter().all(|other| says(other, tag));
            let gateway = emitter
                .out
                .objects
                .iter_mut()
                .find(|object| matches!(object.spec, Spec::Gateway(_)) && object.name == name);
            let origin = Origin::field(id, tag.span);
            if let (true, Some(gateway)) = (agreed, gateway) {
                let annotations = &mut gateway.annotations;
                annotations.insert(Arc::clone(&tag.key), Arc::clone(&tag.value));
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
}

//! Helpers of the families' tests.

use std::sync::Arc;

use gatewright_diagnostics::{Code, ObjectRef};
use gatewright_model::OwnerId;
use gatewright_source::{FileId, Span};

use super::{PolicyInput, PolicyOutput};
use crate::annotations::testing::read;
use crate::config_map::Config;
use crate::effective::Effective;
use crate::ingress::Ingress;
use crate::named::{Name, Told};
use crate::objects::Objects;
use crate::reading::SecretInfo;

/// The policies of an Ingress with these annotations.
pub(crate) fn lower(pairs: &[(&str, &str)]) -> PolicyOutput {
    lower_with(pairs, &[])
}

/// The same, with Secrets of one key each.
pub(crate) fn lower_with(pairs: &[(&str, &str)], secrets: &[(&str, &str, &str)]) -> PolicyOutput {
    lower_told(pairs, secrets, &[])
}

/// The same, with what is known of Secrets that are not there.
pub(crate) fn lower_told(
    pairs: &[(&str, &str)],
    secrets: &[(&str, &str, &str)],
    told: &[(&str, Told)],
) -> PolicyOutput {
    let object = ObjectRef::new("Ingress", "shop", "web");
    let mut objects = Objects::default();
    for &(name, told) in told {
        let name = Name {
            kind: "Secret",
            namespace: "shop".to_owned(),
            name: name.to_owned(),
        };
        objects.told.insert(name, told);
    }
    for &(name, key, value) in secrets {
        let info = SecretInfo {
            kind: Arc::from("Opaque"),
            data: [(key.to_owned(), value.as_bytes().to_vec())].into(),
        };
        objects
            .secrets
            .insert((Arc::from("shop"), Arc::from(name)), info);
    }
    super::lower(&PolicyInput {
        owner: OwnerId(0),
        object: &object,
        name_span: Span::new(FileId(0), 0, 1),
        ingress: &ingress(&object),
        settings: &read(pairs).settings,
        config: &Config::default(),
        places: &[],
        objects: &objects,
        effective: &Effective::default(),
        sources: &[],
        addresses_unconfirmed: false,
        decides_clients: true,
    })
}

/// An Ingress of which nothing is known but its name.
pub(crate) fn ingress(object: &ObjectRef) -> Ingress {
    Ingress {
        object: object.clone(),
        name_span: Span::new(FileId(0), 0, 1),
        created: None,
        class_name: None,
        annotations: Box::default(),
        labels: Box::default(),
        default_backend: None,
        tls: Box::default(),
        rules: Box::default(),
    }
}

/// The codes of all findings.
pub(crate) fn codes(out: &PolicyOutput) -> Vec<Code> {
    out.diagnostics
        .iter()
        .map(|diagnostic| diagnostic.code)
        .collect()
}

//! From objects to YAML.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use foldhash::fast::RandomState;
use gatewright_gateway::{Object, Part, Shelf, Spec};
use gatewright_source::{FileId, Span};
use gatewright_yaml::{DocumentWriter, KeyOrder, Scratch, WriteError};
use indexmap::IndexMap;
use rayon::prelude::*;
use serde::Serialize;

use crate::output::{Pages, Place};
use crate::report::ObjectCount;
use crate::{Output, Written};

/// The order in which people read the fields of these kinds; all others follow as they are.
pub(crate) const FIELD_ORDER: &[&str] = &[
    "apiVersion",
    "group",
    "kind",
    "metadata",
    "name",
    "namespace",
    "spec",
    "gatewayClassName",
    "controllerName",
    "infrastructure",
    "targetRefs",
    "mergeType",
    "parentRefs",
    "hostnames",
    "listeners",
    "rules",
    "type",
    "protocol",
    "port",
    "hostname",
    "sectionName",
    "matches",
    "match",
    "method",
    "path",
    "headers",
    "filters",
    "backendRefs",
    "timeouts",
    "scheme",
    "statusCode",
    "pattern",
    "substitution",
    "from",
    "to",
];

static ORDER: LazyLock<KeyOrder> = LazyLock::new(|| KeyOrder::new(FIELD_ORDER));

/// Namespace and name of Ingresses by where they stand.
pub(crate) type Ingresses = IndexMap<Span, (Arc<str>, Arc<str>), RandomState>;

/// The documents of objects that come in no order.
pub(crate) struct Documents<'a> {
    comments: bool,
    ingresses: &'a Ingresses,
    pages: Pages,
    scratch: Scratch,
    /// Of one kind in one namespace each, by the names of their objects.
    shelves: IndexMap<Shelf, Vec<(String, Documented)>, RandomState>,
}

/// Where a text stands, and where those whom it is for do.
struct Documented {
    place: Place,
    origins: Box<[Span]>,
}

impl<'a> Documents<'a> {
    pub(crate) fn new(comments: bool, ingresses: &'a Ingresses) -> Self {
        Self {
            comments,
            ingresses,
            pages: Pages::default(),
            scratch: Scratch::default(),
            shelves: IndexMap::default(),
        }
    }

    pub(crate) fn add(&mut self, object: Object) {
        let place = self.pages.add(|page| {
            let mut writer = DocumentWriter::new(page, &ORDER, &mut self.scratch);
            if self.comments {
                writer.comments(&object.comments);
            }
            let written = document(&mut writer, &object, self.comments);
            debug_assert_eq!(
                written,
                Ok(()),
                "specifications hold maps with string keys only"
            );
        });
        let documented = Documented {
            place,
            origins: Box::from(&*object.origins),
        };
        let shelf = self.shelves.entry(object.shelf()).or_default();
        shelf.push((object.name, documented));
    }

    /// An empty one for documents that are added later.
    pub(crate) fn more(&self) -> Self {
        Self::new(self.comments, self.ingresses)
    }

    /// Adds documents of other objects.
    pub(crate) fn append(&mut self, others: Self) {
        let first = self.pages.append(others.pages);
        for (shelf, documents) in others.shelves {
            let moved = documents.into_iter().map(|(name, mut document)| {
                document.place.page += first;
                (name, document)
            });
            self.shelves.entry(shelf).or_default().extend(moved);
        }
    }

    /// All of them in order, and how many there are of each kind.
    pub(crate) fn finish(mut self, threads: usize) -> (Output, Vec<Written>, Vec<ObjectCount>) {
        self.shelves.sort_unstable_keys();
        let mut counts: Vec<ObjectCount> = Vec::new();
        for (shelf, documents) in &self.shelves {
            let count = documents.len();
            match counts.iter_mut().find(|count| count.kind == shelf.kind()) {
                Some(counted) => counted.count += count,
                None => counts.push(ObjectCount {
                    kind: shelf.kind().to_owned(),
                    count,
                }),
            }
        }
        let ingresses = self.ingresses;
        let written: Vec<Written> = if threads < 2 {
            let shelves = self.shelves.into_iter();
            let shelves =
                shelves.flat_map(|(shelf, documents)| in_order(&shelf, documents, ingresses));
            shelves.collect()
        } else {
            let shelves: Vec<_> = self.shelves.into_iter().collect();
            let shelves = shelves.into_par_iter();
            let shelves = shelves.map(|(shelf, documents)| in_order(&shelf, documents, ingresses));
            shelves.flatten_iter().collect()
        };
        let order = written.iter().map(|written| written.place.clone());
        (Output::new(self.pages, order.collect()), written, counts)
    }
}

/// The documents of a shelf in order.
fn in_order(
    shelf: &Shelf,
    mut documents: Vec<(String, Documented)>,
    known: &Ingresses,
) -> Vec<Written> {
    // Hosts are written in order, so that most names are.
    documents.sort_by(|(a, _), (b, _)| a.cmp(b));
    debug_assert!(
        documents.is_sorted_by(|(a, _), (b, _)| a < b),
        "no two objects of a shelf have the same name"
    );
    let written = |(name, Documented { place, origins }): (String, Documented)| {
        let mut files: Vec<FileId> = origins.iter().map(|span| span.file).collect();
        files.sort_unstable();
        files.dedup();
        let mut ingresses = Vec::with_capacity(origins.len());
        ingresses.extend(origins.iter().filter_map(|span| known.get(span)).cloned());
        ingresses.sort_unstable();
        ingresses.dedup();
        Written {
            place,
            files,
            kind: shelf.kind(),
            namespace: Arc::clone(shelf.namespace()),
            name,
            ingresses,
            infra: shelf.part() == Part::Infra,
            sensitive: shelf.is_sensitive(),
        }
    };
    documents.into_iter().map(written).collect()
}

#[derive(Serialize)]
struct Metadata<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    namespace: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: &'a BTreeMap<Arc<str>, Arc<str>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: &'a BTreeMap<Arc<str>, Arc<str>>,
}

fn document(
    writer: &mut DocumentWriter<'_>,
    object: &Object,
    comments: bool,
) -> Result<(), WriteError> {
    writer.entry("apiVersion", object.spec.api_version())?;
    writer.entry("kind", object.spec.kind())?;
    let metadata = Metadata {
        name: &object.name,
        namespace: &object.namespace,
        labels: &object.labels,
        annotations: &object.annotations,
    };
    writer.entry("metadata", &metadata)?;
    match &object.spec {
        Spec::Namespace => Ok(()),
        Spec::Secret(secret) => {
            writer.entry("type", secret.kind)?;
            writer.entry("data", &secret.data)
        }
        spec => {
            let lines: &[_] = if comments { &object.rule_comments } else { &[] };
            writer.ordered("spec", spec, ("rules", lines))
        }
    }
}

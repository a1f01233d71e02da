//! From objects to YAML.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use gatewright_gateway::{Object, Part, Shelf, Spec};
use gatewright_source::{FileId, Span};
use gatewright_yaml::{KeyOrder, Out, OutMapping, to_out, write_documents};

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

/// The documents of objects that come in no order.
pub(crate) struct Documents<'a> {
    comments: bool,
    /// The Ingresses by where they stand.
    ingresses: &'a BTreeMap<Span, (Arc<str>, Arc<str>)>,
    text: String,
    /// Of one kind in one namespace each: their part of the text and whom they are for, by the
    /// names of their objects.
    shelves: BTreeMap<Shelf, BTreeMap<String, Documented>>,
}

struct Documented {
    range: Range<usize>,
    origins: Box<[Span]>,
}

impl<'a> Documents<'a> {
    pub(crate) const fn new(
        comments: bool,
        ingresses: &'a BTreeMap<Span, (Arc<str>, Arc<str>)>,
    ) -> Self {
        Self {
            comments,
            ingresses,
            text: String::new(),
            shelves: BTreeMap::new(),
        }
    }

    pub(crate) fn add(&mut self, object: Object) {
        let start = self.text.len();
        let (comments, out) = document(&object, self.comments);
        write_documents(&mut self.text, [(comments.as_slice(), &out)]);
        let documented = Documented {
            range: start..self.text.len(),
            origins: Box::from(&*object.origins),
        };
        let shelf = self.shelves.entry(object.shelf()).or_default();
        shelf.insert(object.name, documented);
    }

    /// All of them in order, and how many there are of each kind.
    pub(crate) fn finish(self) -> (Output, Vec<Written>, Vec<ObjectCount>) {
        let mut written = Vec::with_capacity(self.shelves.values().map(BTreeMap::len).sum());
        let mut counts: Vec<ObjectCount> = Vec::new();
        for (shelf, documents) in self.shelves {
            let count = documents.len();
            match counts.iter_mut().find(|count| count.kind == shelf.kind()) {
                Some(counted) => counted.count += count,
                None => counts.push(ObjectCount {
                    kind: shelf.kind().to_owned(),
                    count,
                }),
            }
            for (name, Documented { range, origins }) in documents {
                let mut files: Vec<FileId> = origins.iter().map(|span| span.file).collect();
                files.sort_unstable();
                files.dedup();
                let ingresses = origins.iter().filter_map(|span| self.ingresses.get(span));
                let mut ingresses: Vec<_> = ingresses.cloned().collect();
                ingresses.sort_unstable();
                ingresses.dedup();
                written.push(Written {
                    range,
                    files,
                    kind: shelf.kind(),
                    namespace: Arc::clone(shelf.namespace()),
                    name,
                    ingresses,
                    infra: shelf.part() == Part::Infra,
                    sensitive: shelf.is_sensitive(),
                });
            }
        }
        let order = written.iter().map(|written| written.range.clone());
        (Output::new(self.text, order.collect()), written, counts)
    }
}

fn document(object: &Object, comments: bool) -> (Vec<String>, Out) {
    let mut metadata = OutMapping::new();
    metadata.insert("name", object.name.as_str());
    if !object.namespace.is_empty() {
        metadata.insert("namespace", &*object.namespace);
    }
    for (name, list) in [
        ("labels", &object.labels),
        ("annotations", &object.annotations),
    ] {
        if list.is_empty() {
            continue;
        }
        let mut entries = OutMapping::new();
        for (key, value) in list {
            entries.push_new(key.to_string().into(), Out::from(&**value));
        }
        metadata.insert(name, Out::Mapping(entries));
    }
    let mut root = OutMapping::new();
    root.insert("apiVersion", object.spec.api_version());
    root.insert("kind", object.spec.kind());
    root.insert("metadata", Out::Mapping(metadata));
    // The specifications hold strings, numbers, lists and maps with string keys only, so that
    // nothing can be refused here.
    let fields = || to_out(&object.spec).unwrap_or(Out::Null);
    match &object.spec {
        Spec::Namespace => {}
        Spec::Secret(_) => {
            if let Out::Mapping(fields) = fields() {
                for entry in fields {
                    root.insert(entry.key, entry.value);
                }
            }
        }
        _ => {
            let mut spec = fields();
            spec.reorder_all(&ORDER);
            root.insert("spec", spec);
        }
    }
    let mut out = Out::Mapping(root);
    if !comments {
        return (Vec::new(), out);
    }
    for (at, lines) in object.rule_comments.iter().enumerate() {
        for line in lines {
            out.comment(&format!("spec.rules[{at}]"), line.as_str());
        }
    }
    (object.comments.clone(), out)
}

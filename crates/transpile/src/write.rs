//! From objects to YAML.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use gatewright_gateway::{Object, Part, Shelf, Spec};
use gatewright_source::{FileId, Span};
use gatewright_yaml::{Out, OutMapping, to_out, write_documents};

use crate::Written;
use crate::report::ObjectCount;

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

/// The documents of objects that come in no order.
pub(crate) struct Documents<'a> {
    comments: bool,
    /// The Ingresses by where they stand.
    ingresses: &'a BTreeMap<Span, (Arc<str>, Arc<str>)>,
    shelves: BTreeMap<Shelf, Documented>,
}

/// Documents of one kind in one namespace.
#[derive(Default)]
struct Documented {
    text: String,
    /// Their part of the text and whom they are for, by the names of their objects.
    documents: BTreeMap<String, (Range<usize>, Box<[Span]>)>,
}

impl<'a> Documents<'a> {
    pub(crate) const fn new(
        comments: bool,
        ingresses: &'a BTreeMap<Span, (Arc<str>, Arc<str>)>,
    ) -> Self {
        Self {
            comments,
            ingresses,
            shelves: BTreeMap::new(),
        }
    }

    pub(crate) fn add(&mut self, object: &Object) {
        let Documented { text, documents } = self.shelves.entry(object.shelf()).or_default();
        let start = text.len();
        let (comments, out) = document(object, self.comments);
        write_documents(text, [(comments.as_slice(), &out)]);
        let document = (start..text.len(), Box::from(&*object.origins));
        documents.insert(object.name.clone(), document);
    }

    /// All of them in order, and how many there are of each kind.
    pub(crate) fn finish(self) -> (String, Vec<Written>, Vec<ObjectCount>) {
        let length = |shelf: &Documented| shelf.text.len() + 4 * shelf.documents.len();
        let mut text = String::with_capacity(self.shelves.values().map(length).sum());
        let documents = |shelf: &Documented| shelf.documents.len();
        let mut written = Vec::with_capacity(self.shelves.values().map(documents).sum());
        let mut counts: Vec<ObjectCount> = Vec::new();
        for (shelf, documented) in self.shelves {
            let count = documented.documents.len();
            match counts.iter_mut().find(|count| count.kind == shelf.kind()) {
                Some(counted) => counted.count += count,
                None => counts.push(ObjectCount {
                    kind: shelf.kind().to_owned(),
                    count,
                }),
            }
            for (name, (range, origins)) in documented.documents {
                let start = text.len();
                if start > 0 {
                    text.push_str("---\n");
                }
                text.push_str(&documented.text[range]);
                let mut files: Vec<FileId> = origins.iter().map(|span| span.file).collect();
                files.sort_unstable();
                files.dedup();
                let ingresses = origins.iter().filter_map(|span| self.ingresses.get(span));
                let mut ingresses: Vec<_> = ingresses.cloned().collect();
                ingresses.sort_unstable();
                ingresses.dedup();
                written.push(Written {
                    range: start..text.len(),
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
        (text, written, counts)
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
            entries.insert(&**key, &**value);
        }
        metadata.insert(name, Out::Mapping(entries));
    }
    let mut root = OutMapping::new();
    root.insert("apiVersion", object.spec.api_version());
    root.insert("kind", object.spec.kind());
    root.insert("metadata", Out::Mapping(metadata));
    if let (Spec::Secret(_), Ok(Out::Mapping(fields))) = (&object.spec, to_out(&object.spec)) {
        for entry in &fields {
            root.insert(entry.key.as_str(), entry.value.clone());
        }
    } else if !matches!(object.spec, Spec::Namespace) {
        // The specifications hold strings, numbers, lists and maps with string keys only,
        // so that nothing can be refused here.
        let mut spec = to_out(&object.spec).unwrap_or(Out::Null);
        spec.reorder_all(FIELD_ORDER);
        root.insert("spec", spec);
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

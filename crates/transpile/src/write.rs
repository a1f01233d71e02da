//! From objects to YAML.

use gatewright_gateway::{Object, Spec};
use gatewright_yaml::{Out, OutMapping, to_out, write_documents};

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

/// Adds the document of an object to those before it.
pub(crate) fn append(text: &mut String, object: &Object, comments: bool) {
    if !text.is_empty() {
        text.push_str("---\n");
    }
    let (comments, out) = document(object, comments);
    write_documents(text, [(comments.as_slice(), &out)]);
}

fn document(object: &Object, comments: bool) -> (Vec<String>, Out) {
    let mut metadata = OutMapping::new();
    metadata.insert("name", object.name.as_str());
    if !object.namespace.is_empty() {
        metadata.insert("namespace", &*object.namespace);
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

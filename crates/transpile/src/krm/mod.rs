//! The list that a KRM function is given and gives back: objects in, objects and results out
//! (the KRM functions specification of kustomize and kpt).
//!
//! Objects that are not touched keep their text with its comments.

mod results;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use gatewright_diagnostics::{Code, Diagnostic};
use gatewright_source::SourceMap;
use gatewright_yaml::{Node, Out, Value, parse};

use crate::{Conversion, Input};

/// How the input is called when nothing says what file an object comes from.
const STDIN: &str = "<stdin>";
/// Annotations of orchestrators that say where an object comes from.
const PATHS: [&str; 2] = [
    "internal.config.kubernetes.io/path",
    "config.kubernetes.io/path",
];
const INDICES: [&str; 2] = [
    "internal.config.kubernetes.io/index",
    "config.kubernetes.io/index",
];
/// Kinds that a conversion writes, with their groups.
const WRITTEN: &[(&str, &str)] = &[
    ("gateway.networking.k8s.io", ""),
    ("gateway.envoyproxy.io", ""),
    ("cert-manager.io", "Certificate"),
    ("", "Namespace"),
    ("", "Secret"),
];

/// A value of the configuration of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    /// A text; in a `ConfigMap` every value is one.
    Text(String),
    /// A truth value.
    Flag(bool),
    /// A list of texts.
    List(Vec<String>),
}

/// How to write the list.
#[derive(Clone, Debug)]
pub struct Writing {
    /// Leave out the Ingresses that were converted.
    pub remove_ingresses: bool,
    /// The directory of a package that what is written goes to, and that belongs to the function.
    pub directory: String,
}

/// The input of a function.
#[derive(Debug)]
pub struct ResourceList {
    text: String,
    /// A plain `List` has no place for results.
    results: bool,
    items: Vec<Item>,
    config: Vec<(String, Setting)>,
    shape: Shape,
}

/// How the list is written.
#[derive(Debug)]
enum Shape {
    /// Items are lines of their own, and can be left as they are.
    Lines {
        /// Spaces before the dash of an item.
        indent: usize,
        /// Where the items end.
        end: usize,
        /// The results of the input, which are replaced.
        old_results: Option<Range<usize>>,
    },
    /// Anything else, such as JSON: all of it is written anew.
    Tree(Node),
}

/// An object of the list.
#[derive(Debug)]
struct Item {
    /// Its lines, with the comments before it; empty in a [`Shape::Tree`].
    lines: Range<usize>,
    /// As a document of a file of its own.
    document: String,
    /// The file that it comes from.
    path: Option<String>,
    /// Which document of the file it is.
    index: usize,
    api_version: String,
    kind: String,
    namespace: String,
    name: String,
}

impl ResourceList {
    /// Reads a list. The findings point into the sources.
    pub fn read(text: String) -> Result<Self, (SourceMap, Vec<Diagnostic>)> {
        let mut sources = SourceMap::default();
        let file = sources.add(STDIN, text.as_str());
        let parsed = parse(file, &text);
        let refuse = |message: &str| {
            vec![
                Diagnostic::new(Code::NotAnObject, message)
                    .help("give one `ResourceList` on stdin, as kustomize and kpt do"),
            ]
        };
        if !parsed.diagnostics.is_empty() && parsed.documents.is_empty() {
            return Err((sources, parsed.diagnostics));
        }
        let [document] = parsed.documents.as_slice() else {
            return Err((sources, refuse("stdin does not hold one list of objects")));
        };
        let root = &document.root;
        let kind = root.get("kind").and_then(Node::as_str).unwrap_or_default();
        if !kind.ends_with("List") {
            return Err((
                sources,
                vec![
                    Diagnostic::new(Code::NotAnObject, "stdin holds no list of objects")
                        .at(root.get("kind").map_or(root.span, |kind| kind.span))
                        .help("give one `ResourceList` on stdin, as kustomize and kpt do"),
                ],
            ));
        }
        let nodes = root
            .get("items")
            .and_then(Node::as_sequence)
            .unwrap_or_default();
        let lines = text::lines(&text, root);
        let items = nodes
            .iter()
            .enumerate()
            .map(|(at, node)| Item::read(&text, node, lines.as_ref().map(|l| l.items[at].clone())))
            .collect();
        let shape = match lines {
            Some(lines) => Shape::Lines {
                indent: lines.indent,
                end: lines.end,
                old_results: lines.results,
            },
            None => Shape::Tree(root.clone()),
        };
        Ok(Self {
            results: kind == "ResourceList",
            items,
            config: config(root.get("functionConfig")),
            shape,
            text,
        })
    }

    /// The settings of the function, in the order of the input.
    pub fn config(&self) -> &[(String, Setting)] {
        &self.config
    }

    /// The objects as files, without those that an earlier run has written.
    pub fn inputs(&self, writing: &Writing) -> Vec<Input> {
        let files = self.files(writing);
        let input = |(name, items): (&str, Vec<&Item>)| Input {
            name: name.to_owned(),
            text: join(&items),
        };
        files.into_iter().map(input).collect()
    }

    /// The items of each file in their order.
    fn files(&self, writing: &Writing) -> BTreeMap<&str, Vec<&Item>> {
        let mut files: BTreeMap<&str, Vec<&Item>> = BTreeMap::new();
        for item in self.items.iter().filter(|item| !item.is_ours(writing)) {
            let name = item.path.as_deref().unwrap_or(STDIN);
            files.entry(name).or_default().push(item);
        }
        for items in files.values_mut() {
            items.sort_by_key(|item| item.index);
        }
        files
    }

    /// The list with what was converted.
    pub fn write(&self, conversion: &Conversion, writing: &Writing) -> String {
        let converted: BTreeSet<(&str, &str)> = conversion
            .ingresses
            .iter()
            .map(|(namespace, name)| (&**namespace, &**name))
            .collect();
        let goes = |item: &Item| {
            let ingress = item.kind == "Ingress"
                && converted.contains(&(item.namespace.as_str(), item.name.as_str()));
            item.is_ours(writing) || (writing.remove_ingresses && ingress)
        };
        // Only who has told where objects come from wants to know where they go.
        let paths = self.items.iter().any(|item| item.path.is_some());
        let documents: Vec<String> = conversion
            .written
            .iter()
            .map(|written| {
                let document = conversion.output.document(written);
                if !paths {
                    return document.to_owned();
                }
                text::annotated(document, &place(written, &writing.directory))
            })
            .collect();
        let results = if self.results {
            results::results(conversion, &self.files(writing))
        } else {
            Vec::new()
        };
        match &self.shape {
            Shape::Lines {
                indent,
                end,
                old_results,
            } => {
                let kept = self.items.iter().filter(|item| !goes(item));
                let kept = kept.map(|item| &self.text[item.lines.clone()]);
                let first = self.items.first().map_or(*end, |item| item.lines.start);
                text::written(
                    &self.text,
                    (first, *end),
                    *indent,
                    kept,
                    &documents,
                    old_results.as_ref(),
                    &results,
                )
            }
            Shape::Tree(root) => {
                let kept = self.items.iter().map(|item| !goes(item));
                text::rewritten(root, kept, &documents, results)
            }
        }
    }
}

/// The file in a package for a document.
fn place(written: &crate::Written, directory: &str) -> String {
    let plain = |text: &str| -> String {
        let text: String = text
            .chars()
            .map(|c| match c {
                'a'..='z' | '0'..='9' | '-' | '.' => c,
                _ => '-',
            })
            .collect();
        text.trim_start_matches('.').to_owned()
    };
    let namespace = match &*written.namespace {
        "" => "cluster".to_owned(),
        namespace => plain(namespace),
    };
    let kind = written.kind.to_ascii_lowercase();
    let mut name = format!("{namespace}_{kind}_{}", plain(&written.name));
    // File systems take 255 bytes.
    name.truncate(240);
    format!("{directory}/{name}.yaml")
}

fn join(items: &[&Item]) -> String {
    let documents: Vec<&str> = items.iter().map(|item| item.document.as_str()).collect();
    documents.join("---\n")
}

impl Item {
    /// `lines` are those of the item in a list of lines.
    fn read(text: &str, node: &Node, lines: Option<Range<usize>>) -> Self {
        let metadata = |key: &str| node.get("metadata").and_then(|m| m.get(key));
        let string =
            |node: Option<&Node>| node.and_then(Node::as_str).unwrap_or_default().to_owned();
        let annotations = metadata("annotations");
        let annotation = |keys: &[&str]| {
            keys.iter()
                .find_map(|key| annotations?.get(key)?.as_str())
                .map(str::to_owned)
        };
        let path = annotation(&PATHS).or_else(|| origin(annotations?));
        let index = annotation(&INDICES).and_then(|index| index.parse().ok());
        let namespace = match string(metadata("namespace")) {
            namespace if namespace.is_empty() => "default".to_owned(),
            namespace => namespace,
        };
        Self {
            document: match &lines {
                Some(lines) => text::document(text, lines.clone(), node),
                None => text::of_node(node),
            },
            lines: lines.unwrap_or_default(),
            path,
            index: index.unwrap_or_default(),
            api_version: string(node.get("apiVersion")),
            kind: string(node.get("kind")),
            namespace,
            name: string(metadata("name")),
        }
    }

    /// Whether an earlier run of the function has written it into its directory.
    fn is_ours(&self, writing: &Writing) -> bool {
        let below = self
            .path
            .as_deref()
            .and_then(|path| path.strip_prefix(&*writing.directory));
        let group = self
            .api_version
            .split_once('/')
            .map_or("", |(group, _)| group);
        below.is_some_and(|rest| rest.starts_with('/'))
            && WRITTEN
                .iter()
                .any(|(of, kind)| *of == group && (kind.is_empty() || *kind == self.kind))
    }
}

/// The path in kustomize's annotation `config.kubernetes.io/origin`.
fn origin(annotations: &Node) -> Option<String> {
    let origin = annotations.get("config.kubernetes.io/origin")?.as_str()?;
    let path = origin
        .lines()
        .find_map(|line| line.strip_prefix("path: "))?;
    Some(path.trim().to_owned())
}

/// The settings in a `functionConfig`: the data of a `ConfigMap`, the `spec` of anything else.
fn config(node: Option<&Node>) -> Vec<(String, Setting)> {
    let Some(node) = node else { return Vec::new() };
    let map = match node.get("kind").and_then(Node::as_str) {
        Some("ConfigMap") => node.get("data"),
        _ => node.get("spec"),
    };
    let Some(map) = map.and_then(Node::as_mapping) else {
        return Vec::new();
    };
    map.iter()
        .map(|entry| {
            let value = match &entry.value.value {
                Value::Bool(flag) => Setting::Flag(*flag),
                Value::Sequence(items) => Setting::List(items.iter().map(scalar).collect()),
                _ => Setting::Text(scalar(&entry.value)),
            };
            (entry.key.value.clone(), value)
        })
        .collect()
}

fn scalar(node: &Node) -> String {
    match &node.value {
        Value::String(text) => text.clone(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Uint(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        Value::Null | Value::Sequence(_) | Value::Mapping(_) => String::new(),
    }
}

/// A tree as it is written.
fn out(node: &Node) -> Out {
    match &node.value {
        Value::Null => Out::Null,
        Value::Bool(value) => Out::Bool(*value),
        Value::Int(value) => Out::Int(*value),
        Value::Uint(value) => Out::Uint(*value),
        Value::Float(value) => Out::Float(*value),
        Value::String(text) => Out::String(text.clone()),
        Value::Sequence(items) => Out::sequence(items.iter().map(out)),
        Value::Mapping(map) => Out::mapping(
            map.iter()
                .map(|entry| (entry.key.value.clone(), out(&entry.value))),
        ),
    }
}

#[cfg(test)]
mod tests;

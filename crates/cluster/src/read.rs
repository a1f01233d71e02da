//! Lists and single objects, several at once.

use futures::StreamExt as _;
use futures::stream;
use gatewright_diagnostics::Diagnostic;
use http::Request;
use http::header::ACCEPT;
use kube::Error;
use rayon::prelude::*;
use serde_json::Value;

use crate::connect::Cluster;
use crate::document::{Document, Keep, document};
use crate::fault::{self, Question};
use crate::resource::{Resource, escaped};

/// Questions that wait for an answer at the same time.
const AT_ONCE: usize = 8;
/// What leaves all but the metadata at the API server.
const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

/// An object to be read.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its kind.
    pub resource: Resource,
    /// Its namespace; empty for a cluster-wide one.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// How much of it.
    pub keep: Keep,
}

/// What became of an object that was asked for.
#[derive(Debug)]
pub enum Answer {
    /// It exists.
    Found(Document),
    /// It does not exist.
    Absent,
    /// Nobody knows.
    Failed(Box<Diagnostic>),
}

/// Kinds that a cluster has, and those that it does not.
#[derive(Debug, Default)]
pub struct Kinds {
    /// Kinds that it serves.
    pub present: Vec<Resource>,
    /// Groups and kinds that it does not.
    pub absent: Vec<(String, String)>,
}

impl Cluster {
    /// Lists all objects of each kind, of a namespace or of all; each list stands for itself.
    pub fn list(
        &self,
        wanted: &[(Resource, Option<String>)],
    ) -> Vec<Result<Vec<Document>, Box<Diagnostic>>> {
        let lists = stream::iter(wanted)
            .map(|(resource, namespace)| self.pages(resource, namespace.as_deref()))
            .buffered(AT_ONCE)
            .collect::<Vec<_>>();
        let lists = self.runtime.block_on(lists);
        let documents = |(list, (resource, _)): (Result<Vec<Value>, _>, &(Resource, _))| {
            let list: Vec<Value> = list?;
            Ok(list
                .into_par_iter()
                .map(|item| document(resource, item, Keep::Whole))
                .collect())
        };
        lists.into_iter().zip(wanted).map(documents).collect()
    }

    /// Reads single objects, in their order.
    pub fn get(&self, items: &[Item]) -> Vec<Answer> {
        let answers = stream::iter(items)
            .map(|item| self.one(item))
            .buffered(AT_ONCE)
            .collect::<Vec<_>>();
        self.runtime.block_on(answers)
    }

    /// Which of these kinds the cluster serves, in the version that it prefers.
    pub fn kinds(&self, wanted: &[(&str, &str)]) -> Result<Kinds, Box<Diagnostic>> {
        let mut groups: Vec<&str> = wanted.iter().map(|(group, _)| *group).collect();
        groups.dedup();
        let served = stream::iter(groups)
            .map(|group| async move { (group, self.served(group).await) })
            .buffered(AT_ONCE)
            .collect::<Vec<_>>();
        let mut kinds = Kinds::default();
        let mut all = Vec::new();
        for (group, found) in self.runtime.block_on(served) {
            all.push((group, found?));
        }
        for (group, kind) in wanted {
            let found = all
                .iter()
                .filter(|(of, _)| of == group)
                .flat_map(|(_, served)| served)
                .find(|resource| resource.kind == *kind);
            match found {
                Some(resource) => kinds.present.push(resource.clone()),
                None => kinds.absent.push(((*group).to_owned(), (*kind).to_owned())),
            }
        }
        Ok(kinds)
    }

    /// All kinds of a group, the preferred version first.
    async fn served(&self, group: &str) -> Result<Vec<Resource>, Box<Diagnostic>> {
        let asked = Resource {
            group: group.to_owned().into(),
            version: "".into(),
            plural: "API groups".into(),
            kind: "APIGroup".into(),
            namespaced: false,
        };
        let question = Question {
            verb: "get",
            resource: &asked,
            namespace: None,
            name: None,
        };
        let Some(found) = self.ask(&format!("/apis/{group}"), None, &question).await? else {
            return Ok(Vec::new());
        };
        let preferred = found["preferredVersion"]["version"].as_str();
        let versions = found["versions"].as_array().into_iter().flatten();
        let versions = versions.filter_map(|version| version["version"].as_str());
        let mut versions: Vec<&str> = preferred.into_iter().chain(versions).collect();
        let mut seen = Vec::new();
        versions.retain(|version| {
            let new = !seen.contains(version);
            seen.push(version);
            new
        });
        let mut served = Vec::new();
        for version in versions {
            let path = format!("/apis/{group}/{version}");
            let Some(found) = self.ask(&path, None, &question).await? else {
                continue;
            };
            for resource in found["resources"].as_array().into_iter().flatten() {
                let text = |key: &str| resource[key].as_str().unwrap_or_default().to_owned();
                // A part of an object, such as its status.
                if text("name").contains('/') {
                    continue;
                }
                served.push(Resource {
                    group: group.to_owned().into(),
                    version: version.to_owned().into(),
                    plural: text("name").into(),
                    kind: text("kind").into(),
                    namespaced: resource["namespaced"].as_bool().unwrap_or_default(),
                });
            }
        }
        Ok(served)
    }

    async fn pages(
        &self,
        resource: &Resource,
        namespace: Option<&str>,
    ) -> Result<Vec<Value>, Box<Diagnostic>> {
        let question = Question {
            verb: "list",
            resource,
            namespace,
            name: None,
        };
        let path = resource.path(namespace, None);
        let mut items: Vec<Value> = Vec::new();
        let mut next = Some(format!("{path}?limit={}", self.page));
        while let Some(page) = next.take() {
            let first = items.is_empty();
            let mut list = match self.request(&page, None, &question).await? {
                Ok(list) => list,
                // The list that the pages are of is gone: all of it at once, as kubectl does.
                Err(Error::Api(status)) if status.code == 410 && !first => {
                    items.clear();
                    next = Some(path.clone());
                    continue;
                }
                // A kind that the cluster does not have has no objects.
                Err(error) => match fault::answer(&self.place, &question, error) {
                    Some(found) => return Err(Box::new(found)),
                    None => break,
                },
            };
            match list.get_mut("items").map(Value::take) {
                Some(Value::Array(found)) => items.extend(found),
                // An empty list may be written so.
                Some(Value::Null) => {}
                _ => return Err(Box::new(fault::garbled(&question))),
            }
            if let Some(token) = list["metadata"]["continue"].as_str()
                && !token.is_empty()
            {
                let token = escaped(token);
                next = Some(format!("{path}?limit={}&continue={token}", self.page));
            }
        }
        Ok(items)
    }

    async fn one(&self, item: &Item) -> Answer {
        let Item {
            resource,
            namespace,
            name,
            keep,
        } = item;
        let namespace = Some(namespace.as_str()).filter(|namespace| !namespace.is_empty());
        let question = Question {
            verb: "get",
            resource,
            namespace,
            name: Some(name),
        };
        let path = resource.path(namespace, Some(name));
        let accept = (*keep == Keep::Existence).then_some(METADATA);
        match self.ask(&path, accept, &question).await {
            Ok(Some(value)) => Answer::Found(document(resource, value, *keep)),
            Ok(None) => Answer::Absent,
            Err(fault) => Answer::Failed(fault),
        }
    }

    /// One question; nothing where there is no such thing.
    async fn ask(
        &self,
        path: &str,
        accept: Option<&'static str>,
        question: &Question<'_>,
    ) -> Result<Option<Value>, Box<Diagnostic>> {
        match self.request(path, accept, question).await? {
            Ok(value) => Ok(Some(value)),
            Err(error) => match fault::answer(&self.place, question, error) {
                Some(found) => Err(Box::new(found)),
                None => Ok(None),
            },
        }
    }

    /// The only place where something is sent. The inner error is the answer of the server.
    async fn request(
        &self,
        path: &str,
        accept: Option<&'static str>,
        question: &Question<'_>,
    ) -> Result<Result<Value, Error>, Box<Diagnostic>> {
        let request = Request::get(path)
            .header(ACCEPT, accept.unwrap_or("application/json"))
            .body(Vec::new())
            .map_err(|_| fault::garbled(question))?;
        let answer = tokio::time::timeout(self.timeout, self.client.request_text(request));
        match answer.await {
            Err(_) => Err(Box::new(fault::timeout(&self.place, self.timeout))),
            Ok(Err(error)) => Ok(Err(error)),
            Ok(Ok(text)) => match serde_json::from_str(&text) {
                Ok(value) => Ok(Ok(value)),
                Err(_) => Err(Box::new(fault::garbled(question))),
            },
        }
    }
}

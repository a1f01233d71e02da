//! As much of a Kubernetes client as the suite needs: discovery, server-side apply, get, delete.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use serde_json::{Value, json};
use ureq::Agent;
use ureq::tls::{TlsConfig, TlsProvider};

/// The field manager of the applied output, as a user's `kubectl apply --server-side` has one.
const MANAGER: &str = "gatewright-conformance";

/// A connection to the API server of a worker.
pub(crate) struct Kube {
    agent: Agent,
    base: String,
    token: String,
    resources: RefCell<BTreeMap<(String, String), Resource>>,
}

#[derive(Debug, Clone)]
struct Resource {
    plural: String,
    namespaced: bool,
}

/// Identifies an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub(crate) struct ObjectRef {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl ObjectRef {
    /// `None` when `value` has no kind or no name.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        let metadata = &value["metadata"];
        Some(Self {
            api_version: value["apiVersion"].as_str()?.to_owned(),
            kind: value["kind"].as_str()?.to_owned(),
            namespace: metadata["namespace"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            name: metadata["name"].as_str()?.to_owned(),
        })
    }
}

impl std::fmt::Display for ObjectRef {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.namespace.is_empty() {
            write!(formatter, "{} {}", self.kind, self.name)
        } else {
            write!(formatter, "{} {}/{}", self.kind, self.namespace, self.name)
        }
    }
}

impl Kube {
    pub(crate) fn new(base: &str, token: &str) -> Self {
        // The server makes its own certificate when it starts; it is alone on a loopback of ours.
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .disable_verification(true)
            .build();
        let agent = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(30)))
            .build()
            .into();
        Self {
            agent,
            base: base.to_owned(),
            token: token.to_owned(),
            resources: RefCell::default(),
        }
    }

    /// Status and body of a GET.
    pub(crate) fn get_text(&self, path: &str) -> Result<(u16, String)> {
        let mut response = self
            .agent
            .get(format!("{}{path}", self.base))
            .header("authorization", format!("Bearer {}", self.token))
            .call()?;
        let body = response
            .body_mut()
            .with_config()
            .limit(256 << 20)
            .read_to_string()?;
        Ok((response.status().as_u16(), body))
    }

    /// The object or list at `path`; `None` when there is none.
    pub(crate) fn get(&self, path: &str) -> Result<Option<Value>> {
        let (status, body) = self.get_text(path)?;
        match status {
            404 => Ok(None),
            200 => Ok(Some(serde_json::from_str(&body)?)),
            _ => bail!("GET {path}: {status}: {}", message(&body)),
        }
    }

    /// Items of a list; nothing when the kind does not exist.
    pub(crate) fn list(&self, path: &str) -> Result<Vec<Value>> {
        let mut list = self.get(path)?.unwrap_or_default();
        match list.get_mut("items").map(Value::take) {
            Some(Value::Array(items)) => Ok(items),
            _ => Ok(Vec::new()),
        }
    }

    /// All objects of a kind, in every namespace.
    pub(crate) fn list_kind(&self, api_version: &str, kind: &str) -> Result<Vec<Value>> {
        let key = (api_version.to_owned(), kind.to_owned());
        if !self.resources.borrow().contains_key(&key) {
            self.discover(api_version)?;
        }
        let plural = self
            .resources
            .borrow()
            .get(&key)
            .map(|resource| resource.plural.clone());
        match plural {
            Some(plural) => self.list(&format!("{}/{plural}", group_path(api_version))),
            None => Ok(Vec::new()),
        }
    }

    /// Server-side apply of `body` as it is written (the server reads YAML itself).
    ///
    /// The inner error is the server's refusal, the outer one a failure to ask it.
    pub(crate) fn apply(&self, object: &ObjectRef, body: &str) -> Result<Result<Value, String>> {
        let path = match self.path(object)? {
            Ok(path) => path,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let query = format!("fieldManager={MANAGER}&force=true&fieldValidation=Strict");
        self.patch(
            &format!("{path}?{query}"),
            "application/apply-patch+yaml",
            body,
        )
    }

    /// Whether the server would create an object; the inner error is its refusal.
    pub(crate) fn admits(&self, object: &ObjectRef, body: &str) -> Result<Result<Value, String>> {
        let path = match self.path(object)? {
            Ok(path) => path,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let query = format!("fieldManager={MANAGER}&force=true&fieldValidation=Strict&dryRun=All");
        self.patch(
            &format!("{path}?{query}"),
            "application/apply-patch+yaml",
            body,
        )
    }

    /// Applies an object of the suite's own; a refusal is a failure.
    pub(crate) fn apply_own(&self, value: &Value) -> Result<Value> {
        let object =
            ObjectRef::of(value).ok_or_else(|| anyhow!("an object without kind or name"))?;
        self.apply(&object, &value.to_string())?
            .map_err(|refusal| anyhow!("{object} is refused: {refusal}"))
    }

    /// Merge-patches the status of an object, as a kubelet or a load balancer would.
    pub(crate) fn patch_status(&self, object: &ObjectRef, status: &Value) -> Result<()> {
        let path = self.path(object)?.map_err(|refusal| anyhow!(refusal))?;
        let body = json!({ "status": status }).to_string();
        self.patch(
            &format!("{path}/status"),
            "application/merge-patch+json",
            &body,
        )?
        .map(drop)
        .map_err(|refusal| anyhow!("status of {object}: {refusal}"))
    }

    fn patch(&self, path: &str, kind: &str, body: &str) -> Result<Result<Value, String>> {
        let mut response = self
            .agent
            .patch(format!("{}{path}", self.base))
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", kind)
            .send(body)?;
        let text = response.body_mut().read_to_string()?;
        Ok(if response.status().is_success() {
            Ok(serde_json::from_str(&text)?)
        } else {
            Err(message(&text))
        })
    }

    /// POSTs `body`, and gives back what the server made of it.
    pub(crate) fn create(&self, path: &str, body: &Value) -> Result<Value> {
        let mut response = self
            .agent
            .post(format!("{}{path}", self.base))
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json")
            .send(body.to_string())?;
        let text = response.body_mut().read_to_string()?;
        if !response.status().is_success() {
            bail!("POST {path}: {}", message(&text));
        }
        Ok(serde_json::from_str(&text)?)
    }

    /// Deletes an object; one that is not there is fine.
    pub(crate) fn delete(&self, object: &ObjectRef) -> Result<()> {
        let Ok(path) = self.path(object)? else {
            return Ok(());
        };
        let mut response = self
            .agent
            .delete(format!("{}{path}", self.base))
            .header("authorization", format!("Bearer {}", self.token))
            .call()?;
        let status = response.status();
        if !status.is_success() && status.as_u16() != 404 {
            bail!(
                "DELETE {object}: {}",
                message(&response.body_mut().read_to_string()?)
            );
        }
        Ok(())
    }

    /// The path of an object, or why the server has no such thing.
    pub(crate) fn path(&self, object: &ObjectRef) -> Result<Result<String, String>> {
        let key = (object.api_version.clone(), object.kind.clone());
        if !self.resources.borrow().contains_key(&key) {
            self.discover(&object.api_version)?;
        }
        let resources = self.resources.borrow();
        let Some(resource) = resources.get(&key) else {
            return Ok(Err(format!(
                "the server knows no {} {}",
                object.api_version, object.kind
            )));
        };
        let group = group_path(&object.api_version);
        Ok(Ok(if resource.namespaced {
            let namespace = if object.namespace.is_empty() {
                "default"
            } else {
                &object.namespace
            };
            format!(
                "{group}/namespaces/{namespace}/{}/{}",
                resource.plural, object.name
            )
        } else {
            format!("{group}/{}/{}", resource.plural, object.name)
        }))
    }

    fn discover(&self, api_version: &str) -> Result<()> {
        let Some(found) = self.get(&group_path(api_version))? else {
            return Ok(());
        };
        for resource in found["resources"].as_array().into_iter().flatten() {
            let (Some(plural), Some(kind)) = (resource["name"].as_str(), resource["kind"].as_str())
            else {
                continue;
            };
            if plural.contains('/') {
                continue;
            }
            let namespaced = resource["namespaced"].as_bool().unwrap_or_default();
            self.resources.borrow_mut().insert(
                (api_version.to_owned(), kind.to_owned()),
                Resource {
                    plural: plural.to_owned(),
                    namespaced,
                },
            );
        }
        Ok(())
    }
}

fn group_path(api_version: &str) -> String {
    if api_version.contains('/') {
        format!("/apis/{api_version}")
    } else {
        format!("/api/{api_version}")
    }
}

/// The message of a `Status` object, or the text itself.
fn message(body: &str) -> String {
    serde_json::from_str::<Value>(body)
        .ok()
        .and_then(|value| value["message"].as_str().map(str::to_owned))
        .unwrap_or_else(|| body.to_owned())
}

/// The documents of a stream that can be read, as kubectl goes on after one that cannot.
pub(crate) fn readable(text: &str) -> Vec<(String, Value)> {
    parts(text)
        .into_iter()
        .filter_map(|document| {
            let value: Value = serde_yaml::from_str(&document).ok()?;
            (!value.is_null()).then_some((document, value))
        })
        .collect()
}

/// Splits a YAML stream and keeps each document's text, so that it can be applied as it is written.
pub(crate) fn documents(text: &str) -> Result<Vec<(String, Value)>> {
    let mut found = Vec::new();
    for document in parts(text) {
        let value: Value =
            serde_yaml::from_str(&document).with_context(|| format!("not YAML:\n{document}"))?;
        if !value.is_null() {
            found.push((document, value));
        }
    }
    Ok(found)
}

fn parts(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for line in text.lines() {
        // A separator may carry a comment; an indented one is content.
        if line == "---" || line.starts_with("--- ") {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push_str(line);
            part.push('\n');
        }
    }
    parts
}

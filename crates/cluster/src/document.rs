//! From an object of the API to a text like that of a file.

use gatewright_yaml::{to_out, write_document};
use serde_json::{Map, Value, json};

use crate::resource::Resource;

/// An object as a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its kind.
    pub kind: String,
    /// Its namespace; empty for a cluster-wide one.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// It in YAML, as `kubectl get -o yaml` prints it, but for what only the API server writes.
    pub text: String,
    /// Namespace and name of the Secret with the users that it asks for passwords of.
    pub users: Option<(String, String)>,
}

impl Document {
    /// What stands for the path of a file.
    pub fn place(&self) -> String {
        if self.namespace.is_empty() {
            format!("cluster:{}/{}", self.kind, self.name)
        } else {
            format!("cluster:{}/{}/{}", self.kind, self.namespace, self.name)
        }
    }
}

/// How much of an object is taken along, and asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// All of it.
    Whole,
    /// The keys of its data, without what these hold.
    Keys,
    /// That it exists. Nothing else leaves the API server.
    Existence,
}

/// `kubectl apply` writes the object as it was given into the object: noise, and in a Secret
/// what it holds.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Writes an object. The items of a list have no kind of their own.
pub(crate) fn document(resource: &Resource, mut value: Value, keep: Keep) -> Document {
    let of = |key: &str| {
        let text = value["metadata"][key].as_str();
        text.unwrap_or_default().to_owned()
    };
    let (namespace, name) = (of("namespace"), of("name"));
    if resource.kind == "Secret" {
        value = secret(&value, keep);
    }
    if let Value::Object(object) = &mut value {
        let version = if resource.group.is_empty() {
            resource.version.to_string()
        } else {
            format!("{}/{}", resource.group, resource.version)
        };
        object.insert("apiVersion".to_owned(), Value::from(version));
        object.insert("kind".to_owned(), Value::from(&*resource.kind));
        object.remove("status");
        if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
            strip(metadata);
        }
    }
    let users = &value["spec"]["basicAuth"]["users"];
    let users = users["name"].as_str().map(|name| {
        let own = users["namespace"].as_str().unwrap_or(&namespace);
        (own.to_owned(), name.to_owned())
    });
    // As kubectl does.
    value.sort_all_objects();
    let mut text = String::new();
    if let Ok(out) = to_out(&value) {
        write_document(&mut text, &out);
    }
    Document {
        kind: resource.kind.to_string(),
        namespace,
        name,
        text,
        users,
    }
}

fn strip(metadata: &mut Map<String, Value>) {
    metadata.remove("managedFields");
    if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
        annotations.remove(LAST_APPLIED);
        if annotations.is_empty() {
            metadata.remove("annotations");
        }
    }
}

/// A Secret with no more than is needed: labels and annotations of other programs may repeat
/// what it holds.
fn secret(value: &Value, keep: Keep) -> Value {
    let metadata = &value["metadata"];
    let mut secret = json!({
        "metadata": { "namespace": metadata["namespace"], "name": metadata["name"] },
    });
    if let (Value::String(_), Keep::Whole | Keep::Keys) = (&value["type"], keep) {
        secret["type"] = value["type"].clone();
    }
    if let Value::Object(data) = &value["data"] {
        match keep {
            Keep::Whole => secret["data"] = value["data"].clone(),
            Keep::Keys => {
                let keys = data.keys().map(|key| (key.clone(), Value::from("")));
                secret["data"] = Value::Object(keys.collect());
            }
            Keep::Existence => {}
        }
    }
    secret
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::{INGRESSES, SECRETS};

    #[test]
    fn an_object_is_written_as_kubectl_does() {
        let item = json!({
            "metadata": {
                "name": "web",
                "namespace": "shop",
                "managedFields": [{ "manager": "kubectl" }],
                "annotations": { LAST_APPLIED: "{}", "b": "1", "a": "x\ny\n" },
            },
            "spec": { "rules": [{ "host": "yes" }] },
            "status": { "loadBalancer": {} },
        });
        let document = document(&INGRESSES, item, Keep::Whole);
        assert_eq!(document.place(), "cluster:Ingress/shop/web");
        assert_eq!(
            document.text,
            "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  annotations:\n    a: |\n      x\n      y\n    b: \"1\"\n  name: web\n  namespace: shop\nspec:\n  rules:\n  - host: \"yes\"\n"
        );
    }

    #[test]
    fn what_a_secret_holds_stays_behind() {
        let value = json!({
            "metadata": {
                "name": "tls",
                "namespace": "shop",
                "annotations": { LAST_APPLIED: "hunter2", "reflector": "hunter2" },
            },
            "type": "kubernetes.io/tls",
            "data": { "tls.key": "aHVudGVyMg==", "ca.crt": "aHVudGVyMg==" },
        });
        let text = |keep| document(&SECRETS, value.clone(), keep).text;
        let keys = text(Keep::Keys);
        assert!(
            keys.contains("ca.crt: \"\"") && keys.contains("kubernetes.io/tls"),
            "{keys}"
        );
        assert!(!text(Keep::Existence).contains("\ndata:"));
        for text in [keys, text(Keep::Existence)] {
            assert!(
                !text.contains("hunter2") && !text.contains("aHVudGVyMg"),
                "{text}"
            );
        }
        assert!(!text(Keep::Whole).contains("hunter2"));
        assert!(text(Keep::Whole).contains("aHVudGVyMg"));
    }
}

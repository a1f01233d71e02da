//! What Ingresses and the controller name, so that somebody can fetch it.

use std::collections::BTreeMap;

use gatewright_yaml::{Document, Node};

use crate::analyze::{self, Options};
use crate::annotations::Reference;
use crate::annotations::auth_tls::AuthTls;
use crate::flags::Flags;
use crate::objects::Intake;
use crate::select;

/// An object that is named.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// `Secret` or `ConfigMap`.
    pub kind: &'static str,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// What a conversion has to know of an object, from little to much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// Whether it exists.
    Existence,
    /// Which keys it has.
    Keys,
    /// What it holds.
    Content,
}

/// What is known of an object that is not among the input objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Told {
    /// It does not exist.
    Absent,
    /// It may exist; who asked was not allowed to know.
    Withheld,
}

/// The objects that what was taken in names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// The controller's own `ConfigMap`.
    pub config: Option<Name>,
    /// All others.
    pub others: BTreeMap<Name, Need>,
}

impl Named {
    fn need(&mut self, kind: &'static str, namespace: &str, name: &str, need: Need) {
        if namespace.is_empty() || name.is_empty() {
            return;
        }
        let known = self.others.entry(Name {
            kind,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        });
        let known = known.or_insert(need);
        *known = need.max(*known);
    }

    fn secret(&mut self, secret: &Reference, need: Need) {
        self.need("Secret", &secret.namespace, &secret.name, need);
    }

    fn map(&mut self, map: &Reference) {
        self.need("ConfigMap", &map.namespace, &map.name, Need::Content);
    }
}

/// What the Ingresses that the controller takes name, and the controller itself. What is found
/// may name more.
pub fn named(intake: &Intake, options: &Options) -> Named {
    let objects = &intake.objects;
    let mut named = Named::default();
    let (namespace, name) = analyze::config_name(objects, options);
    named.config = Some(Name {
        kind: "ConfigMap",
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    });
    let config = analyze::config(objects, options);
    for maps in [&config.add_headers, &config.proxy_set_headers] {
        if let Some((namespace, name)) = maps.trim().split_once('/') {
            named.need("ConfigMap", namespace, name, Need::Content);
        }
    }
    let prefix = analyze::prefix(objects, options);
    let version = analyze::version(objects, options);
    for (ingress, _) in &objects.ingresses {
        if select::select(ingress, objects, &options.selection).is_err() {
            continue;
        }
        for secret in ingress.tls.iter().filter_map(|tls| tls.secret.as_ref()) {
            let namespace = &ingress.object.namespace;
            named.need("Secret", namespace, &secret.value, Need::Existence);
        }
        let read = analyze::read_annotations(ingress, &prefix, &options.aliases, &config, version);
        let settings = read.settings;
        if let Some(auth) = &settings.auth_basic {
            named.secret(&auth.secret.value, Need::Content);
        }
        if let Some(AuthTls::Verify(tls)) = settings.auth_tls.as_deref() {
            named.secret(&tls.secret.value, Need::Keys);
        }
        if let Some(ssl) = &settings.proxy_ssl {
            named.secret(&ssl.secret.value, Need::Keys);
        }
        if let Some(map) = &settings.custom_headers {
            named.map(&map.value);
        }
        let auth = settings.auth_external.as_ref();
        if let Some(map) = auth.and_then(|auth| auth.proxy_set_headers.as_ref()) {
            named.map(&map.value);
        }
    }
    named
}

/// A workload that runs the controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    /// Namespace and name of the controller's `ConfigMap`, if its flags name one.
    pub config: Option<(String, String)>,
    /// The class that it serves whatever any `IngressClass` says.
    pub class: String,
    /// What an `IngressClass` calls it.
    pub controller: String,
}

/// The workload of a document, if it runs the controller.
pub fn workload(document: &Document) -> Option<Workload> {
    let root = &document.root;
    let kind = root.get("kind").and_then(Node::as_str);
    if !matches!(kind, Some("Deployment" | "DaemonSet")) {
        return None;
    }
    let mut flags = Flags::default();
    flags.read(root).then(|| Workload {
        class: flags.class().to_owned(),
        controller: flags.controller().to_owned(),
        config: flags.config_map,
    })
}

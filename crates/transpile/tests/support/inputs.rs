//! The inputs under `testdata`, with the options that each is converted with.

use std::path::{Path, PathBuf};

use gatewright_transpile::{Emit, Input, NginxVersion, NoClass, Options, Profile};
use serde::Deserialize;

use crate::support;

/// Inputs that are converted together.
pub(crate) struct Case {
    /// As failures name it.
    pub(crate) name: String,
    pub(crate) inputs: Vec<Input>,
    pub(crate) options: Options,
    /// Where its snapshots stand, and how their names begin.
    pub(crate) directory: PathBuf,
    pub(crate) prefix: String,
}

/// One directory a case: all its manifests together, with its `options.toml`.
pub(crate) fn cases() -> Vec<Case> {
    let root = support::testdata().join("cases");
    let mut cases: Vec<Case> = Vec::new();
    for path in support::files(&root) {
        if !support::is_manifest(&path) {
            continue;
        }
        let directory = path.parent().expect("a directory").to_owned();
        match cases.last_mut() {
            Some(case) if case.directory == directory => case.inputs.push(support::input(&path)),
            _ => cases.push(Case {
                name: relative(&directory, &root),
                inputs: vec![support::input(&path)],
                options: CaseOptions::of(&directory),
                directory,
                prefix: String::new(),
            }),
        }
    }
    cases
}

/// Each file of the corpus by itself.
pub(crate) fn corpus() -> Vec<Case> {
    let root = support::testdata().join("corpus");
    support::corpus()
        .into_iter()
        .map(|path| {
            let stem = path.file_stem().expect("a name").to_string_lossy();
            Case {
                name: relative(&path, &root),
                prefix: format!("{stem}."),
                inputs: vec![support::input(&path)],
                options: Options {
                    // The applications of the corpus come from clusters with a default class.
                    no_class: NoClass::Include,
                    ..support::options()
                },
                directory: root.clone(),
            }
        })
        .collect()
}

/// The inputs of `testdata/behaviour`, without their snapshots.
pub(crate) fn behaviour() -> Vec<Case> {
    let root = support::testdata().join("behaviour");
    support::files(&root)
        .into_iter()
        .filter(|path| path.ends_with("input.yaml"))
        .map(|path| Case {
            name: relative(&path, &root),
            inputs: vec![support::input(&path)],
            options: support::options(),
            directory: root.clone(),
            prefix: String::new(),
        })
        .collect()
}

fn relative(path: &Path, root: &Path) -> String {
    let path = path.strip_prefix(root).unwrap_or(path);
    path.to_string_lossy().replace('\\', "/")
}

/// The options of a case, named as on the command line.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
struct CaseOptions {
    ingress_class: Option<Vec<String>>,
    no_class: Option<String>,
    namespace: Option<String>,
    ingress: Vec<String>,
    controller_config: Option<String>,
    default_ssl_certificate: Option<String>,
    annotations_prefix: Option<String>,
    enable_ssl_passthrough: bool,
    gateway: Option<String>,
    gateway_class: Option<String>,
    http_listener: Option<String>,
    https_listener: Option<String>,
    listener_sets: bool,
    allowed_routes: Option<String>,
    emit: Option<String>,
    profile: Option<String>,
    nginx_version: Option<String>,
    no_comments: bool,
    accept: Vec<String>,
    aliases: std::collections::BTreeMap<String, String>,
}

impl CaseOptions {
    fn of(directory: &Path) -> Options {
        let file = directory.join("options.toml");
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let read: Self =
            toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        read.options()
    }

    fn options(self) -> Options {
        let pair = |text: String| {
            let (namespace, name) = text.split_once('/').expect("NAMESPACE/NAME");
            (namespace.to_owned(), name.to_owned())
        };
        Options {
            ingress_classes: self.ingress_class.unwrap_or_default(),
            no_class: match self.no_class.as_deref() {
                None | Some("skip") => NoClass::Skip,
                Some("include") => NoClass::Include,
                Some(other) => panic!("no-class = {other:?}"),
            },
            namespace: self.namespace,
            ingresses: self.ingress,
            controller_config: self.controller_config.map(pair),
            default_ssl_certificate: self.default_ssl_certificate.map(pair),
            annotations_prefix: self.annotations_prefix,
            ssl_passthrough: self.enable_ssl_passthrough,
            gateway: self.gateway.map(pair),
            gateway_class: self.gateway_class,
            listeners: (self.http_listener, self.https_listener),
            listener_sets: self.listener_sets,
            allowed_routes: self.allowed_routes.map(|label| {
                let (key, value) = label.split_once('=').expect("KEY=VALUE");
                (key.to_owned(), value.to_owned())
            }),
            // The Gateway and its base policies hardly differ from case to case.
            emit: match self.emit.as_deref() {
                None | Some("routes") => Emit::Routes,
                Some("infra") => Emit::Infra,
                Some("all") => Emit::All,
                Some(other) => panic!("emit = {other:?}"),
            },
            nginx_version: match self.nginx_version.as_deref() {
                None | Some("1.15") => NginxVersion::V1_15,
                Some("pre-1.12") => NginxVersion::Pre1_12,
                Some(other) => panic!("nginx-version = {other:?}"),
            },
            profile: match self.profile.as_deref() {
                None | Some("faithful") => Profile::Faithful,
                Some("idiomatic") => Profile::Idiomatic,
                Some(other) => panic!("profile = {other:?}"),
            },
            comments: !self.no_comments,
            accept: self.accept,
            aliases: self.aliases,
            ..support::options()
        }
    }
}

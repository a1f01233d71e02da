//! `gatewright.toml`: where it is found, what it says, and what flags make of it.

mod exceptions;
pub(crate) mod keys;
mod read;
mod schema;
mod show;

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use gatewright_diagnostics::{Code, Diagnostic, Severity};
use gatewright_source::{FileId, SourceMap};
use gatewright_transpile::Options;

use crate::args::{
    ControllerArgs, EmitArg, FindingArgs, InputArgs, NginxVersionArg, NoClassArg, ProfileArg,
    WriteArgs,
};
use crate::args::{RunArgs, SelectionArgs, TargetArgs};
use crate::discover::{Patterns, absolute, shown};
use crate::exit::Fault;
use crate::read::plain;
use crate::sync::Mapping;

pub(crate) use exceptions::{Day, apply};
pub(crate) use read::span;
pub(crate) use show::run;

use exceptions::Exception;
use keys::{TOP, Value, choice, pair};

/// How the file is called.
pub(crate) const NAME: &str = "gatewright.toml";

/// A value and the bytes of the file that it was read from.
#[derive(Clone, Debug)]
pub(crate) struct Located<T> {
    pub(crate) value: T,
    pub(crate) at: Range<usize>,
}

/// What the file says.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    /// The directory that its paths are seen from, absolute.
    pub(crate) directory: PathBuf,
    pub(crate) values: BTreeMap<&'static str, Located<Value>>,
    pub(crate) severity: BTreeMap<Code, Located<Severity>>,
    pub(crate) exceptions: Vec<Exception>,
    pub(crate) aliases: BTreeMap<String, Located<String>>,
    pub(crate) sync: Vec<Mapping>,
}

/// A configuration that was read.
#[derive(Debug)]
pub(crate) struct File {
    /// As diagnostics call it.
    pub(crate) name: String,
    /// Holds its text and nothing else.
    pub(crate) sources: SourceMap,
    /// The directory that its paths are seen from, as seen from the working directory;
    /// empty when it is that.
    pub(crate) root: PathBuf,
    pub(crate) entries: Entries,
}

/// Why there is no configuration where one was meant to be.
#[derive(Debug)]
pub(crate) enum Failure {
    Fault(Fault),
    /// It can be read and is wrong.
    Findings(SourceMap, Vec<Diagnostic>),
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl File {
    /// Its text.
    pub(crate) fn text(&self) -> &str {
        self.sources.file(FileId(0)).text()
    }

    /// A path that it names, as seen from the working directory.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        if self.root.as_os_str().is_empty() {
            PathBuf::from(path)
        } else {
            self.root.join(path)
        }
    }
}

/// Reads the configuration: the file given, or the first one found from the working
/// directory upwards.
pub(crate) fn load(given: Option<&Path>, none: bool) -> Result<Option<File>, Failure> {
    if none {
        return Ok(None);
    }
    let path = match given {
        Some(path) => path.to_owned(),
        None => match find() {
            Some(path) => path,
            None => return Ok(None),
        },
    };
    let text = fs::read_to_string(&path).map_err(|error| {
        Fault::new(format!("cannot read `{}`: {}", shown(&path), plain(&error)))
            .help("`--config FILE` names a configuration, `--no-config` does without")
    })?;
    let name = shown(&path);
    let root = path.parent().unwrap_or(Path::new("")).to_owned();
    let mut sources = SourceMap::default();
    let file = sources.add(name.clone(), text.clone());
    let mut entries = Entries {
        directory: absolute(&root),
        ..Entries::default()
    };
    let mut faults = read::read(&text, file, &mut entries);
    if !faults.is_empty() {
        Diagnostic::sort(&mut faults);
        return Err(Failure::Findings(sources, faults));
    }
    Ok(Some(File {
        name,
        sources,
        root,
        entries,
    }))
}

/// The nearest file, as seen from the working directory.
fn find() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    let mut up = PathBuf::new();
    for directory in here.ancestors() {
        if directory.join(NAME).is_file() {
            return Some(up.join(NAME));
        }
        up.push("..");
    }
    None
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Default,
    File(Range<usize>),
    Flag(&'static str),
}

/// What is in force for a run.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) file: Option<File>,
    /// A value for every key of [`TOP`].
    values: BTreeMap<&'static str, (Value, Origin)>,
    /// Flags that have no key.
    pub(crate) accept: Vec<String>,
    pub(crate) threads: Option<usize>,
}

impl Settings {
    /// Flags over the file over defaults.
    pub(crate) fn new(file: Option<File>, run: &RunArgs, writing: &WriteArgs) -> Self {
        let mut values: BTreeMap<&'static str, (Value, Origin)> = TOP
            .iter()
            .map(|key| (key.name, (key.default.value(), Origin::Default)))
            .collect();
        if let Some(file) = &file {
            for (key, located) in &file.entries.values {
                let origin = Origin::File(located.at.clone());
                values.insert(key, (located.value.clone(), origin));
            }
        }
        for (key, value) in given(run, writing) {
            let known = TOP.iter().find(|known| known.name == key);
            let flag = known.and_then(|known| known.flag).unwrap_or_default();
            values.insert(key, (value, Origin::Flag(flag)));
        }
        Self {
            file,
            values,
            accept: run.target.accept.clone(),
            threads: run.input.threads,
        }
    }

    /// Sets a value over all others.
    pub(crate) fn set(&mut self, key: &'static str, value: Value, by: &'static str) {
        self.values.insert(key, (value, Origin::Flag(by)));
    }

    pub(crate) fn value(&self, key: &str) -> &Value {
        self.values
            .get(key)
            .map_or(&Value::Unset, |(value, _)| value)
    }

    fn text(&self, key: &str) -> Option<String> {
        self.value(key).text().map(str::to_owned)
    }

    /// The paths to read, as seen from the working directory.
    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        let paths = self.value("paths").list().iter();
        match (&self.file, self.values.get("paths")) {
            (Some(file), Some((_, Origin::File(_)))) => paths.map(|path| file.path(path)).collect(),
            _ => paths.map(PathBuf::from).collect(),
        }
    }

    /// What is left out.
    pub(crate) fn exclude(&self) -> Result<Patterns, Fault> {
        let patterns = self.value("exclude").list().iter().map(String::as_str);
        match (&self.file, self.values.get("exclude")) {
            (Some(file), Some((_, Origin::File(_)))) => {
                Patterns::new(Some(file.entries.directory.clone()), patterns, "exclude")
            }
            _ => Patterns::new(None, patterns, "--exclude"),
        }
    }

    /// What the conversion needs to know, unless two settings exclude each other.
    pub(crate) fn options(&self) -> Result<Options, Fault> {
        let existing = self.text("gateway").is_some();
        let sets = self.value("listener-sets").flag();
        let named = ["http-listener", "https-listener"]
            .into_iter()
            .find(|key| self.text(key).is_some());
        if let (false, Some(key)) = (existing, named) {
            return Err(Fault::new(format!(
                "`{key}` names a listener of an existing Gateway, and none is named"
            ))
            .help("name the Gateway with `--gateway NAMESPACE/NAME`"));
        }
        let allowed = self.text("allowed-routes").filter(|text| text != "all");
        if existing && !sets && allowed.is_some() {
            return Err(
                Fault::new("`allowed-routes` is about listeners, and those of an existing Gateway are not written")
                    .help("set it on the listeners of the Gateway, or write ListenerSets with `--listener-sets`"),
            );
        }
        let allowed = allowed.and_then(|text| {
            let (key, value) = text.split_once('=')?;
            Some((key.to_owned(), value.to_owned()))
        });
        Ok(Options {
            listeners: (self.text("http-listener"), self.text("https-listener")),
            listener_sets: sets,
            allowed_routes: allowed,
            ingress_classes: self.value("ingress-classes").list().to_vec(),
            no_class: choice(self.value("no-class"))
                .unwrap_or(NoClassArg::Skip)
                .into(),
            namespace: self.text("namespace"),
            ingresses: self.value("ingresses").list().to_vec(),
            controller_config: pair(self.value("controller-config")),
            default_ssl_certificate: pair(self.value("default-ssl-certificate")),
            annotations_prefix: self.text("annotations-prefix"),
            ssl_passthrough: self.value("enable-ssl-passthrough").flag(),
            gateway: pair(self.value("gateway")),
            gateway_class: self.text("gateway-class"),
            emit: choice(self.value("emit")).unwrap_or(EmitArg::All).into(),
            nginx_version: choice(self.value("nginx-version"))
                .unwrap_or(NginxVersionArg::V1_15)
                .into(),
            profile: choice(self.value("profile"))
                .unwrap_or(ProfileArg::Faithful)
                .into(),
            comments: self.value("comments").flag(),
            threads: self.threads,
            aliases: self.file.iter().flat_map(aliases).collect(),
            accept: self.accept.clone(),
            told: BTreeMap::new(),
        })
    }
}

fn aliases(file: &File) -> impl Iterator<Item = (String, String)> {
    let aliases = file.entries.aliases.iter();
    aliases.map(|(key, meant)| (key.clone(), meant.value.clone()))
}

/// The keys that flags set, with their values.
fn given(run: &RunArgs, writing: &WriteArgs) -> Vec<(&'static str, Value)> {
    let RunArgs {
        input:
            InputArgs {
                paths,
                filename,
                threads: _,
                exclude,
                live: _,
                selection,
                controller,
            },
        target,
        findings:
            FindingArgs {
                format,
                report: _,
                fail_on,
                quiet: _,
            },
    } = run;
    let SelectionArgs {
        namespace,
        all_namespaces,
        ingress,
        ingress_class,
        no_class,
    } = selection;
    let ControllerArgs {
        controller_config,
        default_ssl_certificate,
        enable_ssl_passthrough,
        annotations_prefix,
        nginx_version,
    } = controller;
    let TargetArgs {
        gateway,
        http_listener,
        https_listener,
        listener_sets,
        allowed_routes,
        gateway_class,
        emit,
        profile,
        accept: _,
    } = target;
    let texts = |list: &[PathBuf]| -> Vec<String> {
        list.iter()
            .map(|path| path.to_string_lossy().into_owned())
            .collect()
    };
    let mut all = texts(paths);
    all.extend(texts(filename));
    let list = |list: &[String]| (!list.is_empty()).then(|| Value::List(list.to_vec()));
    let text = |text: &Option<String>| text.clone().map(Value::Text);
    let pair = |pair: &Option<(String, String)>| {
        let (namespace, name) = pair.as_ref()?;
        Some(Value::Text(format!("{namespace}/{name}")))
    };
    let flag = |flag: Option<bool>| flag.map(Value::Flag);
    let given = [
        ("paths", list(&all)),
        ("exclude", list(exclude)),
        (
            "namespace",
            if *all_namespaces {
                Some(Value::Unset)
            } else {
                text(namespace)
            },
        ),
        ("ingresses", list(ingress)),
        ("ingress-classes", list(ingress_class)),
        ("no-class", word(*no_class)),
        ("controller-config", pair(controller_config)),
        ("default-ssl-certificate", pair(default_ssl_certificate)),
        ("enable-ssl-passthrough", flag(*enable_ssl_passthrough)),
        ("annotations-prefix", text(annotations_prefix)),
        ("nginx-version", word(*nginx_version)),
        ("gateway", pair(gateway)),
        ("http-listener", text(http_listener)),
        ("https-listener", text(https_listener)),
        ("listener-sets", flag(*listener_sets)),
        ("allowed-routes", text(allowed_routes)),
        ("gateway-class", text(gateway_class)),
        ("emit", word(*emit)),
        ("profile", word(*profile)),
        (
            "comments",
            flag(match (writing.no_comments, writing.comments) {
                (true, _) => Some(false),
                (_, true) => Some(true),
                _ => None,
            }),
        ),
        ("layout", word(writing.layout)),
        ("kustomization", flag(writing.kustomization)),
        ("format", format.map(|f| Value::Text(f.name().to_owned()))),
        ("fail-on", word(*fail_on)),
    ];
    given
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
        .collect()
}

fn word<T: clap::ValueEnum>(value: Option<T>) -> Option<Value> {
    let word = value?.to_possible_value()?;
    Some(Value::Text(word.get_name().to_owned()))
}

//! Every case of `testdata/cases` and every file of `testdata/corpus`, with what becomes of
//! it in snapshots beside it. All of them are renewed by
//! `INSTA_UPDATE=always cargo test -p gatewright-transpile --test cases`.

mod support;

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use gatewright_diagnostics::render::{Format, render};
use gatewright_diagnostics::{CODES, Code, Diagnostic, Outcome};
use gatewright_nginx::registry::metadata::{self, Place};
use gatewright_nginx::registry::{self, Carried};
use gatewright_transpile::{
    Conversion, Emit, Input, NginxVersion, NoClass, Options, annotation_keys, convert,
};
use serde::Deserialize;

/// Codes that no case can show. A code that is shown has to leave this list.
const CODES_TO_COME: &[&str] = &[
    // Files and the configuration are the command line's task: testdata/cli shows these.
    "GW0901", "GW0902", "GW0903", "GW0904", "GW0905", "GW0910", "GW0911", "GW0912", "GW0913",
    "GW0914", "GW0915", "GW0930", "GW0931", "GW0932",
];

/// Annotation keys that no case and no file of the corpus has. A key that one has must leave
/// this list.
const KEYS_TO_COME: &[&str] = &[];

/// Inputs that are converted together.
struct Case {
    /// As failures name it.
    name: String,
    inputs: Vec<Input>,
    options: Options,
    /// Where its snapshots stand, and how their names begin.
    directory: PathBuf,
    prefix: String,
}

#[test]
fn cases_convert_as_recorded() {
    compare(&cases());
}

#[test]
fn corpus_converts_as_recorded() {
    compare(&corpus());
}

#[test]
fn corpus_has_sixty_ingresses_and_names_its_models() {
    let sources = std::fs::read_to_string(support::testdata().join("corpus/SOURCES.md"))
        .expect("testdata/corpus/SOURCES.md");
    let mut ingresses = 0;
    for case in corpus() {
        let file = &case.inputs[0].name;
        assert!(
            sources.contains(&format!("`{file}`")),
            "SOURCES.md does not say what {file} is modelled on"
        );
        let summary = convert(case.inputs, &case.options).summary;
        ingresses += summary.ingresses + summary.skipped_ingresses;
    }
    assert!(ingresses >= 60, "only {ingresses} Ingresses");
}

#[test]
fn every_code_is_in_a_case() {
    let mut shown: BTreeSet<String> = BTreeSet::new();
    for case in cases().into_iter().chain(corpus()) {
        let conversion = convert(case.inputs, &case.options);
        shown.extend(conversion.diagnostics.iter().map(|d| d.code.to_string()));
    }
    let all = CODES.iter().map(|(code, _)| code.to_string());
    account("code", all, &shown, CODES_TO_COME);
}

#[test]
fn every_annotation_key_is_in_a_case() {
    let mut shown: BTreeSet<String> = BTreeSet::new();
    for case in cases().into_iter().chain(corpus()) {
        let conversion = convert(case.inputs, &case.options);
        let items = conversion.ledger.items().map(|(_, item)| item);
        shown.extend(items.filter_map(|item| annotation(&item.path).map(str::to_owned)));
    }
    let all = annotation_keys().into_iter().map(str::to_owned);
    account("annotation key", all, &shown, KEYS_TO_COME);
}

#[test]
fn every_row_of_the_table_of_metadata_is_in_a_case() {
    let mut shown: BTreeSet<(&str, Option<Place>)> = BTreeSet::new();
    for case in cases() {
        let conversion = convert(case.inputs, &case.options);
        for (_, item) in conversion.ledger.items() {
            if matches!(item.outcome, Some(Outcome::Refused(Code::WrongType))) {
                continue;
            }
            let path = &item.path;
            let found = [
                ("metadata.annotations", Place::Annotation),
                ("metadata.labels", Place::Label),
            ]
            .into_iter()
            .find_map(|(map, place)| {
                let key = path.strip_prefix(map)?.trim_start_matches(['.', '[']);
                metadata::carry(key.trim_end_matches(']'), place)
            });
            shown.extend(found.map(|row| (row.key, row.place)));
        }
    }
    let missing: Vec<_> = metadata::METADATA
        .iter()
        .map(|row| (row.key, row.place))
        .filter(|row| !shown.contains(row))
        .collect();
    assert!(missing.is_empty(), "no case shows these rows: {missing:?}");
}

/// The registry is what `explain` and the reference say, so it has to be true.
#[test]
fn the_registry_says_what_becomes_of_every_key() {
    let mut seen: BTreeMap<&str, Vec<Outcome>> = BTreeMap::new();
    for case in cases().into_iter().chain(corpus()).chain(behaviour()) {
        let conversion = convert(case.inputs, &case.options);
        for (_, item) in conversion.ledger.items() {
            let entry = annotation(&item.path).and_then(registry::find);
            if let (Some(entry), Some(outcome)) = (entry, &item.outcome) {
                seen.entry(entry.key).or_default().push(outcome.clone());
            }
        }
    }
    let mut faults = Vec::new();
    for entry in registry::entries() {
        let key = entry.key;
        let outcomes = seen.remove(key).unwrap_or_default();
        let codes: BTreeSet<Code> = outcomes.iter().filter_map(code_of).collect();
        // Objects and values that are wrong in themselves have codes below.
        for code in codes.iter().filter(|code| code.info().number >= 500) {
            if !entry.codes.contains(code) {
                faults.push(format!("{key}: {code} is not among its codes"));
            }
        }
        for code in entry.codes {
            if !codes.contains(code) {
                faults.push(format!("{key}: no case shows {code}"));
            }
        }
        let carried = |outcome: &Outcome| match entry.carried {
            Carried::Whole => matches!(outcome, Outcome::Translated),
            Carried::Differently => matches!(outcome, Outcome::Difference(_)),
            Carried::LeftOut => code_of(outcome).is_some_and(|code| entry.codes.contains(&code)),
            Carried::Needless => matches!(outcome, Outcome::NoEffect(_)),
            Carried::Refused => {
                matches!(outcome, Outcome::Refused(code) if entry.codes.contains(code))
            }
        };
        if !outcomes.iter().any(carried) {
            faults.push(format!("{key}: no case shows {:?}", entry.carried));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

fn code_of(outcome: &Outcome) -> Option<Code> {
    match outcome {
        Outcome::Difference(code) | Outcome::Refused(code) => Some(*code),
        Outcome::Translated | Outcome::NoEffect(_) => None,
    }
}

/// The key of an annotation under the default prefix.
fn annotation(path: &str) -> Option<&str> {
    path.strip_prefix("metadata.annotations[")?
        .strip_suffix(']')?
        .strip_prefix("nginx.ingress.kubernetes.io/")
}

#[test]
fn every_item_of_every_case_has_an_outcome() {
    for case in cases().into_iter().chain(corpus()) {
        let conversion = convert(case.inputs, &case.options);
        let unsettled: Vec<String> = conversion
            .ledger
            .unsettled()
            .map(|(object, item)| format!("{object}: {}", item.path))
            .collect();
        assert!(unsettled.is_empty(), "{}: {unsettled:#?}", case.name);
    }
}

#[test]
fn no_snapshot_is_left_behind() {
    let known: BTreeSet<PathBuf> = cases()
        .into_iter()
        .chain(corpus())
        .flat_map(|case| {
            ["expect", "diagnostics"]
                .map(|what| case.directory.join(format!("{}{what}.snap", case.prefix)))
        })
        .collect();
    for part in ["cases", "corpus"] {
        for file in support::files(&support::testdata().join(part)) {
            if file.extension().is_some_and(|e| e == "snap") {
                assert!(
                    known.contains(&file),
                    "{} belongs to no input",
                    file.display()
                );
            }
        }
    }
}

fn account(
    what: &str,
    all: impl Iterator<Item = String>,
    shown: &BTreeSet<String>,
    to_come: &[&str],
) {
    let missing: Vec<String> = all.filter(|one| !shown.contains(one)).collect();
    let new: Vec<&String> = missing
        .iter()
        .filter(|one| !to_come.contains(&one.as_str()))
        .collect();
    assert!(new.is_empty(), "no case shows these {what}s: {new:?}");
    let old: Vec<&&str> = to_come
        .iter()
        .filter(|one| !missing.iter().any(|other| other == **one))
        .collect();
    assert!(
        old.is_empty(),
        "shown by now, take off the list of {what}s to come: {old:?}"
    );
}

/// One directory a case: all its manifests together, with its `options.toml`.
fn cases() -> Vec<Case> {
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
fn corpus() -> Vec<Case> {
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
fn behaviour() -> Vec<Case> {
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

/// Compares all cases before it fails, so that one run renews or shows everything.
fn compare(cases: &[Case]) {
    let failed: Vec<&str> = cases
        .iter()
        .filter(|case| catch_unwind(AssertUnwindSafe(|| compare_one(case))).is_err_and(shown))
        .map(|case| case.name.as_str())
        .collect();
    assert!(failed.is_empty(), "not as recorded: {failed:#?}");
}

/// The hook of the test has printed the panic already.
fn shown(_: Box<dyn Any + Send>) -> bool {
    true
}

fn compare_one(case: &Case) {
    let conversion = convert(case.inputs.clone(), &case.options);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(&case.directory);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        let name = |what: &str| format!("{}{what}", case.prefix);
        insta::assert_snapshot!(name("diagnostics"), diagnostics(&conversion));
        insta::assert_snapshot!(name("expect"), conversion.output);
    });
}

/// What a person is told, and what became of everything that was not simply translated.
fn diagnostics(conversion: &Conversion) -> String {
    // What holds for every output has no place and is the same everywhere: a line suffices.
    let (placed, general): (Vec<Diagnostic>, Vec<Diagnostic>) = conversion
        .diagnostics
        .iter()
        .cloned()
        .partition(|diagnostic| diagnostic.span().is_some());
    let mut text = render(Format::Full, &conversion.sources, &placed, false);
    for diagnostic in general {
        let _ = writeln!(
            text,
            "{}[{}] {}",
            diagnostic.severity, diagnostic.code, diagnostic.message
        );
    }
    text.push_str("\noutcomes:\n");
    let mut last = None;
    for (object, item) in conversion.ledger.items() {
        let outcome = match &item.outcome {
            None => "UNSETTLED".to_owned(),
            Some(Outcome::Translated) if !item.path.starts_with("metadata.annotations") => {
                continue;
            }
            Some(Outcome::Translated) => "translated".to_owned(),
            Some(Outcome::Difference(code)) => format!("differs, {code}"),
            Some(Outcome::Refused(code)) => format!("refused, {code}"),
            Some(Outcome::NoEffect(reason)) => format!("no effect: {reason}"),
        };
        if last != Some(object) {
            last = Some(object);
            let _ = writeln!(text, "  {object}");
        }
        let path = if item.path.is_empty() {
            "all of it"
        } else {
            &item.path
        };
        let _ = writeln!(text, "    {path}: {outcome}");
    }
    text
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
            comments: !self.no_comments,
            accept: self.accept,
            aliases: self.aliases,
            ..support::options()
        }
    }
}

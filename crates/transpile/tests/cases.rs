//! Every case of `testdata/cases` and every file of `testdata/corpus`, with what becomes of
//! it in snapshots beside it. All of them are renewed by
//! `INSTA_UPDATE=always cargo test -p gatewright-transpile --test cases`.

#[path = "support/inputs.rs"]
mod inputs;
mod support;
#[path = "support/verdicts.rs"]
mod verdicts;

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use gatewright_diagnostics::render::{Format, render};
use gatewright_diagnostics::{CODES, Code, Diagnostic, Outcome};
use gatewright_nginx::registry::metadata::{self, Place};
use gatewright_nginx::registry::{self, Carried};
use gatewright_transpile::{Conversion, Emit, Options, Profile, annotation_keys, convert, example};
use inputs::{Case, behaviour, cases, corpus};
use serde::Deserialize;
use serde_json::{Value, json};

/// Codes that no case can show. A code that is shown has to leave this list.
const CODES_TO_COME: &[&str] = &[
    // Files and the configuration are the command line's task: testdata/cli shows these.
    "GW0901", "GW0902", "GW0903", "GW0904", "GW0905", "GW0910", "GW0911", "GW0912", "GW0913",
    "GW0914", "GW0915", "GW0930", "GW0931", "GW0932",
    // What verify says of objects: tests/verify_finds.rs and testdata/cli show these.
    "GW0940", "GW0941", "GW0942", "GW0943", "GW0944", "GW0945",
    // What keeps a cluster from being read: testdata/cli and crates/cli/tests/cluster.rs show these.
    "GW0950", "GW0951", "GW0952", "GW0953", "GW0954", "GW0955", "GW0956", "GW0957",
];

/// Annotation keys that no case and no file of the corpus has. A key that one has must leave
/// this list.
const KEYS_TO_COME: &[&str] = &[];

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
        shown.extend(items.filter_map(|item| annotation(item.path).map(str::to_owned)));
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
            let entry = annotation(item.path).and_then(registry::find);
            if let (Some(entry), Some(outcome)) = (entry, item.outcome) {
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

/// A reader believes the example more than the words, so both have to say the same.
#[test]
fn every_example_shows_what_the_registry_says() {
    for entry in registry::entries() {
        let key = entry.key;
        let shown = example(key).unwrap_or_else(|| panic!("{key} has no example"));
        assert!(shown.before.contains(&format!("/{key}: ")), "{key}");
        let changes = !shown.changes.is_empty();
        let said = !shown.findings.is_empty();
        match entry.carried {
            Carried::Whole => assert!(changes || said, "{key}: {shown}"),
            Carried::Differently => assert!(said || changes, "{key}: {shown}"),
            Carried::LeftOut => assert!(said, "{key}: {shown}"),
            Carried::Needless => assert!(
                !changes && (said || shown.unchanged.is_some()),
                "{key}: {shown}"
            ),
            Carried::Refused => assert!(said && !changes, "{key}: {shown}"),
        }
        let unmeant = shown.findings.contains("[GW04") && entry.carried != Carried::Needless;
        assert!(!unmeant, "{key}: its example is faulty\n{shown}");
    }
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

/// Kinds that say something about the object that they target.
const POLICIES: [&str; 4] = [
    "BackendTrafficPolicy",
    "ClientTrafficPolicy",
    "EnvoyExtensionPolicy",
    "SecurityPolicy",
];

/// Of two policies of one kind on one target Envoy Gateway takes the older one, and of copies
/// nobody knows which to edit.
#[test]
fn policies_are_minimal() {
    let mut faults = Vec::new();
    for case in cases().into_iter().chain(corpus()).chain(behaviour()) {
        let options = Options {
            emit: Emit::All,
            ..case.options
        };
        let objects: Vec<Value> =
            serde_yaml::Deserializer::from_str(&convert(case.inputs, &options).output.to_string())
                .map(|document| Value::deserialize(document).expect("readable YAML"))
                .collect();
        let found = policy_faults(&objects);
        faults.extend(found.iter().map(|fault| format!("{}: {fault}", case.name)));
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn needless_policies_are_found() {
    let policy = |name: &str, target: Value, spec: Value| {
        let mut spec = spec;
        spec["targetRefs"] = json!([target]);
        let metadata = json!({ "name": name, "namespace": "shop" });
        json!({ "kind": "BackendTrafficPolicy", "metadata": metadata, "spec": spec })
    };
    let route = json!({ "kind": "HTTPRoute", "metadata": { "name": "web", "namespace": "shop" }, "spec": { "rules": [{ "name": "one" }] } });
    let gateway = json!({ "kind": "Gateway", "name": "shared" });
    let whole = json!({ "kind": "HTTPRoute", "name": "web" });
    let rule = json!({ "kind": "HTTPRoute", "name": "web", "sectionName": "one" });
    let base = policy("base", gateway, json!({ "retry": { "numRetries": 2 } }));
    let other = json!({ "retry": { "numRetries": 1 } });
    for (objects, expected) in [
        (vec![policy("a", whole.clone(), other.clone())], 0),
        (vec![policy("a", rule, other.clone())], 1),
        (
            vec![policy(
                "a",
                whole.clone(),
                json!({ "mergeType": "StrategicMerge" }),
            )],
            1,
        ),
        (
            vec![policy(
                "a",
                whole.clone(),
                json!({ "mergeType": "StrategicMerge", "retry": { "numRetries": 2 } }),
            )],
            1,
        ),
        (
            vec![
                policy("a", whole.clone(), other.clone()),
                policy("b", whole, other),
            ],
            1,
        ),
    ] {
        let objects = [vec![route.clone(), base.clone()], objects].concat();
        assert_eq!(policy_faults(&objects).len(), expected, "{objects:#?}");
    }
}

fn policy_faults(objects: &[Value]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut targeted = BTreeSet::new();
    let name = |object: &Value| object["metadata"]["name"].to_string();
    let policies = || {
        objects
            .iter()
            .filter(|o| POLICIES.iter().any(|kind| o["kind"] == *kind))
    };
    for object in objects {
        if object["spec"]
            .as_object()
            .is_some_and(serde_json::Map::is_empty)
        {
            faults.push(format!("{} {} is empty", object["kind"], name(object)));
        }
    }
    let filters = objects
        .iter()
        .flat_map(|route| route["spec"]["rules"].as_array().into_iter().flatten())
        .flat_map(|rule| rule["filters"].as_array().into_iter().flatten())
        .map(|filter| &filter["extensionRef"]["name"]);
    let users = policies().map(|policy| &policy["spec"]["basicAuth"]["users"]["name"]);
    let used: BTreeSet<String> = filters.chain(users).map(Value::to_string).collect();
    let made = |o: &&Value| o["kind"] == "HTTPRouteFilter" || o["kind"] == "Secret";
    for object in objects.iter().filter(made) {
        if !used.contains(&name(object)) {
            faults.push(format!("nothing uses {} {}", object["kind"], name(object)));
        }
    }
    for policy in policies() {
        let kind = &policy["kind"];
        let targets: Vec<&Value> = policy["spec"]["targetRefs"]
            .as_array()
            .into_iter()
            .flatten()
            .collect();
        for target in &targets {
            let key = format!("{kind} of {} for {target}", policy["metadata"]["namespace"]);
            if !targeted.insert(key.clone()) {
                faults.push(format!("a second {key}"));
            }
        }
        let says = says(policy);
        let of_gateway = policies().find(|base| {
            base["kind"] == *kind && base["spec"]["targetRefs"][0]["kind"] == "Gateway"
        });
        let repeated = of_gateway
            .filter(|base| *base != policy)
            .is_some_and(|base| {
                says.iter()
                    .all(|(field, value)| base["spec"].get(field.as_str()) == Some(*value))
            });
        if says.is_empty() || repeated {
            faults.push(format!("{kind} {} says nothing", name(policy)));
        }
        let route = objects.iter().find(|route| {
            route["kind"] == targets[0]["kind"]
                && route["metadata"]["name"] == targets[0]["name"]
                && route["metadata"]["namespace"] == policy["metadata"]["namespace"]
        });
        let rules = route.and_then(|route| route["spec"]["rules"].as_array());
        let by_rule = targets
            .iter()
            .filter(|target| target.get("sectionName").is_some());
        if rules.is_some_and(|rules| rules.len() == by_rule.count()) {
            faults.push(format!(
                "{kind} {} names every rule of its route",
                name(policy)
            ));
        }
    }
    faults
}

/// What a policy sets.
fn says(policy: &Value) -> BTreeMap<&String, &Value> {
    let fields = policy["spec"].as_object().into_iter().flatten();
    fields
        .filter(|(field, _)| !matches!(field.as_str(), "targetRefs" | "mergeType"))
        .collect()
}

#[test]
fn no_snapshot_is_left_behind() {
    let known: BTreeSet<PathBuf> = cases()
        .into_iter()
        .chain(corpus())
        .flat_map(|case| {
            let faithful = (case.options.profile == Profile::Idiomatic).then_some("faithful");
            let names = ["expect", "diagnostics"].into_iter().chain(faithful);
            names
                .map(|what| case.directory.join(format!("{}{what}.snap", case.prefix)))
                .collect::<Vec<_>>()
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
        if case.options.profile == Profile::Idiomatic {
            let faithful = Options {
                profile: Profile::Faithful,
                ..case.options.clone()
            };
            let output = convert(case.inputs.clone(), &faithful).output.to_string();
            insta::assert_snapshot!(name("faithful"), output);
        }
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
        let outcome = match item.outcome {
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
            item.path
        };
        let _ = writeln!(text, "    {path}: {outcome}");
    }
    text
}

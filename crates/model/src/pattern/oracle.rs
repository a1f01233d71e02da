//! Comparison with the engines themselves, by what they were recorded to do.
//!
//! `testdata/regex/README.md` says how the records are made. `BLESS=1` writes the
//! texts that we emit now; the program in `oracle/` then adds what RE2 does with them,
//! and `BLESS_DIFFERENCES=1` writes where that isn't what PCRE does.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::{Pattern, Re2};

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../testdata/regex")
}

fn read(name: &str) -> String {
    let path = directory().join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn lines(name: &str) -> Vec<Value> {
    read(name)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn paths() -> Vec<String> {
    lines("paths.jsonl")
        .iter()
        .map(|path| path.as_str().unwrap().to_owned())
        .collect()
}

fn blessing() -> bool {
    std::env::var_os("BLESS").is_some()
}

/// Compares a file of the records with what it should hold, or writes it.
fn expect_file(name: &str, actual: &str) {
    if blessing() {
        std::fs::write(directory().join(name), actual).unwrap();
        return;
    }
    let recorded = read(name);
    for (recorded, actual) in recorded.lines().zip(actual.lines()) {
        assert_eq!(recorded, actual, "{name} is out of date");
    }
    assert_eq!(recorded, actual, "{name} is out of date");
}

fn text<'v>(line: &'v Value, field: &str) -> &'v str {
    line[field].as_str().unwrap_or_default()
}

/// Paths and what the groups took of each, empty groups at the end left out.
type Matches = BTreeMap<String, Vec<String>>;

fn matches(line: &Value) -> Matches {
    let groups = |value: &Value| {
        let groups = value.as_array().unwrap();
        groups
            .iter()
            .map(|group| group.as_str().unwrap().to_owned())
            .collect()
    };
    let map = line["matches"].as_object().unwrap();
    map.iter()
        .map(|(path, value)| (path.clone(), groups(value)))
        .collect()
}

/// The same without the groups that are known to differ.
fn without_uncertain(mut found: Matches, pattern: &str) -> Matches {
    let uncertain = emitted(pattern).map_or(Vec::new(), |re2| re2.uncertain_groups());
    if uncertain.is_empty() {
        return found;
    }
    for groups in found.values_mut() {
        for group in &uncertain {
            if let Some(text) = groups.get_mut(group - 1) {
                text.clear();
            }
        }
        while groups.last().is_some_and(String::is_empty) {
            groups.pop();
        }
    }
    found
}

/// What our own evaluation says, in the form of the records.
fn our_matches(pattern: &Pattern, paths: &[String]) -> Matches {
    let mut found = Matches::new();
    for path in paths {
        let Some(captures) = pattern.captures_prefix(path) else {
            continue;
        };
        let mut groups: Vec<String> = (1..captures.len())
            .map(|group| show(captures.get(group).unwrap_or_default()))
            .collect();
        while groups.last().is_some_and(String::is_empty) {
            groups.pop();
        }
        found.insert(path.clone(), groups);
    }
    found
}

/// Text, with bytes that are none as `\xC3`.
fn show(bytes: &[u8]) -> String {
    bytes
        .utf8_chunks()
        .flat_map(|chunk| {
            let odd = chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}"));
            std::iter::once(chunk.valid().to_owned()).chain(odd)
        })
        .collect()
}

fn emitted(pattern: &str) -> Option<Re2> {
    let pattern = Pattern::parse(pattern).ok()?;
    Some(pattern.to_re2().ok()?.for_encoded_path())
}

#[test]
fn every_pattern_has_its_record() {
    let patterns = read("patterns.txt");
    let patterns = patterns
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let records = lines("pcre.jsonl");
    let recorded: Vec<&str> = records.iter().map(|line| text(line, "pattern")).collect();
    assert_eq!(patterns.collect::<Vec<_>>(), recorded);
}

#[test]
fn what_pcre_refuses_is_refused() {
    let wrong: Vec<String> = lines("pcre.jsonl")
        .iter()
        .filter_map(|line| {
            let parsed = Pattern::parse(text(line, "pattern"));
            let refused = line.get("error").is_some();
            (parsed.is_err() != refused)
                .then(|| format!("{}: {}: {parsed:?}", line["pattern"], text(line, "error")))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn our_evaluation_is_that_of_pcre() {
    let paths = paths();
    let mut wrong = Vec::new();
    for line in lines("pcre.jsonl") {
        let Ok(pattern) = Pattern::parse(text(&line, "pattern")) else {
            continue;
        };
        if pattern.matches_prefix("/").is_none() {
            continue;
        }
        let expected = without_uncertain(matches(&line), pattern.as_str());
        let actual = without_uncertain(our_matches(&pattern, &paths), pattern.as_str());
        for path in &paths {
            if expected.get(path) != actual.get(path) {
                let (expected, actual) = (expected.get(path), actual.get(path));
                wrong.push(format!(
                    "{} {path:?}: {expected:?}, {actual:?}",
                    line["pattern"]
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn what_is_not_expressible_is_known() {
    let mut report = String::new();
    for line in lines("pcre.jsonl") {
        let source = text(&line, "pattern");
        let found = Pattern::parse(source).map(|pattern| pattern.to_re2());
        for fault in found.iter().filter_map(|re2| re2.as_ref().err()).flatten() {
            let at = &source[fault.range.clone()];
            let _ = writeln!(report, "{source}\t{at}\t{}", fault.construct);
        }
    }
    expect_file("inexpressible.txt", &report);
}

#[test]
fn emitted_texts_are_those_that_re2_was_given() {
    let recorded: BTreeMap<String, Value> = if blessing() {
        BTreeMap::new()
    } else {
        let lines = lines("re2-oracle.jsonl").into_iter();
        lines
            .map(|line| (text(&line, "pattern").to_owned(), line))
            .collect()
    };
    let mut report = String::new();
    for line in lines("pcre.jsonl") {
        let source = text(&line, "pattern");
        let Some(re2) = emitted(source) else { continue };
        let mut record = Map::new();
        record.insert("pattern".to_owned(), json!(source));
        record.insert("match".to_owned(), json!(re2.match_prefix()));
        record.insert("rewrite".to_owned(), json!(re2.rewrite_pattern()));
        if let Some(known) = recorded.get(source) {
            record.insert("matches".to_owned(), known["matches"].clone());
        }
        let _ = writeln!(report, "{}", Value::Object(record));
    }
    expect_file("re2-oracle.jsonl", &report);
}

/// RE2 is given the path as it is sent.
#[test]
fn re2_does_with_them_what_pcre_does() {
    if blessing() {
        return;
    }
    let truth: BTreeMap<String, Matches> = lines("pcre.jsonl")
        .iter()
        .filter(|line| line.get("matches").is_some())
        .map(|line| (text(line, "pattern").to_owned(), matches(line)))
        .collect();
    for line in lines("re2-oracle.jsonl") {
        let pattern = text(&line, "pattern");
        let expected = without_uncertain(truth[pattern].clone(), pattern);
        let actual = without_uncertain(matches(&line), pattern);
        for path in paths() {
            let (pcre, re2) = (expected.get(&path), actual.get(&path));
            assert_eq!(pcre, re2, "{pattern} and {path:?}");
        }
    }
}

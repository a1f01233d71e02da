//! What the checker says of a mutant.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use gatewright_source::SourceMap;
use gatewright_transpile::{Emit, Input, NoClass, Options, Verified, verify};
use gatewright_verify::{Objects, Verification};

/// Inputs that are converted together.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) inputs: Vec<Input>,
    pub(super) options: Options,
}

/// The test data: every input of `behaviour` and `corpus` by itself, every directory of `cases`.
pub(super) fn cases() -> Result<Vec<Case>> {
    let root = crate::repository_root().join("testdata");
    let mut cases: Vec<Case> = Vec::new();
    for place in ["behaviour", "cases", "corpus"] {
        for path in manifests(&root.join(place))? {
            let name = path.strip_prefix(&root).unwrap_or(&path);
            let together = if place == "cases" {
                name.parent().unwrap_or(name)
            } else {
                name
            };
            let together = together.display().to_string();
            let text = fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            if place == "behaviour" && !path.ends_with("input.yaml") {
                continue;
            }
            let input = Input {
                name: name.display().to_string(),
                text,
            };
            match cases.last_mut() {
                Some(case) if case.name == together => case.inputs.push(input),
                _ => cases.push(Case {
                    name: together,
                    inputs: vec![input],
                    options: Options {
                        no_class: NoClass::Include,
                        default_ssl_certificate: Some((
                            "gateway-infra".to_owned(),
                            "default-certificate".to_owned(),
                        )),
                        emit: Emit::All,
                        comments: false,
                        threads: Some(1),
                        ..Options::default()
                    },
                }),
            }
        }
    }
    Ok(cases)
}

fn manifests(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        let entries = fs::read_dir(&directory)
            .with_context(|| format!("cannot read {}", directory.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "yaml" || e == "json") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// What became of a mutant.
pub(super) enum Verdict {
    /// A difference that nothing announced, the first one in words.
    Found(String),
    /// Only differences that a finding of the conversion announces.
    Excused(String),
    /// A host is no longer decided.
    Undecided(String),
    /// Nothing.
    Survived,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Found(what) => write!(f, "found ({what})"),
            Self::Excused(what) => write!(f, "excused ({what})"),
            Self::Undecided(why) => write!(f, "undecided ({why})"),
            Self::Survived => f.write_str("survived"),
        }
    }
}

/// A case with what the checker says of its own output.
pub(super) struct Bench {
    verified: Verified,
    known: Signs,
}

/// What the checker says, without the requests that it happened to choose.
#[derive(Default)]
struct Signs {
    found: BTreeSet<String>,
    excused: BTreeSet<String>,
    undecided: BTreeSet<String>,
}

impl Bench {
    pub(super) fn new(case: &Case) -> Self {
        let verified = verify(case.inputs.clone(), None, &case.options);
        let known = Signs::of(&verified.verification);
        Self { verified, known }
    }

    /// What the checker says of other objects for the same input.
    pub(super) fn judge(&self, text: &str) -> Verdict {
        let mut sources = SourceMap::default();
        let file = sources.add("mutant", text);
        let parsed = gatewright_yaml::parse(file, sources.file(file).text());
        let (objects, faults) = Objects::read(&parsed.documents);
        if let Some(fault) = faults.first() {
            return Verdict::Found(fault.message.clone());
        }
        let verification = gatewright_verify::verify(
            &self.verified.model,
            &objects,
            &self.verified.conversion.diagnostics,
        );
        let signs = Signs::of(&verification);
        let new = |now: &BTreeSet<String>, known: &BTreeSet<String>| {
            now.difference(known).next().cloned()
        };
        if let Some(what) = new(&signs.found, &self.known.found) {
            Verdict::Found(what)
        } else if let Some(what) = new(&signs.excused, &self.known.excused) {
            Verdict::Excused(what)
        } else if let Some(why) = new(&signs.undecided, &self.known.undecided) {
            Verdict::Undecided(why)
        } else {
            Verdict::Survived
        }
    }
}

impl Signs {
    fn of(verification: &Verification) -> Self {
        let mut signs = Self::default();
        for host in &verification.hosts {
            for difference in &host.differences {
                let aspects: Vec<&str> = difference.aspects.iter().map(|a| a.word()).collect();
                let sign = format!(
                    "{}: {}: {}: {} by {}, {} by {}",
                    host.name,
                    difference.class.word(),
                    aspects.join(", "),
                    difference.nginx.behaviour,
                    difference.nginx.rule.as_deref().unwrap_or("nothing"),
                    difference.envoy.behaviour,
                    difference.envoy.rule.as_deref().unwrap_or("nothing"),
                );
                match difference.declared {
                    None => signs.found.insert(sign),
                    Some(code) => signs.excused.insert(format!("{code}: {sign}")),
                };
            }
            if let gatewright_verify::Verdict::NotDecided(why) = &host.verdict {
                signs.undecided.insert(format!("{}: {why}", host.name));
            }
        }
        let stray = verification.stray.iter();
        signs.found.extend(stray.map(|(_, title)| format!("stray: {title}")));
        let assumed = verification.assumptions.iter();
        signs.undecided.extend(assumed.cloned());
        signs
    }
}

//! What the checker says of a mutant.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use gatewright_source::SourceMap;
use gatewright_transpile::{Emit, Input, NoClass, Options, Verified, verify};
use gatewright_verify::{Journeys, Objects, Verification};

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
    /// A host is not decided, which is said of it.
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

/// A case with its own output.
pub(super) struct Bench {
    verified: Verified,
    undecided: BTreeSet<String>,
}

impl Bench {
    pub(super) fn new(case: &Case) -> Self {
        let verified = verify(case.inputs.clone(), None, &case.options);
        let undecided = undecided(&verified.verification);
        Self {
            verified,
            undecided,
        }
    }

    /// What the checker says of other objects for the same input. What it says of the original
    /// objects too does not count: a request has to be served otherwise than before. `hosts` are
    /// those of the object with the fault.
    pub(super) fn judge(&self, text: &str, hosts: &[&str]) -> Verdict {
        let Verified {
            model,
            objects: original,
            conversion,
            ..
        } = &self.verified;
        let mut sources = SourceMap::default();
        let file = sources.add("mutant", text);
        let parsed = gatewright_yaml::parse(file, sources.file(file).text());
        let (objects, faults) = Objects::read(&parsed.documents);
        if let Some(fault) = faults.first() {
            return Verdict::Found(fault.message.clone());
        }
        let findings = &conversion.diagnostics;
        let verification = gatewright_verify::verify(model, &objects, Some(original), findings);
        let mut excused = None;
        for host in &verification.hosts {
            for difference in &host.differences {
                let before = Journeys::of(model, original, &difference.witness);
                let now = format!("{:?}", difference.envoy.behaviour);
                if format!("{:?}", before.envoy.end.behaviour) == now {
                    continue;
                }
                let request = &difference.witness;
                let said = format!(
                    "{} {}://{}{}: {}",
                    request.method,
                    request.scheme(),
                    request.host,
                    request.target(),
                    difference.class.word()
                );
                match difference.declared {
                    None => return Verdict::Found(said),
                    Some(code) => excused = Some(format!("{code}: {said}")),
                }
            }
        }
        let stray = |all: &Verification| -> BTreeSet<String> {
            all.stray.iter().map(|(_, title)| title.clone()).collect()
        };
        let known = stray(&self.verified.verification);
        if let Some(title) = stray(&verification).difference(&known).next() {
            return Verdict::Found(format!("no listener takes {title}"));
        }
        if let Some(said) = excused {
            return Verdict::Excused(said);
        }
        let now = undecided(&verification);
        let vouched = |host: &&str| {
            let prefix = format!("{host}: ");
            !now.iter().any(|why| why.starts_with(&prefix))
        };
        match now.difference(&self.undecided).next() {
            Some(why) => Verdict::Undecided(why.clone()),
            None if hosts.is_empty() || hosts.iter().any(vouched) => Verdict::Survived,
            None => Verdict::Undecided("the host was not decided before either".to_owned()),
        }
    }
}

fn undecided(verification: &Verification) -> BTreeSet<String> {
    let hosts = verification.hosts.iter();
    let undecided = hosts.filter_map(|host| match &host.verdict {
        gatewright_verify::Verdict::NotDecided(why) => Some(format!("{}: {why}", host.name)),
        _ => None,
    });
    undecided
        .chain(verification.assumptions.iter().cloned())
        .collect()
}

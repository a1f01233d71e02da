//! The names that stand for all names.

use std::collections::{BTreeMap, BTreeSet};

use gatewright_model::{HostName, Model};

use crate::automaton::{TooMuch, classes};
use crate::envoy::World;
use crate::nginx;

/// A group of names, and one of them for each way in which they may be told apart.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    /// As people write the group: a name, `*.parent` or `*`.
    pub(crate) label: String,
    /// Names of it.
    pub(crate) names: Vec<String>,
    /// Why some are missing.
    pub(crate) doubt: Option<String>,
}

/// Every group of names that either side knows, and all others.
pub(crate) fn groups(model: &Model, world: &World) -> Vec<Names> {
    let mut labels: BTreeSet<String> = world.domains().map(str::to_owned).collect();
    labels.extend(model.hosts.iter().map(|host| host.name.to_string()));
    labels.insert("*".to_owned());
    // Tests of the name that hosts of the model make, by the label of the host.
    let mut tests: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for host in &model.hosts {
        let own = tests.entry(host.name.to_string()).or_default();
        own.extend(nginx::authority_tests(host));
        if let HostName::OneLabel(parent) = &host.name {
            // Names with a label that is none for nginx are no longer its own.
            own.push(format!(r"\A[A-Za-z0-9_-]+\.{}\z", regex::escape(parent)));
        }
    }
    let wild: Vec<&String> = labels
        .iter()
        .filter(|label| label.starts_with("*."))
        .collect();
    labels
        .iter()
        .map(|label| {
            if !label.starts_with('*') {
                return Names {
                    label: label.clone(),
                    names: vec![label.clone()],
                    doubt: None,
                };
            }
            let parent = label.trim_start_matches("*.").trim_start_matches('*');
            let narrower: Vec<&&String> = wild
                .iter()
                .filter(|other| **other != label && other.ends_with(parent))
                .collect();
            // Names of the narrower groups are looked at there.
            let mut languages: Vec<String> = narrower
                .iter()
                .map(|other| format!(r"\A.+{}\z", regex::escape(&other[1..])))
                .collect();
            let apart = languages.len();
            languages.extend(world.authority_tests(label));
            for (own, more) in &tests {
                let near = own.ends_with(parent) || parent.ends_with(own.trim_start_matches('*'));
                if near || own == "*" {
                    languages.extend(more.iter().cloned());
                }
            }
            languages.push(format!(r"\A[a-z0-9-]+{}\z", regex::escape(&label[1..])));
            let base = match parent {
                "" => r"\A[a-z0-9-]+(?:\.[a-z0-9-]+)+\z".to_owned(),
                parent => format!(r"\A(?:[a-z0-9_-]+\.)+{}\z", regex::escape(parent)),
            };
            let (names, doubt) = match classes(&base, &languages) {
                Ok(found) => {
                    let own = |(name, set): (String, Vec<usize>)| {
                        set.iter().all(|at| *at >= apart).then_some(name)
                    };
                    (found.into_iter().filter_map(own).collect(), None)
                }
                Err(TooMuch(why)) => {
                    let name = format!("a.{}", if parent.is_empty() { "test" } else { parent });
                    (vec![name], Some(format!("names of `{label}`: {why}")))
                }
            };
            let free: Vec<String> = Vec::from_iter(names)
                .into_iter()
                .map(|name| unlike(&labels, name))
                .collect();
            Names {
                label: label.clone(),
                names: free,
                doubt,
            }
        })
        .collect()
}

/// A name that is none of the exact ones: letters in front tell it apart.
fn unlike(labels: &BTreeSet<String>, name: String) -> String {
    let mut own = name;
    while labels.contains(&own) {
        own.insert(0, 'x');
    }
    own
}

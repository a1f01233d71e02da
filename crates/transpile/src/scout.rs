//! What to fetch before a conversion, when objects are read from a place that can be asked.

use gatewright_nginx::{self as nginx, Intake, Named, Workload};
use gatewright_source::{FileId, SourceMap};
use gatewright_yaml::parse;

use crate::gather::gather;
use crate::pipeline::nginx_options;
use crate::{Input, Options};

/// Looks at objects and says which others they name.
#[derive(Debug)]
pub struct Scout<'a> {
    options: &'a Options,
    sources: SourceMap,
    intake: Intake,
}

impl<'a> Scout<'a> {
    /// Nothing seen yet.
    pub fn new(options: &'a Options) -> Self {
        Self {
            options,
            sources: SourceMap::default(),
            intake: Intake::default(),
        }
    }

    /// Looks at more objects.
    pub fn look(&mut self, inputs: &[Input]) {
        let Self {
            options,
            sources,
            intake,
        } = self;
        let files: Vec<FileId> = inputs
            .iter()
            .map(|input| sources.add(input.name.as_str(), input.text.as_str()))
            .collect();
        gather(sources, &files, options, intake);
    }

    /// What everything seen so far names.
    pub fn named(&self) -> Named {
        nginx::named(&self.intake, &nginx_options(self.options))
    }
}

/// The workload that a text holds, if it runs the controller.
pub fn workload(text: &str) -> Option<Workload> {
    // Every sign of the controller has the word.
    if !text.contains("nginx") {
        return None;
    }
    let parsed = parse(FileId(0), text);
    parsed.documents.iter().find_map(nginx::workload)
}

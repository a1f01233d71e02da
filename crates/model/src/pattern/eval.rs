//! Our own matching, for the reference interpreter.

use std::ops::Range;

use regex::bytes::{Regex, RegexBuilder};

use super::ast::Node;
use super::print::{Dialect, Level, Printer};

/// A bound on the compiled size, so that no pattern takes memory without end.
const SIZE_LIMIT: usize = 32 << 20;

/// What the groups of a pattern took of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Captures<'p> {
    path: &'p str,
    ranges: Vec<Option<Range<usize>>>,
}

impl<'p> Captures<'p> {
    /// What a group took, if it took part; group 0 is the whole match.
    ///
    /// nginx matches bytes, so that a group may end within a character.
    pub fn get(&self, group: usize) -> Option<&'p [u8]> {
        let range = self.ranges.get(group)?.clone()?;
        self.path.as_bytes().get(range)
    }

    /// How many groups there are, with group 0.
    pub fn len(&self) -> usize {
        self.ranges.len()
    }

    /// Whether there is not even group 0, which doesn't happen.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }
}

/// The two questions that nginx asks of a pattern, compiled.
#[derive(Debug, Clone)]
pub(super) struct Matcher {
    /// `^P`: does the location take the path?
    location: Regex,
    /// `P`: what does the rewrite capture?
    rewrite: Regex,
}

impl Matcher {
    /// `None` if the pattern is too large.
    pub(super) fn new(branches: &[Node]) -> Option<Self> {
        Some(Self {
            location: compile(&location_text(branches))?,
            rewrite: compile(&rewrite_text(branches))?,
        })
    }

    pub(super) fn matches(&self, path: &str) -> bool {
        self.location.is_match(path.as_bytes())
    }

    pub(super) fn is_found(&self, text: &str) -> bool {
        self.rewrite.is_match(text.as_bytes())
    }

    pub(super) fn found<'p>(&self, text: &'p str) -> Option<Captures<'p>> {
        let found = self.rewrite.captures(text.as_bytes())?;
        let ranges = found
            .iter()
            .map(|group| group.map(|found| found.range()))
            .collect();
        Some(Captures { path: text, ranges })
    }

    pub(super) fn captures<'p>(&self, path: &'p str) -> Option<Captures<'p>> {
        if !self.matches(path) {
            return None;
        }
        self.found(path)
    }
}

fn compile(text: &str) -> Option<Regex> {
    RegexBuilder::new(text).size_limit(SIZE_LIMIT).build().ok()
}

fn texts(branches: &[Node]) -> Vec<String> {
    let printer = Printer {
        dialect: Dialect::Rust,
        fold: false,
        names: false,
        before_digit: false,
    };
    branches
        .iter()
        .map(|branch| printer.text(branch, Level::Sequence))
        .collect()
}

/// nginx's `^P`, whose anchor binds to the first alternative only.
fn location_text(branches: &[Node]) -> String {
    format!(r"(?-u)\A{}", texts(branches).join("|"))
}

/// The same, matching all of a path or nothing.
pub(super) fn whole_text(branches: &[Node]) -> String {
    let texts = texts(branches).join(r"|(?s:.*)");
    format!(r"(?-u)\A(?:{texts})(?s:.*)\z")
}

pub(super) fn rewrite_text(branches: &[Node]) -> String {
    format!("(?-u){}", texts(branches).join("|"))
}

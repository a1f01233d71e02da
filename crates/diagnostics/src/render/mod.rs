//! Renderers: one module a format, all over the same diagnostics.
//!
//! They return strings and never print. What comes from a source or a file name is
//! made harmless for terminals first (see `text`).

mod concise;
mod fingerprint;
#[cfg(test)]
mod fixtures;
mod full;
mod github;
mod gitlab;
mod json;
mod junit;
mod markdown;
mod sarif;
mod text;

use std::fmt;
use std::str::FromStr;

use gatewright_source::SourceMap;

use crate::Diagnostic;

pub use json::{DiagnosticRecord, JSON_VERSION, LabelRecord, Location, OutcomeRecord, to_json};
pub use text::{printable, printable_lines};

/// A format of diagnostics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// With source lines and carets, for people.
    Full,
    /// One line each, for `grep` and editors.
    Concise,
    /// One JSON document.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Workflow commands of GitHub Actions.
    Github,
    /// GitLab's code quality report.
    Gitlab,
    /// XML as `JUnit` writes it.
    Junit,
    /// Markdown, for job summaries and comments.
    Markdown,
}

impl Format {
    /// All formats, in the order help texts list them.
    pub const ALL: &[Self] = &[
        Self::Full,
        Self::Concise,
        Self::Json,
        Self::Sarif,
        Self::Github,
        Self::Gitlab,
        Self::Junit,
        Self::Markdown,
    ];

    /// The word that the command line uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Concise => "concise",
            Self::Json => "json",
            Self::Sarif => "sarif",
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Junit => "junit",
            Self::Markdown => "markdown",
        }
    }

    /// Whether the result is one document for a program, which nothing may be added to.
    pub const fn is_document(self) -> bool {
        match self {
            Self::Json | Self::Sarif | Self::Gitlab | Self::Junit => true,
            Self::Full | Self::Concise | Self::Github | Self::Markdown => false,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|format| format.name() == word)
            .ok_or_else(|| {
                let names: Vec<_> = Self::ALL.iter().map(|format| format.name()).collect();
                format!(
                    "unknown format `{word}`, expected one of {}",
                    names.join(", ")
                )
            })
    }
}

/// Renders `diagnostics` in the order given. With `color`, text formats hold ANSI escapes.
/// The result is empty or ends with a line break.
pub fn render(
    format: Format,
    sources: &SourceMap,
    diagnostics: &[Diagnostic],
    color: bool,
) -> String {
    match format {
        Format::Full => full::render(sources, diagnostics, color),
        Format::Concise => concise::render(sources, diagnostics, color),
        Format::Json => json::render(sources, diagnostics),
        Format::Sarif => sarif::render(sources, diagnostics),
        Format::Github => github::render(sources, diagnostics),
        Format::Gitlab => gitlab::render(sources, diagnostics),
        Format::Junit => junit::render(sources, diagnostics),
        Format::Markdown => markdown::render(sources, diagnostics),
    }
}

#[cfg(test)]
mod tests {
    use gatewright_source::{FileId, Span};
    use proptest::prelude::*;

    use super::*;
    use crate::Code;

    proptest! {
        /// Whatever a file holds and wherever labels point, rendering neither panics nor
        /// lets a control character through to a terminal.
        #[test]
        fn nothing_breaks_a_renderer(
            texts in prop::collection::vec("[ab:\n\r\t \u{1b}\u{9b}\u{200d}\u{202e}é日👩]{0,60}", 1..3),
            labels in prop::collection::vec((0usize..2, 0u32..200, 0u32..200, "[a`\n\u{7}]{0,3}"), 0..4),
            message in "[a\n\r\u{1b}`<&é]{0,8}",
        ) {
            let mut sources = SourceMap::default();
            for text in &texts {
                sources.add("a\u{1b}.yaml", text.as_str());
            }
            let mut diagnostic = Diagnostic::new(Code::Syntax, message.as_str())
                .note(message.as_str())
                .help(message);
            for (file, start, length, text) in labels {
                let file = FileId(u32::try_from(file % texts.len()).unwrap());
                diagnostic = diagnostic.label(Span::new(file, start, start + length), text);
            }
            for &format in Format::ALL {
                let text = render(format, &sources, std::slice::from_ref(&diagnostic), false);
                // JSON is for programs; it escapes what ASCII calls control.
                let bad = |c: char| c.is_control() && c != '\n' && (c.is_ascii() || !format.is_document());
                prop_assert!(!text.contains(bad), "{format}: {text:?}");
            }
        }
    }
}

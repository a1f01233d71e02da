//! Reads one document of a stream.

use std::ops::Range;

use gatewright_diagnostics::{Code, Diagnostic};
use gatewright_source::{FileId, Span};
use memchr::memmem;

use crate::fault::Fault;
use crate::source::Source;
use crate::tree::{self, Built, Stop};
use crate::{check, message};

/// So many bytes may be parsed again after a document was mended.
const RETRIED_BYTES: usize = 64 << 20;

/// Reads the document that stands in `range` of `text`.
pub(crate) fn read(file: FileId, text: &str, range: Range<usize>) -> Result<Built, Fault> {
    let whole = &text[range.clone()];
    check::characters(whole, range.start)?;
    let (content, end) = cut(whole);
    if let Some(end) = &end
        && !has_content(content)
    {
        let place = range.start + end.start..range.start + end.end;
        return Err(Fault::syntax(
            place,
            "the end `...` of a document has no document in front",
        )
        .help("remove it"));
    }
    let mut source = Source::new(content, range.start);
    let mut budget = RETRIED_BYTES;
    let mut built = loop {
        match tree::build(file, &source) {
            Ok(built) => break built,
            Err(Stop::Fault(fault)) => return Err(fault),
            Err(Stop::Scan(error)) => {
                budget = budget.saturating_sub(source.text().len().max(4096));
                if budget == 0 || !source.mend(&error) {
                    return Err(message::fault(&error, &source));
                }
            }
        }
    };
    if let Some(rest) = end.and_then(|end| ignored(whole, end.end)) {
        let clip = |at| u32::try_from(range.start + at).unwrap_or(u32::MAX);
        built.warnings.push(
            Diagnostic::new(
                Code::TextIgnored,
                "what follows the end `...` of a document is ignored",
            )
            .at(Span::new(file, clip(rest.start), clip(rest.end)))
            .help("separate documents by `---`"),
        );
    }
    Ok(built)
}

/// Cuts a document at its end marker: the text in front, and the place of the marker. kubectl
/// reads nothing behind it.
fn cut(text: &str) -> (&str, Option<Range<usize>>) {
    let bytes = text.as_bytes();
    let first = bytes.starts_with(b"...").then_some(0);
    let others = memmem::find_iter(bytes, b"\n...").map(|at| at + 1);
    let end = first
        .into_iter()
        .chain(others)
        .find(|at| matches!(bytes.get(at + 3), None | Some(b' ' | b'\t' | b'\r' | b'\n')));
    end.map_or((text, None), |at| (&text[..at], Some(at..at + 3)))
}

fn has_content(text: &str) -> bool {
    let blank = |line: &str| line.is_empty() || line.starts_with('#');
    !text.lines().all(|line| blank(line.trim()))
}

/// The first line behind `from` that was meant to be read.
fn ignored(text: &str, from: usize) -> Option<Range<usize>> {
    let mut at = from;
    for line in text[from..].split_inclusive('\n') {
        let content = line.trim();
        if has_content(content) && content != "..." {
            let start = at + (line.len() - line.trim_start().len());
            return Some(start..start + content.len());
        }
        at += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_end_at_dots() {
        for (text, expect) in [
            ("a: 1\n", "a: 1\n"),
            ("a: 1\n...\nb", "a: 1\n"),
            ("a: 1\n....\n ...\n... b", "a: 1\n....\n ...\n"),
            ("...", ""),
        ] {
            assert_eq!(cut(text).0, expect, "{text}");
        }
    }

    #[test]
    fn ignored_text_is_found() {
        let check = |text: &str| ignored(text, 3).map(|range| text[range].to_owned());
        assert_eq!(check("...\n# x\n\n  b: 1 \n"), Some("b: 1".to_owned()));
        assert_eq!(check("... # x\n...\n"), None);
    }
}

use granit_parser::{ErrorKind, ScanError};

use crate::fault::{Fault, too_deep};
use crate::source::Source;

/// The fault of a parser error.
pub(crate) fn fault(error: &ScanError, source: &Source<'_>) -> Fault {
    let at = source.error_at(error);
    let len = source.text()[at..].chars().next().map_or(0, char::len_utf8);
    let place = source.original(&(at..at + len));
    let (message, help) = match error.kind() {
        ErrorKind::RecursionLimitExceeded => return too_deep(place),
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => (
            "a line is neither `key: value` nor the continuation of a value",
            Some("put `:` and a space behind the key, or indent the line below its key"),
        ),
        ErrorKind::ExpectedBlockMappingKey | ErrorKind::InvalidIndentation => (
            "a line does not fit the indentation of the map it stands in",
            Some("indent all keys of a map alike"),
        ),
        ErrorKind::ExpectedBlockSequenceEntry => (
            "a line does not fit the list it stands in",
            Some("start each item with `- `, all in the same column"),
        ),
        ErrorKind::MappingValueNotAllowed | ErrorKind::InvalidColonPlacement => (
            "a second `: ` in one line, or a key that is indented too far",
            Some("put a value that holds `: ` in quotes"),
        ),
        ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabNotAllowed
        | ErrorKind::TabAtBlockScalarStart => {
            ("a tab is used for indentation", Some("indent with spaces"))
        }
        ErrorKind::UnclosedQuotedScalar => (
            "a quote is opened and not closed",
            Some("close it, or double it if it belongs to a single-quoted text"),
        ),
        ErrorKind::InvalidTrailingDoubleQuotedScalar
        | ErrorKind::InvalidTrailingSingleQuotedScalar => (
            "text follows a closing quote",
            Some("put the whole value in quotes, and escape the quotes inside of it"),
        ),
        ErrorKind::UnknownQuotedScalarEscape => (
            "an unknown escape in a double-quoted text",
            Some("double the backslash, or use single quotes, where it stands for itself"),
        ),
        ErrorKind::UnknownAnchor => (
            "an alias `*name` without an anchor `&name` in front of it in the same document",
            Some("if `*` belongs to the value, as in `*.example.com`, put the value in quotes"),
        ),
        ErrorKind::MissingAnchorOrAliasName => (
            "`*` or `&` without a name",
            Some("if it belongs to the value, as in `*.example.com`, put the value in quotes"),
        ),
        ErrorKind::DirectiveDisallowed => (
            "kubectl reads no documents with `%` directives",
            Some("remove the line"),
        ),
        ErrorKind::UnclosedFlowCollection { .. }
        | ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofFlowSequence => (
            "a `{` or `[` is not closed",
            Some("close it, or put the value in quotes if the bracket belongs to it"),
        ),
        ErrorKind::MismatchedFlowCollectionEnd { .. } => (
            "a `{` or `[` is closed by the wrong bracket",
            Some("put the value in quotes if the bracket belongs to it"),
        ),
        ErrorKind::ExpectedFlowMappingSeparator | ErrorKind::ExpectedFlowSequenceSeparator => (
            "`,` or a closing bracket is missing",
            Some("put the value in quotes if the bracket belongs to it"),
        ),
        _ => return Fault::syntax(place, error.info()),
    };
    Fault {
        help,
        ..Fault::syntax(place, message)
    }
}

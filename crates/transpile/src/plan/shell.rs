//! Words of a command line. Names of hosts, paths and objects are somebody else's text: a command
//! that is copied must not do what they say.

use gatewright_diagnostics::render::printable;

/// A word as a POSIX shell takes it for itself.
pub(super) fn quote(word: &str) -> String {
    let word = printable(word);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._/:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Words on one line.
pub(super) fn line<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(quote).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_word_is_a_command() {
        assert_eq!(quote("/v1/a"), "/v1/a");
        assert_eq!(quote("a b"), "'a b'");
        assert_eq!(quote("$(id)`id`;"), "'$(id)`id`;'");
        assert_eq!(quote("it's"), r"'it'\''s'");
        assert_eq!(quote(""), "''");
        assert_eq!(quote("~"), "'~'");
        assert!(!quote("a\nb").contains('\n'));
    }
}

//! Patterns: what a path may look like, as nginx's users write it.
//!
//! nginx reads a pattern with PCRE, on the bytes of the decoded path, without regard
//! to case. Envoy reads RE2, on the path as it was sent, and wants the whole of it
//! matched. [`Pattern::parse`] reads PCRE's syntax, [`Pattern::to_re2`] finds an equal
//! RE2 form or says which parts have none, and [`Re2`] writes the texts.
//!
//! A line feed in a path (`%0A`) is the one character on which the two disagree here:
//! `.` and `$` treat it specially in PCRE. No path that is served has one.

mod ast;
mod caveat;
mod class;
mod encode;
mod error;
mod escape;
mod eval;
mod exclude;
mod follow;
mod group;
mod loosen;
mod lower;
#[cfg(test)]
mod oracle;
mod overlap;
mod parse;
mod prefix;
mod print;
#[cfg(test)]
mod props;
mod re2;
mod reference;
mod set;
mod shape;
mod substitution;
mod text;

use std::sync::OnceLock;

pub use encode::is_reserved;
pub use error::{Inexpressible, PatternError, PatternErrorKind};
pub use eval::Captures;
pub use overlap::may_overlap;
pub use re2::{Re2, pad_match};
pub use shape::{Shape, ShapeEnd};
pub use substitution::{Substitution, SubstitutionError, substitution};
pub use text::{after_anchor, escape_re2, segment_prefix_re2};

use ast::Kind;
use parse::Parsed;

/// A text in PCRE's syntax, understood.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: String,
    fold: bool,
    parsed: Parsed,
    /// Compiled when first asked for; `None` in it if that isn't possible.
    matcher: OnceLock<Option<eval::Matcher>>,
}

impl Pattern {
    /// Parses a pattern for which case doesn't matter, as nginx's `~*` has it.
    ///
    /// A text that PCRE refuses is an error: nginx doesn't start with it.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        Self::with_case(text, true)
    }

    /// Parses a pattern for which case matters, as nginx's `~` has it.
    pub fn parse_case_sensitive(text: &str) -> Result<Self, PatternError> {
        Self::with_case(text, false)
    }

    fn with_case(text: &str, fold: bool) -> Result<Self, PatternError> {
        Ok(Self {
            text: text.to_owned(),
            fold,
            parsed: parse::parse(text, fold)?,
            matcher: OnceLock::new(),
        })
    }

    /// The text it was parsed from.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The length of its text in bytes, by which nginx's users' paths are ordered.
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether its text is empty.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// How many capturing groups it has.
    pub fn group_count(&self) -> usize {
        self.parsed.groups as usize
    }

    /// The RE2 form, or every part that has none.
    pub fn to_re2(&self) -> Result<Re2, Vec<Inexpressible>> {
        Ok(Re2 {
            root: lower::lower(&self.parsed.root, self.fold)?,
            groups: self.group_count(),
            names: self.parsed.names.clone(),
            fold: self.fold,
            encoded: false,
        })
    }

    /// A pattern that matches all that this one does and more: without its assertions about
    /// what stands around, and with free choice where it has none. `None` if that does not help.
    pub fn loosened(&self) -> Option<Self> {
        Some(Self {
            text: self.text.clone(),
            fold: self.fold,
            parsed: parse::Parsed {
                root: loosen::loosen(&self.parsed.root)?,
                ..self.parsed.clone()
            },
            matcher: OnceLock::new(),
        })
    }

    /// Whether it is plain text, each character of which stands for itself.
    pub fn is_literal(&self) -> bool {
        let is_byte = |node: &ast::Node| matches!(node.kind, Kind::Literal { .. });
        match &self.parsed.root.kind {
            Kind::Concat(nodes) => nodes.iter().all(is_byte),
            Kind::Empty => true,
            _ => is_byte(&self.parsed.root),
        }
    }

    /// The text that every path it matches begins with, in lower case if case doesn't
    /// matter; empty if nothing is known.
    pub fn required_literal_prefix(&self) -> String {
        // In an alternation only the first branch is anchored.
        if matches!(self.parsed.root.kind, Kind::Alternate(_)) {
            return String::new();
        }
        let (mut bytes, _) = prefix::literal_prefix(&self.parsed.root);
        if self.fold {
            bytes.make_ascii_lowercase();
        }
        while let Err(error) = std::str::from_utf8(&bytes) {
            bytes.truncate(error.valid_up_to());
        }
        String::from_utf8(bytes).unwrap_or_default()
    }

    /// Whether nginx's `^P` matches a decoded path; `None` if only a backtracking
    /// engine could tell.
    pub fn matches_prefix(&self, path: &str) -> Option<bool> {
        Some(self.matcher()?.matches(path))
    }

    /// What nginx's `rewrite "(?i)P"` captures in a decoded path that `^P` matches.
    ///
    /// `None` if it doesn't match, or if only a backtracking engine could tell.
    pub fn captures_prefix<'p>(&self, path: &'p str) -> Option<Captures<'p>> {
        self.matcher()?.captures(path)
    }

    /// Whether the pattern is found anywhere in a text; `None` if only a backtracking engine
    /// could tell.
    pub fn is_found(&self, text: &str) -> Option<bool> {
        Some(self.matcher()?.is_found(text))
    }

    /// What the pattern captures where it is first found in a text.
    pub fn captures_found<'p>(&self, text: &'p str) -> Option<Captures<'p>> {
        self.matcher()?.found(text)
    }

    /// A pattern for Rust's engines, on bytes, that takes the whole of each path on which nginx's
    /// `^P` matches; `None` if only a backtracking engine could tell.
    pub fn whole_regex(&self) -> Option<String> {
        Some(eval::whole_text(self.to_re2().ok()?.branches()))
    }

    /// A pattern for Rust's engines, on bytes, that takes the whole of each text in which this
    /// one is found; `None` if only a backtracking engine could tell.
    pub fn found_regex(&self) -> Option<String> {
        let found = eval::rewrite_text(self.to_re2().ok()?.branches());
        let found = found.strip_prefix("(?-u)").unwrap_or(&found);
        Some(format!(r"(?-u)\A(?s:.*)(?:{found})(?s:.*)\z"))
    }

    fn matcher(&self) -> Option<&eval::Matcher> {
        self.matcher
            .get_or_init(|| eval::Matcher::new(self.to_re2().ok()?.branches()))
            .as_ref()
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.fold == other.fold
    }
}

impl Eq for Pattern {}

#[cfg(test)]
mod tests {
    use super::{Pattern, may_overlap};

    fn parse(text: &str) -> Pattern {
        Pattern::parse(text).unwrap()
    }

    /// The text for a route match and the one for a rewrite, on the path as sent.
    fn check(text: &str, matching: &str, rewrite: &str) {
        let re2 = parse(text).to_re2().unwrap().for_encoded_path();
        assert_eq!(re2.match_prefix(), matching, "{text}");
        assert_eq!(re2.rewrite_pattern(), rewrite, "{text}");
    }

    #[test]
    fn common_shapes_keep_their_look() {
        check("/foo(/|$)(.*)", "(?i)/foo(/|$)(.*)", "^(?i)/foo(/|$)(.*)$");
        check("/foo", "(?i)/foo.*", "^(?i)/foo.*$");
        check(
            "/foo/bar/[A-Z0-9]{3}",
            "(?i)/foo/bar/[A-Z0-9]{3}.*",
            "^(?i)/foo/bar/[A-Z0-9]{3}.*$",
        );
        check(
            "/v1.2[^x]",
            "(?i)/v1(?:%..|[^%])2(?:%..|[^x%]).*",
            "^(?i)/v1(?:%..|[^%])2(?:%..|[^x%]).*$",
        );
        check(
            "/f/([^?]*)",
            "(?i)/f/((?:%(?:[^3].|3[^F])|[^?%])*).*",
            "^(?i)/f/((?:%(?:[^3].|3[^F])|[^?%])*).*$",
        );
        check("/a.+/[^/]*x", "(?i)/a.+/[^/]*x.*", "^(?i)/a.+/[^/]*x.*$");
        check("/*", "(?i)/*.*", "^(?i)/*.*$");
        check("/?(.*)", "(?i)/?(.*)", "^(?i)/?(.*)$");
        check("^/foo$", "(?i)/foo$", "^(?i)/foo$");
        check("/x(.*)$", "(?i)/x(.*)$", "^(?i)/x(.*)$");
        check("/|/(.+)", "(?i)(?:/|.*/(.+)).*", "^(?i).*?(?:/|/(.+)).*$");
    }

    #[test]
    fn nothing_ends_within_an_escape() {
        check(
            "/a/(.+?)",
            "(?i)/a/((?:%..|[^%])+?)",
            "^(?i)/a/((?:%..|[^%])+?).*$",
        );
    }

    #[test]
    fn nested_repetitions_take_no_exponential_time() {
        let depth = 200;
        let text = format!("/{}a{}", "(?:".repeat(depth), ")*".repeat(depth));
        let re2 = parse(&text).to_re2().unwrap().for_encoded_path();
        assert!(re2.match_prefix().len() > text.len());
    }

    #[test]
    fn nothing_begins_within_an_escape() {
        check(
            "/.*entation",
            "(?i)/(?:%..|[^%])*entation.*",
            "^(?i)/(?:%..|[^%])*entation.*$",
        );
        check(
            "/([^/]+)(/?|x)2$",
            "(?i)/((?:%..|[^/%])+)(/?|x)2$",
            "^(?i)/((?:%..|[^/%])+)(/?|x)2$",
        );
        check(
            "/(x.*|a)+b",
            "(?i)/(x(?:%..|[^%])*|a)+b.*",
            "^(?i)/(x(?:%..|[^%])*|a)+b.*$",
        );
        check(
            "/x|beta",
            "(?i)(?:/x|(?:%..|[^%])*beta).*",
            "^(?i)(?:%..|[^%])*?(?:/x|beta).*$",
        );
    }

    #[test]
    fn overlaps() {
        for (a, b, expected) in [
            ("/foo(/|$)(.*)", "/foobar", false),
            ("/foo.*", "/FOOBAR", true),
            ("/[a-m]+/", "/[n-z]+/", false),
            ("/a$", "/a.+", false),
            ("/(?!api).*", "/api/", false),
            ("/a|/b", "/c/b", true),
            (r"/\d+$", r"/\w+$", true),
        ] {
            assert_eq!(may_overlap(&parse(a), &parse(b)), expected, "{a} {b}");
        }
    }
}

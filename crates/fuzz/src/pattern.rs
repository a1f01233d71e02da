//! Patterns: what is handed to Envoy matches what nginx matches.

use std::fmt::Write as _;
use std::ops::Range;

use gatewright_model::pattern::{Pattern, Re2, pad_match};
use regex::bytes::{Regex, RegexBuilder};

/// An engine of PCRE's kind, as nginx calls it.
pub trait Oracle {
    /// What it takes for a pattern without regard to case; `None` if it refuses the text.
    fn compile(&self, text: &str, fold: bool) -> Option<Box<dyn Engine>>;
}

/// A pattern of an [`Oracle`].
pub trait Engine {
    /// Where the groups of the first match stand, from group 0; `None` where it gives up.
    fn find(&self, path: &str) -> Option<Option<Groups>>;
}

/// What each group took of a path, if it took part.
pub type Groups = Vec<Option<Range<usize>>>;

/// More is a matter of speed.
const MAX_PATTERN: usize = 200;
const MAX_PATHS: usize = 12;

/// Takes a pattern in the first line, and paths in the others. Behind a `~` case matters.
pub fn run(data: &[u8]) {
    run_beside(data, None);
}

/// The same, with another engine that is asked what it does.
pub fn run_beside(data: &[u8], oracle: Option<&dyn Oracle>) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.split('\n');
    let pattern = lines.next().unwrap_or_default();
    let (pattern, fold) = match pattern.strip_prefix('~') {
        Some(pattern) => (pattern, false),
        None => (pattern, true),
    };
    if pattern.len() > MAX_PATTERN {
        return;
    }
    let lower = pattern.to_lowercase();
    let mut paths = vec!["", "/", pattern, &lower];
    paths.extend(lines.take(MAX_PATHS));
    // A line feed is the one character on which the engines disagree, and no path has one.
    paths.retain(|path| !path.contains('\r') && path.len() <= MAX_PATTERN);
    check(pattern, fold, &paths, oracle);
}

fn check(text: &str, fold: bool, paths: &[&str], oracle: Option<&dyn Oracle>) {
    let parsed = if fold {
        Pattern::parse(text)
    } else {
        Pattern::parse_case_sensitive(text)
    };
    let pattern = match parsed {
        Ok(pattern) => pattern,
        Err(error) => {
            assert!(
                text.get(error.range.clone()).is_some(),
                "{error:?} of {text}"
            );
            return;
        }
    };
    assert_eq!(pattern.as_str(), text);
    // nginx looks for `^P` first, and rewrites by `P`. Which texts are refused is not compared:
    // PCRE2 takes much that is newer than PCRE 8, of which nginx is made, and refuses some.
    let oracle = oracle.filter(|_| !is_newer(text));
    let engines = oracle.and_then(|oracle| {
        let location = oracle.compile(&format!("^{text}"), fold)?;
        Some((location, oracle.compile(text, fold)?))
    });
    let re2 = match pattern.to_re2() {
        Ok(re2) => re2,
        Err(faults) => {
            assert!(!faults.is_empty());
            for fault in faults {
                assert!(
                    text.get(fault.range.clone()).is_some(),
                    "{fault:?} of {text}"
                );
                assert!(!fault.construct.is_empty() && !fault.help.is_empty());
            }
            assert!(pattern.matches_prefix("/").is_none());
            return;
        }
    };
    let Some(texts) = Texts::of(&re2) else {
        return;
    };
    for path in paths {
        subject(&pattern, &texts, &re2, path);
        if let Some((location, rewrite)) = &engines {
            beside(&pattern, &re2, (location.as_ref(), rewrite.as_ref()), path);
        }
    }
}

/// Whether a text may mean to PCRE2 what it does not mean to PCRE.
fn is_newer(text: &str) -> bool {
    let new = ["(?^", "(*", "(?*", "(?<*", "(?[", r"\N{", "{,", "{ "];
    new.iter().any(|new| text.contains(new))
}

/// What our own evaluation says is what PCRE does.
fn beside(pattern: &Pattern, re2: &Re2, engines: (&dyn Engine, &dyn Engine), path: &str) {
    let (Some(expected), Some(found)) = (engines.0.find(path), engines.1.find(path)) else {
        return;
    };
    let Some(ours) = pattern.matches_prefix(path) else {
        return;
    };
    let text = pattern.as_str();
    assert_eq!(ours, expected.is_some(), "^{text} on {path}, beside PCRE");
    assert_eq!(
        pattern.is_found(path),
        Some(found.is_some()),
        "{text} in {path}, beside PCRE"
    );
    let (true, Some(groups), Some(captures)) = (ours, found, pattern.captures_prefix(path)) else {
        return;
    };
    let uncertain = re2.uncertain_groups();
    for group in (1..=pattern.group_count()).filter(|group| !uncertain.contains(group)) {
        let theirs = groups.get(group).cloned().flatten().unwrap_or_default();
        let ours = captures.get(group).unwrap_or_default();
        assert_eq!(
            ours,
            &path.as_bytes()[theirs],
            "group {group} of {text} on {path}, beside PCRE"
        );
    }
}

/// What Envoy gets, compiled.
struct Texts {
    encoded: Regex,
    padded: Regex,
    rewrite: Regex,
    anywhere: Regex,
}

impl Texts {
    /// `None` if it is too large to compile.
    fn of(re2: &Re2) -> Option<Self> {
        let encoded = re2.clone().for_encoded_path();
        let matching = encoded.match_prefix();
        for text in [
            &matching,
            &encoded.rewrite_pattern(),
            &encoded.match_anywhere(),
        ] {
            assert!(text.is_ascii(), "{text} is for bytes");
        }
        let padded = pad_match(&matching, matching.len() + 7);
        let padded = padded.expect("a longer text");
        assert_eq!(padded.len(), matching.len() + 7);
        Some(Self {
            encoded: whole(&matching)?,
            padded: whole(&padded)?,
            rewrite: compile(&re2.rewrite_pattern())?,
            anywhere: whole(&re2.match_anywhere())?,
        })
    }
}

fn whole(text: &str) -> Option<Regex> {
    compile(&format!(r"\A(?:{text})\z"))
}

fn compile(text: &str) -> Option<Regex> {
    let text = &for_rust(text);
    let build = |unicode| {
        let mut builder = RegexBuilder::new(text);
        builder.unicode(unicode).size_limit(4 << 20).build()
    };
    // Bytes are a matter of speed: what is meant for headers may name characters.
    match build(false).or_else(|_| build(true)) {
        Ok(regex) => Some(regex),
        Err(regex::Error::CompiledTooBig(_)) => None,
        Err(error) => panic!("{text} is no pattern: {error}"),
    }
}

/// A text for RE2 as the `regex` crate wants it, which knows sets within classes.
fn for_rust(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut class = false;
    while let Some(c) = rest.chars().next() {
        let named = class && rest.starts_with("[:");
        let len = match c {
            '\\' => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
            '[' if named => rest.find(":]").map_or(1, |end| end + 2),
            _ => c.len_utf8(),
        };
        match c {
            '[' if !class => {
                class = true;
                let negated = rest[1..].strip_prefix('^').map_or(1, |_| 2);
                out.push_str(&rest[..negated]);
                rest = &rest[negated..];
                // A bracket that stands first is a member.
                if let Some(behind) = rest.strip_prefix(']') {
                    out.push_str(r"\]");
                    rest = behind;
                }
                continue;
            }
            ']' => class = false,
            '[' | '&' | '~' if class && !named => out.push('\\'),
            '-' if class && out.ends_with('-') && !out.ends_with(r"\-") => out.push('\\'),
            _ => {}
        }
        out.push_str(&rest[..len]);
        rest = &rest[len..];
    }
    out
}

fn subject(pattern: &Pattern, texts: &Texts, re2: &Re2, path: &str) {
    // Too large for our own engine.
    let Some(expected) = pattern.matches_prefix(path) else {
        return;
    };
    if is_sent_raw(path) {
        for regex in [&texts.encoded, &texts.padded] {
            assert_eq!(
                regex.is_match(path.as_bytes()),
                expected,
                "{regex} on {path}"
            );
        }
        let found = pattern.is_found(path);
        assert_eq!(
            Some(texts.anywhere.is_match(path.as_bytes())),
            found,
            "{} on {path}",
            texts.anywhere
        );
    } else if path.is_ascii() && !asks_for_words(pattern.as_str()) {
        for sent in [encode(path, false), encode(path, true)] {
            let taken = texts.encoded.is_match(sent.as_bytes());
            assert_eq!(
                taken, expected,
                "{} on {sent}, which is {path}",
                texts.encoded
            );
        }
    }
    if expected {
        let prefix = pattern.required_literal_prefix().to_ascii_lowercase();
        let starts = path.to_ascii_lowercase().starts_with(&prefix);
        assert!(starts, "{prefix} is not how {path} begins");
    }
    let (true, Some(ours)) = (is_sent_raw(path), pattern.captures_prefix(path)) else {
        return;
    };
    let Some(theirs) = texts.rewrite.captures(path.as_bytes()) else {
        panic!("{} does not take {path}", texts.rewrite);
    };
    assert_eq!(&theirs[0], path.as_bytes(), "{} on {path}", texts.rewrite);
    let uncertain = re2.uncertain_groups();
    for group in (1..=pattern.group_count()).filter(|group| !uncertain.contains(group)) {
        let theirs = theirs.get(group).map_or(&b""[..], |found| found.as_bytes());
        assert_eq!(
            ours.get(group).unwrap_or_default(),
            theirs,
            "group {group} of {} on {path}",
            texts.rewrite
        );
    }
}

/// Whether a pattern looks for the borders of words: an escape has some, which
/// `Re2::for_encoded_path` says.
fn asks_for_words(pattern: &str) -> bool {
    pattern.contains(r"\b") || pattern.contains(r"\B")
}

/// Whether every client sends a path as it is.
fn is_sent_raw(path: &str) -> bool {
    path.bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"-._~/".contains(&b))
}

/// A path as clients send it; with `all`, also what only some of them encode.
fn encode(path: &str, all: bool) -> String {
    let mut sent = String::new();
    for byte in path.bytes() {
        let raw = byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
        let reserved = b"!$&'()*+,;=:@[]".contains(&byte);
        if raw || reserved && !all {
            sent.push(char::from(byte));
        } else {
            let _ = write!(sent, "%{byte:02X}");
        }
    }
    sent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_have_no_sets() {
        for (re2, rust) in [
            ("/[a&&b]", r"/[a\&\&b]"),
            ("/[[a]x[+--]", r"/[\[a]x[+-\-]"),
            (r"[\]&]&&[[:alpha:]~]", r"[\]\&]&&[[:alpha:]\~]"),
            ("[]a][^]a]-", r"[\]a][^\]a]-"),
            (r"[a\-->]", r"[a\-->]"),
        ] {
            assert_eq!(for_rust(re2), rust);
        }
    }

    #[test]
    fn a_wrong_text_is_found() {
        let pattern = Pattern::parse("/a(b)").expect("a pattern");
        let re2 = pattern.to_re2().expect("an RE2 form");
        let other = Pattern::parse("/a(c)").expect("a pattern");
        let texts = Texts::of(&other.to_re2().expect("an RE2 form")).expect("small");
        let wrong = || subject(&pattern, &texts, &re2, "/ab");
        assert!(std::panic::catch_unwind(wrong).is_err());
    }
}

//! A path that a matcher takes, for people.

use gatewright_model::PathMatcher;

use crate::automaton;
use crate::nginx::language;

/// Paths that need no escaping, and whose form nobody changes.
const PLAIN: &str = r"\A/(?:[a-zA-Z0-9_~-][a-zA-Z0-9._~-]*/)*(?:[a-zA-Z0-9_~-][a-zA-Z0-9._~-]*)?\z";

/// A shortest path that a matcher takes, as it is sent; `None` where there is none without
/// escapes, or where finding one takes too long.
pub fn example(matcher: &PathMatcher) -> Option<String> {
    if let PathMatcher::Exact(text) | PathMatcher::Prefix(text) = matcher {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~/".contains(c);
        return (text.starts_with('/') && text.chars().all(is_plain)).then(|| text.clone());
    }
    let (language, is_loose) = language(matcher);
    let found = automaton::classes(PLAIN, &[language]).ok()?;
    let mut taken = found.into_iter().filter(|(_, within)| !within.is_empty());
    // What only a backtracking engine could tell is not for an example.
    taken.next().filter(|_| !is_loose).map(|(path, _)| path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_are_the_shortest_paths() {
        let pattern = |text: &str| example(&PathMatcher::Pattern(text.to_owned()));
        assert_eq!(pattern("/api(/|$)(.*)").as_deref(), Some("/api"));
        assert_eq!(pattern("/v[12]/.+").as_deref(), Some("/v1/a"));
        assert_eq!(pattern("/a\\.b").as_deref(), Some("/a.b"));
        assert_eq!(pattern("/a b"), None);
        let prefix = |text: &str| example(&PathMatcher::Prefix(text.to_owned()));
        assert_eq!(prefix("/shop/").as_deref(), Some("/shop/"));
        assert_eq!(prefix("/ä"), None);
    }
}

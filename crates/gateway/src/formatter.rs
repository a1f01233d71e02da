//! Envoy's command operators, as they are used in header values.
//!
//! `%CEL(…)%` is built into Envoy (1.39 and later tried) and knows `re.extract(text, pattern,
//! rewrite)`: RE2, the first match anywhere in the text, `\1` … `\9` in the rewrite. Strings
//! cannot be joined inside of it, so values are joined by putting operators side by side.

/// Scheme of the connection.
pub(crate) const SCHEME: &str = "%REQ(:SCHEME)%";
/// Authority as the client sent it.
pub(crate) const AUTHORITY: &str = "%REQ(:AUTHORITY)%";
/// Path and query.
pub(crate) const PATH: &str = "%REQ(:PATH)%";
/// Authority without port.
pub(crate) const HOST: &str = r"%CEL(re.extract(request.host, r'^([^:]*)', r'\1'))%";
/// Path and query without one final slash.
pub(crate) const PATH_WITHOUT_SLASH: &str = r"%CEL(re.extract(request.path, r'^(.*?)/?$', r'\1'))%";
/// `?` and query, or nothing.
pub(crate) const QUERY: &str = r"%CEL(re.extract(request.path, r'^[^?]*([?].*)?$', r'\1'))%";

/// What a pattern captures in the path, put together by a substitution; `None` when the
/// texts cannot be quoted.
pub(crate) fn captured(pattern: &str, substitution: &str) -> Option<String> {
    extracted("request.url_path", pattern, substitution)
}

/// What a pattern captures in an attribute of the request.
pub(crate) fn extracted(attribute: &str, pattern: &str, substitution: &str) -> Option<String> {
    let (pattern, substitution) = (raw(pattern)?, raw(substitution)?);
    Some(format!(
        "%CEL(re.extract({attribute}, {pattern}, {substitution}))%"
    ))
}

/// A text as Envoy takes it in a header value: `%` starts a command operator there.
pub(crate) fn literal(text: &str) -> String {
    text.replace('%', "%%")
}

/// A raw string of CEL, which has no escapes.
fn raw(text: &str) -> Option<String> {
    let quote = ['\'', '"']
        .into_iter()
        .find(|quote| !text.contains(*quote))?;
    (!text.contains(['\n', '\r'])).then(|| format!("r{quote}{text}{quote}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_strings_take_the_quote_that_the_text_has_not() {
        assert_eq!(raw(r"a\1"), Some(r"r'a\1'".to_owned()));
        assert_eq!(raw("it's"), Some("r\"it's\"".to_owned()));
        assert_eq!(raw("'\""), None);
    }
}

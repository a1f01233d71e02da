//! Envoy's command operators, as far as redirects use them.

use gatewright_model::eval::Request;
use regex::bytes::Regex;

use crate::re2;

/// A header value with its operators replaced; the error names one that is not known.
pub(crate) fn render(value: &str, request: &Request) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = value;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        if let Some(more) = after.strip_prefix('%') {
            out.push('%');
            rest = more;
            continue;
        }
        // An argument may hold a percent sign, as quoted patterns of paths do.
        let end = match after.find(")%") {
            Some(end) if after.find('(').is_some_and(|open| open < end) => end + 1,
            _ => after.find('%').ok_or("a percent sign stands alone")?,
        };
        out.push_str(&operator(&after[..end], request)?);
        rest = &after[end + 1..];
    }
    out.push_str(rest);
    Ok(out)
}

fn operator(text: &str, request: &Request) -> Result<String, String> {
    let unknown = || format!("the operator `%{text}%` is not interpreted");
    if let Some(inside) = text.strip_prefix("REQ(").and_then(|t| t.strip_suffix(')')) {
        let (name, other) = inside.split_once('?').unwrap_or((inside, ""));
        return Ok(header(name, request)
            .or_else(|| header(other, request))
            .unwrap_or_default());
    }
    if let Some(inside) = text.strip_prefix("CEL(").and_then(|t| t.strip_suffix(')')) {
        return extract(inside, request).ok_or_else(unknown);
    }
    match text {
        "PATH(NQ:PATH)" => Ok(request.path.clone()),
        "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT" => Ok("<client address>".to_owned()),
        _ => Err(unknown()),
    }
}

fn header(name: &str, request: &Request) -> Option<String> {
    match name.to_ascii_lowercase().as_str() {
        ":scheme" => Some(request.scheme().to_owned()),
        ":authority" | "host" => Some(request.host.clone()),
        ":path" => Some(request.target()),
        ":method" => Some(request.method.clone()),
        "x-request-id" => Some("<request id>".to_owned()),
        "x-forwarded-proto" => Some(request.scheme().to_owned()),
        name => request.header(name).map(str::to_owned),
    }
}

/// `re.extract(attribute, r'pattern', r'rewrite')` of CEL.
fn extract(text: &str, request: &Request) -> Option<String> {
    let inside = text.strip_prefix("re.extract(")?.strip_suffix(')')?;
    let (attribute, rest) = inside.split_once(',')?;
    let (pattern, rest) = raw(rest)?;
    let (rewrite, rest) = raw(rest.trim_start().strip_prefix(',')?)?;
    if !rest.trim().is_empty() {
        return None;
    }
    let subject = match attribute.trim() {
        "request.host" => request.host.clone(),
        "request.path" => request.target(),
        "request.url_path" => request.path.clone(),
        _ => return None,
    };
    let regex = Regex::new(&re2::anywhere(pattern).ok()?).ok()?;
    let Some(found) = regex.captures(subject.as_bytes()) else {
        return Some(String::new());
    };
    Some(substitute(rewrite, &found))
}

/// A raw string and what is behind it.
fn raw(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start().strip_prefix('r')?;
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    text[1..].split_once(quote)
}

/// A substitution of RE2: `\1` for a group, `\\` for a backslash.
pub(crate) fn substitute(substitution: &str, found: &regex::bytes::Captures<'_>) -> String {
    let mut out = String::new();
    let mut chars = substitution.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some(digit) if digit.is_ascii_digit() => {
                let group = digit.to_digit(10).unwrap_or(0) as usize;
                let bytes = found.get(group).map_or(&b""[..], |group| group.as_bytes());
                out.push_str(&String::from_utf8_lossy(bytes));
            }
            Some(other) => out.push(other),
            None => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Request {
        Request {
            query: Some("q=1".to_owned()),
            ..Request::get(true, "a.test", "/old/x/")
        }
    }

    #[test]
    fn operators_are_replaced() {
        let check = |value: &str, expected: &str| {
            assert_eq!(
                render(value, &request()).as_deref(),
                Ok(expected),
                "{value}"
            );
        };
        check("100%%", "100%");
        check(
            "%REQ(:SCHEME)%://%REQ(:AUTHORITY)%%REQ(:PATH)%",
            "https://a.test/old/x/?q=1",
        );
        check(
            r"%CEL(re.extract(request.url_path, r'^/old/(.*)$', r'/new/\1'))%",
            "/new/x/",
        );
        check(
            r"%CEL(re.extract(request.path, r'^[^?]*([?].*)?$', r'\1'))%",
            "?q=1",
        );
        check("%REQ(X-NONE?:METHOD)%", "GET");
        assert!(render("%START_TIME%", &request()).is_err());
    }
}

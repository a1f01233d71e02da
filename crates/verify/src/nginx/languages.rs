//! The languages that decisions of the source proxy depend on, in Rust's syntax.

use gatewright_model::pattern::Pattern;
use gatewright_model::{
    Action, Condition, CorsOrigins, HeaderRule, Host, Model, PathMatcher, PlainHttp, Route,
    Subject, Test,
};

/// The paths that a route takes, in Rust's syntax and decoded; the flag says that it may take
/// fewer, because only a backtracking engine could tell.
pub(crate) fn language(matcher: &PathMatcher) -> (String, bool) {
    let plain = |text: &str| regex::escape(text);
    match matcher {
        PathMatcher::Exact(text) => (format!(r"\A{}\z", plain(text)), false),
        PathMatcher::Prefix(text) if text.ends_with('/') => {
            (format!(r"(?s-u)\A{}.*\z", plain(text)), false)
        }
        PathMatcher::Prefix(text) => (format!(r"(?s-u)\A{}(?:/.*)?\z", plain(text)), false),
        PathMatcher::Pattern(text) => {
            let pattern = Pattern::parse(text).ok();
            let exact = pattern.as_ref().and_then(Pattern::whole_regex);
            let loose = || pattern.as_ref()?.loosened()?.whole_regex();
            let head = || {
                let head = pattern.as_ref().map(Pattern::required_literal_prefix);
                format!(r"(?is-u)\A{}.*\z", plain(&head.unwrap_or_default()))
            };
            match exact {
                Some(regex) => (regex, false),
                None if pattern.is_none() => (r"[^\s\S]".to_owned(), false),
                None => (loose().unwrap_or_else(head), true),
            }
        }
    }
}

/// Whether nginx refuses the path, and with it the whole configuration.
pub(crate) fn is_broken(matcher: &PathMatcher) -> bool {
    matches!(matcher, PathMatcher::Pattern(text) if Pattern::parse(text).is_err())
}

/// What the conditions of a host look at in paths: decoded ones, and those as they are sent.
pub(crate) fn path_tests(host: &Host) -> (Vec<String>, Vec<String>) {
    let (mut decoded, mut sent) = (Vec::new(), Vec::new());
    for route in &host.routes {
        for when in conditions(route) {
            if let Subject::Path { query } = when.subject {
                let list = if query { &mut sent } else { &mut decoded };
                list.extend(test(&when.test));
            }
        }
        if let Some(edit) = &route.policies.path_edit {
            let pattern = Pattern::parse_case_sensitive(&edit.pattern).ok();
            decoded.extend(pattern.and_then(|pattern| pattern.found_regex()));
        }
    }
    for list in [&mut decoded, &mut sent] {
        list.sort();
        list.dedup();
    }
    (decoded, sent)
}

/// Every test of the name that a host makes.
pub(crate) fn authority_tests(host: &Host) -> Vec<String> {
    let all = host.routes.iter().flat_map(conditions);
    let mut tests: Vec<String> = all
        .filter(|when| when.subject == Subject::Host)
        .flat_map(|when| test(&when.test))
        .collect();
    tests.sort();
    tests.dedup();
    tests
}

/// The conditions of the steps of a route.
pub(crate) fn conditions(route: &Route) -> impl Iterator<Item = &Condition> {
    route
        .policies
        .steps
        .iter()
        .filter_map(|step| step.when.as_ref())
}

/// The texts for which a test holds, in Rust's syntax; nothing where nobody knows.
fn test(test: &Test) -> Vec<String> {
    match test {
        Test::Equals(text) => vec![format!(r"\A{}\z", regex::escape(text))],
        Test::Set => vec![r"\A0?\z".to_owned()],
        Test::Pattern { text, fold } => {
            let pattern = if *fold {
                Pattern::parse(text)
            } else {
                Pattern::parse_case_sensitive(text)
            };
            pattern
                .ok()
                .and_then(|p| p.found_regex())
                .into_iter()
                .collect()
        }
    }
}

/// Whether the query shows in what a route answers.
pub(crate) fn sees_query(route: &Route) -> bool {
    matches!(route.action, Action::Redirect(_))
        || matches!(route.plain_http, PlainHttp::Redirect { .. })
        || !route.policies.steps.is_empty()
}

/// The headers that a route looks at: names in lower case, with languages of values that it
/// tells apart.
pub(crate) fn header_tests(model: &Model, route: &Route) -> Vec<(String, String)> {
    let mut tests: Vec<(String, String)> = Vec::new();
    let mut add = |name: &str, language: String| {
        tests.push((name.to_ascii_lowercase(), language));
    };
    let exactly = |text: &str| format!(r"\A{}\z", regex::escape(text));
    let scheme = conditions(route).any(|when| when.subject == Subject::Scheme);
    if model.globals.forwarded.trust && (scheme || route.plain_http != PlainHttp::Serve) {
        add("x-forwarded-proto", exactly("http"));
        add("x-forwarded-proto", exactly("https"));
    }
    for when in conditions(route) {
        if let Subject::Header(name) = &when.subject {
            for language in test(&when.test) {
                add(name, language);
            }
        }
    }
    if let Some(limit) = &route.policies.transport.body_limit {
        add("content-length", above(limit.bytes));
    }
    if let Some(cors) = &route.policies.cors
        && let CorsOrigins::EndWith(list) = &cors.origins
    {
        for end in list {
            add("origin", origin(end));
        }
    }
    let Action::Forward(forward) = &route.action else {
        return tests;
    };
    let Some(canary) = &forward.split.canary else {
        return tests;
    };
    if let Some(header) = &canary.header {
        match &header.rule {
            HeaderRule::AlwaysNever => {
                add(&header.name, exactly("always"));
                add(&header.name, exactly("never"));
            }
            HeaderRule::Value(value) => add(&header.name, exactly(value)),
            HeaderRule::Pattern(text) => {
                let pattern = Pattern::parse_case_sensitive(text).ok();
                if let Some(language) = pattern.and_then(|pattern| pattern.found_regex()) {
                    add(&header.name, language);
                }
            }
        }
    }
    if let Some(name) = &canary.cookie {
        add("cookie", cookie(name, "always"));
        add("cookie", cookie(name, "never"));
    }
    tests
}

/// Origins that end with a text, in any case, in which `*` is one label.
fn origin(end: &str) -> String {
    let label = r"[A-Za-z0-9\-]+";
    let parts: Vec<String> = end.splitn(2, '*').map(regex::escape).collect();
    format!(r"(?i-u)\A(?s:.)*{}\z", parts.join(label))
}

/// Decimal numbers above a limit, without leading zeros.
fn above(limit: u64) -> String {
    let digits = limit.to_string();
    let mut more = vec![format!(r"[1-9][0-9]{{{},}}", digits.len())];
    for (at, digit) in digits.chars().enumerate().filter(|(_, digit)| *digit < '9') {
        let next = char::from_u32(u32::from(digit) + 1).unwrap_or('9');
        let rest = digits.len() - at - 1;
        more.push(format!("{}[{next}-9][0-9]{{{rest}}}", &digits[..at]));
    }
    format!(r"\A(?:{})\z", more.join("|"))
}

/// Values of the header `Cookie` in which the first cookie of this name, in any case, has this
/// value (`ngx_http_parse_multi_header_lines`).
fn cookie(name: &str, value: &str) -> String {
    // Pieces that are no cookie of this name: they end early, or differ at some place, or have
    // no equals sign.
    let mut others = Vec::new();
    let mut head = String::new();
    for c in name.chars() {
        let own = regex::escape(&c.to_string());
        others.push(head.clone());
        let either = [c.to_ascii_lowercase(), c.to_ascii_uppercase()];
        let class: String = either
            .iter()
            .map(|c| regex::escape(&c.to_string()))
            .collect();
        others.push(format!("{head}[^{class};,][^;,]*"));
        head = format!("{head}(?i:{own})");
    }
    others.push(format!("{head} *"));
    others.push(format!("{head} *[^=;, ][^;,]*"));
    let others = others.join("|");
    format!(r"(?-u)\A(?:(?:{others})[;,] *)*{head} *= *{value}(?:;.*)?\z")
}

#[cfg(test)]
mod tests {
    use gatewright_model::eval;

    use super::*;

    fn check(language: &str, matching: &[&str], not: &[&str]) {
        let regex = regex::bytes::Regex::new(language).unwrap();
        for text in matching {
            assert!(regex.is_match(text.as_bytes()), "{language} {text}");
        }
        for text in not {
            assert!(!regex.is_match(text.as_bytes()), "{language} {text}");
        }
    }

    #[test]
    fn numbers_above_a_limit() {
        check(
            &above(1024),
            &["1025", "1030", "2000", "10000"],
            &["1024", "999", "0"],
        );
        check(&above(0), &["1", "9", "10"], &["0"]);
        check(&above(99), &["100"], &["99", "9"]);
    }

    #[test]
    fn cookies_are_read_as_the_interpreter_does() {
        let language = cookie("b.c", "always");
        let headers = [
            "b.c=always",
            "B.C=always",
            "bxc=always",
            "a=1; b.c=always",
            "b.c=never; b.c=always",
            "b.c = always;x",
            "ab.c=always",
            "b=1;b.c=always",
            "b.c; b.c=always",
            "b.cx=1, b.c=always",
            "b.c=alwaysx",
            "b.c=",
            "b",
            "b.c x=1; b.c=always",
        ];
        let regex = regex::bytes::Regex::new(&language).unwrap();
        for header in headers {
            let expected = eval::cookie(header, "b.c") == Some("always");
            assert_eq!(regex.is_match(header.as_bytes()), expected, "{header}");
        }
    }

    #[test]
    fn origins_end_in_any_case() {
        check(
            &origin("https://*.a.b"),
            &["https://x.A.b", "evil https://x.a.b"],
            &["https://a.b", "https://x.y.a.b"],
        );
    }
}

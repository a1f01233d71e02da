//! `if (…)`.

use gatewright_model::{Condition, Subject, Test};

use crate::nginx_conf::Directive;

/// The condition of an `if`; the error says which part has no counterpart.
pub(super) fn condition(directive: &Directive) -> Result<Condition, String> {
    let mut words = directive.texts();
    let Some(first) = words.first_mut() else {
        return Err("an `if` without a condition".to_owned());
    };
    *first = first
        .strip_prefix('(')
        .ok_or("an `if` without a parenthesis")?;
    let Some(last) = words.last_mut() else {
        return Err("an `if` without a condition".to_owned());
    };
    *last = last
        .strip_suffix(')')
        .ok_or("an `if` without a parenthesis")?;
    words.retain(|word| !word.is_empty());
    if let Some(test) = words.first().filter(|word| word.starts_with(['-', '!'])) {
        return Err(format!("`{test}` tests a file, and a gateway has none"));
    }
    let (variable, operator, value) = match words[..] {
        [variable] => (variable, "", ""),
        [variable, "=" | "!="] => (variable, words[1], ""),
        [variable, operator, value] => (variable, operator, value),
        _ => return Err("this condition cannot be read".to_owned()),
    };
    let name = variable
        .strip_prefix('$')
        .map(|name| name.trim_start_matches('{').trim_end_matches('}'))
        .ok_or_else(|| format!("`{variable}` tests a file, and a gateway has none"))?;
    if value.contains('$') && !operator.contains('~') {
        return Err(format!("`{value}` is compared with another variable"));
    }
    let subject = subject(name).ok_or_else(|| format!("`${name}` is not known to a gateway"))?;
    let (test, negated) = match operator {
        "" => (Test::Set, false),
        "=" => (Test::Equals(value.to_owned()), false),
        "!=" => (Test::Equals(value.to_owned()), true),
        "~" | "!~" | "~*" | "!~*" => (
            Test::Pattern {
                text: value.to_owned(),
                fold: operator.ends_with('*'),
            },
            operator.starts_with('!'),
        ),
        _ => return Err(format!("`{operator}` is no comparison")),
    };
    Ok(Condition {
        subject,
        test,
        negated,
    })
}

fn subject(name: &str) -> Option<Subject> {
    Some(match name {
        "request_method" => Subject::Method,
        "host" | "http_host" | "best_http_host" => Subject::Host,
        "scheme" | "pass_access_scheme" => Subject::Scheme,
        "request_uri" => Subject::Path { query: true },
        "uri" | "document_uri" => Subject::Path { query: false },
        _ => Subject::Header(name.strip_prefix("http_")?.replace('_', "-")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nginx_conf::parse;

    fn check(text: &str, expected: &str) {
        let (directives, _) = parse(&format!("if {text} {{ return 403; }}"));
        let shown = match condition(&directives[0]) {
            Ok(c) => format!(
                "{}{:?} {:?}",
                if c.negated { "not " } else { "" },
                c.subject,
                c.test
            ),
            Err(error) => error,
        };
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn conditions() {
        check("($request_method = POST)", "Method Equals(\"POST\")");
        check("( $scheme != https )", "not Scheme Equals(\"https\")");
        check(
            "($http_user_agent ~* \"bad bot\")",
            "Header(\"user-agent\") Pattern { text: \"bad bot\", fold: true }",
        );
        check("($http_x = \"\")", "Header(\"x\") Equals(\"\")");
        check("($http_x)", "Header(\"x\") Set");
        check(
            "($request_uri !~ ^/(a|b)$)",
            "not Path { query: true } Pattern { text: \"^/(a|b)$\", fold: false }",
        );
        check("(-f /x)", "`-f` tests a file, and a gateway has none");
        check(
            "($geoip_country = DE)",
            "`$geoip_country` is not known to a gateway",
        );
        check(
            "($host = $http_x)",
            "`$http_x` is compared with another variable",
        );
        check("$host = x", "an `if` without a parenthesis");
    }
}

//! Conditions on a request, as matches of a rule.

use gateway_api::httproutes::{
    HttpRouteRulesMatchesHeaders, HttpRouteRulesMatchesHeadersType, HttpRouteRulesMatchesMethod,
};
use gatewright_model::pattern::{Pattern, after_anchor, escape_re2};
use gatewright_model::{Condition, Host, HostName, Model, Step, Subject, Test};

use super::clients;
use crate::infra;
use crate::rule::Section;

/// What a condition comes to.
pub(super) enum Applies<'a> {
    Always,
    Never,
    /// On one of the listeners.
    Scheme(Section),
    Header(HttpRouteRulesMatchesHeaders),
    UnlessHeader(HttpRouteRulesMatchesHeaders),
    Methods(Vec<HttpRouteRulesMatchesMethod>),
    /// With any other method.
    UnlessMethods(Vec<HttpRouteRulesMatchesMethod>),
    Path {
        test: &'a Test,
        query: bool,
    },
}

/// The methods that Gateway API knows.
fn methods() -> [(&'static str, HttpRouteRulesMatchesMethod); 9] {
    use HttpRouteRulesMatchesMethod as M;
    [
        ("GET", M::Get),
        ("HEAD", M::Head),
        ("POST", M::Post),
        ("PUT", M::Put),
        ("DELETE", M::Delete),
        ("CONNECT", M::Connect),
        ("OPTIONS", M::Options),
        ("TRACE", M::Trace),
        ("PATCH", M::Patch),
    ]
}

/// The matches of a condition; the error says why there are none.
pub(super) fn applies<'a>(
    when: &'a Condition,
    host: &Host,
    model: &Model,
) -> Result<Applies<'a>, String> {
    let flip = |holds: bool| {
        if holds == when.negated {
            Applies::Never
        } else {
            Applies::Always
        }
    };
    match &when.subject {
        Subject::Scheme => {
            let (http, https) = (holds(&when.test, "http")?, holds(&when.test, "https")?);
            Ok(match (http != when.negated, https != when.negated) {
                (true, true) => Applies::Always,
                (false, false) => Applies::Never,
                (true, false) => Applies::Scheme(Section::Http),
                (false, true) => Applies::Scheme(Section::Https),
            })
        }
        Subject::Host => {
            if let HostName::Exact(name) = &host.name {
                return Ok(flip(holds(&when.test, name)?));
            }
            let pattern = match (&when.test, &host.name) {
                (Test::Set, _) => return Ok(flip(true)),
                (Test::Equals(name), HostName::OneLabel(parent)) if !is_below(name, parent) => {
                    return Ok(flip(false));
                }
                (Test::Equals(name), _) => format!("(?i){}(?::[0-9]+)?", escape_re2(name)),
                // The header of a match is named once, and the wildcard needs it.
                (Test::Pattern { .. }, HostName::OneLabel(_)) => {
                    return Err("a pattern of the host, below a wildcard host".to_owned());
                }
                (Test::Pattern { text, fold }, _) => found(text, *fold)?,
            };
            Ok(header(when, matching("Host", pattern)))
        }
        Subject::Header(name) if !is_as_sent(name, when.negated, model) => Err(format!(
            "Envoy changes the header `{name}` before it is compared"
        )),
        Subject::Header(name) => match &when.test {
            Test::Equals(value) if value.is_empty() => {
                let any = matching(name, ".+".to_owned());
                Ok(if when.negated {
                    Applies::Header(any)
                } else {
                    Applies::UnlessHeader(any)
                })
            }
            Test::Equals(value) => Ok(header(when, exactly(name, value))),
            Test::Set => Ok(header(when, matching(name, "[^0].*|0.+".to_owned()))),
            Test::Pattern { text, fold } => {
                if parse(text, *fold)?.matches_prefix("") != Some(false) {
                    return Err("it also holds for requests without the header".to_owned());
                }
                Ok(header(when, matching(name, found(text, *fold)?)))
            }
        },
        Subject::Method => method(when),
        Subject::Path { .. } if when.negated => {
            Err("a path that must not match cannot be said".to_owned())
        }
        Subject::Path { query } => Ok(Applies::Path {
            test: &when.test,
            query: *query,
        }),
    }
}

/// Headers that Envoy itself removes, sets or adds before it looks for a rule
/// (`ConnectionManagerUtility::mutateRequestHeaders`), or that belong to a connection.
const CHANGED: [&str; 14] = [
    "connection",
    "expect",
    "http2-settings",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-forwarded-client-cert",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-scheme",
    "x-request-id",
];

/// What a person can do about the condition of a step that cannot be written.
pub(super) fn remedy(step: &Step, model: &Model) -> &'static str {
    match step.when.as_ref().map(|when| &when.subject) {
        Some(Subject::Header(name))
            if name.eq_ignore_ascii_case("x-forwarded-proto") && !model.globals.forwarded.trust =>
        {
            "if a proxy in front sets the header, write `use-forwarded-headers: \"true\"` in the controller's ConfigMap, which leaves it as it is sent; to redirect to HTTPS, `force-ssl-redirect` looks at it then and needs no snippet"
        }
        _ => "simplify the condition, or let the application decide",
    }
}

/// Whether rules see a header as the client sent it, or take more requests for it.
fn is_as_sent(name: &str, negated: bool, model: &Model) -> bool {
    let name = name.to_ascii_lowercase();
    // It is left alone where it is trusted, and says the scheme where there is none.
    if name == "x-forwarded-proto" && model.globals.forwarded.trust && !negated {
        return true;
    }
    !(CHANGED.contains(&name.as_str())
        || name.starts_with("x-envoy-")
        || clients::HEADERS.contains(&name.as_str())
        || infra::changes_early(model, &name))
}

/// Whether a name is one label in front of a parent domain.
fn is_below(name: &str, parent: &str) -> bool {
    let label = name
        .strip_suffix(parent)
        .and_then(|rest| rest.strip_suffix('.'));
    label.is_some_and(|label| !label.is_empty() && !label.contains('.'))
}

fn method(when: &Condition) -> Result<Applies<'_>, String> {
    let mut known = Vec::new();
    for (name, method) in methods() {
        if holds(&when.test, name)? {
            known.push(method);
        }
    }
    if when.negated {
        // Other methods than Gateway API knows get the answer, too.
        return Ok(Applies::UnlessMethods(known));
    }
    // Every method that it holds for must be one of those.
    let named: Vec<&str> = match &when.test {
        Test::Equals(name) => vec![name],
        Test::Pattern { text, fold: false } => {
            let inner = text
                .strip_prefix('^')
                .and_then(|text| text.strip_suffix('$'))
                .map(|text| {
                    text.strip_prefix('(')
                        .and_then(|text| text.strip_suffix(')'))
                        .ok_or(text)
                });
            match inner {
                Some(Ok(list)) => list.trim_start_matches("?:").split('|').collect(),
                Some(Err(one)) => vec![one],
                None => Vec::new(),
            }
        }
        _ => Vec::new(),
    };
    let all = |name: &&str| methods().iter().any(|(known, _)| known == name);
    if named.is_empty() || !named.iter().all(all) {
        return Err(
            "name whole methods, as in `^(PUT|DELETE)$`, that Gateway API knows".to_owned(),
        );
    }
    Ok(Applies::Methods(known))
}

fn header(when: &Condition, header: HttpRouteRulesMatchesHeaders) -> Applies<'static> {
    if when.negated {
        Applies::UnlessHeader(header)
    } else {
        Applies::Header(header)
    }
}

/// Whether a test holds for a text that is known.
fn holds(test: &Test, text: &str) -> Result<bool, String> {
    match test {
        Test::Equals(value) => Ok(value == text),
        Test::Set => Ok(!text.is_empty() && text != "0"),
        Test::Pattern {
            text: pattern,
            fold,
        } => parse(&format!(".*(?:{pattern})"), *fold)?
            .matches_prefix(text)
            .ok_or_else(|| "the pattern cannot be evaluated".to_owned()),
    }
}

/// A pattern that may be found anywhere, as one that begins where the text does.
pub(super) fn anchored(text: &str) -> String {
    match after_anchor(text) {
        Some(rest) => rest.to_owned(),
        None => format!(".*?(?:{text})"),
    }
}

pub(super) fn parse(text: &str, fold: bool) -> Result<Pattern, String> {
    let pattern = if fold {
        Pattern::parse(text)
    } else {
        Pattern::parse_case_sensitive(text)
    };
    pattern.map_err(|error| format!("the pattern is not valid: {error}"))
}

/// The RE2 text that matches a whole value in which the pattern is found.
fn found(text: &str, fold: bool) -> Result<String, String> {
    parse(text, fold)?
        .to_re2()
        .map(|re2| re2.match_anywhere())
        .map_err(|_| "RE2 cannot say this pattern".to_owned())
}

fn exactly(name: &str, value: &str) -> HttpRouteRulesMatchesHeaders {
    HttpRouteRulesMatchesHeaders {
        name: name.to_owned(),
        r#type: Some(HttpRouteRulesMatchesHeadersType::Exact),
        value: value.to_owned(),
    }
}

fn matching(name: &str, value: String) -> HttpRouteRulesMatchesHeaders {
    HttpRouteRulesMatchesHeaders {
        name: name.to_owned(),
        r#type: Some(HttpRouteRulesMatchesHeadersType::RegularExpression),
        value,
    }
}

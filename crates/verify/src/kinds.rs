//! The kinds of requests for one path: values of method, headers and query that some test tells
//! apart.

use std::collections::BTreeMap;

use gatewright_model::eval::{self, Request};
use gatewright_model::{Action, Host, Model, Route, Subject};

use crate::automaton::classes;
use crate::envoy::{Client, Entry, PathChange, PathTest, Rule};
use crate::journey::normal;
use crate::nginx;
use crate::path::Walks;

/// Requests that are looked at for one set of paths.
const COMBINATIONS: usize = 4_096;
/// Methods, the usual one first.
const METHODS: [&str; 10] = [
    "GET", "POST", "OPTIONS", "HEAD", "PUT", "DELETE", "PATCH", "CONNECT", "TRACE", "PROPFIND",
];
/// Well-formed cookies.
const COOKIES: &str = r"\A(?:[!#-'*+.0-9A-Z^-z|~-]+=[!#-+.-:<-\[\]-~-]*(?:; |\z))*\z";
/// What Envoy sets itself, whatever the client sends.
const SET_BY_ENVOY: [&str; 3] = ["host", "x-request-id", "x-forwarded-for"];

/// What may become of the requests for some paths.
pub(crate) struct Way<'w> {
    pub(crate) host: Option<&'w Host>,
    pub(crate) route: Option<&'w Route>,
    /// Entries that may take them, in order.
    pub(crate) entries: &'w [&'w Entry],
    pub(crate) client: &'w Client,
}

/// Values of one part of requests, the plainest first; none is that it is not there.
type Values = Vec<Option<String>>;

/// Makes requests of every kind.
pub(crate) struct Kinds<'m> {
    model: &'m Model,
    name: String,
    secure: bool,
    memory: &'m mut Memory,
}

/// What was worked out before: hosts of a cluster have much in common.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) walks: Walks,
    /// Values that tell a list of languages apart.
    values: BTreeMap<(String, Vec<String>), Result<Values, String>>,
}

impl<'m> Kinds<'m> {
    pub(crate) fn new(model: &'m Model, name: &str, secure: bool, memory: &'m mut Memory) -> Self {
        Self {
            model,
            name: name.to_owned(),
            secure,
            memory,
        }
    }

    /// A request of every kind that the route and the entries tell apart at a path; and why some
    /// are missing, if so.
    pub(crate) fn requests(&mut self, way: &Way<'_>, path: &str) -> (Vec<Request>, Option<String>) {
        let Way {
            host,
            route,
            entries,
            client,
        } = *way;
        let plain = Request::get(self.secure, self.name.as_str(), path);
        let mut doubt = None;
        let mut all = vec![plain.clone()];
        let mut grow = |vary: &dyn Fn(&Request) -> Vec<Request>| {
            let mut grown = Vec::new();
            for request in &all {
                grown.extend(vary(request));
                if grown.len() > COMBINATIONS {
                    doubt = Some(format!(
                        "more than {COMBINATIONS} combinations of methods and headers at one path"
                    ));
                    grown.truncate(COMBINATIONS);
                    break;
                }
            }
            all = grown;
        };
        let methods = self.methods(route, entries);
        grow(&|request| {
            let with = |method: &&str| Request {
                method: (*method).to_owned(),
                ..request.clone()
            };
            methods.iter().map(with).collect()
        });
        let mut missing = None;
        let tests = self.headers(route, entries, client);
        // Nobody looks at these one by one, so they are forged all together.
        let forged: Vec<(String, String)> = host
            .zip(route)
            .map(|(host, route)| nginx::withheld(host, route))
            .unwrap_or_default()
            .into_iter()
            .filter(|name| !tests.contains_key(name))
            .map(|name| (name, "forged".to_owned()))
            .collect();
        if !forged.is_empty() {
            grow(&|request| {
                let mut other = request.clone();
                other.headers.extend(forged.iter().cloned());
                vec![request.clone(), other]
            });
        }
        for (name, languages) in tests {
            match self.values(&name, languages) {
                Ok(values) => grow(&|request| {
                    let with = |value: &Option<String>| {
                        let mut request = request.clone();
                        if let Some(value) = value {
                            request.headers.push((name.clone(), value.clone()));
                        }
                        request
                    };
                    values.iter().map(with).collect()
                }),
                Err(why) => missing = Some(format!("values of the header `{name}`: {why}")),
            }
        }
        let queries = self.queries(route, entries, &mut missing);
        grow(&|request| {
            let with = |query: &Option<String>| Request {
                query: query.clone(),
                ..request.clone()
            };
            queries.iter().map(with).collect()
        });
        (all, doubt.or(missing))
    }

    fn methods(&self, route: Option<&Route>, entries: &[&Entry]) -> Vec<&'static str> {
        let when: Vec<_> = route
            .iter()
            .flat_map(|route| nginx::conditions(route))
            .filter(|when| when.subject == Subject::Method)
            .collect();
        let options = route.is_some_and(|route| route.policies.cors.is_some());
        let mut kinds: Vec<(Vec<bool>, &str)> = Vec::new();
        for method in METHODS {
            let mut request = Request::get(self.secure, self.name.as_str(), "/");
            method.clone_into(&mut request.method);
            let mut kind: Vec<bool> = when
                .iter()
                .map(|when| eval::holds(when, self.model, &request))
                .collect();
            kind.extend(
                entries
                    .iter()
                    .filter_map(|e| e.method.as_deref())
                    .map(|m| m == method),
            );
            kind.push(options && method == "OPTIONS");
            if !kinds.iter().any(|(known, _)| *known == kind) {
                kinds.push((kind, method));
            }
        }
        kinds.into_iter().map(|(_, method)| method).collect()
    }

    fn headers(
        &self,
        route: Option<&Route>,
        entries: &[&Entry],
        client: &Client,
    ) -> BTreeMap<String, Vec<String>> {
        let mut tests: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let own = route
            .iter()
            .flat_map(|route| nginx::header_tests(self.model, route));
        for (name, language) in own {
            tests.entry(name).or_default().push(language);
        }
        for (name, test) in entries.iter().flat_map(|entry| &entry.headers) {
            let skip = SET_BY_ENVOY.contains(&name.as_str())
                || name == "x-forwarded-proto" && !client.trusts;
            if !skip {
                tests.entry(name.clone()).or_default().push(test.language());
            }
        }
        for (name, test) in entries.iter().flat_map(|entry| &entry.cookies) {
            let inner = test.language();
            let inner = inner.trim_start_matches(r"(?-u)");
            let inner = inner.trim_start_matches(r"\A").trim_end_matches(r"\z");
            let language = format!(r"\A(?:.*; ?)?{}=(?:{inner})(?:;.*)?\z", regex::escape(name));
            tests.entry("cookie".to_owned()).or_default().push(language);
        }
        for languages in tests.values_mut() {
            languages.sort();
            languages.dedup();
        }
        tests
    }

    fn values(&mut self, name: &str, languages: Vec<String>) -> Result<Values, String> {
        let base = match name {
            "content-length" => r"\A(?:0|[1-9][0-9]{0,18})\z",
            "x-forwarded-proto" => r"\Ahttps?\z",
            // `cookie-string` of RFC 6265, section 4.2.1.
            "cookie" => COOKIES,
            _ => r"\A(?:[!-~](?:[ -~]*[!-~])?)?\z",
        };
        let key = (name.to_owned(), languages);
        if let Some(known) = self.memory.values.get(&key) {
            return known.clone();
        }
        let values = classes(base, &key.1)
            .map(|found| {
                let texts = found.into_iter().map(|(text, _)| Some(text));
                std::iter::once(None).chain(texts).collect()
            })
            .map_err(|why| why.0);
        self.memory.values.insert(key, values.clone());
        values
    }

    fn queries(
        &mut self,
        route: Option<&Route>,
        entries: &[&Entry],
        missing: &mut Option<String>,
    ) -> Values {
        let mut tests: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (name, test) in entries.iter().flat_map(|entry| &entry.query) {
            tests.entry(name).or_default().push(test.language());
        }
        let mut queries: Values = vec![None];
        if route.is_some_and(nginx::sees_query) {
            queries.push(Some("q=1".to_owned()));
        }
        for (name, languages) in tests {
            match self.values("", languages) {
                Ok(values) => {
                    let old = queries.clone();
                    for value in values.into_iter().flatten() {
                        queries.extend(old.iter().map(|query| {
                            let own = format!("{name}={value}");
                            Some(match query {
                                Some(query) => format!("{query}&{own}"),
                                None => own,
                            })
                        }));
                    }
                }
                Err(why) => *missing = Some(format!("values of the parameter `{name}`: {why}")),
            }
        }
        queries
    }
}

/// Whether the path that a backend sees is certainly the same on both sides: it is that of the
/// request, a fixed one, or the same pattern with the same substitution.
pub(crate) fn same_rewrite(route: Option<&Route>, rule: &Rule) -> bool {
    let Some(Action::Forward(forward)) = route.map(|route| &route.action) else {
        return false;
    };
    let edited = route.is_some_and(|route| route.policies.path_edit.is_some());
    match (&forward.rewrite, &rule.path) {
        _ if edited => false,
        (None, None) => true,
        (Some(rewrite), Some(PathChange::Full(path))) => *path == rewrite.target,
        (
            Some(rewrite),
            Some(PathChange::Pattern {
                text, substitution, ..
            }),
        ) => {
            let own = rewrite
                .pattern
                .trim_start_matches('^')
                .trim_end_matches('$');
            let other = text.trim_start_matches("^(?i)");
            let rest = other.strip_prefix(own);
            // Letters, digits, slashes, `(.*)` and `(/|$)` mean the same on both sides.
            let plain = own
                .replace("(.*)", "")
                .replace("(/|$)", "")
                .replace("(.+)", "");
            let simple = plain
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"/-_".contains(&b));
            let target = substitution.replace('\\', "$");
            text.starts_with("^(?i)")
                && simple
                && matches!(rest, Some("$" | ".*$"))
                && target == rewrite.target
        }
        _ => false,
    }
}

/// Paths to try where they are too many: the texts of both sides, and some around them.
pub(crate) fn guesses(routes: &[Route], entries: &[Entry]) -> Vec<String> {
    let mut paths = Vec::new();
    let texts = routes.iter().map(|route| route.matcher.text());
    let others = entries.iter().map(|entry| match &entry.path {
        PathTest::Exact(text) | PathTest::Prefix(text) | PathTest::Pattern(text) => text.as_str(),
    });
    for text in texts.chain(others) {
        let head: String = text
            .trim_start_matches(['^', '('])
            .trim_start_matches("?i)")
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || "/-_.".contains(*c))
            .collect();
        let head = head.trim_end_matches('/');
        for tail in ["", "/", "/a", "/a/b", "a", "-1", "/1"] {
            let path = format!("{head}{tail}");
            if path == normal(&path) && !paths.contains(&path) {
                paths.push(path);
            }
        }
    }
    paths
}

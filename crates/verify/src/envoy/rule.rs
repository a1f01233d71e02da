//! Rules of routes, each with one entry for every match, in the order of Envoy Gateway.

use std::cmp::Reverse;

use gatewright_source::Span;
use regex::bytes::Regex;
use serde_json::Value;

use super::listener::Listener;
use super::{guards, policy, reference};
use crate::behaviour::{Guards, Share};
use crate::objects::{Object, Objects, at, items, text};
use crate::re2;

/// What a rule does with the requests that it takes.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    /// `HTTPRoute shop/web, rule root`.
    pub(crate) title: String,
    pub(crate) span: Span,
    pub(crate) effect: Effect,
    pub(crate) path: Option<PathChange>,
    pub(crate) authority: Option<AuthorityChange>,
    pub(crate) copies: Vec<crate::behaviour::Place>,
    /// Request headers, in lower case, that are removed or set.
    pub(crate) withheld: Vec<String>,
    pub(crate) guards: Guards,
    /// Policies that hold for it, the most specific of each kind first.
    pub(crate) policies: Vec<String>,
    /// Scripts or services see its requests, and are not interpreted.
    pub(crate) extended: bool,
}

/// How a rule answers.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    /// By itself; `Location` may hold operators.
    Direct {
        code: u16,
        location: Option<String>,
    },
    /// `RequestRedirect`.
    Redirect(Value),
    Forward(Vec<Share>),
    /// With 500, because of a fault in the objects.
    Broken(String),
}

/// Another path for the backend.
#[derive(Clone, Debug)]
pub(crate) enum PathChange {
    Full(String),
    /// What the prefix of the match becomes.
    Prefix(String),
    /// Every match of a pattern is replaced.
    Pattern {
        regex: Regex,
        text: String,
        substitution: String,
    },
}

/// Another authority for the backend.
#[derive(Clone, Debug)]
pub(crate) enum AuthorityChange {
    Literal(String),
    Header(String),
    Other(String),
}

/// One match of a rule.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) path: PathTest,
    pub(crate) method: Option<String>,
    pub(crate) headers: Vec<(String, ValueTest)>,
    pub(crate) cookies: Vec<(String, ValueTest)>,
    pub(crate) query: Vec<(String, ValueTest)>,
    /// Index of the rule.
    pub(crate) rule: usize,
}

/// How a path is compared.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum PathTest {
    Exact(String),
    /// Without final slash; empty for all paths.
    Prefix(String),
    Pattern(String),
}

/// How a value is compared.
#[derive(Clone, Debug)]
pub(crate) enum ValueTest {
    Equals(String),
    Pattern(Regex),
}

impl ValueTest {
    fn new(value: &Value) -> Result<Self, String> {
        let wanted = text(value, "value").to_owned();
        if text(value, "type") == "RegularExpression" {
            Ok(Self::Pattern(compile(&wanted)?))
        } else {
            Ok(Self::Equals(wanted))
        }
    }

    pub(crate) fn holds(&self, value: &str) -> bool {
        match self {
            Self::Equals(wanted) => value == wanted,
            Self::Pattern(regex) => regex.is_match(value.as_bytes()),
        }
    }

    /// All values that it takes, in Rust's syntax.
    pub(crate) fn language(&self) -> String {
        match self {
            Self::Equals(wanted) => format!(r"\A{}\z", regex::escape(wanted)),
            Self::Pattern(regex) => regex.as_str().to_owned(),
        }
    }
}

fn compile(pattern: &str) -> Result<Regex, String> {
    Regex::new(&re2::whole(pattern)?).map_err(|error| error.to_string())
}

impl PathTest {
    /// All paths that it takes, in Rust's syntax.
    pub(crate) fn language(&self) -> Result<String, String> {
        Ok(match self {
            Self::Exact(path) => format!(r"(?-u)\A{}\z", regex::escape(path)),
            Self::Prefix(path) => format!(r"(?-u)\A{}(?:/(?s:.)*)?\z", regex::escape(path)),
            Self::Pattern(text) => re2::whole(text)?,
        })
    }

    /// Whether it takes a path.
    pub(crate) fn takes(&self, path: &str) -> bool {
        match self {
            Self::Exact(own) => path == own,
            Self::Prefix(own) => path
                .strip_prefix(own.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
            Self::Pattern(text) => compile(text).is_ok_and(|regex| regex.is_match(path.as_bytes())),
        }
    }

    /// Rank by kind, then length of the text (`internal/gatewayapi/sort.go`).
    fn rank(&self) -> (u8, usize) {
        match self {
            Self::Exact(path) => (2, path.len()),
            Self::Pattern(text) => (1, text.len()),
            Self::Prefix(path) => (0, path.len()),
        }
    }

    fn new(value: &Value) -> Self {
        let wanted = value["value"].as_str().unwrap_or("/");
        match text(value, "type") {
            "Exact" => Self::Exact(wanted.to_owned()),
            "RegularExpression" => Self::Pattern(wanted.to_owned()),
            _ => Self::Prefix(wanted.strip_suffix('/').unwrap_or(wanted).to_owned()),
        }
    }
}

impl Rule {
    /// The paths in which its pattern is found, if it replaces one.
    pub(crate) fn path_language(&self) -> Option<String> {
        match &self.path {
            Some(PathChange::Pattern { text, .. }) => {
                re2::whole(&format!(r"(?s:.*)(?:{text})(?s:.*)")).ok()
            }
            _ => None,
        }
    }
}

impl Entry {
    /// What Envoy Gateway sorts by, the first to be asked first; equal ones keep their order.
    pub(crate) fn rank(&self) -> impl Ord + use<> {
        let exact = |test: &ValueTest| matches!(test, ValueTest::Equals(_));
        // A method is an exact header.
        let method = usize::from(self.method.is_some());
        let exact = self.headers.iter().filter(|(_, test)| exact(test)).count();
        Reverse((
            self.path.rank(),
            self.headers.len() + method,
            exact + method,
            self.cookies.len(),
            self.query.len(),
        ))
    }

    /// Whether it asks for nothing but a path.
    pub(crate) fn is_plain(&self) -> bool {
        self.method.is_none()
            && self.headers.is_empty()
            && self.cookies.is_empty()
            && self.query.is_empty()
    }
}

/// The rules of a route on a listener, and their entries in the order of writing.
pub(crate) fn rules(
    objects: &Objects,
    route: &Object,
    listener: &Listener,
    rules: &mut Vec<Rule>,
) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (at, value) in items(route.at("/spec/rules")).iter().enumerate() {
        let mut rule = rule(objects, route, at, value, listener);
        let cookies = cookies(objects, route, value);
        let matches = items(&value["matches"]);
        let all = [Value::Null];
        let matches = if matches.is_empty() { &all } else { matches };
        for found in matches {
            let read = entry(route, found, rules.len());
            match (read, cookies.clone()) {
                (Ok(mut entry), Ok(cookies)) => {
                    entry.cookies = cookies;
                    entries.push(entry);
                }
                // Envoy Gateway does not accept the match.
                (Err(why), _) | (_, Err(why)) => rule.effect = Effect::Broken(why),
            }
        }
        rules.push(rule);
    }
    entries
}

fn entry(route: &Object, found: &Value, rule: usize) -> Result<Entry, String> {
    let tests = |key: &str| -> Result<Vec<(String, ValueTest)>, String> {
        let mut tests: Vec<(String, ValueTest)> = Vec::new();
        for test in items(&found[key]) {
            let name = text(test, "name").to_ascii_lowercase();
            // Only the first of a name counts (Gateway API).
            if !tests.iter().any(|(known, _)| *known == name) {
                tests.push((name, ValueTest::new(test)?));
            }
        }
        Ok(tests)
    };
    let grpc = route.kind == "GRPCRoute";
    let path = if grpc {
        grpc_path(&found["method"])
    } else {
        PathTest::new(&found["path"])
    };
    if let PathTest::Pattern(text) = &path {
        compile(text)?;
    }
    Ok(Entry {
        path,
        method: found["method"]
            .as_str()
            .map(str::to_owned)
            .filter(|_| !grpc),
        headers: tests("headers")?,
        cookies: Vec::new(),
        query: tests("queryParams")?,
        rule,
    })
}

/// The path of a gRPC call is its service and method.
fn grpc_path(method: &Value) -> PathTest {
    let service = method["service"].as_str();
    let name = method["method"].as_str();
    if text(method, "type") == "RegularExpression" {
        let part = |text: Option<&str>| text.unwrap_or("[^/]+").to_owned();
        return PathTest::Pattern(format!("/{}/{}", part(service), part(name)));
    }
    match (service, name) {
        (Some(service), Some(name)) => PathTest::Exact(format!("/{service}/{name}")),
        (Some(service), None) => PathTest::Prefix(format!("/{service}")),
        (None, Some(name)) => PathTest::Pattern(format!("/.+/{name}")),
        (None, None) => PathTest::Prefix(String::new()),
    }
}

/// The filters that a rule refers to by name.
fn extensions<'o>(
    objects: &'o Objects,
    route: &Object,
    value: &Value,
) -> Result<Vec<&'o Object>, String> {
    let mut found = Vec::new();
    for filter in items(&value["filters"]) {
        let reference = &filter["extensionRef"];
        if text(filter, "type") != "ExtensionRef" {
            continue;
        }
        let name = text(reference, "name");
        match objects.find("HTTPRouteFilter", &route.namespace, name) {
            Some(object) if text(reference, "kind") == "HTTPRouteFilter" => found.push(object),
            _ => return Err(format!("{} {name} is not there", text(reference, "kind"))),
        }
    }
    Ok(found)
}

fn cookies(
    objects: &Objects,
    route: &Object,
    value: &Value,
) -> Result<Vec<(String, ValueTest)>, String> {
    let mut all = Vec::new();
    for filter in extensions(objects, route, value).unwrap_or_default() {
        for found in items(filter.at("/spec/matches")) {
            for cookie in items(&found["cookies"]) {
                all.push((text(cookie, "name").to_owned(), ValueTest::new(cookie)?));
            }
        }
    }
    Ok(all)
}

fn rule(objects: &Objects, route: &Object, at: usize, value: &Value, listener: &Listener) -> Rule {
    let name = text(value, "name");
    let title = match name {
        "" => format!("{}, rule {}", route.title(), at + 1),
        name => format!("{}, rule {name}", route.title()),
    };
    let mut rule = Rule {
        title,
        span: route.rules.get(at).copied().unwrap_or(route.span),
        effect: Effect::Broken(String::new()),
        path: None,
        authority: None,
        copies: Vec::new(),
        withheld: Vec::new(),
        guards: Guards::default(),
        policies: Vec::new(),
        extended: false,
    };
    if let Err(why) = fill(objects, route, value, name, listener, &mut rule) {
        rule.effect = Effect::Broken(why);
        rule.guards = Guards::default();
    }
    rule
}

fn fill(
    objects: &Objects,
    route: &Object,
    value: &Value,
    name: &str,
    listener: &Listener,
    rule: &mut Rule,
) -> Result<(), String> {
    for kind in [
        "SecurityPolicy",
        "BackendTrafficPolicy",
        "EnvoyExtensionPolicy",
    ] {
        let Some((spec, from)) = policy::effective(objects, kind, route, name, listener) else {
            continue;
        };
        rule.policies
            .extend(from.iter().map(|policy| policy.title()));
        match kind {
            "SecurityPolicy" => {
                guards::security(objects, &from[0].namespace, &spec, &mut rule.guards)?;
            }
            "BackendTrafficPolicy" => guards::traffic(&spec, &mut rule.guards),
            _ => rule.extended = true,
        }
    }
    rule.effect = effect(objects, route, value, rule)?;
    Ok(())
}

fn effect(
    objects: &Objects,
    route: &Object,
    value: &Value,
    rule: &mut Rule,
) -> Result<Effect, String> {
    let from = (route.kind.as_str(), route.namespace.as_str());
    for filter in items(&value["filters"]) {
        match text(filter, "type") {
            "RequestRedirect" => return Ok(Effect::Redirect(filter["requestRedirect"].clone())),
            "URLRewrite" => rewrite(&filter["urlRewrite"], rule)?,
            "RequestMirror" => {
                let to = &filter["requestMirror"]["backendRef"];
                rule.copies.push(reference::place(objects, from, to).0);
            }
            "RequestHeaderModifier" => {
                let modifier = &filter["requestHeaderModifier"];
                let removed = items(&modifier["remove"]).iter().filter_map(Value::as_str);
                let set = items(&modifier["set"])
                    .iter()
                    .map(|header| text(header, "name"));
                rule.withheld
                    .extend(removed.chain(set).map(str::to_ascii_lowercase));
            }
            _ => {}
        }
    }
    for filter in extensions(objects, route, value)? {
        let direct = filter.at("/spec/directResponse");
        if direct.is_object() {
            let headers = ["set", "add"].map(|key| items(&direct["header"][key]));
            let location = headers
                .into_iter()
                .flatten()
                .find(|header| text(header, "name").eq_ignore_ascii_case("location"))
                .map(|header| text(header, "value").to_owned());
            let code = crate::objects::small(&direct["statusCode"]).unwrap_or(200);
            return Ok(Effect::Direct { code, location });
        }
        rewrite(filter.at("/spec/urlRewrite"), rule)?;
    }
    let references = items(&value["backendRefs"]);
    if references.is_empty() {
        return Err("the rule has no backend".to_owned());
    }
    Ok(Effect::Forward(reference::shares(
        objects, from, references,
    )))
}

fn rewrite(value: &Value, rule: &mut Rule) -> Result<(), String> {
    match &value["hostname"] {
        Value::String(name) => rule.authority = Some(AuthorityChange::Literal(name.clone())),
        Value::Object(_) => {
            let hostname = &value["hostname"];
            rule.authority = Some(match text(hostname, "type") {
                "Header" => AuthorityChange::Header(text(hostname, "header").to_owned()),
                other => AuthorityChange::Other(other.to_owned()),
            });
        }
        _ => {}
    }
    let path = &value["path"];
    match text(path, "type") {
        "ReplaceFullPath" => {
            rule.path = Some(PathChange::Full(text(path, "replaceFullPath").to_owned()));
        }
        "ReplacePrefixMatch" => {
            rule.path = Some(PathChange::Prefix(
                text(path, "replacePrefixMatch").to_owned(),
            ));
        }
        "ReplaceRegexMatch" => {
            let pattern = text(at(path, "/replaceRegexMatch"), "pattern");
            let regex = Regex::new(&re2::anywhere(pattern)?).map_err(|e| e.to_string())?;
            rule.path = Some(PathChange::Pattern {
                regex,
                text: pattern.to_owned(),
                substitution: text(at(path, "/replaceRegexMatch"), "substitution").to_owned(),
            });
        }
        _ => {}
    }
    Ok(())
}

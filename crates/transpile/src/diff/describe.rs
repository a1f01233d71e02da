//! Differences in words.

use std::fmt::Write as _;

use serde_json::Value;

use super::Identity;

/// A step of the path to a field.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// A key of a map.
    Key(String),
    /// An item of the list of this key, with the name it is known by, or else its place.
    Item(String, Result<String, usize>),
}

/// A value longer than this is not shown in a sentence.
const LONG: usize = 60;

/// What a field of a policy does: its kind and key, what is said when it comes and when it goes.
const FEATURES: &[(&str, &str, &str, &str)] = &[
    (
        "SecurityPolicy",
        "basicAuth",
        "basic auth is asked for",
        "basic auth is no longer asked for",
    ),
    (
        "SecurityPolicy",
        "extAuth",
        "external authentication is asked for",
        "external authentication is no longer asked for",
    ),
    (
        "SecurityPolicy",
        "apiKeyAuth",
        "API keys are asked for",
        "API keys are no longer asked for",
    ),
    (
        "SecurityPolicy",
        "jwt",
        "tokens are asked for",
        "tokens are no longer asked for",
    ),
    (
        "SecurityPolicy",
        "oidc",
        "OpenID Connect is asked for",
        "OpenID Connect is no longer asked for",
    ),
    (
        "SecurityPolicy",
        "authorization",
        "clients are checked against a list",
        "clients are no longer checked against a list",
    ),
    (
        "SecurityPolicy",
        "cors",
        "CORS is answered",
        "CORS is no longer answered",
    ),
    (
        "BackendTrafficPolicy",
        "rateLimit",
        "requests are limited",
        "requests are no longer limited",
    ),
    (
        "BackendTrafficPolicy",
        "circuitBreaker",
        "connections to backends are limited",
        "connections to backends are no longer limited as set here",
    ),
    (
        "BackendTrafficPolicy",
        "timeout",
        "timeouts are set",
        "timeouts are no longer set",
    ),
    (
        "BackendTrafficPolicy",
        "retry",
        "retries are set",
        "retries are no longer set",
    ),
    (
        "BackendTrafficPolicy",
        "loadBalancer",
        "load balancing is set",
        "load balancing is no longer set",
    ),
    (
        "BackendTrafficPolicy",
        "compressor",
        "answers are compressed",
        "answers are no longer compressed",
    ),
    (
        "BackendTrafficPolicy",
        "responseOverride",
        "answers are replaced",
        "answers are no longer replaced",
    ),
    (
        "BackendTrafficPolicy",
        "requestBuffer",
        "the size of request bodies is limited",
        "the size of request bodies is no longer limited",
    ),
    (
        "ClientTrafficPolicy",
        "tls",
        "TLS to clients is set",
        "TLS to clients is no longer set",
    ),
    (
        "ClientTrafficPolicy",
        "clientValidation",
        "client certificates are asked for",
        "client certificates are no longer asked for",
    ),
    (
        "ClientTrafficPolicy",
        "clientIPDetection",
        "client addresses are taken from a header",
        "client addresses are no longer taken from a header",
    ),
    (
        "EnvoyExtensionPolicy",
        "lua",
        "scripts are run",
        "scripts are no longer run",
    ),
];

fn feature(kind: &str, key: &str, comes: bool) -> Option<&'static str> {
    let mut all = FEATURES.iter();
    let found = all.find(|feature| (feature.0, feature.1) == (kind, key))?;
    Some(if comes { found.2 } else { found.3 })
}

/// What it means that an object comes or goes, at least one sentence.
pub(super) fn whole(identity: &Identity, object: &Value, comes: bool) -> Vec<String> {
    let word = if comes { "added" } else { "removed" };
    let spec = object.get("spec").unwrap_or(&Value::Null);
    let kind = identity.kind.as_str();
    let mut said = Vec::new();
    for (key, value) in spec.as_object().into_iter().flatten() {
        let inner = value.as_object().into_iter().flatten().map(|(key, _)| key);
        for key in std::iter::once(key).chain(inner) {
            if let Some(feature) = feature(kind, key, comes) {
                said.push(format!(
                    "{word}: {feature} on {}",
                    targets(identity, object)
                ));
            }
        }
    }
    if said.is_empty() {
        let rules = spec.get("rules").and_then(Value::as_array);
        said.push(match rules {
            Some(rules) if kind.ends_with("Route") => {
                let s = if rules.len() == 1 { "" } else { "s" };
                format!("{word}: {} rule{s} for {}", rules.len(), hosts(spec))
            }
            _ => word.to_owned(),
        });
    }
    said
}

fn hosts(spec: &Value) -> String {
    let hosts = spec.get("hostnames").and_then(Value::as_array);
    match hosts.map(Vec::as_slice) {
        None | Some([]) => "every host".to_owned(),
        Some(hosts) => some(hosts.iter().filter_map(Value::as_str).map(quoted)),
    }
}

/// The first three, and how many follow.
fn some(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    let (head, tail) = items.split_at(items.len().min(3));
    let mut text = head.join(", ");
    if !tail.is_empty() {
        let _ = write!(text, " and {} more", tail.len());
    }
    text
}

fn quoted(text: &str) -> String {
    format!("`{text}`")
}

/// What a policy is for.
fn targets(identity: &Identity, object: &Value) -> String {
    let target = |reference: &Value| {
        let text = |key: &str| reference.get(key).and_then(Value::as_str);
        let mut said = format!(
            "{} {}/{}",
            text("kind").unwrap_or("object"),
            identity.namespace,
            text("name").unwrap_or_default()
        );
        if let Some(section) = text("sectionName") {
            let _ = write!(said, " `{section}`");
        }
        said
    };
    let refs = object.pointer("/spec/targetRefs").and_then(Value::as_array);
    match refs.map(Vec::as_slice) {
        None | Some([]) => "what its selectors find".to_owned(),
        Some(refs) => some(refs.iter().map(target)),
    }
}

/// What it means that a field differs.
pub(super) fn field(
    identity: &Identity,
    object: &Value,
    path: &[Step],
    before: Option<&Value>,
    after: Option<&Value>,
) -> String {
    let context = context(path);
    let said = match (path.last(), before, after) {
        (Some(Step::Key(key)), None, Some(_)) | (Some(Step::Key(key)), Some(_), None)
            if feature(&identity.kind, key, true).is_some() =>
        {
            let feature = feature(&identity.kind, key, after.is_some()).unwrap_or_default();
            format!("{feature} on {}", targets(identity, object))
        }
        (Some(Step::Item(list, Ok(label))), None, Some(item)) => {
            item_says(list, label, item, "added", "now for")
        }
        (Some(Step::Item(list, Ok(label))), Some(item), None) => {
            item_says(list, label, item, "removed", "no longer for")
        }
        (_, Some(before), Some(after)) => {
            format!("{} {} → {}", subject(path), short(before), short(after))
        }
        (_, None, Some(after)) => format!("{} {} added", subject(path), short(after)),
        (_, Some(before), None) => format!("{} {} removed", subject(path), short(before)),
        (_, None, None) => subject(path),
    };
    join(&context, &said)
}

/// What it means that items stand in another order.
pub(super) fn order(path: &[Step], before: &str, after: &str) -> String {
    let said = format!("order of {} {before} → {after}", subject(path));
    join(&context(path), &said)
}

fn join(context: &str, said: &str) -> String {
    if context.is_empty() {
        said.to_owned()
    } else {
        format!("{context}: {said}")
    }
}

fn item_says(list: &str, label: &str, item: &Value, word: &str, target: &str) -> String {
    match list {
        "rules" => {
            let matches = matches(item).unwrap_or_default();
            match action(item) {
                // An unnamed rule is known by its matches.
                Some(action) if matches == label => {
                    format!("rule `{label}` {word}: → {action}")
                }
                Some(action) => format!("rule `{label}` {word}: {matches} → {action}"),
                None => format!("rule `{label}` {word}"),
            }
        }
        "targetRefs" => format!("{target} {label}"),
        "hostnames" => format!("host `{label}` {word}"),
        _ => match noun(list) {
            Some(noun) => format!("{noun} `{label}` {word}"),
            None if item.is_string() => format!("`{list}` `{label}` {word}"),
            None => format!("`{list}` {} {word}", short(item)),
        },
    }
}

/// The named items that a path leads through, such as the rule.
fn context(path: &[Step]) -> String {
    let end = path.len().saturating_sub(1);
    let named = path[..end].iter().filter_map(|step| match step {
        Step::Item(list, Ok(label)) if list != "backendRefs" => {
            noun(list).map(|noun| format!("{noun} `{label}`"))
        }
        _ => None,
    });
    named.collect::<Vec<_>>().join(", ")
}

/// What an item of a list is called.
fn noun(list: &str) -> Option<&'static str> {
    Some(match list {
        "rules" => "rule",
        "listeners" => "listener",
        "backendRefs" => "backend",
        "parentRefs" => "parent",
        "certificateRefs" => "certificate",
        "caCertificateRefs" => "CA certificate",
        "filters" => "filter",
        "matches" => "match",
        "set" | "add" | "addIfAbsent" | "headers" => "header",
        "queryParams" => "query parameter",
        "compressor" => "compressor",
        _ => return None,
    })
}

/// The field itself, from the last named item on.
fn subject(path: &[Step]) -> String {
    if let [.., Step::Item(list, Ok(label)), Step::Key(key)] = path
        && list == "backendRefs"
    {
        return format!("{key} of backend `{label}`");
    }
    let from = path
        .iter()
        .rposition(|step| matches!(step, Step::Item(list, Ok(_)) if noun(list).is_some()))
        .map_or(0, |at| at + 1);
    let rest = &path[from.min(path.len().saturating_sub(1))..];
    let rest = match rest {
        [Step::Key(spec), rest @ ..] if spec == "spec" && !rest.is_empty() => rest,
        rest => rest,
    };
    quoted(&self::path(rest))
}

/// A path as text.
pub(super) fn path(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(key) if text.is_empty() => text.push_str(key),
            Step::Key(key) => {
                let _ = write!(text, ".{key}");
            }
            Step::Item(_, Ok(label)) => {
                let _ = write!(text, "[{label}]");
            }
            Step::Item(_, Err(at)) => {
                let _ = write!(text, "[{at}]");
            }
        }
    }
    text
}

/// A value in a sentence.
fn short(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) | Value::Null => return value.to_string(),
        Value::Array(_) | Value::Object(_) => value.to_string(),
    };
    if text.chars().count() <= LONG && !text.contains('\n') {
        quoted(&text)
    } else {
        let head: String = text
            .chars()
            .map(|c| if c == '\n' { ' ' } else { c })
            .take(LONG)
            .collect();
        format!("`{head}…`")
    }
}

/// What a reference names: `[Kind ][namespace/]name[:port][ section]`.
pub(super) fn reference(item: &Value) -> String {
    let text = |key: &str| {
        item.get(key)
            .and_then(Value::as_str)
            .filter(|t| !t.is_empty())
    };
    let mut said = String::new();
    if let Some(kind) = text("kind").filter(|kind| !matches!(*kind, "Service" | "Secret")) {
        let _ = write!(said, "{kind} ");
    }
    if let Some(namespace) = text("namespace") {
        let _ = write!(said, "{namespace}/");
    }
    said.push_str(text("name").unwrap_or_default());
    if let Some(port) = item.get("port").and_then(Value::as_u64) {
        let _ = write!(said, ":{port}");
    }
    if let Some(section) = text("sectionName") {
        let _ = write!(said, " {section}");
    }
    said.trim_end().to_owned()
}

/// What a rule matches; nothing for what is no rule of a route.
pub(super) fn matches(rule: &Value) -> Option<String> {
    let matches = rule.get("matches")?.as_array()?;
    Some(some(matches.iter().map(one_match)))
}

fn one_match(one: &Value) -> String {
    let mut parts = Vec::new();
    if let Some(method) = one.get("method").and_then(Value::as_str) {
        parts.push(method.to_owned());
    }
    if let Some(path) = one.get("path") {
        let text = |key: &str| path.get(key).and_then(Value::as_str).unwrap_or_default();
        parts.push(format!("{} {}", text("type"), text("value")));
    }
    for (list, noun) in [("headers", "header"), ("queryParams", "query")] {
        for item in one
            .get(list)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let text = |key: &str| item.get(key).and_then(Value::as_str).unwrap_or_default();
            parts.push(format!("{noun} {}={}", text("name"), text("value")));
        }
    }
    parts.join(" ")
}

/// What a rule of a route does with a request.
fn action(rule: &Value) -> Option<String> {
    rule.get("matches")?;
    let list = |key: &str| {
        rule.get(key)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    let backends: Vec<&Value> = list("backendRefs").collect();
    if !backends.is_empty() {
        let weighted = backends.len() > 1;
        return Some(some(backends.iter().map(|backend| {
            let mut said = quoted(&reference(backend));
            if weighted {
                let _ = write!(said, " (weight {})", backend["weight"]);
            }
            said
        })));
    }
    for filter in list("filters") {
        if let Some(redirect) = filter.get("requestRedirect") {
            return Some(format!("redirect {}", redirect["statusCode"]));
        }
        if let Some(extension) = filter.get("extensionRef") {
            return Some(quoted(&reference(extension)));
        }
    }
    Some("no backend".to_owned())
}

//! Mutants that no request tells from the original, decided without the checker.
//!
//! A decision of its own, from the texts alone and for Envoy's side only: the rules of a host
//! and a listener in the order of Envoy Gateway, every set of path tests that some path passes,
//! and every combination of the other tests. Where it gives no reason, nothing is claimed.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;
use serde_json::{Value, json};

use super::edit::Objects;
use super::faults::{list, text};
use super::paths::classes;

/// The original and the mutant serve every request alike.
pub(super) const SAME: &str = "no request is served otherwise";
/// They differ where the checker does not look.
const APART: &str = "only headers, retries, timeouts, balancing or who may see an answer of the proxy's own differ, which are not compared";

/// Another listener than those of the routes differs.
const UNUSED: &str =
    "no route is attached to the listener, and a name without a host is not compared";

/// So many tests of headers, methods and parameters on one host are combined.
const MAX_TESTS: usize = 10;

/// Why no difference can be found; nothing when there may be one.
pub(super) fn reason(original: &Objects, mutant: &Objects) -> Option<&'static str> {
    // What these say is not looked at here.
    let rest = |objects: &Objects| -> Vec<Value> {
        let others = objects.iter().filter(|object| {
            !matches!(
                text(object, "/kind"),
                "HTTPRoute"
                    | "HTTPRouteFilter"
                    | "SecurityPolicy"
                    | "BackendTrafficPolicy"
                    | "EnvoyExtensionPolicy"
            )
        });
        others.cloned().collect()
    };
    if rest(original) != rest(mutant) {
        let same = without_idle_names(original) == without_idle_names(mutant);
        return same.then_some(UNUSED);
    }
    for (compared, reason) in [(false, SAME), (true, APART)] {
        if alike(&Side::new(original, compared), &Side::new(mutant, compared))? {
            return Some(reason);
        }
    }
    None
}

/// The objects without the names of listeners that take every host of their routes.
fn without_idle_names(objects: &Objects) -> Objects {
    let routes = || {
        objects
            .iter()
            .filter(|object| text(object, "/kind").ends_with("Route"))
    };
    let mut kept = objects.clone();
    for gateway in kept.iter_mut().filter(|object| object["kind"] == "Gateway") {
        let own = |pointer| text(gateway, pointer).to_owned();
        let (namespace, name) = (own("/metadata/namespace"), own("/metadata/name"));
        let parent = |section: &str| {
            let kind = "Gateway".to_owned();
            (kind, namespace.clone(), name.clone(), section.to_owned())
        };
        let listeners_of = gateway.pointer_mut("/spec/listeners");
        for listener in listeners_of
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            let here = [parent(text(listener, "/name")), parent("")];
            let hostname = text(listener, "/hostname");
            let takes = |host: &String| host == hostname || covers(hostname, host);
            let mut attached = routes().filter(|route| {
                let all = listeners(route);
                here.iter().any(|parent| all.contains(parent))
            });
            if attached.all(|route| hosts(route).iter().all(takes)) {
                listener
                    .as_object_mut()
                    .map(|fields| fields.remove("hostname"));
            }
        }
    }
    kept
}

fn alike(one: &Side<'_>, other: &Side<'_>) -> Option<bool> {
    let spots: BTreeSet<_> = one.spots().into_iter().chain(other.spots()).collect();
    for (listener, host) in spots {
        if !same_at(&one.rules(&listener, &host), &other.rules(&listener, &host))? {
            return Some(false);
        }
    }
    Some(true)
}

/// Whether two lists of rules do the same; nothing when it cannot be told.
fn same_at(one: &[Entry], other: &[Entry]) -> Option<bool> {
    if one == other {
        return Some(true);
    }
    let all = || one.iter().chain(other);
    let patterns: BTreeSet<&str> = all()
        .flat_map(|entry| entry.rewrites.iter().map(|(pattern, _)| pattern.as_str()))
        .chain(all().map(|entry| entry.path.as_str()))
        .collect();
    let patterns: Vec<&str> = patterns.into_iter().collect();
    let tests: BTreeSet<&str> = all()
        .flat_map(|entry| entry.tests.iter().map(String::as_str))
        .collect();
    let tests: Vec<&str> = tests.into_iter().collect();
    if tests.len() > MAX_TESTS {
        return None;
    }
    for class in classes(&patterns)? {
        let passes = |pattern: &str| {
            let at = patterns.iter().position(|known| *known == pattern);
            at.is_some_and(|at| class.contains(&at))
        };
        for chosen in 0_u32..1 << tests.len() {
            let held = |at: &usize| chosen & (1 << at) != 0;
            let all: Vec<&str> = (0..tests.len()).filter(held).map(|at| tests[at]).collect();
            if all
                .iter()
                .any(|one| all.iter().any(|other| exclude(one, other)))
            {
                continue;
            }
            let holds = |test: &String| {
                let at = tests.iter().position(|known| known == test);
                at.is_some_and(|at| chosen & (1 << at) != 0)
            };
            let served = |entries: &[Entry]| {
                let mut takes = entries
                    .iter()
                    .filter(|entry| passes(&entry.path) && entry.tests.iter().all(holds));
                takes.next().map_or_else(
                    || NOT_FOUND.to_owned(),
                    |entry| {
                        let mut action = entry.action.clone();
                        for (pattern, rewrite) in &entry.rewrites {
                            if passes(pattern) {
                                action.push_str(rewrite);
                            }
                        }
                        action
                    },
                )
            };
            if served(one) != served(other) {
                return Some(false);
            }
        }
    }
    Some(true)
}

/// Whether no request passes both tests: a header has one value, and so has the method.
fn exclude(one: &str, other: &str) -> bool {
    let parts = |test: &str| -> Option<(String, String)> {
        let (kind, json) = test.split_once(' ')?;
        let value: Value = serde_json::from_str(json).ok()?;
        match kind {
            "method" => Some((kind.to_owned(), value.to_string())),
            "headers" if text(&value, "/type") != "RegularExpression" => {
                let name = text(&value, "/name").to_ascii_lowercase();
                Some((name, text(&value, "/value").to_owned()))
            }
            _ => None,
        }
    };
    match (parts(one), parts(other)) {
        (Some((name, value)), Some((other, different))) => name == other && value != different,
        _ => false,
    }
}

/// What is answered when no rule takes a request.
const NOT_FOUND: &str = "404";

/// A match of a rule.
#[derive(Clone, Debug, PartialEq)]
struct Entry {
    /// A pattern for the whole path.
    path: String,
    /// All else that has to hold.
    tests: Vec<String>,
    /// What is done, but for the rewrites that depend on the path.
    action: String,
    /// Patterns, and the rewrite of a path that matches.
    rewrites: Vec<(String, String)>,
}

impl Entry {
    /// Leaves out tests of the host that it passes; whether it passes all of them.
    fn settle(&mut self, host: &str) -> bool {
        // Below a wildcard there are several hosts.
        if host.starts_with('*') {
            return true;
        }
        let mut passes = true;
        self.tests.retain(|test| {
            let header = test
                .strip_prefix("headers ")
                .and_then(|json| serde_json::from_str::<Value>(json).ok())
                .filter(|header| text(header, "/name").eq_ignore_ascii_case("host"));
            let pattern = header.filter(|header| text(header, "/type") == "RegularExpression");
            let regex = pattern.and_then(|header| {
                regex::Regex::new(&format!("^(?:{})$", text(&header, "/value"))).ok()
            });
            let Some(regex) = regex else { return true };
            passes &= regex.is_match(host);
            false
        });
        passes
    }
}

/// A listener: kind, namespace, name and section of a parent.
type Listener = (String, String, String, String);

struct Side<'a> {
    objects: &'a Objects,
    /// Leaves out what the checker does not compare.
    compared: bool,
}

impl<'a> Side<'a> {
    const fn new(objects: &'a Objects, compared: bool) -> Self {
        Self { objects, compared }
    }

    fn routes(&self) -> impl Iterator<Item = &'a Value> {
        self.objects
            .iter()
            .filter(|object| object["kind"] == "HTTPRoute")
    }

    /// Where requests are told apart: every host that a route names, on every listener.
    fn spots(&self) -> BTreeSet<(Listener, String)> {
        let mut spots = BTreeSet::new();
        for route in self.routes() {
            for listener in listeners(route) {
                for host in hosts(route) {
                    if self.takes(&listener, &host) {
                        spots.insert((listener.clone(), host));
                    }
                }
            }
        }
        spots
    }

    /// Whether a listener takes requests for a host.
    fn takes(&self, listener: &Listener, host: &str) -> bool {
        let (kind, namespace, name, section) = listener;
        let parents = self.objects.iter().filter(|object| {
            text(object, "/kind") == kind
                && text(object, "/metadata/namespace") == namespace
                && text(object, "/metadata/name") == name
        });
        let mut own = parents
            .flat_map(|parent| list(parent, "/spec/listeners"))
            .filter(|listener| section.is_empty() || text(listener, "/name") == section)
            .peekable();
        own.peek().is_none()
            || own.any(|listener| match text(listener, "/hostname") {
                "" => true,
                own => host == own || covers(own, host) || covers(host, own),
            })
    }

    /// The rules for a host on a listener: of the routes that name it, or else of those with the
    /// longest wildcard for it, or else of those for all.
    fn rules(&self, listener: &Listener, host: &str) -> Vec<Entry> {
        let here = |route: &&Value| listeners(route).contains(listener);
        let names: BTreeSet<String> = self.routes().filter(here).flat_map(hosts).collect();
        let fits = |name: &&String| *name == host || *name == "*" || covers(name, host);
        // The longest is the name itself, if it is there.
        let best = names.iter().filter(fits).max_by_key(|name| name.len());
        let Some(best) = best else { return Vec::new() };
        let mut routes: Vec<&Value> = self
            .routes()
            .filter(here)
            .filter(|route| hosts(route).contains(best))
            .collect();
        let key = |route: &Value| {
            let meta = |key: &str| text(route, &format!("/metadata/{key}")).to_owned();
            (meta("namespace"), meta("name"))
        };
        routes.sort_by_key(|route| key(route));
        let mut ranked = Vec::new();
        for route in routes {
            for rule in list(route, "/spec/rules") {
                for one in list(rule, "/matches") {
                    let mut entry = self.entry(route, rule, one);
                    if !entry.settle(host) {
                        continue;
                    }
                    ranked.push((rank(one), entry));
                }
            }
        }
        ranked.sort_by_key(|(rank, _)| std::cmp::Reverse(*rank));
        ranked.into_iter().map(|(_, entry)| entry).collect()
    }

    fn entry(&self, route: &Value, rule: &Value, one: &Value) -> Entry {
        let value = text(one, "/path/value");
        let path = match text(one, "/path/type") {
            "Exact" => regex::escape(value),
            "RegularExpression" => value.to_owned(),
            _ => format!("{}(?:/.*)?", regex::escape(value.trim_end_matches('/'))),
        };
        let mut tests: Vec<String> = Vec::new();
        for key in ["headers", "queryParams"] {
            tests.extend(
                list(one, &format!("/{key}"))
                    .iter()
                    .map(|test| format!("{key} {test}")),
            );
        }
        tests.extend(one.get("method").map(|method| format!("method {method}")));
        let mut rewrites = Vec::new();
        let mut filters = Vec::new();
        for filter in list(rule, "/filters") {
            let kind = text(filter, "/type");
            if self.compared && kind.ends_with("HeaderModifier") {
                continue;
            }
            let Some(extension) = filter.get("extensionRef") else {
                filters.push(filter.clone());
                continue;
            };
            let mut spec = self.extension(route, text(extension, "/name"));
            // Cookies are a test of the whole rule.
            if let Some(cookies) = spec.get("matches") {
                tests.push(format!("cookies {cookies}"));
            }
            let pattern = text(&spec, "/urlRewrite/path/replaceRegexMatch/pattern");
            let whole = pattern.strip_prefix('^').and_then(|p| p.strip_suffix('$'));
            if let Some(whole) = whole.map(str::to_owned) {
                let rewrite = spec["urlRewrite"]["path"].take();
                let text = rewrite.to_string();
                // Without letters the case is all the same.
                let text = if has_letters(&whole) {
                    text
                } else {
                    text.replace("(?i)", "")
                };
                rewrites.push((whole, text));
            }
            if spec != json!({"urlRewrite": {"path": null}}) {
                filters.push(spec);
            }
        }
        let policies = if self.compared && list(rule, "/backendRefs").is_empty() {
            Vec::new()
        } else {
            self.policies(route, rule)
        };
        let plain_404 = filters == [json!({"directResponse": {"statusCode": 404}})];
        let action = if plain_404 && policies.is_empty() {
            NOT_FOUND.to_owned()
        } else {
            let backends = &rule["backendRefs"];
            json!([
                text(route, "/metadata/namespace"),
                backends,
                filters,
                policies
            ])
            .to_string()
        };
        Entry {
            path,
            tests,
            action,
            rewrites,
        }
    }

    fn extension(&self, route: &Value, name: &str) -> Value {
        let namespace = text(route, "/metadata/namespace");
        let found = self.objects.iter().find(|object| {
            object["kind"] == "HTTPRouteFilter"
                && text(object, "/metadata/namespace") == namespace
                && text(object, "/metadata/name") == name
        });
        found.map_or(Value::Null, |found| found["spec"].clone())
    }

    /// What the policies on a rule, or else on its route, say.
    fn policies(&self, route: &Value, rule: &Value) -> Vec<Value> {
        let mut found: BTreeMap<(&str, bool), Value> = BTreeMap::new();
        for policy in self.objects {
            let same = text(policy, "/metadata/namespace") == text(route, "/metadata/namespace");
            for target in list(policy, "/spec/targetRefs") {
                let section = text(target, "/sectionName");
                let own = target["kind"] == "HTTPRoute"
                    && text(target, "/name") == text(route, "/metadata/name")
                    && (section.is_empty() || section == text(rule, "/name"));
                if same && own {
                    let spec = self.said(policy);
                    found.insert((text(policy, "/kind"), !section.is_empty()), spec);
                }
            }
        }
        let rest = found.into_iter().filter(|(_, spec)| *spec != json!({}));
        rest.map(|((kind, own), spec)| json!([kind, own, spec]))
            .collect()
    }

    fn said(&self, policy: &Value) -> Value {
        let mut spec = policy["spec"].clone();
        let Some(fields) = spec.as_object_mut() else {
            return spec;
        };
        fields.shift_remove("targetRefs");
        if let Some(rules) = fields
            .get_mut("rateLimit")
            .and_then(|l| l.pointer_mut("/local/rules"))
        {
            *rules = strictest(rules);
        }
        if let Some(authorization) = fields.get_mut("authorization") {
            drop_idle_denials(authorization);
        }
        if self.compared && policy["kind"] == "BackendTrafficPolicy" {
            fields.retain(|key, _| key == "rateLimit");
        }
        if self.compared && policy["kind"] == "EnvoyExtensionPolicy" {
            fields.clear();
        }
        spec
    }
}

/// Removes rules that refuse who would be refused without them too.
fn drop_idle_denials(authorization: &mut Value) {
    if authorization["defaultAction"] != "Deny" {
        return;
    }
    let networks = |rule: &Value| -> Option<Vec<IpNet>> {
        let networks = list(rule, "/principal/clientCIDRs").iter();
        networks
            .map(|network| network.as_str()?.parse().ok())
            .collect()
    };
    let allowed: Option<Vec<IpNet>> = list(authorization, "/rules")
        .iter()
        .filter(|rule| rule["action"] == "Allow")
        .map(networks)
        .collect::<Option<Vec<_>>>()
        .map(|all| all.concat());
    let (Some(allowed), Some(rules)) = (allowed, authorization.get_mut("rules")) else {
        return;
    };
    let meet = |one: &IpNet, other: &IpNet| one.contains(other) || other.contains(one);
    if let Some(rules) = rules.as_array_mut() {
        rules.retain(|rule| {
            rule["action"] != "Deny"
                || networks(rule).is_none_or(|denied| {
                    denied
                        .iter()
                        .any(|one| allowed.iter().any(|other| meet(one, other)))
                })
        });
    }
}

/// Whether a pattern has letters, but for those of escapes such as `\w` and flags.
fn has_letters(pattern: &str) -> bool {
    let mut escaped = false;
    pattern.replace("(?i)", "").chars().any(|c| {
        let letter = c.is_alphabetic() && !escaped;
        escaped = c == '\\' && !escaped;
        letter
    })
}

/// Limits without those that another one for the same clients makes idle.
fn strictest(rules: &Value) -> Value {
    let rules = list(rules, "");
    let seconds = |rule: &Value| match text(rule, "/limit/unit") {
        "Second" => 1_u64,
        "Minute" => 60,
        "Hour" => 3_600,
        _ => 86_400,
    };
    let requests = |rule: &Value| rule["limit"]["requests"].as_u64().unwrap_or(u64::MAX);
    let idle = |rule: &Value| {
        rules.iter().any(|other| {
            other != rule
                && other["clientSelectors"] == rule["clientSelectors"]
                && requests(other) <= requests(rule)
                && seconds(other) >= seconds(rule)
        })
    };
    rules.iter().filter(|rule| !idle(rule)).cloned().collect()
}

fn hosts(route: &Value) -> Vec<String> {
    match list(route, "/spec/hostnames") {
        [] => vec!["*".to_owned()],
        hosts => hosts
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
    }
}

/// Whether a wildcard takes a name.
fn covers(wildcard: &str, name: &str) -> bool {
    wildcard
        .strip_prefix('*')
        .is_some_and(|parent| name.len() > parent.len() && name.ends_with(parent))
}

fn listeners(route: &Value) -> Vec<Listener> {
    let own = text(route, "/metadata/namespace");
    let parents = list(route, "/spec/parentRefs").iter();
    parents
        .map(|parent| {
            let or = |key: &str, default: &str| match text(parent, key) {
                "" => default.to_owned(),
                text => text.to_owned(),
            };
            (
                or("/kind", "Gateway"),
                or("/namespace", own),
                or("/name", ""),
                or("/sectionName", ""),
            )
        })
        .collect()
}

/// How Envoy Gateway ranks a match: exact paths, then patterns, then prefixes, the longer text
/// first (the prefix `/` has none); then by headers (a method is one) and query
/// (`internal/gatewayapi/sort.go`).
fn rank(one: &Value) -> (u8, usize, usize, usize, usize) {
    let (kind, value) = (text(one, "/path/type"), text(one, "/path/value"));
    let headers = list(one, "/headers");
    let exact = headers
        .iter()
        .filter(|header| text(header, "/type") != "RegularExpression");
    (
        match kind {
            "Exact" => 2,
            "RegularExpression" => 1,
            _ => 0,
        },
        if value == "/" { 0 } else { value.len() },
        headers.len() + usize::from(one.get("method").is_some()),
        exact.count(),
        list(one, "/queryParams").len(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(rules: &Value) -> Objects {
        vec![
            json!({
                "kind": "HTTPRoute",
                "metadata": {"namespace": "shop", "name": "web"},
                "spec": {"hostnames": ["a.test"], "parentRefs": [{"name": "g"}], "rules": rules},
            }),
            json!({
                "kind": "HTTPRouteFilter",
                "metadata": {"namespace": "shop", "name": "none"},
                "spec": {"directResponse": {"statusCode": 404}},
            }),
        ]
    }

    fn rule(kind: &str, value: &str, backend: &str) -> Value {
        json!({
            "matches": [{"path": {"type": kind, "value": value}}],
            "backendRefs": [{"name": backend}],
        })
    }

    fn check(one: &Value, other: &Value, expect: Option<&str>) {
        let said = format!("{one}\n{other}");
        assert_eq!(reason(&route(one), &route(other)), expect, "{said}");
    }

    #[test]
    fn order_matters_only_between_equals() {
        let regex = "RegularExpression";
        for ((kind, a), (other, b), expect) in [
            (("Exact", "/a"), ("PathPrefix", "/"), Some(SAME)),
            (("PathPrefix", "/ab"), ("PathPrefix", "/a"), Some(SAME)),
            (("PathPrefix", "/a"), ("PathPrefix", "/a"), None),
            ((regex, "/[ab]c"), (regex, "/[bc]c"), None),
            ((regex, "/[ab]c"), (regex, "/[cd]c"), Some(SAME)),
        ] {
            let (a, b) = (rule(kind, a, "a"), rule(other, b, "b"));
            check(&json!([a, b]), &json!([b, a]), expect);
        }
    }

    #[test]
    fn a_header_has_one_value() {
        let tested = |kind: &str, value: &str, backend: &str| {
            let mut rule = rule("PathPrefix", "/", backend);
            let header = json!([{"name": "X", "type": kind, "value": value}]);
            rule["matches"][0]["headers"] = header;
            rule
        };
        let (a, b) = (tested("Exact", "a", "a"), tested("Exact", "b", "b"));
        check(&json!([a, b]), &json!([b, a]), Some(SAME));
        let (a, b) = (
            tested("RegularExpression", "a.*", "a"),
            tested("RegularExpression", ".*b", "b"),
        );
        check(&json!([a, b]), &json!([b, a]), None);
    }

    #[test]
    fn rules_that_do_the_same_are_one() {
        let (all, some) = (rule("PathPrefix", "/", "a"), rule("Exact", "/x", "a"));
        check(&json!([all, some]), &json!([all]), Some(SAME));
        let some = rule("Exact", "/x", "b");
        check(&json!([all, some]), &json!([all]), None);
        let mut none = rule("PathPrefix", "/", "a");
        none.as_object_mut().unwrap().remove("backendRefs");
        none["filters"] = json!([{"type": "ExtensionRef", "extensionRef": {"name": "none"}}]);
        check(&json!([some, none]), &json!([some]), Some(SAME));
    }

    #[test]
    fn letters_have_a_case_and_digits_have_none() {
        let regex = "RegularExpression";
        let one = |value| json!([rule(regex, value, "a")]);
        check(&one("(?i)/[0-9]+"), &one("/[0-9]+"), Some(SAME));
        check(&one("(?i)/a"), &one("/a"), None);
    }

    #[test]
    fn headers_are_not_compared_and_policies_are() {
        let plain = rule("PathPrefix", "/", "a");
        let mut marked = plain.clone();
        marked["filters"] = json!([{"type": "RequestHeaderModifier", "requestHeaderModifier": {}}]);
        check(&json!([plain]), &json!([marked]), Some(APART));
        let policy = json!({
            "kind": "SecurityPolicy",
            "metadata": {"namespace": "shop", "name": "p"},
            "spec": {"targetRefs": [{"kind": "HTTPRoute", "name": "web"}], "basicAuth": {}},
        });
        let open = route(&json!([plain]));
        let mut closed = open.clone();
        closed.push(policy);
        assert_eq!(reason(&closed, &open), None);
    }

    #[test]
    fn a_slower_limit_of_as_many_makes_a_faster_one_idle() {
        let limit = |requests: u32, unit: &str| json!({"clientSelectors": [], "limit": {"requests": requests, "unit": unit}});
        assert_eq!(
            strictest(&json!([limit(50, "Second"), limit(1, "Minute")])),
            json!([limit(1, "Minute")])
        );
        let both = json!([limit(1, "Second"), limit(50, "Minute")]);
        assert_eq!(strictest(&both), both);
    }
}

//! The faults that are put into emitted objects, and where they can be put.

use std::fmt;

use serde_json::{Value, json};

use super::edit::{Edit, Objects};

/// What is wrong with a mutant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    RuleDropped,
    RouteDropped,
    OrderSwapped,
    Widened,
    Narrowed,
    CaseLost,
    ConditionLost,
    Weight,
    Backend,
    Rewrite,
    Redirect,
    Answer,
    PolicyRemoved,
    PolicyRetargeted,
    PolicyWeakened,
    HostAdded,
    HostDropped,
    Listener,
}

impl Fault {
    pub(super) const ALL: [Self; 18] = [
        Self::RuleDropped,
        Self::RouteDropped,
        Self::OrderSwapped,
        Self::Widened,
        Self::Narrowed,
        Self::CaseLost,
        Self::ConditionLost,
        Self::Weight,
        Self::Backend,
        Self::Rewrite,
        Self::Redirect,
        Self::Answer,
        Self::PolicyRemoved,
        Self::PolicyRetargeted,
        Self::PolicyWeakened,
        Self::HostAdded,
        Self::HostDropped,
        Self::Listener,
    ];
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::RuleDropped => "rule dropped",
            Self::RouteDropped => "route dropped",
            Self::OrderSwapped => "order swapped",
            Self::Widened => "path widened",
            Self::Narrowed => "path narrowed",
            Self::CaseLost => "case-insensitivity lost",
            Self::ConditionLost => "condition lost",
            Self::Weight => "weight changed",
            Self::Backend => "backend changed",
            Self::Rewrite => "rewrite altered",
            Self::Redirect => "redirect changed",
            Self::Answer => "answer changed",
            Self::PolicyRemoved => "policy removed",
            Self::PolicyRetargeted => "policy retargeted",
            Self::PolicyWeakened => "policy weakened",
            Self::HostAdded => "hostname added",
            Self::HostDropped => "hostname dropped",
            Self::Listener => "listener changed",
        })
    }
}

/// Objects with one fault.
#[derive(Clone, Debug)]
pub(super) struct Mutant {
    pub(super) fault: Fault,
    /// The object, by its place in the output.
    pub(super) object: usize,
    pub(super) edit: Edit,
    /// What was done, for people.
    pub(super) says: String,
}

/// Every place of every fault.
pub(super) fn all(objects: &Objects) -> Vec<Mutant> {
    let mut found = Vec::new();
    for (at, object) in objects.iter().enumerate() {
        let mut sites = Sites {
            objects,
            at,
            object,
            found: &mut found,
        };
        match object["kind"].as_str().unwrap_or_default() {
            "HTTPRoute" => sites.route(),
            "TLSRoute" => {
                sites.hosts();
                sites.backends();
            }
            "HTTPRouteFilter" => sites.filter(),
            "SecurityPolicy" => sites.security(),
            "BackendTrafficPolicy" => sites.traffic(),
            "ClientTrafficPolicy" => sites.client(),
            "Gateway" | "ListenerSet" => sites.listeners(),
            _ => {}
        }
    }
    found
}

/// The items of a list.
pub(super) fn list<'v>(value: &'v Value, pointer: &str) -> &'v [Value] {
    let list = value.pointer(pointer).and_then(Value::as_array);
    list.map(Vec::as_slice).unwrap_or_default()
}

/// A text; empty when there is none.
pub(super) fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

struct Sites<'a> {
    objects: &'a Objects,
    at: usize,
    object: &'a Value,
    found: &'a mut Vec<Mutant>,
}

impl Sites<'_> {
    fn add(&mut self, fault: Fault, edit: Edit, says: impl fmt::Display) {
        let object = self.object;
        let says = format!(
            "{} {}/{}: {says}",
            text(object, "/kind"),
            text(object, "/metadata/namespace"),
            text(object, "/metadata/name")
        );
        self.found.push(Mutant {
            fault,
            object: self.at,
            edit,
            says,
        });
    }

    fn route(&mut self) {
        let rules = list(self.object, "/spec/rules");
        self.add(Fault::RouteDropped, Edit::Drop, "the whole route removed");
        self.hosts();
        self.parents();
        self.backends();
        for (at, rule) in rules.iter().enumerate() {
            let name = text(rule, "/name");
            if rules.len() > 1 {
                let edit = Edit::Remove(format!("/spec/rules/{at}"));
                self.add(Fault::RuleDropped, edit, format!("rule {name} removed"));
            }
            if let Some(next) = rules.get(at + 1) {
                let says = format!("rules {name} and {} swapped", text(next, "/name"));
                let edit = Edit::Swap("/spec/rules".into(), at);
                self.add(Fault::OrderSwapped, edit, says);
            }
            self.matches(at, rule);
            self.filters(at, rule);
        }
        self.outranked(rules);
    }

    /// A pattern made longer than one that has to come before it.
    fn outranked(&mut self, rules: &[Value]) {
        let pattern = |rule: &Value| -> Option<String> {
            let path = rule.pointer("/matches/0/path")?;
            (text(path, "/type") == "RegularExpression").then(|| text(path, "/value").to_owned())
        };
        for (at, second) in rules.iter().enumerate() {
            for first in &rules[..at] {
                let (Some(one), Some(other)) = (pattern(first), pattern(second)) else {
                    continue;
                };
                if one == other {
                    continue;
                }
                let missing = (one.len() + 4).saturating_sub(other.len());
                // An empty group matches what it stands in front of.
                let longer = format!("{other}{}", "(?:)".repeat(missing.div_ceil(4)));
                self.add(
                    Fault::OrderSwapped,
                    Edit::Set(
                        format!("/spec/rules/{at}/matches/0/path/value"),
                        json!(longer),
                    ),
                    format!(
                        "rule {} outranks {}",
                        text(second, "/name"),
                        text(first, "/name")
                    ),
                );
            }
        }
    }

    fn matches(&mut self, rule_at: usize, rule: &Value) {
        let name = text(rule, "/name");
        let here = |rest: String| format!("/spec/rules/{rule_at}/matches/{rest}");
        let matches = list(rule, "/matches");
        for (at, one) in matches.iter().enumerate() {
            let value = text(one, "/path/value");
            let place = here(format!("{at}/path/value"));
            let kind = here(format!("{at}/path/type"));
            match text(one, "/path/type") {
                "PathPrefix" if value != "/" => {
                    let cut = value.trim_end_matches('/').rfind('/').unwrap_or(0);
                    let parent = if cut == 0 { "/" } else { &value[..cut] };
                    self.add(
                        Fault::Widened,
                        Edit::Set(place.clone(), json!(parent)),
                        format!("rule {name}: prefix {value} → {parent}"),
                    );
                    self.add(
                        Fault::Narrowed,
                        Edit::Set(kind, json!("Exact")),
                        format!("rule {name}: prefix {value} → exact"),
                    );
                }
                "Exact" => {
                    self.add(
                        Fault::Widened,
                        Edit::Set(kind, json!("PathPrefix")),
                        format!("rule {name}: exact {value} → prefix"),
                    );
                    self.add(
                        Fault::Narrowed,
                        Edit::Set(place, json!(format!("{}-not", value.trim_end_matches('/')))),
                        format!("rule {name}: exact {value} → {value}-not"),
                    );
                }
                "RegularExpression" => {
                    let open = value.trim_end_matches(['$', ')', '?']);
                    if !open.ends_with(".*") {
                        let wide = format!("(?:{})[^/]*", value.trim_end_matches('$'));
                        self.add(
                            Fault::Widened,
                            Edit::Set(place.clone(), json!(wide)),
                            format!("rule {name}: pattern {value} → {wide}"),
                        );
                    }
                    let narrow = format!("(?:{value})-not");
                    self.add(
                        Fault::Narrowed,
                        Edit::Set(place.clone(), json!(narrow)),
                        format!("rule {name}: pattern {value} → {narrow}"),
                    );
                    if let Some(rest) = value.strip_prefix("(?i)") {
                        self.add(
                            Fault::CaseLost,
                            Edit::Set(place, json!(rest)),
                            format!("rule {name}: pattern {value} without (?i)"),
                        );
                    }
                }
                _ => {}
            }
            for list_name in ["headers", "queryParams"] {
                for (item_at, item) in list(one, &format!("/{list_name}")).iter().enumerate() {
                    self.add(
                        Fault::ConditionLost,
                        Edit::Remove(here(format!("{at}/{list_name}/{item_at}"))),
                        format!(
                            "rule {name}: no test of {list_name} {}",
                            text(item, "/name")
                        ),
                    );
                    // No client can send a length that is no number.
                    if text(item, "/name") == "Content-Length" {
                        continue;
                    }
                    self.add(
                        Fault::ConditionLost,
                        Edit::Set(
                            here(format!("{at}/{list_name}/{item_at}/value")),
                            json!(format!("{}x", text(item, "/value"))),
                        ),
                        format!("rule {name}: {list_name} {} ends in x", text(item, "/name")),
                    );
                }
            }
            if let Some(method) = one.get("method") {
                self.add(
                    Fault::ConditionLost,
                    Edit::Remove(here(format!("{at}/method"))),
                    format!("rule {name}: no test of the method {method}"),
                );
            }
            if matches.len() > 1 {
                self.add(
                    Fault::Narrowed,
                    Edit::Remove(here(at.to_string())),
                    format!("rule {name}: match {at} removed"),
                );
            }
        }
    }

    fn hosts(&mut self) {
        let hosts = list(self.object, "/spec/hostnames");
        if hosts.is_empty() {
            return;
        }
        self.add(
            Fault::HostAdded,
            Edit::Push("/spec/hostnames".into(), json!("added.example.net")),
            "hostname added.example.net",
        );
        for (at, host) in hosts.iter().enumerate() {
            let host = host.as_str().unwrap_or_default();
            if !host.starts_with("*.") {
                self.add(
                    Fault::HostAdded,
                    Edit::Push("/spec/hostnames".into(), json!(format!("*.{host}"))),
                    format!("hostname *.{host}"),
                );
            }
            let place = format!("/spec/hostnames/{at}");
            if hosts.len() > 1 {
                self.add(
                    Fault::HostDropped,
                    Edit::Remove(place),
                    format!("hostname {host} removed"),
                );
            } else {
                self.add(
                    Fault::HostDropped,
                    Edit::Set(place, json!("other.example.net")),
                    format!("hostname {host} → other.example.net"),
                );
            }
        }
    }

    fn parents(&mut self) {
        for (at, parent) in list(self.object, "/spec/parentRefs").iter().enumerate() {
            let section = text(parent, "/sectionName");
            let other = match section {
                "http" => "https",
                "https" => "http",
                _ => continue,
            };
            self.add(
                Fault::Listener,
                Edit::Set(format!("/spec/parentRefs/{at}/sectionName"), json!(other)),
                format!("listener {section} → {other}"),
            );
        }
    }

    fn backends(&mut self) {
        for (rule_at, rule) in list(self.object, "/spec/rules").iter().enumerate() {
            let backends = list(rule, "/backendRefs");
            let name = text(rule, "/name");
            for (at, backend) in backends.iter().enumerate() {
                let here = |rest: &str| format!("/spec/rules/{rule_at}/backendRefs/{at}{rest}");
                let title = text(backend, "/name");
                let weight = backend["weight"].as_u64().unwrap_or(1);
                let other = if backends.len() > 1 { weight + 7 } else { 0 };
                let changed = backends.len() > 1 || weight > 0;
                if changed {
                    self.add(
                        Fault::Weight,
                        Edit::Set(here("/weight"), json!(other)),
                        format!("rule {name}: weight of {title} {weight} → {other}"),
                    );
                }
                self.add(
                    Fault::Backend,
                    Edit::Set(here("/name"), json!(format!("{title}-other"))),
                    format!("rule {name}: backend {title} → {title}-other"),
                );
                if let Some(port) = backend["port"].as_u64() {
                    self.add(
                        Fault::Backend,
                        Edit::Set(here("/port"), json!(port + 1)),
                        format!("rule {name}: port of {title} {port} → {}", port + 1),
                    );
                }
                if backends.len() > 1 {
                    self.add(
                        Fault::Backend,
                        Edit::Remove(here("")),
                        format!("rule {name}: backend {title} removed"),
                    );
                }
            }
        }
    }

    /// Filters in a rule.
    fn filters(&mut self, rule_at: usize, rule: &Value) {
        let name = text(rule, "/name");
        for (at, filter) in list(rule, "/filters").iter().enumerate() {
            let here = |rest: &str| format!("/spec/rules/{rule_at}/filters/{at}{rest}");
            match text(filter, "/type") {
                "RequestRedirect" => {
                    self.redirect(&here("/requestRedirect"), &filter["requestRedirect"], name);
                }
                "URLRewrite" => {
                    self.add(
                        Fault::Rewrite,
                        Edit::Remove(here("")),
                        format!("rule {name}: rewrite removed"),
                    );
                    for (place, says) in [
                        ("/urlRewrite/path/replaceFullPath", "path"),
                        ("/urlRewrite/path/replacePrefixMatch", "prefix"),
                        ("/urlRewrite/hostname", "host"),
                    ] {
                        let old = text(filter, place);
                        if !old.is_empty() {
                            self.add(
                                Fault::Rewrite,
                                Edit::Set(here(place), json!(format!("{old}x"))),
                                format!("rule {name}: rewritten {says} {old} → {old}x"),
                            );
                        }
                    }
                }
                "ExtensionRef" => {
                    let target = text(filter, "/extensionRef/name");
                    let fault = match self.extension(target) {
                        Some(spec) if spec.get("urlRewrite").is_some() => Fault::Rewrite,
                        _ => Fault::Answer,
                    };
                    self.add(
                        fault,
                        Edit::Remove(here("")),
                        format!("rule {name}: filter {target} removed"),
                    );
                }
                _ => {}
            }
        }
    }

    /// The specification of a filter of the route's namespace.
    fn extension(&self, name: &str) -> Option<&Value> {
        let namespace = text(self.object, "/metadata/namespace");
        let found = self.objects.iter().find(|object| {
            object["kind"] == "HTTPRouteFilter"
                && text(object, "/metadata/namespace") == namespace
                && text(object, "/metadata/name") == name
        });
        found.map(|found| &found["spec"])
    }

    fn redirect(&mut self, place: &str, redirect: &Value, rule: &str) {
        if let Some(code) = redirect["statusCode"].as_u64() {
            let other = if code == 301 { 302 } else { 301 };
            self.add(
                Fault::Redirect,
                Edit::Set(format!("{place}/statusCode"), json!(other)),
                format!("rule {rule}: redirect {code} → {other}"),
            );
        }
        for (key, other) in [
            (
                "scheme",
                if redirect["scheme"] == "https" {
                    "http"
                } else {
                    "https"
                },
            ),
            ("hostname", "elsewhere.example.net"),
        ] {
            if redirect.get(key).is_some() {
                self.add(
                    Fault::Redirect,
                    Edit::Set(format!("{place}/{key}"), json!(other)),
                    format!("rule {rule}: {key} of the redirect → {other}"),
                );
            }
        }
        for key in ["replaceFullPath", "replacePrefixMatch"] {
            let old = text(redirect, &format!("/path/{key}"));
            if !old.is_empty() {
                self.add(
                    Fault::Redirect,
                    Edit::Set(format!("{place}/path/{key}"), json!(format!("{old}x"))),
                    format!("rule {rule}: path of the redirect {old} → {old}x"),
                );
            }
        }
    }

    /// A filter that stands by itself.
    fn filter(&mut self) {
        let object = self.object;
        let place = "/spec/urlRewrite/path/replaceRegexMatch";
        if let Some(rewrite) = object.pointer(place) {
            let substitution = text(rewrite, "/substitution");
            self.add(
                Fault::Rewrite,
                Edit::Set(
                    format!("{place}/substitution"),
                    json!(format!("{substitution}x")),
                ),
                format!("substitution {substitution} → {substitution}x"),
            );
            let pattern = text(rewrite, "/pattern");
            if let Some(rest) = pattern.strip_prefix("^(?i)") {
                self.add(
                    Fault::CaseLost,
                    Edit::Set(format!("{place}/pattern"), json!(format!("^{rest}"))),
                    format!("pattern {pattern} without (?i)"),
                );
            }
        }
        for place in [
            "/spec/urlRewrite/hostname/header",
            "/spec/urlRewrite/hostname/type",
        ] {
            let old = text(object, place);
            if !old.is_empty() && place.ends_with("header") {
                self.add(
                    Fault::Rewrite,
                    Edit::Set(place.into(), json!(format!("{old}x"))),
                    format!("host from header {old} → {old}x"),
                );
            }
        }
        if let Some(code) = object["spec"]["directResponse"]["statusCode"].as_u64() {
            let redirect = (300..400).contains(&code);
            let (fault, other) = match code {
                301 => (Fault::Redirect, 302),
                _ if redirect => (Fault::Redirect, 301),
                503 => (Fault::Answer, 404),
                _ => (Fault::Answer, 503),
            };
            self.add(
                fault,
                Edit::Set("/spec/directResponse/statusCode".into(), json!(other)),
                format!("answer {code} → {other}"),
            );
            let headers = "/spec/directResponse/header/set";
            for (at, header) in list(object, headers).iter().enumerate() {
                if text(header, "/name").eq_ignore_ascii_case("location") {
                    let old = text(header, "/value");
                    self.add(
                        Fault::Redirect,
                        Edit::Set(format!("{headers}/{at}/value"), json!(format!("{old}x"))),
                        format!("target {old} → {old}x"),
                    );
                }
            }
        }
    }

    /// Another target for a policy.
    fn targets(&mut self) {
        let namespace = text(self.object, "/metadata/namespace");
        for (at, target) in list(self.object, "/spec/targetRefs").iter().enumerate() {
            let (kind, name) = (text(target, "/kind"), text(target, "/name"));
            let here = |rest: &str| format!("/spec/targetRefs/{at}/{rest}");
            self.add(
                Fault::PolicyRetargeted,
                Edit::Set(here("name"), json!(format!("{name}-gone"))),
                format!("for {kind} {name}-gone in place of {name}"),
            );
            let other = self.objects.iter().find(|object| {
                object["kind"] == kind
                    && text(object, "/metadata/namespace") == namespace
                    && text(object, "/metadata/name") != name
            });
            if let Some(other) = other.filter(|_| target.get("sectionName").is_none()) {
                let other = text(other, "/metadata/name");
                self.add(
                    Fault::PolicyRetargeted,
                    Edit::Set(here("name"), json!(other)),
                    format!("for {kind} {other} in place of {name}"),
                );
            }
            let section = text(target, "/sectionName");
            if !section.is_empty() {
                self.add(
                    Fault::PolicyRetargeted,
                    Edit::Set(here("sectionName"), json!(format!("{section}-gone"))),
                    format!("for {kind} {name} {section}-gone in place of {section}"),
                );
            }
        }
    }

    fn security(&mut self) {
        self.add(Fault::PolicyRemoved, Edit::Drop, "removed");
        self.targets();
        for key in ["basicAuth", "extAuth", "authorization"] {
            if self.object["spec"].get(key).is_some() {
                self.add(
                    Fault::PolicyRemoved,
                    Edit::Remove(format!("/spec/{key}")),
                    format!("{key} removed"),
                );
            }
        }
        let users = text(self.object, "/spec/basicAuth/users/name");
        if !users.is_empty() {
            self.add(
                Fault::PolicyWeakened,
                Edit::Set(
                    "/spec/basicAuth/users/name".into(),
                    json!(format!("{users}-other")),
                ),
                format!("users {users} → {users}-other"),
            );
        }
        let authorization = &self.object["spec"]["authorization"];
        // Who lets everybody in has no others to refuse.
        let everybody = list(authorization, "/rules")
            .iter()
            .any(|rule| list(rule, "/principal/clientCIDRs").contains(&json!("0.0.0.0/0")));
        if authorization["defaultAction"] == "Deny" && !everybody {
            self.add(
                Fault::PolicyWeakened,
                Edit::Set("/spec/authorization/defaultAction".into(), json!("Allow")),
                "default action Deny → Allow",
            );
        }
        for (at, rule) in list(authorization, "/rules").iter().enumerate() {
            let name = text(rule, "/name");
            let allows = rule["action"] == "Allow";
            let place = format!("/spec/authorization/rules/{at}");
            if allows {
                let addresses = list(rule, "/principal/clientCIDRs");
                if !addresses.is_empty() && !addresses.contains(&json!("0.0.0.0/0")) {
                    self.add(
                        Fault::PolicyWeakened,
                        Edit::Push(
                            format!("{place}/principal/clientCIDRs"),
                            json!("233.252.0.0/24"),
                        ),
                        format!("rule {name}: 233.252.0.0/24 too"),
                    );
                }
            } else {
                self.add(
                    Fault::PolicyWeakened,
                    Edit::Remove(place),
                    format!("rule {name} removed"),
                );
            }
        }
        let path = text(self.object, "/spec/extAuth/http/pathOverride");
        if !path.is_empty() {
            self.add(
                Fault::PolicyWeakened,
                Edit::Set(
                    "/spec/extAuth/http/pathOverride".into(),
                    json!(format!("{path}x")),
                ),
                format!("auth service asked for {path}x in place of {path}"),
            );
        }
        for (at, backend) in list(self.object, "/spec/extAuth/http/backendRefs")
            .iter()
            .enumerate()
        {
            let name = text(backend, "/name");
            self.add(
                Fault::PolicyWeakened,
                Edit::Set(
                    format!("/spec/extAuth/http/backendRefs/{at}/name"),
                    json!(format!("{name}-other")),
                ),
                format!("auth service {name} → {name}-other"),
            );
        }
        if self.object["spec"].get("extAuth").is_some() {
            self.add(
                Fault::PolicyWeakened,
                Edit::Set("/spec/extAuth/failOpen".into(), json!(true)),
                "open while the auth service does not answer",
            );
        }
    }

    fn traffic(&mut self) {
        let rules = list(self.object, "/spec/rateLimit/local/rules");
        if !rules.is_empty() {
            self.add(
                Fault::PolicyRemoved,
                Edit::Remove("/spec/rateLimit".into()),
                "rateLimit removed",
            );
            self.targets();
        }
        for (at, rule) in rules.iter().enumerate() {
            if let Some(requests) = rule.pointer("/limit/requests").and_then(Value::as_u64) {
                let other = requests * 1000;
                self.add(
                    Fault::PolicyWeakened,
                    Edit::Set(
                        format!("/spec/rateLimit/local/rules/{at}/limit/requests"),
                        json!(other),
                    ),
                    format!("limit {requests} → {other}"),
                );
            }
            if rules.len() > 1 {
                self.add(
                    Fault::PolicyWeakened,
                    Edit::Remove(format!("/spec/rateLimit/local/rules/{at}")),
                    format!("limit {at} removed"),
                );
            }
        }
    }

    fn client(&mut self) {
        let place = "/spec/tls/clientValidation";
        let Some(validation) = self.object.pointer(place) else {
            return;
        };
        self.add(
            Fault::PolicyRemoved,
            Edit::Remove(place.into()),
            "clientValidation removed",
        );
        self.targets();
        self.add(
            Fault::PolicyWeakened,
            Edit::Set(format!("{place}/optional"), json!(true)),
            "client certificates are optional",
        );
        for (at, reference) in list(validation, "/caCertificateRefs").iter().enumerate() {
            let name = text(reference, "/name");
            self.add(
                Fault::PolicyWeakened,
                Edit::Set(
                    format!("{place}/caCertificateRefs/{at}/name"),
                    json!(format!("{name}-other")),
                ),
                format!("CA {name} → {name}-other"),
            );
        }
    }

    fn listeners(&mut self) {
        for (at, listener) in list(self.object, "/spec/listeners").iter().enumerate() {
            let name = text(listener, "/name");
            let place = format!("/spec/listeners/{at}");
            self.add(
                Fault::Listener,
                Edit::Remove(place.clone()),
                format!("listener {name} removed"),
            );
            if listener.get("hostname").is_none() {
                self.add(
                    Fault::Listener,
                    Edit::Set(format!("{place}/hostname"), json!("*.example.net")),
                    format!("listener {name} for *.example.net only"),
                );
            }
        }
    }
}

//! How an endpoint is chosen: `load-balance`, `upstream-hash-by`, session cookies.
//!
//! All of it belongs to the upstream (`getBackendServers` and `createUpstreams` of
//! `internal/ingress/controller/controller.go`, `rootfs/etc/nginx/lua/balancer.lua`): a
//! session cookie comes before a hash, a hash before an algorithm.

use std::sync::Arc;

use gatewright_diagnostics::{Code, Diagnostic, Outcome};
use gatewright_model::{Balance, HashBy, Session, SessionCookie, Target};

use super::{PolicyInput, PolicyOutput};
use crate::annotations::Settings;
use crate::annotations::affinity::{Affinity, CanaryBehavior};
use crate::annotations::backend::{LoadBalance, Protocol};
use crate::config_map::Config;
use crate::effective::UpstreamKey;
use crate::ingress::BackendTarget;

/// How an endpoint is chosen when no session says so.
pub(crate) const CHOICE: &[&str] = &[
    "load-balance",
    "upstream-hash-by",
    "upstream-hash-by-subset",
    "upstream-hash-by-subset-size",
];

/// What a session cookie is like.
pub(crate) const COOKIE: &[&str] = &[
    "affinity-mode",
    "session-cookie-name",
    "session-cookie-path",
    "session-cookie-domain",
    "session-cookie-expires",
    "session-cookie-max-age",
    "session-cookie-samesite",
    "session-cookie-secure",
    "session-cookie-conditional-samesite-none",
    "session-cookie-change-on-failure",
];

/// The other keys of the family.
pub(crate) const AFFINITY: &[&str] = &["affinity", "affinity-canary-behavior"];

/// The session cookie of an upstream.
pub(crate) struct Sticky<'a> {
    /// What the annotations say.
    pub(crate) affinity: &'a Affinity,
    /// The Ingress path, if its location gives out cookies.
    pub(crate) path: Option<&'a str>,
}

/// How an endpoint of an upstream is chosen; `None` is as everywhere.
pub(crate) fn balance(
    first: &Settings,
    sticky: Option<&Sticky<'_>>,
    config: &Config,
) -> Option<Balance> {
    if let Some(sticky) = sticky {
        return Some(Balance::Session(session(sticky)));
    }
    if let Some(text) = &first.backend.hash_by {
        return hash(&text.value).map(|(by, _)| Balance::Hash(by));
    }
    let own = algorithm(first.backend.load_balance.as_ref()?.value);
    (own != global(config)).then_some(own)
}

/// The algorithm of the controller's `ConfigMap`.
pub(crate) fn global(config: &Config) -> Balance {
    if config.load_balance == "ewma" {
        Balance::LeastBusy
    } else {
        Balance::RoundRobin
    }
}

fn algorithm(word: LoadBalance) -> Balance {
    match word {
        LoadBalance::Ewma => Balance::LeastBusy,
        LoadBalance::RoundRobin
        | LoadBalance::Chash
        | LoadBalance::ChashSubset
        | LoadBalance::StickyBalanced
        | LoadBalance::StickyPersistent => Balance::RoundRobin,
    }
}

fn session(sticky: &Sticky<'_>) -> Session {
    let affinity = sticky.affinity;
    let number = |text: &str| text.trim().parse::<i64>().ok();
    let max_age = affinity
        .max_age
        .as_ref()
        .and_then(|age| number(&age.value))
        .or_else(|| affinity.expires.as_ref().and_then(|age| number(&age.value)));
    let cookie = sticky.path.map(|path| SessionCookie {
        path: affinity
            .cookie_path
            .as_ref()
            .map_or_else(|| path.to_owned(), |path| path.value.clone()),
        domain: affinity.cookie_domain.as_ref().map(|d| d.value.clone()),
        same_site: affinity.same_site.as_ref().map(|s| s.value.clone()),
        always_secure: affinity.secure.is_some_and(|flag| flag.value),
        max_age,
    });
    Session {
        name: affinity.cookie_name().to_owned(),
        cookie,
    }
}

/// How far a text with variables could be carried over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carried {
    /// The same values lead to the same endpoint, and other values to others.
    Whole,
    /// Only some of the variables count.
    Partly,
    /// A value may lead to several endpoints.
    Finer,
}

/// What is hashed; `None` when none of the variables can be.
///
/// A hash of fewer variables is still the same for requests that agree in all of them.
pub(crate) fn hash(text: &str) -> Option<(HashBy, Carried)> {
    let (mut headers, mut parameters, mut cookies) = (Vec::new(), Vec::new(), Vec::new());
    let (mut address, mut unknown, mut finer) = (false, false, false);
    for variable in variables(text) {
        let dashed = |name: &str| name.replace('_', "-");
        match variable {
            "request_uri" => headers.push(":path".to_owned()),
            "uri" | "document_uri" | "args" | "query_string" => {
                finer = true;
                headers.push(":path".to_owned());
            }
            "host" | "http_host" | "server_name" | "best_http_host" => {
                headers.push(":authority".to_owned());
            }
            "scheme" | "pass_access_scheme" => headers.push(":scheme".to_owned()),
            "request_method" => headers.push(":method".to_owned()),
            "remote_addr" | "binary_remote_addr" | "the_real_ip" => address = true,
            _ => {
                if let Some(name) = variable.strip_prefix("http_") {
                    headers.push(dashed(name));
                } else if let Some(name) = variable.strip_prefix("cookie_") {
                    cookies.push(name.to_owned());
                } else if let Some(name) = variable.strip_prefix("arg_") {
                    parameters.push(name.to_owned());
                } else {
                    unknown = true;
                }
            }
        }
    }
    let kinds = usize::from(!headers.is_empty())
        + usize::from(!parameters.is_empty())
        + cookies.len()
        + usize::from(address);
    let carried = match () {
        () if finer => Carried::Finer,
        () if unknown || kinds > 1 => Carried::Partly,
        () => Carried::Whole,
    };
    let by = if headers.is_empty() {
        match cookies.into_iter().next() {
            Some(cookie) => HashBy::Cookie(cookie),
            None if !parameters.is_empty() => HashBy::Parameters(parameters),
            None if address => HashBy::Address,
            None => return None,
        }
    } else {
        // A request without any of the headers has a key too: the empty one.
        if !headers.iter().any(|name| name.starts_with(':')) {
            headers.push(":scheme".to_owned());
        }
        headers.dedup();
        HashBy::Headers(headers)
    };
    Some((by, carried))
}

/// The names of the variables of an nginx text.
fn variables(text: &str) -> impl Iterator<Item = &str> {
    text.split('$').skip(1).map(|rest| {
        if let Some(rest) = rest.strip_prefix('{') {
            return rest.split('}').next().unwrap_or_default();
        }
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        &rest[..end]
    })
}

pub(crate) fn lower(input: &PolicyInput<'_>, out: &mut PolicyOutput) {
    let settings = input.settings;
    if by_name(input) {
        // Nothing chooses a pod; what is said of the backend says so.
        for key in CHOICE.iter().chain(COOKIE).chain(&["affinity"]) {
            out.outcomes
                .push((key, Outcome::Difference(Code::ServiceBalancing)));
        }
        return;
    }
    if let Some(affinity) = &settings.affinity {
        session_differences(input, affinity, out);
    }
    if settings.affinity_canary_behavior.is_some() {
        out.inert(
            "affinity-canary-behavior",
            "ingress-nginx reads it on the canary",
        );
    }
    hash_differences(input, out);
    if let Some(word) = &settings.backend.load_balance
        && settings.backend.hash_by.is_none()
        && settings.affinity.is_none()
        && word.value != LoadBalance::RoundRobin
    {
        let message = if word.value == LoadBalance::Ewma {
            "the pod with the fewest requests is chosen, not the one with the least latency"
        } else {
            "without `upstream-hash-by` or `affinity` requests go to one pod after the other"
        };
        out.differs(
            input,
            "load-balance",
            Diagnostic::new(Code::HashKey, message).at(word.span),
        );
    }
}

/// Whether its Services are reached by name, behind which no proxy chooses a pod: a reference
/// to a Service says nothing of TLS or HTTP/2, unless the port of the Service does.
fn by_name(input: &PolicyInput<'_>) -> bool {
    let plain = match input.settings.backend.protocol() {
        Protocol::Https | Protocol::Grpcs { .. } => false,
        Protocol::Grpc { .. } => true,
        Protocol::Http | Protocol::AutoHttp | Protocol::Fcgi { .. } => return false,
    };
    let rules = input.ingress.rules.iter();
    rules
        .flat_map(|rule| rule.paths.iter().flatten())
        .map(|path| &path.backend)
        .chain(&input.ingress.default_backend)
        .filter_map(|backend| match &backend.target {
            BackendTarget::Service { name, port } => Some(UpstreamKey {
                namespace: Arc::clone(&input.object.namespace),
                service: Arc::clone(&name.value),
                port: port.value.clone(),
            }),
            BackendTarget::Resource => None,
        })
        .filter_map(|key| crate::service::resolve(&key, input.objects).ok())
        .any(|target| matches!(target, Target::Service { h2c, .. } if !(plain && h2c)))
}

/// What the controller reads on a canary Ingress.
pub(crate) fn lower_canary(input: &PolicyInput<'_>, out: &mut PolicyOutput) {
    let settings = input.settings;
    let canary = settings.canary.as_ref();
    if let Some(cookie) = canary.and_then(|canary| canary.cookie.as_ref()) {
        let message = format!(
            "of several cookies `{}` any may choose the canary, where ingress-nginx reads the first",
            cookie.value
        );
        out.differs(
            input,
            "canary-by-cookie",
            Diagnostic::new(Code::CookieTwice, message).at(cookie.span),
        );
    }
    if let Some(behavior) = &settings.affinity_canary_behavior {
        let message = match behavior.value {
            CanaryBehavior::Sticky => {
                "a session decides between canary and main Ingress only where no header or cookie of the canary does"
            }
            CanaryBehavior::Legacy => {
                "a client with a session stays with canary or main Ingress, where ingress-nginx draws anew for each request"
            }
        };
        out.differs(
            input,
            "affinity-canary-behavior",
            Diagnostic::new(Code::CanarySession, message)
                .at(behavior.span)
                .note("it matters where the main Ingress has `affinity: cookie`"),
        );
    }
    let (hash, word) = (&settings.backend.hash_by, &settings.backend.load_balance);
    let other = match (hash, word) {
        (Some(hash), _) => ("upstream-hash-by", hash.span),
        (None, Some(word)) if word.value != LoadBalance::RoundRobin => ("load-balance", word.span),
        _ => return,
    };
    for key in [
        "load-balance",
        "upstream-hash-by-subset",
        "upstream-hash-by-subset-size",
    ] {
        if key != other.0 {
            out.outcomes.push((key, Outcome::Difference(Code::HashKey)));
        }
    }
    out.differs(
        input,
        other.0,
        Diagnostic::new(
            Code::HashKey,
            "the pods of a canary are chosen as those of its main Ingress",
        )
        .at(other.1)
        .note("Envoy has one way of choosing for all backends of a rule"),
    );
}

fn session_differences(input: &PolicyInput<'_>, affinity: &Affinity, out: &mut PolicyOutput) {
    let mut diagnostic = Diagnostic::new(
        Code::SessionCookie,
        "sessions stay on one pod by a cookie of another make",
    )
    .label(affinity.span, "session cookie")
    .note("a client that brings a cookie of ingress-nginx may move to another pod once");
    let mut keys = vec!["affinity"];
    let mut label =
        |key: &'static str, span: Option<gatewright_source::Span>, what: &'static str| {
            if let Some(span) = span {
                keys.push(key);
                diagnostic = diagnostic.clone().label(span, what);
            }
        };
    let persistent = affinity
        .mode
        .filter(|mode| mode.value == crate::annotations::affinity::AffinityMode::Persistent);
    label(
        "affinity-mode",
        persistent.map(|m| m.span),
        "sessions can move when pods come or go",
    );
    let conditional = affinity
        .conditional_same_site_none
        .filter(|flag| flag.value);
    label(
        "session-cookie-conditional-samesite-none",
        conditional.map(|f| f.span),
        "every browser gets `SameSite=None`",
    );
    let change = affinity.change_on_failure.filter(|flag| flag.value);
    label(
        "session-cookie-change-on-failure",
        change.map(|f| f.span),
        "the cookie stays when its pod fails",
    );
    label(
        "session-cookie-expires",
        affinity.expires.as_ref().map(|e| e.span),
        "sent as `Max-Age`",
    );
    for key in keys.into_iter().skip(1) {
        out.outcomes
            .push((key, Outcome::Difference(Code::SessionCookie)));
    }
    out.differs(input, "affinity", diagnostic);
}

fn hash_differences(input: &PolicyInput<'_>, out: &mut PolicyOutput) {
    let backend = &input.settings.backend;
    let Some(text) = &backend.hash_by else { return };
    let diagnostic = match hash(&text.value) {
        None | Some((_, Carried::Finer)) => Diagnostic::new(
            Code::HashLost,
            format!("`{}` cannot be hashed", text.value),
        )
        .note("requests with the same value can go to different pods")
        .help("hash by `$request_uri`, `$host`, `$remote_addr`, a header, a cookie or a query parameter"),
        Some((_, Carried::Partly)) => Diagnostic::new(
            Code::HashKey,
            "only some of the variables decide about the pod",
        )
        .note("requests that agree in all of them still go to one pod"),
        Some((_, Carried::Whole)) => Diagnostic::new(
            Code::HashKey,
            "the same key leads to one pod, but to another one than before",
        ),
    };
    out.differs(input, "upstream-hash-by", diagnostic.at(text.span));
    if let Some(subset) = backend.hash_by_subset.filter(|flag| flag.value) {
        if backend.hash_by_subset_size.is_some() {
            out.outcomes.push((
                "upstream-hash-by-subset-size",
                Outcome::Difference(Code::HashKey),
            ));
        }
        out.differs(
            input,
            "upstream-hash-by-subset",
            Diagnostic::new(
                Code::HashKey,
                "a key leads to one pod, not to a group of them",
            )
            .at(subset.span),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let found = hash(text).map_or_else(
            || "lost".to_owned(),
            |(by, carried)| format!("{by:?} {carried:?}"),
        );
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn keys_of_a_hash() {
        check("$request_uri", r#"Headers([":path"]) Whole"#);
        check("$binary_remote_addr", "Address Whole");
        check(
            "$http_x_tenant",
            r#"Headers(["x-tenant", ":scheme"]) Whole"#,
        );
        check(
            "${host}-$http_x_tenant",
            r#"Headers([":authority", "x-tenant"]) Whole"#,
        );
        check("$cookie_sid", r#"Cookie("sid") Whole"#);
        check("$arg_q", r#"Parameters(["q"]) Whole"#);
        check("$host$remote_addr", r#"Headers([":authority"]) Partly"#);
        check("$uri", r#"Headers([":path"]) Finer"#);
        check("$connection", "lost");
        check("constant", "lost");
    }
}

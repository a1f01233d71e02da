//! What a rule does with one request.

use gatewright_model::eval::Request;

use super::client::Client;
use super::operators::{render, substitute};
use super::rule::{AuthorityChange, Effect, Entry, PathChange, PathTest, Rule};
use crate::behaviour::{Answer, Behaviour, Forwarding, Place, shares};
use crate::objects::{small, text};

/// A request as rules see it.
pub(crate) struct View<'r> {
    request: &'r Request,
    client: &'r Client,
}

impl<'r> View<'r> {
    pub(crate) fn new(request: &'r Request, client: &'r Client) -> Self {
        Self { request, client }
    }

    /// The value of a header behind everything that the listener does to headers.
    fn header(&self, name: &str) -> Option<String> {
        match name {
            "host" => return Some(self.request.host.clone()),
            // Envoy makes one, or appends to what is left of the client's.
            "x-request-id" => return Some("<request id>".to_owned()),
            "x-forwarded-for" => return Some("<client address>".to_owned()),
            _ => {}
        }
        let sent = self.request.header(name);
        let named = |list: &'r [(String, String)]| {
            let mut all = list.iter();
            all.find(|(known, _)| known == name)
                .map(|(_, value)| render(value, self.request).unwrap_or_else(|why| why))
        };
        if self.client.removed.iter().any(|known| known == name) {
            return None;
        }
        if let Some(value) = named(&self.client.set) {
            // An operator without a value sets nothing.
            return Some(value)
                .filter(|value| !value.is_empty())
                .or(sent.map(str::to_owned));
        }
        let sent = match name {
            "x-forwarded-proto" if !self.client.trusts => None,
            _ => sent.map(str::to_owned),
        };
        sent.or_else(|| named(&self.client.default))
            .or_else(|| (name == "x-forwarded-proto").then(|| self.request.scheme().to_owned()))
    }

    /// Why an entry does not take the request, whatever its path; `None` if it does.
    pub(crate) fn misses(&self, entry: &Entry) -> Option<String> {
        if let Some(method) = &entry.method
            && *method != self.request.method
        {
            return Some(format!("the method is not {method}"));
        }
        for (name, test) in &entry.headers {
            if !self.header(name).is_some_and(|value| test.holds(&value)) {
                return Some(format!("the header `{name}` does not match"));
            }
        }
        for (name, test) in &entry.cookies {
            let cookies = self.request.header("cookie").unwrap_or_default();
            let value = cookies
                .split(';')
                .filter_map(|pair| pair.trim().split_once('='))
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.trim_matches('"'));
            if !value.is_some_and(|value| test.holds(value)) {
                return Some(format!("the cookie `{name}` does not match"));
            }
        }
        for (name, test) in &entry.query {
            let query = self.request.query.as_deref().unwrap_or_default();
            let value = query
                .split('&')
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .find(|(known, _)| known.eq_ignore_ascii_case(name))
                .map(|(_, value)| value);
            if !value.is_some_and(|value| test.holds(value)) {
                return Some(format!("the query parameter `{name}` does not match"));
            }
        }
        None
    }

    /// What a rule does, which took the request by an entry.
    pub(crate) fn behaviour(&self, rule: &Rule, entry: &Entry) -> Behaviour {
        let answer = match &rule.effect {
            Effect::Broken(_) => Answer::Status(500),
            Effect::Direct { code, location } => match location {
                Some(location) if (300..400).contains(code) => match render(location, self.request)
                {
                    Ok(location) => Answer::Redirect {
                        code: *code,
                        location,
                    },
                    Err(why) => Answer::Unknown(why),
                },
                _ => Answer::Status(*code),
            },
            Effect::Redirect(value) => self.redirect(value, entry),
            Effect::Forward(to) => {
                if to
                    .iter()
                    .any(|share| matches!(share.place, Place::Missing(_)) && share.weight > 0)
                {
                    // The share of what is not there answers 500; one answer stands for all.
                    Answer::Status(500)
                } else {
                    let forwarding = self.forward(rule, entry, shares(to.clone()));
                    if forwarding.shares.is_empty() {
                        Answer::Status(500)
                    } else {
                        Answer::Forward(Box::new(forwarding))
                    }
                }
            }
        };
        let mut guards = rule.guards.clone();
        guards.clients.clone_from(&self.client.clients);
        Behaviour { answer, guards }
    }

    fn forward(
        &self,
        rule: &Rule,
        entry: &Entry,
        shares: Vec<crate::behaviour::Share>,
    ) -> Forwarding {
        let path = match &rule.path {
            None => self.request.path.clone(),
            Some(change) => change.apply(&self.request.path, &entry.path),
        };
        let path = match &self.request.query {
            Some(query) if path.contains('?') => format!("{path}&{query}"),
            Some(query) => format!("{path}?{query}"),
            None => path,
        };
        let authority = match &rule.authority {
            None => None,
            Some(AuthorityChange::Literal(name)) => Some(name.clone()),
            Some(AuthorityChange::Header(name)) => self.header(&name.to_ascii_lowercase()),
            Some(AuthorityChange::Other(kind)) => Some(format!("<{kind}>")),
        };
        Forwarding {
            shares,
            path: Some(path),
            authority: authority.filter(|name| *name != self.request.host),
            copies: rule.copies.iter().cloned().collect(),
            withheld: self
                .request
                .headers
                .iter()
                .map(|(name, _)| name)
                .filter(|name| {
                    rule.withheld.contains(name)
                        || self.client.removed.contains(name)
                        || self.client.set.iter().any(|(set, _)| set == *name)
                })
                .cloned()
                .collect(),
        }
    }

    fn redirect(&self, value: &serde_json::Value, entry: &Entry) -> Answer {
        let request = self.request;
        let scheme = value["scheme"].as_str().unwrap_or(request.scheme());
        let host = value["hostname"].as_str().unwrap_or(&request.host);
        let port = match (small(&value["port"]), scheme) {
            (None | Some(80), "http") | (None | Some(443), "https") => String::new(),
            (None, _) => String::new(),
            (Some(port), _) => format!(":{port}"),
        };
        let path = &value["path"];
        let path = match text(path, "type") {
            "ReplaceFullPath" => text(path, "replaceFullPath").to_owned(),
            "ReplacePrefixMatch" => {
                let to = text(path, "replacePrefixMatch").to_owned();
                PathChange::Prefix(to).apply(&request.path, &entry.path)
            }
            _ => request.path.clone(),
        };
        let query = match &request.query {
            Some(query) if !path.contains('?') => format!("?{query}"),
            _ => String::new(),
        };
        Answer::Redirect {
            code: small(&value["statusCode"]).unwrap_or(302),
            location: format!("{scheme}://{host}{port}{path}{query}"),
        }
    }
}

impl PathChange {
    /// The path of a request by this change, which an entry took by its own path.
    fn apply(&self, path: &str, by: &PathTest) -> String {
        match self {
            Self::Full(full) => full.clone(),
            Self::Prefix(to) => {
                let PathTest::Prefix(prefix) = by else {
                    return path.to_owned();
                };
                let rest = path.strip_prefix(prefix.as_str()).unwrap_or(path);
                let head = to.strip_suffix('/').unwrap_or(to);
                match (head.is_empty(), rest.is_empty()) {
                    (true, true) => "/".to_owned(),
                    _ => format!("{head}{rest}"),
                }
            }
            Self::Pattern {
                regex,
                substitution,
                ..
            } => {
                let replaced =
                    regex.replace_all(path.as_bytes(), |found: &regex::bytes::Captures<'_>| {
                        substitute(substitution, found).into_bytes()
                    });
                String::from_utf8_lossy(&replaced).into_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_replaced_as_envoy_gateway_does() {
        let check = |to: &str, prefix: &str, path: &str, expected: &str| {
            let by = PathTest::Prefix(prefix.to_owned());
            let found = PathChange::Prefix(to.to_owned()).apply(path, &by);
            assert_eq!(found, expected, "{prefix} {to} {path}");
        };
        check("/", "/pre", "/pre", "/");
        check("/", "/pre", "/pre/a", "/a");
        check("/x/", "/pre", "/pre/a", "/x/a");
        check("/x", "", "/a", "/x/a");
    }
}

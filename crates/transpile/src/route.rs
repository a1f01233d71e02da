//! The way of one request through ingress-nginx and through Envoy.

use std::fmt::Write as _;

use gatewright_diagnostics::Diagnostic;
use gatewright_diagnostics::render::{JSON_VERSION, printable, to_json};
use gatewright_model::eval::Request;
use gatewright_source::{FileId, SourceMap, Span};
use gatewright_verify::{Aspect, Class, Journey, Journeys, Stop};
use serde::Serialize;

use crate::verify::Sides;
use crate::{Input, Options};

/// A request on its way.
#[derive(Debug)]
pub struct Routed {
    /// The texts that places are in.
    pub sources: SourceMap,
    /// The request.
    pub request: Request,
    /// Its ways.
    pub journeys: Journeys,
    /// What of either side could not be read, and what converting the input brought up.
    pub diagnostics: Vec<Diagnostic>,
    /// Documents of either side that could not be read.
    pub unreadable: usize,
    /// The output of the conversion, which has no place that a reader could open.
    output: FileId,
}

/// Reads a request from `METHOD URL`, or a URL alone, and headers as `name: value`.
///
/// # Errors
///
/// In words, what is wrong with it.
pub fn request(line: &str, headers: &[String]) -> Result<Request, String> {
    let mut words = line.split_whitespace();
    let (method, url) = match (words.next(), words.next(), words.next()) {
        (Some(url), None, None) => ("GET", url),
        (Some(method), Some(url), None) => (method, url),
        _ => return Err("expected a method and a URL, such as `GET https://example.com/`".into()),
    };
    if !method.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-') {
        return Err(format!("`{method}` is not a method"));
    }
    let (scheme, rest) = url
        .split_once("://")
        .ok_or_else(|| format!("`{url}` has no scheme: write `http://` or `https://` before it"))?;
    let secure = match scheme.to_ascii_lowercase().as_str() {
        "http" => false,
        "https" => true,
        _ => return Err(format!("`{scheme}` is neither `http` nor `https`")),
    };
    let rest = rest.split('#').next().unwrap_or_default();
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at(end);
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (target, None),
    };
    if !target.is_ascii() {
        return Err("characters beyond ASCII have to be percent-encoded in a URL".into());
    }
    let mut request = Request {
        secure,
        method: method.to_ascii_uppercase(),
        host: host(authority)?,
        path: if path.is_empty() { "/" } else { path }.to_owned(),
        query,
        headers: Vec::new(),
    };
    for header in headers {
        let (name, value) = header
            .split_once(':')
            .ok_or_else(|| format!("`{header}` is not a header: expected `name: value`"))?;
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(format!(
                "`{header}` is not a header: expected `name: value`"
            ));
        }
        if name == "host" {
            request.host = host(value)?;
        } else {
            request.headers.push((name, value.to_owned()));
        }
    }
    Ok(request)
}

/// The name in an authority; both proxies look at it without its port.
fn host(authority: &str) -> Result<String, String> {
    let name = authority.rsplit('@').next().unwrap_or_default();
    let name = match name.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => name,
    };
    if name.is_empty() {
        return Err("the URL has no host".into());
    }
    Ok(name.to_ascii_lowercase())
}

/// Follows a request through what the inputs mean, and through objects: those `against`, or else
/// the output of the conversion.
pub fn route(
    inputs: Vec<Input>,
    against: Option<Vec<Input>>,
    options: &Options,
    request: Request,
) -> Routed {
    let Sides {
        sources,
        conversion,
        model,
        objects,
        given: _,
        output,
        diagnostics: found,
        unreadable,
    } = Sides::read(inputs, against, options);
    let mut diagnostics = conversion.diagnostics;
    diagnostics.extend(found);
    let journeys = Journeys::of(&model, &objects, &request);
    Routed {
        sources,
        request,
        journeys,
        diagnostics,
        unreadable: unreadable + conversion.unreadable,
        output,
    }
}

impl Routed {
    /// Whether both sides do the same with the request.
    pub fn agrees(&self) -> bool {
        self.journeys.differences.is_empty()
    }

    /// Both ways, a line for every rule that was looked at.
    pub fn text(&self) -> String {
        let mut text = format!("{}\n", gatewright_verify::line(&self.request));
        for (title, journey, words) in [
            ("ingress-nginx", &self.journeys.nginx, &NGINX),
            ("Envoy", &self.journeys.envoy, &ENVOY),
        ] {
            let _ = write!(text, "\n{title}\n{}", self.journey(journey, words));
        }
        if self.journeys.assumed {
            text.push_str("\na Gateway is not among the objects: its listeners are taken as routes name them\n");
        }
        let _ = writeln!(text, "\n{}", self.last_line());
        text
    }

    fn journey(&self, journey: &Journey, words: &Words) -> String {
        let mut text = String::new();
        let mut row = |mark: &str, key: &str, value: &str| {
            let line = format!("{mark} {key:<10} {}", printable(value));
            let _ = writeln!(text, "{}", line.trim_end());
        };
        let none = |text: &Option<String>, or: &str| text.clone().unwrap_or_else(|| or.to_owned());
        row(" ", "listener", &none(&journey.listener, "none"));
        row(" ", words.host, &none(&journey.host, "none for this name"));
        for stop in &journey.stops {
            let mark = if stop.taken { "→" } else { " " };
            row(mark, words.rule, &self.stop(stop));
        }
        if let Some(rule) = &journey.end.rule {
            row(" ", "served by", rule);
        }
        for change in &journey.changes {
            row(" ", words.change, change);
        }
        for policy in &journey.policies {
            row(" ", "policy", policy);
        }
        for guard in guards(journey) {
            row(" ", "asks for", &guard);
        }
        row(" ", "outcome", &journey.end.behaviour.answer.to_string());
        text
    }

    fn stop(&self, stop: &Stop) -> String {
        let place = self.place(stop.span);
        let place = place.map(|place| format!(" ({place})")).unwrap_or_default();
        format!("{}{place}: {}", stop.what, stop.why)
    }

    /// `file:line:column` of what a reader can open.
    fn place(&self, span: Span) -> Option<String> {
        if self.output == span.file {
            return None;
        }
        let at = self.sources.position(span);
        let file = self.sources.file(span.file).name();
        Some(format!("{file}:{}:{}", at.line, at.column))
    }

    /// Whether both sides agree.
    pub fn last_line(&self) -> String {
        if self.agrees() {
            return "both do the same".to_owned();
        }
        let worst = self.journeys.differences.iter().map(|found| found.0).max();
        let aspects = self.aspects();
        let how = match worst {
            Some(Class::MoreOpen) => "Envoy is more open",
            Some(Class::Stricter) => "Envoy is stricter",
            Some(Class::Differs) | None => "they differ",
        };
        format!("{how}: {}", aspects.join(", "))
    }

    fn aspects(&self) -> Vec<&'static str> {
        let all = self.journeys.differences.iter();
        let mut words: Vec<&'static str> = all.map(|(_, aspect)| Aspect::word(*aspect)).collect();
        words.dedup();
        words
    }

    /// Both ways as one JSON document.
    pub fn json(&self) -> String {
        let differences = self.journeys.differences.iter();
        to_json(&Report {
            version: JSON_VERSION,
            agrees: self.agrees(),
            request: RequestRecord {
                method: &self.request.method,
                url: format!(
                    "{}://{}{}",
                    self.request.scheme(),
                    self.request.host,
                    self.request.target()
                ),
                headers: self.request.headers.iter().map(|(n, v)| [n, v]).collect(),
            },
            nginx: self.record(&self.journeys.nginx),
            envoy: self.record(&self.journeys.envoy),
            differences: differences
                .map(|(class, aspect)| DifferenceRecord {
                    class: class.word(),
                    aspect: aspect.word(),
                })
                .collect(),
            assumed: self.journeys.assumed,
        })
    }

    fn record<'a>(&self, journey: &'a Journey) -> JourneyRecord<'a> {
        JourneyRecord {
            listener: journey.listener.as_deref(),
            host: journey.host.as_deref(),
            considered: journey
                .stops
                .iter()
                .map(|stop| StopRecord {
                    rule: &stop.what,
                    place: self.place(stop.span),
                    taken: stop.taken,
                    why: &stop.why,
                })
                .collect(),
            rule: journey.end.rule.as_deref(),
            changes: &journey.changes,
            policies: &journey.policies,
            asks_for: guards(journey),
            outcome: journey.end.behaviour.answer.to_string(),
        }
    }
}

/// What has to be passed before a backend answers, each once: Envoy counts the addresses of
/// IPv4 and of IPv6 apart.
fn guards(journey: &Journey) -> Vec<String> {
    let mut words = journey.end.behaviour.guards.words();
    words.dedup();
    words
}

/// What a proxy calls things.
struct Words {
    host: &'static str,
    rule: &'static str,
    change: &'static str,
}

const NGINX: Words = Words {
    host: "server",
    rule: "location",
    change: "rewrite",
};

const ENVOY: Words = Words {
    host: "host",
    rule: "rule",
    change: "filter",
};

#[derive(Serialize)]
struct Report<'a> {
    version: u32,
    agrees: bool,
    request: RequestRecord<'a>,
    nginx: JourneyRecord<'a>,
    envoy: JourneyRecord<'a>,
    differences: Vec<DifferenceRecord>,
    /// A Gateway is not among the objects; its listeners are taken as routes name them.
    assumed: bool,
}

#[derive(Serialize)]
struct RequestRecord<'a> {
    method: &'a str,
    url: String,
    headers: Vec<[&'a String; 2]>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JourneyRecord<'a> {
    listener: Option<&'a str>,
    host: Option<&'a str>,
    considered: Vec<StopRecord<'a>>,
    rule: Option<&'a str>,
    changes: &'a [String],
    policies: &'a [String],
    asks_for: Vec<String>,
    outcome: String,
}

#[derive(Serialize)]
struct StopRecord<'a> {
    rule: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    taken: bool,
    why: &'a str,
}

#[derive(Serialize)]
struct DifferenceRecord {
    class: &'static str,
    aspect: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_as_curl_reads_them() {
        let check = |line: &str, expect: &str| {
            let request = request(line, &[]).unwrap_or_else(|why| panic!("{line}: {why}"));
            assert_eq!(gatewright_verify::line(&request), expect, "{line}");
        };
        check("https://A.test/x?y=1#z", "GET https://a.test/x?y=1");
        check("post http://a.test", "POST http://a.test/");
        check("GET http://a.test:8080?q", "GET http://a.test/?q");
        check("GET http://user@a.test/%2F", "GET http://a.test/%2F");
    }

    #[test]
    fn headers_have_lower_case_names_and_the_host_counts() {
        let headers = ["X-A:  b ".to_owned(), "Host: other.test:80".to_owned()];
        let found = request("GET http://a.test/", &headers).unwrap();
        assert_eq!(found.host, "other.test");
        assert_eq!(found.headers, [("x-a".to_owned(), "b".to_owned())]);
    }

    #[test]
    fn what_is_no_request_is_refused_with_a_reason() {
        for (line, header, why) in [
            ("", "", "expected a method and a URL"),
            ("GET a.test/", "", "has no scheme"),
            ("GET ftp://a.test/", "", "neither `http` nor `https`"),
            ("GET https:///x", "", "has no host"),
            ("G(T http://a.test/", "", "is not a method"),
            ("GET http://a.test/é", "", "percent-encoded"),
            ("GET http://a.test/", "x", "is not a header"),
            ("GET http://a.test/", ": x", "is not a header"),
        ] {
            let headers: Vec<String> = (!header.is_empty())
                .then(|| header.to_owned())
                .into_iter()
                .collect();
            let fault = request(line, &headers).unwrap_err();
            assert!(fault.contains(why), "{line}: {fault}");
        }
    }
}

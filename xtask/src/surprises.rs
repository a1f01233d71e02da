//! `docs/how-ingress-nginx-behaves.md` shows requests; every one of them was recorded.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::conformance::cases::{Exchange, Scheme, discover};

/// The page.
const PAGE: &str = "docs/how-ingress-nginx-behaves.md";
/// Where its cases are, as its links name them.
const CASES: &str = "../testdata/behaviour/";

/// Requests of the page that were not recorded so.
pub(crate) fn faults(root: &Path) -> Result<Vec<String>> {
    let mut recorded: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for case in discover(&root.join("testdata/behaviour"), &[])? {
        let lines = case.exchanges.iter().map(line).collect();
        recorded.insert(case.name, lines);
    }
    let text =
        fs::read_to_string(root.join(PAGE)).with_context(|| format!("cannot read {PAGE}"))?;
    Ok(compare(&text, &recorded))
}

/// A block of requests is about the case of the last link before it.
fn compare(page: &str, recorded: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let mut faults = Vec::new();
    let (mut case, mut inside, mut shown) = (None, false, 0);
    for (at, text) in page.lines().enumerate() {
        let mut fault = |what: &str| faults.push(format!("{PAGE}:{}: {what}", at + 1));
        if text.starts_with("```") {
            inside = text == "```text";
            continue;
        }
        if inside {
            shown += 1;
            let known: Option<&Vec<String>> = case.as_ref().and_then(|case| recorded.get(case));
            match known {
                None => fault("a request without a case of testdata/behaviour before it"),
                Some(lines) if !lines.iter().any(|line| line == text) => {
                    fault(&format!("`{text}` was not recorded so"));
                }
                Some(_) => {}
            }
        } else if let Some((_, rest)) = text.rsplit_once(CASES) {
            case = rest.split(['/', ')']).next().map(str::to_owned);
        }
    }
    if shown == 0 {
        faults.push(format!("{PAGE}: it shows no request"));
    }
    faults
}

/// A recorded exchange on one line.
fn line(exchange: &Exchange) -> String {
    let request = &exchange.request;
    let scheme = match request.scheme {
        Scheme::Http => "http",
        Scheme::Https => "https",
    };
    let url = format!("{scheme}://{}{}", request.host, request.path);
    let mut words = vec![request.method.clone(), url];
    for (name, value) in &request.headers {
        words.push(format!("-H '{name}: {value}'"));
    }
    words.extend(request.body_size.map(|size| format!("with {size} bytes")));
    words.extend(request.source_ip.map(|address| format!("from {address}")));
    words.extend(request.repeat.map(|repeat| format!("{repeat} times")));
    words.push("→".to_owned());
    let nginx = &exchange.nginx;
    if let Some(counts) = &nginx.counts {
        let shares = counts.iter().map(|(who, count)| {
            let who = who.strip_prefix("status:").unwrap_or(who);
            format!("{count} × {who}")
        });
        words.push(shares.collect::<Vec<_>>().join(", "));
        return words.join(" ");
    }
    words.extend(nginx.status.map(|status| status.to_string()));
    words.extend(nginx.headers.get("location").cloned());
    if let Some(backend) = &nginx.backend {
        words.push(format!("by {}", backend.service));
        let changed = backend.path.iter().filter(|path| **path != request.path);
        words.extend(changed.map(|path| format!("as {path}")));
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_of_the_page_was_recorded() {
        let faults =
            faults(&crate::repository_root()).unwrap_or_else(|error| vec![error.to_string()]);
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }

    #[test]
    fn a_request_that_was_not_recorded_is_found() {
        let recorded = BTreeMap::from([("a".to_owned(), vec!["GET x → 200".to_owned()])]);
        let page = |line: &str| {
            format!("[case](../testdata/behaviour/a/requests.yaml)\n```text\n{line}\n```\n")
        };
        assert!(compare(&page("GET x → 200"), &recorded).is_empty());
        assert_eq!(compare(&page("GET x → 404"), &recorded).len(), 1);
        assert_eq!(compare("```text\nGET x → 200\n```\n", &recorded).len(), 1);
        assert_eq!(compare("nothing\n", &recorded).len(), 1);
    }
}

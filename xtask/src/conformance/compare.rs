//! Compares an observed exchange with the recorded one; the rules are those of FORMAT.md.

use indexmap::IndexMap;
use regex::Regex;
use serde::{Deserialize, Serialize};

use super::cases::{Exchange, Expected, ExpectedHit};
use super::client::Answer;
use super::echo::Hit;

/// Everything seen of one request of a case.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Observed {
    /// One for each repeat.
    pub(crate) answers: Vec<Answered>,
    /// Hits that no answer came from: auth, mirror, earlier tries.
    pub(crate) others: Vec<Hit>,
}

/// An answer, and the hit it came from when a backend gave it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Answered {
    pub(crate) answer: Answer,
    pub(crate) hit: Option<Hit>,
}

impl Answered {
    fn key(&self) -> String {
        match &self.hit {
            Some(hit) => hit.service.clone(),
            None => format!("status:{}", self.answer.status),
        }
    }
}

impl Observed {
    /// Pairs answers with hits. `is_routed` tells the Services that Ingress rules send requests to.
    ///
    /// The refusal of an auth service is handed on with that service's headers: it is an answer of
    /// the proxy, and the hit a sub-request, unless the service is a backend of its own.
    pub(crate) fn new(
        answers: Vec<Answer>,
        mut hits: Vec<Hit>,
        is_routed: impl Fn(&Hit) -> bool,
    ) -> Self {
        let answers = answers
            .into_iter()
            .map(|answer| {
                let id: Option<u64> = answer
                    .header(super::ECHO_ID_HEADER)
                    .and_then(|id| id.parse().ok());
                let position = hits
                    .iter()
                    .position(|hit| Some(hit.id) == id && is_routed(hit));
                Answered {
                    answer,
                    hit: position.map(|position| hits.remove(position)),
                }
            })
            .collect();
        Self {
            answers,
            others: hits,
        }
    }

    /// Short form for people.
    pub(crate) fn summary(&self) -> String {
        if self.answers.len() > 1 {
            let counts = counts(&self.answers);
            let parts: Vec<String> = counts
                .iter()
                .map(|(key, count)| format!("{key}×{count}"))
                .collect();
            return parts.join(" ");
        }
        let Some(answered) = self.answers.first() else {
            return "nothing".to_owned();
        };
        let mut text = match &answered.answer.error {
            Some(error) => error.clone(),
            None => answered.answer.status.to_string(),
        };
        if let Some(location) = answered.answer.header("location") {
            text = format!("{text} → {location}");
        }
        if let Some(hit) = &answered.hit {
            text = format!("{text} from {} {}", hit.service, hit.path);
        }
        text
    }
}

/// Every way in which `observed` is not what was recorded; empty when it is the same.
pub(crate) fn compare(exchange: &Exchange, observed: &Observed) -> Vec<String> {
    let expected = &exchange.nginx;
    let mut found = Vec::new();
    if let Some(error) = observed
        .answers
        .iter()
        .find_map(|answered| answered.answer.error.as_ref())
    {
        found.push(format!("no answer: {error}"));
    }
    let Some(first) = observed.answers.first() else {
        return vec!["nothing was sent".to_owned()];
    };
    if let Some(status) = expected.status
        && let Some(other) = observed
            .answers
            .iter()
            .map(|a| a.answer.status)
            .find(|s| *s != status)
    {
        found.push(format!("status: {status} expected, {other} came"));
    }
    compare_headers(
        "",
        &expected.headers,
        &expected.absent_headers,
        &first.answer.headers,
        &mut found,
    );
    if let Some(wanted) = &expected.certificate
        && first.answer.certificate.as_ref() != Some(wanted)
    {
        found.push(format!(
            "certificate: {wanted} expected, {} came",
            first.answer.certificate.as_deref().unwrap_or("none")
        ));
    }
    if let Some(counts) = &expected.counts {
        compare_counts(counts, &observed.answers, &mut found);
    } else {
        compare_backend(expected, first, &mut found);
    }
    if let Some(pods) = expected.distinct_pods {
        let mut names: Vec<&str> = observed
            .answers
            .iter()
            .filter_map(|a| a.hit.as_ref())
            .map(|hit| hit.pod.as_str())
            .collect();
        names.sort_unstable();
        names.dedup();
        if (pods == 1) != (names.len() == 1) {
            found.push(format!("pods: {pods} expected, {} came", names.len()));
        }
    }
    if let Some(subrequests) = &expected.subrequests {
        compare_subrequests(subrequests, &observed.others, &mut found);
    }
    found
}

fn compare_backend(expected: &Expected, answered: &Answered, found: &mut Vec<String>) {
    let (backend, hit) = match (&expected.backend, &answered.hit) {
        (None, None) => return,
        (None, Some(hit)) => {
            found.push(format!(
                "backend: none expected, {} was reached at {}",
                hit.service, hit.path
            ));
            return;
        }
        (Some(backend), None) => {
            found.push(format!(
                "backend: {} expected, none was reached",
                backend.service
            ));
            return;
        }
        (Some(backend), Some(hit)) => (backend, hit),
    };
    if backend.service != hit.service {
        found.push(format!(
            "backend: {} expected, {} was reached",
            backend.service, hit.service
        ));
    }
    if let Some(method) = &backend.method
        && *method != hit.method
    {
        found.push(format!(
            "backend method: {method} expected, {} came",
            hit.method
        ));
    }
    if let Some(path) = &backend.path
        && *path != hit.path
    {
        found.push(format!("backend path: {path} expected, {} came", hit.path));
    }
    if let Some(tls) = backend.tls
        && tls != hit.tls
    {
        found.push(format!("backend tls: {tls} expected, {} came", hit.tls));
    }
    if let Some(sni) = &backend.sni
        && Some(sni) != hit.sni.as_ref()
    {
        found.push(format!("backend sni: {sni} expected, {:?} came", hit.sni));
    }
    compare_headers(
        "backend ",
        &backend.headers,
        &backend.absent_headers,
        &hit.headers,
        found,
    );
}

fn compare_headers(
    prefix: &str,
    expected: &IndexMap<String, String>,
    absent: &[String],
    came: &[(String, String)],
    found: &mut Vec<String>,
) {
    for (name, value) in expected {
        let values: Vec<&str> = came
            .iter()
            .filter(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
            .collect();
        let joined = super::header_value(came, name);
        let is_same = values
            .iter()
            .copied()
            .chain(joined.as_deref())
            .any(|other| is_same_value(name, value, other));
        if !is_same {
            let other = joined.unwrap_or_else(|| "nothing".to_owned());
            found.push(format!(
                "{prefix}header {name}: {value:?} expected, {other:?} came"
            ));
        }
    }
    for name in absent {
        if let Some(value) = super::header_value(came, name) {
            found.push(format!(
                "{prefix}header {name}: none expected, {value:?} came"
            ));
        }
    }
}

fn is_same_value(name: &str, expected: &str, came: &str) -> bool {
    if let Some(pattern) = expected.strip_prefix('~') {
        return Regex::new(pattern).is_ok_and(|pattern| pattern.is_match(came));
    }
    match name {
        "location" => normal_url(expected) == normal_url(came),
        // Names of options and protocols, which have no case.
        "connection" | "upgrade" => expected.eq_ignore_ascii_case(came),
        _ => expected == came,
    }
}

/// As browsers take it: an empty path is `/`, a default port is no port.
pub(super) fn normal_url(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let default = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => "",
    };
    let authority = authority.strip_suffix(default).unwrap_or(authority);
    let slash = if path.starts_with('/') { "" } else { "/" };
    format!("{scheme}://{authority}{slash}{path}")
}

fn counts(answers: &[Answered]) -> IndexMap<String, u32> {
    let mut counts = IndexMap::new();
    for answered in answers {
        *counts.entry(answered.key()).or_insert(0) += 1;
    }
    counts.sort_unstable_keys();
    counts
}

/// A split is compared by its ratio, a limit by its number.
fn compare_counts(expected: &IndexMap<String, u32>, answers: &[Answered], found: &mut Vec<String>) {
    let came = counts(answers);
    let is_limit = expected.keys().any(|key| key.starts_with("status:"));
    let total: u32 = expected.values().sum();
    let mut keys: Vec<&String> = expected.keys().chain(came.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    let is_same = keys.into_iter().all(|key| {
        let wanted = f64::from(expected.get(key).copied().unwrap_or(0));
        let got = f64::from(came.get(key).copied().unwrap_or(0));
        let tolerance = if is_limit && expected.len() > 1 {
            (wanted * 0.1).max(1.0)
        } else {
            // Both runs are samples of the same process: their difference has twice the variance.
            let share = wanted / f64::from(total.max(1));
            3.5 * (2.0 * f64::from(total) * share * (1.0 - share)).sqrt()
        };
        // A service that was never reached, or never should be, is no matter of chance.
        (wanted - got).abs() <= tolerance && ((wanted == 0.0) == (got == 0.0) || is_limit)
    });
    if !is_same {
        found.push(format!(
            "counts: {} expected, {} came",
            list(expected),
            list(&came)
        ));
    }
}

fn list(counts: &IndexMap<String, u32>) -> String {
    let parts: Vec<String> = counts
        .iter()
        .map(|(key, count)| format!("{key}×{count}"))
        .collect();
    parts.join(" ")
}

fn compare_subrequests(expected: &[ExpectedHit], others: &[Hit], found: &mut Vec<String>) {
    let mut left: Vec<&Hit> = others.iter().collect();
    for wanted in expected {
        // The one with the fewest differences, so that a wrong header is named as such.
        let best = left
            .iter()
            .enumerate()
            .filter(|(_, hit)| hit.service == wanted.service)
            .map(|(position, hit)| (position, hit_differences(wanted, hit)))
            .min_by_key(|(_, differences)| differences.len());
        match best {
            Some((position, differences)) => {
                left.remove(position);
                found.extend(differences);
            }
            None => found.push(format!(
                "sub-request to {} {}: expected, did not come",
                wanted.service,
                wanted.path.as_deref().unwrap_or_default()
            )),
        }
    }
    for hit in left {
        found.push(format!(
            "sub-request to {} {}: not expected",
            hit.service, hit.path
        ));
    }
}

fn hit_differences(wanted: &ExpectedHit, hit: &Hit) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(path) = &wanted.path
        && *path != hit.path
    {
        found.push(format!(
            "sub-request path: {path} expected, {} came",
            hit.path
        ));
    }
    if let Some(method) = &wanted.method
        && *method != hit.method
    {
        found.push(format!(
            "sub-request method: {method} expected, {} came",
            hit.method
        ));
    }
    compare_headers(
        "sub-request ",
        &wanted.headers,
        &wanted.absent_headers,
        &hit.headers,
        &mut found,
    );
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_compared_as_urls() {
        for (a, b, same) in [
            ("https://a.test", "https://a.test/", true),
            ("https://a.test:443/x", "https://a.test/x", true),
            ("https://a.test:80/x", "https://a.test/x", false),
            ("http://a.test:80?q", "http://a.test/?q", true),
            ("/x", "http://a.test/x", false),
            ("https://a.test/X", "https://a.test/x", false),
        ] {
            assert_eq!(is_same_value("location", a, b), same, "{a} {b}");
        }
    }

    #[test]
    fn splits_by_ratio_limits_by_number() {
        let answers = |service: usize, refused: usize| -> Vec<Answered> {
            let hit = |name: &str| Hit {
                id: 0,
                namespace: String::new(),
                service: name.to_owned(),
                pod: String::new(),
                method: String::new(),
                path: String::new(),
                headers: Vec::new(),
                body: 0,
                tls: false,
                sni: None,
            };
            let from = |name: &str| Answered {
                hit: Some(hit(name)),
                ..Answered::default()
            };
            let refusal = Answered {
                answer: Answer {
                    status: 503,
                    ..Answer::default()
                },
                hit: None,
            };
            let mut all = vec![from("a"); service];
            all.extend(vec![refusal; refused]);
            all
        };
        let check = |expected: &[(&str, u32)], came: &[Answered]| {
            let expected = expected
                .iter()
                .map(|(k, v)| ((*k).to_owned(), *v))
                .collect();
            let mut found = Vec::new();
            compare_counts(&expected, came, &mut found);
            found.is_empty()
        };
        assert!(check(&[("a", 20)], &answers(20, 0)));
        assert!(!check(&[("a", 20)], &answers(19, 1)));
        assert!(check(&[("a", 6), ("status:503", 6)], &answers(7, 5)));
        assert!(!check(&[("a", 6), ("status:503", 6)], &answers(9, 3)));
        assert!(check(&[("status:503", 3)], &answers(0, 3)));
        assert!(!check(&[("status:503", 3)], &answers(1, 2)));
    }
}

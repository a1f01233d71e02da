//! Judges a request: same, declared, unlisted, silent or opened.

use serde::{Deserialize, Serialize};

use super::cases::{Case, Exchange};
use super::compare::{Observed, compare};
use super::convert::Diagnostic;
use super::ingresses::Ingress;

/// From harmless to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// As ingress-nginx answered.
    Same,
    /// Differs; the case lists it and this conversion's report says so.
    Declared,
    /// Differs; a diagnostic could be about it, but the case does not list it.
    Unlisted,
    /// Differs, and nobody said so.
    Silent,
    /// ingress-nginx refused it, Envoy let it through to a backend.
    Opened,
}

/// One request with its verdict and the grounds for it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Judged {
    pub(crate) name: String,
    pub(crate) verdict: Verdict,
    /// The request in short.
    pub(crate) request: String,
    pub(crate) differences: Vec<String>,
    /// What came, in short.
    pub(crate) came: String,
    /// Diagnostics by which the difference is, or might be, declared.
    pub(crate) codes: Vec<String>,
    /// Everything seen, kept where there is a difference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) observed: Option<Observed>,
}

/// How accepted differences are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Declaration {
    /// By the case's `differences.toml` (cases of this repository).
    Listed,
    /// By any diagnostic on an Ingress that concerns the request's host (cases from elsewhere,
    /// where nobody keeps lists): of severity warning or error, or of the classes of codes that
    /// are about differences (GW05.., GW06..).
    ByHost,
}

/// Judges one request of `case`.
pub(crate) fn judge(
    case: &Case,
    exchange: &Exchange,
    observed: Observed,
    diagnostics: &[Diagnostic],
    ingresses: &[Ingress],
    declaration: Declaration,
) -> Judged {
    let request = &exchange.request;
    let scheme = match request.scheme {
        super::cases::Scheme::Http => "http",
        super::cases::Scheme::Https => "https",
    };
    let mut judged = Judged {
        name: exchange.name.clone(),
        verdict: Verdict::Same,
        request: format!(
            "{} {scheme}://{}{}",
            request.method, request.host, request.path
        ),
        differences: compare(exchange, &observed),
        came: observed.summary(),
        codes: Vec::new(),
        observed: None,
    };
    if judged.differences.is_empty() {
        return judged;
    }
    let speaking: Vec<&Diagnostic> = diagnostics
        .iter()
        .filter(|d| d.may_declare() && concerns(d, request, ingresses))
        .collect();
    let listed: Vec<_> = case
        .differences
        .iter()
        .filter(|d| d.request == exchange.name)
        .collect();
    judged.verdict = match declaration {
        Declaration::ByHost if speaking.is_empty() => Verdict::Silent,
        Declaration::ByHost => Verdict::Declared,
        Declaration::Listed if listed.is_empty() && speaking.is_empty() => Verdict::Silent,
        Declaration::Listed if listed.is_empty() => Verdict::Unlisted,
        Declaration::Listed => {
            let is_said = listed.iter().all(|entry| {
                diagnostics.iter().any(|diagnostic| {
                    diagnostic.code == entry.code
                        && entry
                            .object
                            .as_ref()
                            .is_none_or(|object| diagnostic.is_about(object))
                })
            });
            if is_said {
                Verdict::Declared
            } else {
                Verdict::Silent
            }
        }
    };
    judged.codes = if listed.is_empty() {
        speaking
            .iter()
            .map(|diagnostic| diagnostic.code.clone())
            .collect()
    } else {
        listed.iter().map(|entry| entry.code.clone()).collect()
    };
    judged.codes.sort();
    judged.codes.dedup();
    if is_opened(exchange, &observed, ingresses) {
        judged.verdict = Verdict::Opened;
    }
    judged.observed = Some(observed);
    judged
}

fn concerns(
    diagnostic: &Diagnostic,
    request: &super::cases::Request,
    ingresses: &[Ingress],
) -> bool {
    let Some(object) = &diagnostic.object else {
        return false;
    };
    object.kind == "Ingress"
        && ingresses.iter().any(|ingress| {
            ingress.name == object.name
                && ingress.namespace == object.namespace
                && ingress.concerns(&request.host)
        })
}

/// ingress-nginx protected, Envoy served. A body size (413) is no access control: a larger
/// one that passes is a difference like any other.
fn is_opened(exchange: &Exchange, observed: &Observed, ingresses: &[Ingress]) -> bool {
    let host = &exchange.request.host;
    let concerned: Vec<&Ingress> = ingresses
        .iter()
        .filter(|ingress| ingress.concerns(host))
        .collect();
    let has_client_tls = concerned.iter().any(|ingress| ingress.has_client_tls);
    let has_sign_in = concerned.iter().any(|ingress| ingress.has_sign_in);
    let is_refusal = |status: u16| match status {
        401 | 403 | 429 | 503 => true,
        400 => has_client_tls,
        302 => has_sign_in,
        _ => false,
    };
    let served = observed
        .answers
        .iter()
        .filter(|answered| answered.hit.is_some() && (200..300).contains(&answered.answer.status))
        .count();
    match (&exchange.nginx.counts, exchange.nginx.status) {
        (Some(counts), _) => {
            let refused = counts
                .iter()
                .filter_map(|(key, count)| {
                    Some((key.strip_prefix("status:")?.parse().ok()?, *count))
                })
                .any(|(status, count)| is_refusal(status) && count > 0);
            // A limit that is only coarser differs; one that never refuses is gone.
            refused && served == observed.answers.len()
        }
        (None, Some(status)) => {
            is_refusal(status) && exchange.nginx.backend.is_none() && served > 0
        }
        (None, None) => false,
    }
}

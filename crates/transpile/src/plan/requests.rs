//! Requests that show whether a host is served: one for each of its own paths.

use gatewright_diagnostics::render::printable;
use gatewright_model::eval::Request;
use gatewright_model::{Host, HostName, PlainHttp, Route};
use gatewright_verify::{Journeys, example};

use crate::Verified;

/// So many paths of a host are asked for.
const PATHS: usize = 12;

/// A request that a plan has sent to both sides.
#[derive(Clone, Debug)]
pub struct Probe {
    /// Its URL.
    pub url: String,
    /// What ingress-nginx and Envoy do with it, where they do not do the same.
    pub differs: Option<(String, String)>,
}

/// The requests of each host, in the order of the model.
pub(super) fn of_hosts(verified: &Verified) -> Vec<Vec<Probe>> {
    let model = &verified.model;
    let lists: Vec<Vec<Request>> = model.hosts.iter().map(of_host).collect();
    let journeys = Journeys::each(model, &verified.objects, lists.iter().flatten());
    let mut journeys = journeys.into_iter();
    lists
        .iter()
        .map(|requests| {
            let ways = requests.iter().zip(journeys.by_ref());
            ways.map(|(request, ways)| Probe {
                url: format!(
                    "{}://{}{}",
                    request.scheme(),
                    request.host,
                    request.target()
                ),
                differs: (!ways.differences.is_empty()).then(|| {
                    let words = |text: String| printable(&text).into_owned();
                    let nginx = ways.nginx.end.behaviour.answer.to_string();
                    let envoy = ways.envoy.end.behaviour.answer.to_string();
                    (words(nginx), words(envoy))
                }),
            })
            .collect()
        })
        .collect()
}

fn of_host(host: &Host) -> Vec<Request> {
    let name = match &host.name {
        HostName::Exact(name) => name.to_string(),
        HostName::OneLabel(parent) | HostName::Subdomains(parent) => format!("some.{parent}"),
        HostName::Any => "some.example".to_owned(),
    };
    let is_secure = host.certificate.is_some() || host.passthrough.is_some();
    let mut requests: Vec<Request> = Vec::new();
    let mut ask = |secure: bool, path: &str| {
        let request = Request::get(secure, name.as_str(), path);
        if !requests.contains(&request) {
            requests.push(request);
        }
    };
    let own = host.routes.iter().filter(|route| !route.implicit);
    let mut paths: Vec<(&Route, String)> = own
        .filter_map(|route| Some((route, example(&route.matcher)?)))
        .take(PATHS)
        .collect();
    // What nobody wrote is served, too.
    if let Some(route) = host.routes.iter().find(|route| route.implicit) {
        paths.push((route, "/".to_owned()));
    }
    for (at, (route, path)) in paths.iter().enumerate() {
        // A redirect to HTTPS is the same for all paths.
        if at == 0 || matches!(route.plain_http, PlainHttp::Serve) {
            ask(false, path);
        }
        if is_secure {
            ask(true, path);
        }
    }
    requests
}

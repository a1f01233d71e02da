//! Auth services that are reached through an Ingress of the input.
//!
//! `https://$host/oauth2/auth` leads back to the controller, which sends it to the Service of
//! that path. Where nothing of the Ingress in between could change the answer, asking the
//! Service itself comes to the same.

use std::sync::Arc;

use gatewright_model::Target;

use super::path;
use crate::annotations::Settings;
use crate::annotations::Url;
use crate::annotations::backend::Protocol;
use crate::config_map::Config;
use crate::effective::{Effective, Location, Server, Source, Upstream};
use crate::ingress::{Ingress, PathType};
use crate::objects::Objects;
use crate::service;

/// What is known of everything that the controller serves.
#[derive(Clone, Copy)]
pub(crate) struct Known<'a> {
    pub(crate) effective: &'a Effective,
    pub(crate) sources: &'a [Source<'a>],
    pub(crate) config: &'a Config,
    pub(crate) objects: &'a Objects,
}

/// The Service that answers the URL, with the namespace it stands in; why there is none, as a
/// clause.
pub(crate) fn service(
    url: &Url<'_>,
    asking: &Ingress,
    known: Known<'_>,
) -> Result<(Arc<str>, Target), String> {
    if url.scheme != "https" || url.port.is_some_and(|port| port != "443") {
        return Err("no Ingress of the input is asked but over HTTPS, at port 443".to_owned());
    }
    if closes(known.config) {
        return Err("the controller's ConfigMap could keep the question out".to_owned());
    }
    let mut found: Option<(Arc<str>, Target)> = None;
    for host in hosts(url, asking)? {
        let next = of_host(&host, url, known)?;
        if found.as_ref().is_some_and(|known| *known != next) {
            return Err("the hosts of the Ingress lead to different Services".to_owned());
        }
        found = Some(next);
    }
    found.ok_or_else(|| "the Ingress has no host".to_owned())
}

/// The hosts that are asked: the one that is named, or those of the request.
fn hosts(url: &Url<'_>, asking: &Ingress) -> Result<Vec<Arc<str>>, String> {
    match url.host {
        "$host" | "$http_host" | "$best_http_host" => asking
            .rules
            .iter()
            .map(|rule| {
                let host = rule.host.as_ref().map(|host| Arc::clone(&host.value));
                let host = host.filter(|host| !host.is_empty() && !host.starts_with('*'));
                host.ok_or_else(|| format!("`{}` can be any name here", url.host))
            })
            .collect(),
        host if host.contains('$') => Err("variables cannot be carried over".to_owned()),
        host => Ok(vec![Arc::from(host.to_ascii_lowercase())]),
    }
}

fn of_host(host: &str, url: &Url<'_>, known: Known<'_>) -> Result<(Arc<str>, Target), String> {
    let server = known.effective.servers.get(host);
    let server = server.ok_or_else(|| format!("no Ingress of the input serves `{host}`"))?;
    let of_host = |source: &&Source<'_>| {
        let mut rules = source.ingress.rules.iter();
        rules.any(|rule| rule.host.as_ref().is_some_and(|name| *name.value == *host))
    };
    let special = known.sources.iter().filter(of_host).any(|source| {
        let settings = source.settings;
        settings.auth_tls.is_some()
            || settings.snippets.server.is_some()
            || settings.rewrite.use_regex.is_some_and(|flag| flag.value)
            || settings.rewrite.target.is_some()
    });
    if special || server.passthrough.is_some() {
        return Err(format!(
            "what the Ingresses of `{host}` say could change the answer"
        ));
    }
    let target = path(url);
    let asked = target.split_once('?').map_or(&*target, |(path, _)| path);
    if asked.contains(['%', ';']) || asked.split('/').skip(1).any(|s| s == "." || s == "..") {
        return Err(format!("`{asked}` is not a plain path"));
    }
    let location = location(server, asked)
        .ok_or_else(|| format!("no Ingress of the input serves `{host}{asked}`"))?;
    let source = location.source.and_then(|at| known.sources.get(at));
    let plain = source.is_some_and(|source| {
        !source.contested && source.denied.is_none() && answers_plainly(source.settings)
    });
    let upstream = location.upstream.map(|at| &known.effective.upstreams[at]);
    let alone = |upstream: &&Upstream| !upstream.canary_only && upstream.alternatives.is_empty();
    let upstream = upstream.filter(alone).map(|upstream| &upstream.key);
    let (true, false, Some(upstream)) = (plain, location.closed, upstream) else {
        return Err(format!(
            "what the Ingress of `{host}{asked}` says could change the answer"
        ));
    };
    match service::resolve(upstream, known.objects) {
        Ok(target @ Target::Service { .. }) => Ok((Arc::clone(&upstream.namespace), target)),
        _ => Err(format!(
            "`{host}{asked}` is not served by a Service of the cluster"
        )),
    }
}

/// The location that nginx chooses for a path where none is a pattern.
fn location<'s>(server: &'s Server, asked: &str) -> Option<&'s Location> {
    let takes = |location: &&Location| {
        let path = &*location.path;
        match location.path_type {
            PathType::Exact => path == asked,
            PathType::Prefix => {
                let path = path.trim_end_matches('/');
                asked
                    .strip_prefix(path)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
        }
    };
    let rank = |location: &&Location| {
        let exact = location.path_type == PathType::Exact;
        (exact, location.path.trim_end_matches('/').len())
    };
    server.locations.iter().filter(takes).max_by_key(rank)
}

/// Whether the answer is that of the Service, whoever asks.
fn answers_plainly(settings: &Settings) -> bool {
    settings.redirect.target().is_none()
        && settings.rewrite.app_root.is_none()
        && settings.backend.protocol() == Protocol::Http
        && settings.server.upstream_vhost.is_none()
        && settings.auth_basic.is_none()
        && settings.auth_external.is_none()
        && settings.auth_lost.is_none()
        && settings.ip_lists.allow.is_none()
        && settings.ip_lists.deny.is_none()
        && settings.satisfy.is_none()
        && settings.limits.is_none()
        && settings.errors.codes.is_none()
        && settings.modsecurity.is_none()
        && settings.snippets.configuration.is_none()
}

/// Whether the controller could answer in place of the Service.
fn closes(config: &Config) -> bool {
    let lists = [
        &config.whitelist_source_range,
        &config.denylist_source_range,
        &config.block_cidrs,
        &config.block_user_agents,
        &config.block_referers,
    ];
    let texts = [
        &config.global_auth_url,
        &config.http_snippet,
        &config.server_snippet,
        &config.location_snippet,
    ];
    config.enable_modsecurity
        || lists.iter().any(|list| !list.is_empty())
        || texts.iter().any(|text| !text.is_empty())
}

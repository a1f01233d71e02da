//! From the effective configuration to the routing model.

mod rewritten;
pub(crate) mod server_snippet;

use std::collections::BTreeSet;
use std::sync::Arc;

use gatewright_diagnostics::{Code, Diagnostic};
use gatewright_model::{
    Action, Authority, Backend, Balance, Canary, CanaryHeader, Certificate, Ciphers, Forward,
    HeaderRule, Host, HostName, Origin, OwnerId, Passthrough, PathMatcher, PlainHttp, Protocol,
    Redirect, RedirectTarget, Refusal, Rewrite, Route, SecretRef, Split, Target, is_dns_subdomain,
};
use gatewright_source::{Span, Spanned};

use crate::annotations::Settings;
use crate::annotations::backend::Protocol as BackendProtocol;
use crate::config_map::Config;
use crate::effective::{Effective, Location, Server, Source, SourceIndex, Upstream, UpstreamIndex};
use crate::ingress::PathType;
use crate::objects::Objects;
use crate::policies::auth_tls::{self, Clients};
use crate::policies::backend_tls::{self, UpstreamTls};
use crate::policies::balance::{self, Sticky};
use crate::policies::{self, PolicyOutput, ssl};
use crate::remarks;
use crate::service;
use crate::validate;
use crate::{IndexMap, IndexSet, each};

/// What lowering reads.
pub(crate) struct Lowering<'a> {
    pub(crate) effective: &'a Effective,
    pub(crate) sources: &'a [Source<'a>],
    pub(crate) objects: &'a Objects,
    pub(crate) config: &'a Config,
    /// The controller runs with `--enable-ssl-passthrough`.
    pub(crate) passthrough: bool,
    /// What else holds for the locations of each source.
    pub(crate) policies: &'a [PolicyOutput],
    /// The server-snippets of each host.
    pub(crate) server_snippets: &'a server_snippet::ByHost<'a>,
    /// By host, the Ingresses with a rule for it, canaries included.
    pub(crate) of_host: &'a IndexMap<&'a str, Vec<SourceIndex>>,
    /// What was found so far.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// For [`Lowering::of_host`].
pub(crate) fn of_host<'a>(sources: &[Source<'a>]) -> IndexMap<&'a str, Vec<SourceIndex>> {
    let mut index: IndexMap<&str, Vec<SourceIndex>> = IndexMap::default();
    for (at, source) in sources.iter().enumerate() {
        for rule in &source.ingress.rules {
            let host = rule.host.as_ref().map_or("", |host| &*host.value);
            let of_host = index.entry(host).or_default();
            if of_host.last() != Some(&at) {
                of_host.push(at);
            }
        }
    }
    index
}

/// A location as the template renders it.
struct Rendered<'a> {
    location: &'a Location,
    path: String,
}

impl Lowering<'_> {
    /// All hosts, in the order of their names.
    pub(crate) fn hosts(&mut self, threads: usize) -> Vec<Host> {
        let servers = &self.effective.servers;
        let lowered = each(threads, servers.len(), |at| {
            let mut lowering = Lowering {
                diagnostics: Vec::new(),
                ..*self
            };
            let found = servers.get_index(at);
            let host = found.and_then(|(raw, server)| lowering.server(raw, server));
            (host, lowering.diagnostics)
        });
        let mut hosts = Vec::with_capacity(servers.len());
        // Names that aliases and `www` have taken.
        let mut taken = IndexSet::default();
        for (server, (host, found)) in servers.values().zip(lowered) {
            self.diagnostics.extend(found);
            let Some(host) = host else { continue };
            self.aliases(&host, server, &mut hosts, &mut taken);
            self.www(&host, server, &mut hosts, &mut taken);
            hosts.push(host);
        }
        hosts.sort_by(|a, b| a.name.cmp(&b.name));
        hosts
    }

    fn server(&mut self, raw: &str, server: &Server) -> Option<Host> {
        let first = self.sources[server.first?].id;
        let snippet = self.server_snippet(raw);
        let name = self.host_name(raw, server)?;
        Some(self.host(raw, name, first, server, snippet))
    }

    fn host_name(&mut self, name: &str, server: &Server) -> Option<HostName> {
        if name.is_empty() {
            return Some(HostName::Any);
        }
        let lower = name.to_ascii_lowercase();
        let trimmed = lower.trim_end_matches('.');
        let (parent, wildcard) = match trimmed.strip_prefix("*.") {
            Some(parent) => (parent, true),
            None => (trimmed, false),
        };
        if is_dns_name(parent) && parent.parse::<std::net::IpAddr>().is_err() {
            let parent = Arc::from(parent);
            return Some(if wildcard {
                HostName::OneLabel(parent)
            } else {
                HostName::Exact(parent)
            });
        }
        let source = &self.sources[server.first?];
        let span = source
            .ingress
            .rules
            .iter()
            .filter_map(|rule| rule.host.as_ref())
            .find(|host| &*host.value == name)
            .map_or(source.ingress.name_span, |host| host.span);
        self.diagnostics.push(
            Diagnostic::new(Code::HostInvalid, format!("the host `{name}` cannot be served"))
                .object(&source.ingress.object)
                .at(span)
                .note("DNS and Gateway API take at most 63 characters between two dots, so no client can ask for it")
                .help("correct the host name"),
        );
        None
    }

    fn host(
        &mut self,
        raw: &str,
        name: HostName,
        first: OwnerId,
        server: &Server,
        snippet: Option<usize>,
    ) -> Host {
        let server_tls = self.server_tls(raw).cloned();
        let rendered = self.rendered(server);
        let patterns = rendered.iter().any(|r| {
            self.rewrite_settings(r.location)
                .is_some_and(|s| uses_regex(s) || needs_rewrite(s, &r.path))
        });
        if !patterns {
            self.plain_patterns(server);
        }
        let certificate = self.certificate(&name, server);
        let secured = certificate.is_some() || self.wildcard_certificate(&name);
        let mut routes = Vec::new();
        let paths: BTreeSet<&str> = rendered.iter().map(|r| &*r.path).collect();
        let mut redirected = BTreeSet::new();
        for (at, r) in rendered.iter().enumerate() {
            let (before, after) = (
                at.checked_sub(1).map(|at| &rendered[at]),
                rendered.get(at + 1),
            );
            let half = |other: Option<&Rendered<'_>>| {
                other
                    .as_ref()
                    .is_some_and(|other| std::ptr::eq(other.location, r.location))
            };
            // The two halves of a Prefix say the same, unless only one of them is rewritten.
            let redundant = if patterns {
                let rewritten = self
                    .rewrite_settings(r.location)
                    .is_some_and(|s| needs_rewrite(s, &format!("{}/", r.location.path)));
                let same = |other: Option<&Rendered<'_>>| other.is_some_and(|o| o.path == r.path);
                half(after) && !rewritten && !same(after) || half(before) && same(before)
            } else {
                half(before)
            };
            if redundant {
                continue;
            }
            let source = r.location.source.map(|index| &self.sources[index]);
            // The bare default server answers 404, as an unmatched request does anyway.
            let owner = source.map_or(first, |source| source.id);
            let route = self.route(
                r,
                owner,
                (patterns, secured && name != HostName::Any),
                server_tls.as_ref(),
            );
            if !patterns {
                // An Exact and a Prefix of the same path share one redirect.
                if let Some(redirect) = self.slash_redirect(r, &paths, owner)
                    && redirected.insert(redirect.matcher.clone())
                {
                    routes.push(redirect);
                }
            }
            routes.push(route);
        }
        if !patterns {
            // nginx asks exact locations first, then the longest prefix.
            routes.sort_by_key(|route| {
                let exact = matches!(route.matcher, PathMatcher::Exact(_));
                (!exact, std::cmp::Reverse(route.matcher.text().len()))
            });
        }
        if let Some(root) = self.app_root(&rendered) {
            routes.retain(|route| route.matcher != PathMatcher::Exact("/".to_owned()));
            routes.insert(0, root);
        }
        if let Some(snippet) = snippet {
            self.apply_server_snippet(snippet, patterns, &mut routes);
        }
        self.rewritten(&mut routes);
        // There are many hosts, most with few routes.
        routes.shrink_to_fit();
        let passthrough = self.passthrough(&name, server).map(Box::new);
        let mut host = Host {
            name,
            first,
            patterns,
            routes,
            certificate,
            passthrough,
            clients: None,
            ciphers: self.ciphers(raw).map(Box::new),
        };
        self.clients(raw, &mut host);
        host
    }

    fn plain_patterns(&mut self, server: &Server) {
        for location in &server.locations {
            let Some((source, span)) = location.source.zip(location.span) else {
                continue;
            };
            let object = &self.sources[source].ingress.object;
            let remark = remarks::plain_pattern(object, &location.path, span);
            self.diagnostics.extend(remark);
        }
    }

    /// The Ingresses with a rule for a host, canaries included.
    fn of_host<'s>(&'s self, raw: &str) -> impl Iterator<Item = &'s Source<'s>> {
        let known = self.of_host.get(raw).into_iter().flatten();
        known.map(|&at| &self.sources[at])
    }

    /// Client certificates of the host, or why it answers nothing else.
    fn clients(&self, raw: &str, host: &mut Host) {
        let (origin, forbidden) = match auth_tls::host(self.of_host(raw), self.objects) {
            Clients::Anybody => return,
            Clients::Certificates(certificates) => {
                host.clients = Some(Box::new(certificates));
                return;
            }
            Clients::Forbidden(origin) => (origin, true),
            Clients::Refused(origin) => (origin, false),
        };
        let refusal = Refusal {
            reason: if forbidden {
                "the Secret of client certificates cannot be used".to_owned()
            } else {
                "the subject of client certificates cannot be compared".to_owned()
            },
            faithful: forbidden,
            origin: origin.clone(),
        };
        host.patterns = false;
        host.routes = vec![Route {
            owner: origin.owner,
            origin,
            matcher: PathMatcher::Prefix("/".to_owned()),
            implicit: false,
            plain_http: PlainHttp::Serve,
            action: if forbidden {
                Action::Forbid(refusal)
            } else {
                Action::Refuse(refusal)
            },
            policies: Arc::default(),
        }];
    }

    /// The first list of ciphers of the host's Ingresses.
    fn ciphers(&self, raw: &str) -> Option<Ciphers> {
        self.of_host(raw)
            .filter(|source| source.settings.canary.is_none())
            .find_map(|source| {
                let list = source.settings.ssl.ciphers.as_ref()?;
                Some(Ciphers {
                    suites: ssl::suites(&list.value),
                    origin: Origin::annotation(source.id, "ssl-ciphers", list.span),
                })
            })
            .filter(|ciphers| !ciphers.suites.is_empty())
    }

    /// `updateServerLocations`: locations by length of the path, then by the path, descending;
    /// a Prefix without rewrite becomes two.
    fn rendered<'s>(&self, server: &'s Server) -> Vec<Rendered<'s>> {
        let mut locations: Vec<&Location> = server.locations.iter().collect();
        locations.sort_by(|a, b| (b.path.len(), &b.path).cmp(&(a.path.len(), &a.path)));
        let exact: Vec<&str> = locations
            .iter()
            .filter(|l| l.path_type == PathType::Exact)
            .map(|l| &*l.path)
            .collect();
        let mut rendered = Vec::new();
        for location in locations {
            let kept = || Rendered {
                location,
                path: location.path.to_string(),
            };
            if &*location.path == "/" || location.path_type == PathType::Exact {
                rendered.push(kept());
                continue;
            }
            let raw = self
                .rewrite_settings(location)
                .is_some_and(|s| uses_regex(s) || needs_rewrite(s, &location.path));
            if raw {
                rendered.push(kept());
                continue;
            }
            rendered.push(Rendered {
                location,
                path: format!("{}/", location.path.trim_end_matches('/')),
            });
            if !exact.contains(&&*location.path) {
                rendered.push(kept());
            }
        }
        rendered
    }

    /// The settings of a location, unless the rewrite and redirect groups do not apply to it.
    fn rewrite_settings(&self, location: &Location) -> Option<&Settings> {
        let source = &self.sources[location.source?];
        (!location.bare).then_some(source.settings)
    }

    fn route(
        &mut self,
        r: &Rendered<'_>,
        owner: OwnerId,
        (patterns, secured): (bool, bool),
        server_tls: Option<&UpstreamTls>,
    ) -> Route {
        let origin = Origin::field(
            owner,
            r.location.span.unwrap_or_else(|| self.span_of(r.location)),
        );
        let matcher = if patterns {
            PathMatcher::Pattern(r.path.clone())
        } else if r.location.path_type == PathType::Exact {
            PathMatcher::Exact(r.path.clone())
        } else {
            PathMatcher::Prefix(r.location.path.to_string())
        };
        let action = self.action(r, owner, &origin, server_tls);
        let plain_http = self.plain_http(r, owner, &action, secured);
        let policies = r.location.source.map_or_else(Arc::default, |index| {
            let all = &self.policies[index].policies;
            policies::for_location(all, &r.location.path, self.config)
        });
        Route {
            owner,
            origin,
            matcher,
            implicit: r.location.implicit,
            plain_http,
            action,
            policies,
        }
    }

    fn span_of(&self, location: &Location) -> Span {
        let index = location.source.unwrap_or_default();
        self.sources
            .get(index)
            .map_or(self.sources[0].ingress.name_span, |s| s.ingress.name_span)
    }

    fn action(
        &mut self,
        r: &Rendered<'_>,
        owner: OwnerId,
        origin: &Origin,
        server_tls: Option<&UpstreamTls>,
    ) -> Action {
        let Some(index) = r.location.source else {
            return Action::NotFound;
        };
        let source = &self.sources[index];
        if let Some((reason, span)) = &source.denied {
            return Action::Refuse(Refusal {
                reason: reason.clone(),
                faithful: true,
                origin: Origin::field(owner, *span),
            });
        }
        if r.location.closed {
            return Action::Refuse(Refusal {
                reason: "a path that differs by its final slash is protected in another way"
                    .to_owned(),
                faithful: false,
                origin: origin.clone(),
            });
        }
        let settings = source.settings;
        let refusal = self.policies[index].refusal.as_ref();
        // The controller's own 503 stands in the place of everything else.
        if let Some(refusal) = refusal.filter(|refusal| refusal.faithful || source.contested) {
            return Action::Refuse(refusal.clone());
        }
        if !r.location.bare
            && let Some(redirect) = self.fixed_redirect(settings, owner)
        {
            return Action::from(redirect);
        }
        if let Some(refusal) = refusal {
            return Action::Refuse(refusal.clone());
        }
        let rewrite = self
            .rewrite_settings(r.location)
            .and_then(|s| s.rewrite.target.as_ref())
            .filter(|target| !target.value.is_empty() && target.value != r.path)
            .cloned();
        if let Some(target) = &rewrite {
            let url = &target.value;
            if ["http://", "https://", "$scheme"]
                .iter()
                .any(|p| url.starts_with(p))
            {
                return Action::from(Redirect {
                    target: RedirectTarget::Pattern {
                        pattern: r.path.clone(),
                        url: url.clone(),
                    },
                    code: 302,
                    origin: Origin::annotation(owner, "rewrite-target", target.span),
                });
            }
        }
        if let Some(target) = rewrite.as_ref().filter(|_| !r.location.implicit)
            && let Some(remark) =
                remarks::missing_capture(&source.ingress.object, &r.location.path, target)
        {
            self.diagnostics.push(remark);
        }
        let Some(upstream) = r.location.upstream else {
            return Action::NotFound;
        };
        let protocol = settings.backend.protocol.as_ref();
        if let Some(Spanned {
            value: BackendProtocol::Fcgi { .. },
            span,
        }) = protocol
        {
            let origin = Origin::annotation(owner, "backend-protocol", *span);
            return self.fastcgi(source, origin);
        }
        if let Some(refusal) = self.unresolved_port(upstream, source, owner) {
            return Action::Refuse(refusal);
        }
        let split = self.split(upstream, index, r.location, owner, origin.span, server_tls);
        let split = match split {
            Ok(split) => split,
            Err(refusal) => return Action::Refuse(refusal),
        };
        let forwarded_prefix = rewrite.as_ref().and_then(|_| {
            let prefix = settings.rewrite.x_forwarded_prefix.as_ref()?;
            let origin = Origin::annotation(owner, "x-forwarded-prefix", prefix.span);
            Some(Box::new((prefix.value.clone(), origin)))
        });
        Action::Forward(Box::new(Forward {
            split,
            rewrite: rewrite.map(|target| {
                Box::new(Rewrite {
                    pattern: r.path.clone(),
                    target: target.value,
                    origin: Origin::annotation(owner, "rewrite-target", target.span),
                })
            }),
            authority: settings.server.upstream_vhost.as_ref().map(|vhost| {
                Box::new(Authority {
                    value: vhost.value.clone(),
                    origin: Origin::annotation(owner, "upstream-vhost", vhost.span),
                })
            }),
            forwarded_prefix,
        }))
    }

    fn fastcgi(&mut self, source: &Source<'_>, origin: Origin) -> Action {
        let diagnostic = Diagnostic::new(
            Code::FastCgi,
            "Envoy does not speak FastCGI, so the paths of this Ingress answer 503",
        )
        .object(&source.ingress.object)
        .annotation("backend-protocol")
        .at(origin.span)
        .help("put a web server that speaks FastCGI beside the application and let the Service point to it");
        self.diagnostics.push(diagnostic);
        Action::Refuse(Refusal {
            reason: "FastCGI backends are not supported".to_owned(),
            faithful: false,
            origin,
        })
    }

    /// `permanent-redirect` and `temporal-redirect`; the latter wins.
    fn fixed_redirect(&self, settings: &Settings, owner: OwnerId) -> Option<Redirect> {
        let (target, code) = settings.redirect.target()?;
        let key = if settings.redirect.temporal.is_some() {
            "temporal-redirect"
        } else {
            "permanent-redirect"
        };
        let url = &target.value;
        Some(Redirect {
            target: if url.starts_with('/') {
                RedirectTarget::Path {
                    path: url.clone(),
                    keep_query: false,
                    keep_port: false,
                    relative: settings.redirect.relative(self.config),
                }
            } else {
                RedirectTarget::Location(url.clone())
            },
            code,
            origin: Origin::annotation(owner, key, target.span),
        })
    }

    fn plain_http(
        &self,
        r: &Rendered<'_>,
        owner: OwnerId,
        action: &Action,
        secured: bool,
    ) -> PlainHttp {
        let Some(settings) = self.rewrite_settings(r.location) else {
            return PlainHttp::Serve;
        };
        let direct = match action {
            Action::Redirect(_) => true,
            Action::Refuse(refusal) | Action::Forbid(refusal) => refusal.faithful,
            Action::Forward(_) | Action::NotFound => false,
        };
        let exempt = !r.location.implicit
            && self
                .config
                .no_tls_redirect_locations
                .iter()
                .any(|prefix| r.location.path.starts_with(prefix.as_str()));
        let rewrite = &settings.rewrite;
        let force = rewrite.force_ssl_redirect(self.config);
        if direct || exempt || !(force || secured && rewrite.ssl_redirect(self.config)) {
            return PlainHttp::Serve;
        }
        let origin = match (&rewrite.force_ssl_redirect, &rewrite.ssl_redirect) {
            (Some(span), _) if force => Origin::annotation(owner, "force-ssl-redirect", span.span),
            (_, Some(span)) => Origin::annotation(owner, "ssl-redirect", span.span),
            _ => Origin::field(owner, self.span_of(r.location)),
        };
        PlainHttp::Redirect {
            code: self.config.http_redirect_code,
            keep_slash: rewrite.preserve_trailing_slash(self.config),
            name_port: rewrite.use_port_in_redirects(self.config),
            origin,
        }
    }

    /// nginx itself redirects `/bar` to `/bar/` when only the latter is a location.
    fn slash_redirect(
        &self,
        r: &Rendered<'_>,
        rendered: &BTreeSet<&str>,
        owner: OwnerId,
    ) -> Option<Route> {
        let written = &r.location.path;
        let bare = written.strip_suffix('/').filter(|bare| !bare.is_empty())?;
        if rendered.contains(bare) {
            return None;
        }
        let index = r.location.source?;
        let source = &self.sources[index];
        let refusal = self.policies[index].refusal.as_ref();
        if source.denied.is_some()
            || source.contested
            || refusal.is_some_and(|refusal| refusal.faithful)
        {
            return None;
        }
        let origin = Origin::field(owner, r.location.span?);
        Some(Route {
            owner,
            origin: origin.clone(),
            matcher: PathMatcher::Exact(bare.to_owned()),
            implicit: false,
            plain_http: PlainHttp::Serve,
            action: Action::from(Redirect {
                target: RedirectTarget::Path {
                    path: format!("{bare}/"),
                    keep_query: true,
                    keep_port: false,
                    relative: source.settings.redirect.relative(self.config),
                },
                code: 301,
                origin,
            }),
            policies: Arc::default(),
        })
    }

    /// `if ($uri = /) return 302` in the server, once; the first location in rendered order wins.
    fn app_root(&self, rendered: &[Rendered<'_>]) -> Option<Route> {
        rendered.iter().find_map(|r| {
            let settings = self.rewrite_settings(r.location)?;
            let root = settings.rewrite.app_root.as_ref()?;
            let source = &self.sources[r.location.source?];
            if source.contested {
                return None;
            }
            let owner = source.id;
            let origin = Origin::annotation(owner, "app-root", root.span);
            Some(Route {
                owner,
                origin: origin.clone(),
                matcher: PathMatcher::Exact("/".to_owned()),
                implicit: false,
                plain_http: PlainHttp::Serve,
                action: Action::from(Redirect {
                    target: RedirectTarget::Path {
                        path: root.value.clone(),
                        keep_query: false,
                        keep_port: true,
                        relative: false,
                    },
                    code: 302,
                    origin,
                }),
                policies: Arc::default(),
            })
        })
    }

    /// The Secrets of the first Ingress of the host that has `spec.tls`: the entry that names
    /// the host, else any whose certificate fits.
    fn certificate(&self, name: &HostName, server: &Server) -> Option<Certificate> {
        let source = &self.sources[server.tls?];
        let host = name.to_string();
        let tls = &source.ingress.tls;
        let own = tls.iter().find(|entry| {
            entry
                .hosts
                .iter()
                .any(|h| h.value.eq_ignore_ascii_case(&host))
        });
        let entries: Vec<_> = own.map_or_else(|| tls.iter().collect(), |entry| vec![entry]);
        let mut secrets: Vec<SecretRef> = entries
            .iter()
            .filter_map(|entry| entry.secret.as_ref())
            .filter(|secret| validate::is_secret_name(&secret.value))
            .map(|secret| SecretRef {
                namespace: Arc::clone(&source.ingress.object.namespace),
                name: Arc::clone(&secret.value),
            })
            .collect();
        secrets.sort();
        secrets.dedup();
        Some(Certificate {
            secrets,
            origin: Origin::field(source.id, entries.first()?.span),
        })
    }

    /// A certificate of `*.parent` makes plain requests for `x.parent` go to HTTPS as well.
    fn wildcard_certificate(&self, name: &HostName) -> bool {
        let HostName::Exact(name) = name else {
            return false;
        };
        let Some((_, parent)) = name.split_once('.') else {
            return false;
        };
        self.effective
            .servers
            .get(format!("*.{parent}").as_str())
            .is_some_and(|server| server.tls.is_some())
    }

    fn aliases(
        &mut self,
        host: &Host,
        server: &Server,
        hosts: &mut Vec<Host>,
        taken: &mut IndexSet<HostName>,
    ) {
        let Some(source) = server.alias.map(|index| &self.sources[index]) else {
            return;
        };
        let Some(aliases) = &source.settings.server.aliases else {
            return;
        };
        for alias in &aliases.value {
            let lower = alias.to_ascii_lowercase();
            if self.effective.servers.contains_key(lower.as_str()) {
                continue;
            }
            let parent = lower.strip_prefix("*.").or_else(|| lower.strip_prefix('.'));
            let name = match parent {
                Some(parent) if is_dns_name(parent) => HostName::Subdomains(Arc::from(parent)),
                None if is_dns_name(&lower) => HostName::Exact(Arc::from(lower.as_str())),
                _ => {
                    self.diagnostics.push(
                        Diagnostic::new(Code::AliasPattern, format!("the alias `{alias}` cannot be served"))
                            .object(&source.ingress.object)
                            .annotation("server-alias")
                            .at(aliases.span)
                            .note("Gateway API takes DNS names, with `*` as the whole first label at most")
                            .help("list the names one by one"),
                    );
                    continue;
                }
            };
            if !taken.insert(name.clone()) {
                continue;
            }
            // The certificate of the host serves an alias only if it names it; without one,
            // only force-ssl-redirect sends plain requests to HTTPS.
            let covered = source.ingress.tls.iter().any(|tls| {
                tls.hosts
                    .iter()
                    .any(|h| h.value.eq_ignore_ascii_case(&lower))
            });
            let mut copy = host.clone();
            copy.name = name;
            copy.passthrough = None;
            if !covered {
                copy.certificate = None;
                for route in &mut copy.routes {
                    if let PlainHttp::Redirect { origin, .. } = &route.plain_http
                        && origin.annotation != Some("force-ssl-redirect")
                    {
                        route.plain_http = PlainHttp::Serve;
                    }
                }
            }
            hosts.push(copy);
        }
    }

    fn www(
        &mut self,
        host: &Host,
        server: &Server,
        hosts: &mut Vec<Host>,
        taken: &mut IndexSet<HostName>,
    ) {
        let Some(source) = server.www.map(|index| &self.sources[index]) else {
            return;
        };
        let Some(flag) = &source.settings.redirect.from_to_www else {
            return;
        };
        let HostName::Exact(name) = &host.name else {
            if matches!(host.name, HostName::OneLabel(_)) {
                self.diagnostics.push(
                    Diagnostic::new(
                        Code::WildcardWww,
                        "`from-to-www-redirect` on a wildcard host breaks the nginx configuration",
                    )
                    .object(&source.ingress.object)
                    .annotation("from-to-www-redirect")
                    .at(flag.span)
                    .help("remove the annotation"),
                );
            }
            return;
        };
        let other = name
            .strip_prefix("www.")
            .map_or_else(|| format!("www.{name}"), str::to_owned);
        if self.effective.servers.contains_key(other.as_str()) {
            return;
        }
        let origin = Origin::annotation(source.id, "from-to-www-redirect", flag.span);
        let name_of_other = HostName::Exact(Arc::from(other));
        if !taken.insert(name_of_other.clone()) {
            return;
        }
        hosts.push(Host {
            name: name_of_other,
            first: source.id,
            patterns: false,
            routes: vec![Route {
                owner: source.id,
                origin: origin.clone(),
                matcher: PathMatcher::Prefix("/".to_owned()),
                implicit: false,
                plain_http: PlainHttp::Serve,
                action: Action::from(Redirect {
                    target: RedirectTarget::Host(name.to_string()),
                    code: self.config.http_redirect_code,
                    origin,
                }),
                policies: Arc::default(),
            }],
            certificate: None,
            passthrough: None,
            clients: None,
            ciphers: None,
        });
    }

    /// TLS goes to the Service of the host's `/`.
    fn passthrough(&mut self, name: &HostName, server: &Server) -> Option<Passthrough> {
        if !self.passthrough || !matches!(name, HostName::Exact(_)) {
            return None;
        }
        let source = &self.sources[server.passthrough?];
        let flag = source.settings.ssl.passthrough.as_ref()?;
        let root = server.locations.iter().find(|l| &*l.path == "/")?;
        let contested = |index: SourceIndex| self.sources[index].contested;
        if source.contested || root.source.is_some_and(contested) {
            return None;
        }
        let upstream = root.upstream?;
        let origin = Origin::annotation(source.id, "ssl-passthrough", flag.span);
        let backend = self.backend(upstream, Protocol::Http, origin.clone());
        Some(Passthrough { backend, origin })
    }

    fn split(
        &mut self,
        upstream: UpstreamIndex,
        index: usize,
        location: &Location,
        owner: OwnerId,
        span: Span,
        server_tls: Option<&UpstreamTls>,
    ) -> Result<Split, Refusal> {
        let settings = self.sources[index].settings;
        let protocol = match settings.backend.protocol() {
            BackendProtocol::Http | BackendProtocol::Fcgi { .. } => Protocol::Http,
            BackendProtocol::Https => Protocol::Https,
            BackendProtocol::AutoHttp => Protocol::SameAsClient,
            BackendProtocol::Grpc { .. } => Protocol::Grpc,
            BackendProtocol::Grpcs { .. } => Protocol::Grpcs,
        };
        let origin = match &settings.backend.protocol {
            Some(protocol) => Origin::annotation(owner, "backend-protocol", protocol.span),
            None => Origin::field(owner, span),
        };
        let own = self.policies[index].upstream_tls.as_ref();
        let tls = match protocol {
            Protocol::Https | Protocol::Grpcs | Protocol::SameAsClient => own
                .or(server_tls)
                .map(|tls| tls.settings.clone().map(Box::new))
                .transpose(),
            Protocol::Http | Protocol::Grpc => Ok(None),
        };
        let tls = match tls {
            Ok(tls) => tls,
            Err(refusal) => {
                if own.is_none() {
                    self.inherited(index, &refusal, origin.span);
                }
                return Err(refusal);
            }
        };
        let mut primary = self.backend(upstream, protocol, origin);
        primary.tls.clone_from(&tls);
        primary.balance = self.balance(upstream, index, location).map(Box::new);
        let mut canary = self.effective.upstreams[upstream]
            .alternatives
            .first()
            .and_then(|&alternative| self.canary(alternative, protocol));
        if let Some(canary) = &mut canary {
            canary.backend.tls = tls;
        }
        Ok(Split {
            primary,
            canary: canary.map(Box::new),
        })
    }

    /// TLS to the backend is refused because of what another Ingress of the host says.
    fn inherited(&mut self, index: usize, refusal: &Refusal, span: Span) {
        let source = &self.sources[index];
        let other = self.sources.iter().find(|s| s.id == refusal.origin.owner);
        let by = other.map_or_else(String::new, |other| {
            format!("; {} says so for the host", other.ingress.object)
        });
        let mut diagnostic = Diagnostic::new(
            Code::UpstreamTlsRefused,
            format!("{}{by}", refusal.reason),
        )
        .object(&source.ingress.object)
        .at(span)
        .note("the paths of this Ingress answer 503 as well")
        .help("write `proxy-ssl-name` there, or set `proxy-ssl-location-only` in the controller's ConfigMap");
        if source.settings.backend.protocol.is_some() {
            diagnostic = diagnostic.annotation("backend-protocol");
        }
        self.diagnostics.push(diagnostic);
    }

    /// How an endpoint of the upstream of a location is chosen.
    fn balance(
        &self,
        upstream: UpstreamIndex,
        index: usize,
        location: &Location,
    ) -> Option<Balance> {
        let upstream = &self.effective.upstreams[upstream];
        let first = self.sources[upstream.first].settings;
        let sticky = upstream.affinity.and_then(|at| {
            let affinity = self.sources[at].settings.affinity.as_ref()?;
            let gives = self.sources[index].settings.affinity.is_some() && !location.implicit;
            Some(Sticky {
                affinity,
                path: gives.then_some(&*location.path),
            })
        });
        balance::balance(first, sticky.as_ref(), self.config)
    }

    /// What the first Ingress of a host with a CA says about TLS to backends holds for all
    /// its locations (`createServers`).
    fn server_tls(&self, name: &str) -> Option<&UpstreamTls> {
        if self.config.proxy_ssl_location_only {
            return None;
        }
        let at = backend_tls::decider(self.of_host.get(name)?, self.policies)?;
        self.policies[at].upstream_tls.as_ref()
    }

    fn canary(&mut self, at: UpstreamIndex, protocol: Protocol) -> Option<Canary> {
        let upstream = &self.effective.upstreams[at];
        let source = &self.sources[upstream.first];
        let canary = source.settings.canary.as_ref()?;
        let origin = Origin::annotation(source.id, "canary", canary.span);
        let field = Origin::field(source.id, upstream.span);
        let rule = if let Some(value) = &canary.header_value {
            Some((HeaderRule::Value(value.value.clone()), value.span))
        } else {
            canary
                .header_pattern
                .as_ref()
                .map(|p| (HeaderRule::Pattern(p.value.clone()), p.span))
        };
        let header = canary.header.as_ref().map(|header| {
            let (rule, key, span) = match rule {
                Some((HeaderRule::Pattern(p), span)) => {
                    (HeaderRule::Pattern(p), "canary-by-header-pattern", span)
                }
                Some((rule, span)) => (rule, "canary-by-header-value", span),
                None => (HeaderRule::AlwaysNever, "canary-by-header", header.span),
            };
            CanaryHeader {
                name: header.value.clone(),
                rule,
                origin: Origin::annotation(source.id, key, span),
            }
        });
        let number = |n: i64| u32::try_from(n.max(0)).unwrap_or(u32::MAX);
        Some(Canary {
            backend: self.backend(at, protocol, field),
            header,
            cookie: canary.cookie.as_ref().map(|c| c.value.clone()),
            weight: number(canary.effective_weight()),
            total: number(canary.effective_total()),
            origin,
        })
    }

    fn backend(&self, upstream: UpstreamIndex, protocol: Protocol, origin: Origin) -> Backend {
        let Upstream { key, first, .. } = &self.effective.upstreams[upstream];
        let first = &self.sources[*first];
        let target = service::resolve(key, self.objects).unwrap_or_else(|_| Target::Unavailable {
            reason: Arc::from("the port cannot be resolved"),
        });
        Backend {
            namespace: Arc::clone(&key.namespace),
            target,
            protocol,
            tls: None,
            balance: None,
            service_address: first.settings.backend.service_upstream(self.config),
            origin,
        }
    }

    /// A port name without the Service that gives it a number.
    fn unresolved_port(
        &mut self,
        upstream: UpstreamIndex,
        source: &Source<'_>,
        owner: OwnerId,
    ) -> Option<Refusal> {
        let key = &self.effective.upstreams[upstream].key;
        let reason = service::resolve(key, self.objects).err()?;
        let span = source
            .ingress
            .rules
            .iter()
            .flat_map(|rule| rule.paths.iter().flatten())
            .map(|path| &path.backend)
            .chain(&source.ingress.default_backend)
            .find(|backend| crate::effective::upstream_key(source, backend).as_ref() == Some(key))
            .map_or(source.ingress.name_span, |backend| match &backend.target {
                crate::ingress::BackendTarget::Service { port, .. } => port.span,
                crate::ingress::BackendTarget::Resource => backend.span,
            });
        let diagnostic = Diagnostic::new(Code::PortUnresolved, reason.clone())
            .object(&source.ingress.object)
            .at(span)
            .note("Gateway API knows ports by number; the path answers 503")
            .help(format!(
                "add Service {}/{} to the input, or write the port's number",
                key.namespace, key.service
            ));
        self.diagnostics.push(diagnostic);
        Some(Refusal {
            reason,
            faithful: false,
            origin: Origin::field(owner, span),
        })
    }
}

fn uses_regex(settings: &Settings) -> bool {
    settings.rewrite.use_regex.as_ref().is_some_and(|r| r.value)
}

/// `needsRewrite`: a target that differs from the path.
fn needs_rewrite(settings: &Settings, path: &str) -> bool {
    settings
        .rewrite
        .target
        .as_ref()
        .is_some_and(|target| !target.value.is_empty() && target.value != path)
}

/// The API server also takes longer labels, which no resolver knows.
fn is_dns_name(name: &str) -> bool {
    is_dns_subdomain(name) && name.split('.').all(|label| label.len() <= 63)
}

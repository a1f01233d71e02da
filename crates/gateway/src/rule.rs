//! From the routes of a host to rules.

use std::cmp::Reverse;

use gateway_api::httproutes::{
    HttpRouteRules, HttpRouteRulesBackendRefs, HttpRouteRulesFilters, HttpRouteRulesMatches,
    HttpRouteRulesMatchesHeaders, HttpRouteRulesMatchesHeadersType, HttpRouteRulesMatchesPath,
    HttpRouteRulesMatchesPathType,
};
use gatewright_diagnostics::{Code, Diagnostic, Outcome};
use gatewright_model::pattern::{Inexpressible, Pattern, escape_re2};
use gatewright_model::{
    Action, Backend, Canary, Forward, HeaderRule, Host, HostName, Origin, Owner, OwnerId,
    PathMatcher, PlainHttp, Protocol, Refusal, Rewrite, Route, Target, is_dns_subdomain,
};

use crate::emit::Emitter;
use crate::envoy::{DirectResponse, HttpPathModifier, HttpRouteFilterSpec, HttpUrlRewrite};
use crate::filter;
use crate::name::slug;
use crate::order::{Ranked, lengthen};
use crate::path::Shut;
use crate::policy::{self, Attached, clients};
use crate::redirect::ToHttps;
use crate::{IndexMap, formatter, idiom, path, redirect};

/// Why a rule answers 503 in place of its backend.
const NO_REWRITE: &str = "the rewrite cannot be carried over";

/// A rule, and the listeners it is for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Planned {
    pub(crate) rule: HttpRouteRules,
    pub(crate) section: Section,
    pub(crate) comments: Vec<String>,
    pub(crate) attached: Attached,
    /// With which status it answers itself, where that matters.
    pub(crate) status: Option<u16>,
}

impl Planned {
    /// The rule does this instead, without policies.
    pub(crate) fn answer(&mut self, deed: Deed) {
        self.rule.filters = Some(deed.filters).filter(|filters| !filters.is_empty());
        self.rule.backend_refs = Some(deed.backends).filter(|backends| !backends.is_empty());
        self.attached = Attached::default();
    }
}

/// Which listeners a rule is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Both,
    Http,
    Https,
}

/// What a rule does: filters and backends.
#[derive(Clone, Debug, Default)]
pub(crate) struct Deed {
    pub(crate) filters: Vec<HttpRouteRulesFilters>,
    pub(crate) backends: Vec<HttpRouteRulesBackendRefs>,
}

/// The paths that a route takes.
enum Reach {
    /// Those it says.
    Path(HttpRouteRulesMatchesPath),
    /// Those it says and some more, because it cannot be said. They answer 503: the rules that
    /// would take them otherwise may be open to more people than it is.
    Closed(HttpRouteRulesMatchesPath),
    /// No request can be for it.
    Nothing,
}

/// The order of what is written as a regular expression: nginx looks at exact paths first, at
/// prefixes last and at the longest of them first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Exact,
    Pattern,
    Prefix(Reverse<usize>),
}

/// The texts of regular expressions, each long enough to go before those behind it.
fn in_order(ranked: &[(Class, Ranked)]) -> Vec<String> {
    let mut order: Vec<usize> = (0..ranked.len()).collect();
    order.sort_by_key(|&at| ranked[at].0);
    let sorted: Vec<&Ranked> = order.iter().map(|&at| &ranked[at].1).collect();
    let mut texts = vec![String::new(); ranked.len()];
    for (at, text) in order.into_iter().zip(lengthen(&sorted)) {
        texts[at] = text;
    }
    texts
}

impl Emitter<'_> {
    /// The rules of a host, by the object that owns them.
    pub(crate) fn plan(&mut self, host: &Host) -> IndexMap<OwnerId, Vec<Planned>> {
        let paths = self.paths(host);
        // Where a header decides about the scheme, each path needs a redirect of its own.
        let trust = self.model.globals.forwarded.trust;
        let has_root =
            host.routes.iter().zip(&paths).any(|(route, reach)| {
                route.matcher.text() == "/" && !matches!(reach, Reach::Nothing)
            });
        let blanket = blanket_redirect(host).filter(|_| !trust && has_root);
        let mut plan: IndexMap<OwnerId, Vec<Planned>> = IndexMap::default();
        for (route, path) in host.routes.iter().zip(paths) {
            let planned = match path {
                Reach::Nothing => continue,
                Reach::Path(path) => self.route_rules(host, route, &path, blanket),
                Reach::Closed(path) => self.route_rules(host, &closed(route), &path, blanket),
            };
            plan.entry(route.owner).or_default().extend(planned);
        }
        clients::plan(self, host, &mut plan);
        for rules in plan.values_mut() {
            policy::merge(rules);
        }
        plan.retain(|_, rules| !rules.is_empty());
        if plan.is_empty() {
            // Without a rule the host would fall to a wildcard host or to the catch-all one.
            plan.insert(host.first, self.nothing_here(host));
        }
        if let HostName::OneLabel(parent) = &host.name {
            require(&mut plan, &labels(parent, "[a-z0-9_-]+\\."));
        }
        plan
    }

    /// The rules of the catch-all host for names deeper than a wildcard host takes: Envoy hands
    /// them to the wildcard host.
    pub(crate) fn plan_below(
        &mut self,
        any: &Host,
        parent: &str,
    ) -> IndexMap<OwnerId, Vec<Planned>> {
        let mut plan = self.plan(any);
        require(&mut plan, &labels(parent, "(?:[^.:]+\\.){2,}"));
        plan
    }

    fn nothing_here(&mut self, host: &Host) -> Vec<Planned> {
        let owner = self.model.owner(host.first);
        let deed = self.respond(owner, 404, format!("nothing is defined for {}", host.name));
        vec![planned(
            "nothing",
            vec![at(path::prefix("/"))],
            deed,
            Section::Both,
            vec!["no path of this host is defined".to_owned()],
        )]
    }

    /// What every route takes.
    fn paths(&mut self, host: &Host) -> Vec<Reach> {
        let mut ranked = Vec::new();
        let mut reaches: Vec<Result<Reach, (usize, bool)>> = Vec::new();
        let mut closed = Vec::new();
        for (at, route) in host.routes.iter().enumerate() {
            let text = route.matcher.text();
            let path = match &route.matcher {
                PathMatcher::Exact(_) | PathMatcher::Prefix(_) if path::never_requested(text) => {
                    reaches.push(Ok(Reach::Nothing));
                    continue;
                }
                // It takes what nothing else took; a prefix ranks below every pattern.
                PathMatcher::Pattern(_) if text == "/" => path::prefix(text),
                PathMatcher::Pattern(_) => {
                    let (pattern, shut) = self.pattern(route, text);
                    ranked.push((Class::Pattern, pattern));
                    reaches.push(Err((ranked.len() - 1, shut.is_none())));
                    closed.extend(shut.map(|shut| (at, shut)));
                    continue;
                }
                PathMatcher::Exact(_) | PathMatcher::Prefix(_) => {
                    let prefix = matches!(route.matcher, PathMatcher::Prefix(_));
                    match path::spelled(text, prefix) {
                        // Room is left to lengthen it by.
                        Some(spelled) if spelled.text.len() <= path::MAX_PATH / 2 => {
                            let class = if prefix {
                                Class::Prefix(Reverse(text.len()))
                            } else {
                                Class::Exact
                            };
                            ranked.push((class, spelled));
                            reaches.push(Err((ranked.len() - 1, true)));
                            continue;
                        }
                        Some(spelled) => path::regex(spelled.text),
                        None if prefix => path::prefix(text),
                        None => path::exact(text),
                    }
                }
            };
            let length = path.value.as_deref().map_or(0, str::len);
            let regex = path.r#type == Some(HttpRouteRulesMatchesPathType::RegularExpression);
            reaches.push(Ok(if regex || length > path::MAX_PATH {
                let wider = path::wider(text, false);
                self.too_long(&route.origin, length, &wider.head);
                Reach::Closed(path::regex(wider.text))
            } else {
                Reach::Path(path)
            }));
        }
        self.behind_closed(host, &closed);
        let texts = in_order(&ranked);
        if let Some(at) = texts.iter().position(|text| text.len() > path::MAX_PATH) {
            return self.close(host, &reaches, at, texts[at].len());
        }
        reaches
            .into_iter()
            .map(|reach| match reach {
                Ok(reach) => reach,
                Err((rank, true)) => Reach::Path(path::regex(texts[rank].clone())),
                Err((rank, false)) => Reach::Closed(path::regex(texts[rank].clone())),
            })
            .collect()
    }

    /// Paths of later routes that a closed one takes are not served either.
    fn behind_closed(&mut self, host: &Host, closed: &[(usize, Shut)]) {
        for (at, Shut { head, code }) in closed {
            let Some(head) = head else { continue };
            for route in host.routes[at + 1..].iter().filter(|r| !r.implicit) {
                let begins = Pattern::parse(route.matcher.text())
                    .map(|pattern| pattern.required_literal_prefix())
                    .unwrap_or_default();
                if head == "/" || begins.starts_with(head.as_str()) {
                    let outcome = Outcome::Refused(*code);
                    self.out.outcomes.push((route.origin.clone(), outcome));
                }
            }
        }
    }

    /// The order of the patterns cannot be kept, so that nobody knows which of them would take
    /// a request: the host answers 503.
    fn close(
        &mut self,
        host: &Host,
        reaches: &[Result<Reach, (usize, bool)>],
        rank: usize,
        length: usize,
    ) -> Vec<Reach> {
        for (route, reach) in host.routes.iter().zip(reaches) {
            if matches!(reach, Err((at, _)) if *at == rank) {
                self.too_long(&route.origin, length, "/");
            }
            if !route.implicit {
                let outcome = Outcome::Refused(Code::PathTooLong);
                self.out.outcomes.push((route.origin.clone(), outcome));
            }
        }
        let closed = Reach::Closed(path::regex("/.*".to_owned()));
        let rest = host.routes.iter().skip(1).map(|_| Reach::Nothing);
        std::iter::once(closed).chain(rest).collect()
    }

    /// The pattern of a route. What cannot be said is replaced by something wider that answers
    /// 503.
    fn pattern(&mut self, route: &Route, text: &str) -> (Ranked, Option<Shut>) {
        let pattern = match Pattern::parse(text) {
            Ok(pattern) => pattern,
            Err(error) => {
                let wider = path::wider(path::plain_head(text), true);
                let span = route.origin.span.part(text.len(), &error.range);
                self.report(
                    &route.origin,
                    true,
                    Diagnostic::new(
                        Code::PatternInvalid,
                        format!("the path `{text}` is not a valid pattern: {error}"),
                    )
                    .label(span, error.message.clone())
                    .note("ingress-nginx cannot load a configuration with this path: it keeps serving the last good one")
                    .note(answers(&wider.head))
                    .help("mend the pattern"),
                );
                return wider.shut(Code::PatternInvalid);
            }
        };
        let wider = || path::wider(&pattern.required_literal_prefix(), true);
        match pattern.to_re2() {
            Ok(re2) => {
                let text = re2.for_encoded_path().match_prefix();
                if text.len() > path::MAX_PATH {
                    let wider = wider();
                    self.too_long(&route.origin, text.len(), &wider.head);
                    return wider.shut(Code::PathTooLong);
                }
                let pattern = Some(pattern);
                (Ranked { pattern, text }, None)
            }
            Err(faults) => {
                let loose = path::loosened(&pattern);
                let consequence = match &loose {
                    Some(_) => "paths that it matches without the underlined part answer 503, so that none falls to a rule that is open to more people".to_owned(),
                    None => answers(&wider().head),
                };
                self.inexpressible(&route.origin, text, &faults, consequence);
                loose.unwrap_or_else(wider).shut(Code::PatternInexpressible)
            }
        }
    }

    fn too_long(&mut self, origin: &Origin, length: usize, head: &str) {
        self.report(
            origin,
            true,
            Diagnostic::new(
                Code::PathTooLong,
                format!("a path match of {length} characters is longer than Gateway API takes"),
            )
            .note("Gateway API limits a path match to 1,024 characters")
            .note(answers(head))
            .help("shorten the path, or split it into several paths"),
        );
    }

    fn inexpressible(
        &mut self,
        origin: &Origin,
        text: &str,
        faults: &[Inexpressible],
        consequence: String,
    ) {
        let mut diagnostic = Diagnostic::new(
            Code::PatternInexpressible,
            format!("Envoy's pattern language RE2 cannot say `{text}`"),
        );
        for fault in faults {
            let span = origin.span.part(text.len(), &fault.range);
            diagnostic = diagnostic
                .label(span, fault.construct.clone())
                .help(fault.help.clone());
        }
        self.report(origin, true, diagnostic.note(consequence));
    }

    fn route_rules(
        &mut self,
        host: &Host,
        route: &Route,
        path: &HttpRouteRulesMatchesPath,
        blanket: Option<ToHttps>,
    ) -> Vec<Planned> {
        let model = self.model;
        let owner = model.owner(route.owner);
        let name = rule_name(route);
        let trust = model.globals.forwarded.trust;
        let mut planned_rules = Vec::new();
        let section = match &route.plain_http {
            PlainHttp::Serve => Section::Both,
            PlainHttp::Redirect {
                code,
                origin,
                keep_slash,
                name_port,
            } => {
                let to_https = ToHttps {
                    code: *code,
                    keep_slash: *keep_slash,
                    name_port: *name_port,
                };
                let root = matches!(route.matcher.text(), "/")
                    && !matches!(route.matcher, PathMatcher::Exact(_));
                redirect::tell_of_https(self, to_https, origin);
                // A step may answer over plain HTTP at this path alone.
                if blanket != Some(to_https) || root || !route.policies.steps.is_empty() {
                    let at_path = if root {
                        path::prefix("/")
                    } else {
                        path.clone()
                    };
                    let deed = redirect::to_https(self, owner, to_https);
                    let why = comment(origin, "redirected to HTTPS");
                    let mut matches = at(at_path);
                    if trust {
                        matches.headers = Some(vec![plain_scheme()]);
                    }
                    planned_rules.push(planned(
                        &format!("{name}-to-https"),
                        vec![matches],
                        deed,
                        if trust { Section::Both } else { Section::Http },
                        vec![why],
                    ));
                }
                if trust { Section::Both } else { Section::Https }
            }
        };
        let comments = vec![format!("{}: {}", host.name, route.matcher.text())];
        match &route.action {
            Action::NotFound
                if route.implicit
                    && !route.policies.authenticates()
                    && !policy::headers::speaks(route)
                    && !policy::steps::spares(self, host, route) => {}
            Action::NotFound => {
                let deed = self.respond(owner, 404, "nothing is here".to_owned());
                let mut rule = planned(&name, vec![at(path.clone())], deed, section, comments);
                rule.attached = policy::guard(self, owner, route);
                planned_rules.push(rule);
            }
            Action::Refuse(refusal) => {
                let deed = self.refuse(owner, refusal);
                planned_rules.push(planned(
                    &name,
                    vec![at(path.clone())],
                    deed,
                    section,
                    vec![format!("refused: {}", refusal.reason)],
                ));
            }
            Action::Forbid(refusal) => {
                let deed = self.respond(owner, 403, "ingress-nginx answers 403 here".to_owned());
                planned_rules.push(planned(
                    &name,
                    vec![at(path.clone())],
                    deed,
                    section,
                    vec![format!("forbidden: {}", refusal.reason)],
                ));
            }
            Action::Redirect(target) => {
                let written = redirect::deed(self, owner, target, &name);
                let refused = written.is_none();
                let deed = written.unwrap_or_else(|| self.unserved(owner));
                let mut matches = vec![at(path.clone())];
                if route.matcher == PathMatcher::Exact("/".to_owned()) && !self.settings.idiomatic {
                    // Slashes are merged, but for a path of slashes alone.
                    matches.push(at(path::regex("//".to_owned())));
                }
                let words = match target.origin.annotation {
                    Some(_) if refused => "refused",
                    Some(_) => "redirect",
                    None => "redirect to the same path with a slash",
                };
                let why = comment(&target.origin, words);
                planned_rules.push(planned(&name, matches, deed, section, vec![why]));
            }
            Action::Forward(forward) => {
                for section in self.sections(forward, section) {
                    let rules = self.forward(route, owner, forward, path, &name, section);
                    planned_rules.extend(rules);
                }
            }
        }
        let before = (name.as_str(), section);
        let mut planned_rules =
            policy::steps::before(self, host, route, path, before, planned_rules);
        if let Some(rule) = policy::rules(self, owner, route, path, &planned_rules) {
            planned_rules.push(rule);
        }
        policy::headers::answers(self, owner, route, path, &name, planned_rules)
    }

    /// A rule that answers by itself.
    pub(crate) fn respond(&mut self, owner: &Owner, status: u16, comment: String) -> Deed {
        let spec = HttpRouteFilterSpec {
            direct_response: Some(DirectResponse {
                status_code: status,
                content_type: None,
                body: None,
                header: None,
            }),
            ..HttpRouteFilterSpec::default()
        };
        let name = self.filter(owner, &status.to_string(), spec, comment);
        Deed {
            filters: vec![filter::extension(&name)],
            backends: Vec::new(),
        }
    }

    fn refuse(&mut self, owner: &Owner, refusal: &Refusal) -> Deed {
        if refusal.faithful {
            self.respond(owner, 503, "ingress-nginx answers 503 here".to_owned())
        } else {
            self.unserved(owner)
        }
    }

    /// A section for each form that the rules of a route take.
    fn sections(&self, forward: &Forward, section: Section) -> Vec<Section> {
        if section != Section::Both || !policy::by_scheme(forward) {
            vec![section]
        } else if self.https {
            vec![Section::Http, Section::Https]
        } else {
            vec![Section::Http]
        }
    }

    fn forward(
        &mut self,
        route: &Route,
        owner: &Owner,
        forward: &Forward,
        path: &HttpRouteRulesMatchesPath,
        name: &str,
        section: Section,
    ) -> Vec<Planned> {
        let Some(primary) = self.backend(owner, &for_section(&forward.split.primary, section))
        else {
            let why = match &forward.split.primary.target {
                Target::Unavailable { reason } => reason.to_string(),
                Target::Service { .. } | Target::External { .. } => String::new(),
            };
            let refused = crate::backend::refused_name(&forward.split.primary);
            let (deed, why) = if let Some(host) = refused {
                let why = format!("refused: `{host}` is no name for a Backend");
                (self.unserved(owner), why)
            } else {
                let text = "ingress-nginx answers 503 here".to_owned();
                (self.respond(owner, 503, text), why)
            };
            return vec![planned(
                name,
                vec![at(path.clone())],
                deed,
                section,
                vec![why],
            )];
        };
        let mut comments = Vec::new();
        let mut filters = Vec::new();
        if let Some(rewrite) = &forward.rewrite {
            match self.rewrite(owner, rewrite, path, name) {
                Some(filter) => filters.push(filter),
                None => return self.refused(owner, path, name, section, NO_REWRITE),
            }
            comments.push(comment(&rewrite.origin, ""));
        }
        self.authority(owner, forward, name, &mut filters, &mut comments);
        if let Some((prefix, origin)) = forward.forwarded_prefix.as_deref() {
            if let Some(value) = forwarded_prefix(forward, prefix) {
                filters.push(filter::set_request_headers(&[(
                    "X-Forwarded-Prefix",
                    &value,
                )]));
                comments.push(comment(origin, ""));
            } else {
                // ingress-nginx takes the place of what a client sends.
                filter::remove_request_header(&mut filters, "X-Forwarded-Prefix");
                self.report(
                    origin,
                    false,
                    Diagnostic::new(
                        Code::ForwardedPrefixCaptures,
                        "`X-Forwarded-Prefix` with nginx variables cannot be set",
                    )
                    .note("the backend gets no `X-Forwarded-Prefix`, not even that of a client")
                    .help("write the prefix with captures of the path (`$1` … `$9`) only"),
                );
            }
        }
        policy::filters(route, &mut filters);
        policy::headers::forward_filters(self, owner, route, &mut filters);
        if let Some(edit) = &route.policies.path_edit {
            match policy::header_edits::path_edit(self, owner, edit, name) {
                Some(filter) => filters.push(filter),
                None => return self.refused(owner, path, name, section, NO_REWRITE),
            }
            comments.push(comment(&edit.origin, ""));
        }
        if policy::header_edits::requests(self, route, forward, &mut filters).is_err() {
            let why = "request headers cannot be removed";
            return self.refused(owner, path, name, section, why);
        }
        comments.retain(|c| !c.is_empty());
        let deed = |backends| Deed {
            filters: filters.clone(),
            backends,
        };
        let mut rules = Vec::new();
        let mut main = vec![primary.clone()];
        if let Some(canary) = &forward.split.canary
            && let Some(reference) = self.backend(owner, &for_section(&canary.backend, section))
        {
            let why = format!("canary: {}", self.object_ref(canary.origin.owner));
            for (suffix, header, to_canary) in self.canary_headers(canary) {
                let to = if to_canary { &reference } else { &primary };
                let mut matches = at(path.clone());
                matches.headers = Some(vec![header]);
                rules.push(planned(
                    &format!("{name}-{suffix}"),
                    vec![matches],
                    deed(vec![to.clone()]),
                    section,
                    vec![why.clone()],
                ));
            }
            main = weighted(primary, reference, canary);
            comments.push(why);
        }
        rules.push(planned(
            name,
            vec![at(path.clone())],
            deed(main),
            section,
            comments,
        ));
        let attached = policy::attach(self, owner, route, forward, section);
        for rule in &mut rules {
            rule.attached = attached.clone();
            policy::forwarded::tell(&self.model.globals.forwarded, rule);
        }
        let beside = policy::beside(route, &rules);
        rules.extend(beside);
        for at in (0..rules.len()).rev() {
            let apart = policy::apart(self, route, &rules[at]);
            rules.splice(at..at, apart);
        }
        rules
    }

    /// A rule that answers 503 in place of what cannot be carried over.
    fn refused(
        &mut self,
        owner: &Owner,
        path: &HttpRouteRulesMatchesPath,
        name: &str,
        section: Section,
        why: &str,
    ) -> Vec<Planned> {
        let deed = self.unserved(owner);
        let why = vec![format!("refused: {why}")];
        vec![planned(name, vec![at(path.clone())], deed, section, why)]
    }

    /// The filter of a rewrite, or `None` when it cannot be said.
    fn rewrite(
        &mut self,
        owner: &Owner,
        rewrite: &Rewrite,
        path: &HttpRouteRulesMatchesPath,
        name: &str,
    ) -> Option<HttpRouteRulesFilters> {
        if self.settings.idiomatic
            && path.r#type == Some(HttpRouteRulesMatchesPathType::PathPrefix)
            && let Some(to) = idiom::replaced_prefix(path.value.as_deref()?, rewrite)
        {
            return Some(filter::replace_prefix(to));
        }
        let re2 = Pattern::parse(&rewrite.pattern)
            .ok()?
            .to_re2()
            .ok()?
            .for_encoded_path();
        let substitution = match re2.substitution(&rewrite.target) {
            Ok(substitution) => substitution,
            Err(faults) => {
                let mut diagnostic = Diagnostic::new(
                    Code::RewriteVariable,
                    format!(
                        "the rewrite target `{}` holds nginx variables",
                        rewrite.target
                    ),
                );
                for fault in &faults {
                    diagnostic = diagnostic.note(fault.to_string());
                }
                self.report(
                    &rewrite.origin,
                    true,
                    diagnostic
                        .note("a rewrite in Envoy sees the path alone; the route answers 503")
                        .help("write the target with captures of the path (`$1` … `$9`) only"),
                );
                return None;
            }
        };
        if let Some(literal) = substitution.as_literal() {
            return Some(filter::rewrite(None, Some(literal)));
        }
        let spec = HttpRouteFilterSpec {
            url_rewrite: Some(HttpUrlRewrite {
                path: Some(HttpPathModifier::regex(
                    re2.rewrite_pattern(),
                    substitution.to_re2(),
                )),
                hostname: None,
            }),
            direct_response: None,
        };
        let filter = self.filter(
            owner,
            name,
            spec,
            format!(
                "rewrite-target {} of path {}",
                rewrite.target, rewrite.pattern
            ),
        );
        Some(filter::extension(&filter))
    }

    fn authority(
        &mut self,
        owner: &Owner,
        forward: &Forward,
        name: &str,
        filters: &mut Vec<HttpRouteRulesFilters>,
        comments: &mut Vec<String>,
    ) {
        let Some(authority) = &forward.authority else {
            return;
        };
        let value = authority.value.as_str();
        if matches!(
            value,
            "$host" | "$http_host" | "${host}" | "${http_host}" | ""
        ) {
            return;
        }
        if let Some(header) = value
            .trim_start_matches("${")
            .trim_start_matches('$')
            .strip_prefix("http_")
            .filter(|_| value.starts_with('$'))
        {
            let spec = HttpRouteFilterSpec {
                url_rewrite: Some(HttpUrlRewrite {
                    hostname: Some(crate::envoy::HttpHostnameModifier {
                        kind: "Header",
                        header: Some(header.trim_end_matches('}').replace('_', "-")),
                    }),
                    path: None,
                }),
                direct_response: None,
            };
            let filter = self.filter(
                owner,
                &format!("{name}-host"),
                spec,
                format!("upstream-vhost {value}"),
            );
            filters.push(filter::extension(&filter));
            comments.push(comment(&authority.origin, ""));
            return;
        }
        let lower = value.to_ascii_lowercase();
        // Gateway API takes no port here (`PreciseHostname`).
        if is_dns_subdomain(&lower) {
            match filters.iter_mut().find_map(|f| f.url_rewrite.as_mut()) {
                Some(rewrite) => rewrite.hostname = Some(lower),
                None => filters.push(filter::rewrite(Some(lower), None)),
            }
            comments.push(comment(&authority.origin, ""));
            return;
        }
        self.report(
            &authority.origin,
            false,
            Diagnostic::new(
                Code::UpstreamVhost,
                format!("the authority `{value}` cannot be sent to a backend"),
            )
            .note("Gateway API rewrites the authority to a DNS name without port or variables; the backend gets the `Host` that the client sent")
            .help("name a plain host, or let the backend accept the original one"),
        );
    }

    fn canary_headers(
        &mut self,
        canary: &Canary,
    ) -> Vec<(&'static str, HttpRouteRulesMatchesHeaders, bool)> {
        let mut headers = Vec::new();
        if let Some(header) = &canary.header {
            match &header.rule {
                HeaderRule::AlwaysNever => {
                    headers.push(("canary-always", exactly(&header.name, "always"), true));
                    headers.push(("canary-never", exactly(&header.name, "never"), false));
                }
                HeaderRule::Value(value) => {
                    headers.push(("canary-value", exactly(&header.name, value), true));
                }
                HeaderRule::Pattern(text) => {
                    let re2 = Pattern::parse_case_sensitive(text)
                        .map(|pattern| pattern.to_re2().map(|re2| re2.match_anywhere()));
                    match re2 {
                        Ok(Ok(re2)) => {
                            headers.push(("canary-pattern", matching(&header.name, re2), true));
                        }
                        Ok(Err(faults)) => {
                            let consequence = "no request is sent to the canary for its header";
                            self.inexpressible(
                                &header.origin,
                                text,
                                &faults,
                                consequence.to_owned(),
                            );
                        }
                        // The controller logs the fault and asks the primary.
                        Err(_) => {}
                    }
                }
            }
        }
        if let Some(cookie) = &canary.cookie {
            let says = |value| {
                let text = format!(
                    "(?:.*;\\s*)?(?i:{})={value}(?:\\s*;.*)?",
                    escape_re2(cookie)
                );
                matching("Cookie", text)
            };
            headers.push(("canary-cookie-always", says("always"), true));
            headers.push(("canary-cookie-never", says("never"), false));
        }
        headers
    }
}

/// The route without what it does: it answers 503.
fn closed(route: &Route) -> Route {
    Route {
        action: Action::Refuse(Refusal {
            reason: "the path cannot be carried over".to_owned(),
            faithful: false,
            origin: route.origin.clone(),
        }),
        policies: gatewright_model::Policies::default().into(),
        ..route.clone()
    }
}

/// What becomes of a path that cannot be said.
fn answers(head: &str) -> String {
    if head == "/" {
        "every path of the host that no rule before it takes answers 503, so that none falls to a rule that is open to more people".to_owned()
    } else {
        let shown: String = head.chars().take(60).collect();
        let more = if shown.len() < head.len() { "…" } else { "" };
        format!(
            "paths that begin with `{shown}{more}` answer 503, so that none falls to a rule that is open to more people"
        )
    }
}

/// The value of `X-Forwarded-Prefix`; the path is still that of the request when it is made.
fn forwarded_prefix(forward: &Forward, prefix: &str) -> Option<String> {
    let pattern = &forward.rewrite.as_ref()?.pattern;
    let re2 = Pattern::parse(pattern)
        .ok()?
        .to_re2()
        .ok()?
        .for_encoded_path();
    let substitution = re2.substitution(prefix).ok()?;
    match substitution.as_literal() {
        Some(text) => Some(formatter::literal(&text)),
        None => formatter::captured(&re2.rewrite_pattern(), &substitution.to_re2()),
    }
}

fn weighted(
    mut primary: HttpRouteRulesBackendRefs,
    mut canary: HttpRouteRulesBackendRefs,
    rule: &Canary,
) -> Vec<HttpRouteRulesBackendRefs> {
    let weight = rule.weight.min(rule.total);
    if weight == 0 {
        return vec![primary];
    }
    if weight == rule.total {
        return vec![canary];
    }
    // Gateway API takes weights up to 1,000,000.
    let scale = rule.total.div_ceil(1_000_000).max(1);
    let part = |weight: u32| i32::try_from((weight / scale).max(1)).unwrap_or(i32::MAX);
    primary.weight = Some(part(rule.total - weight));
    canary.weight = Some(part(weight));
    vec![primary, canary]
}

/// The redirect to HTTPS that covers the whole host over plain HTTP, so that the paths need
/// none of their own.
fn blanket_redirect(host: &Host) -> Option<ToHttps> {
    let root = host.routes.iter().find(|route| {
        route.matcher.text() == "/" && !matches!(route.matcher, PathMatcher::Exact(_))
    })?;
    // What it answers itself would stand before the redirect of every path.
    if !root.policies.steps.is_empty() {
        return None;
    }
    let to_https = to_https(&root.plain_http)?;
    let alike = host
        .routes
        .iter()
        .all(|route| match self::to_https(&route.plain_http) {
            Some(other) => other == to_https && policy::headers::same_answers(route, root),
            // An exact path takes nothing from the paths around it.
            None => matches!(route.matcher, PathMatcher::Exact(_)),
        });
    alike.then_some(to_https)
}

fn to_https(plain_http: &PlainHttp) -> Option<ToHttps> {
    match *plain_http {
        PlainHttp::Serve => None,
        PlainHttp::Redirect {
            code,
            keep_slash,
            name_port,
            ..
        } => Some(ToHttps {
            code,
            keep_slash,
            name_port,
        }),
    }
}

/// The scheme that a trusted header or else the connection says is HTTP.
fn plain_scheme() -> HttpRouteRulesMatchesHeaders {
    HttpRouteRulesMatchesHeaders {
        name: "X-Forwarded-Proto".to_owned(),
        r#type: Some(HttpRouteRulesMatchesHeadersType::Exact),
        value: "http".to_owned(),
    }
}

fn rule_name(route: &Route) -> String {
    let slug = slug(route.matcher.text());
    match &route.matcher {
        PathMatcher::Exact(_) => format!("{slug}-exact"),
        PathMatcher::Prefix(_) | PathMatcher::Pattern(_) => slug,
    }
}

/// A backend as it is spoken to by requests of one scheme.
fn for_section(backend: &Backend, section: Section) -> Backend {
    let mut backend = backend.clone();
    if backend.protocol == Protocol::SameAsClient {
        backend.protocol = match section {
            Section::Https => Protocol::Https,
            Section::Http | Section::Both => Protocol::Http,
        };
    }
    backend
}

/// `# …/rewrite-target`, or words for a field.
fn comment(origin: &Origin, words: &str) -> String {
    match (origin.annotation, words) {
        (Some(key), "") => key.to_owned(),
        (Some(key), words) => format!("{words}: {key}"),
        (None, words) => words.to_owned(),
    }
}

pub(crate) fn planned(
    name: &str,
    matches: Vec<HttpRouteRulesMatches>,
    deed: Deed,
    section: Section,
    comments: Vec<String>,
) -> Planned {
    let some = |list: Vec<HttpRouteRulesFilters>| (!list.is_empty()).then_some(list);
    Planned {
        rule: HttpRouteRules {
            name: Some(crate::name::limit(name.to_owned())),
            matches: Some(matches),
            filters: some(deed.filters),
            backend_refs: (!deed.backends.is_empty()).then_some(deed.backends),
            timeouts: None,
        },
        section,
        comments,
        attached: Attached::default(),
        status: None,
    }
}

pub(crate) fn at(path: HttpRouteRulesMatchesPath) -> HttpRouteRulesMatches {
    HttpRouteRulesMatches {
        path: Some(path),
        ..HttpRouteRulesMatches::default()
    }
}

fn exactly(name: &str, value: &str) -> HttpRouteRulesMatchesHeaders {
    HttpRouteRulesMatchesHeaders {
        name: name.to_owned(),
        r#type: Some(HttpRouteRulesMatchesHeadersType::Exact),
        value: value.to_owned(),
    }
}

pub(crate) fn matching(name: &str, pattern: String) -> HttpRouteRulesMatchesHeaders {
    HttpRouteRulesMatchesHeaders {
        name: name.to_owned(),
        r#type: Some(HttpRouteRulesMatchesHeadersType::RegularExpression),
        value: pattern,
    }
}

/// The authority has these labels in front of a parent domain. Envoy's wildcard takes any
/// number of labels, the source proxy's exactly one.
fn labels(parent: &str, labels: &str) -> HttpRouteRulesMatchesHeaders {
    let parent = escape_re2(parent);
    matching("Host", format!("(?i){labels}{parent}(?::[0-9]+)?"))
}

fn require(plan: &mut IndexMap<OwnerId, Vec<Planned>>, header: &HttpRouteRulesMatchesHeaders) {
    for planned in plan.values_mut().flatten() {
        for matches in planned.rule.matches.iter_mut().flatten() {
            let headers = matches.headers.get_or_insert_with(Vec::new);
            // A match names a header once; one host is narrower than all of them.
            if !headers.iter().any(|known| known.name == header.name) {
                headers.push(header.clone());
            }
        }
    }
}

#[cfg(test)]
pub(crate) fn planned_for_tests(name: &str, section: Section) -> Planned {
    let matches = vec![at(path::prefix("/"))];
    planned(name, matches, Deed::default(), section, Vec::new())
}

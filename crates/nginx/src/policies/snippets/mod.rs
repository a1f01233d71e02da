//! Snippets: the idioms that are known become steps and header edits, the rest is refused,
//! directive by directive.
//!
//! What a refused directive may keep out decides: then the locations answer 503; else they are
//! served without it. The order is that of nginx: `return`, `if` and `rewrite` come before the
//! redirect to HTTPS and before authentication, `allow` and `deny` after the redirect.

mod access;
mod condition;
mod control;
mod headers;
mod locations;
mod table;
mod transport;
mod variables;

use std::ops::Range;
use std::sync::Arc;

use gatewright_diagnostics::{Code, Diagnostic, Outcome};
use gatewright_model::{Addresses, HeaderChange, Origin, Phase, Policies, Refusal, Reply, Step};
use gatewright_source::Span;

pub(crate) use locations::{Place, SnippetLocation};
use table::Loss;

use super::{PolicyInput, PolicyOutput, ip_lists};
use crate::nginx_conf::{self, Directive};

/// The keys of the family that are carried over.
pub(crate) const KEYS: &[&str] = &["configuration-snippet", "server-snippet", "stream-snippet"];

/// What a `server-snippet` says.
#[derive(Clone, Debug, Default)]
pub(crate) struct ServerSnippet {
    /// For every location of the host.
    pub(crate) policies: Policies,
    /// Whom locations without a list of their own let in.
    pub(crate) addresses: Option<AddressList>,
    /// Every location of the host answers 503.
    pub(crate) refusal: Option<Refusal>,
    /// Locations of its own.
    pub(crate) locations: Vec<SnippetLocation>,
}

/// Which client addresses a list lets in, and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct AddressList {
    /// The list.
    pub(crate) addresses: Addresses,
    /// It says something of every address, so that nothing behind it is asked.
    pub(crate) complete: bool,
    /// It stands around all servers: one of a server takes its place.
    pub(crate) outermost: bool,
    /// In which value it was written.
    pub(crate) origin: Origin,
    /// At which place of it.
    pub(crate) place: Span,
}

impl AddressList {
    /// Asks another list of the same level behind this one.
    pub(crate) fn continue_with(&mut self, next: &Self) {
        if self.complete {
            return;
        }
        for rule in &next.addresses.rules {
            self.addresses.push(rule.allow, rule.networks.clone());
        }
        self.addresses.otherwise = next.addresses.otherwise;
        self.complete = next.complete;
    }

    /// Puts the list into the policies of a location. One that lets nobody in is an answer.
    pub(crate) fn apply(&self, policies: &mut Policies) {
        let addresses = self.brief();
        if !addresses.rules.is_empty() {
            policies.addresses = Some(addresses);
        } else if !addresses.otherwise {
            policies.steps.push(Step {
                when: None,
                reply: Reply::Status {
                    code: 403,
                    body: None,
                },
                phase: Phase::Access,
                origin: self.origin.clone(),
                place: self.place,
            });
        }
    }

    /// The list without what its end says anyway.
    fn brief(&self) -> Addresses {
        let mut addresses = self.addresses.clone();
        let otherwise = addresses.otherwise;
        while addresses
            .rules
            .last()
            .is_some_and(|last| last.allow == otherwise)
        {
            addresses.rules.pop();
        }
        addresses
    }
}

/// The server comes before its locations, phase by phase. A location with an `add_header` or
/// `proxy_hide_header` of its own inherits none; `more_*` are inherited in any case.
pub(crate) fn around(server: &Policies, policies: &mut Policies) {
    let mut steps = server.steps.clone();
    steps.append(&mut policies.steps);
    steps.sort_by_key(|step| step.phase);
    policies.steps = steps;
    let has = |wanted: fn(&HeaderChange) -> bool| {
        policies
            .response_edits
            .iter()
            .any(|edit| wanted(&edit.change))
    };
    let add: fn(&HeaderChange) -> bool = |change| matches!(change, HeaderChange::Add { .. });
    let hide: fn(&HeaderChange) -> bool = |change| matches!(change, HeaderChange::Hide);
    let (adds, hides) = (has(add), has(hide));
    let mut headers = server.response_edits.clone();
    headers.retain(|edit| !(adds && add(&edit.change) || hides && hide(&edit.change)));
    headers.append(&mut policies.response_edits);
    policies.response_edits = headers;
    if policies.transport.compression.is_none() {
        policies
            .transport
            .compression
            .clone_from(&server.transport.compression);
    }
    let mut headers = server.request_edits.clone();
    headers.append(&mut policies.request_edits);
    policies.request_edits = headers;
}

/// Where a directive stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    /// In a location of the Ingress.
    Location,
    /// In the server.
    Server,
    /// Around all servers.
    Http,
    /// In a location of a server-snippet.
    Own,
}

impl Scope {
    /// When `return`, `if` and `rewrite` are asked.
    const fn rewrites(self) -> Phase {
        match self {
            Self::Server | Self::Http => Phase::Server,
            Self::Location | Self::Own => Phase::Rewrite,
        }
    }
}

/// What a list of directives comes to.
#[derive(Debug, Default)]
struct Product {
    policies: Policies,
    refusal: Option<Refusal>,
    locations: Vec<SnippetLocation>,
    /// The rest of the rewrite phase is not reached.
    ended: bool,
    /// `allow` (true) and `deny`, in order.
    access: Vec<(bool, String, Range<usize>)>,
    /// What they come to.
    addresses: Option<AddressList>,
    /// Whether a directive does anything.
    acts: bool,
    /// How requests and answers travel.
    travel: transport::Travel,
    /// Variables that `set` defines.
    variables: variables::Own,
    /// `default_type`.
    default_type: Option<String>,
}

/// Reads one snippet.
struct Reader<'a, 'b> {
    input: &'a PolicyInput<'b>,
    key: &'static str,
    /// Where key and value stand.
    spans: (Span, Span),
    /// It is a value of the controller's `ConfigMap`.
    controller: bool,
    text: String,
    out: &'a mut PolicyOutput,
}

/// The snippets of one Ingress.
pub(crate) fn lower(input: &PolicyInput<'_>, out: &mut PolicyOutput) {
    let snippets = &input.settings.snippets;
    global(input, out);
    if let Some(text) = &snippets.configuration {
        let key = "configuration-snippet";
        let product = read(input, key, text.span, Scope::Location, out);
        take(input, out, product);
    }
    if let Some(server) = out.server_policies.take() {
        around(&server, out.policies_mut());
        out.server_policies = Some(server);
    }
    inherit(out);
    if let Some(text) = &snippets.server {
        let product = read(input, "server-snippet", text.span, Scope::Server, out);
        out.server_snippet = Some(Box::new(ServerSnippet {
            policies: product.policies,
            addresses: product.addresses,
            refusal: product.refusal,
            locations: product.locations,
        }));
    }
}

/// Streams are those of the controller, so a canary may define them, too.
pub(crate) fn streams(input: &PolicyInput<'_>, out: &mut PolicyOutput) {
    if let Some(text) = &input.settings.snippets.stream {
        out.refused(
            input,
            "stream-snippet",
            Diagnostic::new(
                Code::StreamSnippet,
                "what `stream-snippet` serves over TCP or UDP is not carried over",
            )
            .at(text.span)
            .note("HTTP is served as before")
            .help("write a TCPRoute or UDPRoute with a listener of its own on the Gateway"),
        );
    }
}

/// What a snippet says about the locations of the Ingress.
fn take(input: &PolicyInput<'_>, out: &mut PolicyOutput, product: Product) {
    if let Some(list) = product.addresses {
        own_list(out, list);
        if out.policies.addresses.is_some() {
            ip_lists::finish(input, out);
        }
    }
    product
        .travel
        .name_backend(input.settings.backend.protocol(), out);
    if product.policies != Policies::default() {
        merge(out.policies_mut(), product.policies);
    }
    if let Some(refusal) = product.refusal {
        out.refuse(refusal.reason, refusal.faithful, refusal.origin);
    }
}

/// A list of a location: it is asked behind those of its annotations, and in place of those
/// of the server.
fn own_list(out: &mut PolicyOutput, mut list: AddressList) {
    let inherited = std::mem::take(&mut out.addresses_inherited);
    let policies = Arc::make_mut(&mut out.policies);
    let annotated = policies.addresses.take().filter(|_| !inherited);
    let before = out.own_list.take().map(|before| *before).or_else(|| {
        annotated.map(|addresses| AddressList {
            complete: !addresses.otherwise,
            addresses,
            ..list.clone()
        })
    });
    if let Some(mut before) = before {
        before.continue_with(&list);
        list = before;
    }
    policies
        .steps
        .retain(|step| step.phase != Phase::Access || step.when.is_some());
    list.apply(policies);
    out.own_list = Some(Box::new(list));
}

/// Where a location has no list of its own, that of the server holds.
fn inherit(out: &mut PolicyOutput) {
    let Some(list) = out
        .server_addresses
        .as_ref()
        .filter(|_| out.own_list.is_none())
    else {
        return;
    };
    if out.policies.addresses.is_none() || out.addresses_inherited {
        let addresses = list.brief();
        let restricts = !addresses.rules.is_empty() || !addresses.otherwise;
        out.policies_mut().addresses = restricts.then_some(addresses);
        out.addresses_inherited = true;
    }
}

/// The snippets of the controller's `ConfigMap` hold for every Ingress. No setting guards them.
fn global(input: &PolicyInput<'_>, out: &mut PolicyOutput) {
    let config = input.config;
    let texts = [
        ("http-snippet", &config.http_snippet, Scope::Http),
        ("server-snippet", &config.server_snippet, Scope::Server),
        (
            "location-snippet",
            &config.location_snippet,
            Scope::Location,
        ),
    ];
    for (key, text, scope) in texts {
        if text.trim().is_empty() {
            continue;
        }
        let place = input.places.iter().find(|(known, _)| known == key);
        let value = place.map_or(input.name_span, |(_, span)| *span);
        let mut reader = Reader {
            input,
            key,
            spans: (Span::new(value.file, value.start, value.start), value),
            controller: true,
            text: text.clone(),
            out,
        };
        let mut product = reader.snippet(scope);
        if product.refusal.is_none()
            && let Some(location) = product.locations.first()
        {
            let (span, reason) = (
                location.span,
                format!("`{key}` of the controller has locations"),
            );
            let diagnostic = Diagnostic::new(
                Code::SnippetProtection,
                "locations of every host are not carried over, so every path answers 503",
            )
            .label(span, "a location of every host")
            .help("write a `server-snippet` for each host that needs it");
            reader.refused(diagnostic);
            reader.refuse(&mut product, &reason);
        }
        if scope != Scope::Location {
            let mut server = std::mem::take(&mut product.policies);
            if let Some(outer) = out.server_policies.take() {
                around(&outer, &mut server);
            }
            out.server_policies = Some(Box::new(server));
            if let Some(mut list) = product.addresses.take() {
                // `block-cidrs` stands in the same block, before it.
                list.outermost = scope == Scope::Http;
                let blocked = out.policies.addresses.as_ref();
                if let Some(blocked) = blocked.filter(|_| scope == Scope::Http) {
                    let mut first = AddressList {
                        addresses: blocked.clone(),
                        complete: false,
                        ..list.clone()
                    };
                    if out.addresses_inherited {
                        first.continue_with(&list);
                        list = first;
                    }
                }
                out.server_addresses = Some(Box::new(list));
            }
        }
        take(input, out, product);
    }
}

fn read(
    input: &PolicyInput<'_>,
    key: &'static str,
    value: Span,
    scope: Scope,
    out: &mut PolicyOutput,
) -> Product {
    // The settings hold a trimmed text; places are those of the text as it was written.
    let written = input
        .ingress
        .annotations
        .iter()
        .find(|a| a.value.span == value);
    let mut reader = Reader {
        input,
        key,
        spans: written.map_or((value, value), |a| (a.key.span, a.value.span)),
        controller: false,
        text: written.map_or_else(String::new, |a| a.value.value.to_string()),
        out,
    };
    let product = reader.snippet(scope);
    if !product.acts && out.outcomes.iter().all(|(known, _)| *known != key) {
        out.inert(key, "nothing in it changes what a client or a backend sees");
    }
    product
}

/// Steps of the controller's own snippets come first.
fn merge(into: &mut Policies, from: Policies) {
    into.steps.extend(from.steps);
    into.request_edits.extend(from.request_edits);
    into.response_edits.extend(from.response_edits);
    into.path_edit = into.path_edit.take().or(from.path_edit);
    if from.transport.compression.is_some() {
        into.transport.compression = from.transport.compression;
    }
}

impl Reader<'_, '_> {
    fn snippet(&mut self, scope: Scope) -> Product {
        let (directives, faults) = nginx_conf::parse(&self.text);
        let mut product = Product::default();
        for fault in faults {
            let diagnostic = Diagnostic::new(
                Code::SnippetSyntax,
                format!("nginx cannot read this snippet: {}", fault.message),
            )
            .label(self.place(&fault.range), "here")
            .note("the controller keeps its last good configuration; nobody can tell what this snippet was to protect, so the paths answer 503")
            .help("mend the snippet");
            self.refused(diagnostic);
            self.refuse(&mut product, "the snippet cannot be read");
        }
        self.directives(&directives, scope, &mut product);
        product
    }

    fn directives(&mut self, directives: &[Directive], scope: Scope, product: &mut Product) {
        for directive in directives {
            let handled = self.header(directive, scope, product)
                || self.control(directive, scope, product)
                || self.travel(directive, scope, product)
                || scope == Scope::Server && self.location(directive, product);
            if handled {
                product.acts = true;
            } else {
                self.leave_out(directive, scope, product);
            }
        }
        self.access(product);
        self.travels(product);
    }

    /// A directive that has no counterpart.
    fn leave_out(&mut self, directive: &Directive, scope: Scope, product: &mut Product) {
        let words = directive.texts();
        // What a location of a snippet says of its `proxy_pass` is told with that.
        let proxies = directive.name.starts_with("proxy_") && directive.name != "proxy_pass";
        if scope == Scope::Own && proxies {
            return;
        }
        match table::loss(&directive.name, &words, scope == Scope::Location) {
            Loss::Nothing(_) | Loss::Overridden => {
                if directive.name == "default_type" {
                    product.default_type = words.first().map(|&word| word.to_owned());
                }
            }
            Loss::Duplicate => {
                let diagnostic = Diagnostic::new(
                    Code::SnippetDuplicate,
                    format!("`{}` stands in every location already", directive.name),
                )
                .label(self.place(&directive.range), "a duplicate")
                .note("nginx does not load a configuration with a directive twice; the controller keeps its last good one")
                .help(format!(
                    "write the annotation `{}` in its place",
                    table::annotation(&directive.name)
                ));
                self.refused(diagnostic);
            }
            Loss::Harmless => self.harmless(directive, None),
            Loss::Protection => self.protection(directive, None, product),
        }
    }

    /// Left out, and the route stays.
    fn harmless(&mut self, directive: &Directive, why: Option<&str>) {
        let mut diagnostic = Diagnostic::new(
            Code::SnippetDirective,
            format!("`{}` is not carried over", directive.name),
        )
        .label(self.place(&directive.range), "left out")
        .help(table::help(&directive.name));
        if let Some(why) = why {
            diagnostic = diagnostic.note(why);
        }
        self.refused(diagnostic);
    }

    /// Left out, and as it may keep somebody out, nobody gets in.
    fn protection(&mut self, directive: &Directive, why: Option<&str>, product: &mut Product) {
        let mut diagnostic = Diagnostic::new(
            Code::SnippetProtection,
            format!(
                "`{}` is not carried over, so the paths that it stands for answer 503",
                directive.name
            ),
        )
        .label(self.place(&directive.range), "not carried over");
        if let Some(why) = why {
            diagnostic = diagnostic.note(why);
        }
        self.refused(diagnostic.help(table::help(&directive.name)));
        self.refuse(
            product,
            &format!("`{}` is not carried over", directive.name),
        );
    }

    fn refuse(&self, product: &mut Product, reason: &str) {
        if product.refusal.is_none() {
            product.refusal = Some(Refusal {
                reason: format!("{reason} ({})", self.key),
                faithful: false,
                origin: self.origin(),
            });
        }
    }

    fn refused(&mut self, diagnostic: Diagnostic) {
        self.tell(diagnostic, true);
    }

    fn differs(&mut self, diagnostic: Diagnostic) {
        self.tell(diagnostic, false);
    }

    fn tell(&mut self, mut diagnostic: Diagnostic, refused: bool) {
        let code = diagnostic.code;
        let outcome = if refused {
            Outcome::Refused(code)
        } else {
            Outcome::Difference(code)
        };
        if self.controller {
            diagnostic = diagnostic.note(format!(
                "`{}` of the controller's ConfigMap holds for every host",
                self.key
            ));
            self.out.controller_outcomes.push((self.spans.1, outcome));
        } else {
            diagnostic = diagnostic.object(self.input.object).annotation(self.key);
            // The gravest outcome of its directives is that of the annotation.
            let known = self
                .out
                .outcomes
                .iter_mut()
                .find(|(key, _)| *key == self.key);
            match known {
                Some((_, old)) if refused && !matches!(old, Outcome::Refused(_)) => *old = outcome,
                Some(_) => {}
                None => self.out.outcomes.push((self.key, outcome)),
            }
        }
        self.out.diagnostics.push(diagnostic);
    }

    fn place(&self, range: &Range<usize>) -> Span {
        nginx_conf::place(self.spans.0, self.spans.1, &self.text, range)
    }

    fn origin(&self) -> Origin {
        if self.controller {
            Origin::field(self.input.owner, self.input.name_span)
        } else {
            self.input.origin(self.key, self.spans.1)
        }
    }
}

#[cfg(test)]
mod tests;

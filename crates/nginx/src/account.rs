//! What became of every annotation and field.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gatewright_diagnostics::{Code, Diagnostic, Ledger, LedgerObject, ObjectRef, Outcome};
use gatewright_model::{Origin, OwnerId, Reach, Tag, TagKind};
use gatewright_source::Span;
use rayon::prelude::*;

use crate::annotations::{Fault, KeyNote, KeyStatus};
use crate::config_map::{ConfigNote, ConfigStatus};
use crate::effective::{
    Effective, Server, Source, SourceIndex, backends, compares_patterns, host_of,
};
use crate::ingress::{Annotation, BackendTarget, Ingress, Path};
use crate::lower::server_snippet::ByHost;
use crate::named::Told;
use crate::objects::Objects;
use crate::policies::{self, PolicyOutput};
use crate::registry::metadata::Goes;
use crate::registry::{DEFAULT_PREFIX, KeyClass};
use crate::remarks;
use crate::select::CLASS_ANNOTATION;
use crate::validate;
use crate::{IndexMap, IndexSet};

/// What a conversion does with a key that the controller accepts.
enum Disposition {
    /// The routing model holds it.
    Translated,
    /// It changes nothing that could be observed behind another proxy.
    Inert(&'static str),
    /// It is not carried over, and its loss opens nothing.
    NotYet,
    /// It protects and is not carried over: its routes are refused.
    Protective,
    /// It belongs to something whose finding says that it is refused.
    Refused(Code),
}

/// A thread settles at once about such a part of its share.
const PARTS: usize = 4;
const BUFFERS: &str = "Envoy streams with flow control, so there are no buffers to size";
const POOLED: &str = "Envoy always keeps connections open";

fn disposition(note: &KeyNote) -> Disposition {
    let Some(entry) = note.entry else {
        return Disposition::NotYet;
    };
    match entry.key {
        "rewrite-target"
        | "use-regex"
        | "app-root"
        | "ssl-redirect"
        | "force-ssl-redirect"
        | "preserve-trailing-slash"
        | "x-forwarded-prefix"
        | "permanent-redirect"
        | "permanent-redirect-code"
        | "temporal-redirect"
        | "temporal-redirect-code"
        | "relative-redirects"
        | "from-to-www-redirect"
        | "use-port-in-redirects"
        | "server-alias"
        | "upstream-vhost"
        | "canary"
        | "canary-weight"
        | "canary-weight-total"
        | "canary-by-header"
        | "canary-by-header-value"
        | "canary-by-header-pattern"
        | "canary-by-cookie"
        | "backend-protocol"
        | "service-upstream"
        | "ssl-passthrough" => Disposition::Translated,
        "client-body-buffer-size"
        | "proxy-buffers-number"
        | "proxy-buffer-size"
        | "proxy-busy-buffers-size"
        | "proxy-max-temp-file-size" => Disposition::Inert(BUFFERS),
        "auth-keepalive"
        | "auth-keepalive-requests"
        | "auth-keepalive-timeout"
        | "auth-keepalive-share-vars" => Disposition::Inert(POOLED),
        "enable-rewrite-log" => Disposition::Inert("it switches on a log of nginx"),
        "http2-push-preload" => {
            Disposition::Inert("nginx 1.27 and browsers no longer know HTTP/2 push")
        }
        key if policies::carries(key) => Disposition::Translated,
        "fastcgi-index" | "fastcgi-params-configmap" => Disposition::Refused(Code::FastCgi),
        // What a snippet says may well be what keeps others out.
        "auth-snippet" => Disposition::Protective,
        _ if entry.protective => Disposition::Protective,
        _ => Disposition::NotYet,
    }
}

/// An Ingress that the controller drops: nothing of it is converted.
pub(crate) fn rejected(
    ledger: &mut Ledger,
    item: LedgerObject,
    ingress: &Ingress,
    faults: &[Fault],
) {
    let Some(first) = faults.first() else { return };
    let reason = Outcome::no_effect(format!(
        "ingress-nginx drops the Ingress because of `{}`",
        first.key
    ));
    for (annotation, fault) in ingress
        .annotations
        .iter()
        .flat_map(|annotation| faults.iter().map(move |fault| (annotation, fault)))
    {
        // A fault may point at a part of the value.
        let (value, place) = (annotation.value.span, fault.span);
        let within =
            value.file == place.file && value.start <= place.start && place.end <= value.end;
        if within || annotation.key.span == place {
            ledger.settle(item, annotation.value.span, &Outcome::Refused(fault.code));
        }
    }
    ledger.settle_rest(item, |_| Some(reason.clone()));
}

/// The controller's own `ConfigMap`.
pub(crate) fn config(ledger: &mut Ledger, item: LedgerObject, notes: &[ConfigNote]) {
    for note in notes {
        let outcome = match note.status {
            ConfigStatus::Taken(_) => Outcome::Translated,
            ConfigStatus::NotCarried { protects: true } => {
                Outcome::Refused(Code::ProtectionRefused)
            }
            ConfigStatus::NotCarried { protects: false } => {
                Outcome::Refused(Code::NotTranslatedYet)
            }
            ConfigStatus::Different(code) => Outcome::Difference(code),
            ConfigStatus::Ignored => Outcome::no_effect("its value cannot be read"),
            ConfigStatus::NoEffect => Outcome::no_effect("it does not change what an Ingress does"),
            ConfigStatus::Unknown => Outcome::no_effect("the controller has no such key"),
        };
        ledger.settle(item, note.span, &outcome);
    }
}

/// Names what of an Ingress is not carried over, and refuses its routes when that protects them.
pub(crate) fn not_carried(source: &Source<'_>, notes: &[KeyNote], output: &mut PolicyOutput) {
    let canary = source.settings.canary.is_some();
    let mut protective: Vec<(&'static str, Span)> = Vec::new();
    let mut ignored: Vec<(&'static str, Span)> = Vec::new();
    for note in notes {
        if !matches!(note.status, KeyStatus::Taken) {
            continue;
        }
        let Some(entry) = note.entry else { continue };
        if canary && !entry.canary {
            if entry.protective {
                ignored.push((entry.key, note.span));
            }
            continue;
        }
        match disposition(note) {
            Disposition::Translated | Disposition::Inert(_) | Disposition::Refused(_) => {}
            Disposition::Protective => protective.push((entry.key, note.span)),
            Disposition::NotYet => output.diagnostics.push(
                Diagnostic::new(
                    Code::NotTranslatedYet,
                    format!("`{}` is not translated yet", note.key),
                )
                .object(&source.ingress.object)
                .annotation(entry.key)
                .at(note.span)
                .note(entry.summary)
                .help(format!(
                    "`gatewright explain {}` says what it does",
                    entry.key
                )),
            ),
        }
    }
    ignored_on_canary(source, &ignored, output);
    let Some(&(first, span)) = protective.first() else {
        return;
    };
    let names = names(&protective);
    let mut diagnostic = Diagnostic::new(
        Code::ProtectionRefused,
        format!("{names} cannot be carried over, so the paths of this Ingress answer 503"),
    )
    .object(&source.ingress.object)
    .annotation(first);
    for (key, span) in &protective {
        diagnostic = diagnostic.label(*span, format!("`{key}` protects these paths, or may do so"));
    }
    output.diagnostics.push(
        diagnostic
            .note("without it the paths might be more open than before")
            .help("convert this Ingress by hand until the annotation is supported"),
    );
    output.refuse(
        format!("{names} is not carried over"),
        false,
        Origin::annotation(source.id, first, span),
    );
}

/// Protection that stands on a canary protects nothing.
fn ignored_on_canary(
    source: &Source<'_>,
    ignored: &[(&'static str, Span)],
    output: &mut PolicyOutput,
) {
    let Some(&(first, _)) = ignored.first() else {
        return;
    };
    let mut diagnostic = Diagnostic::new(
        Code::CanaryIgnores,
        format!("{} on a canary Ingress protects nothing", names(ignored)),
    )
    .object(&source.ingress.object)
    .annotation(first);
    for (_, span) in ignored {
        diagnostic = diagnostic.label(*span, "ingress-nginx does not read it here");
    }
    output.diagnostics.push(
        diagnostic
            .note("what the main Ingress says holds for requests to the canary, too")
            .help("write it on the main Ingress"),
    );
}

fn names(keys: &[(&'static str, Span)]) -> String {
    let names: Vec<String> = keys.iter().map(|(key, _)| format!("`{key}`")).collect();
    names.join(", ")
}

/// Settles the items of all Ingresses that were taken.
pub(crate) struct Account<'a> {
    pub(crate) effective: &'a Effective,
    /// In the controller's order.
    pub(crate) sources: &'a [Source<'a>],
    /// Of each source.
    pub(crate) notes: &'a [&'a Vec<KeyNote>],
    /// Of each source.
    pub(crate) policies: &'a [PolicyOutput],
    /// The server-snippets of each host.
    pub(crate) server_snippets: &'a ByHost<'a>,
    pub(crate) objects: &'a Objects,
    pub(crate) passthrough: bool,
    /// By owner.
    pub(crate) owners: &'a [LedgerObject],
    pub(crate) ledger: &'a mut Ledger,
    pub(crate) diagnostics: &'a mut Vec<Diagnostic>,
}

/// What Ingresses decide about servers.
struct ServersOf<'a> {
    /// By source, the servers that it defined first.
    defined: Vec<Vec<&'a Server>>,
    /// Sources whose `spec.tls` decides for a server.
    certified: IndexSet<SourceIndex>,
    /// By server, whether it compares paths as they are written.
    literal: Vec<bool>,
}

impl<'a> ServersOf<'a> {
    fn new(effective: &'a Effective, sources: &[Source<'_>]) -> Self {
        let mut index = Self {
            defined: vec![Vec::new(); sources.len()],
            certified: IndexSet::default(),
            literal: Vec::with_capacity(effective.servers.len()),
        };
        for server in effective.servers.values() {
            index.literal.push(!compares_patterns(server, sources));
            if let Some(first) = server.first {
                index.defined[first].push(server);
            }
            index.certified.extend(server.tls);
        }
        index
    }
}

/// What settling one Ingress needs to know of all of them.
struct Known<'a> {
    servers: ServersOf<'a>,
    /// Paths and backends that are not served.
    lost: BTreeSet<Span>,
    /// By source, its canary backends that are not.
    orphans: Vec<usize>,
    /// Values that cannot be carried over, as lowering found.
    refused: IndexMap<ObjectRef, Vec<(Span, Code)>>,
    /// Of these a part of the value is shown; the whole of it is refused.
    snippets: IndexMap<ObjectRef, Vec<(String, Code)>>,
    /// Whose server-snippet some host has.
    server_snippets: IndexSet<OwnerId>,
}

impl<'a> Account<'a> {
    pub(crate) fn settle(mut self, threads: usize) {
        self.shadowed();
        self.orphans();
        let known = self.known();
        let item = |source: &Source<'_>| self.owners[source.id.0 as usize];
        let items: Vec<LedgerObject> = self.sources.iter().map(item).collect();
        if threads < 2 {
            for (at, &item) in items.iter().enumerate() {
                self.source(at, item, &known);
            }
            return;
        }
        let length = items.len().div_ceil(threads.saturating_mul(PARTS)).max(1);
        let chunks = items.chunks(length);
        let mut parts: Vec<(Ledger, Vec<LedgerObject>)> = chunks
            .clone()
            .map(|chunk| self.ledger.part(chunk))
            .collect();
        let all = &self;
        let settle = |(number, (ledger, items)): (usize, &mut (Ledger, Vec<LedgerObject>))| {
            let mut diagnostics = Vec::new();
            let mut account = all.beside(ledger, &mut diagnostics);
            for (at, &item) in (number * length..).zip(&*items) {
                account.source(at, item, &known);
            }
            diagnostics
        };
        let found: Vec<Vec<Diagnostic>> = parts.par_iter_mut().enumerate().map(settle).collect();
        for ((chunk, (ledger, _)), found) in chunks.zip(parts).zip(found) {
            self.ledger.join(&ledger, chunk);
            self.diagnostics.extend(found);
        }
    }

    /// The same with a ledger and findings of its own.
    fn beside<'b>(
        &'b self,
        ledger: &'b mut Ledger,
        diagnostics: &'b mut Vec<Diagnostic>,
    ) -> Account<'b> {
        Account {
            ledger,
            diagnostics,
            ..*self
        }
    }

    fn known(&self) -> Known<'a> {
        let mut known = Known {
            servers: ServersOf::new(self.effective, self.sources),
            lost: (self.effective.shadowed.iter().map(|s| s.span))
                .chain(self.effective.orphans.iter().map(|o| o.span))
                .collect(),
            orphans: vec![0; self.sources.len()],
            refused: IndexMap::default(),
            snippets: IndexMap::default(),
            server_snippets: (self.server_snippets.values())
                .filter_map(|list| list.first())
                .map(|&first| self.sources[first].id)
                .collect(),
        };
        for found in &*self.diagnostics {
            let lost = matches!(
                found.code,
                Code::WildcardWww
                    | Code::AliasPattern
                    | Code::HostInvalid
                    | Code::FastCgi
                    | Code::PortUnresolved
                    | Code::UpstreamTlsRefused
                    | Code::ProtectionRefused
            );
            if let (true, Some(object), Some(span)) = (lost, &found.object, found.span()) {
                let of_object = known.refused.entry(object.clone()).or_default();
                of_object.push((span, found.code));
            }
            if let (Code::SnippetProtection, Some(object), Some(key)) =
                (found.code, &found.object, &found.annotation)
            {
                let of_object = known.snippets.entry(object.clone()).or_default();
                of_object.push((key.clone(), found.code));
            }
        }
        for orphan in &self.effective.orphans {
            known.orphans[orphan.source] += 1;
        }
        known
    }

    /// Settles the items of one Ingress.
    fn source(&mut self, at: usize, item: LedgerObject, known: &Known<'_>) {
        let source = &self.sources[at];
        if source.contested {
            let outcome = Outcome::Refused(Code::DuplicateObject);
            self.ledger.settle_rest(item, |_| Some(outcome.clone()));
            return;
        }
        // A canary none of whose backends gets a request.
        let idle = source.settings.canary.is_some()
            && known.orphans[at] == backends(source).count()
            && !self.effective.steering.contains(&at);
        self.annotations(at, item, known, idle);
        let object = &source.ingress.object;
        for (key, code) in known.snippets.get(object).into_iter().flatten() {
            let mut notes = self.notes[at].iter();
            let note = notes.find(|note| *note.written == **key);
            let mut annotations = source.ingress.annotations.iter();
            let written = note.and_then(|note| annotations.find(|a| stands_at(a, note)));
            if let Some(written) = written {
                let span = written.value.span;
                self.ledger.settle(item, span, &Outcome::Refused(*code));
            }
        }
        for (span, code) in known.refused.get(object).into_iter().flatten() {
            self.ledger.settle(item, *span, &Outcome::Refused(*code));
        }
        for label in &source.ingress.labels {
            let outcome = carried(label);
            self.ledger.settle(item, label.value.span, &outcome);
        }
        self.rules(at, item, known, idle);
        self.tls(at, item, known.servers.certified.contains(&at));
        self.default_backend(at, item, known);
        self.services(source);
        self.ledger.settle_rest(item, |path| Some(rest(path)));
    }

    fn annotations(&mut self, at: usize, item: LedgerObject, known: &Known<'_>, idle: bool) {
        let (source, notes) = (&self.sources[at], self.notes[at]);
        let outcomes = &self.policies[at].outcomes;
        let canary = source.settings.canary.is_some();
        let mut notes = notes.iter();
        for annotation in &source.ingress.annotations {
            let span = annotation.value.span;
            // Another prefix may stand before the same name.
            let ours = notes
                .clone()
                .next()
                .is_some_and(|note| stands_at(annotation, note));
            if !ours {
                self.ledger.settle(item, span, &foreign(annotation));
                continue;
            }
            let Some(note) = notes.next() else { continue };
            let told = outcomes
                .iter()
                .find(|(key, _)| note.entry.is_some_and(|entry| entry.key == *key))
                .map(|(_, outcome)| outcome);
            let outcome = match &note.status {
                KeyStatus::Taken if canary && note.entry.is_some_and(|entry| !entry.canary) => {
                    no_effect("ingress-nginx does not read it on a canary Ingress")
                }
                KeyStatus::Taken if idle && note.key.starts_with("canary") => {
                    no_effect("the canary serves nothing")
                }
                KeyStatus::Taken => match told {
                    Some(outcome) => outcome.clone(),
                    None => self.taken(source, note, span, known),
                },
                // Its loss in ingress-nginx is not repeated.
                KeyStatus::Ignored { .. } if matches!(told, Some(Outcome::Refused(_))) => {
                    told.cloned().unwrap_or(Outcome::Translated)
                }
                KeyStatus::Ignored { reason } => Outcome::NoEffect(reason.clone()),
                KeyStatus::Unknown(class) => unknown(class),
                KeyStatus::Rejected => Outcome::Refused(Code::AnnotationRejectsIngress),
                KeyStatus::Denied => Outcome::Refused(Code::AnnotationDeniesIngress),
                KeyStatus::Breaks => Outcome::Refused(Code::AnnotationBreaksNginx),
            };
            self.ledger.settle(item, span, &outcome);
        }
    }

    fn taken(
        &mut self,
        source: &Source<'_>,
        note: &KeyNote,
        span: Span,
        known: &Known<'_>,
    ) -> Outcome {
        if note.key == "ssl-passthrough" && !self.passthrough {
            let wanted = source
                .settings
                .ssl
                .passthrough
                .as_ref()
                .is_some_and(|flag| flag.value);
            if wanted {
                self.diagnostics.push(
                    Diagnostic::new(
                        Code::PassthroughOff,
                        "`ssl-passthrough` acts only when the controller runs with `--enable-ssl-passthrough`",
                    )
                    .object(&source.ingress.object)
                    .annotation("ssl-passthrough")
                    .at(span)
                    .note("TLS is terminated, as the controller does without that flag")
                    .help("pass `--enable-ssl-passthrough` if the controller had it"),
                );
            }
            return no_effect("the controller does not run with --enable-ssl-passthrough");
        }
        if note.key == "server-snippet" && !known.server_snippets.contains(&source.id) {
            return no_effect("another Ingress has the server-snippet of its hosts");
        }
        if note.key == "x-forwarded-prefix" && source.settings.rewrite.target.is_none() {
            return no_effect("ingress-nginx sets the header only together with rewrite-target");
        }
        match disposition(note) {
            Disposition::Translated => Outcome::Translated,
            Disposition::Inert(reason) => no_effect(reason),
            Disposition::NotYet => Outcome::Refused(Code::NotTranslatedYet),
            Disposition::Protective => Outcome::Refused(Code::ProtectionRefused),
            Disposition::Refused(code) => Outcome::Refused(code),
        }
    }

    fn shadowed(&mut self) {
        for shadowed in &self.effective.shadowed {
            let loser = &self.sources[shadowed.loser];
            let winner_is_copy =
                |at: SourceIndex| self.sources[at].ingress.object == loser.ingress.object;
            // The finding about the copies says it all.
            if loser.contested && shadowed.winner.is_some_and(winner_is_copy) {
                continue;
            }
            let winner = shadowed
                .winner
                .map(|index| &self.sources[index].ingress.object);
            let by = winner.map_or_else(|| "another Ingress".to_owned(), ToString::to_string);
            let item = self.owners[loser.id.0 as usize];
            let path = loser
                .ingress
                .rules
                .iter()
                .flat_map(|rule| rule.paths.iter().flatten())
                .find(|path| path.path.as_ref().map_or(path.span, |p| p.span) == shadowed.span);
            let span = path.map_or(shadowed.span, |path| path.span);
            let outcome = if shadowed.twin {
                Outcome::Refused(Code::LocationTwice)
            } else {
                no_effect(format!("the path is owned by {by}"))
            };
            self.ledger.settle(item, span, &outcome);
            let (code, message) = if shadowed.twin {
                let message = "this path and one that differs by its final slash make the same nginx location";
                (Code::LocationTwice, message.to_owned())
            } else {
                let message = format!("this path is never served: {by} owns it");
                (Code::PathShadowed, message)
            };
            let mut diagnostic = Diagnostic::new(code, message)
                .object(&loser.ingress.object)
                .label(shadowed.span, "never served");
            if let Some(span) = shadowed.winner_span {
                let text = if shadowed.closed {
                    "answers 503"
                } else {
                    "served"
                };
                diagnostic = diagnostic.label(span, text);
            }
            if shadowed.twin {
                self.diagnostics.push(
                    diagnostic
                        .note("nginx refuses a configuration with both; until one is gone the controller applies no change to any Ingress")
                        .note(if shadowed.closed {
                            "the two are protected in different ways, so the output answers 503 for both"
                        } else {
                            "the output serves the one that came first"
                        })
                        .help("keep the one without the slash: it takes what lies below it as well"),
                );
                continue;
            }
            self.diagnostics.push(
                diagnostic
                    .note("ingress-nginx serves the older Ingress; of two of the same age the one whose namespace/name sorts last")
                    .help("remove one of the two"),
            );
        }
    }

    fn orphans(&mut self) {
        for orphan in &self.effective.orphans {
            let source = &self.sources[orphan.source];
            let item = self.owners[source.id.0 as usize];
            let outcome = no_effect(format!("the canary serves nothing: {}", orphan.reason));
            let span = source
                .ingress
                .rules
                .iter()
                .flat_map(|rule| rule.paths.iter().flatten())
                .find(|path| path.backend.span == orphan.span)
                .map_or(orphan.span, |path| path.span);
            self.ledger.settle(item, span, &outcome);
            let mut diagnostic = Diagnostic::new(
                Code::CanaryOrphan,
                format!("this canary serves nothing: {}", orphan.reason),
            )
            .object(&source.ingress.object)
            .annotation("canary")
            .at(orphan.span)
            .help(orphan.help);
            if self.effective.steering.contains(&orphan.source) {
                diagnostic = diagnostic
                    .note("its settings hold all the same where another canary names the Service");
            }
            self.diagnostics.push(diagnostic);
        }
    }

    fn rules(&mut self, at: usize, item: LedgerObject, known: &Known<'_>, idle: bool) {
        let source = &self.sources[at];
        let host_outcome = if idle {
            no_effect("the canary serves nothing")
        } else {
            Outcome::Translated
        };
        for rule in &source.ingress.rules {
            if let Some(host) = &rule.host {
                self.ledger.settle(item, host.span, &host_outcome);
            }
            let server = self.effective.servers.get_index_of(&host_of(rule));
            let literal = server.is_some_and(|server| known.servers.literal[server]);
            for path in rule.paths.iter().flatten() {
                if matches!(path.backend.target, BackendTarget::Resource) {
                    let outcome = no_effect("ingress-nginx serves no backend but Services");
                    self.ledger.settle(item, path.span, &outcome);
                    self.diagnostics.push(
                        Diagnostic::new(
                            Code::ResourceBackend,
                            "ingress-nginx does not serve this path: its backend is not a Service",
                        )
                        .object(&source.ingress.object)
                        .at(path.backend.span)
                        .help("name a Service, or remove the path"),
                    );
                    continue;
                }
                let place = path.path.as_ref().map_or(path.span, |p| p.span);
                if known.lost.contains(&place) || known.lost.contains(&path.backend.span) {
                    continue;
                }
                let outcome = if literal {
                    self.literal(source, path)
                } else {
                    Outcome::Translated
                };
                self.ledger.settle(item, path.span, &outcome);
            }
        }
    }

    /// A path of a host that compares paths as they are written.
    fn literal(&mut self, source: &Source<'_>, path: &Path) -> Outcome {
        let Some(text) = path.path.as_ref() else {
            return Outcome::Translated;
        };
        let object = &source.ingress.object;
        let Some(why) = remarks::never_requested(&text.value) else {
            let remark = remarks::not_decoded(object, &text.value, text.span);
            self.diagnostics.extend(remark);
            return Outcome::Translated;
        };
        self.diagnostics.push(
            Diagnostic::new(
                Code::PathNeverRequested,
                format!("no request can match the path `{}`", text.value),
            )
            .object(object)
            .label(text.span, "never served")
            .note(why)
            .help("write the path without it"),
        );
        no_effect("no request can match the path")
    }

    fn tls(&mut self, at: usize, item: LedgerObject, decides: bool) {
        let source = &self.sources[at];
        if source.settings.canary.is_some() {
            let outcome = no_effect("ingress-nginx does not read the TLS section of a canary");
            for tls in &source.ingress.tls {
                self.ledger.settle(item, tls.span, &outcome);
            }
            return;
        }
        if source
            .ingress
            .rules
            .iter()
            .all(|rule| rule.host.as_ref().is_none_or(|host| host.value.is_empty()))
        {
            let outcome = no_effect("rules without a host are served with the default certificate");
            for tls in &source.ingress.tls {
                self.ledger.settle(item, tls.span, &outcome);
            }
            return;
        }
        self.certificates(source);
        for tls in &source.ingress.tls {
            if !decides {
                let outcome = no_effect("an older Ingress decides the certificate of its hosts");
                self.ledger.settle(item, tls.span, &outcome);
                continue;
            }
            for host in &tls.hosts {
                let served = self
                    .effective
                    .servers
                    .get(host.value.as_ref())
                    .is_some_and(|server| server.tls == Some(at));
                let outcome = if served {
                    Outcome::Translated
                } else {
                    no_effect("no rule has this host, or an older Ingress decides its certificate")
                };
                self.ledger.settle(item, host.span, &outcome);
            }
            if let Some(secret) = &tls.secret {
                let outcome = if validate::is_secret_name(&secret.value) {
                    Outcome::Translated
                } else {
                    no_effect("no Secret can have this name, so the default certificate is served")
                };
                self.ledger.settle(item, secret.span, &outcome);
            }
        }
    }

    /// A certificate that is missing where others of its namespace are not was probably
    /// misspelt; those of cert-manager are never in a manifest.
    fn certificates(&mut self, source: &Source<'_>) {
        const MAKERS: [&str; 4] = [
            "cert-manager.io/",
            "acme.cert-manager.io/",
            "certmanager.k8s.io/",
            "kubernetes.io/tls-acme",
        ];
        let made = source.ingress.annotations.iter().any(|annotation| {
            MAKERS
                .iter()
                .any(|maker| annotation.key.value.starts_with(maker))
        });
        let namespace = &source.ingress.object.namespace;
        let others = self
            .objects
            .secrets
            .range((Arc::clone(namespace), Arc::from(""))..)
            .take_while(|((of, _), _)| of == namespace)
            .any(|(_, secret)| &*secret.kind == "kubernetes.io/tls");
        if made {
            return;
        }
        for secret in source
            .ingress
            .tls
            .iter()
            .filter_map(|tls| tls.secret.as_ref())
        {
            let key = (Arc::clone(namespace), Arc::clone(&secret.value));
            if self.objects.secrets.contains_key(&key) {
                continue;
            }
            let told = self.objects.told("Secret", namespace, &secret.value);
            let name = format!("Secret {namespace}/{}", secret.value);
            let (message, note, help) = match told {
                Some(Told::Withheld) => continue,
                Some(Told::Absent) => (
                    format!("{name} does not exist"),
                    "as long as it does not, ingress-nginx serves its default certificate, and the Gateway another one that it has",
                    "create it, or correct its name",
                ),
                None if !others => continue,
                None => (
                    format!("{name} is not in the input"),
                    "other certificates of the namespace are; as long as it does not exist, ingress-nginx serves its default certificate, and the Gateway another one that it has",
                    "add it to the input, or correct its name",
                ),
            };
            self.diagnostics.push(
                Diagnostic::new(Code::CertificateMissing, message)
                    .object(&source.ingress.object)
                    .at(secret.span)
                    .note(note)
                    .help(help),
            );
        }
    }

    fn default_backend(&mut self, at: usize, item: LedgerObject, known: &Known<'_>) {
        let source = &self.sources[at];
        let backend = source.ingress.default_backend.as_ref();
        let Some(backend) = backend.filter(|backend| !known.lost.contains(&backend.span)) else {
            return;
        };
        let own = self.effective.named(at)[0];
        let defined = known.servers.defined[at].iter();
        let mut locations = defined.flat_map(|server| &server.locations);
        let used = locations.any(|l| l.upstream == own) || source.settings.canary.is_some();
        let outcome = if used {
            Outcome::Translated
        } else {
            no_effect("its hosts have a path `/`, or another Ingress defined them first")
        };
        self.ledger.settle(item, backend.span, &outcome);
    }

    /// A Service that is missing where others of its namespace are not was probably misspelt.
    fn services(&mut self, source: &Source<'_>) {
        let namespace = &source.ingress.object.namespace;
        let Some(known) = self.objects.services.get(namespace) else {
            return;
        };
        // A Service is missed once, however many paths name it.
        let mut missing: BTreeMap<&str, usize> = BTreeMap::new();
        for backend in backends(source) {
            if let BackendTarget::Service { name, .. } = &backend.target {
                *missing.entry(&name.value).or_default() += 1;
            }
        }
        for backend in backends(source) {
            let BackendTarget::Service { name, port } = &backend.target else {
                continue;
            };
            if !known.contains_key(&name.value) {
                let Some(uses) = missing.remove(&*name.value) else {
                    continue;
                };
                let note = if uses == 1 {
                    "as long as it does not exist, the path answers 503".to_owned()
                } else {
                    format!(
                        "as long as it does not exist, the {uses} backends of the Ingress that name it answer 503"
                    )
                };
                self.diagnostics.push(
                    Diagnostic::new(
                        Code::ServiceUnknown,
                        format!("Service {namespace}/{} is not in the input", name.value),
                    )
                    .object(&source.ingress.object)
                    .at(name.span)
                    .note(note)
                    .help("add it to the input, or correct its name"),
                );
                continue;
            }
            let upstream = crate::effective::upstream_key(source, backend);
            let target = upstream.map(|key| crate::service::resolve(&key, self.objects));
            if let Some(Ok(gatewright_model::Target::Unavailable { reason })) = target {
                self.diagnostics.push(
                    Diagnostic::new(Code::NoEndpointsHere, reason.to_string())
                        .object(&source.ingress.object)
                        .at(port.span)
                        .note("ingress-nginx answers 503 on this path, and so does the output")
                        .help("correct the backend"),
                );
            }
        }
    }
}

/// Fields that no rule settled.
fn rest(path: &str) -> Outcome {
    let reason = match path {
        "apiVersion"
        | "kind"
        | "metadata.name"
        | "metadata.namespace"
        | "metadata.creationTimestamp"
        | "spec.ingressClassName" => {
            return Outcome::Translated;
        }
        _ if path.starts_with("metadata.labels") => "it is empty",
        _ if path.starts_with("metadata.") => "the API server keeps it for itself",
        _ if path.starts_with("status") => "controllers write it",
        _ if last(path) == "pathType" => "ingress-nginx takes it as Prefix",
        // An empty list or map says what its absence says.
        "spec" | "spec.rules" | "spec.tls" | "metadata" => "it is empty",
        _ if path.starts_with("spec.rules[") && matches!(last(path), "http" | "paths") => {
            "it is empty"
        }
        _ if path.starts_with("spec.rules[") && last(path) == "host" => {
            "an empty host is every host"
        }
        _ if path.starts_with("spec.rules[") && path.ends_with(']') => "an empty rule does nothing",
        _ if path.starts_with("spec.tls[") => "it is empty",
        _ if path.starts_with("spec.") => "ingress-nginx does not read it",
        _ => "it is not part of an Ingress",
    };
    no_effect(reason)
}

/// The last step of a path.
fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or_default()
}

/// Whether a note is about this annotation. Its name alone may stand behind several prefixes.
fn stands_at(annotation: &Annotation, note: &KeyNote) -> bool {
    note.span == annotation.value.span || note.span == annotation.key.span
}

fn foreign(annotation: &Annotation) -> Outcome {
    let key = &*annotation.key.value;
    if key == CLASS_ANNOTATION {
        return Outcome::Translated;
    }
    match crate::registry::classify(key, DEFAULT_PREFIX) {
        KeyClass::Metadata { .. } | KeyClass::Unrelated => carried(annotation),
        KeyClass::OtherController { name, .. } => {
            no_effect(format!("{name} reads it, ingress-nginx does not"))
        }
        KeyClass::ClassAnnotation => Outcome::Translated,
        KeyClass::Known(_)
        | KeyClass::Removed(_)
        | KeyClass::Misspelt { .. }
        | KeyClass::NeverExisted { .. } => {
            no_effect("the controller reads annotations of another prefix")
        }
    }
}

/// What becomes of a key that another program reads, unless something is written for the
/// Ingress that it goes along with.
fn carried(found: &Annotation) -> Outcome {
    let Some(row) = found.row else {
        return no_effect("ingress-nginx does not read it");
    };
    match row.goes {
        Goes::Nowhere => no_effect(format!("{}: {}", row.tool, row.why)),
        Goes::Certificate => no_effect("nothing asks for a certificate"),
        Goes::Solver => no_effect("it asks for what happens without it"),
        Goes::Objects | Goes::Routes | Goes::RoutesAs(_) | Goes::Gateway => {
            no_effect("nothing is written for the Ingress")
        }
    }
}

/// A program that makes DNS records reads routes only when it is told to.
pub(crate) fn records(sources: &[Source<'_>]) -> Option<Diagnostic> {
    let mut annotations = sources
        .iter()
        .flat_map(|source| &source.ingress.annotations);
    let reads = annotations.any(|found| found.row.is_some_and(|row| row.tool == "ExternalDNS"));
    reads.then(|| {
        Diagnostic::new(
            Code::RecordSources,
            "ExternalDNS makes records for routes only when it reads them",
        )
        .help("add `--source=gateway-httproute` to its flags before the Ingresses are deleted")
    })
}

/// What goes along with all that is written for an Ingress.
pub(crate) fn tags(ingress: &Ingress, prefix: &str) -> Vec<Tag> {
    let tag = |kind, found: &Annotation| {
        let (key, reach) = match found.row?.goes {
            Goes::Objects => (Arc::clone(&found.key.value), Reach::Objects),
            Goes::Routes => (Arc::clone(&found.key.value), Reach::Routes),
            Goes::RoutesAs(key) => (Arc::from(key), Reach::Routes),
            Goes::Gateway => (Arc::clone(&found.key.value), Reach::Shared),
            Goes::Certificate | Goes::Solver | Goes::Nowhere => return None,
        };
        Some(Tag {
            kind,
            key,
            value: Arc::clone(&found.value.value),
            reach,
            span: found.value.span,
        })
    };
    let annotations = ingress.annotations.iter().filter_map(|found| {
        let tag = tag(TagKind::Annotation, found)?;
        let class = crate::registry::classify(&found.key.value, prefix);
        matches!(class, KeyClass::Metadata { .. } | KeyClass::Unrelated).then_some(tag)
    });
    let labels = ingress.labels.iter();
    let labels = labels.filter_map(|found| tag(TagKind::Label, found));
    let mut tags: Vec<Tag> = labels.chain(annotations).collect();
    tags.shrink_to_fit();
    tags
}

fn unknown(class: &KeyClass) -> Outcome {
    match class {
        KeyClass::Removed(_) => no_effect("ingress-nginx 1.15 no longer reads it"),
        KeyClass::Misspelt { likely } => {
            no_effect(format!("it is misspelt: ingress-nginx reads `{likely}`"))
        }
        _ => no_effect("ingress-nginx has no such annotation"),
    }
}

fn no_effect(reason: impl Into<Cow<'static, str>>) -> Outcome {
    Outcome::no_effect(reason)
}

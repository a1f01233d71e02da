//! From documents to the routing model, with an account of everything in them.

use std::sync::Arc;

use gatewright_diagnostics::{Code, Diagnostic, Ledger, LedgerObject, ObjectRef, Outcome};
use gatewright_model::{Globals, Model, Origin, Owner, OwnerId, SecretRef};
use gatewright_source::Span;

use crate::account::{self, Account};
use crate::annotations::proxy::Proxy;
use crate::annotations::{self, Annotation, AnnotationResult, ControllerVersion};
use crate::config_map::{Config, ConfigNote, ConfigStatus};
use crate::effective::{self, Source};
use crate::ingress::Ingress;
use crate::lower::{self, Lowering, server_snippet};
use crate::objects::{ConfigMapInfo, Intake, Objects};
use crate::policies::transport;
use crate::policies::{self, PolicyInput, PolicyOutput};
use crate::registry::DEFAULT_PREFIX;
use crate::select::{self, Selection};

/// Where the chart puts the controller's own `ConfigMap`.
const DEFAULT_CONFIG: (&str, &str) = ("ingress-nginx", "ingress-nginx-controller");

/// What to read, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which Ingresses.
    pub selection: Selection,
    /// Namespace and name of the controller's own `ConfigMap`.
    pub controller_config: Option<(String, String)>,
    /// Namespace and name of the default certificate.
    pub default_certificate: Option<(String, String)>,
    /// The prefix of the controller's annotations.
    pub annotations_prefix: Option<String>,
    /// Whose reading of annotation values is followed.
    pub version: ControllerVersion,
    /// The controller runs with `--enable-ssl-passthrough`.
    pub ssl_passthrough: bool,
}

/// What was found.
#[derive(Debug)]
pub struct Analysis {
    /// The routing model.
    pub model: Model,
    /// The account; items of an owner of the model may still get a graver outcome.
    pub ledger: Ledger,
    /// The items of each owner of the model.
    pub owners: Vec<LedgerObject>,
    /// Findings.
    pub diagnostics: Vec<Diagnostic>,
    /// Ingresses that were taken.
    pub taken: usize,
    /// Ingresses that were left out.
    pub skipped: usize,
}

/// An Ingress that is taken.
struct Taken<'a> {
    ingress: &'a Ingress,
    ledger: LedgerObject,
    annotations: AnnotationResult,
}

/// Reads what was taken in as ingress-nginx would.
pub fn analyze(intake: Intake, options: &Options) -> Analysis {
    let Intake {
        mut ledger,
        mut diagnostics,
        objects,
        seen,
        ..
    } = intake;
    let ingresses: Vec<&ObjectRef> = seen.keys().filter(|o| &*o.kind == "Ingress").collect();
    diagnostics.extend(select::unmatched(&options.selection, &ingresses));
    let Controller {
        config,
        places,
        lost_protection,
        item: controller,
    } = controller(&objects, options, &mut ledger, &mut diagnostics);
    let mut skipped = 0;
    let mut taken: Vec<Taken<'_>> = Vec::with_capacity(objects.ingresses.len());
    let prefix = prefix(&objects, options);
    let version = if objects.flags.no_validation {
        ControllerVersion::Pre1_12
    } else {
        options.version
    };
    for (ingress, item) in &objects.ingresses {
        if let Err(skip) = select::select(ingress, &objects, &options.selection) {
            skipped += 1;
            diagnostics.extend(skip.diagnostic);
            let reason = Outcome::NoEffect(Arc::from(skip.reason));
            ledger.settle_rest(*item, |_| Some(reason.clone()));
            continue;
        }
        let mut annotations = read_annotations(ingress, &prefix, &config, version);
        diagnostics.append(&mut annotations.diagnostics);
        if !annotations.rejected.is_empty() {
            account::rejected(&mut ledger, *item, ingress, &annotations.rejected);
            skipped += 1;
            continue;
        }
        taken.push(Taken {
            ingress,
            ledger: *item,
            annotations,
        });
    }
    // The order of owners is that of their names, whatever the files were called.
    taken.sort_by(|a, b| a.ingress.object.cmp(&b.ingress.object));
    let mut order: Vec<usize> = (0..taken.len()).collect();
    order.sort_by(|&a, &b| effective::compare(taken[a].ingress, taken[b].ingress));
    let sources: Vec<Source<'_>> = order
        .iter()
        .map(|&at| Source {
            id: OwnerId(u32::try_from(at).unwrap_or(u32::MAX)),
            ingress: taken[at].ingress,
            settings: &taken[at].annotations.settings,
            denied: taken[at]
                .annotations
                .denied
                .first()
                .map(|fault| (fault.message.clone(), fault.span)),
        })
        .collect();
    let effective = effective::build(&sources);
    let notes: Vec<_> = order
        .iter()
        .map(|&at| &taken[at].annotations.notes)
        .collect();
    let mut of_controller = Vec::new();
    let mut policies: Vec<PolicyOutput> = sources
        .iter()
        .zip(&notes)
        .map(|(source, notes)| {
            let mut output = policies::lower(&PolicyInput {
                owner: source.id,
                object: &source.ingress.object,
                name_span: source.ingress.name_span,
                ingress: source.ingress,
                settings: source.settings,
                config: &config,
                places: &places,
                objects: &objects,
            });
            account::not_carried(source, notes, &mut output);
            if let Some(note) = &lost_protection {
                output.refuse(
                    format!("{} of the ConfigMap is not carried over", note.key),
                    false,
                    Origin::field(source.id, note.span),
                );
            }
            // What is said of the controller's own snippets is said once.
            output.diagnostics.retain(|found| {
                let first = found.object.is_some() || !of_controller.contains(found);
                if first && found.object.is_none() {
                    of_controller.push(found.clone());
                }
                first
            });
            diagnostics.append(&mut output.diagnostics);
            output
        })
        .collect();
    if let Some(item) = controller {
        for (span, outcome) in policies.iter().flat_map(|p| &p.controller_outcomes) {
            ledger.settle(item, *span, outcome);
        }
    }
    policies::reconcile(&sources, &mut policies, &mut diagnostics);
    let passthrough = options.ssl_passthrough || objects.flags.ssl_passthrough;
    let server_snippets = server_snippet::by_host(&sources);
    let hosts = Lowering {
        effective: &effective,
        sources: &sources,
        objects: &objects,
        config: &config,
        passthrough,
        policies: &policies,
        server_snippets: &server_snippets,
        diagnostics: &mut diagnostics,
        of_host: lower::of_host(&sources),
    }
    .hosts();
    let owners: Vec<LedgerObject> = taken.iter().map(|t| t.ledger).collect();
    Account {
        effective: &effective,
        sources: &sources,
        notes: &notes,
        policies: &policies,
        server_snippets: &server_snippets,
        objects: &objects,
        passthrough,
        owners: &owners,
        ledger: &mut ledger,
        diagnostics: &mut diagnostics,
    }
    .settle();
    let map = controller_map(&objects, options);
    let before = diagnostics.len();
    let globals = globals(&config, &objects, map, options, &mut diagnostics);
    if let Some(map) = map {
        for found in &diagnostics[before..] {
            if let (Code::HeaderMapMissing, Some(span)) = (found.code, found.span()) {
                ledger.settle(map.ledger, span, &Outcome::Refused(found.code));
            }
        }
    }
    let model = Model {
        owners: taken
            .iter()
            .map(|t| Owner {
                kind: Arc::clone(&t.ingress.object.kind),
                namespace: Arc::clone(&t.ingress.object.namespace),
                name: Arc::clone(&t.ingress.object.name),
                span: t.ingress.name_span,
            })
            .collect(),
        hosts,
        globals,
    };
    Analysis {
        model,
        owners,
        taken: taken.len(),
        skipped,
        ledger,
        diagnostics,
    }
}

fn prefix(objects: &Objects, options: &Options) -> String {
    options
        .annotations_prefix
        .as_ref()
        .or(objects.flags.annotations_prefix.as_ref())
        .map_or(DEFAULT_PREFIX, String::as_str)
        .trim_end_matches('/')
        .to_owned()
}

fn read_annotations(
    ingress: &Ingress,
    prefix: &str,
    config: &Config,
    version: ControllerVersion,
) -> AnnotationResult {
    let ours = ingress.annotations.iter().filter_map(|annotation| {
        let key = annotation
            .key
            .value
            .strip_prefix(prefix)?
            .strip_prefix('/')?;
        Some(Annotation {
            key,
            value: &annotation.value.value,
            key_span: annotation.key.span,
            value_span: annotation.value.span,
        })
    });
    annotations::read(ours, config, version, &ingress.object)
}

/// The `ConfigMap` of the controller, if it is among the input objects.
fn controller_map<'a>(objects: &'a Objects, options: &Options) -> Option<&'a ConfigMapInfo> {
    let (namespace, name) = options
        .controller_config
        .as_ref()
        .or(objects.flags.config_map.as_ref())
        .map_or(DEFAULT_CONFIG, |(namespace, name)| (namespace, name));
    let key = (Arc::from(namespace), Arc::from(name));
    objects.config_maps.get(&key)
}

/// The controller's `ConfigMap`, read.
#[derive(Default)]
struct Controller {
    config: Config,
    /// Where the values of its keys stand.
    places: Vec<(String, Span)>,
    /// A key that protects and that nothing carries over.
    lost_protection: Option<ConfigNote>,
    /// Its items, if it is in the input.
    item: Option<LedgerObject>,
}

fn controller(
    objects: &Objects,
    options: &Options,
    ledger: &mut Ledger,
    diagnostics: &mut Vec<Diagnostic>,
) -> Controller {
    let mut controller = Controller::default();
    match (controller_map(objects, options), &options.controller_config) {
        (Some(map), _) => {
            let entries = map
                .data
                .iter()
                .map(|(key, value, span)| (&**key, &**value, *span));
            let (read, mut found, notes) = Config::read(entries);
            controller.config = read;
            controller.item = Some(map.ledger);
            controller.places = notes.iter().map(|n| (n.key.clone(), n.span)).collect();
            diagnostics.append(&mut found);
            account::config(ledger, map.ledger, &notes);
            controller.lost_protection = notes
                .into_iter()
                .find(|note| note.status == ConfigStatus::NotCarried { protects: true });
        }
        (None, Some((namespace, name))) => diagnostics.push(
            Diagnostic::new(
                Code::ControllerConfigMissing,
                format!("ConfigMap {namespace}/{name} is not in the input"),
            )
            .note("the controller's defaults are used in its place")
            .help("add it to the input: `kubectl get configmap -o yaml` prints it"),
        ),
        (None, None) => {}
    }
    for map in objects.config_maps.values() {
        let reason = Outcome::NoEffect(Arc::from("it stays as it is; what names it reads it"));
        ledger.settle_rest(map.ledger, |_| Some(reason.clone()));
    }
    controller
}

fn globals(
    config: &Config,
    objects: &Objects,
    map: Option<&ConfigMapInfo>,
    options: &Options,
    diagnostics: &mut Vec<Diagnostic>,
) -> Globals {
    let seconds = |n: i64| u32::try_from(n.max(0)).unwrap_or(u32::MAX);
    let secret = options
        .default_certificate
        .as_ref()
        .or(objects.flags.default_ssl_certificate.as_ref());
    Globals {
        default_certificate: secret.map(|(namespace, name)| SecretRef {
            namespace: Arc::from(namespace.as_str()),
            name: Arc::from(name.as_str()),
        }),
        hsts: config.hsts.then(|| {
            let mut value = format!("max-age={}", config.hsts_max_age);
            if config.hsts_include_subdomains {
                value.push_str("; includeSubDomains");
            }
            if config.hsts_preload {
                value.push_str("; preload");
            }
            value
        }),
        connect_timeout: seconds(config.proxy_connect_timeout),
        idle_timeout: transport::idle_timeout(&Proxy::default(), config),
        retry: transport::retry(&Proxy::default(), config),
        balance: policies::balance::global(config),
        compression: transport::compression(config),
        unwritten_body_limit: transport::unwritten_body_limit(config),
        client_idle_timeout: seconds(config.keep_alive),
        client_header_timeout: seconds(config.client_header_timeout),
        underscores_in_headers: config.enable_underscores_in_headers,
        http2: config.use_http2,
        http2_streams: seconds(config.http2_max_concurrent_streams),
        forwarded: policies::forwarded::lower(config),
        headers: policies::headers::globals(config, objects, map, diagnostics),
    }
}

//! From documents to the routing model, with an account of everything in them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gatewright_diagnostics::{Code, Diagnostic, Ledger, LedgerObject, ObjectRef, Outcome};
use gatewright_model::{Globals, Model, Origin, Owner, OwnerId, SecretRef};
use gatewright_source::Span;

use crate::account::{self, Account};
use crate::annotations::proxy::Proxy;
use crate::annotations::{self, Annotation, AnnotationResult, ControllerVersion};
use crate::certificates::{self, Requests};
use crate::config_map::{Config, ConfigNote, ConfigStatus};
use crate::effective::{self, Source, SourceIndex};
use crate::ingress::Ingress;
use crate::left_out;
use crate::lower::{self, Lowering, server_snippet};
use crate::named::{Name, Told};
use crate::objects::{ConfigMapInfo, Intake, Objects};
use crate::overruled;
use crate::policies::transport;
use crate::policies::{self, PolicyInput};
use crate::policies::{auth_tls, satisfy};
use crate::registry::{self, DEFAULT_PREFIX, KeyClass};
use crate::select::{self, Selection, Skipped};
use crate::{both, discard, each};

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
    /// Keys that the controller does not know, and the one that each stands for.
    pub aliases: BTreeMap<String, String>,
    /// The Gateway is somebody else's, and nobody has confirmed that it finds the addresses of
    /// clients where the controller does.
    pub addresses_unconfirmed: bool,
    /// What is known of objects that are not in the input.
    pub told: BTreeMap<Name, Told>,
    /// Number of threads that share the work.
    pub threads: usize,
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
    annotations: Box<AnnotationResult>,
}

/// Reads what was taken in as ingress-nginx would.
pub fn analyze(intake: Intake, options: &Options) -> Analysis {
    let Intake {
        mut ledger,
        mut diagnostics,
        mut objects,
        seen,
        ..
    } = intake;
    objects.told.clone_from(&options.told);
    let ingresses: Vec<&ObjectRef> = seen.keys().filter(|o| &*o.kind == "Ingress").collect();
    diagnostics.extend(select::unmatched(&options.selection, &ingresses));
    drop(seen);
    let Controller {
        config,
        places,
        lost_protection,
        item: controller,
    } = controller(&objects, options, &mut ledger, &mut diagnostics);
    let mut skipped = 0;
    let mut left_out: Vec<&Ingress> = objects.elsewhere.iter().collect();
    let mut taken: Vec<Taken<'_>> = Vec::with_capacity(objects.ingresses.len());
    let prefix = prefix(&objects, options);
    let version = version(&objects, options);
    // The order of owners is that of their names, whatever the files were called.
    let mut ingresses: Vec<&(Box<Ingress>, LedgerObject)> = objects.ingresses.iter().collect();
    ingresses.sort_by(|(a, _), (b, _)| {
        let order = a.object.cmp(&b.object);
        // Copies of one Ingress come in the order of what they say.
        order.then_with(|| objects.digest(a).cmp(&objects.digest(b)))
    });
    let read = each(options.threads, ingresses.len(), |at| {
        let (ingress, _) = ingresses[at];
        select::select(ingress, &objects, &options.selection)?;
        let mut annotations =
            read_annotations(ingress, &prefix, &options.aliases, &config, version);
        annotations.diagnostics.extend(of_others(ingress, &prefix));
        // It is large, and moved from list to list.
        Ok::<_, Box<Skipped>>(Box::new(annotations))
    });
    for ((ingress, item), read) in ingresses.into_iter().zip(read) {
        let mut annotations = match read {
            Ok(annotations) => annotations,
            Err(skip) => {
                skipped += 1;
                if skip.unasked {
                    left_out.push(ingress);
                }
                diagnostics.extend(skip.diagnostic);
                let reason = Outcome::no_effect(skip.reason);
                ledger.settle_rest(*item, |_| Some(reason.clone()));
                continue;
            }
        };
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
    let mut order: Vec<usize> = (0..taken.len()).collect();
    order.sort_by(|&a, &b| effective::compare(taken[a].ingress, taken[b].ingress));
    let sources: Vec<Source<'_>> = order
        .iter()
        .map(|&at| Source {
            id: OwnerId(u32::try_from(at).unwrap_or(u32::MAX)),
            ingress: taken[at].ingress,
            settings: &taken[at].annotations.settings,
            contested: objects.contested.contains_key(&taken[at].ingress.object),
            denied: taken[at]
                .annotations
                .denied
                .first()
                .map(|fault| (fault.message.clone(), fault.span)),
        })
        .collect();
    let effective = effective::build(&sources);
    left_out.retain(|ingress| select::by_class(ingress, &objects, &options.selection).is_ok());
    diagnostics.extend(left_out::findings(&left_out, &effective, &sources));
    let notes: Vec<_> = order
        .iter()
        .map(|&at| &taken[at].annotations.notes)
        .collect();
    let passthrough = options.ssl_passthrough || objects.flags.ssl_passthrough;
    let (overruled, (of_host, deciders)) = both(
        options.threads,
        || overruled::find(&effective, &sources, passthrough),
        || {
            let of_host = lower::of_host(&sources);
            let decider = |of_host: &Vec<SourceIndex>| {
                let of_host = of_host.iter().map(|&at| &sources[at]);
                auth_tls::host(of_host, &objects).decider()
            };
            let deciders: BTreeSet<OwnerId> = of_host.values().filter_map(decider).collect();
            (of_host, deciders)
        },
    );
    let mut policies = each(options.threads, sources.len(), |at| {
        let (source, notes) = (&sources[at], notes[at]);
        let mut output = policies::lower(&PolicyInput {
            owner: source.id,
            object: &source.ingress.object,
            name_span: source.ingress.name_span,
            ingress: source.ingress,
            settings: source.settings,
            config: &config,
            places: &places,
            objects: &objects,
            effective: &effective,
            sources: &sources,
            addresses_unconfirmed: options.addresses_unconfirmed,
            decides_clients: deciders.contains(&source.id),
        });
        if source.contested {
            // The finding about the copies says it all.
            output.diagnostics.clear();
            output.refuse(
                "the Ingress occurs twice, with different contents",
                false,
                Origin::field(source.id, source.ingress.name_span),
            );
            return output;
        }
        account::not_carried(source, notes, &mut output);
        overruled::tell(&sources, source, notes, &overruled[at], &mut output);
        if let Some(note) = &lost_protection {
            output.refuse(
                format!("{} of the ConfigMap is not carried over", note.key),
                false,
                Origin::field(source.id, note.span),
            );
        }
        output
    });
    let mut of_controller = Vec::new();
    for output in &mut policies {
        // What is said of the controller's own snippets is said once.
        output.diagnostics.retain(|found| {
            let first = found.object.is_some() || !of_controller.contains(found);
            if first && found.object.is_none() {
                of_controller.push(found.clone());
            }
            first
        });
        diagnostics.append(&mut output.diagnostics);
    }
    if let Some(item) = controller {
        for (span, outcome) in policies.iter().flat_map(|p| &p.controller_outcomes) {
            ledger.settle(item, *span, outcome);
        }
    }
    policies::reconcile(&sources, &mut policies, &mut diagnostics);
    let server_snippets = server_snippet::by_host(&sources);
    satisfy::beside_snippets(&of_host, &server_snippets, &sources, &config, &mut policies);
    for at in 0..sources.len() {
        let lost = overruled::upstream_tls(&of_host, &sources, &policies, at);
        overruled::tell(&sources, &sources[at], notes[at], &lost, &mut policies[at]);
        diagnostics.append(&mut policies[at].diagnostics);
    }
    let mut lowering = Lowering {
        effective: &effective,
        sources: &sources,
        objects: &objects,
        config: &config,
        passthrough,
        policies: &policies,
        server_snippets: &server_snippets,
        of_host: &of_host,
        diagnostics: Vec::new(),
    };
    let hosts = lowering.hosts(options.threads);
    diagnostics.extend(lowering.diagnostics);
    let owners: Vec<LedgerObject> = taken.iter().map(|t| t.ledger).collect();
    let account = Account {
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
    };
    // The account is the greater part.
    let ((), (asked, records, named)) = both(
        options.threads,
        || account.settle(options.threads),
        || {
            let asked = certificates::requests(&sources);
            (asked, account::records(&sources), named(&taken, &prefix))
        },
    );
    drop((server_snippets, notes, overruled));
    discard(options.threads, (policies, effective));
    let Requests {
        requests,
        diagnostics: found,
        outcomes,
    } = asked;
    diagnostics.extend(found);
    for (owner, span, outcome) in &outcomes {
        ledger.settle(owners[owner.0 as usize], *span, outcome);
    }
    diagnostics.extend(records);
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
    name_maps(&objects, &mut diagnostics);
    let model = Model {
        owners: named,
        hosts,
        globals,
        certificates: requests,
    };
    let number = taken.len();
    let annotations: Vec<_> = taken.into_iter().map(|taken| taken.annotations).collect();
    discard(options.threads, (annotations, objects));
    Analysis {
        model,
        owners,
        taken: number,
        skipped,
        ledger,
        diagnostics,
    }
}

/// The owners of the model.
fn named(taken: &[Taken<'_>], prefix: &str) -> Vec<Owner> {
    let owner = |taken: &Taken<'_>| Owner {
        kind: Arc::clone(&taken.ingress.object.kind),
        namespace: Arc::clone(&taken.ingress.object.namespace),
        name: Arc::clone(&taken.ingress.object.name),
        span: taken.ingress.name_span,
        tags: account::tags(taken.ingress, prefix),
    };
    taken.iter().map(owner).collect()
}

pub(crate) fn version(objects: &Objects, options: &Options) -> ControllerVersion {
    if objects.flags.no_validation {
        ControllerVersion::Pre1_12
    } else {
        options.version
    }
}

pub(crate) fn prefix(objects: &Objects, options: &Options) -> String {
    options
        .annotations_prefix
        .as_ref()
        .or(objects.flags.annotations_prefix.as_ref())
        .map_or(DEFAULT_PREFIX, String::as_str)
        .trim_end_matches('/')
        .to_owned()
}

/// What is told of annotations that are not under the controller's prefix: those of other
/// controllers, and slips of the pen.
fn of_others(ingress: &Ingress, prefix: &str) -> Vec<Diagnostic> {
    let own = |same: &str| {
        (ingress.annotations.iter())
            .filter_map(|annotation| annotation.key.value.strip_prefix(prefix)?.strip_prefix('/'))
            .filter_map(registry::find)
            .any(|entry| entry.key == same)
    };
    let mut found = Vec::new();
    for annotation in &ingress.annotations {
        let key = &*annotation.key.value;
        if key
            .split_once('/')
            .is_some_and(|(group, _)| group == prefix)
        {
            continue;
        }
        let class = registry::classify(key, prefix);
        let same = match &class {
            KeyClass::Misspelt { likely } => Some(*likely),
            KeyClass::OtherController { same_name, .. } => *same_name,
            _ => continue,
        };
        // Manifests for several controllers say the same to each.
        if same.is_some_and(own) {
            continue;
        }
        let Some(mut diagnostic) = class.diagnostic(key, annotation.key.span) else {
            continue;
        };
        if let Some(same) = same {
            diagnostic.helps = vec![format!("write `{prefix}/{same}` if its effect is wanted")];
        }
        found.push(diagnostic.object(&ingress.object).annotation(key));
    }
    found
}

pub(crate) fn read_annotations(
    ingress: &Ingress,
    prefix: &str,
    aliases: &BTreeMap<String, String>,
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
            written: key,
            value: &annotation.value.value,
            key_span: annotation.key.span,
            value_span: annotation.value.span,
        })
    });
    let mut ours: Vec<Annotation<'_>> = ours.collect();
    let found = read_aliases(&mut ours, aliases, &ingress.object);
    let mut result = annotations::read(ours, config, version, &ingress.object);
    result.diagnostics.extend(found);
    result
}

/// Reads each invented key as the one that it stands for. A key that is set already counts:
/// the alias is then what it is to the controller, a key that does not exist.
fn read_aliases<'a>(
    annotations: &mut [Annotation<'a>],
    aliases: &'a BTreeMap<String, String>,
    object: &ObjectRef,
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    if aliases.is_empty() {
        return found;
    }
    for at in 0..annotations.len() {
        let Annotation { written, .. } = annotations[at];
        let Some(meant) = aliases.get(written) else {
            continue;
        };
        let about = |code, message| {
            Diagnostic::new(code, message)
                .object(object)
                .annotation(written)
        };
        if let Some(set) = annotations.iter().find(|other| other.key == meant) {
            found.push(
                about(
                    Code::AnnotationOverridden,
                    format!("`{written}` is not read as `{meant}`, which is set too"),
                )
                .label(annotations[at].value_span, "not read")
                .label(set.value_span, "this value counts")
                .help("keep one of the two"),
            );
            continue;
        }
        annotations[at].key = meant;
        found.push(
            about(
                Code::AnnotationAlias,
                format!("`{written}` is read as `{meant}`"),
            )
            .label(annotations[at].key_span, format!("taken for `{meant}`"))
            .note("ingress-nginx ignores the key: the output does more than the cluster does now"),
        );
    }
    found
}

/// Namespace and name of the controller's `ConfigMap`.
pub(crate) fn config_name<'a>(objects: &'a Objects, options: &'a Options) -> (&'a str, &'a str) {
    options
        .controller_config
        .as_ref()
        .or(objects.flags.config_map.as_ref())
        .map_or(DEFAULT_CONFIG, |(namespace, name)| (namespace, name))
}

/// What it says, as far as it is among the input objects.
pub(crate) fn config(objects: &Objects, options: &Options) -> Config {
    let map = controller_map(objects, options);
    let data = map.into_iter().flat_map(|map| &map.data);
    Config::read(data.map(|(key, value, span)| (&**key, &**value, *span))).0
}

/// The `ConfigMap` of the controller, if it is among the input objects.
fn controller_map<'a>(objects: &'a Objects, options: &Options) -> Option<&'a ConfigMapInfo> {
    let (namespace, name) = config_name(objects, options);
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

/// What is said of a value of a `ConfigMap` names the object, so that it can be accepted.
fn name_maps(objects: &Objects, diagnostics: &mut [Diagnostic]) {
    for found in diagnostics {
        let (None, Some(span)) = (&found.object, found.span()) else {
            continue;
        };
        let holds = |place: &Span| {
            place.file == span.file && place.start <= span.start && span.end <= place.end
        };
        let mut maps = objects.config_maps.iter();
        let map = maps.find(|(_, map)| map.data.iter().any(|(_, _, place)| holds(place)));
        if let Some(((namespace, name), _)) = map {
            let (namespace, name) = (Arc::clone(namespace), Arc::clone(name));
            found.object = Some(ObjectRef::new("ConfigMap", namespace, name));
        }
    }
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
            let (read, mut found, mut notes) = Config::read(entries);
            if !buffers(&read, objects) {
                // `ngx_http_upstream_send_response` sets the rate of an unbuffered response to 0.
                for note in &mut notes {
                    if matches!(note.key.as_str(), "limit-rate" | "limit-rate-after")
                        && matches!(note.status, ConfigStatus::NotCarried { .. })
                    {
                        note.status = ConfigStatus::NoEffect;
                        found.retain(|diagnostic| diagnostic.span() != Some(note.span));
                    }
                }
            }
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
                if objects.told("ConfigMap", namespace, name) == Some(Told::Absent) {
                    format!("ConfigMap {namespace}/{name} does not exist in the cluster")
                } else {
                    format!("ConfigMap {namespace}/{name} is not in the input")
                },
            )
            .note("the controller's defaults are used in its place")
            .help("add it to the input: `kubectl get configmap -o yaml` prints it"),
        ),
        (None, None) => {}
    }
    for map in objects.config_maps.values() {
        let reason = Outcome::no_effect("it stays as it is; what names it reads it");
        ledger.settle_rest(map.ledger, |_| Some(reason.clone()));
    }
    controller
}

/// Whether some response may be buffered.
fn buffers(config: &Config, objects: &Objects) -> bool {
    let asks = |ingress: &Ingress| {
        let mut annotations = ingress.annotations.iter();
        annotations.any(|annotation| {
            annotation.key.value.ends_with("/proxy-buffering")
                && annotation.value.value.trim() == "on"
        })
    };
    config.proxy_buffering == "on" || objects.ingresses.iter().any(|(ingress, _)| asks(ingress))
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
        tls_versions: policies::ssl::versions(config),
        http2: config.use_http2,
        http2_streams: seconds(config.http2_max_concurrent_streams),
        forwarded: policies::forwarded::lower(config),
        headers: policies::headers::globals(config, objects, map, diagnostics),
    }
}

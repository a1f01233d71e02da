//! The steps of a conversion, in order.

use std::sync::Arc;

use gatewright_diagnostics::{Code, Diagnostic, Outcome, Severity};
use gatewright_gateway::{self as gateway, Object, Part};
use gatewright_model::Model;
use gatewright_nginx::annotations::ControllerVersion;
use gatewright_nginx::{self as nginx, Analysis, Intake, Selection};
use gatewright_source::{FileId, SourceMap};

use crate::gather::{Gathered, gather, threads};
use crate::report::OutcomeCounts;
use crate::{
    Conversion, Emit, Input, NginxVersion, NoClass, Options, Output, Prerequisites, Profile,
    Summary, differences, redact, write,
};

/// Where the Gateway stands unless told otherwise.
pub const GATEWAY: (&str, &str) = ("gateway-infra", "shared");
/// The releases that the output is written for.
const GATEWAY_API: &str = "v1.6.1";
const ENVOY_GATEWAY: &str = "v1.9.1";

/// The release that takes two Certificates for one Secret, one after the other.
const CERT_MANAGER: &str = "cert-manager v1.14";

/// Converts all inputs together. The model is handed over to whoever wants it.
pub(crate) fn run<T: Send>(
    inputs: Vec<Input>,
    options: &Options,
    keep: impl FnOnce(Model) -> T + Send,
) -> (Conversion, T) {
    if threads(options) == 1 {
        run_here(inputs, options, keep)
    } else {
        // A thread more than there are processors would have memory of its own.
        rayon::scope(|_| run_here(inputs, options, keep))
    }
}

fn run_here<T: Send>(
    mut inputs: Vec<Input>,
    options: &Options,
    keep: impl FnOnce(Model) -> T + Send,
) -> (Conversion, T) {
    // The order in which files are named says nothing.
    inputs.sort_by(|a, b| (&a.name, &a.text).cmp(&(&b.name, &b.text)));
    let mut sources = SourceMap::default();
    let files: Vec<FileId> = inputs
        .into_iter()
        .map(|input| sources.add(input.name, input.text))
        .collect();
    let mut intake = Intake::default();
    let Gathered {
        documents,
        mut diagnostics,
        secrets,
    } = gather(&sources, &files, options, &mut intake);
    redact::hide(secrets, &mut sources);
    let unreadable = diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.severity == Severity::Error)
        .count();
    let analysis = nginx::analyze(intake, &nginx_options(options));
    let Analysis {
        model,
        mut ledger,
        owners,
        diagnostics: found,
        taken,
        skipped,
    } = analysis;
    diagnostics.extend(found);
    let hosts = model.hosts.len();
    let mut names: write::Ingresses = model
        .owners
        .iter()
        .map(|owner| {
            let name = (Arc::clone(&owner.namespace), Arc::clone(&owner.name));
            (owner.span, name)
        })
        .collect();
    let mut texts = write::Documents::new(options.comments, &names);
    let emitted = emit(&model, options, &mut texts);
    for (origin, outcome) in &emitted.outcomes {
        if let Some(object) = owners.get(origin.owner.0 as usize) {
            ledger.settle(*object, origin.span, outcome);
        }
    }
    diagnostics.extend(emitted.diagnostics);
    if hosts == 0 {
        let dropped = diagnostics.iter().any(|found| match found.code {
            // Values of a chart are named too, and are no Ingress that was dropped.
            Code::NotAnObject => found.severity == Severity::Error,
            Code::AnnotationRejectsIngress
            | Code::AnnotationTooRisky
            | Code::InvalidObject
            | Code::WrongType
            | Code::IngressNotFound => true,
            _ => false,
        });
        if unreadable == 0 && documents > 0 && taken == 0 && !dropped {
            diagnostics.push(if skipped == 0 {
                Diagnostic::new(Code::IngressNotFound, "the input holds no Ingress")
                    .help("name the files or directories that hold them")
            } else {
                Diagnostic::new(Code::IngressNotFound, "no Ingress was selected")
                    .help("look at `--ingress-class`, `--no-class`, `--namespace` and `--ingress`")
            });
        }
    } else {
        diagnostics.extend(differences::general(&model));
    }
    drop(owners);
    let keep = || keep(model);
    let finish = || {
        accept(&mut diagnostics, &options.accept);
        Diagnostic::sort(&mut diagnostics);
        texts.finish(threads(options))
    };
    let (kept, (output, written, counts)) = if threads(options) == 1 {
        // The text is put in order where the model was in memory, unless it is wanted.
        (keep(), finish())
    } else {
        rayon::join(keep, finish)
    };
    let at = |severity| {
        diagnostics
            .iter()
            .filter(|d| d.severity == severity)
            .count()
    };
    let summary = Summary {
        files: files.len(),
        documents,
        ingresses: taken,
        skipped_ingresses: skipped,
        rules: emitted.rules,
        hosts,
        objects: counts,
        outcomes: outcomes(&ledger),
        errors: at(Severity::Error),
        warnings: at(Severity::Warning),
        infos: at(Severity::Info),
    };
    // As they stand in the input.
    names.sort_unstable_keys();
    let conversion = Conversion {
        prerequisites: prerequisites(
            emitted.needs_backend,
            emitted.needs_lua,
            emitted.needs_cert_manager,
            &output,
        ),
        sources,
        diagnostics,
        ledger,
        output,
        written,
        ingresses: names.into_values().collect(),
        summary,
        unreadable,
    };
    (conversion, kept)
}

/// Writes the objects of the model.
fn emit(model: &Model, options: &Options, texts: &mut write::Documents<'_>) -> gateway::Emitted {
    fn writer<'t>(
        texts: &'t mut write::Documents<'_>,
        wanted: impl Fn(&Object) -> bool + Send + 't,
    ) -> impl FnMut(Object) + Send + 't {
        move |object| {
            if wanted(&object) {
                texts.add(object);
            }
        }
    }
    let wanted = |object: &Object| {
        let part = match options.emit {
            Emit::All => true,
            Emit::Infra => object.part == Part::Infra,
            Emit::Routes => object.part == Part::Routes,
        };
        part && !model.hosts.is_empty()
    };
    let mut more: Vec<_> = (1..threads(options)).map(|_| texts.more()).collect();
    let others = more.iter_mut().map(|texts| writer(texts, wanted)).collect();
    let emitted = gateway::emit(model, &settings(options), writer(texts, wanted), others);
    for others in more {
        texts.append(others);
    }
    emitted
}

/// Findings that the user has accepted by name no longer fail the run. What was refused stays
/// refused; only who accepts what is left to a Gateway gets address lists that depend on it.
fn accept(diagnostics: &mut Vec<Diagnostic>, accepted: &[String]) {
    if accepted.is_empty() {
        return;
    }
    let mut used = vec![false; accepted.len()];
    for diagnostic in diagnostics.iter_mut() {
        let Some(object) = &diagnostic.object else {
            continue;
        };
        let name = format!("{}={}/{}", diagnostic.code, object.namespace, object.name);
        if let Some(at) = accepted.iter().position(|accepted| *accepted == name) {
            used[at] = true;
            diagnostic.severity = Severity::Info;
            diagnostic.notes.push("accepted by `--accept`".to_owned());
        }
    }
    let unused = accepted.iter().zip(used).filter(|(_, used)| !used);
    diagnostics.extend(unused.map(|(name, _)| {
        Diagnostic::new(
            Code::AcceptUnused,
            format!("`--accept {name}` matches no finding"),
        )
        .help("remove it, or take code and object from a finding")
    }));
}

pub(crate) fn nginx_options(options: &Options) -> nginx::Options {
    nginx::Options {
        selection: Selection {
            classes: options.ingress_classes.clone(),
            without_class: options.no_class == NoClass::Include,
            names: options.ingresses.clone(),
        },
        controller_config: options.controller_config.clone(),
        default_certificate: options.default_ssl_certificate.clone(),
        annotations_prefix: options.annotations_prefix.clone(),
        version: match options.nginx_version {
            NginxVersion::V1_15 => ControllerVersion::V1_15,
            NginxVersion::Pre1_12 => ControllerVersion::Pre1_12,
        },
        ssl_passthrough: options.ssl_passthrough,
        aliases: options.aliases.clone(),
        addresses_unconfirmed: options.gateway.as_ref().is_some_and(|(namespace, name)| {
            let confirmed = format!("{}={namespace}/{name}", Code::GatewaySettings);
            !options.accept.contains(&confirmed)
        }),
        told: options.told.clone(),
        threads: threads(options),
    }
}

fn settings(options: &Options) -> gateway::Settings {
    gateway::Settings {
        gateway: options
            .gateway
            .clone()
            .unwrap_or_else(|| (GATEWAY.0.to_owned(), GATEWAY.1.to_owned())),
        existing: options.gateway.is_some(),
        class: options.gateway_class.clone(),
        listeners: options.listeners.clone(),
        sets: options.listener_sets,
        label: options.allowed_routes.clone(),
        idiomatic: options.profile == Profile::Idiomatic,
    }
}

fn outcomes(ledger: &gatewright_diagnostics::Ledger) -> OutcomeCounts {
    let mut counts = OutcomeCounts::default();
    for (_, item) in ledger.items() {
        match item.outcome {
            Some(Outcome::Translated) => counts.translated += 1,
            Some(Outcome::Difference(_)) => counts.differences += 1,
            Some(Outcome::NoEffect(_)) => counts.no_effect += 1,
            Some(Outcome::Refused(_)) => counts.refused += 1,
            None => {}
        }
    }
    counts
}

fn prerequisites(
    needs_backend: bool,
    needs_lua: bool,
    needs_cert_manager: bool,
    output: &Output,
) -> Prerequisites {
    if output.is_empty() {
        return Prerequisites::default();
    }
    Prerequisites {
        gateway_api: Some(GATEWAY_API.to_owned()),
        envoy_gateway: Some(ENVOY_GATEWAY.to_owned()),
        extension_apis: [(needs_backend, "enableBackend"), (needs_lua, "enableLua")]
            .into_iter()
            .filter(|(needed, _)| *needed)
            .map(|(_, name)| name.to_owned())
            .collect(),
        notes: needs_cert_manager
            .then(|| CERT_MANAGER.to_owned())
            .into_iter()
            .collect(),
    }
}

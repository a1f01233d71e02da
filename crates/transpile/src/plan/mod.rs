//! The staged cut-over for exactly these objects: what comes first, what is typed at each step,
//! and how to go back.

mod markdown;
mod objects;
mod requests;
mod shell;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use gatewright_diagnostics::{Code, Severity};
use gatewright_model::HostName;
use gatewright_source::{SourceMap, Span};
use gatewright_verify::Verdict;

use crate::audit::{Note, elsewhere};
use crate::{Options, Prerequisites, Verified};

use objects::Objects;
pub use requests::Probe;

/// How the commands of a plan call Gatewright.
#[derive(Clone, Debug, Default)]
pub struct Invocation {
    /// Paths and flags that say what is converted, and how, as they were typed.
    pub arguments: Vec<String>,
    /// The file that takes the place of standard input among them.
    pub saved: Option<String>,
}

/// A plan.
#[derive(Debug)]
pub struct Plan {
    invocation: Invocation,
    /// Ingresses that move, by namespace.
    ingresses: BTreeMap<String, Vec<String>>,
    /// Ingresses that were read and stay.
    staying: Vec<(String, String)>,
    hosts: Vec<Host>,
    prerequisites: Prerequisites,
    /// The Gateway is not part of the output.
    is_existing: bool,
    /// Namespace and name.
    gateways: BTreeSet<(String, String)>,
    infra: Files,
    routes: Files,
    errands: Vec<Errand>,
    warnings: usize,
    /// What the output names and does not hold, by namespace, as `kind/name`.
    referenced: BTreeMap<String, Vec<Referenced>>,
    /// Certificates of cert-manager in the output.
    certificates: Vec<(String, String)>,
    /// Kinds of the output, to be read back from the cluster.
    kinds: BTreeSet<&'static str>,
    elsewhere: Vec<Note>,
    /// Requests are counted somewhere.
    has_limits: bool,
    /// Clients stay with a backend somewhere.
    is_sticky: bool,
}

/// What `convert --layout parts` makes of one part.
#[derive(Debug, Default)]
struct Files {
    /// Something of it is not secret.
    plain: bool,
    /// Something of it is.
    secret: bool,
    /// By kind, in the order of [`WAITED`], and namespace: names of objects that get a status.
    waits: BTreeMap<(usize, String), Vec<String>>,
}

/// Something that a person has to settle.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Errand {
    topic: &'static str,
    /// Code, object and place, as far as there are any.
    about: String,
    what: String,
    todo: String,
}

/// An object that the output needs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Referenced {
    kind: String,
    name: String,
    /// It stands in the input.
    given: bool,
}

/// A host on its way.
#[derive(Debug)]
struct Host {
    /// A name, `*.parent` or `*`.
    name: String,
    /// Namespace and name of the Ingress that defined it first.
    ingress: (String, String),
    /// Where it is served from now on.
    gateway: Option<(String, String)>,
    verdict: Verdict,
    probes: Vec<Probe>,
}

/// Makes the plan for what was compared: the output of a conversion.
pub fn plan(verified: &Verified, options: &Options, invocation: Invocation) -> Plan {
    let conversion = &verified.conversion;
    let objects = Objects::read(verified, options);
    let mut plan = Plan {
        invocation,
        ingresses: BTreeMap::new(),
        staying: objects.other_ingresses(&conversion.ingresses),
        hosts: hosts(verified, &objects),
        prerequisites: conversion.prerequisites.clone(),
        is_existing: options.gateway.is_some(),
        gateways: objects.gateways(options),
        infra: Files::default(),
        routes: Files::default(),
        errands: errands(verified),
        warnings: conversion.summary.warnings,
        referenced: objects.referenced(),
        certificates: Vec::new(),
        kinds: BTreeSet::new(),
        elsewhere: elsewhere(&verified.sources),
        has_limits: objects.uses("rateLimit"),
        is_sticky: objects.uses("consistentHash"),
    };
    if plan.is_existing {
        // What its listeners take is part of the comparison.
        plan.kinds.insert("Gateway");
    }
    for (namespace, name) in &conversion.ingresses {
        let names = plan.ingresses.entry(namespace.to_string()).or_default();
        names.push(name.to_string());
    }
    for written in &conversion.written {
        let files = if written.infra {
            &mut plan.infra
        } else {
            &mut plan.routes
        };
        if written.sensitive {
            files.secret = true;
            continue;
        }
        files.plain = true;
        let namespace = written.namespace.to_string();
        if written.kind != "Namespace" {
            plan.kinds.insert(written.kind);
        }
        if written.kind == "Certificate" {
            let certificate = (namespace.clone(), written.name.clone());
            plan.certificates.push(certificate);
        }
        if let Some(at) = WAITED.iter().position(|waited| waited.0 == written.kind) {
            let names = files.waits.entry((at, namespace)).or_default();
            names.push(written.name.clone());
        }
    }
    plan
}

impl Plan {
    /// As Markdown, with commands to copy.
    pub fn markdown(&self) -> String {
        markdown::render(self)
    }
}

/// What says of the objects of a kind that Envoy Gateway has taken them, as `kubectl wait --for`
/// has it; in the order in which they are waited for. Certificates are not among them: as long as
/// an Ingress has one for the same Secret, cert-manager leaves the Secret to that one.
const WAITED: [(&str, &[&str]); 12] = [
    ("GatewayClass", &["condition=Accepted"]),
    ("Gateway", &["condition=Programmed"]),
    ("ListenerSet", &["condition=Programmed"]),
    ("HTTPRoute", &ROUTE),
    ("GRPCRoute", &ROUTE),
    ("TLSRoute", &ROUTE),
    ("Backend", &["condition=Accepted"]),
    ("BackendTLSPolicy", &POLICY),
    ("ClientTrafficPolicy", &POLICY),
    ("BackendTrafficPolicy", &POLICY),
    ("SecurityPolicy", &POLICY),
    ("EnvoyExtensionPolicy", &POLICY),
];
const ROUTE: [&str; 2] = [
    r#"jsonpath={.status.parents[0].conditions[?(@.type=="Accepted")].status}=True"#,
    r#"jsonpath={.status.parents[0].conditions[?(@.type=="ResolvedRefs")].status}=True"#,
];
const POLICY: [&str; 1] =
    [r#"jsonpath={.status.ancestors[0].conditions[?(@.type=="Accepted")].status}=True"#];

fn hosts(verified: &Verified, objects: &Objects) -> Vec<Host> {
    let model = &verified.model;
    let mut probes = requests::of_hosts(verified).into_iter();
    let mut hosts: Vec<Host> = model
        .hosts
        .iter()
        .map(|host| {
            let owner = model.owner(host.first);
            let name = host.name.to_string();
            let report = verified.verification.hosts.iter();
            let verdict = report
                .filter(|report| report.name == name)
                .map(|report| report.verdict.clone())
                .next();
            Host {
                ingress: (owner.namespace.to_string(), owner.name.to_string()),
                gateway: objects.gateway_of(&name),
                verdict: verdict.unwrap_or(Verdict::Equivalent),
                probes: probes.next().unwrap_or_default(),
                name,
            }
        })
        .collect();
    // Where nothing differs, nothing is risked: such hosts go first. What has no name of its own
    // has no DNS record of its own either.
    let rank = |host: &Host| {
        let verdict = match host.verdict {
            Verdict::Equivalent => 0,
            Verdict::Declared => 1,
            Verdict::NotDecided(_) => 2,
            Verdict::Differs => 3,
        };
        (host.name == HostName::Any.to_string(), verdict)
    };
    hosts.sort_by(|a, b| (rank(a), &a.name).cmp(&(rank(b), &b.name)));
    hosts
}

/// What is refused or wrong, and what somebody has to see to outside of the output.
fn errands(verified: &Verified) -> Vec<Errand> {
    let mut errands = BTreeSet::new();
    let found = verified.conversion.diagnostics.iter();
    for found in found.chain(&verified.diagnostics) {
        let topic = match found.code {
            Code::CertificateMissing
            | Code::NoCertificate
            | Code::GatewayCertificate
            | Code::CertificateObjects
            | Code::CertificateNotAsked => "certificate",
            Code::SharedAnnotation | Code::RecordSources => "DNS",
            Code::GatewaySettings | Code::NamespaceLabel => "Gateway",
            // Nobody has to settle it any more, and it still answers 503.
            _ if found.notes.iter().any(|note| note.starts_with("accepted")) => "accepted",
            _ if found.severity < Severity::Error => continue,
            Code::VerifyOpen | Code::VerifyDiffers | Code::VerifyStricter => "differs",
            Code::VerifyUndecided => "not decided",
            Code::UnreadableFile | Code::NotUtf8 => "not read",
            code if code.info().number < 200 => "not read",
            _ => "refused",
        };
        let object = found.object.as_ref().map(ToString::to_string);
        let place = found.span().map(|span| place(&verified.sources, span));
        let about: Vec<String> = [Some(found.code.to_string()), object, place]
            .into_iter()
            .flatten()
            .collect();
        errands.insert(Errand {
            topic,
            about: about.join(", "),
            what: found.message.clone(),
            todo: found.helps.join("; "),
        });
    }
    errands.into_iter().collect()
}

fn place(sources: &SourceMap, span: Span) -> String {
    let line = sources.position(span).line;
    format!("{}:{line}", sources.file(span.file).name())
}

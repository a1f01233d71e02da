//! cert-manager's `Certificate`, the fields that are written.

use std::collections::BTreeMap;
use std::sync::Arc;

use gatewright_diagnostics::{Code, Diagnostic, Severity};
use gatewright_model::{CertificateRequest, CertificateSettings, KeySettings, Subject509};
use serde::Serialize;

use crate::emit::Emitter;
use crate::name::join;
use crate::{Object, Part, Spec};

/// cert-manager.io/v1 `Certificate`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CertificateSpec {
    /// Where it is kept.
    pub secret_name: String,
    /// DNS names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dns_names: Vec<String>,
    /// IP addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ip_addresses: Vec<String>,
    /// E-mail addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub email_addresses: Vec<String>,
    /// Common name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub common_name: Option<String>,
    /// Subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<CertificateSubject>,
    /// How long it is valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<String>,
    /// How long before its end it is renewed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renew_before: Option<String>,
    /// What its key may be used for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub usages: Vec<String>,
    /// How many requests are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision_history_limit: Option<u32>,
    /// Its key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_key: Option<PrivateKey>,
    /// Labels and annotations of the Secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_template: Option<Template>,
    /// Who issues it.
    pub issuer_ref: IssuerRef,
}

/// `issuerRef`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct IssuerRef {
    /// Its group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// `subject`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CertificateSubject {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    organizations: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    organizational_units: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    countries: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    provinces: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    localities: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    postal_codes: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    street_addresses: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial_number: Option<String>,
}

/// `privateKey`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PrivateKey {
    #[serde(skip_serializing_if = "Option::is_none")]
    algorithm: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotation_policy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u32>,
}

/// `secretTemplate`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Template {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<String, String>,
}

/// Writes a `Certificate` for everything that an Ingress has asked cert-manager for: that of the
/// Ingress goes with it (`docs/adr/0009-certificates.md`).
pub(crate) fn emit(emitter: &mut Emitter<'_>) {
    let model = emitter.model;
    for request in &model.certificates {
        let namespace = &request.secret.namespace;
        // cert-manager names its own after the Secret.
        let wanted = join(&request.secret.name, "gateway");
        let content = request.secret.name.to_string();
        let name = emitter.take_name("Certificate", namespace, &wanted, &content);
        let owners = request.owners.iter().map(|owner| model.owner(*owner));
        let mut origins: Vec<_> = owners.clone().map(|owner| owner.span).collect();
        origins.sort_unstable();
        origins.dedup();
        let mut from: Vec<String> = owners
            .map(|owner| format!("{}/{}", owner.namespace, owner.name))
            .collect();
        from.dedup();
        emitter.write(Object {
            part: Part::Routes,
            namespace: Arc::clone(namespace),
            name,
            spec: Spec::Certificate(Box::new(spec(request))),
            origins,
            comments: vec![format!(
                "from Ingress {}: cert-manager's own Certificate goes with the Ingress",
                from.join(", ")
            )],
            rule_comments: Vec::new(),
            labels: BTreeMap::new(),
            annotations: BTreeMap::new(),
        });
    }
    if !model.certificates.is_empty() {
        emitter.out.needs_cert_manager = true;
        emitter.diagnose(
            Diagnostic::new(
                Code::CertificateObjects,
                "cert-manager is asked for certificates by Certificate objects, not by annotations",
            )
            .severity(Severity::Info)
            .note("they wait until the Ingresses and their own Certificates are gone, and then renew what the Secrets hold")
            .help("see that the issuers answer challenges without ingress-nginx: DNS-01, or a solver `http01.gatewayHTTPRoute` for the Gateway"),
        );
    }
}

fn spec(request: &CertificateRequest) -> CertificateSpec {
    let text = |list: &[Arc<str>]| list.iter().map(ToString::to_string).collect();
    let CertificateSettings {
        common_name,
        emails,
        subject,
        duration,
        renew_before,
        usages,
        history,
        key,
        template,
    } = &*request.settings;
    CertificateSpec {
        secret_name: request.secret.name.to_string(),
        dns_names: text(&request.names),
        ip_addresses: text(&request.addresses),
        email_addresses: emails.clone(),
        common_name: common_name.clone(),
        subject: (*subject != Subject509::default()).then(|| self::subject(subject)),
        duration: duration.clone(),
        renew_before: renew_before.clone(),
        usages: usages.clone(),
        revision_history_limit: *history,
        private_key: (*key != KeySettings::default()).then(|| PrivateKey {
            algorithm: key.algorithm.clone(),
            encoding: key.encoding.clone(),
            rotation_policy: key.rotation.clone(),
            size: key.size,
        }),
        secret_template: (*template != gatewright_model::SecretTemplate::default()).then(|| {
            Template {
                annotations: template.annotations.clone(),
                labels: template.labels.clone(),
            }
        }),
        issuer_ref: IssuerRef {
            group: request.issuer.group.as_ref().map(ToString::to_string),
            kind: request.issuer.kind.to_string(),
            name: request.issuer.name.to_string(),
        },
    }
}

fn subject(subject: &Subject509) -> CertificateSubject {
    let Subject509 {
        organizations,
        organizational_units,
        countries,
        provinces,
        localities,
        postal_codes,
        street_addresses,
        serial_number,
    } = subject.clone();
    CertificateSubject {
        organizations,
        organizational_units,
        countries,
        provinces,
        localities,
        postal_codes,
        street_addresses,
        serial_number,
    }
}

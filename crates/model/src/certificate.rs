//! Certificates that somebody is to issue, and what goes along with an object.

use std::collections::BTreeMap;
use std::sync::Arc;

use gatewright_source::Span;

use crate::{Origin, OwnerId, SecretRef};

/// A certificate that is to be issued and kept in a Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateRequest {
    /// Where it is kept.
    pub secret: SecretRef,
    /// Who asks, the first one first; not empty.
    pub owners: Vec<OwnerId>,
    /// DNS names.
    pub names: Vec<Arc<str>>,
    /// IP addresses.
    pub addresses: Vec<Arc<str>>,
    /// Who issues it.
    pub issuer: Issuer,
    /// What else it is to be.
    pub settings: Arc<CertificateSettings>,
    /// Where the issuer is named first.
    pub origin: Origin,
}

/// An issuer of certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    /// Its name.
    pub name: Arc<str>,
    /// Its kind.
    pub kind: Arc<str>,
    /// The group of its kind, when it is not the usual one.
    pub group: Option<Arc<str>>,
}

/// What a certificate is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateSettings {
    /// Common name.
    pub common_name: Option<String>,
    /// E-mail addresses.
    pub emails: Vec<String>,
    /// Its subject.
    pub subject: Subject509,
    /// How long it is valid.
    pub duration: Option<String>,
    /// How long before its end it is renewed.
    pub renew_before: Option<String>,
    /// What its key may be used for.
    pub usages: Vec<String>,
    /// How many requests are kept.
    pub history: Option<u32>,
    /// Its private key.
    pub key: KeySettings,
    /// Labels and annotations of its Secret.
    pub template: SecretTemplate,
}

/// The subject of a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject509 {
    /// `O`
    pub organizations: Vec<String>,
    /// `OU`
    pub organizational_units: Vec<String>,
    /// `C`
    pub countries: Vec<String>,
    /// `ST`
    pub provinces: Vec<String>,
    /// `L`
    pub localities: Vec<String>,
    /// Postal codes.
    pub postal_codes: Vec<String>,
    /// Street addresses.
    pub street_addresses: Vec<String>,
    /// Serial number.
    pub serial_number: Option<String>,
}

/// The private key of a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeySettings {
    /// `RSA`, `ECDSA` or `Ed25519`.
    pub algorithm: Option<String>,
    /// `PKCS1` or `PKCS8`.
    pub encoding: Option<String>,
    /// Its size in bits.
    pub size: Option<u32>,
    /// `Never` or `Always`.
    pub rotation: Option<String>,
}

/// Labels and annotations for a Secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretTemplate {
    /// Annotations.
    pub annotations: BTreeMap<String, String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
}

/// A label or annotation that goes along with what is written for an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag {
    /// Which of the two.
    pub kind: TagKind,
    /// Its key.
    pub key: Arc<str>,
    /// Its value.
    pub value: Arc<str>,
    /// How far it goes.
    pub reach: Reach,
    /// Where it was written.
    pub span: Span,
}

/// What a tag is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TagKind {
    /// A label.
    Label,
    /// An annotation.
    Annotation,
}

/// How far a tag goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// To all that is written for the object.
    Objects,
    /// To its routes.
    Routes,
    /// To what all objects share, where all of them say the same.
    Shared,
}

//! Keys and certificates, made anew in every run.

use anyhow::Result;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};

/// A certificate and its key, in PEM.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

/// A CA with one client certificate.
#[derive(Debug, Clone)]
pub(crate) struct ClientAuthority {
    pub(crate) ca: Pair,
    pub(crate) client: Pair,
}

/// A self-signed server certificate for `hosts`.
pub(crate) fn self_signed(common_name: &str, hosts: &[String]) -> Result<Pair> {
    let key = KeyPair::generate()?;
    let mut parameters = CertificateParams::new(hosts.to_vec())?;
    parameters
        .distinguished_name
        .push(DnType::CommonName, common_name);
    parameters
        .extended_key_usages
        .push(ExtendedKeyUsagePurpose::ServerAuth);
    let certificate = parameters.self_signed(&key)?;
    Ok(Pair {
        certificate: certificate.pem(),
        key: key.serialize_pem(),
    })
}

/// A CA named `name` and a client certificate signed by it.
pub(crate) fn client_authority(name: &str) -> Result<ClientAuthority> {
    let mut parameters = CertificateParams::default();
    parameters
        .distinguished_name
        .push(DnType::CommonName, format!("{name} CA"));
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let issuer = CertifiedIssuer::self_signed(parameters, KeyPair::generate()?)?;

    let key = KeyPair::generate()?;
    let mut parameters = CertificateParams::default();
    parameters
        .distinguished_name
        .push(DnType::CommonName, format!("{name} client"));
    parameters
        .extended_key_usages
        .push(ExtendedKeyUsagePurpose::ClientAuth);
    let client = parameters.signed_by(&key, &issuer)?;
    Ok(ClientAuthority {
        ca: Pair {
            certificate: issuer.pem(),
            key: issuer.key().serialize_pem(),
        },
        client: Pair {
            certificate: client.pem(),
            key: key.serialize_pem(),
        },
    })
}

/// A key pair for signing service account tokens: (private, public).
pub(crate) fn signing_key() -> Result<(String, String)> {
    let key = KeyPair::generate()?;
    Ok((key.serialize_pem(), key.public_key_pem()))
}

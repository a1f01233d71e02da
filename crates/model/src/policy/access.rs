use crate::{Origin, SecretRef};

/// Which client addresses are let in. Networks are written with their prefix length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// The first that holds the address decides.
    pub rules: Vec<AddressRule>,
    /// Whether an address that none of them holds is let in.
    pub otherwise: bool,
}

/// Networks that are let in or kept out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressRule {
    /// Whether they are let in.
    pub allow: bool,
    /// The networks.
    pub networks: Vec<String>,
}

impl Addresses {
    /// These are kept out; of the others, only those are let in, if there is such a list.
    pub fn deny_then_allow(deny: Vec<String>, allow: Option<Vec<String>>) -> Self {
        let otherwise = allow.is_none();
        let mut list = Self {
            rules: Vec::new(),
            otherwise,
        };
        list.push(false, deny);
        list.push(true, allow.unwrap_or_default());
        list
    }

    /// Adds networks behind the others.
    pub fn push(&mut self, allow: bool, networks: Vec<String>) {
        match self.rules.last_mut() {
            _ if networks.is_empty() => {}
            Some(last) if last.allow == allow => last.networks.extend(networks),
            _ => self.rules.push(AddressRule { allow, networks }),
        }
    }
}

/// How many requests one client address may make, over all routes of the owner together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestLimits {
    /// All of them hold.
    pub rates: Vec<RequestLimit>,
    /// Requests of one address at the same time.
    pub concurrent: Option<(u32, Origin)>,
    /// Networks that are not limited, with their prefix length.
    pub exempt: Vec<String>,
    /// The status of requests over a rate.
    pub status: u16,
}

/// A bucket that is filled steadily.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestLimit {
    /// Requests in a period.
    pub rate: u32,
    /// The period.
    pub period: Period,
    /// Requests that may come at once.
    pub burst: u32,
    /// Where it was written.
    pub origin: Origin,
}

/// A unit of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// One second.
    Second,
    /// Sixty of them.
    Minute,
}

impl Period {
    /// Its length.
    pub const fn seconds(self) -> u64 {
        match self {
            Self::Second => 1,
            Self::Minute => 60,
        }
    }
}

/// Which certificates clients of a host need. Plain HTTP is covered by `subject` alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificates {
    /// Holds the authorities under `ca.crt`.
    pub authorities: SecretRef,
    /// Holds a list of what they revoked under `ca.crl`.
    pub revoked: bool,
    /// Who needs a certificate.
    pub verify: VerifyClient,
    /// A pattern that must be found in the subject of the certificate (RFC 2253), or nothing of
    /// the host is served. Requests over plain HTTP have no certificate.
    pub subject: Option<String>,
    /// Backends get the certificate.
    pub pass: bool,
    /// Where it was asked for.
    pub origin: Origin,
}

/// Who needs a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifyClient {
    /// Everybody.
    Required,
    /// Nobody, but one that is shown must be good.
    Optional,
    /// Nobody, and any will do.
    Unverified,
    /// It is not asked for.
    Off,
}

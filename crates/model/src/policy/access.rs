use crate::{Origin, SecretRef};

/// Which client addresses are let in. Networks are written with their prefix length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// These are kept out; asked first.
    pub deny: Vec<String>,
    /// Only these are let in, if it is set.
    pub allow: Option<Vec<String>>,
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

/// Which certificates clients of a host need. Plain HTTP is not covered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificates {
    /// Holds the authorities under `ca.crt`.
    pub authorities: SecretRef,
    /// Holds a list of what they revoked under `ca.crl`.
    pub revoked: bool,
    /// Who needs a certificate.
    pub verify: VerifyClient,
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

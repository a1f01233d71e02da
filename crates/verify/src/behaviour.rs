//! The vocabulary that both sides are brought into.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Behaviour {
    /// How it is answered.
    pub answer: Answer,
    /// What has to be passed before a backend answers.
    pub guards: Guards,
}

impl Behaviour {
    /// An answer that nothing guards.
    pub(crate) fn open(answer: Answer) -> Self {
        Self {
            answer,
            guards: Guards::default(),
        }
    }
}

/// How a request is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing listens for it.
    NoListener,
    /// The proxy answers with this status.
    Status(u16),
    /// The proxy redirects.
    Redirect {
        /// The code.
        code: u16,
        /// The `Location`.
        location: String,
    },
    /// A backend answers.
    Forward(Box<Forwarding>),
    /// TLS goes to a backend as it is.
    Passthrough(Vec<Share>),
    /// It is served, but in a way that cannot be carried over, for this reason.
    Refused(String),
    /// Nobody knows, for this reason.
    Unknown(String),
}

/// A request on its way to a backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forwarding {
    /// Where to, and which share of the requests; in order, with the smallest whole numbers.
    pub shares: Vec<Share>,
    /// The path and query that the backend sees; `None` when nobody knows.
    pub path: Option<String>,
    /// The authority that it sees, if it is another one than that of the request.
    pub authority: Option<String>,
    /// Who gets copies.
    pub copies: BTreeSet<Place>,
    /// Headers of the request, in lower case, that the backend does not get from the client.
    pub withheld: BTreeSet<String>,
}

/// A backend and its share of the requests.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share {
    /// Which backend.
    pub place: Place,
    /// How it is spoken to.
    pub wire: Wire,
    /// Of the sum of all weights.
    pub weight: u64,
}

/// A backend.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Namespace, name and port of a Service.
    Service(String, String, u16),
    /// Host and port of something else.
    Host(String, u16),
    /// A reference to nothing, or to something that is not known here.
    Missing(String),
}

/// How a backend is spoken to.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wire {
    /// With HTTP/2.
    pub http2: bool,
    /// With TLS.
    pub tls: Option<Tls>,
}

/// TLS to a backend.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tls {
    /// Who vouches for the certificate, as `kind namespace/name`; `None` accepts any.
    pub authority: Option<String>,
    /// The name that is asked for, if one is set.
    pub name: Option<String>,
    /// The certificate that is shown, as `namespace/name`.
    pub certificate: Option<String>,
}

/// What has to be passed before a backend answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guards {
    /// A certificate of the client.
    pub clients: Option<Clients>,
    /// The subjects of certificates that are let in, in Rust's syntax of patterns.
    pub subject: Option<String>,
    /// Buckets that are not empty.
    pub limits: Option<Limits>,
    /// An address that is let in.
    pub addresses: Option<Addresses>,
    /// A user name and a password.
    pub passwords: Option<Passwords>,
    /// A service that says yes.
    pub authorizer: Option<Authorizer>,
    /// Whatever else is asked for, by the name of its field.
    pub others: BTreeSet<String>,
}

/// Certificates of clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clients {
    /// Whether one is required; else one that is shown must be good.
    pub required: bool,
    /// Whether one that is shown is looked at.
    pub verified: bool,
    /// Who vouches for them, as `namespace/name`.
    pub authorities: BTreeSet<String>,
    /// Whether there is a list of what was revoked.
    pub revoked: bool,
}

/// How many requests an address may make.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// All of them hold.
    pub buckets: Vec<Bucket>,
    /// Requests at the same time.
    pub concurrent: Option<u64>,
}

/// A bucket of tokens for every client address of some networks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Tokens that it holds.
    pub size: u64,
    /// Tokens that it gains in `seconds`.
    pub gains: u64,
    /// See `gains`.
    pub seconds: u64,
    /// Whose requests are counted; none is everybody's.
    pub only: Option<String>,
    /// Whose requests are not.
    pub exempt: BTreeSet<String>,
    /// Whether each address has a bucket of its own.
    pub each: bool,
}

/// Which addresses are let in: the first network that holds one decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// Whether it lets in, and which networks.
    pub rules: Vec<(bool, Vec<String>)>,
    /// What happens to the others.
    pub otherwise: bool,
}

/// Users and passwords.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passwords {
    /// The Secret that holds them.
    pub secret: String,
    /// Names and hashes, when the Secret was seen.
    pub users: Option<BTreeMap<String, String>>,
}

/// A service that is asked about every request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorizer {
    /// Whom to ask; any of them.
    pub places: BTreeSet<Place>,
    /// The path of the question.
    pub path: String,
    /// Requests pass when the service fails.
    pub fails_open: bool,
}

/// Weights as the smallest whole numbers, places in order, none twice.
pub(crate) fn shares(mut list: Vec<Share>) -> Vec<Share> {
    list.retain(|share| share.weight > 0);
    list.sort();
    let mut merged: Vec<Share> = Vec::new();
    for share in list {
        match merged.last_mut() {
            Some(last) if last.place == share.place && last.wire == share.wire => {
                last.weight += share.weight;
            }
            _ => merged.push(share),
        }
    }
    let divisor = merged.iter().fold(0, |sum, share| gcd(sum, share.weight));
    for share in &mut merged {
        share.weight /= divisor.max(1);
    }
    merged
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

impl Place {
    /// The Service that a name of the cluster stands for, or else the host itself.
    pub(crate) fn of_name(host: &str, port: u16) -> Self {
        let inside = host.strip_suffix(".svc.cluster.local");
        match inside.and_then(|inside| inside.split_once('.')) {
            Some((name, namespace)) if !namespace.contains('.') => {
                Self::Service(namespace.to_owned(), name.to_owned(), port)
            }
            _ => Self::Host(host.to_owned(), port),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(namespace, name, port) => write!(f, "Service {namespace}/{name}:{port}"),
            Self::Host(host, port) => write!(f, "{host}:{port}"),
            Self::Missing(what) => write!(f, "{what}, which is not there"),
        }
    }
}

impl fmt::Display for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = if self.http2 { "HTTP/2" } else { "HTTP/1.1" };
        let Some(tls) = &self.tls else {
            return f.write_str(protocol);
        };
        write!(f, "{protocol} over TLS")?;
        match &tls.authority {
            Some(authority) => write!(f, ", verified by {authority}")?,
            None => f.write_str(", not verified")?,
        }
        if let Some(name) = &tls.name {
            write!(f, ", as {name}")?;
        }
        if let Some(certificate) = &tls.certificate {
            write!(f, ", with certificate {certificate}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.place)?;
        if self.wire != Wire::default() {
            write!(f, " ({})", self.wire)?;
        }
        Ok(())
    }
}

/// `90 % A, 10 % B`, or `A` alone.
fn list(shares: &[Share]) -> String {
    let sum: u64 = shares.iter().map(|share| share.weight).sum();
    match shares {
        [] => "no backend".to_owned(),
        [one] => one.to_string(),
        _ => {
            let part = |share: &Share| format!("{}/{sum} to {share}", share.weight);
            shares.iter().map(part).collect::<Vec<_>>().join(", ")
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoListener => f.write_str("nothing listens"),
            Self::Status(code) => write!(f, "answers {code}"),
            Self::Redirect { code, location } => write!(f, "redirects with {code} to {location}"),
            Self::Passthrough(shares) => write!(f, "passes TLS on to {}", list(shares)),
            Self::Refused(why) => write!(f, "does what cannot be carried over: {why}"),
            Self::Unknown(why) => write!(f, "does what is not known: {why}"),
            Self::Forward(forwarding) => {
                write!(f, "forwards to {}", list(&forwarding.shares))?;
                match &forwarding.path {
                    Some(path) => write!(f, ", path {path}")?,
                    None => f.write_str(", with a path that is not known")?,
                }
                if let Some(authority) = &forwarding.authority {
                    write!(f, ", as host {authority}")?;
                }
                for copy in &forwarding.copies {
                    write!(f, ", copy to {copy}")?;
                }
                for name in &forwarding.withheld {
                    write!(f, ", without the client's `{name}`")?;
                }
                Ok(())
            }
        }
    }
}

impl Guards {
    /// Each guard that is there, in words.
    pub fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        if let Some(clients) = &self.clients {
            let how = match (clients.required, clients.verified) {
                (true, _) => "a client certificate",
                (false, true) => "a good client certificate or none",
                (false, false) => "any client certificate or none",
            };
            words.push(how.to_owned());
        }
        if self.subject.is_some() {
            words.push("a certificate of certain subjects".to_owned());
        }
        if let Some(limits) = &self.limits {
            for bucket in &limits.buckets {
                words.push(format!(
                    "at most {} requests in {} s an address",
                    bucket.gains, bucket.seconds
                ));
            }
            if let Some(most) = limits.concurrent {
                words.push(format!("at most {most} requests at a time"));
            }
        }
        if let Some(addresses) = &self.addresses {
            words.push(addresses.to_string());
        }
        if let Some(passwords) = &self.passwords {
            words.push(format!("a password of Secret {}", passwords.secret));
        }
        if let Some(authorizer) = &self.authorizer {
            let places: Vec<String> = authorizer.places.iter().map(Place::to_string).collect();
            words.push(format!("leave of {}", places.join(" or ")));
        }
        words.extend(self.others.iter().cloned());
        words
    }
}

impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (allow, networks) in &self.rules {
            let word = if *allow { "allow" } else { "deny" };
            write!(f, "{word} {}, ", networks.join(" "))?;
        }
        let word = if self.otherwise { "allow" } else { "deny" };
        write!(f, "{word} other addresses")
    }
}

impl fmt::Display for Behaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.answer)?;
        let words = self.guards.words();
        if !words.is_empty() && matches!(self.answer, Answer::Forward(_) | Answer::Passthrough(_)) {
            write!(f, "; asks for {}", words.join(" and for "))?;
        }
        Ok(())
    }
}

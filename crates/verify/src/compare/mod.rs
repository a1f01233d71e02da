//! Two behaviours side by side.

mod guards;

use std::collections::BTreeSet;

use crate::behaviour::{Answer, Behaviour, Forwarding, Share};
use guards::guards;
pub(crate) use guards::more_together;

/// How bad a difference is, the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// A request is refused, or asked for more, than before.
    Stricter,
    /// A request is answered otherwise.
    Differs,
    /// A request gets what it did not get, or for less.
    MoreOpen,
}

impl Class {
    /// As people and machines read it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Stricter => "stricter",
            Self::Differs => "differs",
            Self::MoreOpen => "more open",
        }
    }
}

/// What of two behaviours differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Aspect {
    /// Nothing listens.
    Listener,
    /// The kind of answer.
    Answer,
    /// The status.
    Status,
    /// Code or target of a redirect.
    Redirect,
    /// Which backends.
    Backend,
    /// Their shares.
    Weight,
    /// How they are spoken to.
    Wire,
    /// The path that they see.
    Path,
    /// The host that they see.
    Authority,
    /// Who gets copies.
    Copies,
    /// Headers that a client could forge.
    Forged,
    /// Certificates of clients.
    Clients,
    /// Limits of requests.
    Limits,
    /// Limits of several rules together.
    LimitSum,
    /// Lists of addresses.
    Addresses,
    /// Passwords.
    Passwords,
    /// Auth services.
    Authorizer,
    /// Something else that is asked for.
    OtherGuard,
}

impl Aspect {
    /// As people read it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Listener => "listener",
            Self::Answer => "answer",
            Self::Status => "status",
            Self::Redirect => "redirect",
            Self::Backend => "backend",
            Self::Weight => "weights",
            Self::Wire => "protocol of the backend",
            Self::Path => "path",
            Self::Authority => "host",
            Self::Copies => "copies of requests",
            Self::Forged => "forged headers",
            Self::Clients => "client certificates",
            Self::Limits => "limits",
            Self::LimitSum => "limits of all rules together",
            Self::Addresses => "address list",
            Self::Passwords => "passwords",
            Self::Authorizer => "auth service",
            Self::OtherGuard => "access control",
        }
    }
}

/// What differs between the source proxy and the objects, with the class of each.
pub(crate) fn compare(nginx: &Behaviour, envoy: &Behaviour) -> BTreeSet<(Class, Aspect)> {
    let mut found = BTreeSet::new();
    let mut add = |class, aspect| {
        found.insert((class, aspect));
    };
    match (&nginx.answer, &envoy.answer) {
        // Whatever it was, it is no longer served.
        (Answer::Unknown(_), Answer::Status(500..))
        | (Answer::Refused(_), Answer::Status(400..)) => {
            add(Class::Stricter, Aspect::Answer);
        }
        (Answer::Unknown(_), _) | (_, Answer::Unknown(_)) => {}
        (Answer::Forward(a), Answer::Forward(b)) => {
            forwardings(a, b, &mut add);
            guards(&nginx.guards, &envoy.guards, &mut add);
        }
        (Answer::Passthrough(a), Answer::Passthrough(b)) => {
            if a != b {
                add(Class::Differs, Aspect::Backend);
            }
        }
        (Answer::Passthrough(_), Answer::Forward(_))
        | (Answer::Forward(_), Answer::Passthrough(_)) => {
            add(Class::MoreOpen, Aspect::Answer);
        }
        // Before a redirect nginx looks at certificates of clients only, and a status tells
        // nobody anything; of the rest it matters what is asked for in addition.
        (a, b) if same(a, b) => guards(&nginx.guards, &envoy.guards, &mut |class, aspect| {
            let clients = aspect == Aspect::Clients;
            let redirects = matches!(a, Answer::Redirect { .. });
            if class == Class::Stricter && !clients
                || class == Class::MoreOpen && clients && redirects
            {
                add(class, aspect);
            }
        }),
        (_, Answer::NoListener) => add(Class::Stricter, Aspect::Listener),
        (_, Answer::Forward(_) | Answer::Passthrough(_)) => add(Class::MoreOpen, Aspect::Answer),
        (Answer::Forward(_) | Answer::Passthrough(_), Answer::Status(code)) => {
            let class = if *code >= 400 {
                Class::Stricter
            } else {
                Class::Differs
            };
            add(class, Aspect::Answer);
        }
        (Answer::Redirect { .. }, Answer::Redirect { .. }) => add(Class::Differs, Aspect::Redirect),
        (Answer::Redirect { .. }, Answer::Status(code)) if *code >= 400 => {
            add(Class::Stricter, Aspect::Answer);
        }
        (Answer::Status(_), Answer::Status(_)) => add(Class::Differs, Aspect::Status),
        _ => add(Class::Differs, Aspect::Answer),
    }
    found
}

fn same(nginx: &Answer, envoy: &Answer) -> bool {
    match (nginx, envoy) {
        (
            Answer::Redirect {
                code: a,
                location: to,
            },
            Answer::Redirect {
                code: b,
                location: other,
            },
        ) => a == b && unescape(to) == unescape(other),
        (a, b) => a == b,
    }
}

/// Escapes as the bytes that they stand for. nginx decodes a path before it rewrites it and
/// escapes what must be; Envoy leaves the escapes of a request as they are.
pub(crate) fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let digits = bytes
            .get(at + 1..at + 3)
            .and_then(|d| std::str::from_utf8(d).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if bytes[at] == b'%' => {
                out.push(byte);
                at += 3;
            }
            _ => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    out
}

fn forwardings(a: &Forwarding, b: &Forwarding, add: &mut impl FnMut(Class, Aspect)) {
    let places = |list: &[Share]| {
        list.iter()
            .map(|s| s.place.clone())
            .collect::<BTreeSet<_>>()
    };
    if places(&a.shares) != places(&b.shares) {
        add(Class::Differs, Aspect::Backend);
    } else if a.shares.len() != b.shares.len() || a.shares.iter().zip(&b.shares).any(unequal) {
        add(Class::Differs, Aspect::Weight);
    }
    for share in &a.shares {
        for other in b.shares.iter().filter(|other| other.place == share.place) {
            wires(share, other, add);
        }
    }
    if let (Some(path), Some(other)) = (&a.path, &b.path)
        && unescape(path) != unescape(other)
    {
        add(Class::Differs, Aspect::Path);
    }
    if a.authority != b.authority {
        add(Class::Differs, Aspect::Authority);
    }
    if a.copies != b.copies {
        add(Class::Differs, Aspect::Copies);
    }
    // A backend believes these headers, because no client could send them.
    if !a.withheld.is_subset(&b.withheld) {
        add(Class::MoreOpen, Aspect::Forged);
    }
}

/// Gateway API takes weights up to a million, so that larger ones are rounded.
fn unequal((a, b): (&Share, &Share)) -> bool {
    const MOST: u64 = 1_000_000;
    a.weight != b.weight && a.weight.max(b.weight) <= MOST
}

fn wires(a: &Share, b: &Share, add: &mut impl FnMut(Class, Aspect)) {
    let named = |share: &Share| share.wire.tls.as_ref().and_then(|tls| tls.name.clone());
    let (Some(tls), Some(other)) = (&a.wire.tls, &b.wire.tls) else {
        if a.wire != b.wire {
            let loses = a.wire.tls.is_some() && b.wire.tls.is_none();
            let class = if loses {
                Class::MoreOpen
            } else {
                Class::Differs
            };
            add(class, Aspect::Wire);
        }
        return;
    };
    if tls.authority.is_some() && other.authority.is_none() {
        add(Class::MoreOpen, Aspect::Wire);
    } else if a.wire.http2 != b.wire.http2
        || tls.authority != other.authority
        || tls.certificate != other.certificate
        // Without a name the two sides use different ones, and nobody looks at it.
        || named(a).is_some() && named(a) != named(b)
    {
        add(Class::Differs, Aspect::Wire);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_what_they_stand_for() {
        assert_eq!(unescape("/a%20b%2"), b"/a b%2");
    }
}

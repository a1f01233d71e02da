//! Protocol and balancing of the backend.
//!
//! `internal/ingress/annotations/{backendprotocol,serviceupstream,loadbalancing,upstreamhashby}`
//! of ingress-nginx. Balancing belongs to the upstream: the first Ingress that names a
//! Service and port decides for all.

use gatewright_diagnostics::Code;
use gatewright_source::Spanned;

use super::{Keys, Settings};
use crate::config_map::Config;
use crate::registry::{Around, Blanks, Carried, Entry, Grammar, Invalid, Risk, Scope, VARIABLES};

/// The protocol spoken to the backend. Any case of the value chooses it, but header
/// fields and timeouts of gRPC and the parameters of `FastCGI` are only set for capitals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.1 in plain text.
    Http,
    /// HTTP/1.1 over TLS.
    Https,
    /// The scheme of the client.
    AutoHttp,
    /// gRPC in plain text.
    Grpc {
        /// Whether the value is in capitals.
        upper: bool,
    },
    /// gRPC over TLS.
    Grpcs {
        /// Whether the value is in capitals.
        upper: bool,
    },
    /// `FastCGI`.
    Fcgi {
        /// Whether the value is in capitals.
        upper: bool,
    },
}

impl Protocol {
    /// Reads a value in any case.
    pub fn parse(text: &str) -> Option<Self> {
        let is = |word: &str| text.eq_ignore_ascii_case(word);
        Some(match () {
            () if is("HTTP") => Self::Http,
            () if is("HTTPS") => Self::Https,
            () if is("AUTO_HTTP") => Self::AutoHttp,
            () if is("GRPC") => Self::Grpc {
                upper: text == "GRPC",
            },
            () if is("GRPCS") => Self::Grpcs {
                upper: text == "GRPCS",
            },
            () if is("FCGI") => Self::Fcgi {
                upper: text == "FCGI",
            },
            () => return None,
        })
    }
}

/// Balancing algorithms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoadBalance {
    /// One after the other.
    RoundRobin,
    /// Consistent hash.
    Chash,
    /// Consistent hash over groups.
    ChashSubset,
    /// Cookie, balanced.
    StickyBalanced,
    /// Cookie, persistent.
    StickyPersistent,
    /// Least latency of two.
    Ewma,
}

/// What the backend annotations say.
#[derive(Clone, Debug, Default)]
pub struct Backend {
    /// The protocol.
    pub protocol: Option<Spanned<Protocol>>,
    /// Send to the address of the Service.
    pub service_upstream: Option<Spanned<bool>>,
    /// The algorithm.
    pub load_balance: Option<Spanned<LoadBalance>>,
    /// What is hashed to choose an endpoint.
    pub hash_by: Option<Spanned<String>>,
    /// Hash to groups of endpoints.
    pub hash_by_subset: Option<Spanned<bool>>,
    /// The size of a group; never 0.
    pub hash_by_subset_size: Option<Spanned<i64>>,
}

impl Backend {
    /// The protocol, HTTP unless set.
    pub fn protocol(&self) -> Protocol {
        self.protocol
            .map_or(Protocol::Http, |protocol| protocol.value)
    }

    /// `service-upstream`. A faulty annotation counts as false, not as the controller's default.
    pub fn service_upstream(&self, config: &Config) -> bool {
        self.service_upstream
            .map_or(config.service_upstream, |flag| flag.value)
    }
}

const HASH: Entry = Entry {
    group: "UpstreamHashBy",
    invalid: Invalid::Reject,
    scope: Scope::Upstream,
    canary: true,
    ..Entry::BASE
};

/// The entries of the family.
pub static ENTRIES: &[Entry] = &[
    Entry {
        key: "backend-protocol",
        group: "BackendProtocol",
        grammar: Grammar::OneOf {
            words: &["HTTP", "HTTPS", "AUTO_HTTP", "GRPC", "GRPCS", "FCGI"],
            exact_case: false,
            blanks: Blanks::Trimmed,
        },
        default: "HTTP",
        summary: "is the protocol nginx speaks to the backend; HTTPS and GRPCS do not check its certificate unless `proxy-ssl-*` says so",
        target: "a Backend with `tls` for HTTPS and GRPCS, with `appProtocols` h2c for GRPC; for AUTO_HTTP one rule a scheme",
        difference: "`FCGI` is refused: its paths answer 503; so do paths that inherit `proxy-ssl-verify` without a name from another Ingress of the host",
        codes: &[
            Code::FastCgi,
            Code::UpstreamTlsRefused,
            Code::ServiceBalancing,
        ],
        example: "HTTPS",
        ..Entry::BASE
    },
    Entry {
        key: "service-upstream",
        group: "ServiceUpstream",
        grammar: Grammar::Bool,
        default: "false",
        scope: Scope::Upstream,
        configmap_key: Some("service-upstream"),
        canary: true,
        summary: "sends to the cluster address of the Service instead of its endpoints",
        target: "BackendTrafficPolicy `routingType: Service`",
        example: "true",
        ..Entry::BASE
    },
    Entry {
        key: "load-balance",
        group: "LoadBalancing",
        grammar: Grammar::OneOf {
            words: &[
                "round_robin",
                "chash",
                "chashsubset",
                "sticky_balanced",
                "sticky_persistent",
                "ewma",
            ],
            exact_case: true,
            blanks: Blanks::Trimmed,
        },
        default: "round_robin",
        invalid: Invalid::Reject,
        scope: Scope::Upstream,
        configmap_key: Some("load-balance"),
        canary: true,
        summary: "is the algorithm that chooses an endpoint",
        target: "BackendTrafficPolicy `loadBalancer`: `RoundRobin`, or `LeastRequest` for `ewma`",
        difference: "`ewma` becomes the pod with the fewest requests; a canary is balanced as its main Ingress",
        carried: Carried::Differently,
        codes: &[Code::HashKey],
        example: "ewma",
        ..Entry::BASE
    },
    Entry {
        key: "upstream-hash-by",
        grammar: Grammar::LooseText(VARIABLES),
        risk: Risk::High,
        summary: "sends requests with the same value of this text with variables to the same endpoint",
        target: "BackendTrafficPolicy `loadBalancer.consistentHash` on headers, a cookie, query parameters or the source address",
        difference: "keys lead to other pods than before; of variables of several kinds only one kind counts; what cannot be hashed is spread evenly",
        carried: Carried::Differently,
        codes: &[Code::HashKey, Code::HashLost, Code::ServiceBalancing],
        example: "$request_uri",
        ..HASH
    },
    Entry {
        key: "upstream-hash-by-subset",
        grammar: Grammar::Bool,
        default: "false",
        summary: "hashes to groups of endpoints and takes a random one of the group",
        target: "nothing: the hash chooses one pod",
        difference: "a key leads to one pod, not to a group of them",
        carried: Carried::LeftOut,
        codes: &[Code::HashKey],
        example: "true",
        around: Around {
            annotations: &[("upstream-hash-by", "$request_uri")],
            ..Around::NOTHING
        },
        ..HASH
    },
    Entry {
        key: "upstream-hash-by-subset-size",
        grammar: Grammar::Int,
        default: "3",
        summary: "is the number of endpoints in a group of `upstream-hash-by-subset`",
        target: "nothing: there are no groups",
        difference: "a key leads to one pod, not to a group of them",
        carried: Carried::LeftOut,
        codes: &[Code::HashKey],
        example: "3",
        around: Around {
            annotations: &[
                ("upstream-hash-by", "$request_uri"),
                ("upstream-hash-by-subset", "true"),
            ],
            ..Around::NOTHING
        },
        ..HASH
    },
];

pub(crate) fn parse(keys: &mut Keys<'_>, settings: &mut Settings) {
    let backend = &mut settings.backend;
    backend.protocol = keys.word("backend-protocol", Protocol::parse);
    backend.service_upstream = keys.flag("service-upstream");
    if backend.service_upstream.is_none()
        && let Some(span) = keys.span_of("service-upstream")
    {
        // A value that is no boolean switches it off, whatever the ConfigMap says.
        backend.service_upstream = Some(Spanned::new(false, span));
    }
    backend.load_balance = load_balance(keys);
    backend.hash_by = keys.text("upstream-hash-by");
    backend.hash_by_subset = keys.flag("upstream-hash-by-subset");
    backend.hash_by_subset_size = keys
        .int("upstream-hash-by-subset-size")
        .map(|size| size.map(|size| if size == 0 { 3 } else { size }));
    if backend.hash_by.is_none() {
        keys.ignore("upstream-hash-by-subset", "`upstream-hash-by` is not set");
        keys.ignore(
            "upstream-hash-by-subset-size",
            "`upstream-hash-by` is not set",
        );
    }
}

/// Before validation the balancer itself fell back to round robin for a word it did not know.
fn load_balance(keys: &mut Keys<'_>) -> Option<Spanned<LoadBalance>> {
    keys.word("load-balance", |word| {
        Some(match word {
            "round_robin" => LoadBalance::RoundRobin,
            "chash" => LoadBalance::Chash,
            "chashsubset" => LoadBalance::ChashSubset,
            "sticky_balanced" => LoadBalance::StickyBalanced,
            "sticky_persistent" => LoadBalance::StickyPersistent,
            "ewma" => LoadBalance::Ewma,
            _ => return None,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, read, read_as};
    use super::*;
    use crate::annotations::ControllerVersion;

    #[test]
    fn protocols_in_any_case() {
        let protocol = |value| {
            read(&[("backend-protocol", value)])
                .settings
                .backend
                .protocol()
        };
        assert_eq!(protocol("HTTPS"), Protocol::Https);
        assert_eq!(protocol("https"), Protocol::Https);
        assert_eq!(protocol("GRPC"), Protocol::Grpc { upper: true });
        assert_eq!(protocol("gRPC"), Protocol::Grpc { upper: false });
        assert_eq!(protocol("AJP"), Protocol::Http);
        check(&[("backend-protocol", "AJP")], "backend-protocol: ignored");
    }

    #[test]
    fn balancing_is_strict() {
        check(&[("load-balance", "random")], "load-balance: rejected");
        check(&[("load-balance", "least_conn")], "load-balance: rejected");
        check(&[("load-balance", "EWMA")], "load-balance: rejected");
        check(
            &[("upstream-hash-by", "$request_uri consistent;")],
            "upstream-hash-by: rejected",
        );
        check(
            &[("upstream-hash-by-subset-size", "x")],
            "upstream-hash-by-subset-size: rejected",
        );
        check(
            &[("upstream-hash-by-subset", "true")],
            "upstream-hash-by-subset: ignored",
        );
        let backend = read(&[
            ("upstream-hash-by", "$host"),
            ("upstream-hash-by-subset-size", "0"),
        ])
        .settings
        .backend;
        assert_eq!(backend.hash_by_subset_size.unwrap().value, 3);
        let old = read_as(
            &[("load-balance", "least_conn")],
            &Config::default(),
            ControllerVersion::Pre1_12,
        );
        assert!(old.rejected.is_empty() && old.settings.backend.load_balance.is_none());
    }

    #[test]
    fn a_faulty_service_upstream_is_false() {
        let config = Config {
            service_upstream: true,
            ..Config::default()
        };
        let faulty = read_as(
            &[("service-upstream", "yes")],
            &config,
            ControllerVersion::V1_15,
        );
        assert!(!faulty.settings.backend.service_upstream(&config));
        assert!(read(&[]).settings.backend.service_upstream(&config));
    }
}

//! Canary Ingresses.
//!
//! `internal/ingress/annotations/canary` of ingress-nginx. Every faulty value falls back to
//! its default. Without `canary: "true"` the group is dropped and the Ingress is an
//! ordinary one, which then usually loses its paths to the Ingress it was to split.

use gatewright_diagnostics::Code;
use gatewright_source::{Span, Spanned};

use super::{Keys, Settings};
use crate::registry::{Around, BASIC, Carried, Entry, Grammar, PATTERN, Risk, Scope};

/// How a canary takes traffic from its main Ingress.
#[derive(Clone, Debug)]
pub struct Canary {
    /// Where `canary` is set.
    pub span: Span,
    /// The weight as written; 0 without the key.
    pub weight: i64,
    /// Where the weight stands.
    pub weight_span: Option<Span>,
    /// The total as written; 100 without the key.
    pub weight_total: i64,
    /// The header that decides first.
    pub header: Option<Spanned<String>>,
    /// The value of the header that chooses the canary.
    pub header_value: Option<Spanned<String>>,
    /// The pattern of the header that chooses the canary; `header_value` wins.
    pub header_pattern: Option<Spanned<String>>,
    /// The cookie that decides second.
    pub cookie: Option<Spanned<String>>,
}

impl Canary {
    /// Whether nothing says which requests are for it.
    pub(crate) fn is_idle(&self) -> bool {
        self.effective_weight() == 0 && self.header.is_none() && self.cookie.is_none()
    }

    /// The total that the balancer draws from: totals below 100 count as 100.
    pub fn effective_total(&self) -> i64 {
        self.weight_total.max(100)
    }

    /// The weight the balancer compares with, from 0 to the total.
    pub fn effective_weight(&self) -> i64 {
        self.weight.clamp(0, self.effective_total())
    }
}

const GROUP: &str = "Canary";

const CANARY: Entry = Entry {
    group: GROUP,
    scope: Scope::Upstream,
    canary: true,
    ..Entry::BASE
};

/// The entries of the family.
pub static ENTRIES: &[Entry] = &[
    Entry {
        key: "canary",
        grammar: Grammar::Bool,
        default: "false",
        summary: "makes the Ingress take part of the traffic of another Ingress with the same host, path and path type",
        target: "rules and weighted `backendRefs` in the route of the main Ingress",
        example: "true",
        around: Around {
            annotations: &[("canary-weight", "10")],
            canary: true,
            ..Around::NOTHING
        },
        ..CANARY
    },
    Entry {
        key: "canary-weight",
        grammar: Grammar::Int,
        default: "0",
        summary: "is the part of requests that goes to the canary, out of `canary-weight-total`",
        target: "the weights of `backendRefs`",
        example: "10",
        around: Around {
            annotations: &[("canary", "true")],
            canary: true,
            ..Around::NOTHING
        },
        ..CANARY
    },
    Entry {
        key: "canary-weight-total",
        grammar: Grammar::Int,
        default: "100",
        summary: "is the total of the weights; below 100 it counts as 100",
        target: "the weights of `backendRefs`",
        example: "1000",
        around: Around {
            annotations: &[("canary", "true"), ("canary-weight", "10")],
            canary: true,
            ..Around::NOTHING
        },
        ..CANARY
    },
    Entry {
        key: "canary-by-header",
        grammar: Grammar::LooseText(BASIC),
        risk: Risk::Medium,
        summary: "names a request header whose value `always` chooses the canary and `never` the main Ingress",
        target: "rules with a header match before the weighted one",
        example: "X-Canary",
        around: Around {
            annotations: &[("canary", "true")],
            canary: true,
            ..Around::NOTHING
        },
        ..CANARY
    },
    Entry {
        key: "canary-by-header-value",
        grammar: Grammar::LooseText(BASIC),
        risk: Risk::Medium,
        summary: "is the value of the header that chooses the canary; `always` and `never` then mean nothing",
        target: "a rule with a header match before the weighted one",
        example: "beta",
        around: Around {
            annotations: &[("canary", "true"), ("canary-by-header", "X-Canary")],
            canary: true,
            ..Around::NOTHING
        },
        ..CANARY
    },
    Entry {
        key: "canary-by-header-pattern",
        grammar: Grammar::Text(PATTERN),
        risk: Risk::Medium,
        summary: "is a pattern that the header must match anywhere to choose the canary",
        target: "a rule with a `RegularExpression` header match before the weighted one",
        difference: "the pattern is written in RE2; one that RE2 cannot say is refused (GW0802)",
        example: "^(de|at)$",
        around: Around {
            annotations: &[("canary", "true"), ("canary-by-header", "X-Country")],
            canary: true,
            ..Around::NOTHING
        },
        ..CANARY
    },
    Entry {
        key: "canary-by-cookie",
        grammar: Grammar::LooseText(BASIC),
        risk: Risk::Medium,
        summary: "names a cookie whose value `always` chooses the canary and `never` the main Ingress",
        target: "rules with a `RegularExpression` match on the `Cookie` header before the weighted one",
        difference: "of several cookies of that name ingress-nginx reads the first, and here any of them counts",
        carried: Carried::Differently,
        codes: &[Code::CookieTwice],
        example: "canary",
        around: Around {
            annotations: &[("canary", "true")],
            canary: true,
            ..Around::NOTHING
        },
        ..CANARY
    },
];

pub(crate) fn parse(keys: &mut Keys<'_>, settings: &mut Settings) {
    let enabled = keys.flag("canary");
    let weight = keys.int("canary-weight");
    let canary = Canary {
        span: Span::new(gatewright_source::FileId(0), 0, 0),
        weight: weight.map_or(0, |weight| weight.value),
        weight_span: weight.map(|weight| weight.span),
        weight_total: keys
            .int("canary-weight-total")
            .map_or(100, |total| total.value),
        header: keys.text("canary-by-header"),
        header_value: keys.text("canary-by-header-value"),
        header_pattern: keys.text("canary-by-header-pattern"),
        cookie: keys.text("canary-by-cookie"),
    };
    match enabled {
        Some(enabled) if enabled.value => {
            let without_header = canary.header.is_none();
            let by_value = canary.header_value.is_some();
            settings.canary = Some(Box::new(Canary {
                span: enabled.span,
                ..canary
            }));
            if without_header {
                keys.ignore("canary-by-header-value", "`canary-by-header` is not set");
                keys.ignore("canary-by-header-pattern", "`canary-by-header` is not set");
            } else if by_value {
                keys.ignore(
                    "canary-by-header-pattern",
                    "`canary-by-header-value` is set and counts",
                );
            }
        }
        _ => {
            for entry in ENTRIES.iter().filter(|entry| entry.key != "canary") {
                keys.ignore(
                    entry.key,
                    "`canary` is not set to `true`, so the Ingress is an ordinary one",
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, read};

    #[test]
    fn all_of_it_is_read() {
        let canary = read(&[
            ("canary", "true"),
            ("canary-weight", "30"),
            ("canary-weight-total", "50"),
            ("canary-by-header", "X-C"),
            ("canary-by-header-value", "yes"),
            ("canary-by-cookie", "c"),
        ])
        .settings
        .canary
        .unwrap();
        assert_eq!(
            (canary.weight, canary.weight_total, canary.effective_total()),
            (30, 50, 100)
        );
        assert_eq!(canary.header.unwrap().value, "X-C");
        assert_eq!(canary.header_value.unwrap().value, "yes");
        assert_eq!(canary.cookie.unwrap().value, "c");
        assert!(read(&[("canary-weight", "30")]).settings.canary.is_none());
        let negative = read(&[("canary", "true"), ("canary-weight", "-5")])
            .settings
            .canary
            .unwrap();
        assert_eq!((negative.weight, negative.effective_weight()), (-5, 0));
    }

    #[test]
    fn faults_fall_back() {
        check(
            &[("canary", "yes"), ("canary-weight", "10")],
            "canary: ignored, canary-weight: ignored",
        );
        check(
            &[("canary", "true"), ("canary-weight", "10%")],
            "canary: taken, canary-weight: ignored",
        );
        check(
            &[("canary", "true"), ("canary-by-header", "X C;")],
            "canary: taken, canary-by-header: ignored",
        );
        check(
            &[("canary", "true"), ("canary-by-header-pattern", "a.*")],
            "canary: taken, canary-by-header-pattern: ignored",
        );
        check(&[("canary", "false")], "canary: taken");
    }
}

//! One annotation key as data.

use gatewright_diagnostics::Code;

use super::Grammar;

/// What a value that does not fit the grammar leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invalid {
    /// The whole Ingress is dropped.
    Reject,
    /// Every location of the Ingress answers 503.
    Deny,
    /// The annotation is ignored, its default holds.
    Default,
    /// All annotations of the parser group are ignored. For auth that means no auth.
    DropGroup,
    /// nginx refuses the configuration; from then on the controller cannot change anything.
    Break,
}

impl Invalid {
    /// What happens, as a sentence's predicate.
    pub fn consequence(self) -> &'static str {
        match self {
            Self::Reject => "the whole Ingress is dropped",
            Self::Deny => "every path of the Ingress answers 503",
            Self::Default => "the annotation is ignored and its default holds",
            Self::DropGroup => "all annotations of its group are ignored",
            Self::Break => {
                "nginx refuses the configuration and the controller is stuck with the last good one"
            }
        }
    }
}

/// What an empty value leads to. Validators are not asked about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmptyValue {
    /// As if the annotation were not there.
    Absent,
    /// Every location of the Ingress answers 503.
    Deny,
    /// All annotations of the parser group are ignored.
    DropGroup,
}

/// How far the annotation reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The paths of this Ingress.
    Location,
    /// All paths of the host, also those of other Ingresses.
    Host,
    /// Everything that uses the same Service and port in the namespace.
    Upstream,
    /// The Ingress as a whole, such as a limit its paths share.
    Ingress,
    /// The whole controller.
    Controller,
}

impl Scope {
    /// The scope in words.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Location => "the paths of this Ingress",
            Self::Host => "all paths of the host, also those of other Ingresses",
            Self::Upstream => "every path of the namespace that uses the same Service and port",
            Self::Ingress => "the Ingress as a whole",
            Self::Controller => "the whole controller",
        }
    }
}

/// How much harm the controller thinks the annotation can do. Keys above the level of
/// `annotations-risk-level` make it drop the Ingress.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Risk {
    /// Nearly none.
    Low,
    /// Can bend requests.
    Medium,
    /// Can send traffic elsewhere.
    High,
    /// Can write arbitrary nginx configuration.
    Critical,
}

impl Risk {
    /// The level of a name as the `ConfigMap` spells it; anything else is `None`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "Low" => Some(Self::Low),
            "Medium" => Some(Self::Medium),
            "High" => Some(Self::High),
            "Critical" => Some(Self::Critical),
            _ => None,
        }
    }

    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "Low",
            Self::Medium => "Medium",
            Self::High => "High",
            Self::Critical => "Critical",
        }
    }
}

/// What usually becomes of an annotation whose value the controller takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried {
    /// It is translated; a difference is stated for special values only.
    Whole,
    /// It is translated, or its purpose is met, with a difference.
    Differently,
    /// It is left out, and requests are served without it.
    LeftOut,
    /// It changes nothing that could be observed behind Envoy.
    Needless,
    /// The paths of its Ingress answer 503.
    Refused,
}

impl Carried {
    /// What becomes of it, in a few words.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Whole => "translated",
            Self::Differently => "translated with a difference",
            Self::LeftOut => "left out",
            Self::Needless => "no effect",
            Self::Refused => "refused",
        }
    }
}

/// What stands around the example of a key, for the key to do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Around {
    /// Other annotations of the Ingress.
    pub annotations: &'static [(&'static str, &'static str)],
    /// The path of its rule.
    pub path: &'static str,
    /// Whether the host has a certificate.
    pub tls: bool,
    /// Whether the Ingress is the canary of another one.
    pub canary: bool,
    /// Keys of the controller's `ConfigMap`.
    pub config: &'static [(&'static str, &'static str)],
}

impl Around {
    /// Nothing but a rule for all paths of a host.
    pub const NOTHING: Self = Self {
        annotations: &[],
        path: "/",
        tls: false,
        canary: false,
        config: &[],
    };
}

/// One annotation key: everything that `explain`, the reference and the reader need.
#[derive(Debug)]
pub struct Entry {
    /// The key, without prefix.
    pub key: &'static str,
    /// Other names that the controller reads when this one is missing or empty.
    pub aliases: &'static [&'static str],
    /// The parser group of the controller that reads it.
    pub group: &'static str,
    /// What values it takes.
    pub grammar: Grammar,
    /// The default, in words or as a value; empty when there is none.
    pub default: &'static str,
    /// What a value outside the grammar leads to.
    pub invalid: Invalid,
    /// What an empty value leads to.
    pub empty: EmptyValue,
    /// How far it reaches.
    pub scope: Scope,
    /// Its risk level.
    pub risk: Risk,
    /// The key of the controller's `ConfigMap` that sets its default.
    pub configmap_key: Option<&'static str>,
    /// Whether it protects: losing it would open something.
    pub protective: bool,
    /// Whether it is read on canary Ingresses.
    pub canary: bool,
    /// What ingress-nginx does, in one sentence.
    pub summary: &'static str,
    /// What it becomes.
    pub target: &'static str,
    /// What is different then; empty when nothing is.
    pub difference: &'static str,
    /// What usually becomes of it.
    pub carried: Carried,
    /// The findings that say so, beside those about the value itself (`GW04xx`).
    pub codes: &'static [Code],
    /// A value as people write it.
    pub example: &'static str,
    /// What the example needs beside it.
    pub around: Around,
}

impl Entry {
    /// The most common answers; families name what deviates.
    pub const BASE: Self = Self {
        key: "",
        aliases: &[],
        group: "",
        grammar: Grammar::Anything,
        default: "",
        invalid: Invalid::Default,
        empty: EmptyValue::Absent,
        scope: Scope::Location,
        risk: Risk::Low,
        configmap_key: None,
        protective: false,
        canary: false,
        summary: "",
        target: "",
        difference: "",
        carried: Carried::Whole,
        codes: &[],
        example: "",
        around: Around::NOTHING,
    };
}

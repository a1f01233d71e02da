//! Keys that ingress-nginx v1.15.1 does not read: removed, misspelt, invented, or of
//! another program.

use gatewright_diagnostics::{Code, Diagnostic, Severity};
use gatewright_source::Span;

use super::metadata;
use super::prefixes::FOREIGN_PREFIXES;
use super::retired::{NEVER_EXISTED, REMOVED, RemovedKey};
use super::{DEFAULT_PREFIX, Entry, find, names, nearest};

/// What a key is.
#[derive(Clone, Debug)]
pub enum KeyClass {
    /// The controller reads it.
    Known(&'static Entry),
    /// An earlier release read it.
    Removed(&'static RemovedKey),
    /// It is a slip of the pen.
    Misspelt {
        /// What was meant.
        likely: &'static str,
    },
    /// No release has read it.
    NeverExisted {
        /// What was probably meant.
        likely: Option<&'static str>,
        /// What to do; may be empty.
        advice: &'static str,
    },
    /// Another Ingress controller reads it.
    OtherController {
        /// Which.
        name: &'static str,
        /// The key under the controller's prefix that has the same name, if there is one.
        same_name: Option<&'static str>,
    },
    /// Another tool reads it.
    Metadata {
        /// Which.
        tool: &'static str,
    },
    /// `kubernetes.io/ingress.class`.
    ClassAnnotation,
    /// Nobody known reads it.
    Unrelated,
}

/// Classes a whole key. `prefix` is the controller's: [`DEFAULT_PREFIX`] unless it runs
/// with `--annotations-prefix`.
pub fn classify(full_key: &str, prefix: &str) -> KeyClass {
    let Some((group, name)) = full_key.split_once('/') else {
        // A key without prefix is nobody's; one of ours lost its prefix.
        return find(full_key).map_or(KeyClass::Unrelated, |entry| KeyClass::Misspelt {
            likely: entry.key,
        });
    };
    if group == prefix {
        return classify_own(name);
    }
    if group == DEFAULT_PREFIX {
        let same_name = find(name).map(|entry| entry.key);
        return KeyClass::OtherController {
            name: "a controller with the usual annotation prefix",
            same_name,
        };
    }
    if group == "kubernetes.io" {
        return kubernetes(name);
    }
    let owner = FOREIGN_PREFIXES.iter().find(|foreign| {
        group == foreign.prefix
            || group.strip_suffix(foreign.prefix).is_some_and(|head| {
                head.ends_with('.') && !group.ends_with("ingress.kubernetes.io")
            })
    });
    if let Some(row) = metadata::known(full_key) {
        return KeyClass::Metadata { tool: row.tool };
    }
    match owner {
        Some(foreign) => KeyClass::OtherController {
            name: foreign.controller,
            same_name: find(name).map(|entry| entry.key),
        },
        // The prefix itself may be misspelt.
        None if find(name).is_some() && nearest(group, std::iter::once(prefix)).is_some() => {
            KeyClass::Misspelt {
                likely: find(name).map_or("", |entry| entry.key),
            }
        }
        None => KeyClass::Unrelated,
    }
}

fn kubernetes(name: &str) -> KeyClass {
    match name {
        "ingress.class" => KeyClass::ClassAnnotation,
        "tls-acme" => KeyClass::Metadata {
            tool: "cert-manager",
        },
        "ingress.allow-http"
        | "ingress.global-static-ip-name"
        | "ingress.regional-static-ip-name" => KeyClass::OtherController {
            name: "GKE Ingress",
            same_name: None,
        },
        "spec.ingressClassName" | "ingressClassName" | "ingress-class" => KeyClass::NeverExisted {
            likely: None,
            advice: "the class is chosen by the field `spec.ingressClassName` or the annotation `kubernetes.io/ingress.class`",
        },
        _ => KeyClass::Unrelated,
    }
}

/// Classes a key under the controller's prefix, given without the prefix.
pub fn classify_own(name: &str) -> KeyClass {
    if let Some(entry) = find(name) {
        return KeyClass::Known(entry);
    }
    if let Some(key) = REMOVED.iter().find(|removed| removed.key == name) {
        return KeyClass::Removed(key);
    }
    if let Some(key) = NEVER_EXISTED.iter().find(|unknown| unknown.key == name) {
        return KeyClass::NeverExisted {
            likely: key.likely,
            advice: key.advice,
        };
    }
    match nearest(name, names()) {
        Some(likely) => KeyClass::Misspelt { likely },
        None => KeyClass::NeverExisted {
            likely: None,
            advice: "",
        },
    }
}

impl KeyClass {
    /// What to tell about a key of this class that an Ingress of the controller has;
    /// nothing about keys that are in order.
    pub fn diagnostic(&self, key: &str, span: Span) -> Option<Diagnostic> {
        let unknown = |message: String| {
            Diagnostic::new(Code::UnknownAnnotation, message).label(span, "no effect")
        };
        let not_ours = || unknown(format!("`{key}` is not an ingress-nginx annotation"));
        match self {
            Self::Removed(removed) => {
                let message = format!(
                    "`{key}` was removed from ingress-nginx in {}",
                    removed.since
                );
                let diagnostic = Diagnostic::new(Code::RemovedAnnotation, message)
                    .label(span, "no effect")
                    .help(removed.advice);
                Some(opening(removed.replaced_by, diagnostic))
            }
            Self::Misspelt { likely } => {
                let message = format!("`{key}` is not an ingress-nginx annotation");
                let diagnostic = Diagnostic::new(Code::MisspeltAnnotation, message)
                    .label(span, "no effect")
                    .help(format!("write `{likely}` if that was meant"));
                Some(opening(Some(likely), diagnostic))
            }
            Self::NeverExisted {
                likely: None,
                advice: "",
            } => Some(not_ours().help("remove it")),
            Self::NeverExisted { likely, advice } => {
                let diagnostic = not_ours().note(*advice);
                Some(match likely {
                    Some(likely) => diagnostic.help(format!("the likely one is `{likely}`")),
                    None => diagnostic.help("remove it"),
                })
            }
            Self::OtherController { name, same_name } => {
                let diagnostic =
                    unknown(format!("`{key}` is read by {name}, not by this controller"));
                Some(match same_name {
                    Some(same) => {
                        let help = format!(
                            "write `{same}` under the controller's prefix if its effect is wanted"
                        );
                        opening(Some(same), diagnostic.help(help))
                    }
                    None => diagnostic.severity(Severity::Info),
                })
            }
            Self::Known(_) | Self::Metadata { .. } | Self::ClassAnnotation | Self::Unrelated => {
                None
            }
        }
    }
}

/// Adds that something stands open, when the key that was meant protects.
fn opening(meant: Option<&str>, diagnostic: Diagnostic) -> Diagnostic {
    if meant.and_then(find).is_some_and(|entry| entry.protective) {
        diagnostic.note("so what it was to protect is not protected")
    } else {
        diagnostic
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(key: &str) -> String {
        match classify(key, DEFAULT_PREFIX) {
            KeyClass::Known(entry) => format!("known {}", entry.key),
            KeyClass::Removed(removed) => format!("removed {}", removed.since),
            KeyClass::Misspelt { likely } => format!("misspelt {likely}"),
            KeyClass::NeverExisted { likely, .. } => format!("never {}", likely.unwrap_or("-")),
            KeyClass::OtherController { name, same_name } => {
                format!("other {name} {}", same_name.unwrap_or("-"))
            }
            KeyClass::Metadata { tool } => format!("tool {tool}"),
            KeyClass::ClassAnnotation => "class".to_owned(),
            KeyClass::Unrelated => "unrelated".to_owned(),
        }
    }

    #[test]
    fn keys_are_told_apart() {
        for (key, expected) in [
            ("nginx.ingress.kubernetes.io/use-regex", "known use-regex"),
            (
                "nginx.ingress.kubernetes.io/whitelist-source-range",
                "known allowlist-source-range",
            ),
            ("nginx.ingress.kubernetes.io/rate-limit", "never limit-rps"),
            (
                "nginx.ingress.kubernetes.io/enable-cores",
                "misspelt enable-cors",
            ),
            ("nginx.ingress.kubernetes.io/auth-typ", "misspelt auth-type"),
            ("nginx.ingress.kubernetes.io/influxdb-host", "removed 1.7"),
            ("nginx.ingress.kubernetes.io/no-such-thing", "never -"),
            ("nginx.ingress.kubernetes.io/priority", "never -"),
            (
                "nginx.ingress.kubernetes.io.example.org/enable-cors",
                "unrelated",
            ),
            (
                "ingress.kubernetes.io/ssl-redirect",
                "other an old release of ingress-nginx, or Voyager, HAProxy or Traefik 1 ssl-redirect",
            ),
            ("nginx.org/rewrites", "other F5 NGINX Ingress Controller -"),
            ("konghq.com/strip-path", "other Kong -"),
            ("cert-manager.io/cluster-issuer", "tool cert-manager"),
            ("kubernetes.io/ingress.class", "class"),
            ("kubernetes.io/tls-acme", "tool cert-manager"),
            ("kubernetes.io/ingress.allow-http", "other GKE Ingress -"),
            (
                "nginx.ingress.kubernets.io/ssl-redirect",
                "misspelt ssl-redirect",
            ),
            ("my-annotations/x", "unrelated"),
            ("ssl-redirect", "misspelt ssl-redirect"),
        ] {
            assert_eq!(class(key), expected, "{key}");
        }
        assert!(matches!(
            classify("edge.example.org/ssl-redirect", "edge.example.org"),
            KeyClass::Known(_)
        ));
        assert!(matches!(
            classify(
                "nginx.ingress.kubernetes.io/ssl-redirect",
                "edge.example.org"
            ),
            KeyClass::OtherController {
                same_name: Some("ssl-redirect"),
                ..
            }
        ));
    }

    #[test]
    fn tables_name_real_keys_and_no_accepted_ones() {
        let likely = NEVER_EXISTED.iter().map(|key| (key.key, key.likely));
        let replaced = REMOVED.iter().map(|key| (key.key, key.replaced_by));
        for (key, other) in likely.chain(replaced) {
            assert!(find(key).is_none(), "{key} is accepted");
            assert!(
                other.is_none_or(|other| find(other).is_some()),
                "{key} names {other:?}"
            );
        }
    }
}

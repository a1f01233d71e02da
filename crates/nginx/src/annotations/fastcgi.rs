//! `FastCGI` backends.
//!
//! `internal/ingress/annotations/fastcgi` of ingress-nginx. Both keys are read whatever
//! `backend-protocol` says.

use gatewright_diagnostics::Code;
use gatewright_source::Spanned;

use super::reference::reference;
use super::{Keys, Reference, Settings};
use crate::registry::{
    Around, BASIC, Carried, Entry, FILE_NAME, Grammar, GrammarFault, Invalid, Risk,
};

/// Parameters of a `FastCGI` backend.
#[derive(Clone, Debug, Default)]
pub struct Fastcgi {
    /// The file that stands for a path that ends with a slash.
    pub index: Option<Spanned<String>>,
    /// The `ConfigMap` with further parameters.
    pub params: Option<Spanned<Reference>>,
}

const GROUP: &str = "FastCGI";

const FASTCGI: Entry = Entry {
    group: GROUP,
    invalid: Invalid::Reject,
    risk: Risk::Medium,
    ..Entry::BASE
};

/// The entries of the family.
pub static ENTRIES: &[Entry] = &[
    Entry {
        key: "fastcgi-index",
        grammar: Grammar::Word(FILE_NAME),
        summary: "is the file that is asked for when the path ends with a slash",
        target: "nothing: put a web server that speaks FastCGI beside the backend",
        difference: "Envoy speaks no FastCGI: the paths answer 503",
        carried: Carried::Refused,
        codes: &[Code::FastCgi],
        example: "index.php",
        around: Around {
            annotations: &[("backend-protocol", "FCGI")],
            ..Around::NOTHING
        },
        ..FASTCGI
    },
    Entry {
        key: "fastcgi-params-configmap",
        grammar: Grammar::LooseText(BASIC),
        summary: "names a ConfigMap in the namespace of the Ingress with further FastCGI parameters",
        target: "nothing: put a web server that speaks FastCGI beside the backend",
        difference: "Envoy speaks no FastCGI: the paths answer 503",
        carried: Carried::Refused,
        codes: &[Code::FastCgi],
        example: "shop/fastcgi",
        around: Around {
            annotations: &[("backend-protocol", "FCGI")],
            ..Around::NOTHING
        },
        ..FASTCGI
    },
];

pub(crate) fn parse(keys: &mut Keys<'_>, settings: &mut Settings) {
    let index = keys.text("fastcgi-index");
    let params = params(keys);
    if let Some(cause) = keys.take_dropped() {
        keys.drop_group(GROUP, cause);
        return;
    }
    if index.is_some() || params.is_some() {
        settings.fastcgi = Some(Box::new(Fastcgi { index, params }));
    }
}

fn params(keys: &mut Keys<'_>) -> Option<Spanned<Reference>> {
    let (at, value) = keys.value("fastcgi-params-configmap")?;
    let own = keys.namespace();
    match reference(value.trim(), Some(own)) {
        Ok(found) if found.namespace == own || keys.config.allow_cross_namespace_resources => {
            Some(Spanned::new(found, keys.value_span(at)))
        }
        Ok(_) => {
            keys.fail(
                at,
                Invalid::DropGroup,
                GrammarFault::whole("names another namespace")
                    .help("name a ConfigMap of the namespace of the Ingress"),
            );
            None
        }
        Err(fault) => {
            keys.fail(at, Invalid::Deny, fault);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, read};

    #[test]
    fn values() {
        let fastcgi = read(&[
            ("fastcgi-index", "index.php"),
            ("fastcgi-params-configmap", "params"),
        ]);
        assert_eq!(
            fastcgi
                .settings
                .fastcgi
                .unwrap()
                .params
                .unwrap()
                .value
                .namespace,
            "shop"
        );
        check(&[("fastcgi-index", "a/b")], "fastcgi-index: rejected");
        check(
            &[
                ("fastcgi-index", "a"),
                ("fastcgi-params-configmap", "other/x"),
            ],
            "fastcgi-index: ignored, fastcgi-params-configmap: ignored",
        );
        check(
            &[("fastcgi-params-configmap", "a;b")],
            "fastcgi-params-configmap: rejected",
        );
    }
}

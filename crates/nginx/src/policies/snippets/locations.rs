//! `location` blocks of a `server-snippet`.

use gatewright_diagnostics::{Code, Diagnostic};
use gatewright_model::{Origin, Policies, Refusal};
use gatewright_source::Span;

use super::{AddressList, Product, Reader, Scope};
use crate::nginx_conf::Directive;

/// A location that a snippet defines.
#[derive(Clone, Debug)]
pub(crate) struct SnippetLocation {
    /// What it takes.
    pub(crate) place: Place,
    /// What happens there; without an answer among it there is nothing (404).
    pub(crate) policies: Policies,
    /// Whom it lets in.
    pub(crate) addresses: Option<AddressList>,
    /// It answers 503.
    pub(crate) refusal: Option<Refusal>,
    /// In which value it stands.
    pub(crate) origin: Origin,
    /// At which place.
    pub(crate) span: Span,
}

/// What a location takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// `= /path`
    Exact(String),
    /// `/path`, or `^~ /path`, which goes before patterns.
    Prefix {
        /// The path.
        path: String,
        /// `^~`
        first: bool,
    },
    /// `~ pattern`, or `~* pattern` without regard to case.
    Pattern {
        /// The pattern; it may match anywhere.
        text: String,
        /// `~*`
        fold: bool,
    },
}

impl Reader<'_, '_> {
    /// Whether the directive is a location; it is dealt with then.
    pub(super) fn location(&mut self, directive: &Directive, product: &mut Product) -> bool {
        let ("location", Some(block)) = (directive.name.as_str(), &directive.block) else {
            return false;
        };
        let words = directive.texts();
        let own = |text: &str| text.to_owned();
        let place = match words[..] {
            // Only other directives lead to a named location.
            [name] if name.starts_with('@') => return true,
            ["=", path] => Place::Exact(own(path)),
            ["^~", path] => Place::Prefix {
                path: own(path),
                first: true,
            },
            ["~", text] => Place::Pattern {
                text: own(text),
                fold: false,
            },
            ["~*", text] => Place::Pattern {
                text: own(text),
                fold: true,
            },
            [path] if path.starts_with("=/") => Place::Exact(own(&path[1..])),
            [path] if path.starts_with('/') => Place::Prefix {
                path: own(path),
                first: false,
            },
            _ => {
                self.protection(directive, Some("this location cannot be read"), product);
                return true;
            }
        };
        if matches!(&place, Place::Prefix { path, .. } if path == "/") {
            let diagnostic = Diagnostic::new(
                Code::SnippetDuplicate,
                "a server-snippet cannot define `location /`",
            )
            .label(self.place(&directive.range), "a duplicate")
            .note("every host has this location already: nginx does not load the configuration, and the controller keeps its last good one; what was meant to be served here answers 503")
            .help("give the Ingress a path `/`, with a `configuration-snippet` if need be");
            self.refused(diagnostic);
            self.refuse(product, "`location /` stands there twice");
            return true;
        }
        let mut inner = Product::default();
        self.directives(block, Scope::Own, &mut inner);
        product.locations.push(SnippetLocation {
            place,
            policies: inner.policies,
            addresses: inner.addresses,
            refusal: inner.refusal,
            origin: self.origin(),
            span: self.place(&directive.range),
        });
        true
    }
}

//! The annotation registry: all keys that ingress-nginx v1.15.1 reads, as data, and what
//! is known about keys that it does not read.
//!
//! The entries stand with their families in [`crate::annotations`]; this module finds them.

mod bytes;
mod entry;
mod explain;
mod foreign;
mod grammar;
pub(crate) mod lists;
pub mod metadata;
mod nearest;
mod prefixes;
mod retired;
pub(crate) mod shapes;

use std::sync::OnceLock;

pub use bytes::ByteSet;
pub use entry::{Around, Carried, EmptyValue, Entry, Invalid, Risk, Scope};
pub use explain::{explain, facts, meaning};
pub use foreign::{KeyClass, classify, classify_own};
pub(crate) use grammar::Shown;
pub use grammar::{
    BASIC, BASIC_SPACE, Blanks, CAPTURE_PATH, CIPHERS, EXTENDED, FILE_NAME, Grammar, GrammarFault,
    HEADERS, NAME, PATTERN, URL, URL_VARIABLES, VARIABLES, parse_bool, parse_int,
};
pub(crate) use nearest::nearest;
pub use prefixes::{FOREIGN_PREFIXES, ForeignPrefix};
pub use retired::{NEVER_EXISTED, REMOVED, RemovedKey, UnknownKey};

use crate::annotations::Family;

/// The prefix of all keys unless the controller runs with `--annotations-prefix`.
pub const DEFAULT_PREFIX: &str = "nginx.ingress.kubernetes.io";

/// All entries, family by family.
pub fn entries() -> impl Iterator<Item = &'static Entry> {
    Family::ALL.iter().flat_map(|family| family.entries())
}

#[derive(Clone, Copy)]
struct Named {
    name: &'static str,
    entry: &'static Entry,
    family: Family,
}

/// All accepted names in ascending order.
fn index() -> &'static [Named] {
    static INDEX: OnceLock<Vec<Named>> = OnceLock::new();
    INDEX.get_or_init(|| {
        let mut names: Vec<_> = Family::ALL
            .iter()
            .flat_map(|&family| family.entries().iter().map(move |entry| (family, entry)))
            .flat_map(|(family, entry)| {
                std::iter::once(entry.key)
                    .chain(entry.aliases.iter().copied())
                    .map(move |name| Named {
                        name,
                        entry,
                        family,
                    })
            })
            .collect();
        names.sort_unstable_by_key(|named| named.name);
        names
    })
}

/// Every name that the controller reads, aliases included, in ascending order.
pub fn names() -> impl Iterator<Item = &'static str> {
    index().iter().map(|named| named.name)
}

/// The entry of a key without prefix; aliases are found too.
pub fn find(key: &str) -> Option<&'static Entry> {
    find_with_family(key).map(|(entry, _)| entry)
}

pub(crate) fn find_with_family(key: &str) -> Option<(&'static Entry, Family)> {
    let index = index();
    let at = index.binary_search_by(|named| named.name.cmp(key)).ok()?;
    Some((index[at].entry, index[at].family))
}

#[cfg(test)]
mod tests;

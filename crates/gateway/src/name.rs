//! Names that come from content, never from counters or the order of files.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use indexmap::map::Entry;

use crate::{IndexMap, IndexSet};

/// Longest name of an object or a rule (a DNS subdomain).
const MAX_NAME: usize = 253;
/// A slug longer than this ends in a hash.
const MAX_SLUG: usize = 40;

/// 64-bit FNV-1a: small, and the same on every machine and in every release.
pub(crate) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

pub(crate) fn short_hash(text: &str) -> String {
    format!("{:08x}", hash(text) >> 32)
}

/// A lower-case name part for any text. Texts that lose characters on the way get a hash,
/// so that different texts have different slugs.
pub(crate) fn slug(text: &str) -> String {
    if text == "/" {
        return "root".to_owned();
    }
    let mut slug = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_lowercase() || c.is_ascii_digit() {
            slug.push(c);
        } else if c.is_ascii_uppercase() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let trimmed = slug.trim_end_matches('-');
    let plain = text.trim_matches('/');
    let exact = !trimmed.is_empty()
        && trimmed.len() <= MAX_SLUG
        && plain.len() == trimmed.len()
        && plain
            .bytes()
            .zip(trimmed.bytes())
            .all(|(a, b)| a == b || (a == b'/' && b == b'-'))
        && !plain.contains('-')
        && !text.ends_with('/');
    if exact {
        slug.truncate(trimmed.len());
        return slug;
    }
    // It has one byte a letter.
    let head = trimmed[..trimmed.len().min(MAX_SLUG)].trim_end_matches('-');
    let head = if head.is_empty() { "p" } else { head };
    [head, "-", &short_hash(text)].concat()
}

/// `base-suffix`, cut to the limit with a hash of the whole.
pub(crate) fn join(base: &str, suffix: &str) -> String {
    limit([base, "-", suffix].concat())
}

/// `name`, cut to the limit with a hash of the whole.
pub(crate) fn limit(name: String) -> String {
    if name.len() <= MAX_NAME {
        return name;
    }
    let head: String = name.chars().take(MAX_NAME - 9).collect();
    format!(
        "{}-{}",
        head.trim_end_matches(['-', '.']),
        short_hash(&name)
    )
}

/// Kinds that are attached to routes.
pub(crate) const POLICIES: [&str; 3] = [
    "BackendTrafficPolicy",
    "SecurityPolicy",
    "EnvoyExtensionPolicy",
];

/// Names that are taken, by kind and namespace.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    /// Those of the owners, which no other route and none of its policies gets.
    reserved: Arc<Taken>,
    taken: BTreeMap<&'static str, Taken>,
    /// Reserved names that their owners have used.
    own: BTreeMap<&'static str, Taken>,
}

/// Names by namespace.
#[derive(Clone, Debug, Default)]
struct Taken(IndexMap<Box<str>, IndexSet<Box<str>>>);

impl Taken {
    fn holds(&self, namespace: &str, name: &str) -> bool {
        self.0
            .get(namespace)
            .is_some_and(|names| names.contains(name))
    }

    /// Whether it was free.
    fn insert(&mut self, namespace: &str, name: &str) -> bool {
        if let Some(names) = self.0.get_mut(namespace) {
            return !names.contains(name) && names.insert(name.into());
        }
        let names = self.0.entry(namespace.into()).or_default();
        names.insert(name.into())
    }
}

impl Names {
    /// Keeps names, of a namespace each, for the routes and the policies of owners.
    pub(crate) fn reserving<'a>(names: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut reserved = Taken::default();
        for (namespace, name) in names {
            reserved.insert(namespace, name);
        }
        Self {
            reserved: Arc::new(reserved),
            ..Self::default()
        }
    }

    /// Adds what was taken from a copy of these.
    pub(crate) fn join(&mut self, others: Self) {
        for (own, others) in [(&mut self.taken, others.taken), (&mut self.own, others.own)] {
            for (kind, others) in others {
                let own = own.entry(kind).or_default();
                for (namespace, names) in others.0 {
                    match own.0.entry(namespace) {
                        Entry::Vacant(free) => {
                            free.insert(names);
                        }
                        Entry::Occupied(mut own) => own.get_mut().extend(names),
                    }
                }
            }
        }
    }

    /// The reserved name itself for the first object of its owner.
    pub(crate) fn take_own(
        &mut self,
        kind: &'static str,
        namespace: &str,
        name: &str,
        content: impl Display,
    ) -> String {
        if self.own.entry(kind).or_default().insert(namespace, name) {
            return name.to_owned();
        }
        self.take(kind, namespace, name, content)
    }

    /// `wanted`, or with a hash of `content` when another object has that name.
    pub(crate) fn take(
        &mut self,
        kind: &'static str,
        namespace: &str,
        wanted: &str,
        content: impl Display,
    ) -> String {
        let owned = kind == "HTTPRoute" || POLICIES.contains(&kind);
        let reserved = owned.then_some(&*self.reserved);
        let taken = self.taken.entry(kind).or_default();
        let is_reserved = |name: &str| reserved.is_some_and(|names| names.holds(namespace, name));
        let mut name = limit(wanted.to_owned());
        let mut salt: Option<String> = None;
        while is_reserved(&name) || !taken.insert(namespace, &name) {
            let salt = salt.get_or_insert_with(|| content.to_string());
            name = join(wanted, &short_hash(salt));
            salt.push('\'');
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_readable_and_distinct() {
        assert_eq!(slug("/"), "root");
        assert_eq!(slug("/api/v1"), "api-v1");
        let texts = [
            "/api-v1",
            "/api/v1/",
            "/API/v1",
            "/api.v1",
            "/a(/|$)(.*)",
            "/(.*)",
            "//",
        ];
        let mut slugs: Vec<_> = texts.iter().map(|t| slug(t)).collect();
        slugs.push(slug("/api/v1"));
        slugs.sort();
        slugs.dedup();
        assert_eq!(slugs.len(), texts.len() + 1, "{slugs:?}");
        for s in slugs {
            assert!(
                s.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'),
                "{s}"
            );
            assert!(!s.starts_with('-') && !s.ends_with('-'), "{s}");
        }
    }

    #[test]
    fn long_names_keep_to_the_limit_and_stay_distinct() {
        let a = limit("a".repeat(300));
        let b = limit(format!("{}b", "a".repeat(299)));
        assert!(a.len() <= MAX_NAME && b.len() <= MAX_NAME);
        assert_ne!(a, b);
    }

    #[test]
    fn a_taken_name_gets_a_hash() {
        let mut names = Names::reserving([("shop", "web-http")].into_iter());
        let name = names.take("HTTPRoute", "shop", "web-http", "redirects of web");
        assert_ne!(name, "web-http");
        assert!(name.starts_with("web-http-"));
        assert_eq!(names.take("HTTPRoute", "blog", "web-http", "x"), "web-http");
        assert_eq!(
            names.take_own("HTTPRoute", "shop", "web-http", "x"),
            "web-http"
        );
        assert_ne!(
            names.take_own("HTTPRoute", "shop", "web-http", "x"),
            "web-http"
        );
    }
}

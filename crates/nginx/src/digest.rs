//! What an object says, in a number.

use std::fmt::Write as _;
use std::hash::Hasher as _;

use gatewright_yaml::{Entry, Node, Value};
use siphasher::sip128::{Hasher128 as _, SipHasher24};

/// `kubectl apply` writes the object as it was given into the object.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// A digest of what an object says. What the cluster alone writes of it is no part of that, nor
/// is the order of keys or the layout. It is the same in every release: it decides which of
/// several copies is read.
pub(crate) fn digest(node: &Node) -> u128 {
    let mut said = Said {
        hasher: SipHasher24::new(),
        bytes: Vec::with_capacity(Said::FULL),
        entries: Vec::with_capacity(Said::FEW),
        scalar: String::new(),
    };
    let annotations = node.get("metadata").and_then(|m| m.get("annotations"));
    if let Some(annotations) = annotations {
        said.node(annotations, &[LAST_APPLIED]);
    }
    said.node(node, &["metadata", "status"]);
    said.hasher.write(&said.bytes);
    said.hasher.finish128().as_u128()
}

struct Said<'n> {
    hasher: SipHasher24,
    /// What is hashed next: many small pieces take longer than a large one.
    bytes: Vec<u8>,
    /// Of the mappings that a node is in.
    entries: Vec<&'n Entry>,
    /// The text of a scalar that is none.
    scalar: String,
}

impl<'n> Said<'n> {
    /// Entries that most objects do not have more of.
    const FEW: usize = 32;
    /// Bytes that are worth being hashed.
    const FULL: usize = 1 << 10;

    /// Without the keys named.
    fn node(&mut self, node: &'n Node, without: &[&str]) {
        match &node.value {
            Value::Mapping(mapping) => {
                let start = self.entries.len();
                let kept = |entry: &&Entry| !without.contains(&entry.key.value.as_str());
                self.entries.extend(mapping.iter().filter(kept));
                self.entries[start..].sort_unstable_by_key(|entry| entry.key.value.as_str());
                let end = self.entries.len();
                self.number(b'{', end - start);
                for at in start..end {
                    let entry = self.entries[at];
                    self.text(b':', &entry.key.value);
                    self.node(&entry.value, &[]);
                }
                self.entries.truncate(start);
            }
            Value::Sequence(items) => {
                self.number(b'[', items.len());
                for item in items {
                    self.node(item, &[]);
                }
            }
            Value::String(value) => self.text(b'"', value),
            scalar => {
                let mut text = std::mem::take(&mut self.scalar);
                text.clear();
                // Writing to a string cannot fail.
                let _ = write!(text, "{scalar:?}");
                self.text(b'=', &text);
                self.scalar = text;
            }
        }
    }

    fn number(&mut self, kind: u8, number: usize) {
        self.bytes.push(kind);
        self.bytes.extend((number as u64).to_le_bytes());
    }

    fn text(&mut self, kind: u8, text: &str) {
        self.number(kind, text.len());
        if self.bytes.len() + text.len() > Self::FULL {
            self.hasher.write(&self.bytes);
            self.bytes.clear();
        }
        if text.len() > Self::FULL {
            self.hasher.write(text.as_bytes());
        } else {
            self.bytes.extend(text.as_bytes());
        }
    }
}

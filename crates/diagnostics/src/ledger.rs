use std::sync::Arc;

use gatewright_source::Span;

use crate::{Code, ObjectRef};

/// What became of one annotation or field of an input object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The output says the same.
    Translated,
    /// The output says nearly the same; the diagnostic of this code says what differs.
    Difference(Code),
    /// It changes nothing here, and why.
    NoEffect(Arc<str>),
    /// It was not carried over; the diagnostic of this code says what to do.
    Refused(Code),
}

/// One annotation or field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The object it stands in.
    pub object: ObjectRef,
    /// Path inside the object, such as `spec.rules[0].host`.
    pub path: Arc<str>,
    /// Where it stands.
    pub span: Span,
    /// What became of it; `None` only before the run is finished.
    pub outcome: Option<Outcome>,
}

/// The account of every annotation and field of every input object.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    items: Vec<Item>,
}

impl Ledger {
    /// Opens an item without an outcome and hands out its index.
    pub fn open(&mut self, object: &ObjectRef, path: impl Into<Arc<str>>, span: Span) -> usize {
        self.items.push(Item {
            object: object.clone(),
            path: path.into(),
            span,
            outcome: None,
        });
        self.items.len() - 1
    }

    /// Gives an item its outcome. A graver outcome replaces a lighter one
    /// (refused over difference over translated over no effect): a host that is
    /// translated in one rule and refused in another is refused.
    pub fn settle(&mut self, index: usize, outcome: Outcome) {
        let slot = &mut self.items[index].outcome;
        if slot.as_ref().is_none_or(|old| rank(&outcome) > rank(old)) {
            *slot = Some(outcome);
        }
    }

    /// All items, in the order they were opened.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// Appends the items of another ledger.
    pub fn append(&mut self, other: Self) {
        self.items.extend(other.items);
    }

    /// The items that have no outcome. Empty after a run, or the run is faulty.
    pub fn unsettled(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| item.outcome.is_none())
    }
}

fn rank(outcome: &Outcome) -> u8 {
    match outcome {
        Outcome::NoEffect(_) => 0,
        Outcome::Translated => 1,
        Outcome::Difference(_) => 2,
        Outcome::Refused(_) => 3,
    }
}

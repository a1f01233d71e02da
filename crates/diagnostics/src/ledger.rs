use std::borrow::Cow;
use std::cmp::Reverse;
use std::num::NonZero;
use std::ops::Range;
use std::sync::Arc;

use foldhash::fast::RandomState;
use gatewright_source::Span;
use indexmap::IndexSet;

use crate::{Code, ObjectRef};

/// What became of one annotation or field of an input object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The output says the same.
    Translated,
    /// The output says nearly the same; the diagnostic of this code says what differs.
    Difference(Code),
    /// It changes nothing here, and why.
    NoEffect(Cow<'static, str>),
    /// It was not carried over; the diagnostic of this code says what to do.
    Refused(Code),
}

/// One annotation or field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item<'a> {
    /// Path inside the object, such as `spec.rules[0].host`.
    pub path: &'a str,
    /// Where it stands.
    pub span: Span,
    /// What became of it; `None` only before the run is finished.
    pub outcome: Option<&'a Outcome>,
}

/// A path of [`Ledger::path`], valid in that ledger alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ItemPath(u32);

/// An item as it is kept: a run has hundreds of thousands.
#[derive(Clone, Debug)]
struct Entry {
    path: ItemPath,
    span: Span,
    outcome: Option<Settled>,
}

/// The number of an outcome in [`Ledger::outcomes`]: there are few different ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Settled(NonZero<u32>);

/// The account of every annotation and field of every input object.
///
/// Items of one object stand together; [`LedgerObject`] names them.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    items: Vec<Entry>,
    objects: Vec<(ObjectRef, Range<usize>)>,
    paths: Arc<IndexSet<Box<str>, RandomState>>,
    outcomes: IndexSet<Outcome, RandomState>,
    /// The number of the most frequent one.
    translated: Option<Settled>,
}

/// An object of a [`Ledger`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LedgerObject(usize);

impl Outcome {
    /// Nothing changes, for this reason.
    pub fn no_effect(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::NoEffect(reason.into())
    }
}

impl Ledger {
    /// A path that an item may have. Objects have most of theirs in common.
    ///
    /// # Panics
    ///
    /// Over 4 billion different paths.
    pub fn path(&mut self, path: &str) -> ItemPath {
        let at = match self.paths.get_index_of(path) {
            Some(known) => known,
            None => Arc::make_mut(&mut self.paths).insert_full(path.into()).0,
        };
        ItemPath(u32::try_from(at).expect("texts are shorter than 4 GiB"))
    }

    fn item<'a>(&'a self, entry: &'a Entry) -> Item<'a> {
        Item {
            path: &self.paths[entry.path.0 as usize],
            span: entry.span,
            outcome: entry.outcome.map(|settled| self.outcome(settled)),
        }
    }

    fn outcome(&self, settled: Settled) -> &Outcome {
        &self.outcomes[settled.0.get() as usize - 1]
    }

    /// The number of an outcome.
    fn settled(&mut self, outcome: &Outcome) -> Settled {
        if *outcome != Outcome::Translated {
            return self.number(outcome);
        }
        let number = self.translated.unwrap_or_else(|| self.number(outcome));
        self.translated = Some(number);
        number
    }

    fn number(&mut self, outcome: &Outcome) -> Settled {
        let at = match self.outcomes.get_index_of(outcome) {
            Some(known) => known,
            None => self.outcomes.insert_full(outcome.clone()).0,
        };
        let number = u32::try_from(at + 1).ok().and_then(NonZero::new);
        Settled(
            number.expect("there are fewer outcomes than bytes, and files are limited to 4 GiB"),
        )
    }

    /// Opens the items of an object: path inside it and place of each.
    pub fn open(
        &mut self,
        object: &ObjectRef,
        leaves: impl IntoIterator<Item = (ItemPath, Span)>,
    ) -> LedgerObject {
        let start = self.items.len();
        self.items
            .extend(leaves.into_iter().map(|(path, span)| Entry {
                path,
                span,
                outcome: None,
            }));
        // Aliases may bring leaves out of the order of the text.
        self.items[start..].sort_by_key(|item| (item.span.file, item.span.start));
        self.objects.push((object.clone(), start..self.items.len()));
        LedgerObject(self.objects.len() - 1)
    }

    /// Gives the items of an object that lie within `span` their outcome. A graver outcome
    /// replaces a lighter one (refused over difference over translated over no effect): a
    /// value that is translated for one host and refused for another is refused. Of two codes
    /// the lower one counts, as hosts are written in no order.
    pub fn settle(&mut self, object: LedgerObject, span: Span, outcome: &Outcome) {
        let settled = self.settled(outcome);
        let outcomes = &self.outcomes;
        let graver = |old: Settled| rank(outcome) > rank(&outcomes[old.0.get() as usize - 1]);
        let items = &mut self.items[self.objects[object.0].1.clone()];
        let key = (span.file, span.start);
        let from = items.partition_point(|item| (item.span.file, item.span.start) < key);
        for item in &mut items[from..] {
            if item.span.file != span.file || item.span.start > span.end {
                break;
            }
            if item.span.end <= span.end && item.outcome.is_none_or(graver) {
                item.outcome = Some(settled);
            }
        }
    }

    /// Gives the items of an object that have none yet the outcome that `choose` finds for
    /// their path.
    pub fn settle_rest(
        &mut self,
        object: LedgerObject,
        mut choose: impl FnMut(&str) -> Option<Outcome>,
    ) {
        for at in self.objects[object.0].1.clone() {
            if self.items[at].outcome.is_some() {
                continue;
            }
            let path = self.items[at].path.0 as usize;
            if let Some(outcome) = choose(&self.paths[path]) {
                self.items[at].outcome = Some(self.settled(&outcome));
            }
        }
    }

    /// A copy of these objects alone, with new names in the same order, so that threads can
    /// settle the items of different ones. [`Ledger::join`] takes over what it says.
    pub fn part(&self, objects: &[LedgerObject]) -> (Self, Vec<LedgerObject>) {
        let mut part = Self {
            paths: Arc::clone(&self.paths),
            outcomes: self.outcomes.clone(),
            translated: self.translated,
            ..Self::default()
        };
        for object in objects {
            let (name, items) = &self.objects[object.0];
            let start = part.items.len();
            part.items.extend_from_slice(&self.items[items.clone()]);
            part.objects.push((name.clone(), start..part.items.len()));
        }
        (part, (0..objects.len()).map(LedgerObject).collect())
    }

    /// Takes over the outcomes of a part that was made of the same `objects`.
    pub fn join(&mut self, part: &Self, objects: &[LedgerObject]) {
        let outcomes = part.outcomes.iter();
        let numbers: Vec<Settled> = outcomes.map(|outcome| self.number(outcome)).collect();
        for (object, (_, settled)) in objects.iter().zip(&part.objects) {
            let own = &mut self.items[self.objects[object.0].1.clone()];
            for (own, settled) in own.iter_mut().zip(&part.items[settled.clone()]) {
                own.outcome = (settled.outcome).map(|at| numbers[at.0.get() as usize - 1]);
            }
        }
    }

    /// All items, object by object.
    pub fn items(&self) -> impl Iterator<Item = (&ObjectRef, Item<'_>)> {
        self.objects.iter().flat_map(move |(object, range)| {
            self.items[range.clone()]
                .iter()
                .map(move |entry| (object, self.item(entry)))
        })
    }

    /// The items that have no outcome. Empty after a run, or the run is faulty.
    pub fn unsettled(&self) -> impl Iterator<Item = (&ObjectRef, Item<'_>)> {
        self.items().filter(|(_, item)| item.outcome.is_none())
    }
}

fn rank(outcome: &Outcome) -> (u8, Option<Reverse<Code>>) {
    match outcome {
        Outcome::NoEffect(_) => (0, None),
        Outcome::Translated => (1, None),
        Outcome::Difference(code) => (2, Some(Reverse(*code))),
        Outcome::Refused(code) => (3, Some(Reverse(*code))),
    }
}

#[cfg(test)]
mod tests {
    use gatewright_source::FileId;

    use super::*;

    /// What is settled in parts is what is settled in one.
    #[test]
    fn parts_settle_as_the_whole_does() {
        let span = |at| Span::new(FileId(0), at, at + 1);
        let ledger = || {
            let mut ledger = Ledger::default();
            let path = ledger.path("spec.a");
            let objects = ["a", "b", "c"].map(|name| {
                let object = ObjectRef::new("Ingress", "shop", name);
                ledger.open(&object, [(path, span(0)), (path, span(2))])
            });
            ledger.settle(objects[2], span(0), &Outcome::no_effect("before"));
            (ledger, objects)
        };
        let settle = |ledger: &mut Ledger, object, reason: &'static str| {
            ledger.settle(object, span(0), &Outcome::Translated);
            ledger.settle_rest(object, |path| {
                (path == "spec.a").then(|| Outcome::no_effect(reason))
            });
        };

        let (mut whole, objects) = ledger();
        for (object, reason) in objects.into_iter().zip(["one", "two", "three"]) {
            settle(&mut whole, object, reason);
        }

        let (mut divided, [a, b, c]) = ledger();
        let (mut first, first_names) = divided.part(&[c]);
        let (mut second, second_names) = divided.part(&[a, b]);
        settle(&mut first, first_names[0], "three");
        settle(&mut second, second_names[1], "two");
        settle(&mut second, second_names[0], "one");
        divided.join(&second, &[a, b]);
        divided.join(&first, &[c]);

        assert_eq!(divided.unsettled().count(), 0);
        let found: Vec<_> = divided.items().collect();
        assert_eq!(found, whole.items().collect::<Vec<_>>());
    }
}

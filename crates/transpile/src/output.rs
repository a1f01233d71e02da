//! The YAML that a run writes.

use std::fmt;
use std::ops::Range;

use crate::Written;

/// Documents in their order. They were written in another one: with a list of their places no
/// second copy of them is needed to put them in order.
#[derive(Clone, Debug, Default)]
pub struct Output {
    pages: Pages,
    order: Vec<Place>,
}

/// Where a document stands in an [`Output`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    pub(crate) page: usize,
    range: Range<usize>,
}

/// Text that grows without being moved.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pages(Vec<String>);

impl Pages {
    /// Bytes of a page that is full. What is written last may go beyond.
    const FULL: usize = 1 << 18;
    /// Nearly every document is shorter.
    const LAST: usize = 1 << 15;

    /// Appends a document.
    pub(crate) fn add(&mut self, write: impl FnOnce(&mut String)) -> Place {
        if self.0.last().is_none_or(|page| page.len() >= Self::FULL) {
            self.0.push(String::with_capacity(Self::FULL + Self::LAST));
        }
        let page = self.0.len() - 1;
        let text = &mut self.0[page];
        let start = text.len();
        write(text);
        Place {
            page,
            range: start..text.len(),
        }
    }

    /// Adds the pages of others; returns the number that their first one has here.
    pub(crate) fn append(&mut self, mut others: Self) -> usize {
        let first = self.0.len();
        self.0.append(&mut others.0);
        first
    }

    fn at(&self, place: &Place) -> &str {
        &self.0[place.page][place.range.clone()]
    }
}

impl Output {
    pub(crate) const fn new(pages: Pages, order: Vec<Place>) -> Self {
        Self { pages, order }
    }

    /// Whether there is no document.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The text of one document.
    pub fn document(&self, written: &Written) -> &str {
        self.pages.at(&written.place)
    }

    /// The whole text in pieces: documents, and `---` between them.
    pub fn pieces(&self) -> impl Iterator<Item = &str> {
        self.order.iter().enumerate().flat_map(|(at, place)| {
            let separator = if at == 0 { "" } else { "---\n" };
            [separator, self.pages.at(place)]
        })
    }
}

/// One text, which may hold several documents.
impl From<String> for Output {
    fn from(text: String) -> Self {
        let whole = Place {
            page: 0,
            range: 0..text.len(),
        };
        let order = (!text.is_empty()).then_some(whole);
        Self::new(Pages(vec![text]), order.into_iter().collect())
    }
}

/// Whether the documents are the same, in the same order.
impl PartialEq for Output {
    fn eq(&self, other: &Self) -> bool {
        self.pieces().eq(other.pieces())
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pieces().try_for_each(|piece| f.write_str(piece))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_come_in_order() {
        let mut pages = Pages::default();
        let long = format!("b: {}\n", "1".repeat(Pages::FULL));
        let order = [long.as_str(), "a: 1\n"].map(|text| pages.add(|page| page.push_str(text)));
        assert_eq!(pages.0.len(), 2);
        let output = Output::new(pages, order.into_iter().rev().collect());
        assert_eq!(output.to_string(), format!("a: 1\n---\n{long}"));
        assert!(!output.is_empty());
        assert!(Output::from(String::new()).is_empty());
    }
}

//! The YAML that a run writes.

use std::fmt;
use std::ops::Range;

use crate::Written;

/// Documents in their order. They were written in another one: with a list of their places no
/// second copy of them is needed to put them in order.
#[derive(Clone, Debug, Default)]
pub struct Output {
    text: String,
    order: Vec<Range<usize>>,
}

impl Output {
    pub(crate) const fn new(text: String, order: Vec<Range<usize>>) -> Self {
        Self { text, order }
    }

    /// Whether there is no document.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The text of one document.
    pub fn document(&self, written: &Written) -> &str {
        &self.text[written.range.clone()]
    }

    /// The whole text in pieces: documents, and `---` between them.
    pub fn pieces(&self) -> impl Iterator<Item = &str> {
        self.order.iter().enumerate().flat_map(|(at, range)| {
            let separator = if at == 0 { "" } else { "---\n" };
            [separator, &self.text[range.clone()]]
        })
    }
}

/// One text, which may hold several documents.
impl From<String> for Output {
    fn from(text: String) -> Self {
        let whole = 0..text.len();
        let order = Some(whole).filter(|whole| !whole.is_empty());
        Self::new(text, order.into_iter().collect())
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
        let output = Output::new("b: 1\na: 1\n".to_owned(), vec![5..10, 0..5]);
        assert_eq!(output.to_string(), "a: 1\n---\nb: 1\n");
        assert!(!output.is_empty());
        assert!(Output::from(String::new()).is_empty());
    }
}

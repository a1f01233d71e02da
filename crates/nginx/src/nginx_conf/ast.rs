//! Directives, and where they stand.

use std::ops::Range;

use gatewright_source::Span;

/// A directive: its name, its arguments, and its block if it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// Its name.
    pub name: String,
    /// Its arguments.
    pub words: Vec<Word>,
    /// What stands in its block; `None` when it ends with `;`.
    pub block: Option<Vec<Directive>>,
    /// From its name to its last argument, or to the brace that opens its block.
    pub range: Range<usize>,
}

/// One argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Its text without quotes and escapes; variables are left as they stand.
    pub text: String,
    /// Where it stands, with its quotes.
    pub range: Range<usize>,
}

/// What nginx would not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub message: String,
    /// Where.
    pub range: Range<usize>,
}

impl Directive {
    /// The texts of its arguments.
    pub(crate) fn texts(&self) -> Vec<&str> {
        self.words.iter().map(|word| word.text.as_str()).collect()
    }
}

/// The place of a part of a value, found from the places of key and value alone: exact for
/// plain and quoted scalars on one line without escapes and for literal block scalars, else
/// the whole value.
pub(crate) fn place(key: Span, value: Span, text: &str, part: &Range<usize>) -> Span {
    if text.get(part.clone()).is_none() {
        return value;
    }
    let content = text.trim_end_matches('\n');
    if !content.contains('\n') {
        let inline = value.part(text.len(), part);
        if inline != value {
            return inline;
        }
    }
    // Every line of a literal block scalar but the first is longer by the indentation, by
    // which the value also starts behind `KEY: |` and a line feed.
    let indented = content
        .split('\n')
        .skip(1)
        .filter(|line| !line.is_empty())
        .count();
    let Some(gap) = value.start.checked_sub(key.end).map(|gap| gap as usize) else {
        return value;
    };
    // `|-` and one column less look alike but for the length.
    let fit = [": |\n", ": |-\n"]
        .iter()
        .filter_map(|header| gap.checked_sub(header.len()).filter(|&indent| indent > 0))
        .map(|indent| {
            let length = content.len() + indented * indent;
            ((value.len() as usize).abs_diff(length), indent)
        })
        .min();
    if let Some((0 | 1, indent)) = fit {
        let at = |offset: usize| {
            // The last byte of a part may stand within a character.
            let bytes = text.as_bytes();
            let ends = |at: &usize| bytes[*at] == b'\n' && bytes.get(at + 1) != Some(&b'\n');
            let lines = (0..offset).filter(ends).count();
            u32::try_from(offset + lines * indent).unwrap_or(u32::MAX)
        };
        let end = if part.is_empty() {
            at(part.start)
        } else {
            at(part.end - 1) + 1
        };
        return Span::new(value.file, value.start + at(part.start), value.start + end);
    }
    value
}

#[cfg(test)]
mod tests {
    use gatewright_source::FileId;

    use super::*;

    #[test]
    fn parts_of_block_scalars_have_places() {
        let yaml = "  key: |\n    one a;\n\n    two {\n      three;\n    }\n";
        let text = "one a;\n\ntwo {\n  three;\n}\n";
        let file = FileId(0);
        let start = yaml.find("one").unwrap();
        for end in [yaml.len(), yaml.len() - 1] {
            let value = Span::new(
                file,
                u32::try_from(start).unwrap(),
                u32::try_from(end).unwrap(),
            );
            let key = Span::new(file, 2, 5);
            for part in ["one a", "two", "three", "}"] {
                let at = text.find(part).unwrap();
                let span = place(key, value, text, &(at..at + part.len()));
                assert_eq!(&yaml[span.start as usize..span.end as usize], part);
            }
        }
        let (yaml, text) = ("k: |\n  a;\n  é;\n", "a;\né;\n");
        let value = Span::new(file, 7, 15);
        let span = place(Span::new(file, 0, 1), value, text, &(3..5));
        assert_eq!(&yaml[span.start as usize..span.end as usize], "é");
        let (yaml, text) = ("k: |-\n   a;\n   b;\n", "a;\nb;");
        let value = Span::new(file, 9, 17);
        let span = place(Span::new(file, 0, 1), value, text, &(3..4));
        assert_eq!(&yaml[span.start as usize..span.end as usize], "b");
        let (yaml, text) = ("key: 'a; b;'", "a; b;");
        let value = Span::new(file, 5, 12);
        let span = place(Span::new(file, 0, 3), value, text, &(3..4));
        assert_eq!(&yaml[span.start as usize..span.end as usize], "b");
    }

    #[test]
    fn other_layouts_fall_back_to_the_value() {
        let file = FileId(0);
        let value = Span::new(file, 5, 18);
        let span = place(Span::new(file, 0, 3), value, "a;\nb;\n", &(3..4));
        assert_eq!(span, value);
    }
}

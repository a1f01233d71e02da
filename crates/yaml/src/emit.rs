//! Writes block YAML in the style of kubectl: two spaces, lists not indented below their key.

use std::fmt::Write;

use crate::out::{Out, OutMapping};
use crate::quote::{self, Form};

/// Keys above this length do not fit the reader's look-ahead and take the explicit form.
const LONG_KEY: usize = 1000;

/// Appends one document, with a line break at its end and without a separator.
pub fn write_document(out: &mut String, doc: &Out) {
    Writer { out }.root(doc);
}

struct Writer<'a> {
    out: &'a mut String,
}

impl Writer<'_> {
    fn root(&mut self, doc: &Out) {
        match doc {
            Out::Mapping(mapping) if !mapping.is_empty() => self.mapping(mapping, 0, false),
            Out::Sequence(items) if !items.is_empty() => self.sequence(items, 0, false),
            _ => scalar(self.out, doc, 0),
        }
    }

    /// Writes entries; the first continues the line if `inline`.
    fn mapping(&mut self, mapping: &OutMapping, indent: usize, mut inline: bool) {
        for entry in mapping {
            if !inline {
                self::indent(self.out, indent);
            }
            inline = false;
            key(self.out, &entry.key, indent);
            match &entry.value {
                Out::Mapping(inner) if !inner.is_empty() => {
                    self.out.push('\n');
                    self.mapping(inner, indent + 2, false);
                }
                Out::Sequence(items) if !items.is_empty() => {
                    self.out.push('\n');
                    self.sequence(items, indent, false);
                }
                value => {
                    self.out.push(' ');
                    scalar(self.out, value, indent);
                }
            }
        }
    }

    fn sequence(&mut self, items: &[Out], indent: usize, mut inline: bool) {
        for item in items {
            if !inline {
                self::indent(self.out, indent);
            }
            inline = false;
            self.out.push_str("- ");
            match item {
                Out::Mapping(inner) if !inner.is_empty() => self.mapping(inner, indent + 2, true),
                Out::Sequence(inner) if !inner.is_empty() => {
                    self.sequence(inner, indent + 2, true);
                }
                value => scalar(self.out, value, indent),
            }
        }
    }
}

pub(crate) fn indent(out: &mut String, indent: usize) {
    const SPACES: &str = "                                                                ";
    let mut left = indent;
    while left > 0 {
        let some = left.min(SPACES.len());
        out.push_str(&SPACES[..some]);
        left -= some;
    }
}

pub(crate) fn comments(out: &mut String, comments: &[String], indent: usize) {
    for text in comments {
        self::indent(out, indent);
        quote::comment(out, text);
    }
}

/// Writes a key and its colon. `indent` is that of the line.
pub(crate) fn key(out: &mut String, key: &str, indent: usize) {
    let start = out.len();
    match quote::form(key, false) {
        Form::Plain => out.push_str(key),
        Form::Single => quote::single(out, key),
        Form::Double | Form::Literal(_) => quote::double(out, key),
    }
    if out.len() - start > LONG_KEY {
        out.insert_str(start, "? ");
        out.push('\n');
        self::indent(out, indent);
    }
    out.push(':');
}

/// Writes what fits behind a key or dash, and the line break. `indent` is that of the line.
pub(crate) fn scalar(out: &mut String, value: &Out, indent: usize) {
    // Writing to a string cannot fail.
    let _ = match value {
        Out::Bool(value) => write!(out, "{value}"),
        Out::Int(value) => write!(out, "{value}"),
        Out::Uint(value) => write!(out, "{value}"),
        Out::Float(value) if !value.is_finite() => write!(out, "null"),
        Out::Float(value) if value.abs() >= 1e16 || (*value != 0.0 && value.abs() < 1e-5) => {
            write!(out, "{value:e}")
        }
        Out::Float(value) => write!(out, "{value}"),
        Out::String(text) => return string(out, text, indent),
        Out::Null => write!(out, "null"),
        Out::Sequence(_) => write!(out, "[]"),
        Out::Mapping(_) => write!(out, "{{}}"),
    };
    out.push('\n');
}

/// Writes a text as [`scalar`] does.
pub(crate) fn string(out: &mut String, text: &str, indent: usize) {
    match quote::form(text, true) {
        Form::Plain => out.push_str(text),
        Form::Single => quote::single(out, text),
        Form::Double => quote::double(out, text),
        Form::Literal(chomping) => {
            out.push('|');
            out.push_str(chomping);
            out.push('\n');
            let body = text.strip_suffix('\n').unwrap_or(text);
            for line in body.split('\n') {
                if !line.is_empty() {
                    self::indent(out, indent + 2);
                    out.push_str(line);
                }
                out.push('\n');
            }
            return;
        }
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(doc: &Out, expect: &str) {
        let mut text = String::new();
        write_document(&mut text, doc);
        assert_eq!(text, expect);
    }

    #[test]
    fn blocks_look_like_those_of_kubectl() {
        let matches = Out::mapping([("path", Out::mapping([("value", "/")]))]);
        let rule = Out::mapping([("matches", Out::from(vec![matches])), ("m", Out::Int(1))]);
        let doc = Out::mapping([
            ("kind", Out::from("HTTPRoute")),
            ("empty", Out::mapping::<&str, Out>([])),
            ("none", Out::sequence::<Out>([])),
            ("spec", Out::mapping([("rules", vec![rule])])),
            ("text", Out::from("a\nb\n")),
            ("nested", Out::from(vec![vec![1, 2], vec![3]])),
        ]);
        check(
            &doc,
            "kind: HTTPRoute\nempty: {}\nnone: []\nspec:\n  rules:\n  - matches:\n    - path:\n        \
             value: /\n    m: 1\ntext: |\n  a\n  b\nnested:\n- - 1\n  - 2\n- - 3\n",
        );
    }

    #[test]
    fn numbers() {
        check(
            &Out::sequence([
                Out::Float(1.5),
                Out::Float(1e300),
                Out::Float(f64::NAN),
                Out::Uint(u64::MAX),
                Out::Null,
            ]),
            "- 1.5\n- 1e300\n- null\n- 18446744073709551615\n- null\n",
        );
    }
}

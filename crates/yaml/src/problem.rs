//! What does not fit a type, and where.

use std::fmt;

use gatewright_source::Span;
use serde::de::{self, Expected, Unexpected};

/// A typed object and what did not fit.
#[derive(Debug)]
pub struct Typed<T> {
    /// The object; `None` when a value has the wrong type.
    pub value: Option<T>,
    /// Unknown fields, and the fault that left no object.
    pub problems: Vec<Problem>,
}

/// One thing that did not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Its path, such as `spec.rules[0].host`.
    pub path: String,
    /// Its place: the key of an unknown field, otherwise the value.
    pub span: Span,
    /// What is wrong.
    pub kind: ProblemKind,
}

/// What did not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// The type has no such field.
    UnknownField {
        /// The field's name.
        name: String,
        /// A field of the type that was probably meant.
        suggestion: Option<String>,
    },
    /// A value has another type than the field.
    WrongType {
        /// What the field takes, such as `a string`.
        expected: String,
        /// What stands there, such as ``boolean `true` ``.
        found: String,
    },
    /// Any other objection of the type.
    Other(String),
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownField { name, .. } => {
                write!(f, "unknown field `{}`", name.escape_debug())
            }
            Self::WrongType { expected, found } => {
                write!(f, "invalid type: {found}, expected {expected}")
            }
            Self::Other(message) => f.write_str(message),
        }
    }
}

/// The steps from the root to a node, kept on the stack.
pub(crate) enum Trail<'a> {
    Root,
    Key(&'a Self, &'a str),
    Index(&'a Self, usize),
}

impl Trail<'_> {
    fn write(&self, path: &mut String) {
        match self {
            Self::Root => {}
            Self::Key(parent, key) => {
                parent.write(path);
                let simple = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
                if !key.is_empty() && key.bytes().all(simple) {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(key);
                } else {
                    path.push('[');
                    path.push_str(key);
                    path.push(']');
                }
            }
            Self::Index(parent, index) => {
                parent.write(path);
                path.push('[');
                path.push_str(&index.to_string());
                path.push(']');
            }
        }
    }

    pub(crate) fn path(&self) -> String {
        let mut path = String::new();
        self.write(&mut path);
        path
    }
}

#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) kind: ProblemKind,
    pub(crate) place: Option<(String, Span)>,
}

impl Fault {
    pub(crate) fn other(message: impl fmt::Display) -> Self {
        Self {
            kind: ProblemKind::Other(message.to_string()),
            place: None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl std::error::Error for Fault {}

/// serde names whole numbers as Rust does.
fn for_people(expected: &dyn Expected) -> String {
    let expected = expected.to_string();
    match expected.as_str() {
        "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" => "a whole number".to_owned(),
        _ => expected,
    }
}

/// A number that is not of the type's range.
fn in_range(expected: &dyn Expected) -> String {
    let (least, most) = match expected.to_string().as_str() {
        "i8" => (i64::from(i8::MIN), i64::from(i8::MAX)),
        "i16" => (i64::from(i16::MIN), i64::from(i16::MAX)),
        "i32" => (i64::from(i32::MIN), i64::from(i32::MAX)),
        "u8" => (0, i64::from(u8::MAX)),
        "u16" => (0, i64::from(u16::MAX)),
        "u32" => (0, i64::from(u32::MAX)),
        _ => return for_people(expected),
    };
    format!("a whole number from {least} to {most}")
}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::other(message)
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = in_range(expected);
        Self::other(format_args!(
            "invalid value: {unexpected}, expected {expected}"
        ))
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self {
            kind: ProblemKind::WrongType {
                expected: for_people(expected),
                found: unexpected.to_string(),
            },
            place: None,
        }
    }
}

//! From the target of an nginx `rewrite` to the substitution of RE2.

use std::fmt::{self, Write as _};
use std::ops::Range;

use super::eval::Captures;

/// What a path is replaced by: text and groups, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Substitution {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Group(usize),
}

/// A part of a target that is no group.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubstitutionError {
    /// A variable of the request, which a substitution cannot read.
    UnknownVariable {
        /// Its bytes in the target.
        range: Range<usize>,
        /// Its name, without the dollar sign.
        name: String,
    },
    /// A dollar sign without a name, or a brace that isn't closed.
    Malformed {
        /// Its bytes in the target.
        range: Range<usize>,
    },
}

impl fmt::Display for SubstitutionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownVariable { name, .. } => write!(f, "`${name}` is not a group"),
            Self::Malformed { .. } => f.write_str("a dollar sign without a variable name"),
        }
    }
}

impl std::error::Error for SubstitutionError {}

impl Substitution {
    /// The text for RE2: `\2` for a group, `\\` for a backslash.
    pub fn to_re2(&self) -> String {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(&text.replace('\\', r"\\")),
                Part::Group(number) => {
                    // Writing to a string cannot fail.
                    let _ = write!(out, r"\{number}");
                }
            }
        }
        out
    }

    /// The text, if it doesn't depend on the path.
    pub fn as_literal(&self) -> Option<String> {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => Some(text.as_str()),
                Part::Group(_) => None,
            })
            .collect()
    }

    /// What a path becomes; a group that took no part is empty.
    pub fn expand(&self, captures: &Captures<'_>) -> String {
        let mut out = Vec::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => out.extend_from_slice(text.as_bytes()),
                Part::Group(number) => {
                    out.extend_from_slice(captures.get(*number).unwrap_or_default());
                }
            }
        }
        String::from_utf8_lossy(&out).into_owned()
    }

    fn push_text(&mut self, text: &str) {
        match self.parts.last_mut() {
            Some(Part::Text(last)) => last.push_str(text),
            _ if text.is_empty() => {}
            _ => self.parts.push(Part::Text(text.to_owned())),
        }
    }
}

/// Translates `target` for a pattern with that many groups, none of them named.
///
/// nginx knows `$1` to `$9` only, so that `$10` is `$1` and a zero, and `${1}` is a
/// variable, which doesn't exist: nginx doesn't start with it. A group that the
/// pattern doesn't have is empty. A variable is an error, and all of them are
/// reported.
pub fn substitution(target: &str, groups: usize) -> Result<Substitution, Vec<SubstitutionError>> {
    substitution_with(target, groups, &[])
}

pub(super) fn substitution_with(
    target: &str,
    groups: usize,
    names: &[(String, u32)],
) -> Result<Substitution, Vec<SubstitutionError>> {
    let mut found = Substitution::default();
    let mut errors = Vec::new();
    let mut rest = target;
    while let Some(dollar) = rest.find('$') {
        found.push_text(&rest[..dollar]);
        let start = target.len() - rest.len() + dollar;
        let after = &rest[dollar + 1..];
        let (name, consumed) = variable(after);
        let range = start..start + 1 + consumed;
        rest = &after[consumed..];
        let number = match name {
            Name::Group(number) => Ok(number),
            Name::Variable(name) => {
                number_of(name, names).ok_or_else(|| SubstitutionError::UnknownVariable {
                    range,
                    name: name.to_owned(),
                })
            }
            Name::Missing => Err(SubstitutionError::Malformed { range }),
        };
        match number {
            Ok(number) if number <= groups => found.parts.push(Part::Group(number)),
            Ok(_) => {}
            Err(error) => errors.push(error),
        }
    }
    found.push_text(rest);
    if errors.is_empty() {
        Ok(found)
    } else {
        Err(errors)
    }
}

/// The number of a named group that a substitution can refer to.
fn number_of(name: &str, names: &[(String, u32)]) -> Option<usize> {
    let (_, number) = names.iter().find(|(known, _)| known == name)?;
    // Beyond the ninth, RE2's substitutions cannot name a group.
    usize::try_from(*number).ok().filter(|number| *number <= 9)
}

/// The name at the start of `text`, and how many bytes it takes: one digit but 0, or
/// a word, in braces or not. A digit in braces is the name of a variable to nginx.
fn variable(text: &str) -> (Name<'_>, usize) {
    if let Some(inner) = text.strip_prefix('{') {
        return match inner.find('}') {
            Some(end) if is_word(&inner[..end]) => (Name::Variable(&inner[..end]), end + 2),
            _ => (Name::Missing, 0),
        };
    }
    if let Some(digit @ '1'..='9') = text.chars().next() {
        return (Name::Group(digit as usize - '0' as usize), 1);
    }
    let in_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let length = text.bytes().take_while(in_word).count();
    match length {
        0 => (Name::Missing, 0),
        length => (Name::Variable(&text[..length]), length),
    }
}

/// What stands behind a dollar sign.
enum Name<'t> {
    Group(usize),
    Variable(&'t str),
    Missing,
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::super::Pattern;
    use super::{SubstitutionError, substitution};

    fn check(target: &str, groups: usize, expected: &str) {
        assert_eq!(
            substitution(target, groups).unwrap().to_re2(),
            expected,
            "{target}"
        );
    }

    #[test]
    fn groups_are_numbered_as_in_nginx() {
        check("/$2", 2, r"/\2");
        check("/$1x$1_", 1, r"/\1x\1_");
        check("/$10", 1, r"/\10");
        check("/$3/$1", 2, r"//\1");
        check(r"/a\1", 1, r"/a\\1");
        check("/plain", 0, "/plain");
    }

    #[test]
    fn variables_are_reported_with_their_place() {
        let errors = substitution("/$uri/${host}x$1$", 1).unwrap_err();
        assert_eq!(
            errors,
            [
                SubstitutionError::UnknownVariable {
                    range: 1..5,
                    name: "uri".to_owned()
                },
                SubstitutionError::UnknownVariable {
                    range: 6..13,
                    name: "host".to_owned()
                },
                SubstitutionError::Malformed { range: 16..17 },
            ]
        );
    }

    #[test]
    fn a_digit_in_braces_is_no_group() {
        let error = |range, name: &str| {
            let name = name.to_owned();
            vec![SubstitutionError::UnknownVariable { range, name }]
        };
        assert_eq!(substitution("/${1}", 1).unwrap_err(), error(1..5, "1"));
        assert_eq!(substitution("/$0", 1).unwrap_err(), error(1..3, "0"));
    }

    #[test]
    fn named_groups_are_variables_that_are_known() {
        let re2 = Pattern::parse("/(a)(?<rest>.*)").unwrap().to_re2().unwrap();
        assert_eq!(re2.substitution("/${rest}/$1").unwrap().to_re2(), r"/\2/\1");
    }

    #[test]
    fn expansion_takes_what_was_captured() {
        let pattern = Pattern::parse("/api(/|$)(.*)").unwrap();
        let substitution = substitution("/v1/$2$3", 2).unwrap();
        let captures = pattern.captures_prefix("/API/Users/é").unwrap();
        assert_eq!(substitution.expand(&captures), "/v1/Users/é");
        assert_eq!(substitution.as_literal(), None);
    }
}

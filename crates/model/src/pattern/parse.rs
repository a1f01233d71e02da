//! From text to syntax tree: sequences, alternatives and quantifiers.
//!
//! The grammar is that of PCRE 8.45, which ingress-nginx builds nginx against (its
//! image installs Alpine's `pcre`, not `pcre2`). PCRE2 refuses some texts that
//! PCRE 8 accepts, such as `[\d-z]` and `\y`; up to 10.42 it reads the rest alike.
//! `{,3}` is literal text in both.

use std::ops::Range;

use super::ast::{Assert, Kind, Mode, Node, Repeat};
use super::error::PatternError;

/// PCRE's default limit of nested parentheses; it also bounds our own recursion.
const MAX_NESTING: u32 = 250;
/// PCRE's limit of a number in braces.
const MAX_REPEAT: u32 = 65_535;

/// A construct that a quantifier may not follow, though it is no assertion.
pub(super) const VERB: &str = "backtracking verb";

pub(super) type Result<T> = std::result::Result<T, PatternError>;

/// The outcome of a parse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parsed {
    pub(super) root: Node,
    pub(super) groups: u32,
    pub(super) names: Vec<(String, u32)>,
}

/// The options in force at one place of the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flags {
    pub(super) fold: bool,
    pub(super) dot_all: bool,
    pub(super) extended: bool,
    pub(super) ungreedy: bool,
    pub(super) duplicate_names: bool,
}

/// A group that the text refers to, which may stand further on.
#[derive(Debug)]
pub(super) enum Target {
    Number(u32),
    Name(String),
}

#[derive(Debug)]
pub(super) struct Parser<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
    pub(super) flags: Flags,
    pub(super) groups: u32,
    pub(super) names: Vec<(String, u32)>,
    pub(super) targets: Vec<(Target, Range<usize>)>,
    depth: u32,
}

/// Parses `text`, which is matched without regard to case if `fold` is set.
pub(super) fn parse(text: &str, fold: bool) -> Result<Parsed> {
    let mut parser = Parser {
        text,
        at: 0,
        flags: Flags {
            fold,
            dot_all: false,
            extended: false,
            ungreedy: false,
            duplicate_names: false,
        },
        groups: 0,
        names: Vec::new(),
        targets: Vec::new(),
        depth: 0,
    };
    let root = parser.alternation()?;
    if parser.at < text.len() {
        let range = parser.at..parser.at + 1;
        return Err(PatternError::invalid(
            range,
            "unmatched closing parenthesis",
        ));
    }
    parser.check_targets()?;
    Ok(Parsed {
        root,
        groups: parser.groups,
        names: parser.names,
    })
}

impl Parser<'_> {
    pub(super) fn peek(&self) -> Option<u8> {
        self.peek_at(0)
    }

    pub(super) fn peek_at(&self, offset: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + offset).copied()
    }

    pub(super) fn starts_with(&self, prefix: &str) -> bool {
        self.text.as_bytes()[self.at..].starts_with(prefix.as_bytes())
    }

    pub(super) fn eat(&mut self, prefix: &str) -> bool {
        let found = self.starts_with(prefix);
        if found {
            self.at += prefix.len();
        }
        found
    }

    /// The character here and its range; both empty at the end.
    pub(super) fn next_char(&mut self) -> Option<char> {
        let next = self.text.get(self.at..)?.chars().next()?;
        self.at += next.len_utf8();
        Some(next)
    }

    /// An error that starts at `start` and ends after the current character.
    pub(super) fn error<T>(&self, start: usize, message: impl Into<String>) -> Result<T> {
        Err(PatternError::invalid(start..self.at.max(start), message))
    }

    /// Alternatives up to a closing parenthesis or the end.
    ///
    /// An option set in one alternative stays in force in those after it.
    pub(super) fn alternation(&mut self) -> Result<Node> {
        let start = self.at;
        let mut branches = Vec::new();
        loop {
            branches.push(self.concatenation()?);
            if !self.eat("|") {
                break;
            }
        }
        Ok(Node::alternate(branches, start..self.at))
    }

    pub(super) fn concatenation(&mut self) -> Result<Node> {
        let start = self.at;
        let mut nodes = Vec::new();
        // Whether a quantifier may follow: not at the start, nor after an assertion,
        // an option setting or another quantifier.
        let mut repeatable = false;
        loop {
            if self.flags.extended && self.skip_extended() {
                continue;
            }
            if self.eat_comment()? {
                continue;
            }
            match self.peek() {
                None | Some(b'|' | b')') => break,
                Some(b'*' | b'+' | b'?') => self.quantify(&mut nodes, &mut repeatable)?,
                Some(b'{') if self.braces().is_some() => {
                    self.quantify(&mut nodes, &mut repeatable)?;
                }
                Some(_) => self.item(&mut nodes, &mut repeatable)?,
            }
        }
        Ok(Node::concat(nodes, start..self.at))
    }

    /// One thing that a quantifier may follow, or that leaves no node at all.
    fn item(&mut self, nodes: &mut Vec<Node>, repeatable: &mut bool) -> Result<()> {
        let start = self.at;
        let Some(next) = self.next_char() else {
            return Ok(());
        };
        let kind = match next {
            '^' => Kind::Assert(Assert::Start),
            '$' => Kind::Assert(Assert::End),
            '.' => Kind::Any {
                newline: self.flags.dot_all,
            },
            '[' => self.class(start)?,
            '(' => {
                self.nest(start)?;
                let group = self.group(start)?;
                self.depth -= 1;
                if let Some(kind) = group {
                    kind
                } else {
                    *repeatable = false;
                    return Ok(());
                }
            }
            '\\' => return self.escape_item(start, nodes, repeatable),
            other => {
                self.literal(other, start, nodes);
                *repeatable = true;
                return Ok(());
            }
        };
        *repeatable = match &kind {
            Kind::Assert(_) => false,
            Kind::Foreign(foreign) => foreign.construct != VERB,
            _ => true,
        };
        nodes.push(Node::new(kind, start..self.at));
        Ok(())
    }

    /// The bytes of a character, each of them a step of its own.
    pub(super) fn literal(&self, char: char, start: usize, nodes: &mut Vec<Node>) {
        let mut buffer = [0; 4];
        for &byte in char.encode_utf8(&mut buffer).as_bytes() {
            nodes.push(Node::new(self.byte(byte), start..self.at));
        }
    }

    pub(super) fn byte(&self, byte: u8) -> Kind {
        Kind::Literal {
            byte,
            fold: self.flags.fold && byte.is_ascii_alphabetic(),
        }
    }

    fn nest(&mut self, start: usize) -> Result<()> {
        self.depth += 1;
        if self.depth > MAX_NESTING {
            return self.error(start, "parentheses are too deeply nested");
        }
        Ok(())
    }

    /// White space and comments of `(?x)`.
    fn skip_extended(&mut self) -> bool {
        match self.peek() {
            Some(b' ' | b'\t'..=b'\r') => self.at += 1,
            Some(b'#') => {
                let rest = &self.text[self.at..];
                self.at += rest.find('\n').map_or(rest.len(), |end| end + 1);
            }
            _ => return false,
        }
        true
    }

    fn eat_comment(&mut self) -> Result<bool> {
        let start = self.at;
        if !self.eat("(?#") {
            return Ok(false);
        }
        match self.text[self.at..].find(')') {
            Some(end) => self.at += end + 1,
            None => return self.error(start, "comment without a closing parenthesis"),
        }
        Ok(true)
    }

    /// `{n}`, `{n,}` or `{n,m}` here: its text. Any other brace is literal.
    pub(super) fn braces(&self) -> Option<&str> {
        let rest = self.text.get(self.at..)?.strip_prefix('{')?;
        let inner = &rest[..rest.find('}')?];
        let (min, max) = inner.split_once(',').unwrap_or((inner, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        (!min.is_empty() && digits(min) && digits(max)).then_some(inner)
    }

    fn bounds(&mut self) -> Result<(u32, Option<u32>)> {
        let start = self.at;
        let Some(inner) = self.braces().map(str::to_owned) else {
            let operator = self.peek();
            self.at += 1;
            return Ok(match operator {
                Some(b'*') => (0, None),
                Some(b'+') => (1, None),
                _ => (0, Some(1)),
            });
        };
        self.at += inner.len() + 2;
        let number = |text: &str| text.parse().ok().filter(|n| *n <= MAX_REPEAT);
        let too_big = || {
            let message = format!("a number in braces is larger than {MAX_REPEAT}");
            PatternError::invalid(start..start + inner.len() + 2, message)
        };
        let (min, max) = match inner.split_once(',') {
            None => {
                let count = number(&inner).ok_or_else(too_big)?;
                (count, Some(count))
            }
            Some((min, "")) => (number(min).ok_or_else(too_big)?, None),
            Some((min, max)) => (
                number(min).ok_or_else(too_big)?,
                Some(number(max).ok_or_else(too_big)?),
            ),
        };
        if max.is_some_and(|max| max < min) {
            return self.error(start, "the numbers in braces are out of order");
        }
        Ok((min, max))
    }

    fn quantify(&mut self, nodes: &mut Vec<Node>, repeatable: &mut bool) -> Result<()> {
        let start = self.at;
        let (min, max) = self.bounds()?;
        let mode = if self.eat("+") {
            Mode::Possessive
        } else if self.eat("?") != self.flags.ungreedy {
            Mode::Lazy
        } else {
            Mode::Greedy
        };
        let body = match nodes.pop() {
            Some(body) if *repeatable => body,
            _ => return self.error(start, "a quantifier with nothing to repeat"),
        };
        *repeatable = false;
        let range = body.range.start..self.at;
        let kind = match body.kind {
            // PCRE runs an assertion at most once, however often it is repeated.
            Kind::Look(..) if min == 0 => Kind::Repeat(Repeat {
                body: Box::new(body),
                min: 0,
                max: Some(1),
                mode,
            }),
            Kind::Look(..) => body.kind,
            _ => Kind::Repeat(Repeat {
                body: Box::new(body),
                min,
                max,
                mode,
            }),
        };
        nodes.push(Node::new(kind, range));
        Ok(())
    }

    /// Whether every group that the text refers to is there.
    fn check_targets(&self) -> Result<()> {
        for (target, range) in &self.targets {
            let found = match target {
                Target::Number(number) => *number <= self.groups,
                Target::Name(name) => self.names.iter().any(|(known, _)| known == name),
            };
            if !found {
                let message = match target {
                    Target::Number(number) => format!("there is no group {number}"),
                    Target::Name(name) => format!("there is no group named `{name}`"),
                };
                return Err(PatternError::invalid(range.clone(), message));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Pattern;

    /// What is wrong with the pattern, and the part that is blamed.
    fn check(text: &str, part: &str, message: &str) {
        let error = Pattern::parse(text).unwrap_err();
        assert_eq!(
            (&text[error.range.clone()], error.to_string().as_str()),
            (part, message)
        );
    }

    #[test]
    fn errors_point_at_their_cause() {
        check("/a)b", ")", "unmatched closing parenthesis");
        check("/(a", "(a", "a parenthesis that is not closed");
        check("/a|*b", "*", "a quantifier with nothing to repeat");
        check("/a{2}{3}", "{3}", "a quantifier with nothing to repeat");
        check("/é{3,2}", "{3,2}", "the numbers in braces are out of order");
        check(
            "/a{70000}",
            "{70000}",
            "a number in braces is larger than 65535",
        );
        check("/[a", "[a", "a class without its closing bracket");
        check("/[é-a]", "é-a", "a range out of order");
        check("/a\\", "\\", "a backslash at the end");
        check("/(?<n>a)\\k<m>", "\\k<m>", "there is no group named `m`");
        check("/(a)(?2)", "(?2)", "there is no group 2");
    }

    #[test]
    fn nesting_is_limited() {
        let nested = |depth: usize| "(".repeat(depth) + &")".repeat(depth);
        assert!(Pattern::parse(&nested(250)).is_ok());
        assert!(Pattern::parse(&nested(251)).is_err());
        assert!(Pattern::parse(&"(".repeat(1_000_000)).is_err());
    }
}

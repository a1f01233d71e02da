//! References to groups, from `\g` and `\k` and from `(?…)`.

use super::escape::{Escape, foreign};
use super::parse::{Parser, Result, Target};

pub(super) const RECURSION: &str = "write the nesting out to the depth that is needed";
pub(super) const SUBROUTINE: &str = "write the group's text out a second time";
const BACK_REFERENCE: &str = "list the texts that may repeat as alternatives";

impl Parser<'_> {
    /// `\g`: a back-reference, or with `<` or `'` a call.
    pub(super) fn reference(&mut self, start: usize) -> Result<Escape> {
        let close = match self.peek() {
            Some(b'{') => '}',
            Some(b'<') => '>',
            Some(b'\'') => '\'',
            _ => {
                let rest = &self.text[self.at..];
                let sign = usize::from(rest.starts_with(['+', '-']));
                let digits = rest[sign..].bytes().take_while(u8::is_ascii_digit).count();
                self.at += sign + digits;
                let target = self.target(start, &rest[..sign + digits])?;
                return self.numbered(start, target);
            }
        };
        let Some(name) = self.delimited(close) else {
            return self.error(start, r"`\g` without a closing delimiter");
        };
        let target = self.target(start, &name)?;
        if close == '}' {
            return self.numbered(start, target);
        }
        if matches!(target, Target::Number(0)) {
            return Ok(foreign("recursion", RECURSION));
        }
        self.targets.push((target, start..self.at));
        Ok(foreign("subroutine call", SUBROUTINE))
    }

    /// A back-reference by a number that the text chose freely.
    fn numbered(&mut self, start: usize, target: Target) -> Result<Escape> {
        if matches!(target, Target::Number(0)) {
            return self.error(start, "there is no group 0 to refer to");
        }
        Ok(self.back_reference(start, target))
    }

    pub(super) fn named_reference(&mut self, start: usize) -> Result<Escape> {
        let close = match self.peek() {
            Some(b'{') => '}',
            Some(b'<') => '>',
            Some(b'\'') => '\'',
            _ => return self.error(start, r"`\k` without a group name"),
        };
        match self.delimited(close) {
            Some(name) if is_group_name(&name) => {
                Ok(self.back_reference(start, Target::Name(name)))
            }
            _ => self.error(start, r"`\k` without a group name"),
        }
    }

    /// The text from after the opening delimiter here to `close`.
    pub(super) fn delimited(&mut self, close: char) -> Option<String> {
        let rest = &self.text[self.at + 1..];
        let inner = &rest[..rest.find(close)?];
        self.at += inner.len() + 2;
        Some(inner.to_owned())
    }

    /// A group by name, by number, or counted from here.
    pub(super) fn target(&self, start: usize, text: &str) -> Result<Target> {
        if is_group_name(text) {
            return Ok(Target::Name(text.to_owned()));
        }
        let (sign, digits) = match text.strip_prefix(['+', '-']) {
            Some(digits) => (text.chars().next(), digits),
            None => (None, text),
        };
        let numeric = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let number = numeric.then(|| digits.parse::<u32>().ok()).flatten();
        let number = match (sign, number) {
            (Some('-'), Some(back)) if back > 0 => (self.groups + 1).checked_sub(back),
            (Some(_), Some(ahead)) if ahead > 0 => self.groups.checked_add(ahead),
            (None, number) => number,
            _ => None,
        };
        match number {
            Some(number) if number > 0 || sign.is_none() => Ok(Target::Number(number)),
            _ => self.error(start, "a reference to a group that is not there"),
        }
    }

    pub(super) fn back_reference(&mut self, start: usize, target: Target) -> Escape {
        self.targets.push((target, start..self.at));
        foreign("back-reference", BACK_REFERENCE)
    }
}

/// A name of a group: a word that doesn't start with a digit.
pub(super) fn is_group_name(text: &str) -> bool {
    text.len() <= 32
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

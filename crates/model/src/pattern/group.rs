//! Groups: what an opening parenthesis begins.

use super::ast::{Foreign, GroupKind, Kind, Look, Node};
use super::escape::Escape;
use super::parse::{Flags, Parser, Result, Target, VERB};
use super::reference::{RECURSION, SUBROUTINE, is_group_name};

const CONDITIONAL: &str = "write the two cases as alternatives";
const BRANCH_RESET: &str = "number the groups of each alternative separately";
const VERB_HELP: &str = "leave it out, or split the pattern into several paths";

impl Parser<'_> {
    /// Reads a group whose parenthesis, at `start`, is behind us; `None` if it
    /// leaves nothing, as an option setting does.
    pub(super) fn group(&mut self, start: usize) -> Result<Option<Kind>> {
        if self.peek() == Some(b'*')
            && self
                .peek_at(1)
                .is_some_and(|b| b == b':' || b.is_ascii_alphabetic())
        {
            return self.verb(start).map(Some);
        }
        if !self.eat("?") {
            return self.capture(start, None).map(Some);
        }
        for (prefix, ahead, negative) in [
            ("=", true, false),
            ("!", true, true),
            ("<=", false, false),
            ("<!", false, true),
        ] {
            if self.eat(prefix) {
                return self.look(start, Look { ahead, negative }).map(Some);
            }
        }
        match self.peek() {
            Some(b':') => self.body_after(start, GroupKind::Plain),
            Some(b'>') => self.body_after(start, GroupKind::Atomic),
            Some(b'|') => {
                self.at += 1;
                self.branch_reset(start).map(Some)
            }
            Some(b'<') => self.named(start, '>'),
            Some(b'\'') => self.named(start, '\''),
            Some(b'P') if self.peek_at(1) == Some(b'<') => {
                self.at += 1;
                self.named(start, '>')
            }
            Some(b'P') if self.peek_at(1) == Some(b'=') => {
                self.at += 2;
                let target = self.name_before_close(start)?;
                Ok(match self.back_reference(start, target) {
                    Escape::Foreign(foreign) => Some(Kind::Foreign(foreign)),
                    _ => None,
                })
            }
            Some(b'P') if self.peek_at(1) == Some(b'>') => {
                self.at += 2;
                self.call_by_name(start).map(Some)
            }
            Some(b'&') => {
                self.at += 1;
                self.call_by_name(start).map(Some)
            }
            Some(b'R' | b'0'..=b'9' | b'+') => self.call(start).map(Some),
            Some(b'-') if self.peek_at(1).is_some_and(|b| b.is_ascii_digit()) => {
                self.call(start).map(Some)
            }
            Some(b'(') => self.conditional(start).map(Some),
            Some(b'C') => self.callout(start),
            _ => self.options(start),
        }
    }

    fn body_after(&mut self, start: usize, kind: GroupKind) -> Result<Option<Kind>> {
        self.at += 1;
        let body = Box::new(self.body(start)?);
        Ok(Some(Kind::Group { kind, body }))
    }

    /// The alternatives up to the closing parenthesis, which is eaten.
    fn body(&mut self, start: usize) -> Result<Node> {
        let outer = self.flags;
        let body = self.alternation()?;
        self.flags = outer;
        self.close(start)?;
        Ok(body)
    }

    fn close(&mut self, start: usize) -> Result<()> {
        if self.eat(")") {
            return Ok(());
        }
        self.error(start, "a parenthesis that is not closed")
    }

    fn capture(&mut self, start: usize, name: Option<String>) -> Result<Kind> {
        self.groups += 1;
        let body = Box::new(self.body(start)?);
        let kind = GroupKind::Capture { name };
        Ok(Kind::Group { kind, body })
    }

    fn named(&mut self, start: usize, close: char) -> Result<Option<Kind>> {
        let name = match self.delimited(close) {
            Some(name) if is_group_name(&name) => name,
            _ => return self.error(start, "a malformed group name"),
        };
        if !self.flags.duplicate_names && self.names.iter().any(|(known, _)| *known == name) {
            return self.error(start, format!("two groups are named `{name}`"));
        }
        self.names.push((name.clone(), self.groups + 1));
        self.capture(start, Some(name)).map(Some)
    }

    fn look(&mut self, start: usize, look: Look) -> Result<Kind> {
        let body = self.body(start)?;
        if !look.ahead && !has_fixed_branches(&body) {
            return self.error(start, "a lookbehind of no fixed length");
        }
        Ok(Kind::Look(look, Box::new(body)))
    }

    /// `(?|…)`: each alternative numbers its groups from the same start.
    fn branch_reset(&mut self, start: usize) -> Result<Kind> {
        let (outer, before) = (self.flags, self.groups);
        let (mut branches, mut most) = (Vec::new(), before);
        loop {
            self.groups = before;
            branches.push(self.concatenation()?);
            most = most.max(self.groups);
            if !self.eat("|") {
                break;
            }
        }
        self.flags = outer;
        self.groups = most;
        self.close(start)?;
        if most > before {
            return Ok(foreign("branch reset group", BRANCH_RESET));
        }
        let body = Box::new(Node::alternate(branches, start..self.at));
        let kind = GroupKind::Plain;
        Ok(Kind::Group { kind, body })
    }

    /// `(*FAIL)` and its kind.
    fn verb(&mut self, start: usize) -> Result<Kind> {
        const KNOWN: &[&str] = &[
            "", "ACCEPT", "COMMIT", "F", "FAIL", "MARK", "PRUNE", "SKIP", "THEN",
        ];
        let name = self.delimited(')').unwrap_or_default();
        let (verb, argument) = match name.split_once(':') {
            Some((verb, argument)) => (verb, Some(argument)),
            None => (name.as_str(), None),
        };
        let marks = matches!(verb, "" | "MARK");
        if !KNOWN.contains(&verb) || (marks && argument.is_none_or(str::is_empty)) {
            return self.error(start, "an unknown verb after `(*`");
        }
        Ok(foreign(VERB, VERB_HELP))
    }

    fn name_before_close(&mut self, start: usize) -> Result<Target> {
        let rest = &self.text[self.at..];
        let name = rest.split(')').next().unwrap_or_default().to_owned();
        if !is_group_name(&name) {
            return self.error(start, "a malformed group name");
        }
        self.at += name.len();
        self.close(start)?;
        Ok(Target::Name(name))
    }

    fn call_by_name(&mut self, start: usize) -> Result<Kind> {
        let target = self.name_before_close(start)?;
        self.targets.push((target, start..self.at));
        Ok(foreign("subroutine call", SUBROUTINE))
    }

    /// `(?R)`, `(?1)`, `(?-1)` and `(?+1)`.
    fn call(&mut self, start: usize) -> Result<Kind> {
        let rest = &self.text[self.at..];
        let name = rest.split(')').next().unwrap_or_default().to_owned();
        self.at += name.len();
        self.close(start)?;
        if name == "R" || name.bytes().all(|byte| byte == b'0') {
            return Ok(foreign("recursion", RECURSION));
        }
        match self.target(start, &name)? {
            target @ Target::Number(_) => self.targets.push((target, start..self.at)),
            Target::Name(_) => return self.error(start, "a malformed call of a group"),
        }
        Ok(foreign("subroutine call", SUBROUTINE))
    }

    fn conditional(&mut self, start: usize) -> Result<Kind> {
        let outer = self.flags;
        let is_look = ["(?=", "(?!", "(?<=", "(?<!"]
            .iter()
            .any(|p| self.starts_with(p));
        self.at += 1;
        if is_look {
            self.group(start)?;
        } else {
            self.condition(start)?;
        }
        let body = self.alternation()?;
        self.flags = outer;
        self.close(start)?;
        if matches!(&body.kind, Kind::Alternate(branches) if branches.len() > 2) {
            return self.error(start, "a conditional with more than two branches");
        }
        Ok(foreign("conditional", CONDITIONAL))
    }

    /// The condition of a conditional that tests a group.
    fn condition(&mut self, start: usize) -> Result<()> {
        let rest = &self.text[self.at..];
        let text = rest.split(')').next().unwrap_or_default().to_owned();
        self.at += text.len();
        self.close(start)?;
        let bare = text.trim_matches(['<', '>', '\'']);
        // `R`, `R1` and `R&name` ask about recursion, `DEFINE` is never true.
        if bare.starts_with('R') || bare == "DEFINE" {
            return Ok(());
        }
        let target = self.target(start, bare)?;
        if matches!(target, Target::Number(0)) {
            return self.error(start, "there is no group 0 to ask about");
        }
        self.targets.push((target, start..self.at));
        Ok(())
    }

    /// `(?C)` calls a function that nginx doesn't set.
    fn callout(&mut self, start: usize) -> Result<Option<Kind>> {
        let rest = &self.text[self.at + 1..];
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number = rest[..digits].parse::<u8>();
        self.at += 1 + digits;
        if digits > 0 && number.is_err() {
            return self.error(start, "the number of a callout is above 255");
        }
        self.close(start)?;
        Ok(None)
    }

    /// `(?i)`, `(?i-s)` and `(?i:…)`.
    fn options(&mut self, start: usize) -> Result<Option<Kind>> {
        let mut flags = self.flags;
        let mut on = true;
        loop {
            let next = self.next_char();
            match next {
                Some('-') => on = false,
                Some('i') => flags.fold = on,
                Some('s') => flags.dot_all = on,
                Some('x') => flags.extended = on,
                Some('U') => flags.ungreedy = on,
                Some('J') => flags.duplicate_names = on,
                // No path holds a line break, so that `m` changes nothing; `X` asks
                // for stricter escapes, and the text was fine without.
                Some('m' | 'X') => {}
                Some(')') => {
                    self.flags = flags;
                    return Ok(None);
                }
                Some(':') => return self.scoped(start, flags).map(Some),
                _ => return self.error(start, "an unknown option after `(?`"),
            }
        }
    }

    fn scoped(&mut self, start: usize, flags: Flags) -> Result<Kind> {
        let outer = std::mem::replace(&mut self.flags, flags);
        let body = self.alternation()?;
        self.flags = outer;
        self.close(start)?;
        let kind = GroupKind::Plain;
        let body = Box::new(body);
        Ok(Kind::Group { kind, body })
    }
}

fn foreign(construct: &'static str, help: &'static str) -> Kind {
    Kind::Foreign(Foreign { construct, help })
}

/// Whether each alternative at the top has one length, as PCRE demands.
fn has_fixed_branches(body: &Node) -> bool {
    match &body.kind {
        Kind::Alternate(branches) => branches.iter().all(|node| fixed_length(node).is_some()),
        _ => fixed_length(body).is_some(),
    }
}

fn fixed_length(node: &Node) -> Option<u64> {
    match &node.kind {
        Kind::Empty | Kind::Assert(_) | Kind::Look(..) => Some(0),
        Kind::Literal { .. } | Kind::Any { .. } | Kind::Class(_) => Some(1),
        Kind::Group { body, .. } => fixed_length(body),
        Kind::Repeat(repeat) if repeat.max == Some(repeat.min) => {
            fixed_length(&repeat.body)?.checked_mul(u64::from(repeat.min))
        }
        Kind::Concat(nodes) => nodes.iter().map(fixed_length).sum(),
        Kind::Alternate(nodes) => {
            let mut lengths = nodes.iter().map(fixed_length);
            let first = lengths.next()??;
            lengths.all(|length| length == Some(first)).then_some(first)
        }
        // A set of characters would have a length; calls and references are judged
        // by what they call, and are reported for themselves in any case.
        Kind::Foreign(_) => Some(0),
        Kind::Repeat(_) => None,
    }
}

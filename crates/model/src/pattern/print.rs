//! From a lowered tree to the text of an engine.

use std::fmt::Write as _;

use super::ast::{Assert, Class, GroupKind, Item, Kind, Mode, Node, Repeat};
use super::encode::{is_always_encoded, is_sent_encoded, may_be_encoded, takes_any_encoding};
use super::follow::Follow;
use super::set::ByteSet;

/// Paths as they are sent, where `%21` stands for one character.
const SENT: Dialect = Dialect::Re2 { encoded: true };
/// A set with more encoded members than this is not meant to name them.
pub(super) const MAX_ENCODED: usize = 24;

/// The engine that is to read the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// RE2, given the path as it is sent if `encoded`, else decoded.
    Re2 { encoded: bool },
    /// The `regex` crate on bytes, under `(?-u)`.
    Rust,
}

/// How tightly the text around a node binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Alternation,
    Sequence,
    Atom,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Printer {
    pub(super) dialect: Dialect,
    /// Whether the text stands under `(?i)`.
    pub(super) fold: bool,
    /// Whether groups keep their names; RE2 refuses two of the same.
    pub(super) names: bool,
    /// Whether what stands behind may begin with a digit of an escape.
    pub(super) before_digit: bool,
}

impl Printer {
    pub(super) fn text(self, node: &Node, level: Level) -> String {
        let mut out = String::new();
        self.node(node, level, &mut out);
        out
    }

    pub(super) fn sequence_text(self, nodes: &[Node]) -> String {
        let mut out = String::new();
        self.sequence(nodes, &mut out);
        out
    }

    /// Any number of characters in front of these nodes.
    pub(super) fn anything(self, before: &[Node]) -> &'static str {
        if self.dialect == SENT && self.followed_by(before).before_digit {
            "(?:%..|[^%])*"
        } else {
            ".*"
        }
    }

    /// The printer of what stands in front of these nodes.
    fn followed_by(self, nodes: &[Node]) -> Self {
        let digits = ByteSet::of(&[b'0'..=b'9', b'A'..=b'F', b'a'..=b'f']);
        let behind = Follow {
            first: if self.before_digit {
                digits
            } else {
                ByteSet::EMPTY
            },
            may_stop: true,
            at_end: false,
        };
        let first = behind.after_all(nodes).first;
        Self {
            before_digit: !first.is_disjoint(&digits),
            ..self
        }
    }

    fn node(self, node: &Node, level: Level, out: &mut String) {
        match &node.kind {
            // Lowering leaves none of the last two.
            Kind::Empty | Kind::Look(..) | Kind::Foreign(_) => {
                if level == Level::Atom {
                    out.push_str("(?:)");
                }
            }
            Kind::Literal { byte, fold } => self.literal(*byte, *fold, level, out),
            Kind::Any { newline } => out.push_str(self.any(*newline)),
            Kind::Class(class) if self.dialect == SENT && names_too_many(class) => {
                self.negated(&leaving_out(class), out);
            }
            Kind::Class(class) => self.class(class, level, out),
            Kind::Assert(assert) => {
                wrapped(level == Level::Atom, out, |out| {
                    out.push_str(self.assert(*assert));
                });
            }
            Kind::Group { kind, body } => {
                match kind {
                    GroupKind::Capture { name: Some(name) } if self.names => {
                        // Writing to a string cannot fail.
                        let _ = write!(out, "(?P<{name}>");
                    }
                    GroupKind::Capture { .. } => out.push('('),
                    GroupKind::Plain | GroupKind::Atomic => out.push_str("(?:"),
                }
                self.node(body, Level::Alternation, out);
                out.push(')');
            }
            Kind::Repeat(repeat) => {
                wrapped(level == Level::Atom, out, |out| self.repeat(repeat, out));
            }
            Kind::Concat(nodes) => {
                wrapped(level == Level::Atom, out, |out| self.sequence(nodes, out));
            }
            Kind::Alternate(nodes) => wrapped(level > Level::Alternation, out, |out| {
                for (index, node) in nodes.iter().enumerate() {
                    if index > 0 {
                        out.push('|');
                    }
                    self.node(node, Level::Sequence, out);
                }
            }),
        }
    }

    fn sequence(self, nodes: &[Node], out: &mut String) {
        let mut at = 0;
        while let Some(node) = nodes.get(at) {
            let rest = &nodes[at..];
            let other_case = rest
                .iter()
                .take_while(|node| self.is_other_case(node))
                .count();
            if other_case > 1 {
                let printer = Self {
                    fold: !self.fold,
                    ..self
                };
                out.push_str(if self.fold { "(?-i:" } else { "(?i:" });
                printer.sequence(&rest[..other_case], out);
                out.push(')');
                at += other_case;
            } else if let Some((text, count)) = self.non_ascii_run(rest) {
                out.push_str(&text);
                at += count;
            } else {
                let printer = self.followed_by(&nodes[at + 1..]);
                printer.node(node, Level::Sequence, out);
                at += 1;
            }
        }
    }

    /// Whether a node is a letter under the case rule that isn't that of the text.
    fn is_other_case(self, node: &Node) -> bool {
        match &node.kind {
            Kind::Literal { byte, fold } => byte.is_ascii_alphabetic() && *fold != self.fold,
            _ => false,
        }
    }

    /// The characters that the bytes here spell, for an engine that reads them.
    fn non_ascii_run(self, nodes: &[Node]) -> Option<(String, usize)> {
        if self.dialect != (Dialect::Re2 { encoded: false }) {
            return None;
        }
        let bytes: Vec<u8> = nodes
            .iter()
            .map_while(|node| match node.kind {
                Kind::Literal { byte, .. } if !byte.is_ascii() => Some(byte),
                _ => None,
            })
            .collect();
        let count = bytes.len();
        let text = String::from_utf8(bytes).ok()?;
        (count > 0).then_some((text, count))
    }

    fn any(self, newline: bool) -> &'static str {
        match self.dialect {
            SENT => "(?:%..|[^%])",
            // A path holds no line feed, which alone `.` leaves out.
            Dialect::Re2 { .. } => ".",
            Dialect::Rust if newline => r"[\x00-\xFF]",
            Dialect::Rust => r"[^\n]",
        }
    }

    fn assert(self, assert: Assert) -> &'static str {
        match assert {
            Assert::Start if self.dialect == Dialect::Rust => r"\A",
            Assert::Start => "^",
            Assert::End if self.dialect == Dialect::Rust => r"\z",
            Assert::End => "$",
            Assert::WordBoundary => r"\b",
            Assert::NotWordBoundary => r"\B",
        }
    }

    fn repeat(self, repeat: &Repeat, out: &mut String) {
        // Three characters that are sent for one are no more than any number. What follows must
        // not begin within them: there is an `entation` in `%3Entation`. And what takes one, and
        // no more if it can, would stop within them.
        let any_number = repeat.max.is_none()
            && repeat.min <= 1
            && !self.before_digit
            && !(repeat.min == 1 && repeat.mode == Mode::Lazy);
        let body = match repeat.max {
            Some(0 | 1) => self,
            _ => self.followed_by(std::slice::from_ref(&*repeat.body)),
        };
        let body = Self {
            before_digit: self.before_digit || body.before_digit,
            ..self
        };
        match &repeat.body.kind {
            Kind::Any { .. } if any_number && self.dialect == SENT => out.push('.'),
            Kind::Class(class) if any_number && takes_any_encoding(&class.set()) => {
                self.class(class, Level::Atom, out);
            }
            _ => body.node(&repeat.body, Level::Atom, out),
        }
        // Writing to a string cannot fail.
        let _ = match (repeat.min, repeat.max) {
            (0, None) => write!(out, "*"),
            (1, None) => write!(out, "+"),
            (0, Some(1)) => write!(out, "?"),
            (min, None) => write!(out, "{{{min},}}"),
            (min, Some(max)) if min == max => write!(out, "{{{min}}}"),
            (min, Some(max)) => write!(out, "{{{min},{max}}}"),
        };
        if repeat.mode == Mode::Lazy {
            out.push('?');
        }
    }

    fn literal(self, byte: u8, fold: bool, level: Level, out: &mut String) {
        let encoded = match self.dialect {
            Dialect::Re2 { encoded } => encoded,
            Dialect::Rust => return rust_literal(byte, fold, out),
        };
        if encoded && is_always_encoded(byte) {
            let text = self.encoded_text(byte);
            return wrapped(level == Level::Atom, out, |out| out.push_str(&text));
        }
        if encoded && may_be_encoded(byte) {
            let encoded = self.encoded_text(byte);
            let _ = write!(out, "(?:{}|{encoded})", re2_literal(byte));
            return;
        }
        let matters = byte.is_ascii_alphabetic() && fold != self.fold;
        scoped(matters, fold, out, &re2_literal(byte));
    }

    /// A byte as a request spells it, with hexadecimal digits of either case.
    fn encoded_text(self, byte: u8) -> String {
        let mut text = String::from("%");
        for digit in format!("{byte:02X}").chars() {
            if digit.is_ascii_digit() || self.fold {
                text.push(digit);
            } else {
                let _ = write!(text, "[{digit}{}]", digit.to_ascii_lowercase());
            }
        }
        text
    }

    /// One character as it is sent, but for those that the class leaves out.
    fn negated(self, class: &Class, out: &mut String) {
        let mut raw = class.clone();
        if class.set().contains(b'%') {
            raw.items.push(Item::Byte(b'%'));
        }
        let encoded = self.encoded_but(&excluded(class));
        wrapped(encoded.is_some(), out, |out| {
            if let Some(encoded) = encoded {
                out.push_str(&encoded);
                out.push('|');
            }
            self.class(&raw, Level::Alternation, out);
        });
    }

    /// What is sent encoded, but for some bytes; `None` when nothing is left.
    fn encoded_but(self, excluded: &ByteSet) -> Option<String> {
        if excluded.is_empty() {
            return Some("%..".to_owned());
        }
        if (0..=u8::MAX).all(|byte| !is_sent_encoded(byte) || excluded.contains(byte)) {
            return None;
        }
        let digits = |digits: &[u8]| -> String {
            let text = digits.iter().map(|digit| format!("{digit:X}"));
            let both = text.map(|upper| match upper.to_ascii_lowercase() {
                lower if lower == upper || self.fold => upper,
                lower => upper + &lower,
            });
            both.collect()
        };
        let low = |high: u8| -> Vec<u8> {
            let low = 0..16;
            low.filter(|low| excluded.contains(high << 4 | low))
                .collect()
        };
        let high: Vec<u8> = (0..16).filter(|high| !low(*high).is_empty()).collect();
        let mut choices = vec![format!("[^{}].", digits(&high))];
        for high in high {
            let low = low(high);
            if low.len() < 16 {
                let first = digits(&[high]);
                let first = if first.len() > 1 {
                    format!("[{first}]")
                } else {
                    first
                };
                choices.push(format!("{first}[^{}]", digits(&low)));
            }
        }
        Some(format!("%(?:{})", choices.join("|")))
    }

    fn class(self, class: &Class, level: Level, out: &mut String) {
        let set = class.set();
        let encoded = match self.dialect {
            Dialect::Re2 { encoded } => encoded,
            Dialect::Rust => return rust_class(&set, out),
        };
        if set.is_empty() {
            return out.push_str(r"[^\s\S]");
        }
        let unfolded = ByteSet::EMPTY;
        let unfolded = class
            .items
            .iter()
            .fold(unfolded, |all, item| all.union(&item.set()));
        let matters = unfolded.fold() != unfolded && class.fold != self.fold;
        let sent: Vec<u8> = set.iter().filter(|byte| is_sent_encoded(*byte)).collect();
        if !encoded || names_too_many(class) || sent.is_empty() {
            return scoped(matters, class.fold, out, &as_written(class));
        }
        let raw: Vec<Item> = class.items.iter().filter_map(raw_item).collect();
        let mut choices = Vec::new();
        if !raw.is_empty() {
            let raw = Class {
                items: raw,
                ..class.clone()
            };
            let mut text = String::new();
            scoped(matters, class.fold, &mut text, &as_written(&raw));
            choices.push(text);
        }
        choices.extend(sent.into_iter().map(|byte| self.encoded_text(byte)));
        let group = choices.len() > 1 || level == Level::Atom;
        wrapped(group, out, |out| out.push_str(&choices.join("|")));
    }
}

/// Whether a class is described by what it leaves out.
fn names_too_many(class: &Class) -> bool {
    let set = class.set();
    let encoded = set.iter().filter(|byte| is_always_encoded(*byte)).count();
    class.negated || encoded > MAX_ENCODED
}

/// The same class, as a negated one.
fn leaving_out(class: &Class) -> Class {
    if class.negated {
        return class.clone();
    }
    Class {
        negated: true,
        items: vec![Item::Set(class.set().complement())],
        fold: class.fold,
    }
}

/// The bytes that may be sent encoded and that a negated class leaves out.
fn excluded(class: &Class) -> ByteSet {
    let mut excluded = ByteSet::EMPTY;
    let set = class.set();
    for byte in (0..=u8::MAX).filter(|byte| is_sent_encoded(*byte) && !set.contains(*byte)) {
        excluded.insert(byte);
    }
    excluded
}

/// The text, under the other case rule if that `matters`.
fn scoped(matters: bool, fold: bool, out: &mut String, text: &str) {
    if !matters {
        return out.push_str(text);
    }
    out.push_str(if fold { "(?i:" } else { "(?-i:" });
    out.push_str(text);
    out.push(')');
}

fn wrapped(group: bool, out: &mut String, inner: impl FnOnce(&mut String)) {
    if group {
        out.push_str("(?:");
    }
    inner(out);
    if group {
        out.push(')');
    }
}

/// What is left of an entry when the bytes are taken out that are never sent raw.
fn raw_item(item: &Item) -> Option<Item> {
    let mut raw = ByteSet::EMPTY;
    for byte in item.set().iter().filter(|byte| !is_always_encoded(*byte)) {
        raw.insert(byte);
    }
    match item {
        _ if raw.is_empty() => None,
        _ if raw == item.set() => Some(item.clone()),
        _ => Some(Item::Set(raw)),
    }
}

fn as_written(class: &Class) -> String {
    if let ([Item::Shorthand(shorthand)], false) = (class.items.as_slice(), class.negated) {
        return shorthand.text().to_owned();
    }
    let mut out = String::from(if class.negated { "[^" } else { "[" });
    for item in &class.items {
        match item {
            Item::Byte(byte) => out.push_str(&class_byte(*byte)),
            Item::Range(first, last) => push_range(*first, *last, &mut out),
            Item::Shorthand(shorthand) => out.push_str(shorthand.text()),
            Item::Set(set) => {
                for range in set.ranges() {
                    push_range(*range.start(), *range.end(), &mut out);
                }
            }
        }
    }
    out.push(']');
    out
}

fn push_range(first: u8, last: u8, out: &mut String) {
    out.push_str(&class_byte(first));
    if last > first {
        if last > first + 1 {
            out.push('-');
        }
        out.push_str(&class_byte(last));
    }
}

fn class_byte(byte: u8) -> String {
    match byte {
        b'\\' | b']' | b'[' | b'^' | b'-' => format!("\\{}", char::from(byte)),
        _ => visible(byte),
    }
}

/// A byte that stands for itself, escaped where RE2 would read it otherwise.
pub(super) fn re2_literal(byte: u8) -> String {
    match byte {
        b'\\' | b'.' | b'+' | b'*' | b'?' | b'(' | b')' | b'|' | b'[' | b']' | b'{' | b'}'
        | b'^' | b'$' => format!("\\{}", char::from(byte)),
        _ => visible(byte),
    }
}

fn visible(byte: u8) -> String {
    match byte {
        b'\t' => r"\t".to_owned(),
        b'\n' => r"\n".to_owned(),
        b'\r' => r"\r".to_owned(),
        b' '..=b'~' => char::from(byte).to_string(),
        _ => format!("\\x{{{byte:02X}}}"),
    }
}

fn rust_literal(byte: u8, fold: bool, out: &mut String) {
    if fold && byte.is_ascii_alphabetic() {
        out.extend(['[', char::from(byte), char::from(byte ^ 0x20), ']']);
    } else if byte.is_ascii_alphanumeric() || byte == b'/' {
        out.push(char::from(byte));
    } else {
        let _ = write!(out, "\\x{byte:02X}");
    }
}

fn rust_class(set: &ByteSet, out: &mut String) {
    if set.is_empty() {
        return out.push_str(r"[^\x00-\xFF]");
    }
    out.push('[');
    for range in set.ranges() {
        let _ = write!(out, "\\x{:02X}-\\x{:02X}", range.start(), range.end());
    }
    out.push(']');
}

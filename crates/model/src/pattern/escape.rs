//! Escapes: what follows a backslash.

use super::ast::{Assert, Class, Foreign, Item, Kind, Node, Shorthand};
use super::parse::{Parser, Result, Target};
use super::set::ByteSet;

const LINE: &str = "a request path holds no line break; leave it out";
const PROPERTY: &str = "name the characters themselves, such as `[A-Za-z]`";

/// The meaning of one escape.
#[derive(Debug)]
pub(super) enum Escape {
    Byte(u8),
    /// A character that stands for itself, as `\/` does.
    Char(char),
    Class {
        item: Item,
        negated: bool,
    },
    Any {
        newline: bool,
    },
    Assert(Assert),
    Foreign(Foreign),
    /// `\Q`: everything up to `\E` is literal.
    Quote,
    /// A stray `\E`.
    EndQuote,
    /// `\K` moves the start of the reported match, which nginx never uses.
    ResetStart,
}

impl Parser<'_> {
    /// Reads an escape outside a class; the backslash is behind us.
    pub(super) fn escape_item(
        &mut self,
        start: usize,
        nodes: &mut Vec<Node>,
        repeatable: &mut bool,
    ) -> Result<()> {
        let kind = match self.escape(start, false)? {
            Escape::Quote => {
                self.quoted(nodes, repeatable);
                return Ok(());
            }
            Escape::EndQuote => return Ok(()),
            Escape::ResetStart => {
                *repeatable = false;
                return Ok(());
            }
            Escape::Char(char) => {
                self.literal(char, start, nodes);
                *repeatable = true;
                return Ok(());
            }
            Escape::Byte(byte) => self.byte(byte),
            Escape::Class { item, negated } => Kind::Class(Class {
                negated,
                items: vec![item],
                // A named set is closed under case, or is meant as it stands.
                fold: false,
            }),
            Escape::Any { newline } => Kind::Any { newline },
            Escape::Assert(assert) => Kind::Assert(assert),
            Escape::Foreign(foreign) => Kind::Foreign(foreign),
        };
        *repeatable = !matches!(kind, Kind::Assert(_));
        nodes.push(Node::new(kind, start..self.at));
        Ok(())
    }

    fn quoted(&mut self, nodes: &mut Vec<Node>, repeatable: &mut bool) {
        while self.at < self.text.len() && !self.eat(r"\E") {
            let start = self.at;
            if let Some(char) = self.next_char() {
                self.literal(char, start, nodes);
                *repeatable = true;
            }
        }
    }

    /// Reads the escape whose backslash, at `start`, is behind us.
    pub(super) fn escape(&mut self, start: usize, in_class: bool) -> Result<Escape> {
        let Some(char) = self.next_char() else {
            return self.error(start, "a backslash at the end");
        };
        let class = |item, negated| Escape::Class { item, negated };
        let shorthand = |shorthand| class(Item::Shorthand(shorthand), false);
        Ok(match char {
            'a' => Escape::Byte(0x07),
            'e' => Escape::Byte(0x1b),
            'f' => Escape::Byte(0x0c),
            'n' => Escape::Byte(b'\n'),
            'r' => Escape::Byte(b'\r'),
            't' => Escape::Byte(b'\t'),
            'b' if in_class => Escape::Byte(0x08),
            'c' => self.control(start)?,
            '0' => {
                self.at -= 1;
                self.octal(start)?
            }
            '1'..='9' => {
                self.at -= 1;
                self.number(start, in_class)?
            }
            'o' => self.braced_octal(start)?,
            'x' => self.hexadecimal(start)?,
            'd' => shorthand(Shorthand::Digit),
            'D' => shorthand(Shorthand::NotDigit),
            'w' => shorthand(Shorthand::Word),
            'W' => shorthand(Shorthand::NotWord),
            's' => class(Item::Set(white_space()), false),
            'S' => class(Item::Set(white_space()), true),
            'h' => class(Item::Set(horizontal()), false),
            'H' => class(Item::Set(horizontal()), true),
            'v' => class(Item::Set(vertical()), false),
            'V' => class(Item::Set(vertical()), true),
            'E' => Escape::EndQuote,
            'Q' => Escape::Quote,
            'p' | 'P' => self.property(start)?,
            'N' if self.named_code_point() => {
                return self.error(start, r"PCRE has no `\N{…}`");
            }
            'L' | 'l' | 'U' | 'u' => {
                return self.error(start, format!(r"PCRE has no `\{char}`"));
            }
            'N' if in_class => return self.error(start, r"`\N` in a class"),
            _ if in_class => Escape::Char(char),
            'A' | 'G' => Escape::Assert(Assert::Start),
            // PCRE lets `$` and `\Z` match before a final line feed as well. A path
            // as Envoy sees it holds none: there it is written `%0A`.
            'Z' | 'z' => Escape::Assert(Assert::End),
            'b' => Escape::Assert(Assert::WordBoundary),
            'B' => Escape::Assert(Assert::NotWordBoundary),
            'C' => Escape::Any { newline: true },
            'N' => Escape::Any { newline: false },
            'K' => Escape::ResetStart,
            'R' => foreign(r"newline sequence (`\R`)", LINE),
            'X' => foreign(r"grapheme cluster (`\X`)", "write `.` for one character"),
            'g' => self.reference(start)?,
            'k' => self.named_reference(start)?,
            // PCRE 8 gives every other escape the meaning of its character.
            other => Escape::Char(other),
        })
    }

    /// Whether `{` after `\N` begins a name rather than a repeat count.
    fn named_code_point(&self) -> bool {
        self.peek() == Some(b'{') && self.braces().is_none()
    }

    fn control(&mut self, start: usize) -> Result<Escape> {
        match self.next_char() {
            Some(char) if char.is_ascii() => {
                // `as` cannot lose anything: the character is ASCII.
                Ok(Escape::Byte((char as u8).to_ascii_uppercase() ^ 0x40))
            }
            Some(_) => self.error(start, r"`\c` before a character that is not ASCII"),
            None => self.error(start, r"`\c` at the end"),
        }
    }

    /// Up to three octal digits.
    fn octal(&mut self, start: usize) -> Result<Escape> {
        let mut value = 0;
        for _ in 0..3 {
            let Some(digit @ b'0'..=b'7') = self.peek() else {
                break;
            };
            value = value * 8 + u32::from(digit - b'0');
            self.at += 1;
        }
        self.code(start, Some(value))
    }

    /// A digit other than 0: a back-reference if there are that many groups so far,
    /// or for one digit below 8 in any case; else octal; else the digit itself.
    fn number(&mut self, start: usize, in_class: bool) -> Result<Escape> {
        let rest = &self.text[self.at..];
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: u32 = match rest[..digits].parse() {
            Ok(number) => number,
            Err(_) => return self.error(start, "the number of a group is too large"),
        };
        if !in_class && (number < 8 || number <= self.groups) {
            self.at += digits;
            return Ok(self.back_reference(start, Target::Number(number)));
        }
        if matches!(self.peek(), Some(b'8' | b'9')) {
            return Ok(self.next_char().map_or(Escape::EndQuote, Escape::Char));
        }
        self.octal(start)
    }

    fn braced_octal(&mut self, start: usize) -> Result<Escape> {
        let Some(digits) = self.braced() else {
            return self.error(start, r"`\o` without digits in braces");
        };
        self.code(start, u32::from_str_radix(&digits, 8).ok())
    }

    fn hexadecimal(&mut self, start: usize) -> Result<Escape> {
        if self.peek() == Some(b'{') {
            let Some(digits) = self.braced() else {
                return self.error(start, r"`\x{` without its closing brace");
            };
            return self.code(start, u32::from_str_radix(&digits, 16).ok());
        }
        let rest = &self.text[self.at..];
        let digits = rest
            .bytes()
            .take(2)
            .take_while(u8::is_ascii_hexdigit)
            .count();
        self.at += digits;
        let value = u32::from_str_radix(&rest[..digits], 16).unwrap_or(0);
        self.code(start, Some(value))
    }

    fn code(&self, start: usize, value: Option<u32>) -> Result<Escape> {
        match value {
            None => self.error(start, "a character code that is not a number"),
            Some(value) => match u8::try_from(value) {
                Ok(byte) => Ok(Escape::Byte(byte)),
                Err(_) => self.error(start, "a character code above 255"),
            },
        }
    }

    /// The text between braces here.
    fn braced(&mut self) -> Option<String> {
        let rest = self.text[self.at..].strip_prefix('{')?;
        let inner = &rest[..rest.find('}')?];
        self.at += inner.len() + 2;
        // A sign would be read as part of the number.
        (!inner.is_empty() && inner.bytes().all(|b| b.is_ascii_alphanumeric()))
            .then(|| inner.to_owned())
    }

    fn property(&mut self, start: usize) -> Result<Escape> {
        let name = if self.peek() == Some(b'{') {
            self.braced_property()
        } else {
            self.next_char().map(String::from)
        };
        match name {
            Some(name) if is_property(&name) => Ok(foreign("Unicode property", PROPERTY)),
            _ => self.error(start, "an unknown Unicode property"),
        }
    }

    fn braced_property(&mut self) -> Option<String> {
        let rest = self.text[self.at..].strip_prefix('{')?;
        let inner = &rest[..rest.find('}')?];
        self.at += inner.len() + 2;
        Some(inner.trim_start_matches('^').to_owned())
    }
}

pub(super) fn foreign(construct: &'static str, help: &'static str) -> Escape {
    Escape::Foreign(Foreign { construct, help })
}

/// The general categories; scripts have longer names and are taken on trust.
fn is_property(name: &str) -> bool {
    const CATEGORIES: &[&str] = &[
        "Any", "C", "Cc", "Cf", "Cn", "Co", "Cs", "L", "L&", "Ll", "Lm", "Lo", "Lt", "Lu", "M",
        "Mc", "Me", "Mn", "N", "Nd", "Nl", "No", "P", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps",
        "S", "Sc", "Sk", "Sm", "So", "Xan", "Xps", "Xsp", "Xuc", "Xwd", "Z", "Zl", "Zp", "Zs",
    ];
    CATEGORIES.contains(&name) || SCRIPTS.contains(&name)
}

/// The scripts that one meets; a rarer one is reported as unknown.
const SCRIPTS: &[&str] = &[
    "Arabic",
    "Armenian",
    "Bengali",
    "Common",
    "Cyrillic",
    "Devanagari",
    "Georgian",
    "Greek",
    "Hangul",
    "Han",
    "Hebrew",
    "Hiragana",
    "Inherited",
    "Katakana",
    "Latin",
    "Tamil",
    "Thai",
];

/// `\s`: since PCRE 8.34 with the vertical tab, which RE2's leaves out.
fn white_space() -> ByteSet {
    ByteSet::of(&[b'\t'..=b'\r', b' '..=b' '])
}

fn horizontal() -> ByteSet {
    ByteSet::of(&[b'\t'..=b'\t', b' '..=b' ', 0xa0..=0xa0])
}

fn vertical() -> ByteSet {
    ByteSet::of(&[b'\n'..=b'\r', 0x85..=0x85])
}

//! Classes: `[…]`.

use super::ast::{Class, Foreign, Item, Kind};
use super::escape::Escape;
use super::parse::{Parser, Result};
use super::set::ByteSet;

/// One entry, and whether it may begin or end a range.
enum Entry {
    Byte(u8),
    /// A non-ASCII character: as many bytes, each of them a member.
    Char(char),
    Item(Item),
    Foreign(Foreign),
    Nothing,
}

impl Parser<'_> {
    /// Reads a class; its opening bracket, at `start`, is behind us.
    pub(super) fn class(&mut self, start: usize) -> Result<Kind> {
        if let Some(boundary) = self.word_edge() {
            return Ok(boundary);
        }
        self.refuse_bare_posix(start)?;
        let negated = self.eat("^");
        let mut items = Vec::new();
        let mut first = true;
        let mut quoted = false;
        let mut foreign = None;
        loop {
            if quoted && self.eat(r"\E") {
                quoted = false;
                continue;
            }
            if self.at >= self.text.len() {
                return self.error(start, "a class without its closing bracket");
            }
            if !quoted && !first && self.eat("]") {
                break;
            }
            let at = self.at;
            match self.entry(&mut quoted)? {
                // Only what is a member ends the special place of a first `]`.
                Entry::Nothing => continue,
                // PCRE 8 reads a hyphen after a set as itself: `[\d-z]`.
                Entry::Item(item) => items.push(item),
                Entry::Foreign(found) => foreign = Some(found),
                // Only the last byte of a character may begin a range.
                Entry::Char(char) => {
                    Self::add_char(char, &mut items);
                    if let Some(Item::Byte(last)) = items.pop() {
                        self.add_byte(at, last, &mut quoted, &mut items)?;
                    }
                }
                Entry::Byte(byte) => self.add_byte(at, byte, &mut quoted, &mut items)?,
            }
            first = false;
        }
        if let Some(foreign) = foreign {
            return Ok(Kind::Foreign(foreign));
        }
        Ok(Kind::Class(Class {
            negated,
            items,
            fold: self.flags.fold,
        }))
    }

    fn add_char(char: char, items: &mut Vec<Item>) {
        let mut buffer = [0; 4];
        let bytes = char.encode_utf8(&mut buffer).as_bytes();
        items.extend(bytes.iter().map(|byte| Item::Byte(*byte)));
    }

    /// Adds a byte, or the range that begins with it.
    fn add_byte(
        &mut self,
        start: usize,
        byte: u8,
        quoted: &mut bool,
        items: &mut Vec<Item>,
    ) -> Result<()> {
        while *quoted && self.eat(r"\E") {
            *quoted = false;
        }
        let ranged = !*quoted && self.peek() == Some(b'-') && self.peek_at(1) != Some(b']');
        if !ranged || self.at + 1 >= self.text.len() {
            items.push(Item::Byte(byte));
            return Ok(());
        }
        self.at += 1;
        loop {
            match self.entry(quoted)? {
                Entry::Nothing if self.peek() == Some(b']') && !*quoted => {
                    items.extend([Item::Byte(byte), Item::Byte(b'-')]);
                    return Ok(());
                }
                Entry::Nothing if self.at < self.text.len() => {}
                Entry::Nothing => return self.error(start, "a range without an end"),
                Entry::Byte(last) if last < byte => {
                    return self.error(start, "a range out of order");
                }
                Entry::Byte(last) => {
                    items.push(Item::Range(byte, last));
                    return Ok(());
                }
                // The range ends at the first byte of the character.
                Entry::Char(char) => {
                    let mut rest = Vec::new();
                    Self::add_char(char, &mut rest);
                    if let Some(Item::Byte(last)) = rest.first() {
                        if *last < byte {
                            return self.error(start, "a range out of order");
                        }
                        items.push(Item::Range(byte, *last));
                    }
                    items.extend(rest.into_iter().skip(1));
                    return Ok(());
                }
                Entry::Item(_) | Entry::Foreign(_) => {
                    return self.error(start, "a range that ends with a set");
                }
            }
        }
    }

    fn entry(&mut self, quoted: &mut bool) -> Result<Entry> {
        let start = self.at;
        if !*quoted && let Some(item) = self.posix(start)? {
            return Ok(Entry::Item(item));
        }
        let Some(char) = self.next_char() else {
            return Ok(Entry::Nothing);
        };
        if char != '\\' || *quoted {
            return Ok(of_char(char));
        }
        Ok(match self.escape(start, true)? {
            Escape::Byte(byte) => Entry::Byte(byte),
            Escape::Char(char) => of_char(char),
            Escape::Class { item, negated } => Entry::Item(if negated {
                Item::Set(item.set().complement())
            } else {
                item
            }),
            Escape::Quote => {
                *quoted = true;
                Entry::Nothing
            }
            Escape::EndQuote => Entry::Nothing,
            Escape::Foreign(foreign) => Entry::Foreign(foreign),
            Escape::Any { .. } | Escape::Assert(_) | Escape::ResetStart => Entry::Nothing,
        })
    }

    /// `[[:<:]]` and `[[:>:]]`, PCRE's old word edges.
    fn word_edge(&mut self) -> Option<Kind> {
        (self.eat("[:<:]]") || self.eat("[:>:]]")).then_some(Kind::Foreign(Foreign {
            construct: "word edge",
            help: r"write `\b`",
        }))
    }

    /// `[:alpha:]` that isn't inside a class.
    fn refuse_bare_posix(&mut self, start: usize) -> Result<()> {
        for mark in [':', '.', '='] {
            let rest = &self.text[self.at..];
            if let Some(inner) = rest.strip_prefix(mark)
                && let Some(end) = inner.find(&format!("{mark}]"))
                && inner[..end]
                    .bytes()
                    .all(|b| b.is_ascii_alphabetic() || b == b'^')
            {
                self.at += end + 3;
                return self.error(start, "a POSIX class outside of brackets");
            }
        }
        Ok(())
    }

    fn posix(&mut self, start: usize) -> Result<Option<Item>> {
        let rest = &self.text[self.at..];
        for mark in [".", "="] {
            if let Some(inner) = rest.strip_prefix('[').and_then(|r| r.strip_prefix(mark))
                && let Some(end) = inner.find(&format!("{mark}]"))
                && !inner[..end].contains(']')
            {
                self.at += end + 4;
                return self.error(start, "a POSIX collating element");
            }
        }
        let Some(inner) = rest.strip_prefix("[:") else {
            return Ok(None);
        };
        let Some(end) = inner.find(":]") else {
            return Ok(None);
        };
        let name = &inner[..end];
        let (negated, bare) = match name.strip_prefix('^') {
            Some(bare) => (true, bare),
            None => (false, name),
        };
        if !bare.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            return Ok(None);
        }
        self.at += end + 4;
        let Some(mut set) = posix_set(bare) else {
            return self.error(start, format!("there is no POSIX class `{bare}`"));
        };
        if self.flags.fold {
            set = set.fold();
        }
        Ok(Some(Item::Set(if negated {
            set.complement()
        } else {
            set
        })))
    }
}

fn of_char(char: char) -> Entry {
    match u8::try_from(char) {
        Ok(byte) if byte.is_ascii() => Entry::Byte(byte),
        _ => Entry::Char(char),
    }
}

fn posix_set(name: &str) -> Option<ByteSet> {
    Some(match name {
        "alnum" => ByteSet::of(&[b'0'..=b'9', b'A'..=b'Z', b'a'..=b'z']),
        "alpha" => ByteSet::of(&[b'A'..=b'Z', b'a'..=b'z']),
        "ascii" => ByteSet::of(&[0..=0x7f]),
        "blank" => ByteSet::of(&[b'\t'..=b'\t', b' '..=b' ']),
        "cntrl" => ByteSet::of(&[0..=0x1f, 0x7f..=0x7f]),
        "digit" => ByteSet::of(&[b'0'..=b'9']),
        "graph" => ByteSet::of(&[b'!'..=b'~']),
        "lower" => ByteSet::of(&[b'a'..=b'z']),
        "print" => ByteSet::of(&[b' '..=b'~']),
        "punct" => ByteSet::of(&[b'!'..=b'/', b':'..=b'@', b'['..=b'`', b'{'..=b'~']),
        "space" => ByteSet::of(&[b'\t'..=b'\r', b' '..=b' ']),
        "upper" => ByteSet::of(&[b'A'..=b'Z']),
        "word" => ByteSet::of(&[b'0'..=b'9', b'A'..=b'Z', b'_'..=b'_', b'a'..=b'z']),
        "xdigit" => ByteSet::of(&[b'0'..=b'9', b'A'..=b'F', b'a'..=b'f']),
        _ => return None,
    })
}

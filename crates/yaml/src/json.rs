//! JSON with positions, as Go's decoder reads it.

use gatewright_diagnostics::Diagnostic;
use gatewright_source::{FileId, Span, Spanned};

use crate::dedup;
use crate::fault::{Fault, MAX_DEPTH, too_deep};
use crate::node::{Entry, Mapping, Node, Value};

/// Skips what Go calls white space in JSON.
pub(crate) fn trim_start(text: &str) -> &str {
    text.trim_start_matches([' ', '\t', '\r', '\n'])
}

/// A value, where it ends, and what was found on the way.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) root: Node,
    pub(crate) end: usize,
    pub(crate) warnings: Vec<Diagnostic>,
}

/// Reads the value that starts at byte `at`.
pub(crate) fn read(file: FileId, text: &str, at: usize) -> Result<Read, Fault> {
    let mut reader = Reader {
        file,
        text,
        at,
        warnings: Vec::new(),
    };
    let root = reader.value()?;
    Ok(Read {
        root,
        end: reader.at,
        warnings: reader.warnings,
    })
}

struct Reader<'a> {
    file: FileId,
    text: &'a str,
    at: usize,
    warnings: Vec<Diagnostic>,
}

/// A collection that is not closed yet.
struct Open {
    start: usize,
    content: Content,
}

enum Content {
    /// The entries so far, and the key whose value is next.
    Object(Vec<Entry>, Spanned<String>),
    Array(Vec<Node>),
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn span(&self, start: usize) -> Span {
        let clip = |at| u32::try_from(at).unwrap_or(u32::MAX);
        Span::new(self.file, clip(start), clip(self.at))
    }

    /// "Found this, expected that", at the character that is next.
    fn unexpected(&self, expected: &str) -> Fault {
        match self.text[self.at..].chars().next() {
            Some(c) => Fault::syntax(
                self.at..self.at + c.len_utf8(),
                format!("in JSON, {expected} is expected here, not {}", shown(c)),
            ),
            None => Fault::syntax(
                self.at..self.at,
                format!("the JSON text ends where {expected} is expected"),
            ),
        }
    }

    /// Reads a value without recursion, so that no nesting can exhaust the stack.
    fn value(&mut self) -> Result<Node, Fault> {
        let mut stack: Vec<Open> = Vec::new();
        loop {
            self.skip_space();
            let start = self.at;
            let value = match self.peek() {
                Some(b'{') => {
                    self.open(stack.len())?;
                    if self.peek() != Some(b'}') {
                        let content = Content::Object(Vec::new(), self.key()?);
                        stack.push(Open { start, content });
                        continue;
                    }
                    self.at += 1;
                    Value::Mapping(Mapping::default())
                }
                Some(b'[') => {
                    self.open(stack.len())?;
                    if self.peek() != Some(b']') {
                        let content = Content::Array(Vec::new());
                        stack.push(Open { start, content });
                        continue;
                    }
                    self.at += 1;
                    Value::Sequence(Vec::new())
                }
                Some(b'"') => Value::String(self.string()?),
                Some(b'-' | b'0'..=b'9') => self.number()?,
                _ => self.word()?,
            };
            let node = Node::new(value, self.span(start));
            if let Some(root) = self.close(node, &mut stack)? {
                return Ok(root);
            }
        }
    }

    fn open(&mut self, depth: usize) -> Result<(), Fault> {
        if depth == MAX_DEPTH {
            return Err(too_deep(self.at..self.at + 1));
        }
        self.at += 1;
        self.skip_space();
        Ok(())
    }

    /// Puts a value where it belongs, and closes what ends behind it. Gives back the root when
    /// nothing is open any more.
    fn close(&mut self, mut node: Node, stack: &mut Vec<Open>) -> Result<Option<Node>, Fault> {
        while let Some(Open { start, content }) = stack.pop() {
            self.skip_space();
            let next = self.peek();
            let (value, expected) = match content {
                Content::Object(mut entries, key) => {
                    entries.push(Entry { key, value: node });
                    if next == Some(b',') {
                        self.at += 1;
                        self.skip_space();
                        let content = Content::Object(entries, self.key()?);
                        stack.push(Open { start, content });
                        return Ok(None);
                    }
                    let entries = dedup::last_wins(entries, &[], &mut self.warnings);
                    (Value::Mapping(Mapping { entries }), (b'}', "`,` or `}`"))
                }
                Content::Array(mut items) => {
                    items.push(node);
                    if next == Some(b',') {
                        self.at += 1;
                        let content = Content::Array(items);
                        stack.push(Open { start, content });
                        return Ok(None);
                    }
                    (Value::Sequence(items), (b']', "`,` or `]`"))
                }
            };
            if next != Some(expected.0) {
                return Err(self.unexpected(expected.1));
            }
            self.at += 1;
            node = Node::new(value, self.span(start));
        }
        Ok(Some(node))
    }

    /// A key and its colon.
    fn key(&mut self) -> Result<Spanned<String>, Fault> {
        if self.peek() != Some(b'"') {
            return Err(self.unexpected("a key in double quotes"));
        }
        let start = self.at;
        let key = Spanned::new(self.string()?, self.span(start));
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.unexpected("`:`"));
        }
        self.at += 1;
        Ok(key)
    }

    fn word(&mut self) -> Result<Value, Fault> {
        let rest = &self.text[self.at..];
        for (word, value) in [
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
            ("null", Value::Null),
        ] {
            if rest.starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(self.unexpected("a value"))
    }

    fn number(&mut self) -> Result<Value, Fault> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        let mut whole = true;
        if self.peek() == Some(b'.') {
            whole = false;
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            whole = false;
            self.at += 1;
            if matches!(self.peek(), Some(b'-' | b'+')) {
                self.at += 1;
            }
            self.digits()?;
        }
        let text = &self.text[start..self.at];
        if whole && let Ok(value) = text.parse() {
            return Ok(Value::Int(value));
        }
        if whole && let Ok(value) = text.parse() {
            return Ok(Value::Uint(value));
        }
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Value::Float(value)),
            _ => Err(Fault::syntax(start..self.at, "the number is too large")),
        }
    }

    fn digits(&mut self) -> Result<(), Fault> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.unexpected("a digit"));
        }
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        Ok(())
    }

    fn string(&mut self) -> Result<String, Fault> {
        self.at += 1;
        let mut value = String::new();
        loop {
            let rest = &self.text.as_bytes()[self.at..];
            let plain = rest
                .iter()
                .position(|&b| b == b'"' || b == b'\\' || b < b' ');
            let end = self.at + plain.unwrap_or(rest.len());
            value.push_str(&self.text[self.at..end]);
            self.at = end;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(value);
                }
                Some(b'\\') => value.push(self.escape()?),
                Some(_) => {
                    return Err(Fault::syntax(
                        end..end + 1,
                        "a JSON string cannot hold a line break or control character",
                    )
                    .help("write it as an escape such as `\\n`"));
                }
                None => return Err(self.unexpected("the closing `\"`")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Fault> {
        let start = self.at;
        self.at += 1;
        let c = match self.peek() {
            Some(c @ (b'"' | b'\\' | b'/')) => char::from(c),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at = start;
                return self.unicode();
            }
            _ => return Err(self.unexpected("one of the escapes `\"\\/bfnrtu`")),
        };
        self.at += 1;
        Ok(c)
    }

    /// `\uXXXX`, two of them for a surrogate pair. Go reads a lone surrogate as U+FFFD.
    fn unicode(&mut self) -> Result<char, Fault> {
        let Some(first) = self.unit(self.at) else {
            self.at += 2;
            return Err(self.unexpected("an escape of four hexadecimal digits"));
        };
        self.at += 6;
        if let Some(c) = char::from_u32(first) {
            return Ok(c);
        }
        if let (0xd800..=0xdbff, Some(second @ 0xdc00..=0xdfff)) = (first, self.unit(self.at)) {
            self.at += 6;
            let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn unit(&self, at: usize) -> Option<u32> {
        let digits = self.text.get(at..at + 6)?.strip_prefix("\\u")?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        u32::from_str_radix(digits, 16).ok()
    }
}

/// A character in backticks, as it is unless it would not show.
fn shown(c: char) -> String {
    if c.is_control() {
        format!("`{}`", c.escape_debug())
    } else {
        format!("`{c}`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &Value) {
        let read = read(FileId(0), text, 0).unwrap();
        assert_eq!(&read.root.value, expect, "{text}");
        assert_eq!(read.end, text.len());
    }

    fn refused(text: &str, at: usize, message: &str) {
        let fault = read(FileId(0), text, 0).unwrap_err();
        assert_eq!(
            (fault.range.start, fault.message.as_str()),
            (at, message),
            "{text}"
        );
    }

    #[test]
    fn values_are_read() {
        check("-12", &Value::Int(-12));
        check("1.0", &Value::Float(1.0));
        check("18446744073709551615", &Value::Uint(u64::MAX));
        check("true", &Value::Bool(true));
        check("[\t]", &Value::Sequence(Vec::new()));
        check("{\n\t}", &Value::Mapping(Mapping::default()));
        let text = |text: &str| Value::String(text.to_owned());
        check(r#""a\/\u00e9\ud83d\ude00\n""#, &text("a/é😀\n"));
        check(r#""\ud83dx""#, &text("\u{fffd}x"));
    }

    #[test]
    fn faults_have_places() {
        refused("{\"a\" 1}", 5, "in JSON, `:` is expected here, not `1`");
        refused(
            "{\"a\": 1",
            7,
            "the JSON text ends where `,` or `}` is expected",
        );
        refused("[1,]", 3, "in JSON, a value is expected here, not `]`");
        refused(
            "\"\\x\"",
            2,
            "in JSON, one of the escapes `\"\\/bfnrtu` is expected here, not `x`",
        );
        refused(
            "\"\\u12\"",
            3,
            "in JSON, an escape of four hexadecimal digits is expected here, not `1`",
        );
        refused("1.x", 2, "in JSON, a digit is expected here, not `x`");
        let deep = "[".repeat(100_000);
        assert_eq!(
            read(FileId(0), &deep, 0).unwrap_err().range.start,
            MAX_DEPTH
        );
    }
}

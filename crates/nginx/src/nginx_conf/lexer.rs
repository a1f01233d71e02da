//! Words, semicolons and braces.

use std::ops::Range;

use super::ast::{Fault, Word};

/// A token, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// A name or an argument.
    Word(Word),
    /// `;`
    End(usize),
    /// `{`
    Open(usize),
    /// `}`
    Close(usize),
}

/// The tokens of a text.
pub(crate) struct Lexer<'a> {
    text: &'a str,
    at: usize,
    /// What could not be read so far.
    pub(crate) faults: Vec<Fault>,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            faults: Vec::new(),
        }
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    /// The next token.
    pub(crate) fn next(&mut self) -> Option<Token> {
        loop {
            let start = self.at;
            match self.peek()? {
                ' ' | '\t' | '\r' | '\n' => self.at += 1,
                '#' => self.comment(),
                ';' => {
                    self.at += 1;
                    return Some(Token::End(start));
                }
                '{' => {
                    self.at += 1;
                    return Some(Token::Open(start));
                }
                '}' => {
                    self.at += 1;
                    return Some(Token::Close(start));
                }
                quote @ ('"' | '\'') => return Some(Token::Word(self.quoted(quote))),
                _ => return Some(Token::Word(self.bare())),
            }
        }
    }

    fn comment(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.find('\n').unwrap_or(rest.len());
    }

    fn quoted(&mut self, quote: char) -> Word {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        while let Some(next) = self.bump() {
            if next == quote {
                let range = start..self.at;
                let apart = |c| matches!(c, ' ' | '\t' | '\r' | '\n' | ';' | '{' | ')');
                if self.peek().is_some_and(|c| !apart(c)) {
                    self.fault(
                        "after a quoted argument nginx wants white space, `;` or `{`",
                        range.clone(),
                    );
                }
                return Word { text, range };
            }
            self.push(&mut text, next);
        }
        self.fault("the quotation mark has no partner", start..start + 1);
        Word {
            text,
            range: start..self.at,
        }
    }

    /// A word ends at white space, `;` and `{`; braces behind a `$` belong to it.
    fn bare(&mut self) -> Word {
        let start = self.at;
        let mut text = String::new();
        let mut variable = false;
        while let Some(next) = self.peek() {
            if matches!(next, ' ' | '\t' | '\r' | '\n' | ';') || next == '{' && !variable {
                break;
            }
            // A `$` behind a backslash is passed over below, and opens none.
            variable = matches!(next, '$' | '{');
            self.at += next.len_utf8();
            self.push(&mut text, next);
        }
        Word {
            text,
            range: start..self.at,
        }
    }

    /// nginx takes the backslash away before quotes and backslashes and reads `\t`, `\r`,
    /// `\n`; before anything else it stays, which patterns rely on.
    fn push(&mut self, text: &mut String, next: char) {
        if next != '\\' {
            text.push(next);
            return;
        }
        match self.bump() {
            Some(c @ ('"' | '\'' | '\\')) => text.push(c),
            Some('t') => text.push('\t'),
            Some('r') => text.push('\r'),
            Some('n') => text.push('\n'),
            Some(c) => {
                text.push('\\');
                text.push(c);
            }
            None => text.push('\\'),
        }
    }

    /// Skips the block of another language that was just opened; `false` if it never ends.
    pub(crate) fn skip_block(&mut self) -> bool {
        let mut depth = 1_usize;
        while let Some(next) = self.bump() {
            match next {
                '{' => depth += 1,
                '}' => {
                    depth -= 1;
                    if depth == 0 {
                        return true;
                    }
                }
                // A brace in a string of Lua is none.
                quote @ ('"' | '\'') => self.skip_string(quote),
                '-' if self.text[self.at..].starts_with('-') => self.comment(),
                _ => {}
            }
        }
        false
    }

    fn skip_string(&mut self, quote: char) {
        let rest = &self.text[self.at..];
        let line = &rest[..rest.find('\n').unwrap_or(rest.len())];
        let mut escaped = false;
        for (at, c) in line.char_indices() {
            if c == quote && !escaped {
                self.at += at + 1;
                return;
            }
            escaped = c == '\\' && !escaped;
        }
    }

    pub(crate) fn fault(&mut self, message: &str, range: Range<usize>) {
        self.faults.push(Fault {
            message: message.to_owned(),
            range,
        });
    }

    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let mut lexer = Lexer::new(text);
        let mut shown = Vec::new();
        while let Some(token) = lexer.next() {
            shown.push(match token {
                Token::Word(word) => format!("<{}>", word.text),
                Token::End(_) => ";".to_owned(),
                Token::Open(_) => "{".to_owned(),
                Token::Close(_) => "}".to_owned(),
            });
        }
        shown.extend(
            lexer
                .faults
                .iter()
                .map(|fault| format!("!{}", fault.message)),
        );
        assert_eq!(shown.join(" "), expected, "{text}");
    }

    #[test]
    fn words_quotes_and_escapes() {
        check("a b;", "<a> <b> ;");
        check("a \"b c\" 'd;e';", "<a> <b c> <d;e> ;");
        check(
            r#"a "x\"y" 'p\'q' \.php$;"#,
            r#"<a> <x"y> <p'q> <\.php$> ;"#,
        );
        check("a ${b}c{d;}", "<a> <${b}c> { <d> ; }");
        check("a ${{b{d;}", "<a> <${{b> { <d> ; }");
        check(r"a \${b;}", r"<a> <\$> { <b> ; }");
        check("# no\na b#c; # rest", "<a> <b#c> ;");
        check("a é\n\tb;", "<a> <é> <b> ;");
        check("if ($a = \"b\"){", "<if> <($a> <=> <b> <)> {");
    }

    #[test]
    fn faults_do_not_stop_it() {
        check("a 'b;", "<a> <b;> !the quotation mark has no partner");
        check("a \\", "<a> <\\>");
        check(
            "a 'b'c;",
            "<a> <b> <c> ; !after a quoted argument nginx wants white space, `;` or `{`",
        );
    }
}

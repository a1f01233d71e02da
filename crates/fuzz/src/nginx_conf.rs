//! How nginx reads its configuration: `ngx_conf_read_token` of `src/core/ngx_conf_file.c`
//! written down step by step, so that it shares no thought with the parser that it judges.

/// What ends the arguments that stand in front of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// `;`
    Directive,
    /// `{`
    BlockStart,
    /// `}`
    BlockDone,
    /// The end of the text.
    Done,
}

/// One call of `ngx_conf_read_token`: the arguments and what ended them.
pub type Token = (Vec<String>, End);

/// All tokens of a text; `None` when nginx refuses one of them, or a brace has no partner.
pub fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut reader = Reader {
        bytes: text.as_bytes(),
        at: 0,
    };
    let mut tokens = Vec::new();
    let mut depth = 0_usize;
    loop {
        let token = reader.token()?;
        match token.1 {
            End::BlockStart => depth += 1,
            End::BlockDone => depth = depth.checked_sub(1)?,
            End::Done if depth > 0 => return None,
            End::Done => return Some(tokens),
            End::Directive => {}
        }
        tokens.push(token);
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn token(&mut self) -> Option<Token> {
        let mut arguments = Vec::new();
        let (mut need_space, mut last_space) = (false, true);
        let (mut comment, mut quoted, mut variable) = (false, false, false);
        let mut quote = None;
        let mut start = self.at;
        loop {
            let Some(&ch) = self.bytes.get(self.at) else {
                let whole = arguments.is_empty() && last_space;
                return whole.then_some((arguments, End::Done));
            };
            self.at += 1;
            if ch == b'\n' {
                comment = false;
            }
            if comment {
                continue;
            }
            if quoted {
                quoted = false;
                continue;
            }
            if need_space {
                match ch {
                    b' ' | b'\t' | b'\r' | b'\n' => {
                        last_space = true;
                        need_space = false;
                        continue;
                    }
                    b';' => return Some((arguments, End::Directive)),
                    b'{' => return Some((arguments, End::BlockStart)),
                    b')' => {
                        last_space = true;
                        need_space = false;
                    }
                    _ => return None,
                }
            }
            if last_space {
                start = self.at - 1;
                match ch {
                    b' ' | b'\t' | b'\r' | b'\n' => continue,
                    b';' | b'{' if arguments.is_empty() => return None,
                    b';' => return Some((arguments, End::Directive)),
                    b'{' => return Some((arguments, End::BlockStart)),
                    b'}' => return arguments.is_empty().then_some((arguments, End::BlockDone)),
                    b'#' => {
                        comment = true;
                        continue;
                    }
                    b'\\' => quoted = true,
                    b'"' | b'\'' => {
                        start += 1;
                        quote = Some(ch);
                    }
                    b'$' => variable = true,
                    _ => {}
                }
                last_space = false;
                continue;
            }
            if ch == b'{' && variable {
                continue;
            }
            variable = false;
            match ch {
                b'\\' => {
                    quoted = true;
                    continue;
                }
                b'$' => {
                    variable = true;
                    continue;
                }
                _ => {}
            }
            let found = match quote {
                Some(open) if open == ch => {
                    quote = None;
                    need_space = true;
                    true
                }
                Some(_) => false,
                None => {
                    last_space = matches!(ch, b' ' | b'\t' | b'\r' | b'\n' | b';' | b'{');
                    last_space
                }
            };
            if found {
                arguments.push(word(&self.bytes[start..self.at - 1]));
                // A quotation mark is none of these.
                match ch {
                    b';' => return Some((arguments, End::Directive)),
                    b'{' => return Some((arguments, End::BlockStart)),
                    _ => {}
                }
            }
        }
    }
}

/// The copy that nginx makes of an argument.
fn word(source: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(source.len());
    let mut at = 0;
    while at < source.len() {
        if source[at] == b'\\' {
            let plain = match source.get(at + 1) {
                Some(b'"' | b'\'' | b'\\') => {
                    at += 1;
                    source[at]
                }
                Some(b't') => {
                    at += 1;
                    b'\t'
                }
                Some(b'r') => {
                    at += 1;
                    b'\r'
                }
                Some(b'n') => {
                    at += 1;
                    b'\n'
                }
                _ => b'\\',
            };
            bytes.push(plain);
        } else {
            bytes.push(source[at]);
        }
        at += 1;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_as_nginx_has_them() {
        let check = |text: &str, expect: Option<&str>| {
            let shown = tokens(text).map(|tokens| {
                let one = |(arguments, end): &Token| format!("{} {end:?}", arguments.join("|"));
                tokens.iter().map(one).collect::<Vec<_>>().join(", ")
            });
            assert_eq!(shown.as_deref(), expect, "{text}");
        };
        check("a b;", Some("a|b Directive"));
        check("a 'b;' \"c\\\"d\";", Some("a|b;|c\"d Directive"));
        check(
            "if ($a = \"b\"){}",
            Some("if|($a|=|b|) BlockStart,  BlockDone"),
        );
        check("a ${b}c{}", Some("a|${b}c BlockStart,  BlockDone"));
        check(
            "a \\${b};}",
            Some("a|\\$ BlockStart, b} Directive,  BlockDone"),
        );
        check("# a", Some(""));
        check("a", None);
        check("a b}", None);
        check("a 'b'c;", None);
        check(";", None);
        check("a {", None);
        check("}", None);
    }
}

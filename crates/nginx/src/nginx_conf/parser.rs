//! Directives and blocks.

use super::ast::{Directive, Fault, Word};
use super::lexer::{Lexer, Token};

/// So deep may blocks be nested; nginx itself has three levels below a server.
const MAX_DEPTH: usize = 16;

/// Reads a snippet. What is not read is a fault, and reading goes on behind the next `;`.
pub fn parse(text: &str) -> (Vec<Directive>, Vec<Fault>) {
    let mut lexer = Lexer::new(text);
    let directives = body(&mut lexer, 0);
    (directives, lexer.faults)
}

fn body(lexer: &mut Lexer<'_>, depth: usize) -> Vec<Directive> {
    let mut directives = Vec::new();
    let mut words: Vec<Word> = Vec::new();
    while let Some(token) = lexer.next() {
        match token {
            Token::Word(word) => words.push(word),
            Token::End(at) => match finish(&mut words, None) {
                Some(directive) => directives.push(directive),
                None => lexer.fault("a `;` without a directive", at..at + 1),
            },
            Token::Open(at) => {
                let foreign = words
                    .first()
                    .is_some_and(|word| word.text.contains("_by_lua"));
                let block = if foreign || depth == MAX_DEPTH {
                    if !lexer.skip_block() {
                        lexer.fault("the brace has no partner", at..at + 1);
                    }
                    if !foreign {
                        lexer.fault("blocks are nested too deep", at..at + 1);
                    }
                    Vec::new()
                } else {
                    body(lexer, depth + 1)
                };
                match finish(&mut words, Some(block)) {
                    Some(directive) => directives.push(directive),
                    None => lexer.fault("a block without a directive", at..at + 1),
                }
            }
            Token::Close(at) => {
                unfinished(lexer, &mut words, &mut directives);
                if depth > 0 {
                    return directives;
                }
                lexer.fault("a `}` without a `{`", at..at + 1);
            }
        }
    }
    unfinished(lexer, &mut words, &mut directives);
    if depth > 0 {
        let end = lexer.len();
        lexer.fault("a block is not closed", end..end);
    }
    directives
}

/// A directive without its `;` counts, so that what it restricts is not lost.
fn unfinished(lexer: &mut Lexer<'_>, words: &mut Vec<Word>, directives: &mut Vec<Directive>) {
    if let Some(directive) = finish(words, None) {
        lexer.fault(
            &format!("`{}` is not ended by `;`", directive.name),
            directive.range.clone(),
        );
        directives.push(directive);
    }
}

fn finish(words: &mut Vec<Word>, block: Option<Vec<Directive>>) -> Option<Directive> {
    let mut words = std::mem::take(words).into_iter();
    let first = words.next()?;
    let words: Vec<Word> = words.collect();
    let end = words.last().map_or(first.range.end, |word| word.range.end);
    Some(Directive {
        range: first.range.start..end,
        name: first.text,
        words,
        block,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(directives: &[Directive]) -> String {
        let one = |directive: &Directive| {
            let mut text = directive.name.clone();
            for word in &directive.words {
                text.extend([" <", word.text.as_str(), ">"]);
            }
            match &directive.block {
                Some(block) => format!("{text} {{{}}}", show(block)),
                None => text,
            }
        };
        directives.iter().map(one).collect::<Vec<_>>().join("; ")
    }

    fn check(text: &str, expected: &str, faults: usize) {
        let (directives, found) = parse(text);
        assert_eq!(show(&directives), expected, "{text}");
        assert_eq!(found.len(), faults, "{text}: {found:?}");
    }

    #[test]
    fn directives_and_blocks() {
        check(
            "location ~* \\.(php|cgi)$ {\n  deny all; access_log off;\n}\nreturn 403;",
            "location <~*> <\\.(php|cgi)$> {deny <all>; access_log <off>}; return <403>",
            0,
        );
        check(
            "if ($request_method = OPTIONS ) {\n return 200;\n}",
            "if <($request_method> <=> <OPTIONS> <)> {return <200>}",
            0,
        );
        check(
            "access_by_lua_block {\n if x then y = {1, \"}\"} end -- }\n}\nreturn 1;",
            "access_by_lua_block {}; return <1>",
            0,
        );
        check("", "", 0);
        check("# only a comment", "", 0);
    }

    #[test]
    fn faults_are_told_and_passed() {
        check(";; a b;", "a <b>", 2);
        check("deny all", "deny <all>", 1);
        check(
            "location / { return 403; ",
            "location </> {return <403>}",
            1,
        );
        check("} return 403;", "return <403>", 1);
        check("location /x { deny all }", "location </x> {deny <all>}", 1);
        check("{ a; }", "", 1);
        check("x 'y", "x <y>", 2);
    }

    #[test]
    fn nothing_makes_it_panic() {
        let pieces = [
            "{",
            "}",
            ";",
            "'",
            "\"",
            "\\",
            "$",
            "{",
            "é",
            "#",
            "\n",
            "a_by_lua {",
            "a ",
        ];
        for seed in 0..5000_usize {
            let mut state = seed;
            let mut text = String::new();
            for _ in 0..12 {
                state = state.wrapping_mul(6_364_136_223).wrapping_add(1_442_695);
                text.push_str(pieces[(state >> 7) % pieces.len()]);
            }
            let (directives, faults) = parse(&text);
            for fault in faults {
                assert!(text.get(fault.range).is_some(), "{text:?}");
            }
            for directive in directives {
                assert!(text.get(directive.range).is_some(), "{text:?}");
            }
        }
        let (_, faults) = parse(&"a{".repeat(5000));
        assert!(!faults.is_empty());
    }
}

//! Snippets: the parser reads what nginx reads, and says so where nginx would not.

use std::ops::Range;

use gatewright_nginx::nginx_conf::{Directive, parse};

use crate::nginx_conf::{End, Token, tokens};

/// So deep our parser follows; nginx's own limit is the stack.
const MAX_DEPTH: usize = 16;

/// Takes a snippet.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (directives, faults) = parse(&text);
    for fault in &faults {
        assert!(!fault.message.is_empty());
        part(&text, &fault.range);
    }
    places(&text, &directives, 0);
    // Their blocks are Lua, of which nginx leaves the reading to a module.
    if text.contains("_by_lua") {
        return;
    }
    let theirs = tokens(&text);
    if theirs
        .as_ref()
        .is_some_and(|tokens| depth(tokens) > MAX_DEPTH)
    {
        assert!(!faults.is_empty(), "what lies too deep is lost in silence");
        return;
    }
    assert_eq!(
        theirs.is_some(),
        faults.is_empty(),
        "nginx reads {theirs:?}, we have faults {faults:?} and read {directives:?}"
    );
    if let Some(theirs) = theirs {
        let mut ours = Vec::new();
        flatten(&directives, &mut ours);
        assert_eq!(ours, theirs, "read differently");
    }
}

fn part<'t>(text: &'t str, range: &Range<usize>) -> &'t str {
    let part = text.get(range.clone());
    part.unwrap_or_else(|| panic!("{range:?} is no part of the text"))
}

/// Each directive behind the one before it, each word within its directive.
fn places(text: &str, directives: &[Directive], from: usize) -> usize {
    let mut at = from;
    for directive in directives {
        assert!(at <= directive.range.start, "{directive:?} before {at}");
        assert!(!part(text, &directive.range).is_empty());
        let mut within = directive.range.start;
        for word in &directive.words {
            part(text, &word.range);
            assert!(within <= word.range.start && word.range.end <= directive.range.end);
            within = word.range.end;
        }
        at = directive.range.end;
        if let Some(block) = &directive.block {
            at = places(text, block, at);
        }
    }
    at
}

fn depth(tokens: &[Token]) -> usize {
    let (mut depth, mut most) = (0_usize, 0);
    for (_, end) in tokens {
        match end {
            End::BlockStart => depth += 1,
            End::BlockDone => depth -= 1,
            End::Directive | End::Done => {}
        }
        most = most.max(depth);
    }
    most
}

/// The tokens that directives are made of.
fn flatten(directives: &[Directive], tokens: &mut Vec<Token>) {
    for directive in directives {
        let words = directive.words.iter().map(|word| word.text.clone());
        let arguments = std::iter::once(directive.name.clone())
            .chain(words)
            .collect();
        match &directive.block {
            Some(block) => {
                tokens.push((arguments, End::BlockStart));
                flatten(block, tokens);
                tokens.push((Vec::new(), End::BlockDone));
            }
            None => tokens.push((arguments, End::Directive)),
        }
    }
}

//! Grammars of lists: networks, words, origins, status codes.

use std::net::IpAddr;
use std::ops::Range;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::bytes::ByteSet;
use super::grammar::{GrammarFault, Shown, without_blanks};

type Checked = Result<(), GrammarFault>;

/// The words of `proxy-next-upstream`.
pub(crate) const NEXT_UPSTREAM: &[&str] = &[
    "error",
    "timeout",
    "invalid_header",
    "http_500",
    "http_502",
    "http_503",
    "http_504",
    "http_403",
    "http_404",
    "http_429",
    "non_idempotent",
    "off",
];

/// A comma list of addresses and networks, each with the bytes it stands at.
pub(crate) fn networks(value: &str) -> Result<Vec<(IpNet, Range<usize>)>, GrammarFault> {
    let mut found = Vec::new();
    let mut start = 0;
    for item in value.split(',') {
        let text = item.trim();
        let begin = start + (item.len() - item.trim_start().len());
        let range = begin..begin + text.len();
        start += item.len() + 1;
        let Some(network) = network(text) else {
            return Err(if text.is_empty() {
                GrammarFault::at(range, "holds an empty item")
            } else {
                GrammarFault::at(
                    range,
                    format!(
                        "holds {}, which is neither an address nor a network",
                        Shown(text)
                    ),
                )
            });
        };
        found.push((network, range));
    }
    Ok(found)
}

/// An address or a network; an address is the network of itself.
pub(crate) fn network(text: &str) -> Option<IpNet> {
    if let Ok(network) = text.parse::<IpNet>() {
        return Some(network.trunc());
    }
    match text.parse::<IpAddr>().ok()? {
        IpAddr::V4(address) => Ipv4Net::new(address, 32).ok().map(IpNet::V4),
        IpAddr::V6(address) => Ipv6Net::new(address, 128).ok().map(IpNet::V6),
    }
}

/// Words with at most one white space behind each.
pub(crate) fn next_upstream(value: &str) -> Checked {
    let mut rest = value;
    while !rest.is_empty() {
        let at = value.len() - rest.len();
        let Some(word) = NEXT_UPSTREAM.iter().find(|word| rest.starts_with(**word)) else {
            let length = rest.find([' ', ',', '\t']).unwrap_or(rest.len()).max(1);
            let length = rest
                .char_indices()
                .map(|(i, c)| i + c.len_utf8())
                .find(|&end| end >= length)
                .unwrap_or(rest.len());
            return Err(GrammarFault::at(
                at..at + length,
                match rest.as_bytes()[0] {
                    b',' => "holds a comma; words are parted by one blank".to_owned(),
                    b' ' => "holds two blanks in a row".to_owned(),
                    _ => format!("holds `{}`, which is no condition", &rest[..length]),
                },
            ));
        };
        rest = &rest[word.len()..];
        rest = rest.strip_prefix([' ', '\t', '\u{c}']).unwrap_or(rest);
    }
    if value.is_empty() {
        return Err(GrammarFault::whole("is empty"));
    }
    Ok(())
}

/// The first check of `cors-allow-origin`, on the whole list, blanks removed first. Every
/// part of an origin is optional in it, so only the neighbours of `*`, `:` and `/` count.
pub(crate) fn origins(value: &str) -> Checked {
    let text = without_blanks(value);
    if text == "*" {
        return Ok(());
    }
    let bytes = text.as_bytes();
    let fault = |c: char| {
        Err(GrammarFault::whole(format!(
            "holds `{c}` in a place where no origin has it"
        )))
    };
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b',' => {}
            b'*' if bytes.get(at + 1) == Some(&b'.') => {}
            b':' if bytes.get(at + 1).is_some_and(u8::is_ascii_digit) => {}
            b':' if bytes[at..].starts_with(b"://")
                && at > 0
                && bytes[at - 1].is_ascii_lowercase() =>
            {
                at += 2;
            }
            _ => return fault(text[at..].chars().next().unwrap_or(' ')),
        }
        at += 1;
    }
    Ok(())
}

/// The second check of `cors-allow-origin`, on each item: a scheme is needed.
pub(crate) fn origin(item: &str) -> bool {
    if matches!(item, "" | "*" | "null") {
        return true;
    }
    let Some((scheme, rest)) = item.split_once("://") else {
        return false;
    };
    let rest = rest.strip_prefix("*.").unwrap_or(rest);
    let (host, port) = rest
        .split_once(':')
        .map_or((rest, None), |(h, p)| (h, Some(p)));
    !scheme.is_empty()
        && scheme.bytes().all(|b| b.is_ascii_lowercase())
        && host
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'))
        && port.is_none_or(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()))
}

/// `^([class]+,?\s?)+$`, blanks removed first.
pub(crate) fn comma_words(value: &str, class: ByteSet) -> Checked {
    #[derive(PartialEq)]
    enum Last {
        Start,
        Word,
        Comma,
        Space,
    }
    let mut last = Last::Start;
    for (at, c) in value.char_indices() {
        last = match c {
            ' ' => continue,
            c if c.is_ascii() && class.contains(c as u8) => Last::Word,
            ',' if last == Last::Word => Last::Comma,
            '\t' | '\u{c}' if matches!(last, Last::Word | Last::Comma) => Last::Space,
            c => return Err(GrammarFault::character(at, c)),
        };
    }
    if last == Last::Start {
        return Err(GrammarFault::whole("is blank"));
    }
    Ok(())
}

/// `^(?:[4,5]\d{2},?)*$`, blanks removed first. The comma in the class is the
/// controller's own slip; it lets `,12` pass as a code.
pub(crate) fn error_codes(value: &str) -> Checked {
    let text = without_blanks(value);
    let mut rest = text.as_bytes();
    while let [first, second, third, tail @ ..] = rest {
        if !(matches!(first, b'4' | b'5' | b',')
            && second.is_ascii_digit()
            && third.is_ascii_digit())
        {
            break;
        }
        rest = tail.strip_prefix(b",").unwrap_or(tail);
    }
    if rest.is_empty() {
        return Ok(());
    }
    Err(GrammarFault::whole(
        "is not a list of status codes from 400 to 599",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(f: impl Fn(&str) -> Checked, good: &[&str], bad: &[&str]) {
        for value in good {
            assert_eq!(f(value), Ok(()), "{value:?}");
        }
        for value in bad {
            assert!(f(value).is_err(), "{value:?} should not pass");
        }
    }

    #[test]
    fn lists_of_networks() {
        check(
            |v| networks(v).map(drop),
            &[
                "10.0.0.0/8",
                " 1.2.3.4 ,::1/128",
                "10.1.2.3/8\n,\n1.1.1.1",
                "fd00::/8",
            ],
            &[
                "10.0.0.0/8,",
                "office",
                "10.0.0.0/33",
                "",
                "10.0.0.0/8;1.1.1.1",
                "${X}",
            ],
        );
        let (network, range) = &networks("1.1.1.1, 10.1.2.3/8").unwrap()[1];
        assert_eq!(
            (network.to_string().as_str(), range.clone()),
            ("10.0.0.0/8", 9..19)
        );
        assert_eq!(networks("1.1.1.1, b").unwrap_err().range, Some(9..10));
    }

    #[test]
    fn conditions_of_retries() {
        check(
            next_upstream,
            &["error timeout", "off", "error\ttimeout ", "errortimeout"],
            &[
                "error, timeout",
                "error  timeout",
                "error http_400",
                " error",
                "",
            ],
        );
        assert_eq!(
            next_upstream("error http_400").unwrap_err().range,
            Some(6..14)
        );
        assert!(next_upstream("é").is_err());
    }

    #[test]
    fn lists_in_words() {
        let methods = |v: &str| comma_words(v, ByteSet::LETTERS);
        check(
            methods,
            &["GET, POST", "GET,", "GET"],
            &["GET;PUT", ",GET", "GET,,PUT", "", " "],
        );
        check(
            error_codes,
            &["404", "404,503", "404, 503", "404,", "404503", ",12"],
            &["600", "40", "404;503", "x"],
        );
    }

    #[test]
    fn origins_in_two_steps() {
        check(
            origins,
            &[
                "*",
                "https://a.b",
                "https://*.a.b:8080, http://localhost:3000",
                "foo.com",
                "null",
                "app://x",
                ":80",
            ],
            &[
                "https://a.b/",
                "**",
                "https://a b;c",
                "HTTPS://a",
                "a:b",
                "https:/",
                "$http_origin",
                "*,https://a",
            ],
        );
        for (item, good) in [
            ("https://a.b", true),
            ("foo.com", false),
            ("null", true),
            ("https://*.x:1", true),
            ("https://x:", false),
            ("", true),
        ] {
            assert_eq!(origin(item), good, "{item}");
        }
    }
}

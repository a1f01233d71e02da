//! The grammars of annotation values: what the controller's validators accept
//! (`internal/ingress/annotations/parser/validators.go` of ingress-nginx).
//!
//! The validators are regular expressions there. Here they are matched by hand: no
//! pattern is compiled while Ingresses are read, and a fault knows the byte it is at.

use std::fmt;
use std::ops::Range;

use super::bytes::ByteSet;
use super::{lists, shapes};

/// `basic`: what a `namespace/name` or a `host:port/path` needs.
pub const BASIC: ByteSet = ByteSet::ALPHANUMERIC.and(b"-._~/:");
/// `basic` and the blank.
pub const BASIC_SPACE: ByteSet = BASIC.and(b" ");
/// `basic`, comma and blank.
pub const EXTENDED: ByteSet = BASIC.and(b", ");
/// A URL with a query, without variables.
pub const URL: ByteSet = BASIC.and(b",?&=");
/// A URL with a query and nginx variables.
pub const URL_VARIABLES: ByteSet = URL.and(b" $");
/// `basic` and the characters of patterns.
pub const PATTERN: ByteSet = BASIC.and(b"^$[](){}*+?|&=\\");
/// A path with capture groups and variables.
pub const CAPTURE_PATH: ByteSet = BASIC.and(b"$");
/// Text with nginx variables.
pub const VARIABLES: ByteSet = ByteSet::ALPHANUMERIC.and(b"-_${}");
/// A comma list of header names.
pub const HEADERS: ByteSet = ByteSet::ALPHANUMERIC.and(b"-_, ");
/// A file name.
pub const FILE_NAME: ByteSet = ByteSet::ALPHANUMERIC.and(b".-_");
/// An operation name of a trace.
pub const NAME: ByteSet = ByteSet::ALPHANUMERIC.and(b"_-");
/// Ciphers of connections to the backend.
pub const CIPHERS: ByteSet = ByteSet::ALPHANUMERIC.and(b"+:_-!");

/// How blanks are treated before a value is compared with words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blanks {
    /// White space at both ends is dropped.
    Trimmed,
    /// Every blank is dropped, wherever it stands.
    Removed,
}

/// What values an annotation takes.
///
/// An empty value is never checked by the controller; see
/// [`EmptyValue`](super::EmptyValue).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grammar {
    /// Anything.
    Anything,
    /// Go's `strconv.ParseBool`.
    Bool,
    /// Go's `strconv.Atoi`.
    Int,
    /// A number of bytes with an optional unit `b`, `k`, `m` or `g`.
    Size,
    /// Any number of characters of a class.
    Text(ByteSet),
    /// The same, not looking at blanks.
    LooseText(ByteSet),
    /// At least one character of a class, not looking at blanks.
    Word(ByteSet),
    /// One server name: host, wildcard or `~pattern`, or text with variables.
    ServerName,
    /// A comma list of server names.
    ServerNames,
    /// One of some words.
    OneOf {
        /// The words.
        words: &'static [&'static str],
        /// Whether capitals count.
        exact_case: bool,
        /// What is done about blanks first.
        blanks: Blanks,
    },
    /// A text that holds one of the words anywhere, not looking at blanks.
    Contains(&'static [&'static str]),
    /// A comma list of addresses and networks.
    Networks,
    /// A number of seconds of a session cookie.
    CookieSeconds {
        /// Whether blanks are dropped first.
        loose: bool,
    },
    /// The conditions of `proxy_next_upstream`.
    NextUpstream,
    /// `off`, or two domains.
    CookieDomain,
    /// An OpenSSL cipher list.
    ServerCiphers,
    /// TLS versions.
    TlsVersions,
    /// Where the client goes when its certificate is refused.
    ErrorPage,
    /// `CN=` and a pattern.
    CommonName,
    /// A comma list of origins.
    Origins,
    /// A comma list of methods.
    Methods,
    /// A comma list of header names, or `*`.
    ExposedHeaders,
    /// A comma list of status codes.
    ErrorCodes,
    /// The name of a Service.
    ServiceName,
}

/// Why a value is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrammarFault {
    /// What is wrong with it; the end of a sentence that begins with the value.
    pub message: String,
    /// The bytes of the value that are wrong, when they can be named.
    pub range: Option<Range<usize>>,
    /// What to write, where the grammar itself does not say it.
    pub help: Option<&'static str>,
}

impl GrammarFault {
    pub(crate) fn whole(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            range: None,
            help: None,
        }
    }

    pub(crate) fn at(range: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            range: Some(range),
            help: None,
        }
    }

    pub(crate) fn help(self, help: &'static str) -> Self {
        Self {
            help: Some(help),
            ..self
        }
    }

    pub(crate) fn character(at: usize, c: char) -> Self {
        Self::at(
            at..at + c.len_utf8(),
            match c {
                '\n' | '\r' => "holds a line break".to_owned(),
                ' ' => "holds a blank".to_owned(),
                c => format!("holds `{}`, which is not allowed here", c.escape_debug()),
            },
        )
    }
}

/// Go's `strconv.ParseBool`.
pub fn parse_bool(value: &str) -> Option<bool> {
    match value {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

/// Go's `strconv.Atoi` on a 64-bit machine.
pub fn parse_int(value: &str) -> Option<i64> {
    // Rust reads the same language: an optional sign and decimal digits.
    value.parse().ok()
}

impl Grammar {
    /// Whether the controller's validator accepts the value.
    pub fn check(&self, value: &str) -> Result<(), GrammarFault> {
        match self {
            Self::Anything => Ok(()),
            Self::Bool => parse_bool(value)
                .map(drop)
                .ok_or_else(|| GrammarFault::whole("is not `true` or `false`")),
            Self::Int => parse_int(value).map(drop).ok_or_else(|| {
                let message = match value.bytes().find(|b| !b.is_ascii_digit()) {
                    Some(b' ' | b'\t') => "is not a whole number: blanks are not allowed",
                    Some(b'.') => "is not a whole number",
                    Some(b'a'..=b'z' | b'A'..=b'Z')
                        if value.starts_with(|c: char| c.is_ascii_digit()) =>
                    {
                        "is not a whole number: a unit is not allowed"
                    }
                    _ => "is not a whole number",
                };
                GrammarFault::whole(message)
            }),
            Self::OneOf {
                words,
                exact_case,
                blanks,
            } => one_of(value, words, *exact_case, *blanks),
            Self::Networks => lists::networks(value).map(drop),
            Self::CommonName => shapes::common_name(value),
            Self::ServiceName => shapes::service_name(value),
            // All others are regular expressions, which refuse line breaks first.
            _ => {
                if let Some(at) = value.bytes().position(|b| matches!(b, b'\n' | b'\r')) {
                    return Err(GrammarFault::at(at..at + 1, "holds a line break"));
                }
                self.check_line(value)
            }
        }
    }

    fn check_line(self, value: &str) -> Result<(), GrammarFault> {
        let class =
            |class: ByteSet, blanks: bool, value: &str| match class.first_outside(value, blanks) {
                Some((at, c)) => Err(GrammarFault::character(at, c)),
                None => Ok(()),
            };
        match self {
            Self::Size => shapes::size(value),
            Self::Text(set) => class(set, false, value),
            Self::LooseText(set) => class(set, true, value),
            Self::Word(set) => {
                if value.bytes().all(|b| b == b' ') {
                    return Err(GrammarFault::whole("is blank"));
                }
                class(set, true, value)
            }
            Self::ServerName => class(PATTERN, false, value.trim()),
            Self::ServerNames => {
                let mut start = 0;
                for name in value.split(',') {
                    let trimmed = name.trim();
                    let lead = name.len() - name.trim_start().len();
                    if let Some((at, c)) = PATTERN.first_outside(trimmed, false) {
                        return Err(GrammarFault::character(start + lead + at, c));
                    }
                    start += name.len() + 1;
                }
                Ok(())
            }
            Self::Contains(words) => {
                let text = without_blanks(value);
                if words.iter().any(|word| text.contains(word)) {
                    Ok(())
                } else {
                    Err(GrammarFault::whole(format!("is not {}", Words(words))))
                }
            }
            Self::CookieSeconds { loose } => shapes::cookie_seconds(value, loose),
            Self::NextUpstream => lists::next_upstream(value),
            Self::CookieDomain => shapes::cookie_domain(value),
            Self::ServerCiphers => shapes::server_ciphers(value),
            Self::TlsVersions => shapes::tls_versions(value),
            Self::ErrorPage => shapes::error_page(value),
            Self::Origins => lists::origins(value),
            Self::Methods => lists::comma_words(value, ByteSet::LETTERS),
            Self::ExposedHeaders => lists::comma_words(value, ByteSet::ALPHANUMERIC.and(b"-_*")),
            Self::ErrorCodes => lists::error_codes(value),
            Self::Anything
            | Self::Bool
            | Self::Int
            | Self::OneOf { .. }
            | Self::Networks
            | Self::CommonName
            | Self::ServiceName => Ok(()),
        }
    }

    /// The grammar in words, for `explain` and the reference.
    pub fn describe(&self) -> String {
        match self {
            Self::Anything => "anything".to_owned(),
            Self::Bool => "`true` or `false` (also `1`, `t`, `T`, `TRUE`, `True`, `0`, `f`, `F`, `FALSE`, `False`; not `yes`, `no`, `on`, `off`)".to_owned(),
            Self::Int => "a whole number without unit or blanks".to_owned(),
            Self::Size => "a number of bytes with an optional unit `k`, `m`, `g` or `b`, such as `8m`".to_owned(),
            Self::Text(set) => format!("characters of `[{set}]`"),
            Self::LooseText(set) => format!("characters of `[{set}]`; blanks are passed over by the check"),
            Self::Word(set) => format!("one or more characters of `[{set}]`"),
            Self::ServerName => format!("characters of `[{PATTERN}]`"),
            Self::ServerNames => format!("a comma list of server names of characters of `[{PATTERN}]`"),
            Self::OneOf { words, exact_case, .. } => format!("{}{}", Words(words), if *exact_case { "" } else { ", in any case" }),
            Self::Contains(words) => Words(words).to_string(),
            Self::Networks => "a comma list of IP addresses and networks such as `10.0.0.0/8`; every item must be valid".to_owned(),
            Self::CookieSeconds { .. } => "a whole number of seconds".to_owned(),
            Self::NextUpstream => format!("words out of {}, one blank between them", Words(lists::NEXT_UPSTREAM)),
            Self::CookieDomain => "`off`, or two domains with blanks between them".to_owned(),
            Self::ServerCiphers => "an OpenSSL cipher list".to_owned(),
            Self::TlsVersions => "`TLSv1.2`, `TLSv1.3` or both".to_owned(),
            Self::ErrorPage => "a URL, a path, or `@name` of a location".to_owned(),
            Self::CommonName => "`CN=` followed by a regular expression".to_owned(),
            Self::Origins => "a comma list of origins `scheme://host[:port]`, in which `*.` may stand before the host; or `*`".to_owned(),
            Self::Methods => "a comma list of methods".to_owned(),
            Self::ExposedHeaders => "a comma list of header names, or `*`".to_owned(),
            Self::ErrorCodes => "a comma list, without blanks, of status codes from 400 to 599".to_owned(),
            Self::ServiceName => "the name of a Service: at most 63 of `[a-z0-9\\-]`, a letter first and no `-` at the end".to_owned(),
        }
    }
}

/// Drops blanks, without copying when there are none.
pub(crate) fn without_blanks(value: &str) -> std::borrow::Cow<'_, str> {
    if value.contains(' ') {
        value.replace(' ', "").into()
    } else {
        value.into()
    }
}

fn one_of(
    value: &str,
    words: &[&str],
    exact_case: bool,
    blanks: Blanks,
) -> Result<(), GrammarFault> {
    let text = match blanks {
        Blanks::Trimmed => value.trim().into(),
        Blanks::Removed => without_blanks(value),
    };
    let found = words.iter().any(|word| {
        if exact_case {
            *word == text
        } else {
            word.eq_ignore_ascii_case(&text)
        }
    });
    if found {
        return Ok(());
    }
    let near = words.iter().find(|word| word.eq_ignore_ascii_case(&text));
    Err(GrammarFault::whole(match near {
        Some(word) => format!("is not `{word}`: capitals count"),
        None => format!("is not {}", Words(words)),
    }))
}

/// `a`, `b` or `c`.
pub(crate) struct Words<'a>(pub(crate) &'a [&'a str]);

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, word) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(if at + 1 == self.0.len() { " or " } else { ", " })?;
            }
            write!(f, "`{word}`")?;
        }
        Ok(())
    }
}

/// A value in a message: quoted, on one line, not endless.
pub(crate) struct Shown<'a>(pub(crate) &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST: usize = 60;
        if self.0.is_empty() {
            return f.write_str("the value");
        }
        f.write_str("`")?;
        for (at, c) in self.0.chars().enumerate() {
            if at == LONGEST {
                f.write_str("…")?;
                break;
            }
            if c.is_control() {
                write!(f, "{}", c.escape_debug())?;
            } else {
                write!(f, "{c}")?;
            }
        }
        f.write_str("`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(grammar: Grammar, good: &[&str], bad: &[&str]) {
        for value in good {
            assert_eq!(
                grammar.check(value),
                Ok(()),
                "{value:?} should pass {grammar:?}"
            );
        }
        for value in bad {
            assert!(
                grammar.check(value).is_err(),
                "{value:?} should not pass {grammar:?}"
            );
        }
    }

    #[test]
    fn booleans_and_numbers_are_those_of_go() {
        check(
            Grammar::Bool,
            &["true", "T", "1", "False", "F", "0"],
            &["yes", "on", "tRue", " true", "true\n"],
        );
        check(
            Grammar::Int,
            &["0", "-5", "+5", "007"],
            &["", " 1", "1s", "1.5", "0x1", "1_000"],
        );
        check(
            Grammar::Size,
            &["8m", "8M", "0", "8 k", "12b"],
            &["8mb", "m", "1.5m", "8k\n", "-1"],
        );
    }

    #[test]
    fn classes_name_the_stranger() {
        check(
            Grammar::LooseText(BASIC),
            &["default/x", "a b"],
            &["a,b", "é", "a\n"],
        );
        check(
            Grammar::Text(URL),
            &["https://h/p?x=1,2&y=a:b"],
            &["https://h/$x", "a b", "a%20", "a#b", "a+b"],
        );
        check(
            Grammar::LooseText(URL_VARIABLES),
            &["https://$host/x?rd=$escaped_request_uri"],
            &["https://{h}"],
        );
        check(
            Grammar::Text(CAPTURE_PATH),
            &["/$2", "new/$1", "$scheme://h/x", "/"],
            &["/new?x", "/a b", "/a/{x}"],
        );
        let fault = Grammar::Text(URL).check("https://h/$x").unwrap_err();
        assert_eq!(fault.range, Some(10..11));
        assert_eq!(fault.message, "holds `$`, which is not allowed here");
    }

    #[test]
    fn words_are_compared_as_the_controller_does() {
        let grammar = Grammar::OneOf {
            words: &["on", "off"],
            exact_case: true,
            blanks: Blanks::Trimmed,
        };
        check(grammar, &["on", " on ", "on\n"], &["On", "true", "o n"]);
        let grammar = Grammar::OneOf {
            words: &["on"],
            exact_case: true,
            blanks: Blanks::Removed,
        };
        check(grammar, &["o n"], &["on\n"]);
        let grammar = Grammar::OneOf {
            words: &["http"],
            exact_case: false,
            blanks: Blanks::Trimmed,
        };
        check(grammar, &["HTTP", "Http"], &["AJP"]);
        check(
            Grammar::Contains(&["basic", "digest"]),
            &["basic", "nobasics", "b asic"],
            &["Basic", "jwt"],
        );
    }

    #[test]
    fn server_names_are_lists_of_patterns() {
        check(
            Grammar::ServerNames,
            &["a.b", "a.b, *.c", "~^x\\d+$"],
            &["a;b", "a,b c"],
        );
        check(Grammar::ServerName, &[" $host ", "a:80"], &["a b;c"]);
        assert_eq!(
            Grammar::ServerNames.check("ab, c;d").unwrap_err().range,
            Some(5..6)
        );
    }
}

//! Grammars with more shape than a class of characters.

use super::bytes::ByteSet;
use super::grammar::{GrammarFault, without_blanks};

type Checked = Result<(), GrammarFault>;

/// `^(?i)\d+[bkmg]?$`, blanks removed first.
pub(crate) fn size(value: &str) -> Checked {
    let text = without_blanks(value);
    let number =
        text.trim_end_matches(|c: char| matches!(c.to_ascii_lowercase(), 'b' | 'k' | 'm' | 'g'));
    let units = text.len() - number.len();
    if units <= 1 && !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(());
    }
    Err(GrammarFault::whole(
        "is not a size: a number with an optional unit `k`, `m`, `g` or `b`",
    ))
}

/// `CN=` and a pattern that compiles.
pub(crate) fn common_name(value: &str) -> Checked {
    let Some(pattern) = value.strip_prefix("CN=") else {
        return Err(GrammarFault::whole("does not begin with `CN=`"));
    };
    match regex::Regex::new(pattern) {
        Ok(_) => Ok(()),
        Err(_) => Err(GrammarFault::at(
            3..value.len(),
            "is not a valid regular expression",
        )),
    }
}

/// A DNS label of RFC 1035.
pub(crate) fn service_name(value: &str) -> Checked {
    let body = ByteSet::DIGITS.range(b'a', b'z').and(b"-");
    if let Some((at, c)) = body.first_outside(value, false) {
        return Err(GrammarFault::character(at, c));
    }
    if value.len() > 63 {
        return Err(GrammarFault::whole("is longer than 63 characters"));
    }
    if !value.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Err(GrammarFault::whole("does not begin with a letter"));
    }
    if value.ends_with('-') {
        return Err(GrammarFault::whole("ends with `-`"));
    }
    Ok(())
}

/// `(^0|-?[1-9]\d*$)`: begins with a zero, or ends with a number that is not zero.
/// The alternation binds weaker than the anchors, so `0x` and `x5` pass.
pub(crate) fn cookie_seconds(value: &str, loose: bool) -> Checked {
    let text = if loose {
        without_blanks(value)
    } else {
        value.into()
    };
    let number = text.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    if text.starts_with('0') || text[number..].bytes().any(|b| b != b'0') {
        return Ok(());
    }
    Err(GrammarFault::whole("is not a whole number of seconds"))
}

/// `off`, or two names.
pub(crate) fn cookie_domain(value: &str) -> Checked {
    if value == "off" {
        return Ok(());
    }
    let mut parts = value.split_ascii_whitespace();
    let two = (parts.next(), parts.next(), parts.next());
    let class = super::grammar::BASIC;
    if let (Some(from), Some(to), None) = two
        && class.first_outside(from, false).is_none()
        && class.first_outside(to, false).is_none()
        // The pattern has no room for white space at the ends.
        && value.starts_with(from)
        && value.ends_with(to)
    {
        return Ok(());
    }
    Err(GrammarFault::whole("is neither `off` nor two domains"))
}

/// A cipher list with `@STRENGTH` and `@SECLEVEL=n`, blanks removed first.
pub(crate) fn server_ciphers(value: &str) -> Checked {
    let class = ByteSet::ALPHANUMERIC.and(b"!:+-_ ");
    let mut rest = value;
    while let Some((at, c)) = class.first_outside(rest, false) {
        let here = value.len() - rest.len() + at;
        let tail = &rest[at..];
        let level = tail
            .strip_prefix("@SECLEVEL=")
            .filter(|level| level.starts_with(|c| matches!(c, '0'..='5')));
        rest = if let Some(rest) = tail.strip_prefix("@STRENGTH") {
            rest
        } else if let Some(level) = level {
            &level[1..]
        } else {
            return Err(GrammarFault::character(here, c));
        };
    }
    Ok(())
}

/// `TLSv1.2` and `TLSv1.3` in any number, blanks removed first.
pub(crate) fn tls_versions(value: &str) -> Checked {
    let text = without_blanks(value);
    let mut rest = &*text;
    while let Some(tail) = rest
        .strip_prefix("TLSv1.2")
        .or_else(|| rest.strip_prefix("TLSv1.3"))
    {
        rest = tail;
    }
    if rest.is_empty() {
        return Ok(());
    }
    Err(GrammarFault::whole(
        "holds something else than `TLSv1.2` and `TLSv1.3`",
    ))
}

/// `@name`, or an optional host with scheme and port and an optional path.
pub(crate) fn error_page(value: &str) -> Checked {
    let text = without_blanks(value);
    let fault = || GrammarFault::whole("is neither a URL, a path nor `@name`");
    let name = super::grammar::NAME;
    if let Some(location) = text.strip_prefix('@') {
        let good = !location.is_empty() && name.first_outside(location, false).is_none();
        return if good { Ok(()) } else { Err(fault()) };
    }
    let schemeless = text
        .strip_prefix("http://")
        .or_else(|| text.strip_prefix("https://"));
    let rest = schemeless.unwrap_or(&text);
    let host = rest
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '.')))
        .unwrap_or(rest.len());
    if host == 0 && schemeless.is_some() {
        return Err(fault());
    }
    let mut path = &rest[host..];
    if host > 0
        && let Some(port) = path.strip_prefix(':')
    {
        let digits = port
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(port.len());
        if digits == 0 {
            return Err(fault());
        }
        path = &port[digits..];
    }
    let path = path.strip_suffix('/').unwrap_or(path);
    let segments = path.strip_prefix('/');
    let class = name.and(b".");
    let good = path.is_empty()
        || segments.is_some_and(|segments| {
            segments
                .split('/')
                .all(|s| !s.is_empty() && class.first_outside(s, false).is_none())
        });
    if good { Ok(()) } else { Err(fault()) }
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
    fn odd_shapes() {
        check(
            |v| cookie_seconds(v, false),
            &["0", "3600", "-1", "0x", "x5"],
            &["5m", "", "y", "x0"],
        );
        check(
            cookie_domain,
            &["off", "a.b c.d", "a \t b"],
            &["a.b", "off off off", " a b", "a b;"],
        );
        check(
            server_ciphers,
            &["HIGH:!aNULL", "A@STRENGTH:B", "@SECLEVEL=2", ""],
            &["@SECLEVEL=9", "A;B", "@X"],
        );
        check(
            tls_versions,
            &["TLSv1.2 TLSv1.3", "TLSv1.2TLSv1.3"],
            &["TLSv1.1", "TLSv1", "SSLv3 TLSv1.2"],
        );
        check(
            error_page,
            &["@x", "https://a.b:80/x/y.html", "/x", "/", "a.b", "http"],
            &["@", "https://", "a.b:x", "/x//y", "/x?y", "ftp://x"],
        );
        check(
            service_name,
            &["a", "a-1"],
            &["1a", "A", "a-", "a.b", "Spare_1"],
        );
        check(common_name, &["CN=a", "CN=(a|b).*"], &["a", "cn=a", "CN=("]);
    }
}

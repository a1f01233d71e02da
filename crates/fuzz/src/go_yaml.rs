//! What go-yaml v2 makes of a plain scalar: its `resolve.go` written down line by line, so that
//! it shares no thought with the reader that it judges.

use std::sync::LazyLock;

use gatewright_yaml::Value;
use regex::Regex;

static FLOAT: LazyLock<Regex> = LazyLock::new(|| {
    let text = r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$";
    Regex::new(text).expect("a pattern")
});

/// A scalar as go-yaml has it, before it is made JSON.
#[derive(Clone, Debug, PartialEq)]
pub enum Resolved {
    /// `nil`.
    Null,
    /// `bool`.
    Bool(bool),
    /// `int` and `int64`.
    Int(i64),
    /// `uint64`.
    Uint(u64),
    /// `float64`.
    Float(f64),
    /// `string`; a time is handed on as one, and a merge key that is none.
    Text,
}

/// `resolve("", text)`.
pub fn resolve(text: &str) -> Resolved {
    let Some(&first) = text.as_bytes().first() else {
        return Resolved::Null;
    };
    let hint = match first {
        b'+' | b'-' => b'S',
        b'0'..=b'9' => b'D',
        b'.' => b'.',
        byte if b"yYnNtTfFoO~".contains(&byte) => b'M',
        _ => return Resolved::Text,
    };
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Resolved::Bool(true);
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Resolved::Bool(false);
        }
        "~" | "null" | "Null" | "NULL" => return Resolved::Null,
        ".nan" | ".NaN" | ".NAN" => return Resolved::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            return Resolved::Float(f64::INFINITY);
        }
        "-.inf" | "-.Inf" | "-.INF" => return Resolved::Float(f64::NEG_INFINITY),
        _ => {}
    }
    match hint {
        b'.' => parse_float(text).map_or(Resolved::Text, Resolved::Float),
        b'M' => Resolved::Text,
        _ => number(&text.replace('_', "")),
    }
}

fn number(plain: &str) -> Resolved {
    if let Some(value) = parse_int(plain, 0) {
        return Resolved::Int(value);
    }
    if let Some(value) = parse_uint(plain, 0) {
        return Resolved::Uint(value);
    }
    if FLOAT.is_match(plain)
        && let Some(value) = parse_float(plain)
    {
        return Resolved::Float(value);
    }
    if let Some(digits) = plain.strip_prefix("0b") {
        if let Some(value) = parse_int(digits, 2) {
            return Resolved::Int(value);
        }
        if let Some(value) = parse_uint(digits, 2) {
            return Resolved::Uint(value);
        }
    } else if let Some(digits) = plain.strip_prefix("-0b")
        && let Some(value) = parse_int(&format!("-{digits}"), 2)
    {
        return Resolved::Int(value);
    }
    Resolved::Text
}

/// `strconv.ParseInt`, for texts without underscores.
fn parse_int(text: &str, base: u32) -> Option<i64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'+' => (false, &text[1..]),
        b'-' => (true, &text[1..]),
        _ => (false, text),
    };
    let magnitude = i128::from(parse_uint(digits, base)?);
    i64::try_from(if negative { -magnitude } else { magnitude }).ok()
}

/// `strconv.ParseUint`, for texts without underscores.
fn parse_uint(text: &str, base: u32) -> Option<u64> {
    let (base, digits) = match text.as_bytes() {
        _ if base != 0 => (base, text),
        [b'0', b'b' | b'B', _, ..] => (2, &text[2..]),
        [b'0', b'o' | b'O', _, ..] => (8, &text[2..]),
        [b'0', b'x' | b'X', _, ..] => (16, &text[2..]),
        [b'0', _, ..] => (8, &text[1..]),
        _ => (10, text),
    };
    if digits.is_empty() {
        return None;
    }
    digits.chars().try_fold(0_u64, |sum, digit| {
        let sum = sum.checked_mul(base.into())?;
        sum.checked_add(digit.to_digit(base)?.into())
    })
}

/// `strconv.ParseFloat`, for what begins with a digit, a sign or a point; what overflows is an
/// error there. `None` for hexadecimal floats, which are not reached.
fn parse_float(text: &str) -> Option<f64> {
    if !underscores_fit(text) {
        return None;
    }
    let plain = text.replace('_', "");
    let value: f64 = FLOAT.is_match(&plain).then(|| plain.parse().ok())??;
    value.is_finite().then_some(value)
}

/// `underscoreOK`, for a text without a prefix of a base.
fn underscores_fit(text: &str) -> bool {
    let mut saw = '^';
    for c in text.chars() {
        match c {
            '0'..='9' => saw = '0',
            '_' if saw != '0' => return false,
            '_' => saw = '_',
            _ if saw == '_' => return false,
            _ => saw = '!',
        }
    }
    saw != '_'
}

/// Whether a value is what kubectl makes of a scalar on its way through JSON. `None` where JSON
/// cannot say it, so that kubectl refuses the document.
pub fn is(resolved: &Resolved, text: &str, value: &Value) -> Option<bool> {
    Some(match (resolved, value) {
        (Resolved::Null, Value::Null) => true,
        (Resolved::Bool(a), Value::Bool(b)) => a == b,
        (Resolved::Int(a), Value::Int(b)) => a == b,
        (Resolved::Uint(a), Value::Uint(b)) => a == b,
        (Resolved::Float(a), _) if !a.is_finite() => return None,
        // A float that is whole is an integer in JSON, with the digits that it is written with.
        (Resolved::Float(a), _) => {
            // JSON has no negative zero.
            number_of(value).is_some_and(|b| (a + 0.0).total_cmp(&(b + 0.0)).is_eq())
        }
        (Resolved::Text, Value::String(b)) => text == b,
        _ => false,
    })
}

#[expect(clippy::cast_precision_loss, reason = "as in JSON")]
fn number_of(value: &Value) -> Option<f64> {
    match value {
        Value::Int(value) => Some(*value as f64),
        Value::Uint(value) => Some(*value as f64),
        Value::Float(value) => Some(*value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_of_the_recorded_files() {
        for (text, expect) in [
            ("0o17", Resolved::Int(15)),
            ("017", Resolved::Int(15)),
            ("08", Resolved::Float(8.0)),
            ("0b-1", Resolved::Int(-1)),
            ("-0b11", Resolved::Int(-3)),
            ("1_000", Resolved::Int(1000)),
            (".5_0", Resolved::Float(0.5)),
            (".5__0", Resolved::Text),
            ("0x", Resolved::Text),
            ("1:30", Resolved::Text),
            ("18446744073709551615", Resolved::Uint(u64::MAX)),
            ("-", Resolved::Text),
            ("On", Resolved::Bool(true)),
            ("oN", Resolved::Text),
        ] {
            assert_eq!(resolve(text), expect, "{text}");
        }
    }
}

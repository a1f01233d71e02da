//! Numbers as go-yaml reads them.

use crate::resolve::Resolved;

/// A float that does not overflow; Go reports overflow as an error, and go-yaml then takes the
/// text.
fn float(text: &str) -> Option<f64> {
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// A number that starts with its point. Here go-yaml leaves underscores to Go, which takes them
/// between digits only.
pub(crate) fn dotted(text: &str) -> Option<f64> {
    if !text.contains('_') {
        return float(text);
    }
    let parts_ok = text.split('_').enumerate().all(|(at, part)| {
        let digit = |b: Option<&u8>| b.is_some_and(u8::is_ascii_digit);
        let bytes = part.as_bytes();
        digit(bytes.last()) && (at == 0 || digit(bytes.first()))
    });
    parts_ok.then(|| float(&text.replace('_', "")))?
}

/// Resolves what starts with a digit or a sign.
pub(crate) fn resolve(text: &str) -> Resolved {
    let without;
    let text = if text.contains('_') {
        without = text.replace('_', "");
        without.as_str()
    } else {
        text
    };
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if let Some(magnitude) = whole(digits) {
        if negative {
            if let Some(value) = 0_i64.checked_sub_unsigned(magnitude) {
                return Resolved::Int(value);
            }
        } else if let Ok(value) = i64::try_from(magnitude) {
            return Resolved::Int(value);
        } else if !text.starts_with('+') {
            return Resolved::Uint(magnitude);
        }
    }
    if is_decimal(digits) {
        return float(text).map_or(Resolved::Text, Resolved::Float);
    }
    // go-yaml tries binary once more behind the prefix, where a sign passes.
    if let Some(rest) = text.strip_prefix("0b")
        && let Ok(value) = i64::from_str_radix(rest, 2)
    {
        return Resolved::Int(value);
    }
    Resolved::Text
}

/// Digits without a sign, with Go's prefixes: `0x`, `0o`, `0b`, and `0` alone for octal.
fn whole(digits: &str) -> Option<u64> {
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', ..] => (2, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    if digits.starts_with('+') {
        return None;
    }
    u64::from_str_radix(digits, radix).ok()
}

/// Whether a text is a number for a reader that knows larger ones than kubectl, for which those
/// are text.
pub(crate) fn is_number_of_any_size(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let digit = |b: u8| b.is_ascii_hexdigit() || b == b'_';
    let with_base = match digits.as_bytes() {
        [b'0', b'x' | b'X' | b'o' | b'O' | b'b' | b'B', rest @ ..] => {
            rest.iter().copied().all(digit)
        }
        _ => false,
    };
    with_base || is_decimal(digits)
}

/// `12`, `1.`, `.5`, `1.5e-3`, without a sign.
fn is_decimal(text: &str) -> bool {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let exponent_ok = exponent.is_none_or(|e| digits(e.strip_prefix(['-', '+']).unwrap_or(e)));
    let mantissa_ok = match mantissa.split_once('.') {
        Some(("", fraction)) => digits(fraction),
        Some((whole, fraction)) => digits(whole) && (fraction.is_empty() || digits(fraction)),
        None => digits(mantissa),
    };
    exponent_ok && mantissa_ok
}

/// Go's `FormatFloat(value, 'g', -1, 32)`, with YAML's names for what is not finite.
pub(crate) fn short_float(value: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "as kubectl does")]
    let value = value as f32;
    if value.is_nan() {
        return ".nan".to_owned();
    }
    if value.is_infinite() {
        return if value < 0.0 { "-.inf" } else { ".inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let exponent: i32 = scientific
        .split_once('e')
        .and_then(|(_, exponent)| exponent.parse().ok())
        .unwrap_or(0);
    if value != 0.0 && !(-4..6).contains(&exponent) {
        let digits = scientific.split('e').next().unwrap_or_default();
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.abs());
    }
    format!("{value}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_floats() {
        for (value, expect) in [
            (1.5, "1.5"),
            (1000.0, "1000"),
            (1e6, "1e+06"),
            (1e-5, "1e-05"),
            (0.0001, "0.0001"),
            (0.1, "0.1"),
            (f64::NEG_INFINITY, "-.inf"),
        ] {
            assert_eq!(short_float(value), expect);
        }
    }
}

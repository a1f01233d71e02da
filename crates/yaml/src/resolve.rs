//! What a scalar means. The rules are those of go-yaml v2 as sigs.k8s.io/yaml uses it, including
//! the JSON that kubectl makes of the result.

use crate::{Value, number};

/// What go-yaml makes of a scalar, before it becomes JSON.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Resolved {
    /// The text itself.
    Text,
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    /// `<<`, which is text everywhere but in the place of a key.
    Merge,
}

/// Resolves a plain scalar without a tag.
pub(crate) fn plain(text: &str) -> Resolved {
    let Some(&first) = text.as_bytes().first() else {
        return Resolved::Null;
    };
    match first {
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~' => word(text),
        b'0'..=b'9' => number::resolve(text),
        b'+' | b'-' => match infinity(&text[1..]) {
            Some(value) => Resolved::Float(if first == b'-' { -value } else { value }),
            None => number::resolve(text),
        },
        b'.' => match text {
            ".nan" | ".NaN" | ".NAN" => Resolved::Float(f64::NAN),
            _ => match infinity(text).or_else(|| number::dotted(text)) {
                Some(value) => Resolved::Float(value),
                None => Resolved::Text,
            },
        },
        b'<' if text == "<<" => Resolved::Merge,
        // The table of go-yaml has no other first characters; `n` of `null` is among them.
        _ => Resolved::Text,
    }
}

fn word(text: &str) -> Resolved {
    const LONGEST: usize = "false".len();
    match text {
        _ if text.len() > LONGEST => Resolved::Text,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Resolved::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Resolved::Bool(false)
        }
        "~" | "null" | "Null" | "NULL" => Resolved::Null,
        _ => Resolved::Text,
    }
}

fn infinity(text: &str) -> Option<f64> {
    matches!(text, ".inf" | ".Inf" | ".INF").then_some(f64::INFINITY)
}

/// Resolves a scalar with a tag, given as its full name.
pub(crate) fn tagged(tag: &str, text: &str) -> Result<Resolved, String> {
    let Some(short) = tag.strip_prefix("tag:yaml.org,2002:") else {
        return Ok(Resolved::Text);
    };
    let mismatch = || Err(format!("cannot read `{}` as `!!{short}`", excerpt(text)));
    let resolved = plain(text);
    match (short, resolved) {
        ("merge", Resolved::Merge) => Ok(resolved),
        ("bool", Resolved::Bool(_))
        | ("int", Resolved::Int(_) | Resolved::Uint(_))
        | ("float", Resolved::Float(_))
        | ("null", Resolved::Null) => Ok(resolved),
        #[expect(clippy::cast_precision_loss, reason = "what the tag asks for")]
        ("float", Resolved::Int(value)) => Ok(Resolved::Float(value as f64)),
        ("timestamp", _) if is_timestamp(text) => Ok(Resolved::Text),
        ("bool" | "int" | "float" | "null" | "timestamp", _) => mismatch(),
        _ => Ok(Resolved::Text),
    }
}

fn excerpt(text: &str) -> &str {
    let end = text.char_indices().nth(40).map_or(text.len(), |(at, _)| at);
    &text[..end]
}

/// Whether kubectl would take the text for a date or a time: `2006-1-2`, optionally with a time.
/// It stays text, but other readers make a date of it.
pub(crate) fn is_timestamp(text: &str) -> bool {
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], Some(&text[at..])),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let mut part = |lengths: std::ops::RangeInclusive<usize>, most: u32| {
        parts.next().is_some_and(|p| {
            lengths.contains(&p.len())
                && p.bytes().all(|b| b.is_ascii_digit())
                && p.parse().is_ok_and(|n: u32| n <= most)
        })
    };
    if !(part(4..=4, 9999) && part(1..=2, 12) && part(1..=2, 31)) || parts.next().is_some() {
        return false;
    }
    time.is_none_or(|time| {
        let clock = time[1..].trim_end_matches('Z');
        clock.starts_with(|c: char| c.is_ascii_digit())
            && clock.contains(':')
            && clock
                .bytes()
                .all(|b| b.is_ascii_digit() || b":.+-".contains(&b))
    })
}

/// The value that arrives behind kubectl's way through JSON; `None` for what JSON cannot say.
pub(crate) fn value(resolved: Resolved, text: String) -> Option<Value> {
    Some(match resolved {
        Resolved::Text | Resolved::Merge => Value::String(text),
        Resolved::Null => Value::Null,
        Resolved::Bool(value) => Value::Bool(value),
        Resolved::Int(value) => Value::Int(value),
        Resolved::Uint(value) => Value::Uint(value),
        Resolved::Float(value) => json_float(value)?,
    })
}

/// A float that is whole loses its point in JSON, so that an integer arrives.
fn json_float(value: f64) -> Option<Value> {
    if !value.is_finite() {
        return None;
    }
    if value.fract() == 0.0 && value.abs() < 1e19 {
        // Both Go and Rust fill the shortest digits up with zeros, which is not always the exact
        // value.
        let digits = value.to_string();
        if let Ok(value) = digits.parse() {
            return Some(Value::Int(value));
        }
    }
    Some(Value::Float(value))
}

/// The string that stands for a scalar in the place of a key; `None` for null and for numbers
/// that kubectl refuses there.
pub(crate) fn key(resolved: Resolved, text: String) -> Option<String> {
    Some(match resolved {
        Resolved::Text | Resolved::Merge => text,
        Resolved::Bool(value) => value.to_string(),
        Resolved::Int(value) => value.to_string(),
        Resolved::Float(value) => number::short_float(value),
        Resolved::Null | Resolved::Uint(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Resolved) {
        assert_eq!(plain(text), expect, "{text}");
    }

    #[test]
    fn words() {
        for text in ["y", "Yes", "ON", "true", "TRUE"] {
            check(text, Resolved::Bool(true));
        }
        for text in ["n", "No", "off", "False"] {
            check(text, Resolved::Bool(false));
        }
        for text in ["", "~", "null", "NULL"] {
            check(text, Resolved::Null);
        }
        for text in [
            "tRUE", "yEs", "nULL", "none", "of", "/", "é", "=", "< <", "_1",
        ] {
            check(text, Resolved::Text);
        }
        check("<<", Resolved::Merge);
    }

    #[test]
    fn whole_numbers() {
        for (text, value) in [
            ("0", 0),
            ("017", 15),
            ("0o17", 15),
            ("0x1F", 31),
            ("0b101", 5),
            ("-0b11", -3),
            ("0b-1", -1),
            ("1_000", 1000),
            ("+_1", 1),
            ("0_7", 7),
            ("-9223372036854775808", i64::MIN),
        ] {
            check(text, Resolved::Int(value));
        }
        check("18446744073709551615", Resolved::Uint(u64::MAX));
        check(
            "+18446744073709551615",
            Resolved::Float(1.844_674_407_370_955_2e19),
        );
    }

    #[test]
    fn floats() {
        for (text, value) in [
            ("08", 8.0),
            ("12e03", 12000.0),
            ("1.", 1.0),
            (".5", 0.5),
            ("-1.5E-2", -0.015),
            ("+.5", 0.5),
            (".5_0", 0.5),
            ("1_0.5", 10.5),
            ("-.inf", f64::NEG_INFINITY),
            ("+.INF", f64::INFINITY),
        ] {
            check(text, Resolved::Float(value));
        }
        for text in [
            "1:30",
            "190:20:30",
            "1e999",
            "-",
            "+",
            ".",
            "..5",
            "0x",
            "0o8",
            "1.2.3",
            "1e",
            "2001-01-01",
            ".5__0",
            ".5_",
            "._5",
            ".5e_1",
            "10m",
            "0b2",
            "-0b-1",
            "--1",
            "+-1",
            ".Nan",
        ] {
            check(text, Resolved::Text);
        }
    }

    #[test]
    fn floats_become_json() {
        assert_eq!(json_float(12000.0), Some(Value::Int(12000)));
        assert_eq!(json_float(-0.0), Some(Value::Int(0)));
        assert_eq!(json_float(1e20), Some(Value::Float(1e20)));
        assert_eq!(json_float(f64::NAN), None);
    }

    #[test]
    fn tags_ask_for_a_kind() {
        assert_eq!(tagged("tag:yaml.org,2002:str", "1"), Ok(Resolved::Text));
        assert_eq!(
            tagged("tag:yaml.org,2002:float", "1"),
            Ok(Resolved::Float(1.0))
        );
        assert_eq!(tagged("!mine", "1"), Ok(Resolved::Text));
        assert!(tagged("tag:yaml.org,2002:int", "1.5").is_err());
        assert!(tagged("tag:yaml.org,2002:timestamp", "soon").is_err());
    }

    #[test]
    fn timestamps() {
        for text in [
            "2001-12-14",
            "2001-1-2",
            "2001-12-14T21:59:43Z",
            "2001-12-14 21:59:43.1",
        ] {
            assert!(is_timestamp(text), "{text}");
        }
        for text in [
            "2001-13-14",
            "2001",
            "01-01-2001",
            "2001-12-14T",
            "2001-12-14x",
        ] {
            assert!(!is_timestamp(text), "{text}");
        }
    }
}

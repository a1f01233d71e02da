/// Decodes base64 as Go does: padded, line breaks ignored. Bytes that are no UTF-8 become
/// replacement characters, as on the way through JSON.
pub(crate) fn decode(text: &str) -> Option<String> {
    let digits: Vec<u8> = text
        .bytes()
        .filter(|b| !matches!(b, b'\n' | b'\r'))
        .collect();
    if !digits.len().is_multiple_of(4) {
        return None;
    }
    let padding = digits.iter().rev().take_while(|&&b| b == b'=').count();
    if padding > 2 {
        return None;
    }
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3);
    for group in digits[..digits.len() - padding].chunks(4) {
        let mut bits = 0_u32;
        for &digit in group {
            bits = bits << 6 | u32::from(value(digit)?);
        }
        bits <<= 6 * (4 - group.len());
        bytes.extend_from_slice(&bits.to_be_bytes()[1..group.len()]);
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

const fn value(digit: u8) -> Option<u8> {
    Some(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_decoded() {
        assert_eq!(decode("aGVsbG8="), Some("hello".to_owned()));
        assert_eq!(decode("aGVs\nbG8h"), Some("hello!".to_owned()));
        assert_eq!(decode(""), Some(String::new()));
        assert_eq!(decode("/w=="), Some("\u{fffd}".to_owned()));
        for text in ["aGVsbG8", "a", "====", "aG=s", "aGV$"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}

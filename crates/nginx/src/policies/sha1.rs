//! SHA-1 (FIPS 180-4) in base64, for passwords that a file holds in clear text.

/// The base64 form of the SHA-1 hash of `bytes`.
pub(crate) fn base64_sha1(bytes: &[u8]) -> String {
    base64(&sha1(bytes))
}

fn sha1(bytes: &[u8]) -> [u8; 20] {
    let mut state: [u32; 5] = [
        0x6745_2301,
        0xefcd_ab89,
        0x98ba_dcfe,
        0x1032_5476,
        0xc3d2_e1f0,
    ];
    let mut message = bytes.to_vec();
    message.push(0x80);
    while message.len() % 64 != 56 {
        message.push(0);
    }
    message.extend_from_slice(&(bytes.len() as u64 * 8).to_be_bytes());
    for block in message.chunks_exact(64) {
        let mut words = [0_u32; 80];
        for (word, four) in words.iter_mut().zip(block.chunks_exact(4)) {
            *word = four
                .iter()
                .fold(0, |word, &byte| word << 8 | u32::from(byte));
        }
        for at in 16..80 {
            let mixed = words[at - 3] ^ words[at - 8] ^ words[at - 14] ^ words[at - 16];
            words[at] = mixed.rotate_left(1);
        }
        let now = rounds(state, &words[..20], 0x5a82_7999, |x, y, z| x & y | !x & z);
        let now = rounds(now, &words[20..40], 0x6ed9_eba1, |x, y, z| x ^ y ^ z);
        let now = rounds(now, &words[40..60], 0x8f1b_bcdc, |x, y, z| {
            x & y | x & z | y & z
        });
        let now = rounds(now, &words[60..], 0xca62_c1d6, |x, y, z| x ^ y ^ z);
        for (sum, part) in state.iter_mut().zip(now) {
            *sum = sum.wrapping_add(part);
        }
    }
    let mut hash = [0; 20];
    for (four, word) in hash.chunks_exact_mut(4).zip(state) {
        four.copy_from_slice(&word.to_be_bytes());
    }
    hash
}

/// Rounds that have the constant and the function in common.
fn rounds(
    mut state: [u32; 5],
    words: &[u32],
    constant: u32,
    mix: impl Fn(u32, u32, u32) -> u32,
) -> [u32; 5] {
    for &word in words {
        let [first, x, y, z, last] = state;
        let next = first
            .rotate_left(5)
            .wrapping_add(mix(x, y, z))
            .wrapping_add(last)
            .wrapping_add(constant)
            .wrapping_add(word);
        state = [next, first, x.rotate_left(30), y, z];
    }
    state
}

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = three
            .iter()
            .fold(0_u32, |bits, &byte| bits << 8 | u32::from(byte))
            << (8 * (3 - three.len()));
        for at in 0..4 {
            let digit = (bits >> (18 - 6 * at) & 63) as usize;
            text.push(if at <= three.len() {
                char::from(DIGITS[digit])
            } else {
                '='
            });
        }
    }
    text
}

/// Whether it is the base64 form of a SHA-1 hash.
pub(crate) fn is_base64_sha1(text: &str) -> bool {
    text.len() == 28
        && text.ends_with('=')
        && text[..27].bytes().all(|byte| DIGITS.contains(&byte))
        // The last digit before the padding holds four bits.
        && DIGITS
            .iter()
            .position(|digit| *digit == text.as_bytes()[26])
            .is_some_and(|value| value % 4 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_hashes() {
        // FIPS 180 examples, and `htpasswd -nbs alice wonder`.
        assert_eq!(base64_sha1(b"abc"), "qZk+NkcGgWq6PiVxeFDCbJzQ2J0=");
        assert_eq!(base64_sha1(b""), "2jmj7l5rSw0yVb/vlWAYkK/YBwk=");
        assert_eq!(
            base64_sha1(b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "hJg+RBw70m66rkqh+VEp5eVGcPE="
        );
        assert_eq!(base64_sha1(b"wonder"), "w3QkzGJswDXW5OKZHAJw0FELjfM=");
        assert!(is_base64_sha1(&base64_sha1(&[7; 200])));
        for bad in [
            "",
            "w3QkzGJswDXW5OKZHAJw0FELjf==",
            "w3QkzGJswDXW5OKZHAJw0FELjfM",
            "w3QkzGJswDXW5OKZHAJw0FELjfN=",
        ] {
            assert!(!is_base64_sha1(bad), "{bad}");
        }
    }
}

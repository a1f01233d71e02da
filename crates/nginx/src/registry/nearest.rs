//! The word that was probably meant.

/// The candidate nearest to `word`, when it is near enough to be a slip of the pen:
/// a third of the letters may differ, at most three. Parts in another order
/// (`cors-enable`) and capitals or underscores count as near.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    let word = word.to_ascii_lowercase().replace('_', "-");
    let parts = sorted_parts(&word);
    let limit = (word.chars().count() / 3).min(3);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let distance = if candidate == word {
            0
        } else if sorted_parts(candidate) == parts {
            1
        } else {
            distance(&word, candidate, limit)
        };
        if distance <= limit && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

fn sorted_parts(word: &str) -> Vec<&str> {
    let mut parts: Vec<_> = word.split('-').collect();
    parts.sort_unstable();
    parts
}

/// The edit distance with transpositions, or more than `limit` when it is larger.
fn distance(a: &str, b: &str, limit: usize) -> usize {
    if a.len().abs_diff(b.len()) > limit {
        return limit + 1;
    }
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut before: Vec<usize> = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut row = vec![0; b.len() + 1];
    for i in 1..=a.len() {
        row[0] = i;
        for j in 1..=b.len() {
            let change = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + change);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        std::mem::swap(&mut before, &mut last);
        std::mem::swap(&mut last, &mut row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found() {
        let words = [
            "auth-type",
            "enable-cors",
            "limit-rps",
            "ssl-redirect",
            "proxy-read-timeout",
        ];
        for (typed, meant) in [
            ("auth-typ", Some("auth-type")),
            ("cors-enable", Some("enable-cors")),
            ("enable-cores", Some("enable-cors")),
            ("ssl_redirect", Some("ssl-redirect")),
            ("SSL-Redirect", Some("ssl-redirect")),
            ("proxy-raed-timeout", Some("proxy-read-timeout")),
            ("priority", None),
            ("no-such-thing", None),
            ("x", None),
        ] {
            assert_eq!(nearest(typed, words.into_iter()), meant, "{typed}");
        }
        assert_eq!(distance("abcd", "acbd", 3), 1);
    }
}

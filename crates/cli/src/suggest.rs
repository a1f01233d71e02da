//! "Did you mean": the nearest of a few hundred words.

/// The word nearest to `typed`, when it is near enough to be what was meant.
pub(crate) fn nearest<'a>(
    typed: &str,
    words: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let length = typed.chars().count();
    let limit = (length / 3).clamp(1, 4);
    words
        .into_iter()
        .filter_map(|word| {
            // The beginning of a word stands behind every misspelling.
            let begun = length > 2 && word.starts_with(typed);
            let edits = distance(typed, word);
            (edits <= limit || begun).then(|| (edits.min(limit + 1), word))
        })
        .min()
        .map(|(_, word)| word)
}

/// Edits between two words: insertion, deletion, replacement, swap of neighbours.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut previous = None;
    for (i, x) in a.chars().enumerate() {
        let mut row = vec![i + 1];
        for (j, &y) in b.iter().enumerate() {
            let replaced = last[j] + usize::from(x != y);
            let mut least = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if j > 0 && previous == Some(y) && b[j - 1] == x {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
        previous = Some(x);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let words = [
            "rewrite-target",
            "proxy-read-timeout",
            "limit-rps",
            "limit-rpm",
        ];
        assert_eq!(nearest("rewrite-targte", words), Some("rewrite-target"));
        assert_eq!(
            nearest("proxy-read-timout", words),
            Some("proxy-read-timeout")
        );
        assert_eq!(nearest("limit-rpx", words), Some("limit-rpm"));
        assert_eq!(nearest("proxy", words), Some("proxy-read-timeout"));
        assert_eq!(nearest("unrelated", words), None);
        assert_eq!(nearest("", words), None);
    }

    #[test]
    fn counts_edits() {
        for (a, b, edits) in [
            ("", "", 0),
            ("", "ab", 2),
            ("ab", "ba", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(a, b), edits, "{a} {b}");
        }
    }
}

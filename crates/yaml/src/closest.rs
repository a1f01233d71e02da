/// The candidate that differs from `name` by the fewest typing errors (a character more, less,
/// wrong, or two swapped; case counts for nothing), if those are few for its length.
pub fn closest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wanted: Vec<char> = name.chars().flat_map(char::to_lowercase).collect();
    let limit = (wanted.len() / 3).clamp(1, 3);
    candidates
        .filter(|candidate| *candidate != name)
        .filter_map(|candidate| {
            let other: Vec<char> = candidate.chars().flat_map(char::to_lowercase).collect();
            if other.len().abs_diff(wanted.len()) > limit {
                return None;
            }
            let distance = distance(&wanted, &other);
            (distance <= limit).then_some((distance, candidate))
        })
        // The first of several equally close ones.
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// Damerau-Levenshtein distance in the form where no part is edited twice.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, &ca) in a.iter().enumerate() {
        let mut row = vec![i + 1; b.len() + 1];
        for (j, &cb) in b.iter().enumerate() {
            let mut best = (last[j] + usize::from(ca != cb))
                .min(last[j + 1] + 1)
                .min(row[j] + 1);
            if i > 0 && j > 0 && ca == b[j - 1] && a[i - 1] == cb {
                best = best.min(before[j - 1] + 1);
            }
            row[j + 1] = best;
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, expect: Option<&str>) {
        let fields = ["pathType", "path", "backend", "host", "rewrite-target"];
        assert_eq!(closest(name, fields.into_iter()), expect, "{name}");
    }

    #[test]
    fn typing_errors_are_forgiven() {
        check("pathTyp", Some("pathType"));
        check("pathtype", Some("pathType"));
        check("hots", Some("host"));
        check("bakcend", Some("backend"));
        check("rewirte-tagret", Some("rewrite-target"));
    }

    #[test]
    fn other_words_are_not() {
        check("x", None);
        check("name", None);
        check("port", None);
        check("path", None);
    }

    #[test]
    fn distances() {
        let d = |a: &str, b: &str| {
            distance(
                &a.chars().collect::<Vec<_>>(),
                &b.chars().collect::<Vec<_>>(),
            )
        };
        assert_eq!(d("", "abc"), 3);
        assert_eq!(d("abc", "acb"), 1);
        assert_eq!(d("kitten", "sitting"), 3);
    }
}

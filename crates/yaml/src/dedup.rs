use gatewright_diagnostics::{Code, Diagnostic};

use crate::node::Entry;

/// Up to this many entries are compared pair by pair, which needs no memory.
const FEW: usize = 16;

/// Removes double keys: the value of the last one wins and takes the place of the first.
/// `merged` lists the indexes that came through a merge key; those are replaced silently.
pub(crate) fn last_wins(
    mut entries: Vec<Entry>,
    merged: &[usize],
    warnings: &mut Vec<Diagnostic>,
) -> Vec<Entry> {
    let mut doubles = if entries.len() <= FEW {
        few(&entries)
    } else {
        many(&entries)
    };
    if doubles.is_empty() {
        return entries;
    }
    doubles.sort_unstable();
    for &(later, first) in &doubles {
        if !merged.contains(&later) && !merged.contains(&first) {
            let (old, new) = (&entries[first].key, &entries[later].key);
            warnings.push(
                Diagnostic::new(
                    Code::DuplicateKey,
                    format!(
                        "the key `{}` occurs twice in one map",
                        new.value.escape_debug()
                    ),
                )
                .label(new.span, "this value is used")
                .label(old.span, "this one is dropped")
                .help("remove one of the two"),
            );
        }
        entries.swap(first, later);
    }
    let mut at = 0;
    entries.retain(|_| {
        let double = doubles.binary_search_by_key(&at, |&(later, _)| later);
        at += 1;
        double.is_err()
    });
    entries
}

/// Pairs of a double key's index and the index of its first occurrence.
fn few(entries: &[Entry]) -> Vec<(usize, usize)> {
    let mut doubles = Vec::new();
    for (at, entry) in entries.iter().enumerate() {
        let key = entry.key.value.as_str();
        if let Some(first) = entries[..at].iter().position(|e| e.key.value == key) {
            doubles.push((at, first));
        }
    }
    doubles
}

fn many(entries: &[Entry]) -> Vec<(usize, usize)> {
    let mut order: Vec<usize> = (0..entries.len()).collect();
    // A stable sort keeps equal keys in the order of the document.
    order.sort_by(|&a, &b| entries[a].key.value.cmp(&entries[b].key.value));
    order
        .chunk_by(|&a, &b| entries[a].key.value == entries[b].key.value)
        .flat_map(|same| same[1..].iter().map(|&later| (later, same[0])))
        .collect()
}

#[cfg(test)]
mod tests {
    use gatewright_source::{FileId, Span, Spanned};

    use super::*;
    use crate::node::{Node, Value};

    fn check(keys: &str, merged: &[usize], expect: &str, warned: usize) {
        let span = Span::new(FileId(0), 0, 0);
        let entries = keys.split(' ').enumerate().map(|(at, key)| Entry {
            key: Spanned::new(key.to_owned(), span),
            value: Node::new(Value::Int(i64::try_from(at).unwrap()), span),
        });
        let mut warnings = Vec::new();
        let left: Vec<_> = last_wins(entries.collect(), merged, &mut warnings)
            .iter()
            .map(|e| format!("{}{}", e.key.value, e.value.as_int().unwrap()))
            .collect();
        assert_eq!(left.join(" "), expect);
        assert_eq!(warnings.len(), warned, "{keys}");
    }

    #[test]
    fn the_last_value_takes_the_first_place() {
        check("a b c", &[], "a0 b1 c2", 0);
        check("a b a", &[], "a2 b1", 1);
        check("a a a b", &[], "a2 b3", 2);
        check("a b a", &[2], "a2 b1", 0);
        check("a b b a a c", &[0], "a4 b2 c5", 1);
        check(
            "a b c d e f g h i j k l m n o p q a b a",
            &[],
            "a19 b18 c2 d3 e4 f5 g6 h7 i8 j9 k10 l11 m12 n13 o14 p15 q16",
            3,
        );
    }
}

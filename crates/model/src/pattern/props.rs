//! Properties of all patterns.

use proptest::prelude::*;
use regex::Regex;

use super::{Pattern, may_overlap, pad_match};

/// Texts of the supported subset, with what stands in real ones.
fn supported() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        4 => "[a-c/]".prop_map(String::from),
        1 => Just(".".to_owned()),
        1 => Just("[^/]".to_owned()),
        1 => Just("[a-b]".to_owned()),
        1 => Just(r"\w".to_owned()),
        1 => Just("$".to_owned()),
        1 => Just("(?-i:a)".to_owned()),
        1 => Just(".*".to_owned()),
    ];
    let nested = leaf.prop_recursive(4, 24, 4, |inner| {
        let repeated = (inner.clone(), "[*+?]|\\{1,2\\}")
            .prop_map(|(inner, count)| format!("(?:{inner}){count}"));
        prop_oneof![
            proptest::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat()),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("(?:{a}|{b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}|{b})")),
            inner.prop_map(|inner| format!("({inner})")),
            repeated,
        ]
    });
    nested.prop_map(|text| format!("/{text}"))
}

/// The emitted text as the `regex` crate reads it, which for these is as RE2 does.
fn compile(text: &str) -> Regex {
    Regex::new(&format!(r"\A(?:{text})\z")).unwrap()
}

proptest! {
    #[test]
    fn nothing_panics_and_ranges_are_whole(text in r"(\PC|[()\[\]{}?*+|^$\\:=!<>ab1,-]){0,24}") {
        match Pattern::parse(&text) {
            Ok(pattern) => match pattern.to_re2() {
                Ok(re2) => {
                    let encoded = re2.clone().for_encoded_path();
                    for text in [re2.match_prefix(), encoded.rewrite_pattern()] {
                        prop_assert!(!text.is_empty());
                    }
                    prop_assert!(encoded.match_anywhere().is_ascii());
                }
                Err(faults) => for fault in faults {
                    prop_assert!(text.get(fault.range).is_some());
                },
            },
            Err(error) => prop_assert!(text.get(error.range).is_some()),
        }
    }

    #[test]
    fn emitted_texts_agree_with_our_evaluation(
        text in supported(),
        path in "/[a-cA-C/]{0,6}",
    ) {
        let pattern = Pattern::parse(&text).unwrap();
        let re2 = pattern.to_re2().unwrap().for_encoded_path();
        let matching = re2.match_prefix();
        let expected = pattern.matches_prefix(&path).unwrap();
        prop_assert_eq!(compile(&matching).is_match(&path), expected, "{}", matching);
        let padded = pad_match(&matching, matching.len() + path.len()).unwrap();
        prop_assert_eq!(compile(&padded).is_match(&path), expected, "{}", padded);
        let Some(ours) = pattern.captures_prefix(&path) else {
            return Ok(());
        };
        let rewrite = re2.rewrite_pattern();
        let theirs = Regex::new(&rewrite).unwrap().captures(&path).unwrap();
        prop_assert_eq!(&theirs[0], path.as_str());
        for group in 1..=pattern.group_count() {
            let theirs = theirs.get(group).map_or("", |found| found.as_str());
            prop_assert_eq!(ours.get(group).unwrap_or_default(), theirs.as_bytes(), "{}", rewrite);
        }
    }

}

proptest! {
    // Each case builds two automata.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn patterns_that_share_a_path_overlap(
        a in supported(),
        b in supported(),
        path in "/[a-cA-C/]{0,4}",
    ) {
        let (a, b) = (Pattern::parse(&a).unwrap(), Pattern::parse(&b).unwrap());
        if a.matches_prefix(&path) == Some(true) && b.matches_prefix(&path) == Some(true) {
            prop_assert!(may_overlap(&a, &b));
        }
    }
}

use std::fmt;

use serde::{Serialize, Serializer};

use crate::Severity;

/// What the table of codes says of one code.
#[derive(Debug)]
pub struct CodeInfo {
    /// Its number, such as 123 for `GW0123`.
    pub number: u16,
    /// Its name in words, such as `helm-template`.
    pub name: &'static str,
    /// Its severity unless a diagnostic says otherwise.
    pub severity: Severity,
    /// What it means, in one line.
    pub title: &'static str,
    /// The explain page: what happened, why it matters, what to do. Markdown.
    pub explanation: &'static str,
}

macro_rules! codes {
    ($($variant:ident = $number:literal, $name:literal, $severity:ident, $title:literal, $explanation:literal;)*) => {
        /// The code of a diagnostic. Numbers never change their meaning.
        ///
        /// Ranges: 01xx reading files, 02xx Kubernetes objects, 03xx how ingress-nginx combines
        /// them, 04xx annotation keys and values, 05xx translated with a difference, 06xx refused,
        /// 07xx limits of the target, 08xx patterns, 09xx environment.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $title] $variant = $number,)*
        }

        /// The table of codes, in ascending order.
        pub static CODES: &[(Code, CodeInfo)] = &[
            $((Code::$variant, CodeInfo {
                number: $number,
                name: $name,
                severity: Severity::$severity,
                title: $title,
                explanation: $explanation,
            }),)*
        ];
    };
}

codes! {
    Syntax = 101, "yaml-syntax", Error, "a document is not valid YAML",
        "The document cannot be read, and neither could kubectl read it. It is skipped; all other documents are converted and the exit code is 3.\n\nMend the document at the place shown.";
    HelmTemplate = 102, "helm-template", Error, "a document is a Helm template",
        "The document holds template actions (`{{ … }}`), so it is not YAML yet. It is skipped; all other documents are converted and the exit code is 3.\n\nRender the chart first: `helm template RELEASE CHART | gatewright convert -`.";
}

impl Code {
    /// The row of the table.
    pub fn info(self) -> &'static CodeInfo {
        let at = CODES
            .binary_search_by_key(&(self as u16), |(_, info)| info.number)
            .unwrap_or(0);
        &CODES[at].1
    }

    /// Finds `GW0123`, `gw0123`, `0123`, `123` or the name in words.
    pub fn find(text: &str) -> Option<Self> {
        let upper = text.to_ascii_uppercase();
        let number = upper.strip_prefix("GW").unwrap_or(&upper).parse::<u16>();
        CODES
            .iter()
            .find(|(_, info)| number.as_ref() == Ok(&info.number) || info.name == text)
            .map(|&(code, _)| code)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GW{:04}", *self as u16)
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_sorted_and_names_are_unique() {
        assert!(CODES.windows(2).all(|w| w[0].1.number < w[1].1.number));
        let mut names: Vec<_> = CODES.iter().map(|(_, info)| info.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), CODES.len());
    }

    #[test]
    fn codes_are_found_by_number_and_name() {
        for text in ["GW0102", "gw0102", "0102", "102", "helm-template"] {
            assert_eq!(Code::find(text), Some(Code::HelmTemplate), "{text}");
        }
        assert_eq!(Code::find("GW9999"), None);
    }
}

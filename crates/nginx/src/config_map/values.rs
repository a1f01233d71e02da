//! How values of the `ConfigMap` are read.

use crate::registry::{Risk, parse_bool};

/// A type that a value of the `ConfigMap` can have.
pub trait Setting: Sized {
    /// What it is, with its article.
    const KIND: &'static str;

    /// Reads a value; `None` leaves the default.
    fn read(text: &str) -> Option<Self>;
}

impl Setting for bool {
    const KIND: &'static str = "`true` or `false`";

    // The decoder takes an empty text for false.
    fn read(text: &str) -> Option<Self> {
        if text.is_empty() {
            Some(false)
        } else {
            parse_bool(text)
        }
    }
}

impl Setting for i64 {
    const KIND: &'static str = "a whole number";

    fn read(text: &str) -> Option<Self> {
        if text.is_empty() {
            Some(0)
        } else {
            text.parse().ok()
        }
    }
}

impl Setting for String {
    const KIND: &'static str = "a text";

    fn read(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

impl Setting for Vec<String> {
    const KIND: &'static str = "a comma list";

    fn read(text: &str) -> Option<Self> {
        let items = text
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty());
        Some(items.map(str::to_owned).collect())
    }
}

/// Status codes to intercept. Items that are no numbers or outside 300 to 599 are
/// skipped one by one.
impl Setting for Vec<u16> {
    const KIND: &'static str = "a comma list of status codes";

    fn read(text: &str) -> Option<Self> {
        let codes = text.split(',').filter_map(|item| item.trim().parse().ok());
        Some(codes.filter(|code| (300..=599).contains(code)).collect())
    }
}

/// A status for redirects to HTTPS and between names.
impl Setting for u16 {
    const KIND: &'static str = "a status code that fits the key";

    fn read(text: &str) -> Option<Self> {
        text.parse().ok().filter(|code| (300..=599).contains(code))
    }
}

impl Setting for Option<Risk> {
    const KIND: &'static str = "`Low`, `Medium`, `High` or `Critical`";

    fn read(text: &str) -> Option<Self> {
        Risk::parse(text).map(Some)
    }
}

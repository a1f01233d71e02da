use std::borrow::Cow;

/// A value to be written, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Out {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number above `i64::MAX`.
    Uint(u64),
    /// Any other number; what is not finite is written as `null`.
    Float(f64),
    /// Text.
    String(String),
    /// A list.
    Sequence(Vec<Self>),
    /// A map.
    Mapping(OutMapping),
}

/// An entry of a map.
#[derive(Clone, Debug, PartialEq)]
pub struct OutEntry {
    /// Its key. Most are the names of fields.
    pub key: Cow<'static, str>,
    /// Its value.
    pub value: Out,
}

/// An ordered map. No key occurs twice.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OutMapping {
    entries: Vec<OutEntry>,
}

impl OutMapping {
    /// A map without entries.
    pub const fn new() -> Self {
        Self {
            entries: Vec::new(),
        }
    }

    /// A map without entries, with room for so many.
    pub(crate) fn with_capacity(entries: usize) -> Self {
        Self {
            entries: Vec::with_capacity(entries),
        }
    }

    /// Sets the value of a key; a new key goes to the end.
    pub fn insert(&mut self, key: impl Into<Cow<'static, str>>, value: impl Into<Out>) {
        let (key, value) = (key.into(), value.into());
        match self.entries.iter_mut().find(|entry| entry.key == key) {
            Some(entry) => entry.value = value,
            None => self.push_new(key, value),
        }
    }

    /// Appends a key that is known to be new: [`Self::insert`] would look for it.
    pub fn push_new(&mut self, key: Cow<'static, str>, value: Out) {
        self.entries.push(OutEntry { key, value });
    }

    /// This map with one more entry.
    #[must_use]
    pub fn with(mut self, key: impl Into<Cow<'static, str>>, value: impl Into<Out>) -> Self {
        self.insert(key, value);
        self
    }

    /// Removes a key and gives back its value.
    pub fn remove(&mut self, key: &str) -> Option<Out> {
        let at = self.entries.iter().position(|entry| entry.key == key)?;
        Some(self.entries.remove(at).value)
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Out> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        Some(&entry.value)
    }

    /// All entries in order.
    pub fn iter(&self) -> std::slice::Iter<'_, OutEntry> {
        self.entries.iter()
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl<'a> IntoIterator for &'a OutMapping {
    type Item = &'a OutEntry;
    type IntoIter = std::slice::Iter<'a, OutEntry>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl IntoIterator for OutMapping {
    type Item = OutEntry;
    type IntoIter = std::vec::IntoIter<OutEntry>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl<K: Into<Cow<'static, str>>, V: Into<Out>> FromIterator<(K, V)> for OutMapping {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut mapping = Self::new();
        for (key, value) in entries {
            mapping.insert(key, value);
        }
        mapping
    }
}

impl Out {
    /// A map of these entries.
    pub fn mapping<K: Into<Cow<'static, str>>, V: Into<Self>>(
        entries: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        Self::Mapping(entries.into_iter().collect())
    }

    /// A list of these items.
    pub fn sequence<V: Into<Self>>(items: impl IntoIterator<Item = V>) -> Self {
        Self::Sequence(items.into_iter().map(Into::into).collect())
    }

    /// The map, if this is one.
    pub const fn as_mapping(&self) -> Option<&OutMapping> {
        match self {
            Self::Mapping(mapping) => Some(mapping),
            _ => None,
        }
    }
}

impl From<&str> for Out {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Out {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<bool> for Out {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Out {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<i32> for Out {
    fn from(value: i32) -> Self {
        Self::Int(value.into())
    }
}

impl From<u32> for Out {
    fn from(value: u32) -> Self {
        Self::Int(value.into())
    }
}

impl From<u16> for Out {
    fn from(value: u16) -> Self {
        Self::Int(value.into())
    }
}

impl From<u64> for Out {
    fn from(value: u64) -> Self {
        i64::try_from(value).map_or(Self::Uint(value), Self::Int)
    }
}

impl From<OutMapping> for Out {
    fn from(mapping: OutMapping) -> Self {
        Self::Mapping(mapping)
    }
}

impl<T: Into<Self>> From<Vec<T>> for Out {
    fn from(items: Vec<T>) -> Self {
        Self::sequence(items)
    }
}

impl<T: Into<Self>> From<Option<T>> for Out {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_set_and_removed() {
        let mut mapping = OutMapping::new().with("a", 1).with("b", "x").with("a", 2);
        assert_eq!(mapping.len(), 2);
        assert_eq!(mapping.get("a"), Some(&Out::Int(2)));
        assert_eq!(mapping.remove("a"), Some(Out::Int(2)));
        assert_eq!(mapping.remove("a"), None);
    }
}

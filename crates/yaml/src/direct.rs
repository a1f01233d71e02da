//! From a typed object to text, without a tree in between: most of what is written has no need
//! of one.

use std::borrow::Cow;

use serde::{Serialize, Serializer, ser};

use crate::emit;
use crate::out::{Out, OutMapping};
use crate::quote::{self, Form};
use crate::serialize::{self, WriteError};

/// An order of keys.
#[derive(Clone, Debug)]
pub struct KeyOrder {
    /// The keys by [`bucket`].
    buckets: Vec<Vec<Known>>,
    others: usize,
}

#[derive(Clone, Debug)]
struct Known {
    key: &'static str,
    rank: usize,
    /// Whether it stands without quotes.
    is_plain: bool,
}

impl KeyOrder {
    /// The order in which the keys are given, with all others behind them as they come.
    pub fn new(keys: &[&'static str]) -> Self {
        let mut buckets = vec![Vec::new(); 256];
        for (rank, key) in keys.iter().enumerate() {
            let is_plain = quote::form(key, false) == Form::Plain;
            buckets[bucket(key)].push(Known {
                key,
                rank,
                is_plain,
            });
        }
        Self {
            buckets,
            others: keys.len(),
        }
    }

    fn find(&self, key: &str) -> Option<&Known> {
        let mut known = self.buckets[bucket(key)].iter();
        known.find(|known| known.key == key)
    }
}

/// Length and first letter tell most keys apart.
fn bucket(key: &str) -> usize {
    let first = key.bytes().next().unwrap_or_default();
    (key.len() * 37 + usize::from(first)) % 256
}

/// Memory that writers of one document after another use.
#[derive(Debug, Default)]
pub struct Scratch {
    /// Rank and start of each entry of the maps that are being written, the inner ones last.
    entries: Vec<(usize, usize)>,
    /// The text of entries that are being moved.
    moved: String,
    /// Rank, start and end of each of them.
    parts: Vec<(usize, usize, usize)>,
}

/// Writes one document in the style of [`write_document`](crate::write_document), entry by
/// entry.
pub struct DocumentWriter<'a> {
    text: Text<'a>,
}

impl<'a> DocumentWriter<'a> {
    /// A document behind what `out` holds. Fields inside of what [`Self::ordered`] writes take
    /// this order.
    pub const fn new(out: &'a mut String, order: &'a KeyOrder, scratch: &'a mut Scratch) -> Self {
        Self {
            text: Text {
                out,
                order,
                ordered: false,
                scratch,
            },
        }
    }

    /// Comment lines, without `#`.
    pub fn comments(&mut self, lines: &[String]) {
        emit::comments(self.text.out, lines, 0);
    }

    /// A key and its value. No key may come twice.
    ///
    /// # Errors
    ///
    /// A map inside of the value has a key that is no scalar; nothing is written then.
    pub fn entry<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), WriteError> {
        self.write(key, value, None)
    }

    /// A key and its value, whose fields are put in order. Each item of the list that the value
    /// has below `list.0` gets the comment lines of its place in `list.1`.
    ///
    /// # Errors
    ///
    /// As those of [`Self::entry`].
    pub fn ordered<T: Serialize + ?Sized>(
        &mut self,
        key: &str,
        value: &T,
        list: (&'static str, &[Vec<String>]),
    ) -> Result<(), WriteError> {
        self.text.ordered = true;
        let written = self.write(key, value, Some(list));
        self.text.ordered = false;
        written
    }

    fn write<'c, T: Serialize + ?Sized>(
        &mut self,
        key: &str,
        value: &T,
        list: Option<(&'c str, &'c [Vec<String>])>,
    ) -> Result<(), WriteError> {
        let start = self.text.out.len();
        emit::key(self.text.out, key, 0);
        let written = value.serialize(Place {
            text: &mut self.text,
            indent: 0,
            is_item: false,
            list,
            comments: &[],
        });
        if written.is_err() {
            self.text.out.truncate(start);
            self.text.scratch.entries.clear();
        }
        written
    }
}

struct Text<'a> {
    out: &'a mut String,
    order: &'a KeyOrder,
    /// Whether maps are put in order.
    ordered: bool,
    scratch: &'a mut Scratch,
}

impl Text<'_> {
    /// Puts the entries from `first` on in order; the text of the last ends where all text does.
    /// What leads each of them stays where it is.
    fn reorder(&mut self, first: usize, indent: usize, is_item: bool) {
        let Scratch {
            entries,
            moved,
            parts,
        } = &mut *self.scratch;
        let entries = &entries[first..];
        if let [(_, start), others @ ..] = entries
            && !entries.is_sorted_by_key(|(rank, _)| rank)
        {
            moved.clear();
            moved.push_str(&self.out[*start..]);
            let ends = others.iter().map(|(_, start)| *start);
            let ends = ends.chain([self.out.len()]);
            parts.clear();
            parts.extend(
                (entries.iter().zip(ends))
                    .map(|((rank, from), to)| (*rank, from - start, to - start)),
            );
            parts.sort_by_key(|(rank, ..)| *rank);
            self.out.truncate(*start);
            for (at, (_, from, to)) in parts.iter().enumerate() {
                lead(self.out, indent, at == 0 && is_item);
                self.out.push_str(&moved[from + indent + 2..*to]);
            }
        }
        self.scratch.entries.truncate(first);
    }

    /// Writes the dash of an item over the indentation of its first line.
    fn dash(&mut self, line: usize, indent: usize) {
        let at = line + indent;
        self.out.replace_range(at..at + 2, "- ");
    }
}

/// What stands in front of the key of a map that stands here, which a dash may lead.
fn lead(out: &mut String, indent: usize, dash: bool) {
    if dash {
        emit::indent(out, indent);
        out.push_str("- ");
    } else {
        emit::indent(out, indent + 2);
    }
}

/// Where a value stands.
struct Place<'w, 'a, 'c> {
    text: &'w mut Text<'a>,
    /// The indentation of its key or dash.
    indent: usize,
    /// Whether it is an item of a list. Nothing of its line is written yet then; else its key is.
    is_item: bool,
    /// A list of the map, and comments for the items of it.
    list: Option<(&'c str, &'c [Vec<String>])>,
    /// Comments for its own items.
    comments: &'c [Vec<String>],
}

impl<'w, 'a, 'c> Place<'w, 'a, 'c> {
    fn scalar(mut self, value: &Out) {
        self.lead();
        emit::scalar(self.text.out, value, self.indent);
    }

    /// What stands in front of a scalar.
    fn lead(&mut self) {
        if self.is_item {
            emit::indent(self.text.out, self.indent);
            self.text.out.push('-');
        }
        self.text.out.push(' ');
    }

    fn map(self) -> Map<'w, 'a, 'c> {
        Map {
            first: self.text.scratch.entries.len(),
            is_empty: true,
            key: None,
            place: self,
        }
    }

    fn sequence(self) -> List<'w, 'a, 'c> {
        List {
            start: self.text.out.len(),
            len: 0,
            place: self,
        }
    }
}

struct List<'w, 'a, 'c> {
    place: Place<'w, 'a, 'c>,
    start: usize,
    len: usize,
}

impl List<'_, '_, '_> {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), WriteError> {
        let Place {
            text,
            indent,
            is_item,
            comments,
            ..
        } = &mut self.place;
        if self.len == 0 && !*is_item {
            text.out.push('\n');
        }
        // A list stands below its key without more indentation.
        let indent = if *is_item { *indent + 2 } else { *indent };
        if let Some(lines) = comments.get(self.len) {
            emit::comments(text.out, lines, indent);
        }
        self.len += 1;
        value.serialize(Place {
            text,
            indent,
            is_item: true,
            list: None,
            comments: &[],
        })
    }

    fn finish(self) {
        if self.len == 0 {
            self.place.scalar(&Out::Sequence(Vec::new()));
        } else if self.place.is_item {
            self.place.text.dash(self.start, self.place.indent);
        }
    }
}

struct Map<'w, 'a, 'c> {
    place: Place<'w, 'a, 'c>,
    /// Where the entries of this map begin among all that are being written.
    first: usize,
    is_empty: bool,
    key: Option<Cow<'static, str>>,
}

impl Map<'_, '_, '_> {
    fn push<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), WriteError> {
        let Place {
            text,
            indent,
            is_item,
            list,
            ..
        } = &mut self.place;
        let is_first = std::mem::replace(&mut self.is_empty, false);
        if is_first && !*is_item {
            text.out.push('\n');
        }
        let known = text.order.find(key);
        if text.ordered {
            let rank = known.map_or(text.order.others, |known| known.rank);
            text.scratch.entries.push((rank, text.out.len()));
        }
        lead(text.out, *indent, is_first && *is_item);
        let indent = *indent + 2;
        if known.is_some_and(|known| known.is_plain) {
            text.out.push_str(key);
            text.out.push(':');
        } else {
            emit::key(text.out, key, indent);
        }
        let comments = list.filter(|(list, _)| *list == key);
        value.serialize(Place {
            text,
            indent,
            is_item: false,
            list: None,
            comments: comments.map_or(&[], |(_, comments)| comments),
        })
    }

    fn finish(self) {
        if self.is_empty {
            self.place.scalar(&Out::Mapping(OutMapping::new()));
            return;
        }
        let Place {
            text,
            indent,
            is_item,
            ..
        } = self.place;
        if text.ordered {
            text.reorder(self.first, indent, is_item);
        }
    }
}

impl<'w, 'a, 'c> Serializer for Place<'w, 'a, 'c> {
    type Ok = ();
    type Error = WriteError;
    type SerializeSeq = List<'w, 'a, 'c>;
    type SerializeTuple = List<'w, 'a, 'c>;
    type SerializeTupleStruct = List<'w, 'a, 'c>;
    type SerializeTupleVariant = Variant<Self, serialize::List>;
    type SerializeMap = Map<'w, 'a, 'c>;
    type SerializeStruct = Map<'w, 'a, 'c>;
    type SerializeStructVariant = Variant<Self, serialize::Map>;

    fn serialize_bool(self, value: bool) -> Result<(), WriteError> {
        self.scalar(&Out::Bool(value));
        Ok(())
    }

    fn serialize_i8(self, value: i8) -> Result<(), WriteError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<(), WriteError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<(), WriteError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<(), WriteError> {
        self.scalar(&Out::Int(value));
        Ok(())
    }

    fn serialize_u8(self, value: u8) -> Result<(), WriteError> {
        self.serialize_u64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<(), WriteError> {
        self.serialize_u64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<(), WriteError> {
        self.serialize_u64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<(), WriteError> {
        self.scalar(&Out::Uint(value));
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result<(), WriteError> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<(), WriteError> {
        self.scalar(&Out::Float(value));
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), WriteError> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(mut self, value: &str) -> Result<(), WriteError> {
        self.lead();
        emit::string(self.text.out, value, self.indent);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), WriteError> {
        self.collect_seq(value)
    }

    fn serialize_none(self) -> Result<(), WriteError> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), WriteError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), WriteError> {
        self.scalar(&Out::Null);
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), WriteError> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), WriteError> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<(), WriteError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), WriteError> {
        let mut map = self.map();
        map.push(variant, value)?;
        map.finish();
        Ok(())
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<List<'w, 'a, 'c>, WriteError> {
        Ok(self.sequence())
    }

    fn serialize_tuple(self, _len: usize) -> Result<List<'w, 'a, 'c>, WriteError> {
        Ok(self.sequence())
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        _len: usize,
    ) -> Result<List<'w, 'a, 'c>, WriteError> {
        Ok(self.sequence())
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Variant<Self, serialize::List>, WriteError> {
        Ok(Variant {
            place: self,
            inner: serialize::Tree.serialize_tuple_variant(name, index, variant, len)?,
        })
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Map<'w, 'a, 'c>, WriteError> {
        Ok(self.map())
    }

    fn serialize_struct(
        self,
        _name: &'static str,
        _len: usize,
    ) -> Result<Map<'w, 'a, 'c>, WriteError> {
        Ok(self.map())
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Variant<Self, serialize::Map>, WriteError> {
        Ok(Variant {
            place: self,
            inner: serialize::Tree.serialize_struct_variant(name, index, variant, len)?,
        })
    }
}

macro_rules! list {
    ($($implemented:ident::$method:ident;)*) => {$(
        impl ser::$implemented for List<'_, '_, '_> {
            type Ok = ();
            type Error = WriteError;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), WriteError> {
                self.push(value)
            }

            fn end(self) -> Result<(), WriteError> {
                self.finish();
                Ok(())
            }
        }
    )*};
}

list! {
    SerializeSeq::serialize_element;
    SerializeTuple::serialize_element;
    SerializeTupleStruct::serialize_field;
}

impl ser::SerializeMap for Map<'_, '_, '_> {
    type Ok = ();
    type Error = WriteError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), WriteError> {
        self.key = Some(serialize::key(key)?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), WriteError> {
        let key = self.key.take().ok_or_else(serialize::no_key)?;
        self.push(&key, value)
    }

    fn end(self) -> Result<(), WriteError> {
        self.finish();
        Ok(())
    }
}

impl ser::SerializeStruct for Map<'_, '_, '_> {
    type Ok = ();
    type Error = WriteError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), WriteError> {
        self.push(key, value)
    }

    fn end(self) -> Result<(), WriteError> {
        self.finish();
        Ok(())
    }
}

/// A variant with several values. These are rare in Kubernetes objects and are made a tree.
struct Variant<P, I> {
    place: P,
    inner: I,
}

impl ser::SerializeTupleVariant for Variant<Place<'_, '_, '_>, serialize::List> {
    type Ok = ();
    type Error = WriteError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), WriteError> {
        ser::SerializeTupleVariant::serialize_field(&mut self.inner, value)
    }

    fn end(self) -> Result<(), WriteError> {
        ser::SerializeTupleVariant::end(self.inner)?.serialize(self.place)
    }
}

impl ser::SerializeStructVariant for Variant<Place<'_, '_, '_>, serialize::Map> {
    type Ok = ();
    type Error = WriteError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), WriteError> {
        ser::SerializeStructVariant::serialize_field(&mut self.inner, key, value)
    }

    fn end(self) -> Result<(), WriteError> {
        ser::SerializeStructVariant::end(self.inner)?.serialize(self.place)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::write_document;

    #[derive(Serialize)]
    struct Rule {
        name: &'static str,
        matches: Vec<Vec<u8>>,
        filters: Vec<BTreeMap<&'static str, Choice>>,
    }

    #[derive(Serialize)]
    enum Choice {
        Unit,
        One(u8),
        Two(u8, &'static str),
        Named { x: Option<bool>, text: &'static str },
    }

    fn rule() -> Rule {
        Rule {
            name: "a\nb\n",
            matches: vec![vec![], vec![1, 2]],
            filters: vec![
                BTreeMap::new(),
                [
                    ("one", Choice::One(1)),
                    ("two", Choice::Two(2, "no")),
                    ("unit", Choice::Unit),
                    (
                        "named",
                        Choice::Named {
                            x: None,
                            text: "c\nd",
                        },
                    ),
                ]
                .into(),
            ],
        }
    }

    fn text(value: &impl Serialize, order: &[&'static str], comments: &[Vec<String>]) -> String {
        let mut out = String::new();
        let order = KeyOrder::new(order);
        let mut scratch = Scratch::default();
        let mut writer = DocumentWriter::new(&mut out, &order, &mut scratch);
        writer.ordered("spec", value, ("rules", comments)).unwrap();
        out
    }

    #[test]
    fn text_is_that_of_a_tree() {
        let rules = vec![rule(), rule()];
        let mut tree = String::new();
        let out = serialize::to_out(&[("spec", &rules)].into_iter().collect::<BTreeMap<_, _>>());
        write_document(&mut tree, &out.unwrap());
        assert_eq!(text(&rules, &[], &[]), tree);
    }

    #[test]
    fn fields_are_put_in_order_and_items_have_comments() {
        let spec = BTreeMap::from([("rules", vec![rule()]), ("gateway", vec![])]);
        let comments = [vec!["first".to_owned(), "second".to_owned()]];
        let order = ["rules", "filters", "two", "one", "text"];
        assert_eq!(
            text(&spec, &order, &comments),
            "spec:\n  rules:\n  # first\n  # second\n  - filters:\n    - {}\n    - two:\n        Two:\n        \
             - 2\n        - \"no\"\n      one:\n        One: 1\n      named:\n        Named:\n          text: |-\n            \
             c\n            d\n          x: null\n      unit: Unit\n    name: |\n      a\n      b\n    \
             matches:\n    - []\n    - - 1\n      - 2\n  gateway: []\n"
        );
    }

    #[test]
    fn what_cannot_be_written_leaves_nothing_behind() {
        let mut out = "before\n".to_owned();
        let order = KeyOrder::new(&["a"]);
        let mut scratch = Scratch::default();
        let mut writer = DocumentWriter::new(&mut out, &order, &mut scratch);
        let bad = [(1, BTreeMap::from([(vec![1], 2)]))];
        let error = writer.ordered("spec", &bad, ("rules", &[])).unwrap_err();
        assert_eq!(error.to_string(), "the key of a map must be a string");
        writer.entry("kind", "Secret").unwrap();
        assert_eq!(out, "before\nkind: Secret\n");
    }
}

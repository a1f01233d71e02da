//! From a typed object to an [`Out`].

use std::borrow::Cow;
use std::fmt;

use serde::{Serialize, Serializer, ser};

use crate::out::{Out, OutMapping};

/// What cannot be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteError(String);

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for WriteError {}

impl ser::Error for WriteError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

/// Turns any serialisable value into a tree to be written, with fields in the order in which
/// the value serialises them.
pub fn to_out<T: Serialize + ?Sized>(value: &T) -> Result<Out, WriteError> {
    value.serialize(Tree)
}

/// A length from outside is only a hint, and no more room than this is made for it.
const MAX_HINT: usize = 1024;

pub(crate) struct Tree;

impl Serializer for Tree {
    type Ok = Out;
    type Error = WriteError;
    type SerializeSeq = List;
    type SerializeTuple = List;
    type SerializeTupleStruct = List;
    type SerializeTupleVariant = List;
    type SerializeMap = Map;
    type SerializeStruct = Map;
    type SerializeStructVariant = Map;

    fn serialize_bool(self, value: bool) -> Result<Out, WriteError> {
        Ok(Out::Bool(value))
    }

    fn serialize_i8(self, value: i8) -> Result<Out, WriteError> {
        Ok(Out::Int(value.into()))
    }

    fn serialize_i16(self, value: i16) -> Result<Out, WriteError> {
        Ok(Out::Int(value.into()))
    }

    fn serialize_i32(self, value: i32) -> Result<Out, WriteError> {
        Ok(Out::Int(value.into()))
    }

    fn serialize_i64(self, value: i64) -> Result<Out, WriteError> {
        Ok(Out::Int(value))
    }

    fn serialize_u8(self, value: u8) -> Result<Out, WriteError> {
        Ok(Out::Int(value.into()))
    }

    fn serialize_u16(self, value: u16) -> Result<Out, WriteError> {
        Ok(Out::Int(value.into()))
    }

    fn serialize_u32(self, value: u32) -> Result<Out, WriteError> {
        Ok(Out::Int(value.into()))
    }

    fn serialize_u64(self, value: u64) -> Result<Out, WriteError> {
        Ok(value.into())
    }

    fn serialize_f32(self, value: f32) -> Result<Out, WriteError> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<Out, WriteError> {
        Ok(Out::Float(value))
    }

    fn serialize_char(self, value: char) -> Result<Out, WriteError> {
        Ok(Out::String(value.into()))
    }

    fn serialize_str(self, value: &str) -> Result<Out, WriteError> {
        Ok(value.into())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<Out, WriteError> {
        Ok(Out::sequence(value.iter().map(|&byte| i64::from(byte))))
    }

    fn serialize_none(self) -> Result<Out, WriteError> {
        Ok(Out::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Out, WriteError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Out, WriteError> {
        Ok(Out::Null)
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<Out, WriteError> {
        Ok(Out::Null)
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<Out, WriteError> {
        Ok(variant.into())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<Out, WriteError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Out, WriteError> {
        Ok(Out::mapping([(variant, to_out(value)?)]))
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<List, WriteError> {
        Ok(List::new(None, len.unwrap_or(0)))
    }

    fn serialize_tuple(self, len: usize) -> Result<List, WriteError> {
        Ok(List::new(None, len))
    }

    fn serialize_tuple_struct(self, _name: &'static str, len: usize) -> Result<List, WriteError> {
        Ok(List::new(None, len))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<List, WriteError> {
        Ok(List::new(Some(variant), len))
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Map, WriteError> {
        Ok(Map::new(None, len.unwrap_or(0)))
    }

    fn serialize_struct(self, _name: &'static str, len: usize) -> Result<Map, WriteError> {
        Ok(Map::new(None, len))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Map, WriteError> {
        Ok(Map::new(Some(variant), len))
    }
}

/// The value of a variant stands below its name.
fn named(variant: Option<&'static str>, out: Out) -> Out {
    match variant {
        Some(name) => Out::mapping([(name, out)]),
        None => out,
    }
}

pub(crate) struct List {
    variant: Option<&'static str>,
    items: Vec<Out>,
}

impl List {
    fn new(variant: Option<&'static str>, len: usize) -> Self {
        Self {
            variant,
            items: Vec::with_capacity(len.min(MAX_HINT)),
        }
    }

    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), WriteError> {
        self.items.push(to_out(value)?);
        Ok(())
    }

    fn finish(self) -> Out {
        named(self.variant, Out::Sequence(self.items))
    }
}

macro_rules! list {
    ($($implemented:ident::$method:ident;)*) => {$(
        impl ser::$implemented for List {
            type Ok = Out;
            type Error = WriteError;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), WriteError> {
                self.push(value)
            }

            fn end(self) -> Result<Out, WriteError> {
                Ok(self.finish())
            }
        }
    )*};
}

list! {
    SerializeSeq::serialize_element;
    SerializeTuple::serialize_element;
    SerializeTupleStruct::serialize_field;
    SerializeTupleVariant::serialize_field;
}

pub(crate) struct Map {
    variant: Option<&'static str>,
    mapping: OutMapping,
    key: Option<Cow<'static, str>>,
}

impl Map {
    fn new(variant: Option<&'static str>, len: usize) -> Self {
        Self {
            variant,
            mapping: OutMapping::with_capacity(len.min(MAX_HINT)),
            key: None,
        }
    }

    fn finish(self) -> Out {
        named(self.variant, Out::Mapping(self.mapping))
    }
}

/// The key of a map as text.
pub(crate) fn key<T: Serialize + ?Sized>(key: &T) -> Result<Cow<'static, str>, WriteError> {
    Ok(match to_out(key)? {
        Out::String(text) => text.into(),
        Out::Bool(value) => value.to_string().into(),
        Out::Int(value) => value.to_string().into(),
        Out::Uint(value) => value.to_string().into(),
        _ => return Err(ser::Error::custom("the key of a map must be a string")),
    })
}

pub(crate) fn no_key() -> WriteError {
    ser::Error::custom("a value of a map came without its key")
}

impl Serialize for Out {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::Uint(value) => serializer.serialize_u64(*value),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::String(text) => serializer.serialize_str(text),
            Self::Sequence(items) => serializer.collect_seq(items),
            Self::Mapping(mapping) => {
                serializer.collect_map(mapping.iter().map(|entry| (&entry.key, &entry.value)))
            }
        }
    }
}

impl ser::SerializeMap for Map {
    type Ok = Out;
    type Error = WriteError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), WriteError> {
        self.key = Some(self::key(key)?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), WriteError> {
        let key = self.key.take().ok_or_else(no_key)?;
        // Maps do not repeat keys; only a hand-written serialiser could.
        self.mapping.push_new(key, to_out(value)?);
        Ok(())
    }

    fn end(self) -> Result<Out, WriteError> {
        Ok(self.finish())
    }
}

macro_rules! fields {
    ($($implemented:ident;)*) => {$(
        impl ser::$implemented for Map {
            type Ok = Out;
            type Error = WriteError;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), WriteError> {
                self.mapping.push_new(Cow::Borrowed(key), to_out(value)?);
                Ok(())
            }

            fn end(self) -> Result<Out, WriteError> {
                Ok(self.finish())
            }
        }
    )*};
}

fields! {
    SerializeStruct;
    SerializeStructVariant;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::write_document;

    #[derive(Serialize)]
    enum Choice {
        Unit,
        One(u8),
        Two(u8, &'static str),
        Named { x: bool },
    }

    #[derive(Serialize)]
    struct Object {
        zulu: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        none: Option<u8>,
        alpha: Vec<Choice>,
        map: std::collections::BTreeMap<u16, f64>,
    }

    #[test]
    fn fields_keep_their_order() {
        let object = Object {
            zulu: "on",
            none: None,
            alpha: vec![
                Choice::Unit,
                Choice::One(1),
                Choice::Two(2, "b"),
                Choice::Named { x: true },
            ],
            map: [(80, 0.5)].into(),
        };
        let mut text = String::new();
        write_document(&mut text, &to_out(&object).unwrap());
        assert_eq!(
            text,
            "zulu: \"on\"\nalpha:\n- Unit\n- One: 1\n- Two:\n  - 2\n  - b\n- Named:\n    x: true\n\
             map:\n  \"80\": 0.5\n"
        );
    }

    #[test]
    fn maps_need_string_keys() {
        let map: std::collections::BTreeMap<Vec<u8>, u8> = [(vec![1], 2)].into();
        let error = to_out(&map).unwrap_err();
        assert_eq!(error.to_string(), "the key of a map must be a string");
    }
}

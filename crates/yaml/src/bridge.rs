//! From a [`Node`] to a typed object.

use std::cell::RefCell;

use gatewright_source::Span;
use serde::de::value::{BorrowedStrDeserializer, StrDeserializer};
use serde::de::{
    self, Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, MapAccess,
    SeqAccess, Unexpected, VariantAccess, Visitor,
};

use crate::closest::closest;
use crate::node::{Entry, Node, Value};
use crate::problem::{Fault, Problem, ProblemKind, Trail, Typed};

/// Faults of one object that are named.
const MAX_FAULTS: usize = 20;

/// Reads a typed object as the API server's strict decoder would: no conversion between types,
/// null is the same as absent, and fields that the type does not have are listed.
pub fn from_node<T: DeserializeOwned>(node: &Node) -> Typed<T> {
    let mut faults: Vec<Problem> = Vec::new();
    let mut masked = Vec::new();
    loop {
        let problems = RefCell::new(Vec::new());
        let result = T::deserialize(Bridge {
            node,
            problems: &problems,
            trail: &Trail::Root,
            field: None,
            masked: &masked,
        });
        let mut problems = problems.into_inner();
        let fault = match result {
            Ok(value) => {
                problems.extend(faults.iter().cloned());
                let value = Some(value).filter(|_| faults.is_empty());
                return Typed { value, problems };
            }
            Err(fault) => fault,
        };
        let (path, span) = fault.place.unwrap_or((String::new(), node.span));
        // Taking the faulty value for absent shows what else is wrong.
        let again = !masked.contains(&span) && span != node.span && faults.len() < MAX_FAULTS;
        if !masked.contains(&span) {
            faults.push(Problem {
                path,
                span,
                kind: fault.kind,
            });
        }
        if !again {
            problems.append(&mut faults);
            return Typed {
                value: None,
                problems,
            };
        }
        masked.push(span);
    }
}

#[derive(Clone, Copy)]
struct Bridge<'a, 'p> {
    node: &'a Node,
    problems: &'p RefCell<Vec<Problem>>,
    trail: &'p Trail<'p>,
    /// The entry this is the value of, and the fields that its map could have.
    field: Option<(&'a Entry, Option<&'static [&'static str]>)>,
    /// Values that are taken for null because they are faulty.
    masked: &'p [Span],
}

impl<'a> Bridge<'a, '_> {
    fn is_null(&self) -> bool {
        self.node.is_null() || self.masked.contains(&self.node.span)
    }

    /// Gives a fault this node's place unless it has a place inside of it.
    fn here<T>(&self, result: Result<T, Fault>) -> Result<T, Fault> {
        result.map_err(|mut fault| {
            let here = || (self.trail.path(), self.node.span);
            fault.place.get_or_insert_with(here);
            fault
        })
    }

    fn any<V: Visitor<'a>>(
        self,
        visitor: V,
        fields: Option<&'static [&'static str]>,
    ) -> Result<V::Value, Fault> {
        let value = if self.is_null() {
            &Value::Null
        } else {
            &self.node.value
        };
        let result = match value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Int(value) => visitor.visit_i64(*value),
            Value::Uint(value) => visitor.visit_u64(*value),
            Value::Float(value) => visitor.visit_f64(*value),
            Value::String(value) => visitor.visit_borrowed_str(value),
            Value::Sequence(items) => visitor.visit_seq(Items {
                bridge: self,
                rest: items.iter().enumerate(),
            }),
            Value::Mapping(mapping) => visitor.visit_map(Entries {
                bridge: self,
                rest: mapping.iter(),
                value: None,
                fields,
            }),
        };
        self.here(result)
    }

    fn unknown_field(&self) {
        let Some((entry, fields)) = self.field else {
            return;
        };
        let name = entry.key.value.clone();
        let fields = fields.unwrap_or_default().iter().copied();
        let suggestion = closest(&name, fields).map(str::to_owned);
        self.problems.borrow_mut().push(Problem {
            path: self.trail.path(),
            span: entry.key.span,
            kind: ProblemKind::UnknownField { name, suggestion },
        });
    }
}

/// Methods for which null stands for the type's zero value, as it does in Go.
macro_rules! zero_for_null {
    ($($method:ident => $visit:ident($zero:expr);)*) => {$(
        fn $method<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
            if self.is_null() {
                return self.here(visitor.$visit($zero));
            }
            self.any(visitor, None)
        }
    )*};
}

impl<'a> Deserializer<'a> for Bridge<'a, '_> {
    type Error = Fault;

    zero_for_null! {
        deserialize_bool => visit_bool(false);
        deserialize_i8 => visit_i64(0);
        deserialize_i16 => visit_i64(0);
        deserialize_i32 => visit_i64(0);
        deserialize_i64 => visit_i64(0);
        deserialize_u8 => visit_u64(0);
        deserialize_u16 => visit_u64(0);
        deserialize_u32 => visit_u64(0);
        deserialize_u64 => visit_u64(0);
        deserialize_f32 => visit_f64(0.0);
        deserialize_f64 => visit_f64(0.0);
        deserialize_str => visit_borrowed_str("");
        deserialize_string => visit_borrowed_str("");
        deserialize_bytes => visit_borrowed_str("");
        deserialize_byte_buf => visit_borrowed_str("");
    }

    fn deserialize_seq<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.is_null() {
            let rest = [].iter().enumerate();
            return self.here(visitor.visit_seq(Items { bridge: self, rest }));
        }
        self.any(visitor, None)
    }

    fn deserialize_map<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.is_null() {
            return self.here(visitor.visit_map(Entries::empty(self)));
        }
        self.any(visitor, None)
    }

    fn deserialize_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.any(visitor, None)
    }

    fn deserialize_option<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        if self.is_null() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'a>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'a>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        if self.is_null() {
            return self.here(visitor.visit_map(Entries::empty(self)));
        }
        self.any(visitor, Some(fields))
    }

    fn deserialize_enum<V: Visitor<'a>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let result = match &self.node.value {
            Value::String(name) => visitor.visit_enum(BorrowedStrDeserializer::new(name)),
            Value::Mapping(mapping) if mapping.len() == 1 => visitor.visit_enum(Variant {
                bridge: self,
                entry: &mapping.entries[0],
            }),
            _ => {
                let found = format!("a {}", self.node.kind_name());
                Err(de::Error::invalid_type(Unexpected::Other(&found), &visitor))
            }
        };
        self.here(result)
    }

    fn deserialize_ignored_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.unknown_field();
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        <W: Visitor<'a>>
        i128 u128 char unit unit_struct tuple tuple_struct identifier
    }
}

struct Items<'a, 'p> {
    bridge: Bridge<'a, 'p>,
    rest: std::iter::Enumerate<std::slice::Iter<'a, Node>>,
}

impl<'a> SeqAccess<'a> for Items<'a, '_> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'a>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Fault> {
        let Some((index, node)) = self.rest.next() else {
            return Ok(None);
        };
        let bridge = Bridge {
            node,
            trail: &Trail::Index(self.bridge.trail, index),
            problems: self.bridge.problems,
            field: None,
            masked: self.bridge.masked,
        };
        // For faults that arise outside of the methods above, as in a newtype.
        bridge.here(seed.deserialize(bridge)).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

struct Entries<'a, 'p> {
    bridge: Bridge<'a, 'p>,
    rest: std::slice::Iter<'a, Entry>,
    value: Option<&'a Entry>,
    fields: Option<&'static [&'static str]>,
}

impl<'a, 'p> Entries<'a, 'p> {
    fn empty(bridge: Bridge<'a, 'p>) -> Self {
        Self {
            bridge,
            rest: [].iter(),
            value: None,
            fields: None,
        }
    }
}

impl<'a> MapAccess<'a> for Entries<'a, '_> {
    type Error = Fault;

    fn next_key_seed<S: DeserializeSeed<'a>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Fault> {
        let Some(entry) = self.rest.next() else {
            return Ok(None);
        };
        self.value = Some(entry);
        let key = seed.deserialize(BorrowedStrDeserializer::new(&entry.key.value));
        key.map(Some).map_err(|mut fault: Fault| {
            let here = || {
                let trail = Trail::Key(self.bridge.trail, &entry.key.value);
                (trail.path(), entry.key.span)
            };
            fault.place.get_or_insert_with(here);
            fault
        })
    }

    fn next_value_seed<S: DeserializeSeed<'a>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        let Some(entry) = self.value.take() else {
            return Err(Fault::other("a value was asked for without its key"));
        };
        let bridge = Bridge {
            node: &entry.value,
            trail: &Trail::Key(self.bridge.trail, &entry.key.value),
            problems: self.bridge.problems,
            field: Some((entry, self.fields)),
            masked: self.bridge.masked,
        };
        bridge.here(seed.deserialize(bridge))
    }
}

/// `name: value` for a variant that holds something.
struct Variant<'a, 'p> {
    bridge: Bridge<'a, 'p>,
    entry: &'a Entry,
}

impl<'a> EnumAccess<'a> for Variant<'a, '_> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'a>>(self, seed: S) -> Result<(S::Value, Self), Fault> {
        let name = seed.deserialize(StrDeserializer::<Fault>::new(&self.entry.key.value))?;
        Ok((name, self))
    }
}

impl<'a> Variant<'a, '_> {
    fn with<T>(&self, read: impl FnOnce(Bridge<'a, '_>) -> Result<T, Fault>) -> Result<T, Fault> {
        let bridge = Bridge {
            node: &self.entry.value,
            trail: &Trail::Key(self.bridge.trail, &self.entry.key.value),
            problems: self.bridge.problems,
            field: None,
            masked: self.bridge.masked,
        };
        bridge.here(read(bridge))
    }
}

impl<'a> VariantAccess<'a> for Variant<'a, '_> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        self.with(|bridge| <()>::deserialize(bridge))
    }

    fn newtype_variant_seed<S: DeserializeSeed<'a>>(self, seed: S) -> Result<S::Value, Fault> {
        self.with(|bridge| seed.deserialize(bridge))
    }

    fn tuple_variant<V: Visitor<'a>>(self, _len: usize, visitor: V) -> Result<V::Value, Fault> {
        self.with(|bridge| bridge.deserialize_seq(visitor))
    }

    fn struct_variant<V: Visitor<'a>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.with(|bridge| bridge.deserialize_struct("", fields, visitor))
    }
}

//! Structs with named fields, written and read field by field.
//!
//! `serde_derive` generates some eighty lines to read a struct, and every line is checked and compiled again for every
//! event: most of what an event costs a build. What can be generic over the struct stands here instead, and `#[event]`
//! generates the rest. To serde such an event is a map, which in JSON is the same and has half the code. An event with
//! `#[serde(…)]` attributes, or a codec of its own, goes through `serde_derive`.

use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::value::Error as ValueError;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor,
};
use serde::ser::{SerializeMap, Serializer};
use serde::{Serialize, forward_to_deserialize_any};

/// A struct with named fields, as `#[event]` describes it.
pub trait Fields: Sized {
    /// Its name.
    const NAME: &'static str;
    /// Names of its fields; at most 128.
    const FIELDS: &'static [&'static str];
    /// An `Option` for each field.
    type Slots;

    /// No field read yet.
    fn slots() -> Self::Slots;

    /// Reads the value of the field at `index`.
    fn read<'de, A: MapAccess<'de>>(
        slots: &mut Self::Slots,
        index: usize,
        map: &mut A,
    ) -> Result<(), A::Error>;

    /// Puts the struct together.
    fn build<E: Error>(slots: &mut Self::Slots) -> Result<Self, E>;
}

/// What a field of an event can do. All bounds are behind this one trait, so that a type that lacks them is one error.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand in an event",
    label = "not a payload",
    note = "annotate a type of yours with `#[payload]`; a type of another crate needs that crate's feature `serde`, and `schemars`'s feature for that crate"
)]
pub trait Field: Sized {
    /// Reads the field into its slot.
    fn fill<'de, A: MapAccess<'de>>(slot: &mut Option<Self>, map: &mut A) -> Result<(), A::Error>;

    /// The field's value, or what its type makes of a missing one: an `Option` is none, everything else an error.
    fn or_missing<E: Error>(slot: &mut Option<Self>, name: &'static str) -> Result<Self, E>;

    /// Writes the field.
    fn write<S: Serializer>(&self, writer: &mut Writer<S>, name: &'static str);

    /// Whether a record may lack the field.
    fn is_optional() -> bool;

    /// The schema of its type.
    fn schema(generator: &mut SchemaGenerator) -> Schema;
}

// Otherwise the compiler would name one of the bounds, and not the remedy.
#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + JsonSchema> Field for T {
    // Not inlined: events share one for each type of field.
    #[inline(never)]
    fn fill<'de, A: MapAccess<'de>>(slot: &mut Option<T>, map: &mut A) -> Result<(), A::Error> {
        *slot = Some(map.next_value()?);
        Ok(())
    }

    fn or_missing<E: Error>(slot: &mut Option<T>, name: &'static str) -> Result<T, E> {
        match slot.take() {
            Some(value) => Ok(value),
            None => T::deserialize(Missing(name, PhantomData)),
        }
    }

    // As above.
    #[inline(never)]
    fn write<S: Serializer>(&self, writer: &mut Writer<S>, name: &'static str) {
        writer.field(name, self);
    }

    fn is_optional() -> bool {
        T::or_missing::<ValueError>(&mut None, "").is_ok()
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<T>()
    }
}

/// Writes the fields of a struct one by one; after an error, no more.
pub struct Writer<S: Serializer>(Result<S::SerializeMap, S::Error>);

impl<S: Serializer> Writer<S> {
    /// Begins a struct of this many fields.
    pub fn new(serializer: S, fields: usize) -> Self {
        Self(serializer.serialize_map(Some(fields)))
    }

    fn field<T: Serialize>(&mut self, name: &'static str, value: &T) {
        if let Ok(state) = &mut self.0
            && let Err(error) = state.serialize_entry(name, value)
        {
            self.0 = Err(error);
        }
    }

    /// Ends the struct.
    pub fn end(self) -> Result<S::Ok, S::Error> {
        self.0?.end()
    }
}

/// What reads a struct.
pub struct Struct<T>(PhantomData<T>);

impl<T> Struct<T> {
    /// Of this type.
    pub const NEW: Self = Self(PhantomData);
}

impl<'de, T: Fields> Visitor<'de> for Struct<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        expecting(T::NAME, f)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let mut slots = Slots::<T>(T::slots());
        let reader: &mut dyn Read<A, A::Error> = &mut slots;
        match read_map_by(T::FIELDS, &mut map, reader) {
            Ok(()) => T::build(&mut slots.0),
            Err(error) => Err(error),
        }
    }
}

/// What was read of a struct.
struct Slots<T: Fields>(T::Slots);

/// Reads a field of some struct. Not a closure, for which more would be compiled.
trait Read<A, E> {
    fn read(&mut self, index: usize, from: &mut A) -> Result<(), E>;
}

impl<'de, T: Fields, A: MapAccess<'de>> Read<A, A::Error> for Slots<T> {
    fn read(&mut self, index: usize, from: &mut A) -> Result<(), A::Error> {
        T::read(&mut self.0, index, from)
    }
}

pub(super) fn expecting(name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("struct ")?;
    f.write_str(name)
}

/// Not generic over the struct and not inlined, so that it is compiled once for each format.
#[inline(never)]
fn read_map_by<'de, A: MapAccess<'de>>(
    fields: &'static [&'static str],
    map: &mut A,
    slots: &mut dyn Read<A, A::Error>,
) -> Result<(), A::Error> {
    read_map(fields, map, |index, map| slots.read(index, map))
}

/// Hands over each known field, which must come only once.
pub(super) fn read_map<'de, A: MapAccess<'de>>(
    fields: &'static [&'static str],
    map: &mut A,
    mut read: impl FnMut(usize, &mut A) -> Result<(), A::Error>,
) -> Result<(), A::Error> {
    let mut seen = 0u128;
    while let Some(index) = map.next_key_seed(Name(fields))? {
        let Some(name) = fields.get(index) else {
            map.next_value::<IgnoredAny>()?;
            continue;
        };
        if seen & (1 << index) != 0 {
            return Err(A::Error::duplicate_field(name));
        }
        seen |= 1 << index;
        read(index, map)?;
    }
    Ok(())
}

/// Reads a field's name as its index; one past the last for a name that is unknown.
struct Name(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for Name {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Name {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("field identifier")
    }

    fn visit_u64<E: Error>(self, index: u64) -> Result<usize, E> {
        Ok(usize::try_from(index).unwrap_or(usize::MAX))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<usize, E> {
        self.visit_bytes(name.as_bytes())
    }

    fn visit_bytes<E: Error>(self, name: &[u8]) -> Result<usize, E> {
        let found = self.0.iter().position(|known| known.as_bytes() == name);
        Ok(found.unwrap_or(usize::MAX))
    }
}

/// What a field is read from that a record lacks.
struct Missing<E>(&'static str, PhantomData<E>);

impl<'de, E: Error> Deserializer<'de> for Missing<E> {
    type Error = E;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, E> {
        Err(E::missing_field(self.0))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        visitor.visit_none()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

//! Structs whose fields are all scalars, written and read without code of their own.
//!
//! What `serde` makes of a visitor is compiled for every type that is visited. A flat event is read into slots and
//! written from values instead, whose types are not the event's: so there is one reader and one writer for each format,
//! and of an event no more than what moves its fields. A field of another type, such as a payload or a list, needs its
//! own instance of the reader; the event then goes the way of [`Fields`](super::Fields).

use std::fmt;
use std::mem::take;

use schemars::{Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};

use super::fields::{expecting, read_map};
use super::schema::{Property, object};
use crate::Result;
use crate::codec::read_json;
use crate::event::{EncodedEvent, Event, EventDescriptor, encode, malformed, no_value};

/// A struct whose fields are all scalars, as `#[event]` describes it.
pub trait Flat: Sized {
    /// What is known of it without a value.
    const SHAPE: &'static Shape;
    /// A slot for each field.
    type Slots: AsMut<[ScalarSlot]>;
    /// Nothing read yet.
    const EMPTY: Self::Slots;

    /// Moves the fields from their slots.
    fn build(slots: &mut Self::Slots) -> Self;
}

/// What is known of a flat struct without a value.
pub struct Shape {
    /// Its name.
    pub name: &'static str,
    /// Its documentation.
    pub doc: &'static str,
    /// Names of its fields; at most 128.
    pub names: &'static [&'static str],
    /// Its fields, in the same order.
    pub fields: &'static [ScalarField],
}

/// A field of a flat struct.
pub struct ScalarField {
    /// Its documentation.
    pub doc: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Whether `#[event(default)]` says what a missing one is.
    pub default: bool,
}

/// A type that may stand in a flat event. `#[event]` goes by what a type is called.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is called like a type of the standard library",
    label = "not the type that `#[event]` takes it for",
    note = "write its path, for example `self::{Self}`"
)]
pub trait Scalar: Default {
    /// The type as a value.
    const KIND: Kind;
    /// What is written.
    fn value(&self) -> ScalarValue<'_>;
    /// What was read, if it was there.
    fn taken(slot: &mut ScalarSlot) -> Option<Self>;
}

macro_rules! scalar {
    ($kind:ident $scalar:ty) => {
        impl Scalar for $scalar {
            const KIND: Kind = Kind::$kind;

            fn value(&self) -> ScalarValue<'_> {
                ScalarValue::$kind(self)
            }

            fn taken(slot: &mut ScalarSlot) -> Option<Self> {
                match slot {
                    ScalarSlot::$kind(value) => Some(take(value)),
                    _ => None,
                }
            }
        }
    };
}

macro_rules! scalars {
    ($($kind:ident $optional:ident $scalar:ty),*) => {
        /// The type of a scalar.
        #[derive(Clone, Copy)]
        pub enum Kind { $(
            #[doc = concat!("`", stringify!($scalar), "`.")]
            $kind,
            #[doc = concat!("An `Option` of `", stringify!($scalar), "`.")]
            $optional,
        )* }

        /// A scalar that is written.
        pub enum ScalarValue<'a> { $(
            #[doc = concat!("`", stringify!($scalar), "`.")]
            $kind(&'a $scalar),
            #[doc = concat!("An `Option` of `", stringify!($scalar), "`.")]
            $optional(&'a Option<$scalar>),
        )* }

        /// A scalar that is read.
        #[derive(Default)]
        pub enum ScalarSlot {
            /// Not read yet.
            #[default]
            Empty,
            $(
                #[doc = concat!("`", stringify!($scalar), "`.")]
                $kind($scalar),
                #[doc = concat!("An `Option` of `", stringify!($scalar), "`.")]
                $optional(Option<$scalar>),
            )*
        }

        impl Kind {
            fn is_optional(self) -> bool {
                matches!(self, $(Self::$optional)|*)
            }

            fn read<'de, A: MapAccess<'de>>(
                self,
                map: &mut A,
                slot: &mut ScalarSlot,
            ) -> Result<(), A::Error> {
                *slot = match self { $(
                    Self::$kind => ScalarSlot::$kind(map.next_value()?),
                    Self::$optional => ScalarSlot::$optional(map.next_value()?),
                )* };
                Ok(())
            }

            fn schema(self, generator: &mut SchemaGenerator) -> Schema {
                match self { $(
                    Self::$kind => generator.subschema_for::<$scalar>(),
                    Self::$optional => generator.subschema_for::<Option<$scalar>>(),
                )* }
            }
        }

        impl Serialize for ScalarValue<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self { $(
                    Self::$kind(value) => value.serialize(serializer),
                    Self::$optional(value) => value.serialize(serializer),
                )* }
            }
        }

        $(
            scalar! { $kind $scalar }
            scalar! { $optional Option<$scalar> }
        )*
    };
}

scalars! {
    String OptionalString String, Bool OptionalBool bool, Char OptionalChar char,
    I8 OptionalI8 i8, I16 OptionalI16 i16, I32 OptionalI32 i32, I64 OptionalI64 i64, Isize OptionalIsize isize,
    U8 OptionalU8 u8, U16 OptionalU16 u16, U32 OptionalU32 u32, U64 OptionalU64 u64, Usize OptionalUsize usize,
    F32 OptionalF32 f32, F64 OptionalF64 f64
}

/// A field's value. One that must be there is, since [`Shape`] says so to the reader.
pub fn take_scalar<T: Scalar>(slot: &mut ScalarSlot) -> T {
    T::taken(slot).unwrap_or_default()
}

/// A field's value, or what its default makes of a missing one.
pub fn take_scalar_or<T: Scalar>(slot: &mut ScalarSlot, default: fn() -> T) -> T {
    T::taken(slot).unwrap_or_else(default)
}

/// Writes a flat struct.
pub fn write_flat<S: Serializer>(
    serializer: S,
    shape: &Shape,
    values: &[ScalarValue<'_>],
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(values.len()))?;
    for (name, value) in shape.names.iter().zip(values) {
        map.serialize_entry(name, value)?;
    }
    map.end()
}

/// Reads a flat struct in any format.
pub fn read_flat<'de, T: Flat, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let mut slots = T::EMPTY;
    match fill(deserializer, T::SHAPE, slots.as_mut()) {
        Ok(()) => Ok(T::build(&mut slots)),
        Err(error) => Err(error),
    }
}

/// Decodes a flat event, as [`decode`](crate::decode) does.
pub fn decode_flat<E: Event + Flat>(value: Option<&[u8]>, found: u32) -> Result<E> {
    fill_event(&Source::Record(value, found))
}

/// Reads a flat event from JSON and encodes it.
pub(crate) fn encode_flat_json<E: Event + Flat>(json: &str) -> Result<EncodedEvent> {
    match fill_event::<E>(&Source::Json(json)) {
        Ok(event) => encode(&event),
        Err(error) => Err(error),
    }
}

/// What a flat event is read from.
enum Source<'a> {
    /// The value and the version of a record.
    Record(Option<&'a [u8]>, u32),
    /// What someone typed.
    Json(&'a str),
}

fn fill_event<E: Event + Flat>(from: &Source<'_>) -> Result<E> {
    let mut slots = E::EMPTY;
    match from.fill(E::DESCRIPTOR, E::SHAPE, slots.as_mut()) {
        Ok(()) => Ok(E::build(&mut slots)),
        Err(error) => Err(error),
    }
}

/// The schema of a flat struct.
pub fn flat_schema(generator: &mut SchemaGenerator, shape: &Shape) -> Schema {
    let fields = shape.names.iter().zip(shape.fields);
    let mut properties = fields.map(|(name, field)| Property {
        name,
        doc: field.doc,
        optional: field.may_be_missing(),
        schema: field.kind.schema(generator),
    });
    object(shape.doc, &mut properties)
}

impl Source<'_> {
    fn fill(
        &self,
        event: &'static EventDescriptor,
        shape: &'static Shape,
        slots: &mut [ScalarSlot],
    ) -> Result<()> {
        match *self {
            Self::Record(Some(value), found) => {
                fill_from_json(value, shape, slots).map_err(|error| malformed(event, found, error))
            }
            Self::Record(None, _) => Err(no_value(event)),
            Self::Json(json) => fill_from_json(json.as_bytes(), shape, slots),
        }
    }
}

fn fill_from_json(value: &[u8], shape: &'static Shape, slots: &mut [ScalarSlot]) -> Result<()> {
    read_json(value, |reader| fill(reader, shape, slots))
}

/// Not inlined, so that it is compiled once for each format.
#[inline(never)]
fn fill<'de, D: Deserializer<'de>>(
    deserializer: D,
    shape: &'static Shape,
    slots: &mut [ScalarSlot],
) -> Result<(), D::Error> {
    deserializer.deserialize_map(Fill { shape, slots })
}

struct Fill<'a> {
    shape: &'static Shape,
    slots: &'a mut [ScalarSlot],
}

impl<'de> Visitor<'de> for Fill<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        expecting(self.shape.name, f)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { shape, slots } = self;
        read_map(shape.names, &mut map, |index, map| {
            if let (Some(field), Some(slot)) = (shape.fields.get(index), slots.get_mut(index)) {
                field.kind.read(map, slot)
            } else {
                Ok(())
            }
        })?;
        for ((name, field), slot) in shape.names.iter().zip(shape.fields).zip(slots) {
            if matches!(slot, ScalarSlot::Empty) && !field.may_be_missing() {
                return Err(A::Error::missing_field(name));
            }
        }
        Ok(())
    }
}

impl ScalarField {
    fn may_be_missing(&self) -> bool {
        self.default || self.kind.is_optional()
    }
}

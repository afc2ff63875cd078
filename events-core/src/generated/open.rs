//! Enums with a catch-all: `#[event(other)]`.
//!
//! Serde's own `other` reads an unknown variant only where it stands as plain text; one with data is an error to it. So
//! the tag is looked at first here, and the data of an unknown variant is passed over. The format must say by itself what
//! comes, as JSON does.

use std::fmt;
use std::marker::PhantomData;

use schemars::{Schema, transform::Transform};
use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, IgnoredAny, IntoDeserializer, MapAccess,
    Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value, json};

/// An enum with a catch-all, told apart by the name of its variant: `"Red"` or `{"Mixed": …}`.
pub trait Open: Sized {
    /// Its name.
    const NAME: &'static str;

    /// Reads one as serde derives it, with `#[serde(other)]` on the catch-all.
    fn derived<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

/// Reads an enum with a catch-all.
pub fn read_open<'de, T: Open, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_any(Read(PhantomData))
}

struct Read<T>(PhantomData<T>);

impl<'de, T: Open> Visitor<'de> for Read<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a variant of {}, as text or as an object of one field",
            T::NAME
        )
    }

    fn visit_str<E: Error>(self, tag: &str) -> Result<T, E> {
        T::derived(Tagged {
            tag,
            content: Nothing(PhantomData),
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let Some(tag) = map.next_key::<String>()? else {
            return Err(A::Error::invalid_length(0, &self));
        };
        let content = Behind(&mut map);
        let value = T::derived(Tagged { tag: &tag, content })?;
        match map.next_key::<IgnoredAny>()? {
            None => Ok(value),
            Some(_) => Err(A::Error::invalid_length(2, &self)),
        }
    }
}

/// The name of a variant, and what stands behind it.
struct Tagged<'t, C> {
    tag: &'t str,
    content: C,
}

/// What stands behind the name of a variant.
trait Content<'de>: VariantAccess<'de> {
    /// Passes over it.
    fn ignore(self) -> Result<(), Self::Error>;
}

impl<'de, C: Content<'de>> Deserializer<'de> for Tagged<'_, C> {
    type Error = C::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, C::Error> {
        visitor.visit_enum(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, C::Error> {
        if variants.contains(&self.tag) {
            return visitor.visit_enum(self);
        }
        self.content.ignore()?;
        visitor.visit_enum(Tagged {
            tag: self.tag,
            content: Nothing(PhantomData),
        })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

impl<'de, C: Content<'de>> EnumAccess<'de> for Tagged<'_, C> {
    type Error = C::Error;
    type Variant = C;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, C), C::Error> {
        let tag: StrDeserializer<'_, C::Error> = self.tag.into_deserializer();
        Ok((seed.deserialize(tag)?, self.content))
    }
}

/// A variant that stands as plain text.
struct Nothing<E>(PhantomData<E>);

impl<E: Error> Content<'_> for Nothing<E> {
    fn ignore(self) -> Result<(), E> {
        Ok(())
    }
}

impl<'de, E: Error> VariantAccess<'de> for Nothing<E> {
    type Error = E;

    fn unit_variant(self) -> Result<(), E> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, E> {
        Err(E::invalid_type(Unexpected::UnitVariant, &"newtype variant"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, E> {
        Err(E::invalid_type(Unexpected::UnitVariant, &"tuple variant"))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, E> {
        Err(E::invalid_type(Unexpected::UnitVariant, &"struct variant"))
    }
}

/// The value of the one field that an object has.
struct Behind<'m, A>(&'m mut A);

impl<'de, A: MapAccess<'de>> Content<'de> for Behind<'_, A> {
    fn ignore(self) -> Result<(), A::Error> {
        self.0.next_value::<IgnoredAny>().map(drop)
    }
}

impl<'de, A: MapAccess<'de>> VariantAccess<'de> for Behind<'_, A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.0.next_value()
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, A::Error> {
        self.0.next_value_seed(seed)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.0.next_value_seed(Fields(visitor, Shape::Tuple(len)))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.0
            .next_value_seed(Fields(visitor, Shape::Struct(fields)))
    }
}

/// The fields of a variant, as its visitor reads them.
struct Fields<V>(V, Shape);

enum Shape {
    Tuple(usize),
    Struct(&'static [&'static str]),
}

impl<'de, V: Visitor<'de>> DeserializeSeed<'de> for Fields<V> {
    type Value = V::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        match self.1 {
            Shape::Tuple(len) => deserializer.deserialize_tuple(len, self.0),
            Shape::Struct(fields) => deserializer.deserialize_struct("", fields, self.0),
        }
    }
}

/// Says in the schema of an enum what its catch-all reads: every variant that the enum does not name. `tag` is the field
/// that names the variant; empty if it stands outside.
pub fn open_schema(tag: &'static str) -> impl Transform {
    move |schema: &mut Schema| {
        let mut known = Vec::new();
        if let Some(schema) = schema.as_object() {
            names(schema, tag, &mut known);
        }
        let another = json!({ "type": "string", "not": { "enum": known } });
        let other = if tag.is_empty() {
            let none: Map<_, _> = known
                .iter()
                .filter_map(Value::as_str)
                .map(|name| (name.to_owned(), Value::Bool(false)))
                .collect();
            json!({ "anyOf": [
                another,
                { "type": "object", "minProperties": 1, "maxProperties": 1, "properties": none },
            ] })
        } else {
            json!({ "type": "object", "required": [tag], "properties": { tag: another } })
        };
        schema.insert("x-other".to_owned(), other);
    }
}

/// The names of the variants that a schema is about.
fn names(schema: &Map<String, Value>, tag: &str, known: &mut Vec<Value>) {
    let properties = schema.get("properties").and_then(Value::as_object);
    match properties {
        Some(properties) if tag.is_empty() => {
            known.extend(properties.keys().map(|name| Value::from(name.as_str())));
        }
        Some(properties) => {
            if let Some(tag) = properties.get(tag).and_then(Value::as_object) {
                names(tag, "", known);
            }
        }
        None => {}
    }
    known.extend(schema.get("const").cloned());
    for list in ["enum", "oneOf"] {
        let several = schema.get(list).and_then(Value::as_array);
        for one in several.into_iter().flatten() {
            match one.as_object() {
                Some(variant) => names(variant, tag, known),
                None => known.push(one.clone()),
            }
        }
    }
}

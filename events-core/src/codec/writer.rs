//! Writes JSON as `serde_json` does, but refuses the numbers that `serde_json` writes as `null`.
//!
//! `serde_json` still writes every scalar and every key; what stands here is the way through objects and
//! lists, since its own serializer hands a float that is not finite to the same function as an absent
//! `Option`.

use std::fmt::Display;

use serde::ser::{
    self, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::write_error::{WriteError, not_finite};

/// Structs by whose name `serde_json` marks text that is JSON already: `RawValue`, and `Number` where a
/// build enables `arbitrary_precision`.
const VERBATIM: [&str; 2] = [
    "$serde_json::private::RawValue",
    "$serde_json::private::Number",
];

/// Appends one JSON value to a buffer.
pub(super) struct JsonWriter<'a>(&'a mut Vec<u8>);

impl<'a> JsonWriter<'a> {
    pub(super) fn new(into: &'a mut Vec<u8>) -> Self {
        Self(into)
    }

    fn object(self, close: &'static [u8]) -> Compound<'a> {
        Compound {
            into: self.0,
            count: 0,
            open: b'{',
            close,
        }
    }

    fn list(self, close: &'static [u8]) -> Compound<'a> {
        Compound {
            open: b'[',
            ..self.object(close)
        }
    }

    /// Begins `{"variant":`.
    fn variant(&mut self, variant: &'static str) -> Result<(), WriteError> {
        self.0.push(b'{');
        scalar(self.0, variant)?;
        self.0.push(b':');
        Ok(())
    }
}

/// Writes what has a form in JSON by itself.
fn scalar(into: &mut Vec<u8>, value: impl Serialize) -> Result<(), WriteError> {
    Ok(value.serialize(&mut serde_json::Serializer::new(into))?)
}

macro_rules! scalars {
    ($($method:ident $scalar:ty)*) => {$(
        fn $method(self, value: $scalar) -> Result<(), WriteError> {
            scalar(self.0, value)
        }
    )*};
}

impl<'a> Serializer for JsonWriter<'a> {
    type Ok = ();
    type Error = WriteError;
    type SerializeSeq = Compound<'a>;
    type SerializeTuple = Compound<'a>;
    type SerializeTupleStruct = Compound<'a>;
    type SerializeTupleVariant = Compound<'a>;
    type SerializeMap = Compound<'a>;
    type SerializeStruct = Compound<'a>;
    type SerializeStructVariant = Compound<'a>;

    scalars! {
        serialize_bool bool serialize_char char serialize_str &str
        serialize_i8 i8 serialize_i16 i16 serialize_i32 i32 serialize_i64 i64 serialize_i128 i128
        serialize_u8 u8 serialize_u16 u16 serialize_u32 u32 serialize_u64 u64 serialize_u128 u128
    }

    fn serialize_f32(self, value: f32) -> Result<(), WriteError> {
        if !value.is_finite() {
            return Err(not_finite(value));
        }
        scalar(self.0, value)
    }

    fn serialize_f64(self, value: f64) -> Result<(), WriteError> {
        if !value.is_finite() {
            return Err(not_finite(value));
        }
        scalar(self.0, value)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), WriteError> {
        Ok(serde_json::Serializer::new(self.0).serialize_bytes(value)?)
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<(), WriteError> {
        Ok(serde_json::Serializer::new(self.0).collect_str(value)?)
    }

    fn serialize_none(self) -> Result<(), WriteError> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), WriteError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), WriteError> {
        self.0.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), WriteError> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), WriteError> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), WriteError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        mut self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), WriteError> {
        self.variant(variant)?;
        let written = value.serialize(JsonWriter(self.0));
        written.map_err(|error| error.below_field(variant))?;
        self.0.push(b'}');
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Compound<'a>, WriteError> {
        Ok(self.list(b"]"))
    }

    fn serialize_tuple(self, _: usize) -> Result<Compound<'a>, WriteError> {
        Ok(self.list(b"]"))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Compound<'a>, WriteError> {
        Ok(self.list(b"]"))
    }

    fn serialize_tuple_variant(
        mut self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Compound<'a>, WriteError> {
        self.variant(variant)?;
        Ok(self.list(b"]}"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Compound<'a>, WriteError> {
        Ok(self.object(b"}"))
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Compound<'a>, WriteError> {
        let mut object = self.object(b"}");
        if VERBATIM.contains(&name) {
            object.open = 0;
        }
        Ok(object)
    }

    fn serialize_struct_variant(
        mut self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Compound<'a>, WriteError> {
        self.variant(variant)?;
        Ok(self.object(b"}}"))
    }
}

/// An object or a list that is being written.
pub(super) struct Compound<'a> {
    into: &'a mut Vec<u8>,
    /// Values so far.
    count: usize,
    /// `{` or `[`, which the first value writes; 0 for JSON that is taken over as it is.
    open: u8,
    close: &'static [u8],
}

impl Compound<'_> {
    fn separator(&mut self) -> u8 {
        self.count += 1;
        if self.count == 1 { self.open } else { b',' }
    }

    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), WriteError> {
        let separator = self.separator();
        self.into.push(separator);
        let written = value.serialize(JsonWriter(self.into));
        written.map_err(|error| error.below_index(self.count - 1))
    }

    fn field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), WriteError> {
        if self.open == 0 {
            return self.verbatim(value);
        }
        let separator = self.separator();
        self.into.push(separator);
        scalar(self.into, name)?;
        self.into.push(b':');
        let written = value.serialize(JsonWriter(self.into));
        written.map_err(|error| error.below_field(name))
    }

    #[cold]
    fn verbatim<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), WriteError> {
        match serde_json::to_value(value)? {
            serde_json::Value::String(json) => self.into.extend_from_slice(json.as_bytes()),
            other => return Err(ser::Error::custom(format!("`{other}` is not raw JSON"))),
        }
        Ok(())
    }

    fn close(self) -> Result<(), WriteError> {
        if self.open != 0 {
            if self.count == 0 {
                self.into.push(self.open);
            }
            self.into.extend_from_slice(self.close);
        }
        Ok(())
    }
}

macro_rules! compounds {
    ($($kind:ident $method:ident,)*) => {$(
        impl $kind for Compound<'_> {
            type Ok = ();
            type Error = WriteError;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), WriteError> {
                self.item(value)
            }

            fn end(self) -> Result<(), WriteError> {
                self.close()
            }
        }
    )*};
    ($($kind:ident)*) => {$(
        impl $kind for Compound<'_> {
            type Ok = ();
            type Error = WriteError;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), WriteError> {
                self.field(name, value)
            }

            fn end(self) -> Result<(), WriteError> {
                self.close()
            }
        }
    )*};
}

compounds! {
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field,
}
compounds! { SerializeStruct SerializeStructVariant }

impl SerializeMap for Compound<'_> {
    type Ok = ();
    type Error = WriteError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), WriteError> {
        let separator = self.separator();
        let start = self.into.len();
        // `serde_json` knows what may be a key. It begins an object, whose `{` stands where the separator
        // belongs.
        let mut writer = serde_json::Serializer::new(&mut *self.into);
        writer.serialize_map(None)?.serialize_key(key)?;
        if let Some(begun) = self.into.get_mut(start) {
            *begun = separator;
        }
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), WriteError> {
        self.into.push(b':');
        let start = self.into.len();
        match value.serialize(JsonWriter(self.into)) {
            Ok(()) => Ok(()),
            Err(error) => Err(error.below_key(self.into.get(..start).unwrap_or_default())),
        }
    }

    fn end(self) -> Result<(), WriteError> {
        self.close()
    }
}

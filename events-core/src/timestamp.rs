//! Instants of the crate `time`, as they stand on the wire.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Visitor;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// An instant with its offset, `2024-01-31T09:30:00.5+01:00` on the wire: RFC 3339, as other languages read it.
///
/// The crate `time` writes an `OffsetDateTime` in a form of its own, and has no schema for it. Years from 0 to 9999 and
/// offsets of whole minutes can be written; anything else is an error.
///
/// # Examples
///
/// ```
/// use events_core::{Event, Timestamp, event};
/// use time::OffsetDateTime;
///
/// #[event(topic = "orders")]
/// pub struct OrderPlaced {
///     pub at: Timestamp,
///     pub due: Option<Timestamp>,
/// }
///
/// let order = OrderPlaced { at: OffsetDateTime::UNIX_EPOCH.into(), due: None };
/// let encoded = events_core::encode(&order).unwrap();
/// assert_eq!(*encoded.value, *br#"{"at":"1970-01-01T00:00:00Z","due":null}"#);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub OffsetDateTime);

impl From<OffsetDateTime> for Timestamp {
    fn from(instant: OffsetDateTime) -> Self {
        Self(instant)
    }
}

impl From<Timestamp> for OffsetDateTime {
    fn from(timestamp: Timestamp) -> Self {
        timestamp.0
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.0.format(&Rfc3339).map_err(|error| {
            S::Error::custom(format_args!(
                "{} cannot be written as RFC 3339: {error}",
                self.0
            ))
        })?;
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Read)
    }
}

struct Read;

impl Visitor<'_> for Read {
    type Value = Timestamp;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an RFC 3339 instant, such as 2024-01-31T09:30:00Z")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Timestamp, E> {
        OffsetDateTime::parse(text, &Rfc3339)
            .map(Timestamp)
            .map_err(|error| E::custom(format_args!("`{text}` is no RFC 3339 instant: {error}")))
    }
}

impl JsonSchema for Timestamp {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("Timestamp")
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

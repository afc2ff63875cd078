//! How a payload becomes bytes and back.

mod write_error;
mod writer;

use serde::Serialize;
use serde::de::DeserializeOwned;

use self::writer::JsonWriter;
use crate::{Error, Result};

/// Turns payloads into values of records and back.
///
/// # Examples
///
/// A codec of one's own is named at the event: `#[event(topic = "t", codec = Compact)]`.
///
/// ```
/// use events_core::{Codec, Json};
///
/// let mut value = Vec::new();
/// Json::encode(&42u8, &mut value).unwrap();
/// assert_eq!(Json::decode::<u8>(&value).unwrap(), 42);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no codec",
    label = "not a codec",
    note = "implement `events_core::Codec` for it, or leave `codec` out for JSON"
)]
pub trait Codec: Send + Sync + 'static {
    /// The `content-type` header of records in this encoding.
    const CONTENT_TYPE: &'static str;

    /// Appends the encoded payload to `into`.
    ///
    /// # Errors
    ///
    /// When the payload has no form in this encoding, such as a map with composite keys or a number that is not finite
    /// in JSON.
    fn encode<T: Serialize>(payload: &T, into: &mut Vec<u8>) -> Result<()>;

    /// Reads a payload.
    ///
    /// # Errors
    ///
    /// When the bytes are not an encoded `T`.
    fn decode<T: DeserializeOwned>(value: &[u8]) -> Result<T>;
}

/// JSON, the default.
#[derive(Debug, Clone, Copy)]
pub struct Json;

impl Codec for Json {
    const CONTENT_TYPE: &'static str = "application/json";

    fn encode<T: Serialize>(payload: &T, into: &mut Vec<u8>) -> Result<()> {
        // Neither `?` nor `to_writer`: their parts would be compiled for every event.
        let written = payload.serialize(JsonWriter::new(into));
        written.map_err(Error::new)
    }

    fn decode<T: DeserializeOwned>(value: &[u8]) -> Result<T> {
        read_json(value, |reader| T::deserialize(reader))
    }
}

/// Reads one value, behind which nothing may come.
pub(crate) fn read_json<'de, T>(
    value: &'de [u8],
    read: impl FnOnce(
        &mut serde_json::Deserializer<serde_json::de::SliceRead<'de>>,
    ) -> serde_json::Result<T>,
) -> Result<T> {
    let mut reader = serde_json::Deserializer::from_slice(value);
    match read(&mut reader) {
        Ok(payload) => match reader.end() {
            Ok(()) => Ok(payload),
            Err(error) => Err(Error::new(error)),
        },
        Err(error) => Err(Error::new(error)),
    }
}

//! Event types and what is known of them statically.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::codec::{Codec, Json};
use crate::contract::DeclaredField;
use crate::error::DecodeError;
use crate::generated::{Flat, encode_flat_json};
use crate::upcast::older;
use crate::{Error, Result};

/// A type of record, with a name, a version, a topic and perhaps a key: a fact in the past tense (`#[event]`), or a
/// [`Command`](crate::Command), which is the same on the wire.
///
/// # Delivery
///
/// Events with the same key are handled in log order by each handler (D2). Without a key there is no order.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no event",
    label = "not an event type",
    note = "annotate the struct with `#[event(topic = \"…\", key = …)]`"
)]
pub trait Event: Serialize + DeserializeOwned + Send + Sync + Sized + 'static {
    /// How the payload is encoded.
    type Codec: Codec;

    /// What is known of the type without a value of it.
    const DESCRIPTOR: &'static EventDescriptor;

    /// The record key: the key field as text; several fields joined by `/`; none if the type has no key.
    fn key(&self) -> Option<Cow<'_, str>>;

    /// What [`decode`] does with a value that no upcaster takes. `#[event]` has a shorter way for some types.
    #[doc(hidden)]
    fn from_record(value: Option<&[u8]>, found: u32) -> Result<Self> {
        let Some(value) = value else {
            return Err(no_value(Self::DESCRIPTOR));
        };
        match Self::Codec::decode(value) {
            Ok(event) => Ok(event),
            Err(error) => Err(malformed(Self::DESCRIPTOR, found, error)),
        }
    }
}

/// What may be published: a fact, which anybody may handle. Implemented by `#[event]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be published",
    label = "not an event",
    note = "what is published is a fact in the past tense: a struct with `#[event(topic = \"…\", key = …)]`",
    note = "a command is sent to its owner instead: `producer.sender().send(&command)`, or from a handler by returning it"
)]
pub trait Fact: Event {}

/// What of an event is needed to encode it.
pub(crate) trait Encodable {
    fn record_key(&self) -> Option<Cow<'_, str>>;
    fn encode_into(&self, value: &mut Vec<u8>) -> Result<()>;
}

impl<E: Event> Encodable for E {
    fn record_key(&self) -> Option<Cow<'_, str>> {
        self.key()
    }

    fn encode_into(&self, value: &mut Vec<u8>) -> Result<()> {
        E::Codec::encode(self, value)
    }
}

/// What is known of an event type statically. Made by `#[event]`; collected by `inventory`.
#[non_exhaustive]
pub struct EventDescriptor {
    /// Name on the wire: the header `ce_type`.
    pub name: &'static str,
    /// Path of the Rust type, for messages.
    pub rust_path: &'static str,
    /// The crate that declares it.
    pub package: &'static str,
    /// The topic that it is published to.
    pub topic: &'static str,
    /// The one service that handles it, if it is a command.
    pub owner: Option<&'static str>,
    /// The version that this build writes: the header `ce_eventversion`. The first is 1.
    pub version: u32,
    /// Wire names of the fields that make the key, empty for none.
    pub key: &'static [&'static str],
    /// Whether a record of the topic without `ce_type` is of this type.
    pub topic_default: bool,
    /// Whether the topic is declared to carry this type alone.
    pub topic_exclusive: bool,
    /// The `content-type` header.
    pub content_type: &'static str,
    /// The first paragraph of the type's documentation.
    pub doc: &'static str,
    /// What to use instead, if it is deprecated.
    pub deprecated: Option<&'static str>,
    /// Its fields as `#[event]` sees them: for contracts.
    #[doc(hidden)]
    pub fields: &'static [DeclaredField],
    /// Where it is declared, `file:line`.
    pub location: &'static str,
    /// What the option `lock` says: where the contract lock is, from the declaring file. Empty without it.
    #[doc(hidden)]
    pub lock: &'static str,
    /// What stood in the contract lock when it was compiled; empty without one.
    #[doc(hidden)]
    pub locked: &'static [u8],
    /// What `EVENTS_CONTRACTS` was when it was compiled: `off` keeps the compiler from comparing it with its lock.
    #[doc(hidden)]
    pub switch: Option<&'static str>,
    /// The JSON Schema of the payload.
    pub schema: fn() -> serde_json::Value,
    /// Reads a payload from JSON and encodes it as a record: for command lines.
    pub encode_json: fn(&str) -> Result<EncodedEvent>,
}

/// An event as key and value of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedEvent {
    /// The record key.
    pub key: Option<String>,
    /// The record value.
    pub value: Vec<u8>,
}

impl EventDescriptor {
    /// Made by `#[event]` only.
    #[doc(hidden)]
    pub const fn new<E: Event + schemars::JsonSchema>(declared: Declared) -> Self {
        Self {
            name: declared.name,
            rust_path: declared.rust_path,
            package: declared.package,
            topic: declared.topic,
            owner: declared.owner,
            version: declared.version,
            key: declared.key,
            topic_default: declared.topic_default,
            topic_exclusive: declared.topic_exclusive,
            content_type: <E::Codec as Codec>::CONTENT_TYPE,
            doc: declared.doc,
            deprecated: declared.deprecated,
            fields: declared.fields,
            location: declared.location,
            lock: declared.lock,
            locked: declared.locked,
            switch: declared.switch,
            schema: schema::<E>,
            encode_json: encode_json::<E>,
        }
    }

    /// As above, of a type that is read and written without code of its own.
    #[doc(hidden)]
    pub const fn flat<E: Event + Flat + schemars::JsonSchema>(declared: Declared) -> Self {
        Self {
            encode_json: encode_flat_json::<E>,
            ..Self::new::<E>(declared)
        }
    }
}

/// What `#[event]` read from the item.
#[doc(hidden)]
pub struct Declared {
    pub name: &'static str,
    pub rust_path: &'static str,
    pub package: &'static str,
    pub topic: &'static str,
    pub owner: Option<&'static str>,
    pub version: u32,
    pub key: &'static [&'static str],
    pub topic_default: bool,
    pub topic_exclusive: bool,
    pub doc: &'static str,
    pub fields: &'static [DeclaredField],
    pub location: &'static str,
    pub deprecated: Option<&'static str>,
    pub lock: &'static str,
    pub locked: &'static [u8],
    pub switch: Option<&'static str>,
}

impl fmt::Debug for EventDescriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventDescriptor")
            .field("name", &self.name)
            .field("version", &self.version)
            .field("topic", &self.topic)
            .field("key", &self.key)
            .field("rust_path", &self.rust_path)
            .finish_non_exhaustive()
    }
}

impl PartialEq for EventDescriptor {
    /// Two descriptors are the same if they describe the same Rust type.
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.rust_path == other.rust_path
    }
}

impl Eq for EventDescriptor {}

fn schema<E: schemars::JsonSchema>() -> serde_json::Value {
    crate::generated::root(E::schema_name, E::json_schema)
}

fn encode_json<E: Event>(json: &str) -> Result<EncodedEvent> {
    match Json::decode::<E>(json.as_bytes()) {
        Ok(event) => encode(&event),
        Err(error) => Err(error),
    }
}

/// Encodes an event as key and value.
///
/// # Errors
///
/// The codec's, with the event's name put around it.
pub fn encode<E: Event>(event: &E) -> Result<EncodedEvent> {
    encode_dyn(E::DESCRIPTOR, event)
}

/// Not generic, so that it is compiled once and not for every event.
fn encode_dyn(descriptor: &EventDescriptor, event: &dyn Encodable) -> Result<EncodedEvent> {
    let mut value = Vec::new();
    event
        .encode_into(&mut value)
        .map_err(|error| cannot_encode(descriptor, error))?;
    let key = event.record_key().map(Cow::into_owned);
    Ok(EncodedEvent { key, value })
}

pub(crate) fn cannot_encode(event: &EventDescriptor, error: Error) -> Error {
    error.context(format!("cannot encode {}", event.name))
}

/// Decodes the value of a record of type `E` and version `found`: of an earlier version through its upcasters, if there
/// are any.
///
/// # Errors
///
/// [`DecodeError`], which names the type, the versions and the codec's own error, or the upcaster's.
///
/// # Panics
///
/// When an upcaster does.
pub fn decode<E: Event>(value: Option<&[u8]>, found: u32) -> Result<E> {
    if found >= E::DESCRIPTOR.version {
        return E::from_record(value, found);
    }
    match older(E::DESCRIPTOR, value, found) {
        Ok(value) => E::from_record(value.as_deref(), found),
        Err(error) => Err(error),
    }
}

pub(crate) fn no_value(event: &EventDescriptor) -> Error {
    Error::new(DecodeError::NoValue { event: event.name })
}

pub(crate) fn malformed(event: &EventDescriptor, found: u32, source: Error) -> Error {
    Error::new(DecodeError::Malformed {
        event: event.name,
        known: event.version,
        found,
        source,
    })
}

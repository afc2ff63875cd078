//! What generated code calls, beside the public vocabulary.

mod fields;
mod flat;
mod open;
mod schema;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::ServiceContext;
use crate::delivery::Delivery;
use crate::error::DecodeError;
use crate::event::{Event, EventDescriptor};
use crate::extract::Needs;
use crate::{Error, Result};

pub use self::fields::{Field, Fields, Struct, Writer};
pub(crate) use self::flat::encode_flat_json;
pub use self::flat::{
    Flat, Scalar, ScalarField, ScalarSlot, Shape, decode_flat, flat_schema, read_flat, take_scalar,
    take_scalar_or, write_flat,
};
pub use self::open::{Open, open_schema, read_open};
pub(crate) use self::schema::root;
pub use self::schema::{Property, object};
pub use crate::run::{Blocking, Plain, Prepared};
pub use serde::de::{Error as DeserializeError, MapAccess};
pub use std::borrow::Cow;
pub use std::boxed::Box;
pub use std::option::Option;
pub use std::result::Result as StdResult;
pub use std::sync::Arc;

/// Event types that something takes or emits.
pub type Types = Vec<&'static EventDescriptor>;

/// An event without fields on the wire.
#[derive(Serialize, Deserialize, JsonSchema)]
pub struct Empty {}

/// Several key fields as one key.
pub fn join_key(parts: &[Cow<'_, str>]) -> Cow<'static, str> {
    crate::key::join(parts)
}

/// Decodes a record as the event type that it was routed as.
pub fn decode<E: Event>(delivery: &Delivery<'_>) -> Result<E> {
    crate::decode(delivery.record().value(), delivery.version())
}

/// An event as a variant of an enum that a handler takes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no event",
    label = "not an event type",
    note = "annotate the struct with `#[event(topic = \"…\", key = …)]`"
)]
pub trait Variant: Sized {
    /// Names the event type.
    fn declare(types: &mut Types);

    /// Decodes a record, if it was routed as that type.
    fn decode(delivery: &Delivery<'_>) -> Result<Option<Self>>;
}

// Otherwise the two uses of the trait in a derive were two errors.
#[diagnostic::do_not_recommend]
impl<E: Event> Variant for E {
    fn declare(types: &mut Types) {
        types.push(E::DESCRIPTOR);
    }

    fn decode(delivery: &Delivery<'_>) -> Result<Option<E>> {
        if delivery.event().name == E::DESCRIPTOR.name {
            decode(delivery).map(Some)
        } else {
            Ok(None)
        }
    }
}

/// No variant of `input` takes the record's type.
pub fn not_taken(input: &'static str, delivery: &Delivery<'_>) -> Error {
    Error::new(DecodeError::NotTaken {
        input,
        event: delivery.event().name.to_owned(),
    })
}

/// A handler without arguments behind its event needs nothing.
pub fn needs_nothing(_: &mut Needs) {}

/// A handler without arguments behind its event lacks nothing.
pub fn check_nothing(_: &ServiceContext, _: &mut Vec<Error>) {}

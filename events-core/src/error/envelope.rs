//! What can be wrong with a record in CloudEvents structured mode.

use crate::structured::{MAX_ATTRIBUTES, MAX_BYTES};

/// A record says that it is a CloudEvent in structured mode, and is none that can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// Several events in one record.
    #[error(
        "it is a batch, and a record of Kafka is one event: let the producer write each event as a record of its own"
    )]
    Batch,
    /// Another format than JSON.
    #[error(
        "of structured mode `application/cloudevents+json` alone is read, not `{0}`: let the producer write that, or binary mode"
    )]
    Format(String),
    /// The document is too large to be read as a whole.
    #[error(
        "the document has {bytes} bytes, more than {MAX_BYTES}: let the producer write binary mode, where the payload is the value"
    )]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The value is no JSON object, or has far too many members.
    #[error("the value is no JSON object of at most {MAX_ATTRIBUTES} members: {0}")]
    NoDocument(String),
    /// An attribute is an array or an object.
    #[error(
        "the attribute `{name}` is neither text nor a number nor a boolean: let the producer put it into `data`"
    )]
    Attribute {
        /// Its name.
        name: String,
    },
    /// The attribute `specversion` is absent or none that is known.
    #[error("`specversion` is {}, and 1.0 is what is read: let the producer write CloudEvents 1.0", .found.as_deref().unwrap_or("absent"))]
    Version {
        /// What it says.
        found: Option<String>,
    },
    /// The attribute `type` is absent or empty.
    #[error("`type` is absent, so nobody knows what event it is: let the producer name it")]
    NoType,
    /// Both `data` and `data_base64` are there.
    #[error(
        "it has `data` and `data_base64`, and one of them is the payload: let the producer write one"
    )]
    TwoPayloads,
    /// What `data_base64` holds is not base64.
    #[error(
        "`data_base64` is no base64: {0}; let the producer write the standard alphabet, padded"
    )]
    Base64(String),
    /// The record has more headers than a record may have, or more bytes of headers.
    #[error(
        "it has {count} headers of {bytes} bytes, and {most} headers of {most_bytes} bytes are the most that are read: \
         let the producer write fewer, or raise `record_headers` or `record_header_bytes`"
    )]
    Headers {
        /// How many it has.
        count: usize,
        /// Bytes of their names and values.
        bytes: usize,
        /// How many a record may have.
        most: usize,
        /// Bytes that they may have.
        most_bytes: usize,
    },
    /// The record has more bytes of key and value than a record may have.
    #[error(
        "it has {bytes} bytes, and {most} are the most that are handled: let the producer publish a reference, or raise `record_bytes`"
    )]
    Record {
        /// Bytes of key and value.
        bytes: usize,
        /// Bytes that a record may have.
        most: usize,
    },
    /// The client cannot read the record's headers: they are malformed, or there are more than it reads.
    #[error(
        "the client cannot read its headers: they are malformed, or more than 100,000; let the producer write fewer"
    )]
    UnreadableHeaders,
}

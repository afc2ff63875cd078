//! CloudEvents structured mode, which is read and never written: attributes and payload in one JSON document.
//!
//! A record in it becomes one in binary mode before anything else looks at it, so that nothing else knows two modes. Names and
//! rules follow the [JSON format](https://github.com/cloudevents/spec/blob/main/cloudevents/formats/json-format.md).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::envelope::header;
use crate::error::EnvelopeError;
use crate::record::{Outgoing, RecordView};

/// Most bytes of a document. It is read as a whole before its payload can be, so that a larger one would keep others waiting.
pub(crate) const MAX_BYTES: usize = 4 * 1024 * 1024;
/// Most members of a document: each attribute becomes a header.
pub(crate) const MAX_ATTRIBUTES: usize = 128;

const MEDIA_TYPE: &str = "application/cloudevents";
const PAYLOAD: [&str; 2] = ["data", "data_base64"];
/// Attributes that are headers under a name of their own.
const OWN_NAMES: [(&str, &str); 3] = [
    ("datacontenttype", header::CONTENT_TYPE),
    ("traceparent", header::TRACE_PARENT),
    ("tracestate", header::TRACE_STATE),
];

/// Whether a record with this `content-type` is in structured or in batched mode, in whatever format.
///
/// # Examples
///
/// ```
/// assert!(events_core::is_structured(b"application/cloudevents+json; charset=utf-8"));
/// assert!(!events_core::is_structured(b"application/json"));
/// ```
pub fn is_structured(content_type: &[u8]) -> bool {
    content_type
        .get(..MEDIA_TYPE.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(MEDIA_TYPE.as_bytes()))
}

/// A record in structured mode as the same record in binary mode; `None` for one that is in binary mode already, or is no
/// CloudEvent.
///
/// Attributes become headers, `data` or what `data_base64` encodes becomes the value, byte for byte. The key and headers of other
/// names stay. `id`, `source` and `time` may be absent, as in binary mode.
///
/// # Errors
///
/// [`EnvelopeError`]: the document is no event.
///
/// # Examples
///
/// ```
/// use events_core::{Outgoing, to_binary_mode};
///
/// # fn with(record: &Outgoing) -> impl events_core::RecordView + '_ {
/// #     struct View<'a>(&'a Outgoing);
/// #     impl events_core::RecordView for View<'_> {
/// #         fn topic(&self) -> &str { "orders" }
/// #         fn partition(&self) -> i32 { 0 }
/// #         fn offset(&self) -> i64 { 0 }
/// #         fn timestamp(&self) -> Option<i64> { None }
/// #         fn key(&self) -> Option<&[u8]> { self.0.key() }
/// #         fn value(&self) -> Option<&[u8]> { self.0.value() }
/// #         fn header(&self, index: usize) -> Option<(&[u8], Option<&[u8]>)> { self.0.header_at(index) }
/// #     }
/// #     View(record)
/// # }
/// let mut record = Outgoing::new("orders");
/// record
///     .set_value(br#"{"specversion":"1.0","id":"1","source":"shop","type":"OrderPlaced","data":{"order_id":"o-1"}}"#)
///     .add_header("content-type", "application/cloudevents+json");
///
/// let binary = to_binary_mode(&with(&record)).unwrap()?;
/// assert_eq!(binary.header("ce_type"), Some(&b"OrderPlaced"[..]));
/// assert_eq!(binary.value(), Some(&br#"{"order_id":"o-1"}"#[..]));
/// # Ok::<(), events_core::EnvelopeError>(())
/// ```
pub fn to_binary_mode(record: &dyn RecordView) -> Option<Result<Outgoing, EnvelopeError>> {
    let mut content_type = None;
    let mut index = 0;
    while let Some((name, value)) = record.header(index) {
        index += 1;
        if name == header::CONTENT_TYPE.as_bytes() {
            content_type = value.or(content_type);
        }
    }
    let content_type = content_type.filter(|content_type| is_structured(content_type))?;
    Some(open(record, content_type))
}

fn open(record: &dyn RecordView, content_type: &[u8]) -> Result<Outgoing, EnvelopeError> {
    let media_type = content_type.split(|byte| *byte == b';').next();
    let media_type = String::from_utf8_lossy(media_type.unwrap_or_default());
    match &*media_type.trim().to_ascii_lowercase() {
        "application/cloudevents+json" => {}
        batch if batch.starts_with("application/cloudevents-batch") => {
            return Err(EnvelopeError::Batch);
        }
        other => return Err(EnvelopeError::Format(other.to_owned())),
    }
    let value = record.value().unwrap_or_default();
    if value.len() > MAX_BYTES {
        return Err(EnvelopeError::TooLarge { bytes: value.len() });
    }
    let document: Result<Document<'_>, _> = serde_json::from_slice(value);
    let document = document
        .map_err(|error| EnvelopeError::NoDocument(error.to_string()))?
        .0;
    let mut attributes = BTreeMap::new();
    for (name, raw) in &document {
        if !PAYLOAD.contains(&name.as_str())
            && let Some(text) = attribute(name, raw)?
        {
            attributes.insert(name.as_str(), text);
        }
    }
    match attributes.get("specversion").map(String::as_str) {
        Some("1.0") => {}
        found => {
            return Err(EnvelopeError::Version {
                found: found.map(str::to_owned),
            });
        }
    }
    if attributes.get("type").is_none_or(String::is_empty) {
        return Err(EnvelopeError::NoType);
    }
    let json = "application/json".to_owned();
    let content_type = attributes
        .entry("datacontenttype")
        .or_insert(json)
        .to_ascii_lowercase();
    let payload = payload(&document, &content_type)?;
    let mut binary = Outgoing::with_capacity(
        record.topic().to_owned(),
        value.len() + record.key().map_or(0, <[u8]>::len),
        attributes.len(),
    );
    binary.timestamp = record.timestamp();
    if let Some(key) = record.key() {
        binary.set_key(key);
    }
    if let Some(payload) = payload {
        binary.set_value(&payload);
    }
    for (name, text) in &attributes {
        let own = OWN_NAMES.iter().find(|(attribute, _)| attribute == name);
        match own {
            Some((_, header)) => binary.add_header(header, text),
            None => binary.add_header(&format!("ce_{name}"), text),
        };
    }
    let mut index = 0;
    while let Some((name, value)) = record.header(index) {
        index += 1;
        // The document alone says what the event is; what it leaves open is not taken from elsewhere.
        if name != header::CONTENT_TYPE.as_bytes() && !name.starts_with(b"ce_") {
            binary.add_raw_header(name, value);
        }
    }
    Ok(binary)
}

/// The members of a document: of several with one name the last, as everywhere.
struct Document<'a>(BTreeMap<String, &'a RawValue>);

impl<'de> Deserialize<'de> for Document<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Document<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = BTreeMap::new();
                while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
                    members.insert(name, value);
                    if members.len() > MAX_ATTRIBUTES {
                        return Err(serde::de::Error::custom("it has more"));
                    }
                }
                Ok(Document(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

/// An attribute as a header has it; none if it is null, which is to say absent.
fn attribute(name: &str, raw: &RawValue) -> Result<Option<String>, EnvelopeError> {
    match serde_json::from_str(raw.get()) {
        Ok(Value::Null) => Ok(None),
        Ok(Value::String(text)) => Ok(Some(text)),
        Ok(Value::Bool(flag)) => Ok(Some(flag.to_string())),
        Ok(Value::Number(number)) => Ok(Some(number.to_string())),
        _ => Err(EnvelopeError::Attribute {
            name: name.to_owned(),
        }),
    }
}

/// The payload's bytes; none if the event has none.
fn payload<'a>(
    document: &BTreeMap<String, &'a RawValue>,
    content_type: &str,
) -> Result<Option<Cow<'a, [u8]>>, EnvelopeError> {
    let present = |name: &str| document.get(name).filter(|raw| raw.get() != "null");
    match (document.get("data"), present("data_base64")) {
        (Some(data), Some(_)) if data.get() != "null" => Err(EnvelopeError::TwoPayloads),
        (_, Some(encoded)) => {
            let text: String = serde_json::from_str(encoded.get())
                .map_err(|error| EnvelopeError::Base64(error.to_string()))?;
            let bytes = BASE64_STANDARD.decode(text);
            let bytes = bytes.map_err(|error| EnvelopeError::Base64(error.to_string()))?;
            Ok(Some(bytes.into()))
        }
        (Some(data), None) if !is_json(content_type) => {
            // A text of another media type stands there as a JSON string.
            match serde_json::from_str::<String>(data.get()) {
                Ok(text) => Ok(Some(text.into_bytes().into())),
                Err(_) => Ok(Some(data.get().as_bytes().into())),
            }
        }
        (Some(data), None) => Ok(Some(data.get().as_bytes().into())),
        (None, None) => Ok(None),
    }
}

fn is_json(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    media_type.ends_with("/json") || media_type.ends_with("+json")
}

/// Whether a document in structured mode could be read as a payload of this schema: then its headers alone tell the two apart.
///
/// For engines: a topic whose headers are not read.
#[doc(hidden)]
pub fn resembles_structured(schema: &Value) -> bool {
    const NAMES: [&str; 13] = [
        "specversion",
        "id",
        "source",
        "type",
        "subject",
        "time",
        "datacontenttype",
        "dataschema",
        "data",
        "data_base64",
        "eventversion",
        "correlationid",
        "causationid",
    ];
    let reference = schema["$ref"].as_str();
    let pointer = reference.and_then(|reference| reference.strip_prefix('#'));
    let root = pointer.and_then(|pointer| schema.pointer(pointer));
    let required = root.unwrap_or(schema)["required"]
        .as_array()
        .into_iter()
        .flatten();
    let mut names = required.filter_map(Value::as_str);
    names.all(|name| NAMES.contains(&name))
}

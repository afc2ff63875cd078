//! An event type as a message.

use events_core::header;
use events_core::manifest::EventEntry;
use serde_json::{Map, Value, json};

use super::{BINDING, schema};

/// The schema that all messages' headers share.
pub(super) const HEADERS: &str = "CloudEvent";

pub(super) fn describe(
    event: &str,
    id: &str,
    entry: &EventEntry,
    schemas: &mut Map<String, Value>,
) -> Value {
    let payload = if entry.schema.is_null() {
        json!({})
    } else {
        schema::hoist(&entry.schema, id, schemas)
    };
    let mut message = json!({
        "name": event,
        "title": event,
        "contentType": if entry.content_type.is_empty() { "application/json" } else { &entry.content_type },
        "payload": payload,
        "headers": {
            "type": "object",
            "allOf": [{ "$ref": format!("#/components/schemas/{HEADERS}") }],
            "properties": { header::TYPE: { "const": event } },
        },
        "correlationId": { "$ref": "#/components/correlationIds/flow" },
        "bindings": { "kafka": { "key": key(entry), "bindingVersion": BINDING } },
        "x-event-version": entry.version,
    });
    let mut said: Vec<String> = Vec::new();
    if !entry.doc.is_empty() {
        message["summary"] = first_line(&entry.doc).into();
        said.push(entry.doc.clone());
    }
    said.push(format!("Version {}.", entry.version));
    if let Some(oldest) = entry.oldest {
        said.push(format!(
            "Records of version {oldest} and later may lie in the topic."
        ));
    }
    if let Some(owner) = &entry.owner {
        said.push(format!("A command: `{owner}` alone handles it."));
        message["x-owner"] = owner.as_str().into();
    }
    if let Some(instead) = &entry.deprecated {
        said.push(format!("Deprecated: {instead}"));
        message["x-deprecated"] = instead.as_str().into();
    }
    message["description"] = said.join("\n\n").into();
    message
}

fn first_line(doc: &str) -> &str {
    doc.lines().next().unwrap_or_default()
}

fn key(entry: &EventEntry) -> Value {
    match entry.key.as_slice() {
        [] => {
            json!({ "type": "null", "description": "No key: records are spread, and have no order." })
        }
        fields => json!({
            "type": "string",
            "description": format!("The record's key, as UTF-8: {}.", fields.join(", ")),
        }),
    }
}

/// What every record carries in its headers.
pub(super) fn headers() -> Value {
    let text = |description: &str| json!({ "type": "string", "description": description });
    let number = |description: &str| json!({ "type": "string", "pattern": "^[0-9]+$", "description": description });
    json!({
        "type": "object",
        "description": "CloudEvents 1.0 in binary mode: attributes are headers, the value is the payload alone.",
        "required": [header::SPEC_VERSION, header::ID, header::SOURCE, header::TYPE],
        "properties": {
            header::SPEC_VERSION: { "const": "1.0", "description": "CloudEvents version." },
            header::ID: text("Unique within the source."),
            header::SOURCE: text("Who published the event: the service's name."),
            header::TYPE: text("The event type."),
            header::TIME: { "type": "string", "format": "date-time", "description": "When it was published." },
            header::SUBJECT: text("What it is about; the key, where there is one."),
            header::EVENT_VERSION: number("The version of the event type."),
            header::CORRELATION_ID: text("Shared by all events of a flow."),
            header::CAUSATION_ID: text("Id of the event that caused this one."),
            header::HOPS: number("How many handlers stand between the flow's first event and this one."),
            header::CONTENT_TYPE: text("The payload's media type."),
            header::TRACE_PARENT: text("W3C trace context."),
            header::TRACE_STATE: text("W3C trace context, vendors' part."),
        },
    })
}

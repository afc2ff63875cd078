//! AsyncAPI 3: topics as channels, events as messages, what handlers take and emit as operations.
//!
//! EventCatalog, code generators and documentation sites read it.

mod message;
mod names;
mod operation;
mod schema;

use std::collections::BTreeMap;

use events_core::company::{Company, Use};
use serde_json::{Map, Value, json};

use names::Names;

/// The version of the Kafka bindings that is written.
const BINDING: &str = "0.5.0";

/// The AsyncAPI 3.0 document of a company, or of a service alone.
///
/// - Each topic is a channel with its event types as messages: payload schema, CloudEvents headers, record key,
///   correlation id.
/// - Each handler receives from the topics of what it takes, as its consumer group, and sends to those of what it emits;
///   what a service publishes at its edge is sent by an operation of its own.
/// - JSON Schemas are rewritten from draft 2020-12 to draft 7, which AsyncAPI prescribes: shared definitions move to
///   `components`. What draft 7 cannot say stays as it is, and readers pass over it.
///
/// `version` is that of the described application, which manifests do not know.
///
/// # Examples
///
/// ```
/// use events_core::company::Company;
/// use events_core::manifest::Manifest;
///
/// let file = br#"{ "manifest": 1, "service": "shipping",
///     "handlers": [{ "handler": "ship", "group": "shipping", "takes": ["StockReserved"] }],
///     "events": [{ "name": "StockReserved", "version": 1, "topic": "inventory" }] }"#;
/// let company = Company::join(Manifest::read("shipping.json", file)?);
/// let document = events_docs::asyncapi::document(&company, "1.4.0");
/// assert_eq!(document["channels"]["inventory"]["address"], "inventory");
/// assert_eq!(document["operations"]["shipping.ship.receive.inventory"]["action"], "receive");
/// # Ok::<(), events_core::manifest::ManifestError>(())
/// ```
pub fn document(company: &Company, version: &str) -> Value {
    let uses = company.uses();
    let mut parts = Parts::default();
    for (event, usage) in &uses {
        parts.message(event, usage);
    }
    for manifest in company.manifests() {
        parts.operations(manifest);
    }
    let services: Vec<_> = company
        .manifests()
        .iter()
        .map(|manifest| &manifest.service)
        .collect();
    let title = match services.as_slice() {
        [one] => (*one).clone(),
        several => format!("{} services", several.len()),
    };
    parts
        .schemas
        .insert(message::HEADERS.to_owned(), message::headers());
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": title,
            "version": version,
            "description": "Events over Kafka as CloudEvents 1.0, binary mode.",
            "tags": services.iter().map(|service| json!({ "name": service })).collect::<Vec<_>>(),
        },
        "defaultContentType": "application/json",
        "channels": parts.channels,
        "operations": parts.operations,
        "components": {
            "messages": parts.messages,
            "schemas": parts.schemas,
            "correlationIds": {
                "flow": {
                    "description": "Shared by all events of a flow.",
                    "location": "$message.header#/ce_correlationid",
                },
            },
        },
    })
}

/// The parts of the document, filled event by event and service by service.
#[derive(Default)]
struct Parts {
    names: Names,
    channels: Map<String, Value>,
    messages: Map<String, Value>,
    schemas: Map<String, Value>,
    operations: Map<String, Value>,
    /// The channel and the message of each event.
    places: BTreeMap<String, (String, String)>,
}

impl Parts {
    fn message(&mut self, event: &str, usage: &Use<'_>) {
        let entry = usage.entry().cloned().unwrap_or_default();
        // A manifest that was written by hand may name an event that it does not describe.
        let topic = if entry.topic.is_empty() {
            "?"
        } else {
            &entry.topic
        };
        let channel = self.names.of("channel", topic);
        let message = self.names.of("message", event);
        let described = message::describe(event, &message, &entry, &mut self.schemas);
        self.messages.insert(message.clone(), described);
        let known = self.channels.entry(channel.clone()).or_insert_with(|| {
            let mut kafka = json!({ "bindingVersion": BINDING });
            let mut channel = json!({ "title": topic, "messages": {} });
            if topic == "?" {
                // Unknown, in the words of the specification.
                channel["address"] = Value::Null;
            } else {
                channel["address"] = topic.into();
                kafka["topic"] = topic.into();
            }
            channel["bindings"] = json!({ "kafka": kafka });
            channel
        });
        known["messages"][&message] = json!({ "$ref": format!("#/components/messages/{message}") });
        self.places.insert(event.to_owned(), (channel, message));
    }
}

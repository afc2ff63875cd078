//! `publish`: one event from the command line.

use std::io::Read;
use std::time::Duration;

use events_core::{Emitted, Error, Registry, Result};
use serde_json::json;

use super::arguments::wrong;
use super::output::{print, print_json};
use super::payload;
use crate::producer::Producer;
use crate::services::Services;

/// How long the producer may take to say goodbye; the event is acknowledged by then.
const GOODBYE: Duration = Duration::from_secs(5);

/// What is to be published.
pub(super) struct Request {
    pub(super) event: String,
    pub(super) payload: String,
    pub(super) source: String,
    pub(super) correlation_id: Option<String>,
}

pub(super) async fn publish(services: &Services, request: Request, json: bool) -> Result<()> {
    let Some(runtime) = services.runtimes().first() else {
        return Err(Error::msg("this binary has no services"));
    };
    let registry = runtime.registry();
    let Some(event) = registry.event(&request.event) else {
        wrong(format!(
            "this binary knows no event `{}`; it knows {}",
            request.event,
            known(registry)
        ));
    };
    let client = runtime.current_client().clone();
    let text = match request.payload.as_str() {
        "-" => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text)?;
            text
        }
        text => text.to_owned(),
    };
    let complaints = payload::complaints(&text, &(event.schema)());
    if !complaints.is_empty() {
        let list = complaints.join("\n  ");
        return Err(Error::msg(format!(
            "this is no {} (version {}):\n  {list}",
            event.name, event.version
        )));
    }
    let encoded = (event.encode_json)(&text)
        .map_err(|error| error.context(format!("this is no {}", event.name)))?;
    if client.is_embedded() {
        return Err(Error::msg(
            "no cluster to publish to: set KAFKA_BOOTSTRAP_SERVERS; for a service that runs on the embedded cluster, to the `address` that it logs at its start",
        ));
    }
    let mut producer = Producer::connect(request.source, client)?;
    if let Some(flow) = request.correlation_id {
        producer = producer.correlated(flow);
    }
    let emitted = Emitted {
        event,
        key: encoded.key.as_deref(),
        value: &encoded.value,
    };
    let written = producer.publish_encoded(emitted).await;
    producer.close(GOODBYE).await;
    let written = written?;
    if json {
        return print_json(&json!({
            "event": event.name,
            "topic": event.topic,
            "key": encoded.key,
            "partition": written.partition,
            "offset": written.offset,
        }));
    }
    print(&format!(
        "{} is in topic {}, partition {}, offset {}",
        event.name, event.topic, written.partition, written.offset
    ))
}

fn known(registry: &Registry) -> String {
    let names: Vec<_> = registry.events.iter().map(|event| event.name).collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

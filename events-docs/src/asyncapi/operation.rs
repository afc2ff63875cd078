//! What services do with topics.

use std::collections::BTreeMap;

use events_core::manifest::{HandlerEntry, Manifest};
use serde_json::{Value, json};

use super::{BINDING, Parts};

impl Parts {
    pub(super) fn operations(&mut self, manifest: &Manifest) {
        for handler in &manifest.handlers {
            self.of_handler(&manifest.service, handler);
        }
        for (channel, messages) in self.by_channel(&manifest.publishes) {
            let mut operation = operation("send", &manifest.service, &channel, &messages);
            operation["title"] = format!("{} publishes", manifest.service).into();
            operation["summary"] = "Published at the service's edge.".into();
            self.add(
                &format!("{}.publish.{channel}", manifest.service),
                operation,
            );
        }
    }

    fn of_handler(&mut self, service: &str, handler: &HandlerEntry) {
        let title = format!("{service}/{}", handler.handler);
        for (action, events) in [("receive", &handler.takes), ("send", &handler.emits)] {
            for (channel, messages) in self.by_channel(events) {
                let mut operation = operation(action, service, &channel, &messages);
                operation["title"] = title.as_str().into();
                if let Some(line) = handler.doc.lines().next() {
                    operation["summary"] = line.into();
                }
                if action == "receive" && !handler.group.is_empty() {
                    operation["bindings"] = json!({ "kafka": {
                        "groupId": { "type": "string", "enum": [handler.group] },
                        "bindingVersion": BINDING,
                    } });
                }
                let name = format!("{service}.{}.{action}.{channel}", handler.handler);
                self.add(&name, operation);
            }
        }
    }

    fn add(&mut self, name: &str, operation: Value) {
        let name = self.names.of("operation", name);
        self.operations.insert(name, operation);
    }

    fn by_channel(&self, events: &[String]) -> BTreeMap<String, Vec<String>> {
        let mut channels: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (channel, message) in events.iter().filter_map(|event| self.places.get(event)) {
            channels
                .entry(channel.clone())
                .or_default()
                .push(message.clone());
        }
        channels
    }
}

fn operation(action: &str, service: &str, channel: &str, messages: &[String]) -> Value {
    let message =
        |name: &String| json!({ "$ref": format!("#/channels/{channel}/messages/{name}") });
    json!({
        "action": action,
        "channel": { "$ref": format!("#/channels/{channel}") },
        "messages": messages.iter().map(message).collect::<Vec<_>>(),
        "tags": [{ "name": service }],
    })
}

//! What a manifest holds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Policy;

/// One service, as it describes itself.
///
/// A reader ignores fields that it does not know, so that a newer build may add some without another format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The format: [`FORMAT`](super::FORMAT).
    #[serde(rename = "manifest")]
    pub format: u32,
    /// The service.
    pub service: String,
    /// Who wrote it: the framework's version.
    #[serde(default)]
    pub framework: String,
    /// Its handlers, by name.
    #[serde(default)]
    pub handlers: Vec<HandlerEntry>,
    /// Event types that it publishes outside of handlers: what `publishes!` says.
    #[serde(default)]
    pub publishes: Vec<String>,
    /// The event types that it takes, emits or publishes, by name.
    #[serde(default)]
    pub events: Vec<EventEntry>,
    /// The topics of these, by name.
    #[serde(default)]
    pub topics: Vec<TopicEntry>,
    /// Its consumer groups, by name.
    #[serde(default)]
    pub groups: Vec<GroupEntry>,
}

/// A handler of the service.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct HandlerEntry {
    /// Its name.
    pub handler: String,
    /// Its consumer group.
    #[serde(default)]
    pub group: String,
    /// Event types taken.
    #[serde(default)]
    pub takes: Vec<String>,
    /// Event types that it can emit.
    #[serde(default)]
    pub emits: Vec<String>,
    /// Those of them that tell of a failure, which somebody has to make good.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<String>,
    /// Event types over which it may close a cycle.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow_cycle: Vec<String>,
    /// Where it stands, `file:line`.
    #[serde(default)]
    pub location: String,
    /// The crate that it stands in.
    #[serde(default, rename = "crate")]
    pub package: String,
    /// The first paragraph of its documentation.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub doc: String,
    /// How it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
}

/// An event type as the service was built with it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct EventEntry {
    /// The name on the wire.
    pub name: String,
    /// The version that the service writes, and the newest that it knows.
    pub version: u32,
    /// The oldest released version that the contract lock keeps: readers of older ones are compared with nothing any more.
    /// None without a lock, which means 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest: Option<u32>,
    /// The topic.
    pub topic: String,
    /// Wire names of the fields that make the key.
    #[serde(default)]
    pub key: Vec<String>,
    /// The `content-type` header.
    #[serde(default)]
    pub content_type: String,
    /// Whether the topic is declared to carry this type alone.
    #[serde(default)]
    pub topic_exclusive: bool,
    /// Whether a record of the topic without a type is of this type.
    #[serde(default)]
    pub topic_default: bool,
    /// The one service that may handle it, if it is a command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What to use instead, if it is deprecated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecated: Option<String>,
    /// The first paragraph of its documentation.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub doc: String,
    /// The JSON Schema of the payload at `version`.
    #[serde(default)]
    pub schema: Value,
    /// The JSON Schemas of older versions, as the contract lock keeps them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub versions: BTreeMap<u32, Value>,
    /// Fields that an upcaster fills, each with the version below which it does.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub upcasts: BTreeMap<String, u32>,
    /// Where it is declared, `file:line`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub location: String,
}

/// A topic that the service reads or writes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicEntry {
    /// Its name.
    pub name: String,
    /// The event types of the service that it carries.
    #[serde(default)]
    pub events: Vec<String>,
    /// Whether a handler reads it.
    #[serde(default)]
    pub reads: bool,
    /// Whether the service writes to it.
    #[serde(default)]
    pub writes: bool,
}

/// A consumer group of the service.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupEntry {
    /// Its name.
    pub name: String,
    /// Its handlers.
    #[serde(default)]
    pub handlers: Vec<String>,
    /// The topics that they read.
    #[serde(default)]
    pub topics: Vec<String>,
}

impl Manifest {
    /// The service's own view of an event type.
    pub fn event(&self, name: &str) -> Option<&EventEntry> {
        self.events.iter().find(|event| event.name == name)
    }

    /// The manifest as JSON, the same for the same service at each run.
    pub fn to_json(&self) -> String {
        // Strings, numbers and maps with text as keys: nothing in it can fail to be written.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

//! A schema as a short text that changes with what it says.

use serde_json::{Map, Value};
use uuid::Uuid;

/// Words for people: no reader and no writer acts on them.
const WORDS: [&str; 9] = [
    "$comment",
    "$id",
    "$schema",
    "deprecated",
    "description",
    "examples",
    "readOnly",
    "title",
    "writeOnly",
];

/// Below these stand names of the user's, and schemas behind them.
const NAMED: [&str; 5] = [
    "$defs",
    "definitions",
    "dependentSchemas",
    "patternProperties",
    "properties",
];

/// Values, not schemas.
const DATA: [&str; 4] = ["const", "default", "dependentRequired", "enum"];

/// Changes with what a schema says, not with words for people, nor with the order of keys. The same on every machine
/// and with every version of this crate: it stands in committed files.
pub fn fingerprint(schema: &Value) -> String {
    let canonical = sorted(canonical(schema)).to_string();
    Uuid::new_v5(&Uuid::NAMESPACE_OID, canonical.as_bytes())
        .simple()
        .to_string()
}

fn canonical(schema: &Value) -> Value {
    match schema {
        Value::Object(map) => {
            let kept = map.iter().filter(|(key, _)| !WORDS.contains(&key.as_str()));
            kept.map(|(key, value)| (key.clone(), keyword(key, value)))
                .collect()
        }
        Value::Array(schemas) => schemas.iter().map(canonical).collect(),
        other => other.clone(),
    }
}

fn keyword(key: &str, value: &Value) -> Value {
    match value {
        Value::Object(named) if NAMED.contains(&key) => named
            .iter()
            .map(|(name, schema)| (name.clone(), canonical(schema)))
            .collect(),
        // Sets, whose order says nothing.
        Value::Array(items) if ["required", "enum", "type"].contains(&key) => {
            let mut items = items.clone();
            items.sort_by_key(Value::to_string);
            Value::Array(items)
        }
        value if DATA.contains(&key) => value.clone(),
        value => canonical(value),
    }
}

/// With sorted keys, whatever `serde_json` was built to do.
pub(super) fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.into_iter().collect();
            entries.sort_by(|left, right| left.0.cmp(&right.0));
            let entries = entries.into_iter().map(|(key, value)| (key, sorted(value)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        other => other,
    }
}

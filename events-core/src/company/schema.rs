//! Whether two schemas say the same.

use serde_json::Value;

/// Words for people, which change nothing on the wire.
const WORDS: [&str; 6] = [
    "$comment",
    "$id",
    "$schema",
    "description",
    "examples",
    "title",
];

/// Whether two schemas differ in what they say of payloads.
pub(super) fn differ(one: &Value, other: &Value) -> bool {
    one != other && stripped(one, false) != stripped(other, false)
}

/// `names` is true for a map whose keys are the user's own words, such as `properties`.
fn stripped(schema: &Value, names: bool) -> Value {
    match schema {
        Value::Object(map) => {
            let kept = map
                .iter()
                .filter(|(key, _)| names || !WORDS.contains(&key.as_str()));
            kept.map(|(key, value)| {
                let is_map = matches!(key.as_str(), "properties" | "$defs" | "definitions");
                let value = match key.as_str() {
                    "required" | "enum" if !names => sorted(value),
                    _ => stripped(value, is_map && !names),
                };
                (key.clone(), value)
            })
            .collect()
        }
        Value::Array(items) => items.iter().map(|item| stripped(item, false)).collect(),
        plain => plain.clone(),
    }
}

/// A list whose order says nothing.
fn sorted(value: &Value) -> Value {
    let Value::Array(items) = value else {
        return value.clone();
    };
    let mut items = items.clone();
    items.sort_by_key(Value::to_string);
    Value::Array(items)
}

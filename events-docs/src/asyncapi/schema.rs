//! JSON Schema 2020-12 as AsyncAPI's draft 7.

use serde_json::{Map, Value, json};

use super::names::plain;

/// `schema` without definitions of its own: they become `<owner>.<name>` among `schemas`, and references follow them.
pub(super) fn hoist(schema: &Value, owner: &str, schemas: &mut Map<String, Value>) -> Value {
    for keyword in ["$defs", "definitions"] {
        for (name, definition) in schema
            .get(keyword)
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let definition = rewrite(definition, owner, false);
            schemas.insert(format!("{owner}.{}", plain(name)), definition);
        }
    }
    rewrite(schema, owner, false)
}

/// `names` is true for a map whose keys are the user's own words, such as `properties`.
fn rewrite(schema: &Value, owner: &str, names: bool) -> Value {
    match schema {
        Value::Object(map) => {
            let mut written = Map::new();
            for (key, value) in map {
                let (key, value) = match key.as_str() {
                    _ if names => (key.as_str(), rewrite(value, owner, false)),
                    "$schema" | "$id" | "$defs" | "definitions" => continue,
                    "$ref" => (key.as_str(), reference(value, owner)),
                    // A tuple; draft 7 has its further items beside it.
                    "prefixItems" => ("items", rewrite(value, owner, false)),
                    "items" if map.contains_key("prefixItems") => {
                        ("additionalItems", rewrite(value, owner, false))
                    }
                    // Payloads, not schemas.
                    "const" | "enum" | "default" | "examples" => (key.as_str(), value.clone()),
                    "properties" | "patternProperties" => {
                        (key.as_str(), rewrite(value, owner, true))
                    }
                    key => (key, rewrite(value, owner, false)),
                };
                written.insert(key.to_owned(), value);
            }
            beside(written, names)
        }
        Value::Array(items) => items
            .iter()
            .map(|item| rewrite(item, owner, false))
            .collect(),
        plain => plain.clone(),
    }
}

/// In draft 7 nothing counts beside a reference.
fn beside(mut schema: Map<String, Value>, names: bool) -> Value {
    if names || schema.len() < 2 || !schema.get("$ref").is_some_and(Value::is_string) {
        return Value::Object(schema);
    }
    let reference = schema.remove("$ref");
    let mut all = vec![json!({ "$ref": reference })];
    if let Some(Value::Array(others)) = schema.remove("allOf") {
        all.extend(others);
    }
    schema.insert("allOf".to_owned(), all.into());
    Value::Object(schema)
}

fn reference(target: &Value, owner: &str) -> Value {
    let text = target.as_str().unwrap_or_default();
    let name = text
        .strip_prefix("#/$defs/")
        .or_else(|| text.strip_prefix("#/definitions/"));
    match (name, text) {
        (Some(name), _) => {
            let name = name.replace("~1", "/").replace("~0", "~");
            format!("#/components/schemas/{owner}.{}", plain(&name)).into()
        }
        (None, "#") => format!("#/components/messages/{owner}/payload").into(),
        (None, _) => target.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_move_and_references_follow() {
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$defs": { "Line": { "properties": { "of": { "$ref": "#" } } } },
            "properties": {
                "$ref": { "type": "string" },
                "line": { "$ref": "#/$defs/Line", "description": "One." },
                "pair": { "prefixItems": [{ "$ref": "#/$defs/Line" }], "items": false },
                "word": { "const": { "$defs": 1 } },
            },
        });
        let mut schemas = Map::new();
        let written = hoist(&schema, "Placed", &mut schemas);
        let line = json!({ "$ref": "#/components/schemas/Placed.Line" });
        assert_eq!(
            written,
            json!({ "properties": {
                "$ref": { "type": "string" },
                "line": { "allOf": [line], "description": "One." },
                "pair": { "items": [line], "additionalItems": false },
                "word": { "const": { "$defs": 1 } },
            } })
        );
        let of = json!({ "$ref": "#/components/messages/Placed/payload" });
        assert_eq!(
            schemas["Placed.Line"],
            json!({ "properties": { "of": of } })
        );
    }
}

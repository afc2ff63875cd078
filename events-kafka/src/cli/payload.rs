//! Compares a payload with its schema, to say all that is wrong with it in a person's words.

use serde_json::{Map, Value};

/// How deep a payload is looked into; the codec has the last word anyhow.
const DEEPEST: usize = 16;

/// What is wrong with `text`; empty if nothing is. It knows less of JSON Schema than the codec knows of the type, but says
/// it better; what it does not understand it lets pass.
pub(super) fn complaints(text: &str, schema: &Value) -> Vec<String> {
    let value: Value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(error) => return vec![format!("it is no JSON: {error}")],
    };
    let mut found = Vec::new();
    Walk {
        root: schema,
        found: &mut found,
    }
    .visit("", &value, schema, 0);
    found
}

struct Walk<'a> {
    root: &'a Value,
    found: &'a mut Vec<String>,
}

impl Walk<'_> {
    fn visit(&mut self, path: &str, value: &Value, schema: &Value, depth: usize) {
        let Some(schema) = resolve(self.root, schema)
            .as_object()
            .filter(|_| depth < DEEPEST)
        else {
            return;
        };
        // An enum with a catch-all reads more than it lists.
        if schema.contains_key("x-other") {
            return;
        }
        if let Some(types) = types(schema)
            && !types.iter().any(|wanted| is(value, wanted))
        {
            self.say(
                path,
                format!("expected {}, found {}", types.join(" or "), kind(value)),
            );
            return;
        }
        if let Some(allowed) = schema.get("enum").and_then(Value::as_array)
            && !allowed.contains(value)
        {
            let allowed: Vec<_> = allowed.iter().map(Value::to_string).collect();
            self.say(
                path,
                format!("expected one of {}, found {value}", allowed.join(", ")),
            );
        }
        if let (Some(least), Some(number)) = (
            schema.get("minimum").and_then(Value::as_f64),
            value.as_f64(),
        ) && number < least
        {
            self.say(path, format!("expected {least} or more, found {value}"));
        }
        match value {
            Value::Object(fields) => self.fields(path, fields, schema, depth),
            Value::Array(items) => {
                if let Some(schema) = schema.get("items") {
                    for (index, item) in items.iter().enumerate() {
                        self.visit(&format!("{path}[{index}]"), item, schema, depth + 1);
                    }
                }
            }
            _ => {}
        }
        // An `Option` of a struct is the struct or null: what is not null must be the struct.
        if let Some(choices) = schema.get("anyOf").and_then(Value::as_array)
            && !value.is_null()
        {
            let mut real = choices
                .iter()
                .filter(|choice| choice.get("type") != Some(&Value::from("null")));
            if let (Some(only), None) = (real.next(), real.next()) {
                self.visit(path, value, only, depth + 1);
            }
        }
    }

    fn fields(
        &mut self,
        path: &str,
        fields: &Map<String, Value>,
        schema: &Map<String, Value>,
        depth: usize,
    ) {
        let required = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        for name in required
            .filter_map(Value::as_str)
            .filter(|name| !fields.contains_key(*name))
        {
            self.say(path, format!("the field `{name}` is missing"));
        }
        let known = schema.get("properties").and_then(Value::as_object);
        let open = schema.contains_key("additionalProperties")
            || schema.keys().any(|key| key.ends_with("Of"));
        for (name, value) in fields {
            match known.and_then(|known| known.get(name)) {
                Some(schema) => self.visit(&format!("{path}.{name}"), value, schema, depth + 1),
                None if open => {}
                None => {
                    let known: Vec<_> = known
                        .into_iter()
                        .flat_map(Map::keys)
                        .map(String::as_str)
                        .collect();
                    let known = if known.is_empty() {
                        "none".to_owned()
                    } else {
                        known.join(", ")
                    };
                    self.say(
                        path,
                        format!("there is no field `{name}`; the fields are: {known}"),
                    );
                }
            }
        }
    }

    fn say(&mut self, path: &str, complaint: String) {
        let path = path.strip_prefix('.').unwrap_or(path);
        self.found.push(if path.is_empty() {
            complaint
        } else {
            format!("{path}: {complaint}")
        });
    }
}

/// Follows references within the schema.
fn resolve<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let mut schema = schema;
    for _ in 0..DEEPEST {
        let reference = schema
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|text| text.strip_prefix('#'));
        match reference.and_then(|pointer| root.pointer(pointer)) {
            Some(target) => schema = target,
            None => break,
        }
    }
    schema
}

fn types(schema: &Map<String, Value>) -> Option<Vec<&str>> {
    match schema.get("type")? {
        Value::String(one) => Some(vec![one]),
        Value::Array(many) => Some(many.iter().filter_map(Value::as_str).collect()),
        _ => None,
    }
}

fn is(value: &Value, wanted: &str) -> bool {
    match wanted {
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        other => kind(value) == other,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Value {
        serde_json::json!({
            "type": "object",
            "properties": {
                "order_id": { "type": "string" },
                "cents": { "type": "integer", "minimum": 0 },
                "coupon": { "type": ["string", "null"] },
                "address": { "anyOf": [{ "$ref": "#/$defs/Address" }, { "type": "null" }] },
                "lines": { "type": "array", "items": { "$ref": "#/$defs/Line" } },
            },
            "required": ["order_id", "cents"],
            "$defs": {
                "Address": { "type": "object", "properties": { "city": { "type": "string" } }, "required": ["city"] },
                "Line": { "type": "object", "properties": { "sku": { "type": "string" } }, "required": ["sku"] },
            },
        })
    }

    #[test]
    fn a_good_payload_has_no_complaints() {
        let good = r#"{"order_id":"o-1","cents":5,"coupon":null,"address":{"city":"Ulm"},"lines":[{"sku":"a"}]}"#;
        assert_eq!(complaints(good, &schema()), [""; 0]);
    }

    #[test]
    fn a_catch_all_takes_what_its_enum_does_not_list() {
        let schema = |open| {
            let mut of_enum = serde_json::json!({ "type": "string", "enum": ["Web", "Unknown"] });
            if open {
                of_enum["x-other"] = Value::Bool(true);
            }
            serde_json::json!({ "properties": { "channel": of_enum } })
        };
        for text in [r#"{"channel":"Fax"}"#, r#"{"channel":{"Shop":{"till":3}}}"#] {
            assert_eq!(complaints(text, &schema(true)), [""; 0]);
            assert_eq!(complaints(text, &schema(false)).len(), 1);
        }
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let bad = r#"{"cents":-5,"cupon":"x","coupon":7,"address":{"town":"Ulm"},"lines":[{"sku":"a"},{"sku":1}]}"#;
        let found = complaints(bad, &schema());
        for expected in [
            "the field `order_id` is missing",
            "cents: expected 0 or more, found -5",
            "there is no field `cupon`; the fields are: address, cents, coupon, lines, order_id",
            "coupon: expected string or null, found number",
            "address: the field `city` is missing",
            "lines[1].sku: expected string, found number",
        ] {
            assert!(
                found.iter().any(|complaint| complaint == expected),
                "{expected}: {found:?}"
            );
        }
        assert!(complaints("{", &schema())[0].starts_with("it is no JSON"));
    }
}

//! For each rule a change that keeps it and one that breaks it. `docs/contracts.md` shows the same.

use events_core::contract::Rule;
use serde_json::{Value, json};

/// A rule with a compatible change and a breaking one.
pub(crate) struct Case {
    pub(crate) rule: Rule,
    /// What is compatible, in words; and the schemas before and after.
    pub(crate) kept: (&'static str, Value, Value),
    /// What breaks.
    pub(crate) broken: (&'static str, Value, Value),
}

fn field(schema: Value) -> Value {
    json!({ "type": "object", "required": ["f"], "properties": { "f": schema } })
}

fn case(
    rule: Rule,
    kept: (&'static str, Value, Value),
    broken: (&'static str, Value, Value),
) -> Case {
    Case { rule, kept, broken }
}

#[allow(clippy::too_many_lines, reason = "a table")]
pub(crate) fn cases() -> Vec<Case> {
    let text = || json!({ "type": "string" });
    let whole = || json!({ "type": "integer" });
    let shape = |tag: &str, more: &str| json!({ "type": "object", "required": ["t", more], "properties": { "t": { "const": tag }, more: text() } });
    let other = json!({
        "type": "object", "required": ["t"],
        "properties": { "t": { "type": "string", "not": { "enum": ["a", "b"] } } },
    });
    let same = |schema: Value| (schema.clone(), schema);
    let (same_float, same_float_after) = same(field(json!({ "type": "number", "multipleOf": 5 })));
    let (same_pattern, same_pattern_after) =
        same(field(json!({ "type": "string", "pattern": "^a" })));
    let (same_not, same_not_after) = same(field(
        json!({ "type": "object", "not": { "required": ["x"] } }),
    ));
    vec![
        case(
            Rule::Type,
            (
                "the type is said in other words",
                field(json!({ "type": ["string", "null"] })),
                field(json!({ "anyOf": [text(), { "type": "null" }] })),
            ),
            ("an integer becomes a string", field(whole()), field(text())),
        ),
        case(
            Rule::EnumValue,
            (
                "the values stand in another order",
                field(json!({ "enum": ["a", "b"] })),
                field(json!({ "oneOf": [{ "const": "b" }, { "const": "a" }] })),
            ),
            (
                "a value is added",
                field(json!({ "enum": ["a", "b"] })),
                field(json!({ "enum": ["a", "b", "c"] })),
            ),
        ),
        case(
            Rule::Variant,
            (
                "a variant is added, and there was a catch-all before",
                field(json!({ "oneOf": [shape("a", "x"), shape("b", "y")], "x-other": other })),
                field(
                    json!({ "oneOf": [shape("a", "x"), shape("b", "y"), shape("c", "z")], "x-other": json!({
                    "type": "object", "required": ["t"],
                    "properties": { "t": { "type": "string", "not": { "enum": ["a", "b", "c"] } } },
                }) }),
                ),
            ),
            (
                "a variant is added",
                field(json!({ "oneOf": [shape("a", "x"), shape("b", "y")] })),
                field(json!({ "oneOf": [shape("a", "x"), shape("b", "y"), shape("c", "z")] })),
            ),
        ),
        case(
            Rule::Required,
            (
                "an optional field is added",
                json!({ "type": "object", "properties": {} }),
                json!({ "type": "object", "properties": { "f": text() } }),
            ),
            (
                "a field that must be there is added",
                json!({ "type": "object", "properties": {} }),
                field(text()),
            ),
        ),
        case(
            Rule::UnknownField,
            (
                "an optional field is added, and readers ignore what they do not know",
                field(json!({ "type": "object", "properties": { "x": text() } })),
                field(json!({ "type": "object", "properties": { "x": text(), "y": text() } })),
            ),
            (
                "an optional field is added where readers refuse what they do not know",
                field(
                    json!({ "type": "object", "properties": { "x": text() }, "additionalProperties": false }),
                ),
                field(
                    json!({ "type": "object", "properties": { "x": text(), "y": text() }, "additionalProperties": false }),
                ),
            ),
        ),
        case(
            Rule::Range,
            (
                "the range is said in other words",
                field(json!({ "type": "integer", "minimum": 0, "maximum": 255 })),
                field(json!({ "type": "integer", "format": "uint8" })),
            ),
            (
                "a wider integer type",
                field(json!({ "type": "integer", "format": "uint32", "minimum": 0 })),
                field(json!({ "type": "integer", "format": "uint64", "minimum": 0 })),
            ),
        ),
        case(
            Rule::MultipleOf,
            ("the step stays", same_float, same_float_after),
            (
                "numbers need no longer be multiples",
                field(json!({ "type": "integer", "multipleOf": 5 })),
                field(whole()),
            ),
        ),
        case(
            Rule::Length,
            (
                "no text is shorter than nothing",
                field(text()),
                field(json!({ "type": "string", "minLength": 0 })),
            ),
            (
                "longer texts are allowed",
                field(json!({ "type": "string", "maxLength": 5 })),
                field(json!({ "type": "string", "maxLength": 9 })),
            ),
        ),
        case(
            Rule::Pattern,
            ("the pattern stays", same_pattern, same_pattern_after),
            (
                "another pattern",
                field(json!({ "type": "string", "pattern": "^a*$" })),
                field(json!({ "type": "string", "pattern": "^b*$" })),
            ),
        ),
        case(
            Rule::Format,
            (
                "the format stays, the words change",
                field(json!({ "type": "string", "format": "uuid" })),
                field(json!({ "type": "string", "format": "uuid", "description": "The order." })),
            ),
            (
                "a string becomes a UUID",
                field(text()),
                field(json!({ "type": "string", "format": "uuid" })),
            ),
        ),
        case(
            Rule::ItemCount,
            (
                "the count is said in other words",
                field(json!({ "type": "array", "items": text(), "minItems": 0 })),
                field(json!({ "type": "array", "items": text() })),
            ),
            (
                "a list may be longer",
                field(json!({ "type": "array", "items": text(), "maxItems": 2 })),
                field(json!({ "type": "array", "items": text(), "maxItems": 3 })),
            ),
        ),
        case(
            Rule::UniqueItems,
            (
                "a list of one has no other item",
                field(json!({ "type": "array", "items": text(), "maxItems": 1 })),
                field(
                    json!({ "type": "array", "items": text(), "maxItems": 1, "uniqueItems": true }),
                ),
            ),
            (
                "a set becomes a list",
                field(json!({ "type": "array", "items": text(), "uniqueItems": true })),
                field(json!({ "type": "array", "items": text() })),
            ),
        ),
        case(
            Rule::FieldCount,
            (
                "no object has more fields than a closed writer names",
                field(json!({ "type": "object", "properties": { "x": text() } })),
                field(
                    json!({ "type": "object", "properties": { "x": text() }, "maxProperties": 1 }),
                ),
            ),
            (
                "a map may hold more",
                field(
                    json!({ "type": "object", "additionalProperties": text(), "maxProperties": 2 }),
                ),
                field(
                    json!({ "type": "object", "additionalProperties": text(), "maxProperties": 3 }),
                ),
            ),
        ),
        case(
            Rule::FieldNames,
            (
                "the names stay as they were",
                field(
                    json!({ "type": "object", "additionalProperties": text(), "propertyNames": { "maxLength": 2 } }),
                ),
                field(
                    json!({ "type": "object", "additionalProperties": text(), "propertyNames": { "maxLength": 2 }, "title": "T" }),
                ),
            ),
            (
                "a map's names are free now",
                field(
                    json!({ "type": "object", "additionalProperties": text(), "propertyNames": { "maxLength": 2 } }),
                ),
                field(json!({ "type": "object", "additionalProperties": text() })),
            ),
        ),
        case(
            Rule::DependentField,
            (
                "fields depend on each other as before",
                json!({ "type": "object", "properties": { "x": text(), "y": text() }, "dependentRequired": { "x": ["y"] } }),
                json!({ "type": "object", "properties": { "x": text(), "y": text(), "z": text() }, "dependentRequired": { "x": ["y"] } }),
            ),
            (
                "a field may come without the other now",
                json!({ "type": "object", "properties": { "x": text(), "y": text() }, "dependentRequired": { "x": ["y"] } }),
                json!({ "type": "object", "properties": { "x": text(), "y": text() } }),
            ),
        ),
        case(
            Rule::Undecided,
            (
                "what is only compared for being the same is the same",
                same_not,
                same_not_after,
            ),
            (
                "something is refused that was not",
                field(json!({ "type": "object", "properties": { "x": text() } })),
                field(
                    json!({ "type": "object", "properties": { "x": text() }, "not": { "required": ["x"] } }),
                ),
            ),
        ),
    ]
}

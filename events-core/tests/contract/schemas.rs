//! Random schemas, small changes of them, and payloads that a closed writer may write.

use fastrand::Rng;
use serde_json::{Map, Value, json};

const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];
const FORMATS: [&str; 8] = [
    "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64",
];
pub(crate) const TEXTS: [&str; 2] = ["uuid", "date"];

/// A schema of an event, with a definition that it may refer to.
pub(crate) fn event(rng: &mut Rng) -> Value {
    let mut event = object(rng, 3);
    let definition = schema(rng, 1, false);
    event["$defs"] = json!({ "D": definition });
    event
}

fn schema(rng: &mut Rng, depth: u32, refers: bool) -> Value {
    let leaf = depth == 0;
    match rng.u8(0..if leaf { 6 } else { 13 }) {
        0 | 1 => integer(rng),
        2 => json!({ "type": "number" }),
        3 => string(rng),
        4 => enumeration(rng),
        5 => json!({ "type": "boolean" }),
        6 => json!({ "anyOf": [schema(rng, depth - 1, refers), { "type": "null" }] }),
        7 => {
            let mut array = json!({ "type": "array", "items": schema(rng, depth - 1, refers) });
            bounds(rng, &mut array, "minItems", "maxItems", 4);
            if rng.u8(0..4) == 0 {
                array["uniqueItems"] = true.into();
            }
            array
        }
        8 => {
            let mut map =
                json!({ "type": "object", "additionalProperties": schema(rng, depth - 1, refers) });
            bounds(rng, &mut map, "minProperties", "maxProperties", 4);
            map
        }
        9 => {
            let items: Vec<_> = (0..rng.usize(1..=3))
                .map(|_| schema(rng, depth - 1, refers))
                .collect();
            json!({ "type": "array", "minItems": items.len(), "maxItems": items.len(), "prefixItems": items })
        }
        10 => {
            let variants: Vec<_> = (0..rng.usize(1..=3))
                .map(|index| variant(rng, index, depth - 1))
                .collect();
            json!({ "oneOf": variants })
        }
        11 if refers => json!({ "$ref": "#/$defs/D", "description": "elsewhere" }),
        _ => object(rng, depth - 1),
    }
}

fn variant(rng: &mut Rng, index: usize, depth: u32) -> Value {
    let mut variant = object(rng, depth);
    variant["properties"]["kind"] = json!({ "const": format!("v{index}") });
    let required = variant["required"].as_array_mut().expect("objects say it");
    required.push("kind".into());
    variant
}

fn object(rng: &mut Rng, depth: u32) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for name in NAMES {
        if rng.bool() {
            properties.insert(
                name.to_owned(),
                schema(rng, depth.saturating_sub(1), depth > 1),
            );
            if rng.bool() {
                required.push(name);
            }
        }
    }
    let mut object = json!({ "type": "object", "properties": properties, "required": required });
    if rng.u8(0..8) == 0 {
        object["additionalProperties"] = false.into();
    }
    object
}

fn integer(rng: &mut Rng) -> Value {
    let mut integer = json!({ "type": "integer" });
    match rng.u8(0..3) {
        0 => integer["format"] = FORMATS[rng.usize(0..FORMATS.len())].into(),
        1 => bounds(rng, &mut integer, "minimum", "maximum", 20),
        // Not within a range, where there may be no multiple.
        _ if rng.bool() => integer["multipleOf"] = rng.u8(2..5).into(),
        _ => {}
    }
    integer
}

fn string(rng: &mut Rng) -> Value {
    let mut string = json!({ "type": "string" });
    match rng.u8(0..4) {
        0 => bounds(rng, &mut string, "minLength", "maxLength", 6),
        2 => string["format"] = TEXTS[rng.usize(0..TEXTS.len())].into(),
        1 => string["pattern"] = if rng.bool() { "^a*$" } else { "^b*$" }.into(),
        _ => {}
    }
    string
}

fn enumeration(rng: &mut Rng) -> Value {
    let values: Vec<_> = ["x", "y", "z", "w"]
        .into_iter()
        .take(rng.usize(1..=4))
        .collect();
    if rng.bool() {
        json!({ "type": "string", "enum": values })
    } else {
        let mut variants = json!({ "oneOf": values.iter().map(|value| json!({ "const": value })).collect::<Vec<_>>() });
        if rng.bool() {
            variants["x-other"] = json!({ "type": "string" });
        }
        variants
    }
}

fn bounds(rng: &mut Rng, schema: &mut Value, low: &str, high: &str, most: u8) {
    for old in [low, high] {
        schema.as_object_mut().expect("an object").remove(old);
    }
    let least = rng.u8(0..most);
    if rng.bool() {
        schema[low] = least.into();
    }
    if rng.bool() {
        schema[high] = rng.u8(least.max(1)..=most).into();
    }
}

/// Changes something, somewhere.
pub(crate) fn changed(rng: &mut Rng, before: &Value) -> Value {
    let mut after = before.clone();
    for _ in 0..rng.u8(1..=2) {
        change(rng, &mut after, true);
    }
    after
}

fn change(rng: &mut Rng, schema: &mut Value, top: bool) {
    let mut below = Vec::new();
    for (keyword, inside) in schema.as_object_mut().into_iter().flatten() {
        match (keyword.as_str(), inside) {
            ("properties" | "$defs", Value::Object(named)) => {
                below.extend(named.iter_mut().map(|(_, schema)| schema))
            }
            ("prefixItems" | "oneOf" | "anyOf", Value::Array(schemas)) => below.extend(schemas),
            ("items" | "additionalProperties", inside) if inside.is_object() => below.push(inside),
            _ => {}
        }
    }
    if !below.is_empty() && rng.u8(0..3) > 0 {
        let index = rng.usize(0..below.len());
        return change(rng, below.swap_remove(index), false);
    }
    // A variant without its tag could not be told apart, and nor could two.
    if schema["properties"].get("kind").is_some() || schema.get("const").is_some() {
        schema["description"] = "a variant".into();
        return;
    }
    if schema.get("x-other").is_some() {
        let mut other = enumeration(rng);
        if other.get("oneOf").is_some() {
            other["x-other"] = json!({ "type": "string" });
        }
        *schema = other;
        return;
    }
    match (schema["type"].as_str(), rng.u8(0..8)) {
        (_, 0) if !top => *schema = self::schema(rng, 1, false),
        (_, 1) => schema["description"] = "in other words".into(),
        (Some("object"), kind) if schema["properties"].is_object() => {
            change_object(rng, schema, kind)
        }
        (Some("integer"), _) => *schema = integer(rng),
        (Some("string"), _) if schema.get("enum").is_some() => *schema = enumeration(rng),
        (Some("string"), _) => *schema = string(rng),
        (Some("array"), _) if schema.get("items").is_some() => {
            bounds(rng, schema, "minItems", "maxItems", 4)
        }
        (Some("object"), _) if !top => bounds(rng, schema, "minProperties", "maxProperties", 4),
        _ if !top => *schema = json!({ "anyOf": [schema, { "type": "null" }] }),
        _ => {}
    }
}

fn change_object(rng: &mut Rng, schema: &mut Value, kind: u8) {
    let name = NAMES[rng.usize(0..NAMES.len())];
    let is_required = schema["required"]
        .as_array()
        .is_some_and(|all| all.contains(&name.into()));
    let is_known = schema["properties"].get(name).is_some();
    let required = schema["required"].as_array_mut().expect("objects say it");
    match kind {
        2 if is_required => required.retain(|known| known != name),
        3 if is_known && !is_required => required.push(name.into()),
        4 if is_known => {
            required.retain(|known| known != name);
            schema["properties"]
                .as_object_mut()
                .expect("objects say it")
                .remove(name);
        }
        5.. if !is_known => {
            if kind == 7 {
                required.push(name.into());
            }
            schema["properties"][name] = self::schema(rng, 1, false);
        }
        _ => {}
    }
}

/// What a closed writer may write, mostly at the ends of what it may; it need not fit in every way.
pub(crate) fn payload(rng: &mut Rng, schema: &Value, root: &Value) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root.pointer(&reference[1..]).expect("definitions exist");
        return payload(rng, target, root);
    }
    if let Some(value) = schema.get("const") {
        return value.clone();
    }
    for keyword in ["enum", "oneOf", "anyOf"] {
        if let Some(all) = schema[keyword].as_array() {
            let one = &all[rng.usize(0..all.len())];
            return if keyword == "enum" {
                one.clone()
            } else {
                payload(rng, one, root)
            };
        }
    }
    let ty = match &schema["type"] {
        Value::Array(types) => &types[rng.usize(0..types.len())],
        one => one,
    };
    match ty.as_str() {
        Some("null") => Value::Null,
        Some("boolean") => rng.bool().into(),
        Some("integer") => number(rng, schema),
        Some("number") => {
            [json!(0.5), json!(-7), json!(f64::from(rng.i8(..)) + 0.25)][rng.usize(0..3)].clone()
        }
        Some("string") if schema["format"] == "uuid" => {
            format!("67e55044-10b1-426f-9247-{:012x}", rng.u32(..)).into()
        }
        Some("string") if schema["format"] == "date" => {
            format!("2024-01-{:02}", rng.u8(1..=31)).into()
        }
        Some("string") => {
            let letters = match schema["pattern"].as_str() {
                Some("^a*$") => "a",
                Some("^b*$") => "b",
                _ => "abxyzw",
            };
            let letters: Vec<_> = letters.chars().collect();
            let length = count(rng, schema, "minLength", "maxLength", 10);
            (0..length)
                .map(|_| letters[rng.usize(0..letters.len())])
                .collect::<String>()
                .into()
        }
        Some("array") => {
            let length =
                usize::try_from(count(rng, schema, "minItems", "maxItems", 6)).expect("small");
            let item = |index: usize| schema["prefixItems"].get(index).unwrap_or(&schema["items"]);
            let mut items: Vec<_> = (0..length)
                .map(|index| payload(rng, item(index), root))
                .collect();
            if schema["uniqueItems"] != true
                && items.len() > 1
                && rng.bool()
                && schema["prefixItems"].is_null()
            {
                items[1] = items[0].clone();
            }
            items.into()
        }
        Some("object") => written_object(rng, schema, root),
        _ => Value::Null,
    }
}

fn written_object(rng: &mut Rng, schema: &Value, root: &Value) -> Value {
    let mut object = Map::new();
    let required = schema["required"].as_array();
    for (name, of) in schema["properties"].as_object().into_iter().flatten() {
        if required.is_some_and(|all| all.contains(&name.as_str().into())) || rng.bool() {
            object.insert(name.clone(), payload(rng, of, root));
        }
    }
    let others = &schema["additionalProperties"];
    if others.is_object() {
        let most = count(rng, schema, "minProperties", "maxProperties", 5);
        let mut names = NAMES;
        rng.shuffle(&mut names);
        for name in names
            .into_iter()
            .take(usize::try_from(most).expect("small"))
        {
            object.insert(name.to_owned(), payload(rng, others, root));
        }
    }
    object.into()
}

fn count(rng: &mut Rng, schema: &Value, low: &str, high: &str, most: u64) -> u64 {
    let least = schema[low].as_u64().unwrap_or(0);
    let most = schema[high].as_u64().unwrap_or(most);
    match rng.u8(0..3) {
        0 => least,
        1 => most,
        _ => rng.u64(least..=most.max(least)),
    }
}

/// The range of a format.
pub(crate) fn range(format: &str) -> (i128, i128) {
    let bits: u32 = format
        .trim_start_matches(|letter: char| letter.is_alphabetic())
        .parse()
        .expect("a width");
    if format.starts_with('u') {
        (0, (1 << bits) - 1)
    } else {
        (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
    }
}

fn number(rng: &mut Rng, schema: &Value) -> Value {
    // Beyond every integer of 64 bits, and a multiple of all steps.
    if schema["format"].is_null() && rng.u8(0..8) == 0 {
        match (schema["minimum"].is_null(), schema["maximum"].is_null()) {
            (true, true) => return json!(if rng.bool() { 1.2e21 } else { -1.2e21 }),
            (true, false) => return json!(-1.2e21),
            (false, true) => return json!(1.2e21),
            (false, false) => {}
        }
    }
    let (mut low, mut high) = schema["format"]
        .as_str()
        .map_or((i128::from(i64::MIN), i128::from(u64::MAX)), range);
    low = schema["minimum"].as_i64().map_or(low, Into::into).max(low);
    high = schema["maximum"]
        .as_i64()
        .map_or(high, Into::into)
        .min(high);
    let step = schema["multipleOf"].as_i64().map_or(1, i128::from);
    let some = i128::from(rng.i32(-300..300));
    let near = i128::from(rng.i8(-2..=2));
    let number = match rng.u8(0..5) {
        0 => low,
        1 => high,
        2 => low.saturating_add(i128::from(rng.u8(0..30))),
        3 => some,
        _ => near,
    };
    // To a multiple, inwards.
    let number = number.clamp(low, high);
    let down = number - number.rem_euclid(step);
    let number = if down < low { down + step } else { down };
    match (i64::try_from(number), u64::try_from(number)) {
        (Ok(number), _) => number.into(),
        (_, Ok(number)) => number.into(),
        _ => 0.into(),
    }
}

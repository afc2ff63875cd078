//! Each rule lets a compatible change pass and stops a breaking one.

use events_core::contract::{Break, Contract, FieldTokens, Rule, Version, reads};
use serde_json::{Value, json};

use crate::table::cases;

fn both_ways(before: &Value, after: &Value) -> Vec<Break> {
    let mut breaks = reads(before, after);
    breaks.extend(reads(after, before));
    breaks
}

#[test]
fn every_rule_has_a_case_that_passes_and_one_that_fails() {
    let cases = cases();
    for rule in Rule::ALL {
        assert!(
            cases.iter().any(|case| case.rule == rule),
            "no case for {rule}"
        );
    }
    for case in cases {
        let (what, before, after) = &case.kept;
        assert_eq!(both_ways(before, after), [], "{}: {what}", case.rule);
        let (what, before, after) = &case.broken;
        let breaks = both_ways(before, after);
        assert!(!breaks.is_empty(), "{}: {what}", case.rule);
        assert!(
            breaks.iter().all(|found| found.rule == case.rule),
            "{}: {what}: {breaks:?}",
            case.rule
        );
    }
}

#[test]
fn a_break_says_where() {
    let before = json!({ "type": "object", "required": ["lines"], "properties": { "lines": {
        "type": "array", "items": { "$ref": "#/$defs/Line" },
    } }, "$defs": { "Line": { "type": "object", "required": ["price"], "properties": { "price": { "type": "integer" } } } } });
    let mut after = before.clone();
    after["$defs"]["Line"]["properties"]["price"]["type"] = "string".into();
    let breaks = reads(&after, &before);
    assert_eq!(breaks.len(), 1);
    assert_eq!(
        (breaks[0].at.as_str(), breaks[0].rule),
        ("lines[].price", Rule::Type)
    );
}

#[test]
fn a_break_of_a_shared_type_is_told_at_each_field() {
    let of = |price: &str| {
        json!({ "type": "object",
            "properties": {
                "first": { "$ref": "#/$defs/Money" },
                "lines": { "type": "array", "items": { "$ref": "#/$defs/Money" } },
                "total": { "$ref": "#/$defs/Money" },
                "[odd]": { "$ref": "#/$defs/Money" },
            },
            "$defs": { "Money": { "type": "object", "properties": { "cents": { "type": price } } } },
        })
    };
    let places = |writer: &Value, reader: &Value| {
        let mut places: Vec<_> = reads(writer, reader)
            .into_iter()
            .map(|found| found.at)
            .collect();
        places.sort();
        places
    };
    let (number, text) = (of("integer"), of("string"));
    assert_eq!(
        places(&number, &text),
        ["[odd].cents", "first.cents", "lines[].cents", "total.cents"]
    );
    let open = json!({ "type": "object", "additionalProperties": { "type": "integer" } });
    let both = json!({ "type": "object", "properties": {
        "a": { "$ref": "#/$defs/T" }, "b": { "$ref": "#/$defs/T" } }, "$defs": { "T": { "type": "string" } } });
    assert_eq!(places(&open, &both), ["a", "b"]);
    // An upcaster that fills one of the fields does nothing for the others.
    let version = |version, fields, schema| Version {
        version,
        released: false,
        fields,
        schema,
    };
    let filled = FieldTokens {
        name: "first".to_owned(),
        ty: "Money".to_owned(),
        required: true,
        default: None,
        upcast_since: Some(2),
    };
    let mut contract = Contract::new("OrderPlaced");
    contract.draft(version(1, Vec::new(), number));
    contract.release();
    let breaches = contract.breaches(&version(2, vec![filled], text));
    let read: Vec<_> = breaches
        .iter()
        .filter(|breach| breach.reader == 2)
        .map(|breach| breach.found.at.as_str())
        .collect();
    assert_eq!(read, ["[odd].cents", "lines[].cents", "total.cents"]);
}

#[test]
fn recursive_types_end() {
    let tree = |of: Value| {
        json!({ "$ref": "#/$defs/Tree", "$defs": { "Tree": {
            "type": "object", "required": ["value", "below"],
            "properties": { "value": of, "below": { "type": "array", "items": { "$ref": "#/$defs/Tree" } } },
        } } })
    };
    let (numbers, texts) = (
        tree(json!({ "type": "integer" })),
        tree(json!({ "type": "string" })),
    );
    assert_eq!(reads(&numbers, &numbers), []);
    let places: Vec<_> = reads(&numbers, &texts)
        .into_iter()
        .map(|found| found.at)
        .collect();
    assert_eq!(places, ["below[].value", "value"]);
    let itself = json!({ "$ref": "#" });
    assert_eq!(reads(&itself, &numbers), [], "nobody can write it");
}

/// Each alternative leads to many more at the next level.
#[test]
fn hostile_schemas_end() {
    let level = |below: &str| {
        let one = |tag: usize| json!({ "type": "object", "properties": { "t": { "minLength": tag }, "b": { "$ref": below } } });
        json!({ "anyOf": (0..30).map(one).collect::<Vec<_>>() })
    };
    let mut hostile = json!({ "$ref": "#/$defs/0", "$defs": {} });
    for depth in 0..40 {
        hostile["$defs"][depth.to_string()] = level(&format!("#/$defs/{}", depth + 1));
    }
    hostile["$defs"]["40"] = json!({ "type": "string" });
    let mut other = hostile.clone();
    other["$defs"]["40"]["type"] = "integer".into();
    let breaks = reads(&hostile, &other);
    assert!(!breaks.is_empty());
    // Each type stands in two fields of the one above it.
    let chain = |leaf: &str| {
        let mut chain = json!({ "$ref": "#/$defs/0", "$defs": { "40": { "type": leaf } } });
        for depth in 0..40 {
            let below = json!({ "$ref": format!("#/$defs/{}", depth + 1) });
            let of = json!({ "type": "object", "properties": { "a": below.clone(), "b": below } });
            chain["$defs"][depth.to_string()] = of;
        }
        chain
    };
    let breaks = reads(&chain("string"), &chain("integer"));
    let last = breaks.last().expect("the leaves differ");
    assert!(last.rule == Rule::Undecided && last.at.is_empty() && breaks.len() < 1_000);
    let product = json!({ "allOf": vec![level("#"); 20] });
    assert_eq!(reads(&product, &other)[0].rule, Rule::Undecided);
}

/// Version 3 fits version 2, which had lost the field, and not version 1.
#[test]
fn every_released_version_counts() {
    let version = |version, schema| Version {
        version,
        released: false,
        fields: Vec::new(),
        schema,
    };
    let with = |schema: Value| json!({ "type": "object", "properties": { "coupon": schema } });
    let mut contract = Contract::new("OrderPlaced");
    contract.draft(version(1, with(json!({ "type": "integer" }))));
    contract.release();
    let second = version(2, json!({ "type": "object", "properties": {} }));
    assert_eq!(contract.breaches(&second), []);
    contract.draft(second);
    contract.release();
    let breaches = contract.breaches(&version(3, with(json!({ "type": "string" }))));
    let pairs: Vec<_> = breaches
        .iter()
        .map(|breach| (breach.writer, breach.reader))
        .collect();
    assert_eq!(pairs, [(1, 3), (3, 1)]);
    let text = breaches[0].to_string();
    assert!(
        text.contains("coupon: an integer is written, and \"string\" is read"),
        "{text}"
    );
    assert!(
        text.contains(
            "a reader of version 3 cannot read what a writer of version 1 may write [type]"
        ),
        "{text}"
    );
    assert!(text.contains("remedy: "), "{text}");
}

/// What an upcaster fills in older records need not stand there, and everything else must.
#[test]
fn what_an_upcaster_fills_is_no_breach_for_the_versions_before_it() {
    let text = || json!({ "type": "string" });
    let lines =
        || json!({ "type": "object", "required": ["sku"], "properties": { "sku": text() } });
    let field = |upcast_since| FieldTokens {
        name: "line".to_owned(),
        ty: "Line".to_owned(),
        required: true,
        default: None,
        upcast_since,
    };
    let version = |version, fields, schema| Version {
        version,
        released: false,
        fields,
        schema,
    };
    let whole = json!({ "type": "object", "required": ["line", "line_count"], "properties": {
        "line": lines(), "line_count": { "type": "integer" },
    } });
    let mut contract = Contract::new("OrderPlaced");
    let without = json!({ "type": "object", "properties": {} });
    contract.draft(version(1, Vec::new(), without));
    contract.release();
    let mut other = whole.clone();
    other["properties"]["line"]["properties"]["sku"]["type"] = "integer".into();
    contract.draft(version(2, Vec::new(), other));
    contract.release();
    let places = |fields: Vec<FieldTokens>| {
        let breaches = contract.breaches(&version(3, fields, whole.clone()));
        let reads = breaches.into_iter().filter(|breach| breach.reader == 3);
        reads
            .map(|breach| (breach.writer, breach.found.at))
            .collect::<Vec<_>>()
    };
    let at = |writer, at: &str| (writer, at.to_owned());
    assert_eq!(
        places(vec![field(None)]),
        [at(1, "line"), at(1, "line_count"), at(2, "line.sku")]
    );
    // Filled in version 1: `line_count` is another field, and version 2 is not older.
    assert_eq!(
        places(vec![field(Some(2))]),
        [at(1, "line_count"), at(2, "line.sku")]
    );
    // What stands in the field is filled with it.
    assert_eq!(places(vec![field(Some(3))]), [at(1, "line_count")]);
    // Older readers get no help from an upcaster of this build.
    let older = contract.breaches(&version(3, vec![field(Some(3))], whole));
    assert!(
        older
            .iter()
            .any(|breach| (breach.reader, breach.found.at.as_str()) == (2, "line.sku"))
    );
}

//! Thousands of generated pairs of schemas: what is called compatible decodes, and what is called breaking does not.

use std::collections::BTreeSet;

use events_core::contract::{Rule, reads};
use fastrand::Rng;
use jsonschema::Validator;
use serde_json::{Value, json};

use crate::schemas::{TEXTS, changed, event, payload, range};

const PAIRS: u64 = 2_000;
/// Payloads that must decode, for each pair and way.
const PAYLOADS: usize = 12;
/// Payloads among which a counter-example must be.
const TRIES: usize = 600;

/// The schema with what a JSON Schema validator does not know in words that it does: ranges for formats of Rust integers,
/// and for a reader what its catch-alls take.
fn spelt_out(schema: &Value, reads: bool) -> Value {
    match schema {
        Value::Object(map) => {
            let mut spelt: Value = map
                .iter()
                .map(|(key, value)| (key.clone(), spelt_out(value, reads)))
                .collect();
            if let Some(other) = map.get("x-other").filter(|_| reads) {
                spelt = json!({ "anyOf": [spelt, other] });
            }
            if let Some(format) = map.get("format").and_then(Value::as_str)
                && format.contains("int")
            {
                let (low, high) = range(format);
                let (low, high) = (
                    i64::try_from(low).expect("fits"),
                    u64::try_from(high).expect("fits"),
                );
                spelt["allOf"] = json!([{ "minimum": low, "maximum": high }]);
            }
            spelt
        }
        Value::Array(items) => items.iter().map(|item| spelt_out(item, reads)).collect(),
        other => other.clone(),
    }
}

fn validator(schema: &Value, reads: bool) -> Validator {
    jsonschema::options()
        .should_validate_formats(true)
        .build(&spelt_out(schema, reads))
        .expect("generated schemas are schemas")
}

/// Something that the writer may write and the reader refuses.
fn counter_example(rng: &mut Rng, writer: &Value, reader: &Value, tries: usize) -> Option<Value> {
    let (writes, takes) = (validator(writer, false), validator(reader, true));
    let mut payloads = (0..tries).map(|_| payload(rng, writer, writer));
    payloads.find(|payload| writes.is_valid(payload) && !takes.is_valid(payload))
}

fn can_write(rng: &mut Rng, writer: &Value) -> bool {
    let writes = validator(writer, false);
    (0..TRIES).any(|_| writes.is_valid(&payload(rng, writer, writer)))
}

/// Whether a bound of the reader's may not matter at the place, though the rules do not know it: nobody writes a set of three
/// booleans, nor a date of two letters.
fn is_bounded(schema: &Value, root: &Value, at: &str, rule: Rule) -> bool {
    let has_length = rule == Rule::Length && TEXTS.iter().any(|text| schema["format"] == *text);
    if schema["uniqueItems"] == true || has_length {
        return true;
    }
    let of = |inside: &Value, at: &str| is_bounded(inside, root, at, rule);
    let target = schema["$ref"]
        .as_str()
        .and_then(|reference| root.pointer(&reference[1..]));
    if target.is_some_and(|target| of(target, at)) {
        return true;
    }
    let mut all = ["anyOf", "oneOf"]
        .into_iter()
        .filter_map(|one| schema[one].as_array());
    if all.any(|one| one.iter().any(|inside| of(inside, at))) {
        return true;
    }
    let at = at.trim_start_matches('.');
    let end = at[at.len().min(1)..]
        .find(['.', '[', '{'])
        .map_or(at.len(), |end| end + 1);
    let (first, rest) = at.split_at(end);
    match first {
        "" => false,
        "{}" => of(&schema["additionalProperties"], rest),
        "[]" => of(&schema["items"], rest),
        index if index.starts_with('[') => {
            let index: usize = index.trim_matches(['[', ']']).parse().expect("an index");
            of(&schema["prefixItems"][index], rest) || of(&schema["items"], rest)
        }
        name => of(&schema["properties"][name], rest) || of(&schema["additionalProperties"], rest),
    }
}

#[test]
fn the_verdict_is_what_decoding_says() {
    let (mut compatible, mut breaking, mut unfound) = (0, 0, Vec::new());
    let mut excused = 0;
    let mut shown = BTreeSet::new();
    for seed in 0..PAIRS {
        let mut rng = Rng::with_seed(seed);
        let before = event(&mut rng);
        let after = changed(&mut rng, &before);
        for (writer, reader) in [(&before, &after), (&after, &before)] {
            let breaks = reads(writer, reader);
            if breaks.is_empty() {
                compatible += 1;
                if let Some(found) = counter_example(&mut rng, writer, reader, PAYLOADS) {
                    panic!(
                        "seed {seed}: called compatible, but {found} is not read\nwriter {writer:#}\nreader {reader:#}"
                    );
                }
                continue;
            }
            breaking += 1;
            match counter_example(&mut rng, writer, reader, TRIES) {
                // One of each rule, as a reader of the output may want to see.
                Some(found) => {
                    if shown.insert(breaks[0].rule) {
                        println!(
                            "[{}] {}: {}: {found}",
                            breaks[0].rule, breaks[0].at, breaks[0].why
                        );
                    }
                }
                None if breaks
                    .iter()
                    .all(|found| is_bounded(writer, writer, &found.at, found.rule))
                    || !can_write(&mut rng, writer) =>
                {
                    excused += 1;
                }
                None => unfound.push((seed, breaks, writer.clone(), reader.clone())),
            }
        }
    }
    assert!(
        compatible > 1_000 && breaking > 1_000,
        "{compatible} compatible, {breaking} breaking"
    );
    println!(
        "{compatible} compatible, {breaking} breaking, {excused} of them without a counter-example"
    );
    assert!(
        excused * 20 < breaking,
        "{excused} of {breaking} are excused"
    );
    if let Some((seed, breaks, writer, reader)) = unfound.first() {
        panic!(
            "{} of {breaking} called breaking without a counter-example; seed {seed}: {breaks:#?}\nwriter {writer:#}\nreader {reader:#}",
            unfound.len()
        );
    }
}

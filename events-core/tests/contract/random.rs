//! Thousands of generated pairs of schemas: what is called compatible decodes, and what is called breaking does not.

use events_core::contract::reads;
use fastrand::Rng;
use jsonschema::Validator;
use serde_json::{Value, json};

use crate::schemas::{changed, event, payload, range};

const PAIRS: u64 = 2_000;
/// Payloads that must decode, for each pair and way.
const PAYLOADS: usize = 12;
/// Payloads among which a counter-example must be.
const TRIES: usize = 600;

/// The schema with ranges for formats of Rust integers, which a JSON Schema validator does not know.
fn spelt_out(schema: &Value) -> Value {
    match schema {
        Value::Object(map) => {
            let mut spelt: Value = map
                .iter()
                .map(|(key, value)| (key.clone(), spelt_out(value)))
                .collect();
            if let Some(format) = map.get("format").and_then(Value::as_str) {
                let (low, high) = range(format);
                let (low, high) = (
                    i64::try_from(low).expect("fits"),
                    u64::try_from(high).expect("fits"),
                );
                spelt["allOf"] = json!([{ "minimum": low, "maximum": high }]);
            }
            spelt
        }
        Value::Array(items) => items.iter().map(spelt_out).collect(),
        other => other.clone(),
    }
}

fn validator(schema: &Value) -> Validator {
    jsonschema::validator_for(&spelt_out(schema)).expect("generated schemas are schemas")
}

/// Something that the writer may write and the reader refuses.
fn counter_example(rng: &mut Rng, writer: &Value, reader: &Value, tries: usize) -> Option<Value> {
    let (writes, takes) = (validator(writer), validator(reader));
    let mut payloads = (0..tries).map(|_| payload(rng, writer, writer));
    payloads.find(|payload| writes.is_valid(payload) && !takes.is_valid(payload))
}

fn can_write(rng: &mut Rng, writer: &Value) -> bool {
    let writes = validator(writer);
    (0..TRIES).any(|_| writes.is_valid(&payload(rng, writer, writer)))
}

#[test]
fn the_verdict_is_what_decoding_says() {
    let (mut compatible, mut breaking, mut unfound) = (0, 0, Vec::new());
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
                // A few of them, as a reader of the output may want to see.
                Some(found) if breaking <= 20 => {
                    println!("{}: {}: {found}", breaks[0].at, breaks[0].why)
                }
                Some(_) => {}
                // Nobody writes a set of three booleans: where there are sets, a bound may not matter.
                None if writer.to_string().contains("uniqueItems")
                    || !can_write(&mut rng, writer) => {}
                None => unfound.push((seed, breaks, writer.clone(), reader.clone())),
            }
        }
    }
    assert!(
        compatible > 1_000 && breaking > 1_000,
        "{compatible} compatible, {breaking} breaking"
    );
    if let Some((seed, breaks, writer, reader)) = unfound.first() {
        panic!(
            "{} of {breaking} called breaking without a counter-example; seed {seed}: {breaks:#?}\nwriter {writer:#}\nreader {reader:#}",
            unfound.len()
        );
    }
}

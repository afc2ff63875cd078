//! Random records.

use events_core::Outgoing;
use events_testkit::Broker;

use crate::checks::Sent;
use crate::random::Random;
use crate::service::{HANDLERS, TOPIC};

pub(crate) const PARTITIONS: i32 = 2;
const KEYS: u64 = 12;
const KINDS: [&str; 5] = ["Job", "Job", "Note", "Note", "Unknown"];
/// What attempts do, the harmless first.
const ACTS: [&str; 12] = [
    "",
    "",
    "",
    "",
    "sleeps",
    "yields",
    "fails",
    "fails late",
    "panics",
    "gives up",
    "away",
    "hangs",
];
const HARMLESS: u64 = 6;

/// How a record looks.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Binary,
    Structured,
    /// No document in structured mode: each handler gives it up.
    Broken,
    /// No payload.
    Mangled,
    /// Of a version that only a later build can read.
    Later,
    Tombstone,
}

impl Form {
    fn random(random: &mut Random) -> Self {
        match random.below(50) {
            0..2 => Self::Mangled,
            2..4 => Self::Tombstone,
            4..6 => Self::Later,
            6 => Self::Broken,
            7..11 => Self::Structured,
            _ => Self::Binary,
        }
    }
}

/// The key and its partition. Some records have none, or an empty one.
fn key(random: &mut Random) -> (Option<String>, i32) {
    let key = match random.below(20) {
        0 => return (None, random.below(PARTITIONS as u64) as i32),
        1 => String::new(),
        _ => format!("k{}", random.below(KEYS)),
    };
    let partition = partition_of(&key);
    (Some(key), partition)
}

pub(crate) fn random_key(random: &mut Random) -> String {
    format!("k{}", random.below(KEYS))
}

pub(crate) fn partition_of(key: &str) -> i32 {
    key.bytes().map(i32::from).sum::<i32>() % PARTITIONS
}

/// Writes a record; of `harm` records one may do anything.
pub(crate) fn send(random: &mut Random, broker: &Broker, harm: u64) -> Sent {
    let kind = KINDS[random.below(KINDS.len() as u64) as usize];
    let acts = match random.once_in(harm) {
        true => ACTS.len() as u64,
        false => HARMLESS,
    };
    let act = ACTS[random.below(acts) as usize];
    let most = if random.once_in(8) { 40 } else { 4 };
    let times = 1 + random.below(most);
    let (key, partition) = key(random);
    let form = Form::random(random);
    let spread = if random.once_in(2) { 8 } else { 100_000 };
    let id = random.below(spread).to_string();
    let id = (!random.once_in(6)).then_some(id);

    let mut record = Outgoing::new(TOPIC);
    record.partition = Some(partition);
    if let Some(key) = &key {
        record.set_key(key.as_bytes());
    }
    let value = format!(r#"{{"key":"k","act":"{act}","times":{times}}}"#);
    if matches!(form, Form::Structured | Form::Broken) {
        let named = id
            .as_ref()
            .map_or_else(String::new, |id| format!(r#""id":"{id}","source":"edge","#));
        let document = format!(r#"{{"specversion":"1.0",{named}"type":"{kind}","data":{value}}}"#);
        record.add_header("content-type", "application/cloudevents+json");
        record.set_value(match form {
            Form::Broken => b"{",
            _ => document.as_bytes(),
        });
    } else {
        record.add_header("ce_type", kind);
        if let Some(id) = &id {
            record.add_header("ce_id", id.as_str());
            record.add_header("ce_source", "edge");
        }
        match form {
            Form::Mangled => drop(record.set_value(b"{")),
            Form::Later => {
                record.add_header("ce_eventversion", "9");
                record.set_value(br#"{"other":1}"#);
            }
            Form::Tombstone => {}
            _ => drop(record.set_value(value.as_bytes())),
        }
    }
    let takes =
        |kinds: &[&str]| form != Form::Tombstone && (form == Form::Broken || kinds.contains(&kind));
    let takers = HANDLERS.iter().filter(|(_, kinds)| takes(kinds));
    let takers = takers.map(|(handler, _)| *handler).collect();
    let written = broker.produce(record).unwrap();
    Sent {
        partition,
        offset: written.offset,
        key,
        id: id.filter(|_| form != Form::Broken),
        takers,
        readable: matches!(form, Form::Binary | Form::Structured),
    }
}

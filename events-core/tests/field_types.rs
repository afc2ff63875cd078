//! Types of other crates as fields of events: `uuid`, `chrono`, `rust_decimal`, `time`.

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use events_core::contract::{Rule, reads};
use events_core::{Event, Timestamp, event};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

#[event(topic = "t", key = id)]
#[derive(Debug, Clone, PartialEq)]
struct Everything {
    id: Uuid,
    parent: Option<Uuid>,
    utc: DateTime<Utc>,
    offset: DateTime<FixedOffset>,
    day: NaiveDate,
    clock: NaiveTime,
    local: Option<NaiveDateTime>,
    price: Decimal,
    rates: BTreeMap<String, Decimal>,
    at: Timestamp,
    due: Option<Timestamp>,
    #[event(default)]
    seen: Vec<Timestamp>,
}

const JSON: &str = r#"{"id":"67e55044-10b1-426f-9247-bb680e5fe0c8","parent":null,"utc":"2024-01-31T09:30:00.000000001Z","offset":"2024-01-31T09:30:00+05:30","day":"2024-02-29","clock":"23:59:59","local":"2024-01-31T09:30:00","price":"12345678901234567890.10","rates":{"EUR":"1.00","USD":"-0.92"},"at":"2024-01-31T09:30:00.5+01:00","due":"1970-01-01T00:00:00Z","seen":[]}"#;

fn read(json: &str) -> events_core::Result<Everything> {
    events_core::decode(Some(json.as_bytes()), 1)
}

#[test]
fn each_type_is_read_and_written_to_the_last_digit() {
    let read = read(JSON).unwrap();
    assert_eq!(read.price.to_string(), "12345678901234567890.10");
    assert_eq!(read.due, Some(OffsetDateTime::UNIX_EPOCH.into()));
    assert_eq!(read.at.0.offset().whole_hours(), 1);
    let written = events_core::encode(&read).unwrap();
    assert_eq!(String::from_utf8(written.value).unwrap(), JSON);
}

#[test]
fn a_uuid_is_a_key() {
    let key = read(JSON).unwrap().key().map(|key| key.into_owned());
    assert_eq!(key.as_deref(), Some("67e55044-10b1-426f-9247-bb680e5fe0c8"));
}

#[test]
fn each_type_has_a_schema_that_takes_what_is_written() {
    let schema = (Everything::DESCRIPTOR.schema)();
    let formats: Vec<_> = ["id", "utc", "offset", "day", "clock", "at"]
        .map(|name| {
            assert_eq!(schema["properties"][name]["type"], "string", "{name}");
            schema["properties"][name]["format"].clone()
        })
        .into();
    let expected = [
        "uuid",
        "date-time",
        "date-time",
        "date",
        "partial-time",
        "date-time",
    ];
    assert_eq!(formats, expected);
    assert_eq!(
        schema["properties"]["due"]["type"],
        json!(["string", "null"])
    );
    assert!(schema["properties"]["price"]["pattern"].is_string());
    let validator = jsonschema::validator_for(&schema).unwrap();
    let value: Value = serde_json::from_str(JSON).unwrap();
    assert!(validator.is_valid(&value));
    // Another type, or another crate's form of it, is another contract.
    let mut text = schema.clone();
    text["properties"]["at"] = json!({ "type": "string" });
    assert_eq!(reads(&schema, &text), []);
    assert_eq!(reads(&text, &schema)[0].rule, Rule::Format);
}

#[test]
fn what_is_none_of_them_is_an_error_that_names_the_text() {
    for (good, bad, told) in [
        ("67e55044-10b1", "67e55044/10b1", "UUID"),
        ("2024-02-29", "2023-02-29", "out of range"),
        ("12345678901234567890.10", "twelve", "twelve"),
        (
            "2024-01-31T09:30:00.5+01:00",
            "2024-01-31 09:30",
            "`2024-01-31 09:30` is no RFC 3339 instant",
        ),
        (
            "\"2024-01-31T09:30:00.5+01:00\"",
            "7",
            "an RFC 3339 instant, such as",
        ),
    ] {
        assert!(JSON.contains(good), "{good}");
        let error = read(&JSON.replace(good, bad)).unwrap_err();
        let text = format!("{error:#}");
        assert!(text.contains(told), "{bad}: {text}");
    }
}

#[test]
fn an_instant_that_rfc_3339_cannot_say_is_an_error() {
    let offset = time::UtcOffset::from_hms(1, 0, 30).unwrap();
    let mut odd = read(JSON).unwrap();
    odd.at = OffsetDateTime::UNIX_EPOCH.to_offset(offset).into();
    let error = events_core::encode(&odd).unwrap_err();
    let text = format!("{error:#}");
    assert!(text.contains("cannot be written as RFC 3339"), "{text}");
}

//! Structured mode as it is read: what becomes of each attribute, and each way to be no event.

use events_core::{EnvelopeError, Outgoing, RecordView, to_binary_mode};

const JSON: &str = "application/cloudevents+json";

struct One {
    value: Option<Vec<u8>>,
    headers: Vec<(&'static str, Option<&'static str>)>,
}

impl RecordView for One {
    fn topic(&self) -> &str {
        "orders"
    }

    fn partition(&self) -> i32 {
        0
    }

    fn offset(&self) -> i64 {
        0
    }

    fn timestamp(&self) -> Option<i64> {
        Some(7)
    }

    fn key(&self) -> Option<&[u8]> {
        Some(b"o-1")
    }

    fn value(&self) -> Option<&[u8]> {
        self.value.as_deref()
    }

    fn header(&self, index: usize) -> Option<(&[u8], Option<&[u8]>)> {
        let (name, value) = self.headers.get(index)?;
        Some((name.as_bytes(), value.map(str::as_bytes)))
    }
}

fn read(content_type: &'static str, value: &[u8]) -> Result<Outgoing, EnvelopeError> {
    let record = One {
        value: Some(value.to_vec()),
        headers: vec![("content-type", Some(content_type))],
    };
    to_binary_mode(&record).expect("it is in structured mode")
}

/// An event with these members beside `specversion` and `type`.
fn event(members: &str) -> Result<Outgoing, EnvelopeError> {
    let document = format!(r#"{{"specversion":"1.0","type":"T",{members}}}"#);
    read(JSON, document.as_bytes())
}

fn headers(record: &Outgoing) -> Vec<(String, Option<String>)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers = record.headers();
    headers
        .map(|(name, value)| (text(name), value.map(text)))
        .collect()
}

fn payload(record: Result<Outgoing, EnvelopeError>) -> Option<String> {
    let record = record.expect("it is an event");
    let text = |value| String::from_utf8_lossy(value).into_owned();
    record.value().map(text)
}

#[test]
fn every_attribute_becomes_a_header() {
    let document = r#"{
        "specversion": "1.0", "id": "1", "source": "/shop", "type": "OrderPlaced", "subject": "o-1",
        "time": "2026-01-31T12:00:00Z", "dataschema": "urn:x", "datacontenttype": "application/json; charset=utf-8",
        "eventversion": 3, "correlationid": "flow", "causationid": "0", "hops": 2, "traceparent": "00-1", "tracestate": "a=b",
        "urgent": true, "gone": null, "data": {"order_id": "o-1"}
    }"#;
    let record = One {
        value: Some(document.into()),
        headers: vec![
            ("tenant", Some("x")),
            ("ce_id", Some("misleading")),
            ("ce_dataschema", Some("misleading")),
            ("content-type", Some(JSON)),
            ("content-type", None),
            ("tenant", None),
        ],
    };
    let binary = to_binary_mode(&record)
        .expect("it is in structured mode")
        .expect("it is an event");
    let expected = [
        ("ce_causationid", Some("0")),
        ("ce_correlationid", Some("flow")),
        ("content-type", Some("application/json; charset=utf-8")),
        ("ce_dataschema", Some("urn:x")),
        ("ce_eventversion", Some("3")),
        ("ce_hops", Some("2")),
        ("ce_id", Some("1")),
        ("ce_source", Some("/shop")),
        ("ce_specversion", Some("1.0")),
        ("ce_subject", Some("o-1")),
        ("ce_time", Some("2026-01-31T12:00:00Z")),
        ("traceparent", Some("00-1")),
        ("tracestate", Some("a=b")),
        ("ce_type", Some("OrderPlaced")),
        ("ce_urgent", Some("true")),
        ("tenant", Some("x")),
        ("tenant", None),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.map(str::to_owned)));
    assert_eq!(headers(&binary), expected);
    assert_eq!(binary.key(), Some(&b"o-1"[..]));
    assert_eq!(binary.value(), Some(&br#"{"order_id": "o-1"}"#[..]));
    assert_eq!((&*binary.topic, binary.timestamp), ("orders", Some(7)));
}

#[test]
fn payloads_are_taken_byte_for_byte() {
    for (members, expected) in [
        // Numbers that no float holds, spaces, the order of fields.
        (
            r#""data": {"b": 1e400, "a":18446744073709551616 }"#,
            r#"{"b": 1e400, "a":18446744073709551616 }"#,
        ),
        (r#""data":"text""#, r#""text""#),
        (
            r#""data":"text","datacontenttype":"application/vnd.shop+json""#,
            r#""text""#,
        ),
        (r#""data":"<a/>","datacontenttype":"text/xml""#, "<a/>"),
        (r#""data":[1],"datacontenttype":"text/xml""#, "[1]"),
        (
            r#""data_base64":"AQID","datacontenttype":"application/cbor""#,
            "\u{1}\u{2}\u{3}",
        ),
        (r#""data_base64":"","data":null"#, ""),
        (r#""data":null"#, "null"),
        (r#""data_base64":null,"data":1"#, "1"),
        (r#""data":1,"data":2"#, "2"),
    ] {
        assert_eq!(
            payload(event(members)).as_deref(),
            Some(expected),
            "{members}"
        );
    }
    assert_eq!(
        payload(event(r#""id":"1""#)),
        None,
        "an event may have no payload"
    );
    let content_type =
        event(r#""data":1"#).map(|record| record.header("content-type").map(<[u8]>::to_vec));
    assert_eq!(content_type, Ok(Some(b"application/json".to_vec())));
}

#[test]
fn a_record_in_binary_mode_is_left_alone() {
    for headers in [
        vec![],
        vec![("content-type", None)],
        vec![("content-type", Some("application/json"))],
        vec![("content-type", Some("application/cloudevent"))],
        // Of several the last counts, as everywhere.
        vec![
            ("content-type", Some(JSON)),
            ("content-type", Some("application/json")),
        ],
        vec![("Content-Type", Some(JSON))],
    ] {
        let value = Some(b"{}".to_vec());
        let record = One { value, headers };
        assert!(to_binary_mode(&record).is_none(), "{:?}", record.headers);
    }
    for content_type in [
        "Application/CloudEvents+JSON",
        "application/cloudevents+json ; charset=UTF-8",
    ] {
        let document = br#"{"specversion":"1.0","type":"T","data":1}"#;
        assert!(read(content_type, document).is_ok(), "{content_type}");
    }
}

#[test]
fn what_is_no_event_says_why_and_what_to_do() {
    let members: String = (0..200).map(|index| format!(r#""a{index}":1,"#)).collect();
    let many = format!(r#"{{{members}"specversion":"1.0"}}"#);
    let large = format!(
        r#"{{"specversion":"1.0","type":"T","data":"{}"}}"#,
        "x".repeat(4 << 20)
    );
    let cases: [(&'static str, &[u8], &str); 18] = [
        (
            "application/cloudevents-batch+json",
            b"[]",
            "each event as a record of its own",
        ),
        (
            "application/cloudevents+avro",
            b"",
            "not `application/cloudevents+avro`: let the producer write that, or binary mode",
        ),
        (
            "application/cloudevents",
            b"{}",
            "`application/cloudevents+json` alone is read",
        ),
        (
            JSON,
            b"",
            "the value is no JSON object of at most 128 members: EOF",
        ),
        (JSON, b"[]", "expected an object"),
        (JSON, b"{} {}", "trailing characters"),
        (JSON, b"{\"a\":\"\xff\"}", "invalid unicode"),
        (JSON, many.as_bytes(), "at most 128 members"),
        (
            JSON,
            large.as_bytes(),
            "more than 4194304: let the producer write binary mode",
        ),
        (
            JSON,
            b"{}",
            "`specversion` is absent, and 1.0 is what is read",
        ),
        (
            JSON,
            br#"{"specversion":"0.3","type":"T"}"#,
            "`specversion` is 0.3",
        ),
        (JSON, br#"{"specversion":"1.0"}"#, "`type` is absent"),
        (
            JSON,
            br#"{"specversion":"1.0","type":""}"#,
            "`type` is absent",
        ),
        (
            JSON,
            br#"{"specversion":"1.0","type":"T","deep":{"a":1}}"#,
            "the attribute `deep` is neither text nor a number",
        ),
        (
            JSON,
            br#"{"specversion":"1.0","type":"T","list":[]}"#,
            "let the producer put it into `data`",
        ),
        (
            JSON,
            br#"{"specversion":"1.0","type":"T","data":1,"data_base64":"AA=="}"#,
            "let the producer write one",
        ),
        (
            JSON,
            br#"{"specversion":"1.0","type":"T","data_base64":"?"}"#,
            "standard alphabet",
        ),
        (
            JSON,
            br#"{"specversion":"1.0","type":"T","data_base64":7}"#,
            "is no base64",
        ),
    ];
    for (content_type, value, words) in cases {
        let error = read(content_type, value).expect_err(words).to_string();
        assert!(error.contains(words), "{error}");
    }
    let tombstone = One {
        value: None,
        headers: vec![("content-type", Some(JSON))],
    };
    assert!(matches!(
        to_binary_mode(&tombstone),
        Some(Err(EnvelopeError::NoDocument(_)))
    ));
}

#[test]
fn nesting_without_an_end_overflows_nothing() {
    let deep = format!(
        r#"{{"specversion":"1.0","type":"T","data":{}"#,
        "[".repeat(1_000_000)
    );
    assert!(matches!(
        read(JSON, deep.as_bytes()),
        Err(EnvelopeError::NoDocument(_))
    ));
    let attribute = format!(
        r#"{{"specversion":"1.0","type":"T","a":{0}{1}}}"#,
        "[".repeat(1_000_000),
        "]".repeat(1_000_000)
    );
    assert!(matches!(
        read(JSON, attribute.as_bytes()),
        Err(EnvelopeError::Attribute { .. })
    ));
}

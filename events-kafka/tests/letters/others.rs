//! Letters that Spring Kafka and Kafka Connect wrote.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use serde_json::json;

use crate::shop::{TOPIC, says};

fn write(address: &str, topic: &str, headers: OwnedHeaders) {
    let payload = r#"{"order_id":"other","number":7}"#;
    write_record(address, topic, ("other", payload), headers);
}

/// A record as another program writes it.
pub(crate) fn write_record(
    address: &str,
    topic: &str,
    (key, payload): (&str, &str),
    headers: OwnedHeaders,
) {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", address);
    let producer: ThreadedProducer<DefaultProducerContext> = config.create().unwrap();
    let record = BaseRecord::to(topic)
        .key(key)
        .payload(payload)
        .headers(headers);
    producer.send(record).map_err(|(error, _)| error).unwrap();
    producer.flush(Duration::from_secs(10)).unwrap();
}

pub(crate) fn with(headers: OwnedHeaders, key: &str, value: &[u8]) -> OwnedHeaders {
    headers.insert(Header {
        key,
        value: Some(value),
    })
}

pub(crate) fn letters_of_others(address: &str) {
    let headers = with(OwnedHeaders::new(), "ce_type", b"OrderPlaced");
    let spring = [
        ("kafka_dlt-original-topic", TOPIC.as_bytes().to_vec()),
        ("kafka_dlt-original-partition", 1_i32.to_be_bytes().to_vec()),
        ("kafka_dlt-original-offset", 41_i64.to_be_bytes().to_vec()),
        ("kafka_dlt-exception-fqcn", b"com.shop.NoAddress".to_vec()),
        ("kafka_dlt-exception-message", b"no address".to_vec()),
    ];
    let spring = spring
        .iter()
        .fold(headers.clone(), |headers, (key, value)| {
            with(headers, key, value)
        });
    write(address, "letters-orders.DLT", spring);
    let connect = [
        ("__connect.errors.topic", TOPIC),
        ("__connect.errors.partition", "1"),
        ("__connect.errors.offset", "42"),
        (
            "__connect.errors.exception.class.name",
            "org.apache.kafka.connect.errors.DataException",
        ),
        ("__connect.errors.exception.message", "no schema"),
    ];
    let connect = connect.iter().fold(headers, |headers, (key, value)| {
        with(headers, key, value.as_bytes())
    });
    write(address, "letters-connect", connect);

    for (topic, by, error, origin) in [
        ("letters-orders.DLT", "spring", "no address", 41),
        ("letters-connect", "connect", "no schema", 42),
    ] {
        let listed = says(
            address,
            &["dead-letters", "list", "--topic", topic, "--each", "--json"],
        )
        .json();
        assert_eq!(listed["open"], 1, "{listed}");
        let letter = &listed["letters"][0];
        assert_eq!(
            (&letter["written_by"], &letter["error"], &letter["origin"]),
            (
                &json!(by),
                &json!(error),
                &json!(format!("{TOPIC}/1/{origin}"))
            )
        );
        let nobody = says(
            address,
            &["dead-letters", "redrive", "--topic", topic, "--all"],
        )
        .out;
        assert!(nobody.contains("say --handler"), "{nobody}");
        let unknown = [
            "dead-letters",
            "redrive",
            "--topic",
            topic,
            "--handler",
            "bill",
        ];
        let unknown = says(address, &unknown).out;
        assert!(
            unknown.contains("no handler `bill`; it has letters-shipping/ship"),
            "{unknown}"
        );
        let words = [
            "dead-letters",
            "redrive",
            "--topic",
            topic,
            "--handler",
            "ship",
            "--json",
        ];
        let done = says(address, &words).json();
        assert_eq!(done["redriven"], 1, "{done}");
        // The note stands among the group's own letters, and the topic of the others is as it was.
        let again = says(address, &words).json();
        assert!(
            again["redriven"] == 0 && again["left"][0]["why"].as_str().unwrap().contains("ann"),
            "{again}"
        );
        assert_eq!(crate::support::read(address, topic, 1).len(), 1);
    }
}

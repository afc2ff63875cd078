//! The producer at the edge, on the embedded cluster or the one that KAFKA_BOOTSTRAP_SERVERS names.

mod support;

use std::collections::BTreeMap;
use std::time::Duration;

use events_kafka::{
    ClientOptions, EventDescriptor, Middleware, Outgoing, Producer, PublishFailed, event,
};
use support::{client, read, real, topic};

const SECOND: Duration = Duration::from_secs(1);

/// One step of a key.
#[event(topic = "producer-steps", key = key)]
struct Step {
    key: String,
    number: u32,
}

/// Anything large.
#[event(topic = "producer-blobs")]
struct Blob {
    text: String,
}

fn steps(count: u32, keys: u32) -> impl Iterator<Item = Step> + Clone {
    (0..count).map(move |number| Step {
        key: format!("k{}", number % keys),
        number,
    })
}

/// Sends events to a topic of the test's own: their type's topic is shared by all tests.
struct Redirect(String);

impl Middleware for Redirect {
    fn on_publish(&self, _: &EventDescriptor, record: &mut Outgoing) {
        record.topic = self.0.clone().into();
    }
}

async fn producer_for(name: &str, bytes: usize) -> (Producer, String) {
    let topic_name = support::unique(name);
    topic(&topic_name, 4).await;
    let producer = Producer::builder("shop")
        .client(client())
        .max_in_flight(bytes)
        .middleware(Redirect(topic_name.clone()));
    (producer.connect().unwrap(), topic_name)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_of_a_key_are_written_in_their_order() {
    let (producer, topic) = producer_for("order", 1 << 20).await;
    assert_eq!(producer.publish_all(steps(5_000, 37)).await.unwrap(), 5_000);
    let logged = read(producer.address(), &topic, 5_000);
    let mut last: BTreeMap<(String, i32), i64> = BTreeMap::new();
    let mut partitions: BTreeMap<String, i32> = BTreeMap::new();
    for record in &logged {
        let number = record.json()["number"].as_i64().unwrap();
        let before = last.insert((record.key.clone(), record.partition), number);
        assert!(
            before.is_none_or(|before| before < number),
            "{} after {before:?}",
            record.value
        );
        assert_eq!(
            *partitions
                .entry(record.key.clone())
                .or_insert(record.partition),
            record.partition
        );
    }
    assert_eq!(partitions.len(), 37);
}

#[tokio::test]
async fn an_event_carries_its_envelope() {
    let (producer, topic) = producer_for("envelope", 1 << 20).await;
    let step = Step {
        key: "a".into(),
        number: 1,
    };
    let written = producer.publish(&step).await.unwrap();
    let tagged = producer
        .correlated("flow-1")
        .with_header("tenant", "acme")
        .traced("00-1-2-01", Some("x=y"));
    tagged.publish(&step).await.unwrap();
    let logged = read(producer.address(), &topic, 2);
    let (plain, tagged) = (&logged[0], &logged[1]);
    assert_eq!(
        (plain.partition, plain.offset),
        (written.partition, written.offset)
    );
    for (name, value) in [
        ("ce_specversion", "1.0"),
        ("ce_source", "shop"),
        ("ce_type", "Step"),
        ("content-type", "application/json"),
    ] {
        assert_eq!(plain.header(name), Some(value), "{name}");
    }
    for name in ["ce_eventversion", "ce_hops"] {
        assert_eq!(plain.header(name), None, "{name}: readers assume it");
    }
    let id = plain.header("ce_id").unwrap();
    assert_eq!((id.len(), &id[14..15]), (36, "7"), "{id} is a UUIDv7");
    assert_eq!(plain.header("ce_correlationid"), Some(id));
    assert_ne!(tagged.header("ce_id"), Some(id));
    for (name, value) in [
        ("ce_correlationid", "flow-1"),
        ("tenant", "acme"),
        ("traceparent", "00-1-2-01"),
        ("tracestate", "x=y"),
    ] {
        assert_eq!(tagged.header(name), Some(value), "{name}");
    }
    assert_eq!(plain.header("ce_causationid"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn publishing_waits_for_room() {
    // Room for three events at a time, shared by five publishers.
    let (producer, topic) = producer_for("room", 4 * 1024).await;
    let mut publishers = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let producer = producer.clone();
        publishers.spawn(async move { producer.publish_all(steps(200, 7)).await.unwrap() });
    }
    let mut receipts = Vec::new();
    for step in steps(200, 7) {
        receipts.push(producer.enqueue(&step).await.unwrap());
    }
    for receipt in receipts {
        receipt.await.unwrap();
    }
    let sum: usize = publishers.join_all().await.into_iter().sum();
    assert_eq!(sum, 800);
    assert_eq!(read(producer.address(), &topic, 1_000).len(), 1_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_given_up_gives_its_room_back() {
    let (producer, _) = producer_for("given-up", 16 * 1024).await;
    for _ in 0..20 {
        let publish = producer.publish_all(steps(10_000, 7));
        assert!(
            tokio::time::timeout(Duration::from_millis(2), publish)
                .await
                .is_err()
        );
    }
    // All of the room is needed to close, and every event that was enqueued is written.
    assert_eq!(producer.publish_all(steps(100, 7)).await.unwrap(), 100);
    assert_eq!(producer.close(10 * SECOND).await, 0);
}

#[tokio::test]
async fn an_error_names_its_event_and_the_others_are_written() {
    let (producer, topic) = producer_for("large", 8 << 20).await;
    let blobs = [10, 3_000_000, 20].map(|size| Blob {
        text: "x".repeat(size),
    });
    let failed = producer.publish_all::<Blob>(&blobs).await.unwrap_err();
    assert_eq!(
        (failed.written, failed.failures.len(), failed.stopped_at),
        (2, 1, None)
    );
    let (index, failure) = &failed.failures[0];
    assert_eq!(*index, 1);
    assert!(!failure.may_be_written(), "{failure}");
    let text = failed.to_string();
    assert!(
        text.contains("1 of 3") && text.contains("index 1") && text.contains("Blob"),
        "{text}"
    );
    assert_eq!(read(producer.address(), &topic, 2).len(), 2);
    assert!(producer.publish(&blobs[1]).await.is_err());
}

#[tokio::test]
async fn without_an_answer_the_event_may_be_written() {
    let nowhere = ClientOptions::without_environment()
        .set("bootstrap.servers", "127.0.0.1:1")
        .set("message.timeout.ms", "300");
    let producer = Producer::connect("shop", nowhere).unwrap();
    let failed = producer.publish_all(steps(3, 1)).await.unwrap_err();
    let indices: Vec<_> = failed.failures.iter().map(|(index, _)| *index).collect();
    assert_eq!((failed.written, indices), (0, vec![0, 1, 2]));
    assert!(
        failed
            .failures
            .iter()
            .all(|(_, failure)| failure.may_be_written()),
        "{failed}"
    );
}

#[tokio::test]
async fn a_closed_producer_takes_nothing_and_says_what_is_missing() {
    let (producer, topic) = producer_for("closed", 1 << 20).await;
    let receipt = producer
        .enqueue(&Step {
            key: "a".into(),
            number: 1,
        })
        .await
        .unwrap();
    assert_eq!(producer.clone().close(10 * SECOND).await, 0);
    receipt.await.unwrap();
    let refused = producer
        .publish(&Step {
            key: "a".into(),
            number: 2,
        })
        .await
        .unwrap_err();
    assert!(
        matches!(refused, PublishFailed::Closed { event: "Step" }) && !refused.may_be_written()
    );
    let refused = producer.publish_all(steps(2, 1)).await.unwrap_err();
    assert_eq!((refused.written, refused.stopped_at), (0, Some(0)));
    assert_eq!(read(producer.address(), &topic, 1).len(), 1);

    let nowhere = ClientOptions::without_environment().set("bootstrap.servers", "127.0.0.1:1");
    let producer = Producer::connect("shop", nowhere).unwrap();
    let receipt = producer
        .enqueue(&Step {
            key: "a".into(),
            number: 1,
        })
        .await
        .unwrap();
    assert_eq!(producer.close(SECOND / 10).await, 1);
    assert!(receipt.await.is_err());
}

/// The broker knows that there is no such topic; waiting for 30 s would not make one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_topic_is_told_soon() {
    if !real() {
        println!("not on the embedded cluster, which makes topics: set KAFKA_BOOTSTRAP_SERVERS");
        return;
    }
    let missing = support::unique("nobody-made-this");
    let producer = Producer::builder("shop")
        .client(client())
        .middleware(Redirect(missing.clone()));
    let producer = producer.connect().unwrap();
    let step = steps(1, 1).next().unwrap();
    for round in 0..2 {
        let one = tokio::time::timeout(15 * SECOND, producer.publish(&step)).await;
        let one = one
            .unwrap_or_else(|_| panic!("round {round}: no answer"))
            .unwrap_err();
        let text = format!("{:?}", anyhow::Error::from(one));
        assert!(text.contains(&missing), "the error names the topic: {text}");
        let all = tokio::time::timeout(15 * SECOND, producer.publish_all(steps(3, 1))).await;
        let all = all
            .unwrap_or_else(|_| panic!("round {round}: no answer"))
            .unwrap_err();
        assert_eq!(all.failures.len(), 3, "{all}");
        assert!(
            all.failures
                .iter()
                .all(|(_, failure)| !failure.may_be_written()),
            "{all}"
        );
    }
    // Somebody makes it.
    topic(&missing, 1).await;
    let made = async {
        while producer.publish(&step).await.is_err() {
            tokio::time::sleep(SECOND / 10).await;
        }
    };
    tokio::time::timeout(30 * SECOND, made)
        .await
        .expect("it goes on by itself");
}

#[tokio::test]
async fn an_event_published_again_keeps_its_id() {
    let (producer, topic) = producer_for("again", 1 << 20).await;
    let step = steps(1, 1).next().unwrap();
    for _ in 0..2 {
        producer.publish_with_id(&step, "order-7").await.unwrap();
    }
    producer
        .enqueue_with_id(&step, "order-8")
        .await
        .unwrap()
        .await
        .unwrap();
    let refused = producer.publish_with_id(&step, "").await.unwrap_err();
    assert!(matches!(refused, PublishFailed::NoId { event: "Step" }) && !refused.may_be_written());
    let logged = read(producer.address(), &topic, 3);
    let ids: Vec<_> = logged.iter().map(|record| record.header("ce_id")).collect();
    assert_eq!(ids, ["order-7", "order-7", "order-8"].map(Some));
    assert!(
        logged
            .iter()
            .all(|record| record.header("ce_correlationid") == record.header("ce_id"))
    );
}

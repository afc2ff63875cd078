//! A service on a cluster: the embedded one or the one that KAFKA_BOOTSTRAP_SERVERS names.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use events_kafka::{
    GroupProtocol, Handle, KafkaError, Meta, Producer, Result, Runtime, Services, State, Terminal,
    event, handler,
};
use support::{client, read, real, unique};

/// A number came in.
#[event(topic = "runtime-numbers", key = key)]
struct Number {
    key: String,
    value: u64,
}

/// It was doubled.
#[event(topic = "runtime-doubles", key = key)]
struct Doubled {
    key: String,
    value: u64,
}

#[derive(Default)]
struct Seen(AtomicU64);

mod doubler {
    use super::*;

    events_kafka::service!("runtime-doubler");

    #[handler]
    async fn double(number: Number, meta: Meta, seen: State<Seen>) -> Result<Doubled> {
        assert_eq!(meta.source, "runtime-doubler");
        seen.0.fetch_add(1, Ordering::SeqCst);
        if number.value == 13 {
            return Err(Terminal::msg("unlucky").into());
        }
        Ok(Doubled {
            key: number.key,
            value: number.value * 2,
        })
    }
}

mod reader {
    use super::*;

    events_kafka::service!("runtime-reader");

    #[handler]
    async fn sum(doubled: Doubled, seen: State<Seen>) {
        seen.0.fetch_add(doubled.value, Ordering::SeqCst);
    }
}

async fn until(what: &str, mut met: impl FnMut() -> bool) {
    let wait = async {
        while !met() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), wait)
        .await
        .unwrap_or_else(|_| panic!("{what}: not after 60 s"));
}

fn all_lag_is_gone(handle: &Handle) -> bool {
    handle
        .status()
        .lanes
        .iter()
        .all(|lane| lane.in_flight == 0 && lane.unacknowledged == 0)
        && handle.lag() == Some(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn services_react_to_one_another_and_drain() {
    let (doubled, summed) = (Arc::new(Seen::default()), Arc::new(Seen::default()));
    let services = Services::new()
        .add(
            Runtime::new("runtime-doubler")
                .client(client())
                .ensure_topics(4, 1)
                .shared_state(Arc::clone(&doubled)),
        )
        .add(
            Runtime::new("runtime-reader")
                .client(client())
                .ensure_topics(4, 1)
                .shared_state(Arc::clone(&summed)),
        );
    let handles = services.spawn().await.unwrap();
    let producer = handles[0].producer().unwrap();
    let numbers = (0..100u64).map(|value| Number {
        key: format!("k{}", value % 7),
        value,
    });
    assert_eq!(producer.publish_all(numbers).await.unwrap(), 100);
    let expected = 99 * 100 - 26;
    until("everything is summed", || {
        summed.0.load(Ordering::SeqCst) >= expected
    })
    .await;
    until("the lag is gone", || handles.iter().all(all_lag_is_gone)).await;
    assert_eq!(summed.0.load(Ordering::SeqCst), expected);
    assert_eq!(doubled.0.load(Ordering::SeqCst), 100);

    let status = handles[0].status();
    assert!(status.healthy, "{status:?}");
    assert!(handles[0].partitions() > 0);
    let handler = &status.handlers[0];
    assert_eq!(
        (handler.handler.as_str(), handler.dead_lettered),
        ("runtime-doubler/double", 1)
    );
    let letters = read(producer.address(), "runtime-doubler.dead-letters", 1);
    assert_eq!(
        (
            letters[0].header("dl_error"),
            letters[0].json()["value"].as_u64()
        ),
        (Some("unlucky"), Some(13))
    );

    for handle in handles {
        let report = handle.drain().await;
        assert!(report.drained && report.abandoned == 0, "{report:?}");
    }
    assert!(
        producer
            .publish(&Number {
                key: "late".into(),
                value: 1
            })
            .await
            .is_err(),
        "a drain closes the producer"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn run_until_ends_with_its_signal() {
    let seen = Arc::new(Seen::default());
    let runtime = Runtime::new("runtime-brief")
        .client(client())
        .ensure_topics(4, 1)
        .shared_state(Arc::clone(&seen));
    // Until then it runs, and handles what comes.
    let signal = async {
        let producer = Producer::connect("shop", client()).unwrap();
        let key = unique("brief");
        producer.publish(&brief::Tick { key }).await.unwrap();
        until("it is counted", || seen.0.load(Ordering::SeqCst) >= 1).await;
    };
    let report = runtime.run_until(signal).await.unwrap();
    assert!(report.drained, "{report:?}");
}

#[tokio::test]
async fn all_faults_come_at_once() {
    let runtime = Runtime::new("runtime-doubler")
        .client(client())
        .set("no.such.property", "1")
        .ensure_topics(0, 1)
        .configure(|settings| settings.batch = 0);
    let Err(KafkaError::Faults(faults)) = runtime.spawn().await else {
        panic!("it cannot start")
    };
    let codes: Vec<_> = faults.faults.iter().map(|fault| fault.code).collect();
    assert_eq!(
        codes,
        [
            "settings",
            "missing-argument",
            "client-property",
            "ensure-topics"
        ],
        "{faults}"
    );
}

mod lonely {
    use super::*;

    /// Nobody has made its topic.
    #[event(topic = "runtime-nobody-made-this", key = key)]
    pub(super) struct Lonely {
        pub(super) key: String,
    }

    events_kafka::service!("runtime-lonely");

    #[handler]
    async fn wait(lonely: Lonely) {
        drop(lonely.key);
    }
}

#[tokio::test]
async fn a_missing_topic_is_a_fault_with_the_command() {
    if !real() {
        // The embedded cluster has no admin API, and its topics are always made.
        println!("not on the embedded cluster: set KAFKA_BOOTSTRAP_SERVERS");
        return;
    }
    let Err(KafkaError::Faults(faults)) = Runtime::new("runtime-lonely")
        .client(client())
        .spawn()
        .await
    else {
        panic!("its topics do not exist")
    };
    let text = faults.to_string();
    assert_eq!(faults.faults.len(), 1, "{text}");
    for word in [
        "3 topics do not exist",
        "--create --topic runtime-nobody-made-this --partitions",
        "--topic runtime-lonely.dead-letters",
        "--topic runtime-lonely.parked.runtime-nobody-made-this",
        "--config cleanup.policy=delete",
        "--config message.timestamp.type=CreateTime",
        "--config retention.bytes=-1",
        "--config retention.ms=-1",
        "--config max.message.bytes=1179660",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }
    assert!(
        Runtime::new("runtime-lonely")
            .client(client())
            .check_broker()
            .await
            .is_err()
    );
}

#[tokio::test]
async fn dead_letters_must_have_room() {
    if !real() {
        println!("not on the embedded cluster: set KAFKA_BOOTSTRAP_SERVERS");
        return;
    }
    // A topic by hand, as large as its sources.
    support::topic("runtime-cramped.dead-letters", 1).await;
    let runtime = || {
        Runtime::new("runtime-cramped")
            .client(client())
            .ensure_topics(1, 1)
            .state(Seen::default())
    };
    let Err(KafkaError::Faults(faults)) = runtime().spawn().await else {
        panic!("its dead letters have no room")
    };
    assert_eq!(faults.faults[0].code, "small-dead-letters", "{faults}");
    assert!(
        faults
            .to_string()
            .contains("--add-config max.message.bytes="),
        "{faults}"
    );
}

/// What is made with `ensure_topics` keeps parked records and letters; what was made by hand may lose them.
#[tokio::test]
async fn parked_topics_must_keep_what_waits() {
    if !real() {
        println!("not on the embedded cluster: set KAFKA_BOOTSTRAP_SERVERS");
        return;
    }
    let runtime = |service| {
        Runtime::new(service)
            .client(client())
            .ensure_topics(1, 1)
            .state(Seen::default())
    };
    let handle = runtime("runtime-kept").spawn().await.unwrap();
    assert!(handle.drain().await.drained);
    for topic in [
        "runtime-kept.parked.runtime-kept",
        "runtime-kept.dead-letters",
    ] {
        let kept = support::settings(topic).await;
        for (name, value) in [
            ("cleanup.policy", "delete"),
            ("retention.bytes", "-1"),
            ("retention.ms", "-1"),
        ] {
            assert_eq!(kept.get(name).map(String::as_str), Some(value), "{name}");
        }
    }
    let lossy = [
        ("cleanup.policy", "compact,delete"),
        ("retention.bytes", "1000000"),
        ("retention.ms", "-1"),
        ("max.message.bytes", "1200000"),
    ];
    support::topic_with("runtime-lossy.parked.runtime-lossy", 1, &lossy).await;
    let Err(KafkaError::Faults(faults)) = runtime("runtime-lossy").spawn().await else {
        panic!("it would lose parked records")
    };
    let codes: Vec<_> = faults.faults.iter().map(|fault| fault.code).collect();
    assert_eq!(
        codes,
        ["parked-retention-bytes", "parked-compaction"],
        "{faults}"
    );
    for setting in ["retention.bytes=-1", "cleanup.policy=delete"] {
        let remedy =
            format!("--entity-name runtime-lossy.parked.runtime-lossy --add-config {setting}");
        assert!(faults.to_string().contains(&remedy), "{faults}");
    }
}

/// Tests that share no topic with others.
macro_rules! counter {
    ($module:ident, $service:literal, $topic:literal) => {
        mod $module {
            use super::*;

            /// Anything.
            #[event(topic = $topic, name = $topic, key = key)]
            pub(super) struct Tick {
                pub(super) key: String,
            }

            events_kafka::service!($service);

            #[handler]
            async fn count(_tick: Tick, seen: State<Seen>) {
                seen.0.fetch_add(1, Ordering::SeqCst);
            }
        }
    };
}

counter!(cramped, "runtime-cramped", "runtime-cramped");
counter!(kept, "runtime-kept", "runtime-kept");
counter!(lossy, "runtime-lossy", "runtime-lossy");
counter!(modern, "runtime-modern", "runtime-modern");
counter!(brief, "runtime-brief", "runtime-brief");
counter!(retried, "runtime-retried", "runtime-retried");

/// Whoever publishes again under the same id has the event handled once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_published_again_is_handled_once() {
    let seen = Arc::new(Seen::default());
    let runtime = Runtime::new("runtime-retried")
        .client(client())
        .ensure_topics(1, 1)
        .shared_state(Arc::clone(&seen));
    let handle = runtime.spawn().await.unwrap();
    let producer = handle.producer().unwrap();
    let (key, id, other) = (unique("key"), unique("id"), unique("id"));
    let tick = retried::Tick { key };
    for id in [&id, &id, &other] {
        producer.publish_with_id(&tick, id).await.unwrap();
    }
    until("both are counted", || seen.0.load(Ordering::SeqCst) >= 2).await;
    until("the lag is gone", || all_lag_is_gone(&handle)).await;
    assert_eq!(handle.status().handlers[0].duplicates, 1);
    assert_eq!(seen.0.load(Ordering::SeqCst), 2);
    assert!(handle.drain().await.drained);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_brokers_protocol_works_too() {
    if !real() {
        println!("not on the embedded cluster: set KAFKA_BOOTSTRAP_SERVERS");
        return;
    }
    let seen = Arc::new(Seen::default());
    let runtime = Runtime::new("runtime-modern")
        .client(client())
        .ensure_topics(4, 1)
        .group_protocol(GroupProtocol::Consumer);
    let handle = runtime
        .shared_state(Arc::clone(&seen))
        .spawn()
        .await
        .unwrap();
    let key = unique("modern");
    handle
        .producer()
        .unwrap()
        .publish(&modern::Tick { key })
        .await
        .unwrap();
    until("it is counted", || seen.0.load(Ordering::SeqCst) >= 1).await;
    assert!(handle.drain().await.drained);
}

//! Producers that fail for good, and a rebalance that fails, on a cluster of this test's own that refuses a request on purpose.

mod support;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use events_kafka::{
    ClientOptions, Producer, PublishFailed, Result, Runtime, State, event, handler,
};
use events_testkit::eventually;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use support::read;

/// The client takes this for a fault of its own, and never sends again.
const FATAL: RDKafkaRespErr = RDKafkaRespErr::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
const FINE: RDKafkaRespErr = RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR;
/// Far less than the 30 s after which the edge gives up by itself, far more than anything here takes.
const SOON: Duration = Duration::from_secs(15);
const COUNT: u32 = 200;

/// Asks for an answer.
#[event(topic = "lost-calls", key = key)]
struct Call {
    key: String,
    number: u32,
}

/// The answer.
#[event(topic = "lost-answers", key = key)]
struct Answer {
    key: String,
    number: u32,
}

#[derive(Default)]
struct Seen(Mutex<Vec<u32>>);

mod answering {
    use super::*;

    events_kafka::service!("lost-answering");

    #[handler]
    async fn answer(call: Call, seen: State<Seen>) -> Result<Answer> {
        seen.0.lock().unwrap().push(call.number);
        Ok(Answer {
            key: call.key,
            number: call.number,
        })
    }
}

type Cluster = MockCluster<'static, DefaultProducerContext>;

fn cluster() -> Cluster {
    let cluster = MockCluster::new(1).unwrap();
    for topic in ["lost-calls", "lost-answers", "lost-answering.dead-letters"] {
        cluster.create_topic(topic, 1, 1).unwrap();
    }
    cluster
}

/// A request carries few records, so that a failed one has others before and behind it.
fn client(cluster: &Cluster) -> ClientOptions {
    ClientOptions::without_environment()
        .set("bootstrap.servers", cluster.bootstrap_servers())
        .set("batch.num.messages", "10")
}

fn calls() -> impl Iterator<Item = Call> {
    (0..COUNT).map(|number| Call {
        key: "a".into(),
        number,
    })
}

fn fail(cluster: &Cluster, after: usize) {
    let mut errors = vec![FINE; after];
    errors.push(FATAL);
    cluster.request_errors(RDKafkaApiKey::Produce, &errors);
}

async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    let ended = tokio::time::timeout(SOON, future).await;
    ended.unwrap_or_else(|_| panic!("{what}: not after {SOON:?}"))
}

/// What was not acknowledged goes out again on a new producer, in its order; no handler is run again (design §7).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lanes_go_on_with_a_new_producer() {
    let cluster = cluster();
    let edge = Producer::connect("test", client(&cluster)).unwrap();
    edge.publish_all(calls()).await.unwrap();
    fail(&cluster, 3);
    let seen = Arc::new(Seen::default());
    let runtime = Runtime::new("lost-answering")
        .client(client(&cluster))
        .configure(|settings| settings.park = None)
        .shared_state(Arc::clone(&seen));
    let handle = runtime.spawn().await.unwrap();
    eventually("all emissions are acknowledged", async || {
        let done: i64 = handle
            .status()
            .lanes
            .iter()
            .map(|lane| lane.watermark)
            .sum();
        done >= COUNT.into()
    })
    .await;
    let report = handle.drain().await;
    assert!(report.drained, "{report:?}");

    let numbers: Vec<u32> = (0..COUNT).collect();
    assert_eq!(*seen.0.lock().unwrap(), numbers, "handlers run once each");
    let answers = read(&cluster.bootstrap_servers(), "lost-answers", COUNT as usize);
    let number = |answer: &support::Logged| answer.json()["number"].as_u64().unwrap() as u32;
    let mut firsts = BTreeMap::new();
    for answer in &answers {
        let id = answer.header("ce_id").unwrap().to_owned();
        let known = firsts.entry(number(answer)).or_insert_with(|| id.clone());
        assert_eq!(*known, id, "what is sent again keeps its id");
    }
    let written: Vec<_> = answers.iter().map(number).collect();
    let mut once = written.clone();
    once.dedup();
    assert_eq!(
        firsts.into_keys().collect::<Vec<_>>(),
        numbers,
        "nothing is lost"
    );
    // What was written without an answer may come twice, but then everything behind it does too.
    let backwards = once.windows(2).filter(|pair| pair[0] > pair[1]).count();
    assert!(backwards <= 1, "the order of the key: {written:?}");
}

/// The error says that the event may be written, everything behind is answered soon, and the next event goes out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_edge_goes_on_with_a_new_producer() {
    let cluster = cluster();
    let producer = Producer::connect("test", client(&cluster)).unwrap();
    fail(&cluster, 3);
    let failed = soon("every event is answered", producer.publish_all(calls())).await;
    let failed = failed.unwrap_err();
    // Three requests are answered. Each carries ten, or fewer where the client sends before all are enqueued.
    assert!((3..=30).contains(&failed.written), "{failed}");
    let indices: Vec<_> = failed.failures.iter().map(|(index, _)| *index).collect();
    let behind: Vec<_> = (failed.written..COUNT as usize).collect();
    assert_eq!(indices, behind, "{failed}");
    let lost = |failure: &PublishFailed| failure.may_be_written();
    assert!(
        failed.failures.iter().all(|(_, failure)| lost(failure)),
        "{failed}"
    );

    let all = soon("a new producer writes", producer.publish_all(calls())).await;
    assert_eq!(all.unwrap(), COUNT as usize);
    fail(&cluster, 0);
    let call = calls().next().unwrap();
    let failed = soon("one is answered", producer.publish(&call))
        .await
        .unwrap_err();
    assert!(failed.may_be_written(), "{failed}");
    soon("a third one writes", producer.publish(&call))
        .await
        .unwrap();
    assert_eq!(producer.close(SOON).await, 0);
}

mod rejoining {
    use super::*;

    /// Read from a time on, so that an assignment asks the broker for an offset.
    #[event(topic = "lost-dated", key = key)]
    pub(super) struct Dated {
        pub(super) key: String,
        pub(super) number: u32,
    }

    events_kafka::service!("lost-rejoining");

    #[handler(group = "lost-rejoining", start = "2024-01-31T00:00:00Z")]
    async fn note(dated: Dated, seen: State<Seen>) {
        seen.0.lock().unwrap().push(dated.number);
    }
}

/// A rebalance that cannot be carried out does not leave a member that the group believes to read and that does not: it
/// joins anew (D8).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_whose_rebalance_failed_joins_anew() {
    let cluster = cluster();
    for topic in ["lost-dated", "lost-rejoining.dead-letters"] {
        cluster.create_topic(topic, 1, 1).unwrap();
    }
    // The first two look for the log's ends; the third, for the offset of a time, is not asked again.
    let refused = RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
    cluster.request_errors(RDKafkaApiKey::ListOffsets, &[FINE, FINE, refused]);
    let seen = Arc::new(Seen::default());
    let runtime = Runtime::new("lost-rejoining")
        .client(client(&cluster))
        .configure(|settings| {
            settings.park = None;
            settings.commit_interval = Duration::from_millis(50);
        })
        .shared_state(Arc::clone(&seen));
    let handle = runtime.spawn().await.unwrap();
    eventually("the member has its partition after all", async || {
        handle.partitions() > 0 && handle.lag().is_some()
    })
    .await;
    let producer = handle.producer().unwrap();
    let dated = rejoining::Dated {
        key: "a".into(),
        number: 7,
    };
    producer.publish(&dated).await.unwrap();
    eventually("it is read", async || !seen.0.lock().unwrap().is_empty()).await;
    assert!(handle.drain().await.drained);
    assert_eq!(*seen.0.lock().unwrap(), [7]);
}

/// Before its group has given it an assignment a service is not ready, and says why.
#[cfg(feature = "status")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_cannot_join_is_not_ready() {
    let cluster = cluster();
    for topic in ["lost-dated", "lost-rejoining.dead-letters"] {
        cluster.create_topic(topic, 1, 1).unwrap();
    }
    let away = RDKafkaRespErr::RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE;
    // More than it tries within the test.
    cluster.request_errors(RDKafkaApiKey::JoinGroup, &[away; 10_000]);
    let runtime = Runtime::new("lost-rejoining")
        .client(client(&cluster))
        .configure(|settings| settings.park = None)
        .shared_state(Arc::new(Seen::default()))
        .status_address("127.0.0.7:0");
    let handle = runtime.spawn().await.unwrap();
    let at = handle.status_address().unwrap();
    let told = events_status::get(at, "/readyz").await.unwrap();
    assert_eq!(
        (told.status, told.body.as_str()),
        (
            503,
            "lost-rejoining: group lost-rejoining has no assignment yet\n"
        )
    );
    cluster.clear_request_errors(RDKafkaApiKey::JoinGroup);
    eventually("it is ready once it has joined", async || {
        events_status::get(at, "/readyz").await.unwrap().status == 200
    })
    .await;
    assert!(handle.drain().await.drained);
}

//! What a queue takes the client's position for, and a partition whose fetch fails.

use std::collections::BTreeMap;
use std::task::Waker;
use std::time::{Duration, Instant};

use events_core::{event, handler};
use events_runtime::Service;
use events_runtime::offset_map::TopicIds;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer};
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use rdkafka::{Offset, TopicPartitionList};
use tokio::runtime::Runtime;

use super::*;
use crate::options::ClientOptions;
use crate::rebalance::LogIdentity;

const TOPIC: &str = "queue-errors";

#[event(topic = "queue-errors", key = id)]
struct Fetched {
    id: String,
}

#[handler(service = "queue-errors")]
async fn take(_fetched: Fetched) {}

/// A cluster with a partition, and a member's queue of it.
struct Scene {
    cluster: MockCluster<'static, DefaultProducerContext>,
    producer: BaseProducer,
    consumer: Arc<BaseConsumer>,
    queue: PartitionQueue,
    list: TopicPartitionList,
    records: Vec<KafkaRecord>,
    _runtime: Runtime,
}

impl Scene {
    /// With so many records, and assigned at an offset.
    fn set(records: usize, begin: i64) -> Self {
        Self::with(begin, |scene| scene.publish(records))
    }

    fn with(begin: i64, prepare: impl FnOnce(&Self)) -> Self {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic(TOPIC, 1, 1).unwrap();
        let servers = cluster.bootstrap_servers();
        let runtime = Runtime::new().unwrap();
        let plan = Service::new("queue-errors").without_parking().plan();
        let client =
            ClientOptions::without_environment().set("bootstrap.servers", servers.as_str());
        let watch = Watch::new(&plan.unwrap()[0], &client, runtime.handle().clone());
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &servers);
        let producer: BaseProducer = config.create().unwrap();
        config.set("group.id", "queue-errors");
        config.set("enable.auto.commit", "false");
        config.set("auto.offset.reset", "error");
        let consumer: Arc<BaseConsumer> = Arc::new(config.create().unwrap());
        let split = NativeQueue::split(&consumer, TOPIC, 0).unwrap();
        let queue = PartitionQueue::new(split, begin, &watch);
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(TOPIC, 0, Offset::Offset(begin))
            .unwrap();
        let scene = Self {
            cluster,
            producer,
            consumer,
            queue,
            list,
            records: Vec::new(),
            _runtime: runtime,
        };
        prepare(&scene);
        scene.consumer.assign(&scene.list).unwrap();
        scene
    }

    fn publish(&self, records: usize) {
        for _ in 0..records {
            let record = BaseRecord::<str, str>::to(TOPIC).key("k").payload("v");
            self.producer.send(record).unwrap();
        }
        self.producer.flush(Duration::from_secs(30)).unwrap();
    }

    /// Polls until `condition` says of an outcome that it is the one.
    fn poll_until(
        &mut self,
        what: &str,
        condition: impl Fn(&Poll<Result<(), QueueError>>) -> bool,
    ) {
        let end = Instant::now() + Duration::from_secs(60);
        let mut cx = Context::from_waker(Waker::noop());
        loop {
            self.consumer.poll(Duration::from_millis(5));
            let outcome = self.queue.poll_batch(&mut cx, 10, &mut self.records);
            let next = self.records.last().map_or(0, |last| last.offset() + 1);
            let position = self.queue.position();
            assert!(
                position.is_none_or(|position| position == next),
                "{position:?} {next}"
            );
            if condition(&outcome) {
                return;
            }
            assert!(Instant::now() < end, "{what}: not after 60 s");
        }
    }
}

fn is_read(outcome: &Poll<Result<(), QueueError>>) -> bool {
    matches!(outcome, Poll::Ready(Ok(())))
}

fn is_refused(outcome: &Poll<Result<(), QueueError>>) -> bool {
    matches!(outcome, Poll::Ready(Err(_)))
}

/// A rebalance pauses and resumes all partitions of a member (D1).
#[test]
fn no_record_is_lost_behind_an_error_and_a_rebalance() {
    let mut scene = Scene::set(1, 0);
    scene.poll_until("the first record", is_read);
    assert_eq!(scene.queue.position(), Some(1));
    let refused = RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
    scene
        .cluster
        .request_errors(RDKafkaApiKey::Fetch, &[refused]);
    scene.poll_until("the error", is_refused);
    scene.consumer.pause(&scene.list).unwrap();
    scene.consumer.resume(&scene.list).unwrap();
    scene.publish(2);
    scene.poll_until("further records", is_read);
    let offsets: Vec<_> = scene.records.iter().map(RecordView::offset).collect();
    assert_eq!(offsets[..2], [0, 1]);
}

/// The client counts an error as a record that was read, at the offset that it names: it would be committed (D14).
#[test]
fn a_partition_out_of_range_has_no_position() {
    let mut scene = Scene::set(2, 7);
    for _ in 0..3 {
        scene.poll_until("the error", is_refused);
        assert_eq!(scene.queue.position(), None);
    }
    // What this rests upon.
    assert!(scene.queue.queue.position().is_some());
}

/// Partitions that were lost, and come back, are read from what is committed, though the client has read further.
#[test]
fn the_position_of_an_earlier_assignment_does_not_count() {
    let mut scene = Scene::set(2, 0);
    while scene.records.len() < 2 {
        scene.poll_until("the records", is_read);
    }
    assert_eq!(scene.queue.position(), Some(2));
    let split = NativeQueue::split(&scene.consumer, TOPIC, 0).unwrap();
    let watch = Arc::clone(&scene.queue.watch);
    let mut again = PartitionQueue::new(split, 0, &watch);
    assert_eq!(again.position(), None);
    scene.queue = again;
    scene.records.clear();
    scene.consumer.unassign().unwrap();
    scene.consumer.assign(&scene.list).unwrap();
    scene.poll_until("the first record", is_read);
    assert_eq!(scene.records[0].offset(), 0);
}

/// Ten records of one leader, ten of the next; what was committed with the epoch of the first.
fn behind_a_new_leader(committed: i64) -> Scene {
    let mut scene = Scene::with(committed, |scene| {
        scene.publish(10);
        scene.cluster.partition_leader(TOPIC, 0, Some(1)).unwrap();
        scene.publish(10);
    });
    let ids = TopicIds::default();
    let log = Arc::new(LogIdentity::new(ids, committed, 0, String::new()));
    let epochs = EpochWriter::new(log, committed, 0);
    let unasked = Box::new(|_: &[&str], _| Ok(BTreeMap::new()));
    let topics = TopicWatch::new(unasked, scene._runtime.handle().clone());
    let idle = NativeQueue::split(&scene.consumer, "queue-unused", 0).unwrap();
    let idle = PartitionQueue::new(idle, 0, &scene.queue.watch);
    let queue = std::mem::replace(&mut scene.queue, idle);
    scene.queue = queue.identified(epochs, topics);
    scene
}

#[test]
fn a_position_before_a_new_leaders_records_is_validated_and_read_on() {
    let mut scene = behind_a_new_leader(10);
    while scene.records.len() < 10 {
        scene.poll_until("a record is read", is_read);
    }
    let offsets: Vec<_> = scene.records.iter().map(RecordView::offset).collect();
    assert_eq!(offsets, (10..20).collect::<Vec<_>>());
}

/// The leader before had appended more than the one that came: other records stand there now.
#[test]
fn a_position_in_a_log_that_lost_its_tail_and_grew_again_holds_and_says_so() {
    let mut scene = behind_a_new_leader(15);
    scene.poll_until("the position is refused", |outcome| {
        matches!(outcome, Poll::Ready(Err(_)))
    });
    let mut cx = Context::from_waker(Waker::noop());
    let outcome = scene.queue.poll_batch(&mut cx, 10, &mut scene.records);
    let Poll::Ready(Err(QueueError(text))) = outcome else {
        panic!("it holds no more: {outcome:?}");
    };
    assert!(
        text.contains("truncation") && text.contains("--reset-offsets"),
        "{text}"
    );
    assert!(scene.records.is_empty(), "nothing was handed out");
}

//! What a queue takes the client's position for, and a partition whose fetch fails.

use std::task::Waker;
use std::time::{Duration, Instant};

use events_core::{event, handler};
use events_runtime::Service;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer};
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use rdkafka::{Offset, TopicPartitionList};
use tokio::runtime::Runtime;

use super::*;
use crate::options::ClientOptions;

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
        scene.publish(records);
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

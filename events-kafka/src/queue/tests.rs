//! A partition whose fetch fails.

use std::task::Waker;
use std::time::{Duration, Instant};

use events_core::{event, handler};
use events_runtime::Service;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
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

/// Polls until `condition` says of an outcome that it is the one.
fn poll_until(
    what: &str,
    consumer: &BaseConsumer,
    queue: &mut PartitionQueue,
    into: &mut Vec<KafkaRecord>,
    condition: impl Fn(&Poll<Result<(), QueueError>>) -> bool,
) {
    let end = Instant::now() + Duration::from_secs(60);
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        consumer.poll(Duration::from_millis(5));
        if condition(&queue.poll_batch(&mut cx, 10, into)) {
            return;
        }
        assert!(Instant::now() < end, "{what}: not after 60 s");
    }
}

/// A rebalance pauses and resumes all partitions of a member (D1).
#[test]
fn no_record_is_lost_behind_an_error_and_a_rebalance() {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic(TOPIC, 1, 1).unwrap();
    let servers = cluster.bootstrap_servers();
    let runtime = Runtime::new().unwrap();
    let plan = Service::new("queue-errors").without_parking().plan();
    let client = ClientOptions::without_environment().set("bootstrap.servers", servers.as_str());
    let watch = Watch::new(&plan.unwrap()[0], &client, runtime.handle().clone());
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &servers);
    let producer: BaseProducer = config.create().unwrap();
    let publish = || {
        let record = BaseRecord::<str, str>::to(TOPIC).key("k").payload("v");
        producer.send(record).unwrap();
        producer.flush(Duration::from_secs(30)).unwrap();
    };
    publish();

    config.set("group.id", "queue-errors");
    config.set("enable.auto.commit", "false");
    let consumer: Arc<BaseConsumer> = Arc::new(config.create().unwrap());
    let split = NativeQueue::split(&consumer, TOPIC, 0).unwrap();
    let mut queue = PartitionQueue::new(split, 0, &watch);
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(TOPIC, 0, Offset::Offset(0))
        .unwrap();
    consumer.assign(&list).unwrap();
    let mut records = Vec::new();
    let read = |outcome: &Poll<Result<(), QueueError>>| matches!(outcome, Poll::Ready(Ok(())));
    poll_until(
        "the first record",
        &consumer,
        &mut queue,
        &mut records,
        read,
    );

    let refused = RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
    cluster.request_errors(RDKafkaApiKey::Fetch, &[refused]);
    poll_until(
        "the error",
        &consumer,
        &mut queue,
        &mut records,
        |outcome| matches!(outcome, Poll::Ready(Err(_))),
    );
    consumer.pause(&list).unwrap();
    consumer.resume(&list).unwrap();
    publish();
    publish();
    poll_until("further records", &consumer, &mut queue, &mut records, read);
    let offsets: Vec<_> = records.iter().map(RecordView::offset).collect();
    assert_eq!(offsets[..2], [0, 1]);
}

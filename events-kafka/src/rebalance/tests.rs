//! A member whose assignment was lost while nobody polled.

use std::fmt::Debug;
use std::sync::Mutex;
use std::time::Instant;

use events_core::{event, handler};
use events_runtime::Service;
use rdkafka::mocking::MockCluster;
use rdkafka::types::RDKafkaApiKey;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber, subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use events_runtime::Position;
use rdkafka::consumer::CommitMode;

use super::*;
use crate::member::ConsumerFactory;
use crate::options::ClientOptions;
use crate::sink::LaneProducer;

#[event(topic = "rebalance-lost", key = id)]
struct Lost {
    id: String,
}

#[handler(service = "rebalance-lost")]
async fn count(_lost: Lost) {}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<String>>);

impl Visit for Lines {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            *self.0.lock().unwrap() += &format!("{value:?}\n");
        }
    }
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        event.record(&mut self.clone());
    }
}

fn until(what: &str, condition: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < end, "{what}: not after 30 s");
        std::thread::yield_now();
    }
}

#[test]
fn a_member_that_lost_its_assignment_commits_nothing() {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic("rebalance-lost", 1, 1).unwrap();
    let client = ClientOptions::without_environment()
        .set("bootstrap.servers", cluster.bootstrap_servers())
        .set("heartbeat.interval.ms", "50");
    let service = Service::new("rebalance-lost").without_parking();
    let plan = service.plan().unwrap().remove(0);
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let handle = runtime.handle().clone();
    let lanes = LaneProducer::start(&client).unwrap();
    let group = Arc::new(Group::new(plan, Arc::clone(&lanes) as _, handle.clone()));
    let outage = Outage::new(&client, &[], handle.clone());
    let drain = Duration::from_secs(1);
    let factory = ConsumerFactory::new(&group, &client, handle, &lanes, &outage, drain).unwrap();
    let consumer = factory.consumer().unwrap();
    until("the member has its partition", || {
        consumer.poll(Duration::from_millis(10));
        !group.partitions().is_empty()
    });

    let lost = RDKafkaRespErr::RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION;
    cluster.request_errors(RDKafkaApiKey::Heartbeat, &[lost; 100]);
    until("the assignment is lost", || consumer.assignment_lost());
    let position = Position {
        watermark: 7,
        metadata: String::new(),
        parked: None,
    };
    let positions = [(TopicPartition::new("rebalance-lost", 0), position)];
    let lines = Lines::default();
    let log = tracing_subscriber::registry().with(lines.clone());
    subscriber::with_default(log, || {
        commit(&consumer, &positions, CommitMode::Sync);
    });
    // Lanes end before their consumer does.
    runtime.block_on(group.lose(&group.partitions()));
    let said = lines.0.lock().unwrap().clone();
    assert!(said.starts_with("the assignment was lost"), "{said}");
    assert_eq!(said.lines().count(), 1, "the broker is not asked: {said}");
}

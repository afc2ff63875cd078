//! A member whose consumer raises fatal errors.

use std::time::Instant;

use events_core::{event, handler};
use events_runtime::Service;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::RDKafkaRespErr;
use tokio::runtime::{Builder, Runtime};

use super::*;
use crate::sink::LaneProducer;

#[event(topic = "member-fatal", key = id)]
struct Fatal {
    id: String,
}

#[handler(service = "member-fatal")]
async fn count(_fatal: Fatal) {}

/// A member whose consumer a test can reach.
struct Scene {
    runtime: Runtime,
    _cluster: MockCluster<'static, DefaultProducerContext>,
    group: Arc<Group>,
    membership: Arc<Membership>,
    consumer: std::sync::Weak<BaseConsumer<MemberContext>>,
    orders: Sender<Stop>,
    polling: thread::JoinHandle<()>,
}

impl Scene {
    fn set() -> Self {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic("member-fatal", 2, 1).unwrap();
        let client = ClientOptions::without_environment()
            .set("bootstrap.servers", cluster.bootstrap_servers())
            .set("group.instance.id", "pod-0");
        let plan = Service::new("member-fatal").without_parking().plan();
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let lanes = LaneProducer::start(&client).unwrap();
        let handle = runtime.handle().clone();
        let group = Arc::new(Group::new(
            plan.unwrap().remove(0),
            Arc::clone(&lanes) as _,
            handle.clone(),
        ));
        let drain = Duration::from_secs(1);
        let outage = Outage::new(&client, &[], handle.clone());
        let factory =
            ConsumerFactory::new(&group, &client, handle, &lanes, &outage, drain).unwrap();
        let (orders, inbox) = mpsc::channel();
        let consumer = factory.consumer().unwrap();
        let scene = (Arc::clone(&factory.membership), Arc::downgrade(&consumer));
        let poller = Poller {
            stable: StableOffsets::default(),
            committer: Committer::start(&consumer, &group).unwrap(),
            consumer,
            factory,
            group: Arc::clone(&group),
            inbox,
            interval: Duration::from_millis(100),
            lag: Arc::default(),
            backoff: Backoff::default(),
        };
        Self {
            runtime,
            _cluster: cluster,
            group,
            membership: scene.0,
            consumer: scene.1,
            orders,
            polling: thread::spawn(move || poller.run()),
        }
    }

    fn raise(&self, code: RDKafkaRespErr) {
        let consumer = self.consumer.upgrade().unwrap();
        ffi::raise_fatal(consumer.client(), code);
    }

    /// Epochs of its lanes, which count assignments.
    fn epochs(&self) -> Vec<u64> {
        self.group.request_positions();
        let lanes = self.group.lane_status();
        lanes.iter().map(|lane| lane.epoch).collect()
    }

    /// Leaves the group; answers what the drain came to.
    fn leave(self) -> ShutdownReport {
        let (report, answer) = oneshot::channel();
        let (left, _gone) = oneshot::channel();
        let (noticed, _notice) = oneshot::channel();
        let (_drained, revoked) = oneshot::channel();
        let until = Instant::now() + Duration::from_secs(1);
        let stop = Stop {
            until,
            noticed,
            claimed: Arc::default(),
            revoked,
            report,
            left,
        };
        self.orders.send(stop).unwrap();
        let report = self.runtime.block_on(answer).unwrap();
        self.polling.join().unwrap();
        report
    }
}

fn until(what: &str, condition: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < end, "{what}: not after 60 s");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_consumer_that_ended_with_a_fatal_error_is_replaced() {
    let scene = Scene::set();
    until("both partitions are assigned", || scene.epochs() == [1, 2]);
    assert_eq!(scene.membership.trouble(), None);
    scene.raise(RDKafkaRespErr::RD_KAFKA_RESP_ERR_GROUP_MAX_SIZE_REACHED);
    until("the status names the cause", || {
        let trouble = scene.membership.trouble().unwrap_or_default();
        trouble.contains("the group is full") && trouble.contains("`member-fatal`")
    });
    until("the next consumer has both partitions", || {
        scene.epochs() == [3, 4]
    });
    until("nothing is wrong any more", || {
        scene.membership.trouble().is_none()
    });
    assert!(scene.leave().drained);
}

#[test]
fn a_fenced_consumer_is_not_replaced() {
    let scene = Scene::set();
    until("both partitions are assigned", || scene.epochs() == [1, 2]);
    scene.raise(RDKafkaRespErr::RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID);
    until("its lanes and its consumer have ended", || {
        scene.epochs().is_empty() && scene.consumer.strong_count() == 0
    });
    let trouble = scene.membership.trouble().unwrap_or_default();
    assert!(trouble.contains("group.instance.id `pod-0`"), "{trouble}");
    assert!(!scene.membership.is_assigned());
    // It is told while it waits for nothing.
    assert!(scene.leave().drained);
}

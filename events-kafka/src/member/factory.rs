//! What it takes to make a consumer that joins a member's group.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use events_runtime::{Group, GroupPlan};
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};
use tokio::runtime::Handle;

use crate::membership::Membership;
use crate::options::{ClientOptions, GroupProtocol};
use crate::outage::Outage;
use crate::parked::ParkedLogs;
use crate::rebalance::{Delayed, LogIdentities, MemberContext, Questions};
use crate::rights::Watch;
use crate::sink::LaneProducer;
use crate::topic_watch::{Ask, TopicWatch};

/// Makes the consumers of a member: one at the start, and another whenever one has raised a fatal
/// error.
pub(crate) struct ConsumerFactory {
    group: Arc<Group>,
    client: ClientOptions,
    pub(super) handle: Handle,
    drain: Duration,
    pub(super) membership: Arc<Membership>,
    /// Whether the group's protocol is that of KIP-848.
    pub(super) coordinator_assigns: bool,
    pub(super) watch: Arc<Watch>,
    outage: Arc<Outage>,
    lanes: Arc<LaneProducer>,
    pub(super) delayed: Arc<Delayed>,
    pub(super) parked: Option<Arc<ParkedLogs>>,
}

impl ConsumerFactory {
    /// `drain` is how long a revoked partition may finish what runs.
    pub(crate) fn new(
        group: &Arc<Group>,
        client: &ClientOptions,
        handle: Handle,
        lanes: &Arc<LaneProducer>,
        outage: &Arc<Outage>,
        drain: Duration,
    ) -> KafkaResult<Self> {
        let plan = group.plan();
        let watch = Watch::new(plan, client, handle.clone());
        let parked = ParkedLogs::open(plan, client, handle.clone(), Arc::clone(&watch), lanes)?;
        Ok(Self {
            group: Arc::clone(group),
            client: client.clone(),
            handle,
            drain,
            coordinator_assigns: client.protocol() == GroupProtocol::Consumer,
            membership: Membership::new(&plan.group, client.property("group.instance.id")),
            watch,
            outage: Arc::clone(outage),
            lanes: Arc::clone(lanes),
            delayed: Arc::default(),
            parked: parked.map(Arc::new),
        })
    }

    /// A consumer, which joins the group once it is polled.
    pub(crate) fn consumer(&self) -> KafkaResult<Arc<BaseConsumer<MemberContext>>> {
        let plan = self.group.plan();
        let context = MemberContext {
            group: Arc::clone(&self.group),
            parked: self.parked.clone(),
            handle: self.handle.clone(),
            drain: self.drain,
            consumer: OnceLock::new(),
            rejoin: AtomicBool::new(false),
            closing: AtomicBool::new(false),
            commits: Mutex::default(),
            membership: Arc::clone(&self.membership),
            watch: Arc::clone(&self.watch),
            outage: Arc::clone(&self.outage),
            delayed: Arc::clone(&self.delayed),
            logs: LogIdentities::default(),
            questions: Questions::default(),
            topics: TopicWatch::new(self.topic_ids(), self.handle.clone()),
        };
        let config = self.client.consumer(&plan.group, &plan.settings);
        let consumer = Arc::new(BaseConsumer::from_config_and_context(&config, context)?);
        // Nobody else has set it.
        let _ = consumer.context().consumer.set(Arc::downgrade(&consumer));
        subscribe(&consumer, plan)?;
        Ok(consumer)
    }

    /// Asks through the producer: a question to the consumer waits behind its fetches.
    fn topic_ids(&self) -> Box<Ask> {
        let lanes = Arc::clone(&self.lanes);
        Box::new(move |topics, patience| lanes.topic_ids(topics, patience))
    }

    /// Looks into an error that the client reports.
    pub(super) fn suspect(&self, error: &KafkaError) {
        self.watch.suspect(error);
        self.membership.suspect(error);
        self.outage.suspect(error);
    }
}

pub(super) fn subscribe(
    consumer: &BaseConsumer<MemberContext>,
    plan: &GroupPlan,
) -> KafkaResult<()> {
    let topics: Vec<_> = plan.topics.keys().map(String::as_str).collect();
    consumer.subscribe(&topics)
}

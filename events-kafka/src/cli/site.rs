//! What the commands know of this binary's services: their groups, their topics, who handles what.

use std::sync::Arc;
use std::time::Duration;

use events_core::{Error, Outgoing, Registry, Result};
use events_runtime::{GroupPlan, HandlerPlan};

use crate::options::ClientOptions;
use crate::producer::Producer;
use crate::reader::Reader;
use crate::services::Services;
use crate::topics::{self, Ensure};

/// Largest record that a letter may grow to, in bytes; what a topic takes is the broker's to say.
const LARGEST: usize = 64 << 20;
/// How long the producer may take to say goodbye; what it was given is acknowledged by then.
const GOODBYE: Duration = Duration::from_secs(5);

/// What the commands know of this binary's services.
pub(super) struct Site {
    pub(super) client: ClientOptions,
    pub(super) registry: Registry,
    pub(super) groups: Vec<Group>,
}

/// A consumer group of one of the services.
pub(super) struct Group {
    pub(super) plan: Arc<GroupPlan>,
    /// How its missing topics are made.
    ensure: Option<Ensure>,
}

impl Site {
    /// # Errors
    ///
    /// All faults of the services at once, or there is no cluster to look at.
    pub(super) fn open(services: Services) -> Result<Self> {
        let runtimes = services.into_runtimes();
        let first = runtimes.first();
        let first = first.ok_or_else(|| Error::msg("this binary has no services"))?;
        let (client, registry) = (first.current_client().clone(), first.registry().clone());
        if client.is_embedded() {
            return Err(Error::msg(
                "no cluster to look at: set KAFKA_BOOTSTRAP_SERVERS ; for a service that runs on the embedded cluster, to the `address` that it logs at its start",
            ));
        }
        let mut client = client;
        client.take_records_of(LARGEST);
        let mut groups = Vec::new();
        for runtime in runtimes {
            let (plans, ensure) = runtime.into_plans()?;
            groups.extend(plans.into_iter().map(|plan| Group { plan, ensure }));
        }
        Ok(Self {
            client,
            registry,
            groups,
        })
    }

    /// The handler called `service/handler`, or `handler` if only one service has one, and its group.
    ///
    /// # Errors
    ///
    /// There is none; the text names those that there are.
    pub(super) fn handler(&self, name: &str) -> Result<(&Group, &Arc<HandlerPlan>), String> {
        let all = || {
            let groups = self.groups.iter();
            groups.flat_map(|group| group.plan.handlers.iter().map(move |plan| (group, plan)))
        };
        let is = |plan: &HandlerPlan| plan.stable_name == name || plan.descriptor.name == name;
        let mut found: Vec<_> = all().filter(|(_, plan)| is(plan)).collect();
        match (found.pop(), found.is_empty()) {
            (Some(only), true) => Ok(only),
            _ => {
                let known: Vec<_> = all().map(|(_, plan)| &*plan.stable_name).collect();
                Err(format!(
                    "this binary has no handler `{name}`; it has {}",
                    known.join(", ")
                ))
            }
        }
    }

    /// A reader that sees what `group` has committed.
    pub(super) async fn reader(&self, group: &str) -> Result<Reader> {
        Ok(Reader::connect(&self.client, group).await?)
    }

    pub(super) fn writer(&self) -> Result<Writer> {
        let producer = Producer::connect("command-line", self.client.clone())?;
        Ok(Writer(producer))
    }

    /// Sees to it that a parked topic exists: makes the group's topics where it may, otherwise says how to make it.
    pub(super) async fn need(&self, group: &Group, reader: &Reader, topic: &str) -> Result<()> {
        if reader.partitions(topic).is_some() {
            return Ok(());
        }
        let (plans, mut client) = ([Arc::clone(&group.plan)], self.client.clone());
        if group.ensure.is_some() {
            let service = &group.plan.service;
            topics::prepare(service.service(), &plans, &mut client, group.ensure).await?;
            return Ok(());
        }
        let faults = topics::faults(group.plan.service.service(), &plans, &client, None).await?;
        let missing = faults.iter().find(|fault| fault.code == "missing-topics");
        Err(Error::msg(match missing {
            Some(fault) => format!("the topic `{topic}` does not exist; {fault}"),
            None => format!("the topic `{topic}` does not exist"),
        }))
    }
}

/// Appends records, in order for each partition.
pub(super) struct Writer(Producer);

/// Tells where a record stands once it does.
pub(super) type Receipt = crate::producer::Receipt;

impl Writer {
    /// Appends a record; the receipt tells when it is there.
    pub(super) async fn append(&self, what: &'static str, record: &Outgoing) -> Result<Receipt> {
        Ok(self.0.enqueue_record(what, record).await?)
    }

    pub(super) async fn close(self) {
        self.0.close(GOODBYE).await;
    }
}

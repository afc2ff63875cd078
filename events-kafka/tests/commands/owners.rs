//! A second owner, as the groups of a cluster tell it.

use std::time::Duration;

use events_kafka::{ClientOptions, Registry, Runtime, command, event, handler};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::{Offset, TopicPartitionList};

use crate::support::{client, real, topic, unique};

/// Ships an order.
#[command(owner = "commands-dock", key = id)]
struct Ship {
    id: String,
}

/// An order was shipped.
#[event(topic = "commands-shipped", key = id)]
struct Shipped {
    id: String,
}

const MEMBER: &str = "commands-member";
const FORMER: &str = "commands-former";
/// How long the cluster may take for one answer.
const SOON: Duration = Duration::from_secs(20);
const TOPIC: &str = "commands-dock.ship";

#[handler(service = "commands-dock")]
async fn ship(command: Ship) -> Shipped {
    Shipped { id: command.id }
}

/// Also the owner's, though by a group of its own.
#[handler(service = "commands-dock", group = "commands-dock-log")]
async fn log(_command: Ship) {}

/// Not the owner.
#[handler(service = "commands-thief")]
async fn steal(_command: Ship) {}

fn dock() -> Runtime {
    runtime("commands-dock").ensure_topics(2, 1)
}

fn runtime(service: &str) -> Runtime {
    Runtime::with_registry(service, Registry::linked()).client(client())
}

#[tokio::test]
async fn a_handler_of_another_service_keeps_it_from_starting() {
    let thief = runtime("commands-thief");
    let checked = thief.check().unwrap_err().to_string();
    let started = thief.spawn().await.unwrap_err().to_string();
    assert_eq!(started, checked);
    assert!(
        checked.contains("takes the command `Ship`, which belongs to `commands-dock`"),
        "{checked}"
    );
}

/// A consumer of somebody else's, which this framework knows nothing of.
struct Other {
    group: String,
    consumer: BaseConsumer,
}

impl Other {
    fn new(group: &str) -> Self {
        let address = ClientOptions::new()
            .address()
            .unwrap_or_default()
            .to_owned();
        let group = unique(group);
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", address)
            .set("group.id", &group)
            .set("auto.offset.reset", "earliest")
            .set("enable.auto.commit", "false");
        let consumer = config.create().unwrap();
        Self { group, consumer }
    }

    fn commit(&self, topic: &str) {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, 0, Offset::Offset(0))
            .unwrap();
        self.consumer.commit(&list, CommitMode::Sync).unwrap();
    }

    /// Joins, and waits for its partitions.
    fn join(&self) {
        self.consumer.subscribe(&[TOPIC]).unwrap();
        while self.consumer.assignment().unwrap().count() == 0 {
            let _ = self.consumer.poll(Duration::from_millis(50));
        }
    }
}

/// Groups of this test go, so that they accuse nobody in the next run: those of a run that failed too.
async fn forget() {
    let mut config = ClientConfig::new();
    config.set(
        "bootstrap.servers",
        ClientOptions::new().address().unwrap_or_default(),
    );
    let admin: AdminClient<DefaultClientContext> = config.create().unwrap();
    let listed = admin.inner().fetch_group_list(None, SOON).unwrap();
    let names = listed.groups().iter().map(|group| group.name());
    let ours: Vec<_> = names
        .filter(|name| name.starts_with(MEMBER) || name.starts_with(FORMER))
        .collect();
    if !ours.is_empty() {
        let gone = admin.delete_groups(&ours, &AdminOptions::new()).await;
        assert!(gone.unwrap().iter().all(Result::is_ok));
    }
}

/// The embedded cluster lists no groups; that is said, and tested where it is made.
#[tokio::test]
async fn another_group_on_a_commands_topic_keeps_a_strict_owner_from_starting() {
    if !real() {
        let handle = dock().spawn().await.unwrap();
        assert!(handle.drain().await.drained);
        return;
    }
    forget().await;
    // Its own groups, of which one has its own name, accuse nobody.
    let handle = dock().spawn().await.unwrap();
    dock().check_broker().await.unwrap();
    assert!(handle.drain().await.drained);
    topic("commands-shipped", 2).await;

    // One that only reads other topics does not count.
    let bystander = Other::new("commands-bystander");
    bystander.commit("commands-shipped");
    let member = Other::new(MEMBER);
    member.join();
    let former = Other::new(FORMER);
    former.commit(TOPIC);
    let refused = |error: String| {
        for words in [
            "2 faults",
            &*format!("the consumer group `{}` reads `{TOPIC}`", member.group),
            &*format!(
                "the consumer group `{}` has committed offsets of `{TOPIC}`",
                former.group
            ),
            "the topic of the command `Ship`, which `commands-dock` alone handles",
            &*format!("--delete-offsets --group {} --topic {TOPIC}", former.group),
        ] {
            assert!(error.contains(words), "{words}: {error}");
        }
    };
    refused(dock().check_broker().await.unwrap_err().to_string());
    let strict = dock().strict_owners(true).spawn().await;
    refused(strict.unwrap_err().to_string());
    // What anybody may commit keeps no other owner from its work.
    assert!(dock().spawn().await.unwrap().drain().await.drained);
    let known = [member.group.as_str(), former.group.as_str()];
    dock().allow_observers(known).check_broker().await.unwrap();

    drop((member, former));
    forget().await;
    dock().check_broker().await.unwrap();
}

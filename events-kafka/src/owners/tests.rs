//! What groups tell of owners, without a cluster.

use events_core::{Event, command, event, handler};

use super::*;
use crate::topics::Reading;

#[command(owner = "owners-depot", key = id)]
struct Reserve {
    id: String,
}

#[command(owner = "owners-depot", topic = "owners-mixed")]
struct Count;

#[event(topic = "owners-mixed")]
struct Counted;

#[handler(service = "owners-depot")]
async fn reserve(_command: Reserve) {}

#[handler(service = "owners-depot", group = "owners-counters")]
async fn count(_command: Count) -> Counted {
    Counted
}

fn owned(observers: &[&str]) -> Owned {
    let observers = observers.iter().map(|&group| group.to_owned()).collect();
    Owned::of("owners-depot", &Registry::linked(), &observers)
}

fn groups(all: &[(&str, &str, Reading)]) -> Groups {
    let mut groups = Groups::default();
    for (group, topic, reading) in all {
        let topics = groups.reading.entry((*group).to_owned()).or_default();
        topics.insert((*topic).to_owned(), *reading);
    }
    groups
}

fn judge(owned: &Owned, groups: &Groups) -> (Vec<String>, Vec<String>) {
    let client = ClientOptions::without_environment().set("bootstrap.servers", "kafka:9092");
    let found = owned.judge(groups, &client);
    let texts = |faults: Vec<Fault>| faults.iter().map(Fault::to_string).collect();
    (texts(found.faults), texts(found.notes))
}

const MEMBERS: Reading = Reading {
    members: 2,
    committed: true,
};
const STOPPED: Reading = Reading {
    members: 0,
    committed: true,
};

#[test]
fn another_group_on_a_commands_topic_is_a_fault() {
    let topic = Reserve::DESCRIPTOR.topic;
    let seen = groups(&[
        ("billing", topic, MEMBERS),
        ("former", topic, STOPPED),
        ("reader", "elsewhere", MEMBERS),
    ]);
    let (faults, _) = judge(&owned(&[]), &seen);
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(
        faults[0].contains("`billing` reads `owners-depot.reserve`, the topic of the command `Reserve`, which `owners-depot` alone handles"),
        "{faults:?}"
    );
    assert!(
        faults[1].contains("`former` has committed offsets of")
            && faults[1].contains(
                "--bootstrap-server kafka:9092 --delete-offsets --group former --topic owners-depot.reserve"
            ),
        "{faults:?}"
    );
    let (faults, _) = judge(&owned(&["billing", "former"]), &seen);
    assert_eq!(faults, [""; 0], "both only look on");
}

#[test]
fn who_reads_a_topic_for_its_other_events_is_not_accused() {
    let seen = groups(&[("billing", Count::DESCRIPTOR.topic, MEMBERS)]);
    let (faults, notes) = judge(&owned(&[]), &seen);
    assert_eq!(faults, [""; 0]);
    assert!(
        notes[0].contains("other events come on `owners-mixed`"),
        "{notes:?}"
    );
}

#[test]
fn what_cannot_be_seen_is_said() {
    let mut seen = groups(&[]);
    seen.hidden = true;
    seen.silent = 3;
    let (faults, notes) = judge(&owned(&[]), &seen);
    assert_eq!(faults, [""; 0]);
    assert!(
        notes[0].contains("--operation Describe --group '*'"),
        "{notes:?}"
    );
    assert!(
        notes[1].contains("3 of the cluster's consumer groups"),
        "{notes:?}"
    );
}

#[test]
fn who_owns_no_command_needs_no_right_for_it() {
    let nobody = Owned::of("owners-other", &Registry::linked(), &BTreeSet::new());
    assert!(nobody.right().is_none());
    assert_eq!(
        owned(&[]).right().unwrap().to_string(),
        "Describe the consumer group `*`"
    );
}

#[tokio::test]
async fn the_embedded_cluster_shows_nobody_and_that_is_said() {
    let client = ClientOptions::without_environment().embedded();
    let found = owned(&[]).look(&[], &client).await.unwrap();
    assert_eq!(found.faults, []);
    let [note] = &found.notes[..] else {
        panic!("one note: {:?}", found.notes);
    };
    assert!(
        note.message.contains("the embedded cluster does not tell"),
        "{note}"
    );
    let nobody = Owned::of("owners-other", &Registry::linked(), &BTreeSet::new());
    let found = nobody.look(&[], &client).await.unwrap();
    assert_eq!(found.notes, [], "it owns no command");
}

use std::collections::BTreeSet;

use super::*;
use crate::options::ClientOptions;

const PARKED: &str = "shop.parked.orders";

fn wanted() -> Wanted {
    Wanted {
        parked: BTreeMap::from([(PARKED.to_owned(), "orders".to_owned())]),
        ..Wanted::default()
    }
}

fn state(missing: &[&str], settings: TopicSettings) -> State {
    State {
        existing: Existing {
            partitions: BTreeMap::from([("orders".to_owned(), 3)]),
            leaderless: BTreeMap::new(),
            brokers: 1,
        },
        settings: BTreeMap::from([(PARKED.to_owned(), settings)]),
        missing: missing.iter().map(|name| (*name).to_owned()).collect(),
    }
}

/// Nobody is asked: only the address is written out.
fn catalog() -> Catalog {
    let client = ClientOptions::without_environment().set("bootstrap.servers", "127.0.0.1:1");
    Catalog::connect(&client).unwrap()
}

#[test]
fn parked_topics_are_made_to_keep_what_waits() {
    let state = state(&[PARKED], TopicSettings::default());
    let ensure = Ensure {
        partitions: 8,
        replication: 1,
    };
    let makings = state.makings(&wanted(), ensure);
    assert_eq!((makings.len(), makings[0].partitions), (1, 3));
    let faults = state.faults(&catalog(), &wanted(), false);
    assert_eq!(faults[0].code, "missing-topics");
    for (name, value) in [
        ("cleanup.policy", "delete"),
        ("retention.bytes", "-1"),
        ("retention.ms", "-1"),
    ] {
        assert_eq!(makings[0].settings.get(name).unwrap(), value);
        let printed = format!("--config {name}={value}");
        let text = faults[0].to_string();
        assert!(text.contains(&printed), "{printed}: {text}");
    }
}

#[test]
fn settings_that_lose_parked_records_are_faults_with_the_command() {
    let kept = TopicSettings {
        max_bytes: None,
        retention: Some(-1),
        retention_bytes: Some(-1),
        compacted: Some(false),
    };
    let catalog = catalog();
    for fine in [kept, TopicSettings::default()] {
        assert!(
            state(&[], fine)
                .faults(&catalog, &wanted(), true)
                .is_empty()
        );
    }
    let lossy = TopicSettings {
        max_bytes: None,
        retention: Some(1000),
        retention_bytes: Some(0),
        compacted: Some(true),
    };
    let faults = state(&[], lossy).faults(&catalog, &wanted(), true);
    let expected = [
        ("parked-retention", "retention.ms=-1"),
        ("parked-retention-bytes", "retention.bytes=-1"),
        ("parked-compaction", "cleanup.policy=delete"),
    ];
    assert_eq!(faults.len(), expected.len(), "{faults:?}");
    for (fault, (code, setting)) in faults.iter().zip(expected) {
        assert_eq!(fault.code, code);
        let command = format!("--entity-name {PARKED} --add-config {setting}");
        assert!(fault.to_string().contains(&command), "{fault}");
    }
}

const LETTERS: &str = "shop.dead-letters";

fn wanted_letters() -> Wanted {
    let sources = BTreeSet::from(["orders".to_owned()]);
    Wanted {
        letters: BTreeMap::from([(LETTERS.to_owned(), sources)]),
        ..Wanted::default()
    }
}

/// A letter is as old as its record: with a bound it may be gone as soon as it is written.
#[test]
fn dead_letter_topics_are_made_to_keep_letters_of_old_records() {
    let state = state(&[LETTERS], TopicSettings::default());
    let ensure = Ensure {
        partitions: 8,
        replication: 1,
    };
    let makings = state.makings(&wanted_letters(), ensure);
    for (name, value) in [
        ("cleanup.policy", "delete"),
        ("retention.bytes", "-1"),
        ("retention.ms", "-1"),
    ] {
        assert_eq!(makings[0].settings.get(name).unwrap(), value);
    }
}

#[test]
fn settings_that_lose_dead_letters_are_warnings_and_compaction_a_fault() {
    let lossy = TopicSettings {
        max_bytes: None,
        retention: Some(604_800_000),
        retention_bytes: Some(1 << 30),
        compacted: Some(true),
    };
    let mut state = state(&[], TopicSettings::default());
    state.settings = BTreeMap::from([(LETTERS.to_owned(), lossy)]);
    let catalog = catalog();
    let warnings = state.warnings(&catalog, &wanted_letters());
    let faults = state.faults(&catalog, &wanted_letters(), true);
    let expected = [
        ("dead-letter-retention", "retention.ms=-1"),
        ("dead-letter-retention-bytes", "retention.bytes=-1"),
        ("dead-letter-compaction", "cleanup.policy=delete"),
    ];
    assert_eq!((warnings.len(), faults.len()), (2, 1), "{faults:?}");
    for (fault, (code, setting)) in warnings.iter().chain(&faults).zip(expected) {
        assert_eq!(fault.code, code);
        let command = format!("--entity-name {LETTERS} --add-config {setting}");
        assert!(fault.to_string().contains(&command), "{fault}");
    }
}

#[test]
fn batches_are_no_larger_than_the_smallest_topic_takes() {
    let mut state = state(&[], TopicSettings::default());
    assert_eq!(state.smallest_record(), BROKER_MAX_MESSAGE);
    for (topic, bytes) in [("orders", 2_000_000), ("notes", 100_000)] {
        let settings = TopicSettings {
            max_bytes: Some(bytes),
            ..TopicSettings::default()
        };
        state.settings.insert(topic.to_owned(), settings);
    }
    let mut client = ClientOptions::without_environment();
    super::super::size(&mut client, &state, &[]);
    assert_eq!(client.property("batch.size"), Some("100000"));
    let mut client = ClientOptions::without_environment().set("batch.size", "5");
    super::super::size(&mut client, &state, &[]);
    assert_eq!(client.property("batch.size"), Some("5"));
}

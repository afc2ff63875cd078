//! The right to see who else handles a command can be done without.

use events_kafka::{Runtime, command, handler};
use serde_json::Value;

use crate::broker::{Broker, shop};
use crate::right::Right;
use crate::shop::{NAME, alone, says};

const DEPOT: &str = "secured-depot";
const PACK: &str = "secured-depot.pack";
const TOPICS: [&str; 3] = [
    PACK,
    "secured-depot.dead-letters",
    "secured-depot.parked.secured-depot.pack",
];
const FORMER: &str = "secured-former";

/// Packs a parcel.
#[command(owner = "secured-depot", key = id)]
struct Pack {
    id: String,
}

#[handler(service = "secured-depot")]
async fn pack(_command: Pack) {}

fn depot() -> Runtime {
    Runtime::new(DEPOT).client(shop())
}

fn depot_says(arguments: &str) -> Value {
    let answer = says(arguments, &[(NAME, DEPOT)]);
    serde_json::from_str(&answer.out)
        .unwrap_or_else(|error| panic!("{error}: {}\n{}", answer.out, answer.err))
}

#[tokio::test]
#[expect(clippy::await_holding_lock, reason = "one test at a time")]
async fn without_the_right_to_see_all_groups_a_second_owner_is_not_seen_and_that_is_noted() {
    let _alone = alone();
    let broker = Broker::connect();
    broker.make(&TOPICS).await;
    let listed = depot_says("check --acls --json");
    let needed = Right::listed(&listed[0]);
    let optional = &listed[0]["optional"][0];
    let seeing = Right::new("group", "*", "Describe");
    assert!(!needed.contains(&seeing), "{needed:?}");
    assert_eq!(
        optional["right"],
        serde_json::json!({ "resource": "group", "name": "*", "operations": ["Describe"] })
    );
    let text = says("check --acls", &[(NAME, DEPOT)]).out;
    assert!(
        text.contains("# secured-depot, not needed to run: with it the start sees")
            && text.contains("--operation Describe --group '*'"),
        "{text}"
    );
    let mut all = needed.clone();
    all.push(seeing.clone());
    broker.grant_only(&needed, &all);
    broker.commit(FORMER, PACK);

    let checked = depot_says("check --broker --json");
    assert_eq!(checked["faults"], serde_json::json!([]));
    let note = checked["notes"][0].to_string();
    for words in [
        "owners-unseen",
        "may not see all consumer groups",
        "--allow-principal User:shop --operation Describe --group '*'",
    ] {
        assert!(note.contains(words), "{words}: {note}");
    }
    let handle = depot().spawn().await.unwrap();
    assert!(handle.drain().await.drained);

    broker.grant(&seeing);
    let error = depot().check_broker().await.unwrap_err().to_string();
    assert!(
        error.contains("1 fault")
            && error.contains(
                "the consumer group `secured-former` has committed offsets of `secured-depot.pack`"
            ),
        "{error}"
    );
    let strict = depot().strict_owners(true).spawn().await;
    let started = strict.unwrap_err().to_string();
    assert_eq!(started, error);
    broker.forget(FORMER).await;
    let checked = depot_says("check --broker --json");
    // The topic of manifests is another matter: nobody has made it here.
    let notes = checked["notes"].as_array().unwrap().iter();
    let codes: Vec<_> = notes.map(|note| note["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["manifests-missing"], "all groups are seen");
    assert_eq!(checked["faults"], serde_json::json!([]));
    broker.grant_only(&[], &all);
}

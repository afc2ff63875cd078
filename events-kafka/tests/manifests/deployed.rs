//! Published at the start, compared at the next.

use events_core::manifest::EventEntry;
use events_kafka::Embedded;

use crate::shop::{
    DEPOT, ONE_AT_A_TIME, TOPIC, YARD, count, imitation, names, newest, publish, run_once, runtime,
};
use crate::support::{read_all, real, settings};

#[tokio::test]
async fn a_service_says_what_it_is_once_for_each_build() {
    if !real() {
        // Nothing is published, and nothing is missed.
        run_once(runtime(DEPOT)).await;
        return;
    }
    let _alone = ONE_AT_A_TIME.lock().await;
    let before = read_all(TOPIC);
    run_once(runtime(DEPOT).publish_manifest(false)).await;
    assert_eq!(
        count(&read_all(TOPIC), DEPOT),
        count(&before, DEPOT),
        "off by option"
    );

    run_once(runtime(DEPOT)).await;
    let records = read_all(TOPIC);
    let written = newest(&records, DEPOT).expect("it is published").json();
    assert_eq!(
        written,
        serde_json::to_value(runtime(DEPOT).manifest()).unwrap()
    );
    assert_eq!(names(&written["handlers"], "handler"), ["store"]);
    assert_eq!(written["handlers"][0]["policy"]["attempts"], 5);
    let made = settings(TOPIC).await;
    assert_eq!(made["cleanup.policy"], "compact");

    run_once(runtime(DEPOT)).await;
    assert_eq!(
        count(&read_all(TOPIC), DEPOT),
        count(&records, DEPOT),
        "the same build"
    );

    let other = || runtime(DEPOT).configure(|settings| settings.retry.attempts = 2);
    run_once(other()).await;
    let records = read_all(TOPIC);
    let written = newest(&records, DEPOT).unwrap().json();
    assert_eq!(written["handlers"][0]["policy"]["attempts"], 2);
}

#[tokio::test]
async fn a_second_owner_is_known_by_its_manifest() {
    if !real() {
        return;
    }
    let _alone = ONE_AT_A_TIME.lock().await;
    run_once(runtime(YARD)).await;
    let thief = imitation(&runtime(YARD), "manifests-thief", |manifest| {
        manifest.events[0].owner = Some("manifests-thief".to_owned());
    });
    publish("manifests-thief", Some(&thief));
    let strict = runtime(YARD).strict_owners(true).spawn().await;
    let refused = strict.unwrap_err().to_string();
    let checked = runtime(YARD).check_broker().await.unwrap_err().to_string();
    for error in [&refused, &checked] {
        for words in [
            "1 fault",
            "[command-owner] the command `manifests.MoveCrate` is said to belong to `manifests-thief` and `manifests-yard`",
            "manifest --withdraw",
        ] {
            assert!(error.contains(words), "{words}: {error}");
        }
    }
    // Whoever does not take part is not kept from starting, and a manifest that anybody may have written keeps nobody else from it.
    run_once(runtime(YARD).publish_manifest(false).strict_owners(true)).await;
    run_once(runtime(YARD)).await;
    publish("manifests-thief", None);
    run_once(runtime(YARD)).await;
}

#[tokio::test]
async fn a_check_tells_what_the_build_does_to_what_is_deployed() {
    if !real() {
        return;
    }
    let _alone = ONE_AT_A_TIME.lock().await;
    run_once(runtime(DEPOT)).await;
    // Somebody waits for what the depot publishes, and once got a second event of it.
    let reader = imitation(&runtime(DEPOT), "manifests-reader", |manifest| {
        let handler = &mut manifest.handlers[0];
        handler.handler = "count".to_owned();
        handler.takes = vec![
            "manifests.CrateStored".to_owned(),
            "manifests.CrateLost".to_owned(),
        ];
        handler.emits.clear();
        manifest
            .events
            .retain(|event| event.name == "manifests.CrateStored");
        manifest.events[0].topic = "manifests-elsewhere".to_owned();
        manifest.events.push(EventEntry {
            name: "manifests.CrateLost".to_owned(),
            version: 1,
            topic: "manifests-places".to_owned(),
            ..manifest.events[0].clone()
        });
    });
    publish("manifests-reader", Some(&reader));
    let earlier = imitation(&runtime(DEPOT), DEPOT, |manifest| {
        manifest.publishes = vec!["manifests.CrateLost".to_owned()];
    });
    publish(DEPOT, Some(&earlier));

    let error = runtime(DEPOT).check_broker().await.unwrap_err().to_string();
    for words in [
        "2 faults",
        "`manifests-reader/count` waits for `manifests.CrateStored` on topic `manifests-elsewhere`",
        "`manifests-depot` published `manifests.CrateLost` and nobody does any more: this removal breaks `manifests-reader/count`",
    ] {
        assert!(error.contains(words), "{words}: {error}");
    }
    // Services that are deployed one after the other disagree for a while: that keeps none of them from starting.
    run_once(runtime(DEPOT)).await;
    publish("manifests-reader", None);
    runtime(DEPOT).check_broker().await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_read_is_told_and_stops_nobody() {
    if !real() {
        return;
    }
    let _alone = ONE_AT_A_TIME.lock().await;
    run_once(runtime(DEPOT)).await;
    for broken in [
        &b"\xff\xfe"[..],
        b"{\"manifest\": 99, \"service\": \"manifests-odd\"}",
        b"[]",
        b"<<<<<<< main",
        b"",
        b"{\"manifest\": 1, \"service\": \"somebody-else\"}",
    ] {
        publish("manifests-odd", Some(broken));
        runtime(DEPOT).check_broker().await.unwrap();
        run_once(runtime(DEPOT)).await;
    }
    publish("manifests-odd", None);
}

/// The embedded cluster of another process stands for any cluster without the topic.
#[tokio::test]
async fn without_the_topic_a_service_runs() {
    let cluster = Embedded::shared().unwrap();
    cluster
        .create_topics(
            [
                "manifests-crates",
                "manifests-places",
                "manifests-depot.dead-letters",
                "manifests-depot.parked.manifests-crates",
            ],
            2,
        )
        .unwrap();
    let elsewhere = || runtime(DEPOT).set("bootstrap.servers", cluster.address());
    run_once(elsewhere()).await;
    elsewhere().check_broker().await.unwrap();
}

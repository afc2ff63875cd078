//! A service with exactly the rights that it prints works, and one that is lost while it runs is named.

use std::collections::BTreeSet;

use events_kafka::{Handle, Producer};

use crate::broker::{Broker, eventually, secrets, shop};
use crate::right::Right;
use crate::shop::{
    DEAD_LETTERS, ORDERS, OrderPlaced, PARKED, PAYMENTS, SERVICE, TOPICS, alone, rights, runtime,
    says,
};

struct Scene {
    broker: Broker,
    edge: Producer,
    shop: Handle,
}

impl Scene {
    /// The service runs, with the rights that it prints and no others.
    async fn set() -> Self {
        Self::set_with(&[]).await
    }

    /// The same with properties of the service's client.
    async fn set_with(own: &[(&str, &str)]) -> Self {
        let broker = Broker::connect();
        broker.make(&TOPICS).await;
        broker.grant_only(&rights(false), &rights(true));
        let properties = crate::broker::properties("admin").into_iter();
        let admin = properties.fold(
            events_kafka::ClientOptions::without_environment(),
            |options, (name, value)| options.set(name, value),
        );
        let edge = Producer::connect("test", admin).unwrap();
        let client = own
            .iter()
            .fold(shop(), |client, (name, value)| client.set(*name, *value));
        let service = runtime(client);
        let shown = format!("{service:?}");
        for secret in secrets() {
            assert!(!shown.contains(&secret), "{shown}");
        }
        let shop = service.spawn().await.unwrap();
        Self { broker, edge, shop }
    }

    async fn order(&self, order_id: &str, cents: u64) {
        let order_id = order_id.to_owned();
        self.edge
            .publish(&OrderPlaced { order_id, cents })
            .await
            .unwrap();
    }

    async fn records(&self, topic: &str, count: usize) -> Vec<String> {
        eventually(&format!("{count} records in {topic}"), async || {
            self.broker.records(topic).len() >= count
        })
        .await;
        self.broker.records(topic)
    }

    async fn becomes_unhealthy(&self, words: &[&str]) {
        eventually(&format!("unhealthy with {words:?}"), async || {
            let status = self.shop.status();
            let troubles = status.troubles.join("\n");
            !status.healthy && words.iter().all(|word| troubles.contains(word))
        })
        .await;
    }

    async fn becomes_healthy(&self) {
        eventually("healthy", async || self.shop.status().healthy).await;
    }
}

#[tokio::test]
#[expect(clippy::await_holding_lock, reason = "one test at a time")]
async fn a_service_runs_with_exactly_the_rights_that_check_prints() {
    let _alone = alone();
    let scene = Scene::set().await;
    scene.order("o-1", 5).await;
    scene.order("o-2", 0).await;
    scene.order("o-3", 1).await;
    assert_eq!(scene.records(PAYMENTS, 2).await.len(), 2);
    let parked = scene.records(PARKED, 1).await;
    assert!(
        parked.iter().any(|fact| fact.starts_with("o-3")),
        "{parked:?}"
    );
    let letters = scene.records(DEAD_LETTERS, 1).await;
    assert!(
        letters[0].starts_with("o-2") && letters[0].contains("nothing to pay"),
        "{letters:?}"
    );
    eventually("all three are committed", async || {
        scene.broker.committed(SERVICE, ORDERS) == Some(3)
    })
    .await;
    let status = scene.shop.status();
    assert!(status.healthy && status.troubles.is_empty(), "{status:?}");
    // The parked topic grows with its source.
    scene.broker.grow(ORDERS, 2).await;
    eventually("the parked topic has grown", async || {
        scene.broker.partitions(PARKED) == 2
    })
    .await;
    assert!(scene.shop.drain().await.drained);
}

#[tokio::test]
#[expect(clippy::await_holding_lock, reason = "one test at a time")]
async fn whoever_puts_letters_right_needs_one_right_more_which_is_named() {
    let _alone = alone();
    let scene = Scene::set().await;
    scene.order("o-2", 0).await;
    scene.records(DEAD_LETTERS, 1).await;
    let list = || says("dead-letters list", &[]);
    let answer = list();
    assert_ne!(answer.status, 0, "{}", answer.out);
    assert!(
        answer.err.contains(DEAD_LETTERS) && answer.err.contains("`check --acls` prints the right"),
        "{}",
        answer.err
    );
    let printed = says("check --acls", &[]).out;
    assert!(
        printed.contains("not needed to run: with it `dead-letters` lists")
            && printed.contains(&format!("--operation Read --topic {DEAD_LETTERS}")),
        "{printed}"
    );
    let right = Right::new("topic", DEAD_LETTERS, "Read");
    scene.broker.grant(&right);
    eventually("letters are listed", async || {
        let answer = list();
        answer.status == 0 && answer.out.contains("secured-shop/")
    })
    .await;
    scene.broker.take(&right);
    assert!(scene.shop.drain().await.drained);
}

#[tokio::test]
#[expect(clippy::await_holding_lock, reason = "one test at a time")]
async fn a_lost_right_to_a_group_or_a_topic_makes_the_service_unhealthy_until_it_is_back() {
    let _alone = alone();
    let scene = Scene::set().await;
    scene.order("o-1", 5).await;
    scene.records(PAYMENTS, 1).await;
    for (resource, name, words) in [
        ("topic", ORDERS, "Read the topic `secured-orders`"),
        ("group", SERVICE, "Read the consumer group `secured-shop`"),
    ] {
        let right = Right::new(resource, name, "Read");
        scene.broker.take(&right);
        scene.order("o-2", 5).await;
        let words = ["lacks the right to", words, "`check --acls`"];
        scene.becomes_unhealthy(&words).await;
        scene.broker.grant(&right);
        scene.becomes_healthy().await;
    }
    // What could not be committed may be handled again, under the same ids.
    eventually("all three orders are paid", async || {
        let records = scene.broker.records(PAYMENTS);
        let ids = records.iter().filter_map(|record| {
            let mut headers = record.lines();
            headers.find(|header| header.starts_with("ce_id: "))
        });
        ids.collect::<BTreeSet<_>>().len() == 3
    })
    .await;
    assert!(scene.shop.drain().await.drained);
}

/// Under KIP-848 a lost right to the group is fatal for the client's consumer; a static member's too.
#[tokio::test]
#[expect(clippy::await_holding_lock, reason = "one test at a time")]
async fn a_lost_right_to_a_group_under_kip_848_is_lived_through_by_another_consumer() {
    let _alone = alone();
    let consumer = ("group.protocol", "consumer");
    let instance = ("group.instance.id", "pod-0");
    for properties in [&[consumer][..], &[consumer, instance]] {
        let scene = Scene::set_with(properties).await;
        scene.order("o-1", 5).await;
        scene.records(PAYMENTS, 1).await;
        let right = Right::new("group", SERVICE, "Read");
        scene.broker.take(&right);
        let words = [
            "ended with a fatal error: GroupAuthorizationFailed",
            "`check --acls`",
        ];
        scene.becomes_unhealthy(&words).await;
        eventually("its partitions are given up", async || {
            scene.shop.partitions() == 0
        })
        .await;
        scene.order("o-2", 5).await;
        scene.broker.grant(&right);
        scene.becomes_healthy().await;
        eventually("the second order is paid", async || {
            let paid = scene.broker.records(PAYMENTS);
            paid.iter().any(|record| record.starts_with("o-2"))
        })
        .await;
        assert!(scene.shop.drain().await.drained);
    }
}

#[tokio::test]
#[expect(clippy::await_holding_lock, reason = "one test at a time")]
async fn an_emission_that_may_not_be_written_is_dead_lettered_with_the_right_that_it_lacks() {
    let _alone = alone();
    let scene = Scene::set().await;
    scene.broker.take(&Right::new("topic", PAYMENTS, "Write"));
    scene.order("o-1", 5).await;
    let letters = scene.records(DEAD_LETTERS, 1).await.join("\n");
    for words in [
        "the topic `secured-payments`",
        "lacks the right to Write it",
        "`check --acls`",
    ] {
        assert!(letters.contains(words), "{words}: {letters}");
    }
    assert!(scene.shop.drain().await.drained);
}

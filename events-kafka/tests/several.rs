//! Several services of one binary on a cluster.

mod support;

use events_kafka::{KafkaError, Runtime, Services, event, handler};
use support::{client, real};

#[event(topic = "several-nobody-made-this")]
struct Placed {
    number: u64,
}

#[event(topic = "several-nobody-made-that")]
struct Paid {
    number: u64,
}

#[handler(service = "several-first")]
async fn place(_placed: Placed) {}

#[handler(service = "several-second")]
async fn pay(_paid: Paid) {}

#[tokio::test]
async fn what_the_cluster_lacks_for_any_of_them_is_told_at_once() {
    if !real() {
        // The embedded cluster has no admin API, and its topics are always made.
        println!("not on the embedded cluster: set KAFKA_BOOTSTRAP_SERVERS");
        return;
    }
    let runtime = |name| Runtime::new(name).client(client());
    let services = Services::new()
        .add(runtime("several-first"))
        .add(runtime("several-second"));
    let Err(KafkaError::Faults(faults)) = services.spawn().await else {
        panic!("their topics do not exist")
    };
    let text = faults.to_string();
    for topic in [
        "several-nobody-made-this",
        "several-first.dead-letters",
        "several-nobody-made-that",
        "several-second.dead-letters",
    ] {
        assert!(
            text.contains(&format!("--topic {topic}")),
            "{topic}: {text}"
        );
    }
}

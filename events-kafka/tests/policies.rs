//! Policies: what is said of them before a service runs, and what the embedded cluster leaves out.

use std::time::Duration;

use events_core::{Error, Exhausted, Park, Result, event, handler};
use events_kafka::{HandlerStatus, Runtime};

#[event(topic = "policies-bills", key = id)]
struct Billed {
    id: String,
}

mod till {
    use super::*;

    events_kafka::service!("till");

    #[handler(exhausted = "block")]
    async fn charge(_billed: Billed) {}

    #[handler]
    async fn note(_billed: Billed) {}

    #[handler(exhausted = "block", group = "till-ledger")]
    async fn book(_billed: Billed) {}
}

#[test]
fn a_handler_that_blocks_others_is_a_warning() {
    let till = Runtime::new("till");
    assert!(till.check().is_ok(), "it is no fault");
    let [warning] = &till.warnings()[..] else {
        panic!("{:?}", till.warnings());
    };
    assert_eq!(warning.code, "block-in-company");
    assert!(
        warning.message.contains("`charge`") && warning.message.contains("`till`"),
        "{warning}"
    );
    let all = Runtime::new("till").configure(|settings| settings.exhausted = Exhausted::Block);
    assert_eq!(all.warnings().len(), 2, "{:?}", all.warnings());
}

#[test]
fn a_park_that_gives_up_before_it_waits_is_a_fault() {
    let till = Runtime::new("till").configure(|settings| {
        settings.park = Some(Park {
            max_age: Duration::from_secs(1),
            ..Park::DEFAULT
        });
    });
    let faults = till.check().unwrap_err().faults;
    assert_eq!(faults[0].code, "park", "{faults:?}");
}

#[event(topic = "policies-parcels", key = id)]
struct Packed {
    id: String,
}

const DOOR: Park = Park {
    min: Duration::from_secs(3_600),
    max: Duration::from_secs(3_600),
    max_age: Duration::from_secs(7_200),
};

#[handler(service = "policies-door", retry(attempts = 1))]
async fn ring(packed: Packed) -> Result<()> {
    Err(Error::msg(format!("nobody opens for {}", packed.id)))
}

/// What became of a record that failed, on the embedded cluster whatever the environment says.
async fn rung(service: Runtime) -> HandlerStatus {
    let service = service
        .embedded()
        .configure(|settings| settings.park = Some(DOOR));
    let service = service.spawn().await.unwrap();
    let producer = service.producer().unwrap();
    producer
        .publish(&Packed {
            id: "p-1".to_owned(),
        })
        .await
        .unwrap();
    let told = async {
        loop {
            let handler = service.status().handlers.remove(0);
            if handler.parked + handler.dead_lettered > 0 {
                return handler;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let told = tokio::time::timeout(Duration::from_secs(30), told)
        .await
        .unwrap();
    service.drain().await;
    told
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_cluster_parks_only_if_asked() {
    let told = rung(Runtime::new("policies-door")).await;
    assert_eq!((told.parked, told.dead_lettered), (0, 1));
    let told = rung(Runtime::new("policies-door").park_on_embedded()).await;
    assert_eq!((told.parked, told.dead_lettered), (1, 0));
}

//! What is said of policies before a service runs.

use std::time::Duration;

use events_core::{Exhausted, Park, event, handler};
use events_kafka::Runtime;

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

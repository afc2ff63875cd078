//! `#[handler]`: what is said about failures.

use std::time::Duration;

use events_core::{Exhausted, HandlerOptions, Ordering, Park, Parking, event, handler};

use crate::fake::handler as found;

#[event(topic = "policies", key = id)]
pub(crate) struct Billed {
    id: String,
}

#[handler(
    park(backoff = "2m..3h", max_age = "5d"),
    exhausted = "block",
    ordering = "none"
)]
async fn parks(billed: Billed) {
    drop(billed);
}

#[handler(park = "off", exhausted = "dead_letter", ordering = "key")]
async fn gives_up(billed: Billed) {
    drop(billed);
}

#[handler(park())]
async fn parks_as_usual(billed: Billed) {
    drop(billed);
}

#[handler(park(max_age = "2h"))]
async fn parks_shortly(billed: Billed) {
    drop(billed);
}

#[test]
fn failure_policies_are_what_the_attribute_says() {
    let parked = HandlerOptions {
        park: Some(Parking::On(Park {
            min: Duration::from_secs(120),
            max: Duration::from_secs(3 * 3600),
            max_age: Duration::from_secs(5 * 86_400),
        })),
        exhausted: Some(Exhausted::Block),
        ordering: Ordering::None,
        ..HandlerOptions::NONE
    };
    assert_eq!(found("parks").options, parked);
    let off = HandlerOptions {
        park: Some(Parking::Off),
        exhausted: Some(Exhausted::DeadLetter),
        ..HandlerOptions::NONE
    };
    assert_eq!(found("gives_up").options, off);
    let usual = found("parks_as_usual").options.park;
    assert_eq!(usual, Some(Parking::On(Park::DEFAULT)));
    let shortly = Park {
        max_age: Duration::from_secs(7200),
        ..Park::DEFAULT
    };
    assert_eq!(
        found("parks_shortly").options.park,
        Some(Parking::On(shortly))
    );
}

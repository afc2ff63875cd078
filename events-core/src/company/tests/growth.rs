//! How the work of a check grows.

use std::cell::Cell;

use super::{VISITS, only, service};
use crate::company::{Company, Limits};

/// A company of `events` events, each with two handlers, in chains of ten services.
fn large(events: usize) -> Company {
    let services = 10;
    let manifests = (0..services).map(|number| {
        let mine = (0..events).filter(|event| event % services == number);
        let lines: Vec<_> = mine
            .flat_map(|event| {
                [
                    format!("on_{event}: E{event} -> E{}", event + 1),
                    format!("log_{event}: E{event}"),
                ]
            })
            .collect();
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        service(&format!("s{number}"), &["E0"], &lines)
    });
    Company::join(manifests)
}

#[test]
fn the_work_grows_with_the_company_and_not_with_its_square() {
    let visits = |events| {
        let company = large(events);
        VISITS.with(|visits| visits.set(0));
        let findings = company.check(&Limits::default());
        assert_eq!(only(&findings).0, "unhandled-event");
        VISITS.with(Cell::get)
    };
    // 1,000 events and 2,000 handlers, and ten times as many.
    let (small, ten_times) = (visits(1_000), visits(10_000));
    assert!(small < 20_000, "{small}");
    assert!(ten_times < 11 * small, "{small} and {ten_times}");
}

//! The conformance suite over the in-memory broker.

use events_testkit::{Broker, conformance};

events_testkit::conformance_tests! {
    #[tokio::test(start_paused = true)]
    async { Broker::new() }
}

/// Under the paused clock the suite leaves this one out.
#[tokio::test]
async fn an_overdue_blocking_attempt_is_unhealthy_by_a_running_clock() {
    let outcome =
        conformance::health::an_overdue_blocking_attempt_is_unhealthy(&Broker::new()).await;
    assert_eq!(outcome, conformance::Verdict::Held);
}

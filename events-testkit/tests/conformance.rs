//! The conformance suite over the in-memory broker.

events_testkit::conformance_tests! {
    #[tokio::test(start_paused = true)]
    async { events_testkit::Broker::new() }
}

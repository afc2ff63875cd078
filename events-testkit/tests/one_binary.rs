//! Modules of one test binary do not see each other: each has an event of the same name, and handlers of no service or of
//! another one.

use events_core::{Registry, handlers};
use events_testkit::Harness;

mod carts {
    #[events_core::event(topic = "pings", key = id)]
    pub(crate) struct Ping {
        pub(crate) id: String,
    }

    #[events_core::event(topic = "pongs", key = id)]
    #[derive(Debug, PartialEq)]
    pub(crate) struct Pong {
        pub(crate) id: String,
    }

    #[events_core::handler]
    pub(crate) async fn on_ping(ping: Ping) -> Pong {
        Pong { id: ping.id }
    }
}

mod stock {
    #[events_core::event(topic = "pings", key = id, topic_exclusive)]
    pub(crate) struct Ping {
        pub(crate) id: String,
    }

    #[events_core::event(topic = "pings")]
    pub(crate) struct Other;

    #[events_core::handler(name = "renamed")]
    pub(crate) async fn on_ping(ping: Ping) -> Option<Other> {
        (ping.id == "other").then_some(Other)
    }
}

mod orders {
    #[events_core::event(topic = "orders", key = id)]
    pub(crate) struct OrderPlaced {
        pub(crate) id: String,
    }

    #[events_core::event(topic = "orders.done", key = id)]
    #[derive(Debug, PartialEq)]
    pub(crate) struct OrderDone {
        pub(crate) id: String,
    }

    #[events_core::handler(service = "orders")]
    pub(crate) async fn on_order(order: OrderPlaced) -> OrderDone {
        OrderDone { id: order.id }
    }

    /// A command that belongs to another service, in a binary of both.
    #[events_core::handler(service = "others")]
    pub(crate) async fn elsewhere(order: OrderPlaced) -> super::carts::Pong {
        super::carts::Pong { id: order.id }
    }
}

async fn no_handler(_: carts::Ping) {}

#[tokio::test(start_paused = true)]
async fn named_handlers_run_alone() {
    let outcome = Harness::of(handlers![carts::on_ping])
        .given(&carts::Ping { id: "1".into() })
        .run()
        .await;
    outcome
        .expect_emitted(&[carts::Pong { id: "1".into() }])
        .expect_no_dead_letters();
    assert!(!outcome.committed("events-testkit").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_service_sees_nothing_of_others() {
    let outcome = Harness::for_service("orders")
        .given(&orders::OrderPlaced { id: "1".into() })
        .run()
        .await;
    outcome.expect_emitted(&[orders::OrderDone { id: "1".into() }]);
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "Harness::of(handlers![…])")]
async fn faults_of_other_modules_name_the_remedy() {
    Harness::for_service("carts")
        .given(&carts::Ping { id: "1".into() })
        .run()
        .await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "is declared to carry one event type, but carries Other, Ping")]
async fn what_named_handlers_reach_is_checked() {
    Harness::of(handlers![stock::on_ping]).run().await;
}

#[test]
#[should_panic(expected = "one_binary::no_handler` is no handler: annotate it with #[handler]")]
fn a_function_that_is_no_handler_is_named() {
    Harness::of(handlers![no_handler]);
}

#[test]
#[should_panic(expected = "several services, orders, others: make a harness for each")]
fn handlers_of_several_services_are_refused() {
    Harness::of(handlers![orders::on_order, orders::elsewhere]);
}

#[test]
fn a_handler_with_another_name_is_found_by_its_function() {
    let registry = Registry::linked()
        .only(&handlers![stock::on_ping])
        .expect("a handler");
    assert_eq!(registry.handlers[0].name, "renamed");
}

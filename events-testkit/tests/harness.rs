//! The harness, as users meet it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::time::Duration;

use events_core::{Outgoing, Result, State, Terminal, event, handler};
use events_testkit::{Harness, Outcome};

#[event(topic = "orders", key = order_id)]
struct OrderPlaced {
    order_id: String,
    cents: u64,
}

#[event(topic = "payments", key = order_id)]
#[derive(Debug, PartialEq)]
struct PaymentCaptured {
    order_id: String,
    cents: u64,
}

#[event(topic = "parcels", key = order_id)]
struct ParcelSent {
    order_id: String,
}

#[derive(Default)]
struct Ledger(Mutex<Vec<String>>);

#[handler(service = "payments")]
async fn capture(order: OrderPlaced, ledger: State<Ledger>) -> Result<Option<PaymentCaptured>> {
    let OrderPlaced { order_id, cents } = order;
    let tries = {
        let mut lines = ledger.0.lock().expect("no handler panics here");
        lines.push(order_id.clone());
        lines.iter().filter(|line| **line == order_id).count()
    };
    match cents {
        0 => Ok(None),
        1 => Err(Terminal::msg("not worth it").into()),
        2 if tries < 4 => anyhow::bail!("the bank sleeps"),
        _ => Ok(Some(PaymentCaptured { order_id, cents })),
    }
}

/// It would run if the harness ran more than the service that it is for.
#[handler(service = "shipping")]
async fn ship(payment: PaymentCaptured) -> ParcelSent {
    ParcelSent {
        order_id: payment.order_id,
    }
}

fn order(order_id: &str, cents: u64) -> OrderPlaced {
    OrderPlaced {
        order_id: order_id.to_owned(),
        cents,
    }
}

fn captured(order_id: &str, cents: u64) -> PaymentCaptured {
    PaymentCaptured {
        order_id: order_id.to_owned(),
        cents,
    }
}

fn payments() -> Harness {
    Harness::for_service("payments").state(Ledger::default())
}

fn complaint(expectation: impl FnOnce()) -> String {
    let panic =
        catch_unwind(AssertUnwindSafe(expectation)).expect_err("the expectation does not hold");
    *panic.downcast::<String>().expect("a text")
}

async fn one_of_each() -> Outcome {
    let harness = payments()
        .given(&order("o-1", 250))
        .given(&order("o-2", 1))
        .given(&order("o-3", 0));
    harness.run().await
}

#[tokio::test(start_paused = true)]
async fn only_the_named_service_runs() {
    let outcome = payments().given(&order("o-1", 250)).run().await;
    outcome
        .expect_emitted(&[captured("o-1", 250)])
        .expect_no_dead_letters();
    assert_eq!(
        outcome.emissions::<PaymentCaptured>(),
        [captured("o-1", 250)]
    );
    assert!(outcome.emissions::<ParcelSent>().is_empty());
    let record = &outcome.emitted()[0];
    assert_eq!(
        record.header_text("ce_causationid").as_deref(),
        Some("given-1")
    );
    assert_eq!(record.key_text().as_deref(), Some("o-1"));
    let committed: i64 = outcome
        .committed("payments")
        .values()
        .map(|position| position.watermark)
        .sum();
    assert_eq!(committed, 1);
}

#[tokio::test(start_paused = true)]
async fn another_service_is_another_harness() {
    let outcome = Harness::for_service("shipping")
        .given(&captured("o-1", 250))
        .run()
        .await;
    outcome.expect_emitted(&[ParcelSent {
        order_id: "o-1".into(),
    }]);
}

#[tokio::test(start_paused = true)]
async fn retries_cost_no_time() {
    let began = std::time::Instant::now();
    let patient = payments().configure(|settings| {
        settings.retry.min = Duration::from_secs(3_600);
        settings.retry.max = Duration::from_secs(3_600);
    });
    let outcome = patient
        .patience(Duration::from_secs(86_400))
        .given(&order("o-1", 2))
        .run()
        .await;
    outcome.expect_emitted(&[captured("o-1", 2)]);
    assert_eq!(
        outcome
            .state::<Ledger>()
            .0
            .lock()
            .expect("not poisoned")
            .len(),
        4
    );
    assert!(began.elapsed() < Duration::from_secs(60));
}

#[tokio::test(start_paused = true)]
async fn dead_letters_say_why() {
    let outcome = one_of_each().await;
    let dead = outcome.expect_dead_letter("capture");
    assert_eq!(dead.handler, "payments/capture");
    assert_eq!(
        (dead.key.as_deref(), dead.error.as_str(), dead.attempts),
        (Some("o-2"), "not worth it", 1)
    );
    assert_eq!(outcome.dead_letters().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn records_may_be_anything() {
    let mut odd = Outgoing::new("orders");
    odd.set_value(b"no JSON")
        .add_header("ce_type", "OrderPlaced");
    let mut unknown = Outgoing::new("orders");
    unknown.add_header("ce_type", "Unheard");
    let outcome = payments()
        .given_record(odd)
        .given_record(unknown)
        .run()
        .await;
    outcome.expect_nothing_emitted();
    assert!(
        outcome
            .expect_dead_letter("payments/capture")
            .error
            .contains("caused by")
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_not_expected_is_shown() {
    let outcome = one_of_each().await;
    let text = complaint(|| {
        outcome.expect_emitted(&[captured("o-1", 250), captured("o-2", 1)]);
    });
    for part in [
        "other PaymentCaptured events",
        "expected: [",
        "\"cents\": 250",
        "key o-2, by payments/capture after 1 attempts: not worth it",
    ] {
        assert!(text.contains(part), "`{part}` is missing in: {text}");
    }
    let text = complaint(|| {
        outcome.expect_nothing_emitted();
    });
    assert!(text.contains("\"type\": \"PaymentCaptured\""), "{text}");
    let text = complaint(|| {
        outcome.expect_dead_letter("refund");
    });
    assert!(
        text.contains("`refund` should have one dead letter, but has 0"),
        "{text}"
    );
    let text = complaint(|| {
        outcome.state::<String>();
    });
    assert!(text.contains(".state(…)"), "{text}");
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "no state of type")]
async fn a_service_that_cannot_start_says_why() {
    Harness::for_service("payments")
        .given(&order("o-1", 250))
        .run()
        .await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "payments/capture at key o-1")]
async fn what_is_never_quiet_is_named() {
    let endless = payments().configure(|settings| {
        settings.retry.attempts = u32::MAX;
        settings.retry.min = Duration::from_secs(3_600);
        settings.retry.max = Duration::from_secs(3_600);
    });
    endless
        .patience(Duration::from_secs(60))
        .given(&order("o-1", 2))
        .run()
        .await;
}

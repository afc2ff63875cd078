//! `#[handler(renamed_from)]`: what was begun under the first name goes on under the new one.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use events_core::{Event, Park, Registry, Result, State, Terminal, event, handler};
use events_runtime::Service;
use events_testkit::{Broker, Harness, RunningService, eventually, throughout};

#[event(topic = "orders", key = order_id)]
struct OrderPlaced {
    order_id: String,
}

#[event(topic = "stock", key = order_id)]
struct StockReserved {
    order_id: String,
}

/// What the handlers did, and what they are kept from.
#[derive(Default)]
struct Desk {
    ran: Mutex<Vec<String>>,
    opened: AtomicBool,
}

impl Desk {
    fn note(&self, order_id: &str) {
        let mut ran = self.ran.lock().expect("no handler panics here");
        ran.push(order_id.to_owned());
    }

    fn ran(&self) -> Vec<String> {
        let mut ran = self.ran.lock().expect("no handler panics here").clone();
        ran.sort();
        ran
    }
}

async fn work(order: OrderPlaced, desk: &Desk) -> Result<StockReserved> {
    let order_id = order.order_id;
    desk.note(&order_id);
    let opened = desk.opened.load(Ordering::SeqCst);
    match order_id.as_str() {
        "refused" => return Err(Terminal::msg("no such thing").into()),
        "parked" if !opened => anyhow::bail!("not now"),
        "pending" if !opened => std::future::pending().await,
        _ => {}
    }
    Ok(StockReserved { order_id })
}

#[handler(
    service = "shop",
    concurrency = 64,
    retry(attempts = 1, backoff = "1ms..1ms")
)]
async fn reserve(order: OrderPlaced, desk: State<Desk>) -> Result<StockReserved> {
    work(order, &desk).await
}

#[handler(
    service = "shop",
    renamed_from = "reserve",
    concurrency = 64,
    retry(attempts = 1, backoff = "1ms..1ms")
)]
async fn reserve_stock(order: OrderPlaced, desk: State<Desk>) -> Result<StockReserved> {
    work(order, &desk).await
}

/// Another handler altogether.
#[handler(
    service = "shop",
    concurrency = 64,
    retry(attempts = 1, backoff = "1ms..1ms")
)]
async fn reserve_more(order: OrderPlaced, desk: State<Desk>) -> Result<StockReserved> {
    work(order, &desk).await
}

/// A build that has this handler alone.
fn build(handler: &str) -> Registry {
    let mut registry = Registry::linked();
    registry.handlers.retain(|known| known.name == handler);
    assert_eq!(registry.handlers.len(), 1, "{handler}");
    registry
}

fn order(order_id: &str) -> OrderPlaced {
    OrderPlaced {
        order_id: order_id.to_owned(),
    }
}

/// Ids of what was emitted, and who the letter is of.
async fn traces(handler: &str) -> (Vec<String>, String) {
    let outcome = Harness::with_registry("shop", build(handler))
        .state(Desk::default())
        .given(&order("o-1"))
        .given(&order("refused"))
        .run()
        .await;
    let ids = outcome.emitted().iter().map(|record| {
        let id = record.header_text("ce_id");
        id.expect("events have one")
    });
    (ids.collect(), outcome.dead_letters()[0].handler.clone())
}

#[tokio::test(start_paused = true)]
async fn emissions_keep_their_ids_and_letters_their_handler() {
    let before = traces("reserve").await;
    assert_eq!((before.0.len(), before.1.as_str()), (1, "shop/reserve"));
    assert_eq!(traces("reserve_stock").await, before);
    let another = traces("reserve_more").await;
    assert_ne!(another.0, before.0);
    assert_eq!(another.1, "shop/reserve_more");
}

async fn start(broker: &Broker, handler: &str, opened: bool) -> (RunningService, State<Desk>) {
    let desk = State::from(std::sync::Arc::new(Desk {
        opened: opened.into(),
        ..Desk::default()
    }));
    let service = Service::with_registry("shop", build(handler))
        .shared_state(desk.clone())
        .configure(|settings| settings.park = Some(Park::DEFAULT));
    (broker.join(service).expect("it starts"), desk)
}

/// What ran after a kill, in a build whose handler is called so.
async fn after_a_kill(handler: &str) -> (Vec<String>, usize) {
    let broker = Broker::new();
    broker.auto_create(1);
    for order_id in ["parked", "pending", "done-1", "done-2"] {
        broker.publish(&order(order_id));
    }
    let (running, desk) = start(&broker, "reserve", false).await;
    eventually("all but one are done", async || {
        let position = broker.committed("shop").into_values().next();
        let parked = running.status().await.lanes[0].parked_records;
        parked == 1
            && broker.records(StockReserved::DESCRIPTOR.topic).len() == 2
            && position
                .is_some_and(|position| position.watermark == 1 && !position.metadata.is_empty())
    })
    .await;
    assert_eq!(desk.ran(), ["done-1", "done-2", "parked", "pending"]);
    // The last commit tells of all that is done above the watermark.
    tokio::time::advance(std::time::Duration::from_secs(2)).await;
    running.kill().await;

    let (running, desk) = start(&broker, handler, true).await;
    eventually("the rest is handled", async || {
        desk.ran().contains(&"pending".to_owned())
    })
    .await;
    throughout(
        "nothing else runs but what is parked",
        std::time::Duration::from_secs(120),
        async || !desk.ran().is_empty(),
    )
    .await;
    let ran = desk.ran();
    let parked = running.status().await.lanes[0].parked_records;
    running.shutdown().await;
    (ran, parked)
}

#[tokio::test(start_paused = true)]
async fn what_is_done_stays_done_and_what_is_parked_comes_back() {
    let (ran, parked) = after_a_kill("reserve_stock").await;
    assert_eq!(
        (ran, parked),
        (vec!["parked".to_owned(), "pending".to_owned()], 0)
    );
    // Under a name of its own nothing of that is known.
    let (ran, _) = after_a_kill("reserve_more").await;
    assert!(ran.contains(&"done-1".to_owned()), "{ran:?}");
}

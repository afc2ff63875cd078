//! The auditor: listens to every topic and knows how each order of this run ended. No service knows of it.

mod flow;
mod window;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use events_kafka::{Meta, OneOf, State, handler};
use order_contracts::{
    OrderPlaced, OrderShipped, PaymentCaptured, PaymentDeclined, PaymentRefunded, StockRefused,
    StockReserved,
};
use tokio::sync::watch;

pub(crate) use flow::{Ending, Flow};
use window::Window;

events_kafka::service!("audit");

/// Everything that the services tell each other.
#[derive(OneOf)]
enum Fact {
    Placed(OrderPlaced),
    Captured(PaymentCaptured),
    Declined(PaymentDeclined),
    Refunded(PaymentRefunded),
    Reserved(StockReserved),
    Refused(StockRefused),
    Shipped(OrderShipped),
}

/// Writes a fact down.
#[handler]
async fn observe(fact: Fact, meta: Meta, audit: State<Audit>) {
    let id = meta.id;
    match fact {
        Fact::Placed(event) => audit.note(&event.order_id, |_| {}),
        Fact::Captured(event) => audit.note(&event.order_id, |flow| {
            flow.captured_cents = event.amount_cents
        }),
        Fact::Declined(event) => audit.note(&event.order_id, |flow| flow.end(Ending::Declined, id)),
        Fact::Refunded(event) => audit.note(&event.order_id, |flow| {
            flow.refunded_cents = event.amount_cents;
            flow.end(Ending::Refunded, id);
        }),
        Fact::Reserved(event) => audit.note(&event.order_id, |_| {}),
        Fact::Refused(event) => audit.note(&event.order_id, |_| {}),
        Fact::Shipped(event) => audit.note(&event.order_id, |flow| flow.end(Ending::Shipped, id)),
    }
}

/// What the auditor knows of this run. Orders of other runs are none of its business.
pub(crate) struct Audit {
    book: Mutex<Book>,
    window: Window,
    /// How many orders have ended.
    ended: watch::Sender<usize>,
}

#[derive(Default)]
struct Book {
    flows: BTreeMap<String, Flow>,
    events: u64,
    last_event: Option<Instant>,
}

impl Audit {
    /// An auditor of runs that have at most `window` orders under way.
    pub(crate) fn new(window: usize) -> Self {
        Self {
            book: Mutex::default(),
            window: Window::new(window),
            ended: watch::Sender::new(0),
        }
    }

    /// Waits until one more order may be under way, and expects it from now on.
    pub(crate) async fn admit(&self, order: &OrderPlaced) {
        self.window.enter().await;
        self.book()
            .flows
            .insert(order.order_id.clone(), Flow::begin(order.amount_cents));
    }

    /// How many orders have ended, now and from now on.
    pub(crate) fn ended(&self) -> watch::Receiver<usize> {
        self.ended.subscribe()
    }

    /// Waits until an order has ended.
    pub(crate) async fn ending_of(&self, order_id: &str) {
        let has_ended = |_: &usize| self.book().flows.get(order_id).is_some_and(Flow::has_ended);
        // The sender lives as long as `self`.
        let _ = self.ended().wait_for(has_ended).await;
    }

    /// All flows by order.
    pub(crate) fn flows(&self) -> Vec<(String, Flow)> {
        self.book()
            .flows
            .iter()
            .map(|(order_id, flow)| (order_id.clone(), flow.clone()))
            .collect()
    }

    /// How many events the flows have, and how long it took from the first order to the last event.
    pub(crate) fn pace(&self) -> (u64, Duration) {
        let book = self.book();
        let first = book.flows.values().map(Flow::began).min();
        let took = first
            .zip(book.last_event)
            .map(|(first, last)| last.saturating_duration_since(first));
        (book.events, took.unwrap_or_default())
    }

    fn note(&self, order_id: &str, write: impl FnOnce(&mut Flow)) {
        let mut book = self.book();
        let Some(flow) = book.flows.get_mut(order_id) else {
            return;
        };
        let had_ended = flow.has_ended();
        write(flow);
        let ends_now = flow.has_ended() && !had_ended;
        book.events += 1;
        book.last_event = Some(Instant::now());
        drop(book);
        if ends_now {
            self.window.leave();
            self.ended.send_modify(|ended| *ended += 1);
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // Nothing panics while the book is open, so a poisoned value is a whole one.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

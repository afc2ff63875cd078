//! Pre-registered metric handles. Names follow OpenTelemetry's messaging conventions where one exists.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use metrics::{Counter, counter};

/// Counters of one handler, kept for the status and handed to the `metrics` recorder.
pub(crate) struct HandlerMeters {
    pub(crate) handled: Meter,
    pub(crate) retried: Meter,
    pub(crate) dead_lettered: Meter,
    pub(crate) emitted: Meter,
    pub(crate) overdue: Meter,
    pub(crate) duplicates: Meter,
}

impl HandlerMeters {
    pub(crate) fn register(service: &str, handler: &str) -> Self {
        let meter = |name: &'static str| Meter {
            counter: counter!(name, "service" => service.to_owned(), "handler" => handler.to_owned()),
            total: AtomicU64::new(0),
        };
        Self {
            handled: meter("messaging.client.consumed.messages"),
            retried: meter("events.handler.retried"),
            dead_lettered: meter("events.handler.dead_lettered"),
            emitted: meter("messaging.client.sent.messages"),
            overdue: meter("events.handler.overdue"),
            duplicates: meter("events.handler.duplicates"),
        }
    }
}

impl fmt::Debug for HandlerMeters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandlerMeters")
            .field("handled", &self.handled.total())
            .finish_non_exhaustive()
    }
}

/// One counter.
pub(crate) struct Meter {
    counter: Counter,
    total: AtomicU64,
}

impl Meter {
    /// Adds a batch's worth.
    pub(crate) fn add(&self, count: u64) {
        if count > 0 {
            self.counter.increment(count);
            self.total.fetch_add(count, Ordering::Relaxed);
        }
    }

    pub(crate) fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }
}

//! What goes wrong on purpose: `--chaos`.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use events_kafka::{AttemptContext, Delivery, Error, Middleware, Park, Result, Runtime, Terminal};
use tokio::time::Instant;

/// Every so many orders one is published twice.
const TWICE_EVERY: usize = 100;
/// Customers whose number this divides have bad luck: each handler's first attempt at their orders fails.
const UNLUCKY: u32 = 50;
/// Customers whose paid orders the warehouse cannot handle for a while. One of them orders more than the ration, so that
/// only the right order of parked records brings the right ending.
const POISONED: [u32; 5] = [177, 362, 819, 821, 1647];
/// For how long, from the first of a customer's orders on: longer than the attempts in a slot, so that the key is parked.
const POISONED_FOR: Duration = Duration::from_secs(2);
/// Customers at whose orders the projection fails for good until somebody mends it.
const UNREADABLE: [u32; 3] = [214, 547, 1102];

/// How long a parked key waits here: nobody watches a demonstration for an hour.
const PARK: Park = Park {
    min: Duration::from_millis(200),
    max: Duration::from_secs(1),
    max_age: Duration::from_secs(60),
};
/// How soon and how late a handler that holds is tried again.
const PROBE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_millis(500));

/// The service that is restarted when half of the orders are placed.
pub(crate) const RESTARTED: &str = "payments";
/// The service whose fault is mended at the end, and the handler whose dead letters are redriven then.
pub(crate) const MENDED: (&str, &str) = ("customers", "customers/remember");

/// Whether the order at `index` is published twice. The first one is: its second time is behind the restart.
pub(crate) fn is_placed_twice(index: usize) -> bool {
    index.is_multiple_of(TWICE_EVERY)
}

/// What goes wrong in the services of a run.
#[derive(Clone, Default)]
pub(crate) struct Chaos {
    mended: Arc<AtomicBool>,
}

impl Chaos {
    /// The same service, out of luck. It parks on the embedded cluster too, since it parks a handful of records.
    pub(crate) fn befall(&self, service: Runtime) -> Runtime {
        let luck = BadLuck::new(service.name(), self);
        service
            .middleware(luck)
            .park_on_embedded()
            .configure(|settings| {
                settings.park = Some(PARK);
                settings.hold_probe = PROBE;
            })
    }

    /// The projection's fault is mended.
    pub(crate) fn mend(&self) {
        self.mended.store(true, Ordering::Relaxed);
    }
}

/// Fails attempts of one service.
pub(crate) struct BadLuck {
    service: String,
    chaos: Chaos,
    /// Records whose first attempt has failed.
    struck: Mutex<HashSet<(String, i32, i64)>>,
    /// Since when a customer's orders fail.
    poisoned: Mutex<HashMap<Vec<u8>, Instant>>,
}

impl BadLuck {
    pub(crate) fn new(service: &str, chaos: &Chaos) -> Self {
        Self {
            service: service.to_owned(),
            chaos: chaos.clone(),
            struck: Mutex::default(),
            poisoned: Mutex::default(),
        }
    }

    /// Whether the record's first attempt is this one. Its number does not tell: what fails while a handler holds does not
    /// count.
    fn strikes(&self, delivery: &Delivery<'_>) -> bool {
        let record = delivery.record();
        let place = (
            record.topic().to_owned(),
            record.partition(),
            record.offset(),
        );
        let mut struck = self.struck.lock().unwrap_or_else(PoisonError::into_inner);
        struck.insert(place)
    }

    fn is_poisoned(&self, customer_id: &[u8]) -> bool {
        let mut poisoned = self.poisoned.lock().unwrap_or_else(PoisonError::into_inner);
        let since = poisoned
            .entry(customer_id.to_owned())
            .or_insert_with(Instant::now);
        since.elapsed() < POISONED_FOR
    }
}

impl Middleware for BadLuck {
    fn before(&self, delivery: &Delivery<'_>, _: &AttemptContext) -> Result<()> {
        let Some((customer_id, number)) = delivery.record().key().and_then(numbered) else {
            return Ok(());
        };
        match self.service.as_str() {
            "inventory" if POISONED.contains(&number) && self.is_poisoned(customer_id) => Err(
                Error::msg("chaos: the warehouse stumbles over this customer"),
            ),
            "customers"
                if UNREADABLE.contains(&number) && !self.chaos.mended.load(Ordering::Relaxed) =>
            {
                Err(Terminal::msg("chaos: the projection has a fault").into())
            }
            _ if number.is_multiple_of(UNLUCKY) && self.strikes(delivery) => {
                Err(Error::msg("chaos: the first attempt fails"))
            }
            _ => Ok(()),
        }
    }
}

/// The digits at the end of a customer's id, behind the run's: the same in every run.
fn numbered(customer_id: &[u8]) -> Option<(&[u8], u32)> {
    let text = std::str::from_utf8(customer_id).ok()?;
    let number = text.rsplit('-').next()?.parse().ok()?;
    Some((customer_id, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn luck_is_the_same_in_every_run() {
        let number = |id: &'static [u8]| numbered(id).map(|(_, number)| number);
        assert_eq!(
            (number(b"first-00050"), number(b"second-00050")),
            (Some(50), Some(50))
        );
        assert_eq!(number(b"\xff"), None);
    }
}

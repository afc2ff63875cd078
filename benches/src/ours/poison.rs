//! One key fails for ever, on the framework.

pub(crate) mod filled;
pub(crate) mod live;

use std::sync::atomic::{AtomicU64, Ordering};

use events_core::{Error, Park, Result};
use events_runtime::Settings;

use crate::job::{Job, Variant};
use crate::parcels::is_poisoned;

/// From which number on the records of the poisoned key fail.
static FROM: AtomicU64 = AtomicU64::new(u64::MAX);

/// The key is parked once it has failed every attempt.
fn settings(settings: &mut Settings) {
    settings.park = Some(Park::DEFAULT);
}

/// Lets the poisoned key fail from record `number` on, unless the run is the undisturbed one.
fn poison(job: &Job, number: u64) {
    if job.variant != Variant::Undisturbed {
        FROM.store(number, Ordering::Relaxed);
    }
}

/// What becomes of record `number`. Records of the poisoned key are not counted, in the undisturbed run either.
#[inline]
fn treat(number: u64, count: impl FnOnce()) -> Result<()> {
    if !is_poisoned(number) {
        count();
    } else if number >= FROM.load(Ordering::Relaxed) {
        return Err(Error::msg("the customer cannot be found"));
    }
    Ok(())
}

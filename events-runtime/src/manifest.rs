//! What a service says of itself: its manifest, with the policies that its settings make.

use std::time::Duration;

use events_core::manifest::{Manifest, ParkPolicy, Policy, Publication};
use events_core::{Exhausted, HandlerDescriptor, Ordering, Parking};

use crate::service::Service;
use crate::settings::Settings;

impl Service {
    /// What the service is, as data: known from what is linked and from its settings, without running or connecting.
    pub fn manifest(&self) -> Manifest {
        let policy = |handler: &_| Some(self.current_settings().policy_of(handler));
        let publications = Publication::linked();
        Manifest::of(self.registry(), &publications, self.name(), policy)
    }
}

impl Settings {
    /// How a handler runs under these settings, with every default filled in.
    pub fn policy_of(&self, handler: &HandlerDescriptor) -> Policy {
        let options = &handler.options;
        let retry = options.retry.unwrap_or(self.retry);
        // Half a billion years fit.
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Policy {
            attempts: retry.attempts,
            shortest_wait_ms: millis(retry.min),
            longest_wait_ms: millis(retry.max),
            park: match options.park {
                Some(Parking::On(park)) => Some(park.into()),
                Some(Parking::Off) => None,
                None => self.park.map(ParkPolicy::from),
            },
            exhausted: match options.exhausted.unwrap_or(self.exhausted) {
                Exhausted::Block => "block",
                _ => "dead_letter",
            }
            .to_owned(),
            ordering: match options.ordering {
                Ordering::None => "none",
                _ => "key",
            }
            .to_owned(),
            timeout_ms: millis(options.timeout.unwrap_or(self.timeout)),
            concurrency: options.concurrency.unwrap_or(self.concurrency),
            dedupe: options.dedupe.unwrap_or(true) && self.dedupe_window > 0,
            start: options.start.unwrap_or(self.start).to_string(),
            blocking: handler.blocking,
        }
    }
}

//! What a service publishes where no handler stands: at its edge.

use crate::event::EventDescriptor;
use crate::registry::Registry;

inventory::collect!(Publication);

/// An event type that a service publishes outside of handlers, as `publishes!` submits it.
#[derive(Debug, Clone, Copy)]
pub struct Publication {
    /// The module that says so.
    pub module: &'static str,
    /// The service, if the line names it.
    pub service: Option<&'static str>,
    /// The event type.
    pub event: &'static EventDescriptor,
}

impl Publication {
    /// What is linked into this binary.
    pub fn linked() -> Vec<Self> {
        let mut all: Vec<_> = inventory::iter::<Self>().copied().collect();
        all.sort_by_key(|publication| (publication.event.name, publication.module));
        all
    }

    /// The service that publishes it: the one that the line names, else the one that claims its module.
    pub fn service_in(&self, registry: &Registry) -> Option<&'static str> {
        self.service.or_else(|| {
            let claims = registry.claims.iter();
            claims
                .filter(|claim| claim.covers(self.module))
                .max_by_key(|claim| claim.module.len())
                .map(|claim| claim.service)
        })
    }
}

//! What is linked into this binary.

use crate::event::EventDescriptor;
use crate::handler::{HandlerDescriptor, NamedHandler};
use crate::upcast::{Upcaster, UpcasterRegistration};
use crate::{Error, Result};

inventory::collect!(EventRegistration);
inventory::collect!(HandlerRegistration);
inventory::collect!(ServiceClaim);

/// An event type, as `#[event]` submits it.
#[derive(Debug)]
pub struct EventRegistration(pub &'static EventDescriptor);

/// A handler, as `#[handler]` submits it.
#[derive(Debug)]
pub struct HandlerRegistration(pub &'static HandlerDescriptor);

/// A module whose handlers belong to a service, as `service!` submits it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceClaim {
    /// The module.
    pub module: &'static str,
    /// The service.
    pub service: &'static str,
}

impl ServiceClaim {
    /// Whether the claim covers `module`: the module itself or one below it.
    pub fn covers(&self, module: &str) -> bool {
        module
            .strip_prefix(self.module)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    }
}

/// All events, handlers and claims of a binary.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    /// Event types.
    pub events: Vec<&'static EventDescriptor>,
    /// Handlers.
    pub handlers: Vec<&'static HandlerDescriptor>,
    /// Claims.
    pub claims: Vec<ServiceClaim>,
    /// Upcasters: for checks. Records are read through those that are linked.
    pub upcasters: Vec<&'static Upcaster>,
}

impl Registry {
    /// What is linked, sorted by name, so that two runs see the same order.
    pub fn linked() -> Self {
        let mut registry = Self {
            events: inventory::iter::<EventRegistration>()
                .map(|event| event.0)
                .collect(),
            handlers: inventory::iter::<HandlerRegistration>()
                .map(|handler| handler.0)
                .collect(),
            claims: inventory::iter::<ServiceClaim>().copied().collect(),
            upcasters: inventory::iter::<UpcasterRegistration>()
                .map(|upcaster| upcaster.0)
                .collect(),
        };
        registry
            .events
            .sort_by_key(|event| (event.name, event.rust_path));
        registry
            .handlers
            .sort_by_key(|handler| (handler.module, handler.name));
        registry
            .upcasters
            .sort_by_key(|step| (step.event.name, step.from, step.path));
        registry
            .claims
            .sort_by_key(|claim| (claim.service, claim.module));
        registry
    }

    /// The service that `handler` names or whose module claims it; the innermost claim counts.
    pub fn service_of(&self, handler: &HandlerDescriptor) -> Option<&'static str> {
        handler.options.service.or_else(|| {
            let claims = self
                .claims
                .iter()
                .filter(|claim| claim.covers(handler.module));
            claims
                .max_by_key(|claim| claim.module.len())
                .map(|claim| claim.service)
        })
    }

    /// Names of all services, sorted, each once.
    pub fn services(&self) -> Vec<&'static str> {
        let claimed = self.claims.iter().map(|claim| claim.service);
        let named = self
            .handlers
            .iter()
            .filter_map(|handler| handler.options.service);
        let mut services: Vec<_> = claimed.chain(named).collect();
        services.sort_unstable();
        services.dedup();
        services
    }

    /// The handlers of `service`. Handlers that nobody claims belong to it only if the binary names no service at all.
    pub fn handlers_of(&self, service: &str) -> Vec<&'static HandlerDescriptor> {
        let unnamed = self.services().is_empty();
        let handlers = self.handlers.iter().copied();
        handlers
            .filter(|handler| {
                self.service_of(handler)
                    .map_or(unnamed, |owner| owner == service)
            })
            .collect()
    }

    /// These handlers alone, with what they take and emit: for tests in a binary that holds more.
    ///
    /// # Errors
    ///
    /// When one of the functions is no handler.
    pub fn only(&self, named: &[NamedHandler]) -> Result<Self> {
        let mut handlers = Vec::with_capacity(named.len());
        for named in named {
            let mut all = self.handlers.iter();
            let found = all.find(|handler| (handler.function)() == named.function);
            handlers.push(*found.ok_or_else(|| {
                let path = named.path;
                Error::msg(format!(
                    "`{path}` is no handler: annotate it with #[handler]"
                ))
            })?);
        }
        let events = reached(&handlers);
        let mut narrowed = self.clone();
        narrowed.events.retain(|event| events.contains(event));
        narrowed
            .claims
            .retain(|claim| handlers.iter().any(|handler| claim.covers(handler.module)));
        narrowed
            .upcasters
            .retain(|step| events.contains(&step.event));
        narrowed.handlers = handlers;
        Ok(narrowed)
    }

    /// The same without what only handlers of other services take and emit. All of it, if the service has no handler.
    pub fn of_service(&self, service: &str) -> Self {
        let handlers = self.handlers_of(service);
        let mut narrowed = self.clone();
        if handlers.is_empty() {
            return narrowed;
        }
        let elsewhere = self.elsewhere(service);
        let own = reached(&handlers);
        // A type that no handler knows may be published at an edge, but not instead of the service's own of that name.
        let doubled = |event: &EventDescriptor| {
            !own.contains(&event) && own.iter().any(|own| own.name == event.name)
        };
        narrowed
            .events
            .retain(|event| !elsewhere.contains(event) && !doubled(event));
        narrowed
            .upcasters
            .retain(|step| narrowed.events.contains(&step.event));
        narrowed.handlers = handlers;
        narrowed
    }

    /// Event types that handlers of other services take or emit, or unclaimed ones, and none of this service.
    pub(crate) fn elsewhere(&self, service: &str) -> Vec<&'static EventDescriptor> {
        let own_handlers = self.handlers_of(service);
        let others = self.handlers.iter().copied();
        let others: Vec<_> = others
            .filter(|other| !own_handlers.iter().any(|own| std::ptr::eq(*own, *other)))
            .collect();
        let own = reached(&own_handlers);
        let mut elsewhere = reached(&others);
        elsewhere.retain(|event| !own.contains(event));
        elsewhere
    }

    /// The event type called `name` on the wire.
    pub fn event(&self, name: &str) -> Option<&'static EventDescriptor> {
        self.events.iter().copied().find(|event| event.name == name)
    }
}

/// The event types that handlers take or emit.
fn reached(handlers: &[&'static HandlerDescriptor]) -> Vec<&'static EventDescriptor> {
    let types = handlers.iter().flat_map(|handler| {
        let (takes, emits) = (handler.takes(), handler.emits());
        takes.into_iter().chain(emits)
    });
    types.collect()
}

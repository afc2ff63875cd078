//! A service before it runs: its name, its state, its handlers.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use events_core::{
    Class, Error, Exhausted, Fault, Middleware, Parking, Registry, ServiceContext, State,
};

use crate::budget::Budget;
use crate::plan::{Classifier, GroupPlan, HandlerPlan, Hooks};
use crate::settings::{Settings, limits};
use crate::spans::Propagation;

/// A service: what runs, whatever the broker.
///
/// # Examples
///
/// ```
/// use events_runtime::Service;
///
/// let service = Service::new("inventory").state(vec!["a shared value"]);
/// // Nothing is linked into this example, so the service has no handlers: a fault that names the remedy.
/// let faults = service.plan().unwrap_err();
/// assert!(faults.to_string().contains("no handlers"));
/// ```
pub struct Service {
    context: ServiceContext,
    registry: Registry,
    layers: Vec<Arc<dyn Middleware>>,
    classify: Option<Classifier>,
    propagation: Option<Arc<dyn Propagation>>,
    settings: Settings,
    /// Whether the transport can park keys.
    parks: bool,
    faults: Vec<Fault>,
}

impl Service {
    /// A service with all handlers linked into this binary that belong to it. The name is its consumer group too.
    pub fn new(name: impl Into<String>) -> Self {
        Self::with_registry(name, Registry::linked())
    }

    /// A service with the handlers of `registry` that belong to it.
    pub fn with_registry(name: impl Into<String>, registry: Registry) -> Self {
        Self {
            context: ServiceContext::new(name),
            registry,
            layers: Vec::new(),
            classify: None,
            propagation: None,
            settings: Settings::default(),
            parks: true,
            faults: Vec::new(),
        }
    }

    /// Shares a value with the handlers, which take it as `State<T>`. A second value of a type is a start-up fault.
    pub fn state<T: Send + Sync + 'static>(self, value: T) -> Self {
        self.shared_state(State::new(value))
    }

    /// The same for a value that is shared already.
    pub fn shared_state<T: ?Sized + Send + Sync + 'static>(
        mut self,
        value: impl Into<State<T>>,
    ) -> Self {
        if !self.context.insert(value.into()) {
            let name = std::any::type_name::<T>();
            self.faults.push(Fault::new(
                "duplicate-state",
                format!("two values of type {name} were given as state"),
                "keep one, or wrap one of them in a type of its own",
            ));
        }
        self
    }

    /// Adds a layer around every attempt, inside those added before.
    pub fn middleware(mut self, layer: impl Middleware) -> Self {
        self.layers.push(Arc::new(layer));
        self
    }

    /// Says what errors mean that carry no mark of [`Classify`](events_core::Classify), such as those of a database's
    /// client. `None` leaves an error transient.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io;
    /// use events_core::Class;
    /// use events_runtime::Service;
    ///
    /// let service = Service::new("inventory").classify(|error| {
    ///     let error = error.downcast_ref::<io::Error>()?;
    ///     (error.kind() == io::ErrorKind::ConnectionRefused).then_some(Class::Unavailable)
    /// });
    /// ```
    pub fn classify(
        mut self,
        table: impl Fn(&Error) -> Option<Class> + Send + Sync + 'static,
    ) -> Self {
        self.classify = Some(Arc::new(table));
        self
    }

    /// Ties the spans of attempts to a tracing system; see [`Propagation`].
    pub fn propagation(mut self, propagation: impl Propagation) -> Self {
        self.propagation = Some(Arc::new(propagation));
        self
    }

    /// Replaces the bounds and intervals.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// Changes some bounds and intervals.
    pub fn configure(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// Parks no key, whatever handlers and settings say: for transports that cannot keep parked records.
    pub fn without_parking(mut self) -> Self {
        self.parks = false;
        self
    }

    /// The service's name.
    pub fn name(&self) -> &str {
        self.context.service()
    }

    /// What is linked.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The bounds and intervals.
    pub fn current_settings(&self) -> &Settings {
        &self.settings
    }

    /// All faults that can be known without a broker (D13).
    pub fn check(&self) -> Vec<Fault> {
        let mut faults = self.faults.clone();
        faults.extend(self.settings.validate());
        faults.extend(limits::of_handlers(self.name(), &self.registry));
        faults.extend(events_core::check(&self.registry, &self.context));
        faults.extend(group_faults(self.name(), &self.registry));
        faults.extend(park_faults(self.name(), &self.registry, &self.settings));
        faults
    }

    /// What keeps the service from nothing, and is worth a look.
    pub fn warnings(&self) -> Vec<Fault> {
        blocking_in_company(self.name(), &self.registry, &self.settings)
    }

    /// Checks the service and lays out its consumer groups.
    ///
    /// # Errors
    ///
    /// All faults at once.
    pub fn plan(self) -> Result<Vec<Arc<GroupPlan>>, Faults> {
        let faults = self.check();
        if !faults.is_empty() {
            return Err(Faults {
                service: self.name().to_owned(),
                faults,
            });
        }
        let service = self.name().to_owned();
        let mut groups: BTreeMap<String, Vec<Arc<HandlerPlan>>> = BTreeMap::new();
        for descriptor in self.registry.handlers_of(&service) {
            let group = descriptor.options.group.unwrap_or(&service).to_owned();
            let mut plan = HandlerPlan::new(descriptor, &service, &self.settings);
            plan.park = plan.park.filter(|_| self.parks);
            groups.entry(group).or_default().push(Arc::new(plan));
        }
        let context = Arc::new(self.context);
        let hooks = Hooks {
            layers: self.layers.into(),
            classify: self.classify,
            propagation: self.propagation,
            budget: Budget::of(&self.settings),
        };
        let settings = Arc::new(self.settings);
        let plan = |(group, handlers)| {
            let context = Arc::clone(&context);
            Arc::new(GroupPlan::new(
                group,
                handlers,
                context,
                hooks.clone(),
                Arc::clone(&settings),
                &self.registry,
            ))
        };
        Ok(groups.into_iter().map(plan).collect())
    }
}

/// A handler whose key waits for ever fills its lane in the end, and then its group's other handlers wait too.
fn blocking_in_company(service: &str, registry: &Registry, settings: &Settings) -> Vec<Fault> {
    let mut groups: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for handler in registry.handlers_of(service) {
        let group = handler.options.group.unwrap_or(service);
        groups.entry(group).or_default().push(handler);
    }
    let mut warnings = Vec::new();
    for (group, handlers) in groups {
        for handler in &handlers {
            let exhausted = handler.options.exhausted.unwrap_or(settings.exhausted);
            if exhausted == Exhausted::Block && handlers.len() > 1 {
                let message = format!(
                    "handler `{}` ({}) blocks its key when a record fails for good, and shares group `{group}`: once its \
                     lane is full, the group's other handlers wait for it",
                    handler.name, handler.location
                );
                let remedy = "give it a group of its own: #[handler(group = \"…\")]";
                warnings.push(Fault::new("block-in-company", message, remedy));
            }
        }
    }
    warnings
}

/// Handlers that park must wait before they give up.
fn park_faults(service: &str, registry: &Registry, settings: &Settings) -> Vec<Fault> {
    let of_handlers = registry
        .handlers_of(service)
        .into_iter()
        .filter_map(|handler| {
            let place = format!("handler `{}` ({})", handler.name, handler.location);
            match handler.options.park {
                Some(Parking::On(park)) => Some((place, park)),
                Some(Parking::Off) | None => None,
            }
        });
    let of_service = settings.park.map(|park| ("the settings".to_owned(), park));
    let all = of_service.into_iter().chain(of_handlers);
    all.filter(|(_, park)| park.min > park.max || park.max_age < park.min)
        .map(|(place, park)| {
            let message = format!(
                "{place}: records are parked for waits of {:?} to {:?}, and given up after {:?}",
                park.min, park.max, park.max_age
            );
            let remedy = "let the shortest wait be the shortest of the three, and write both: park(backoff = \"1m..1h\", max_age = \"1d\")";
            Fault::new("park", message, remedy)
        })
        .collect()
}

/// Handlers that share a group of their own must agree on where it starts.
fn group_faults(service: &str, registry: &Registry) -> Vec<Fault> {
    let mut starts: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    for handler in registry.handlers_of(service) {
        if let (Some(group), Some(start)) = (handler.options.group, handler.options.start) {
            let known = starts.entry(group).or_default();
            if !known.contains(&start) {
                known.push(start);
            }
        }
    }
    let disagreeing = starts.into_iter().filter(|(_, starts)| starts.len() > 1);
    disagreeing
        .map(|(group, starts)| {
            let starts: Vec<_> = starts.iter().map(ToString::to_string).collect();
            Fault::new(
                "group-start",
                format!(
                    "handlers of group `{group}` name different starts: {}",
                    starts.join(", ")
                ),
                "name the same start at each, or give each handler a group of its own",
            )
        })
        .collect()
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("context", &self.context)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// All that keeps a service from starting.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, thiserror::Error)]
#[non_exhaustive]
pub struct Faults {
    /// The service.
    pub service: String,
    /// Each with its remedy.
    pub faults: Vec<Fault>,
}

impl Faults {
    /// Puts them together.
    pub fn new(service: impl Into<String>, faults: Vec<Fault>) -> Self {
        Self {
            service: service.into(),
            faults,
        }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.faults.len();
        let faults = if count == 1 { "fault" } else { "faults" };
        write!(
            f,
            "service `{}` cannot start: {count} {faults}",
            self.service
        )?;
        for (index, fault) in self.faults.iter().enumerate() {
            write!(f, "\n {:>2}. [{}] {fault}", index + 1, fault.code)?;
        }
        Ok(())
    }
}

//! What of a service is known before the first record: groups, topics, who wants which type.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use events_core::engine::{Panicked, discard, resembles_structured};
use events_core::{
    Class, Error, EventDescriptor, Exhausted, HandlerDescriptor, Middleware, Ordering, Park,
    Parking, Registry, Retry, ServiceContext, Start, error_code, stable_hash,
};

use crate::budget::Budget;
use crate::hold::Lanes;
use crate::meters::{HandlerLabels, HandlerMeters};
use crate::settings::Settings;
use crate::spans::Propagation;

/// One consumer group of a service.
pub struct GroupPlan {
    /// The group's name.
    pub group: String,
    /// Its handlers, sorted by module and name.
    pub handlers: Vec<Arc<HandlerPlan>>,
    /// The topics that they read.
    pub topics: BTreeMap<String, Arc<TopicPlan>>,
    /// The topics that they can publish to, dead letters included.
    pub publishes: Vec<String>,
    /// Where given-up records go.
    pub dead_letters: String,
    /// Where it starts without a committed offset.
    pub start: Start,
    /// Name and state of the service.
    pub service: Arc<ServiceContext>,
    /// Bounds and intervals.
    pub settings: Arc<Settings>,
    pub(crate) layers: Arc<[Arc<dyn Middleware>]>,
    pub(crate) classify: Option<Classifier>,
    pub(crate) propagation: Option<Arc<dyn Propagation>>,
    /// Shared by all groups of the service.
    pub(crate) budget: Arc<Budget>,
    /// Cycles that this binary knows, to explain a hop limit.
    pub(crate) cycles: Vec<String>,
    /// It was said where its handlers start.
    said_start: AtomicBool,
}

/// A handler within a service.
#[derive(Debug)]
pub struct HandlerPlan {
    /// What is known of it statically.
    pub descriptor: &'static HandlerDescriptor,
    /// `service/handler`: what its progress and its emissions' ids are kept under. Of a renamed handler it holds the name
    /// that it had first.
    pub stable_name: String,
    /// Hash of the stable name.
    pub hash: u32,
    /// Slots in each lane.
    pub concurrency: u16,
    /// Attempts and waits.
    pub retry: Retry,
    /// How its failed keys wait; none if they are not parked.
    pub park: Option<Park>,
    /// What becomes of exhausted records.
    pub exhausted: Exhausted,
    /// Whether its keys are kept in order.
    pub ordering: Ordering,
    /// The longest time of one attempt.
    pub timeout: Duration,
    /// Whether duplicates are told apart.
    pub dedupe: bool,
    pub(crate) meters: HandlerMeters,
    pub(crate) lanes: Lanes,
}

/// What a topic's lanes need to know.
#[derive(Debug)]
pub struct TopicPlan {
    /// The topic.
    pub topic: String,
    /// Every event type of it that this group handles.
    pub types: Vec<TypePlan>,
    /// The handlers that want any of them; lanes count handlers by their place here.
    pub handlers: Vec<Arc<HandlerPlan>>,
    /// The type of a record without `ce_type`: an index into `types`.
    pub default_type: Option<usize>,
    /// Where its failed keys wait, partition by partition; none if no handler of it parks.
    pub parked: Option<String>,
    /// Whether headers must be read to route a record.
    pub reads_headers: bool,
    /// Whether any handler tells duplicates apart.
    pub dedupes: bool,
}

/// One event type of a topic.
#[derive(Debug)]
pub struct TypePlan {
    /// The type.
    pub event: &'static EventDescriptor,
    /// Who wants it: indices into [`TopicPlan::handlers`].
    pub handlers: Vec<u16>,
    /// Whether any of those tells duplicates apart.
    pub dedupes: bool,
    /// Whether any of those reads headers again, for its arguments or for what it emits.
    pub keeps_headers: bool,
    /// Whether what its emissions need of the headers is copied when a record is routed, so that they need not be kept.
    pub(crate) keeps_cause: bool,
}

impl HandlerPlan {
    pub(crate) fn new(
        descriptor: &'static HandlerDescriptor,
        service: &str,
        settings: &Settings,
    ) -> Self {
        let options = &descriptor.options;
        let stable_name = format!("{service}/{}", descriptor.identity());
        Self {
            descriptor,
            hash: stable_hash(&stable_name),
            meters: HandlerMeters::register(&HandlerLabels {
                service,
                handler: descriptor.name,
                group: options.group.unwrap_or(service),
                topics: topics_of(descriptor),
            }),
            lanes: Lanes::default(),
            stable_name,
            concurrency: options.concurrency.unwrap_or(settings.concurrency),
            retry: options.retry.unwrap_or(settings.retry),
            park: match options.park {
                Some(Parking::On(park)) => Some(park),
                Some(Parking::Off) => None,
                None => settings.park,
            },
            exhausted: options.exhausted.unwrap_or(settings.exhausted),
            ordering: options.ordering,
            timeout: options.timeout.unwrap_or(settings.timeout),
            dedupe: options.dedupe.unwrap_or(true) && settings.dedupe_window > 0,
        }
    }
}

impl HandlerPlan {
    /// Whether attempts read headers: for arguments such as `Meta`, or because emissions carry the cause's.
    fn reads_headers(&self) -> bool {
        self.descriptor.needs().headers || !self.descriptor.emits().is_empty()
    }

    /// Whether headers are read for what it emits, and for nothing else.
    fn only_causes(&self) -> bool {
        !self.descriptor.needs().headers && !self.descriptor.emits().is_empty()
    }
}

impl GroupPlan {
    pub(crate) fn new(
        group: String,
        handlers: Vec<Arc<HandlerPlan>>,
        service: Arc<ServiceContext>,
        hooks: Hooks,
        settings: Arc<Settings>,
        registry: &Registry,
    ) -> Self {
        let dead_letters = format!("{group}.dead-letters");
        let mut topics: BTreeMap<String, TopicPlan> = BTreeMap::new();
        let mut publishes = vec![dead_letters.clone()];
        let mut start = None;
        for handler in &handlers {
            start = start.or(handler.descriptor.options.start);
            for event in handler.descriptor.takes() {
                let topic = topics
                    .entry(event.topic.to_owned())
                    .or_insert_with(|| TopicPlan::new(event.topic));
                topic.add(event, handler);
                if handler.park.is_some() && topic.parked.is_none() {
                    topic.parked = Some(format!("{group}.parked.{}", event.topic));
                }
            }
            publishes.extend(
                handler
                    .descriptor
                    .emits()
                    .iter()
                    .map(|event| event.topic.to_owned()),
            );
        }
        publishes.extend(topics.values().filter_map(|topic| topic.parked.clone()));
        publishes.sort();
        publishes.dedup();
        let mut graph = events_core::Graph::of(registry);
        for edge in &mut graph.handlers {
            edge.allow_cycle.clear();
        }
        Self {
            start: start.unwrap_or(settings.start),
            topics: topics
                .into_iter()
                .map(|(name, topic)| (name, Arc::new(topic)))
                .collect(),
            cycles: graph.cycles(),
            said_start: AtomicBool::new(false),
            group,
            handlers,
            publishes,
            dead_letters,
            service,
            settings,
            layers: hooks.layers,
            classify: hooks.classify,
            propagation: hooks.propagation,
            budget: hooks.budget,
        }
    }
}

/// What a service adds of its own.
#[derive(Clone)]
pub(crate) struct Hooks {
    pub(crate) layers: Arc<[Arc<dyn Middleware>]>,
    pub(crate) classify: Option<Classifier>,
    pub(crate) propagation: Option<Arc<dyn Propagation>>,
    pub(crate) budget: Arc<Budget>,
}

/// A service's own table of errors.
pub(crate) type Classifier = Arc<dyn Fn(&Error) -> Option<Class> + Send + Sync>;

impl GroupPlan {
    /// A partition is taken up at `start`. A group does not know its handlers of before, so it says of all what is news for a
    /// new one: what lies below is not for it (D14).
    pub(crate) fn say_start(&self, start: i64) {
        if start == 0 || self.said_start.swap(true, Relaxed) {
            return;
        }
        let handlers: Vec<_> = self
            .handlers
            .iter()
            .map(|plan| &*plan.stable_name)
            .collect();
        tracing::info!(
            group = self.group,
            handlers = handlers.join(", "),
            "the handlers go on at their group's position, and so does one that is new to it; for what lies before, give it a group of its own: #[handler(group = \"…\")]"
        );
    }

    /// What an error carries, else what the service's table says. A table that panics says nothing.
    pub(crate) fn class_of(&self, error: &Error) -> Class {
        let table = || {
            let classify = self.classify.as_ref()?;
            let said = catch_unwind(AssertUnwindSafe(|| classify(error)));
            said.unwrap_or_else(|panic| {
                let panic = match self.settings.error_texts {
                    true => Panicked::error(panic).to_string(),
                    false => error_code(&Panicked::error(panic)),
                };
                tracing::error!(group = self.group, %panic, "the service's `classify` panicked, so the error counts as transient");
                None
            })
        };
        Class::carried_by(error)
            .or_else(table)
            .unwrap_or(Class::Transient)
    }
}

/// The topics that a handler reads, with commas between them.
fn topics_of(descriptor: &HandlerDescriptor) -> String {
    let mut topics: Vec<_> = descriptor.takes().iter().map(|event| event.topic).collect();
    topics.sort_unstable();
    topics.dedup();
    topics.join(",")
}

impl TopicPlan {
    fn new(topic: &str) -> Self {
        Self {
            topic: topic.to_owned(),
            types: Vec::new(),
            handlers: Vec::new(),
            default_type: None,
            parked: None,
            reads_headers: false,
            dedupes: false,
        }
    }

    fn add(&mut self, event: &'static EventDescriptor, handler: &Arc<HandlerPlan>) {
        let known = self
            .handlers
            .iter()
            .position(|other| Arc::ptr_eq(other, handler));
        let place = known.unwrap_or_else(|| {
            self.handlers.push(Arc::clone(handler));
            self.handlers.len() - 1
        });
        let index = self
            .types
            .iter()
            .position(|plan| plan.event.name == event.name)
            .unwrap_or_else(|| {
                self.types.push(TypePlan {
                    event,
                    handlers: Vec::new(),
                    dedupes: false,
                    keeps_headers: false,
                    keeps_cause: false,
                });
                self.types.len() - 1
            });
        let plan = &mut self.types[index];
        // A service has fewer handlers than 65,536: each is a function in one binary.
        plan.handlers.push(u16::try_from(place).unwrap_or(u16::MAX));
        plan.dedupes |= handler.dedupe;
        let first = plan.handlers.len() == 1;
        plan.keeps_cause = first && handler.only_causes();
        plan.keeps_headers = !plan.keeps_cause
            && plan
                .handlers
                .iter()
                .any(|place| self.handlers[usize::from(*place)].reads_headers());
        self.dedupes |= handler.dedupe;
        if event.topic_default || event.topic_exclusive {
            self.default_type = Some(index);
        }
        // Trap 22: headers cost as much as all the rest, so a topic of one type that needs nothing of them reads none.
        // Upcasters go by the version, which stands there.
        let upcasts = |plan: &TypePlan| events_core::is_upcast(plan.event);
        self.reads_headers = self.dedupes
            || !self.types.iter().any(|plan| plan.event.topic_exclusive)
            || self.types.iter().any(upcasts)
            // Elsewhere a record in structured mode is found out because it is no payload.
            || resembles_structured(&(event.schema)());
    }

    /// The type called `name` on the wire.
    pub(crate) fn type_named(&self, name: &[u8]) -> Option<usize> {
        self.types
            .iter()
            .position(|plan| plan.event.name.as_bytes() == name)
    }
}

impl Drop for GroupPlan {
    fn drop(&mut self) {
        // The last of a service may be a lane's or a poll thread's. Each for itself, so that no panic meets another; the
        // panic hook reports it.
        let _ = discard(std::mem::take(&mut self.layers));
        let _ = discard(self.classify.take());
        let _ = discard(self.propagation.take());
    }
}

impl fmt::Debug for GroupPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupPlan")
            .field("group", &self.group)
            .field("topics", &self.topics)
            .field("start", &self.start)
            .finish_non_exhaustive()
    }
}

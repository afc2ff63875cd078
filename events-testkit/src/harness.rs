//! Tests of handlers: given records, run, then look at what came of them.

use std::sync::Arc;
use std::time::Duration;

use events_core::{Event, Middleware, NamedHandler, Outgoing, Registry, State};
use events_runtime::{GroupPlan, LaneStatus, Propagation, Service, Settings};
use tokio::time::Instant;

use crate::broker::Broker;
use crate::edge::Edge;
use crate::outcome::{Outcome, Shared};

/// Partitions of every topic: more than one, so that a test does not rely on an order that production lacks.
const PARTITIONS: i32 = 4;
/// How long a run may take by default. Under a paused clock it costs nothing.
const PATIENCE: Duration = Duration::from_secs(600);
/// What to do about faults of other modules.
const ALONE: &str = "in a test, `Harness::of(handlers![…])` runs the handlers that it names alone, whatever else the binary holds";
/// How soon the run is looked at, and how often at last: a wait of hours must not cost a million looks.
const LOOKS: (Duration, Duration) = (Duration::from_millis(1), Duration::from_secs(1));

/// Runs the handlers of one service over an in-memory broker: given records, run, then look at what came of them.
///
/// Handlers of other services in the binary do not run: what this one publishes to them is what a test looks at. The
/// clock should be paused (`#[tokio::test(start_paused = true)]`, tokio's feature `test-util`): then backoff and
/// time-outs cost no time. Nothing touches a network.
///
/// # Delivery
///
/// Records are handled as over Kafka: in order per key, with retries, dead letters and dedupe as the service is
/// configured. Keys are parked only if [asked for](Self::parks). Every topic has four partitions.
///
/// # Examples
///
/// ```standalone_crate
/// use events_core::{event, handler, Emission, Result, State};
/// use events_testkit::Harness;
///
/// #[event(topic = "orders", key = order_id)]
/// pub struct OrderPlaced { pub order_id: String, pub cents: u64 }
/// #[event(topic = "payments", key = order_id)]
/// pub struct PaymentCaptured { pub order_id: String, pub cents: u64 }
///
/// pub struct Till(pub std::sync::Mutex<u64>);
///
/// #[handler(service = "payments")]
/// async fn capture(order: OrderPlaced, till: State<Till>) -> Result<PaymentCaptured> {
///     anyhow::ensure!(order.cents < 1_000_000, "above the limit");
///     *till.0.lock().unwrap() += order.cents;
///     Ok(PaymentCaptured { order_id: order.order_id, cents: order.cents })
/// }
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
/// # runtime.block_on(async {
/// // In a test: #[tokio::test(start_paused = true)]
/// let outcome = Harness::for_service("payments")
///     .state(Till(Default::default()))
///     .given(&OrderPlaced { order_id: "o-1".into(), cents: 250 })
///     .given(&OrderPlaced { order_id: "o-2".into(), cents: 2_000_000 })
///     .run()
///     .await;
///
/// outcome.expect_emitted(&[PaymentCaptured { order_id: "o-1".into(), cents: 250 }]);
/// let dead = outcome.expect_dead_letter("capture");
/// assert_eq!((dead.key.as_deref(), dead.error.as_str()), (Some("o-2"), "above the limit"));
/// assert_eq!(*outcome.state::<Till>().0.lock().unwrap(), 250);
/// # });
/// ```
#[derive(Debug)]
pub struct Harness {
    service: Service,
    shared: Shared,
    edge: Edge,
    given: Vec<Outgoing>,
    patience: Duration,
    parks: bool,
}

impl Harness {
    /// A harness for the service called `service`, with its handlers in this binary.
    pub fn for_service(service: &str) -> Self {
        Self::with_registry(service, Registry::linked().of_service(service))
    }

    /// A harness for these handlers alone, whatever else the test's binary holds: other modules may have handlers of no
    /// service, and event types of the same names.
    ///
    /// The service is the one that the handlers belong to; if they belong to none, it is called like their crate.
    ///
    /// # Panics
    ///
    /// When one of the functions is no handler, or they belong to several services.
    ///
    /// # Examples
    ///
    /// ```standalone_crate
    /// use events_core::{event, handler, handlers};
    /// use events_testkit::Harness;
    ///
    /// mod carts {
    ///     #[events_core::event(topic = "pings", key = id)]
    ///     pub struct Ping { pub id: String }
    ///     #[events_core::event(topic = "pongs", key = id)]
    ///     #[derive(Debug, PartialEq)]
    ///     pub struct Pong { pub id: String }
    ///
    ///     #[events_core::handler]
    ///     pub async fn answer(ping: Ping) -> Pong { Pong { id: ping.id } }
    /// }
    ///
    /// mod stock {
    ///     #[events_core::event(topic = "pings", key = id)]
    ///     pub struct Ping { pub id: String }
    ///
    ///     #[events_core::handler(service = "stock")]
    ///     async fn count(ping: Ping) { drop(ping.id) }
    /// }
    ///
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    /// # runtime.block_on(async {
    /// // In a test: #[tokio::test(start_paused = true)]
    /// let outcome = Harness::of(handlers![carts::answer])
    ///     .given(&carts::Ping { id: "1".into() })
    ///     .run()
    ///     .await;
    /// outcome.expect_emitted(&[carts::Pong { id: "1".into() }]);
    /// # });
    /// ```
    #[track_caller]
    pub fn of(handlers: impl IntoIterator<Item = NamedHandler>) -> Self {
        let handlers: Vec<_> = handlers.into_iter().collect();
        let registry = Registry::linked().only(&handlers);
        let registry = registry.unwrap_or_else(|error| panic!("{error}"));
        let service = match registry.services()[..] {
            [] => registry
                .handlers
                .first()
                .map_or("", |handler| handler.package),
            [service] => service,
            ref several => panic!(
                "the handlers belong to several services, {}: make a harness for each",
                several.join(", ")
            ),
        };
        Self::with_registry(service, registry)
    }

    /// The same with the handlers of `registry`.
    pub fn with_registry(service: &str, registry: Registry) -> Self {
        Self {
            service: Service::with_registry(service, registry),
            shared: Shared::default(),
            edge: Edge::new("given"),
            given: Vec::new(),
            patience: PATIENCE,
            parks: false,
        }
    }

    /// Shares a value with the handlers, as the service does; [`Outcome::state`] answers it after the run.
    pub fn state<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        let value = Arc::new(value);
        self.shared.insert(Arc::clone(&value));
        self.service = self.service.shared_state(State::from(value));
        self
    }

    /// The same for a value that is shared already, such as an `Arc<dyn Repository>`.
    pub fn shared_state<T: ?Sized + Send + Sync + 'static>(
        mut self,
        value: impl Into<State<T>>,
    ) -> Self {
        self.service = self.service.shared_state(value);
        self
    }

    /// Adds a layer around every attempt, inside those added before.
    pub fn middleware(mut self, layer: impl Middleware) -> Self {
        self.service = self.service.middleware(layer);
        self
    }

    /// Ties the spans of attempts to a tracing system, as the service does.
    pub fn propagation(mut self, propagation: impl Propagation) -> Self {
        self.service = self.service.propagation(propagation);
        self
    }

    /// Changes some bounds and intervals of the service.
    pub fn configure(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        self.service = self.service.configure(change);
        self
    }

    /// Gives an event, published from the edge: its source is `given`, its id `given-1`, `given-2`, ….
    ///
    /// # Panics
    ///
    /// When the event cannot be encoded.
    #[track_caller]
    pub fn given<E: Event>(mut self, event: &E) -> Self {
        let record = self.edge.record(event);
        self.given
            .push(record.unwrap_or_else(|error| panic!("{error:#}")));
        self
    }

    /// Gives a record as it is: other headers, no headers, bad bytes.
    pub fn given_record(mut self, record: Outgoing) -> Self {
        self.given.push(record);
        self
    }

    /// Lets failed keys be parked as the service and its handlers say. Without it a record that failed every attempt is
    /// exhausted at once, so that a test sees its dead letter.
    pub fn parks(mut self) -> Self {
        self.parks = true;
        self
    }

    /// How long [`run`](Self::run) may take on tokio's clock. Default ten minutes, which a paused clock passes at once.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Runs the service until everything is quiet: every record is done, with all that it caused within the service.
    ///
    /// # Panics
    ///
    /// With all faults, if the service cannot start, and with what blocks it, if it is not quiet within its
    /// [patience](Self::patience).
    pub async fn run(self) -> Outcome {
        let broker = Broker::new();
        broker.auto_create(PARTITIONS);
        broker.state().refuses_parking = !self.parks;
        let running = broker
            .join(self.service)
            .unwrap_or_else(|faults| panic!("{faults}\n  {ALONE}"));
        for record in self.given {
            let topic = record.topic.clone();
            let written = broker.produce(record);
            written.unwrap_or_else(|error| panic!("topic `{topic}`: {error}"));
        }
        let plans = running.plans();
        let deadline = Instant::now().checked_add(self.patience);
        let mut look = LOOKS.0;
        loop {
            let status = running.status().await;
            if is_quiet(&broker, &plans, &status.lanes) {
                break;
            }
            assert!(
                deadline.is_none_or(|deadline| Instant::now() < deadline),
                "the service is not quiet after {:?}; its lanes:\n{}",
                self.patience,
                status.lanes.iter().map(busy).collect::<String>()
            );
            tokio::time::sleep(look).await;
            look = (look * 2).min(LOOKS.1);
        }
        running.shutdown().await;
        Outcome::new(broker, &plans, self.shared)
    }
}

/// Whether every record that the service reads is done.
fn is_quiet(broker: &Broker, plans: &[Arc<GroupPlan>], lanes: &[LaneStatus]) -> bool {
    plans.iter().all(|plan| {
        plan.topics
            .keys()
            .flat_map(|topic| broker.ends(topic))
            .all(|(partition, end)| {
                let mut of_group = lanes.iter().filter(|lane| lane.group == plan.group);
                of_group.any(|lane| {
                    lane.partition == partition && lane.watermark == end && lane.parked_records == 0
                })
            })
    })
}

fn busy(lane: &LaneStatus) -> String {
    let mut text = format!(
        "  {} of group {}: watermark {}, {} in flight\n",
        lane.partition, lane.group, lane.watermark, lane.in_flight
    );
    for reason in lane.unhealthy.iter().chain(&lane.holding) {
        text.push_str(&format!("    {reason}\n"));
    }
    for trouble in &lane.troubles {
        text.push_str(&format!(
            "    {} at key {}: {} attempts, {}\n",
            trouble.handler, trouble.key, trouble.attempts, trouble.error
        ));
    }
    text
}

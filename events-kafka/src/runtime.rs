//! A service on Kafka, before it runs.

mod broker;
mod prepared;
mod waiting;

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use events_core::{Class, Error, Fault, Middleware, Registry, State};
use events_runtime::{Faults, GroupPlan, Propagation, Service, Settings, ShutdownReport};

pub(crate) use prepared::Prepared;

use crate::endpoint::Endpoint;
use crate::error::KafkaError;
use crate::handle::Handle;
use crate::options::{ClientOptions, GroupProtocol};
use crate::progress;
use crate::services::Services;
use crate::topics::Ensure;

/// A service on Kafka: its handlers, their state, and how it talks to the cluster.
///
/// # Delivery
///
/// An offset is committed when every record below it is done: handled, with what its handlers emitted acknowledged, or
/// dead-lettered (D1). Records with the same key are handled in order and one at a time by each handler (D2).
///
/// # Examples
///
/// ```no_run
/// use events_kafka::{Result, Runtime};
///
/// #[tokio::main]
/// async fn main() -> Result<()> {
///     Runtime::new("inventory").run_from_args().await
/// }
/// ```
#[derive(Debug)]
#[must_use = "a runtime does nothing until it is run"]
pub struct Runtime {
    service: Service,
    client: ClientOptions,
    ensure: Option<Ensure>,
    /// Keys are parked on the embedded cluster too.
    parks_anywhere: bool,
    /// Groups that read the service's commands and do not handle them.
    observers: BTreeSet<String>,
    /// Whether another owner of its commands keeps it from starting.
    strict_owners: bool,
    /// Whether it says to others what it is.
    publishes_manifest: bool,
    endpoint: Endpoint,
    /// How long a start waits for the cluster; none for as long as it takes.
    start_timeout: Option<Duration>,
}

impl Runtime {
    /// The service `name` with all handlers linked into this binary that belong to it. The name is its consumer group too.
    pub fn new(name: impl Into<String>) -> Self {
        Self::over(Service::new(name))
    }

    /// The same with the handlers of `registry`.
    pub fn with_registry(name: impl Into<String>, registry: Registry) -> Self {
        Self::over(Service::with_registry(name, registry))
    }

    fn over(service: Service) -> Self {
        Self {
            service,
            client: ClientOptions::new(),
            ensure: None,
            parks_anywhere: false,
            observers: BTreeSet::new(),
            strict_owners: false,
            publishes_manifest: true,
            endpoint: Endpoint::from_environment(),
            start_timeout: None,
        }
    }

    /// Shares a value with the handlers, which take it as `State<T>`. A second value of a type is a start-up fault.
    pub fn state<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        self.service = self.service.state(value);
        self
    }

    /// The same for a value that is shared already.
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

    /// Says what errors mean that carry no mark of [`Classify`](events_core::Classify), as [`Service::classify`] does.
    pub fn classify(
        mut self,
        table: impl Fn(&Error) -> Option<Class> + Send + Sync + 'static,
    ) -> Self {
        self.service = self.service.classify(table);
        self
    }

    /// Replaces the bounds and intervals.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.service = self.service.settings(settings);
        self
    }

    /// Changes some bounds and intervals.
    pub fn configure(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        self.service = self.service.configure(change);
        self
    }

    /// Replaces the options of the Kafka client.
    pub fn client(mut self, options: ClientOptions) -> Self {
        self.client = options;
        self
    }

    /// Sets a property of the Kafka client, as [`ClientOptions::set`] does.
    pub fn set(mut self, property: impl Into<String>, value: impl Into<String>) -> Self {
        self.client = self.client.set(property, value);
        self
    }

    /// Uses the embedded cluster, as [`ClientOptions::embedded`] does.
    pub fn embedded(mut self) -> Self {
        self.client = self.client.embedded();
        self
    }

    /// Parks failed keys on the embedded cluster too.
    ///
    /// Otherwise they are dead-lettered there: it keeps only 5 MiB or 100,000 batches per partition and forgets the oldest
    /// without a word, so what waits could be lost.
    pub fn park_on_embedded(mut self) -> Self {
        self.parks_anywhere = true;
        self
    }

    /// Chooses how members of a group agree on who reads what.
    pub fn group_protocol(mut self, protocol: GroupProtocol) -> Self {
        self.client = self.client.group_protocol(protocol);
        self
    }

    /// Makes missing topics at the start, with that many partitions and copies. Topics that exist are left as they are.
    ///
    /// Without this a missing topic is a start-up fault that names the command to make it. On the embedded cluster
    /// topics are always made, with 4 partitions unless this says otherwise.
    pub fn ensure_topics(mut self, partitions: i32, replication: i32) -> Self {
        self.ensure = Some(Ensure {
            partitions,
            replication,
        });
        self
    }

    /// Ties the spans of attempts to a tracing system; see [`Propagation`].
    pub fn propagation(mut self, propagation: impl Propagation) -> Self {
        self.service = self.service.propagation(propagation);
        self
    }

    /// Opens an endpoint that says how the service does: `/status`, `/healthz`, `/readyz` and `/metrics`; `:9464` is port
    /// 9464 of loopback. Services of a process that name the same address share it. The variable EVENTS_STATUS_ADDRESS does
    /// the same where this is not called. Without either nothing listens.
    ///
    /// Whoever reaches the address may read; an address other than loopback is warned of. Handlers are paused and resumed
    /// from loopback, or with a token: the variable EVENTS_STATUS_TOKEN. EVENTS_STATUS_CONTROL=off refuses it altogether. A
    /// request names the endpoint by an IP address, `localhost` or a name of EVENTS_STATUS_HOSTS; beyond loopback `/healthz`,
    /// `/readyz` and `/metrics` may be asked by any name.
    pub fn status_address(mut self, address: impl Into<String>) -> Self {
        self.endpoint = self.endpoint.at(address);
        self
    }

    /// Says who may ask the status endpoint, instead of EVENTS_STATUS_TOKEN, EVENTS_STATUS_CONTROL and EVENTS_STATUS_HOSTS.
    ///
    /// # Examples
    ///
    /// ```
    /// use events_kafka::{Runtime, StatusAccess};
    ///
    /// let runtime = Runtime::new("inventory")
    ///     .status_address("0.0.0.0:9464")
    ///     .status_access(StatusAccess::new().control(false));
    /// ```
    #[cfg(feature = "status")]
    pub fn status_access(mut self, access: crate::StatusAccess) -> Self {
        self.endpoint = self.endpoint.access(access);
        self
    }

    /// Limits how long a start waits for the cluster to answer; then it fails with the reason. Without a limit it waits for as
    /// long as it takes: the status endpoint is open, the service is not ready, and the log says why every five seconds.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use events_kafka::Runtime;
    ///
    /// let runtime = Runtime::new("inventory").start_timeout(Duration::from_secs(60));
    /// ```
    pub fn start_timeout(mut self, limit: Duration) -> Self {
        self.start_timeout = Some(limit);
        self
    }

    /// The service's name.
    pub fn name(&self) -> &str {
        self.service.name()
    }

    /// What is linked into this binary.
    pub fn registry(&self) -> &Registry {
        self.service.registry()
    }

    /// The bounds and intervals.
    pub fn current_settings(&self) -> &Settings {
        self.service.current_settings()
    }

    /// The options of the Kafka client.
    pub fn current_client(&self) -> &ClientOptions {
        &self.client
    }

    /// What keeps the service from nothing, and is worth a look. Each is logged at the start.
    pub fn warnings(&self) -> Vec<Fault> {
        self.service.warnings()
    }

    /// Looks for every fault that can be known without a broker.
    ///
    /// # Errors
    ///
    /// All of them at once, each with its remedy.
    pub fn check(&self) -> Result<(), Faults> {
        let mut faults = self.service.check();
        faults.extend(self.client.faults());
        faults.extend(
            self.client
                .drain_fault(self.service.current_settings().drain),
        );
        faults.extend(self.ensure.map(Ensure::faults).unwrap_or_default());
        faults.extend(self.endpoint.faults());
        if faults.is_empty() {
            return Ok(());
        }
        Err(Faults::new(self.name(), faults))
    }

    /// What the command line needs to find the service's records.
    pub(crate) fn into_plans(self) -> Result<(Vec<Arc<GroupPlan>>, Option<Ensure>), KafkaError> {
        self.check()?;
        Ok((self.service.plan()?, self.ensure))
    }

    /// Starts the service on the current tokio runtime. It runs until the handle is drained or dropped. While no broker answers,
    /// the start waits, at most for [`start_timeout`](Self::start_timeout).
    ///
    /// # Errors
    ///
    /// All faults at once, or what keeps the client from starting.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: what was started is stopped without draining.
    pub async fn spawn(self) -> Result<Handle, KafkaError> {
        self.prepare().await?.start()
    }

    /// Runs the service until `signal` is ready, then drains it, at most for [`Settings::drain`].
    ///
    /// # Errors
    ///
    /// As [`spawn`](Self::spawn).
    ///
    /// # Cancel safety
    ///
    /// Dropping it stops the service without draining: nothing is lost, but work is done again.
    pub async fn run_until(
        self,
        signal: impl Future<Output = ()>,
    ) -> Result<ShutdownReport, KafkaError> {
        let handle = self.spawn().await?;
        tokio::select! {
            () = signal => {}
            () = progress::watch(std::slice::from_ref(&handle)) => {}
        }
        Ok(handle.drain().await)
    }

    /// Does what the command line says: `run` (also without a word), `handlers`, `topology`, `manifest`, `check`, `contracts`,
    /// `publish`, `dead-letters`, `parked`.
    ///
    /// `run` ends on SIGTERM or ctrl-c, drains, and reports what was abandoned; a second signal ends it at once, says what that
    /// abandons, and its status is 128 and the signal's number. Wrong arguments end the process with status 2; faults, and
    /// whatever else keeps the command from its work, are printed and end it with status 1.
    ///
    /// # Errors
    ///
    /// None, so that `main` can return it: [`Services::run_from`] returns errors.
    pub async fn run_from_args(self) -> events_core::Result<()> {
        Services::new().add(self).run_from_args().await
    }
}

impl From<Service> for Runtime {
    /// A service that was put together without a broker in mind, with what the environment says of the client.
    fn from(service: Service) -> Self {
        Self::over(service)
    }
}

/// The plan of a service on that cluster.
fn planned(
    service: Service,
    parks_anywhere: bool,
    client: &ClientOptions,
) -> Result<Vec<Arc<GroupPlan>>, Faults> {
    if client.is_embedded() && !parks_anywhere {
        service.without_parking().plan()
    } else {
        service.plan()
    }
}

impl Runtime {
    /// Its groups, without running them.
    pub(crate) fn plans(self) -> Result<Vec<Arc<GroupPlan>>, Faults> {
        self.service.plan()
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }
}

//! Several services in one binary.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::time::Duration;

use events_core::Fault;
use events_runtime::Faults;

use crate::cli;
use crate::error::KafkaError;
use crate::handle::Handle;
use crate::runtime::{Prepared, Runtime};

/// Several services in one binary: `run` runs all of them in one process, `run payments` that one alone.
///
/// # Examples
///
/// ```no_run
/// use events_kafka::{Result, Runtime, Services};
///
/// #[tokio::main]
/// async fn main() -> Result<()> {
///     Services::new()
///         .add(Runtime::new("payments"))
///         .add(Runtime::new("inventory"))
///         .run_from_args()
///         .await
/// }
/// ```
#[derive(Debug, Default)]
#[must_use = "services do nothing until they are run"]
pub struct Services(Vec<Runtime>);

impl Services {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// One more.
    #[expect(
        clippy::should_implement_trait,
        reason = "a builder's word, not arithmetic"
    )]
    pub fn add(mut self, runtime: Runtime) -> Self {
        self.0.push(runtime);
        self
    }

    /// Their names.
    pub fn names(&self) -> Vec<&str> {
        self.0.iter().map(Runtime::name).collect()
    }

    /// Keeps those that are named; all of them if none is.
    ///
    /// # Errors
    ///
    /// A name that none of them has.
    pub fn only<S: AsRef<str>>(mut self, names: &[S]) -> Result<Self, KafkaError> {
        for name in names.iter().map(AsRef::as_ref) {
            if !self.names().contains(&name) {
                let known = self.names().join(", ");
                return Err(KafkaError::Usage(format!(
                    "this binary has no service `{name}`; it has {known}"
                )));
            }
        }
        if !names.is_empty() {
            self.0
                .retain(|runtime| names.iter().any(|name| name.as_ref() == runtime.name()));
        }
        Ok(self)
    }

    /// Looks for every fault that can be known without a broker.
    ///
    /// # Errors
    ///
    /// All of them at once, each once.
    pub fn check(&self) -> Result<(), Faults> {
        let mut found: Vec<Fault> = Vec::new();
        for faults in self.0.iter().filter_map(|runtime| runtime.check().err()) {
            add(&mut found, faults);
        }
        found.extend(self.shared_handlers());
        if found.is_empty() {
            return Ok(());
        }
        Err(Faults::new(self.names().join(", "), found))
    }

    /// Handlers that several of these services would run, each of them.
    fn shared_handlers(&self) -> Option<Fault> {
        let owned = |runtime: &Runtime| runtime.registry().handlers_of(runtime.name());
        let mut owners: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for runtime in &self.0 {
            for handler in owned(runtime) {
                owners
                    .entry(handler.path())
                    .or_default()
                    .insert(runtime.name());
            }
        }
        owners.retain(|_, services| services.len() > 1);
        let (handler, services) = owners.first_key_value()?;
        let services: Vec<_> = services.iter().copied().collect();
        let message = format!(
            "{} of this binary each run the handler `{handler}`{}",
            services.join(" and "),
            match owners.len() - 1 {
                0 => String::new(),
                more => format!(", and {more} more"),
            }
        );
        let remedy = format!(
            "say whose it is: events_kafka::service!(\"{}\"); in its module, or #[handler(service = \"…\")]",
            services[0]
        );
        Some(Fault::new("shared-handlers", message, remedy))
    }

    /// Starts all of them on the current tokio runtime.
    ///
    /// # Errors
    ///
    /// All faults of all services at once, or what keeps the client from starting; then none of them runs.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub async fn spawn(self) -> Result<Vec<Handle>, KafkaError> {
        self.check()?;
        // Before the first plan is made: what is registered then may be shown by the endpoint of a later one.
        self.0
            .iter()
            .for_each(|runtime| runtime.endpoint().prepare());
        let names = self.names().join(", ");
        let (mut prepared, mut faults) = (Vec::with_capacity(self.0.len()), Vec::new());
        for runtime in self.0 {
            match runtime.prepare().await {
                Ok(ready) => prepared.push(ready),
                Err(KafkaError::Faults(found)) => add(&mut faults, found),
                Err(error) => return Err(error),
            }
        }
        KafkaError::unless_empty(&names, faults)?;
        prepared.into_iter().map(Prepared::start).collect()
    }

    /// Does what the command line says; see [`Runtime::run_from_args`].
    ///
    /// # Errors
    ///
    /// None: it ends the process, as there. [`run_from`](Self::run_from) returns errors.
    pub async fn run_from_args(self) -> events_core::Result<()> {
        if let Err(error) = cli::run(self, std::env::args_os()).await {
            cli::fail(&error);
        }
        Ok(())
    }

    /// The same with arguments of one's own, the program's name first.
    ///
    /// # Errors
    ///
    /// All faults at once, or what else keeps the command from its work.
    pub async fn run_from<A: Into<OsString> + Clone>(
        self,
        arguments: impl IntoIterator<Item = A>,
    ) -> events_core::Result<()> {
        cli::run(self, arguments.into_iter().map(Into::into)).await
    }

    /// Whether `word` is one of the subcommands: for binaries that have arguments of their own beside them.
    pub fn has_command(word: &str) -> bool {
        cli::is_command(word)
    }

    /// One status endpoint for all of them; see [`Runtime::status_address`].
    pub fn status_address(self, address: impl Into<String>) -> Self {
        let address = address.into();
        let runtimes = self.0.into_iter();
        let addressed = runtimes.map(|runtime| runtime.status_address(address.clone()));
        Self(addressed.collect())
    }

    /// A limit for how long each start waits for the cluster; see [`Runtime::start_timeout`].
    pub fn start_timeout(self, limit: Duration) -> Self {
        let limited = self
            .0
            .into_iter()
            .map(|runtime| runtime.start_timeout(limit));
        Self(limited.collect())
    }

    /// All of them on the embedded cluster.
    pub fn embedded(self) -> Self {
        Self(self.0.into_iter().map(Runtime::embedded).collect())
    }

    pub(crate) fn into_runtimes(self) -> Vec<Runtime> {
        self.0
    }

    pub(crate) fn runtimes(&self) -> &[Runtime] {
        &self.0
    }
}

/// Those that are not known yet.
fn add(found: &mut Vec<Fault>, faults: Faults) {
    for fault in faults.faults {
        if !found.contains(&fault) {
            found.push(fault);
        }
    }
}

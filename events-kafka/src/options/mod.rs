//! How the Kafka client is set up.

mod aliases;
mod environment;
mod profile;
mod roles;
mod rules;
mod secrets;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use events_core::Fault;

pub(crate) use profile::BROKER_MAX_MESSAGE;
pub(crate) use secrets::redact_error;

use crate::embedded::Embedded;
use crate::error::KafkaError;

const ADDRESS: &str = "bootstrap.servers";
const POLL_INTERVAL: &str = "max.poll.interval.ms";
/// The client's own default.
const DEFAULT_POLL_INTERVAL: Duration = Duration::from_secs(300);

/// How members of a group agree on who reads what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum GroupProtocol {
    /// The members agree among themselves, cooperative-sticky. The default.
    #[default]
    Classic,
    /// The broker decides (KIP-848): Apache Kafka 4.0 or later. A group changes its protocol by a rolling restart.
    Consumer,
}

/// How the Kafka client is set up: any property of librdkafka, by [`set`](Self::set) or by the environment.
///
/// A variable `KAFKA_X_Y` is the property `x.y`: `KAFKA_BOOTSTRAP_SERVERS` is `bootstrap.servers`, and
/// `KAFKA_SASL_PASSWORD` is `sasl.password`. The environment wins over `set`, since whoever deploys knows best. An
/// unknown property is a start-up fault that names it, and so is one that the delivery rules depend on, such as
/// `enable.auto.commit`. All names: <https://github.com/confluentinc/librdkafka/blob/master/CONFIGURATION.md>.
///
/// Without an address a debug build starts the embedded cluster, a release build does not start.
///
/// Secrets are shown neither by `Debug` nor in errors nor in logs.
///
/// # Examples
///
/// ```
/// use events_kafka::ClientOptions;
///
/// let options = ClientOptions::without_environment()
///     .set("bootstrap.servers", "kafka-1:9092,kafka-2:9092")
///     .set("sasl.password", "hunter2");
/// assert!(!format!("{options:?}").contains("hunter2"));
/// ```
#[derive(Clone)]
pub struct ClientOptions {
    /// By `set`.
    own: BTreeMap<String, String>,
    /// By the environment: wins.
    environment: BTreeMap<String, String>,
    embedded: bool,
    /// Without an address the embedded cluster is used: in debug builds.
    falls_back: bool,
    protocol: GroupProtocol,
    /// The largest record that producers take, in bytes; dead letters may be larger.
    largest_record: usize,
    /// Partitions that members of the service read, as far as they are known: they divide what may be fetched ahead.
    partitions: usize,
}

impl ClientOptions {
    /// What the environment gives.
    pub fn new() -> Self {
        // Names and values that are not UTF-8 are none of Kafka's.
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Self::from_variables(variables)
    }

    /// Nothing: the environment is not read.
    pub fn without_environment() -> Self {
        Self::from_variables([])
    }

    fn from_variables(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self {
            own: BTreeMap::new(),
            environment: environment::properties(variables),
            embedded: false,
            falls_back: cfg!(debug_assertions),
            protocol: GroupProtocol::default(),
            largest_record: BROKER_MAX_MESSAGE,
            partitions: 1,
        }
    }

    /// Sets a property of the client.
    pub fn set(mut self, property: impl Into<String>, value: impl Into<String>) -> Self {
        self.own.insert(property.into(), value.into());
        self
    }

    /// Uses the embedded cluster, whatever address is set: for demos and quick tests.
    ///
    /// It lives in this process and ends with it, has neither transactions nor an admin API, and keeps the last 5 MiB or
    /// 100,000 batches of each partition. All services of a process share it.
    pub fn embedded(mut self) -> Self {
        self.embedded = true;
        self
    }

    /// Chooses how members of a group agree on who reads what. `group.protocol` as a property does the same.
    pub fn group_protocol(mut self, protocol: GroupProtocol) -> Self {
        self.protocol = protocol;
        self
    }

    /// Where the cluster is; none before the embedded one has been started.
    pub fn address(&self) -> Option<&str> {
        self.property(ADDRESS)
    }

    /// Whether the embedded cluster is used.
    pub fn is_embedded(&self) -> bool {
        self.embedded || (self.address().is_none() && self.falls_back)
    }

    /// The value of a property, wherever and under whichever of its names it was set.
    pub(crate) fn property(&self, name: &str) -> Option<&str> {
        let mut all = self.properties();
        let found = all.find(|(given, _)| aliases::same(given, name));
        found.map(|(_, value)| value)
    }

    /// All properties, the environment's first.
    pub(crate) fn properties(&self) -> impl Iterator<Item = (&str, &str)> {
        let own = self.own.iter().filter(|(name, _)| {
            !self
                .environment
                .keys()
                .any(|wins| aliases::same(wins, name))
        });
        self.environment
            .iter()
            .chain(own)
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub(crate) fn protocol(&self) -> GroupProtocol {
        match self.property("group.protocol") {
            Some("consumer") => GroupProtocol::Consumer,
            _ => self.protocol,
        }
    }

    /// Raises the largest record that producers take, in bytes.
    pub(crate) fn take_records_of(&mut self, bytes: usize) {
        self.largest_record = self.largest_record.max(bytes);
    }

    /// Says how many partitions the service's topics have.
    pub(crate) fn expect_partitions(&mut self, partitions: usize) {
        self.partitions = partitions.max(1);
    }

    /// Who the cluster takes the service for, as far as its name is known: the user of SASL, else the service's name.
    pub(crate) fn principal(&self, service: &str) -> String {
        format!("User:{}", self.property("sasl.username").unwrap_or(service))
    }

    /// A name for the broker's logs and quotas, unless there is one.
    pub(crate) fn named(self, service: &str) -> Self {
        match self.property("client.id") {
            Some(_) => self,
            None => self.set("client.id", service),
        }
    }

    /// All that is wrong with the options.
    pub(crate) fn faults(&self) -> Vec<Fault> {
        let consumer = self.protocol() == GroupProtocol::Consumer;
        let each = self.properties().flat_map(|(name, value)| {
            rules::faults(name, value, self.environment.contains_key(name), consumer)
        });
        let mut faults: Vec<_> = each.collect();
        for (properties, from_environment) in [(&self.environment, true), (&self.own, false)] {
            faults.extend(rules::doubled(properties, from_environment));
        }
        if self.address().is_none() && !self.is_embedded() {
            faults.push(Fault::new(
                "no-address",
                "no Kafka address is set, and a release build does not fall back on a cluster that forgets everything",
                "set KAFKA_BOOTSTRAP_SERVERS=host:9092, or ask for the embedded cluster by `--embedded` or `.embedded()`",
            ));
        }
        faults
    }

    /// What is wrong with giving lanes that leave so much time: the polling thread waits for them.
    pub(crate) fn drain_fault(&self, drain: Duration) -> Option<Fault> {
        let given = self
            .property(POLL_INTERVAL)
            .and_then(|millis| millis.parse().ok());
        let longest = given.map_or(DEFAULT_POLL_INTERVAL, Duration::from_millis);
        (drain >= longest).then(|| {
            Fault::new(
                "drain",
                format!(
                    "`drain` is {drain:?} and {POLL_INTERVAL} {longest:?}: a member whose lanes use that time up is put out of its group meanwhile, and what it finishes is run again elsewhere"
                ),
                format!("lower `drain`, or raise {POLL_INTERVAL} above it"),
            )
        })
    }

    /// Options with an address: the embedded cluster's if that is wanted.
    pub(crate) fn located(mut self) -> Result<Self, KafkaError> {
        if self.is_embedded() {
            self.embedded = true;
            return Ok(self.at(Embedded::shared()?.address()));
        }
        Ok(self)
    }

    /// The same at another address, whatever the environment says.
    pub(crate) fn at(mut self, address: &str) -> Self {
        for properties in [&mut self.environment, &mut self.own] {
            properties.retain(|name, _| !aliases::same(name, ADDRESS));
        }
        self.set(ADDRESS, address)
    }
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ClientOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: BTreeMap<_, _> = self
            .properties()
            .map(|(name, value)| (name, secrets::shown(name, value)))
            .collect();
        f.debug_struct("ClientOptions")
            .field("properties", &shown)
            .field("embedded", &self.is_embedded())
            .field("group_protocol", &self.protocol())
            .finish()
    }
}

#[cfg(test)]
impl ClientOptions {
    /// As a release build has them.
    fn of_a_release_build(mut self) -> Self {
        self.falls_back = false;
        self
    }
}

#[cfg(test)]
mod tests;

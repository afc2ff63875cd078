//! What keeps a service from starting, or from talking to Kafka.

use events_core::Fault;
use events_runtime::Faults;
use rdkafka::error::KafkaError as ClientError;

use crate::options::redact_error;

/// What keeps a service from starting, or from talking to Kafka. Every text names the remedy, and none holds a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KafkaError {
    /// All that is wrong with the service, its settings or its topics.
    #[error(transparent)]
    Faults(#[from] Faults),
    /// The Kafka client refuses its configuration, or cannot start.
    #[error(
        "the Kafka {client} cannot start: {reason}; check the properties given by `set` or by KAFKA_* variables"
    )]
    Client {
        /// Which client.
        client: &'static str,
        /// What the client says, without secrets.
        reason: String,
    },
    /// The cluster did not answer, or refused a request.
    #[error(
        "the cluster at {address} did not {action}: {reason}; check KAFKA_BOOTSTRAP_SERVERS, the network and the rights of this user"
    )]
    Cluster {
        /// Where it should be.
        address: String,
        /// What was asked.
        action: &'static str,
        /// What the client says, without secrets.
        reason: String,
    },
    /// The embedded cluster cannot start.
    #[error(
        "the embedded cluster cannot start: {reason}; set KAFKA_BOOTSTRAP_SERVERS to use a cluster of your own"
    )]
    Embedded {
        /// What the client says.
        reason: String,
    },
    /// The system refuses a thread.
    #[error("the system refuses a thread for the Kafka client: {0}; raise the limit of threads")]
    Thread(#[source] std::io::Error),
    /// The arguments name what does not exist.
    #[error("{0}")]
    Usage(String),
}

impl KafkaError {
    /// The client could not be made from its configuration.
    pub(crate) fn client(client: &'static str, error: &ClientError) -> Self {
        let reason = redact_error(error);
        Self::Client { client, reason }
    }

    /// The cluster did not do what was asked.
    pub(crate) fn cluster(address: &str, action: &'static str, error: &ClientError) -> Self {
        let (address, reason) = (address.to_owned(), redact_error(error));
        Self::Cluster {
            address,
            action,
            reason,
        }
    }

    /// Faults apart from whatever else can go wrong.
    pub(crate) fn faults_of(done: Result<(), Self>) -> Result<Vec<Fault>, Self> {
        match done {
            Ok(()) => Ok(Vec::new()),
            Err(Self::Faults(found)) => Ok(found.faults),
            Err(error) => Err(error),
        }
    }

    /// Faults, if there are any.
    pub(crate) fn unless_empty(service: &str, faults: Vec<Fault>) -> Result<(), Self> {
        if faults.is_empty() {
            return Ok(());
        }
        Err(Faults::new(service, faults).into())
    }
}

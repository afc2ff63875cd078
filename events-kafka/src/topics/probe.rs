//! Whether any broker of a cluster answers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode};
use rdkafka::metadata::MetadataBroker;
use rdkafka::producer::{BaseProducer, DeliveryResult, Producer, ProducerContext};

use crate::aside::aside;
use crate::client_log;
use crate::error::KafkaError;
use crate::options::{ClientOptions, redact_error};

/// The longest pause of the client between two connections, in milliseconds.
const RECONNECT: (&str, &str) = ("reconnect.backoff.max.ms", "1000");

/// Reports of the client that are looked at after each question.
const REPORTS: usize = 32;

/// A client that is asked whether a broker answers. It does not log its errors: callers say what is wrong.
pub(crate) struct Probe {
    client: Arc<BaseProducer<Errors>>,
}

/// Why no broker answers.
#[derive(Debug)]
pub(crate) struct Silence {
    pub(crate) reason: String,
    /// A broker is connected, and has not answered in time.
    pub(crate) connected: bool,
}

impl Probe {
    pub(crate) fn connect(client: &ClientOptions) -> Result<Self, KafkaError> {
        let mut config = client.admin();
        if client.property(RECONNECT.0).is_none() {
            config.set(RECONNECT.0, RECONNECT.1);
        }
        let client = BaseProducer::from_config_and_context(&config, Errors::default());
        let client = client.map_err(|error| KafkaError::client("admin client", &error))?;
        Ok(Self {
            client: Arc::new(client),
        })
    }

    /// Asks whether a broker answers. It tells the addresses of all brokers.
    ///
    /// # Errors
    ///
    /// No broker answered in time.
    pub(crate) async fn ask(&self, patience: Duration) -> Result<Vec<String>, Silence> {
        let client = Arc::clone(&self.client);
        let asked = aside(move || {
            let answer = client.client().fetch_metadata(None, patience);
            // Hands out what the client has reported meanwhile, one event a call.
            (0..REPORTS).for_each(|_| client.poll(Duration::ZERO));
            answer
        })
        .await;
        let error = match asked.unwrap_or(Err(ClientError::Canceled)) {
            Ok(metadata) => return Ok(metadata.brokers().iter().map(address_of).collect()),
            Err(error) => error,
        };
        let connected = error.rdkafka_error_code() == Some(RDKafkaErrorCode::OperationTimedOut);
        let last = self.client.context().last().clone();
        Err(Silence {
            reason: last.unwrap_or_else(|| redact_error(&error)),
            connected,
        })
    }

    /// Lets go of the cluster, which a task need not wait for.
    pub(crate) fn close(self) {
        tokio::task::spawn_blocking(move || drop(self));
    }
}

fn address_of(broker: &MetadataBroker) -> String {
    match (broker.host(), broker.port()) {
        (host, port) if host.contains(':') => format!("[{host}]:{port}"),
        (host, port) => format!("{host}:{port}"),
    }
}

/// The last thing that the client reported.
#[derive(Default)]
struct Errors(Mutex<Option<String>>);

impl Errors {
    fn last(&self) -> MutexGuard<'_, Option<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Errors {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(target: "librdkafka", facility, ?level, "{message}");
    }

    fn error(&self, error: ClientError, reason: &str) {
        // That all brokers are down is no reason why.
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::AllBrokersDown) {
            *self.last() = Some(client_log::without_figures(reason).to_owned());
        }
    }
}

impl ProducerContext for Errors {
    type DeliveryOpaque = ();

    fn delivery(&self, _: &DeliveryResult<'_>, (): ()) {}
}

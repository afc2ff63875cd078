//! A start waits for its cluster.

use std::time::{Duration, Instant};

use crate::error::KafkaError;
use crate::options::ClientOptions;
use crate::topics::{Probe, Silence};
use crate::view::View;

/// How long a broker that is not connected yet may take for an answer, and how late a signal may end a start.
const QUESTION: Duration = Duration::from_secs(2);
/// How long one that is connected may take.
const SLOW: Duration = Duration::from_secs(15);
/// The shortest time between two questions.
const PAUSE: Duration = Duration::from_millis(250);
/// How often the log says that the cluster does not answer.
const LINE: Duration = Duration::from_secs(5);

/// The wait of one service for its cluster.
pub(super) struct Waiting<'a> {
    service: &'a str,
    client: &'a ClientOptions,
    view: &'a View,
    /// The longest wait; none for ever.
    limit: Option<Duration>,
    began: Instant,
    said: Option<Instant>,
}

impl<'a> Waiting<'a> {
    pub(super) fn new(
        service: &'a str,
        client: &'a ClientOptions,
        view: &'a View,
        limit: Option<Duration>,
    ) -> Self {
        Self {
            service,
            client,
            view,
            limit,
            began: Instant::now(),
            said: None,
        }
    }

    /// Whether the cluster answers now. The embedded one always does.
    pub(super) async fn answers(&self) -> Result<bool, KafkaError> {
        if self.client.is_embedded() {
            return Ok(true);
        }
        let probe = Probe::connect(self.client)?;
        let answered = probe.ask(SLOW).await;
        probe.close();
        Ok(answered.is_ok())
    }

    /// Waits until the cluster answers, and answers where its brokers are. The service is not ready meanwhile, and says why.
    ///
    /// # Errors
    ///
    /// It did not answer within the limit.
    pub(super) async fn until_answered(&mut self) -> Result<Vec<String>, KafkaError> {
        if self.client.is_embedded() {
            return Ok(Vec::new());
        }
        let probe = Probe::connect(self.client)?;
        let mut patience = QUESTION;
        let outcome = loop {
            let left = self.left();
            let silence = match probe.ask(patience.min(left)).await {
                Ok(brokers) => break Ok(brokers),
                Err(silence) => silence,
            };
            if self.left().is_zero() {
                break Err(self.too_long(silence));
            }
            if silence.connected {
                patience = SLOW;
            }
            self.say(&silence);
            tokio::time::sleep(PAUSE.min(self.left())).await;
        };
        probe.close();
        self.view.waits_for(None);
        if outcome.is_ok() && self.said.take().is_some() {
            tracing::info!(
                service = self.service,
                address = self.address(),
                waited_seconds = self.began.elapsed().as_secs(),
                "the cluster answers; the start goes on"
            );
        }
        outcome
    }

    fn left(&self) -> Duration {
        self.limit.map_or(Duration::MAX, |limit| {
            limit.saturating_sub(self.began.elapsed())
        })
    }

    fn address(&self) -> &str {
        self.client.address().unwrap_or_default()
    }

    fn say(&mut self, Silence { reason, .. }: &Silence) {
        let address = self.address();
        self.view.waits_for(Some(format!(
            "the cluster at {address} does not answer: {reason}"
        )));
        if self.said.is_some_and(|said| said.elapsed() < LINE) {
            return;
        }
        tracing::warn!(
            service = self.service,
            address,
            reason,
            waited_seconds = self.began.elapsed().as_secs(),
            "the cluster does not answer; the service waits for it and is not ready: check KAFKA_BOOTSTRAP_SERVERS and the network; --start-timeout limits the wait"
        );
        self.said = Some(Instant::now());
    }

    fn too_long(&self, silence: Silence) -> KafkaError {
        KafkaError::Cluster {
            address: self.address().to_owned(),
            action: "answer while the start waited for it",
            reason: silence.reason,
        }
    }
}

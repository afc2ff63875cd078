//! Whether the brokers of a service are all away.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use crate::options::ClientOptions;
use crate::topics::Probe;

/// How long a broker may take for an answer.
const ANSWER: Duration = Duration::from_secs(5);
/// The pause between two questions while no broker answers.
const AGAIN: Duration = Duration::from_millis(500);

/// Watches whether any broker of a service answers. Nothing is asked before a client reports that a broker failed; from then
/// on brokers are asked until one of them answers, and the service is not ready while none does.
pub(crate) struct Outage {
    /// With the addresses of all brokers: those that the service was given may be a part of them.
    client: ClientOptions,
    handle: Handle,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Why no broker answers.
    reason: Option<String>,
    asking: Option<AbortHandle>,
}

impl Outage {
    /// `brokers` are the addresses of all brokers at the start.
    pub(crate) fn new(client: &ClientOptions, brokers: &[String], handle: Handle) -> Arc<Self> {
        let mut client = client.clone();
        if !client.is_embedded() {
            let given = client.address().unwrap_or_default().to_owned();
            let all: Vec<_> = [given.as_str()]
                .into_iter()
                .chain(brokers.iter().map(String::as_str))
                .collect();
            client = client.at(&all.join(","));
        }
        Arc::new(Self {
            client,
            handle,
            state: Mutex::default(),
        })
    }

    /// Why no broker answers; none while one does.
    #[cfg(feature = "status")]
    pub(crate) fn reason(&self) -> Option<String> {
        self.state().reason.clone()
    }

    /// Looks into an error of a client, if a broker failed.
    pub(crate) fn suspect(self: &Arc<Self>, error: &KafkaError) {
        use RDKafkaErrorCode as Code;
        let failed = matches!(
            error.rdkafka_error_code(),
            Some(
                Code::AllBrokersDown
                    | Code::BrokerTransportFailure
                    | Code::OperationTimedOut
                    | Code::MessageTimedOut
                    | Code::Resolve
            )
        );
        if !failed || self.client.is_embedded() {
            return;
        }
        let mut state = self.state();
        if state.asking.is_none() {
            let asking = self.handle.spawn(ask(Arc::downgrade(self)));
            state.asking = Some(asking.abort_handle());
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code of users runs under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what came of a question.
    fn note(&self, reason: Option<String>) {
        let mut state = self.state();
        match (&state.reason, &reason) {
            (None, Some(reason)) => {
                tracing::error!(
                    reason,
                    "no broker answers: the service is not ready; it goes on once one does"
                );
            }
            (Some(_), None) => tracing::info!("a broker answers again"),
            _ => {}
        }
        if reason.is_none() {
            state.asking = None;
        }
        state.reason = reason;
    }
}

impl Drop for Outage {
    fn drop(&mut self) {
        if let Some(asking) = self.state().asking.take() {
            asking.abort();
        }
    }
}

/// Asks until a broker answers.
async fn ask(outage: Weak<Outage>) {
    let mut probe = None;
    loop {
        let Some(watched) = outage.upgrade() else {
            break;
        };
        if probe.is_none() {
            probe = Probe::connect(&watched.client).ok();
        }
        drop(watched);
        let reason = match &probe {
            Some(probe) => probe.ask(ANSWER).await.err(),
            None => None,
        };
        let Some(watched) = outage.upgrade() else {
            break;
        };
        let answered = reason.is_none();
        watched.note(reason.map(|silence| silence.reason));
        if answered {
            break;
        }
        drop(watched);
        tokio::time::sleep(AGAIN).await;
    }
    if let Some(probe) = probe {
        probe.close();
    }
}

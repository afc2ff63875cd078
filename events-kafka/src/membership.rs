//! What the coordinator of a consumer group says to a member of it (D8, D12).

mod fatal;
mod refusal;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use events_core::escape::shell;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

pub(crate) use fatal::Recovery;

/// How long a member may wait for its assignment before the status says what it may be waiting for.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the coordinator of a group says to a member. It outlives the member's consumers.
pub(crate) struct Membership {
    group: String,
    /// The `group.instance.id` of a static member.
    instance: Option<String>,
    state: Mutex<State>,
}

struct State {
    /// Whether the member knows which partitions it has, be it none.
    assigned: bool,
    /// When that changed last.
    since: Instant,
    /// Why the coordinator refuses the member; none once it has an assignment again.
    refusal: Option<String>,
}

impl Membership {
    pub(crate) fn new(group: &str, instance: Option<&str>) -> Arc<Self> {
        Arc::new(Self {
            group: group.to_owned(),
            instance: instance.map(str::to_owned),
            state: Mutex::new(State {
                assigned: false,
                since: Instant::now(),
                refusal: None,
            }),
        })
    }

    /// The coordinator has told the member which partitions it has.
    pub(crate) fn assigned(&self) {
        let mut state = self.state();
        if state.refusal.take().is_some() {
            tracing::info!(group = %self.group, "the group's coordinator takes this member again");
        }
        state.set_assigned(true);
    }

    /// The member has no partitions any more, and has not been told which it gets next.
    pub(crate) fn lost(&self) {
        self.state().set_assigned(false);
    }

    pub(crate) fn is_assigned(&self) -> bool {
        self.state().assigned
    }

    /// Looks into an error of the client: the coordinator may refuse the member by it. The client
    /// goes on asking.
    pub(crate) fn suspect(&self, error: &KafkaError) {
        if let Some(code) = error.rdkafka_error_code()
            && let Some(remedy) = refusal::remedy(code)
        {
            self.refuse(format!(
                "the coordinator of the group `{}` refuses this member: {code:?}: {remedy}",
                self.group
            ));
        }
    }

    /// The client's consumer can do nothing more: it has raised a fatal error. Answers how to go
    /// on.
    pub(crate) fn fatal(&self, code: RDKafkaErrorCode, text: &str) -> Recovery {
        let (recovery, remedy) = fatal::recovery(code, self.instance.as_deref());
        let what = format!(
            "the consumer of the group `{}` ended with a fatal error: {code:?}: {text}; {remedy}",
            self.group
        );
        self.lost();
        self.refuse(what);
        recovery
    }

    fn refuse(&self, reason: String) {
        let mut state = self.state();
        if state.refusal.as_ref() != Some(&reason) {
            tracing::error!(group = %self.group, "{reason}");
            state.refusal = Some(reason);
        }
    }

    /// Why the member is unhealthy; none if it has its place in the group, or waits for it and
    /// nothing speaks against that.
    pub(crate) fn trouble(&self) -> Option<String> {
        let state = self.state();
        state.refusal.clone().or_else(|| {
            let waited = state.since.elapsed();
            (!state.assigned && waited >= PATIENCE).then(|| {
                format!(
                    "the group `{}` has given this member no assignment for {} s: its coordinator does not answer or is not available, or another member keeps the rebalance from its end; see the client's log, and `kafka-consumer-groups.sh --describe --state --group {}`",
                    self.group,
                    waited.as_secs(),
                    shell(&self.group)
                )
            })
        })
    }

    /// Why the member is not ready; none if it has its place in the group.
    #[cfg(feature = "status")]
    pub(crate) fn unready(&self) -> Option<String> {
        self.trouble().or_else(|| {
            (!self.is_assigned()).then(|| format!("group {} has no assignment yet", self.group))
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code of users runs under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn set_assigned(&mut self, assigned: bool) {
        if self.assigned != assigned {
            self.assigned = assigned;
            self.since = Instant::now();
        }
    }
}

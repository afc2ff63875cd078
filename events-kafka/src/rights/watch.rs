//! Rights that a member loses while it runs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use events_runtime::GroupPlan;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use super::{Lack, Resource, Right, lacking, of};
use crate::options::ClientOptions;
use crate::topics::Catalog;

/// How often the cluster is asked whether the rights are there again.
const AGAIN: Duration = Duration::from_secs(2);

/// Watches over the rights of a member. Nothing is asked before the cluster refuses something; from then on the member is
/// unhealthy until all that it needs is allowed again.
pub(crate) struct Watch {
    group: String,
    needed: Vec<Right>,
    client: ClientOptions,
    handle: Handle,
    state: Mutex<State>,
    leaving: AtomicBool,
}

#[derive(Default)]
struct State {
    trouble: Option<String>,
    /// Something was refused since the cluster was asked last.
    refused: bool,
    asking: Option<AbortHandle>,
}

impl Watch {
    pub(crate) fn new(plan: &Arc<GroupPlan>, client: &ClientOptions, handle: Handle) -> Arc<Self> {
        Arc::new(Self {
            group: plan.group.clone(),
            needed: of(std::slice::from_ref(plan), None),
            client: client.clone(),
            handle,
            state: Mutex::default(),
            leaving: AtomicBool::new(false),
        })
    }

    /// The member leaves its group: questions to the cluster are not repeated any more.
    pub(crate) fn leave(&self) {
        self.leaving.store(true, Ordering::Release);
    }

    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Acquire)
    }

    /// Why the member is unhealthy: what it may not do any more. None if nothing was refused.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.state().trouble.clone()
    }

    /// Looks into an error of the client, if it is one of rights.
    pub(crate) fn suspect(self: &Arc<Self>, error: &KafkaError) {
        if let Some(code) = error.rdkafka_error_code() {
            self.refused(code);
        }
    }

    /// The same for an error code. Answers what is to be told of it; none if it is not about rights.
    pub(crate) fn refused(self: &Arc<Self>, code: RDKafkaErrorCode) -> Option<String> {
        use RDKafkaErrorCode::{GroupAuthorizationFailed, TopicAuthorizationFailed};
        let resource = match code {
            GroupAuthorizationFailed => Resource::Group,
            TopicAuthorizationFailed => Resource::Topic,
            _ => return None,
        };
        let mut state = self.state();
        state.refused = true;
        if let Some(known) = &state.trouble {
            return Some(known.clone());
        }
        let of = self
            .needed
            .iter()
            .filter(|right| right.resource == resource);
        let needs: Vec<_> = of.map(Right::to_string).collect();
        let text = format!(
            "{code}: this user must be allowed to {}; see `check --acls`",
            needs.join(", to ")
        );
        tracing::error!(group = %self.group, "the cluster refuses: {text}");
        state.trouble = Some(text.clone());
        let asking = self.handle.spawn(ask(Arc::downgrade(self)));
        state.asking = Some(asking.abort_handle());
        Some(text)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code of users runs under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Compares what the cluster tells with what is needed.
    async fn look(&self, catalog: &Catalog) -> Look {
        let lacks = lacking(catalog, &self.needed).await;
        let mut state = self.state();
        // A cluster may refuse what it does not tell: then there is no end before it refuses nothing any more.
        let refused = std::mem::take(&mut state.refused);
        if !lacks.found.is_empty() {
            let texts: Vec<_> = lacks.found.iter().map(Lack::to_string).collect();
            let text = format!("{}; grant it as `check --acls` says", texts.join("; "));
            if state.trouble.as_ref() != Some(&text) {
                tracing::error!(group = %self.group, "{text}");
                state.trouble = Some(text);
            }
        } else if !refused && !lacks.unanswered {
            *state = State::default();
            tracing::info!(group = %self.group, "all rights that were missing are there again");
            return Look::Done;
        }
        if lacks.unanswered {
            Look::Unanswered
        } else {
            Look::Again
        }
    }
}

/// What came of a question.
enum Look {
    /// Nothing is missing any more.
    Done,
    Again,
    /// The cluster did not answer all of it.
    Unanswered,
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(asking) = self.state().asking.take() {
            asking.abort();
        }
    }
}

/// Asks until nothing is missing any more.
async fn ask(watch: Weak<Watch>) {
    let mut catalog = None;
    loop {
        let Some(watch) = watch.upgrade() else {
            return;
        };
        if catalog.is_none() {
            catalog = Catalog::connect(&watch.client).ok();
        }
        if let Some(known) = &catalog {
            match watch.look(known).await {
                Look::Done => return,
                Look::Again => {}
                // A client that left a request to a coordinator unanswered must not be kept.
                Look::Unanswered => {
                    if let Some(catalog) = catalog.take() {
                        catalog.close();
                    }
                }
            }
        }
        drop(watch);
        tokio::time::sleep(AGAIN).await;
    }
}

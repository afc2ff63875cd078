//! Whether the topics that a member reads are still those that it was assigned (D14).
//!
//! A client goes on by a topic's name: once a topic was deleted and made anew it reads the new one
//! from the old position, if that is an offset of its log. A client that sees the topic gone gives
//! its partitions up; one that was frozen meanwhile, or cut off from the brokers, sees nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

use events_runtime::offset_map::TopicId;
use rdkafka::error::RDKafkaErrorCode;
use tokio::runtime::Handle;

use crate::aside::aside;

/// How old a confirmation may be before the next is asked for, and before records wait for it.
const RENEWED: Duration = Duration::from_secs(1);
const VALID: Duration = Duration::from_secs(2);
/// How long one question may take, and how long records wait in all: brokers that hand records out
/// and do not say from which topic must not stop a service.
const ANSWER: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(10);
/// How long to wait before a question is asked again.
const AGAIN: Duration = Duration::from_millis(200);

/// The ids of topics, by name.
pub(crate) type Ids = BTreeMap<String, TopicId>;
/// Asks a cluster for the ids of topics, and blocks until it has answered.
pub(crate) type Ask =
    dyn Fn(&[&str], Duration) -> Result<Ids, RDKafkaErrorCode> + Send + Sync + 'static;

/// Asks for the ids of a member's topics while it receives records: once a second at most, for all
/// of its lanes.
pub(crate) struct TopicWatch {
    ask: Box<Ask>,
    handle: Handle,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    topics: BTreeMap<String, Topic>,
    asking: bool,
    waiting: Vec<Waker>,
}

struct Topic {
    /// The id under which its partitions were assigned.
    assigned: TopicId,
    /// Another id that was found.
    other: Option<TopicId>,
    /// When the last question was asked whose answer named the assigned id.
    confirmed: Instant,
    /// Since when a lane waits.
    waits: Option<Instant>,
}

/// What is known of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Checked {
    /// It is the one that was assigned.
    Same,
    /// The cluster is being asked; the waker is woken.
    Asked,
    /// Another topic has its name: the assigned id, and the one that was found.
    Another(TopicId, TopicId),
}

impl TopicWatch {
    pub(crate) fn new(ask: Box<Ask>, handle: Handle) -> Arc<Self> {
        Arc::new(Self {
            ask,
            handle,
            state: Mutex::default(),
        })
    }

    /// Partitions of the topic are assigned, whose id was told by a question asked at `asked`.
    pub(crate) fn assign(&self, topic: &str, id: TopicId, asked: Instant) {
        let known = Topic {
            assigned: id,
            other: None,
            confirmed: asked,
            waits: None,
        };
        self.state().topics.insert(topic.to_owned(), known);
    }

    /// Whether records of the topic may be taken now. `received` tells whether there are any; for
    /// none nothing is asked.
    pub(crate) fn check(
        self: &Arc<Self>,
        topic: &str,
        waker: &Waker,
        received: impl FnOnce() -> bool,
    ) -> Checked {
        let mut state = self.state();
        let Some(known) = state.topics.get_mut(topic) else {
            return Checked::Same;
        };
        if let Some(other) = known.other {
            return Checked::Another(known.assigned, other);
        }
        let age = known.confirmed.elapsed();
        if age < RENEWED {
            return Checked::Same;
        }
        let valid = age < VALID;
        let so_far = match valid {
            true => Checked::Same,
            false => Checked::Asked,
        };
        if !received() {
            // Records that come later wake the lane.
            return so_far;
        }
        if !valid {
            let since = *known.waits.get_or_insert_with(Instant::now);
            if since.elapsed() >= PATIENCE {
                tracing::warn!(
                    topic,
                    "the brokers do not tell the id of the topic, so its records are handled although it may have been made anew"
                );
                known.confirmed = Instant::now();
                known.waits = None;
                return Checked::Same;
            }
            if !state.waiting.iter().any(|known| known.will_wake(waker)) {
                state.waiting.push(waker.clone());
            }
        }
        if !std::mem::replace(&mut state.asking, true) {
            drop(state);
            self.handle.spawn(Arc::clone(self).renew());
        }
        so_far
    }

    async fn renew(self: Arc<Self>) {
        let topics: Vec<String> = self.state().topics.keys().cloned().collect();
        let asked = Instant::now();
        let this = Arc::clone(&self);
        let answer = aside(move || {
            let topics: Vec<_> = topics.iter().map(String::as_str).collect();
            (this.ask)(&topics, ANSWER)
        });
        let failed = match answer.await {
            Some(Ok(found)) => !self.compare(&found, asked),
            Some(Err(code)) => {
                tracing::debug!(%code, "the cluster does not tell the ids of the topics");
                true
            }
            None => true,
        };
        if failed {
            tokio::time::sleep(AGAIN).await;
        }
        let mut state = self.state();
        state.asking = false;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Notes what was found. Answers whether each topic is there.
    fn compare(&self, found: &Ids, asked: Instant) -> bool {
        let mut whole = true;
        for (topic, known) in &mut self.state().topics {
            match found.get(topic) {
                Some(id) if *id == known.assigned => {
                    known.confirmed = asked;
                    known.waits = None;
                }
                Some(id) => known.other = Some(*id),
                None => whole = false,
            }
        }
        whole
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code of users runs under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;

    const ID: TopicId = [1; 16];
    const OTHER: TopicId = [2; 16];

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    type Answers = Arc<Mutex<Result<Ids, RDKafkaErrorCode>>>;

    fn watch(answer: Result<Ids, RDKafkaErrorCode>) -> (Arc<TopicWatch>, Answers) {
        let answers = Arc::new(Mutex::new(answer));
        let told = Arc::clone(&answers);
        let ask = Box::new(move |_: &[&str], _| told.lock().unwrap().clone());
        (TopicWatch::new(ask, Handle::current()), answers)
    }

    fn ids(id: TopicId) -> Result<Ids, RDKafkaErrorCode> {
        Ok(Ids::from([("orders".to_owned(), id)]))
    }

    /// Asks until the answer is there that is expected.
    async fn told(watch: &Arc<TopicWatch>, expected: Checked) {
        let woken = Arc::new(Woken::default());
        let waker = Arc::clone(&woken).into();
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            let checked = watch.check("orders", &waker, || true);
            if checked == expected {
                return;
            }
            assert_eq!(checked, Checked::Asked);
            let before = woken.0.load(Ordering::SeqCst);
            while woken.0.load(Ordering::SeqCst) == before {
                assert!(Instant::now() < until, "nothing wakes the lane");
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    }

    fn long_ago() -> Instant {
        Instant::now().checked_sub(VALID * 2).unwrap()
    }

    #[tokio::test]
    async fn records_wait_until_their_topic_is_known_to_be_the_same() {
        let (watch, answers) = watch(Err(RDKafkaErrorCode::OperationTimedOut));
        watch.assign("orders", ID, long_ago());
        let idle = watch.check("orders", Waker::noop(), || false);
        assert_eq!((idle, watch.state().asking), (Checked::Asked, false));
        let first = watch.check("orders", Waker::noop(), || true);
        assert_eq!((first, watch.state().asking), (Checked::Asked, true));
        *answers.lock().unwrap() = ids(ID);
        told(&watch, Checked::Same).await;
        let unknown = watch.check("of a cluster without ids", Waker::noop(), || true);
        assert_eq!(unknown, Checked::Same);
    }

    #[tokio::test]
    async fn a_topic_with_another_id_is_another_until_it_is_assigned() {
        let (watch, _) = watch(ids(OTHER));
        watch.assign("orders", ID, long_ago());
        told(&watch, Checked::Another(ID, OTHER)).await;
        watch.assign("orders", OTHER, Instant::now());
        told(&watch, Checked::Same).await;
    }

    #[tokio::test]
    async fn a_missing_topic_lets_others_go_on() {
        let (watch, _) = watch(ids(ID));
        watch.assign("gone", OTHER, long_ago());
        watch.assign("orders", ID, long_ago());
        told(&watch, Checked::Same).await;
        let gone = watch.check("gone", Waker::noop(), || true);
        assert_eq!(gone, Checked::Asked);
    }
}

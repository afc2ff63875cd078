//! What the slots of one lane share.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use events_core::{Error, RecordView};
use tokio::time::Instant;

use crate::dead_letter::chain;
use crate::hold::{Hold, Holding};
use crate::parking::shared::ParkedShared;
use crate::plan::{GroupPlan, HandlerPlan, TopicPlan};
use crate::transport::{Publish, TopicPartition};

/// What the slots of one lane share.
pub(crate) struct LaneContext {
    pub(crate) group: Arc<GroupPlan>,
    pub(crate) topic: Arc<TopicPlan>,
    pub(crate) partition: TopicPartition,
    pub(crate) publish: Arc<dyn Publish>,
    /// Its parked keys; none where keys are not parked.
    pub(crate) parked: Option<Arc<ParkedShared>>,
    /// One for each of the topic's handlers.
    holds: Vec<Arc<Hold>>,
    /// Records held back, over all slots.
    held: AtomicUsize,
    /// Blocking attempts that overran their time and still run.
    overdue: AtomicUsize,
    /// Blocking attempts that still ran when their slot was dropped, late or not.
    outliving: AtomicUsize,
    /// The lane has work and does not advance.
    stalls: AtomicBool,
    troubles: Mutex<BTreeMap<(u32, u64), Trouble>>,
}

/// A key whose record failed and is tried again.
#[derive(Debug, Clone)]
pub(crate) struct Trouble {
    pub(crate) handler: String,
    pub(crate) key: String,
    pub(crate) offset: i64,
    pub(crate) attempts: u32,
    pub(crate) error: String,
    pub(crate) since: Instant,
}

/// Most keys listed in a status; the count of held records is exact beyond it.
const MAX_TROUBLES: usize = 64;

impl LaneContext {
    pub(crate) fn new(
        group: Arc<GroupPlan>,
        topic: Arc<TopicPlan>,
        partition: TopicPartition,
        publish: Arc<dyn Publish>,
        parked: Option<Arc<ParkedShared>>,
    ) -> Self {
        let hold = |handler| Hold::new(handler, &partition, &group.settings);
        Self {
            holds: topic.handlers.iter().map(hold).collect(),
            group,
            topic,
            partition,
            publish,
            parked,
            held: AtomicUsize::new(0),
            overdue: AtomicUsize::new(0),
            outliving: AtomicUsize::new(0),
            stalls: AtomicBool::new(false),
            troubles: Mutex::default(),
        }
    }

    /// The hold of one of the topic's handlers.
    pub(crate) fn hold(&self, handler: &Arc<HandlerPlan>) -> Arc<Hold> {
        let known = self.holds.iter().find(|hold| hold.is_of(handler));
        // Slots are made for the topic's handlers alone.
        Arc::clone(known.expect("a slot's handler is one of its topic's"))
    }

    /// The handlers that hold.
    pub(crate) fn holding(&self) -> Vec<Holding> {
        self.holds
            .iter()
            .filter_map(|hold| hold.holding())
            .collect()
    }

    /// When a handler last went on after a hold.
    pub(crate) fn hold_ended(&self) -> Option<Instant> {
        self.holds.iter().filter_map(|hold| hold.ended()).max()
    }

    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    pub(crate) fn add_held(&self, count: usize) {
        self.held.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn remove_held(&self, count: usize) {
        self.held.fetch_sub(count, Ordering::Relaxed);
    }

    pub(crate) fn stalls(&self) -> bool {
        self.stalls.load(Ordering::Relaxed)
    }

    pub(crate) fn set_stalls(&self, stalls: bool) {
        self.stalls.store(stalls, Ordering::Relaxed);
    }

    pub(crate) fn outliving(&self) -> usize {
        self.outliving.load(Ordering::Relaxed)
    }

    pub(crate) fn add_outliving(&self) {
        self.outliving.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn overdue(&self) -> usize {
        self.overdue.load(Ordering::Relaxed)
    }

    pub(crate) fn add_overdue(&self) {
        self.overdue.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn remove_overdue(&self) {
        self.overdue.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn trouble(
        &self,
        handler: &HandlerPlan,
        key: u64,
        attempts: u32,
        record: &dyn RecordView,
        error: &Error,
    ) {
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        let id = (handler.hash, key);
        if !troubles.contains_key(&id) && troubles.len() >= MAX_TROUBLES {
            return;
        }
        let trouble = troubles.entry(id).or_insert_with(|| Trouble {
            handler: handler.stable_name.clone(),
            key: key_text(record),
            offset: record.offset(),
            attempts: 0,
            error: String::new(),
            since: Instant::now(),
        });
        trouble.attempts = attempts;
        trouble.error = chain(error);
    }

    pub(crate) fn no_trouble(&self, handler: &HandlerPlan, key: u64) {
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        troubles.remove(&(handler.hash, key));
    }

    pub(crate) fn troubles(&self) -> Vec<Trouble> {
        let troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        troubles.values().cloned().collect()
    }
}

/// The key as a person reads it.
pub(crate) fn key_text(record: &dyn RecordView) -> String {
    record.key().map_or_else(
        || "(no key)".to_owned(),
        |key| String::from_utf8_lossy(key).into_owned(),
    )
}

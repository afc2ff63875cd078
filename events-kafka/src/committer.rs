//! Commits a member's positions: at each tick, and earlier after a number of records (D3).

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use events_runtime::Group;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};
use tokio::runtime::Builder;
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior};

use crate::ffi::CommitQueue;
use crate::rebalance::{MemberContext, commit_answered};

/// How long lanes may take to say how far they are: one whose handler blocks its thread does not.
const ANSWER: Duration = Duration::from_millis(100);

/// How long a commit that was refused is not tried again, though one is due.
const AGAIN: Duration = Duration::from_millis(200);

/// A thread that commits. The polling thread cannot: while it carries out a rebalance it waits for lanes that drain and for
/// the broker's answers, and the partitions that stay go on meanwhile.
/// The answers come on a queue of this thread's. A commit that is due before its tick waits for those to the ones before: what is
/// done until then would be repeated by a kill, and counts against the member's bound until all are answered.
pub(crate) struct Committer {
    stop: Arc<Notify>,
    thread: Option<JoinHandle<()>>,
}

impl Committer {
    pub(crate) fn start(
        consumer: &Arc<BaseConsumer<MemberContext>>,
        group: &Arc<Group>,
    ) -> KafkaResult<Self> {
        let failed =
            |error| KafkaError::ClientCreation(format!("no thread for the commits: {error}"));
        // A clock of its own: the runtime's stands still while handlers block all of its threads.
        let clock = Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(failed)?;
        let stop = Arc::new(Notify::new());
        let (stopped, consumer, group) =
            (Arc::clone(&stop), Arc::clone(consumer), Arc::clone(group));
        let thread = thread::Builder::new()
            .name(format!("commit {}", group.plan().group))
            .spawn(move || clock.block_on(run(&consumer, &group, &stopped)))
            .map_err(failed)?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Committer {
    /// Waits for the thread, which holds the consumer and waits for nothing longer than [`ANSWER`].
    fn drop(&mut self) {
        self.stop.notify_one();
        if let Some(thread) = self.thread.take() {
            // The panic hook has reported a panic.
            let _ = thread.join();
        }
    }
}

async fn run(consumer: &Arc<BaseConsumer<MemberContext>>, group: &Group, stop: &Notify) {
    let answers = CommitQueue::new(consumer);
    let interval = group.plan().settings.commit_interval;
    let mut tick = tokio::time::interval_at(Instant::now() + interval, interval);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = stop.notified() => return,
            _ = tick.tick() => group.request_positions(),
            () = group.commit_due() => {}
        }
        let (mut committed, mut left) = (true, 0);
        send(consumer, group, &answers, (&mut committed, &mut left)).await;
        while left > 0 {
            tokio::select! {
                biased;
                () = stop.notified() => return,
                // The coordinator may take long: it answers none while a member joins. What is sent meanwhile is answered
                // behind the first.
                _ = tick.tick() => {
                    group.request_positions();
                    send(consumer, group, &answers, (&mut committed, &mut left)).await;
                }
                (result, list) = answers.next() => {
                    committed &= consumer.context().answered(result, &list);
                    left -= 1;
                }
            }
        }
        if committed {
            group.acknowledge_positions();
            continue;
        }
        tokio::select! {
            biased;
            () = stop.notified() => return,
            () = tokio::time::sleep(AGAIN.min(interval)) => {}
        }
    }
}

/// Commits what the lanes have done. `left` counts the answers that will come; `committed` is false once something was not sent.
async fn send(
    consumer: &BaseConsumer<MemberContext>,
    group: &Group,
    answers: &CommitQueue<MemberContext>,
    (committed, left): (&mut bool, &mut usize),
) {
    group.gather_positions(ANSWER).await;
    let sent = {
        let _turn = consumer.context().committing();
        commit_answered(consumer, &group.take_positions(), answers)
    };
    consumer.context().ask_ownership(consumer);
    *committed &= sent.is_some();
    *left += sent.unwrap_or_default();
}

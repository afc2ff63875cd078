//! What can be made to go wrong with a broker.

use events_runtime::TopicPartition;

use crate::broker::Broker;

/// Faults. Those of publishing concern services alone, never [`Broker::publish`] and [`Broker::produce`].
impl Broker {
    /// Refuses every record for a topic, until [`accept`](Self::accept).
    pub fn refuse(&self, topic: &str, reason: &str) {
        self.state()
            .sabotage
            .refused
            .insert(topic.to_owned(), reason.to_owned());
    }

    /// Takes records for a topic again.
    pub fn accept(&self, topic: &str) {
        self.state().sabotage.refused.remove(topic);
    }

    /// Sets a topic's own limit for the records of services; without one it takes
    /// [as much](Self::max_record_bytes) as every other.
    pub fn limit(&self, topic: &str, bytes: usize) {
        self.state().sabotage.limits.insert(topic.to_owned(), bytes);
    }

    /// Lets a topic refuse records of services whose time is after this one, in milliseconds since the Unix epoch.
    /// Of a record that was sent in a batch with others the client says only that it is invalid.
    pub fn refuse_times_after(&self, topic: &str, latest: i64, in_batches: bool) {
        let sabotage = &mut self.state().sabotage;
        sabotage.times.insert(topic.to_owned(), latest);
        sabotage.in_batches = in_batches;
    }

    /// Answers the next `times` records that the client's queue is full.
    pub fn fill_queue(&self, times: usize) {
        self.state().sabotage.full = times;
    }

    /// Loses the producer at each of the next `records` records: the answer is "lost", and the record is written
    /// all the same, or not.
    pub fn lose_producer(&self, records: usize, written: bool) {
        self.state().sabotage.lost = (records, written);
    }

    /// Keeps acknowledgements back from now on. Records are written, but services do not learn of it.
    pub fn hold_acks(&self) {
        self.state().sabotage.held.get_or_insert_default();
    }

    /// Acknowledgements kept back now.
    pub fn held_acks(&self) -> usize {
        self.state().sabotage.held.as_ref().map_or(0, Vec::len)
    }

    /// Gives the oldest acknowledgement that was kept back; the others stay back.
    pub fn release_one_ack(&self) {
        let mut state = self.state();
        let held = state.sabotage.held.as_mut().filter(|held| !held.is_empty());
        let oldest = held.map(|held| held.remove(0));
        drop(state);
        if let Some(answer) = oldest {
            answer.complete();
        }
    }

    /// Gives all acknowledgements that were kept back, and from now on at once.
    pub fn release_acks(&self) {
        let held = self.state().sabotage.held.take();
        for answer in held.into_iter().flatten() {
            answer.complete();
        }
    }

    /// Loses the producer while acknowledgements are kept back: each answers "lost", though the record is written.
    pub fn lose_acks(&self) {
        let held = self.state().sabotage.held.take();
        for answer in held.into_iter().flatten() {
            answer.lose();
        }
    }

    /// Forgets the records of a partition below an offset, as retention does.
    pub fn truncate(&self, partition: &TopicPartition, before: i64) {
        if let Some(log) = self.state().log_mut(partition) {
            log.truncate(before);
        }
    }

    /// Deletes a topic and makes it anew, empty, and with it what groups have committed for it. Nobody should read it
    /// meanwhile.
    pub fn make_anew(&self, topic: &str) {
        self.state().make_anew(topic);
    }

    /// Leaves offsets of a partition out, as compaction and transaction markers do.
    pub fn skip_offsets(&self, partition: &TopicPartition, offsets: i64) {
        if let Some(log) = self.state().log_mut(partition) {
            log.skip(offsets);
        }
    }

    /// Lets every read of a partition fail, until [`make_readable`](Self::make_readable).
    pub fn make_unreadable(&self, partition: &TopicPartition, reason: &str) {
        self.set_fault(partition, Some(reason.to_owned()));
    }

    /// Lets a partition be read again.
    pub fn make_readable(&self, partition: &TopicPartition) {
        self.set_fault(partition, None);
    }

    fn set_fault(&self, partition: &TopicPartition, fault: Option<String>) {
        let readers = self.state().log_mut(partition).map(|log| {
            log.set_fault(fault);
            log.take_readers()
        });
        readers
            .into_iter()
            .flatten()
            .for_each(std::task::Waker::wake);
    }
}

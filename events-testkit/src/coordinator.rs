//! Consumer groups: who owns which partition, and what is committed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use events_runtime::{Position, TopicPartition};
use tokio::sync::Notify;

/// A consumer group.
#[derive(Debug, Default)]
pub(crate) struct Coordinator {
    pub(crate) committed: BTreeMap<TopicPartition, Position>,
    members: BTreeMap<u64, Seat>,
    next_member: u64,
    /// Counts rebalances.
    generation: i64,
}

/// A member's place in its group.
#[derive(Debug)]
struct Seat {
    topics: BTreeSet<String>,
    /// What it should own.
    target: BTreeSet<TopicPartition>,
    /// What it owns.
    owned: BTreeSet<TopicPartition>,
    changed: Arc<Notify>,
}

impl Coordinator {
    /// Takes a member in; it is notified whenever its target may have changed.
    pub(crate) fn join(&mut self, topics: BTreeSet<String>, changed: Arc<Notify>) -> u64 {
        let id = self.next_member;
        self.next_member += 1;
        let seat = Seat {
            topics,
            target: BTreeSet::new(),
            owned: BTreeSet::new(),
            changed,
        };
        self.members.insert(id, seat);
        id
    }

    pub(crate) fn leave(&mut self, member: u64) {
        self.members.remove(&member);
    }

    pub(crate) fn owns(&self, member: u64, partition: &TopicPartition) -> bool {
        let seat = self.members.get(&member);
        seat.is_some_and(|seat| seat.owned.contains(partition))
    }

    /// How often partitions were spread anew.
    pub(crate) fn generation(&self) -> i64 {
        self.generation
    }

    /// Takes the positions of a member: a lane's and its parked log's at once.
    pub(crate) fn commit(&mut self, positions: Vec<(TopicPartition, Position)>) {
        for (partition, mut position) in positions {
            if let Some(parked) = position.parked.take() {
                let log = TopicPartition::new(parked.topic, partition.partition);
                let hint = Position {
                    watermark: parked.offset,
                    metadata: parked.claim,
                    parked: None,
                };
                self.committed.insert(log, hint);
            }
            self.committed.insert(partition, position);
        }
    }

    pub(crate) fn members(&self) -> usize {
        self.members.len()
    }

    /// Spreads `all` evenly, moving as little as it can, and tells every member.
    pub(crate) fn rebalance(&mut self, all: &BTreeSet<TopicPartition>) {
        self.generation += 1;
        let ids: Vec<u64> = self.members.keys().copied().collect();
        let mut free = all.clone();
        for seat in self.members.values_mut() {
            seat.target.retain(|partition| free.remove(partition));
        }
        for partition in free {
            let takers = ids
                .iter()
                .filter(|id| self.members[id].topics.contains(&partition.topic));
            if let Some(id) = takers.min_by_key(|id| self.load(**id)).copied() {
                self.seat(id).target.insert(partition);
            }
        }
        while let Some((from, to, partition)) = self.uneven(&ids) {
            self.seat(from).target.remove(&partition);
            self.seat(to).target.insert(partition);
        }
        self.notify();
    }

    /// A partition that should move from a member to another.
    fn uneven(&self, ids: &[u64]) -> Option<(u64, u64, TopicPartition)> {
        for from in ids {
            for to in ids
                .iter()
                .filter(|to| self.load(**to) + 1 < self.load(*from))
            {
                let topics = &self.members[to].topics;
                let movable = self.members[from].target.iter().rev();
                if let Some(partition) = movable
                    .clone()
                    .find(|partition| topics.contains(&partition.topic))
                {
                    return Some((*from, *to, partition.clone()));
                }
            }
        }
        None
    }

    fn load(&self, member: u64) -> usize {
        self.members
            .get(&member)
            .map_or(0, |seat| seat.target.len())
    }

    fn seat(&mut self, member: u64) -> &mut Seat {
        // Only ids of present members are asked for, and nobody leaves under the lock.
        self.members
            .get_mut(&member)
            .expect("the member is present")
    }

    fn notify(&self) {
        for seat in self.members.values() {
            seat.changed.notify_one();
        }
    }

    /// What the member owns and should give up.
    pub(crate) fn to_revoke(&self, member: u64) -> Vec<TopicPartition> {
        let seat = self.members.get(&member);
        seat.map_or_else(Vec::new, |seat| {
            seat.owned.difference(&seat.target).cloned().collect()
        })
    }

    /// Gives partitions up: others may take them.
    pub(crate) fn release(&mut self, member: u64, partitions: &[TopicPartition]) {
        if let Some(seat) = self.members.get_mut(&member) {
            seat.owned
                .retain(|partition| !partitions.contains(partition));
        }
        self.notify();
    }

    /// Takes what the member should own and nobody else does.
    pub(crate) fn acquire(&mut self, member: u64) -> Vec<TopicPartition> {
        let owned: BTreeSet<_> = self
            .members
            .values()
            .flat_map(|seat| seat.owned.iter().cloned())
            .collect();
        let Some(seat) = self.members.get_mut(&member) else {
            return Vec::new();
        };
        let free: Vec<_> = seat.target.difference(&owned).cloned().collect();
        seat.owned.extend(free.iter().cloned());
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partitions(count: i32) -> BTreeSet<TopicPartition> {
        (0..count)
            .map(|partition| TopicPartition::new("t", partition))
            .collect()
    }

    fn targets(group: &Coordinator) -> Vec<usize> {
        group
            .members
            .values()
            .map(|seat| seat.target.len())
            .collect()
    }

    #[test]
    fn partitions_are_spread_evenly_and_move_seldom() {
        let mut group = Coordinator::default();
        let topics = BTreeSet::from(["t".to_owned()]);
        let first = group.join(topics.clone(), Arc::default());
        group.rebalance(&partitions(8));
        let before = group.members[&first].target.clone();
        let second = group.join(topics.clone(), Arc::default());
        group.join(topics, Arc::default());
        group.rebalance(&partitions(8));
        let mut loads = targets(&group);
        loads.sort_unstable();
        assert_eq!(loads, [2, 3, 3]);
        assert!(
            group.members[&first].target.is_subset(&before),
            "nothing moved to the first"
        );
        group.leave(second);
        group.rebalance(&partitions(8));
        assert_eq!(targets(&group), [4, 4]);
    }

    #[test]
    fn nobody_takes_what_another_still_owns() {
        let mut group = Coordinator::default();
        let topics = BTreeSet::from(["t".to_owned()]);
        let first = group.join(topics.clone(), Arc::default());
        group.rebalance(&partitions(2));
        assert_eq!(group.acquire(first).len(), 2);
        let second = group.join(topics, Arc::default());
        group.rebalance(&partitions(2));
        assert!(group.acquire(second).is_empty());
        let leaving = group.to_revoke(first);
        assert_eq!(leaving.len(), 1);
        group.release(first, &leaving);
        assert_eq!(group.acquire(second), leaving);
    }
}

//! Lanes whose partitions are given up.

use std::sync::{Arc, Mutex};

use tokio::time::Instant;

use super::{Running, lock};
use crate::lane::shared::{LaneReport, LaneShared};
use crate::status::ShutdownReport;
use crate::transport::{Position, TopicPartition};

type Leaving = Vec<(TopicPartition, Arc<LaneShared>)>;

/// Lanes on their way out. They are forgotten also when whoever waits for them gives up.
pub(super) struct Departure<'a> {
    leaving: &'a Mutex<Leaving>,
    own: Leaving,
}

impl<'a> Departure<'a> {
    pub(super) fn of(leaving: &'a Mutex<Leaving>, lanes: &[(TopicPartition, Running)]) -> Self {
        let shared = lanes
            .iter()
            .map(|(partition, running)| (partition.clone(), Arc::clone(&running.shared)));
        let own: Leaving = shared.collect();
        lock(leaving).extend(own.iter().cloned());
        Self { leaving, own }
    }
}

impl Drop for Departure<'_> {
    fn drop(&mut self) {
        lock(self.leaving)
            .retain(|(_, lane)| !self.own.iter().any(|(_, own)| Arc::ptr_eq(own, lane)));
    }
}

/// Partitions that were given up.
#[derive(Debug, Clone, Default)]
pub struct Revoked {
    /// How far each is, to be committed.
    pub positions: Vec<(TopicPartition, Position)>,
    /// Whether everything under way was finished.
    pub report: ShutdownReport,
}

impl Revoked {
    /// Adds what lanes report that end until then, and gives the others back.
    pub(super) async fn wait(
        &mut self,
        lanes: Vec<(TopicPartition, Running)>,
        until: Instant,
    ) -> Vec<(TopicPartition, Running)> {
        let mut late = Vec::new();
        for (partition, mut running) in lanes {
            match tokio::time::timeout_at(until, &mut running.task).await {
                Ok(Ok(report)) => self.add(report),
                Ok(Err(panic)) => {
                    tracing::error!(%partition, error = %panic, "a lane's task failed; its work is done again");
                    self.report.drained = false;
                }
                Err(_) => late.push((partition, running)),
            }
        }
        late
    }

    fn add(&mut self, lane: LaneReport) {
        self.report.abandoned += lane.abandoned;
        self.report.overdue += lane.overdue;
        self.report.drained &= lane.abandoned == 0;
        if let Some(position) = lane.position {
            self.positions.push((lane.partition, position));
        }
    }
}

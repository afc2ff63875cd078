//! The services that run in this process.

use std::ops::AddAssign;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use events_kafka::{Handle, Runtime, Status};
use tokio::task::JoinSet;

/// How long a service may take to get its partitions: after a crash its group first has to notice that the old member is gone.
const JOIN: Duration = Duration::from_secs(90);
/// How long the last records may take to be done once every order has ended.
const SETTLE: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How often the services commit, and say how far they are.
const COMMIT_EVERY: Duration = Duration::from_millis(100);
/// What they say may be as old as one commit, and what they emitted then is another one's work.
const SETTLED_LOOKS: u32 = 3;

/// Services that run in this process.
#[derive(Default)]
pub(crate) struct Fleet {
    handles: Mutex<Vec<Handle>>,
    /// What services that are gone have counted.
    gone: Mutex<Counts>,
    /// Most records that waited at one time because their handler held.
    held: AtomicU64,
}

/// What services count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Duplicates skipped.
    pub(crate) duplicates: u64,
    /// Attempts that failed and were made again.
    pub(crate) retried: u64,
    /// Most records that waited at one time because their handler held.
    pub(crate) held: u64,
    /// Records parked.
    pub(crate) parked: u64,
}

impl Fleet {
    /// Starts a service, and waits until it has partitions to read.
    pub(crate) async fn start(&self, service: Runtime) -> Result<()> {
        let service = service.configure(|settings| settings.commit_interval = COMMIT_EVERY);
        let handle = service.spawn().await?;
        let joined = until(|| handle.partitions() > 0);
        let name = handle.service();
        tokio::time::timeout(JOIN, joined)
            .await
            .with_context(|| format!("`{name}` got no partitions in {JOIN:?}"))?;
        self.handles().push(handle);
        Ok(())
    }

    /// Whether a service runs here.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.handles().iter().any(|handle| handle.service() == name)
    }

    /// Where the cluster is, for other processes too.
    pub(crate) fn address(&self) -> Option<String> {
        let handles = self.handles();
        handles.first().map(|handle| handle.address().to_owned())
    }

    /// Drains a service: it finishes what it has begun, commits, and leaves.
    pub(crate) async fn stop(&self, name: &str) -> Result<()> {
        let handle = {
            let mut handles = self.handles();
            let place = handles.iter().position(|handle| handle.service() == name);
            handles.remove(place.with_context(|| format!("no service `{name}` runs here"))?)
        };
        let counts = drain(handle).await?;
        *self.gone() += counts;
        Ok(())
    }

    /// Counts what waits while handlers hold; it never ends.
    pub(crate) async fn watch(&self) {
        loop {
            let waiting = self
                .handles()
                .iter()
                .map(|handle| waiting(&handle.status()))
                .sum();
            self.held.fetch_max(waiting, Ordering::Relaxed);
            tokio::time::sleep(COMMIT_EVERY).await;
        }
    }

    /// Waits until every service has done all that there is to do.
    pub(crate) async fn settle(&self) {
        let settled = async {
            let mut looks = 0;
            while looks < SETTLED_LOOKS {
                tokio::time::sleep(COMMIT_EVERY).await;
                looks = if self.is_idle() { looks + 1 } else { 0 };
            }
        };
        if tokio::time::timeout(SETTLE, settled).await.is_err() {
            tracing::warn!("there are still records that are not done");
        }
    }

    fn is_idle(&self) -> bool {
        self.handles().iter().all(|handle| {
            let lanes = handle.status().lanes;
            handle.lag() == Some(0) && lanes.iter().all(|lane| lane.parked_records == 0)
        })
    }

    /// Drains all services, and says what all of them have counted.
    pub(crate) async fn stop_all(self) -> Result<Counts> {
        let mut counts = *self.gone();
        counts.held = self.held.load(Ordering::Relaxed);
        let handles = std::mem::take(&mut *self.handles());
        let mut drains: JoinSet<_> = handles.into_iter().map(drain).collect();
        while let Some(drained) = drains.join_next().await {
            counts += drained??;
        }
        Ok(counts)
    }

    fn handles(&self) -> MutexGuard<'_, Vec<Handle>> {
        // Nothing panics while it is held, so a poisoned value is a whole one.
        self.handles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn gone(&self) -> MutexGuard<'_, Counts> {
        self.gone.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.duplicates += other.duplicates;
        self.retried += other.retried;
        self.held = self.held.max(other.held);
        self.parked += other.parked;
    }
}

/// Records that wait in lanes in which a handler holds.
fn waiting(status: &Status) -> u64 {
    let lanes = status.lanes.iter().filter(|lane| !lane.holds.is_empty());
    lanes.map(|lane| lane.in_flight as u64).sum()
}

/// Drains a service, and says what it has counted.
async fn drain(handle: Handle) -> Result<Counts> {
    // The first look asks the lanes, the second one has their answers.
    handle.status();
    tokio::time::sleep(LOOK_EVERY).await;
    let status = handle.status();
    let mut counts = Counts {
        duplicates: status.lanes.iter().map(|lane| lane.duplicates).sum(),
        ..Counts::default()
    };
    for handler in &status.handlers {
        counts.retried += handler.retried;
        counts.parked += handler.parked;
    }
    let name = handle.service().to_owned();
    let report = handle.drain().await;
    ensure!(report.drained, "`{name}` {report}");
    Ok(counts)
}

async fn until(mut condition: impl FnMut() -> bool) {
    while !condition() {
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

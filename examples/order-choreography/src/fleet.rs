//! The services that run in this process.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use events_kafka::{Handle, Runtime};
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
    handles: Vec<Handle>,
    /// What services that are gone have skipped.
    duplicates: u64,
}

impl Fleet {
    /// Starts a service, and waits until it has partitions to read.
    pub(crate) async fn start(&mut self, service: Runtime) -> Result<()> {
        let service = service.configure(|settings| settings.commit_interval = COMMIT_EVERY);
        let handle = service.spawn().await?;
        let joined = until(|| handle.partitions() > 0);
        let name = handle.service();
        tokio::time::timeout(JOIN, joined)
            .await
            .with_context(|| format!("`{name}` got no partitions in {JOIN:?}"))?;
        self.handles.push(handle);
        Ok(())
    }

    /// Whether a service runs here.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.handles.iter().any(|handle| handle.service() == name)
    }

    /// Drains a service: it finishes what it has begun, commits, and leaves.
    pub(crate) async fn stop(&mut self, name: &str) -> Result<()> {
        let place = self
            .handles
            .iter()
            .position(|handle| handle.service() == name);
        let handle = self
            .handles
            .remove(place.with_context(|| format!("no service `{name}` runs here"))?);
        self.duplicates += drain(handle).await?;
        Ok(())
    }

    /// Waits until every service has done all that there is to do.
    pub(crate) async fn settle(&self) {
        let idle = || self.handles.iter().all(|handle| handle.lag() == Some(0));
        let settled = async {
            let mut looks = 0;
            while looks < SETTLED_LOOKS {
                tokio::time::sleep(COMMIT_EVERY).await;
                looks = if idle() { looks + 1 } else { 0 };
            }
        };
        if tokio::time::timeout(SETTLE, settled).await.is_err() {
            tracing::warn!("there are still records that are not done");
        }
    }

    /// Drains all services, and says how many duplicates all of them have skipped.
    pub(crate) async fn stop_all(self) -> Result<u64> {
        let mut drains: JoinSet<_> = self.handles.into_iter().map(drain).collect();
        let mut duplicates = self.duplicates;
        while let Some(drained) = drains.join_next().await {
            duplicates += drained??;
        }
        Ok(duplicates)
    }
}

/// Drains a service, and says how many duplicates it has skipped.
async fn drain(handle: Handle) -> Result<u64> {
    // The first look asks the lanes, the second one has their answers.
    handle.status();
    tokio::time::sleep(LOOK_EVERY).await;
    let duplicates = handle
        .status()
        .lanes
        .iter()
        .map(|lane| lane.duplicates)
        .sum();
    let name = handle.service().to_owned();
    let report = handle.drain().await;
    ensure!(report.drained, "`{name}` {report}");
    Ok(duplicates)
}

async fn until(mut condition: impl FnMut() -> bool) {
    while !condition() {
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

//! A service says what it is, once it runs.

use std::sync::Arc;
use std::time::Duration;

use events_core::manifest::Manifest;
use events_core::{Error, Result};
use events_runtime::GroupPlan;
use tokio::task::JoinSet;

use super::judgement::warn;
use super::{Deployed, LARGEST, TOPIC, making, record};
use crate::options::ClientOptions;
use crate::owners::Owned;
use crate::producer::Producer;
use crate::topics::{Catalog, Ensure};

/// How long the producer may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(5);

/// What is known of other services when a service starts.
pub(crate) enum Others {
    /// They were looked at before the start; none where the service publishes no manifest.
    Seen(Option<Deployed>),
    /// They are looked at once the service runs.
    Unseen(Owned),
}

/// The comparison with other services, and the manifest on its way, beside the service's work. Dropping it gives it up: the next
/// start publishes it.
#[derive(Debug, Default)]
pub(crate) struct Announcement(JoinSet<()>);

impl Announcement {
    /// Compares the service with others unless that was done, and publishes the manifest unless it stands there already.
    pub(crate) fn of(
        manifest: Option<Manifest>,
        (others, plans): (Others, Vec<Arc<GroupPlan>>),
        client: &ClientOptions,
        ensure: Option<Ensure>,
    ) -> Self {
        let mut announcement = Self::default();
        let client = client.clone();
        announcement.0.spawn(async move {
            let seen = match others {
                Others::Seen(deployed) => deployed,
                Others::Unseen(owned) => {
                    owned.warn(&plans, &client).await;
                    None
                }
            };
            let Some(manifest) = manifest else { return };
            let deployed = match seen {
                Some(deployed) => deployed,
                None => {
                    let deployed = Deployed::look(&client, &manifest.service).await;
                    for fault in deployed.faults(&manifest) {
                        warn(&manifest.service, &fault);
                    }
                    deployed
                }
            };
            tell(manifest, &deployed, &client, ensure).await;
        });
        announcement
    }

    /// Waits for it.
    pub(crate) async fn finish(mut self, deadline: Duration) {
        let all = async { while self.0.join_next().await.is_some() {} };
        // Given up with the set.
        let _ = tokio::time::timeout(deadline, all).await;
    }
}

/// Publishes the manifest unless it stands there already.
async fn tell(
    manifest: Manifest,
    deployed: &Deployed,
    client: &ClientOptions,
    ensure: Option<Ensure>,
) {
    let missing = deployed.missing;
    if client.is_embedded() || deployed.holds(&manifest) || (missing && ensure.is_none()) {
        return;
    }
    let service = &manifest.service;
    let made = match ensure.filter(|_| missing) {
        Some(ensure) => make(client, ensure).await,
        None => Ok(true),
    };
    let published = match made {
        Ok(true) => publish(client, &manifest).await,
        Ok(false) => return,
        Err(error) => Err(error),
    };
    match published {
        Ok(()) => tracing::debug!(service, topic = TOPIC, "published the manifest"),
        Err(error) => tracing::warn!(
            service,
            "the manifest was not published: {error:#}; others cannot check against this build: grant the rights that `check --acls` prints, or say .publish_manifest(false)"
        ),
    }
}

/// Makes the topic; says whether there is one now. The embedded cluster of another process makes none by itself.
async fn make(client: &ClientOptions, ensure: Ensure) -> Result<bool> {
    let catalog = Catalog::connect(client)?;
    if catalog.is_embedded().await {
        return Ok(false);
    }
    let made = catalog.create(&[making()], ensure.replication).await;
    catalog.close();
    made?;
    tracing::info!(topic = TOPIC, "created the topic of manifests");
    Ok(true)
}

async fn publish(client: &ClientOptions, manifest: &Manifest) -> Result<()> {
    let record = record(&manifest.service, Some(manifest));
    if record.size() > LARGEST {
        let size = record.size();
        return Err(Error::msg(format!(
            "it has {size} bytes, more than {LARGEST}"
        )));
    }
    let mut client = client.clone();
    client.take_records_of(LARGEST);
    let producer = Producer::connect(manifest.service.clone(), client)?;
    producer
        .enqueue_record("the manifest", &record)
        .await?
        .await?;
    producer.close(GOODBYE).await;
    Ok(())
}

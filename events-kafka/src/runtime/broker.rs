//! What the cluster says of a service before it runs.

use events_core::manifest::Manifest;
use events_runtime::Faults;

use super::{Runtime, planned};
use crate::error::KafkaError;
use crate::manifests::{self, Deployed};
use crate::owners::{Found, Owned};
use crate::rights::{self, Rights};
use crate::topics;

impl Runtime {
    /// Names consumer groups of others that read this service's commands and do not handle them, such as an archive's. Any
    /// other group on their topics is warned of: a command has one owner.
    pub fn allow_observers(mut self, groups: impl IntoIterator<Item: Into<String>>) -> Self {
        self.observers.extend(groups.into_iter().map(Into::into));
        self
    }

    /// Whether another owner of this service's commands keeps it from starting: a consumer group that reads their topics, or a
    /// service whose manifest says so. Otherwise the service starts, and warns of it once it runs.
    ///
    /// Strict is for clusters where only trusted users may commit offsets of the commands' topics and write manifests: whoever may do
    /// either can keep a strict service from starting. `check --broker` finds another owner in both modes.
    ///
    /// # Examples
    ///
    /// ```
    /// use events_kafka::Runtime;
    ///
    /// let runtime = Runtime::new("restaurant").strict_owners(true);
    /// ```
    pub fn strict_owners(mut self, strict: bool) -> Self {
        self.strict_owners = strict;
        self
    }

    /// Whether the service says what it is in the compacted topic `_events.manifests`, once it runs, if the topic is there or
    /// [`ensure_topics`](Self::ensure_topics) makes it: its events with their schemas, handlers, topics, groups and policies.
    /// It does unless this says no.
    ///
    /// Once it runs, the service is compared with what others have published there: another owner of its commands and other
    /// disagreements are logged, and `check --broker` lists them all. Without the topic, or the rights to it,
    /// the service runs all the same. On the embedded cluster nothing is published: its services are those of one process.
    pub fn publish_manifest(mut self, publish: bool) -> Self {
        self.publishes_manifest = publish;
        self
    }

    /// What the service is, as data: what the subcommand `manifest` prints.
    pub fn manifest(&self) -> Manifest {
        self.service.manifest()
    }

    pub(super) fn manifest_to_publish(&self) -> Option<Manifest> {
        self.publishes_manifest.then(|| self.manifest())
    }

    /// Looks for every fault, as [`check`](Self::check), and asks the cluster for the service's topics, for other services
    /// that handle its commands, and for those that disagree with it by the manifests that they have published. It changes
    /// nothing.
    ///
    /// # Errors
    ///
    /// All faults at once, or that the cluster does not answer.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe.
    pub async fn check_broker(self) -> Result<(), KafkaError> {
        let name = self.name().to_owned();
        KafkaError::unless_empty(&name, self.examine().await?.faults)
    }

    /// The same, with what could not be looked for.
    pub(crate) async fn examine(self) -> Result<Found, KafkaError> {
        self.check()?;
        let (owned, manifest) = (self.owned(), self.manifest_to_publish());
        let (client, ensure, name) = (
            self.client.located()?,
            self.ensure,
            self.service.name().to_owned(),
        );
        let plans = planned(self.service, self.parks_anywhere, &client)?;
        let mut found = owned.look(&plans, &client).await?;
        let faults = topics::faults(&name, &plans, &client, ensure).await?;
        found.faults.splice(0..0, faults);
        found
            .warnings
            .extend(topics::broker_warnings(&client).await);
        if let Some(manifest) = &manifest {
            let deployed = Deployed::look(&client, &name).await;
            found.add(deployed.judge(manifest));
        }
        found.partitions = topics::partitions(&plans, &client).await?;
        Ok(found)
    }

    /// The least rights that the service needs of a cluster with an authorizer, and what it can do without.
    pub(crate) fn rights(self) -> Result<Rights, Faults> {
        let sees_owners = self.owned().right();
        let manifests = self
            .publishes_manifest
            .then(|| manifests::right(self.ensure));
        let plans = self.service.plan()?;
        Ok(Rights {
            needed: rights::of(&plans, self.ensure),
            sees_owners,
            manifests,
            letters: rights::letters(&plans),
        })
    }

    pub(super) fn owned(&self) -> Owned {
        Owned::of(self.name(), self.registry(), &self.observers)
    }
}

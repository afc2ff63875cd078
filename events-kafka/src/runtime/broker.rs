//! What the cluster says of a service before it runs.

use events_runtime::Faults;

use super::{Runtime, planned};
use crate::error::KafkaError;
use crate::owners::{Found, Owned};
use crate::rights::{self, Right};
use crate::topics;

impl Runtime {
    /// Names consumer groups of others that read this service's commands and do not handle them, such as an archive's. Any
    /// other group on their topics is a start-up fault: a command has one owner.
    pub fn allow_observers(mut self, groups: impl IntoIterator<Item: Into<String>>) -> Self {
        self.observers.extend(groups.into_iter().map(Into::into));
        self
    }

    /// Looks for every fault, as [`check`](Self::check), and asks the cluster for the service's topics and for other services
    /// that handle its commands. It changes nothing.
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
        let owned = self.owned();
        let (client, ensure, name) = (
            self.client.located()?,
            self.ensure,
            self.service.name().to_owned(),
        );
        let plans = planned(self.service, self.parks_anywhere, &client)?;
        let mut found = owned.look(&plans, &client).await?;
        let faults = topics::faults(&name, &plans, &client, ensure).await?;
        found.faults.splice(0..0, faults);
        Ok(found)
    }

    /// The least rights that the service needs of a cluster with an authorizer, and what it can do without.
    pub(crate) fn rights(self) -> Result<(Vec<Right>, Option<Right>), Faults> {
        let optional = self.owned().right();
        Ok((rights::of(&self.service.plan()?, self.ensure), optional))
    }

    pub(super) fn owned(&self) -> Owned {
        Owned::of(self.name(), self.registry(), &self.observers)
    }
}

//! A service of which nothing is wrong, before it joins its groups.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use events_core::manifest::Manifest;
use events_runtime::GroupPlan;
use tokio::runtime::Handle as Tokio;

use super::waiting::Waiting;
use super::{Runtime, planned};
use crate::announce::announce;
use crate::endpoint::Open;
use crate::error::KafkaError;
use crate::handle::Handle;
use crate::manifests::{Announcement, Deployed, Others};
use crate::member::Member;
use crate::options::ClientOptions;
use crate::outage::Outage;
use crate::sink::LaneProducer;
use crate::topics::{self, Ensure};
use crate::view::View;

/// How long a start may be silent.
const SILENCE: Duration = Duration::from_secs(2);

/// A service of which nothing is wrong.
pub(crate) struct Prepared {
    name: String,
    plans: Vec<Arc<GroupPlan>>,
    client: ClientOptions,
    ensure: Option<Ensure>,
    manifest: Option<Manifest>,
    others: Others,
    /// Where the cluster's brokers are.
    brokers: Vec<String>,
    status: (Arc<View>, Option<Open>),
    drain: Duration,
}

impl Runtime {
    /// Looks for every fault, and makes the topics that it may make.
    ///
    /// # Errors
    ///
    /// All faults at once, or that the cluster does not answer.
    pub(crate) async fn prepare(self) -> Result<Prepared, KafkaError> {
        self.check()?;
        let name = self.service.name().to_owned();
        for warning in self.service.warnings() {
            tracing::warn!(
                service = name,
                code = warning.code,
                "{}; {}",
                warning.message,
                warning.remedy
            );
        }
        let drain = self.service.current_settings().drain;
        // Meters count from when they are registered, which the plan does.
        self.endpoint.prepare();
        let view = Arc::new(View::of(&name));
        let open = self.endpoint.open(&view)?;
        let (owned, manifest) = (self.owned(), self.manifest_to_publish());
        let strict = self.strict_owners;
        let located = self.client.named(&name).located()?;
        let plans = planned(self.service, self.parks_anywhere, &located)?;
        let mut waiting = Waiting::new(&name, &located, &view, self.start_timeout);
        let (client, brokers, deployed, mut faults) = loop {
            let brokers = waiting.until_answered().await?;
            let mut client = located.clone();
            let looked = async {
                match manifest.as_ref().filter(|_| strict) {
                    Some(manifest) => Some(Deployed::look(&located, &manifest.service).await),
                    None => None,
                }
            };
            let prepared = async {
                let prepared = topics::prepare(&name, &plans, &mut client, self.ensure).await;
                let mut faults = KafkaError::faults_of(prepared)?;
                if strict {
                    faults.extend(owned.faults(&plans, &located).await?);
                }
                Ok(faults)
            };
            let (found, deployed) = telling(async { tokio::join!(prepared, looked) }, || {
                let address = located.address().unwrap_or_default();
                tracing::info!(service = %name, address, "asking the cluster for topics and rights");
            })
            .await;
            match found {
                Ok(faults) => break (client, brokers, deployed, faults),
                // The brokers went away meanwhile: what was found out is asked again.
                Err(KafkaError::Cluster { .. }) if !waiting.answers().await? => {}
                Err(error) => return Err(error),
            }
        };
        if let (Some(manifest), Some(deployed)) = (&manifest, &deployed) {
            faults.extend(deployed.faults(manifest));
        }
        KafkaError::unless_empty(&name, faults)?;
        let others = match strict {
            true => Others::Seen(deployed),
            false => Others::Unseen(owned),
        };
        Ok(Prepared {
            name,
            plans,
            client,
            ensure: self.ensure,
            manifest,
            others,
            brokers,
            status: (view, open),
            drain,
        })
    }
}

impl Prepared {
    /// Joins its groups.
    ///
    /// # Errors
    ///
    /// What keeps the client from starting.
    pub(crate) fn start(self) -> Result<Handle, KafkaError> {
        let lanes = LaneProducer::start(&self.client)
            .map_err(|error| KafkaError::client("producer", &error))?;
        let outage = Outage::new(&self.client, &self.brokers, Tokio::current());
        let mut members = Vec::with_capacity(self.plans.len());
        for plan in &self.plans {
            let member = Member::start(
                Arc::clone(plan),
                &self.client,
                &lanes,
                Tokio::current(),
                &outage,
                self.drain,
            );
            members.push(member.map_err(|error| KafkaError::client("consumer", &error))?);
        }
        announce(&self.name, &self.plans, &self.client);
        let announcement = Announcement::of(
            self.manifest,
            (self.others, self.plans),
            &self.client,
            self.ensure,
        );
        Ok(Handle::new(
            self.status,
            members,
            lanes,
            self.client,
            announcement,
            outage,
            self.drain,
        ))
    }
}

/// Says so if `work` takes longer than a person likes to wait in silence.
async fn telling<T>(work: impl Future<Output = T>, say: impl FnOnce()) -> T {
    let mut work = std::pin::pin!(work);
    tokio::select! {
        done = &mut work => return done,
        () = tokio::time::sleep(SILENCE) => say(),
    }
    work.await
}

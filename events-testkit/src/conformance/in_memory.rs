//! The in-memory broker under test.

use std::collections::BTreeMap;

use anyhow::Context as _;
use events_core::Outgoing;
use events_runtime::{Position, Service, ShutdownReport, Status, TopicPartition, Written};

use super::cluster::{Capabilities, Cluster, Running};
use crate::broker::Broker;
use crate::received::Received;
use crate::running::RunningService;

impl Cluster for Broker {
    type Running = RunningService;

    fn capabilities(&self) -> Capabilities {
        Capabilities::ALL
    }

    async fn create_topic(&self, topic: &str, partitions: i32) -> anyhow::Result<()> {
        Self::create_topic(self, topic, partitions);
        Ok(())
    }

    async fn produce(&self, record: Outgoing) -> anyhow::Result<Written> {
        Ok(Self::produce(self, record)?)
    }

    async fn read(&self, topic: &str) -> anyhow::Result<Vec<Received>> {
        Ok(self.records(topic))
    }

    async fn committed(&self, group: &str) -> anyhow::Result<BTreeMap<TopicPartition, Position>> {
        Ok(Self::committed(self, group))
    }

    async fn start(&self, service: Service) -> anyhow::Result<RunningService> {
        Ok(self.join(service)?)
    }

    async fn truncate(&self, partition: &TopicPartition, before: i64) -> anyhow::Result<()> {
        Self::truncate(self, partition, before);
        Ok(())
    }

    async fn leave_gap(&self, partition: &TopicPartition) -> anyhow::Result<i64> {
        self.skip_offsets(partition, 3);
        let end = self.ends(&partition.topic).get(partition).copied();
        end.with_context(|| format!("{partition} does not exist"))
    }

    fn broker(&self) -> Option<&Broker> {
        Some(self)
    }
}

impl Running for RunningService {
    async fn status(&self) -> Status {
        Self::status(self).await
    }

    fn pause(&self, handler: &str) -> bool {
        Self::pause(self, handler)
    }

    fn resume(&self, handler: &str) -> bool {
        Self::resume(self, handler)
    }

    async fn shutdown(self) -> ShutdownReport {
        Self::shutdown(self).await
    }

    async fn kill(self) {
        Self::kill(self).await;
    }
}

//! Everything is given up, and later redriven by the command that operators have.

use std::time::Instant;

use anyhow::{Result, ensure};
use events_kafka::Services;
use events_runtime::Settings;

use crate::job::Job;
use crate::measured;
use crate::ours::park::{self, MODULE};
use crate::ours::{assigned, on_tokio, runtime_of, start_with};
use crate::parcels::total;
use crate::sample::Sample;
use crate::settings::PARTITIONS;
use crate::tally::{Moment, TALLY};

const COMMAND: [&str; 4] = ["bench", "dead-letters", "redrive", "--all"];

/// Whatever fails is given up at once.
fn settings(settings: &mut Settings) {
    park::settings(settings);
    settings.park = None;
}

/// Lets every record fail until all are dead letters.
pub(crate) fn give_up(job: &Job) -> Result<Sample> {
    park::fail();
    on_tokio(async {
        let handle = start_with(job, MODULE, settings).await?;
        park::until(&handle, |lanes| {
            let received = lanes.iter().map(|lane| lane.received).sum::<u64>();
            received == job.records && lanes.iter().all(|lane| lane.in_flight == 0)
        })
        .await?;
        let sample = measured::since(park::begun(), job.records);
        let report = handle.drain().await;
        ensure!(report.drained, "the service did not drain: {report}");
        Ok(sample)
    })
}

/// Redrives what an earlier run has given up: from the begin of the command until the last record is handled.
pub(crate) fn redrive(job: &Job) -> Result<Sample> {
    on_tokio(async {
        let handle = start_with(job, MODULE, park::settings).await?;
        assigned(&handle, PARTITIONS as usize).await?;
        let (begun, first) = (Instant::now(), Moment::now());
        let records = job.records;
        let watched = tokio::task::spawn_blocking(move || TALLY.wait(records));
        let operator = Services::new().add(runtime_of(job, MODULE, park::settings));
        operator.run_from(COMMAND).await?;
        let asked = begun.elapsed().as_secs_f64();
        let watched = watched.await?;
        let sample = measured::since(first, records);
        if let Err(error) = watched {
            return Err(error.context(park::told(&handle)));
        }
        let report = handle.drain().await;
        ensure!(report.drained, "the service did not drain: {report}");
        TALLY.verify(records, total(records))?;
        Ok(sample
            .with("asked_seconds", asked)
            .with("disorder", park::disorder()))
    })
}

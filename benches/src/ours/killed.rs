//! Consume and publish on the framework, until standard input ends, or the process is killed.

use std::io::Read;

use anyhow::{Result, ensure};

use crate::job::Job;
use crate::measured;
use crate::ours::{assigned, on_tokio, react, start};
use crate::sample::Sample;
use crate::session::READY;
use crate::settings::PARTITIONS;
use crate::tally::{Moment, TALLY};

pub(crate) fn run(job: &Job) -> Result<Sample> {
    on_tokio(async {
        let first = Moment::now();
        let handle = start(job, react::MODULE).await?;
        assigned(&handle, PARTITIONS as usize).await?;
        // Not before: a runtime that ends with an error would wait for this for ever.
        let end = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
        print!("{READY}");
        std::io::Write::flush(&mut std::io::stdout())?;
        end.await??;
        let report = handle.drain().await;
        ensure!(report.drained, "the service did not drain: {report}");
        Ok(measured::since(first, TALLY.count()))
    })
}

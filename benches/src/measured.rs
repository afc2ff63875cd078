//! From the first record to the last: what is measured is the same on both sides.

use anyhow::Result;

use crate::ends::Ends;
use crate::events::total_cents;
use crate::job::Job;
use crate::machine;
use crate::sample::Sample;
use crate::tally::{Moment, TALLY};

/// Waits until every record was handled.
pub(crate) fn consumed(job: &Job) -> Result<Sample> {
    counted(job.records, total_cents(job.records))
}

/// Waits until `records` were handled, and checks that they are worth `amount`.
pub(crate) fn counted(records: u64, amount: u64) -> Result<Sample> {
    let first = TALLY.wait(records);
    let sample = first.map(|first| since(first, records));
    TALLY.end();
    let sample = sample?;
    TALLY.verify(records, amount)?;
    Ok(sample)
}

/// Waits until as many records were handled as the job says, of more.
pub(crate) fn first(job: &Job) -> Result<Sample> {
    let first = TALLY.wait(job.records);
    let sample = first.map(|first| since(first, TALLY.count()));
    TALLY.end();
    sample
}

/// Waits until every record was handled, and what was published for each is acknowledged.
pub(crate) fn reacted(job: &Job, ends: &Ends) -> Result<Sample> {
    let acknowledged = TALLY
        .wait(job.records)
        .and_then(|first| ends.wait(job.records).map(|()| first));
    let sample = acknowledged.map(|first| since(first, job.records));
    TALLY.end();
    let sample = sample?;
    TALLY.verify(job.records, total_cents(job.records))?;
    Ok(sample)
}

/// What the process has used since then.
pub(crate) fn since(first: Moment, records: u64) -> Sample {
    let (seconds, cpu_seconds) = first.elapsed();
    Sample {
        records,
        seconds,
        cpu_seconds,
        peak_mib: machine::peak_mib(),
        ..Sample::default()
    }
}

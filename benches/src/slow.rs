//! A handler that waits a millisecond.

use anyhow::Result;

use crate::benchmark::Benchmark;
use crate::events::{JOB_KEYS, JobQueued, Order};
use crate::job::{Variant, Work};
use crate::report::{Goal, Report, Section};
use crate::session::Session;

const RECORDS: u64 = 20_000;
/// One at a time takes so long that a part is measured.
const SERIAL_RECORDS: u64 = 1_000;
const VARIANTS: [Variant; 3] = [Variant::Ours, Variant::Serial, Variant::RawLanes];

pub(crate) fn run(session: &mut Session) -> Result<Report> {
    let records = session.records(RECORDS)?;
    let serial = records.min(SERIAL_RECORDS);
    let mut report = Report::new(Benchmark::Slow, session, records);
    session.filled(records, |index| JobQueued(Order::queued(index)))?;
    let series = session.alternate(&VARIANTS, |session, variant| {
        let records = if variant == Variant::Serial {
            serial
        } else {
            records
        };
        session.job(Work::Slow, variant, records)
    })?;
    let section = Section::new(
        &format!("1 ms of waiting for each record, {JOB_KEYS} keys in turn"),
        series,
    );
    let ratio = section.rate_ratio(&[Variant::Serial]);
    report.add(
        section,
        Goal::at_least("ratio", "times one at a time", ratio, 100.0),
    );
    report.note(format!(
        "one at a time is measured on {serial} records; its rate is compared"
    ));
    Ok(report)
}

//! Publish many events and wait once.

use anyhow::Result;

use crate::benchmark::Benchmark;
use crate::events::OrderImported;
use crate::job::{Variant, Work};
use crate::report::{Goal, Report, Section};
use crate::session::Session;

const RECORDS: u64 = 500_000;

pub(crate) fn run(session: &mut Session) -> Result<Report> {
    let records = session.records(RECORDS)?;
    let mut report = Report::new(Benchmark::Publish, session, records);
    session.empty::<OrderImported>()?;
    let series = session.alternate(&[Variant::Ours, Variant::Raw], |session, variant| {
        session.job(Work::Publish, variant, records)
    })?;
    let section = Section::new(
        "publish_all beside a loop over the client's producer",
        series,
    );
    let ratio = section.rate_ratio(&[Variant::Raw]);
    report.add(
        section,
        Goal::at_least("ratio", "of the hand-written loop", ratio, 0.8),
    );
    Ok(report)
}

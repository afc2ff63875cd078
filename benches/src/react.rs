//! Consume, and publish one event for each record: done when it is acknowledged.

use anyhow::Result;

use crate::benchmark::Benchmark;
use crate::events::{Order, OrderPlaced, PaymentCaptured};
use crate::job::{Variant, Work};
use crate::report::{Goal, Report, Section};
use crate::session::Session;

const RECORDS: u64 = 300_000;
const RAW: [Variant; 2] = [Variant::Raw, Variant::RawThreads];

pub(crate) fn run(session: &mut Session) -> Result<Report> {
    let records = session.records(RECORDS)?;
    let mut report = Report::new(Benchmark::React, session, records);
    session.filled(records, |index| OrderPlaced(Order::numbered(index)))?;
    session.empty::<PaymentCaptured>()?;
    let variants = session.variants(&RAW);
    let series = session.alternate(&variants, |session, variant| {
        session.job(Work::React, variant, records)
    })?;
    let section = Section::new("consume and publish, acknowledged, pipelined", series);
    let ratio = section.rate_ratio(&RAW);
    report.add(
        section,
        Goal::at_least("ratio", "of the fastest pipelined loop", ratio, 0.8),
    );
    Ok(report)
}

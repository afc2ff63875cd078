//! A tiny handler: headers, routing, dedupe, decoding, offsets; and a topic that needs no headers.

use anyhow::Result;

use crate::benchmark::Benchmark;
use crate::events::{Order, OrderPlaced, PlainOrder};
use crate::job::{Variant, Work};
use crate::report::{Goal, Report, Section};
use crate::session::Session;

const RECORDS: u64 = 1_000_000;
const RAW: [Variant; 3] = [Variant::Raw, Variant::RawQueues, Variant::RawThreads];

pub(crate) fn run(session: &mut Session) -> Result<Report> {
    let records = session.records(RECORDS)?;
    let mut report = Report::new(Benchmark::Consume, session, records);
    session.filled(records, |index| OrderPlaced(Order::numbered(index)))?;
    let routed = section(
        session,
        Work::Consume,
        records,
        "same work: headers, routing, dedupe, decoding, offsets",
    )?;
    let ratio = routed.rate_ratio(&RAW);
    report.add(
        routed,
        Goal::at_least("ratio", "of the fastest same-work loop", ratio, 0.9),
    );
    session.filled(records, |index| PlainOrder(Order::numbered(index)))?;
    let bare = section(session, Work::Bare, records, "bare: decoding, offsets")?;
    let ratio = bare.rate_ratio(&RAW);
    report.add(
        bare,
        Goal::at_least("ratio_bare", "of the fastest bare loop", ratio, 0.95),
    );
    Ok(report)
}

fn section(session: &mut Session, work: Work, records: u64, title: &str) -> Result<Section> {
    let variants = session.variants(&RAW);
    let series = session.alternate(&variants, |session, variant| {
        session.job(work, variant, records)
    })?;
    Ok(Section::new(title, series))
}

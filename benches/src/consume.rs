//! A tiny handler: headers, routing, dedupe, decoding, offsets; and a topic that needs no headers.

use anyhow::Result;

use crate::benchmark::Benchmark;
use crate::events::{Order, OrderPlaced, PlainOrder};
use crate::job::{Allocator, Job, Variant, Work};
use crate::report::{Goal, Report, Section};
use crate::session::Session;

const RECORDS: u64 = 1_000_000;
const RAW: [Variant; 3] = [Variant::Raw, Variant::RawQueues, Variant::RawThreads];

pub(crate) fn run(session: &mut Session) -> Result<Report> {
    let records = session.records(RECORDS)?;
    let mut report = Report::new(Benchmark::Consume, session, records);
    session.filled(records, |index| OrderPlaced(Order::numbered(index)))?;
    for allocator in Allocator::ALL {
        let work = "same work: headers, routing, dedupe, decoding, offsets";
        let routed = section(session, Work::Consume, records, work, allocator)?;
        let ratio = routed.rate_ratio(&RAW);
        let (name, meaning) = match allocator {
            Allocator::System => ("ratio", "of the fastest same-work loop"),
            Allocator::Mimalloc => ("ratio_mimalloc", "the same with mimalloc"),
        };
        report.add(routed, Goal::at_least(name, meaning, ratio, 0.9));
    }
    session.filled(records, |index| PlainOrder(Order::numbered(index)))?;
    for allocator in Allocator::ALL {
        let work = "bare: decoding, offsets";
        let bare = section(session, Work::Bare, records, work, allocator)?;
        let ratio = bare.rate_ratio(&RAW);
        let (name, meaning) = match allocator {
            Allocator::System => ("ratio_bare", "of the fastest bare loop"),
            Allocator::Mimalloc => ("ratio_bare_mimalloc", "the same with mimalloc"),
        };
        report.add(bare, Goal::at_least(name, meaning, ratio, 0.95));
    }
    Ok(report)
}

fn section(
    session: &mut Session,
    work: Work,
    records: u64,
    title: &str,
    allocator: Allocator,
) -> Result<Section> {
    let variants = session.variants(&RAW);
    let series = session.alternate(&variants, |session, variant| {
        let job = session.job(work, variant, records)?;
        Ok(Job { allocator, ..job })
    })?;
    Ok(Section::new(
        &format!("{title}; {}", allocator.name()),
        series,
    ))
}

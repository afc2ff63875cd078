//! Consume, and publish one event for each record: done when it is acknowledged.

use anyhow::Result;

use crate::benchmark::Benchmark;
use crate::events::{Order, OrderPlaced, PaymentCaptured};
use crate::job::{Allocator, Job, Variant, Work};
use crate::report::{Goal, Report, Section};
use crate::sample::Sample;
use crate::session::Session;

const RECORDS: u64 = 300_000;
const RAW: [Variant; 2] = [Variant::Raw, Variant::RawThreads];

pub(crate) fn run(session: &mut Session) -> Result<Report> {
    let records = session.records(RECORDS)?;
    let mut report = Report::new(Benchmark::React, session, records);
    session.filled(records, |index| OrderPlaced(Order::numbered(index)))?;
    session.empty::<PaymentCaptured>()?;
    let variants = session.variants(&RAW);
    for allocator in Allocator::ALL {
        let series = session.alternate(&variants, |session, variant| {
            let job = session.job(Work::React, variant, records)?;
            Ok(Job { allocator, ..job })
        })?;
        let title = format!(
            "consume and publish, acknowledged, pipelined; {}",
            allocator.name()
        );
        let section = Section::new(&title, series);
        let ratio = section.rate_ratio(&RAW);
        let processor = |sample: &Sample| sample.cpu_seconds * 1e6 / sample.records as f64;
        let processor = section.median(Variant::Ours, processor);
        report.add(
            section,
            match allocator {
                Allocator::System => {
                    Goal::at_least("ratio", "of the fastest pipelined loop", ratio, 0.9)
                }
                Allocator::Mimalloc => {
                    let meaning = "the same with mimalloc";
                    Goal::at_least("ratio_mimalloc", meaning, ratio, 1.0)
                }
            },
        );
        if allocator == Allocator::System {
            let meaning = "µs of processor time for each record";
            report.goal(Goal::at_most("processor_us", meaning, processor, 6.5));
        }
    }
    Ok(report)
}

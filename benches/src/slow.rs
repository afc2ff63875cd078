//! A handler that waits a millisecond.

use anyhow::Result;

use crate::benchmark::Benchmark;
use crate::events::{JOB_KEYS, JobQueued, Order};
use crate::job::{Allocator, Job, Variant, Work};
use crate::report::{Goal, Report, Section};
use crate::session::Session;

const RECORDS: u64 = 100_000;
/// One at a time takes so long that a part is measured.
const SERIAL_RECORDS: u64 = 1_000;
const VARIANTS: [Variant; 3] = [Variant::Ours, Variant::Serial, Variant::RawLanes];

pub(crate) fn run(session: &mut Session) -> Result<Report> {
    let records = session.records(RECORDS)?;
    let serial = records.min(SERIAL_RECORDS);
    let mut report = Report::new(Benchmark::Slow, session, records);
    session.filled(records, |index| JobQueued(Order::queued(index)))?;
    for allocator in Allocator::ALL {
        let series = session.alternate(&VARIANTS, |session, variant| {
            let records = match variant {
                Variant::Serial => serial,
                _ => records,
            };
            let job = session.job(Work::Slow, variant, records)?;
            Ok(Job { allocator, ..job })
        })?;
        let name = allocator.name();
        let section = Section::new(
            &format!("1 ms of waiting for each record, {JOB_KEYS} keys in turn; {name}"),
            series,
        );
        let serial = section.rate_ratio(&[Variant::Serial]);
        let lanes = section.rate_ratio(&[Variant::RawLanes]);
        match allocator {
            Allocator::System => {
                report.goal(Goal::at_least(
                    "ratio",
                    "times one at a time",
                    serial,
                    100.0,
                ));
                let meaning = "of lanes by hand";
                report.goal(Goal::at_least("ratio_lanes", meaning, lanes, 0.85));
            }
            Allocator::Mimalloc => {
                let meaning = "of lanes by hand, with mimalloc";
                report.goal(Goal::at_least("ratio_lanes_mimalloc", meaning, lanes, 0.85));
            }
        }
        report.sections.push(section);
    }
    report.note(format!(
        "one at a time is measured on {serial} records; its rate is compared"
    ));
    Ok(report)
}

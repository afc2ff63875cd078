//! One key in a thousand fails for ever: what the other keys notice of it.

use anyhow::Result;

use crate::benchmark::Benchmark;
use crate::job::{Job, Variant, Work};
use crate::parcels::{KEYS, Parcel, ParcelMoved, ParcelSent};
use crate::report::{Goal, Report, Section};
use crate::sample::Sample;
use crate::session::Session;

/// Enough for several seconds: the key that fails is retried for one of them, and then parks its records one by one.
const RECORDS: u64 = 3_000_000;
/// The slowest hundredth is the wait of 300 records: of fewer, a hiccup of the machine would be it.
const SECONDS: u64 = 15;
const RATE: u64 = 2_000;
const VARIANTS: [Variant; 2] = [Variant::Ours, Variant::Undisturbed];

pub(crate) fn run(session: &mut Session) -> Result<Report> {
    let records = session.records(RECORDS)?;
    let mut report = Report::new(Benchmark::Poison, session, records);
    session.filled(records, |index| ParcelSent(Parcel::numbered(index)))?;
    let series = session.alternate(&VARIANTS, |session, variant| {
        session.job(Work::Poison, variant, records)
    })?;
    let section = Section::new(
        &format!("one of {KEYS} keys fails for ever: throughput of the others"),
        series,
    );
    let ratio = section.rate_ratio(&[Variant::Undisturbed]);
    report.add(
        section,
        Goal::at_least(
            "ratio",
            "of the other keys' undisturbed throughput",
            ratio,
            0.9,
        ),
    );
    latency(session, &mut report)?;
    report.note(
        "records of the key that fails are not counted on either side; five attempts within a second, then the key is parked as by default".to_owned(),
    );
    Ok(report)
}

fn latency(session: &mut Session, report: &mut Report) -> Result<()> {
    let seconds = session.options.seconds.unwrap_or(SECONDS);
    let rate = session.options.rate.unwrap_or(RATE);
    session.empty::<ParcelMoved>()?;
    let series = session.alternate(&VARIANTS, |session, variant| {
        let job = session.job(Work::PoisonLatency, variant, 0)?;
        Ok(Job {
            seconds,
            rate,
            ..job
        })
    })?;
    let section = Section::new(
        &format!(
            "publish to handler in one process, {rate} events/s for {seconds} s from the first failure on: the other keys"
        ),
        series,
    );
    let p99 = |variant| section.median(variant, Sample::p99_ms);
    let ratio = p99(Variant::Ours) / p99(Variant::Undisturbed);
    report.add(
        section,
        Goal::at_most(
            "ratio_p99",
            "times the other keys' undisturbed p99",
            ratio,
            1.5,
        ),
    );
    Ok(())
}

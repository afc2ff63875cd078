//! From publish to handler at a low rate.

use anyhow::Result;

use crate::benchmark::Benchmark;
use crate::events::Ping;
use crate::job::{Variant, Work};
use crate::report::{Goal, Report, Section};
use crate::sample::Latency;
use crate::session::Session;

const SECONDS: u64 = 15;
const RATE: u64 = 200;

pub(crate) fn run(session: &mut Session) -> Result<Report> {
    let (seconds, rate) = (
        session.options.seconds.unwrap_or(SECONDS),
        session.options.rate.unwrap_or(RATE),
    );
    let mut report = Report::new(Benchmark::Latency, session, seconds * rate);
    session.empty::<Ping>()?;
    let series = session.alternate(&[Variant::Ours, Variant::Raw], |session, variant| {
        let job = session.job(Work::Latency, variant, 0)?;
        Ok(crate::job::Job {
            seconds,
            rate,
            ..job
        })
    })?;
    let section = Section::new(
        &format!("publish to handler in one process, {rate} events/s for {seconds} s"),
        series,
    );
    let ratio = |of: fn(&Latency) -> f64| {
        let median = |variant| {
            section.median(variant, |sample| {
                sample.latency.as_ref().map_or(f64::NAN, of)
            })
        };
        median(Variant::Ours) / median(Variant::Raw)
    };
    let (p50, p99) = (
        ratio(|latency| latency.p50_ms),
        ratio(|latency| latency.p99_ms),
    );
    report.add(
        section,
        Goal::at_most(
            "ratio",
            "times the hand-written latency, the worse of p50 and p99",
            p50.max(p99),
            1.2,
        ),
    );
    report.figure("ratio_p50", p50);
    report.figure("ratio_p99", p99);
    Ok(report)
}

//! A steady load for long: memory stays what it is.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use events_runtime::Settings;

use crate::benchmark::Benchmark;
use crate::events::{PaymentCaptured, SteadyOrder};
use crate::job::{Job, Variant, Work};
use crate::machine;
use crate::measured;
use crate::report::{Goal, Report, Section};
use crate::sample::{Sample, Series, median};
use crate::session::Session;
use crate::settings::PARTITIONS;
use crate::tally::TALLY;

const SECONDS: u64 = 300;
const RATE: u64 = 10_000;
/// The load goes on a little longer than it is watched, for the slower start.
const SLACK: u64 = 15;

pub(crate) fn run(session: &mut Session) -> Result<Report> {
    let (seconds, rate) = (
        session.options.seconds.unwrap_or(SECONDS),
        session.options.rate.unwrap_or(RATE),
    );
    let mut report = Report::new(Benchmark::Memory, session, seconds * rate);
    session.empty::<SteadyOrder>()?;
    session.empty::<PaymentCaptured>()?;
    session.say(&format!(
        "ours and raw react side by side to {rate} events/s for {seconds} s"
    ));
    let mut job = |work, variant, seconds| -> Result<Job> {
        let job = session.job(work, variant, 1)?;
        Ok(Job {
            seconds,
            rate,
            ..job
        })
    };
    let load = job(Work::Load, Variant::Ours, seconds + SLACK)?;
    let jobs = [
        job(Work::Memory, Variant::Ours, seconds)?,
        job(Work::Memory, Variant::Raw, seconds)?,
    ];
    let load = session.start(&load)?;
    for job in &jobs {
        session
            .cluster()?
            .prepare_letters(&format!("{}.dead-letters", job.group))?;
    }
    let children: Vec<_> = jobs
        .iter()
        .map(|job| session.start(job))
        .collect::<Result<_>>()?;
    let mut series = Vec::new();
    for (child, job) in children.into_iter().zip(&jobs) {
        series.push(Series {
            variant: job.variant,
            samples: vec![child.finish()?],
        });
    }
    load.finish()?;
    let section = Section::new(
        &format!("reacting to {rate} events/s for {seconds} s, both at once"),
        series,
    );
    let growth = section.median(Variant::Ours, growth);
    report.add(
        section,
        Goal::at_most(
            "ratio",
            "times the memory of the first half, in the second",
            growth,
            1.05,
        ),
    );
    report.note(caps());
    Ok(report)
}

/// Memory of the second half of a run as a multiple of the first half's.
fn growth(sample: &Sample) -> f64 {
    let (first, second) = sample.memory_mib.split_at(sample.memory_mib.len() / 2);
    median(second.iter().copied()) / median(first.iter().copied())
}

/// What bounds the framework's memory.
fn caps() -> String {
    let settings = Settings::default();
    let mib = |bytes: usize| bytes >> 20;
    format!(
        "caps of each of the {PARTITIONS} lanes: {} records or {} MiB in flight, {} MiB of emissions, {} records held back, {} received ahead; 4 MiB in the client's queue",
        settings.lane_records,
        mib(settings.lane_bytes),
        mib(settings.lane_emission_bytes),
        settings.lane_held,
        settings.lane_ahead
    )
}

/// Looks at this process's memory once a second, from the first record on.
pub(crate) fn watch(job: &Job) -> Result<Sample> {
    let watched = TALLY.wait(1).and_then(|first| {
        let begun = Instant::now();
        let mut memory_mib = Vec::new();
        for second in 1..=job.seconds {
            thread::sleep((begun + Duration::from_secs(second)).saturating_duration_since(Instant::now()));
            memory_mib.push(machine::resident_mib());
        }
        let handled = TALLY.count();
        let expected = job.rate * job.seconds;
        ensure!(handled * 10 >= expected * 8, "{handled} records were handled of {expected} that came: the load was too much for this machine");
        Ok(Sample { memory_mib, ..measured::since(first, handled) })
    });
    TALLY.end();
    watched
}

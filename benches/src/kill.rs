//! A process is killed halfway and another one started: how much is done a second time, and when the work goes on.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use events_core::Event;

use crate::benchmark::Benchmark;
use crate::ends::{Ends, LOOK};
use crate::events::{Order, OrderPlaced, PaymentCaptured};
use crate::job::{Job, Variant, Work};
use crate::report::{Goal, Report, Section};
use crate::sample::Sample;
use crate::session::Session;

const RECORDS: u64 = 300_000;
/// Most records that may be done a second time, whatever the rate.
const REPEATED: f64 = 10_000.0;
/// Nothing is published for so long after all that was to be: it is over.
const QUIET: Duration = Duration::from_secs(3);
/// Nothing is published for so long before that: it has failed.
const STALL: Duration = Duration::from_secs(60);
const VARIANTS: [Variant; 2] = [Variant::Ours, Variant::Undisturbed];

pub(crate) fn run(session: &mut Session) -> Result<Report> {
    let records = session.records(RECORDS)?;
    let mut report = Report::new(Benchmark::Kill, session, records);
    session.filled(records, |index| OrderPlaced(Order::numbered(index)))?;
    let series = session.in_turn(&VARIANTS, |session, variant| {
        let job = session.job(Work::Killed, variant, records)?;
        Ok((job.work, measure(session, &job)?))
    })?;
    let section = Section::new(
        "consume and publish; killed (SIGKILL) at half and started again, or not killed",
        series,
    );
    let of = |name: &'static str| section.median(Variant::Ours, |sample| sample.figure(name));
    let killed = section
        .series
        .iter()
        .filter(|series| series.variant == Variant::Ours);
    let repeats = killed.flat_map(|series| &series.samples);
    let most = repeats
        .map(|sample| sample.figure("repeats"))
        .fold(0.0, f64::max);
    report.goal(Goal::at_most(
        "ratio",
        "the most records published a second time, of the 10,000 allowed",
        most / REPEATED,
        1.0,
    ));
    report.figure("repeats", of("repeats"));
    report.figure("repeats_most", most);
    report.figure("resumed_ms", of("resumed_ms"));
    report.figure("done_ms", of("done_ms"));
    report.sections.push(section);
    report.note("`resumed_ms` and `done_ms`: from the kill to the first record that is published again, and to the last. The broker keeps the partitions of the process that was killed for its session, 10 s here".to_owned());
    Ok(report)
}

/// One run with a group of its own.
fn measure(session: &mut Session, job: &Job) -> Result<Sample> {
    session.empty::<PaymentCaptured>()?;
    session.prepare(job)?;
    let ends = Ends::of(&job.address, PaymentCaptured::DESCRIPTOR.topic)?;
    let mut member = session.start(job)?;
    let mut figures = Vec::new();
    if job.variant != Variant::Undisturbed {
        reached(&ends, job.records / 2)?;
        let killed = Instant::now();
        member.kill()?;
        member = session.start(job)?;
        member.ready()?;
        let before = ends.published()?;
        if before < job.records {
            reached(&ends, before + 1)?;
        }
        let since = |moment: Instant| moment.elapsed().as_secs_f64() * 1e3;
        figures.push(("resumed_ms", since(killed)));
        let done = settled(&ends, job.records)?;
        figures.push(("done_ms", (done - killed).as_secs_f64() * 1e3));
    } else {
        member.ready()?;
        settled(&ends, job.records)?;
    }
    let sample = member.finish()?;
    let (orders, payments) = ends.orders(job.records)?;
    if orders != job.records {
        bail!(
            "{orders} of {} records have a payment: some were lost",
            job.records
        );
    }
    session.clear(job)?;
    let sample = Sample {
        records: job.records,
        ..sample
    };
    let repeats = (payments - orders) as f64;
    let sample = figures
        .into_iter()
        .fold(sample, |sample, (name, value)| sample.with(name, value));
    Ok(sample.with("repeats", repeats))
}

/// Waits until so many records were published, of which some may be repeats, and nothing more has come for a while. Answers when
/// the last one came.
fn settled(ends: &Ends, records: u64) -> Result<Instant> {
    reached(ends, records)?;
    let (mut seen, mut moved) = (ends.published()?, Instant::now());
    while moved.elapsed() < QUIET {
        thread::sleep(LOOK);
        let now = ends.published()?;
        if now != seen {
            (seen, moved) = (now, Instant::now());
        }
    }
    Ok(moved)
}

/// Waits until so many records were published.
fn reached(ends: &Ends, records: u64) -> Result<()> {
    let (mut seen, mut moved) = (0, Instant::now());
    loop {
        let now = ends.published()?;
        if now >= records {
            return Ok(());
        }
        if now != seen {
            (seen, moved) = (now, Instant::now());
        }
        if moved.elapsed() > STALL {
            bail!("nothing has moved for {STALL:?} after {seen} of {records} records");
        }
        thread::sleep(LOOK);
    }
}

//! Start-up of a service with a thousand handlers.

use anyhow::{Context, Result};

use crate::benchmark::Benchmark;
use crate::job::{Job, Variant, Work};
use crate::report::{Goal, Report, Section};
use crate::session::Session;

/// Handlers of the service, each with an event of its own.
pub(crate) const HANDLERS: usize = 1_000;
/// Topics that their events share.
pub(crate) const TOPICS: [&str; 8] = [
    "bench-start-0",
    "bench-start-1",
    "bench-start-2",
    "bench-start-3",
    "bench-start-4",
    "bench-start-5",
    "bench-start-6",
    "bench-start-7",
];
/// What the goal allows over the client's own, in milliseconds.
const ALLOWED_MS: f64 = 50.0;
const VARIANTS: [Variant; 3] = [Variant::Ours, Variant::Few, Variant::Raw];

pub(crate) fn run(session: &mut Session) -> Result<Report> {
    let mut report = Report::new(Benchmark::Start, session, HANDLERS as u64);
    for topic in TOPICS {
        session.cluster()?.renew(topic)?;
    }
    // A group for each: its topics are made, and its positions committed, by a first start that is not measured.
    let mut jobs = Vec::new();
    for variant in VARIANTS {
        let job = session.job(Work::Start, variant, HANDLERS as u64)?;
        session.prepare(&job)?;
        session.start(&job)?.finish()?;
        jobs.push(job);
    }
    let section = {
        let series = session.in_turn(&VARIANTS, |session, variant| {
            let job = jobs.iter().find(|job| job.variant == variant);
            let job = job.context("each variant has a job")?;
            Ok((job.work, session.start(job)?.finish()?))
        })?;
        Section::new(
            &format!(
                "from the start to the last of all partitions of {} topics",
                TOPICS.len()
            ),
            series,
        )
    };
    let plan = Job {
        work: Work::Plan,
        ..jobs[0].clone()
    };
    let plans = session.in_turn(&[Variant::Ours], |session, _| {
        Ok((plan.work, session.start(&plan)?.finish()?))
    })?;
    jobs.iter().try_for_each(|job| session.clear(job))?;
    let millis = |variant| section.median(variant, |sample| sample.seconds * 1e3);
    let (ours, few, raw) = (
        millis(Variant::Ours),
        millis(Variant::Few),
        millis(Variant::Raw),
    );
    report.goal(Goal::at_most(
        "ratio",
        "start-up over the client's own, of the 50 ms allowed",
        (ours - raw) / ALLOWED_MS,
        1.0,
    ));
    report.figure("ours_ms", ours);
    report.figure("few_ms", few);
    report.figure("raw_ms", raw);
    report.figure("over_raw_ms", ours - raw);
    report.figure("over_few_ms", ours - few);
    report.figure(
        "plan_ms",
        plans[0].median(|sample| sample.figure("plan_ms")),
    );
    report.note(format!("{HANDLERS} handlers, each with an event of its own, made at run time; the group and its topics are there already; `raw` is a producer and a member of a group that reads the same topics, `few` the framework with {} handlers, `plan` the checks and the layout alone, which need no cluster", TOPICS.len()));
    report.sections.push(section);
    Ok(report)
}

//! A member of four is restarted under load: how long the others pause, and whether a record is handled twice.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::benchmark::Benchmark;
use crate::job::{Job, Variant, Work};
use crate::parcels::ParcelMoved;
use crate::report::{Goal, Report, Section};
use crate::sample::{Handled, Sample};
use crate::session::{Child, Session};

/// Members of the group.
pub(crate) const MEMBERS: usize = 4;
const SECONDS: u64 = 6;
const RATE: u64 = 2_000;
/// The longest pause that the goal allows.
const ALLOWED_MS: f64 = 1_000.0;
/// What was published last is handled within this time: the members learn of a rebalance at their next heartbeat, 3 s apart,
/// and a partition that changes hands is read only then.
const REST: Duration = Duration::from_secs(6);
const VARIANTS: [Variant; 2] = [Variant::Ours, Variant::Undisturbed];

pub(crate) fn run(session: &mut Session) -> Result<Report> {
    let seconds = session.options.seconds.unwrap_or(SECONDS);
    let rate = session.options.rate.unwrap_or(RATE);
    let mut report = Report::new(Benchmark::Members, session, seconds * rate);
    let series = session.in_turn(&VARIANTS, |session, variant| {
        let job = session.job(Work::Member, variant, 0)?;
        let job = Job {
            seconds,
            rate,
            ..job
        };
        Ok((job.work, measure(session, &job)?))
    })?;
    let section = Section::new(
        &format!("{MEMBERS} members, {rate} events/s for {seconds} s: one is restarted, or none"),
        series,
    );
    let of = |variant, name: &'static str| section.median(variant, |sample| sample.figure(name));
    let pause = of(Variant::Ours, "others_pause_ms");
    report.goal(Goal::at_most(
        "ratio",
        "the others' longest pause, of the second allowed",
        pause / ALLOWED_MS,
        1.0,
    ));
    let repeats = section.series.iter().flat_map(|series| &series.samples);
    report.goal(Goal::at_most(
        "repeats",
        "records handled twice, in all runs",
        repeats.map(|sample| sample.figure("repeats")).sum(),
        0.0,
    ));
    report.figure("others_pause_ms", pause);
    report.figure(
        "others_pause_ms_undisturbed",
        of(Variant::Undisturbed, "others_pause_ms"),
    );
    report.figure("moved_pause_ms", of(Variant::Ours, "moved_pause_ms"));
    report.figure("drain_ms", of(Variant::Ours, "drain_seconds") * 1e3);
    report.sections.push(section);
    report.note("a pause is the longest time between two records of one partition: of those that the others keep (`others_…`), and of those that change hands (`moved_…`)".to_owned());
    Ok(report)
}

/// One run with a group of its own.
fn measure(session: &mut Session, job: &Job) -> Result<Sample> {
    session.empty::<ParcelMoved>()?;
    session.prepare(job)?;
    let mut members: Vec<Child> = (0..MEMBERS)
        .map(|_| session.start(job))
        .collect::<Result<_>>()?;
    members.iter_mut().try_for_each(Child::ready)?;
    let load = session.start(&Job {
        work: Work::MemberLoad,
        ..job.clone()
    })?;
    thread::sleep(Duration::from_secs(job.seconds) / 3);
    let mut samples = Vec::new();
    if job.variant != Variant::Undisturbed
        && let Some(leaving) = members.pop()
    {
        samples.push(leaving.finish()?);
        let mut again = session.start(job)?;
        again.ready()?;
        members.push(again);
    }
    let published = load.finish()?.records;
    thread::sleep(REST);
    for member in members {
        samples.push(member.finish()?);
    }
    session.clear(job)?;
    Ok(judge(published, &samples)?.with("drain_seconds", samples[0].figure("drain_seconds")))
}

/// Puts together what the members have handled; the first of `members` is the one that left, if one did.
fn judge(published: u64, members: &[Sample]) -> Result<Sample> {
    let numbers: BTreeSet<u64> = members
        .iter()
        .flat_map(|member| &member.handled)
        .map(|handled| handled.number)
        .collect();
    let count: usize = members.iter().map(|member| member.handled.len()).sum();
    ensure!(
        numbers.len() as u64 == published,
        "{} of {published} records were handled: some were lost",
        numbers.len()
    );
    // Each partition's records in the order in which they were handled, and by whom.
    let mut partitions: BTreeMap<i32, Vec<(u64, usize)>> = BTreeMap::new();
    for (member, sample) in members.iter().enumerate() {
        for Handled {
            partition, at_us, ..
        } in &sample.handled
        {
            let handled = partitions.entry(*partition).or_default();
            handled.push((*at_us, member));
        }
    }
    let (mut kept, mut moved) = (0, 0);
    for handled in partitions.values_mut() {
        handled.sort_unstable();
        let stays = handled.iter().all(|(_, member)| *member == handled[0].1);
        let longest = handled.windows(2).map(|pair| pair[1].0 - pair[0].0).max();
        let pause = if stays { &mut kept } else { &mut moved };
        *pause = (*pause).max(longest.unwrap_or(0));
    }
    let cpu_seconds = members.iter().map(|member| member.cpu_seconds).sum();
    let peak_mib = members.iter().map(|member| member.peak_mib);
    let times = || members.iter().flat_map(|member| &member.handled);
    let (first, last) = (
        times().map(|handled| handled.at_us).min(),
        times().map(|handled| handled.at_us).max(),
    );
    let span = last.unwrap_or(0) - first.unwrap_or(0);
    let sample = Sample {
        records: published,
        seconds: span as f64 / 1e6,
        cpu_seconds,
        peak_mib: peak_mib.fold(0.0, f64::max),
        ..Sample::default()
    };
    Ok(sample
        .with("others_pause_ms", kept as f64 / 1e3)
        .with("moved_pause_ms", moved as f64 / 1e3)
        .with("repeats", count as f64 - numbers.len() as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(handled: &[(u64, i32, u64)]) -> Sample {
        let handled = handled.iter().map(|(number, partition, at_us)| Handled {
            number: *number,
            partition: *partition,
            at_us: *at_us,
        });
        Sample {
            handled: handled.collect(),
            ..Sample::default()
        }
    }

    #[test]
    fn pauses_are_told_apart_by_who_keeps_the_partition() {
        let leaving = member(&[(0, 0, 1_000), (1, 0, 2_000)]);
        let other = member(&[(2, 1, 1_000), (3, 1, 4_000), (4, 0, 9_000)]);
        let sample = judge(5, &[leaving, other]).unwrap();
        assert_eq!(sample.figure("others_pause_ms"), 3.0);
        assert_eq!(sample.figure("moved_pause_ms"), 7.0);
        assert_eq!(sample.figure("repeats"), 0.0);
    }

    #[test]
    fn what_is_handled_twice_is_counted_and_what_is_lost_is_an_error() {
        let twice = [member(&[(0, 0, 1)]), member(&[(0, 0, 2), (1, 0, 3)])];
        assert_eq!(judge(2, &twice).unwrap().figure("repeats"), 1.0);
        assert!(judge(3, &twice).is_err());
    }
}

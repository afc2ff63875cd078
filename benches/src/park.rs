//! Every key is parked, read again by the next member, and let go. Then every record is given up, and redriven.

use std::time::Duration;

use anyhow::Result;

use crate::benchmark::Benchmark;
use crate::job::{Job, Variant, Work};
use crate::parcels::{KEYS, Parcel, ParcelSent};
use crate::report::{Goal, Report, Section};
use crate::sample::{Sample, Series};
use crate::session::Session;

const RECORDS: u64 = 100_000;
/// Records per second that the goal asks for, each way.
const RATE: f64 = 20_000.0;
/// The longest time in seconds to read again what is parked.
const REBUILD: f64 = 3.0;
/// The longest wait of a parked key. It is over when the next member lets the keys go.
pub(crate) const WAIT: Duration = Duration::from_secs(4);
const VARIANTS: [Variant; 2] = [Variant::Ours, Variant::Undisturbed];

pub(crate) fn run(session: &mut Session) -> Result<Report> {
    let records = session.records(RECORDS)?;
    let mut report = Report::new(Benchmark::Park, session, records);
    session.filled(records, |index| ParcelSent(Parcel::numbered(index)))?;
    let (mut parking, mut redriving) = (Vec::new(), Vec::new());
    let letting_go = session.in_turn(&VARIANTS, |session, variant| {
        let job = session.job(Work::Unpark, variant, records)?;
        session.prepare(&job)?;
        if variant == Variant::Ours {
            let park = Job {
                work: Work::Park,
                ..job.clone()
            };
            let sample = session.start(&park)?.finish()?;
            session.say(&format!("parked {:.0} records/s", sample.rate()));
            parking.push(sample);
        }
        let sample = session.start(&job)?.finish()?;
        session.clear(&job)?;
        if variant == Variant::Ours {
            redriving.push(redriven(session, records)?);
        }
        Ok((job.work, sample))
    })?;
    let undisturbed = letting_go[1].clone();
    let sections = [
        (
            "every key fails: the first of its records is parked, the others behind it",
            Series {
                variant: Variant::Ours,
                samples: parking,
            },
        ),
        (
            "all of them are let go: handled in order of their keys, and done",
            letting_go[0].clone(),
        ),
        (
            "all of them are dead letters, and redriven: from the begin of the command until the last is handled",
            Series {
                variant: Variant::Ours,
                samples: redriving,
            },
        ),
    ]
    .map(|(title, ours)| Section::new(title, vec![ours, undisturbed.clone()]));
    let [parked, let_go, redriven] = sections
        .each_ref()
        .map(|section| section.median(Variant::Ours, Sample::rate));
    let figure = |series: &Series, name: &'static str| series.median(|sample| sample.figure(name));
    let redriving = &sections[2].series[0];
    let disorder = letting_go.iter().chain([redriving]);
    let disorder = disorder.flat_map(|series| &series.samples);
    report.goal(Goal::at_least(
        "ratio",
        "of 20,000 records/s, the slower of both ways",
        parked.min(let_go) / RATE,
        1.0,
    ));
    report.goal(Goal::at_least(
        "ratio_redriven",
        "of 20,000 records/s, of dead letters",
        redriven / RATE,
        1.0,
    ));
    report.goal(Goal::at_most(
        "rebuild_seconds",
        "from the assignment until all is read again",
        figure(&letting_go[0], "rebuild_seconds"),
        REBUILD,
    ));
    report.goal(Goal::at_most(
        "disorder",
        "records out of their key's order, in all runs",
        disorder.map(|sample| sample.figure("disorder")).sum(),
        0.0,
    ));
    report.figure("parked_per_second", parked);
    report.figure("let_go_per_second", let_go);
    report.figure("redriven_per_second", redriven);
    report.figure(
        "redrive_command_seconds",
        figure(redriving, "asked_seconds"),
    );
    for (name, section) in ["ratio_parked", "ratio_let_go"].into_iter().zip(&sections) {
        report.figure(name, section.rate_ratio(&[Variant::Undisturbed]));
    }
    report.figure(
        "rebuild_seconds_undisturbed",
        figure(&undisturbed, "rebuild_seconds"),
    );
    report.note(format!("{records} records of {KEYS} keys; undisturbed: the same service consumes the same records, of which none fails; a second process reads again what the first has parked, and is paused until it has"));
    report.sections.extend(sections);
    Ok(report)
}

/// Gives every record up, and redrives it.
fn redriven(session: &mut Session, records: u64) -> Result<Sample> {
    let job = session.job(Work::Redrive, Variant::Ours, records)?;
    session.prepare(&job)?;
    let giving_up = Job {
        work: Work::GiveUp,
        ..job.clone()
    };
    let given_up = session.start(&giving_up)?.finish()?;
    let sample = session.start(&job)?.finish()?;
    session.say(&format!(
        "gave up {:.0} records/s, redrove {:.0} records/s",
        given_up.rate(),
        sample.rate()
    ));
    session.clear(&job)?;
    Ok(sample)
}

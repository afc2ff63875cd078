//! `dead-letters redrive`: records go to their handlers again.
//!
//! The command decides nothing: it appends an action to the parked log of the partition that the record came from, and the
//! lane that owns it acts. An action is unique by the id of its letter, so that appending it twice does nothing.

use std::collections::{BTreeMap, BTreeSet};

use events_core::escape::shell;
use events_core::{Error, Result};
use events_runtime::weight_to_park;
use serde_json::json;

use super::action::action;
use super::arguments::Which;
use super::letter::{Letter, Outcome, Resolution};
use super::meanwhile::Meanwhile;
use super::pipeline::{Marks, Pace};
use super::plan::{Left, Plan, Target};
use super::resolution::{Beside, of_record};
use super::room::Room;
use super::survey;
use crate::bar::Bar;
use crate::cli::audit::Audit;
use crate::cli::output::{print, print_json};
use crate::cli::place::Place;
use crate::cli::site::Site;
use crate::reader::Reader;

/// Letters that stay and are listed one by one.
const LISTED: usize = 20;

/// How it is done.
pub(super) struct Way {
    pub(super) dry_run: bool,
    /// Most letters a second.
    pub(super) rate: Option<u32>,
    /// Most letters.
    pub(super) max: Option<usize>,
}

pub(super) async fn redrive(
    site: &Site,
    which: Which,
    audit: Audit,
    way: Way,
    json: bool,
) -> Result<()> {
    let named = which.filter.handler.clone();
    // Before the letters are read, so that nothing is said of them in between that nobody reads.
    let mut meanwhile = Meanwhile::begin(site).await?;
    let (mut reader, found) = survey::open(site, which).await?;
    let plan = Plan::of(found.open, way.max, |letter| {
        target(site, letter, named.as_deref())
    });
    let mut plan = plan.map_err(Error::msg)?;
    plan.left.extend(found.settled.iter().map(settled));
    if !way.dry_run {
        for (letter, target) in &plan.redriven {
            let (group, _) = site.handler(&target.handler).map_err(Error::msg)?;
            site.need(group, &reader, &target.parked).await?;
            if let Some(count) = reader.partitions(&target.parked)
                && target.origin.partition >= count
            {
                return Err(Error::msg(format!(
                    "the parked topic `{}` has {count} partitions, but `{}` came from partition {}: kafka-topics.sh --bootstrap-server {} --alter --topic {} --partitions {}",
                    target.parked,
                    letter.id,
                    target.origin.partition,
                    shell(reader.address()),
                    shell(&target.parked),
                    target.origin.partition + 1
                )));
            }
        }
        let left = run(site, &mut reader, &mut meanwhile, &plan, &audit, way.rate).await?;
        let ids: BTreeSet<_> = left.iter().map(|left| &left.id).collect();
        plan.redriven
            .retain(|(letter, _)| !ids.contains(&letter.id));
        plan.left.extend(left);
    }
    report(&plan, way.dry_run, json)?;
    match &*found.absent {
        [] => Ok(()),
        absent => Err(absent_error(absent)),
    }
}

/// Letters that were named and are not there.
pub(super) fn absent_error(absent: &[Place]) -> Error {
    let ids: Vec<_> = absent.iter().map(Place::to_string).collect();
    Error::msg(format!(
        "there is no such letter, or it does not fit the other words: {}; `dead-letters list --each` shows those that are open",
        ids.join(", ")
    ))
}

/// Why a letter that was named stays.
pub(super) fn settled(resolution: &Resolution) -> Left {
    let (mark, outcome) = (&resolution.mark, resolution.outcome.name());
    Left {
        id: resolution.of.clone(),
        why: format!(
            "it was {outcome} already, at {} by {}",
            mark.time, mark.actor
        ),
    }
}

/// Where a letter goes.
fn target(site: &Site, letter: &Letter, named: Option<&str>) -> Result<Target, String> {
    let name = letter.handler.as_deref().or(named).ok_or(
        "it names no handler, since others wrote it: say --handler service/handler for who gets it",
    )?;
    let (group, handler) = site.handler(name).map_err(|error| {
        format!("{error}; discard the letter, or give its handler back to this binary")
    })?;
    let origin = letter
        .origin
        .clone()
        .ok_or("it does not say which partition it came from")?;
    carried(letter, &origin)?;
    let reads = handler.descriptor.takes();
    if let Some(event) = letter.event.as_deref()
        && !reads.iter().any(|known| known.name == event)
    {
        let names: Vec<_> = reads.iter().map(|event| event.name).collect();
        return Err(format!(
            "it is a `{event}`, and {} takes {}",
            handler.stable_name,
            names.join(", ")
        ));
    }
    let topic = group.plan.topics.get(&*origin.topic);
    let topic = topic
        .filter(|topic| {
            let mut handlers = topic.handlers.iter();
            handlers.any(|known| known.stable_name == handler.stable_name)
        })
        .ok_or_else(|| {
            format!(
                "it came from topic `{}`, which {} does not read",
                origin.topic, handler.stable_name
            )
        })?;
    let parked = topic.parked.as_deref().ok_or_else(|| {
        format!(
            "no handler of topic `{}` in group `{}` parks, so nobody reads what is redriven: turn parking on, by `settings.park` or `#[handler(park(…))]`",
            topic.topic, group.plan.group
        )
    })?;
    Ok(Target {
        handler: handler.stable_name.as_str().into(),
        parked: parked.into(),
        origin,
    })
}

/// Whether the letter has a payload that can be redriven.
fn carried(letter: &Letter, origin: &Place) -> Result<(), String> {
    if !letter.reference || letter.edited.is_some() {
        return Ok(());
    }
    Err(format!(
        "it does not carry its record, which is too large for this topic: the record stands at {origin} for as long as its \
         topic keeps it; publish it again in a smaller form and discard the letter, or give the letter a payload by \
         `dead-letters edit`"
    ))
}

/// Appends the actions and marks the letters. Answers letters that stay: they are not there any more, somebody else was
/// faster, or their lane has no room.
async fn run(
    site: &Site,
    reader: &mut Reader,
    meanwhile: &mut Meanwhile,
    plan: &Plan,
    audit: &Audit,
    rate: Option<u32>,
) -> Result<Vec<Left>> {
    let places = || plan.redriven.iter().map(|(letter, _)| &letter.id);
    let mut planned: BTreeMap<&Place, &(Letter, Target)> = places().zip(&plan.redriven).collect();
    let mut room = Room::look(site, plan).await?;
    let mut left = Vec::new();
    let writer = site.writer()?;
    let bar = Bar::new("redriving", planned.len() as u64);
    let mut pace = Pace::new(rate);
    let mut marks = Marks::default();
    let gone = survey::again(reader, places(), async |place, record| {
        let Some((letter, target)) = planned.remove(place) else {
            return Ok(());
        };
        pace.wait().await;
        bar.add(1);
        let mut stays = |why| {
            left.push(Left {
                id: place.clone(),
                why,
            })
        };
        if let Some(why) = meanwhile.told(place, |of| planned.contains_key(of)).await? {
            stays(why);
            return Ok(());
        }
        let action = action(record, letter, target, audit);
        let size = weight_to_park(&action);
        if !room.take(target, size) {
            if room.may_have_changed(target) {
                marks.flush(&writer).await?;
            }
            if !room.take_later(site, target, size).await? {
                stays(room.refusal(target));
                return Ok(());
            }
        }
        let receipt = writer.append("the redrive", &action).await?;
        let (group, _) = site.handler(&target.handler).map_err(Error::msg)?;
        let beside = Beside::the(place, &group.plan.dead_letters);
        let mark = of_record(&beside, record, Outcome::RedriveRequested, audit, None);
        marks.push(&writer, receipt, mark).await?;
        Ok(())
    });
    let gone = gone.await?;
    marks.flush(&writer).await?;
    writer.close().await;
    let why = "it is not in the topic any more: retention took it";
    left.extend(gone.into_iter().map(|id| Left {
        id,
        why: why.into(),
    }));
    Ok(left)
}

fn report(plan: &Plan, dry_run: bool, json: bool) -> Result<()> {
    let count = plan.redriven.len();
    if json {
        let ids: Vec<_> = plan.redriven.iter().map(|(letter, _)| &letter.id).collect();
        return print_json(&json!({
            "dry_run": dry_run,
            "redriven": count,
            "handlers": plan.counts(),
            "letters": ids,
            "left": plan.left,
        }));
    }
    print(&text(plan, dry_run))
}

fn text(plan: &Plan, dry_run: bool) -> String {
    let letters = |count: usize| match count {
        1 => "1 letter".to_owned(),
        more => format!("{more} letters"),
    };
    let verb = if dry_run { "would ask" } else { "asked" };
    let mut text = match plan.redriven.len() {
        0 => "nothing to redrive".to_owned(),
        count => format!("{verb} for the redrive of {}", letters(count)),
    };
    for (handler, count) in plan.counts() {
        text += &format!("\n  {handler}: {count}");
    }
    if !plan.left.is_empty() {
        text += &format!("\nleft as they are: {}", letters(plan.left.len()));
    }
    for left in plan.left.iter().take(LISTED) {
        text += &format!("\n  {}: {}", left.id, left.why);
    }
    if plan.left.len() > LISTED {
        text += &format!(
            "\n  and {} more: --json lists all",
            plan.left.len() - LISTED
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::samples::{as_letter, ours, target_of};
    use super::*;

    #[test]
    fn the_report_says_what_stays_and_why() {
        let one = as_letter(&ours(7));
        let plan = Plan {
            redriven: vec![(one.clone(), target_of(&one))],
            left: vec![Left {
                id: as_letter(&ours(8)).id,
                why: "it was discarded already".to_owned(),
            }],
        };
        assert_eq!(
            text(&plan, true),
            "would ask for the redrive of 1 letter\n  shipping/ship: 1\nleft as they are: 1 letter\n  shipping.dead-letters/0/8: it was discarded already"
        );
        assert_eq!(text(&Plan::default(), false), "nothing to redrive");
    }

    #[test]
    fn a_letter_that_names_its_origin_is_not_redriven_before_it_has_a_payload() {
        let record = ours(7).with(super::super::names::REFERENCE, "origin");
        let mut letter = as_letter(&record);
        let origin = letter.origin.clone().unwrap();
        let refused = carried(&letter, &origin).unwrap_err();
        assert!(refused.contains("stands at orders/3/41"), "{refused}");
        letter.edited = Some(Arc::from(&b"{}"[..]));
        assert_eq!(carried(&letter, &origin), Ok(()));
        assert_eq!(carried(&as_letter(&ours(7)), &origin), Ok(()));
    }
}

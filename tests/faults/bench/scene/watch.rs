//! What a scene waits for, and what it looks at while it goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use faults::{Line, Mark, TASKS, What};

use super::{PARTITIONS, Scene};
use crate::checker::HANDLERS;
use crate::observer::committed;
use crate::parked_log::ParkedLog;
use crate::topics;
use crate::wait::{LONG, holds, until};

impl Scene<'_> {
    /// Waits until each of the workers has ended an attempt after now.
    pub(crate) fn await_work(&self, whos: &[&str]) -> Result<()> {
        let whos = whos.iter().map(|who| (*who).to_owned());
        self.await_lines("every worker works", self.mark()?, whos, |line| {
            (line.what == What::End).then(|| line.who.clone())
        })
    }

    /// Waits until every good task has ended in both handlers, which parked ones have only long after the commit.
    pub(crate) fn await_ended(&mut self, bound: Duration) -> Result<()> {
        let (start, mut mark) = (Instant::now(), Mark::default());
        let (mut produced, mut ended) = (BTreeSet::new(), BTreeSet::new());
        let all_ended = until("every task has ended", bound + LONG, || {
            for line in self.news(&mut mark)? {
                match line.what {
                    What::End => drop(ended.insert((line.handler, line.id))),
                    What::Produced => {
                        let task = |handler: &str| (handler.to_owned(), line.id.clone());
                        produced.extend(HANDLERS.map(task));
                    }
                    _ => {}
                }
            }
            let first = produced.difference(&ended).next();
            holds(first.is_none(), || format!("{first:?} has not"))
        });
        if let Err(error) = all_ended {
            self.violates("I1", format!("{error:#}"));
        }
        self.bounded("every task's end", start.elapsed(), bound)
    }

    /// The history's lines behind `mark`, for who waits.
    pub(super) fn news(&self, mark: &mut Mark) -> Result<Vec<Line>, String> {
        self.history.news(mark).map_err(|error| error.to_string())
    }

    /// Sets the group's offset, as an operator does while the service is stopped.
    pub(crate) fn set_offset(&mut self, partition: i32, offset: i64) -> Result<()> {
        self.history.append(Line {
            what: What::ByHand,
            partition,
            offset,
            ..Line::default()
        })?;
        self.cluster
            .set_offsets(&self.group, TASKS, &[(partition, offset)])
    }

    /// The group's watermark of a partition.
    pub(crate) fn watermark(&self, partition: i32) -> Result<i64> {
        let committed = committed(&self.client, PARTITIONS)?;
        let found = committed.get(&partition);
        Ok(found
            .with_context(|| format!("nothing is committed for {partition}"))?
            .0)
    }

    /// Waits until a worker says something in its log.
    fn await_log(&self, who: &str, text: &str, limit: Duration) -> Result<()> {
        let worker = self.worker(who)?;
        until(&format!("{who} says `{text}`"), limit, || {
            holds(worker.log().contains(text), || {
                "its log does not".to_owned()
            })
        })
    }

    /// The same as a promise: without it I7 does not hold.
    pub(crate) fn expect_log(&mut self, who: &str, text: &str, limit: Duration) {
        if let Err(error) = self.await_log(who, text, limit) {
            self.violates("I7", format!("{error:#}"));
        }
    }

    /// The same of any worker.
    pub(crate) fn await_any_log(&self, text: &str, limit: Duration) -> Result<()> {
        until(&format!("a worker says `{text}`"), limit, || {
            holds(self.any_log(text), || "no log does".to_owned())
        })
    }

    /// Whether a worker that runs has said something in its log.
    pub(crate) fn any_log(&self, text: &str) -> bool {
        let mut logs = self.workers.iter().map(crate::crew::Worker::log);
        logs.any(|log| log.contains(text))
    }

    /// Looks at the parked log as it is now.
    pub(crate) fn in_parked_log<T>(&self, look: impl FnOnce(&ParkedLog<'_>) -> T) -> Result<T> {
        let facts = topics::records(self.cluster, &self.parked())?;
        Ok(look(&ParkedLog::of(&facts)))
    }

    /// Waits until `who` owns partitions in which more than `count` records are parked.
    pub(crate) fn await_parked(&self, who: &str, count: usize) -> Result<()> {
        let (mut mark, mut owners) = (Mark::default(), Owners::new());
        until(&format!("{who} has {count} parked records"), LONG, || {
            own(&mut owners, self.news(&mut mark)?);
            let is_its = |partition: i32| owners.get(&partition).is_some_and(|of| of == who);
            if !(0..PARTITIONS).any(is_its) {
                return Err("it was assigned nothing".to_owned());
            }
            let open = self.in_parked_log(|log| log.open(is_its));
            let open = open.map_err(|error| error.to_string())?;
            holds(open > count, || format!("it has {open}"))
        })
    }

    /// Waits until nothing is parked, or is to be redriven. What stays so is lost.
    pub(crate) fn await_nothing_parked(&mut self) {
        let done = until("nothing is parked", LONG, || {
            let open = self.in_parked_log(|log| log.open(|_| true));
            let open = open.map_err(|error| error.to_string())?;
            holds(open == 0, || format!("{open} records are"))
        });
        if let Err(error) = done {
            self.violates("I1", format!("{error:#}"));
        }
    }

    /// Waits until every partition was assigned to a member last that runs: from here on recovery is timed.
    pub(crate) fn await_owners(&mut self) -> Result<()> {
        let (mut mark, mut owners) = (Mark::default(), Owners::new());
        until("every partition has an owner", LONG, || {
            own(&mut owners, self.news(&mut mark)?);
            let runs = |who: &String| self.workers.iter().any(|worker| worker.who == *who);
            let owned = |partition: &i32| owners.get(partition).is_some_and(runs);
            let without: Vec<_> = (0..PARTITIONS).filter(|at| !owned(at)).collect();
            holds(without.is_empty(), || format!("{without:?} have none"))
        })?;
        self.time_from_here();
        Ok(())
    }

    /// Where the history ends now.
    pub(crate) fn mark(&self) -> Result<Mark> {
        Ok(self.history.end()?)
    }

    /// Waits until each of `wanted` has come, which `is` reads out of the lines behind `mark`.
    pub(crate) fn await_lines<T: Ord + fmt::Debug>(
        &self,
        what: &str,
        mut mark: Mark,
        wanted: impl IntoIterator<Item = T>,
        is: impl Fn(&Line) -> Option<T>,
    ) -> Result<()> {
        let mut open: BTreeSet<T> = wanted.into_iter().collect();
        until(what, LONG, || {
            for line in self.news(&mut mark)? {
                if let Some(found) = is(&line) {
                    open.remove(&found);
                }
            }
            holds(open.is_empty(), || format!("missing: {open:?}"))
        })
    }

    /// Begun attempts on a partition so far.
    pub(crate) fn begun(&self, partition: i32) -> Result<usize> {
        let lines = self.lines()?;
        let begun = lines
            .iter()
            .filter(|line| line.what == What::Begin && line.partition == partition);
        Ok(begun.count())
    }
}

/// Who was assigned each partition last.
type Owners = BTreeMap<i32, String>;

fn own(owners: &mut Owners, news: Vec<Line>) {
    let assigned = news.into_iter().filter(|line| line.what == What::Assigned);
    owners.extend(assigned.map(|line| (line.partition, line.who)));
}

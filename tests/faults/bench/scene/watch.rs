//! What a scene waits for, and what it looks at while it goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context, Result};
use events_runtime::parked_header as pk;
use faults::{Line, TASKS, What};

use super::{PARTITIONS, Scene};
use crate::checker::HANDLERS;
use crate::observer::committed;
use crate::topics;
use crate::wait::{LONG, holds, until};

impl Scene<'_> {
    /// Waits until each of the workers has ended an attempt after now.
    pub(crate) fn await_work(&self, whos: &[&str]) -> Result<()> {
        let known = self.lines()?.len();
        until("every worker works", LONG, || {
            let lines = self.lines().map_err(|error| error.to_string())?;
            let idle: Vec<_> = whos
                .iter()
                .filter(|who| {
                    !lines[known..]
                        .iter()
                        .any(|line| line.what == What::End && line.who == **who)
                })
                .collect();
            holds(idle.is_empty(), || format!("idle: {idle:?}"))
        })
    }

    /// Waits until every good task has ended in both handlers, which parked ones have only long after the commit.
    pub(crate) fn await_ended(&mut self, bound: Duration) -> Result<()> {
        let ended = until("every task has ended", bound, || {
            let lines = self.lines().map_err(|error| error.to_string())?;
            let of = |what: What| lines.iter().filter(move |line| line.what == what);
            let ended: BTreeSet<_> = of(What::End)
                .map(|line| (line.handler.as_str(), line.id.as_str()))
                .collect();
            let mut open = of(What::Produced)
                .flat_map(|line| HANDLERS.map(|handler| (handler, line.id.as_str())));
            let first = open.find(|task| !ended.contains(task));
            holds(first.is_none(), || format!("{first:?} has not"))
        });
        if let Err(error) = ended {
            self.violates("I1", format!("{error:#}"));
        }
        Ok(())
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
            let says = self
                .workers
                .iter()
                .any(|worker| worker.log().contains(text));
            holds(says, || "no log does".to_owned())
        })
    }

    /// Records in the parked log that a lane parked after its partition was another's.
    pub(crate) fn parked_late(&self) -> Result<usize> {
        let mut owners = BTreeMap::new();
        let mut late = 0;
        for found in topics::records(self.cluster, &self.parked())? {
            let token = found.header(pk::TOKEN).to_owned();
            match found.header(pk::FACT) {
                "claim" => drop(owners.insert(found.partition, token)),
                "parked" => {
                    let owner = owners.get(&found.partition);
                    late += usize::from(owner.is_some_and(|owner| *owner != token));
                }
                _ => {}
            }
        }
        Ok(late)
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

//! The faults, each a scenario with a name.

mod broker_kill;
mod clock;
mod coordinator;
mod hang;
mod parked;
mod poison;
mod produce_cut;
mod redrive_kill;
mod refused;
mod retention;
mod rolling;
mod sigkill;
mod slow_net;
mod truncated;
mod zombie;

use std::time::Duration;

use anyhow::Result;

use crate::load::{Entry, Kind};
use crate::scene::{Bench, Verdict};

/// A scenario.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// The fault, in a line.
    pub(crate) about: &'static str,
    pub(crate) run: fn(&Bench<'_>) -> Result<Verdict>,
}

macro_rules! scenarios {
    ($($name:literal $about:literal $run:expr;)+) => {
        &[$(Scenario { name: $name, about: $about, run: $run }),+]
    };
}

/// All of them, in the order of a run.
pub(crate) const ALL: &[Scenario] = scenarios! {
    "rolling" "rolling restarts, and 1 → 4 → 1 members under load" rolling::run;
    "sigkill" "SIGKILL before and after emit, acknowledgement, store and commit" sigkill::run;
    "zombie" "SIGSTOP past the session, then SIGCONT" zombie::run;
    "zombie-parked" "the same while records wait to be parked" zombie::parked;
    "hang" "handlers that hang past max.poll.interval.ms" hang::run;
    "poison" "undecodable records, a key that always fails, a version from the future" poison::run;
    "coordinator" "lost answers to commits, then the coordinator cut off" coordinator::classic;
    "coordinator-848" "the same with the group protocol of KIP-848" coordinator::consumer;
    "produce-cut" "connections cut between the append and its answer" produce_cut::run;
    "broker-kill" "each broker killed in turn" broker_kill::run;
    "truncated" "a log that ends before the group's offset" truncated::run;
    "retention" "retention overtakes the group; a topic deleted and made anew" retention::run;
    "clock" "the wall clock jumps by an hour; late duplicates" clock::run;
    "slow-net" "latency, jitter, 64 kB/s, slices, resets; ten times the load" slow_net::run;
    "refused" "the dead-letter topic refuses writes" refused::run;
    "parked" "SIGKILL before and after park and unpark; the parked topic refuses writes" parked::run;
    "redrive-kill" "kills while dead letters are redriven" redrive_kill::run;
};

/// How long a lane may take to say that it holds.
const HELD: Duration = Duration::from_secs(30);
/// What a lane says whose offset its partition does not have.
const REPORTS: &str = "the partition cannot be read";

/// How long a topic refuses writes: `short`, and a minute in the long form.
fn refusal(bench: &Bench<'_>, short: Duration) -> Duration {
    match bench.longer {
        1 => short,
        _ => Duration::from_secs(60),
    }
}

/// Good tasks of a few keys of a partition.
fn entries(partition: i32, count: u64) -> impl Iterator<Item = Entry> {
    (0..count).map(move |number| Entry {
        partition,
        key: format!("p{partition}-{}", number % 5),
        number,
        kind: Kind::Good,
    })
}

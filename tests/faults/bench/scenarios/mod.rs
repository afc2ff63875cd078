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
use crate::membership::Membership;
use crate::scene::{Bench, Verdict};

/// A scenario.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// The fault, in a line.
    pub(crate) about: &'static str,
    run: fn(&Bench<'_>) -> Result<Verdict>,
    membership: Membership,
    /// Whether the short form plays it.
    pub(crate) short: bool,
}

impl Scenario {
    pub(crate) fn play(&self, bench: &Bench<'_>) -> Result<Verdict> {
        (self.run)(&Bench {
            cluster: bench.cluster,
            worker: bench.worker.clone(),
            directory: bench.directory.clone(),
            scenario: self.name,
            membership: self.membership,
            ..*bench
        })
    }
}

macro_rules! scenarios {
    ($($name:literal $about:literal $run:expr, $membership:ident $($long:ident)?;)+) => {
        &[$(Scenario {
            name: $name,
            about: $about,
            run: $run,
            membership: Membership::$membership,
            short: stringify!($($long)?).is_empty(),
        }),+]
    };
}

/// All of them, in the order of a run.
pub(crate) const ALL: &[Scenario] = scenarios! {
    "rolling" "rolling restarts, and 1 → 4 → 1 members under load" rolling::run, Classic;
    "sigkill" "SIGKILL before and after emit, acknowledgement, store and commit" sigkill::run, Classic;
    "sigkill-static" "the same with static members" sigkill::run, Static;
    "sigkill-848" "the same under KIP-848" sigkill::run, Consumer long;
    "sigkill-static-848" "the same under KIP-848 with static members" sigkill::run, StaticConsumer long;
    "zombie" "SIGSTOP past the session, then SIGCONT" zombie::run, Classic;
    "zombie-static" "the same with static members" zombie::run, Static long;
    "zombie-848" "the same under KIP-848" zombie::run, Consumer long;
    "zombie-static-848" "the same under KIP-848 with static members" zombie::run, StaticConsumer long;
    "zombie-parked" "the same while records wait to be parked" zombie::parked, Classic;
    "hang" "handlers that hang past max.poll.interval.ms" hang::run, Classic;
    "poison" "undecodable records, a key that always fails, a version from the future" poison::run, Classic;
    "poison-static" "the same with static members" poison::run, Static long;
    "poison-848" "the same under KIP-848" poison::run, Consumer long;
    "poison-static-848" "the same under KIP-848 with static members" poison::run, StaticConsumer;
    "coordinator" "lost answers to commits, then the coordinator cut off" coordinator::run, Classic;
    "coordinator-848" "the same with the group protocol of KIP-848" coordinator::run, Consumer;
    "produce-cut" "connections cut between the append and its answer" produce_cut::run, Classic;
    "broker-kill" "each broker killed in turn" broker_kill::run, Classic;
    "truncated" "a log that ends before the group's offset" truncated::run, Classic;
    "retention" "retention overtakes the group; a topic deleted and made anew" retention::run, Classic;
    "clock" "the wall clock jumps by an hour; late duplicates" clock::run, Classic;
    "slow-net" "latency, jitter, 64 kB/s, slices, resets; ten times the load" slow_net::run, Classic;
    "refused" "the dead-letter topic refuses writes" refused::run, Classic;
    "parked" "SIGKILL before and after park and unpark; the parked topic refuses writes" parked::run, Classic;
    "parked-static" "the same with static members" parked::run, Static;
    "parked-848" "the same under KIP-848" parked::run, Consumer;
    "parked-static-848" "the same under KIP-848 with static members" parked::run, StaticConsumer long;
    "redrive-kill" "kills while dead letters are redriven" redrive_kill::run, Classic;
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

//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Parser, Subcommand};

/// What `Services::run_from` adds.
const FRAMEWORK: &str = "As every service of the framework it also knows `handlers`, `topology`, `check`, `publish`, `dead-letters` and `parked`; see `topology --help`.";

/// Five services, no conductor: replays real orders and checks that each of them has exactly one ending.
///
/// Without an address all of it runs in this process on the embedded cluster. With KAFKA_BOOTSTRAP_SERVERS set it runs
/// on that one, in one process or in several: `run payments`, `run inventory`, …, and `run orders` to place the orders
/// and audit them.
#[derive(Parser)]
#[command(version, after_help = FRAMEWORK)]
pub(crate) struct Arguments {
    /// A file of orders instead of the 10,000 that come along.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) orders: Option<PathBuf>,
    /// Only the first N orders.
    #[arg(long, global = true, value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// Publishes orders twice, fails handlers, poisons keys, takes the payment provider away for a while, and restarts a
    /// service midway. The ending is the same.
    #[arg(long, global = true)]
    pub(crate) chaos: bool,
    /// The report as one JSON object.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Orders under way at the same time.
    #[arg(long, global = true, value_name = "N", default_value_t = 200, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..100_000))]
    pub(crate) window: usize,
    /// What the ids of this run begin with, to tell it from earlier runs on the same broker; the time by default.
    #[arg(long, global = true, value_name = "NAME")]
    run_id: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Runs services in a process of their own: payments, inventory, shipping, customers; `orders` places the orders.
    Run {
        /// Which; all without a name.
        services: Vec<String>,
    },
    /// What every service of the framework has.
    #[command(external_subcommand)]
    Framework(Vec<OsString>),
}

impl Arguments {
    /// What the ids of this run begin with.
    pub(crate) fn run_id(&self) -> String {
        self.run_id.clone().unwrap_or_else(|| {
            let now = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default();
            format!("{:x}", now.as_millis())
        })
    }
}

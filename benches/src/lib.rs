//! Measures the framework beside hand-written loops over rdkafka: the same work, the same client settings, the same
//! allocator, in the same run. `cargo xtask bench` brings a broker up and runs this.
//!
//! There are two programs of it: one on the C library's allocator, as users have it who choose none, and one on mimalloc.
//! The first starts both.

mod arrivals;
mod benchmark;
mod check;
mod child;
mod cli;
mod cluster;
mod compile;
mod consume;
mod ends;
mod events;
mod fill;
mod job;
mod kill;
mod latency;
mod machine;
mod markdown;
mod measured;
mod members;
mod memory;
mod ours;
mod parcels;
mod park;
mod poison;
mod publish;
mod raw;
mod react;
mod report;
mod sample;
mod session;
mod settings;
mod slow;
mod start;
mod table;
mod tally;

use std::process::ExitCode;

use clap::Parser;

/// The program, on whatever allocator its binary has.
///
/// # Errors
///
/// A benchmark failed.
pub fn run() -> anyhow::Result<ExitCode> {
    cli::Arguments::parse().run()
}

//! Measures the framework beside hand-written loops over rdkafka: the same work, the same client settings, the same
//! allocator, in the same run. `cargo xtask bench` brings a broker up and runs this.

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

// Also under the C library, so under the Kafka client: both sides of every ratio have it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<ExitCode> {
    cli::Arguments::parse().run()
}

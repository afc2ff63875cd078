//! The command line.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

use crate::benchmark::Benchmark;
use crate::report::Report;
use crate::session::Session;
use crate::{child, markdown, table};

/// Measures the framework beside hand-written loops over rdkafka.
///
/// The broker is the one at KAFKA_BOOTSTRAP_SERVERS; `cargo xtask bench` starts one. Topics whose names begin with
/// `bench-` are deleted there and made anew.
#[derive(Debug, Parser)]
#[command(
    name = "bench",
    bin_name = "cargo xtask bench",
    args_conflicts_with_subcommands = true
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    task: Option<Task>,
    /// What to measure.
    #[arg(value_enum, default_value = "all")]
    bench: Choice,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// One measured run, in a process of its own.
    #[command(hide = true)]
    Child { job: String },
}

/// A benchmark, or every one.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Choice {
    Consume,
    React,
    Slow,
    Latency,
    Publish,
    Compile,
    Check,
    Memory,
    Start,
    Poison,
    Park,
    Members,
    Kill,
    All,
}

/// How to measure.
#[derive(Debug, Clone, Args)]
pub(crate) struct Options {
    /// Prints one JSON object, with `ratio` at its top level.
    #[arg(long)]
    pub(crate) json: bool,
    /// Prints Markdown, and puts it between the marks of each benchmark in benches/README.md.
    #[arg(long, conflicts_with = "json")]
    pub(crate) markdown: bool,
    /// Records of a run; by default as many as each benchmark's goal is stated for.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) records: Option<u64>,
    /// Measured runs of each variant, of which the median counts.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) runs: u32,
    /// How long `latency` (15 s), `memory` (300 s), `poison`'s latency (15 s) and `members` (6 s) take for each run.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seconds: Option<u64>,
    /// Events per second that `latency` (200), `memory` (10,000), `poison` and `members` (2,000) publish.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) rate: Option<u64>,
    /// Uses the client's built-in cluster in this process: for trying the benchmarks out, not for figures.
    #[arg(long)]
    pub(crate) embedded: bool,
    /// Tries a property of the Kafka client out, on both sides: `name=value`.
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) set: Vec<String>,
    /// Tries a setting of the framework out: `lane_records`, `lane_ahead`, `batch`, `lane_emission_bytes` or `park=0`, `name=value`.
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) engine: Vec<String>,
    /// Measures one kind of hand-written loop, on one thread; otherwise the fastest of several kinds counts.
    #[arg(long)]
    pub(crate) brief: bool,
}

impl Choice {
    fn benchmarks(self) -> Vec<Benchmark> {
        match self {
            Self::Consume => vec![Benchmark::Consume],
            Self::React => vec![Benchmark::React],
            Self::Slow => vec![Benchmark::Slow],
            Self::Latency => vec![Benchmark::Latency],
            Self::Publish => vec![Benchmark::Publish],
            Self::Compile => vec![Benchmark::Compile],
            Self::Check => vec![Benchmark::Check],
            Self::Memory => vec![Benchmark::Memory],
            Self::Start => vec![Benchmark::Start],
            Self::Poison => vec![Benchmark::Poison],
            Self::Park => vec![Benchmark::Park],
            Self::Members => vec![Benchmark::Members],
            Self::Kill => vec![Benchmark::Kill],
            Self::All => Benchmark::ALL.to_vec(),
        }
    }
}

impl Arguments {
    pub(crate) fn run(self) -> Result<ExitCode> {
        if let Some(Task::Child { job }) = self.task {
            child::run(&job)?;
            return Ok(ExitCode::SUCCESS);
        }
        let json = self.options.json;
        let written = self.options.markdown;
        let mut session = Session::new(self.options);
        let mut reports: Vec<Report> = Vec::new();
        for benchmark in self.bench.benchmarks() {
            let report = benchmark.run(&mut session)?;
            if !json {
                println!("{}", table::of(&report));
            }
            if written {
                println!("{}", markdown::of(&report));
                markdown::put(&report)?;
            }
            reports.push(report);
        }
        if json {
            println!("{}", Report::json(&reports));
        }
        Ok(ExitCode::SUCCESS)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Arguments;

    #[test]
    fn help_is_what_xtask_prints_without_building() {
        let help = Arguments::command().render_long_help().to_string();
        assert_eq!(
            include_str!("../help.txt"),
            help,
            "write it anew: cargo run -p benchmarks -- --help > benches/help.txt"
        );
    }
}

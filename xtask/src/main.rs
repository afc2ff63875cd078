//! The project's own tasks: `cargo xtask test`, `cargo xtask bench`, and real servers in the foreground.

#![forbid(unsafe_code)]

mod bench;
mod faults;
mod foreground;
mod suite;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand, ValueEnum, builder::PossibleValuesParser};

use crate::suite::Stage;
use xtask::process;
use xtask::workspace::Workspace;

/// The project's own tasks.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Every check: formatting, lints, docs, tests on the embedded cluster and on Apache Kafka, fuzzing, the example.
    ///
    /// Ends with the line `N passed, N failed`. Brings up what it needs and takes it down; a broker named by
    /// KAFKA_BOOTSTRAP_SERVERS is used instead.
    Test {
        /// Only these stages.
        #[arg(long, value_delimiter = ',', value_name = "STAGE")]
        only: Vec<Stage>,
        /// All but these stages.
        #[arg(
            long,
            value_delimiter = ',',
            value_name = "STAGE",
            conflicts_with = "only"
        )]
        skip: Vec<Stage>,
    },
    /// The benchmarks in release, beside a real Apache Kafka unless an address or `--embedded` is given.
    #[command(disable_help_flag = true)]
    Bench {
        /// Handed to the benchmarks as they are; `--help` too.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Faults on three brokers and real processes, and a check of what was promised; every fault once without a name.
    #[command(disable_help_flag = true)]
    Faults {
        /// Handed to the fault bench as they are; `--help` too.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Apache Kafka in the foreground until Ctrl-C; prints its address.
    Kafka {
        /// How many brokers.
        #[arg(long, default_value = "1", value_parser = PossibleValuesParser::new(["1", "3"]))]
        brokers: String,
    },
    /// The pictures of the page in docs/, taken anew in headless Chromium.
    Screenshots,
    /// PostgreSQL in the foreground until Ctrl-C; prints its address.
    Postgres,
}

fn main() -> ExitCode {
    let outcome = run(Arguments::parse().task);
    process::leave_to_interrupt();
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn run(task: Task) -> Result<ExitCode> {
    process::catch_interrupts()?;
    let workspace = Workspace::find()?;
    match task {
        Task::Test { only, skip } => {
            let chosen =
                |stage: &Stage| (only.is_empty() || only.contains(stage)) && !skip.contains(stage);
            let stages: Vec<Stage> = Stage::value_variants()
                .iter()
                .copied()
                .filter(chosen)
                .collect();
            suite::run(&workspace, &stages)
        }
        Task::Bench { arguments } => bench::run(&workspace, &arguments),
        Task::Faults { arguments } => faults::run(&workspace, &arguments),
        Task::Kafka { brokers } => {
            foreground::kafka(&workspace, if brokers == "3" { 3 } else { 1 })
                .map(|()| ExitCode::SUCCESS)
        }
        Task::Screenshots => suite::screenshots(&workspace),
        Task::Postgres => foreground::postgres(&workspace).map(|()| ExitCode::SUCCESS),
    }
}

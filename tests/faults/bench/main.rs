//! The fault bench: scenarios of faults on real brokers and real processes, and what they leave behind, checked.

#![forbid(unsafe_code)]

mod ask;
mod checker;
mod cluster;
mod crew;
mod load;
mod membership;
mod mutants;
mod observer;
mod parked_log;
mod proxy;
mod report;
mod scenarios;
mod scene;
mod topics;
mod wait;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};
use clap::Parser;
use xtask::process;
use xtask::workspace::Workspace;

use crate::cluster::Cluster;
use crate::membership::Membership;
use crate::report::Report;
use crate::scenarios::{ALL, Scenario};
use crate::scene::Bench;

/// Faults on three brokers and real processes, each a scenario that ends in a check of what was promised.
#[derive(Parser)]
#[command(name = "cargo xtask faults", bin_name = "cargo xtask faults")]
struct Arguments {
    /// Only this scenario, or these, apart by commas; `list` names all.
    name: Option<String>,
    /// Seeds whatever is random.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Goes on, with longer faults and further seeds, for so long. Without it every fault comes once.
    #[arg(long)]
    minutes: Option<u64>,
    /// The result as JSON on standard output.
    #[arg(long)]
    json: bool,
    /// Builds that break one rule each, which the scenarios must see; with names only those, apart by
    /// commas. Takes half an hour, and
    /// writes the table in tests/faults/README.md.
    #[arg(long)]
    mutants: bool,
    /// Another worker's program than the one beside this one.
    #[arg(long, hide = true)]
    worker: Option<PathBuf>,
}

fn main() -> ExitCode {
    let outcome = run(&Arguments::parse());
    process::leave_to_interrupt();
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn run(arguments: &Arguments) -> Result<ExitCode> {
    let chosen: Vec<&Scenario> = match arguments.name.as_deref() {
        // Each fault with one kind of member at least; the long form with each kind.
        None => ALL
            .iter()
            .filter(|scenario| scenario.short || arguments.minutes.is_some())
            .collect(),
        Some(_) if arguments.mutants => Vec::new(),
        Some("list") => {
            for scenario in ALL {
                println!("{:<18} {}", scenario.name, scenario.about);
            }
            return Ok(ExitCode::SUCCESS);
        }
        Some(names) => {
            let known = |name| ALL.iter().find(|scenario| scenario.name == name);
            let found: Option<_> = names.split(',').map(known).collect();
            found.with_context(|| {
                let all: Vec<_> = ALL.iter().map(|scenario| scenario.name).collect();
                format!(
                    "there is no scenario `{names}`; there are {}",
                    all.join(", ")
                )
            })?
        }
    };
    process::catch_interrupts()?;
    let workspace = Workspace::find()?;
    let worker = match &arguments.worker {
        Some(worker) => worker.clone(),
        None => std::env::current_exe()?.with_file_name("fault-worker"),
    };
    let cluster = Cluster::start(&workspace, arguments.seed)?;
    let begun = Instant::now();
    let enough = arguments.minutes.map(|minutes| minutes * 60);
    let mut bench = Bench {
        cluster: &cluster,
        worker,
        directory: workspace.target().join("faults"),
        seed: arguments.seed,
        longer: if enough.is_some() { 3 } else { 1 },
        scenario: "",
        membership: Membership::default(),
    };
    if arguments.mutants {
        let caught = mutants::run(&workspace, &mut bench, arguments.name.as_deref())?;
        return Ok(if caught {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        });
    }
    let mut report = Report::default();
    loop {
        for scenario in &chosen {
            report.confirm(&bench, scenario)?;
        }
        if enough.is_none_or(|seconds| begun.elapsed().as_secs() >= seconds) {
            break;
        }
        bench.seed += 1;
    }
    cluster.kafka.check()?;
    report.print(arguments.json)?;
    Ok(match report.is_clean() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

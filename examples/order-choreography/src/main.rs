//! Five services that ship real orders without a conductor.
//!
//! Read it in this order: the contracts (`examples/order-contracts`), the services (`services/`), the shop's front
//! (`orders/`), the auditor (`audit/`), and how all of it is played (`play.rs`) and reported (`report.rs`).

#![forbid(unsafe_code)]

mod services;

mod orders;

mod traces;

mod audit;

mod arguments;
mod chaos;
mod fleet;
mod play;
mod progress;
mod redrive;
mod report;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Parser as _;
use events_kafka::ClientOptions;

use arguments::{Arguments, Command};
use chaos::Chaos;
use play::Play;
use services::Databases;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match &arguments.command {
        None => place(&arguments, &services::NAMES).await,
        Some(Command::Run { services }) => run(&arguments, services).await,
        Some(Command::Framework(words)) => framework(&arguments, words).await,
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

/// `run payments`, `run orders`, `run payments orders`: some of the services in this process, the others elsewhere.
async fn run(arguments: &Arguments, names: &[String]) -> Result<ExitCode> {
    if client().is_embedded() {
        bail!(
            "services in several processes need a cluster that all of them reach: set KAFKA_BOOTSTRAP_SERVERS=host:9092"
        );
    }
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let known = |name: &&str| services::NAMES.contains(name) || *name == orders::SOURCE;
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        let known = services::NAMES.join(", ");
        bail!(
            "there is no service `{unknown}`: choose among {}, {known}",
            orders::SOURCE
        );
    }
    if names.contains(&orders::SOURCE) {
        let others: Vec<_> = names
            .into_iter()
            .filter(|name| *name != orders::SOURCE)
            .collect();
        return place(arguments, &others).await;
    }
    let words: Vec<OsString> = std::iter::once("run")
        .chain(names)
        .map(Into::into)
        .collect();
    let traces = traces::set_up("info")?;
    let ended = framework(arguments, &words).await;
    traces.finish();
    ended
}

/// Places the orders and audits them, with `services` in this process.
async fn place(arguments: &Arguments, services: &[&str]) -> Result<ExitCode> {
    // With chaos every failed attempt would be a line.
    let traces = traces::set_up("warn,events_runtime=error,order_choreography=info")?;
    let report = Play::new(arguments, client())?.run(services).await;
    traces.finish();
    let report = report?;
    if arguments.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print!("\n{report}");
    }
    Ok(match report.verdict() {
        Ok(()) => ExitCode::SUCCESS,
        Err(faults) => {
            eprintln!("\n{faults}");
            ExitCode::FAILURE
        }
    })
}

/// What the framework's command line does for every service: `run`, `handlers`, `topology`, …
async fn framework(arguments: &Arguments, words: &[OsString]) -> Result<ExitCode> {
    let program = std::env::args_os().next().context("a program has a name")?;
    let words = std::iter::once(program).chain(words.iter().cloned());
    let databases = Databases::new(arguments.chaos);
    // Here nobody comes at the end to redrive.
    databases.chaos.iter().for_each(Chaos::mend);
    databases.services(&client()).run_from(words).await?;
    Ok(ExitCode::SUCCESS)
}

/// The cluster of the environment; else the embedded one, in a release build too: nothing here must survive.
fn client() -> ClientOptions {
    let client = ClientOptions::new();
    if client.address().is_some() {
        return client;
    }
    // The embedded cluster makes a group whose members have left wait for most of a session before it takes a new one.
    client
        .embedded()
        .set("session.timeout.ms", "2000")
        .set("heartbeat.interval.ms", "500")
}

//! `cargo xtask kafka` and `cargo xtask postgres`: a real part in the foreground until Ctrl-C.

use std::thread;
use std::time::Duration;

use anyhow::{Result, bail};

use xtask::parts::kafka::Kafka;
use xtask::parts::postgres::Postgres;
use xtask::parts::{KAFKA_ADDRESS, POSTGRES_ADDRESS, given};
use xtask::process::interrupted;
use xtask::progress::Progress;
use xtask::workspace::Workspace;

/// How often it is checked that the part still lives.
const LOOK: Duration = Duration::from_millis(200);

/// Brings Kafka up, prints its address, and stays.
pub(crate) fn kafka(workspace: &Workspace, brokers: usize) -> Result<()> {
    refuse_when_given(KAFKA_ADDRESS)?;
    let progress = Progress::start("kafka");
    let kafka = Kafka::start(workspace, brokers, &progress)?;
    drop(progress);
    println!("export {KAFKA_ADDRESS}={}", kafka.address());
    for log in kafka.logs() {
        eprintln!("log: {}", log.display());
    }
    stay(|| kafka.check())
}

/// Brings PostgreSQL up, prints its address, and stays.
pub(crate) fn postgres(workspace: &Workspace) -> Result<()> {
    refuse_when_given(POSTGRES_ADDRESS)?;
    let progress = Progress::start("postgres");
    let postgres = Postgres::start(workspace, &progress)?;
    drop(progress);
    println!("export {POSTGRES_ADDRESS}={}", postgres.address());
    eprintln!("log: {}", postgres.log().display());
    stay(|| postgres.check())
}

fn stay(check: impl Fn() -> Result<()>) -> Result<()> {
    eprintln!("Ctrl-C stops it and removes its data");
    while !interrupted() {
        check()?;
        thread::sleep(LOOK);
    }
    Ok(())
}

/// An address in the environment wins, so a second server would only be a trap.
fn refuse_when_given(variable: &str) -> Result<()> {
    match given(variable) {
        None => Ok(()),
        Some(address) => bail!(
            "{variable} is already set to {address}, and wins: unset it to start a server here"
        ),
    }
}

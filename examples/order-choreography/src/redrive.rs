//! What an operator does once a fault is mended: redrives the dead letters, with the command that every service has.

use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

/// What a redrive answers.
#[derive(Deserialize)]
struct Answer {
    redriven: u64,
}

/// Asks for the redrive of a handler's dead letters on the cluster at `address`, and says how many there are. It is this
/// program in another process, as at an operator's desk.
pub(crate) async fn redrive(handler: &str, address: &str) -> Result<u64> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["--chaos", "dead-letters", "redrive", "--handler", handler])
        .args(["--reason", "the projection is mended", "--json"])
        .env("KAFKA_BOOTSTRAP_SERVERS", address)
        .stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    ensure!(
        output.status.success(),
        "the redrive failed: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    let answer: Answer = serde_json::from_slice(&output.stdout).context("the redrive's answer")?;
    Ok(answer.redriven)
}

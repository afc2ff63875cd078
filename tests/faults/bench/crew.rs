//! Worker processes.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use faults::Behaviour;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use xtask::output::tail;
use xtask::process::{Farewell, Process};

use crate::wait::until;

/// Lines of a worker's log that belong beside an error.
const TAIL: usize = 15;

/// Short sessions, so that a killed member is soon missed; a request that gets no answer is soon asked again.
const PROPERTIES: [(&str, &str); 3] = [
    ("KAFKA_SESSION_TIMEOUT_MS", "6000"),
    ("KAFKA_HEARTBEAT_INTERVAL_MS", "500"),
    ("KAFKA_SOCKET_TIMEOUT_MS", "6000"),
];

/// A running worker.
pub(crate) struct Worker {
    pub(crate) who: String,
    /// Of a static member.
    pub(crate) instance: Option<u32>,
    process: Process,
    output: PathBuf,
    log: PathBuf,
}

impl Worker {
    /// Starts a worker. `properties` are further variables of the environment.
    pub(crate) fn start(
        program: &Path,
        directory: &Path,
        address: &str,
        behaviour: &Behaviour,
        properties: &[(String, String)],
        instance: Option<u32>,
    ) -> Result<Self> {
        let who = behaviour.who.clone();
        let output = directory.join(format!("{who}.out"));
        let log = directory.join(format!("{who}.log"));
        let consumer_protocol = properties
            .iter()
            .any(|(name, value)| name == "KAFKA_GROUP_PROTOCOL" && value == "consumer");
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("KAFKA_") {
                command.env_remove(name);
            }
        }
        // With KIP-848 the broker decides on sessions (xtask's settings).
        let own = PROPERTIES
            .iter()
            .filter(|(name, _)| !consumer_protocol || *name == "KAFKA_SOCKET_TIMEOUT_MS");
        command
            .args(["run", "--json"])
            .env(Behaviour::VARIABLE, serde_json::to_string(behaviour)?)
            .env("KAFKA_BOOTSTRAP_SERVERS", address)
            .env("KAFKA_CLIENT_ID", &who)
            .env("RUST_LOG", "info,events_kafka=debug")
            .envs(own.copied())
            .envs(properties.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(File::create(&output)?)
            .stderr(File::create(&log)?);
        let process = Process::spawn(&mut command, Farewell::Kill, None)?;
        Ok(Self {
            who,
            instance,
            process,
            output,
            log,
        })
    }

    /// Runs another command of the worker's binary to its end, and answers what it wrote.
    pub(crate) fn command(
        program: &Path,
        address: &str,
        behaviour: &Behaviour,
        arguments: &[&str],
    ) -> Result<String> {
        let output = tool(program, address, behaviour, arguments)?.output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(
            output.status.success(),
            "{arguments:?} failed: {text}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(text)
    }

    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        let pid = Pid::from_raw(self.process.id().cast_signed());
        kill(pid, signal).with_context(|| format!("{} does not run", self.who))
    }

    /// Resident memory in KiB.
    pub(crate) fn memory(&self) -> Option<i64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim().trim_end_matches("kB").trim().parse().ok()
    }

    /// What it logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The exit status, if it has ended.
    pub(crate) fn ended(&self) -> Result<Option<ExitStatus>> {
        self.process.ended()
    }

    /// Waits until it has killed itself, or was killed.
    pub(crate) fn await_death(&self, limit: Duration) -> Result<()> {
        let status = until(&format!("{} dies", self.who), limit, || {
            let ended = self.process.ended().map_err(|error| error.to_string())?;
            ended.ok_or_else(|| "it still runs".to_owned())
        })?;
        ensure!(
            status.signal() == Some(Signal::SIGKILL as i32),
            "{} ended by itself ({status}):\n{}",
            self.who,
            tail(&self.log(), TAIL)
        );
        Ok(())
    }

    /// Asks it to end, waits until it has, and answers its shutdown report.
    pub(crate) fn stop(&self, limit: Duration) -> Result<Value> {
        self.signal(Signal::SIGTERM)?;
        until(&format!("{} ends", self.who), limit, || {
            let ended = self.process.ended().map_err(|error| error.to_string())?;
            ended.ok_or_else(|| "it still runs".to_owned())
        })?;
        let text = fs::read_to_string(&self.output)?;
        let report: Value = serde_json::from_str(&text).with_context(|| {
            format!(
                "no report of {}: {text:?}\n{}",
                self.who,
                tail(&self.log(), TAIL)
            )
        })?;
        Ok(report[0].clone())
    }
}

/// A command of the worker's binary that runs beside the scenario.
pub(crate) struct Errand {
    name: String,
    process: Process,
    output: PathBuf,
}

impl Errand {
    pub(crate) fn start(
        program: &Path,
        directory: &Path,
        address: &str,
        behaviour: &Behaviour,
        arguments: &[&str],
    ) -> Result<Self> {
        let output = directory.join(format!("{}.out", behaviour.who));
        let log = directory.join(format!("{}.log", behaviour.who));
        let mut command = tool(program, address, behaviour, arguments)?;
        command
            .stdout(File::create(&output)?)
            .stderr(File::create(log)?);
        Ok(Self {
            name: arguments.join(" "),
            process: Process::spawn(&mut command, Farewell::Kill, None)?,
            output,
        })
    }

    /// Ends it with SIGKILL. Answers whether it still ran.
    pub(crate) fn kill(self) -> Result<bool> {
        let ended = self.process.ended()?;
        Ok(ended.is_none())
    }

    /// Waits until it has ended, and answers what it wrote.
    pub(crate) fn finish(self, limit: Duration) -> Result<String> {
        let status = until(&format!("`{}` ends", self.name), limit, || {
            let ended = self.process.ended().map_err(|error| error.to_string())?;
            ended.ok_or_else(|| "it still runs".to_owned())
        })?;
        let text = fs::read_to_string(&self.output)?;
        ensure!(status.success(), "`{}` failed: {text}", self.name);
        Ok(text)
    }
}

fn tool(
    program: &Path,
    address: &str,
    behaviour: &Behaviour,
    arguments: &[&str],
) -> Result<Command> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env(Behaviour::VARIABLE, serde_json::to_string(behaviour)?)
        .env("KAFKA_BOOTSTRAP_SERVERS", address)
        .stdin(Stdio::null());
    Ok(command)
}

//! `cargo xtask bench`: the benchmarks beside a real broker.

use std::ffi::OsString;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use anyhow::Result;

use xtask::parts::kafka::Kafka;
use xtask::parts::{KAFKA_ADDRESS, given};
use xtask::process::{Farewell, Process};
use xtask::progress::Progress;
use xtask::workspace::Workspace;

const PACKAGE: &str = "benchmarks";

/// What the benchmarks print for `--help`; a test of theirs holds it to that.
const HELP: &str = include_str!("../../benches/help.txt");
const ASKS_FOR_HELP: [&str; 2] = ["--help", "-h"];

/// With any of these among the arguments no broker is started.
const WITHOUT_BROKER: [&str; 3] = ["--embedded", "check", "compile"];

/// A benchmark ends by itself or by Ctrl-C; a day is "no limit".
const LIMIT: Duration = Duration::from_secs(24 * 60 * 60);

/// Builds in release, brings Kafka up unless told otherwise, and hands every argument on. Help needs none of that.
pub(crate) fn run(workspace: &Workspace, arguments: &[OsString]) -> Result<ExitCode> {
    if holds_any(arguments, &ASKS_FOR_HELP) {
        print!("{HELP}");
        return Ok(ExitCode::SUCCESS);
    }
    workspace.package(PACKAGE)?;
    let cargo = |subcommand: &str| {
        let mut command = workspace.command("cargo");
        command.args([subcommand, "--quiet", "--release", "--package", PACKAGE]);
        // In its own process group it would be stopped by the terminal as soon as it read from it.
        command.stdin(Stdio::null());
        command
    };
    // Built first, so that the broker does not idle beside the compiler.
    let mut build = cargo("build");
    let progress = Progress::start("bench");
    progress.note("building the benchmarks in release");
    let built = Process::spawn(&mut build, Farewell::Ask, None)?.wait(LIMIT)?;
    if !built.success() {
        return Ok(ExitCode::FAILURE);
    }
    let kafka = match given(KAFKA_ADDRESS) {
        None if !holds_any(arguments, &WITHOUT_BROKER) => {
            Some(Kafka::start(workspace, 1, &progress)?)
        }
        _ => None,
    };
    drop(progress);
    let mut run = cargo("run");
    run.arg("--").args(arguments);
    if let Some(kafka) = &kafka {
        run.env(KAFKA_ADDRESS, kafka.address());
    }
    let status = Process::spawn(&mut run, Farewell::Ask, None)?.wait(LIMIT)?;
    if let Some(kafka) = &kafka {
        kafka.check()?;
    }
    Ok(status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .map_or(ExitCode::FAILURE, ExitCode::from))
}

fn holds_any(arguments: &[OsString], words: &[&str]) -> bool {
    let mut arguments = arguments.iter();
    arguments.any(|argument| words.iter().any(|word| argument == word))
}

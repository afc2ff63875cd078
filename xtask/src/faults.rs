//! `cargo xtask faults`: the fault bench.

use std::ffi::OsString;
use std::fs;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::Result;

use xtask::process::{Farewell, Process};
use xtask::progress::Progress;
use xtask::workspace::Workspace;

/// The package, and its binary.
pub(crate) const PACKAGE: &str = "faults";

/// How it is built, with the points at which its workers die.
pub(crate) const BUILD: [&str; 5] = ["build", "--package", PACKAGE, "--features", "failpoints"];

/// The long form runs for as long as one lets it; a week is "no limit".
const LIMIT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The built bench, with all scenarios or with those of these names, apart by commas. What they left behind in an earlier
/// run goes beside it, as `<scenario>.failed`.
pub(crate) fn command(workspace: &Workspace, names: &[String]) -> Command {
    let histories = workspace.target().join("faults");
    for name in names.iter().flat_map(|names| names.split(',')) {
        let kept = histories.join(format!("{name}.failed"));
        // A history that cannot be kept is no reason not to play the scenario.
        let _ = fs::remove_dir_all(&kept);
        let _ = fs::rename(histories.join(name), kept);
    }
    let mut command = Command::new(workspace.target().join("debug").join(PACKAGE));
    command.current_dir(workspace.root()).stdin(Stdio::null());
    command.args(names);
    command
}

/// Builds the bench and hands every argument on. It brings up its own brokers.
pub(crate) fn run(workspace: &Workspace, arguments: &[OsString]) -> Result<ExitCode> {
    workspace.package(PACKAGE)?;
    let progress = Progress::start(PACKAGE);
    progress.note("building the fault bench");
    let mut build = workspace.command("cargo");
    build.args(BUILD).arg("--quiet").stdin(Stdio::null());
    let built = Process::spawn(&mut build, Farewell::Ask, None)?.wait(LIMIT)?;
    drop(progress);
    if !built.success() {
        return Ok(ExitCode::FAILURE);
    }
    let mut run = command(workspace, &[]);
    run.args(arguments);
    let status = Process::spawn(&mut run, Farewell::Ask, None)?.wait(LIMIT)?;
    Ok(status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .map_or(ExitCode::FAILURE, ExitCode::from))
}

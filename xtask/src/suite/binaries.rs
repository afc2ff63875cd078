//! The test binaries of some packages, taken from the build of the whole workspace.
//!
//! `cargo test -p events-kafka` would resolve features for that package alone and so build its dependencies a second
//! time. The binaries that `cargo test --workspace` has built are there already and are run as cargo would run them.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use cargo_metadata::Message;

use crate::suite::session::Session;
use xtask::progress::Progress;

/// One test binary.
pub(crate) struct Binary {
    /// `package-target`, which also names its log.
    pub(crate) name: String,
    package: String,
    program: PathBuf,
    directory: PathBuf,
}

impl Binary {
    /// Runs all its tests from its package's directory, as cargo does.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .current_dir(&self.directory)
            .env("CARGO_MANIFEST_DIR", &self.directory)
            .env("CARGO_PKG_NAME", &self.package);
        command
    }
}

/// Builds the workspace's tests, which costs nothing when they are built, and picks those of `packages`.
pub(crate) fn of(
    packages: &[&str],
    session: &mut Session<'_>,
    limit: Duration,
    progress: &Progress,
) -> Result<Vec<Binary>> {
    let build = session.cargo([
        "test",
        "--workspace",
        "--no-run",
        "--message-format=json-render-diagnostics",
    ]);
    let captured = session.step("build-tests", build, limit, progress)?;
    if !captured.ok() {
        bail!("without a build no test runs on a real broker");
    }
    let mut binaries = Vec::new();
    for &name in packages {
        let package = session.workspace.package(name)?;
        let directory = package
            .manifest_path
            .parent()
            .context("a manifest lies in a directory")?;
        for line in captured.text().lines().filter(|line| line.starts_with('{')) {
            let Ok(Message::CompilerArtifact(artifact)) = serde_json::from_str(line) else {
                continue;
            };
            let Some(program) = artifact
                .executable
                .filter(|_| artifact.profile.test && artifact.package_id == package.id)
            else {
                continue;
            };
            binaries.push(Binary {
                name: format!("{name}-{}", artifact.target.name),
                package: name.to_owned(),
                program: program.into(),
                directory: directory.into(),
            });
        }
    }
    Ok(binaries)
}

//! Where things are: the workspace's root, its packages, its build directory.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, anyhow};
use cargo_metadata::{Metadata, MetadataCommand, Package};

/// The workspace as `cargo metadata` describes it.
pub struct Workspace {
    metadata: Metadata,
}

impl Workspace {
    /// Asks cargo. No dependency is resolved, so it needs no network and takes milliseconds.
    pub fn find() -> Result<Self> {
        let metadata = MetadataCommand::new()
            .no_deps()
            .exec()
            .context("`cargo metadata` failed")?;
        Ok(Self { metadata })
    }

    /// The directory that holds the top `Cargo.toml`.
    pub fn root(&self) -> PathBuf {
        self.metadata.workspace_root.clone().into()
    }

    /// The build directory, which is never committed.
    pub fn target(&self) -> PathBuf {
        self.metadata.target_directory.clone().into()
    }

    /// Jars, unpacked servers and their logs: downloaded once, kept between runs.
    pub fn real_parts(&self) -> PathBuf {
        self.target().join("real-parts")
    }

    /// A member by name.
    pub fn package(&self, name: &str) -> Result<&Package> {
        let members = self.metadata.workspace_packages();
        members.into_iter().find(|package| *package.name == name).ok_or_else(|| {
            anyhow!("the package `{name}` is not in this workspace: add it to `members` in the top Cargo.toml")
        })
    }

    /// A command that runs in the root with cargo's colours off, since its output is parsed and kept in files.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.root())
            .env("CARGO_TERM_COLOR", "never");
        command
    }
}

//! What keeps a command from its work.

use std::io;
use std::path::PathBuf;

/// What keeps a command from looking at locks, or from writing them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocksError {
    /// Cargo knows no workspace here.
    #[error(
        "cargo cannot say where the crates lie that declare the events: run this where the sources are, in the \
         workspace"
    )]
    Workspace(#[source] cargo_metadata::Error),
    /// No event is declared here.
    #[error(
        "none of the {linked} event types that are linked is declared by a crate of the workspace {root}: their locks \
         are their own crates'; run this in the workspace that declares them"
    )]
    NothingOfOurs {
        /// How many event types there are.
        linked: usize,
        /// The workspace's directory.
        root: PathBuf,
    },
    /// An event was named that nobody declares.
    #[error(
        "no crate of this workspace that is linked declares an event `{name}`; there are {known}"
    )]
    UnknownEvent {
        /// The name.
        name: String,
        /// Those that are declared.
        known: String,
    },
    /// A lock cannot be written.
    #[error("cannot write {file}: {source}; what was there before is still there")]
    Write {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Git cannot be run.
    #[error("cannot run git, which `--against` asks: {0}; install it, or leave `--against` out")]
    NoGit(#[source] io::Error),
    /// No repository.
    #[error(
        "{directory} lies in no git repository that can be read ({said}): `--against` compares with what was committed"
    )]
    NotARepository {
        /// The workspace's directory.
        directory: PathBuf,
        /// What git says.
        said: String,
    },
    /// No such revision.
    #[error(
        "git knows no commit `{revision}`: correct the name, or fetch it (a shallow clone has none but the latest)"
    )]
    UnknownRevision {
        /// As it was given.
        revision: String,
    },
    /// Something else went wrong in git.
    #[error("git {command}: {said}")]
    Git {
        /// The words.
        command: String,
        /// What it says.
        said: String,
    },
}

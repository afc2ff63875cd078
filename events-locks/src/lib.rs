//! `contracts lock`, `release` and `check`: the commands that write contract locks and compare events with them.
//!
//! A service answers them for the events that it links, and `cargo events` for the libraries of a workspace; what they do
//! is here, once. Rules and files are `events_core::contract`'s; this crate knows where they lie: it asks cargo for the
//! workspace's crates and git for what was released.

#![forbid(unsafe_code)]

mod against;
mod arguments;
mod check;
mod error;
mod git;
mod lock;
mod outcome;
mod places;
mod release;
mod shelves;
mod write;

pub use arguments::ContractsCommand;
pub use error::LocksError;
pub use outcome::Outcome;
pub use shelves::{Linked, Shelves};
pub use write::replace;

use std::path::Path;

use events_core::contract::Declaration;

/// Does what `command` says for the events that are declared in the workspace of the current directory.
///
/// # Errors
///
/// What keeps the command from looking at all: no workspace, no event of it, an unknown event or revision. What it finds
/// is in the [`Outcome`].
pub fn run(
    command: &ContractsCommand,
    declared: Vec<Declaration>,
    linked: &Linked,
) -> Result<Outcome, LocksError> {
    let shelves = Shelves::open(Path::new("."), declared)?;
    run_on(command, &shelves, linked)
}

/// The same, where the workspace is known already.
///
/// # Errors
///
/// As [`run`].
pub fn run_on(
    command: &ContractsCommand,
    shelves: &Shelves,
    linked: &Linked,
) -> Result<Outcome, LocksError> {
    let outcome = match command {
        ContractsCommand::Lock => lock::lock(shelves)?,
        ContractsCommand::Release { events } => release::release(shelves, events)?,
        ContractsCommand::Check {
            against,
            retired,
            deny_warnings,
        } => check::check(shelves, linked, against.as_deref(), retired)?.strict(*deny_warnings),
    };
    Ok(outcome.of(shelves))
}

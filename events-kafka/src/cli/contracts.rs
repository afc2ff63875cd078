//! `contracts`: the locks of the events that this binary links.

use events_core::contract::Declaration;
use events_core::{Error, Registry, Result};
use events_locks::{ContractsCommand, Linked, LocksError};

use super::arguments::wrong;
use super::output::{print, print_json};
use crate::services::Services;

pub(super) fn run(services: &Services, command: &ContractsCommand, json: bool) -> Result<()> {
    // All services of a binary see the same registry, unless one was given its own.
    let registry = services
        .runtimes()
        .first()
        .map(|runtime| runtime.registry().clone());
    let events = registry.unwrap_or_else(Registry::linked).events;
    let declared = events.into_iter().map(Declaration::of).collect();
    let outcome = match events_locks::run(command, declared, &Linked::default()) {
        Ok(outcome) => outcome,
        Err(error @ LocksError::Write { .. }) => return Err(error.into()),
        Err(error) => wrong(format!("{:#}", Error::from(error))),
    };
    if json {
        print_json(&outcome.to_json())?;
    } else {
        print(&outcome.to_text())?;
    }
    match outcome.status() {
        0 => Ok(()),
        _ => Err(Error::msg("the contract locks are not kept")),
    }
}

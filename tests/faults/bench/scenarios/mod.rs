//! The faults, each a scenario with a name.

mod rolling;
mod sigkill;

use anyhow::Result;

use crate::scene::{Bench, Verdict};

/// A scenario.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// The fault, in a line.
    pub(crate) about: &'static str,
    pub(crate) run: fn(&Bench<'_>) -> Result<Verdict>,
}

/// All of them, in the order of a run.
pub(crate) const ALL: &[Scenario] = &[
    Scenario {
        name: "rolling",
        about: "rolling restarts, and 1 → 4 → 1 members under load",
        run: rolling::run,
    },
    Scenario {
        name: "sigkill",
        about: "SIGKILL before and after emit, acknowledgement, store and commit",
        run: sigkill::run,
    },
];

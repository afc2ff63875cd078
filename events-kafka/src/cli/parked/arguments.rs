//! The words of `parked`.

use clap::{Args, Subcommand};

use crate::cli::audit::By;
use crate::cli::consent::Any;
use crate::cli::place::Place;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ParkedCommand {
    /// List the keys that wait.
    List {
        #[command(flatten)]
        which: Which,
    },
    /// Show a record that waits: payload, error, where it came from, what waits behind it.
    Show {
        /// The record.
        #[arg(value_name = "TOPIC/PARTITION/OFFSET")]
        id: Place,
    },
    /// Try the first record of each key at once.
    RetryNow {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        any: Any,
        #[command(flatten)]
        by: By,
    },
    /// Send the first record of each key to the dead letters, so that the next one is tried.
    SkipHead {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        any: Any,
        #[command(flatten)]
        by: By,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Throw records away; whole keys, or one record by its id.
    Discard {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        any: Any,
        #[command(flatten)]
        by: By,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Give up claims that no member of the group can outrank: a forged one, or one of a later incarnation of the group, after
    /// going back to a build that does not count incarnations. A group that was deleted, or has expired, takes over what it
    /// had parked by itself. Where the group has committed since the claim, nothing is given up without `--force`.
    TakeOver {
        /// The parked topic: `<group>.parked.<topic>`.
        #[arg(long)]
        topic: String,
        /// In this partition alone; may be given several times.
        #[arg(long)]
        partition: Vec<i32>,
        /// Give up the claims that are in force, whatever they are: of a forged one nothing else may tell.
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        by: By,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

/// Which keys are meant: all that every given word fits.
#[derive(Debug, Clone, Default, Args)]
pub(in crate::cli) struct Which {
    /// Keys that wait in this topic: `<group>.parked.<topic>`.
    #[arg(long)]
    pub(super) topic: Option<String>,
    /// Keys of this handler: `service/handler`.
    #[arg(long)]
    pub(super) handler: Option<String>,
    /// Keys whose first record failed with an error that contains this text, or that is of this type.
    #[arg(long)]
    pub(super) error: Option<String>,
    /// Keys whose first record is of this event type.
    #[arg(long)]
    pub(super) event: Option<String>,
    /// This key.
    #[arg(long)]
    pub(super) key: Option<String>,
    /// The key of this record; may be given several times.
    #[arg(long, value_name = "TOPIC/PARTITION/OFFSET")]
    pub(super) id: Vec<Place>,
}

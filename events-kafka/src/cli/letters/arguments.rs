//! The words of `dead-letters`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::filter::Filter;
use crate::cli::audit::By;
use crate::cli::consent::Any;
use crate::cli::place::Place;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum LettersCommand {
    /// Count the open letters by handler, event and error.
    List {
        #[command(flatten)]
        which: Which,
        /// One line for each letter.
        #[arg(long)]
        each: bool,
    },
    /// Show a letter: payload, error chain, where it came from, what became of it.
    Show {
        /// The letter.
        #[arg(value_name = "TOPIC/PARTITION/OFFSET")]
        id: Place,
    },
    /// Give records to their handlers again: to those alone, whole keys in order, behind what is parked of them.
    ///
    /// An earlier letter of a key that the filter leaves out stays where it is, and is overtaken.
    Redrive {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        any: Any,
        #[command(flatten)]
        by: By,
        /// Say what would be done and do nothing.
        #[arg(long)]
        dry_run: bool,
        /// Most letters a second.
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
        rate: Option<u32>,
        /// Most letters; keys are redriven whole.
        #[arg(long, value_name = "LETTERS")]
        max: Option<usize>,
    },
    /// Settle letters without their handlers.
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
    /// Change the payload in $EDITOR; a redrive then carries the new one, and the original stays in the topic.
    Edit {
        /// The letter.
        #[arg(value_name = "TOPIC/PARTITION/OFFSET")]
        id: Place,
        /// The handler, `service/handler`, whose group keeps the new payload of a letter that others wrote.
        #[arg(long)]
        handler: Option<String>,
        #[command(flatten)]
        by: By,
    },
    /// Write open letters to standard output, one line of JSON each.
    Export {
        #[command(flatten)]
        which: Which,
    },
    /// Append letters that were exported. One that is open already is edited if its value differs.
    Import {
        /// The file; `-` reads standard input.
        file: PathBuf,
        /// The dead-letter topic; that of each letter's handler if absent.
        #[arg(long)]
        topic: Option<String>,
        #[command(flatten)]
        by: By,
    },
}

/// Which letters are meant.
#[derive(Debug, Clone, Default, Args)]
pub(in crate::cli) struct Which {
    /// Read this topic, also one that Spring Kafka or Kafka Connect writes; the dead letters of this binary's groups if
    /// absent.
    #[arg(long)]
    pub(super) topic: Option<String>,
    #[command(flatten)]
    pub(super) filter: Filter,
}

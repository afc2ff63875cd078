//! The words of the command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use events_locks::ContractsCommand;

use super::asking::ADDRESS;
use super::audit::By;
use super::letters::LettersCommand;
use super::parked::ParkedCommand;
use crate::endpoint::VARIABLE;

/// Services that react to events over Kafka.
#[derive(Debug, Parser)]
#[command(about = "Services that react to events over Kafka", long_about = None, after_help = "KAFKA_BOOTSTRAP_SERVERS says where the cluster is; any KAFKA_X_Y is the client's property x.y.\nStatus: 0 done, 1 failed or faults found, 2 wrong arguments.")]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    /// Use the embedded cluster: nothing survives the process.
    #[arg(long, global = true)]
    pub(super) embedded: bool,
    /// Print JSON on standard output.
    #[arg(long, global = true)]
    pub(super) json: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run services until SIGTERM or ctrl-c, then drain (the default).
    Run {
        /// Names of services; all of this binary if none is named.
        services: Vec<String>,
        /// Open the status endpoint there: `127.0.0.1:9464`, or `:9464` for the same; EVENTS_STATUS_ADDRESS does so too.
        #[arg(long)]
        status_address: Option<String>,
        /// Fail if the cluster does not answer within that time, such as 90s or 5m; without it the start waits as long as it takes.
        #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
        start_timeout: Option<Duration>,
    },
    /// Say what a running service does.
    Status {
        #[command(flatten)]
        running: Running,
    },
    /// Say how far each group is behind: records, seconds, the oldest record that is not done.
    Lag {
        /// Where the running service answers, to learn which key blocks it.
        #[arg(long)]
        address: Option<String>,
    },
    /// Let a handler of a running service take no more work; its groups are not left.
    Pause {
        /// `handler` or `service/handler`.
        handler: String,
        #[command(flatten)]
        by: By,
        #[command(flatten)]
        running: Running,
    },
    /// Let a paused handler of a running service go on.
    Resume {
        /// `handler` or `service/handler`.
        handler: String,
        #[command(flatten)]
        by: By,
        #[command(flatten)]
        running: Running,
    },
    /// List the handlers: what each takes and emits, its group and its policy; with --json also where it is declared.
    Handlers,
    /// Draw who reacts to what.
    Topology {
        /// How to draw it.
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
        /// The version that an AsyncAPI document says of the services.
        #[arg(long, default_value = "1.0.0")]
        release: String,
    },
    /// Write down what each service is: graph, contracts, topics, groups, policies; `cargo events graph` reads it.
    Manifest(ManifestArguments),
    /// Look for all faults that keep the services from starting.
    Check {
        /// Ask the cluster too: for the topics, and for what the services on it have published of themselves.
        #[arg(long)]
        broker: bool,
        /// Print the least rights that the services need, as commands for kafka-acls.sh.
        #[arg(long, conflicts_with = "broker")]
        acls: bool,
        /// To whom they are granted; if absent `User:` and `sasl.username`, or else the service's name.
        #[arg(long, requires = "acls")]
        principal: Option<String>,
    },
    /// Write and check the contract locks of the events that this binary links, in the workspace that declares them.
    Contracts {
        #[command(subcommand)]
        command: ContractsCommand,
    },
    /// Put right what was given up.
    DeadLetters {
        #[command(subcommand)]
        command: LettersCommand,
    },
    /// Look after keys that wait for a record that failed.
    Parked {
        #[command(subcommand)]
        command: ParkedCommand,
    },
    /// Let a stopped group go on behind a batch that the client cannot unpack; dead letters name its offsets.
    SkipBatch(SkipBatch),
    /// Publish one event.
    Publish {
        /// Name of the event type.
        event: String,
        /// The payload as JSON; `-` reads standard input.
        payload: String,
        /// Who publishes it: the header `ce_source`.
        #[arg(long, default_value = "command-line")]
        source: String,
        /// The flow that it belongs to; a new one if absent.
        #[arg(long)]
        correlation_id: Option<String>,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct ManifestArguments {
    /// Write `<service>.json` into this directory, one file for each service, instead of printing.
    #[arg(long)]
    pub(super) directory: Option<PathBuf>,
    /// Those of all services that run on the cluster, as they have published them, instead of this binary's.
    #[arg(long)]
    pub(super) published: bool,
    /// Take away what a service has published that is not deployed any more.
    #[arg(long, value_name = "SERVICE", conflicts_with_all = ["directory", "published"])]
    pub(super) withdraw: Option<String>,
    /// Do not ask.
    #[arg(long, requires = "withdraw")]
    pub(super) yes: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct SkipBatch {
    /// The topic.
    #[arg(long)]
    pub(super) topic: String,
    /// The partition.
    #[arg(long)]
    pub(super) partition: i32,
    /// The group, if several of this binary read the topic.
    #[arg(long)]
    pub(super) group: Option<String>,
    #[command(flatten)]
    pub(super) by: By,
    /// Do not ask.
    #[arg(long)]
    pub(super) yes: bool,
}

/// A running service.
#[derive(Debug, clap::Args)]
pub(super) struct Running {
    /// Where it answers: what its `--status-address` says.
    #[arg(long, env = VARIABLE, default_value = ADDRESS)]
    pub(super) address: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// A tree that a person reads.
    Text,
    /// A Mermaid flowchart.
    Mermaid,
    /// A Graphviz digraph.
    Dot,
    Json,
    /// A picture.
    Svg,
    /// A page to zoom, search and read schemas in: one file, no network.
    Html,
    /// An AsyncAPI 3 document.
    Asyncapi,
}

impl Arguments {
    /// Reads the arguments. Wrong ones, and questions for help, end the process.
    pub(super) fn read(arguments: impl IntoIterator<Item = OsString>) -> Self {
        Self::try_parse_from(arguments).unwrap_or_else(|error| error.exit())
    }
}

/// Ends the process with status 2.
pub(super) fn wrong(message: impl std::fmt::Display) -> ! {
    let program = std::env::args_os().next().unwrap_or_default();
    let program = std::path::Path::new(&program)
        .file_name()
        .unwrap_or_default();
    Arguments::command()
        .bin_name(program.to_string_lossy())
        .error(clap::error::ErrorKind::InvalidValue, message)
        .exit()
}

pub(super) fn is_command(word: &str) -> bool {
    word == "help"
        || Arguments::command()
            .get_subcommands()
            .any(|command| command.get_name() == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_make_sense() {
        Arguments::command().debug_assert();
        assert!(is_command("run") && is_command("topology") && !is_command("--orders"));
    }
}

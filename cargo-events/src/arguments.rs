//! The words of the command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use events_locks::ContractsCommand;

/// Services of a company that react to each other's events.
#[derive(Debug, Parser)]
#[command(name = "cargo events", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Join manifests into the company's graph, draw it, and check it across services.
    #[command(
        after_help = "Status: 0 no errors, 1 errors found, 2 wrong arguments or unreadable manifests."
    )]
    Graph(GraphArguments),
    /// Write and check the contract locks of the workspace's libraries.
    ///
    /// A program that links them is generated below the target directory, built with EVENTS_CONTRACTS=off and run. Events of
    /// binaries are looked after by the binaries: `cargo run -p <package> -- contracts …`.
    Contracts(ContractsArguments),
}

#[derive(Debug, Args)]
pub(crate) struct ContractsArguments {
    #[command(subcommand)]
    pub(crate) command: ContractsCommand,
    /// Only these packages; else the one of the current directory, or all. May be given several times.
    #[arg(short, long, global = true)]
    pub(crate) package: Vec<String>,
    #[command(flatten)]
    pub(crate) features: Features,
    /// Print JSON on standard output.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// Features of the libraries, in cargo's words: events may stand behind them.
#[derive(Debug, Default, Args)]
pub(crate) struct Features {
    /// Features of the libraries, with commas between them: `name`, or `package/name`.
    #[arg(
        short = 'F',
        long,
        global = true,
        value_delimiter = ',',
        value_name = "FEATURES"
    )]
    pub(crate) features: Vec<String>,
    /// All features of the libraries.
    #[arg(long, global = true)]
    pub(crate) all_features: bool,
    /// Not their default features.
    #[arg(long, global = true)]
    pub(crate) no_default_features: bool,
}

#[derive(Debug, Args)]
pub(crate) struct GraphArguments {
    /// Files that the `manifest` subcommand of services wrote.
    #[arg(required = true)]
    pub(crate) manifests: Vec<PathBuf>,
    /// What to print; findings go to standard error beside all that draw or describe.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Manifests as they were: also say what the change does to others. May be given several times.
    #[arg(long)]
    pub(crate) baseline: Vec<PathBuf>,
    /// An event type that comes from outside of the company. May be given several times.
    #[arg(long)]
    pub(crate) entry: Vec<String>,
    /// Manifests of some services are missing: what nobody does is a warning, and no error.
    #[arg(long)]
    pub(crate) partial: bool,
    /// Most handlers of one event type.
    #[arg(long, default_value_t = 20)]
    pub(crate) fan_out: usize,
    /// The version that an AsyncAPI document says of the company's services.
    #[arg(long, default_value = "1.0.0")]
    pub(crate) release: String,
    /// Warnings fail too.
    #[arg(long)]
    pub(crate) deny_warnings: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// A tree that a person reads.
    Text,
    /// A Mermaid flowchart.
    Mermaid,
    /// A Graphviz digraph.
    Dot,
    /// A picture.
    Svg,
    /// A page to zoom, search and read schemas and findings in: one file, no network.
    Html,
    /// An AsyncAPI 3 document.
    Asyncapi,
    /// Graph and findings.
    Json,
    /// Findings for code scanning.
    Sarif,
    /// Findings as annotations of GitHub Actions.
    Github,
}

/// Cargo puts the subcommand's own name in front.
pub(crate) fn words() -> impl Iterator<Item = OsString> {
    let mut words: Vec<_> = std::env::args_os().collect();
    if words.get(1).is_some_and(|word| word == "events") {
        words.remove(1);
    }
    words.into_iter()
}

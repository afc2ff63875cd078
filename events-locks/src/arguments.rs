//! The words of the command line.

use clap::Subcommand;

/// What can be done with contract locks.
#[derive(Debug, Clone, Subcommand)]
pub enum ContractsCommand {
    /// Write the locks: what this build declares, as drafts. What was released stays as it is.
    Lock,
    /// Freeze drafts: from now on every build must be able to read what they write, and be read by them.
    Release {
        /// Wire names of events; all if none is named.
        events: Vec<String>,
    },
    /// Look for every change that breaks a reader or a writer of what was released.
    #[command(
        after_help = "Status: 0 nothing is broken, 1 something is, 2 wrong arguments, or there is nothing to look at."
    )]
    Check {
        /// Compare with what was released at this git revision too; a lock that was edited since then hides nothing.
        #[arg(long, value_name = "REVISION")]
        against: Option<String>,
        /// An event type that is given up, and whose lock may go. May be given several times.
        #[arg(long, value_name = "EVENT", requires = "against")]
        retired: Vec<String>,
        /// Warnings fail too.
        #[arg(long)]
        deny_warnings: bool,
    },
}

//! Who puts something right, and why: what every action leaves in the log.

use std::io::IsTerminal;

use clap::Args;
use events_core::{Error, Outgoing, Result, time_now};

/// Most bytes of a reason.
const MAX_REASON: usize = 4096;

/// Who does it and why.
#[derive(Debug, Clone, Args)]
pub(super) struct By {
    /// Who does it; the user of the system if absent.
    #[arg(long)]
    pub(super) actor: Option<String>,
    /// Why, for whoever reads the log later.
    #[arg(long)]
    pub(super) reason: Option<String>,
}

/// The same, with the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Audit {
    pub(super) actor: String,
    pub(super) reason: Option<String>,
    /// RFC 3339.
    pub(super) time: String,
}

/// Names of the headers that an audit stands in.
pub(super) struct AuditHeaders {
    pub(super) actor: &'static str,
    pub(super) reason: &'static str,
    pub(super) time: &'static str,
}

impl By {
    pub(super) fn now(self) -> Audit {
        let user = || {
            let known = ["USER", "LOGNAME", "USERNAME"];
            known.iter().find_map(|name| std::env::var(name).ok())
        };
        let actor = self.actor.or_else(user).filter(|actor| !actor.is_empty());
        let reason = self.reason.map(|mut reason| {
            reason.truncate(reason.floor_char_boundary(MAX_REASON));
            reason
        });
        Audit {
            actor: actor.unwrap_or_else(|| "unknown".to_owned()),
            reason,
            time: time_now(),
        }
    }
}

impl Audit {
    /// Who and why, for a log.
    #[cfg(feature = "status")]
    pub(super) fn who(&self) -> String {
        match &self.reason {
            Some(reason) => format!("{}: {reason}", self.actor),
            None => self.actor.clone(),
        }
    }

    pub(super) fn write(&self, names: &AuditHeaders, record: &mut Outgoing) {
        record.add_header(names.actor, &self.actor);
        if let Some(reason) = &self.reason {
            record.add_header(names.reason, reason);
        }
        record.add_header(names.time, &self.time);
    }
}

/// Asks whoever sits at the terminal. Without a terminal only `--yes` is an answer.
///
/// # Errors
///
/// The answer is no, or there is nobody to ask.
pub(super) fn confirm(question: &str, yes: bool) -> Result<()> {
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(Error::msg(format!(
            "{question} There is no terminal to ask: say --yes"
        )));
    }
    match super::output::ask(&format!("{question} [y/N]"))?.as_str() {
        "y" | "Y" | "yes" => Ok(()),
        _ => Err(Error::msg("nothing was changed")),
    }
}

//! `run`: services until a signal, then a drain.

use events_core::{Error, Result};
use events_runtime::ShutdownReport;
use serde::Serialize;
use tokio::task::JoinSet;

use super::arguments::wrong;
use super::output::print_json;
use super::signals::Signals;
use crate::progress;
use crate::services::Services;

/// Status of a process that a second signal ends, as a shell would say it of ctrl-c.
const INTERRUPTED: i32 = 130;

/// How a service ended, for `--json`.
#[derive(Serialize)]
struct Ended {
    service: String,
    #[serde(flatten)]
    report: ShutdownReport,
}

pub(super) async fn run(services: Services, names: &[String], json: bool) -> Result<()> {
    let services = services.only(names).unwrap_or_else(|error| wrong(error));
    let mut signals = Signals::listen()?;
    let handles = tokio::select! {
        handles = services.spawn() => handles?,
        // Nothing runs yet that could be drained.
        () = signals.next() => return Ok(()),
    };
    tokio::select! {
        () = signals.next() => {}
        () = progress::watch(&handles) => {}
    }
    tracing::info!("draining; a second signal ends the process at once");
    let mut draining = JoinSet::new();
    for handle in handles {
        draining.spawn(async move { (handle.service().to_owned(), handle.drain().await) });
    }
    let mut ended = Vec::new();
    loop {
        tokio::select! {
            next = draining.join_next() => match next {
                Some(stopped) => ended.push(stopped?),
                None => break,
            },
            () = signals.next() => {
                tracing::warn!("ended by a second signal: what was under way is handled again");
                std::process::exit(INTERRUPTED);
            }
        }
    }
    ended.sort_by(|(one, _), (other, _)| one.cmp(other));
    let undrained: Vec<_> = ended
        .iter()
        .filter(|(_, report)| !report.drained)
        .map(|(service, report)| format!("{service}: {report}"))
        .collect();
    if json {
        let ended: Vec<_> = ended
            .into_iter()
            .map(|(service, report)| Ended { service, report })
            .collect();
        print_json(&ended)?;
    }
    if undrained.is_empty() {
        return Ok(());
    }
    Err(Error::msg(undrained.join("; ")))
}

//! `run`: services until a signal, then a drain.

use std::time::Duration;

use events_core::{Error, Result};
use events_runtime::ShutdownReport;
use serde::Serialize;
use tokio::task::JoinSet;

use super::arguments::wrong;
use super::output::print_json;
use super::signals::Signals;
use crate::handle::{Handle, Underway};
use crate::progress;
use crate::services::Services;

/// How long lanes may take to say what they have under way; they answer within microseconds unless a handler blocks.
const LAST_WORD: Duration = Duration::from_millis(50);

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
        _ = signals.next() => return Ok(()),
    };
    tokio::select! {
        _ = signals.next() => {}
        () = progress::watch(&handles) => {}
    }
    tracing::info!("draining; a second signal ends the process at once");
    let underway: Vec<_> = handles.iter().map(Handle::underway).collect();
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
            signal = signals.next() => {
                give_up(&underway).await;
                // As a shell says it of a process that a signal ended.
                std::process::exit(128 + signal);
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

/// Says what a second signal leaves undone.
async fn give_up(underway: &[Underway]) {
    underway.iter().for_each(Underway::ask);
    tokio::time::sleep(LAST_WORD).await;
    let told: Vec<_> = underway.iter().map(Underway::tell).collect();
    let abandoned: usize = told.iter().map(|(records, _)| records).sum();
    let places: Vec<_> = told.into_iter().filter_map(|(_, text)| text).collect();
    tracing::warn!(
        abandoned,
        "ended by a second signal: abandoned {abandoned} records, which are handled again{}{}",
        if places.is_empty() { "" } else { "; " },
        places.join("; ")
    );
}

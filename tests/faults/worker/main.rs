//! A real process for the fault bench. It does what its [`Behaviour`] says, and writes down what happens.

mod attempts;
mod beat;
#[cfg(feature = "failpoints")]
mod points;

use std::sync::Arc;

use anyhow::Context as _;
use events_kafka::{Meta, Park, Result, Retry, Runtime, State, handler};
use faults::{Behaviour, Done, Task};

use crate::attempts::Attempts;

/// Reacts with an event of its own.
#[handler]
async fn work(task: Task, meta: Meta, attempts: State<Attempts>) -> Result<Done> {
    attempts.run("work", &task, &meta).await?;
    Ok(Done {
        key: task.key,
        number: task.number,
    })
}

/// Has its own progress on the same records, on threads of its own.
#[handler(blocking)]
fn audit(task: Task, meta: Meta, attempts: State<Attempts>) -> Result<()> {
    attempts.block("audit", &task, &meta)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let text = std::env::var(Behaviour::VARIABLE).with_context(|| {
        format!(
            "{} is not set: this process is started by `cargo xtask faults`",
            Behaviour::VARIABLE
        )
    })?;
    let behaviour: Behaviour = serde_json::from_str(&text)?;
    beat::start(&behaviour)?;
    let attempts = Arc::new(Attempts::new(&behaviour)?);
    #[cfg(feature = "failpoints")]
    points::install(Arc::clone(&attempts), behaviour.kill.clone());
    #[cfg(not(feature = "failpoints"))]
    anyhow::ensure!(
        behaviour.kill.is_none(),
        "this worker was built without the feature `failpoints`, so it cannot die at one"
    );
    Runtime::new(&behaviour.group)
        .shared_state(attempts)
        .configure(|settings| {
            settings.retry = Retry {
                attempts: behaviour.attempts,
                min: behaviour.backoff.0,
                max: behaviour.backoff.1,
            };
            settings.park = behaviour
                .park
                .map(|(min, max, max_age)| Park { min, max, max_age });
            settings.timeout = behaviour.timeout;
            settings.drain = behaviour.drain;
            settings.commit_interval = behaviour.commit_interval;
            settings.dedupe_window = behaviour.dedupe_window;
        })
        .run_from_args()
        .await?;
    Ok(())
}

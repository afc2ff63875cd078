//! A real process for the end-to-end tests. It does what [`Behaviour`] says and writes down each attempt.

mod attempts;
mod stages;

use anyhow::Context as _;
use end_to_end_tests::{Behaviour, StartAt};
use events_kafka::{Park, Retry, Runtime, Start};

use attempts::Attempts;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let text = std::env::var(Behaviour::VARIABLE).with_context(|| {
        format!(
            "{} is not set: this process is started by the end-to-end tests",
            Behaviour::VARIABLE
        )
    })?;
    let behaviour: Behaviour = serde_json::from_str(&text)?;
    let attempts = Attempts::new(&behaviour)?;
    Runtime::new(&behaviour.service)
        .state(attempts)
        .configure(|settings| {
            settings.start = match behaviour.start {
                StartAt::Earliest => Start::Earliest,
                StartAt::Latest => Start::Latest,
                StartAt::Time(millis) => Start::Time(millis),
            };
            settings.retry = Retry {
                attempts: behaviour.attempts,
                min: behaviour.backoff.0,
                max: behaviour.backoff.1,
            };
            settings.park = behaviour.park.map(|wait| Park {
                min: wait,
                max: wait,
                ..Park::DEFAULT
            });
            settings.timeout = behaviour.timeout;
            settings.drain = behaviour.drain;
            settings.commit_interval = behaviour.commit_interval;
            settings.concurrency = behaviour.concurrency;
            if let Some(bytes) = behaviour.process_bytes {
                settings.process_bytes = bytes;
                settings.lane_ahead = 1_000;
                settings.dedupe_window = 1_000;
            }
        })
        .run_from_args()
        .await
}

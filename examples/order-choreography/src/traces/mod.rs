//! Where spans go: to an OpenTelemetry collector with the feature `otlp`, else nowhere.

#[cfg(not(feature = "otlp"))]
mod nowhere;
#[cfg(feature = "otlp")]
mod otlp;

#[cfg(not(feature = "otlp"))]
pub(crate) use nowhere::{Traces, of_service, within};
#[cfg(feature = "otlp")]
pub(crate) use otlp::{Traces, of_service, within};

use std::io::IsTerminal as _;

use anyhow::Result;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt};

/// Writes logs to standard error, and sends spans until the answer is [finished](Traces::finish).
pub(crate) fn set_up(otherwise: &str) -> Result<Traces> {
    let filter = EnvFilter::try_from_default_env().or_else(|_| EnvFilter::try_new(otherwise))?;
    let terminal = std::io::stderr().is_terminal();
    let log = fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(terminal)
        .with_target(false);
    let traces = Traces::new()?;
    tracing_subscriber::registry()
        .with(log.with_filter(filter))
        .with(traces.layer())
        .init();
    Ok(traces)
}

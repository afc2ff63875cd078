//! Errors of users that have no end (D5, D6).

use std::error::Error as StdError;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};

use events_core::{Classify, Error, Result, State, event, handler};
use events_runtime::dead_letter_header as letter;

use super::cluster::{Cluster, Running, Verdict};
use super::probe::Probe;
use super::stage::{Stage, record_of};

/// An error that is its own cause.
struct Circular {
    asked: AtomicU32,
}

impl fmt::Debug for Circular {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Circular")
    }
}

impl fmt::Display for Circular {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it is its own cause")
    }
}

impl StdError for Circular {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        // An engine that follows the causes to their end would never come back.
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        assert!(asked < 100_000, "all causes are asked for");
        Some(self)
    }
}

/// An error whose text is as long as the memory is large.
struct Verbose;

impl fmt::Debug for Verbose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verbose")
    }
}

impl fmt::Display for Verbose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for written in 0.. {
            assert!(written < 100_000, "the whole text is asked for");
            f.write_str("and so on, ")?;
        }
        Ok(())
    }
}

impl StdError for Verbose {}

#[event(topic = "conformance-errors", key = key, crate = crate::conformance::listed)]
pub(crate) struct Failing {
    pub(crate) key: String,
}

#[handler(service = "conformance-errors", crate = crate::conformance::listed)]
async fn fail(failing: Failing, probe: State<Probe>) -> Result<()> {
    probe.attempt("fail", &failing.key, 0).await?;
    let asked = AtomicU32::new(0);
    match failing.key.as_str() {
        "circular" => Err(Error::new(Circular { asked })),
        "circular and hopeless" => Err(Error::new(Circular { asked }).terminal()),
        "verbose" => Err(Error::new(Verbose)),
        _ => Ok(()),
    }
}

/// An error whose causes or whose text have no end fails its record alone; its dead letter has the beginning of it.
pub async fn an_error_without_an_end_is_an_error<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-errors", 1).await;
    let keys = ["circular", "circular and hopeless", "verbose", "good"];
    for key in keys {
        let failing = Failing {
            key: key.to_owned(),
        };
        stage.produce(record_of(&failing, key)).await;
    }
    let running = stage.start().await;
    let letters = stage.letters_once(3).await;
    stage.committed_once(4).await;
    running.shutdown().await;
    let attempts = keys.map(|key| stage.probe.attempts("fail", key, 0));
    assert_eq!(attempts, [3, 1, 3, 1]);
    for dead in letters {
        let error = dead.header_text(letter::ERROR).unwrap_or_default();
        let begins = match dead.key_text().as_deref() {
            Some("verbose") => "and so on, and so on, ",
            _ => "it is its own cause\ncaused by: it is its own cause",
        };
        assert!(error.starts_with(begins), "{error}");
        assert!(error.len() <= 16 * 1024, "{}", error.len());
    }
    Verdict::Held
}

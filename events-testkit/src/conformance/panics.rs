//! Code of users that panics where it is dropped, or where nobody expects it (D5).

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::panic::panic_any;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Context, Poll};

use events_core::{
    Attempt, AttemptContext, Classify, Delivery, Error, Extract, Middleware, Result,
    ServiceContext, State, event, handler,
};
use events_runtime::dead_letter_header as letter;

use super::cluster::{Cluster, Running, Verdict};
use super::probe::Probe;
use super::stage::{Stage, record_of};

/// Panics when it is dropped, whatever else goes on: two of them in one unwinding would abort the process.
pub(super) struct Grenade(pub(super) &'static str);

impl Drop for Grenade {
    fn drop(&mut self) {
        panic!("{}", self.0);
    }
}

/// An argument that panics when it is dropped, at first attempts at records with its key.
struct Armed {
    _grenade: Option<Grenade>,
}

impl Extract for Armed {
    type Prepared = ();

    fn prepare(_: &ServiceContext) -> Result<()> {
        Ok(())
    }

    fn extract((): &(), delivery: &Delivery<'_>) -> Result<Self> {
        let armed = delivery.attempt() == 1 && delivery.record().key() == Some(b"argument");
        Ok(Self {
            _grenade: armed.then(|| Grenade("the argument")),
        })
    }
}

/// Errors that panic in one place each.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Debug,
    Source,
    Drop,
    /// The second time it is written.
    Again,
}

struct Fragile {
    place: Place,
    written: AtomicU32,
}

impl Fragile {
    fn error(place: Place) -> Error {
        let written = AtomicU32::new(0);
        Error::new(Self { place, written })
    }
}

impl fmt::Debug for Fragile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        assert!(self.place != Place::Debug, "no description");
        f.write_str("Fragile")
    }
}

impl fmt::Display for Fragile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let earlier = self.written.fetch_add(1, Ordering::Relaxed);
        assert!(self.place != Place::Again || earlier == 0, "said once");
        f.write_str("fragile")
    }
}

impl StdError for Fragile {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        assert!(self.place != Place::Source, "no cause");
        None
    }
}

impl Drop for Fragile {
    fn drop(&mut self) {
        assert!(self.place != Place::Drop, "it does not go");
    }
}

/// What a layer leaves for extractors; its clones are harmless.
struct Left {
    _grenade: Option<Grenade>,
}

impl Clone for Left {
    fn clone(&self) -> Self {
        Self { _grenade: None }
    }
}

/// Leaves things behind that panic when they are dropped, at first attempts at records with their key.
#[derive(Default)]
struct Littering {
    /// The attempt that begins is one whose future is to panic.
    armed: AtomicBool,
}

impl Middleware for Littering {
    fn before(&self, delivery: &Delivery<'_>, context: &AttemptContext) -> Result<()> {
        let first = |key: &[u8]| delivery.attempt() == 1 && delivery.record().key() == Some(key);
        self.armed.store(first(b"layer"), Ordering::SeqCst);
        context.extend(Left {
            _grenade: first(b"left").then(|| Grenade("what a layer left")),
        });
        Ok(())
    }

    fn around<'a>(&'a self, attempt: Attempt<'a>) -> Attempt<'a> {
        let armed = self.armed.load(Ordering::SeqCst);
        Box::pin(Keeping {
            attempt,
            _grenade: armed.then(|| Grenade("a layer's future")),
        })
    }
}

/// A layer's future that keeps its grenade until it is dropped, also when it is over.
struct Keeping<'a> {
    attempt: Attempt<'a>,
    _grenade: Option<Grenade>,
}

impl Future for Keeping<'_> {
    type Output = Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.attempt.as_mut().poll(cx)
    }
}

/// What handlers do at the first attempt at a record, after its key.
fn misbehave(key: &str) -> Result<()> {
    match key {
        "payload" => panic_any(Grenade("a payload")),
        "debug" => Err(Fragile::error(Place::Debug)),
        "source" => Err(Fragile::error(Place::Source)),
        "dropped" => Err(Fragile::error(Place::Drop)),
        _ => Ok(()),
    }
}

#[event(topic = "conformance-drops", key = key, crate = crate::conformance::listed)]
pub(crate) struct Handled {
    pub(crate) key: String,
}

#[handler(service = "conformance-drops", timeout = "100ms", crate = crate::conformance::listed)]
async fn mishandle(handled: Handled, probe: State<Probe>, _armed: Armed) -> Result<()> {
    let first = probe.attempts("mishandle", &handled.key, 0) == 0;
    probe.attempt("mishandle", &handled.key, 0).await?;
    match handled.key.as_str() {
        "again" => return Err(Fragile::error(Place::Again).terminal()),
        "late" | "layer" if first => {
            let _grenade = (handled.key == "late").then(|| Grenade("a late attempt"));
            std::future::pending::<()>().await;
        }
        key if first => return misbehave(key),
        _ => {}
    }
    Ok(())
}

/// A panic in a `Drop` of users, or in the text of an error wherever that is needed, is an error of its record alone: it is
/// tried again, and the lane goes on.
pub async fn a_panic_in_a_drop_is_an_error_of_its_record<C: Cluster>(cluster: &C) -> Verdict {
    let stage = Stage::set(cluster, "conformance-drops", 1).await;
    let service = stage.service().middleware(Littering::default());
    let running = stage.start_with(service).await;
    let keys = [
        "late", "layer", "left", "argument", "payload", "debug", "source", "dropped",
    ];
    for (place, key) in keys.into_iter().chain(["again"]).enumerate() {
        let handled = Handled {
            key: key.to_owned(),
        };
        stage.produce(record_of(&handled, key)).await;
        stage.committed_once(place as i64 + 1).await;
    }
    let letters = stage.letters_once(1).await;
    let status = running.status().await;
    assert!(status.healthy, "{status:#?}");
    let report = running.shutdown().await;
    assert!(report.drained, "{report:?}");
    for key in keys {
        assert_eq!(stage.probe.attempts("mishandle", key, 0), 2, "{key}");
    }
    let error = letters[0].header_text(letter::ERROR);
    assert_eq!(error.as_deref(), Some("fragile"), "written once, and kept");
    Verdict::Held
}

#[event(topic = "conformance-drops-blocking", key = key, crate = crate::conformance::listed)]
pub(crate) struct Pooled {
    pub(crate) key: String,
}

#[handler(service = "conformance-drops-blocking", blocking, crate = crate::conformance::listed)]
fn mispool(pooled: Pooled, probe: State<Probe>, _armed: Armed) -> Result<()> {
    let first = probe.attempts("mispool", &pooled.key, 0) == 0;
    probe.attempt_blocking("mispool", &pooled.key, 0)?;
    match first {
        // Its error panics too, after the layer's future.
        true if pooled.key == "layer" => Err(Fragile::error(Place::Drop)),
        true => misbehave(&pooled.key),
        false => Ok(()),
    }
}

/// The same for blocking attempts.
pub async fn a_panic_in_a_drop_on_a_thread_is_an_error_of_its_record<C: Cluster>(
    cluster: &C,
) -> Verdict {
    let stage = Stage::set(cluster, "conformance-drops-blocking", 1).await;
    let service = stage.service().middleware(Littering::default());
    let running = stage.start_with(service).await;
    let keys = [
        "layer", "left", "argument", "payload", "debug", "source", "dropped",
    ];
    for (place, key) in keys.into_iter().enumerate() {
        let pooled = Pooled {
            key: key.to_owned(),
        };
        stage.produce(record_of(&pooled, key)).await;
        stage.committed_once(place as i64 + 1).await;
    }
    let report = running.shutdown().await;
    assert!(report.drained, "{report:?}");
    for key in keys {
        assert_eq!(stage.probe.attempts("mispool", key, 0), 2, "{key}");
    }
    Verdict::Held
}

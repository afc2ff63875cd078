//! Between the loop that `#[handler]` generates and the engine that drives it.
//!
//! A slot is one long-lived future: the generated loop. It asks for a record, makes the handler's arguments, runs the
//! attempt in place, and asks for the next; so an attempt that is ready at once costs no allocation.

use std::fmt;
use std::future::{Future, poll_fn};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use crate::contained::Contained;
use crate::context::ServiceContext;
use crate::delivery::Delivery;
use crate::emission::Emissions;
use crate::middleware::{Attempt, Middleware};
use crate::{Error, Result};

/// The future of a slot.
pub type SlotFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A blocking attempt.
pub type BlockingJob = Box<dyn FnOnce(&mut Emissions) -> Result<()> + Send>;

/// What an engine provides to a slot. Handlers never see it.
pub trait SlotDriver: Send {
    /// Loads the next record; `false` ends the slot.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<bool>;

    /// The loaded record. Called only between a `true` of `poll_next` and `finish`.
    fn delivery(&self) -> Delivery<'_>;

    /// The service's layers, the first outermost.
    fn layers(&self) -> Arc<[Arc<dyn Middleware>]>;

    /// Whether there are layers.
    fn has_layers(&self) -> bool;

    /// Polls the attempt once, keeps its outcome, and answers `Ready` when the attempt is over or given up. A panic is
    /// an outcome.
    fn poll_attempt(
        &mut self,
        cx: &mut Context<'_>,
        attempt: Pin<&mut (dyn Future<Output = Result<()>> + Send + '_)>,
    ) -> Poll<()>;

    /// Runs a blocking attempt on a pool of threads; takes the job at the first call.
    fn poll_blocking(&mut self, cx: &mut Context<'_>, job: &mut Option<BlockingJob>) -> Poll<()>;

    /// The attempt ends with this error, unless it has ended with another one before: of two errors the first counts.
    fn refuse(&mut self, error: Error);

    /// The attempt is over; `emissions` holds what it published, if it succeeded. The engine leaves it empty.
    fn finish(&mut self, emissions: &mut Emissions);
}

/// One of the FIFO queues of a lane, as the generated loop sees it.
pub struct Slot {
    service: Arc<ServiceContext>,
    driver: Box<dyn SlotDriver>,
}

impl Slot {
    /// For engines.
    pub fn new(service: Arc<ServiceContext>, driver: Box<dyn SlotDriver>) -> Self {
        Self { service, driver }
    }

    /// The service that the handler belongs to.
    pub fn service(&self) -> &ServiceContext {
        &self.service
    }

    /// Waits for the next record; `false` ends the loop.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when it is dropped.
    pub async fn next(&mut self) -> bool {
        poll_fn(|cx| self.driver.poll_next(cx)).await
    }

    /// Starts an attempt: `make` makes the handler's arguments and calls it. `false` means that the attempt has ended
    /// with an error.
    pub fn start(&mut self, make: &mut dyn FnMut(&Delivery<'_>) -> Result<()>) -> bool {
        let started = {
            let delivery = self.driver.delivery();
            let start = || {
                if self.driver.has_layers() {
                    for layer in self.driver.layers().iter() {
                        layer.before(&delivery, delivery.attempt_context())?;
                    }
                }
                make(&delivery)
            };
            // A panic in a user's `Deserialize` or `Extract` is an error of this record alone.
            catch_unwind(AssertUnwindSafe(start))
                .unwrap_or_else(|panic| Err(Panicked::error(panic)))
        };
        match started {
            Ok(()) => true,
            Err(error) => {
                self.driver.refuse(error);
                false
            }
        }
    }

    /// Runs the attempt to its end, or until it is given up.
    pub async fn attempt(
        &mut self,
        attempt: Pin<&mut (dyn Future<Output = Result<()>> + Send + '_)>,
    ) {
        if self.driver.has_layers() {
            let layers = self.driver.layers();
            // A panic in a layer is an error of this record alone.
            let wrap = || wrapped(&layers, Box::pin(attempt));
            match catch_unwind(AssertUnwindSafe(wrap)) {
                Ok(wrapped) => {
                    let mut wrapped = Contained::new(wrapped);
                    poll_fn(|cx| match wrapped.get_mut() {
                        Some(wrapped) => self.driver.poll_attempt(cx, wrapped.as_mut()),
                        None => Poll::Ready(()),
                    })
                    .await;
                    if let Err(panic) = wrapped.discard() {
                        self.driver.refuse(panic.context(LAYERS_DROPPED));
                    }
                }
                Err(panic) => {
                    let error = Panicked::error(panic).context("a layer's `around`");
                    self.driver.refuse(error);
                }
            }
        } else {
            let mut attempt = attempt;
            poll_fn(|cx| self.driver.poll_attempt(cx, attempt.as_mut())).await;
        }
    }

    /// Runs a blocking attempt to its end.
    pub async fn attempt_blocking(&mut self, job: BlockingJob) {
        let mut job = Some(match self.driver.has_layers() {
            true => wrapped_job(self.driver.layers(), job),
            false => job,
        });
        poll_fn(|cx| self.driver.poll_blocking(cx, &mut job)).await;
    }

    /// The attempt ends with this error, unless it has ended with another one before.
    pub fn refuse(&mut self, error: Error) {
        self.driver.refuse(error);
    }

    /// Hands the outcome to the engine.
    pub fn finish(&mut self, emissions: &mut Emissions) {
        self.driver.finish(emissions);
    }
}

/// Says where a panic came from.
const LAYERS_DROPPED: &str = "a layer's future, when it was dropped";

/// The attempt with all layers around it, the first outermost.
fn wrapped<'a>(layers: &'a [Arc<dyn Middleware>], attempt: Attempt<'a>) -> Attempt<'a> {
    let around = |attempt, layer: &'a Arc<dyn Middleware>| layer.around(attempt);
    layers.iter().rev().fold(attempt, around)
}

/// The same for a blocking attempt. Layers stand around it on its own thread, where what they set for it is seen: their
/// futures are driven to their ends there, and what they await is waited for as the job itself is.
fn wrapped_job(layers: Arc<[Arc<dyn Middleware>]>, job: BlockingJob) -> BlockingJob {
    Box::new(move |emissions| {
        let attempt = wrapped(&layers, Box::pin(async move { job(emissions) }));
        let mut attempt = Contained::new(attempt);
        let waker = Waker::from(Arc::new(Awaiting(thread::current())));
        let mut cx = Context::from_waker(&waker);
        while let Some(polled) = attempt.get_mut() {
            match polled.as_mut().poll(&mut cx) {
                Poll::Ready(outcome) => {
                    // Not while the outcome unwinds: an error's own `Drop` may panic too.
                    let dropped = attempt.discard();
                    return outcome.and(dropped.map_err(|panic| panic.context(LAYERS_DROPPED)));
                }
                // It returns at once if it was woken in between.
                Poll::Pending => thread::park(),
            }
        }
        Ok(())
    })
}

/// A thread that waits for a future.
struct Awaiting(Thread);

impl Wake for Awaiting {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot")
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

/// A handler panicked.
#[derive(Debug, thiserror::Error)]
#[error("the handler panicked: {0}")]
pub struct Panicked(String);

impl Panicked {
    /// Turns what `catch_unwind` caught into an error.
    pub fn error(panic: Box<dyn std::any::Any + Send>) -> Error {
        let text = match panic.downcast::<String>() {
            Ok(text) => *text,
            Err(panic) => match panic.downcast::<&'static str>() {
                Ok(text) => (*text).to_owned(),
                Err(payload) => {
                    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
                        // Its own payload may panic as well, and so on.
                        mem::forget(panic);
                    }
                    "with a payload that is no text".to_owned()
                }
            },
        };
        Error::new(Self(text))
    }
}

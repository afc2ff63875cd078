//! The loop of a slot: one future that takes a handler from record to record.
//!
//! `#[handler]` names the parts of a call. What is generic here is compiled for every handler, so it is little; the
//! loop itself is compiled once.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use crate::Result;
use crate::delivery::Delivery;
use crate::emission::Emissions;
use crate::slot::{BlockingJob, Slot, SlotFuture};

/// How what a handler returns is published.
pub(crate) type Emit<R> = fn(R, &mut Emissions) -> Result<()>;

/// Makes the arguments of a handler, and from them the call.
type Start<P, F> = fn(&P, &Delivery<'_>) -> Result<F>;

/// Makes the arguments of a blocking handler, and from them the call.
type StartBlocking = Box<dyn Fn(&Delivery<'_>) -> Result<BlockingJob> + Send>;

/// A handler that can be run. `#[handler]` puts one of the three types below into its descriptor.
pub trait Callable: Send + Sync {
    /// Runs it for a slot.
    fn run(&'static self, slot: Slot) -> SlotFuture;
}

/// An async handler that takes its event and nothing else.
pub struct Plain<I, F: Future + Send + 'static> {
    /// Reads the event.
    pub decode: fn(&Delivery<'_>) -> Result<I>,
    /// The function.
    pub handler: fn(I) -> F,
    /// Publishes what it returned.
    pub emit: Emit<F::Output>,
}

/// An async handler.
pub struct Prepared<P, F: Future + Send + 'static> {
    /// Looks up what its arguments share.
    pub prepare: fn(&Slot) -> Result<P>,
    /// Makes the arguments and calls the function.
    pub start: Start<P, F>,
    /// Publishes what it returned.
    pub emit: Emit<F::Output>,
}

/// A handler for the blocking pool.
pub struct Blocking<P, F, R> {
    /// Looks up what its arguments share.
    pub prepare: fn(&Slot) -> Result<P>,
    /// Makes the arguments, and from them the call.
    pub start: Start<P, F>,
    /// Publishes what it returned.
    pub emit: Emit<R>,
}

impl<I, F: Future + Send + 'static> Callable for Plain<I, F> {
    fn run(&'static self, slot: Slot) -> SlotFuture {
        let call = PlainCall {
            handler: self,
            future: Box::pin(None),
        };
        begin(slot, Box::new(call))
    }
}

impl<P: Send + 'static, F: Future + Send + 'static> Callable for Prepared<P, F> {
    fn run(&'static self, slot: Slot) -> SlotFuture {
        match (self.prepare)(&slot) {
            Ok(prepared) => {
                let call = PreparedCall {
                    handler: self,
                    prepared,
                    future: Box::pin(None),
                };
                begin(slot, Box::new(call))
            }
            Err(_) => nothing(),
        }
    }
}

impl<P, F, R> Callable for Blocking<P, F, R>
where
    P: Send + 'static,
    F: FnOnce() -> R + Send + 'static,
    R: 'static,
{
    fn run(&'static self, slot: Slot) -> SlotFuture {
        match (self.prepare)(&slot) {
            Ok(prepared) => {
                let start = move |delivery: &Delivery<'_>| -> Result<BlockingJob> {
                    let call = (self.start)(&prepared, delivery)?;
                    Ok(Box::new(move |emissions: &mut Emissions| {
                        (self.emit)(call(), emissions)
                    }))
                };
                Box::pin(drive_blocking(slot, Box::new(start)))
            }
            Err(_) => nothing(),
        }
    }
}

fn begin(slot: Slot, call: Box<dyn Attemptable>) -> SlotFuture {
    Box::pin(drive(slot, call))
}

/// What an argument needs was there when the service started; without it no record is taken, and so none is lost.
fn nothing() -> SlotFuture {
    Box::pin(std::future::ready(()))
}

async fn drive(mut slot: Slot, mut call: Box<dyn Attemptable>) {
    let mut emissions = Emissions::new();
    while slot.next().await {
        if slot.start(&mut |delivery| call.start(delivery)) {
            let mut attempt = pin!(Attempt {
                call: &mut *call,
                emissions: &mut emissions,
                over: false,
            });
            slot.attempt(attempt.as_mut()).await;
            // Of an attempt that was given up nothing lives when the engine hears of it.
            if !attempt.over {
                call.clear();
            }
        }
        slot.finish(&mut emissions);
    }
}

async fn drive_blocking(mut slot: Slot, start: StartBlocking) {
    let mut emissions = Emissions::new();
    while slot.next().await {
        let mut job = None;
        let started = slot.start(&mut |delivery| {
            job = Some(start(delivery)?);
            Ok(())
        });
        if let Some(job) = job.filter(|_| started) {
            slot.attempt_blocking(job).await;
        }
        slot.finish(&mut emissions);
    }
}

/// A handler that can be called again and again.
trait Attemptable: Send {
    /// Makes the arguments and calls it; nothing of its body runs yet.
    fn start(&mut self, delivery: &Delivery<'_>) -> Result<()>;
    /// Polls the call; when it is ready, encodes what it returned.
    fn poll(&mut self, cx: &mut Context<'_>, emissions: &mut Emissions) -> Poll<Result<()>>;
    /// Drops the call.
    fn clear(&mut self);
}

/// A call lives in its place from its first poll on, where it does not move. The next one takes the place of one that
/// is over, of which nothing but the place is left: one allocation for all calls of the slot.
type Place<F> = Pin<Box<Option<F>>>;

struct PlainCall<I: 'static, F: Future + Send + 'static> {
    handler: &'static Plain<I, F>,
    future: Place<F>,
}

impl<I, F: Future + Send> Attemptable for PlainCall<I, F> {
    fn start(&mut self, delivery: &Delivery<'_>) -> Result<()> {
        // Not `?`, here and below: its parts would be compiled for every handler.
        match (self.handler.decode)(delivery) {
            Ok(event) => {
                self.future.set(Some((self.handler.handler)(event)));
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>, emissions: &mut Emissions) -> Poll<Result<()>> {
        poll(&mut self.future, self.handler.emit, cx, emissions)
    }

    fn clear(&mut self) {
        self.future.set(None);
    }
}

struct PreparedCall<P: 'static, F: Future + Send + 'static> {
    handler: &'static Prepared<P, F>,
    prepared: P,
    future: Place<F>,
}

impl<P: Send, F: Future + Send> Attemptable for PreparedCall<P, F> {
    fn start(&mut self, delivery: &Delivery<'_>) -> Result<()> {
        match (self.handler.start)(&self.prepared, delivery) {
            Ok(future) => {
                self.future.set(Some(future));
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>, emissions: &mut Emissions) -> Poll<Result<()>> {
        poll(&mut self.future, self.handler.emit, cx, emissions)
    }

    fn clear(&mut self) {
        self.future.set(None);
    }
}

fn poll<F: Future>(
    place: &mut Place<F>,
    emit: Emit<F::Output>,
    cx: &mut Context<'_>,
    emissions: &mut Emissions,
) -> Poll<Result<()>> {
    match place.as_mut().as_pin_mut() {
        Some(future) => match future.poll(cx) {
            Poll::Ready(outcome) => Poll::Ready(emit(outcome, emissions)),
            Poll::Pending => Poll::Pending,
        },
        None => Poll::Ready(Ok(())),
    }
}

struct Attempt<'a> {
    call: &'a mut dyn Attemptable,
    emissions: &'a mut Emissions,
    /// Whether the call is over, and so dropped what it held.
    over: bool,
}

impl Future for Attempt<'_> {
    type Output = Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let Self {
            call,
            emissions,
            over,
        } = &mut *self;
        let polled = call.poll(cx, emissions);
        *over = polled.is_ready();
        polled
    }
}

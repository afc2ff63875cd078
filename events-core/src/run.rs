//! The loop of a slot: one future that takes a handler from record to record.
//!
//! `#[handler]` names the parts of a call. What is generic here is compiled for every handler, so it is little; the
//! loop itself is compiled once.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use crate::contained::Contained;
use crate::delivery::Delivery;
use crate::emission::Emissions;
use crate::slot::{BlockingJob, Panicked, Slot, SlotFuture};
use crate::{Error, Result};

/// How what a handler returns is published.
pub(crate) type Emit<R> = fn(R, &mut Emissions) -> Result<()>;

/// Makes the arguments of a handler, and from them the call.
type Start<P, F> = fn(&P, &Delivery<'_>) -> Result<F>;

/// Makes the arguments of a blocking handler, and from them the call.
type StartBlocking = Box<dyn Fn(&Delivery<'_>) -> Result<BlockingJob> + Send>;

/// A handler that can be called. `#[handler]` puts one of the three types below into its descriptor.
pub trait Callable: Send + Sync {
    /// What calls it for the records of a slot.
    ///
    /// # Errors
    ///
    /// What its arguments need is not there.
    fn caller(&'static self, slot: &Slot) -> Result<Caller>;
}

/// What calls a handler for one record after the other.
pub enum Caller {
    /// In place.
    Async(Box<dyn Attemptable>),
    /// On the blocking pool.
    Blocking(StartBlocking),
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
    fn caller(&'static self, _: &Slot) -> Result<Caller> {
        Ok(Caller::Async(Box::new(PlainCall {
            handler: self,
            future: Box::pin(None),
        })))
    }
}

impl<P: Send + 'static, F: Future + Send + 'static> Callable for Prepared<P, F> {
    fn caller(&'static self, slot: &Slot) -> Result<Caller> {
        match (self.prepare)(slot) {
            Ok(prepared) => Ok(Caller::Async(Box::new(PreparedCall {
                handler: self,
                prepared,
                future: Box::pin(None),
            }))),
            Err(error) => Err(error),
        }
    }
}

impl<P, F, R> Callable for Blocking<P, F, R>
where
    P: Send + 'static,
    F: FnOnce() -> R + Send + 'static,
    R: 'static,
{
    fn caller(&'static self, slot: &Slot) -> Result<Caller> {
        let prepared = (self.prepare)(slot)?;
        let start = move |delivery: &Delivery<'_>| -> Result<BlockingJob> {
            let call = (self.start)(&prepared, delivery)?;
            Ok(Box::new(move |emissions: &mut Emissions| {
                (self.emit)(call(), emissions)
            }))
        };
        Ok(Caller::Blocking(Box::new(start)))
    }
}

/// The loop that takes a handler from record to record.
pub(crate) fn run(handler: &'static dyn Callable, slot: Slot) -> SlotFuture {
    match prepare(handler, &slot) {
        Ok(Caller::Async(call)) => Box::pin(drive(slot, Call::new(call))),
        Ok(Caller::Blocking(start)) => Box::pin(drive_blocking(slot, Contained::new(start))),
        Err(error) => Box::pin(drive_unprepared(handler, slot, error)),
    }
}

/// A panic in a user's `Extract::prepare` is an error like any other.
fn prepare(handler: &'static dyn Callable, slot: &Slot) -> Result<Caller> {
    catch_unwind(AssertUnwindSafe(|| handler.caller(slot)))
        .unwrap_or_else(|panic| Err(Panicked::error(panic)))
        .map_err(|error| error.context("what the handler's arguments need is not there"))
}

/// What arguments need was there when the service started, and may be there again: until it is, each record fails alone.
async fn drive_unprepared(handler: &'static dyn Callable, mut slot: Slot, error: Error) {
    let mut lacking = Some(Contained::new(error));
    while slot.next().await {
        let prepared = match lacking.take().and_then(Contained::into_inner) {
            Some(error) => Err(error),
            None => prepare(handler, &slot),
        };
        match prepared {
            Ok(Caller::Async(call)) => {
                let mut call = Call::new(call);
                attempt(&mut slot, &mut call, &mut Emissions::new()).await;
                return drive(slot, call).await;
            }
            Ok(Caller::Blocking(start)) => {
                let mut start = Contained::new(start);
                attempt_blocking(&mut slot, &mut start, &mut Emissions::new()).await;
                return drive_blocking(slot, start).await;
            }
            Err(error) => {
                slot.refuse(error);
                slot.finish(&mut Emissions::new());
            }
        }
    }
}

async fn drive(mut slot: Slot, mut call: Call) {
    let mut emissions = Emissions::new();
    while slot.next().await {
        attempt(&mut slot, &mut call, &mut emissions).await;
    }
}

async fn attempt(slot: &mut Slot, call: &mut Call, emissions: &mut Emissions) {
    if slot.start(&mut |delivery| call.place(Some(delivery))) {
        let mut attempt = pin!(Attempt {
            call: &mut *call,
            emissions: &mut *emissions,
            over: false,
        });
        slot.attempt(attempt.as_mut()).await;
        // Of an attempt that was given up nothing lives when the engine hears of it.
        if !attempt.over
            && let Err(panic) = call.clear()
        {
            slot.refuse(panic.context("what an attempt left, when it was dropped"));
        }
    }
    slot.finish(emissions);
}

async fn drive_blocking(mut slot: Slot, mut start: Contained<StartBlocking>) {
    let mut emissions = Emissions::new();
    while slot.next().await {
        attempt_blocking(&mut slot, &mut start, &mut emissions).await;
    }
}

async fn attempt_blocking(
    slot: &mut Slot,
    start: &mut Contained<StartBlocking>,
    emissions: &mut Emissions,
) {
    let mut job = None;
    let started = slot.start(&mut |delivery| {
        if let Some(start) = start.get_mut() {
            job = Some(start(delivery)?);
        }
        Ok(())
    });
    if let Some(job) = job.filter(|_| started) {
        slot.attempt_blocking(job).await;
    }
    slot.finish(emissions);
}

/// A handler's call, and what its arguments share. Both are dropped without letting a panic out.
struct Call(Contained<Box<dyn Attemptable>>);

impl Call {
    fn new(call: Box<dyn Attemptable>) -> Self {
        Self(Contained::new(call))
    }

    fn place(&mut self, delivery: Option<&Delivery<'_>>) -> Result<()> {
        match self.0.get_mut() {
            Some(call) => call.place(delivery),
            None => Ok(()),
        }
    }

    /// Drops the call that is in place.
    fn clear(&mut self) -> Result<()> {
        catch_unwind(AssertUnwindSafe(|| self.place(None)))
            .unwrap_or_else(|panic| Err(Panicked::error(panic)))
    }

    fn poll(&mut self, cx: &mut Context<'_>, emissions: &mut Emissions) -> Poll<Result<()>> {
        match self.0.get_mut() {
            Some(call) => call.poll(cx, emissions),
            None => Poll::Ready(Ok(())),
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        // Before what its arguments share, so that no panic meets another. The panic hook has reported it.
        let _ = self.clear();
    }
}

/// A handler that can be called again and again.
pub trait Attemptable: Send {
    /// Makes the arguments and calls it; nothing of its body runs yet. Without a record, drops the call: one function for
    /// both, since each is compiled for every handler.
    fn place(&mut self, delivery: Option<&Delivery<'_>>) -> Result<()>;
    /// Polls the call; when it is ready, encodes what it returned.
    fn poll(&mut self, cx: &mut Context<'_>, emissions: &mut Emissions) -> Poll<Result<()>>;
}

/// A call lives in its place from its first poll on, where it does not move. The next one takes the place of one that
/// is over, of which nothing but the place is left: one allocation for all calls of the slot.
type Place<F> = Pin<Box<Option<F>>>;

struct PlainCall<I: 'static, F: Future + Send + 'static> {
    handler: &'static Plain<I, F>,
    future: Place<F>,
}

impl<I, F: Future + Send> Attemptable for PlainCall<I, F> {
    fn place(&mut self, delivery: Option<&Delivery<'_>>) -> Result<()> {
        let future = match delivery {
            // Not `?`, here and below: its parts would be compiled for every handler.
            Some(delivery) => match (self.handler.decode)(delivery) {
                Ok(event) => Some((self.handler.handler)(event)),
                Err(error) => return Err(error),
            },
            None => None,
        };
        self.future.set(future);
        Ok(())
    }

    fn poll(&mut self, cx: &mut Context<'_>, emissions: &mut Emissions) -> Poll<Result<()>> {
        poll(&mut self.future, self.handler.emit, cx, emissions)
    }
}

struct PreparedCall<P: 'static, F: Future + Send + 'static> {
    handler: &'static Prepared<P, F>,
    prepared: P,
    future: Place<F>,
}

impl<P: Send, F: Future + Send> Attemptable for PreparedCall<P, F> {
    fn place(&mut self, delivery: Option<&Delivery<'_>>) -> Result<()> {
        let future = match delivery {
            Some(delivery) => match (self.handler.start)(&self.prepared, delivery) {
                Ok(future) => Some(future),
                Err(error) => return Err(error),
            },
            None => None,
        };
        self.future.set(future);
        Ok(())
    }

    fn poll(&mut self, cx: &mut Context<'_>, emissions: &mut Emissions) -> Poll<Result<()>> {
        poll(&mut self.future, self.handler.emit, cx, emissions)
    }
}

#[inline]
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
    call: &'a mut Call,
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

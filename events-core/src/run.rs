//! The loop of a slot: one future that takes a handler from record to record.
//!
//! `#[handler]` generates a call of [`run`]. What is generic here is compiled for every handler, so it is little; the
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

/// Makes the arguments of a blocking handler, and from them the call.
type StartBlocking = Box<dyn Fn(&Delivery<'_>) -> Result<BlockingJob> + Send>;

/// Runs an async handler: `prepare` looks up what its arguments share, `start` makes the arguments and calls it.
pub fn run<P, F, S>(
    slot: Slot,
    prepare: fn(&Slot) -> Result<P>,
    start: S,
    emit: Emit<F::Output>,
) -> SlotFuture
where
    P: Send + 'static,
    F: Future + Send + 'static,
    F::Output: 'static,
    S: Fn(&P, &Delivery<'_>) -> Result<F> + Send + 'static,
{
    let prepared = prepare(&slot).ok();
    begin(
        slot,
        Box::new(Call {
            prepared,
            start,
            emit,
            future: None,
        }),
    )
}

/// Runs a handler on the blocking pool; `start` makes the arguments, and from them the call.
pub fn run_blocking<P, F, R, S>(
    slot: Slot,
    prepare: fn(&Slot) -> Result<P>,
    start: S,
    emit: Emit<R>,
) -> SlotFuture
where
    P: Send + 'static,
    F: FnOnce() -> R + Send + 'static,
    R: 'static,
    S: Fn(&P, &Delivery<'_>) -> Result<F> + Send + 'static,
{
    match prepare(&slot) {
        Ok(prepared) => {
            let start = move |delivery: &Delivery<'_>| -> Result<BlockingJob> {
                let call = start(&prepared, delivery)?;
                Ok(Box::new(move |emissions: &mut Emissions| {
                    emit(call(), emissions)
                }))
            };
            Box::pin(drive_blocking(slot, Box::new(start)))
        }
        Err(_) => nothing(),
    }
}

fn begin(slot: Slot, call: Box<dyn Attemptable>) -> SlotFuture {
    if call.is_prepared() {
        Box::pin(drive(slot, call))
    } else {
        nothing()
    }
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
    /// Whether what its arguments share is there.
    fn is_prepared(&self) -> bool;
    /// Makes the arguments and calls it; nothing of its body runs yet.
    fn start(&mut self, delivery: &Delivery<'_>) -> Result<()>;
    /// Polls the call; when it is ready, encodes what it returned.
    fn poll(&mut self, cx: &mut Context<'_>, emissions: &mut Emissions) -> Poll<Result<()>>;
    /// Drops the call.
    fn clear(&mut self);
}

struct Call<P, F: Future, S> {
    prepared: Option<P>,
    start: S,
    emit: Emit<F::Output>,
    /// A call lives here from its first poll on, where it does not move. The next one takes the place of one that is
    /// over, of which nothing but the place is left: one allocation for all calls of the slot.
    future: Option<Pin<Box<F>>>,
}

impl<P, F, S> Attemptable for Call<P, F, S>
where
    P: Send,
    F: Future + Send,
    S: Fn(&P, &Delivery<'_>) -> Result<F> + Send,
{
    fn is_prepared(&self) -> bool {
        self.prepared.is_some()
    }

    fn start(&mut self, delivery: &Delivery<'_>) -> Result<()> {
        let Some(prepared) = &self.prepared else {
            return Ok(());
        };
        // Not `?`: its parts would be compiled for every handler.
        match (self.start)(prepared, delivery) {
            Ok(future) => {
                match &mut self.future {
                    Some(place) => place.set(future),
                    none => *none = Some(Box::pin(future)),
                }
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>, emissions: &mut Emissions) -> Poll<Result<()>> {
        match &mut self.future {
            Some(future) => match future.as_mut().poll(cx) {
                Poll::Ready(outcome) => Poll::Ready((self.emit)(outcome, emissions)),
                Poll::Pending => Poll::Pending,
            },
            None => Poll::Ready(Ok(())),
        }
    }

    fn clear(&mut self) {
        self.future = None;
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

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
    match prepare(&slot) {
        Ok(prepared) => Box::pin(drive(
            slot,
            Box::new(Call {
                prepared,
                start,
                emit,
                future: Box::pin(None),
            }),
        )),
        // Looked at when the service started, so it was there then.
        Err(_) => nothing(),
    }
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

fn nothing() -> SlotFuture {
    Box::pin(std::future::ready(()))
}

async fn drive(mut slot: Slot, mut call: Box<dyn Attemptable>) {
    let mut emissions = Emissions::new();
    while slot.next().await {
        if slot.start(&mut |delivery| call.start(delivery)) {
            let attempt = Attempt {
                call: &mut *call,
                emissions: &mut emissions,
            };
            slot.attempt(pin!(attempt)).await;
            // Whether it is over or given up, nothing of it lives when the engine hears of it.
            call.clear();
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

struct Call<P, F: Future, S> {
    prepared: P,
    start: S,
    emit: Emit<F::Output>,
    /// A call lives here from its first poll on, where it does not move: one allocation for all calls of the slot.
    future: Pin<Box<Option<F>>>,
}

impl<P, F, S> Attemptable for Call<P, F, S>
where
    P: Send,
    F: Future + Send,
    S: Fn(&P, &Delivery<'_>) -> Result<F> + Send,
{
    fn start(&mut self, delivery: &Delivery<'_>) -> Result<()> {
        // Not `?`: its parts would be compiled for every handler.
        match (self.start)(&self.prepared, delivery) {
            Ok(future) => {
                self.future.set(Some(future));
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>, emissions: &mut Emissions) -> Poll<Result<()>> {
        match self.future.as_mut().as_pin_mut() {
            Some(future) => match future.poll(cx) {
                Poll::Ready(outcome) => Poll::Ready((self.emit)(outcome, emissions)),
                Poll::Pending => Poll::Pending,
            },
            None => Poll::Ready(Ok(())),
        }
    }

    fn clear(&mut self) {
        self.future.set(None);
    }
}

struct Attempt<'a> {
    call: &'a mut dyn Attemptable,
    emissions: &'a mut Emissions,
}

impl Future for Attempt<'_> {
    type Output = Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        let Self { call, emissions } = &mut *self;
        call.poll(cx, emissions)
    }
}

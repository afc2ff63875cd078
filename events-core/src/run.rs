//! The loop of a slot: one future that takes a handler from record to record.
//!
//! `#[handler]` generates a call of it, so that a handler's own code is small, and what is generic here is checked once.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use crate::Result;
use crate::delivery::Delivery;
use crate::emission::Emissions;
use crate::slot::{Slot, SlotFuture};

/// How what a handler returns is published.
pub(crate) type Emit<R> = fn(R, &mut Emissions) -> Result<()>;

/// Runs an async handler: `prepare` looks up what its arguments share, `start` makes the arguments and calls it.
pub fn run<P, F>(
    mut slot: Slot,
    prepare: impl FnOnce(&Slot) -> Result<P>,
    start: impl Fn(&P, &Delivery<'_>) -> Result<F> + Send + 'static,
    emit: Emit<F::Output>,
) -> SlotFuture
where
    P: Send + 'static,
    F: Future + Send + 'static,
    F::Output: 'static,
{
    // Looked at when the service started, so it is there now.
    let Ok(prepared) = prepare(&slot) else {
        return Box::pin(std::future::ready(()));
    };
    Box::pin(async move {
        let mut emissions = Emissions::new();
        while slot.next().await {
            if let Some(future) = slot.start(|delivery| start(&prepared, delivery)) {
                let attempt = Attempt {
                    future: pin!(future),
                    emit,
                    emissions: &mut emissions,
                };
                slot.attempt(pin!(attempt)).await;
            }
            slot.finish(&mut emissions);
        }
    })
}

/// Runs a handler on the blocking pool; `start` makes the arguments, and from them the call.
pub fn run_blocking<P, F, R>(
    mut slot: Slot,
    prepare: impl FnOnce(&Slot) -> Result<P>,
    start: impl Fn(&P, &Delivery<'_>) -> Result<F> + Send + 'static,
    emit: Emit<R>,
) -> SlotFuture
where
    P: Send + 'static,
    F: FnOnce() -> R + Send + 'static,
    R: 'static,
{
    let Ok(prepared) = prepare(&slot) else {
        return Box::pin(std::future::ready(()));
    };
    Box::pin(async move {
        let mut emissions = Emissions::new();
        while slot.next().await {
            if let Some(call) = slot.start(|delivery| start(&prepared, delivery)) {
                let job = move |emissions: &mut Emissions| emit(call(), emissions);
                slot.attempt_blocking(Box::new(job)).await;
            }
            slot.finish(&mut emissions);
        }
    })
}

/// A call of an async handler, and behind it what publishes its outcome. It borrows both, so it may move.
struct Attempt<'a, F: Future> {
    future: Pin<&'a mut F>,
    emit: Emit<F::Output>,
    emissions: &'a mut Emissions,
}

impl<F: Future> Future for Attempt<'_, F> {
    type Output = Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        match self.future.as_mut().poll(cx) {
            Poll::Ready(outcome) => Poll::Ready((self.emit)(outcome, self.emissions)),
            Poll::Pending => Poll::Pending,
        }
    }
}

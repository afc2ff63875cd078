//! A token that says an attempt has been given up.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};

/// Tells a handler that its attempt has been given up: its time is over, or its partition is leaving.
///
/// An async handler needs it seldom, because an abandoned attempt is dropped. A *blocking* one cannot be
/// dropped: it should look at [`is_cancelled`](Self::is_cancelled) between steps and return early.
///
/// # Cancel safety
///
/// [`cancelled`](Self::cancelled) may be dropped and called again.
#[derive(Clone, Debug, Default)]
pub struct Cancellation(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    cancelled: AtomicBool,
    /// Tasks to wake once; bounded by the number of `cancelled()` futures alive.
    wakers: Mutex<Vec<Waker>>,
}

impl Cancellation {
    /// A token that is not cancelled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancels this token and all its clones. Doing it again has no effect.
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::Release);
        let wakers = std::mem::take(&mut *self.wakers());
        for waker in wakers {
            // A waker of an executor of the user's may panic; the panic hook reports it.
            let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
        }
    }

    /// Whether the attempt has been given up.
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::Acquire)
    }

    /// Completes once the attempt has been given up.
    pub async fn cancelled(&self) {
        poll_fn(|cx| {
            if self.is_cancelled() {
                return Poll::Ready(());
            }
            let mut wakers = self.wakers();
            // Looked at again under the lock: `cancel` may have run in between.
            if self.is_cancelled() {
                return Poll::Ready(());
            }
            if !wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
                wakers.push(cx.waker().clone());
            }
            Poll::Pending
        })
        .await
    }

    fn wakers(&self) -> std::sync::MutexGuard<'_, Vec<Waker>> {
        // A poisoned list of wakers is still a list of wakers.
        self.0.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! How many orders may be under way.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Semaphore;

/// Orders under way at the very start. They pay for every connection that is made only then, so they are few.
const FIRST: usize = 10;

/// How many orders may be under way: few at first, and one more with each that ends, up to all.
pub(super) struct Window {
    free: Semaphore,
    /// Places that are not open yet.
    closed: AtomicUsize,
}

impl Window {
    pub(super) fn new(size: usize) -> Self {
        let open = size.min(FIRST);
        Self {
            free: Semaphore::new(open),
            closed: AtomicUsize::new(size - open),
        }
    }

    /// Waits for a place and takes it.
    pub(super) async fn enter(&self) {
        if let Ok(place) = self.free.acquire().await {
            place.forget();
        }
    }

    /// Gives a place back, and opens another one.
    pub(super) fn leave(&self) {
        let opens = self
            .closed
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |closed| {
                closed.checked_sub(1)
            });
        self.free.add_permits(1 + usize::from(opens.is_ok()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_as_orders_end_and_no_further_than_its_size() {
        let window = Window::new(12);
        assert_eq!(window.free.available_permits(), 10);
        // Three orders that were under way end, so three of the places were taken.
        window.free.forget_permits(3);
        for _ in 0..3 {
            window.leave();
        }
        assert_eq!(window.free.available_permits(), 12);
    }

    #[test]
    fn a_small_one_is_open_from_the_start() {
        assert_eq!(Window::new(3).free.available_permits(), 3);
    }
}

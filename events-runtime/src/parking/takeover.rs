//! What a new owner finds parked waits for what stands before it in the source (D2).

use std::future::Future;
use std::pin::Pin;
use std::task::Context;
use std::time::Duration;

use tokio::time::Sleep;

/// How long it waits at most: an earlier record of another key may hold the watermark for days.
const PATIENCE: Duration = Duration::from_secs(10);

/// The time after a lane has taken its parked log over.
///
/// The owner before may have ended after it had appended a record and before it had done an earlier one of the same key: that one
/// was refused for a moment, say. The earlier one comes from the source again, and then the later one waits behind it; until
/// then nothing in the log tells of it.
#[derive(Debug, Default)]
pub(super) struct Takeover {
    timer: Option<Pin<Box<Sleep>>>,
    over: bool,
}

impl Takeover {
    /// The lane owns the log, and is done with its source up to `watermark`. What was found there came from below `end`.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, watermark: i64, end: i64) {
        if self.over {
            return;
        }
        let sleep = || Box::pin(tokio::time::sleep(PATIENCE));
        let timer = self.timer.get_or_insert_with(sleep);
        self.over = watermark >= end || timer.as_mut().poll(cx).is_ready();
        if self.over {
            self.timer = None;
        }
    }

    /// Whether what was parked from the offset `origin` waits.
    pub(super) fn holds_back(&self, origin: i64, watermark: i64, end: i64) -> bool {
        !self.over && watermark < origin && origin < end
    }

    /// Whether anything may wait.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }
}

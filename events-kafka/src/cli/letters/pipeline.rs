//! Actions on their way, and the marks that follow them.

use std::collections::VecDeque;
use std::time::Duration;

use events_core::{Outgoing, Result};
use tokio::time::Instant;

use crate::cli::site::{Receipt, Writer};

/// Actions on their way whose letters are not marked yet.
const WINDOW: usize = 10_000;

/// A letter is marked once its action stands in the log: a mark without an action would hide a letter that nobody redrives.
#[derive(Default)]
pub(super) struct Marks {
    actions: VecDeque<(Receipt, Outgoing)>,
    marks: Vec<Receipt>,
}

impl Marks {
    pub(super) async fn push(
        &mut self,
        writer: &Writer,
        action: Receipt,
        mark: Outgoing,
    ) -> Result<()> {
        self.actions.push_back((action, mark));
        while self.actions.len() > WINDOW {
            self.settle(writer).await?;
        }
        Ok(())
    }

    async fn settle(&mut self, writer: &Writer) -> Result<()> {
        if let Some((action, mark)) = self.actions.pop_front() {
            action.await?;
            self.marks
                .push(writer.append("the mark of a redrive", &mark).await?);
        }
        if self.marks.len() > WINDOW {
            for mark in self.marks.drain(..) {
                mark.await?;
            }
        }
        Ok(())
    }

    /// Waits until all of them stand there.
    pub(super) async fn flush(&mut self, writer: &Writer) -> Result<()> {
        while !self.actions.is_empty() {
            self.settle(writer).await?;
        }
        for mark in self.marks.drain(..) {
            mark.await?;
        }
        Ok(())
    }
}

/// Holds back what comes faster than allowed.
pub(super) struct Pace {
    rate: Option<u32>,
    began: Instant,
    count: u32,
}

impl Pace {
    pub(super) fn new(rate: Option<u32>) -> Self {
        Self {
            rate,
            began: Instant::now(),
            count: 0,
        }
    }

    /// When the next letter may go; none if at once.
    fn next(&mut self) -> Option<Instant> {
        let due = Duration::from_secs(1) * self.count / self.rate?.max(1);
        self.count += 1;
        Some(self.began + due)
    }

    pub(super) async fn wait(&mut self) {
        if let Some(due) = self.next() {
            tokio::time::sleep_until(due).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_kept() {
        let mut pace = Pace::new(Some(100));
        let due: Vec<_> = (0..=200).filter_map(|_| pace.next()).collect();
        assert_eq!(due.first(), Some(&pace.began));
        assert_eq!(
            due.last().map(|due| *due - pace.began),
            Some(Duration::from_secs(2))
        );
        assert_eq!(Pace::new(None).next(), None);
    }
}

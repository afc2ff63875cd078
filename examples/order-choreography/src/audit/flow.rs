//! What became of one order.

use std::time::{Duration, Instant};

/// How an order can end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Shipped,
    Declined,
    Refunded,
}

/// What became of one order.
#[derive(Debug, Clone)]
pub(crate) struct Flow {
    /// What the file says that it costs.
    amount_cents: u64,
    pub(crate) captured_cents: u64,
    pub(crate) refunded_cents: u64,
    began: Instant,
    took: Duration,
    /// With the id of the event that said so: the same event again is no second ending.
    endings: Vec<(Ending, String)>,
}

impl Flow {
    /// An order that begins now.
    pub(crate) fn begin(amount_cents: u64) -> Self {
        Self {
            amount_cents,
            captured_cents: 0,
            refunded_cents: 0,
            began: Instant::now(),
            took: Duration::ZERO,
            endings: Vec::new(),
        }
    }

    /// It ends now.
    pub(crate) fn end(&mut self, ending: Ending, event_id: String) {
        if self.endings.iter().all(|(_, known)| *known != event_id) {
            self.took = self.began.elapsed();
            self.endings.push((ending, event_id));
        }
    }

    pub(crate) fn has_ended(&self) -> bool {
        !self.endings.is_empty()
    }

    pub(crate) fn began(&self) -> Instant {
        self.began
    }

    /// From the order to its last event.
    pub(crate) fn took(&self) -> Duration {
        self.took
    }

    /// Its first ending.
    pub(crate) fn ending(&self) -> Option<Ending> {
        self.endings.first().map(|(ending, _)| *ending)
    }

    /// What is wrong with it.
    pub(crate) fn fault(&self) -> Option<String> {
        let money = (self.captured_cents, self.refunded_cents);
        let due = match self.endings[..] {
            [] => return Some("has no ending".to_owned()),
            [(Ending::Shipped, _)] => (self.amount_cents, 0),
            [(Ending::Declined, _)] if self.amount_cents > 0 => {
                return Some("was declined, but costs something".to_owned());
            }
            [(Ending::Declined, _)] => (0, 0),
            [(Ending::Refunded, _)] => (self.amount_cents, self.amount_cents),
            _ => return Some(format!("has {} endings", self.endings.len())),
        };
        (money != due).then(|| format!("captured and refunded {money:?} cents instead of {due:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(captured_cents: u64, refunded_cents: u64, endings: &[(Ending, &str)]) -> Flow {
        let mut flow = Flow {
            captured_cents,
            refunded_cents,
            ..Flow::begin(100)
        };
        for (ending, id) in endings {
            flow.end(*ending, (*id).to_owned());
        }
        flow
    }

    #[test]
    fn an_order_has_one_ending_and_its_money_is_where_it_belongs() {
        assert_eq!(flow(100, 0, &[(Ending::Shipped, "a")]).fault(), None);
        assert_eq!(flow(100, 100, &[(Ending::Refunded, "a")]).fault(), None);
        let free = Flow {
            amount_cents: 0,
            ..flow(0, 0, &[(Ending::Declined, "a")])
        };
        assert_eq!(free.fault(), None);
    }

    #[test]
    fn the_same_event_again_is_no_second_ending_but_another_one_is() {
        assert_eq!(
            flow(100, 0, &[(Ending::Shipped, "a"), (Ending::Shipped, "a")]).fault(),
            None
        );
        let twice = flow(100, 0, &[(Ending::Shipped, "a"), (Ending::Shipped, "b")]);
        assert_eq!(twice.fault().unwrap(), "has 2 endings");
    }

    #[test]
    fn no_ending_and_wrong_money_are_faults() {
        assert_eq!(flow(100, 0, &[]).fault().unwrap(), "has no ending");
        assert_eq!(
            flow(0, 0, &[(Ending::Declined, "a")]).fault().unwrap(),
            "was declined, but costs something"
        );
        let short = flow(99, 0, &[(Ending::Shipped, "a")]);
        assert_eq!(
            short.fault().unwrap(),
            "captured and refunded (99, 0) cents instead of (100, 0)"
        );
    }
}

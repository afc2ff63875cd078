//! What the proxies do to the frames that pass, changed while they pass.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

/// Kafka's numbers of the requests that rules name.
pub(crate) mod api {
    pub(crate) const PRODUCE: i16 = 0;
    pub(crate) const OFFSET_COMMIT: i16 = 8;
}

/// Which way a frame goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Request,
    Response,
}

/// What becomes of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// It vanishes.
    Drop,
    /// It comes later, and what is behind it too.
    Delay(Duration),
    /// Its connection is reset in its place.
    Cut,
    /// It waits until what is held is released, and what is behind it too.
    Hold,
}

/// A rule; what it does not name, it takes as it comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) broker: Option<usize>,
    pub(crate) api: Option<i16>,
    pub(crate) direction: Option<Direction>,
    pub(crate) action: Action,
    /// So many frames; none means all.
    pub(crate) most: Option<u64>,
}

/// How a line is, whatever passes on it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) latency: Duration,
    pub(crate) jitter: Duration,
    pub(crate) bytes_per_second: Option<u64>,
    /// The first bytes of each frame come one by one.
    pub(crate) slices: bool,
    /// So many frames of 10,000 are a reset in their place.
    pub(crate) resets: u32,
}

/// The rules of all proxies.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    state: Mutex<State>,
    released: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    rules: Vec<Kept>,
    shape: Shape,
    resets: u64,
}

#[derive(Debug)]
struct Kept {
    id: RuleId,
    rule: Rule,
    hits: u64,
}

/// Names a rule for its removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RuleId(u64);

impl Rules {
    pub(crate) fn add(&self, rule: Rule) -> RuleId {
        let mut state = self.state();
        state.next += 1;
        let id = RuleId(state.next);
        state.rules.push(Kept { id, rule, hits: 0 });
        id
    }

    /// Takes a rule away and answers how many frames it met.
    pub(crate) fn remove(&self, id: RuleId) -> u64 {
        let mut state = self.state();
        let place = state.rules.iter().position(|kept| kept.id == id);
        place.map_or(0, |place| state.rules.swap_remove(place).hits)
    }

    /// How many frames a rule has met.
    pub(crate) fn hits(&self, id: RuleId) -> u64 {
        let state = self.state();
        let mut rules = state.rules.iter();
        let kept = rules.find(|kept| kept.id == id);
        kept.map_or(0, |kept| kept.hits)
    }

    /// Lets go of what is held. A rule that holds must be gone before, or it holds what comes next.
    pub(crate) fn release(&self) {
        self.released.send_replace(());
    }

    /// Says when what is held from now on is released.
    pub(crate) fn hold(&self) -> watch::Receiver<()> {
        self.released.subscribe()
    }

    pub(crate) fn shape(&self) -> Shape {
        self.state().shape
    }

    pub(crate) fn set_shape(&self, shape: Shape) {
        self.state().shape = shape;
    }

    /// Everything passes again.
    pub(crate) fn clear(&self) {
        let mut state = self.state();
        state.rules.clear();
        state.shape = Shape::default();
        drop(state);
        self.release();
    }

    pub(crate) fn count_reset(&self) {
        self.state().resets += 1;
    }

    /// Resets so far, since the proxies were started.
    pub(crate) fn resets(&self) -> u64 {
        self.state().resets
    }

    /// What the newest rule that fits says of a frame.
    pub(crate) fn decide(&self, broker: usize, api: Option<i16>, way: Direction) -> Option<Action> {
        let mut state = self.state();
        let kept = state.rules.iter_mut().rev().find(|kept| {
            let rule = &kept.rule;
            rule.broker.is_none_or(|wanted| wanted == broker)
                && rule.api.is_none_or(|wanted| Some(wanted) == api)
                && rule.direction.is_none_or(|wanted| wanted == way)
                && rule.most.is_none_or(|most| kept.hits < most)
        })?;
        kept.hits += 1;
        Some(kept.rule.action)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_meets_what_it_names_and_so_often_as_it_says() {
        let rules = Rules::default();
        let id = rules.add(Rule {
            broker: Some(1),
            api: Some(api::PRODUCE),
            direction: Some(Direction::Response),
            action: Action::Cut,
            most: Some(1),
        });
        let decide = |broker, api, way| rules.decide(broker, Some(api), way);
        assert_eq!(decide(0, api::PRODUCE, Direction::Response), None);
        assert_eq!(decide(1, api::OFFSET_COMMIT, Direction::Response), None);
        assert_eq!(decide(1, api::PRODUCE, Direction::Request), None);
        assert_eq!(
            decide(1, api::PRODUCE, Direction::Response),
            Some(Action::Cut)
        );
        assert_eq!(decide(1, api::PRODUCE, Direction::Response), None);
        assert_eq!(rules.remove(id), 1);
    }
}

//! How long the machine kept a worker from running, or a broker from an answer: so much later may everything be.

use std::collections::BTreeMap;
use std::time::Duration;

use faults::{BEAT, Line, What};

/// A member that stands still for longer is given up by its group, which has excuses of its own.
const MOST: Duration = Duration::from_secs(6);

/// The longest time that a worker, which nobody had stopped, was late with saying that it runs, or a broker with its answer to
/// the observer.
pub(crate) fn longest(lines: &[Line]) -> Duration {
    let mut last: BTreeMap<&str, u64> = BTreeMap::new();
    let mut longest = 0;
    for line in lines {
        let who = line.who.as_str();
        let before = match line.what {
            What::Alive if line.offset > 0 => last.insert(who, line.at),
            What::Alive | What::Continued => {
                last.insert(who, line.at);
                None
            }
            What::Killed => last.remove(who),
            What::Stopped | What::Ended => {
                last.remove(who);
                None
            }
            _ => None,
        };
        longest = longest.max(before.map_or(0, |before| line.at.saturating_sub(before)));
    }
    Duration::from_micros(longest)
        .saturating_sub(BEAT)
        .min(MOST)
}

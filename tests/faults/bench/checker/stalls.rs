//! How long the machine kept a worker from running, or a broker from an answer: so much later may everything be.

use std::collections::BTreeMap;
use std::time::Duration;

use faults::{BEAT, Line, What};

/// A member that stands still for longer is given up by its group, which has excuses of its own.
const MOST: Duration = Duration::from_secs(6);

/// The longest time that a worker, which nobody had stopped, was late with saying that it runs, as far as it waited for a
/// processor; or a broker with its answer to the observer.
pub(crate) fn longest(lines: &[Line]) -> Duration {
    let mut last: BTreeMap<&str, &Line> = BTreeMap::new();
    let mut longest = Duration::ZERO;
    for line in lines {
        let who = line.who.as_str();
        let before = match line.what {
            What::Alive if line.offset > 0 => last.insert(who, line),
            What::Alive | What::Continued => {
                last.insert(who, line);
                None
            }
            What::Killed => last.remove(who),
            What::Stopped | What::Ended => {
                last.remove(who);
                None
            }
            _ => None,
        };
        longest = longest.max(before.map_or(Duration::ZERO, |before| late(before, line)));
    }
    longest.min(MOST)
}

fn late(before: &Line, line: &Line) -> Duration {
    let gap = Duration::from_micros(line.at.saturating_sub(before.at));
    let waited = |line: &Line| line.note.parse().ok();
    let waited: Option<(u64, u64)> = waited(before).zip(waited(line));
    let late = gap.saturating_sub(BEAT);
    // Where nobody counted the machine gets the benefit.
    waited.map_or(late, |(from, to)| {
        late.min(Duration::from_micros(to.saturating_sub(from)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stall_of_the_machine_widens_the_time_before_a_kill() {
        let mut lines = Vec::new();
        let mut push = |what: What, offset: i64, after: Duration| {
            let before = lines.last().map_or(0, |line: &Line| line.at);
            lines.push(Line {
                at: before + after.as_micros() as u64,
                who: "worker-1".into(),
                what,
                offset,
                ..Line::default()
            });
            longest(&lines)
        };
        let second = Duration::from_secs(1);
        assert_eq!(push(What::Alive, 0, second), Duration::ZERO);
        assert_eq!(push(What::Alive, 1, BEAT), Duration::ZERO);
        assert_eq!(push(What::Alive, 2, BEAT + second), second);
        // Nobody else stopped it.
        push(What::Stopped, 0, BEAT);
        push(What::Continued, 0, second * 9);
        assert_eq!(push(What::Alive, 3, BEAT), second);
        assert_eq!(push(What::Killed, 0, BEAT + second * 2), second * 2);
        // A process of the same name.
        assert_eq!(push(What::Alive, 0, second * 9), second * 2);
        assert_eq!(push(What::Alive, 1, second * 9), Duration::from_secs(6));
        // What did not wait for a processor kept itself from running.
        let beat = |at: u64, offset: i64, note: &str| Line {
            at,
            what: What::Alive,
            offset,
            note: note.into(),
            ..Line::default()
        };
        let late = |waited| longest(&[beat(0, 0, "500"), beat(5_000_000, 1, waited)]);
        assert_eq!(late("1000500"), second);
        assert_eq!(late("9000000"), second * 5 - BEAT);
    }
}

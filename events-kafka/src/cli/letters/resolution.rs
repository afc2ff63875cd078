//! The record that says what became of a letter.

use events_core::{Outgoing, RecordView};

use super::letter::Outcome;
use super::names;
use crate::cli::audit::Audit;
use crate::cli::place::Place;

/// Where the resolution of a letter is written: beside it, or among the dead letters of a group if others wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Beside {
    topic: String,
    partition: Option<i32>,
}

impl Beside {
    pub(super) fn the(letter: &Place, dead_letters: &str) -> Self {
        // What others read must hold nothing that they do not know.
        let ours = *letter.topic == *dead_letters;
        Self {
            topic: dead_letters.to_owned(),
            partition: ours.then_some(letter.partition),
        }
    }
}

/// The record that says what became of a letter. It has the letter's key; only an edit has a value, which takes the place
/// of the letter's.
pub(super) fn resolution(
    beside: &Beside,
    letter: &Place,
    key: Option<&[u8]>,
    outcome: Outcome,
    audit: &Audit,
    edited: Option<&[u8]>,
) -> Outgoing {
    let mut record = Outgoing::new(beside.topic.clone());
    record.partition = beside.partition;
    if let Some(key) = key {
        record.set_key(key);
    }
    record.set_value(edited.unwrap_or_default());
    record.add_header(names::FACT, names::RESOLVED);
    record.add_header(names::OF, letter.to_string());
    record.add_header(names::RESOLUTION, outcome.name());
    audit.write(&names::AUDIT, &mut record);
    record
}

/// The resolution of a letter that was read just now.
pub(super) fn of_record(
    beside: &Beside,
    record: &dyn RecordView,
    outcome: Outcome,
    audit: &Audit,
    edited: Option<&[u8]>,
) -> Outgoing {
    resolution(
        beside,
        &Place::of(record),
        record.key(),
        outcome,
        audit,
        edited,
    )
}

#[cfg(test)]
mod tests {
    use super::super::dialect;
    use super::super::letter::Resolution;
    use super::super::samples::{Sample, ours, spring};
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let audit = Audit {
            actor: "ann".to_owned(),
            reason: Some("address added".to_owned()),
            time: "2026-01-31T13:00:00.000Z".to_owned(),
        };
        let letter = Place::of(&ours(7));
        let beside = Beside::the(&letter, "shipping.dead-letters");
        let written = of_record(&beside, &ours(7), Outcome::Edited, &audit, Some(b"{}"));
        assert_eq!(
            (written.partition, written.value()),
            (Some(0), Some(&b"{}"[..]))
        );
        assert_eq!(written.key(), Some(&b"o-1"[..]));
        let sample = Sample::written(&written, 0, 8);
        let read = Resolution::read(&dialect::headers(&sample)).unwrap();
        assert_eq!((read.of, read.outcome), (letter, Outcome::Edited));
        assert_eq!(
            (
                &*read.mark.actor,
                read.mark.reason.as_deref(),
                &*read.mark.time
            ),
            ("ann", Some("address added"), "2026-01-31T13:00:00.000Z")
        );
    }

    #[test]
    fn the_topics_of_others_are_left_alone() {
        let beside = Beside::the(&Place::of(&spring(7)), "shipping.dead-letters");
        assert_eq!(
            (&*beside.topic, beside.partition),
            ("shipping.dead-letters", None)
        );
    }
}

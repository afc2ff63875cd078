//! The action that asks a lane for a redrive.

use events_core::{Outgoing, RecordView};

use super::dialect::{self, Dialect};
use super::letter::Letter;
use super::plan::Target;
use crate::cli::audit::Audit;
use crate::cli::moment;
use crate::cli::parked::names as parked;

/// The action that asks for a redrive: the record as it was, to one handler.
pub(super) fn action(
    record: &dyn RecordView,
    letter: &Letter,
    target: &Target,
    audit: &Audit,
) -> Outgoing {
    let mut action = Outgoing::new(target.parked.to_string());
    action.partition = Some(target.origin.partition);
    if let Some(key) = record.key() {
        action.set_key(key);
    }
    if let Some(value) = letter.edited.as_deref().or(record.value()) {
        action.set_value(value);
    }
    let now = moment::now().to_string();
    let told = dialect::headers(record);
    let told = dialect::read(record, &told);
    action.timestamp = told
        .as_ref()
        .and_then(|told| told.timestamp)
        .or(record.timestamp());
    let refused = told
        .as_ref()
        .is_some_and(|told| told.dialect == Dialect::Events && told.timestamp.is_some());
    let error = told.and_then(|told| Some(told.error?.into_owned()));
    for (name, value) in [
        (parked::FACT, "action"),
        (parked::ACTION, "redrive"),
        (parked::REDRIVE, &letter.id.to_string()),
        (parked::HANDLER, &target.handler),
        (parked::TOPIC, &target.origin.topic),
        (parked::PARTITION, &target.origin.partition.to_string()),
        (parked::OFFSET, &target.origin.offset.to_string()),
        (parked::ATTEMPTS, &letter.attempts.unwrap_or(0).to_string()),
        (parked::NEXT, &now),
        (parked::SINCE, &now),
        (parked::ERROR, &error.unwrap_or_default()),
    ] {
        action.add_header(name, value);
    }
    if let Some(timestamp) = action.timestamp {
        // The parked topic may be one that gives records the time of their append.
        action.add_header(parked::TIMESTAMP, timestamp.to_string());
        if refused {
            // The parked topic would refuse it too.
            action.timestamp = None;
        }
    }
    if let Some(code) = &letter.code {
        action.add_header(parked::CODE, &**code);
    }
    audit.write(&parked::AUDIT, &mut action);
    let own = dialect::all(record).filter(|(name, _)| !dialect::is_foreign(name));
    own.filter(|(_, value)| value.is_some())
        .for_each(|(name, value)| {
            action.add_raw_header(name, value);
        });
    action
}

#[cfg(test)]
mod tests {
    use super::super::samples::{as_letter, ours, spring, target_of};
    use super::*;

    fn audit() -> Audit {
        Audit {
            actor: "ann".to_owned(),
            reason: Some("address added".to_owned()),
            time: "2026-01-31T13:00:00.000Z".to_owned(),
        }
    }

    #[test]
    fn an_action_carries_the_record_as_it_was() {
        for record in [ours(7), spring(7)] {
            let letter = as_letter(&record);
            let action = action(&record, &letter, &target_of(&letter), &audit());
            assert_eq!(
                (&*action.topic, action.partition),
                ("shipping.parked.orders", Some(3))
            );
            assert_eq!(
                (action.key(), action.value()),
                (record.key(), record.value())
            );
            assert_eq!(
                action.timestamp,
                Some(1_000),
                "the record's, not the letter's"
            );
            let first = action.headers().next().unwrap();
            assert_eq!(first, (&b"pk_fact"[..], Some(&b"action"[..])));
            let header = |name| std::str::from_utf8(action.header(name).unwrap()).unwrap();
            assert_eq!(header("pk_redrive"), letter.id.to_string());
            assert_eq!(header("pk_handler"), "shipping/ship");
            assert_eq!(
                (
                    header("pk_topic"),
                    header("pk_partition"),
                    header("pk_offset")
                ),
                ("orders", "3", "41")
            );
            assert_eq!(
                (header("pk_actor"), header("pk_reason")),
                ("ann", "address added")
            );
            assert_eq!(header("pk_timestamp"), "1000");
            assert_eq!(header("ce_type"), "OrderPlaced");
            // What was said of the letter stays with the letter.
            let own = action
                .headers()
                .filter(|(name, _)| !name.starts_with(b"pk_"));
            assert_eq!(own.count(), 1);
        }
    }

    #[test]
    fn an_edited_letter_carries_the_new_payload() {
        let record = ours(7);
        let mut letter = as_letter(&record);
        letter.edited = Some((*b"{}").into());
        let action = action(&record, &letter, &target_of(&letter), &audit());
        assert_eq!(action.value(), Some(&b"{}"[..]));
    }
}

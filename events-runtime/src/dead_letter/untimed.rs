//! What a record looks like whose time its topic refuses.

use events_core::{Outgoing, header};

use super::dead_letter_header as letter;
use crate::parking::fact::parked_header;
use crate::work::Kind;

/// The record with its time in a header, so that its topic gives it the time of its append; none if it has no time of its own.
///
/// A record of the parked log has that header anyway.
pub(crate) fn untimed(record: &Outgoing, kind: Kind) -> Option<Outgoing> {
    let time = record.timestamp?;
    let mut untimed = record.clone();
    untimed.timestamp = None;
    if record.header(parked_header::TIMESTAMP).is_none() {
        let name = match kind {
            Kind::Emissions => header::RECORD_TIME,
            Kind::DeadLetter | Kind::Append | Kind::Fact => letter::TIMESTAMP,
        };
        untimed.add_header(name, time.to_string());
    }
    Some(untimed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_moves_to_the_header_of_its_kind_once() {
        let mut record = Outgoing::new("shop.dead-letters");
        record.set_key(b"o-1").set_value(b"a value");
        record.timestamp = Some(1_000);
        let time = |record: &Outgoing, name: &str| {
            let value = record.header(name)?;
            Some(std::str::from_utf8(value).unwrap().to_owned())
        };
        for (kind, name) in [
            (Kind::Emissions, "ce_recordtime"),
            (Kind::DeadLetter, "dl_timestamp"),
        ] {
            let untimed = untimed(&record, kind).unwrap();
            assert_eq!(untimed.timestamp, None);
            assert_eq!(time(&untimed, name).as_deref(), Some("1000"), "{kind:?}");
            assert_eq!(untimed.value(), record.value());
            assert_eq!(super::untimed(&untimed, kind), None);
        }
        record.add_header(parked_header::TIMESTAMP, "1000");
        let parked = untimed(&record, Kind::Append).unwrap();
        assert_eq!(parked.headers().len(), 1);
    }
}

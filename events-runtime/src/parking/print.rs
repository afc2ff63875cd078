//! What tells two records of one offset apart.
//!
//! A topic that is deleted and made anew gives its offsets a second time, while the parked log keeps what came from the
//! first. The print of a record is never written down: it is made of what a parked copy keeps of its record, and
//! seeded, so that nobody can make up two records with one print.

use events_core::{RecordView, header};
use xxhash_rust::xxh3::Xxh3;

use crate::key_hash;

use super::fact::{headers, parked_header};

/// The print of a record of the source, as its handlers get it: in binary mode.
pub(crate) fn of(record: &dyn RecordView) -> u64 {
    print(record, record.timestamp().unwrap_or(-1))
}

/// The print of the record that a `parked` fact carries.
pub fn of_fact(fact: &dyn RecordView) -> u64 {
    let timestamp = headers(fact)
        .filter(|(name, _)| *name == parked_header::TIMESTAMP.as_bytes())
        .find_map(|(_, value)| std::str::from_utf8(value?).ok()?.parse().ok());
    print(fact, timestamp.or(fact.timestamp()).unwrap_or(-1))
}

fn print(record: &dyn RecordView, timestamp: i64) -> u64 {
    let mut print = Xxh3::with_seed(key_hash::seed());
    print.update(&timestamp.to_le_bytes());
    let mut part = |bytes: &[u8]| {
        print.update(&(bytes.len() as u64).to_le_bytes());
        print.update(bytes);
    };
    part(record.key().unwrap_or_default());
    part(record.value().unwrap_or_default());
    for (name, value) in headers(record) {
        let tells = name == header::ID.as_bytes() || name == header::SOURCE.as_bytes();
        if let Some(value) = value.filter(|_| tells) {
            part(value);
        }
    }
    print.digest()
}

#[cfg(test)]
mod tests {
    use events_core::Outgoing;

    use super::*;
    use crate::opened::LeftOut;
    use crate::parking::fact::{Standing, Writer};
    use crate::parking::record::ParkedRecord;

    fn record(timestamp: Option<i64>, id: &str, value: &[u8]) -> ParkedRecord {
        let mut record = Outgoing::new("orders");
        record.timestamp = timestamp;
        record.set_key(b"k").set_value(value);
        record.add_header(header::ID, id);
        ParkedRecord {
            topic: "orders".into(),
            partition: 0,
            offset: 7,
            record,
            fault: None,
            left_out: LeftOut::default(),
            handler: "shop/sell".into(),
            route: None,
            attempts: 0,
            since: 0,
            redrive: None,
        }
    }

    /// As it is read back from a log that gives its own timestamps.
    fn parked(record: &ParkedRecord) -> ParkedRecord {
        let writer = Writer {
            topic: "shop.parked.orders",
            partition: 0,
            token: "a",
        };
        let standing = Standing {
            handler: "shop/sell",
            attempts: 1,
            next: 0,
            since: 0,
            error: "broken",
            code: "error",
        };
        let mut fact = writer.parked(record, &standing);
        fact.timestamp = Some(999);
        ParkedRecord {
            record: fact,
            ..self::record(None, "", b"")
        }
    }

    #[test]
    fn a_parked_copy_has_the_print_of_its_record_and_no_other_has() {
        let one = record(Some(5), "a", b"{}");
        for record in [&one, &record(None, "a", b"{}")] {
            assert_eq!(of(record), of_fact(&parked(record)));
        }
        for other in [
            record(Some(6), "a", b"{}"),
            record(Some(5), "b", b"{}"),
            record(Some(5), "a", b"[]"),
        ] {
            assert_ne!(of(&one), of(&other));
        }
    }
}

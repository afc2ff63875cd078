//! What a lane keeps in memory of a parked record.

use events_core::{Outgoing, RecordView};

use super::fact::{Head, copy_own, headers};

/// Beside the bytes of the record itself, and the names below: its places in the ledger.
const BESIDE: usize = 864;

/// The bytes that a lane keeps of the record that a fact carries.
pub fn of_fact(fact: &dyn RecordView) -> usize {
    let mut own = Outgoing::new("");
    copy_own(fact, &mut own);
    let head = Head::read(headers(fact));
    of(&own, &head)
}

/// The same of a fact that is about to be written.
pub fn of_outgoing(fact: &Outgoing) -> usize {
    let own = fact
        .headers()
        .filter(|(name, value)| !name.starts_with(b"pk_") && value.is_some());
    let mut record = Outgoing::new("");
    record.set_key(fact.key().unwrap_or_default());
    record.set_value(fact.value().unwrap_or_default());
    own.for_each(|(name, value)| {
        record.add_raw_header(name, value);
    });
    of(&record, &Head::read(fact.headers()))
}

pub(super) fn of(own: &Outgoing, head: &Head<'_>) -> usize {
    let names = [head.handler, head.redrive].into_iter().flatten();
    own.footprint() + names.map(str::len).sum::<usize>() + BESIDE
}
